"""Voltages and spikes against time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, numbers, several, short
from ..biophysics.time.trace import Trace
from ..errors import ParameterError
from .fidelity import COLORS, STYLES
from .styling import BLACK, NEUTRAL, SINGLE_COLUMN, canvas, options_for

Ints = NDArray[np.int64]


def plot_trace(
    trace: Trace,
    *,
    compartments: ArrayLike | None = None,
    stimuli: ArrayLike | None = None,
    labels: Sequence[str] | None = None,
    spikes: bool = True,
    unit: str = "mV",
    ax: Axes | None = None,
    legend: bool = True,
    **options: Any,
) -> Axes:
    """Draw recorded voltages against time, with spikes as ticks above.

    Parameters
    ----------
    trace : Trace
        What `simulate` returned.
    compartments : int or sequence of int, optional
        Which of the recorded compartments; by default all.
    stimuli : int or sequence of int, optional
        Which stimuli; by default all.
    labels : sequence of str, optional
        Names of the compartments for the legend, or of the stimuli where there is one compartment.
    spikes : bool, default True
        Whether to mark spikes of these compartments: a reset soma does not show them in its voltage.
    unit : str, default "mV"
        Of the voltage; empty in normalised units.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    legend : bool, default True
        Whether to add a legend, where there are several lines.
    **options
        For ``matplotlib.axes.Axes.plot``, such as ``linewidth`` or ``alpha``.

    Returns
    -------
    Axes
        The axes. Compartments differ in colour and stimuli in line style; of a single compartment, stimuli in colour.

    Raises
    ------
    ParameterError
        If something was not recorded, or there are more lines than can be told apart.

    Examples
    --------
    >>> import dendrosim as ds
    >>> cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    >>> trace = ds.simulate(cell, mechanisms=ds.IntegrateAndFire(), clamps=ds.Clamp(0, 400.0), duration=100.0)
    >>> ax = ds.plotting.plot_trace(trace, labels=["soma"])
    """
    _check(trace)
    columns, rows = recorded_columns(trace, compartments), _rows(trace, stimuli)
    several = columns.size > 1
    most = (len(COLORS), len(STYLES)) if several else (1, len(COLORS) * len(STYLES))
    if columns.size > most[0] or rows.size > most[1]:
        raise ParameterError(
            f"{columns.size} compartments under {rows.size} stimuli are too many lines to tell apart (at most "
            f"{most[0]} and {most[1]}): choose with compartments= and stimuli="
        )
    names = _labels(labels, trace.compartment[columns] if several else rows, "compartment" if several else "stimulus")
    with canvas(ax, aspect=0.55, width=SINGLE_COLUMN) as ax:
        marked = 0
        for i, column in enumerate(columns):
            for j, row in enumerate(rows):
                first, second = (i, j) if several else (j % len(COLORS), j // len(COLORS))
                look = {"color": COLORS[first], "linestyle": STYLES[second]}
                label = names[i if several else j] + (f", stimulus {row}" if several and rows.size > 1 else "")
                with options_for("Line2D"):
                    ax.plot(trace.time, trace.voltage[row, :, column], **{**look, "label": label, **options})
                times = _spikes(trace, int(row), int(trace.compartment[column])) if spikes else np.empty(0)
                if times.size:
                    height = np.full(times.size, 1.03 + 0.06 * marked)
                    marked += 1
                    ax.plot(
                        times, height, "|", color=look["color"], markersize=4.0, markeredgewidth=0.7, clip_on=False,
                        transform=ax.get_xaxis_transform(),
                    )  # fmt: skip
        ax.set_xlim(trace.time[0], trace.time[-1])
        ax.set_xlabel("time (ms)")
        ax.set_ylabel(f"voltage ({unit})" if unit else "voltage")
        if legend and columns.size * rows.size > 1:
            ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.0)
    return ax


def plot_raster(
    trace: Trace,
    *,
    compartments: ArrayLike | None = None,
    stimuli: ArrayLike | None = None,
    ax: Axes | None = None,
    **options: Any,
) -> Axes:
    """Draw spikes as ticks against time, a row for every cell under every stimulus.

    Parameters
    ----------
    trace : Trace
        What `simulate` returned.
    compartments : int or sequence of int, optional
        Compartments that fire, one row each; by default those that have fired. Name silent ones too if they shall have
        rows.
    stimuli : int or sequence of int, optional
        Which stimuli; by default all.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    **options
        For ``matplotlib.axes.Axes.plot``, such as ``color`` or ``markersize``.

    Returns
    -------
    Axes
        The axes, first row on top. With several cells under several stimuli, rows of one stimulus are next to each
        other, and lines lie between stimuli.

    Raises
    ------
    ParameterError
        If a stimulus does not exist.
    """
    _check(trace)
    rows = _rows(trace, stimuli)
    cells = np.unique(trace.spike_compartment) if compartments is None else _integers("compartments", compartments)
    n_rows = max(rows.size * cells.size, 1)
    with canvas(ax, aspect=min(0.25 + 0.012 * n_rows, 1.2), width=SINGLE_COLUMN) as ax:
        height = 0.6 * ax.get_window_extent().height * 72.0 / ax.figure.dpi / n_rows  # of a tick, points
        look = {"color": BLACK, "markersize": float(np.clip(height, 1.0, 8.0)), "markeredgewidth": 0.6, **options}
        time, place = [], []
        for i, row in enumerate(rows):
            for j, cell in enumerate(cells):
                times = _spikes(trace, int(row), int(cell))
                time.append(times)
                place.append(np.full(times.size, i * cells.size + j))
        with options_for("Line2D"):
            ax.plot(np.concatenate(time or [np.empty(0)]), np.concatenate(place or [np.empty(0)]), "|", **look)
        ax.set_xlim(0.0, trace.n_steps * trace.dt)
        ax.set_ylim(n_rows - 0.5, -0.5)
        ax.set_xlabel("time (ms)")
        if cells.size > 1 and rows.size > 1:
            for i in range(1, rows.size):
                ax.axhline(i * cells.size - 0.5, color=NEUTRAL, linewidth=0.5)
            middles = (np.arange(rows.size) + 0.5) * cells.size - 0.5
            step = max(1, rows.size // 8)
            ax.set_yticks(middles[::step], [str(row) for row in rows[::step]])
            ax.set_ylabel(f"stimulus ({cells.size} cells each)")
        else:
            shown = cells if cells.size > 1 else rows
            ax.set_ylabel("firing compartment" if cells.size > 1 else "stimulus")
            if shown.size > 8:
                ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
                if not np.array_equal(shown, np.arange(shown.size)):
                    step = shown.size // 6
                    ax.set_yticks(np.arange(shown.size)[::step], [str(v) for v in shown[::step]])
            else:
                ax.set_yticks(np.arange(shown.size), [str(v) for v in shown])
    return ax


def recorded_columns(trace: Trace, compartments: ArrayLike | None) -> Ints:
    """Columns of ``trace.voltage`` that hold these compartments, all if None.

    Raises
    ------
    ParameterError
        If one was not recorded.
    """
    if compartments is None:
        return np.arange(trace.compartment.size)
    wanted = _integers("compartments", compartments)
    places = {int(c): i for i, c in enumerate(trace.compartment)}
    missing = [int(c) for c in wanted if int(c) not in places]
    if missing:
        raise ParameterError(
            f"compartment {missing[0]} was not recorded; recorded are {short(trace.compartment.tolist())}: give "
            "record= to simulate"
        )
    return np.array([places[int(c)] for c in wanted], np.int64)


def _check(trace: Trace) -> None:
    instance("trace", trace, Trace, "as ds.simulate returns it")


def _rows(trace: Trace, stimuli: ArrayLike | None) -> Ints:
    n = len(trace.voltage)
    if stimuli is None:
        return np.arange(n)
    rows = _integers("stimuli", stimuli)
    bad = rows[(rows < 0) | (rows >= n)]
    if bad.size:
        raise ParameterError(f"stimulus {bad[0]} is not in the batch of {n}: 0 ... {n - 1}")
    return rows


def _integers(name: str, value: ArrayLike) -> Ints:
    array = np.atleast_1d(numbers(name, value))
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        raise ParameterError(f"{name}={short(value)} must be a whole number or a list of them")
    return array.astype(np.int64)


def _labels(labels: Sequence[str] | None, which: Ints, noun: str) -> list[str]:
    if labels is None:
        return [f"{noun} {i}" for i in which]
    labels = several("labels", labels, f"a list of {which.size}, one for each {noun}")
    if len(labels) != which.size:
        raise ParameterError(f"labels={short(labels)} must be a list of {which.size}, one for each {noun}")
    return [str(label) for label in labels]


def _spikes(trace: Trace, stimulus: int, compartment: int) -> NDArray[np.float64]:
    """Times of spikes of one compartment under one stimulus."""
    return np.asarray(trace.spike_time[(trace.spike_stimulus == stimulus) & (trace.spike_compartment == compartment)])
