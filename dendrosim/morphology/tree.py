"""A morphology: the tree of sample points of one cell, its sections, regions and measures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance
from ..shown import Shown
from . import measures
from .report import Report
from .samples import Samples, region_name
from .sections import Sections
from .select import (
    Where,
    check_regions,
    check_soma,
    choose_samples,
    cut_ids,
    keep_samples,
    reroot_samples,
    row_of,
    rows_to_keep,
    rows_to_leave,
)
from .soma import Soma, find_soma
from .valid import check_tree

if TYPE_CHECKING:
    from networkx import DiGraph

    from ..membrane import Passive
    from .compartments import Compartments
    from .summary import Summary

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Morphology(Shown):
    """The tree of sample points of one cell; it never changes, methods return new ones.

    Parameters
    ----------
    samples : Samples
        Sample points; see there for arrays and units.
    name : str, default ""
        Shown in pictures and messages.
    report : Report, optional
        What was found when it was read from a file.
    cut : tuple of int, default ()
        Identifiers of samples from which `select`, `prune` or `subtree` took something away.

    Raises
    ------
    MorphologyError
        If the samples are not one tree with one root, or a value is impossible; names the sample.

    See Also
    --------
    Morphology.load : read a file or a shipped cell.

    Examples
    --------
    >>> import dendrosim as ds
    >>> cell = ds.Morphology.from_swc("1 1 0 0 0 5 -1\\n2 3 6 0 0 1 1\\n3 3 16 0 0 1 2")
    >>> cell.total_length()
    10.0
    >>> print(cell.draw())
    soma (point), radius 5.0 um [1]
    └ basal 10.0 um [2..3]
    """

    samples: Samples
    name: str = ""
    report: Report | None = None
    cut: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        instance("samples", self.samples, Samples, "the sample points; Morphology.load reads files")
        check_tree(self.samples, self.name)

    # ---- files

    @classmethod
    def load(
        cls, source: str | Path, *, repair: str | Iterable[str] = (), minimum_radius: float | None = None
    ) -> Morphology:
        """Read a file, or a cell that comes with dendrosim.

        Parameters
        ----------
        source : str or Path
            Name of a shipped cell, such as ``"pyramidal_l5"``, or path of an SWC file; ASC and H5 files need the extra
            ``formats``.
        repair : str or iterable of str, default ()
            Repairs to make, by name; what they change is listed in `report`. Nothing is repaired unless asked for.
        minimum_radius : float, optional
            In um: what the repair ``zero_radius`` gives to samples of radius 0; without it, it interpolates.

        Returns
        -------
        Morphology

        Raises
        ------
        MorphologyError
            If the source does not exist, or has faults of severity error: lists all of them with line and sample, and
            the repairs that would help. Its ``report`` holds every fault.
        MissingDependencyError
            If the format needs MorphIO.

        Warns
        -----
        MorphologyWarning
            Once, with the list, if the file can be used and something in it is odd.

        Examples
        --------
        >>> import dendrosim as ds
        >>> cell = ds.Morphology.load("ball_and_stick")
        >>> cell.regions
        ('soma', 'basal')
        """
        from .load import read
        from .shipped import find_source

        path = find_source(source)
        samples, report = read(path, repair, minimum_radius)
        return cls(samples, name=path.name.removesuffix(path.suffix), report=report)

    @classmethod
    def from_swc(
        cls, text: str, name: str = "", *, repair: str | Iterable[str] = (), minimum_radius: float | None = None
    ) -> Morphology:
        """Read the `text` of an SWC file; `name`, `repair` and `minimum_radius` as for `load`."""
        from .load import read_text

        samples, report = read_text(text, name, repair, minimum_radius)
        return cls(samples, name=name, report=report)

    @classmethod
    def from_graph(cls, graph: DiGraph, name: str = "") -> Morphology:
        """Take a `graph` with edges from parents to children and int identifiers as nodes, under a `name`.

        Every node needs the attributes ``x``, ``y``, ``z``, ``radius`` (um) and ``type`` (SWC structure identifier).

        Raises
        ------
        MorphologyError
            If an attribute is missing, a node has two parents, or the graph is not one tree.
        """
        from .graph import from_graph

        return cls(from_graph(graph), name=name)

    def save(self, path: str | Path) -> None:
        """Write an SWC file to `path` that reads back as the same samples, comments and further columns included."""
        from .swc import write_swc

        write_swc(self.samples, path)

    # ---- structure

    @cached_property
    def soma(self) -> Soma | None:
        """The soma, or None if no sample is of type 1."""
        return find_soma(self.samples)

    @cached_property
    def outward(self) -> Samples:
        """The samples with links that lead away from the soma, whichever sample is the root of the file.

        Measures and cuts go by these; rows are the same as in `samples`.
        """
        return self.samples if self.soma is None else reroot_samples(self.samples, int(self.soma.rows[0]))

    @cached_property
    def sections(self) -> Sections:
        """Unbranched stretches of the neurites, depth first; iterate for `Section` objects, or take its arrays."""
        return Sections(self.outward, self.soma)

    @cached_property
    def graph(self) -> DiGraph:
        """The samples as a `networkx.DiGraph` from the root to the tips, frozen; ``graph.copy()`` can be changed.

        Nodes are sample identifiers with the attributes ``x``, ``y``, ``z``, ``radius``, ``type`` and ``region``.
        """
        from .graph import to_graph

        return to_graph(self.samples)

    @cached_property
    def region(self) -> NDArray[np.str_]:
        """Region of each sample, and of the piece between it and its parent; str array of shape (n_samples,)."""
        structures, which = np.unique(self.samples.type, return_inverse=True)
        return np.array([*map(region_name, structures.tolist())])[which]

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions that occur: soma, axon, basal, apical, custom_5 ..., undefined."""
        structures = np.unique(self.samples.type)
        return tuple(region_name(structure) for structure in sorted(structures.tolist(), key=lambda s: (s == 0, s)))

    # ---- measures

    @property
    def n_neurites(self) -> int:
        """Number of neurites that leave the soma, or the root where there is no soma."""
        return int((self.sections.parent < 0).sum())

    @property
    def n_branch_points(self) -> int:
        """Number of samples outside the soma with two children or more."""
        parent = self.outward.parent
        children = np.bincount(parent[parent >= 0], minlength=parent.size)
        if self.soma is not None:
            children[self.soma.rows] = 0
        return int((children > 1).sum())

    @property
    def n_tips(self) -> int:
        """Number of sections that nothing follows."""
        return int((self.sections.n_children == 0).sum())

    def total_length(self, region: str | None = None) -> float:
        """Length of the neurites, or of those of one `region`, um."""
        return self._total(self.sections.length, region)

    def total_area(self, region: str | None = None) -> float:
        """Lateral area of the neurites, or of those of one `region`, um2."""
        if isinstance(region, str) and region == "soma" and self.soma is not None:
            return self.soma.area + self._total(self.sections.area, region)
        return self._total(self.sections.area, region)

    def total_volume(self, region: str | None = None) -> float:
        """Volume of the neurites, or of those of one `region`, um3."""
        return self._total(self.sections.volume, region)

    @property
    def path_distance(self) -> Floats:
        """Distance of each sample from the soma along the tree, um, shape (n_samples,).

        Counted from where the neurite begins: the gap between the soma and a neurite's first sample does not count.
        """
        return self.sections.sample_path_distance

    @cached_property
    def euclidean_distance(self) -> Floats:
        """Straight distance of each sample from the soma's centre, or from the root without soma; um, (n_samples,)."""
        center = self.samples.xyz[self.samples.parent < 0][0] if self.soma is None else self.soma.center
        return measures.distance(np.asarray(center, np.float64), self.samples.xyz)

    @property
    def branch_order(self) -> Ints:
        """Number of sections between each sample's own and the soma, shape (n_samples,); 0 in the soma too."""
        of_sample = self.sections.of_sample
        if len(self.sections) == 0:
            return np.zeros(len(self.samples), np.int64)
        return np.where(of_sample >= 0, self.sections.branch_order[of_sample], 0)

    def _total(self, values: Floats, region: str | None) -> float:
        if region is None:
            return float(values.sum())
        return float(values[np.isin(self.sections.region, check_regions(self, region))].sum())

    # ---- choosing and cutting

    def rows(
        self,
        *,
        region: str | Sequence[str] | None = None,
        below: int | Sequence[int] | None = None,
        path_distance: tuple[float, float] | None = None,
        where: Where | None = None,
    ) -> Ints:
        """Rows of the samples that meet all conditions given.

        Parameters
        ----------
        region : str or sequence of str, optional
            In one of these regions.
        below : int or sequence of int, optional
            In the subtree of one of these samples (identifiers), themselves included.
        path_distance : (float, float), optional
            From ... to ... um from the soma along the tree, both included.
        where : bool array of shape (n_samples,), or function of `Samples` that returns one, optional
            Any other condition, such as ``lambda samples: samples.xyz[:, 1] > 0``.

        Returns
        -------
        int array of shape (k,)
            Rows of `samples`; ``morphology.samples.id[rows]`` are the identifiers.

        Raises
        ------
        ParameterError
            If no condition is given, or a region or sample does not exist; names what does.
        """
        return np.flatnonzero(choose_samples(self, region, below, path_distance, where))

    def select(
        self,
        *,
        region: str | Sequence[str] | None = None,
        below: int | Sequence[int] | None = None,
        path_distance: tuple[float, float] | None = None,
        where: Where | None = None,
    ) -> Morphology:
        """Keep samples that meet `region`, `below`, `path_distance` and `where` (see `rows`), and the way there.

        Cuts fall on samples: no point is invented. `cut` of the result lists the samples that lost something.

        Raises
        ------
        ParameterError
            As `rows`, and if nothing but the soma would be left.
        """
        return self._keep(rows_to_keep(self, choose_samples(self, region, below, path_distance, where)))

    def prune(
        self,
        *,
        region: str | Sequence[str] | None = None,
        below: int | Sequence[int] | None = None,
        path_distance: tuple[float, float] | None = None,
        where: Where | None = None,
    ) -> Morphology:
        """Take away samples that meet `region`, `below`, `path_distance`, `where` (see `rows`), and all below.

        ``cell.prune(region="axon")`` is the cell without its axon. The soma stays.

        Raises
        ------
        ParameterError
            As `rows`, and if nothing would be left.
        """
        return self._keep(rows_to_leave(self, choose_samples(self, region, below, path_distance, where)))

    def subtree(self, sample_id: int) -> Morphology:
        """The tree on the far side of sample `sample_id` as seen from the soma; that sample becomes the root."""
        return self._keep(choose_samples(self, None, sample_id, None, None))

    def reroot(self, sample_id: int) -> Morphology:
        """The same samples with `sample_id` as the root.

        Measures and compartments start from the soma wherever the root is. In a tree without soma they start from the
        root, and a piece of neurite takes the region of its new lower end.

        Raises
        ------
        ParameterError
            If there is no such sample, or if the soma would no longer be read as the same body.
        """
        turned = Morphology(reroot_samples(self.samples, row_of(self.samples, sample_id)), self.name, cut=self.cut)
        check_soma(self, turned, sample_id)
        return turned

    def _keep(self, keep: NDArray[np.bool_]) -> Morphology:
        cut = cut_ids(self.outward, keep, self.cut)
        return Morphology(keep_samples(self.outward, keep), self.name, cut=cut)

    # ---- looking at it

    def summary(self) -> Summary:
        """Measures per region and in all; print it for a table."""
        from .summary import summarise

        return summarise(self)

    def draw(self, *, depth: int | None = None, lines: int | None = 1000) -> str:
        """The sections as a tree of text (ASCII where output needs it): region, length and sample ids, a line each.

        Parameters
        ----------
        depth : int, optional
            Draw so many branch orders; what hangs on the last is counted.
        lines : int or None, default 1000
            Draw at most so many sections.

        Returns
        -------
        str
        """
        from .draw import draw_tree

        return draw_tree(self, depth, lines)

    def plot(self, values: Any = None, **options: Any) -> Any:
        """Draw it; see `dendrosim.plotting.plot_morphology` for `values` (one per sample) and options."""
        from ..plotting import plot_morphology

        return plot_morphology(self, values, **options)

    # ---- compartments

    def compartments(
        self,
        passive: Passive,
        *,
        max_length: float | None = None,
        d_lambda: float | None = None,
        frequency: float = 100.0,
        minimum_radius: float | None = None,
    ) -> Compartments:
        """Cut the tree into isopotential pieces.

        Parameters
        ----------
        passive : Passive
            Membrane and axial parameters.
        max_length : float, optional
            No compartment longer than this, um.
        d_lambda : float, optional
            No compartment longer than this fraction of the AC length constant at `frequency`. With `max_length` too,
            the finer of both.
        frequency : float, default 100.0
            In Hz.
        minimum_radius : float, optional
            Take thinner samples to have this radius, um; without it radius 0 is an error.

        Returns
        -------
        Compartments

        Raises
        ------
        ParameterError
            If neither `max_length` nor `d_lambda` is given, or a value is impossible.
        MorphologyError
            If a sample has radius 0, or the cell no extent; names the samples.
        """
        from .compartments import Compartments

        limits = {"max_length": max_length, "d_lambda": d_lambda, "minimum_radius": minimum_radius}
        return Compartments.from_morphology(self, passive, frequency=frequency, **limits)

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.samples)

    def __reduce__(self) -> tuple[Any, ...]:
        return Morphology, (self.samples, self.name, self.report, self.cut)

    def __repr__(self) -> str:
        name = f"{self.name!r}, " if self.name else ""
        return f"Morphology({name}{len(self.samples)} samples, regions {', '.join(self.regions)})"
