"""What came of a sweep: a metric against a factor, over two factors, and draw by draw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ..arguments import short
from ..errors import ParameterError
from .fidelity import COLORS, MARKERS, STYLES, legend_above
from .styling import BLACK, DOUBLE_COLUMN, SINGLE_COLUMN, canvas, style
from .values import ColorScale, color_scale

if TYPE_CHECKING:
    from ..runs.marginals import Drawn, Factor, Level, Marginal, Surface

WORDS = {
    "test_accuracy": "test accuracy",
    "validation_accuracy": "validation accuracy",
    "test_loss": "test loss (nat)",
    "seconds": "duration of training (s)",
    "epochs": "epochs",
    "best_epoch": "epoch of the best validation",
}
"""Metrics as they stand on axes."""
_ROOM = 23.0
"""Width that a number takes in a cell of a map, pt."""
_MARKED = 8
"""Most swept values that all stand on the axis."""


def plot_marginal(marginal: Marginal, *, ax: Axes | None = None, legend: bool = True) -> Axes:
    """Draw a metric against a factor of a sweep, one line per arm.

    Parameters
    ----------
    marginal : Marginal
        From ``ds.runs.marginal``.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    legend : bool, default True
        Whether to add a legend of arms with their numbers of seeds.

    Returns
    -------
    Axes
        The axes: means over everything else that was swept; the band is the confidence interval over seeds. Draws are
        points with bars, without a line: neighbours differ in more than this factor. The axis is logarithmic where
        numbers were drawn log-uniformly, or span more than a decade.

    Raises
    ------
    ParameterError
        If it is no marginal.
    """
    factor, arms = _of(marginal, "factor", "a marginal; make one with ds.runs.marginal(runs, factor)"), marginal.arms
    with canvas(ax, aspect=0.7, width=SINGLE_COLUMN) as ax:
        for i, (own, levels) in enumerate(arms.items()):
            if not levels:
                continue
            look = {"color": COLORS[i % len(COLORS)], "label": f"{own or 'runs'} ({_seeds(levels)})"}
            x = np.array([_position(factor, one.value) for one in levels], dtype=float)
            if factor.drawn or not factor.numeric:
                x = x + (0.0 if factor.numeric else 0.12 * (i - 0.5 * (len(arms) - 1)))
                _bars(ax, x, levels, i, look)
            else:
                _band(ax, x, levels, i, look)
        _factor_axis(ax, factor)
        ax.set_ylabel(WORDS.get(marginal.metric, marginal.metric))
        points = {one.n_points for levels in arms.values() for one in levels}
        if points and max(points) > 1:
            ax.set_xlabel(f"{factor.name}\n(means over {_span(points)} combinations of the rest)")
        if legend and ax.get_legend_handles_labels()[0]:
            legend_above(ax)
    return ax


def plot_surface(
    surface: Surface,
    *,
    ax: Axes | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    colorbar: bool = True,
) -> Axes:
    """Draw a metric over two factors of a sweep as a map, or the difference of two arms.

    Parameters
    ----------
    surface : Surface
        From ``ds.runs.surface``.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    vmin, vmax : float, optional
        Limits of the colours; without them the extremes, of differences symmetric about 0.
    colorbar : bool, default True
        Whether to add a colour bar.

    Returns
    -------
    Axes
        The axes. Means over seeds are written into cells that have room for them; differences whose confidence interval
        contains 0 in parentheses. What has no runs is left white.

    Raises
    ------
    ParameterError
        If it is no surface, or one without cells.
    """
    cells = _of(surface, "cells", "a surface; make one with ds.runs.surface(runs, x, y, arm=...)")
    if not cells:
        raise ParameterError("the surface has no cells: no combination of both factors has runs of all that it takes")
    x, y, difference = surface.x, surface.y, bool(surface.minus)
    values = np.full((len(y.values), len(x.values)), np.nan)
    for (i, j), one in cells.items():
        values[j, i] = one.interval.mean
    scale = color_scale(values[np.isfinite(values)], vmin=vmin, vmax=vmax, center=0.0 if difference else None)
    with canvas(ax, aspect=0.2 + 0.6 * len(y.values) / max(len(x.values), 1), width=SINGLE_COLUMN) as ax:
        ax.imshow(values, origin="lower", aspect="auto", cmap=scale.cmap, norm=scale.norm, interpolation="nearest")
        width = 72 * ax.get_position().width * _figure_of(ax).get_figwidth()
        if width / len(x.values) > _ROOM:
            for (i, j), one in cells.items():
                _number(ax, i, j, one, scale, difference)
        for axis, factor in ((ax.xaxis, x), (ax.yaxis, y)):
            axis.set_ticks(range(len(factor.values)), [_told(value) for value in factor.values])
            axis.set_label_text(factor.name)
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
        name = f"{surface.arm} - {surface.minus}" if difference else surface.arm or "runs"
        ax.set_title(f"{name} ({_seeds(list(cells.values()))})")
        if colorbar:
            words = WORDS.get(surface.metric, surface.metric)
            scale.add_colorbar(ax, f"difference in {words}" if difference else words, None, shrink=1.0)
    return ax


def plot_surfaces(surfaces: Sequence[Surface]) -> Figure:
    """Draw :func:`plot_surface` of several arms side by side.

    Parameters
    ----------
    surfaces : sequence of Surface
        Over the same factors; those of single arms share one scale of colours, and so do differences.

    Returns
    -------
    Figure
        A new figure of the width of two columns, three maps in a row.

    Raises
    ------
    ParameterError
        If there is none, or as for :func:`plot_surface`.
    """
    every = list(surfaces)
    if not every:
        raise ParameterError(f"surfaces={short(surfaces)} holds nothing to draw")
    limits = {kind: _shared([one for one in every if bool(one.minus) is kind]) for kind in (False, True)}
    columns = min(len(every), 3)
    rows = -(-len(every) // columns)
    with style():
        size = (DOUBLE_COLUMN, min(0.34 * rows, 1.2) * DOUBLE_COLUMN)
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
        last = {bool(one.minus): i for i, one in enumerate(every)}
        for i, (ax, one) in enumerate(zip(axes.flat, every, strict=False)):
            low, high = limits[bool(one.minus)]
            plot_surface(one, ax=ax, vmin=low, vmax=high, colorbar=i in last.values())
            if i % columns and one.y == every[i - 1].y:
                ax.set_ylabel("")
                ax.set_yticklabels([])
        for ax in axes.flat[len(every) :]:
            ax.remove()
    return figure


def plot_drawn_figure(drawn: Drawn) -> Figure:
    """Draw a random search: the metric of every draw against each of the drawn values, one panel per factor.

    Parameters
    ----------
    drawn : Drawn
        From ``ds.runs.drawn``.

    Returns
    -------
    Figure
        A new figure of the width of two columns: a point per draw and arm, its mean over seeds with the confidence
        interval. Values that were drawn log-uniformly have a logarithmic axis. The best draw of each arm is ringed.

    Raises
    ------
    ParameterError
        If it is no search, or one without draws.
    """
    factors = _of(drawn, "factors", "a random search; make one with ds.runs.drawn(runs)")
    arms = {own: levels for own, levels in drawn.arms.items() if levels}
    if not arms:
        raise ParameterError("nothing is to be drawn: no draw has a seed that all of its runs share")
    columns = min(len(factors), 3)
    rows = -(-len(factors) // columns)
    with style():
        size = (DOUBLE_COLUMN if columns > 1 else SINGLE_COLUMN, min(0.34 * rows, 1.2) * DOUBLE_COLUMN)
        figure, axes = plt.subplots(rows, columns, figsize=size, sharey=True, squeeze=False, layout="constrained")
        for k, (ax, factor) in enumerate(zip(axes.flat, factors, strict=False)):
            for i, (own, levels) in enumerate(arms.items()):
                here = [one for one in levels if factor.name in one.value]
                if here:
                    _draws(ax, factor, here, drawn.metric, i, len(arms), f"{own or 'runs'} ({_seeds(levels)})")
            _factor_axis(ax, factor)
            if k % columns == 0:
                ax.set_ylabel(WORDS.get(drawn.metric, drawn.metric))
        for ax in axes.flat[len(factors) :]:
            ax.remove()
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 4))
    return figure


def _draws(ax: Axes, factor: Factor, levels: Sequence[Level], metric: str, i: int, n: int, label: str) -> None:
    """The draws of one arm in one panel; the best one is ringed."""
    shift = 0.0 if factor.numeric else 0.12 * (i - 0.5 * (n - 1))
    x = np.array([_position(factor, one.value[factor.name]) for one in levels], dtype=float) + shift
    color = COLORS[i % len(COLORS)]
    _bars(ax, x, levels, i, {"color": color, "label": label})
    if metric not in ("test_accuracy", "validation_accuracy", "test_loss"):
        return
    means = [one.interval.mean for one in levels]
    best = int(np.argmin(means) if metric == "test_loss" else np.argmax(means))
    ax.plot(x[best], means[best], "o", markersize=8, markerfacecolor="none", markeredgecolor=color, markeredgewidth=0.8)


def _band(ax: Axes, x: Any, levels: Sequence[Level], i: int, look: Mapping[str, Any]) -> None:
    mean, low, high = _limits(levels)
    ax.plot(x, mean, marker=MARKERS[i % len(MARKERS)], markersize=3, linestyle=STYLES[i // len(COLORS) % 5], **look)
    ax.fill_between(x, low, high, where=np.isfinite(low).tolist(), color=look["color"], alpha=0.2, linewidth=0)


def _bars(ax: Axes, x: Any, levels: Sequence[Level], i: int, look: Mapping[str, Any]) -> None:
    mean, low, high = _limits(levels)
    ax.vlines(x, low, high, color=look["color"], linewidth=0.6, alpha=0.6)
    ax.plot(x, mean, MARKERS[i % len(MARKERS)], markersize=3.5, markeredgewidth=0, **look)


def _limits(levels: Sequence[Level]) -> tuple[Any, Any, Any]:
    rows = np.array([[one.interval.mean, one.interval.low, one.interval.high] for one in levels])
    return rows[:, 0], rows[:, 1], rows[:, 2]


def _factor_axis(ax: Axes, factor: Factor) -> None:
    if factor.logarithmic:
        ax.set_xscale("log")
    if not factor.numeric:
        ax.set_xticks(range(len(factor.values)), [_told(value) for value in factor.values])
        ax.set_xlim(-0.5, len(factor.values) - 0.5)
    elif not factor.drawn and len(factor.values) <= _MARKED:
        _ticks(ax, factor.values)
    elif factor.logarithmic and max(factor.values) < 30 * min(factor.values):
        # a power of ten or none: other numbers have to tell the scale
        low, high = min(factor.values), max(factor.values)
        places = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        _ticks(ax, [v for e in places for v in (10.0**e, 2 * 10.0**e, 5 * 10.0**e) if 0.9 * low <= v <= 1.1 * high])
    ax.set_xlabel(factor.name)


def _ticks(ax: Axes, values: Sequence[float]) -> None:
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(list(values), [f"{value:g}" for value in values])


def _position(factor: Factor, value: Any) -> float:
    return float(value) if factor.numeric else float(factor.values.index(value))


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("name", short(value)))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(ax: Axes, i: int, j: int, one: Level, scale: ColorScale, difference: bool) -> None:
    t = one.interval
    text = f"{t.mean:{'+' if difference else ''}.3f}" if abs(t.mean) < 10 else f"{t.mean:.3g}"
    text = text.replace("0.", ".", 1) if abs(t.mean) < 1 else text  # room is short
    if difference and not (t.low > 0 or t.high < 0):
        text = f"({text})"
    red, green, blue, _ = scale.cmap(scale.norm(t.mean))
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
    ax.text(i, j, text, ha="center", va="center", fontsize=6, color="white" if dark else BLACK)


def _shared(surfaces: Sequence[Surface]) -> tuple[float | None, float | None]:
    """Limits of colours that suit all of these; none where there is one value or none."""
    values = {one.interval.mean for surface in surfaces for one in surface.cells.values()}
    return (min(values), max(values)) if len(values) > 1 else (None, None)


def _figure_of(ax: Axes) -> Figure:
    return cast(Figure, ax.get_figure(root=True))


def _seeds(levels: Sequence[Level]) -> str:
    return f"n = {_span({one.interval.n for one in levels})}"


def _span(counts: set[int]) -> str:
    return f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"


def _of(thing: Any, attribute: str, wanted: str) -> Any:
    """An attribute of what is to be drawn, or an error that says what it should be."""
    if not hasattr(thing, attribute):
        raise ParameterError(f"{short(thing)} is not {wanted}")
    return getattr(thing, attribute)
