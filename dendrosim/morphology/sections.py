"""Sections: the unbranched stretches of the neurites, as arrays and one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from ..kernels import geometry, trees
from . import measures
from .samples import Samples, region_name
from .soma import attachment_points

if TYPE_CHECKING:
    from .soma import Soma

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """One unbranched stretch of a neurite; a light view, made when asked for.

    Attributes
    ----------
    index : int
        Place in `Morphology.sections`.
    """

    _all: Sections
    index: int

    @property
    def parent(self) -> int:
        """Index of the section that it continues or branches from, -1 if it leaves the soma (or the root)."""
        return int(self._all.parent[self.index])

    @property
    def children(self) -> tuple[int, ...]:
        """Indices of the sections that begin where it ends."""
        return tuple(np.flatnonzero(self._all.parent == self.index).tolist())

    @property
    def rows(self) -> Ints:
        """Row of the sample behind each point, (k,); -1 for a point on the surface of the soma, which has no sample."""
        return self._all.rows[self._slice]

    @property
    def sample_ids(self) -> Ints:
        """Identifiers of its samples, without the one that it shares with its parent."""
        return self._all.samples.id[self._all.own_rows(self.index)]

    @property
    def points(self) -> Floats:
        """Positions in um, (k, 3), from the end nearer to the soma; the first one repeats the parent's last."""
        return self._all.points[self._slice]

    @property
    def radii(self) -> Floats:
        """Radii in um, (k,)."""
        return self._all.radii[self._slice]

    @property
    def region(self) -> str:
        """Region, one per section: a section ends where the type changes."""
        return str(self._all.region[self.index])

    @property
    def length(self) -> float:
        """Path length in um."""
        return float(self._all.length[self.index])

    @property
    def area(self) -> float:
        """Lateral area in um2."""
        return float(self._all.area[self.index])

    @property
    def volume(self) -> float:
        """Volume in um3."""
        return float(self._all.volume[self.index])

    @property
    def branch_order(self) -> int:
        """Number of sections between it and the soma; 0 for a section that leaves the soma."""
        return int(self._all.branch_order[self.index])

    @property
    def strahler_order(self) -> int:
        """Strahler order; 1 at tips."""
        return int(self._all.strahler_order[self.index])

    @property
    def tortuosity(self) -> float:
        """Path length over the distance between its ends."""
        return float(self._all.tortuosity[self.index])

    @property
    def path_distance(self) -> tuple[float, float]:
        """Path distance from the soma to its two ends, um."""
        return float(self._all.path_start[self.index]), float(self._all.path_stop[self.index])

    @property
    def is_tip(self) -> bool:
        """Whether nothing follows it."""
        return bool(self._all.n_children[self.index] == 0)

    @property
    def _slice(self) -> slice:
        return slice(int(self._all.offset[self.index]), int(self._all.offset[self.index + 1]))

    def __repr__(self) -> str:
        ids = self.sample_ids
        return (
            f"Section({self.index}, {self.region!r}, {self.length:.4g} um, samples {ids[0]}..{ids[-1]}, "
            f"parent {self.parent}, {len(self.children)} children)"
        )


