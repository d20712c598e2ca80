"""Figure 3: fidelity of local gradients before training, both cores, as run and on fair terms."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from ...diagnostics.intervals import Interval
from .pieces import (
    CORE_COLOR,
    CORE_MARKER,
    core_handles,
    legend,
    panels,
    point,
    published_handle,
    published_mark,
    ticks,
    zero,
)
from .results import CORES, PaperFigure, Results

EXPERIMENT = "fidelity_initial"
DATA = {"mnist": "MNIST", "figure_ground_mnist": 'figure-ground MNIST ("context gating")'}
CONDITIONS = {
    "as run": ("as_run", True),
    "as run,\nno f'": ("as_run", False),
    "own\neligibility": ("as_run-matched", True),
    "fair start,\nsame\nbroadcast": ("fair-soma", True),
    "fair start,\ntree": ("fair-tree", True),
}
"""The arm, and whether receivers know the derivative of their own gate."""
QUANTITIES = {"cosine": "cosine to the\nexact gradient", "scale_mismatch": "|log$_{10}$ (|local| / |exact|)|"}


def initial(quantity: str, group: str = "all (dense)", derivative: bool = True) -> dict[str, Any]:
    """The measure of the ledger: fidelity before training."""
    return {"name": "fidelity", "quantity": quantity, "at": "initial", "group": group, "derivative": derivative}


def best_regime(results: Results) -> Figure:
    """Cosine and scale mismatch per data set, the mean over dense tensors as published."""
    figure, axes = panels(2, 2, height=0.62)
    for column, (task, data) in enumerate(DATA.items()):
        for row, (quantity, label) in enumerate(QUANTITIES.items()):
            ax = axes[2 * row + column]
            shown: list[list[Interval | None]] = [[] for _ in CONDITIONS]
            for i, (own, derivative) in enumerate(CONDITIONS.values()):
                for k, core in enumerate(CORES):
                    measure = initial(quantity, derivative=derivative)
                    found = results.interval(EXPERIMENT, f"{own}, {task}, {core}", measure)
                    at = i - 0.15 + 0.3 * k
                    point(ax, at, found, CORE_COLOR[core], CORE_MARKER[core])
                    shown[i].append(found)
                    if i == 0:
                        short = "mnist" if task == "mnist" else "figure_ground"
                        published_mark(ax, at - 0.1, results.published(f"{short}-{core}-{quantity}"))
            ticks(ax, list(CONDITIONS), shown)
            zero(ax)
            ax.set_ylabel(label)
            if row == 0:
                ax.set_title(data)
    legend(figure, [*core_handles(), published_handle()])
    return figure


BEST_REGIME = PaperFigure("figure3", {EXPERIMENT: ()}, best_regime)
