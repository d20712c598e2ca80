"""Compartments: the isopotential pieces of one cell or of a forest of cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import MorphologyError, ParameterError
from ..kernels import trees

if TYPE_CHECKING:
    from ..membrane import Passive
    from .tree import Morphology

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


class Compartments:
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
    stage, path_distance, area, length, xyz, axial_resistance : arrays, optional
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
        self.parent = _parents(parent)
        n = self.parent.size
        roots = self.parent < 0
        self.physical = bool(physical)
        self.leak_reversal = float(leak_reversal)
        if not np.isfinite(self.leak_reversal):
            raise ParameterError(f"leak_reversal={leak_reversal!r} mV must be finite")
        unit = "nS" if physical else "(normalised)"
        self.leak = _values("leak", leak, n, unit)
        coupling_ = _values("coupling", coupling, n, unit).copy()
        coupling_[roots] = 0.0
        self.coupling = coupling_
        self.capacitance = _values("capacitance", capacitance, n, "pF" if physical else unit)
        _refuse(
            (self.coupling == 0) & ~roots,
            "coupling is 0 at compartment {n}: it and all behind it are disconnected from their soma; give it a "
            "positive coupling, or parent -1 to make it a cell of its own",
        )
        leaf = np.ones(n, bool)
        leaf[self.parent[~roots]] = False
        _refuse(
            (self.leak == 0) & leaf,
            "leak is 0 at compartment {n}, which has no children: its voltage would be undefined; give it a positive "
            "leak",
        )
        self.region = _array(np.where(roots, "soma", "dendrite") if region is None else region, n, np.str_, "region")
        ones, zeros = np.ones(n), np.zeros(n)
        self.stage = _array(trees.depth(self.parent) if stage is None else stage, n, np.int64, "stage")
        distance = trees.accumulate(self.parent, ones, zeros) - 1 if path_distance is None else path_distance
        self.path_distance = _array(distance, n, np.float64, "path_distance")
        self.area = _array(area, n, np.float64, "area")
        self.length = _array(length, n, np.float64, "length")
        self.xyz = _array(np.broadcast_to(np.asarray(xyz, float), (n, 3)), n, np.float64, "xyz")
        if axial_resistance is None:
            axial_resistance = np.divide(1e3 if physical else 1.0, self.coupling, out=np.zeros(n), where=~roots)
        self.axial_resistance = _array(axial_resistance, n, np.float64, "axial_resistance")
        self.roots = _array(np.flatnonzero(roots), int(roots.sum()), np.int64, "roots")
        self.cell = _array(np.cumsum(roots) - 1, n, np.int64, "cell")
        self.morphologies = morphologies
        self._sample_compartment = None if sample_compartment is None else np.asarray(sample_compartment)
        self._outline = outline
        for name in ("leak", "coupling", "capacitance"):
            getattr(self, name).flags.writeable = False

    @classmethod
    def from_morphology(cls, morphology: Morphology, passive: Passive, **policy: Any) -> Compartments:
        """What `Morphology.compartments` calls; see there."""
        from ..membrane import Passive
        from .discretise import discretise

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
        for name, value in [("n_cells", n_cells), *((f"branching[{i}]", b) for i, b in enumerate(branching))]:
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ParameterError(f"{name}={value!r} must be a positive integer")
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
        cells = list(cells)
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
        made = all(c._outline is not None for c in cells) and all(len(c.morphologies) == 1 for c in cells)
        arrays: dict[str, Any] = {name: np.concatenate([getattr(c, name) for c in cells]) for name in _PER_NODE}
        forest = cls(
            parent,
            leak_reversal=cells[0].leak_reversal,
            physical=cells[0].physical,
            morphologies=tuple(m for c in cells for m in c.morphologies) if made else (),
            **arrays,
        )
        forest._cells = tuple(cells) if made else ()
        return forest

    _cells: tuple[Compartments, ...] = ()

    def with_(self, **arrays: ArrayLike) -> Compartments:
        """A copy with other leak, coupling or capacitance arrays, for example learned ones.

        Parameters
        ----------
        **arrays : array of shape (N,)
            ``leak``, ``coupling`` or ``capacitance``.
        """
        for name in arrays:
            if name not in ("leak", "coupling", "capacitance"):
                raise ParameterError(f"with_() does not know {name!r}; it takes leak, coupling, capacitance")
        copy = Compartments(
            self.parent,
            leak_reversal=self.leak_reversal,
            physical=self.physical,
            morphologies=self.morphologies,
            sample_compartment=self._sample_compartment,
            outline=self._outline,
            **{**{name: getattr(self, name) for name in _PER_NODE}, **arrays},
        )
        copy._cells = self._cells
        return copy

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

        Raises
        ------
        MorphologyError
            If there is no such sample, or the compartments do not come from a morphology.
        """
        one, offset = self._cell(cell)
        ids = one.morphologies[0].samples.id
        rows = np.flatnonzero(ids == sample)
        if rows.size == 0:
            raise MorphologyError(
                f"no sample {sample!r} in {one.morphologies[0].name or 'the morphology'}; ids run from {ids.min()} to "
                f"{ids.max()}"
            )
        assert one._sample_compartment is not None
        return int(one._sample_compartment[rows[0]]) + offset

    def samples_in(self, compartment: int) -> NDArray[np.int64]:
        """Identifiers of the samples that lie in a compartment, in the order of the file."""
        if not 0 <= compartment < self.size:
            raise ParameterError(f"compartment {compartment!r} does not exist; valid: 0 to {self.size - 1}")
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
        if not 0 <= cell < self.n_cells:
            raise ParameterError(f"cell {cell!r} does not exist; valid: 0 to {self.n_cells - 1}")
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


