"""The figures of stored runs, as files."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from .fidelity_training import plot_fidelity_training_figure
from .learning import plot_gap, plot_learning_curve, plot_paired_difference
from .styling import DOUBLE_COLUMN, SINGLE_COLUMN, style
from .sweeps import WORDS, plot_drawn_figure, plot_marginal, plot_surfaces
from .teaching import legend_beside, plot_accuracy_against_passes, plot_credit_layers_figure

if TYPE_CHECKING:
    from ..runs.collection import Runs
    from ..runs.summary import Summary


_FEW = 7
"""Arms whose names have room inside a panel."""
_PANELS, _ROWS = 6, 20
"""Combinations of swept values, and differences, beyond which a figure has no room for each."""
_MAPS = 6
"""Most maps in a figure."""


def plot_runs(summary: Summary, out: str | Path, *, ending: str = "png") -> list[Path]:
    """Draw what runs came to: learning curves, accuracy by arm, paired differences, fidelity, credits, what it cost.

    Of sweeps, the metric against each swept factor, maps over two swept numbers, and the points of random draws. Where
    more than six combinations were swept, these take the place of figures with a panel or row for each.

    Parameters
    ----------
    summary : Summary
        Of the runs.
    out : str or Path
        Folder to write to; it must exist.
    ending : str, default "png"
        Of the files, without a dot: a format of matplotlib.

    Returns
    -------
    list of Path
        The figures that there is something to draw for.
    """
    figures: dict[str, Callable[[Summary], Figure | None]] = {}
    if len({json.dumps(row.factors, sort_keys=True) for row in summary.rows}) <= _PANELS:
        figures = {
            "learning_curves": _learning,
            "accuracy": _accuracy,
            "fidelity_over_training": _fidelity,
            "credit_over_training": _credit,
            "accuracy_against_passes": _passes,
        }
    figures |= {"differences": _differences, **_swept(summary)}
    paths = []
    for name, draw in figures.items():
        with style():
            figure = draw(summary)
            if figure is None:
                continue
            path = Path(out) / f"{name}.{ending}"
            figure.savefig(path, dpi=200, bbox_inches="tight", pad_inches=0.05)
            plt.close(figure)
        paths.append(path)
    return paths


def _learning(summary: Summary) -> Figure:
    """One panel for every combination of what is crossed, one curve per arm."""
    panels: dict[str, dict[str, list[Any]]] = {}
    for name, runs in _named(summary.runs).items():
        own, label = _place(runs[0], name)
        panels.setdefault(label, {})[own] = runs
    every = [run for arms in panels.values() for runs in arms.values() for run in runs]
    validated = all("validation_accuracy" in run.history for run in every)
    metric = "validation_accuracy" if validated else "train_accuracy"
    width = SINGLE_COLUMN if len(panels) == 1 else DOUBLE_COLUMN
    few = max(map(len, panels.values())) <= _FEW
    size = (width, 0.65 * width / len(panels)) if few else (DOUBLE_COLUMN, 0.5 * DOUBLE_COLUMN)
    figure, axes = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for ax, (label, arms) in zip(axes[0], panels.items(), strict=True):
        drawn = arms if len(arms) > 1 else next(iter(arms.values()))
        plot_learning_curve(drawn, metric=metric, ax=ax, legend=few and ax is axes[0][-1])
        ax.set_title(label)
    for ax in axes[0][1:]:
        ax.set_ylabel("")
    if not few:
        legend_beside(figure, axes, list(dict.fromkeys(own for arms in panels.values() for own in arms)))
    return figure


def _accuracy(summary: Summary) -> Figure | None:
    if len(summary.rows) < 2:
        return None
    results: dict[str, dict[str, Any]] = {}
    arms = summary.runs.arms
    for row in summary.rows:
        own, label = _place(arms[row.name][0], row.name)
        results.setdefault(label, {})[own] = row.interval
    label = WORDS[summary.metric]
    return _of(plot_gap(results if len(results) > 1 else next(iter(results.values())), label=label))


def _differences(summary: Summary) -> Figure | None:
    """All of them, or, where they are too many, those of means over what was swept."""
    found, label = _compared(summary), f"difference in {WORDS[summary.metric]}"
    if len(found) > _ROWS:
        found = _compared(type(summary)(summary.runs, summary.level, summary.metric, pooled=True))
        label += "\n(means over what was swept)"
    return _of(plot_paired_difference(found, label=label)) if 0 < len(found) <= _ROWS else None


def _compared(summary: Summary) -> dict[str, Any]:
    return {
        f"{row.name}\n- {one.other}": one.comparison
        for row in summary.rows
        for one in row.differences
        if one.interval.n > 1
    }


def _swept(summary: Summary) -> dict[str, Callable[[Summary], Figure | None]]:
    """Figures of what was swept, by name."""
    from ..runs.marginals import swept_factors

    factors = swept_factors(summary.runs)
    undrawn = [factor for factor in factors.values() if not factor.drawn]
    found: dict[str, Callable[[Summary], Figure | None]] = {}
    for factor in undrawn:
        if factor.numeric or len(factors) > 1:
            found[f"against_{_file(factor.name)}"] = partial(_against, factor.name)
    numbers = [factor.name for factor in undrawn if factor.numeric and factor.way == "cross"]
    for x, y in itertools.combinations(numbers, 2):
        found[f"over_{_file(x)}_and_{_file(y)}"] = partial(_maps, x, y)
    if len(undrawn) < len(factors):
        found["draws"] = _draws
    return found


def _against(factor: str, summary: Summary) -> Figure:
    from ..runs.marginals import marginal

    return _of(plot_marginal(marginal(summary.runs, factor, metric=summary.metric, level=summary.level)))


def _draws(summary: Summary) -> Figure:
    from ..runs.marginals import drawn

    return plot_drawn_figure(drawn(summary.runs, metric=summary.metric, level=summary.level))


def _maps(x: str, y: str, summary: Summary) -> Figure | None:
    """A map per arm, and of what each has more than the first as far as there is room."""
    from ..runs.marginals import surface

    owns = list(dict.fromkeys(row.own for row in summary.runs.rows))
    pairs = [(own, "") for own in owns] + [(own, owns[0]) for own in owns[1:]]
    maps = [
        surface(summary.runs, x, y, arm=own, minus=minus, metric=summary.metric, level=summary.level)
        for own, minus in pairs[:_MAPS]
    ]
    there = [one for one in maps if one.cells]
    return plot_surfaces(there) if there else None


def _file(key: str) -> str:
    """A dotted key in the name of a file."""
    return re.sub(r"\W+", "_", key)


def _fidelity(summary: Summary) -> Figure | None:
    from ..runs.fidelity import recorded

    found = {
        name: [history for run in runs if (history := recorded(run)) is not None]
        for name, runs in _named(summary.runs).items()
    }
    found = {name: histories for name, histories in found.items() if histories}
    if not found:
        return None
    figure = plot_fidelity_training_figure(found)
    return figure if isinstance(figure, Figure) else figure.figure.get_figure(root=True)


def _credit(summary: Summary) -> Figure | None:
    from ..diagnostics.credit_history import CreditHistory

    rows: dict[str, dict[str, list[Any]]] = {}
    for name, runs in _named(summary.runs).items():
        found = [CreditHistory(run.records["credit"]) for run in runs if "cosine" in run.records.get("credit", {})]
        if found:
            own, label = _place(runs[0], name)
            rows.setdefault(label, {})[own] = found
    if not rows:
        return None
    figure = plot_credit_layers_figure(rows)
    return figure if isinstance(figure, Figure) else figure.figure.get_figure(root=True)


def _passes(summary: Summary) -> Figure | None:
    """One panel for every combination of what is crossed; nothing where all arms made as many passes per epoch."""
    panels: dict[str, dict[str, list[Any]]] = {}
    for name, runs in _named(summary.runs).items():
        counted = [run for run in runs if "passes" in run.history and "validation_accuracy" in run.history]
        if counted:
            own, label = _place(runs[0], name)
            panels.setdefault(label, {})[own] = counted
    every = [run for arms in panels.values() for runs in arms.values() for run in runs]
    if len({float(run.history["passes"][0]) for run in every}) < 2:
        return None
    size = (DOUBLE_COLUMN, 0.5 * DOUBLE_COLUMN)
    figure, axes = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for ax, (label, arms) in zip(axes[0], panels.items(), strict=True):
        plot_accuracy_against_passes(arms, ax=ax, legend=False)
        ax.set_title(label)
    for ax in axes[0][1:]:
        ax.set_ylabel("")
    legend_beside(figure, axes, list(dict.fromkeys(own for arms in panels.values() for own in arms)))
    return figure


def _place(run: Any, name: str) -> tuple[str, str]:
    """The arm's name without what is crossed, and the values of what is crossed."""
    info = run.config.get("experiment", {})
    return info.get("own", name), ", ".join(str(value) for value in info.get("factors", {}).values())


def _named(runs: Runs) -> dict[str, list[Any]]:
    return {name or "run": list(members) for name, members in runs.arms.items()}


def _of(ax: Any) -> Figure:
    figure: Figure = ax.get_figure(root=True)
    return figure
