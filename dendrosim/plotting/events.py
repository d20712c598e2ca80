"""How a synaptic potential attenuates on its way to the soma: the cell, the voltages, their peaks and widths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from ..arguments import index, instance, number, numbers, whole
from ..biophysics.time.trace import Trace
from ..diagnostics.events import EventShape, event_shape
from ..errors import ParameterError
from ..morphology.compartments import compartments_given
from .morphology import plot_morphology
from .protocols import CompartmentsLike
from .styling import BLACK, DOUBLE_COLUMN, NEUTRAL, SEQUENTIAL, VERMILLION, style
from .values import ColorScale

Floats = NDArray[np.float64]
_SPAN = 300.0
"""Greatest depolarisation over the least one that maps tell apart."""


def plot_attenuation_panels(
    compartments: CompartmentsLike,
    trace: Trace,
    site: int,
    *,
    start: float = 0.0,
    moments: Sequence[float] | None = None,
    stimulus: int = 0,
    points: int = 3,
    steady: ArrayLike | None = None,
    until: float | None = None,
    projection: str = "xy",
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw one synaptic potential on its way: maps of the cell, voltages against time, peak and width against distance.

    Parameters
    ----------
    compartments : Compartments
        The cell.
    trace : Trace
        Of that cell, ``record="all"``, with one event.
    site : int
        Compartment of the synapse.
    start : float, default 0.0
        When the event starts, ms.
    moments : sequence of float, optional
        Times after `start`, ms, of maps of the voltage: the event as a film. Without them a single map, of the peak
        depolarisation of every compartment.
    stimulus : int, default 0
        Row of the batch.
    points : int, default 3
        Compartments between site and soma whose voltages are drawn too, at equal path distances.
    steady : array of shape (N,), optional
        Voltages when a current is held at the site, of any scale: drawn beside the peaks, scaled to the peak at the
        site.
    until : float, optional
        End of the axis of time, ms after `start`; by default the recording's.
    projection : {"xy", "xz", "yx", "yz", "zx", "zy"}
        Of the maps.
    figure : Figure or SubFigure, optional
        Where to draw; a new one of the width of two columns if not given.

    Returns
    -------
    Figure or SubFigure
        The figure: (a) maps, on a logarithmic scale over a factor of 300; (b) voltages; (c) peaks and half-widths, of
        compartments on the path to the soma as a line, of all others as pale dots.

    Raises
    ------
    ParameterError
        If the trace is not of every compartment, or a number is impossible.
    """
    compartments_given("compartments", compartments)
    points = whole("points", points)
    instance("trace", trace, Trace, "as ds.simulate returns it")
    n = compartments.size
    if not np.array_equal(trace.compartment, np.arange(n)):
        raise ParameterError(f"the trace must be of all {n} compartments: simulate(..., record='all')")
    site, row = index("site", site, n), index("stimulus", stimulus, len(trace.voltage))
    shape = event_shape(trace, start=start)
    now = trace.time - start
    depolarisation = np.asarray(trace.voltage[row] - shape.baseline[row])
    end = float(now[-1]) if until is None else number("until", until, above=0, unit="ms")
    frames = None if moments is None else _frames(now, moments)
    path = _path(compartments, site)
    line = None
    if steady is not None:
        held = numbers("steady", steady).astype(np.float64)
        if held.shape != (n,) or not held[site] > 0:
            raise ParameterError(f"steady has shape {held.shape}; expected ({n},), positive at the site")
        line = held / held[site] * shape.peak[row, site]
    with style():
        maps, right = _layout(figure, 1 if frames is None else len(frames))
        _draw_maps(maps, compartments, shape.peak[row], depolarisation, frames, now, site, projection)
        _draw_times(right[0], compartments, now, depolarisation, path, points, end)
        _draw_distances(right[1], right[2], compartments, shape, row, path, line)
        for ax, letter in zip((maps[0], right[0], right[1]), "abc", strict=True):
            ax.set_title(letter, loc="left", fontweight="bold")
    return maps[0].figure


def _layout(figure: Figure | SubFigure | None, n_maps: int) -> tuple[list[Axes], list[Axes]]:
    """Axes of maps, and of the three curves: beside a single map, below several."""
    single = n_maps == 1
    if figure is None:
        height = 0.42 if single else 0.72
        figure = plt.figure(figsize=(DOUBLE_COLUMN, height * DOUBLE_COLUMN), layout="constrained")
    if single:
        grid = figure.add_gridspec(2, 3, width_ratios=[1.0, 1.15, 1.15])
        maps = [figure.add_subplot(grid[:, 0])]
        places: Any = (grid[:, 1], grid[0, 2], grid[1, 2])
    else:
        halves = figure.add_gridspec(2, 1, height_ratios=[1.25, 1.0])
        above, below = halves[0].subgridspec(1, n_maps), halves[1].subgridspec(1, 3)
        maps = [figure.add_subplot(above[0, i]) for i in range(n_maps)]
        places = (below[0, 0], below[0, 1], below[0, 2])
    return maps, [figure.add_subplot(place) for place in places]