def _array(values: ArrayLike, n: int, dtype: Any, name: str) -> NDArray[Any]:
    array = np.asarray(values, dtype=dtype)
    if array.ndim == 0:
        array = np.full(n, array)
    if array.shape[0] != n:
        raise ParameterError(f"{name} has shape {array.shape}; expected ({n}, ...), one entry per compartment")
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array


def _values(name: str, values: ArrayLike, n: int, unit: str) -> NDArray[np.float64]:
    """Finite values, not negative, one per compartment."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        array = np.full(n, float(array))
    if array.shape != (n,):
        raise ParameterError(
            f"{name} has shape {array.shape}; expected ({n},), one value per compartment, or one number"
        )
    wrong = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if wrong.size:
        raise ParameterError(
            f"{name}[{wrong[0]}] = {array[wrong[0]]} {unit} must be finite and not negative ({wrong.size} such)"
        )
    return array.copy()


def _refuse(wrong: NDArray[np.bool_], message: str) -> None:
    if wrong.any():
        raise ParameterError(message.format(n=int(np.flatnonzero(wrong)[0])))


def _parents(parent: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(parent)
    if array.ndim != 1 or array.size == 0:
        raise ParameterError(
            f"parent has shape {array.shape}; expected (N,) with N >= 1: a tree needs at least one compartment"
        )
    if not np.issubdtype(array.dtype, np.integer):
        raise ParameterError(f"parent has dtype {array.dtype}; expected integers")
    array = array.astype(np.int64)
    if array[0] != -1:
        raise ParameterError(f"parent[0] = {array[0]}; the first compartment must be a root (-1)")
    _refuse(array < -1, "parent[{n}] is below -1; roots have parent -1")
    _refuse(
        array >= np.arange(array.size),
        "parent[{n}] does not precede compartment {n}; order compartments so that parents come first",
    )
    root = np.maximum.accumulate(np.where(array < 0, np.arange(array.size), 0))
    _refuse(
        (array >= 0) & (array < root),
        "parent[{n}] lies in another cell; the compartments of one cell must stand together",
    )
    array.flags.writeable = False
    return array
