"""The tree of compartments unfolded: distance from the soma against order of the tips."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from .morphology import colors_of
from .protocols import TreeLike
from .styling import SINGLE_COLUMN, canvas, options_for, region_legend
from .tree_layout import DISTANCES, check_tree, layout_tree
from .values import checked_values, color_scale


def plot_dendrogram(
    compartments: TreeLike,
    values: ArrayLike | None = None,
    *,
    distance: str = "path",
    ax: Axes | None = None,
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
    linewidth: float | None = None,
    **options: Any,
) -> Axes:
    """Draw the tree unfolded, soma at the left, one row per tip, every compartment in its own colour.

    Parameters
    ----------
    compartments : Compartments
        What to draw; the cells of a forest stand one above the other.
    values : array-like of shape (N,), optional
        One number per compartment; without them it is coloured by region.
    distance : {"path", "electrotonic", "stage"}
        Horizontal axis: path length in um, electrotonic length in units of the length constant, or number of branchings
        (for trees without lengths).
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    cmap, norm, vmin, vmax, center, percentile
        Scale of colours, see :func:`dendrosim.plotting.values.color_scale`.
    label, unit : str, optional
        Label of the colour bar: ``label (unit)``.
    colorbar, legend : bool, default True
        Whether to add a colour bar (with `values`) or a legend of regions (without).
    linewidth : float, optional
        In points; by default thinner the more tips there are.
    **options
        For ``matplotlib.collections.LineCollection``, such as ``alpha`` or ``rasterized``.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    ParameterError
        If the number of values is not that of compartments, a value is not finite, an option is not known, or the
        compartments have no lengths.
    """
    check_tree(compartments)
    scale = None
    if values is not None:
        values = checked_values(values, compartments.size, "compartment")
        scale = color_scale(values, cmap=cmap, norm=norm, vmin=vmin, vmax=vmax, center=center, percentile=percentile)
    tree = layout_tree(compartments, distance)
    horizontal = np.stack([np.stack([tree.begin, tree.row], 1), np.stack([tree.end, tree.row], 1)], 1)
    at = tree.end[tree.branching]
    vertical = np.stack([np.stack([at, tree.lowest], 1), np.stack([at, tree.highest], 1)], 1)
    both: Any = np.concatenate([vertical, horizontal])
    owner = np.concatenate([tree.branching, np.arange(compartments.size)])
    roots = np.flatnonzero(np.asarray(compartments.parent) < 0)
    colors = colors_of(np.asarray(compartments.region), None)
    with canvas(ax, aspect=float(np.clip(0.35 + 0.006 * tree.n_tips, 0.5, 1.3)), width=SINGLE_COLUMN) as ax:
        width = linewidth or float(np.clip(60 / max(tree.n_tips, 1), 0.5, 1.6))
        with options_for("LineCollection"):
            lines = LineCollection(both, **{"linewidths": width, "capstyle": "projecting", **options})
        soma: dict[str, Any] = {"s": 14.0, "linewidths": 0, "zorder": 3, "clip_on": False}
        if scale is not None and values is not None:
            lines.set(array=values[owner], cmap=scale.cmap, norm=scale.norm)
            ax.scatter(tree.begin[roots], tree.row[roots], c=values[roots], cmap=scale.cmap, norm=scale.norm, **soma)
        else:
            lines.set_color(colors[owner])
            ax.scatter(tree.begin[roots], tree.row[roots], c=colors[roots], **soma)
        ax.add_collection(lines, autolim=False)
        _axes(ax, tree.end, tree.n_tips, distance)
        if scale is not None and colorbar:
            scale.add_colorbar(ax, label, unit)
        elif scale is None and legend:
            region_legend(ax, np.unique(np.asarray(compartments.region)).astype(str).tolist())
    return ax


def _axes(ax: Axes, end: np.ndarray[Any, Any], n_tips: int, distance: str) -> None:
    farthest = float(end.max()) if end.size else 0.0
    ax.set_xlim(0.0, 1.02 * farthest or 1.0)
    ax.set_ylim(-1.0, max(n_tips, 1))
    ax.set_yticks([])
    for side in ("left", "top", "right"):
        ax.spines[side].set_visible(False)
    if distance == "stage":
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(DISTANCES[distance])
