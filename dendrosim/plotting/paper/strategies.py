"""Figure 13: strategies, dynamics and fidelity in the small network, and how much of the error is needed."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...runs.fidelity import recorded
from ..styling import BLACK, BLUE, GREEN, NEUTRAL, ORANGE, PURPLE, SKY_BLUE, VERMILLION
from .pieces import (
    CORE_COLOR,
    CORE_MARKER,
    chance,
    core_handles,
    legend,
    line,
    panels,
    point,
    published_handle,
    published_mark,
    spanned,
    zero,
)
from .results import CORES, PaperFigure, Results

EXPERIMENT, NOISE = "sandbox_strategies", "sandbox_noise"
STRATEGIES = {
    "3F as run": SKY_BLUE,
    "4F as run": PURPLE,
    "5F as run": BLUE,
    "3F soma": ORANGE,
    "DFA": VERMILLION,
    "3F tree": GREEN,
    "backprop": BLACK,
    "decoder only": NEUTRAL,
}
SIGMAS = ("0", "0.1", "0.5", "1")


def sandbox(results: Results) -> Figure:
    """Accuracies by strategy; accuracy and fidelity over the epochs in shunting cores; accuracy over noise."""
    figure, axes = panels(2, 2, height=0.72)
    _strategies(axes[0], results)
    _dynamics(axes[1], results)
    _fidelity(axes[2], results)
    _noise(axes[3], results)
    for ax, letter in zip(axes, "ABCD", strict=True):
        ax.set_title(letter, loc="left", fontweight="bold")
    legend(figure, [*core_handles(), published_handle()])
    return figure


def _strategies(ax: Axes, results: Results) -> None:
    names = []
    for i, own in enumerate(STRATEGIES):
        found = [results.interval(EXPERIMENT, f"{own}, {core}") for core in CORES]
        for k, core in enumerate(CORES):
            point(ax, i - 0.15 + 0.3 * k, found[k], CORE_COLOR[core], CORE_MARKER[core])
        names.append(f"{own} ({spanned(0 if one is None else one.n for one in found)})")
    chance(ax, 0.1)
    ax.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="x", labelsize=5.5, length=0)
    ax.set_ylim(0.0, 1.0)
    ax.set_ylabel("test accuracy")


def _dynamics(ax: Axes, results: Results) -> None:
    for own, color in STRATEGIES.items():
        runs = results.runs(EXPERIMENT, f"{own}, shunting")
        if runs:
            curves = [run.history["test_accuracy"] for run in runs]
            shared = min(curve.size for curve in curves)
            for curve in curves:
                ax.plot(np.arange(1, curve.size + 1), curve, color=color, linewidth=0.4, alpha=0.5)
            mean = np.mean([curve[:shared] for curve in curves], axis=0)
            ax.plot(np.arange(1, shared + 1), mean, color=color, linewidth=1.3, label=f"{own} (n = {len(runs)})")
    chance(ax, 0.1)
    ax.set_ylim(0.0, 1.0)
    ax.set_xlabel("epoch")
    ax.set_ylabel("test accuracy, shunting")
    ax.legend(fontsize=5, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.25))


def _fidelity(ax: Axes, results: Results) -> None:
    for own, color in STRATEGIES.items():
        if own in ("backprop", "decoder only"):
            continue
        runs = results.runs(EXPERIMENT, f"{own}, shunting")
        histories = [history for run in runs if (history := recorded(run)) is not None]
        curves = [history.series("all (dense)", "cosine") for history in histories]
        for history, curve in zip(histories, curves, strict=True):
            ax.plot(history.epochs, curve, color=color, linewidth=0.4, alpha=0.5)
        if curves:
            shared = min(curve.size for curve in curves)
            mean = np.mean([curve[:shared] for curve in curves], axis=0)
            ax.plot(histories[0].epochs[:shared], mean, color=color, linewidth=1.3, label=own)
    zero(ax)
    ax.set_xlabel("epoch")
    ax.set_ylabel("cosine to the exact gradient,\nshunting")


def _noise(ax: Axes, results: Results) -> None:
    for own, label, style, filled in (("as_run", "as run", "-", True), ("fair", "fair, tree", "--", False)):
        for core in CORES:
            found = [results.interval(NOISE, f"{own}-{sigma}, {core}") for sigma in SIGMAS]
            line(ax, range(4), found, CORE_COLOR[core], CORE_MARKER[core], f"{label}, {core}", style, filled)
            for x, sigma in enumerate(SIGMAS if own == "as_run" else ()):
                published_mark(ax, x - 0.12, results.published(f"noise-{core}-{sigma}"))
    chance(ax, 0.1)
    ax.set_xticks(range(4), list(SIGMAS))
    ax.set_ylim(0.0, 1.0)
    ax.set_xlabel("s.d. of the noise on the teaching signal")
    ax.set_ylabel("test accuracy")
    ax.legend(fontsize=5, ncols=2, loc="center", bbox_to_anchor=(0.55, 0.72))


SANDBOX = PaperFigure(
    "figure13",
    {EXPERIMENT: tuple(STRATEGIES), NOISE: tuple(f"{own}-{sigma}" for own in ("as_run", "fair") for sigma in SIGMAS)},
    sandbox,
)
