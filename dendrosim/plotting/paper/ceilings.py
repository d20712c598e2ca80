"""Figure 4: what backpropagation reaches, by data set and core."""

from __future__ import annotations

import itertools

from matplotlib.figure import Figure

from ...diagnostics.intervals import Interval
from .pieces import CORE_COLOR, CORE_MARKER, handle, legend, panels, point, published_handle, published_mark, ticks
from .results import CORES, PaperFigure, Results

DATA = {
    "mnist": ("MNIST", "published_mnist"),
    "figure_ground": ('figure-ground MNIST\n("context gating")', "published_figure_ground"),
}
GRID = tuple(itertools.product(("[128]", "[256, 256]"), ("[2, 2]", "[3, 3]"), (0, 10, 20)))
"""Cells, branching and inhibitory synapses of Phase 1."""
HEADLINE = ("[128]", "[3, 3]", 20)


def ceilings(results: Results) -> Figure:
    """All of the grid, the best of it by validation, and the architecture of the local runs."""
    figure, axes = panels(1, 2, height=0.42)
    for ax, (own, (data, headline)) in zip(axes, DATA.items(), strict=True):
        shown: list[Interval | None] = []
        names = []
        for i, core in enumerate(CORES):
            color, marker = CORE_COLOR[core], CORE_MARKER[core]
            cells = {point_: f"{own}, {point_[0]}, {point_[1]}, {point_[2]}, {core}" for point_ in GRID}
            found = {cell: results.interval("published_ceilings", arm) for cell, arm in cells.items()}
            for one in found.values():
                if one is not None:
                    ax.plot([3 * i] * one.n, one.values, ".", color=color, markersize=3, alpha=0.5, markeredgewidth=0)
            best = _best(results, {cell: arm for cell, arm in cells.items() if found[cell] is not None})
            shown += [None if best is None else found[best]]
            names += [f"grid of\nPhase 1,\n{sum(one is not None for one in found.values())} of {len(GRID)}"]
            point(ax, 3 * i, shown[-1], color, marker)
            shown += [results.interval(headline, f"backprop, {core}")]
            names += ["[128],\n[3, 3],\n200 epochs"]
            point(ax, 3 * i + 1, shown[-1], color, marker, filled=False)
            if i == 0:
                shown, names = [*shown, None], [*names, ""]
        ticks(ax, names, shown)
        labels = [f"{name}\nn = {one.n}" if one is not None else name for name, one in zip(names, shown, strict=True)]
        ax.set_xticks(range(len(labels)), labels)
        published_mark(ax, 0.3, results.published(f"{own}-ceiling"))
        published_mark(ax, 1.3, results.published(f"{own}-matched"))
        ax.set_ylabel("test accuracy")
        ax.set_title(data)
    cores = [handle(core, CORE_COLOR[core], CORE_MARKER[core]) for core in CORES]
    hollow = handle("architecture of the local runs", "0.3", "o", filled=False)
    legend(figure, [*cores, hollow, published_handle()])
    return figure


def _best(results: Results, arms: dict[tuple[str, str, int], str]) -> tuple[str, str, int] | None:
    """The cell of the best validation accuracy, mean over seeds."""
    means = {}
    for cell, arm in arms.items():
        validated = results.interval("published_ceilings", arm, "validation_accuracy")
        if validated is not None:
            means[cell] = validated.mean
    return max(means, key=lambda cell: means[cell]) if means else None


CEILINGS = PaperFigure(
    "figure4",
    {"published_ceilings": tuple(DATA), **{headline: ("backprop",) for _, headline in DATA.values()}},
    ceilings,
)
