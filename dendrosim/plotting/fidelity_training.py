"""Fidelity over the course of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from ..arguments import names
from ..errors import ParameterError, choose
from .fidelity import MEASURES, STYLES, labelled
from .learning import draw_band
from .styling import BLACK, DOUBLE_COLUMN, SINGLE_COLUMN, canvas, style


def plot_fidelity_over_training(
    histories: Any,
    *,
    quantity: str = "cosine",
    groups: Sequence[str] = ("all",),
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the fidelity of one or more groups over the epochs.

    Parameters
    ----------
    histories : FidelityHistory, sequence of them, or mapping from label to either
        Of a sequence, one per seed, the mean and the band between the extremes.
    quantity : {"cosine", "scale_mismatch", "relative_l2"}
        Column of the tables.
    groups : sequence of str, default ("all",)
        Rows of the tables: with one, labels differ in colour; with several, groups do, and labels in line style.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    legend : bool, default True
        Whether to add a legend.

    Returns
    -------
    Axes
        The axes. Epoch 0 is before training.

    Raises
    ------
    ParameterError
        If a group or the quantity is not known.
    """
    choose("quantity", quantity, MEASURES)
    rows = names("groups", groups)
    series = labelled("histories", histories, "series", "a FidelityHistory")
    if len(series) > len(STYLES) and len(rows) > 1:
        raise ParameterError(f"{len(series)} labels with several groups are too many to tell apart; draw one group")
    with canvas(ax, aspect=0.65, width=SINGLE_COLUMN) as ax:
        for i, (label, repeated) in enumerate(series.items()):
            for j, group in enumerate(rows):
                curves = [one.series(group, quantity) for one in repeated]
                longest = max(repeated, key=len)
                name = ", ".join(filter(None, (label, group if len(rows) > 1 else "")))
                before = len(ax.lines)
                draw_band(ax, curves, j if len(rows) > 1 else i, name, longest.epochs)
                if len(rows) > 1:
                    for line in ax.lines[before:]:
                        line.set_linestyle(STYLES[i])
        if quantity == "cosine":
            ax.axhline(0.0, color=BLACK, linewidth=0.6)
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylabel(MEASURES[quantity])
        ax.margins(x=0.01)
        if legend and (any(series) or len(rows) > 1):
            ax.legend(ncols=2 if len(rows) > 3 else 1)
    return ax


def plot_fidelity_training_figure(
    histories: Any, *, groups: Sequence[str] = ("all",), figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Draw cosine and scale mismatch over training side by side.

    Parameters
    ----------
    histories, groups
        As for :func:`plot_fidelity_over_training`.
    figure : Figure or SubFigure, optional
        Where to draw; a new one of the width of two columns if not given.

    Returns
    -------
    Figure or SubFigure
        The figure.

    Raises
    ------
    ParameterError
        As for :func:`plot_fidelity_over_training`.
    """
    with style():
        if figure is None:
            figure = plt.figure(figsize=(DOUBLE_COLUMN, 0.34 * DOUBLE_COLUMN), layout="constrained")
        panels = np.atleast_1d(figure.subplots(1, 2))
        for ax, quantity in zip(panels, ("cosine", "scale_mismatch"), strict=True):
            plot_fidelity_over_training(histories, quantity=quantity, groups=groups, ax=ax, legend=ax is panels[0])
    return figure
