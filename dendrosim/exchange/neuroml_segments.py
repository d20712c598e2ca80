"""Sections of a morphology as segments of NeuroML, and the groups that they are in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..morphology.samples import region_name
from ..morphology.tree import Morphology

Floats = NDArray[np.float64]

SECTION = "sao864921383"
"""NeuroLex identifier of an unbranched stretch: what becomes one section in a simulator."""
LEX = {"soma": "GO:0043025", "axon": "GO:0030424", "dendrite": "GO:0030425"}
"""Identifiers of the groups that NeuroML tools look for."""
KNOWN = {region_name(k): k for k in range(100)}
"""SWC types of regions."""


@dataclass
class Segments:
    """Segments and groups as they are made.

    Attributes
    ----------
    segments : list
        Segments, parents first; a segment's id is its place.
    runs : dict of str to list of int
        Segments of each unbranched stretch.
    regions : dict of str to list of str
        Stretches of each region.
    """

    neuroml: Any
    segments: list[Any] = field(default_factory=list)
    runs: dict[str, list[int]] = field(default_factory=dict)
    regions: dict[str, list[str]] = field(default_factory=dict)

    def add(self, run: str, distal: Any, proximal: Any, parent: int, fraction: float = 1.0) -> int:
        """A segment; -1 is no parent. Returns its id."""
        own = len(self.segments)
        above = None if parent < 0 else self.neuroml.SegmentParent(segments=parent, fraction_along=fraction)
        members = self.runs.setdefault(run, [])
        name = f"{run}_{len(members)}"
        segment = self.neuroml.Segment(id=own, name=name, parent=above, proximal=proximal, distal=distal)
        self.segments.append(segment)
        members.append(own)
        return own

    def begin(self, region: str) -> str:
        """A new unbranched stretch of a region; returns its name."""
        runs = self.regions.setdefault(region, [])
        runs.append(f"{region}_{len(runs)}")
        return runs[-1]

    def groups(self) -> list[Any]:
        """Groups of stretches, of regions, of soma, axon and dendrites, and of everything."""
        group, member, include = self.neuroml.SegmentGroup, self.neuroml.Member, self.neuroml.Include
        made = [
            group(id=run, neuro_lex_id=SECTION, members=[member(segments=one) for one in segments])
            for run, segments in self.runs.items()
        ]
        wholes: dict[str, list[str]] = {}
        for region in self.regions:
            if region not in ("soma", "axon"):
                wholes.setdefault("dendrite", []).append(group_of(region))
        for region, runs in self.regions.items():
            made.append(
                group(
                    id=group_of(region),
                    neuro_lex_id=LEX.get(region),
                    includes=[include(segment_groups=run) for run in runs],
                )
            )
        for name, parts in wholes.items():
            made.append(
                group(
                    id=group_of(name), neuro_lex_id=LEX[name], includes=[include(segment_groups=part) for part in parts]
                )
            )
        made.append(group(id="all", includes=[include(segment_groups=group_of(region)) for region in self.regions]))
        return made


def group_of(region: str) -> str:
    """Name of the group of a region, such as ``basal_group``."""
    return f"{region}_group"


def name_for(text: str) -> str:
    """An identifier that NeuroML allows."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text) or "cell"
    return name if name[0].isalpha() or name[0] == "_" else f"_{name}"


def segments_of(neuroml: Any, morphology: Morphology) -> Segments:
    """All segments of a morphology.

    A soma that is a sphere is one segment whose two ends are one; what leaves it does so in its middle.
    """
    made = Segments(neuroml)
    sections = morphology.sections
    below: dict[int, tuple[int, float]] = {}  # sample of the soma: segment and fraction where something connects
    anchor = _soma(made, morphology, below)
    last: list[tuple[int, float]] = []
    for i, (above, region) in enumerate(zip(sections.parent.tolist(), sections.region.tolist(), strict=True)):
        points = sections.points[sections.offset[i] : sections.offset[i + 1]]
        radii = sections.radii[sections.offset[i] : sections.offset[i + 1]]
        if above >= 0:
            at = last[above]
        else:
            first = int(sections.own_rows(i)[0])
            at = below.get(int(sections.samples.parent[first]), anchor)
        steps = [k for k in range(1, len(points)) if (points[k] != points[k - 1]).any() or radii[k] != radii[k - 1]]
        if not steps:
            last.append(at)
            continue
        run = made.begin(region)
        for k in steps:
            proximal = _point(neuroml, points[k - 1], radii[k - 1]) if k == steps[0] else None
            at = made.add(run, _point(neuroml, points[k], radii[k]), proximal, *at), 1.0
        if anchor[0] < 0:
            anchor = made.runs[run][0], 0.0  # without a soma, all else begins where the first stretch does
        last.append(at)
    return made


def _soma(made: Segments, morphology: Morphology, below: dict[int, tuple[int, float]]) -> tuple[int, float]:
    """Segments of the soma; where neurites connect that know no better."""
    soma, samples = morphology.soma, morphology.sections.samples
    if soma is None:
        return -1, 1.0
    run = made.begin("soma")
    if soma.convention != "cylinders":
        ball = [_point(made.neuroml, soma.center, soma.radius) for _ in range(2)]
        return made.add(run, ball[0], ball[1], -1), 0.5
    first = int(soma.rows[0])
    children: dict[int, list[int]] = {}
    for row in soma.rows[1:].tolist():
        children.setdefault(int(samples.parent[row]), []).append(row)
    anchor = -1, 1.0
    for k, start in enumerate(children.get(first, [])):  # it branches nowhere else
        run = made.begin("soma") if k else run
        at, above, chain = anchor, first, [start]
        while chain:
            (row,) = chain
            begin = _point(made.neuroml, samples.xyz[first], samples.radius[first]) if above == first else None
            end = _point(made.neuroml, samples.xyz[row], samples.radius[row])
            at = below[row] = made.add(run, end, begin, *at), 1.0
            if anchor[0] < 0:
                anchor = at[0], 0.0
            above, chain = row, children.get(row, [])
    below[first] = anchor
    return below[first]


def _point(neuroml: Any, xyz: Floats, radius: float) -> Any:
    x, y, z = (float(value) for value in xyz)
    return neuroml.Point3DWithDiam(x=x, y=y, z=z, diameter=2.0 * float(radius))


def structure_of(groups: set[str], lex: set[str]) -> int | None:
    """SWC type that names and identifiers of groups tell of, the most telling first; None if they tell nothing."""
    names = {name.removesuffix("_group") for name in groups}
    for wanted in ("soma", "axon", "apical", "basal"):
        if wanted in names or (wanted in LEX and LEX[wanted] in lex):
            return KNOWN[wanted]
    for name in sorted(names & set(KNOWN)):
        return KNOWN[name]
    if names & {"apical_dendrite", "apical_dendrites", "apic"}:
        return KNOWN["apical"]
    if names & {"basal_dendrite", "basal_dendrites", "dendrite", "dend"} or LEX["dendrite"] in lex:
        return KNOWN["basal"]
    return None
