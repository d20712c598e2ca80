"""The shape of a single event: height, moment, width and area of what leaves the baseline and comes back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance, number
from ..biophysics.time.trace import Trace
from ..errors import ParameterError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EventShape:
    """Shape of the event at every recorded compartment under every stimulus.

    Attributes
    ----------
    baseline : float array of shape (B, n)
        Voltage where it starts, mV.
    peak : float array of shape (B, n)
        Greatest distance from the baseline, mV; negative where that is below it.
    time : float array of shape (B, n)
        When that is, ms after the start.
    half_width : float array of shape (B, n)
        How long the distance is at least half the peak, ms, around the peak; between recorded times along a straight
        line. nan where there is no event, or where it lasts beyond the end of the recording.
    area : float array of shape (B, n)
        Integral of the distance over the rest of the recording, mV ms, by the rule of trapezia.
    """

    baseline: Floats
    peak: Floats
    time: Floats
    half_width: Floats
    area: Floats


def event_shape(trace: Trace, *, start: float = 0.0) -> EventShape:
    """Height, moment, half-width and area of one event, such as a synaptic potential.

    Parameters
    ----------
    trace : Trace
        Recorded often enough to show the event.
    start : float, default 0.0
        When it starts, ms: the voltage at the last recorded time up to then is the baseline.

    Returns
    -------
    EventShape

    Raises
    ------
    ParameterError
        If fewer than two times are recorded from `start` on.

    Notes
    -----
    In a passive cell the areas at two compartments have the ratio of the steady voltages there, whatever the time
    course, for both obey the same equation once time is integrated out (Rinzel & Rall, Biophys J 14:759, 1974). Of the
    steps of a simulation this holds to rounding, where the recording goes on until all is over.

    Examples
    --------
    >>> import dendrosim as ds
    >>> cell = ds.Compartments([-1], leak=5.0, capacitance=100.0, leak_reversal=-70.0)
    >>> synapse = ds.Synapses(cell, [0], sign=1, conductance=1.0)
    >>> trace = ds.simulate(cell, synapse, ds.Spikes([5.0], [0]), duration=200.0)
    >>> shape = ds.diagnostics.event_shape(trace, start=5.0)
    >>> print(f"{shape.peak[0, 0]:.2f} mV, {shape.half_width[0, 0]:.0f} ms")
    1.08 mV, 20 ms
    """
    instance("trace", trace, Trace, "as ds.simulate returns it")
    start = number("start", start, least=0, unit="ms")
    first = int(np.searchsorted(trace.time, start + 1e-9, side="right")) - 1
    time = trace.time[first:] - start
    if time.size < 2:
        raise ParameterError(
            f"start={start:g} ms leaves no recorded time after it; the recording ends at {trace.time[-1]:g} ms"
        )
    voltage = np.asarray(trace.voltage[:, first:], np.float64)
    baseline = voltage[:, 0]
    distance = voltage - baseline[:, None]
    top = np.abs(distance).argmax(axis=1)
    peak = np.take_along_axis(distance, top[:, None], axis=1)[:, 0]
    width = np.full(peak.shape, np.nan)
    for b, n in zip(*np.nonzero(peak), strict=True):
        width[b, n] = _half_width(time, distance[b, :, n] / peak[b, n], int(top[b, n]))
    between = 0.5 * (distance[:, 1:] + distance[:, :-1])
    area = np.einsum("btn,t->bn", between, np.diff(time))
    return EventShape(baseline, peak, time[top], width, area)


def _half_width(time: Floats, share: Floats, top: int) -> float:
    """Time around `top` for which `share` of the peak is at least one half."""
    before, after = np.flatnonzero(share[:top] < 0.5), np.flatnonzero(share[top:] < 0.5)
    if not before.size or not after.size:
        return float("nan")

    def crossing(i: int, j: int) -> float:
        return float(time[i] + (0.5 - share[i]) / (share[j] - share[i]) * (time[j] - time[i]))

    up, down = int(before[-1]), top + int(after[0])
    return crossing(down - 1, down) - crossing(up, up + 1)
