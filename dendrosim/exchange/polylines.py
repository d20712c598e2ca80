"""Sample points put together from polylines that hang on one another."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..morphology.samples import SOMA, Samples

Floats = NDArray[np.float64]

AGREE = 1e-9
"""Distance along a polyline, relative to its length, at which two places are one."""


@dataclass
class Shape:
    """Sample points of one cell, and the polylines that they are of.

    Attributes
    ----------
    points, radii : dict of str to arrays of shape (k, 3) and (k,)
        Polylines by name, from the connected end, um.
    arc : list of (str, float)
        For each sample its polyline, and where along it, um.
    xyz, radius, type, parent : lists
        As of `Samples`, parents in any order.
    rows : dict of str to list of (float, int)
        Samples of each polyline, and where along it; that of another, too, where it begins there.
    """

    points: dict[str, Floats] = field(default_factory=dict)
    radii: dict[str, Floats] = field(default_factory=dict)
    arc: list[tuple[str, float]] = field(default_factory=list)
    xyz: list[Floats] = field(default_factory=list)
    radius: list[float] = field(default_factory=list)
    type: list[int] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    rows: dict[str, list[tuple[float, int]]] = field(default_factory=dict)

    def add(self, section: str, along: float, xyz: Floats, radius: float, structure: int, above: int) -> int:
        """Append a sample; returns its row."""
        row = len(self.xyz)
        self.xyz.append(xyz)
        self.radius.append(radius)
        self.type.append(structure)
        self.parent.append(above)
        self.arc.append((section, along))
        self.rows.setdefault(section, []).append((along, row))
        return row

    def add_line(self, name: str, points: Floats, radii: Floats, structure: int, above: int) -> None:
        """A polyline that hangs on sample `above`, -1 at the root; its first point may be that sample again."""
        self.points[name], self.radii[name] = points, radii
        first = 0
        if above >= 0 and np.array_equal(self.xyz[above], points[0]) and self.radius[above] == radii[0]:
            self.rows.setdefault(name, []).append((0.0, above))
            first = 1
        along = distances(points)
        for k in range(first, len(points)):
            above = self.add(name, float(along[k]), points[k], float(radii[k]), structure, above)

    def row_at(self, name: str, fraction: float) -> int:
        """Row of the sample where something connects; between two samples one is inserted, but not in the soma."""
        points, radii, rows = self.points[name], self.radii[name], self.rows[name]
        arc = distances(points)
        along = fraction * float(arc[-1])
        rows.sort()
        # of several at one place, where the radius jumps, the one on the side that was asked for
        near = min(rows[:: -1 if fraction > 0.5 else 1], key=lambda entry: abs(entry[0] - along))
        if self.type[rows[-1][1]] == SOMA or abs(near[0] - along) <= AGREE * float(arc[-1]):
            return near[1]
        k = int(np.clip(np.searchsorted(arc, along, side="right"), 1, len(arc) - 1))
        part = (along - arc[k - 1]) / (arc[k] - arc[k - 1])
        xyz = points[k - 1] + part * (points[k] - points[k - 1])
        radius = float(radii[k - 1] + part * (radii[k] - radii[k - 1]))
        before = [entry for entry in rows if entry[0] < along][-1][1]
        after = next(entry for entry in rows if entry[0] > along)[1]
        row = self.add(name, along, xyz, radius, self.type[after], before)
        self.parent[after] = row
        return row

    def samples(self) -> Samples:
        """All of them, parents before children."""
        order: list[int] = []
        children: list[list[int]] = [[] for _ in self.parent]
        for row, above in enumerate(self.parent):
            if above >= 0:
                children[above].append(row)
        stack = [row for row, above in enumerate(self.parent) if above < 0]
        while stack:
            row = stack.pop()
            order.append(row)
            stack += reversed(children[row])
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        self.arc = [self.arc[row] for row in order]
        parent = np.array(self.parent)[order]
        return Samples(
            np.arange(1, len(order) + 1),
            np.array(self.type)[order],
            np.array(self.xyz)[order],
            np.array(self.radius)[order],
            np.where(parent < 0, -1, place[parent]),
        )


def distances(points: Floats) -> Floats:
    """Distance of each point from the first along a polyline, shape (k,)."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])