class Sections(Sequence[Section]):
    """The sections of a morphology in depth-first order, parents first; measures come as arrays of shape (n_sections,).

    A section runs from the soma, the root or a branch point to the next branch point, tip or change of type (NeuroM's
    definition; the soma is not a section). After a branch point it begins at the branch sample, with that sample's
    radius (or at its own first sample, where that stands at the same place). A section that leaves the soma begins at
    its own first sample: the gap to the soma has no membrane. If its own samples have no extent (there is one, or all
    lie in one place) it begins at the soma: on the surface, towards its first sample and with that sample's radius,
    where the soma is a sphere and the sample lies outside it, else at the soma sample that is its parent. A root
    without soma is only a point: the sections at it have parent -1.

    Attributes
    ----------
    parent : int array of shape (n_sections,)
        Section above, -1 for those that leave the soma or the root.
    offset : int array of shape (n_sections + 1,)
        Section ``s`` has the points ``offset[s]`` to ``offset[s + 1]`` of `rows`, `points` and `radii`.
    rows : int array of shape (n_points,)
        Row of the sample behind each point, -1 for points on the soma's surface.
    points, radii : float arrays of shape (n_points, 3) and (n_points,)
        In um.
    of_sample : int array of shape (n_samples,)
        Section that a sample belongs to (a branch sample: the one that ends there), -1 for the soma or the root.
    region : str array of shape (n_sections,)
        Region names.
    """

    def __init__(self, samples: Samples, soma: Soma | None) -> None:
        n = len(samples)
        in_soma = np.zeros(n, bool)
        center, radius, sphere = np.zeros(3), 0.0, False
        if soma is not None:
            in_soma[soma.rows] = True
            center, radius = np.asarray(soma.center, np.float64), float(soma.radius)
            sphere = soma.convention in ("point", "three_point")
        order = trees.preorder(samples.parent)
        self.samples = samples
        self.of_sample, first, self.parent = geometry.find_runs(samples.parent, order, in_soma, samples.type)
        self.offset, self.rows = geometry.run_points(
            samples.parent, order, in_soma, self.of_sample, first, samples.xyz, sphere, center[None, :], radius
        )
        self.points, self.radii = samples.xyz[self.rows], samples.radius[self.rows]
        on_surface = np.flatnonzero(self.rows < 0)
        if soma is not None and on_surface.size:
            self.points[on_surface] = attachment_points(samples, soma, self.rows[on_surface + 1])
        self.radii[on_surface] = self.radii[on_surface + 1]
        self.type = samples.type[first]
        for array in (self.of_sample, self.parent, self.offset, self.rows, self.points, self.radii, self.type):
            array.flags.writeable = False
        self._order = order
        self._in_soma = in_soma
        self._gap = np.zeros(n, bool)  # edges between a neurite and the soma that no section covers
        self._gap[first] = self.rows[self.offset[:-1]] == first

    def __len__(self) -> int:
        return int(self.parent.size)

    @overload
    def __getitem__(self, index: int) -> Section: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Section, ...]: ...
    def __getitem__(self, index: int | slice) -> Section | tuple[Section, ...]:
        if isinstance(index, slice):
            return tuple(Section(self, i) for i in range(*index.indices(len(self))))
        place = int(index) + (len(self) if index < 0 else 0)
        if not 0 <= place < len(self):
            raise IndexError(f"section {index} of {len(self)}: valid are 0 to {len(self) - 1}")
        return Section(self, place)

    def __iter__(self) -> Iterator[Section]:
        return (Section(self, i) for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Sections({len(self)}, {self.length.sum():.6g} um)"

    def own_rows(self, index: int) -> Ints:
        """Rows of the samples of section `index`, without the one that it shares with its parent."""
        rows = self.rows[self.offset[index] : self.offset[index + 1]]
        own: Ints = rows[(rows >= 0) & (self.of_sample[rows] == index)]
        return own

    @cached_property
    def region(self) -> NDArray[np.str_]:
        """Region of each section."""
        structures, which = np.unique(self.type, return_inverse=True)
        return np.array([*map(region_name, structures.tolist()), "undefined"])[which]

    @cached_property
    def length(self) -> Floats:
        """Path length, um."""
        return self._sum(self._steps[1])

    @cached_property
    def area(self) -> Floats:
        """Lateral area of the frusta between its points, um2."""
        first, step = self._steps
        return self._sum(measures.frustum_area(step, self.radii[first], self.radii[first + 1]))

    @cached_property
    def volume(self) -> Floats:
        """Volume of the frusta between its points, um3."""
        first, step = self._steps
        return self._sum(measures.frustum_volume(step, self.radii[first], self.radii[first + 1]))

    @cached_property
    def n_children(self) -> Ints:
        """Number of sections that begin where it ends."""
        return np.bincount(self.parent[self.parent >= 0], minlength=len(self)).astype(np.int64)

    @cached_property
    def branch_order(self) -> Ints:
        """Number of sections above; 0 where a neurite leaves the soma."""
        return np.asarray(trees.depth(self.parent))

    @cached_property
    def strahler_order(self) -> Ints:
        """Strahler order; 1 at tips."""
        return measures.strahler_order(self.parent)

    @cached_property
    def end_distance(self) -> Floats:
        """Euclidean distance between its two ends, um."""
        return measures.distance(self.points[self.offset[:-1]], self.points[self.offset[1:] - 1])

    @cached_property
    def tortuosity(self) -> Floats:
        """Path length over end distance; 1 without length, infinite for a closed loop."""
        return measures.tortuosity(self.length, self.end_distance)

    @cached_property
    def path_stop(self) -> Floats:
        """Path distance from where the neurite leaves the soma to the far end, um."""
        return np.asarray(trees.accumulate(self.parent, self.length, np.zeros(len(self))))

    @property
    def path_start(self) -> Floats:
        """Path distance from where the neurite leaves the soma to the near end, um."""
        start: Floats = np.where(self.parent >= 0, self.path_stop[self.parent], 0.0)
        return start

    @cached_property
    def sample_path_distance(self) -> Floats:
        """Path distance of each sample from the soma, um, (n_samples,); 0 within the soma."""
        samples = self.samples
        step = measures.distance(samples.xyz, samples.xyz[samples.parent])
        step[(samples.parent < 0) | self._in_soma | self._gap] = 0.0
        first = self.offset[:-1][self.rows[self.offset[:-1]] < 0]
        step[self.rows[first + 1]] = measures.distance(self.points[first], self.points[first + 1])
        place = np.empty_like(self._order)
        place[self._order] = np.arange(self._order.size)
        above = samples.parent[self._order]
        out = np.empty(len(samples))
        out[self._order] = trees.accumulate(
            np.where(above < 0, -1, place[above]), step[self._order], np.zeros(len(samples))
        )
        return out

    @cached_property
    def _steps(self) -> tuple[Ints, Floats]:
        """First point of each frustum, and its length."""
        inner = np.ones(self.rows.size, bool)
        inner[self.offset[1:] - 1] = False
        first = np.flatnonzero(inner)
        return first, measures.distance(self.points[first], self.points[first + 1])

    def _sum(self, values: Floats) -> Floats:
        owner = np.repeat(np.arange(len(self)), np.diff(self.offset) - 1)
        return np.bincount(owner, values, minlength=len(self)).astype(np.float64)
