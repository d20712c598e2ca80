"""How compartments become sections of NEURON: whole sections with their shape, or a section for each compartment."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, choose
from ..membrane import Passive
from ..morphology.compartments import Compartments
from ..morphology.discretise import from_pieces

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AGREE = 1e-6
"""Relative difference of couplings that counts as none where points are in single precision anyway."""


class Built(NamedTuple):
    """Sections of one cell, and the segment of each of its compartments."""

    sections: list[Any]
    segments: list[Any]


class Layout(ABC):
    """A way to build one cell."""

    name: ClassVar[str]

    @abstractmethod
    def build(self, h: Any, whole: Compartments, cell: int, owner: Any) -> Built:
        """Make the sections of one cell of a forest: shape, axial resistivity and connections, no membrane.

        Raises
        ------
        ParameterError
            If this layout cannot express it.
        """


class Sections(Layout):
    """Sections as in the morphology, ``nseg`` compartments in each, with three-dimensional points."""

    name = "sections"

    def build(self, h: Any, whole: Compartments, cell: int, owner: Any) -> Built:
        resistivity = resistivity_of(whole, cell)
        if resistivity is None:
            raise ParameterError(
                f"layout='sections' needs cells whose couplings are those of their morphology, and those of cell "
                f"{cell} are not; layout='compartments' makes a section for every compartment"
            )
        one, _ = whole._cell(cell)
        morphology = one.morphologies[0]
        assert one._outline is not None
        start, points, radius, pieces, of_piece = one._outline
        made: list[Any] = []
        segments: list[Any] = [None] * one.size
        root: Any = None
        if morphology.soma is not None:
            soma, size = h.Section(name="soma", cell=owner), float(one.length[0]) / 2
            x, y, z = np.asarray(morphology.soma.center).tolist()
            for step in (-size, 0.0, size):
                soma.pt3dadd(x, y + step, z, 2 * size)
            soma.Ra = resistivity
            made.append(soma)
            root = segments[0] = soma(0.5)
        ends: list[Any] = []  # of each section: where those below it connect
        first, counts = np.concatenate([[0], np.cumsum(pieces)]), dict.fromkeys(morphology.regions, 0)
        for i, (above, region) in enumerate(
            zip(morphology.sections.parent.tolist(), morphology.sections.region.tolist(), strict=True)
        ):
            begin = root if above < 0 else ends[above]
            if pieces[i] == 0:
                ends.append(begin)
                continue
            section = h.Section(name=f"{region}[{counts[region]}]", cell=owner)
            counts[region] += 1
            made.append(section)
            for p in range(start[i], start[i + 1]):
                section.pt3dadd(*points[p].tolist(), 2 * float(radius[p]))
            if begin is not None:
                section.connect(begin)
            else:
                root = section(0)
                if one.area[0] == 0:
                    segments[0] = section(0)
            section.nseg, section.Ra = int(pieces[i]), resistivity
            last = -1
            for last, segment in zip(of_piece[first[i] : first[i + 1]].tolist(), section, strict=True):
                segments[last] = segment
            for below in np.flatnonzero((one.parent == last) & (one.area == 0)).tolist():
                segments[below] = section(1)
            ends.append(section(1))
        return Built(made, segments)


class Singles(Layout):
    """A section of one segment for every compartment, connected middle to middle; any tree, in double precision.

    What a compartment has no number for is taken so that the numbers it has come out: a cylinder of its membrane area
    and length, and for each section the resistivity that gives its coupling. A compartment without membrane is a
    section without capacitance.
    """

    name = "compartments"

    def build(self, h: Any, whole: Compartments, cell: int, owner: Any) -> Built:
        members = np.flatnonzero(whole.cell == cell)
        made: list[Any] = []
        counts = dict.fromkeys(whole.region[members].tolist(), 0)
        for n in members.tolist():
            region = str(whole.region[n])
            section = h.Section(name=f"{region}[{counts[region]}]", cell=owner)
            counts[region] += 1
            area, length = float(whole.area[n]), float(whole.length[n])
            section.nseg = 1
            section.L = length if length > 0 else max(math.sqrt(area / math.pi), 1.0)
            section.diam = area / (math.pi * section.L) if area > 0 else 1.0
            if whole.parent[n] >= 0:
                section.connect(made[int(whole.parent[n] - members[0])](0.5))
                half = 0.01 * (section.L / 2) / (math.pi * section.diam**2 / 4)  # MOhm per ohm cm
                section.Ra = 1e3 / float(whole.coupling[n]) / half
            made.append(section)
        return Built(made, [section(0.5) for section in made])


LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (Sections(), Singles())}


def layout_for(name: str | None, compartments: Compartments) -> Layout:
    """The layout of that name, or the first of those that express all cells.

    Raises
    ------
    ParameterError
        If there is none of that name.
    """
    if name is not None:
        return LAYOUTS[choose("layout", name, LAYOUTS)]
    shaped = all(resistivity_of(compartments, cell) is not None for cell in range(compartments.n_cells))
    return LAYOUTS["sections" if shaped else "compartments"]


def resistivity_of(whole: Compartments, cell: int) -> float | None:
    """Axial resistivity (ohm cm) with which the shape of a cell has its couplings; None if there is none."""
    if not whole.morphologies:
        return None
    one, offset = whole._cell(cell)
    assert one._outline is not None
    morphology, (start, _, radius, pieces, _) = one.morphologies[0], one._outline
    if not np.array_equal(morphology.sections.offset, start):
        return None
    mine = slice(offset, offset + one.size)
    bare = whole.area[mine] == 0
    if whole.leak[mine][bare].any() or whole.capacitance[mine][bare].any():
        return None  # the end of a section has no membrane
    size = float(one.length[0]) / 2 if morphology.soma is not None else 0.0
    unit = from_pieces(morphology, Passive(R_a=1.0), pieces, radius, size)
    if not np.array_equal(unit["parent"], one.parent) or not np.allclose(unit["area"], one.area, rtol=AGREE, atol=0):
        return None
    below = one.parent >= 0
    coupling = whole.coupling[mine][below]
    found = unit["coupling"][below] / coupling
    if not found.size:
        return 100.0  # nothing flows along the axis of a soma
    return float(np.median(found)) if np.allclose(found, np.median(found), rtol=AGREE, atol=0) else None
