"""A cell in three dimensions."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection
from mpl_toolkits.mplot3d.proj3d import proj_transform
from numpy.typing import ArrayLike, NDArray

from ..arguments import number, numbers, short
from ..errors import ParameterError
from .lengths import length_label, round_length
from .morphology import colors_of
from .pieces import Floats, Pieces, pieces_of
from .protocols import CompartmentsLike, MorphologyLike
from .styling import SINGLE_COLUMN, canvas, options_for, region_legend
from .values import checked_values, color_scale


def plot_morphology_3d(
    cell: MorphologyLike | CompartmentsLike,
    values: ArrayLike | None = None,
    *,
    ax: Axes | None = None,
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
    view: tuple[float, float] | None = None,
    minimum_width: float = 0.5,
    **options: Any,
) -> Axes:
    """Draw a cell in three dimensions, coloured as by :func:`dendrosim.plotting.plot_morphology`.

    The projection is orthographic: one scale holds everywhere. Neurites are lines as wide as the neurite for the
    view and the figure size at the time of drawing; they do not follow later zooming. Somas are spheres.

    Parameters
    ----------
    cell : Morphology or Compartments
        What to draw.
    values : array-like of shape (N,), optional
        One number per compartment; of a morphology, one per sample.
    ax : Axes3D, optional
        Where to draw, made with ``projection="3d"``; a new figure of the width of one column if not given.
    color, cmap, norm, vmin, vmax, center, percentile, label, unit, colorbar, legend, minimum_width
        As for :func:`dendrosim.plotting.plot_morphology`.
    scale_bar : bool or float, default True
        Whether to add a corner of three bars along x, y and z; a number is their length in um.
    view : (float, float), optional
        Elevation and azimuth in degrees, y upwards. New axes have (12, 25); given axes keep their view.
    **options
        For ``Line3DCollection``, such as ``alpha`` or ``rasterized``.

    Returns
    -------
    Axes3D
        The axes, equal in x, y and z and without frame.

    Raises
    ------
    ParameterError
        As for :func:`dendrosim.plotting.plot_morphology`, or if `ax` is flat.
    """
    pieces = pieces_of(cell)
    scale = None
    if values is not None:
        if color is not None:
            raise ParameterError("color excludes values: the values give the colours")
        values = checked_values(values, pieces.size, pieces.noun)
        scale = color_scale(values, cmap=cmap, norm=norm, vmin=vmin, vmax=vmax, center=center, percentile=percentile)
        shade = scale.cmap(scale.norm(values))
    else:
        shade = colors_of(pieces.region, color)
    given = ax is not None
    with canvas(ax, aspect=1.0, width=SINGLE_COLUMN, projection="3d") as drawn:
        ax = drawn
        if not isinstance(ax, Axes3D):
            raise ParameterError("ax is flat; make it with figure.add_subplot(projection='3d'), or use plot_morphology")
        if view is not None or not given:
            angles = numbers("view", (12.0, 25.0) if view is None else view)
            if angles.shape != (2,) or not np.isfinite(angles).all():
                raise ParameterError(f"view={short(view)} must be (elevation, azimuth) in degrees")
            elevation, azimuth = map(float, angles)
            ax.view_init(elev=elevation, azim=azimuth, vertical_axis="y")
        points_per_um = _frame(ax, pieces)
        thinnest = number("minimum_width", minimum_width)
        widths = np.maximum((pieces.radius_start + pieces.radius_stop) * points_per_um, thinnest)
        lines = np.stack([pieces.start, pieces.stop], axis=1)
        if pieces.owner.size:
            with options_for("LineCollection"):
                neurites = Line3DCollection(
                    lines, **{"linewidths": widths, "colors": shade[pieces.owner], "capstyle": "round", **options}
                )
            ax.add_collection3d(neurites)
        if pieces.sphere_owner.size:
            faces, sphere = _sphere_faces(pieces)
            color_of_face = shade[pieces.sphere_owner][sphere]
            ax.add_collection3d(
                Poly3DCollection(faces, facecolors=color_of_face, edgecolors=color_of_face, linewidths=0.2)
            )
        if scale_bar and pieces.size:
            _corner(ax, pieces, None if scale_bar is True else float(scale_bar))
        if scale is not None and colorbar:
            scale.add_colorbar(ax, label, unit)
        elif legend and color is None and scale is None:
            region_legend(ax, pieces.drawn_regions())
    return drawn


def _frame(ax: Any, pieces: Pieces) -> float:
    """Make the axes fit the cell as it is seen now; return the points per um."""
    low, high = pieces.bounds()
    middle = 0.5 * (low + high)
    half = 0.5 * float((high - low).max()) or 1.0
    for name, at in zip("xyz", middle, strict=True):
        getattr(ax, f"set_{name}lim")(at - half, at + half)
    ax.set_axis_off()
    ax.set_proj_type("ortho")
    ax.set_box_aspect((1, 1, 1))
    around = np.concatenate([np.eye(3), -np.eye(3)])
    spheres = (pieces.center[:, None] + pieces.radius[:, None, None] * around).reshape(-1, 3)
    corner = _lowest_corner(ax, low, high)[None]
    seen = _seen(ax, np.concatenate([pieces.start, pieces.stop, spheres, middle[None], corner]))
    reach = float(np.abs(seen - 0.5).max())
    zoom = 0.41 / reach if reach > 1e-6 else 1.0
    ax.set_box_aspect((1, 1, 1), zoom=zoom)
    box = ax.get_window_extent()
    # equal axes are a rotation times one scale: the squares of what is seen of x, y and z sum to twice its square
    edges = _seen(ax, middle + half * np.eye(3)) - _seen(ax, middle[None])
    scale = float(np.sqrt((edges**2).sum() / 2)) / half
    return float(min(box.width, box.height) * 72.0 / ax.figure.dpi * scale)


def _seen(ax: Any, points: Floats) -> Floats:
    """Return where points are seen, in fractions of the (square) axes, shape (n, 2)."""
    x, y, _ = proj_transform(*points.T, ax.get_proj())
    fractions: Floats = ax.transLimits.transform(np.stack([x, y], axis=1))
    return fractions


def _lowest_corner(ax: Any, low: Floats, high: Floats) -> Floats:
    """Return the corner of a box that is seen lowest on the left, shape (3,)."""
    corners: Floats = np.array(list(product(*np.stack([low, high], axis=1))))
    lowest: Floats = corners[_seen(ax, corners).sum(axis=1).argmin()]
    return lowest


def _sphere_faces(pieces: Pieces) -> tuple[Floats, NDArray[np.int64]]:
    """Return the faces of all spheres, shape (m * 288, 4, 3), and which sphere each belongs to."""
    around, down = np.linspace(0, 2 * np.pi, 25), np.linspace(0, np.pi, 13)
    grid = np.stack(
        [
            np.outer(np.sin(down), np.cos(around)),
            np.outer(np.sin(down), np.sin(around)),
            np.outer(np.cos(down), np.ones(25)),
        ],
        axis=-1,
    )
    unit = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], axis=2).reshape(-1, 4, 3)
    faces = pieces.center[:, None, None] + pieces.radius[:, None, None, None] * unit
    return faces.reshape(-1, 4, 3), np.repeat(np.arange(pieces.radius.size), len(unit))


def _corner(ax: Any, pieces: Pieces, length: float | None) -> None:
    """Three bars of equal length along x, y and z, at the corner of the cell's box that is seen lowest on the left."""
    low, high = pieces.bounds()
    length = round_length(float((high - low).max()) / 6) if length is None else length
    origin = _lowest_corner(ax, low, high)
    bars: Any = np.stack([np.broadcast_to(origin, (3, 3)), origin + length * np.eye(3)], axis=1)
    ax.add_collection3d(Line3DCollection(bars, colors="black", linewidths=1.0, capstyle="butt"))
    for name, end in zip("xyz", origin + 1.3 * length * np.eye(3), strict=True):
        ax.text(*end, name, size="small", ha="center", va="center")
    ax.text(*(origin + 0.5 * length * np.eye(3)[1]), f"{length_label(length)} ", size="small", ha="right", va="center")
