"""Values against the distance from the soma, drawn along the tree."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike

from ..errors import ParameterError
from .morphology import colors_of
from .protocols import StateLike, TreeLike
from .styling import SINGLE_COLUMN, canvas, options_for, region_legend
from .tree_layout import DISTANCES, check_tree, distances
from .values import checked_values, label_with_unit


def plot_profile(
    compartments: TreeLike,
    values: ArrayLike,
    *,
    distance: str = "path",
    ax: Axes | None = None,
    label: str | None = None,
    unit: str | None = None,
    log: bool = False,
    legend: bool = True,
    **options: Any,
) -> Axes:
    """Draw a value of every compartment against its distance from the soma, a line from each compartment to its parent.

    Parameters
    ----------
    compartments : Compartments
        The tree.
    values : array-like of shape (N,)
        One number per compartment.
    distance : {"path", "electrotonic", "stage"}
        Horizontal axis.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    label, unit : str, optional
        Label of the vertical axis: ``label (unit)``.
    log : bool, default False
        Whether the vertical axis is logarithmic; every value must then be positive.
    legend : bool, default True
        Whether to add a legend of regions.
    **options
        For ``matplotlib.collections.LineCollection``, such as ``linewidths``, ``alpha`` or ``rasterized``.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    ParameterError
        If the number of values is not that of compartments, a value is not finite (or, with `log`, not positive), or
        the compartments have no lengths.
    """
    check_tree(compartments)
    values = checked_values(values, compartments.size, "compartment")
    if log and values.size and values.min() <= 0:
        worst = int(values.argmin())
        raise ParameterError(f"values[{worst}] is {values[worst]:g}; log=True needs positive values")
    x = distances(compartments, distance)
    parent = np.asarray(compartments.parent, dtype=np.int64)
    child = np.flatnonzero(parent >= 0)
    points = np.stack([x, values], axis=1)
    edges: Any = np.stack([points[parent[child]], points[child]], axis=1)
    colors = colors_of(np.asarray(compartments.region), None)
    roots = np.flatnonzero(parent < 0)
    with canvas(ax, aspect=0.62, width=SINGLE_COLUMN) as ax:
        with options_for("LineCollection"):
            lines = LineCollection(
                edges,
                **{"linewidths": 0.8, "capstyle": "round", "colors": colors[child], **options},
            )
        ax.add_collection(lines)
        ax.scatter(points[roots, 0], points[roots, 1], s=12.0, c=colors[roots], linewidths=0, zorder=3, clip_on=False)
        if log:
            ax.set_yscale("log")
        ax.margins(0.03)
        ax.autoscale_view()
        ax.set_xlim(0.0, 1.03 * float(x.max(initial=0.0)) or 1.0)
        ax.set_xlabel(DISTANCES[distance])
        ax.set_ylabel(label_with_unit(label, unit))
        if legend:
            region_legend(ax, np.unique(np.asarray(compartments.region)).astype(str).tolist())
    return ax


def plot_attenuation(
    state: StateLike | TreeLike,
    attenuation: ArrayLike | None = None,
    *,
    stimulus: int | None = None,
    distance: str = "path",
    ax: Axes | None = None,
    log: bool = False,
    legend: bool = True,
    **options: Any,
) -> Axes:
    """Draw the attenuation to the soma against the distance from it, coloured by region.

    The attenuation of a compartment is the change of the soma's voltage per change of its own when current is injected
    there: 1 at the soma, less farther out.

    Parameters
    ----------
    state : State or Compartments
        A steady state; or the compartments, together with `attenuation`.
    attenuation : array-like of shape (N,), optional
        Attenuation to the soma of every compartment, if `state` is the compartments.
    stimulus : int, optional
        Row of the state's batch; without it the mean over the batch, which the axis then says.
    distance : {"path", "electrotonic", "stage"}
        Horizontal axis.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    log : bool, default False
        Whether the vertical axis is logarithmic.
    legend : bool, default True
        Whether to add a legend of regions.
    **options
        As for :func:`plot_profile`.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    ParameterError
        If there is no such stimulus, `attenuation` is missing or given twice, or as for :func:`plot_profile`.
    """
    label = "attenuation to the soma"
    batch = getattr(state, "attenuation_to_soma", None)
    if batch is not None:
        if attenuation is not None:
            raise ParameterError("attenuation is given twice: the state holds it already")
        tree = cast(StateLike, state).compartments
        batch = np.atleast_2d(batch)
        if stimulus is None:
            attenuation = batch.mean(axis=0)
            if len(batch) > 1:
                label += f",\nmean of {len(batch)} stimuli"
        elif isinstance(stimulus, int | np.integer) and -len(batch) <= stimulus < len(batch):
            attenuation = batch[stimulus]
        else:
            raise ParameterError(f"stimulus={stimulus!r} is not in the batch of {len(batch)}: 0 ... {len(batch) - 1}")
    else:
        check_tree(state)
        tree = cast(TreeLike, state)
        if attenuation is None:
            raise ParameterError(
                f"attenuation is missing: give a State, or compartments and an array of shape ({tree.size},)"
            )
        if stimulus is not None:
            raise ParameterError(
                "stimulus chooses a row of a State's batch; with compartments give attenuation of shape (N,) instead"
            )
    ax = plot_profile(tree, attenuation, distance=distance, ax=ax, label=label, log=log, legend=legend, **options)
    if not log:
        ax.set_ylim(0.0, None)
    return ax
