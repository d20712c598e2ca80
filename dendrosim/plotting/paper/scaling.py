"""Figure 10: morphology with and without the path factor, and shapes of the error on harder tasks."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...diagnostics.intervals import Interval
from ..styling import BLACK, BLUE, GREEN, ORANGE, PURPLE
from .pieces import chance, handle, legend, line, panels, point, ticks
from .results import PaperFigure, Results

BRANCHINGS = ("[9]", "[3, 3]", "[3, 3, 3]", "[3, 3, 3, 3]")
RULES = {
    "as_run": ("as run", BLUE, "o", "-", True),
    "as_run-path": ("as run, path", BLUE, "o", "--", False),
    "tree": ("3F, tree", GREEN, "^", "-", True),
    "tree-path": ("3F, tree, path", GREEN, "^", "--", False),
    "backprop": ("backprop", BLACK, "D", ":", True),
}
TASKS = {
    "hierarchical": ("two digits,\n100 classes", 0.01),
    "figure_ground_mnist": ('figure-ground\n("context gating")', 0.1),
    "context_gating": ("context names\nthe digit", 0.1),
}
BROADCASTS = {
    "scalar": ("scalar", ORANGE, "s"),
    "mismatch": ("local mismatch", PURPLE, "v"),
    "soma": ("per soma, as run", BLUE, "o"),
    "tree": ("per soma, tree", GREEN, "^"),
}
DECODERS = {"local": "local", "exact": "backprop", "frozen": "frozen"}


def ablations(results: Results) -> Figure:
    """Accuracy over the depth of trees; accuracy by decoder update and broadcast on three tasks."""
    figure, axes = panels(1, 4, height=0.48, widths=[1.5, 1, 1, 1])
    _branching(axes[0], results)
    for ax, (task, (title, at_random)) in zip(axes[1:], TASKS.items(), strict=True):
        shown: list[list[Interval | None]] = [[] for _ in DECODERS]
        for i, decoder in enumerate(DECODERS):
            for k, (own, (_, color, marker)) in enumerate(BROADCASTS.items()):
                found = results.interval("sandbox_errors", f"{own}, {task}, {decoder}")
                point(ax, i + 0.2 * (k - 1.5), found, color, marker, gap=0.06)
                shown[i].append(found)
        ticks(ax, list(DECODERS.values()), shown)
        chance(ax, at_random)
        ax.set_ylim(bottom=0.0)
        ax.set_title(title)
        ax.set_xlabel("decoder")
    axes[0].set_title("a\n", loc="left", fontweight="bold")
    axes[1].set_title("b\n", loc="left", fontweight="bold")
    legend(figure, [handle(label, color, marker) for label, color, marker in BROADCASTS.values()])
    return figure


def _branching(ax: Axes, results: Results) -> None:
    for own, (label, color, marker, style, filled) in RULES.items():
        found = [results.interval("sandbox_branching", f"{own}, {branching}") for branching in BRANCHINGS]
        line(ax, range(4), found, color, marker, label, style, filled)
    chance(ax, 0.1)
    ax.set_xticks(range(4), [name.strip("[]").replace(", ", "×") for name in BRANCHINGS[:3]] + ["3×3×\n3×3"])
    ax.set_ylim(0.0, 1.0)
    ax.set_xlabel("branching, soma to tips")
    ax.set_ylabel("test accuracy")
    ax.legend(fontsize=5, loc="center", bbox_to_anchor=(0.5, 0.72))


ABLATIONS = PaperFigure("figure10", {"sandbox_branching": tuple(RULES), "sandbox_errors": tuple(BROADCASTS)}, ablations)
