"""Parts that the paper's figures share: intervals with their seeds, published marks, notes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...diagnostics.intervals import Interval
from ...runs.ledger_verdict import Published
from ..styling import BLACK, BLUE, DOUBLE_COLUMN, NEUTRAL, VERMILLION

CORE_COLOR = {"shunting": BLUE, "additive": VERMILLION}
CORE_MARKER = {"shunting": "o", "additive": "s"}
EXPLAINED = "Means over seeds with 95 % intervals (Student's t), paired where differences are shown; dots: seeds."


def panels(
    rows: int,
    columns: int,
    *,
    height: float,
    widths: Sequence[float] | None = None,
    sharex: bool = False,
    sharey: bool | Literal["row"] = False,
) -> tuple[Figure, list[Axes]]:
    """A figure of the width of a page, and its axes row by row.

    Parameters
    ----------
    rows, columns : int
    height : float
        Over the width.
    widths : sequence of float, optional
        Of the columns, relative.
    sharex, sharey
        As for ``Figure.subplots``.
    """
    figure = plt.figure(figsize=(DOUBLE_COLUMN, height * DOUBLE_COLUMN), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey, width_ratios=widths)
    return figure, list(axes.ravel())


def point(
    ax: Axes,
    x: float,
    interval: Interval | None,
    color: str,
    marker: str = "o",
    *,
    filled: bool = True,
    gap: float = 0.08,
) -> None:
    """A mean with its interval, and beside it a dot per seed; "no runs" where there is nothing."""
    if interval is None:
        ax.text(
            x, 0.03, "no runs", transform=ax.get_xaxis_transform(), rotation=90, fontsize=5, color="0.4", ha="center"
        )
        return
    ax.plot(
        np.full(interval.n, x + gap), interval.values, ".", color=color, markersize=4, alpha=0.55, markeredgewidth=0
    )
    if np.isfinite(interval.low):
        ax.plot([x, x], [interval.low, interval.high], color=color, linewidth=1.2, solid_capstyle="butt")
    ax.plot(x, interval.mean, marker, color=color, markersize=4.2, markerfacecolor=color if filled else "white")


def line(
    ax: Axes,
    at: Sequence[float],
    intervals: Sequence[Interval | None],
    color: str,
    marker: str,
    label: str,
    style: str = "-",
    filled: bool = True,
) -> None:
    """Means joined by a line, each with its interval and seeds."""
    known = [(x, one) for x, one in zip(at, intervals, strict=True) if one is not None]
    gap = 0.02 * (max(at) - min(at)) if len(at) > 1 else 0.08
    for x, one in zip(at, intervals, strict=True):
        if one is not None:
            point(ax, x, one, color, marker, filled=filled, gap=gap)
    ax.plot([x for x, _ in known], [one.mean for _, one in known], style, color=color, linewidth=0.9)
    face = color if filled else "white"
    name = f"{label} ({spanned([one.n for _, one in known])})"
    ax.plot([], [], style, marker=marker, color=color, markersize=4.2, markerfacecolor=face, label=name)


def spanned(counts: Iterable[int]) -> str:
    """How many seeds there are: ``n = 3``, ``n = 1 to 3``."""
    found = sorted(set(counts))
    if not any(found):
        return "no runs"
    return f"n = {found[0]}" if len(found) == 1 else f"n = {found[0]} to {found[-1]}"


def chance(ax: Axes, level: float) -> None:
    """A dotted line at what guessing gives."""
    ax.axhline(level, color="0.45", linewidth=0.6, linestyle=":")


def published_mark(ax: Axes, x: float, published: Published | None) -> None:
    """A black diamond at a published value, with its standard deviation or range; nothing where none is known."""
    if published is None:
        return
    middle, half = 0.5 * (published.low + published.high), 0.5 * (published.high - published.low)
    spread = half or published.sd
    if spread:
        ax.plot([x, x], [middle - spread, middle + spread], color=BLACK, linewidth=0.7)
    marks = ax.plot(x, middle, "D", color=BLACK, markersize=3.6, markerfacecolor="white", markeredgewidth=0.9, zorder=5)
    marks[0].set_gid("published")


def published_handle() -> Line2D:
    """What legends show for published values."""
    return Line2D(
        [],
        [],
        linestyle="",
        marker="D",
        color=BLACK,
        markersize=3.6,
        markerfacecolor="white",
        label="published (± s.d.)",
    )


def handle(label: str, color: str, marker: str = "o", style: Any = "", filled: bool = True) -> Line2D:
    """An entry of a legend."""
    face = color if filled else "white"
    return Line2D(
        [], [], linestyle=style, marker=marker, color=color, markersize=4.2, markerfacecolor=face, label=label
    )


def core_handles() -> list[Line2D]:
    """What legends show for both cores."""
    return [handle(core, color, CORE_MARKER[core]) for core, color in CORE_COLOR.items()]


def zero(ax: Axes) -> None:
    """A line where there is no difference."""
    ax.axhline(0.0, color=BLACK, linewidth=0.6)


def legend(figure: Figure, handles: Sequence[Line2D], columns: int | None = None) -> None:
    """A legend above all panels."""
    figure.legend(handles=list(handles), loc="outside upper center", ncols=columns or len(handles), columnspacing=1.2)


def ticks(ax: Axes, names: Sequence[str], groups: Sequence[Sequence[Interval | None]]) -> None:
    """Names below the axis, each with the number of seeds of what stands above it."""
    counts = [[0 if one is None else one.n for one in group] for group in groups]
    shown = [f"{name}\n{spanned(n)}" if n else name for name, n in zip(names, counts, strict=True)]
    ax.set_xticks(range(len(shown)), shown)
    ax.set_xlim(-0.6, len(shown) - 0.4)
    ax.tick_params(axis="x", length=0, labelsize=6)


def separate(ax: Axes, at: float, left: str, right: str) -> None:
    """Two halves of a panel with a title each."""
    ax.axvline(at, color=NEUTRAL, linewidth=0.6)
    for x, text, side in ((at - 0.08, left, "right"), (at + 0.08, right, "left")):
        ax.text(x, 0.99, text, transform=ax.get_xaxis_transform(), fontsize=6, ha=side, va="top", color="0.3")


def footer(
    figure: Figure, note: str, asked: Mapping[str, Collection[str]], absent: Mapping[str, Collection[str]]
) -> None:
    """What the marks are, what was shortened, and how many arms have no runs yet."""
    missing = [f"{name} ({len(arms)} of {len(asked[name])} arms)" for name, arms in absent.items()]
    lines = [EXPLAINED, *([note] if note else []), *([f"No runs yet: {', '.join(missing)}."] if missing else [])]
    figure.supxlabel("\n".join(lines), fontsize=5.5, x=0.01, ha="left", color="0.35")
