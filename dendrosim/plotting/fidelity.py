"""Fidelity per component group and per stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..arguments import names, short
from ..errors import ParameterError, choose
from .styling import BLACK, BLUE, GREEN, ORANGE, PURPLE, SINGLE_COLUMN, SKY_BLUE, VERMILLION, canvas

COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)
STYLES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
"""Of lines, for what comes after the last colour."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

MEASURES = {
    "cosine": "cosine to the exact gradient",
    "scale_mismatch": "scale mismatch\n|log$_{10}$(|local| / |exact|)|",
    "relative_l2": "relative L2 error\n|local - exact| / |exact|",
}
_DEFAULT_ROWS = ("excitatory", "inhibitory", "couplings", "gates", "all")


class FidelityLike(Protocol):
    """A table with rows of group, cosine, scale_mismatch and relative_l2."""

    @property
    def table(self) -> NDArray[Any]: ...
    def layers(self, population: str | None = None, group: str | None = None) -> NDArray[Any]: ...


Reports = FidelityLike | Sequence[FidelityLike] | Mapping[str, FidelityLike | Sequence[FidelityLike]]


def labelled(what: str, reports: Any, needs: str, kind: str) -> dict[str, list[Any]]:
    """`reports` as a list of repetitions under each label; a single one has an empty label.

    Parameters
    ----------
    what : str
        Name of the argument, for the message.
    reports : object, sequence of objects, or mapping from label to either
    needs : str
        Attribute that every object must have.
    kind : str
        What the objects are, for the message.

    Raises
    ------
    ParameterError
        If there are none, or something is no such object.
    """
    given = dict(reports) if isinstance(reports, Mapping) and not hasattr(reports, needs) else {"": reports}
    out: dict[str, list[Any]] = {}
    for label, value in given.items():
        several = not hasattr(value, needs) and isinstance(value, Iterable) and not isinstance(value, str)
        out[str(label)] = list(value) if several else [value]
        for one in out[str(label)]:
            if not hasattr(one, needs):
                raise ParameterError(
                    f"{what} must be {kind}, a list of them (one per seed) or a mapping from label to either; got "
                    f"{short(one)}"
                )
    if not out or not all(out.values()):
        raise ParameterError(f"{what}={short(reports)} holds nothing to draw")
    return out