def _draw_maps(
    maps: list[Axes],
    compartments: CompartmentsLike,
    peak: Floats,
    depolarisation: Floats,
    frames: list[int] | None,
    now: Floats,
    site: int,
    projection: str,
) -> None:
    top = float(peak.max())
    if not top > 0:
        raise ParameterError("no compartment is depolarised: the trace holds no excitatory event after start")
    norm = LogNorm(top / _SPAN, top)
    shown = [peak] if frames is None else [depolarisation[frame] for frame in frames]
    for i, (ax, values) in enumerate(zip(maps, shown, strict=True)):
        plot_morphology(
            compartments, np.maximum(values, top / _SPAN), ax=ax, norm=norm, cmap=SEQUENTIAL, colorbar=False,
            scale_bar=i == 0, projection=projection,
        )  # fmt: skip
        first, second = ("xyz".index(letter) for letter in projection)
        at = np.asarray(compartments.xyz)[site]
        ax.plot(at[first], at[second], "o", markersize=6, markerfacecolor="none", color=VERMILLION, markeredgewidth=1.0)
        if frames is not None:
            ax.set_title(f"{now[frames[i]]:g} ms")
    label = "peak depolarisation" if frames is None else "depolarisation"
    bar: dict[str, Any] = {"orientation": "horizontal", "shrink": 0.9, "aspect": 18} if frames is None else {}
    ColorScale(norm, SEQUENTIAL, "min").add_colorbar(maps, label, "mV", format="{x:g}", **bar)


def _draw_times(
    ax: Axes,
    compartments: CompartmentsLike,
    now: Floats,
    depolarisation: Floats,
    path: list[int],
    points: int,
    end: float,
) -> None:
    distance = np.asarray(compartments.path_distance)[path]
    wanted = np.linspace(distance[0], distance[-1], points + 2)
    chosen = list(dict.fromkeys(int(np.abs(distance - d).argmin()) for d in wanted))
    colors = SEQUENTIAL(np.linspace(0.95, 0.0, len(chosen)))
    for i, color in zip(chosen, colors, strict=True):
        name = f"{distance[i]:.0f} µm"
        name += " (site)" if i == 0 else " (soma)" if i == len(path) - 1 else ""
        ax.plot(now, np.maximum(depolarisation[:, path[i]], 1e-12), color=color, label=name)
    _decades(ax)
    least, most = depolarisation[:, path[-1]].max(), depolarisation[:, path[0]].max()
    ax.set_ylim(0.1 * least, 1.6 * most)
    ax.set_xlim(min(0.0, -0.02 * end), end)
    ax.set_xlabel("time after the spike (ms)")
    ax.set_ylabel("depolarisation (mV)")
    ax.legend(title="path distance", loc="upper right", labelspacing=0.25)


def _draw_distances(
    upper: Axes,
    lower: Axes,
    compartments: CompartmentsLike,
    shape: EventShape,
    row: int,
    path: list[int],
    steady: Floats | None,
) -> None:
    distance = np.asarray(compartments.path_distance)
    others = np.setdiff1d(np.arange(compartments.size), path)
    panels = ((upper, shape.peak[row], "peak (mV)"), (lower, shape.half_width[row], "half-width (ms)"))
    for ax, values, label in panels:
        ax.plot(
            distance[others], values[others], ".", color=NEUTRAL, markersize=2.0, markeredgewidth=0, rasterized=True
        )
        ax.plot(distance[path], values[path], color=BLACK, linewidth=1.2, label="event")
        ax.plot(distance[path[0]], values[path[0]], "o", color=VERMILLION, markersize=4)
        ax.set_xlabel("path distance (µm)")
        ax.set_ylabel(label)
        ax.set_xlim(left=0.0)
    if steady is not None:
        upper.plot(distance[path], steady[path], "--", color=VERMILLION, linewidth=1.0, label="held current")
        upper.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2, columnspacing=1.0)
    _decades(upper)
    positive = shape.peak[row][shape.peak[row] > 0]
    upper.set_ylim(bottom=max(float(positive.min()) * 0.7, float(positive.max()) / 1e4))
    lower.set_ylim(bottom=0.0)


def _decades(ax: Axes) -> None:
    """A logarithmic axis upwards of which 1, 2 and 5 are labelled, as numbers without powers."""
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())


def _frames(now: Floats, moments: Sequence[float]) -> list[int]:
    times = numbers("moments", moments).astype(np.float64)
    if times.ndim != 1 or not times.size or (times < now[0]).any() or (times > now[-1]).any():
        raise ParameterError(
            f"moments must be a list of times between {now[0]:g} and {now[-1]:g} ms after start, which were recorded"
        )
    return [int(np.abs(now - t).argmin()) for t in times]


def _path(compartments: CompartmentsLike, site: int) -> list[int]:
    """Compartments from the site to the soma."""
    path = [site]
    while compartments.parent[path[-1]] >= 0:
        path.append(int(compartments.parent[path[-1]]))
    return path
