"""Figures 2 and 7: shunting against additive cores over the number of inhibitory synapses."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..styling import BLACK, DIVERGING
from .pieces import CORE_COLOR, CORE_MARKER, chance, legend, line, panels, point, published_handle, published_mark, zero
from .results import CORES, PaperFigure, Results

LEVELS = (2, 5, 10, 20)
DATA = {"sandbox_inhibition": "MNIST", "sandbox_inhibition_cifar10": "CIFAR-10"}
AS_RUN = {"as_run": "per soma, as run", "as_run-scalar": "scalar"}
FAIR = {"fair": "per soma, as run", "fair-tree": "per soma, tree"}
TOP = {"sandbox_inhibition": 1.0, "sandbox_inhibition_cifar10": 0.5}
ENTRY = {"sandbox_inhibition": "mnist-mean", "sandbox_inhibition_cifar10": "cifar10-mean"}
_LARGEST = 0.5


def _arm(own: str, level: int, core: str) -> str:
    return f"{own}, {level}, {core}"


def heat_map(results: Results) -> Figure:
    """Figure 2: differences per level and broadcast, and their means beside the published ones."""
    figure, axes = panels(2, 3, height=0.62, widths=[2.0, 2.0, 1.3])
    for row, (experiment, data) in enumerate(DATA.items()):
        for ax, arms, title in zip(axes[3 * row : 3 * row + 2], (AS_RUN, FAIR), ("as run", "fair start"), strict=True):
            _map(ax, results, experiment, arms)
            ax.set_title(f"{data}, {title}")
        _means(axes[3 * row + 2], results, experiment, data)
    legend(figure, [published_handle()])
    return figure


def _map(ax: Axes, results: Results, experiment: str, arms: dict[str, str]) -> None:
    found = [
        [results.difference(experiment, _arm(own, n, "shunting"), _arm(own, n, "additive")) for n in LEVELS]
        for own in arms
    ]
    means = np.array([[np.nan if one is None else one.mean for one in row] for row in found])
    ax.imshow(means, cmap=DIVERGING, vmin=-_LARGEST, vmax=_LARGEST, aspect="auto")
    for i, row in enumerate(found):
        for j, one in enumerate(row):
            text = "no runs"
            if one is not None:
                half = f"\n± {one.high - one.mean:.2f}" if one.n > 1 else ""
                text = f"{one.mean:+.2f}{half}\nn = {one.n}"
            dark = one is not None and abs(one.mean) > 0.55 * _LARGEST
            ax.text(j, i, text, ha="center", va="center", fontsize=5, color="white" if dark else BLACK)
    ax.set_xticks(range(len(LEVELS)), [str(n) for n in LEVELS])
    ax.set_yticks(range(len(arms)), [name.replace(", ", ",\n") for name in arms.values()])
    ax.set_xlabel("inhibitory synapses per branch")
    ax.tick_params(length=0, labelsize=6)
    ax.spines[:].set_visible(False)
    ax.set_facecolor("#EFEFEF")


def _means(ax: Axes, results: Results, experiment: str, data: str) -> None:
    """Means over levels and broadcasts, seed by seed; over what has runs of both cores."""
    zero(ax)
    names = []
    for x, (title, arms) in enumerate(
        (("as run", tuple(AS_RUN)), ("fair,\nas-run\nbroadcast", ("fair",)), ("fair,\ntree", ("fair-tree",)))
    ):
        pairs = [(own, n) for own in arms for n in LEVELS]
        both = [pair for pair in pairs if all(results.values(experiment, _arm(*pair, core)) for core in CORES)]
        first, second = ([_arm(*pair, core) for pair in both] for core in CORES)
        mean = results.difference(experiment, first, second) if both else None
        point(ax, x, mean, "0.2")
        names.append(
            f"{title}\nn = {0 if mean is None else mean.n}"
            + ("" if len(both) == len(pairs) else f"\n{len(both)}/{len(pairs)} cells")
        )
    published_mark(ax, 0.25, results.published(ENTRY[experiment]))
    ax.set_xticks(range(3), names)
    ax.set_xlim(-0.5, 2.6)
    ax.tick_params(axis="x", length=0, labelsize=5.5)
    ax.set_ylabel("shunting - additive,\ntest accuracy")
    ax.set_title(f"{data}, mean")


def regimes(results: Results) -> Figure:
    """Figure 7: accuracy over inhibition by core and broadcast."""
    conditions = {
        "as_run": "as run: per soma",
        "as_run-scalar": "as run: scalar",
        "fair": "fair start, as-run broadcast",
        "fair-tree": "fair start, tree",
    }
    figure, axes = panels(2, 4, height=0.55, sharex=True, sharey="row")
    for row, (experiment, data) in enumerate(DATA.items()):
        for ax, (own, title) in zip(axes[4 * row : 4 * row + 4], conditions.items(), strict=True):
            for core in CORES:
                found = [results.interval(experiment, _arm(own, n, core)) for n in LEVELS]
                line(ax, range(4), found, CORE_COLOR[core], CORE_MARKER[core], core)
            chance(ax, 0.1)
            ax.set_ylim(0.0, TOP[experiment])
            ax.set_xticks(range(4), [str(n) for n in LEVELS])
            ax.legend(fontsize=5, loc="best", borderaxespad=0.2)
            if row == 0:
                ax.set_title(title)
            else:
                ax.set_xlabel("inhibitory synapses\nper branch")
        axes[4 * row].set_ylabel(f"test accuracy, {data}")
    return figure


_NEEDS = dict.fromkeys(DATA, (*AS_RUN, *FAIR))
HEAT_MAP = PaperFigure("figure2", _NEEDS, heat_map)
REGIMES = PaperFigure("figure7", _NEEDS, regimes)
