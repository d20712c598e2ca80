"""NEURON's own discretisation of a cell: its nodes, the resistances between them, and an order of ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import short
from ..errors import ParameterError
from .neuron_model import place_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Place = tuple[str, int]
"""Section and number of a segment in it; -1 and ``nseg`` are its ends."""


def given_sections(h: Any, sections: Any) -> list[Any]:
    """Sections as a list; by default all that exist.

    Raises
    ------
    ParameterError
        If there are none, or something is no section, or one that was deleted.
    """
    if sections is None:
        found = list(h.allsec())
        if not found:
            raise ParameterError("NEURON has no sections: build or load a cell first")
        return found
    if _is_section(sections) or not isinstance(sections, Iterable) or isinstance(sections, str):
        sections = [sections]
    found = list(sections)
    if not found:
        raise ParameterError("sections is empty: give the sections of whole cells, such as list(h.allsec())")
    wrong = next((one for one in found if not _is_section(one)), None)
    if wrong is not None:
        raise ParameterError(f"sections has {short(wrong)}; expected sections of NEURON, such as list(h.allsec())")
    return found


def _is_section(value: Any) -> bool:
    try:
        return hasattr(value, "parentseg")
    except ReferenceError:
        raise ParameterError("sections has one that was deleted; give those that exist: list(h.allsec())") from None


def attachment(section: Any) -> Any:
    """The segment where current enters a section, None for a root; a root's own 0 end where it connects there."""
    at = section.parentseg()
    while at is not None and at.x == at.sec.orientation():
        above = at.sec.parentseg()
        if above is None:
            return at
        at = above
    return at


def cells_of(sections: list[Any]) -> list[list[Any]]:
    """Sections cell by cell, depth first, children in the order given.

    Raises
    ------
    ParameterError
        If a cell is not whole; names the section that is missing.
    """
    known = {section.hoc_internal_name(): section for section in sections}
    below: dict[str, list[Any]] = {name: [] for name in known}
    roots = []
    for section in known.values():
        above = section.parentseg()
        missing = [other for other in section.children() if other.hoc_internal_name() not in known]
        if above is not None and above.sec.hoc_internal_name() not in known:
            missing.append(above.sec)
        if missing:
            raise ParameterError(
                f"section {section.name()} is connected to {missing[0].name()}, which is not given: give the sections "
                "of whole cells, such as section.wholetree() or list(h.allsec())"
            )
        if above is None:
            roots.append(section)
        else:
            at = attachment(section)
            below[at.sec.hoc_internal_name()].append(section)
    cells = []
    for root in roots:
        stack, cell = [root], []
        while stack:
            section = stack.pop()
            cell.append(section)
            stack += reversed(below[section.hoc_internal_name()])
        cells.append(cell)
    return cells


@dataclass(frozen=True)
class Tree:
    """The nodes of one cell, parents before children, the soma first.

    Attributes
    ----------
    place : list of (str, int)
        Where each node is.
    parent : int array of shape (N,)
    resistance : float array of shape (N,)
        To the parent, MOhm.
    alias : dict
        Node of every place, ends of sections included.
    """

    place: list[Place]
    parent: Ints
    resistance: Floats
    alias: dict[Place, int]


def ordered_segments(section: Any) -> list[Any]:
    """Segments from the end that is connected to the other."""
    segments = list(section)
    return segments[::-1] if section.orientation() else segments


def end_of(section: Any, far: bool) -> Place:
    """The far end of a section, or the one that is connected."""
    one = bool(section.orientation()) != far
    return section.hoc_internal_name(), int(section.nseg) if one else -1


def read_tree(cell: list[Any], soma: Any, occupied: set[Place]) -> Tree:
    """Nodes and resistances of one cell.

    An end of a section is a node of its own where three segments or more meet, or where something sits; else the
    halves on both sides of it are one resistance.

    Parameters
    ----------
    cell : list of h.Section
        As `cells_of` orders them.
    soma : h.Section or None
        Its middle segment is the root.
    occupied : set of places
        Where point processes are.
    """
    joined: dict[Place, Place] = {}  # the connected end of a section is a place of the section above
    links: dict[Place, dict[Place, float]] = {}
    order: list[Place] = []

    def link(a: Place, b: Place, resistance: float) -> None:
        links.setdefault(a, {})[b] = resistance
        links.setdefault(b, {})[a] = resistance

    for section in cell:
        at = attachment(section)
        before = end_of(section, far=False)
        if at is not None:
            above = place_of(at)
            joined[before] = joined.get(above, above)
        else:
            order.append(before)
        node = joined.get(before, before)
        for segment in ordered_segments(section):
            here = place_of(segment)
            link(node, here, float(segment.ri()))
            order.append(here)
            node = here
        far = end_of(section, far=True)
        link(node, far, float(section(0.0 if section.orientation() else 1.0).ri()))
        order.append(far)
    ends = {end_of(section, far) for section in cell for far in (False, True)} & set(order)
    kept = {joined.get(place, place) for place in occupied}
    merged: dict[Place, Place] = {}
    for end in [place for place in order if place in ends and place not in kept]:
        around = links[end]
        if len(around) > 2:
            continue
        del links[end]
        for other in around:
            del links[other][end]
        merged[end] = next(iter(around))
        if len(around) == 2:
            (a, first), (b, second) = around.items()
            link(a, b, first + second)
    places, parent, resistance = _breadth_first(
        [place for place in order if place in links], _root(cell, soma, links), links
    )
    alias = {place: n for n, place in enumerate(places)}
    for end, other in reversed(merged.items()):
        alias[end] = alias[other]
    for end, other in joined.items():
        alias[end] = alias[other]
    return Tree(places, parent, resistance, alias)


def _root(cell: list[Any], soma: Any, links: dict[Place, dict[Place, float]]) -> Place:
    if soma is not None:
        return place_of(soma(0.5))
    begin = end_of(cell[0], far=False)
    return begin if begin in links else place_of(ordered_segments(cell[0])[0])


def _breadth_first(
    places: list[Place], root: Place, links: dict[Place, dict[Place, float]]
) -> tuple[list[Place], Ints, Floats]:
    """Nodes by their distance from the root, then in the order given; parents and resistances."""
    depth, above = {root: 0}, {root: root}
    stack = [root]
    while stack:
        place = stack.pop()
        for other in links.get(place, {}):
            if other not in depth:
                depth[other], above[other] = depth[place] + 1, place
                stack.append(other)
    order = sorted(places, key=lambda place: depth[place])
    number = {place: n for n, place in enumerate(order)}
    parent = np.array([-1 if place == root else number[above[place]] for place in order], np.int64)
    resistance = np.array([0.0 if place == root else links[place][above[place]] for place in order])
    return order, parent, resistance
