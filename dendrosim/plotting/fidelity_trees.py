"""Fidelity on the tree itself: every compartment in the colour of its own error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from ..arguments import index
from ..errors import ParameterError, choose
from ..morphology.compartments import Compartments
from .dendrogram import plot_dendrogram
from .fidelity import labelled
from .morphology import plane, plot_morphology
from .pieces import pieces_of
from .styling import BLACK, DOUBLE_COLUMN, SINGLE_COLUMN, style
from .synapse_map import plot_synapse_map
from .values import ColorScale, color_scale

Floats = NDArray[np.float64]

_QUANTITIES = {
    "cosine": ("compartment_cosine", "cosine to the exact gradient", None),
    "scale": ("compartment_scale", "log$_{10}$(|local| / |exact|)", 0.0),
    "error": ("compartment_error", "relative L2 error", None),
}
_KINDS = ("dendrogram", "morphology")


def plot_fidelity_trees(
    reports: Any,
    *,
    quantity: str = "cosine",
    cells: int | Sequence[int] = 0,
    kind: str = "dendrogram",
    vmin: float | None = None,
    vmax: float | None = None,
    figure: Figure | SubFigure | None = None,
    **options: Any,
) -> Figure | SubFigure:
    """Draw the tree of one or more cells, each compartment in the colour of the fidelity of its own synapses.

    Parameters
    ----------
    reports : Fidelity or mapping from label to Fidelity
        One panel each, side by side, on one scale of colours; such as ``{"shunting": ..., "additive": ...}``.
    quantity : {"cosine", "scale", "error"}
        Cosine over a compartment's synapses (-1 to 1 unless limits are given), log10 of the ratio of lengths, or
        relative L2.
    cells : int or sequence of int
        Cells of the network.
    kind : {"dendrogram", "morphology"}
        The tree unfolded, or the cell in space (one cell that came from a morphology).
    vmin, vmax : float, optional
        Limits of the colours. Those of cosines are diverging if the limits are symmetric about 0, and else sequential.
    figure : Figure or SubFigure, optional
        Where to draw; a new one if not given.
    **options
        As for `plot_dendrogram` or `plot_morphology`.

    Returns
    -------
    Figure or SubFigure
        The figure. Compartments that have nothing to compare, such as somas without synapses, are black.

    Raises
    ------
    ParameterError
        If a cell does not exist, a name is not known, or there is nothing to compare anywhere.
    """
    attribute, label, center = _QUANTITIES[choose("quantity", quantity, _QUANTITIES)]
    choose("kind", kind, _KINDS)
    series = labelled("reports", reports, "layout", "a Fidelity")
    drawn = [(name, *_values(repeated, attribute, cells, kind)) for name, repeated in series.items()]
    finite = np.concatenate([values[np.isfinite(values)] for _, _, values in drawn])
    if not finite.size:
        raise ParameterError(f"no compartment of cells {cells} has a {quantity}: one of the gradients is zero there")
    if quantity == "cosine":
        vmin, vmax, center = -1.0 if vmin is None else vmin, 1.0 if vmax is None else vmax, None
    scale = color_scale(finite, vmin=vmin, vmax=vmax, center=center)
    if quantity == "cosine" and scale.norm.vmin == -float(scale.norm.vmax or 0.0):  # the neutral colour is that of 0
        scale = ColorScale(scale.norm, color_scale(finite, center=0.0).cmap, scale.extend)
    missing = scale.cmap.with_extremes(under=BLACK) if _some_missing(drawn) else scale.cmap
    with style():
        if figure is None:
            if kind == "morphology":
                figure = _figure_in_space([tree for _, tree, _ in drawn], options.get("projection", "xy"))
            else:
                width = SINGLE_COLUMN if len(drawn) == 1 else DOUBLE_COLUMN
                figure = plt.figure(figsize=(width, 0.38 * DOUBLE_COLUMN), layout="constrained")
        panels = list(np.atleast_1d(figure.subplots(1, len(drawn), sharex=kind == "dendrogram")))
        for ax, (name, tree, values) in zip(panels, drawn, strict=True):
            low = float(scale.norm.vmin or 0.0)
            inside = np.where(np.isfinite(values), np.maximum(values, low), low - 1.0)
            shared: dict[str, Any] = {"ax": ax, "cmap": missing, "norm": scale.norm, "colorbar": False, **options}
            if kind == "dendrogram":
                distance = "path" if tree.morphologies else "stage"
                plot_dendrogram(tree, inside, **{"distance": distance, **shared})
            else:
                plot_morphology(tree, inside, legend=False, **shared)
            ax.set_title(name)
        note = "black: nothing to compare" if _some_missing(drawn) else None
        scale.add_colorbar(panels, "\n".join(filter(None, (label, note))), None)
    return figure


def plot_fidelity_synapses(
    reports: Any,
    *,
    cell: int = 0,
    percentile: float = 98.0,
    figure: Figure | SubFigure | None = None,
    **options: Any,
) -> Figure | SubFigure:
    """Draw every synapse of a cell in space, in the colour of its own error.

    Parameters
    ----------
    reports : Fidelity or mapping from label to Fidelity
        One panel each, side by side, on one scale of colours. The error is (local - exact) over the root mean square of
        the exact gradient of all synapses of the same sign.
    cell : int, default 0
        Cell of the network; it must have come from a morphology.
    percentile : float, default 98
        Limits of the colours: this percentile of the magnitudes, which the colour bar says.
    figure : Figure or SubFigure, optional
        Where to draw; a new one if not given.
    **options
        As for `plot_synapse_map`.

    Returns
    -------
    Figure or SubFigure
        The figure. Synapses whose error is not defined are left out.

    Raises
    ------
    ParameterError
        If the cell does not exist, has no positions, or has nothing to compare.
    """
    series = labelled("reports", reports, "layout", "a Fidelity")
    drawn = []
    for name, repeated in series.items():
        tree, _ = _values(repeated, "compartment_error", cell, "morphology")
        layout = repeated[0].layout
        here = np.flatnonzero(np.asarray(layout.cell) == cell)
        first, last = np.asarray(layout.first)[here], np.asarray(layout.last)[here]
        errors = np.asarray(repeated[0].synapse_error)[first[0] : last[-1]]
        at = np.repeat(np.arange(here.size), last - first)
        drawn.append((name, tree, at[np.isfinite(errors)], errors[np.isfinite(errors)]))
    every = np.concatenate([errors for *_, errors in drawn])
    if not every.size:
        raise ParameterError(f"no synapse of cell {cell} has an error: the exact gradient is zero")
    scale = color_scale(every, center=0.0, percentile=percentile)
    limits = {"vmin": scale.norm.vmin, "vmax": scale.norm.vmax}
    with style():
        if figure is None:
            figure = _figure_in_space([tree for _, tree, *_ in drawn], options.get("projection", "xy"))
        panels = list(np.atleast_1d(figure.subplots(1, len(drawn))))
        for ax, (name, tree, at, errors) in zip(panels, drawn, strict=True):
            plot_synapse_map(tree, at, errors, **{"ax": ax, "colorbar": False, "size": 5.0, **limits, **options})
            ax.set_title(name)
        scale.add_colorbar(panels, "(local - exact) / typical |exact|", None)
    return figure


def _figure_in_space(trees: Sequence[Compartments], projection: str) -> Figure:
    """A figure as wide as cells beside each other and a colour bar need."""
    right, up = plane(projection)
    height = 0.55 * DOUBLE_COLUMN
    width = 0.8  # inches, of the colour bar
    for tree in trees:
        low, high = pieces_of(tree).bounds()
        extent = np.maximum(high - low, 1e-9)
        width += 0.95 * height * float(extent[right] / extent[up])
    return plt.figure(figsize=(float(np.clip(width, SINGLE_COLUMN, DOUBLE_COLUMN)), height), layout="compressed")


def _some_missing(drawn: list[tuple[str, Compartments, Floats]]) -> bool:
    return any(not np.isfinite(values).all() for _, _, values in drawn)


def _values(repeated: list[Any], attribute: str, cells: int | Sequence[int], kind: str) -> tuple[Compartments, Floats]:
    """The trees of the cells as one forest, and their values."""
    if len(repeated) != 1:
        raise ParameterError(f"a tree shows one Fidelity at a time; got {len(repeated)} under one label")
    report = repeated[0]
    layout = report.layout
    given = cells if isinstance(cells, Sequence | np.ndarray) else [cells]
    chosen = [index("cells", cell, len(layout.trees)) for cell in given]
    if not chosen:
        raise ParameterError("cells is empty; give the number of at least one cell")
    if kind == "morphology" and len(chosen) > 1:
        raise ParameterError("kind='morphology' draws one cell; kind='dendrogram' several")
    trees = [layout.trees[cell] for cell in chosen]
    values = np.asarray(getattr(report, attribute), dtype=np.float64)
    owned = np.concatenate([values[np.asarray(layout.cell) == cell] for cell in chosen])
    return trees[0] if len(trees) == 1 else Compartments.forest(trees), owned
