"""Compartments: the isopotential pieces of one cell or of a forest of cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import flag, index, instance, number, numbers, several, short
from ..errors import MorphologyError, ParameterError
from ..kernels import trees
from ..shown import Shown
from . import compartment_arrays as arrays

if TYPE_CHECKING:
    from ..membrane import Passive
    from .tree import Morphology

_MOST = 20_000_000
"""Compartments of regular trees; about ten gigabytes."""

_PER_NODE = (
    "leak",
    "coupling",
    "capacitance",
    "region",
    "stage",
    "path_distance",
    "area",
    "length",
    "xyz",
    "axial_resistance",
)


class Compartments(Shown):
    """A forest of compartments with its passive conductances; arrays are read-only.

    Made by `Morphology.compartments`, `Compartments.branching` or `Compartments.forest`; the constructor takes explicit
    arrays. Cells stand one after another; within a cell parents precede children and the root (the soma) is first.

    Parameters
    ----------
    parent : int array of shape (N,)
        Index of the parent compartment, -1 at roots.
    leak : float or float array of shape (N,)
        Absolute leak conductance in nS, not negative; 0 only where there are children (branch points).
    coupling : float or float array of shape (N,)
        Conductance to the parent in nS, positive; ignored at roots, where it reads 0.
    capacitance : float or float array of shape (N,), optional
        In pF; 1 everywhere by default.
    region : str or str array of shape (N,), optional
        Region names; by default ``soma`` at roots and ``dendrite`` elsewhere.
    leak_reversal : float, default 0.0
        Reversal potential of the leak, mV.
    physical : bool, default True
        Physical units (mV, nS, pF, um), or normalised ones (leak 1, reversal potentials 1 and 0).
    stage, path_distance, area, length, xyz, axial_resistance : arrays of shape (N,), xyz (N, 3), optional
        See Attributes; counted in branchings and edges where they are not given.

    Attributes
    ----------
    cell : int array of shape (N,)
        Cell that a compartment belongs to, in order of the roots.
    stage : int array of shape (N,)
        Number of branchings above; 0 at the soma.
    path_distance : float array of shape (N,)
        Along the tree from where the neurite leaves the soma to the middle of the compartment, um.
    area : float array of shape (N,)
        Membrane area without spines, um2; 0 at branch points.
    length : float array of shape (N,)
        um; 0 at branch points; the soma's is its diameter.
    xyz : float array of shape (N, 3)
        Position of the middle, um.
    axial_resistance : float array of shape (N,)
        From end to end, MOhm.
    roots : int array of shape (n_cells,)
        Root compartment of each cell.
    morphologies : tuple of Morphology
        One per cell when made from morphologies, else empty.

    Raises
    ------
    ParameterError
        Names the first offending compartment and what would work.
    """

    parent: NDArray[np.int64]
    leak: NDArray[np.float64]
    coupling: NDArray[np.float64]
    capacitance: NDArray[np.float64]
    region: NDArray[np.str_]
    stage: NDArray[np.int64]
    path_distance: NDArray[np.float64]
    area: NDArray[np.float64]
    length: NDArray[np.float64]
    xyz: NDArray[np.float64]
    axial_resistance: NDArray[np.float64]

    def __init__(
        self,
        parent: ArrayLike,
        *,
        leak: ArrayLike = 1.0,
        coupling: ArrayLike = 1.0,
        capacitance: ArrayLike = 1.0,
        region: ArrayLike | None = None,
        leak_reversal: float = 0.0,
        physical: bool = True,
        stage: ArrayLike | None = None,
        path_distance: ArrayLike | None = None,
        area: ArrayLike = 1.0,
        length: ArrayLike = 1.0,
        xyz: ArrayLike = np.nan,
        axial_resistance: ArrayLike | None = None,
        morphologies: tuple[Morphology, ...] = (),
        sample_compartment: ArrayLike | None = None,
        outline: tuple[Any, ...] | None = None,
    ) -> None:
        self.parent = arrays.parents(parent)
        n = self.parent.size
        roots = self.parent < 0
        self.physical = flag("physical", physical)
        self.leak_reversal = number("leak_reversal", leak_reversal, unit="mV")
        unit = "nS" if physical else "(normalised)"
        self.leak = arrays.values("leak", leak, n, unit)
        coupling = numbers("coupling", coupling)
        if coupling.shape == (n,):
            coupling = np.where(roots, 0.0, coupling)
        self.coupling = arrays.frozen(np.where(roots, 0.0, arrays.values("coupling", coupling, n, unit)))
        self.capacitance = arrays.values("capacitance", capacitance, n, "pF" if physical else unit)
        arrays.refuse(
            (self.coupling == 0) & ~roots,
            "coupling is 0 at compartment {n}: it and all behind it are disconnected from their soma; give it a "
            "positive coupling, or parent -1 to make it a cell of its own",
        )
        leaf = np.ones(n, bool)
        leaf[self.parent[~roots]] = False
        arrays.refuse(
            (self.leak == 0) & leaf,
            "leak is 0 at compartment {n}, which has no children: its voltage would be undefined; give it a positive "
            "leak",
        )
        self.region = arrays.names(np.where(roots, "soma", "dendrite") if region is None else region, n)
        depth = trees.depth(self.parent)
        self.stage = arrays.frozen(depth) if stage is None else arrays.stages(stage, n)
        self.path_distance = arrays.values("path_distance", depth if path_distance is None else path_distance, n, "um")
        self.area = arrays.values("area", area, n, "um2")
        self.length = arrays.values("length", length, n, "um")
        self.xyz = arrays.positions(xyz, n)
        if axial_resistance is None:
            with np.errstate(over="ignore"):
                axial_resistance = np.divide(1e3 if physical else 1.0, self.coupling, out=np.zeros(n), where=~roots)
        self.axial_resistance = arrays.values("axial_resistance", axial_resistance, n, "MOhm")
        self.roots = arrays.frozen(np.flatnonzero(roots))
        self.cell = arrays.frozen(np.cumsum(roots) - 1)
        self.morphologies = morphologies
        given = sample_compartment
        self._sample_compartment = None if given is None else numbers("sample_compartment", given)
        self._outline = outline
        self._made = True

    def __setattr__(self, name: str, value: Any) -> None:
        if "_made" in vars(self):
            raise AttributeError(
                f"compartments do not change: use with_({name}=...) where it knows {name}, or make new ones"
            )
        super().__setattr__(name, value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False  # pickle forgets it

    @classmethod
    def from_morphology(cls, morphology: Morphology, passive: Passive, **policy: Any) -> Compartments:
        """What `Morphology.compartments` calls: `morphology`, its membrane `passive`, and the `policy` of lengths.

        Raises
        ------
        ParameterError
            If `passive` is no membrane, or the policy is impossible.
        """
        from ..membrane import Passive
        from .discretise import discretise
        from .tree import Morphology

        instance("morphology", morphology, Morphology, "such as Morphology.load('pyramidal_l5')")
        if not isinstance(passive, Passive):
            raise ParameterError(
                f"the first argument is the membrane, such as ds.Passive(R_m=20000.0); got {passive!r}"
            )
        return cls(**discretise(morphology, passive, **policy))

    @classmethod
    def branching(
        cls, branching: Sequence[int], n_cells: int = 1, *, coupling: ArrayLike = 1.0, leak: float = 1.0
    ) -> Compartments:
        """Regular trees in normalised units, as in the paper's networks (leak 1 to reversal potential 0).

        Parameters
        ----------
        branching : sequence of int
            Children per compartment at each stage above the soma: ``[3, 3]`` is a soma, 3 branches and 9 branches on
            those.
        n_cells : int, default 1
            Number of equal cells.
        coupling : float or float array of shape (N,), default 1.0
            Conductance of each compartment to its parent.
        leak : float, default 1.0
            Leak conductance of every compartment.

        Raises
        ------
        ParameterError
            If a number of branches or cells is not a positive integer.

        Examples
        --------
        >>> import dendrosim as ds
        >>> ds.Compartments.branching([3, 3], n_cells=128).size
        1664
        """
        hint = "a list of children per stage; a soma alone is [], one stage [3]"
        branching = several("branching", branching, hint)
        for name, value in [("n_cells", n_cells), *((f"branching[{i}]", b) for i, b in enumerate(branching))]:
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ParameterError(f"{name}={value!r} must be a positive integer")
        total = int(n_cells) * sum(math.prod(map(int, branching[:i])) for i in range(len(branching) + 1))
        if total > _MOST:
            raise ParameterError(
                f"branching={short(branching)} with n_cells={n_cells} makes {total:.3g} compartments; {_MOST:.0e} is "
                "the most"
            )
        parent, stage, above, level = [np.array([-1])], [np.zeros(1, np.int64)], np.array([0]), 1
        for i, b in enumerate(branching):
            parent.append(np.repeat(above, b))
            above = np.arange(level, level + above.size * b)
            stage.append(np.full(above.size, i + 1))
            level += above.size
        one = np.concatenate(parent)
        offset = np.repeat(np.arange(n_cells) * one.size, one.size)
        tiled = np.tile(one, n_cells)
        return cls(
            np.where(tiled < 0, -1, tiled + offset),
            leak=leak,
            coupling=coupling,
            physical=False,
            stage=np.tile(np.concatenate(stage), n_cells),
        )

    @classmethod
    def forest(cls, cells: Sequence[Compartments]) -> Compartments:
        """Several cells as one: concatenated in the order given.

        Parameters
        ----------
        cells : sequence of Compartments
            All in the same units and with the same leak reversal potential.

        Raises
        ------
        ParameterError
            If the list is empty or units or reversal potentials differ.
        """
        if isinstance(cells, Compartments):
            raise ParameterError("forest() takes a list of cells: forest([cell, cell])")
        given = several("cells", cells, "a list of Compartments")
        cells = [compartments_given(f"cells[{i}]", c) for i, c in enumerate(given)]
        if not cells:
            raise ParameterError("forest() needs at least one cell")
        for name in ("physical", "leak_reversal"):
            found = sorted({getattr(c, name) for c in cells})
            if len(found) > 1:
                raise ParameterError(f"the cells of a forest must agree in {name}; got {', '.join(map(str, found))}")
        offsets = np.cumsum([0, *(c.size for c in cells)])
        parent = np.concatenate(
            [np.where(c.parent < 0, -1, c.parent + o) for c, o in zip(cells, offsets[:-1], strict=True)]
        )
        parts = [part for c in cells for part in (c._cells or (c,))]
        made = all(part._outline is not None and len(part.morphologies) == 1 for part in parts)
        joined: dict[str, Any] = {name: np.concatenate([getattr(c, name) for c in cells]) for name in _PER_NODE}
        forest = cls(
            parent,
            leak_reversal=cells[0].leak_reversal,
            physical=cells[0].physical,
            morphologies=tuple(part.morphologies[0] for part in parts) if made else (),
            **joined,
        )
        vars(forest)["_cells"] = tuple(parts) if made else ()
        return forest

    _cells: tuple[Compartments, ...] = ()

    def with_(self, **changes: ArrayLike) -> Compartments:
        """A copy with other leak, coupling or capacitance arrays, for example learned ones.

        Parameters
        ----------
        **changes : array of shape (N,)
            ``leak``, ``coupling`` or ``capacitance``.

        Returns
        -------
        Compartments

        Raises
        ------
        ParameterError
            If a name is not one of the arrays, or a shape does not fit.
        """
        for name in changes:
            if name not in ("leak", "coupling", "capacitance"):
                raise ParameterError(f"with_() does not know {name!r}; it takes leak, coupling, capacitance")
        copy = Compartments(
            self.parent,
            leak_reversal=self.leak_reversal,
            physical=self.physical,
            morphologies=self.morphologies,
            sample_compartment=self._sample_compartment,
            outline=self._outline,
            **{**{name: getattr(self, name) for name in _PER_NODE}, **changes},
        )
        vars(copy)["_cells"] = self._cells
        return copy

    @cached_property
    def conductance_range(self) -> tuple[float, float]:
        """Least positive and greatest conductance of leaks and couplings, nS."""
        both = np.concatenate([self.leak, self.coupling])
        return float(both.min(where=both > 0, initial=both.max())), float(both.max())

    @property
    def size(self) -> int:
        """Number of compartments, N."""
        return int(self.parent.size)

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self.roots.size)

    @property
    def morphology(self) -> Morphology | None:
        """The morphology of a single cell, or None."""
        return self.morphologies[0] if len(self.morphologies) == 1 else None

    @property
    def electrotonic_distance(self) -> NDArray[np.float64]:
        """Path length from the soma in steady-state length constants, shape (N,): the sum of dx / lambda."""
        unit = 1e-3 if self.physical else 1.0  # MOhm nS
        half = 0.5 * np.sqrt(self.leak * self.axial_resistance * unit)
        half[self.roots] = 0.0
        return trees.accumulate(self.parent, half, half)

    def of_sample(self, sample: int, cell: int = 0) -> int:
        """Compartment that holds the sample with this SWC identifier.

        Parameters
        ----------
        sample : int
            Identifier of the sample in its file.
        cell : int, default 0
            Which cell of a forest.

        Returns
        -------
        int

        Raises
        ------
        MorphologyError
            If there is no such sample, or the compartments do not come from a morphology.
        """
        one, offset = self._cell(cell)
        ids = one.morphologies[0].samples.id
        known = isinstance(sample, int | np.integer) and not isinstance(sample, bool)
        rows = np.flatnonzero(ids == sample) if known else np.zeros(0, np.int64)
        if rows.size == 0:
            raise MorphologyError(
                f"no sample {short(sample)} in {one.morphologies[0].name or 'the morphology'}; ids run from "
                f"{ids.min()} to {ids.max()}"
            )
        assert one._sample_compartment is not None
        return int(one._sample_compartment[rows[0]]) + offset

    def samples_in(self, compartment: int) -> NDArray[np.int64]:
        """Identifiers of the samples that lie in `compartment`, in the order of the file."""
        compartment = index("compartment", compartment, self.size)
        one, offset = self._cell(int(self.cell[compartment]))
        assert one._sample_compartment is not None
        found: NDArray[np.int64] = one.morphologies[0].samples.id[one._sample_compartment == compartment - offset]
        return found

    def segments(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Frusta between samples, cut at the borders of compartments, for drawing; the soma is not among them.

        Returns
        -------
        start, stop : float arrays of shape (k, 3)
            End points in um.
        radius_start, radius_stop : float arrays of shape (k,)
            Radii in um.
        compartment : int array of shape (k,)
            Compartment of each piece.
        """
        from .outline import pieces

        parts = []
        for cell in range(self.n_cells):
            one, offset = self._cell(cell)
            assert one._outline is not None
            *geometry, compartment = pieces(*one._outline)
            parts.append((*geometry, compartment + offset))
        start, stop, first, last, compartment = (np.concatenate(column) for column in zip(*parts, strict=True))
        return start, stop, first, last, compartment

    def _cell(self, cell: int) -> tuple[Compartments, int]:
        """One cell as it was made from its morphology, and the index of its root here."""
        cell = index("cell", cell, self.n_cells)
        one = self._cells[cell] if self._cells else self
        if one._outline is None:
            raise MorphologyError(
                "these compartments do not come from a morphology: they have no samples and no shape in space "
                "(dendrosim.plotting.plot_dendrogram draws them as a tree)"
            )
        return one, int(self.roots[cell])

    def plot(self, values: ArrayLike | None = None, **options: Any) -> Any:
        """Draw the cell coloured by a value per compartment; see `dendrosim.plotting.plot_morphology`."""
        from ..plotting import plot_morphology

        return plot_morphology(self, values, **options)

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        units = "physical" if self.physical else "normalised"
        return f"<Compartments: {self.size} in {self.n_cells} cell{'s' if self.n_cells > 1 else ''}, {units} units>"


def compartments_given(name: str, value: object) -> Compartments:
    """`value` if it is compartments, else an error that says how to make them."""
    return instance(name, value, Compartments, "such as morphology.compartments(ds.Passive(), max_length=20.0)")
