"""The shape of NEURON's sections as sample points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..morphology.samples import SOMA
from .neuron_tree import attachment, ordered_segments
from .polylines import Shape, distances

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPREAD = 0.6
"""Angle between branches of sections that have no points, radians."""


def read_shape(cell: list[Any], soma: Any, ball: bool, structure: dict[str, int]) -> Shape:
    """Sample points of one cell.

    Sections that do not begin where they are connected are moved there, with all below them, as NEURON draws them;
    sections without points are given some. A soma as long as it is wide is one sample, a sphere of the same area.

    Parameters
    ----------
    cell : list of h.Section
        As `cells_of` orders them.
    soma : h.Section or None
        What becomes the soma, or its first part.
    ball : bool
        Whether it may become a sphere.
    structure : dict of str to int
        SWC type of each section.
    """
    shape = Shape()
    children: dict[str, int] = {}
    placed: dict[str, int] = {}
    direction: dict[str, Floats] = {}
    for section in cell[1:]:
        at = attachment(section).sec.hoc_internal_name()
        children[at] = children.get(at, 0) + 1
    for section in cell:
        name, at = section.hoc_internal_name(), attachment(section)
        if at is None:
            row, begin, heading, leaving = -1, None, np.array([0.0, 1.0, 0.0]), False
        else:
            above = at.sec.hoc_internal_name()
            row = shape.row_at(above, 1.0 - at.x if at.sec.orientation() else at.x)
            begin = shape.xyz[row]
            k = placed[above] = placed.get(above, -1) + 1
            leaving = structure[above] == SOMA != structure[name]  # there may be a gap
            heading = _heading(direction[above], k, children[above], structure[above] == SOMA)
        points, radii, own = _polyline(section, begin, heading, at.sec if at is not None and leaving else None)
        if own and begin is not None and not leaving:
            points = points + (begin - points[0])
        step = points[-1] - points[0]
        length = float(np.linalg.norm(step))
        direction[name] = step / length if length > 0 else heading
        _add(shape, name, points, radii, structure[name], row, ball and section == soma)
    return shape


def soma_body(cell: list[Any], soma: Any, structure: dict[str, int]) -> set[str]:
    """Sections that make one soma: the first, and others that go on from its ends without branching.

    What else is called a soma cannot be one in a file of sample points.

    Parameters
    ----------
    cell, soma, structure
        As for `read_shape`.
    """
    if soma is None:
        return set()
    first = soma.hoc_internal_name()
    body, ends = {first}, {(first, 0.0), (first, 1.0)}
    for section in cell:
        at, name = attachment(section), section.hoc_internal_name()
        if at is None or name == first or structure[name] != SOMA:
            continue
        end = (at.sec.hoc_internal_name(), float(at.x))
        if end in ends:
            body.add(name)
            ends.add((name, 0.0 if section.orientation() else 1.0))
            if end != (first, float(soma.orientation())):
                ends.remove(end)
    return body


def _add(shape: Shape, name: str, points: Floats, radii: Floats, structure: int, above: int, soma: bool) -> None:
    """Samples of one section below the row where it is connected."""
    length = float(distances(points)[-1])
    if soma and np.ptp(radii) == 0 and math.isclose(length, 2 * radii[0], rel_tol=1e-6):
        middle = points[1] if len(points) == 3 else points[0] + (points[-1] - points[0]) / 2
        shape.points[name], shape.radii[name] = points, radii
        shape.add(name, length / 2, middle, math.sqrt(radii[0] * length / 2), structure, above)
        return
    shape.add_line(name, points, radii, structure, above)


def _heading(above: Floats, k: int, count: int, at_soma: bool) -> Floats:
    """Direction of the k-th of several branches that have no points, in the plane."""
    angle = math.atan2(above[1], above[0])
    angle += 2 * math.pi * k / count if at_soma else SPREAD * (k - (count - 1) / 2)
    return np.array([math.cos(angle), math.sin(angle), 0.0])


def _polyline(section: Any, begin: Floats | None, heading: Floats, soma: Any) -> tuple[Floats, Floats, bool]:
    """Points and radii from the connected end, and whether they are the section's own."""
    n = int(section.n3d())
    if n > 1:
        order = range(n - 1, -1, -1) if section.orientation() else range(n)
        points = np.array([[section.x3d(i), section.y3d(i), section.z3d(i)] for i in order])
        return points, np.array([section.diam3d(i) / 2 for i in order]), True
    start = np.zeros(3) if begin is None else begin
    if soma is not None:
        start = start + heading * float(soma.diam) / 2
    radii = np.array([segment.diam / 2 for segment in ordered_segments(section)])
    if np.ptp(radii) == 0:
        along, radii = np.array([0.0, 1.0]), radii[[0, 0]]
    else:
        k = radii.size
        along = np.concatenate([[0.0], (np.arange(k) + 0.5) / k, [1.0]])
        radii = radii[[0, *range(k), -1]]
    return start + along[:, None] * float(section.L) * heading, radii, False
