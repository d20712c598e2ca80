"""Figure 5: strength of the auxiliary HSIC objectives under two broadcasts."""

from __future__ import annotations

from matplotlib.figure import Figure

from ..styling import BLUE, GREEN, ORANGE
from .pieces import handle, legend, line, panels, point, published_handle, published_mark
from .results import PaperFigure, Results

WEIGHTS = ("0", "0.01", "0.1", "1.0")
DATA = {
    "published_mnist": ("MNIST", "mnist"),
    "published_figure_ground": ('figure-ground MNIST ("context gating")', "figure_ground"),
}
BROADCASTS = {"5F": ("per soma, as run", "per_soma", BLUE, "o"), "5F-scalar": ("scalar", "scalar", ORANGE, "s")}


def arm_of(own: str, weight: str) -> str:
    """The arm of a broadcast and a weight."""
    return f"{own if weight == '0' else f'{own}-hsic-{weight}'}, shunting"


def strength(results: Results) -> Figure:
    """Test accuracy over the weight, and without HSIC when every compartment is told its own soma's error."""
    figure, axes = panels(1, 2, height=0.4)
    for ax, (experiment, (data, short)) in zip(axes, DATA.items(), strict=True):
        for k, (own, (label, name, color, marker)) in enumerate(BROADCASTS.items()):
            found = [results.interval(experiment, arm_of(own, weight)) for weight in WEIGHTS]
            at = [x + 0.12 * k for x in range(4)]
            line(ax, at, found, color, marker, label)
            for x, weight in zip(at, WEIGHTS, strict=True):
                published_mark(ax, x - 0.15 + 0.3 * k, results.published(f"{short}-{name}-{weight}"))
        tree = results.interval(experiment, "3F-tree, shunting")
        point(ax, 4, tree, GREEN, "^")
        n = 0 if tree is None else tree.n
        ax.set_xticks(range(5), [*WEIGHTS, f"3F, tree\nn = {n}"])
        ax.set_xlabel("weight of HSIC")
        ax.set_ylabel("test accuracy")
        ax.set_title(data)
        ax.legend(loc="best", fontsize=6)
    legend(figure, [handle("no HSIC, every compartment told its soma's error", GREEN, "^"), published_handle()])
    return figure


_ARMS = tuple(arm_of(own, weight) for own in BROADCASTS for weight in WEIGHTS)
STRENGTH = PaperFigure("figure5", dict.fromkeys(DATA, (*_ARMS, "3F-tree, shunting")), strength)
