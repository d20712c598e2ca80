"""Cards of networks and of single neurons that learn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..networks.layout import INPUT
from ..networks.mlp import PointMLP
from ..networks.network import Network
from ..networks.neurons import Neurons
from ..networks.residual.network import ResidualNetwork
from ..plotting.markup import Markup, tag
from ..plotting.palette import EXCITATORY, INHIBITORY
from .card import Card, Detail, clean, count, size_of, span
from .sketch import compartments_sketch
from .svg import drawing, label

BOXES = 12
"""Populations that a wiring diagram has at most."""
_WIDE, _TALL, _GAP, _ROW = 74.0, 34.0, 46.0, 54.0


@dataclass(frozen=True)
class Box:
    """What stands in a wiring diagram: inputs, a population, or outputs.

    Attributes
    ----------
    name, size : str
    column : int
        Counted from the inputs.
    """

    name: str
    size: str
    column: int


def network(given: Network) -> Card:
    """Populations, projections, and how they are wired."""
    layout, names = given.layout, [p.name for p in given.layout.populations]
    stages = int(layout.stage.max())
    facts = {
        "inputs, outputs": f"{given.n_inputs:,}, {given.n_outputs:,}",
        "cells": f"{layout.n_cells:,} in {count(len(names), 'population')}",
        "compartments": f"{layout.size:,}, up to {count(stages, 'branching')} deep",
        "synapses": f"{layout.n_synapses:,} ({int((given.sign < 0).sum()):,} inhibitory), {given.connectivity.kind}",
        "integration": given.integration + (", gated" if bool(given.gated.any()) else ", no gates"),
        "decoder": f"{type(given.decoder).__name__.lower()} from {count(layout.readout.size, 'cell')}",
        "initialisation": f"{given.initialisation}, seed {given.seed}, "
        + ("gates set from data" if given.calibrated else "gates not set from data yet"),
        "numbers": f"{given.dtype.name}, {size_of(*given.parameters.values())} of parameters",
    }
    on = layout.last - layout.first
    populations = [
        [p.name, f"{b - a:,}", f"{d - c:,}", f"{int(on[c:d].sum()):,}", "yes" if a in layout.readout else "no"]
        for p, (a, b), (c, d) in zip(layout.populations, layout.cells_of, layout.compartments_of, strict=True)
    ]
    projections = [
        [str(p), "excitatory" if p.sign > 0 else "inhibitory", p.onto, f"{p.synapses:,}"] for p in layout.projections
    ]
    colors = [EXCITATORY if p.sign > 0 else INHIBITORY for p in layout.projections]
    details = [
        Detail("Populations", ["population", "cells", "compartments", "synapses", "read out"], populations),
        Detail("Projections", ["from → to", "sign", "onto", "synapses per compartment"], projections, 3, colors),
    ]
    column = {INPUT: 0}
    for name in names:  # in order of evaluation: sources stand before their targets
        column[name] = 1 + max((column[p.source] for p in layout.projections if p.target == name), default=0)
    last = 1 + max(column.values())
    decoder = "decoder" if "decoder" not in names else "the decoder"  # a population may have that name
    boxes = [Box(INPUT, f"{given.n_inputs:,}", 0)]
    boxes += [Box(p.name, count(len(p.cells), "cell"), column[p.name]) for p in layout.populations]
    boxes += [Box(decoder, f"{given.n_outputs:,}", last)]
    arrows = [(p.source, p.target, p.sign) for p in layout.projections]
    arrows += [(names[int(i)], decoder, 0) for i in np.unique(layout.population[layout.readout])]
    return Card("Network", "", facts, details, [lambda: wiring(boxes, arrows)])


def neurons(given: Neurons) -> Card:
    """The first cell, and what the neurons learn with."""
    layout, made = given.layout, given.synapses
    facts = {
        "inputs, outputs": f"{given.n_inputs:,}, {given.n_outputs:,} ({given.readout})",
        "cells": f"{layout.n_cells:,}, {count(layout.size, 'compartment')}",
        "synapses": f"{made.size:,} ({int((made.sign < 0).sum()):,} inhibitory)",
        "conductance": span(made.conductance, "nS" if given.compartments.physical else ""),
        "integration": f"{given.integration}, {given.direction}" + ("" if given.gate is None else ", gated"),
        "read as": f"(f(V) - {given.reference:g}) / {given.scale:g}",
        "learn": f"{given.n_parameters:,} parameters: {', '.join(given.parameters)}",
    }
    return Card("Neurons", "", facts, [], [lambda: compartments_sketch(given.compartments)])


def point_mlp(given: PointMLP) -> Card:
    """Layers of point neurons."""
    facts = {
        "inputs, outputs": f"{given.n_inputs:,}, {given.n_outputs:,}",
        "hidden": " - ".join(f"{width:,}" for width in given.widths) + f", {given.activation}",
        "parameters": f"{given.n_parameters:,}, {given.dtype.name}",
        "initialisation": f"{given.init}, seed {given.seed}",
    }
    names = [INPUT, *(f"hidden {i + 1}" for i in range(len(given.widths))), "output"]
    sizes = [given.n_inputs, *given.widths, given.n_outputs]
    return Card("PointMLP", "", facts, [], [lambda: _chain(names, [f"{size:,}" for size in sizes])])


def residual(given: ResidualNetwork) -> Card:
    """Blocks of a residual network."""
    facts = {
        "inputs, outputs": f"{given.n_inputs:,}, {given.n_outputs:,}",
        "blocks": f"{given.depth:,} of width {given.width:,}",
        "parameters": f"{given.n_parameters:,}, {given.dtype.name}",
        "seed": str(given.seed),
    }
    names = [INPUT, "embedding", count(given.depth, "block"), "head"]
    sizes = [f"{given.n_inputs:,}", f"{given.width:,}", f"{given.width:,}", f"{given.n_outputs:,}"]
    return Card(type(given).__name__, "", facts, [], [lambda: _chain(names, sizes)])


def wiring(boxes: list[Box], arrows: list[tuple[str, str, int]]) -> Markup:
    """Boxes from left to right and what goes from one to another.

    Parameters
    ----------
    boxes : list of Box
        The first `BOXES` and the last are drawn.
    arrows : list of (source, target, sign)
        Sign +1 and -1 of synapses, 0 of what is read out.
    """
    left_out = len(boxes) - BOXES
    if left_out > 0:
        boxes = [*boxes[: BOXES - 1], boxes[-1]]
    columns = sorted({box.column for box in boxes})
    rows: dict[int, int] = {}
    place: dict[str, tuple[float, float]] = {}
    drawn: list[Markup] = []
    for box in boxes:
        row = rows.get(box.column, 0)
        rows[box.column] = row + 1
        x, y = columns.index(box.column) * (_WIDE + _GAP) + 1.0, row * _ROW + 1.0
        place[box.name] = x, y
        drawn.append(
            tag("g",
                tag("title", clean(f"{box.name}: {box.size}")),
                tag("rect", x=f"{x:g}", y=f"{y:g}", width=f"{_WIDE:g}", height=f"{_TALL:g}", rx="4", fill="none",
                    stroke="currentColor", stroke_opacity="0.6"),
                label(x + _WIDE / 2, y + 14, clean(box.name, 12), "middle"),
                label(x + _WIDE / 2, y + 27, clean(box.size, 14), "middle"))
        )  # fmt: skip
    for source, target, sign in dict.fromkeys(arrows):
        if source in place and target in place:
            drawn.append(_arrow(place[source], place[target], sign))
    height = (max(rows.values()) - 1) * _ROW + _TALL + 20.0
    key = [("excitatory", EXCITATORY, 1), ("inhibitory", INHIBITORY, -1)]
    for i, (name, color, sign) in enumerate((n, c, s) for n, c, s in key if any(a[2] == s for a in arrows)):
        x = 1.0 + i * 90
        line = tag("path", d=f"M{x:g} {height - 4:g}h18", stroke=color, stroke_width="1.5", fill="none",
                   stroke_dasharray="4 2" if sign < 0 else None)  # fmt: skip
        drawn += [line, label(x + 22, height, name)]
    if left_out > 0:
        drawn.append(label(185, height, f"{left_out:,} more populations"))
    says = "wiring: " + "; ".join(f"{source} to {target}" for source, target, _ in dict.fromkeys(arrows))
    return drawing(max(len(columns) * (_WIDE + _GAP) - _GAP + 2, 200), height + 4, clean(says, 300), drawn)


def _arrow(start: tuple[float, float], end: tuple[float, float], sign: int) -> Markup:
    """A line with an arrow head, or a bar where it inhibits; inhibition runs a little below excitation."""
    color = {1: EXCITATORY, -1: INHIBITORY, 0: "currentColor"}[sign]
    shift = {1: -5.0, -1: 5.0, 0: 0.0}[sign]
    x0, y0 = start[0] + _WIDE, start[1] + _TALL / 2 + shift
    x1, y1 = end[0] - 3, end[1] + _TALL / 2 + shift
    d = f"M{x0:g} {y0:g}C{x0 + 20:g} {y0:g} {x1 - 20:g} {y1:g} {x1:g} {y1:g}"
    tip = f"M{x1 - 5:g} {y1 - 3.5:g}L{x1:g} {y1:g}L{x1 - 5:g} {y1 + 3.5:g}" if sign >= 0 else f"M{x1:g} {y1 - 4:g}v8"
    line = tag("path", d=d, stroke=color, stroke_width="1.3", fill="none", stroke_dasharray="4 2" if sign < 0 else None)
    return tag("g", line, tag("path", d=tip, stroke=color, stroke_width="1.3", fill="none"))


def _chain(names: list[str], sizes: list[str]) -> Markup:
    boxes = [Box(name, size, i) for i, (name, size) in enumerate(zip(names, sizes, strict=True))]
    kept = [*boxes[: BOXES - 1], boxes[-1]] if len(boxes) > BOXES else boxes
    return wiring(boxes, [(a.name, b.name, 0) for a, b in pairwise(kept)])
