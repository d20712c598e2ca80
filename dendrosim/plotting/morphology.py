"""A cell in the plane, true to scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, Normalize, is_color_like, to_rgba
from numpy.typing import ArrayLike

from ..arguments import number, short
from ..errors import ParameterError, choose
from .outline import frustum_outlines, sphere_outlines
from .pieces import Pieces, pieces_of
from .protocols import CompartmentsLike, MorphologyLike, SynapsesLike
from .scale_bar import add_scale_bar
from .styling import NEUTRAL, SINGLE_COLUMN, canvas, options_for, region_color, region_legend
from .synapse_markers import add_synapses, check_synapses, checked_compartments
from .values import ColorScale, checked_values, color_scale

_PLANES = ("xy", "xz", "yx", "yz", "zx", "zy")


def plot_morphology(
    cell: MorphologyLike | CompartmentsLike,
    values: ArrayLike | None = None,
    *,
    ax: Axes | None = None,
    projection: str = "xy",
    color: str | None = None,
    cmap: str | Colormap | None = None,
    norm: Normalize | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    center: float | None = None,
    percentile: float | None = None,
    label: str | None = None,
    unit: str | None = None,
    colorbar: bool = True,
    legend: bool = True,
    scale_bar: bool | float = True,
    synapses: SynapsesLike | None = None,
    minimum_width: float = 0.5,
    **options: Any,
) -> Axes:
    """Draw a cell in the plane, every frustum and the soma true to scale.

    Without `values` the cell is coloured by region; with them every compartment has the colour of its own value, as
    solved, nothing interpolated.

    Parameters
    ----------
    cell : Morphology or Compartments
        What to draw. All cells of a forest are drawn where they are.
    values : array-like of shape (N,), optional
        One number per compartment; of a morphology, one per sample (it colours the piece from the sample's parent).
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    projection : {"xy", "xz", "yx", "yz", "zx", "zy"}
        Coordinate to the right, coordinate upwards.
    color : str, optional
        One colour for the whole cell, without `values`. Grey if `synapses` are drawn.
    cmap, norm, vmin, vmax, center, percentile
        Scale of colours, see :func:`dendrosim.plotting.values.color_scale`: `center` makes it diverging and symmetric,
        `percentile` clips it, which the colour bar then says.
    label, unit : str, optional
        Label of the colour bar: ``label (unit)``.
    colorbar, legend : bool, default True
        Whether to add a colour bar (with `values`) or a legend of regions (without).
    scale_bar : bool or float, default True
        Whether to add a scale bar; a number is its length in um.
    synapses : Synapses, optional
        Marked where they sit: excitatory ones with dots, inhibitory ones with diamonds. Needs compartments.
    minimum_width : float, default 0.5
        Width in points of the line around every piece, in its own colour, so that the thinnest neurite stays visible.
    **options
        For ``matplotlib.collections.PolyCollection``, such as ``alpha``, ``rasterized`` or ``zorder``.

    Returns
    -------
    Axes
        The axes, equal in x and y and without frame.

    Raises
    ------
    ParameterError
        If the number of values is not that of compartments, a value is not finite, an option is not known, or the
        compartments have no positions.

    Examples
    --------
    >>> import dendrosim as ds
    >>> cell = ds.Morphology.load("pyramidal_l5")
    >>> ax = ds.plotting.plot_morphology(cell)
    """
    first, second = plane(projection)
    pieces = pieces_of(cell)
    scale = None
    if values is not None:
        if color is not None:
            raise ParameterError("color excludes values: the values give the colours")
        values = checked_values(values, pieces.size, pieces.noun)
        scale = color_scale(values, cmap=cmap, norm=norm, vmin=vmin, vmax=vmax, center=center, percentile=percentile)
    if synapses is not None:
        if pieces.noun != "compartment":
            raise ParameterError(
                "synapses sit on compartments: draw morphology.compartments(...) instead of the morphology"
            )
        check_synapses(synapses)
        checked_compartments(synapses.compartment, pieces.size)
        color = color or NEUTRAL
    low, high = pieces.bounds()
    low, high = low[[first, second]], high[[first, second]]
    extent = np.maximum(high - low, 1e-9)
    aspect = float(np.clip(extent[1] / extent[0], 0.4, 2.0)) * 0.85
    with canvas(ax, aspect=aspect, width=SINGLE_COLUMN, layout="compressed") as ax:
        empty = not ax.has_data()
        draw_pieces(ax, pieces, (first, second), values, scale, color, minimum_width, **options)
        frame(ax, low, high, empty)
        if synapses is not None:
            add_synapses(ax, cell, pieces, (first, second), synapses, below=scale is not None)  # type: ignore[arg-type]
        if scale_bar and pieces.size:
            length = None if scale_bar is True else number("scale_bar", scale_bar, above=0, unit="um")
            add_scale_bar(ax, float(extent.max()), length)
        if scale is not None and colorbar:
            scale.add_colorbar(ax, label, unit)
        elif legend and color is None and scale is None:
            region_legend(ax, pieces.drawn_regions())
    return ax


def plane(projection: str) -> tuple[int, int]:
    """Return the columns of the coordinates to the right and upwards, such as (0, 2) for ``"xz"``."""
    choose("projection", projection, _PLANES)
    return "xyz".index(projection[0]), "xyz".index(projection[1])


def draw_pieces(
    ax: Axes,
    pieces: Pieces,
    axes: tuple[int, int],
    values: np.ndarray[Any, np.dtype[np.float64]] | None,
    scale: ColorScale | None,
    color: str | None,
    minimum_width: float,
    **options: Any,
) -> list[tuple[PolyCollection, np.ndarray[Any, np.dtype[np.int64]]]]:
    """Add all frusta as one collection and all somas as another, the nearer ones over the farther ones.

    Returns
    -------
    list of (PolyCollection, int array)
        What was added, and which compartment each of its shapes belongs to.
    """
    depth = 3 - sum(axes)
    far_to_near = np.argsort(pieces.start[:, depth] + pieces.stop[:, depth], kind="stable")
    if (axes[1] - axes[0]) % 3 == 2:  # such as x to the right, z upwards: the third axis points away from the reader
        far_to_near = far_to_near[::-1]
    outlines = frustum_outlines(pieces, axes)[far_to_near]
    drawn = []
    groups: Any = ((outlines, pieces.owner[far_to_near]), (sphere_outlines(pieces, axes), pieces.sphere_owner))
    for vertices, owner in groups:
        if not owner.size:
            continue
        settings = {"linewidths": minimum_width, "edgecolors": "face", "joinstyle": "round", **options}
        colored = values is not None and scale is not None
        paint: dict[str, Any] = {} if colored else {"facecolors": colors_of(pieces.region, color)[owner]}
        with options_for("PolyCollection"):
            shapes = PolyCollection(vertices, **{**paint, **settings})
        if values is not None and scale is not None:
            shapes.set(array=values[owner], cmap=scale.cmap, norm=scale.norm)
        ax.add_collection(shapes, autolim=False)
        drawn.append((shapes, owner))
    return drawn


def colors_of(region: np.ndarray[Any, Any], color: str | None) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the colours of regions as an array of shape (n, 4), or `color` for all."""
    if color is not None and not is_color_like(color):
        raise ParameterError(f"color={short(color)} is no colour of matplotlib; such are 'black', 'C0', '#0072B2'")
    names, which = np.unique(region, return_inverse=True)
    return np.array([to_rgba(color or region_color(str(name))) for name in names]).reshape(-1, 4)[which]


def frame(ax: Axes, low: np.ndarray[Any, Any], high: np.ndarray[Any, Any], empty: bool) -> None:
    """Fit the limits to the cell, or widen them if something was drawn already."""
    margin = 0.02 * float((high - low).max()) or 1.0
    left, right, bottom, top = low[0] - margin, high[0] + margin, low[1] - margin, high[1] + margin
    if not empty:
        (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
        left, right, bottom, top = min(left, x0), max(right, x1), min(bottom, y0), max(top, y1)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ax.set_aspect("equal")
    ax.axis("off")
