"""Figures 8 and 9: the path factor under several broadcasts, in accuracy and in information."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...diagnostics.intervals import Interval
from ..styling import BLUE, GREEN
from .pieces import CORE_COLOR, handle, legend, panels, point, published_handle, published_mark, spanned, ticks, zero
from .results import PaperFigure, Results

SHUNTING, ADDITIVE = "sandbox_path", "sandbox_path_additive"
BROADCASTS = {"soma": "per soma,\nas run", "scalar": "scalar", "tree": "per soma,\ntree"}
STARTS = {"published": ("published start", BLUE, "o"), "fair": ("fair start", GREEN, "^")}
EFFECTS = {"test_accuracy": "test accuracy", "information": "I(E, I; class), bits"}
PUBLISHED = {"test_accuracy": "accuracy", "information": "information"}


def interaction(results: Results) -> Figure:
    """Figure 8: with the path factor minus without, paired by seed."""
    figure, axes = panels(1, 2, height=0.42)
    for ax, (quantity, label) in zip(axes, EFFECTS.items(), strict=True):
        shown: list[list[Interval | None]] = [[] for _ in BROADCASTS]
        for i, told in enumerate(BROADCASTS):
            for k, (start, (_, color, marker)) in enumerate(STARTS.items()):
                arms = (f"{told}, {start}, layer", f"{told}, {start}, False")
                effect = results.difference(SHUNTING, *arms, quantity)
                point(ax, i - 0.1 + 0.25 * k, effect, color, marker)
                shown[i].append(effect)
            published_mark(ax, i - 0.25, results.published(f"{told}-{PUBLISHED[quantity]}"))
        zero(ax)
        ticks(ax, list(BROADCASTS.values()), shown)
        ax.set_ylabel(f"path factor, on - off:\n{label}")
    legend(figure, [*(handle(*one) for one in STARTS.values()), published_handle()])
    return figure


def information(results: Results) -> Figure:
    """Figure 9: information against accuracy, both cores, with and without the path factor."""
    figure, axes = panels(1, 2, height=0.5, sharey=True)
    for ax, start in zip(axes, STARTS, strict=True):
        counts: dict[str, set[int]] = {core: set() for core in CORE_COLOR}
        for told, style in (("soma", "o"), ("scalar", "s"), ("tree", "^")):
            prefix = "as_run" if start == "published" else "fair"
            for path in ("False", "layer"):
                where = {"shunting": (SHUNTING, f"{told}, {start}, {path}")}
                if told != "tree" or start == "fair":
                    where["additive"] = (ADDITIVE, f"{prefix}-{told}, {path}")
                for core, (experiment, arm) in where.items():
                    n = _cross(ax, results, experiment, arm, CORE_COLOR[core], style, filled=path == "layer")
                    counts[core].add(n)
        ax.set_xlabel(EFFECTS["information"])
        ax.set_title(f"{STARTS[start][0]}\n{', '.join(f'{core} {spanned(n)}' for core, n in counts.items())}")
    axes[0].set_ylabel("test accuracy")
    marks = [handle(core, color, "") for core, color in CORE_COLOR.items()]
    for mark in marks:
        mark.set_linestyle("-")
    shapes = (("per soma, as run", "o"), ("scalar", "s"), ("per soma, tree", "^"))
    marks += [handle(label, "0.3", marker) for label, marker in shapes]
    marks += [handle("path on", "0.3", "D"), handle("path off", "0.3", "D", filled=False)]
    legend(figure, marks, columns=4)
    return figure


def _cross(ax: Axes, results: Results, experiment: str, arm: str, color: str, marker: str, *, filled: bool) -> int:
    """Means of both with their intervals, and the seeds; returns how many there are."""
    bits, accuracy = (results.interval(experiment, arm, quantity) for quantity in ("information", "test_accuracy"))
    if bits is None or accuracy is None:
        return 0
    ax.plot(bits.values, accuracy.values, ".", color=color, markersize=3, alpha=0.5, markeredgewidth=0)
    ax.plot([bits.low, bits.high], [accuracy.mean] * 2, color=color, linewidth=0.7)
    ax.plot([bits.mean] * 2, [accuracy.low, accuracy.high], color=color, linewidth=0.7)
    face = color if filled else "white"
    ax.plot(bits.mean, accuracy.mean, marker, color=color, markersize=4.2, markerfacecolor=face)
    return bits.n


INTERACTION = PaperFigure("figure8", {SHUNTING: tuple(BROADCASTS)}, interaction)
INFORMATION = PaperFigure(
    "figure9",
    {
        SHUNTING: tuple(BROADCASTS),
        ADDITIVE: ("as_run-soma", "as_run-scalar", "fair-soma", "fair-scalar", "fair-tree"),
    },
    information,
)