def plot_fidelity(
    reports: Reports,
    *,
    quantity: str = "cosine",
    groups: Sequence[str] | None = None,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw bars of fidelity per component group, several reports side by side.

    Parameters
    ----------
    reports : Fidelity, sequence of them, or mapping from label to either
        What to draw; of a sequence, one per seed, the bar is the mean and every seed a dot. Labels such as
        ``"shunting"`` and ``"additive"`` become the legend.
    quantity : {"cosine", "scale_mismatch", "relative_l2"}
        Column of the tables. Relative L2 gets a logarithmic axis if the bars span more than a factor of 30.
    groups : sequence of str, optional
        Rows of the tables; by default the four groups of the dendritic core and ``all``.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    legend : bool, default True
        Whether to add a legend of labels.

    Returns
    -------
    Axes
        The axes. A group that could not be compared is marked with a dash instead of a bar.

    Raises
    ------
    ParameterError
        If a row or the quantity is not known.
    """
    choose("quantity", quantity, MEASURES)
    series = labelled("reports", reports, "table", "a Fidelity")
    first = next(iter(series.values()))[0].table["group"].tolist()
    rows = [r for r in _DEFAULT_ROWS if r in first] if groups is None else [*names("groups", groups)]
    with canvas(ax, aspect=0.62, width=SINGLE_COLUMN) as ax:
        width = 0.8 / len(series)
        heights = []
        for i, (label, repeated) in enumerate(series.items()):
            values = np.array([[_value(one, row, quantity) for row in rows] for one in repeated])
            at = np.arange(len(rows)) + (i - 0.5 * (len(series) - 1)) * width
            good = np.isfinite(values).all(axis=0)
            mean = values.mean(axis=0)
            ax.bar(at[good], mean[good], 0.92 * width, color=COLORS[i % len(COLORS)], label=label or None, linewidth=0)
            if len(repeated) > 1:
                for one in values:
                    ax.plot(at[good], one[good], ".", color=BLACK, markersize=2.0, zorder=3)
            ax.plot(at[~good], np.zeros((~good).sum()), "_", color=COLORS[i % len(COLORS)], markersize=5)
            heights.extend(mean[good])
        ax.axhline(0.0, color=BLACK, linewidth=0.6)
        ax.set_xticks(range(len(rows)), [_short(row) for row in rows], rotation=30, ha="right", rotation_mode="anchor")
        ax.set_ylabel(MEASURES[quantity])
        positive = [h for h in heights if h > 0]
        if quantity == "relative_l2" and positive and max(positive) > 30 * min(positive):
            ax.set_yscale("log")
        if legend and any(series):
            legend_above(ax)
    return ax


def plot_fidelity_by_stage(
    reports: Reports,
    *,
    quantity: str = "cosine",
    population: str | None = None,
    group: str | None = None,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw fidelity against the stage of the compartments, from the soma outwards.

    Parameters
    ----------
    reports : Fidelity, sequence of them, or mapping from label to either
        As for :func:`plot_fidelity`; of several seeds the line is the mean and every seed a dot.
    quantity : {"cosine", "scale_mismatch", "relative_l2"}
        Column of the tables.
    population : str, optional
        Which population; needed if there are several.
    group : str, optional
        A component group, such as ``"excitatory"``; without it every stage as one vector.
    ax : Axes, optional
        Where to draw; a new figure of the width of one column if not given.
    legend : bool, default True
        Whether to add a legend of labels.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    ParameterError
        If a name is not known, or `population` is missing.
    """
    choose("quantity", quantity, MEASURES)
    series = labelled("reports", reports, "table", "a Fidelity")
    with canvas(ax, aspect=0.62, width=SINGLE_COLUMN) as ax:
        for i, (label, repeated) in enumerate(series.items()):
            found = [one.layers(population, group) for one in repeated]
            stages = [_stages(rows["group"].tolist(), population) for rows in found]
            if len({tuple(s) for s in stages}) > 1:
                raise ParameterError(f"the reports under {label!r} have different stages: {stages}")
            values = np.array([rows[quantity] for rows in found])
            color, marker = COLORS[i % len(COLORS)], MARKERS[i % len(MARKERS)]
            ax.plot(stages[0], values.mean(axis=0), marker=marker, color=color, markersize=4, label=label or None)
            if len(repeated) > 1:
                for one in values:
                    ax.plot(stages[0], one, ".", color=color, markersize=2.5, alpha=0.7)
        if quantity == "cosine":
            ax.axhline(0.0, color=BLACK, linewidth=0.6)
        else:
            ax.set_ylim(bottom=0.0)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("stage (branchings to the soma)")
        ax.set_ylabel(MEASURES[quantity])
        if legend and any(series):
            ax.legend()
    return ax


def legend_above(ax: Axes) -> None:
    """Add a legend in one row above the axes, where it hides nothing."""
    handles, _ = ax.get_legend_handles_labels()
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(handles), 4), columnspacing=1.0)


def _value(report: FidelityLike, row: str, quantity: str) -> float:
    rows = report.table["group"].tolist()
    return float(report.table[quantity][rows.index(choose("groups", row, rows))])


def _short(row: str) -> str:
    return row.replace(" (", "\n(") if len(row) > 12 else row


def _stages(groups: list[str], population: str | None) -> list[int]:
    if len({name.partition("/")[0] for name in groups}) > 1 and population is None:
        several = ", ".join(repr(name) for name in dict.fromkeys(name.partition("/")[0] for name in groups))
        raise ParameterError(f"there are several populations, {several}; choose one with population=")
    return [int(name.split("/")[1].removeprefix("stage ")) for name in groups]
