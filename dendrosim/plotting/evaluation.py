"""The evaluation protocol in figures: activity, gradients and credits along depth, over training, under a penalty.

Figures are those of the evaluation paper (its figures 3, 4 and 6, and table 3), with the corrected definitions beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..errors import ParameterError
from .evaluation_arms import Look, arms_of, doses, frozen_of, functions, legend_in, looks
from .styling import BLACK, DOUBLE_COLUMN, style

if TYPE_CHECKING:
    from ..runs.audited import AuditedArm, AuditedRuns

Floats = NDArray[np.float64]

_BAND = 0.2
_LIMIT = "#666666"
_CLAMPED = "#EEEEEE"


def plot_layer_state(
    audited: AuditedRuns | Sequence[AuditedArm], *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Draw what trained networks are like along their depth (evaluation paper, figure 3).

    Parameters
    ----------
    audited : AuditedRuns or sequence of AuditedArm
        Arms of one setting: the same data and network.
    figure : Figure or SubFigure, optional
        Where to draw; a new one of the width of two columns if not given.

    Returns
    -------
    Figure or SubFigure
        A: accuracy and aggregate cosine of every arm, mean and standard deviation over seeds, and the frozen baseline
        (dashed). B: cosine of every block as the paper has it. C: corrected, of each credit and the gradient that it
        stands for; hollow where the block is given that gradient itself. D: exact gradient of the mean loss, with the
        lengths below which the second check flags and the cosine is clamped. E: activity. B to E: means over seeds
        (geometric ones on logarithmic axes) and bands between the extremes. Colours are teaching signals, line styles
        their variants.

    Raises
    ------
    ParameterError
        If arms are of several settings, or none was audited.
    """
    arms = arms_of(audited)
    shown = [arm for arm in arms if arm.audited]
    if not shown:
        raise ParameterError("none of these runs was audited; reasons are in .reason of each")
    look = looks(arms)
    with style():
        figure, panels = _panels(figure, (1.25, 1, 1))
        _reported(panels[0], arms, look)
        for ax, quantity, label in (
            (panels[1], "cosine_paper", "cosine, paper"),
            (panels[2], "cosine_output", "cosine, corrected"),
        ):
            for arm in shown:
                _curve(ax, arm.layers(quantity)[:, :-1], look[arm.name])
            ax.axhline(0.0, color=BLACK, linewidth=0.5)
            _depths(ax, "block", label)
        for arm in shown:
            given = arm.layers("given")[:, :-1].astype(bool).all(axis=0)
            mean = arm.layers("cosine_output")[:, :-1].mean(axis=0)
            panels[2].plot(
                np.flatnonzero(given), mean[given], "o", ms=3.2, markerfacecolor="white", color=look[arm.name].color
            )
        panels[2].sharey(panels[1])
        few = shown[0].audited[0].audit
        n = few.n_samples if few is not None else 0
        for ax, quantity, label in (
            (panels[3], "gradient_mean", f"|g$_l$|, mean loss, N = {n}"),
            (panels[4], "activity", "|h$_l$|"),
        ):
            for arm in shown:
                _curve(ax, arm.layers(quantity), look[arm.name], log=True)
            _decade(ax)
            _depths(ax, "layer", label)
        _clamps(panels[3], shown)
        legend_in(panels[5], [arm for arm in arms if arm.audited], look)
        _letters(panels[:5])
    return figure


