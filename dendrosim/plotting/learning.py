"""Learning curves of several runs, and what they end at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..arguments import mapping, number
from ..errors import ParameterError, choose
from .fidelity import COLORS, STYLES, labelled, legend_above
from .styling import BLACK, SINGLE_COLUMN, canvas

Floats = NDArray[np.float64]


def plot_learning_curve(
    runs: Any,
    *,
    metric: str = "validation_accuracy",
    ax: Axes | None = None,
    label: str | None = None,
    log: bool = False,
    legend: bool = True,
) -> Axes:
    """Draw a metric over the epochs; of several seeds the mean, and a band from the least to the greatest.

    Parameters
    ----------
    runs : Run, sequence of them, or mapping from label to either
        What to draw; anything with a ``history`` (dict of arrays, one value per epoch), one per seed.
    metric : str, default "validation_accuracy"
        Name in the histories.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    label : str, optional
        Of the vertical axis; by default the name of the metric in words.
    log : bool, default False
        Whether the vertical axis is logarithmic.
    legend : bool, default True
        Whether to add a legend of labels.

    Returns
    -------
    Axes
        The axes. Runs that stopped early are drawn to their end as thin lines; mean and band go as far as all run.

    Raises
    ------
    ParameterError
        If a run has no such metric.
    """
    series = labelled("runs", runs, "history", "a Run")
    with canvas(ax, aspect=0.65, width=SINGLE_COLUMN) as ax:
        longest = 1
        for i, (name, repeated) in enumerate(series.items()):
            curves = [_curve(one.history, metric) for one in repeated]
            draw_band(ax, curves, i, name)
            longest = max(longest, *(curve.size for curve in curves))
        ax.set_xlim(0 if longest > 1 else 0.5, longest)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        if log:
            ax.set_yscale("log")
        ax.set_xlabel("epoch")
        ax.set_ylabel(label or metric.replace("_", " "))
        if legend and any(series):
            ax.legend()
    return ax


def draw_band(ax: Axes, curves: list[Floats], number: int, name: str, at: Floats | None = None) -> None:
    """Draw the mean of several curves, the band between their extremes, and what single ones have beyond.

    Parameters
    ----------
    ax : Axes
    curves : list of float arrays
        They may differ in length.
    number : int
        0, 1, 2 ...: chooses a colour, and beyond the last one a line style too.
    name : str
        For the legend; may be empty.
    at : float array, optional
        Abscissae of the longest curve; 1, 2, ... without it.
    """
    color, dashes = COLORS[number % len(COLORS)], STYLES[number // len(COLORS) % len(STYLES)]
    common = min(curve.size for curve in curves)
    longest = max(curve.size for curve in curves)
    x = np.arange(1.0, longest + 1) if at is None else np.asarray(at, dtype=np.float64)
    shared = np.array([curve[:common] for curve in curves])
    for curve in curves:
        if curve.size > common:
            ax.plot(x[common - 1 : curve.size], curve[common - 1 :], color=color, linewidth=0.5, alpha=0.7)
    if len(curves) > 1:
        ax.fill_between(x[:common], shared.min(axis=0), shared.max(axis=0), color=color, alpha=0.25, linewidth=0)
    marker = "o" if common == 1 else None
    ax.plot(x[:common], shared.mean(axis=0), color=color, label=name or None, linestyle=dashes, marker=marker, ms=3)


def plot_gap(
    results: Mapping[str, Any],
    *,
    published: Mapping[str, Any] | None = None,
    chance: float | None = None,
    label: str = "test accuracy",
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw how accuracy depends on what the dendrites are told: where a gap to backpropagation comes from.

    Parameters
    ----------
    results : mapping from condition to Interval, or from label to such mappings
        Conditions from the top down, such as ``{"decoder only": ..., "scalar": ..., "exact": ...}``; with labels such
        as ``"shunting"`` and ``"additive"`` one marker each. Intervals come from ``ds.diagnostics.mean_interval``.
    published : mapping, optional
        Accuracies that others reported, by condition, or by label and condition: short upright lines, ranges if pairs.
    chance : float, optional
        Accuracy of guessing, drawn as a dotted line.
    label : str, default "test accuracy"
        Of the horizontal axis.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    legend : bool, default True
        Whether to add a legend.

    Returns
    -------
    Axes
        The axes: means with confidence intervals, every repetition as a dot.

    Raises
    ------
    ParameterError
        If something is no interval, or a published condition is not among the results.
    """
    series = _two_levels(results)
    known = _published(published, series)
    if chance is not None:
        chance = number("chance", chance)
    conditions = list(dict.fromkeys(name for row in series.values() for name in row))
    with canvas(ax, aspect=0.3 + 0.1 * len(conditions), width=SINGLE_COLUMN) as ax:
        step = 0.6 / max(len(series), 1)
        for i, (name, row) in enumerate(series.items()):
            color, marker = COLORS[i % len(COLORS)], "osD^"[i % 4]
            for condition, interval in row.items():
                y = conditions.index(condition) + (i - 0.5 * (len(series) - 1)) * step
                _interval(ax, interval, y, color, marker, 0.8 * step)
            ax.plot([], [], marker, color=color, markersize=4, label=name or None)
            for condition, value in known.get(name, {}).items():
                y = conditions.index(condition) + (i - 0.5 * (len(series) - 1)) * step
                low, high = np.broadcast_to(np.asarray(value, dtype=np.float64), 2)
                ends = y - 0.45 * step, y + 0.45 * step
                ax.fill_betweenx(ends, low, high, alpha=0.2, color=color, linewidth=0, zorder=1)
                ax.vlines([low, high], *ends, color=BLACK, linewidth=0.8, zorder=1)
        if known:
            ax.plot([], [], "|", color=BLACK, markersize=7, label="published")
        if chance is not None:
            ax.axvline(chance, color=BLACK, linewidth=0.6, linestyle=":", label="chance")
        _rows(ax, conditions)
        ax.set_xlabel(label)
        if legend and (any(series) or known or chance is not None):
            legend_above(ax)
    return ax


