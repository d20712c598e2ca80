"""Figure 4: what backpropagation reaches, by data set and core."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from matplotlib.figure import Figure

from ...diagnostics.intervals import Interval
from .pieces import (
    CORE_COLOR,
    CORE_MARKER,
    core_handles,
    handle,
    legend,
    panels,
    point,
    published_handle,
    published_mark,
    ticks,
)
from .results import CORES, PaperFigure, Results

DATA = {
    "mnist": ("MNIST", "published_mnist"),
    "figure_ground": ('figure-ground MNIST\n("context gating")', "published_figure_ground"),
}
GRID = tuple(itertools.product(("[128]", "[256, 256]"), ("[2, 2]", "[3, 3]"), (0, 10, 20)))
"""Cells, branching and inhibitory synapses of Phase 1."""


def ceilings(results: Results) -> Figure:
    """All of the grid, the best of it by validation, and the architecture of the local runs."""
    figure, axes = panels(1, 2, height=0.42)
    for ax, (own, (data, headline)) in zip(axes, DATA.items(), strict=True):
        shown: list[list[Interval | None]] = []
        names = []
        for i, core in enumerate(CORES):
            color, marker = CORE_COLOR[core], CORE_MARKER[core]
            arms = {f"{own}, {cells}, {branching}, {n}, {core}" for cells, branching, n in GRID}
            found = {arm: results.interval("published_ceilings", arm) for arm in sorted(arms)}
            there = [arm for arm, one in found.items() if one is not None]
            for one in found.values():
                if one is not None:
                    ax.plot([3 * i] * one.n, one.values, ".", color=color, markersize=4, alpha=0.5, markeredgewidth=0)
            best = _best(results, there)
            matched = results.interval(headline, f"backprop, {core}")
            point(ax, 3 * i, None if best is None else found[best], color, marker)
            point(ax, 3 * i + 1, matched, color, marker, filled=False)
            shown += [[None if best is None else found[best]], [matched], []]
            names += [f"grid of\nPhase 1,\n{len(there)} of {len(GRID)}", "[128],\n[3, 3],\n200 epochs", ""]
        ticks(ax, names[:-1], shown[:-1])
        published_mark(ax, 0.3, results.published(f"{own}-ceiling"))
        published_mark(ax, 1.3, results.published(f"{own}-matched"))
        ax.set_ylabel("test accuracy")
        ax.set_title(data)
    cores = core_handles()
    hollow = handle("architecture of the local runs", "0.3", "o", filled=False)
    legend(figure, [*cores, hollow, published_handle()])
    return figure


def _best(results: Results, arms: Sequence[str]) -> str | None:
    """The arm of the best validation accuracy, mean over seeds."""
    means = {}
    for arm in arms:
        validated = results.interval("published_ceilings", arm, "validation_accuracy")
        if validated is not None:
            means[arm] = validated.mean
    return max(means, key=lambda arm: means[arm]) if means else None


CEILINGS = PaperFigure(
    "figure4",
    {"published_ceilings": tuple(DATA), **{headline: ("backprop",) for _, headline in DATA.values()}},
    ceilings,
)