def plot_evaluation_history(
    audited: AuditedRuns | Sequence[AuditedArm], *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Draw activity, gradient, accuracy and deep cosine over training (evaluation paper, figure 4).

    Parameters
    ----------
    audited : AuditedRuns or sequence of AuditedArm
        Arms of one setting; those that recorded the evaluation are drawn, frozen baselines among them.
    figure : Figure or SubFigure, optional
        Where to draw; a new one of the width of two columns if not given.

    Returns
    -------
    Figure or SubFigure
        A: mean length of h_L. B: of g_L of the mean loss, with the lengths below which the second check flags and the
        cosine is clamped. C: accuracy, and that of the frozen baseline after training (dashed). D and E: deep cosine as
        the paper has it, and corrected. Means over seeds (geometric ones on logarithmic axes) and bands between the
        extremes. Epoch 0 is before training.

    Raises
    ------
    ParameterError
        If arms are of several settings, or nothing was recorded.
    """
    arms = arms_of(audited)
    shown = [arm for arm in arms if any(one.history is not None for one in arm.members)]
    if not shown:
        raise ParameterError(
            "nothing was recorded over training; train with callbacks=[ds.training.RecordEvaluation()], or with a "
            "section [evaluation] in the experiment"
        )
    look = looks(arms)
    with style():
        figure, panels = _panels(figure, (1, 1, 1))
        for arm in shown:
            found = [one.history for one in arm.members if one.history is not None]
            epochs = min((one.epochs for one in found), key=len)
            here = [(one, len(epochs)) for one in found]
            curves = [
                (np.array([one.series("activity", one.depth)[:t] for one, t in here]), True),
                (np.array([one.reference()[:t] for one, t in here]), True),
                (np.array([one.accuracy[:t] for one, t in here]), False),
            ]
            if arm.audited:  # a frozen baseline tells its blocks nothing
                curves += [
                    (np.array([one.deep(kind)[:t] for one, t in here]), False) for kind in ("paper", "corrected")
                ]
            for ax, (rows, log) in zip(panels, curves, strict=False):
                _curve(ax, rows, look[arm.name], at=epochs, log=log, marker="")
        n = next(one.history.samples for one in shown[0].members if one.history is not None)
        labels = ("|h$_L$|", f"|g$_L$|, mean loss, N = {n}", "test accuracy", "deep cosine, paper",
                  "deep cosine, corrected")  # fmt: skip
        for ax, label in zip(panels, labels, strict=False):
            ax.set_xlabel("epoch")
            ax.set_ylabel(label)
            ax.margins(x=0.01)
            ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        for ax in panels[:2]:
            _decade(ax)
        _clamps(panels[1], shown)
        _baseline(panels[2], shown)
        for ax in panels[3:5]:
            ax.axhline(0.0, color=BLACK, linewidth=0.5)
        panels[4].sharey(panels[3])
        legend_in(panels[5], shown, look, markers=False)
        _letters(panels[:5])
    return figure


def plot_dose_response(
    audited: AuditedRuns | Sequence[AuditedArm], *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Draw what the penalty on blocks does to activity, deep cosine and accuracy (evaluation paper, figure 6).

    Parameters
    ----------
    audited : AuditedRuns or sequence of AuditedArm
        Arms of one setting. Those that differ in the penalty of their rule alone make one curve; single ones are left
        out.
    figure : Figure or SubFigure, optional
        Where to draw; a new one of the width of two columns if not given.

    Returns
    -------
    Figure or SubFigure
        Mean length of h_L; deep cosine as the paper has it (dots) and corrected (rings, dashed); accuracy, and that
        of the frozen baseline (dashed). Means and standard deviations over seeds; of lengths, geometric means and
        ranges.

    Raises
    ------
    ParameterError
        If arms are of several settings, or no two differ in their penalty alone.
    """
    arms = arms_of(audited)
    curves = doses(arms)
    if not curves:
        raise ParameterError(
            "no two arms differ in the penalty of their rule alone; train {'name': '3F', 'penalty': x}"
        )
    look = looks([members[0] for members in curves])
    every = sorted({arm.members[0].penalty for members in curves for arm in members})
    with style():
        if figure is None:
            figure = plt.figure(figsize=(DOUBLE_COLUMN, 0.36 * DOUBLE_COLUMN), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, 3))
        for i, members in enumerate(curves):
            mine = look[members[0].name]
            shift = 0.06 * (i - 0.5 * (len(curves) - 1))
            at = np.array([every.index(arm.members[0].penalty) for arm in members]) + shift
            _lengths(axes[0], at, members, mine)
            _spread(axes[1], at, members, "deep", mine)
            _spread(axes[1], at, members, "deep_corrected", mine, hollow=True)
            _spread(axes[2], at, members, "accuracy", mine)
        for ax, label in zip(axes, ("|h$_L$|", "deep cosine", "test accuracy"), strict=True):
            ax.set_xticks(range(len(every)), [_power(value) for value in every])
            ax.set_xlim(-0.4, len(every) - 0.6)
            ax.set_xlabel(r"penalty $\lambda$")
            ax.set_ylabel(label)
        axes[0].set_yscale("log")
        axes[1].axhline(0.0, color=BLACK, linewidth=0.5)
        _baseline(axes[2], [arm for members in curves for arm in members])
        handles = [Line2D([], [], color=look[m[0].name].color, marker=look[m[0].name].marker, ms=4) for m in curves]
        names = [look[members[0].name].teaching if len(curves) > 1 else members[0].name for members in curves]
        handles += [Line2D([], [], color=_LIMIT, marker="o", **kind) for kind in _KINDS.values()]
        figure.legend(handles, [*names, *_KINDS], loc="outside upper center", ncols=min(len(handles), 6))
        _letters(axes)
    return figure


_KINDS: dict[str, dict[str, Any]] = {
    "paper": {"linestyle": "-", "ms": 3.2},
    "corrected": {"linestyle": "--", "ms": 6.0, "markerfacecolor": "none"},
}
"""A dot and a ring: where both definitions agree, both are seen."""