def plot_paired_difference(
    differences: Mapping[str, Any],
    *,
    label: str = "difference in test accuracy",
    ax: Axes | None = None,
) -> Axes:
    """Draw paired differences: every pair a dot, their mean, and its confidence interval against zero.

    Parameters
    ----------
    differences : mapping from label to Interval or Comparison
        From ``ds.diagnostics.paired_difference`` or ``compare_pairs``; the labels say what was subtracted from what.
        Beside comparisons stand their effect sizes and numbers of pairs.
    label : str
        Of the horizontal axis.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.

    Returns
    -------
    Axes
        The axes. An interval that does not contain zero is drawn filled, one that does hollow.

    Raises
    ------
    ParameterError
        If something is no interval.
    """
    differences = mapping("differences", differences, "differences by label, such as what compare_pairs returns")
    intervals = {name: getattr(one, "difference", one) for name, one in differences.items()}
    (row,) = _two_levels(intervals).values()
    with canvas(ax, aspect=0.25 + 0.09 * len(row), width=SINGLE_COLUMN) as ax:
        ax.axvline(0.0, color=BLACK, linewidth=0.6)
        for i, (name, interval) in enumerate(row.items()):
            clear = interval.low > 0 or interval.high < 0
            _interval(ax, interval, float(i), COLORS[0], "o", 0.5, filled=clear)
            effect = getattr(differences[name], "effect", None)
            if effect is not None:
                told = (
                    "" if np.isnan(effect.value) else f"{effect.name.replace('d_z', 'd$_z$')} = {effect.value:+.1f}, "
                )
                beside: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": 6}
                ax.annotate(f"{told}n = {interval.n}", (1.01, i), **beside)
        _rows(ax, list(row))
        ax.set_xlabel(label)
    return ax


def _interval(ax: Axes, interval: Any, y: float, color: str, marker: str, height: float, filled: bool = True) -> None:
    values = np.asarray(interval.values)
    spread = np.linspace(-0.3, 0.3, values.size) * height if values.size > 1 else np.zeros(1)
    ax.plot(values, y + spread, ".", color=color, markersize=3.5, alpha=0.6, markeredgewidth=0)
    if np.isfinite(interval.low):
        ax.plot([interval.low, interval.high], [y, y], color=color, linewidth=1.4, solid_capstyle="butt")
    ax.plot(interval.mean, y, marker, color=color, markersize=4.5, markerfacecolor=color if filled else "white")


def _rows(ax: Axes, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", linewidth=0.3, color="#DDDDDD")
    ax.set_axisbelow(True)


def _curve(history: Mapping[str, Any], metric: str) -> Floats:
    return np.asarray(history[choose("metric", metric, history)], dtype=np.float64)


def _two_levels(results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Intervals by label and condition; one level has an empty label."""
    nested = isinstance(results, Mapping) and any(isinstance(value, Mapping) for value in results.values())
    levels = dict(results) if nested else {"": results}
    out: dict[str, dict[str, Any]] = {}
    for label, row in levels.items():
        if not isinstance(row, Mapping) or not row:
            raise ParameterError(f"results under {label!r} must be a mapping from condition to interval; got {row!r}")
        for condition, interval in row.items():
            if not hasattr(interval, "low"):
                raise ParameterError(
                    f"{condition!r} is no interval with a mean and limits; make one of the values of all seeds with "
                    "ds.diagnostics.mean_interval(values)"
                )
        out[str(label)] = {str(condition): interval for condition, interval in row.items()}
    return out


def _published(published: Mapping[str, Any] | None, series: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    published = mapping("published", {} if published is None else published, "published values by condition")
    if not published:
        return {}
    nested = any(isinstance(value, Mapping) for value in published.values())
    known = {str(k): dict(v) for k, v in published.items()} if nested else {next(iter(series)): dict(published)}
    for label, row in known.items():
        choose("label of published", label, series)
        for condition in row:
            choose(f"condition of published[{label!r}]", condition, series[label])
    return known
