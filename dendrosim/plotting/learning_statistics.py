"""Weights and their log-normal fit; path gains and input resistances per stage."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers, short, whole
from ..errors import ParameterError, choose
from .fidelity import COLORS, MARKERS, labelled, legend_above
from .styling import BLACK, NEUTRAL, SINGLE_COLUMN, canvas

_WHAT = {
    "gain": "path gain dV$_{soma}$/dV$_n$",
    "resistance": "input resistance (1 / leak)",
}


class DensityLike(Protocol):
    """A fitted distribution with a ``density``."""

    def density(self, weight: ArrayLike) -> NDArray[np.float64]: ...


def plot_weight_distribution(
    weights: ArrayLike,
    fit: DensityLike | None = None,
    *,
    bins: int = 60,
    color: str = NEUTRAL,
    label: str = "conductance (leak = 1)",
    ax: Axes | None = None,
) -> Axes:
    """Draw a histogram of positive weights on a logarithmic axis, and the log-normal distribution fitted to them.

    Parameters
    ----------
    weights : float array of any shape
        Conductances; zeros are left out.
    fit : LogNormalFit, optional
        From ``ds.diagnostics.fit_lognormal``.
    bins : int, default 60
        Bins, of equal width in the logarithm.
    color : str
        Of the bars.
    label : str
        Of the horizontal axis.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.

    Returns
    -------
    Axes
        The axes; heights are densities per decade, so that a log-normal distribution is a bell.

    Raises
    ------
    ParameterError
        If no weight is positive.
    """
    w = numbers("weights", weights).astype(np.float64).ravel()
    w = w[w > 0]
    if not w.size:
        raise ParameterError("no weight is positive: there is nothing to draw on a logarithmic axis")
    low, high = float(w.min()), float(w.max())
    if low == high:
        low, high = 0.9 * low, 1.1 * high
    if not np.isfinite(high):
        raise ParameterError("weights has infinite values")
    if fit is not None and not callable(getattr(fit, "density", None)):
        raise ParameterError(f"fit={short(fit)} must have density(x), as what ds.diagnostics.fit_lognormal returns has")
    edges = np.geomspace(low, high, whole("bins", bins) + 1)
    with canvas(ax, aspect=0.65, width=SINGLE_COLUMN) as ax:
        counts, _ = np.histogram(w, edges)
        density = counts / w.size / np.diff(np.log10(edges))
        ax.bar(edges[:-1], density, np.diff(edges), align="edge", color=color, linewidth=0)
        if fit is not None:
            x = np.geomspace(low, high, 300)
            ax.plot(x, fit.density(x) * x * np.log(10.0), color=BLACK, label="log-normal fit")
            ax.legend()
        ax.set_xscale("log")
        ax.set_xlabel(label)
        ax.set_ylabel("density per decade")
    return ax


def plot_path_gain(
    reports: Any,
    *,
    what: str = "gain",
    ax: Axes | None = None,
    log: bool = True,
    legend: bool = True,
) -> Axes:
    """Draw path gains or input resistances of every layer: median, quartiles, and the range that holds nine tenths.

    Parameters
    ----------
    reports : PathGains or mapping from label to PathGains
        From ``ds.diagnostics.path_gains``.
    what : {"gain", "resistance"}
        Which.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    log : bool, default True
        Whether the vertical axis is logarithmic.
    legend : bool, default True
        Whether to add a legend of labels.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    ParameterError
        If something is no such report, or they have different layers.
    """
    choose("what", what, _WHAT)
    series = labelled("reports", reports, "table", "a PathGains")
    layers = [row for row in next(iter(series.values()))[0].table["layer"].tolist() if row != "all"]
    with canvas(ax, aspect=0.65, width=SINGLE_COLUMN) as ax:
        step = 0.6 / len(series)
        for i, (label, repeated) in enumerate(series.items()):
            if len(repeated) != 1:
                raise ParameterError(f"one PathGains per label can be drawn; got {len(repeated)} under {label!r}")
            table = repeated[0].table
            rows = table[table["layer"] != "all"]
            if rows["layer"].tolist() != layers:
                raise ParameterError(f"the report {label!r} has layers {rows['layer'].tolist()}; expected {layers}")
            at = np.arange(len(rows)) + (i - 0.5 * (len(series) - 1)) * step
            color = COLORS[i % len(COLORS)]
            ax.vlines(at, rows[f"{what}_q05"], rows[f"{what}_q95"], color=color, linewidth=0.8)
            ax.vlines(at, rows[f"{what}_q25"], rows[f"{what}_q75"], color=color, linewidth=3.0)
            ax.plot(
                at, rows[f"{what}_q50"], MARKERS[i % len(MARKERS)], color=color, markerfacecolor="white", markersize=4,
                label=label or None,
            )  # fmt: skip
        if log:
            ax.set_yscale("log")
        ax.set_xticks(range(len(layers)), _names(layers))
        ax.set_xlim(-0.6, len(layers) - 0.4)
        if len({name.partition("/")[0] for name in layers}) == 1:
            ax.set_xlabel("stage (branchings to the soma)")
        ax.set_ylabel(_WHAT[what])
        if legend and any(series):
            legend_above(ax)
    return ax


def _names(layers: list[str]) -> list[str]:
    if len({name.partition("/")[0] for name in layers}) == 1:
        return [name.rpartition("stage ")[2] for name in layers]
    return [name.replace("/", "\n") for name in layers]
