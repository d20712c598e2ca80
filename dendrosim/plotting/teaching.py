"""How close credits come to the exact ones while a network learns, and what accuracy costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

from ..arguments import names
from ..errors import choose
from .fidelity import labelled
from .learning import draw_band
from .styling import BLACK, DOUBLE_COLUMN, SINGLE_COLUMN, canvas, style

LABELS = {
    "cosine": "cosine to the exact credit",
    "norm_ratio": "length over that of the exact credit",
    "sign_agreement": "share of right signs",
    "decorrelation": "1/2 |mean of V s$^T$|$^2$",
    "mean_square": "mean of V$^2$",
}


def plot_credit_over_training(
    histories: Any,
    *,
    quantity: str = "cosine",
    layer: str = "all",
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw how close credits of one layer are to the exact ones, over the epochs.

    Parameters
    ----------
    histories : CreditHistory, sequence of them, or mapping from label to either
        Of a sequence, one per seed, the mean and the band between the extremes.
    quantity : str, default "cosine"
        One of ``CreditHistory.quantities``.
    layer : str, default "all"
        One of ``CreditHistory.layers``.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    legend : bool, default True
        Whether to add a legend of labels.

    Returns
    -------
    Axes
        The axes. Epoch 0 is before training; labels beyond the seventh repeat colours in another line style.

    Raises
    ------
    ParameterError
        If the layer or the quantity is not known.
    """
    series = labelled("histories", histories, "series", "a CreditHistory")
    with canvas(ax, aspect=0.65, width=SINGLE_COLUMN) as ax:
        for i, (label, repeated) in enumerate(series.items()):
            curves = [one.series(layer, quantity) for one in repeated]
            draw_band(ax, curves, i, label, max(repeated, key=len).epochs)
        if quantity == "cosine":
            ax.axhline(0.0, color=BLACK, linewidth=0.6)
        if quantity in ("norm_ratio", "decorrelation", "mean_square"):
            ax.set_yscale("log")
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylabel(LABELS.get(quantity, quantity))
        ax.margins(x=0.01)
        if legend and any(series):
            ax.legend()
    return ax


def plot_credit_layers_figure(
    histories: Any,
    *,
    quantity: str = "cosine",
    layers: Sequence[str] | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw :func:`plot_credit_over_training` of every layer side by side.

    Parameters
    ----------
    histories, quantity
        As for :func:`plot_credit_over_training`; or a mapping from row to what it takes, for several rows.
    layers : sequence of str, optional
        By default all layers and ``all``.
    figure : Figure or SubFigure, optional
        Where to draw; a new one of the width of two columns if not given.

    Returns
    -------
    Figure or SubFigure
        The figure, with one legend on its right.

    Raises
    ------
    ParameterError
        As for :func:`plot_credit_over_training`.
    """
    nested = isinstance(histories, Mapping) and all(isinstance(value, Mapping) for value in histories.values())
    rows = dict(histories) if nested and histories else {"": histories}
    series = {row: labelled("histories", given, "series", "a CreditHistory") for row, given in rows.items()}
    known = dict.fromkeys(name for row in series.values() for one in row.values() for name in one[0].layers)
    wanted = tuple(known) if layers is None else names("layers", layers)
    for name in wanted:
        choose("layers", name, known)
    every = list(dict.fromkeys(label for row in series.values() for label in row))
    with style():
        if figure is None:
            height = (0.06 + 0.3 * len(rows)) * DOUBLE_COLUMN
            figure = plt.figure(figsize=(DOUBLE_COLUMN, height), layout="constrained")
        axes = figure.subplots(len(rows), len(wanted), sharex=True, sharey="row", squeeze=False)
        for i, (row, given) in enumerate(series.items()):
            for j, name in enumerate(wanted):
                ax = axes[i, j]
                for label, repeated in given.items():
                    here = [one for one in repeated if name in one.layers]
                    if here:
                        curves = [one.series(name, quantity) for one in here]
                        draw_band(ax, curves, every.index(label), label, max(here, key=len).epochs)
                _dress(ax, quantity, name if i == 0 else "", j == 0, i == len(rows) - 1, row)
        legend_beside(figure, axes, every)
    return figure


def plot_accuracy_against_passes(
    runs: Any,
    *,
    metric: str = "validation_accuracy",
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw a metric against the forward passes of minibatches that it took.

    Parameters
    ----------
    runs : Run, sequence of them, or mapping from label to either
        Of a sequence, one per seed, the mean and the band between the extremes.
    metric : str, default "validation_accuracy"
        Name in the histories.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    legend : bool, default True
        Whether to add a legend of labels.

    Returns
    -------
    Axes
        The axes: a point per epoch, passes on a logarithmic axis. A step is one pass, and what a teaching signal asks
        for besides counts in full; backward passes are not counted.

    Raises
    ------
    ParameterError
        If a run has no such metric, or kept no count of passes.
    """
    series = labelled("runs", runs, "history", "a Run")
    with canvas(ax, aspect=0.65, width=SINGLE_COLUMN) as ax:
        for i, (label, repeated) in enumerate(series.items()):
            curves = [np.asarray(one.history[choose("metric", metric, one.history)], float) for one in repeated]
            longest = max(repeated, key=lambda one: one.history[metric].size).history
            draw_band(ax, curves, i, label, longest[choose("passes", "passes", longest)])
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(ScalarFormatter())
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel("forward passes of minibatches")
        ax.set_ylabel(metric.replace("_", " "))
        if legend and any(series):
            ax.legend()
    return ax


def _dress(ax: Axes, quantity: str, title: str, first: bool, last: bool, row: str) -> None:
    if quantity == "cosine":
        ax.axhline(0.0, color=BLACK, linewidth=0.6)
    ax.set_title(title)
    ax.margins(x=0.01)
    if last:
        ax.set_xlabel("epoch")
    if first:
        ax.set_ylabel((f"{row}\n" if row else "") + LABELS.get(quantity, quantity))


def legend_beside(figure: Figure | SubFigure, axes: Any, labels: Sequence[str]) -> None:
    """One legend for all panels, right of them, in the order of `labels`."""
    if not any(labels):
        return
    found: dict[str, Any] = {}
    for ax in axes.flat:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    kept = [label for label in labels if label in found]
    figure.legend([found[label] for label in kept], kept, loc="outside right center")
