"""Cells as small pictures: true to scale, or as trees where they have no shape."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..morphology.compartments import Compartments
from ..morphology.tree import Morphology
from ..plotting.lengths import length_label, round_length
from ..plotting.markup import Markup, tag
from ..plotting.palette import YELLOW, region_color
from ..plotting.pieces import pieces_of
from ..plotting.protocols import TreeLike
from ..plotting.tree_layout import layout_tree
from .svg import drawing, label

Floats = NDArray[np.float64]
WIDTH, HEIGHT = 220.0, 190.0
SEGMENTS = 4000
"""Straight pieces that a picture has at most."""
TREE = 20_000
"""Compartments of a cell up to which its tree is laid out."""
_THINNEST = 0.8  # px
_DARK_YELLOW = "#A08F00"


def shade(region: str) -> str:
    """Colour of a region on light and dark pages: somas have that of the text, and yellow is darker."""
    color = region_color(region)
    return "currentColor" if region == "soma" else _DARK_YELLOW if color == YELLOW else color


def morphology_sketch(morphology: Morphology) -> Markup:
    """A morphology in the plane x, y, coloured by region."""
    return _of_pieces(morphology, f"outline of {morphology.name or 'the cell'}, coloured by region")


def compartments_sketch(compartments: Compartments) -> Markup:
    """The first cell: its shape if it has one, else its tree; a sentence if that is too large."""
    parts = compartments._cells or ((compartments,) if compartments.n_cells == 1 else ())
    if parts and parts[0].morphologies and parts[0]._outline is not None:
        return _of_pieces(parts[0], "outline of the cell, coloured by region")
    stop = int(compartments.roots[1]) if compartments.n_cells > 1 else compartments.size
    parent, region = compartments.parent[:stop], compartments.region[:stop]
    xyz = compartments.xyz[:stop]
    child = np.flatnonzero(parent >= 0)
    if child.size and bool(np.isfinite(xyz).all()) and float(np.ptp(xyz[:, :2], axis=0).max()) > 0:
        length = np.maximum(compartments.length[:stop][child], 1e-12)
        thick = compartments.area[:stop][child] / (np.pi * length)
        colors = _colors(region[child])
        return sketch(xyz[parent[child]][:, :2], xyz[child][:, :2], thick, colors, says="the tree in space")
    if stop > TREE:
        return drawing(WIDTH, 20, "no picture", label(0, 14, f"a tree of {stop:,} compartments, too large to draw"))
    return _tree(parent, region, np.asarray(compartments.stage[:stop]))


def sketch(
    start: Floats,
    stop: Floats,
    diameter: Floats,
    colors: NDArray[np.str_],
    *,
    says: str,
    circles: Sequence[tuple[float, float, float, str]] = (),
    scale_bar: bool = True,
) -> Markup:
    """Straight pieces and circles, true to scale; pieces that no eye could tell apart are drawn once.

    Parameters
    ----------
    start, stop : float arrays of shape (k, 2)
        um.
    diameter : float array of shape (k,)
        um.
    colors : str array of shape (k,)
    says : str
    circles : sequence of (x, y, radius, color)
    scale_bar : bool, default True
    """
    round_ones = np.array([[x, y, r] for x, y, r, _ in circles]).reshape(-1, 3)
    points = np.concatenate([start, stop, round_ones[:, :2] - round_ones[:, 2:], round_ones[:, :2] + round_ones[:, 2:]])
    low, high = points.min(axis=0, initial=np.inf), points.max(axis=0, initial=-np.inf)
    wide, tall = np.maximum(np.where(np.isfinite(high - low), high - low, 0.0), 1e-9).tolist()
    scale = min((WIDTH - 8) / wide, (HEIGHT - 26) / tall)
    width, height = max(wide * scale + 8, 60.0), tall * scale + (26 if scale_bar else 8)

    def at(xy: Floats) -> Floats:
        return np.column_stack([(xy[:, 0] - low[0]) * scale + 4, (high[1] - xy[:, 1]) * scale + 4])

    paths = _paths(at(start), at(stop), np.maximum(diameter * scale, _THINNEST), colors)
    balls = [
        tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{max(r * scale, 1.0):.1f}", fill=color)
        for (x, y), (_, _, r, color) in zip(at(round_ones[:, :2]).tolist(), circles, strict=True)
    ]
    bar = []
    if scale_bar:
        length = round_length(max(0.45 * wide, 1e-6))
        d = f"M4 {height - 12:.1f}h{length * scale:.1f}"
        bar = [tag("path", d=d, stroke="currentColor", stroke_width="1.5"), label(4, height - 1, length_label(length))]
    return drawing(width, height, says, paths, balls, bar)


def _of_pieces(cell: Any, says: str) -> Markup:
    pieces = pieces_of(cell)
    circles = [
        (float(x), float(y), float(r), shade(str(pieces.region[owner])))
        for (x, y, _), r, owner in zip(pieces.center, pieces.radius, pieces.sphere_owner, strict=True)
    ][:20]
    colors = _colors(pieces.region[pieces.owner])
    diameter = pieces.radius_start + pieces.radius_stop
    return sketch(pieces.start[:, :2], pieces.stop[:, :2], diameter, colors, says=says, circles=circles)


def _tree(parent: NDArray[np.int64], region: NDArray[np.str_], stage: NDArray[np.int64]) -> Markup:
    """The tree of one cell, the soma at the left."""
    n = parent.size
    depth = np.zeros(n)
    parents = parent.tolist()
    for i in range(1, n):
        depth[i] = depth[parents[i]] + 1
    tree = SimpleNamespace(
        size=n, parent=parent, region=region, path_distance=depth, electrotonic_distance=depth, stage=depth,
        length=np.zeros(n), physical=False,
    )  # fmt: skip
    laid = layout_tree(cast(TreeLike, tree), "stage")
    across = 170.0 / max(float(depth.max()), 1.0)
    down = min(24.0, 150.0 / max(laid.n_tips - 1, 1))
    child, fork = np.flatnonzero(parent >= 0), laid.branching
    start = np.concatenate([
        np.column_stack([laid.begin[child] * across, -laid.row[child] * down]),
        np.column_stack([laid.end[fork] * across, -laid.lowest * down]),
    ])  # fmt: skip
    stop = np.concatenate([
        np.column_stack([depth[child] * across, -laid.row[child] * down]),
        np.column_stack([laid.end[fork] * across, -laid.highest * down]),
    ])  # fmt: skip
    colors = _colors(np.concatenate([region[child], region[fork]]))
    circle = (0.0, -float(laid.row[0]) * down, 4.0, shade(str(region[0])))
    says = f"the tree of a cell, {n} compartments, {int(stage.max())} branchings deep"
    return sketch(start, stop, np.full(len(start), 1.4), colors, says=says, circles=[circle], scale_bar=False)


def _colors(region: NDArray[np.str_]) -> NDArray[np.str_]:
    names, which = np.unique(region, return_inverse=True)
    return np.array([shade(str(name)) for name in names], dtype=np.str_)[which.reshape(-1)] if names.size else region


def _paths(start: Floats, stop: Floats, width: Floats, colors: NDArray[np.str_]) -> list[Markup]:
    """One path for each colour and width, on as fine a grid as leaves few enough pieces."""
    if not len(start):
        return []
    thickness = np.clip(np.round(2 * np.log2(width / _THINNEST)), 0, 40).astype(np.int64)
    _, color = np.unique(colors, return_inverse=True)
    group = color.reshape(-1) * 64 + thickness
    step = 0.25
    while True:
        ends = np.concatenate([np.round(start / step), np.round(stop / step)], axis=1).astype(np.int64)
        moves = np.flatnonzero((ends[:, :2] != ends[:, 2:]).any(axis=1))
        key = group[moves]
        for axis in range(4):  # one number per piece: pictures are less than 1024 steps wide
            key = key * 1024 + ends[moves, axis]
        _, first = np.unique(key, return_index=True)
        if first.size <= SEGMENTS:
            break
        step *= 2
    kept = moves[np.sort(first)]
    made = []
    for one in np.unique(group[kept]):
        here = kept[group[kept] == one]
        thick = _THINNEST * 2 ** (thickness[here[0]] / 2) / step
        made.append(
            tag(
                "path",
                d=_path(ends[here].tolist()),
                stroke=str(colors[here[0]]),
                stroke_width=f"{thick:.2g}",
                stroke_linecap="round",
                fill="none",
            )
        )
    return [tag("g", made, transform=f"scale({step:g})")]


def _path(segments: list[list[int]]) -> str:
    """Pieces as the commands of a path; one that begins where the last ended goes on with it."""
    out, x, y = [], None, None
    for x0, y0, x1, y1 in segments:
        if (x0, y0) != (x, y):
            out.append(f"M{x0} {y0}")
        out.append(f"l{x1 - x0} {y1 - y0}")
        x, y = x1, y1
    return "".join(out)
