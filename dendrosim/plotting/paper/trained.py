"""Figures 11 and 12: fidelity of trained networks, and over their training."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...diagnostics.intervals import Interval
from ...runs.fidelity import recorded
from ..styling import GREEN
from .fidelity import EXPERIMENT, QUANTITIES, initial
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
    zero,
)
from .results import CORES, PaperFigure, Results

DATA = {
    "published_mnist": ("MNIST", "mnist", "5F"),
    "published_figure_ground": ('figure-ground MNIST\n("context gating")', "figure_ground", "5F-hsic-0.01"),
}
"""Title, short name, and the arm whose networks the paper looks at."""
TOLD: dict[str, tuple[str, dict[str, Any]]] = {
    "per_soma": ("per soma,\nas run", {"name": "per_soma", "scope": "soma", "replication": True}),
    "scalar": ("scalar", {"name": "scalar", "replication": True}),
    "tree": ("per soma,\ntree", {"name": "per_soma", "scope": "tree"}),
}
GROUPS = ("excitatory", "inhibitory", "couplings", "gates")
CURVES = {
    "5F, shunting": ("as run, shunting", CORE_COLOR["shunting"], "-"),
    "5F, additive": ("as run, additive", CORE_COLOR["additive"], "-"),
    "3F-tree, shunting": ("3F, tree, shunting", GREEN, "--"),
}


def trained(quantity: str, told: str) -> dict[str, Any]:
    """The measure of the ledger: fidelity of trained networks under a broadcast."""
    return {"name": "fidelity", "quantity": quantity, "at": "trained", "teaching": TOLD[told][1]}


def checkpoints(results: Results) -> Figure:
    """Figure 11: what the networks of the local runs would be told by three broadcasts, against the exact gradient."""
    figure, axes = panels(2, 2, height=0.66)
    for column, (experiment, (data, short, best)) in enumerate(DATA.items()):
        for row, (quantity, label) in enumerate(QUANTITIES.items()):
            ax = axes[2 * row + column]
            shown: list[list[Interval | None]] = [[] for _ in TOLD]
            for i, told in enumerate(TOLD):
                for k, core in enumerate(CORES):
                    own = best if core == "shunting" else "5F"
                    found = results.interval(experiment, f"{own}, {core}", trained(quantity, told))
                    at = i - 0.1 + 0.25 * k
                    point(ax, at, found, CORE_COLOR[core], CORE_MARKER[core])
                    shown[i].append(found)
                    if core == "shunting":
                        published_mark(ax, at - 0.15, results.published(f"{short}-{told}-{quantity}"))
            ticks(ax, [name for name, _ in TOLD.values()], shown)
            zero(ax)
            ax.set_ylabel(label)
            if row == 0:
                ax.set_title(data)
    legend(figure, [*core_handles(), published_handle()])
    return figure


def over_training(results: Results) -> Figure:
    """Figure 12: cosine over the epochs, per component before training, and scale mismatch over the epochs."""
    figure, axes = panels(2, 3, height=0.62, widths=[1.2, 1.2, 1.2])
    for row, (experiment, (data, short, _)) in enumerate(DATA.items()):
        first, second, third = axes[3 * row : 3 * row + 3]
        for ax, quantity in ((first, "cosine"), (third, "scale_mismatch")):
            for arm, (label, color, style) in CURVES.items():
                _curves(ax, results, experiment, arm, quantity, label, color, style)
            ax.set_xlabel("epoch")
            ax.set_ylabel(QUANTITIES[quantity])
            zero(ax)
        first.legend(fontsize=5, loc="best")
        first.set_title(data)
        _components(second, results, "mnist" if short == "mnist" else "figure_ground_mnist")
    for ax, letter in zip(axes, "ABC", strict=False):
        ax.set_title(letter, loc="left", fontweight="bold")
    every = core_handles()
    legend(figure, [*every, handle("before training: as run", "0.3"), handle("fair start, tree", "0.3", filled=False)])
    return figure


def _curves(
    ax: Axes, results: Results, experiment: str, arm: str, quantity: str, label: str, color: str, style: str
) -> None:
    """A thin line per seed and their mean over the epochs that all have."""
    histories = [history for run in results.runs(experiment, arm) if (history := recorded(run)) is not None]
    if not histories:
        ax.plot([], [], style, color=color, label=f"{label} (no runs)")
        return
    curves = [history.series("all (dense)", quantity) for history in histories]
    shared = min(curve.size for curve in curves)
    epochs = histories[0].epochs[:shared]
    for history, curve in zip(histories, curves, strict=True):
        ax.plot(history.epochs, curve, style, color=color, linewidth=0.5, alpha=0.45)
    mean = np.mean([curve[:shared] for curve in curves], axis=0)
    ax.plot(epochs, mean, style, color=color, linewidth=1.5, label=f"{label} (n = {len(curves)})")


def _components(ax: Axes, results: Results, task: str) -> None:
    """Cosine per group before training, as run and on fair terms."""
    shown: list[list[Interval | None]] = [[] for _ in GROUPS]
    for i, group in enumerate(GROUPS):
        for own, shift, filled in (("as_run", -0.2, True), ("fair-tree", 0.15, False)):
            for k, core in enumerate(CORES):
                arm = f"{own}, {task}, {core}"
                found = results.interval(EXPERIMENT, arm, initial("cosine", group))
                point(ax, i + shift + 0.15 * k, found, CORE_COLOR[core], CORE_MARKER[core], filled=filled, gap=0.05)
                shown[i].append(found)
    ticks(ax, GROUPS, shown)
    ax.tick_params(axis="x", labelsize=5.5)
    zero(ax)
    ax.set_ylim(-1.1, 1.1)
    ax.set_ylabel("cosine before training")


CHECKPOINTS = PaperFigure(
    "figure11",
    {
        "published_mnist": tuple(f"5F, {core}" for core in CORES),
        "published_figure_ground": ("5F-hsic-0.01, shunting", "5F, additive"),
    },
    checkpoints,
)
OVER_TRAINING = PaperFigure(
    "figure12",
    {**dict.fromkeys(DATA, tuple(CURVES)), EXPERIMENT: ()},
    over_training,
)
