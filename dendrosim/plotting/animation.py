"""The voltage of a cell as a film."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.colors import Normalize

from ..arguments import index, instance, number, whole
from ..arguments import path as path_given
from ..biophysics.time.trace import Trace
from ..errors import ParameterError
from .morphology import draw_pieces, frame, plane
from .pieces import pieces_of
from .protocols import CompartmentsLike
from .scale_bar import add_scale_bar
from .styling import SINGLE_COLUMN, style
from .values import color_scale

WRITERS: dict[str, Any] = {".gif": PillowWriter, ".mp4": FFMpegWriter}


def animate_voltage(
    trace: Trace,
    compartments: CompartmentsLike,
    path: str | Path,
    *,
    stimulus: int = 0,
    start: float = 0.0,
    stop: float | None = None,
    frames: int = 60,
    fps: float = 15.0,
    projection: str = "xy",
    cmap: Any = None,
    norm: Normalize | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    unit: str = "mV",
    dpi: float = 100.0,
    minimum_width: float = 0.8,
) -> Path:
    """Write the voltage of every compartment as a film, GIF or MP4.

    Parameters
    ----------
    trace : Trace
        Of that cell, ``record="all"``.
    compartments : Compartments
        The cell.
    path : str or Path
        File to write, ``.gif`` (by pillow, which comes with matplotlib) or ``.mp4`` (by ffmpeg, if there is one).
    stimulus : int, default 0
        Row of the batch.
    start, stop : float, default 0 and the end
        Which part, ms.
    frames : int, default 60
        How many pictures, at recorded times as evenly spaced as these allow; at most as many as there are.
    fps : float, default 15.0
        Pictures per second.
    projection : {"xy", "xz", "yx", "yz", "zx", "zy"}
        Coordinate to the right, coordinate upwards.
    cmap, norm, vmin, vmax
        Scale of colours, one for all pictures, see :func:`dendrosim.plotting.values.color_scale`.
    unit : str, default "mV"
        Of the voltage.
    dpi : float, default 100.0
        Pixels per inch of a picture of the width of one column.
    minimum_width : float, default 0.8
        As for :func:`plot_morphology`, points.

    Returns
    -------
    Path
        The file. Unlike the other functions here, this one saves: a film is no figure.

    Raises
    ------
    ParameterError
        If the trace is not of every compartment, nothing was recorded in that part, or the ending of the file is
        another, or ffmpeg is missing.
    """
    instance("trace", trace, Trace, "as ds.simulate returns it")
    n = compartments.size
    if not np.array_equal(trace.compartment, np.arange(n)):
        raise ParameterError(f"the trace must be of all {n} compartments: simulate(..., record='all')")
    row = index("stimulus", stimulus, len(trace.voltage))
    file = Path(path_given("path", path)).expanduser()
    if file.suffix not in WRITERS:
        raise ParameterError(f"path={str(file)!r} must end in one of {', '.join(WRITERS)}")
    writer_type = WRITERS[file.suffix]
    if not writer_type.isAvailable():
        raise ParameterError(f"{file.suffix} needs ffmpeg, which is not installed: write a .gif instead")
    end = float(trace.time[-1]) if stop is None else number("stop", stop, unit="ms")
    inside = np.flatnonzero((trace.time >= number("start", start, unit="ms") - 1e-9) & (trace.time <= end + 1e-9))
    if not inside.size:
        raise ParameterError(f"nothing was recorded between start={start:g} and stop={end:g} ms")
    wanted = min(whole("frames", frames, 1), inside.size)
    chosen = inside[np.linspace(0, inside.size - 1, wanted).round().astype(int)]
    voltage = np.asarray(trace.voltage[row][chosen], np.float64)
    scale = color_scale(voltage.ravel(), cmap=cmap, norm=norm, vmin=vmin, vmax=vmax)
    first, second = plane(projection)
    pieces = pieces_of(compartments)
    low, high = (limit[[first, second]] for limit in pieces.bounds())
    extent = np.maximum(high - low, 1e-9)
    with style():
        aspect = float(np.clip(extent[1] / extent[0], 0.4, 2.0)) * 0.85
        figure = plt.figure(figsize=(SINGLE_COLUMN, SINGLE_COLUMN * aspect), layout="compressed")
        ax = figure.add_subplot()
        shapes = draw_pieces(ax, pieces, (first, second), voltage[0], scale, None, minimum_width)
        frame(ax, low, high, True)
        add_scale_bar(ax, float(extent.max()))
        scale.add_colorbar(ax, "voltage", unit)
        title = ax.set_title(_clock(trace, chosen[0]))
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # placed once, not for every picture
        writer = writer_type(fps=number("fps", fps, above=0, unit="pictures per second"))
        with writer.saving(figure, str(file), dpi=number("dpi", dpi, above=0)):
            for values, moment in zip(voltage, chosen, strict=True):
                for collection, owner in shapes:
                    collection.set_array(values[owner])
                title.set_text(_clock(trace, moment))
                writer.grab_frame()
        plt.close(figure)
    return file


def _clock(trace: Trace, moment: int) -> str:
    """Time of a picture, with as many decimals as the steps have."""
    digits = len(f"{trace.dt:g}".partition(".")[2])
    return f"{trace.time[moment]:.{digits}f} ms"