def plot_function(
    audited: AuditedRuns | Sequence[AuditedArm],
    *,
    penalty: float | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw what credits achieve against how well they point (evaluation paper, table 3).

    Parameters
    ----------
    audited : AuditedRuns or sequence of AuditedArm
        Arms of one setting.
    penalty : float, optional
        Draw arms with this penalty alone; by default the one under which the most credit rules were audited, the
        largest of several.
    figure : Figure or SubFigure, optional
        Where to draw; a new one of the width of two columns if not given.

    Returns
    -------
    Figure or SubFigure
        Accuracy, change of the test loss by nudges along credits, and change of the training loss, against the deep
        cosine: as the paper has it (dots), and corrected (rings). Means and standard deviations over seeds.

    Raises
    ------
    ParameterError
        If arms are of several settings, or fewer than two with that penalty have a deep cosine.
    """
    shown = functions(arms_of(audited), penalty)
    if len(shown) < 2:
        raise ParameterError(
            "fewer than two arms with the same penalty have a deep cosine; there is nothing to compare"
        )
    look = looks(shown)
    rows = (
        ("accuracy", "accuracy", "test accuracy"),
        ("nudge_input", "nudge_output", "change of the test loss\nby a nudge (nat)"),
        ("loss_change", "loss_change", "change of the\ntraining loss (nat)"),
    )
    with style():
        if figure is None:
            figure = plt.figure(figsize=(DOUBLE_COLUMN, 0.4 * DOUBLE_COLUMN), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, 3))
        for ax, (paper, corrected, label) in zip(axes, rows, strict=True):
            for arm in shown:
                mine, ends = look[arm.name], []
                for x, y, kind in (("deep", paper, "paper"), ("deep_corrected", corrected, "corrected")):
                    across, up = arm.spread(x), arm.spread(y)
                    ends.append((across.mean, up.mean))
                    ax.errorbar(
                        across.mean, up.mean, up.sd, across.sd, color=mine.color, marker=mine.marker, elinewidth=0.8,
                        zorder=3, **{**_KINDS[kind], "linestyle": ""},
                    )  # fmt: skip
                ax.plot(*np.transpose(ends), color=mine.color, linewidth=0.6, alpha=0.7)
            ax.set_xlabel("deep cosine")
            ax.set_ylabel(label)
            ax.margins(0.08)
        _baseline(axes[0], shown)
        names = [arm.name for arm in shown]
        handles = [
            Line2D([], [], color=look[name].color, marker=look[name].marker, linestyle="", ms=4.5) for name in names
        ]
        handles += [Line2D([], [], color=_LIMIT, marker="o", **{**kind, "linestyle": ""}) for kind in _KINDS.values()]
        figure.legend(handles, [*names, *_KINDS], loc="outside upper center", ncols=4)
        _letters(axes)
    return figure


def _panels(figure: Figure | SubFigure | None, widths: Sequence[float]) -> tuple[Figure | SubFigure, list[Axes]]:
    """Two rows of three; the last is for the legend."""
    if figure is None:
        figure = plt.figure(figsize=(DOUBLE_COLUMN, 0.66 * DOUBLE_COLUMN), layout="constrained")
    axes = np.atleast_1d(figure.subplots(2, 3, width_ratios=list(widths)))
    return figure, list(axes.flat)


def _reported(ax: Axes, arms: Sequence[AuditedArm], look: dict[str, Look]) -> None:
    """Accuracy and aggregate cosine of every arm, from the top down."""
    for y, arm in enumerate(arms):
        color = look[arm.name].color
        accuracy, gamma = arm.spread("accuracy"), arm.spread("gamma")
        ax.errorbar(accuracy.mean, y, xerr=accuracy.sd, fmt="o", color=color, ms=3.5, elinewidth=0.8)
        ax.errorbar(gamma.mean, y, xerr=gamma.sd, fmt="D", color=color, ms=3.5, markerfacecolor="white", elinewidth=0.8)
    frozen = frozen_of(arms)
    if np.isfinite(frozen):
        ax.axvline(frozen, color=_LIMIT, linestyle="--", linewidth=0.8)
    ax.set_yticks(range(len(arms)), [arm.name for arm in arms])
    ax.tick_params(axis="y", length=0, labelsize=6.0 if len(arms) > 6 else 7.0)
    ax.set_ylim(len(arms) - 0.5, -0.5)
    ax.grid(axis="y", linewidth=0.3, color="#DDDDDD")
    ax.set_axisbelow(True)
    marks = [Line2D([], [], color=_LIMIT, marker=m, ms=3.5, linestyle="", markerfacecolor=f)
             for m, f in (("o", _LIMIT), ("D", "white"))]  # fmt: skip
    ax.legend(marks, ["accuracy", r"cosine $\Gamma$"], loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2,
              columnspacing=0.8, handletextpad=0.2, borderaxespad=0.2)  # fmt: skip


def _curve(
    ax: Axes, rows: Floats, look: Look, *, at: Floats | None = None, log: bool = False, marker: str | None = None
) -> None:
    """Mean over seeds, and the band between the extremes."""
    x = np.arange(rows.shape[1], dtype=np.float64) if at is None else at
    if log:
        rows = np.where(rows > 0, rows, np.nan)
    middle = np.exp(np.log(rows).mean(axis=0)) if log else rows.mean(axis=0)
    if len(rows) > 1:
        ax.fill_between(x, rows.min(axis=0), rows.max(axis=0), color=look.color, alpha=_BAND, linewidth=0)
    ax.plot(x, middle, color=look.color, linestyle=look.dashes, marker=look.marker if marker is None else marker, ms=3)


def _depths(ax: Axes, what: str, label: str) -> None:
    ax.set_xlabel(what)
    ax.set_ylabel(label)
    ax.margins(x=0.06)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _decade(ax: Axes) -> None:
    """A logarithmic axis of a decade or more, so that powers of ten are on it."""
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    if high < 10 * low:
        middle = np.sqrt(low * high)
        ax.set_ylim(middle / 10**0.55, middle * 10**0.55)


def _clamps(ax: Axes, arms: Sequence[AuditedArm]) -> None:
    """Where the second check flags, and where the cosine's denominator is clamped."""
    from ..diagnostics.evaluation_verdict import Thresholds

    found = [one.audit.thresholds for arm in arms for one in arm.members if one.audit is not None]
    limits = found[0] if found else Thresholds()
    floor = min(ax.get_ylim()[0], 0.3 * limits.cosine_epsilon) if ax.get_ylim()[0] < limits.least_gradient else None
    if floor is None:
        return
    for value, text in ((limits.least_gradient, "D2"), (limits.cosine_epsilon, r"$\varepsilon$")):
        ax.axhline(value, color=_LIMIT, linestyle=":", linewidth=0.8)
        ax.annotate(text, (1.0, value), xycoords=("axes fraction", "data"), xytext=(-1, 1), textcoords="offset points",
                    ha="right", va="bottom", fontsize=6, color=_LIMIT)  # fmt: skip
    ax.axhspan(floor, limits.cosine_epsilon, color=_CLAMPED, zorder=0, linewidth=0)
    ax.set_ylim(bottom=floor)


def _baseline(ax: Axes, arms: Sequence[AuditedArm]) -> None:
    """A dashed line at the accuracy of the frozen baseline."""
    frozen = frozen_of(arms)
    if np.isfinite(frozen):
        ax.axhline(frozen, color=_LIMIT, linestyle="--", linewidth=0.8)
        ax.annotate(
            "frozen", (0.0, frozen), xycoords=("axes fraction", "data"), xytext=(2, 1), textcoords="offset points",
            va="bottom", fontsize=6, color=_LIMIT,
        )  # fmt: skip


def _lengths(ax: Axes, at: Floats, members: Sequence[AuditedArm], look: Look) -> None:
    """Geometric means and ranges of the last layer's activity."""
    rows = [np.array([one.value("activity") for one in arm.audited]) for arm in members]
    middle = np.array([np.exp(np.log(row).mean()) for row in rows])
    ends = np.abs(np.array([[row.min(), row.max()] for row in rows]).T - middle)
    ax.errorbar(at, middle, ends, color=look.color, marker=look.marker, ms=4, elinewidth=0.8)


def _spread(
    ax: Axes, at: Floats, members: Sequence[AuditedArm], quantity: str, look: Look, hollow: bool = False
) -> None:
    found = [arm.spread(quantity) for arm in members]
    kind = _KINDS["corrected" if hollow else "paper"]
    ax.errorbar(at, [one.mean for one in found], [one.sd for one in found], color=look.color, marker=look.marker,
                elinewidth=0.8, **kind)  # fmt: skip


def _power(value: float) -> str:
    if value == 0:
        return "0"
    exponent = int(np.floor(np.log10(value)))
    factor = value / 10.0**exponent
    return f"$10^{{{exponent}}}$" if abs(factor - 1) < 1e-9 else rf"${factor:g}\cdot 10^{{{exponent}}}$"


def _letters(axes: Sequence[Axes] | NDArray[Any]) -> None:
    for letter, ax in zip("ABCDEF", axes, strict=False):
        ax.annotate(letter, (0, 1), xycoords="axes fraction", xytext=(-22, 4), textcoords="offset points",
                    fontweight="bold", fontsize=9)  # fmt: skip
