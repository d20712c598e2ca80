"""One value per synapse, as markers on the cell."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import ArrayLike, NDArray

from ..arguments import number
from ..errors import ParameterError, choose
from ..morphology.compartments import compartments_given
from .morphology import plane, plot_morphology
from .pieces import pieces_of
from .protocols import CompartmentsLike, SynapsesLike
from .styling import DOUBLE_COLUMN, NEUTRAL, style
from .synapse_markers import MARKERS, check_synapses, checked_compartments, synapse_positions
from .values import ColorScale, checked_values, color_scale


def plot_synapse_map(
    compartments: CompartmentsLike,
    synapse_compartment: ArrayLike,
    values: ArrayLike,
    *,
    ax: Axes | None = None,
    projection: str = "xy",
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    center: float | None = 0.0,
    percentile: float | None = None,
    label: str | None = None,
    unit: str | None = None,
    colorbar: bool = True,
    marker: str = "o",
    size: float = 7.0,
    color: str = NEUTRAL,
    **options: Any,
) -> Axes:
    """Draw one value per synapse as coloured markers on a grey cell, the largest magnitudes on top.

    Parameters
    ----------
    compartments : Compartments
        What the synapses sit on.
    synapse_compartment : int array-like of shape (n_synapses,)
        Compartment of each synapse, such as ``synapses.compartment``.
    values : array-like of shape (n_synapses,)
        One number per synapse, such as ``gradient.conductance``.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    projection : {"xy", "xz", "yx", "yz", "zx", "zy"}
        Coordinate to the right, coordinate upwards.
    cmap, vmin, vmax, center, percentile
        Scale of colours, see :func:`dendrosim.plotting.values.color_scale`; diverging and symmetric about zero unless
        ``center=None``.
    label, unit : str, optional
        Label of the colour bar: ``label (unit)``.
    colorbar : bool, default True
        Whether to add one.
    marker : str, default "o"
        Marker of matplotlib.
    size : float, default 7
        Area of the markers in points squared.
    color : str
        Colour of the cell.
    **options
        As for :func:`dendrosim.plotting.plot_morphology`, for the cell.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    ParameterError
        If the numbers of values and of synapses differ, a value is not finite, or a compartment does not exist.
    """
    compartments_given("compartments", compartments)
    index = checked_compartments(synapse_compartment, compartments.size)
    values = checked_values(values, index.size, "synapse")
    scale = color_scale(values, cmap=cmap, vmin=vmin, vmax=vmax, center=center, percentile=percentile)
    ax = plot_morphology(compartments, ax=ax, projection=projection, color=color, legend=False, **options)
    _mark(ax, compartments, index, values, scale, projection, marker, size)
    if colorbar:
        scale.add_colorbar(ax, label, unit)
    return ax


def plot_synapse_maps(
    compartments: CompartmentsLike,
    synapses: SynapsesLike,
    values: ArrayLike,
    *,
    figure: Figure | SubFigure | None = None,
    scale: str = "shared",
    projection: str = "xy",
    cmap: str | Colormap | None = None,
    center: float | None = 0.0,
    percentile: float | None = None,
    label: str | None = None,
    unit: str | None = None,
    size: float = 7.0,
    **options: Any,
) -> Figure | SubFigure:
    """Draw one value per synapse, excitatory and inhibitory synapses side by side.

    Parameters
    ----------
    compartments : Compartments
        What the synapses sit on.
    synapses : Synapses
        Their ``compartment`` and ``sign``.
    values : array-like of shape (n_synapses,)
        One number per synapse, such as ``gradient.conductance``.
    figure : Figure or SubFigure, optional
        Where to draw; a new one of the width of two columns if not given.
    scale : {"shared", "own"}
        Whether both panels share one scale of colours, or each has its own and its own colour bar.
    projection, cmap, center, percentile, label, unit, size, **options
        As for :func:`plot_synapse_map`.

    Returns
    -------
    Figure or SubFigure
        The figure.

    Raises
    ------
    ParameterError
        As for :func:`plot_synapse_map`.
    """
    choose("scale", scale, ("shared", "own"))
    compartments_given("compartments", compartments)
    check_synapses(synapses)
    index = checked_compartments(synapses.compartment, compartments.size)
    values = checked_values(values, index.size, "synapse")
    sign: NDArray[np.int64] = np.asarray(synapses.sign)
    if sign.shape != index.shape:
        raise ParameterError(f"synapses.sign has shape {sign.shape}; expected ({index.size},) as synapses.compartment")
    low, high = pieces_of(compartments).bounds()
    right, up = plane(projection)
    extent = np.maximum(high - low, 1e-9)
    with style():
        if figure is None:
            height = DOUBLE_COLUMN * float(np.clip(0.4 * extent[up] / extent[right], 0.3, 0.75))
            layout = ConstrainedLayoutEngine(compress=True, w_pad=0.12)
            figure = plt.figure(figsize=(DOUBLE_COLUMN, height), layout=layout)
        panels = list(figure.subplots(1, 2))
        sides = {"excitatory": sign > 0, "inhibitory": sign < 0}
        common = color_scale(values, cmap=cmap, center=center, percentile=percentile)
        for ax, (name, side) in zip(panels, sides.items(), strict=True):
            own = (
                common
                if scale == "shared"
                else color_scale(values[side], cmap=cmap, center=center, percentile=percentile)
            )
            plot_morphology(compartments, ax=ax, projection=projection, legend=False, **{"color": NEUTRAL, **options})
            _mark(ax, compartments, index[side], values[side], own, projection, MARKERS[name], size)
            ax.set_title(f"{np.count_nonzero(side)} {name}")
            if scale == "own":
                own.add_colorbar(ax, label, unit)
        if scale == "shared":
            common.add_colorbar(panels, label, unit)
    return figure


def _mark(
    ax: Axes,
    compartments: CompartmentsLike,
    index: NDArray[np.int64],
    values: NDArray[np.float64],
    scale: ColorScale,
    projection: str,
    marker: str,
    size: float,
) -> None:
    position = synapse_positions(compartments, pieces_of(compartments), index)
    middle = 0.5 * ((scale.norm.vmin or 0.0) + (scale.norm.vmax or 0.0))
    order = np.argsort(np.abs(values - middle), kind="stable")
    right, up = plane(projection)
    ax.scatter(
        position[order, right],
        position[order, up],
        c=values[order],
        cmap=scale.cmap,
        norm=scale.norm,
        s=number("size", size, above=0),
        marker=marker,
        linewidths=0.25,
        edgecolors="black",
        zorder=3,
    )
