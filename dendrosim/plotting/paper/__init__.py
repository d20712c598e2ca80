"""Figures 2 to 13 of the local-credit paper, drawn from runs beside the published values.

Each module draws a figure or a pair that shares its runs; `draw` makes one from an item of the ledger and the runs of
its experiments, `NEEDS` says which arms of which experiments these are.
"""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from ...errors import choose
from ...runs.ledger import Item
from ...runs.ledger_evidence import Evidence
from ..styling import style
from . import ceilings, decoders, fidelity, hsic, inhibition, path, scaling, strategies, trained
from .pieces import footer
from .results import PaperFigure, Results

__all__ = ["FIGURES", "NEEDS", "PaperFigure", "Results", "draw"]

FIGURES: dict[str, PaperFigure] = {
    figure.name: figure
    for figure in (
        inhibition.HEAT_MAP,
        fidelity.BEST_REGIME,
        ceilings.CEILINGS,
        hsic.STRENGTH,
        decoders.LOCALITY,
        inhibition.REGIMES,
        path.INTERACTION,
        path.INFORMATION,
        scaling.ABLATIONS,
        trained.CHECKPOINTS,
        trained.OVER_TRAINING,
        strategies.SANDBOX,
    )
}
"""By name of the item."""

NEEDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {name: figure.needs for name, figure in FIGURES.items()}
"""Arms by name of the experiment, by name of the item."""


def draw(item: Item, evidence: Mapping[str, Evidence], *, note: str = "") -> Figure:
    """Draw a figure of the paper from runs, beside the published values.

    Parameters
    ----------
    item : Item
        Of the ledger, one of `FIGURES`.
    evidence : mapping of Evidence
        Runs by name of the experiment. Arms without any are marked in the figure.
    note : str
        What was shortened, printed below the figure.

    Returns
    -------
    Figure
        Made through pyplot; the caller closes it.

    Raises
    ------
    ParameterError
        If there is no such figure, or nothing to draw; says which runs are needed, and how to make them.
    """
    figure = FIGURES[choose("figure", item.name, FIGURES)]
    figure.check(evidence)
    results = Results(item, evidence)
    with style():
        drawn = figure.draw(results)
        footer(drawn, note, results.asked, results.absent)
    return drawn
