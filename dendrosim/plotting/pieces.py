"""The straight pieces and soma spheres that a cell is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ..morphology.samples import region_name
from .protocols import CompartmentsLike, MorphologyLike

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Frusta and spheres in space, each belonging to one compartment (or one sample).

    Attributes
    ----------
    start, stop : float arrays of shape (k, 3)
        Ends of the frusta, um.
    radius_start, radius_stop : float arrays of shape (k,)
        Their radii, um.
    owner : int array of shape (k,)
        Compartment, or sample row, whose value colours the frustum.
    center : float array of shape (m, 3)
        Centres of the spheres, um.
    radius : float array of shape (m,)
        Their radii, um.
    sphere_owner : int array of shape (m,)
        As `owner`.
    region : str array of shape (n,)
        Region of each owner.
    noun : str
        What the owners are: ``"compartment"`` or ``"sample"``.
    """

    start: Floats
    stop: Floats
    radius_start: Floats
    radius_stop: Floats
    owner: Ints
    center: Floats
    radius: Floats
    sphere_owner: Ints
    region: NDArray[np.str_]
    noun: str

    @property
    def size(self) -> int:
        """Number of owners: how many values colour the cell."""
        return int(self.region.size)

    def bounds(self) -> tuple[Floats, Floats]:
        """Return the least and the greatest coordinates with radii, shape (3,) each; zeros if nothing is there."""
        points = np.concatenate([self.start, self.stop, self.center])
        radius = np.concatenate([self.radius_start, self.radius_stop, self.radius])[:, None]
        if not points.size:
            return np.zeros(3), np.zeros(3)
        return (points - radius).min(axis=0), (points + radius).max(axis=0)

    def drawn_regions(self) -> list[str]:
        """Return the regions of everything that is drawn."""
        return [str(name) for name in np.unique(self.region[np.concatenate([self.owner, self.sphere_owner])])]


def pieces_of(cell: MorphologyLike | CompartmentsLike) -> Pieces:
    """Return what `cell` is drawn from.

    Compartments give their own pieces, cut at the borders of compartments; a compartment that has area and no pieces
    (the soma) becomes the sphere of equal area. A morphology gives one piece per sample and its parent, without the gap
    between a soma given as a sphere and the first sample of a neurite, as it has no membrane.

    Raises
    ------
    ParameterError
        If `cell` is neither, or has no positions.
    """
    if hasattr(cell, "segments"):
        return _of_compartments(cast(CompartmentsLike, cell))
    if hasattr(cell, "samples"):
        return _of_morphology(cell)
    raise ParameterError(f"cannot draw a {type(cell).__name__}: a Morphology or Compartments is needed")


def _of_compartments(compartments: CompartmentsLike) -> Pieces:
    xyz = np.asarray(compartments.xyz, dtype=np.float64)
    if not np.isfinite(xyz).all():
        raise ParameterError(
            "these compartments have no positions in space (normalised units); "
            "plot_dendrogram(..., distance='stage') draws them"
        )
    if (np.asarray(compartments.parent) < 0).all():  # somas alone
        start, stop, radius_start, radius_stop, owner = *np.zeros((2, 0, 3)), *np.zeros((2, 0)), np.zeros(0)
    else:
        start, stop, radius_start, radius_stop, owner = (np.asarray(array) for array in compartments.segments())
    owner = owner.astype(np.int64)
    extended = (start != stop).any(axis=1)
    bare = np.asarray(compartments.area) > 0
    bare[owner[extended]] = False
    spheres = np.flatnonzero(bare)
    return Pieces(
        start[extended],
        stop[extended],
        radius_start[extended],
        radius_stop[extended],
        owner[extended],
        xyz[spheres],
        np.sqrt(np.asarray(compartments.area)[spheres] / (4 * np.pi)),
        spheres,
        np.asarray(compartments.region, dtype=np.str_),
        "compartment",
    )


def _of_morphology(morphology: MorphologyLike) -> Pieces:
    samples, soma = morphology.samples, morphology.soma
    child = np.flatnonzero(samples.parent >= 0)
    center, radius = np.zeros((0, 3)), np.zeros(0)
    sphere_owner: Ints = np.zeros(0, dtype=np.int64)
    from_soma = np.zeros(len(samples), dtype=bool)
    if soma is not None:
        in_soma = np.zeros(len(samples), dtype=bool)
        in_soma[np.asarray(soma.rows, dtype=np.int64)] = True
        has_child = np.zeros(len(samples), dtype=bool)
        has_child[samples.parent[child]] = True
        from_soma[child] = in_soma[samples.parent[child]] & ~in_soma[child]
        skip = from_soma[child] & has_child[child]
        if soma.convention != "cylinders":
            skip |= in_soma[child]
            center, radius = np.asarray(soma.center, dtype=np.float64)[None], np.array([soma.radius], dtype=np.float64)
            sphere_owner = np.asarray(soma.rows, dtype=np.int64)[:1]
        child = child[~skip]
    parent = samples.parent[child]
    # a neurite of one sample begins at the soma with its own radius; a section begins with that of its branch point
    radius_start = np.where(from_soma[child], samples.radius[child], samples.radius[parent])
    names = {int(kind): region_name(int(kind)) for kind in np.unique(samples.type)}
    region: Any = np.array([names[int(kind)] for kind in samples.type], dtype=np.str_)
    return Pieces(
        samples.xyz[parent],
        samples.xyz[child],
        radius_start,
        samples.radius[child],
        child,
        center,
        radius,
        sphere_owner,
        region,
        "sample",
    )
