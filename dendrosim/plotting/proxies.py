"""Proxies of the path gain: how far off, why, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from ..errors import ParameterError, choose
from .fidelity import labelled
from .styling import (
    BLACK,
    BLUE,
    DOUBLE_COLUMN,
    GREEN,
    NEUTRAL,
    ORANGE,
    PURPLE,
    SINGLE_COLUMN,
    SKY_BLUE,
    VERMILLION,
    style,
)

Floats = NDArray[np.float64]

_DARK = "#5A5A5A"
KINDS: dict[str, tuple[str, str, Any, str]] = {
    "constant": ("constant 1", NEUTRAL, ":", "x"),
    "rho": ("rho (4F), per stage", ORANGE, "--", "v"),
    "correlation": ("correlation with soma", ORANGE, ":", "<"),
    "slope": ("regression on soma", SKY_BLUE, "--", "^"),
    "ebd": ("EBD correlation", PURPLE, "--", "P"),
    "ebd_score": ("EBD with the score", PURPLE, ":", "X"),
    "path_layer": ("path factor of stages", BLACK, "-.", "|"),
    "path_compartment": ("local path product", BLACK, ":", "_"),
    "vnc": ("VNC, R known", BLUE, "-", "o"),
    "vnc_own": ("VNC over own response", GREEN, "-", "s"),
    "nmnc": ("NMNC, R known", VERMILLION, "-", "D"),
    "mirror": ("tree mirror", _DARK, "-", "h"),
}
"""Label, colour, line and marker of each: listening dashed, paths dotted, noise solid."""
USUAL = ("constant", "rho", "slope", "ebd", "path_layer", "path_compartment", "vnc", "vnc_own", "nmnc", "mirror")
_BINS = 9
_FLOOR, _MOST = 0.01, 2.0


def plot_gain_proxies(
    reports: Any,
    *,
    proxies: Sequence[str] | None = None,
    profiles: Sequence[str] = ("rho", "slope", "ebd", "vnc", "nmnc", "mirror"),
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw how well proxies of the path gain do: angles against samples, bias against spread, gains against distance.

    Parameters
    ----------
    reports : PathGainProxies or mapping from label to PathGainProxies
        A column each, such as ``{"directed": ..., "reciprocal": ...}``.
    proxies : sequence of str, optional
        Which to draw; all but variants by default.
    profiles : sequence of str
        Which of them to draw against the distance from the soma; empty: none, and no such row.
    figure : Figure or SubFigure, optional
        Where to draw; a new one if not given.

    Returns
    -------
    Figure or SubFigure
        Rows: the angle between estimates and true gains (its sine is the error after the best common factor) against
        the number of stimuli or perturbations, with a thin line for what theory says of VNC; bias against spread, both
        after that factor, of the largest number, values below 0.01 at the edge, arcs being equal errors; and gains, the
        mean of each proxy after its factor with a band of one standard deviation, against the path distance, means over
        bins of it.

    Raises
    ------
    ParameterError
        If a proxy is not in the reports, or there is nothing to draw.
    """
    series = {
        name: found[0] for name, found in labelled("reports", reports, "gain_spread", "a PathGainProxies").items()
    }
    known = [name for name in KINDS if all(name in one.mean for one in series.values())]
    drawn = [n for n in USUAL if n in known] if proxies is None else [choose("proxy", n, known) for n in proxies]
    if not drawn:
        raise ParameterError("there are no proxies to draw; the reports share none, or proxies= is empty")
    shown = [name for name in profiles if name in drawn]
    rows = 3 if shown else 2
    with style():
        if figure is None:
            width = SINGLE_COLUMN if len(series) == 1 else DOUBLE_COLUMN
            figure = plt.figure(figsize=(width, (1.45 * rows + 0.75)), layout="constrained")
        axes = figure.subplots(rows, len(series), squeeze=False)
        for k, (label, report) in enumerate(series.items()):
            _angles(axes[0, k], report, drawn)
            _plane(axes[1, k], report, drawn)
            if shown:
                _profiles(axes[2, k], report, shown)
            axes[0, k].set_title(label)
            for row in axes[:2, k] if k else ():
                row.yaxis.set_major_formatter(NullFormatter())
        axes[0, 0].set_ylabel("angle to true\ngains (degrees)")
        axes[1, 0].set_ylabel("bias")
        for row, letter in zip(axes[:, 0], "abc", strict=False):
            row.set_title(letter, loc="left", x=-0.42, fontweight="bold")
        if shown:
            axes[2, 0].set_ylabel("gain to the soma")
        handles = [
            Line2D([], [], color=color, ls=line, marker=marker, markersize=3.5, label=text)
            for text, color, line, marker in (KINDS[name] for name in drawn)
        ]
        if shown:
            handles.append(Line2D([], [], color=BLACK, linewidth=2.0, label="true gain"))
        if "vnc" in drawn:
            handles.append(Line2D([], [], color=BLACK, linewidth=0.6, label="VNC, theory"))
        figure.legend(handles=handles, loc="outside lower center", ncols=2 if len(series) == 1 else 4, handlelength=2.4)
    return figure


def _angles(ax: Axes, report: Any, drawn: Sequence[str]) -> None:
    """Angle between estimates and true gains against samples."""
    for name in drawn:
        _, color, line, marker = KINDS[name]
        rows = report.table[report.table["proxy"] == name]
        error = np.degrees(np.arcsin(rows["error_scaled"]))
        ax.plot(rows["samples"], error, color=color, ls=line, marker=marker, markersize=2.5, clip_on=False)
        if name == "vnc" and np.isfinite(rows["predicted"]).all():
            theory = np.degrees(np.arctan(rows["predicted"]))
            ax.plot(rows["samples"], theory, color=BLACK, linewidth=0.6, zorder=1)
    ax.set(xscale="log", ylim=(0.0, 90.0), yticks=(0, 30, 60, 90), xlabel="stimuli or perturbations")


def _plane(ax: Axes, report: Any, drawn: Sequence[str]) -> None:
    """Bias against spread at the largest number of samples, both after the best factor."""
    angle = np.linspace(0.0, np.pi / 2, 60)
    for radius in (0.1, 1.0):
        ax.plot(radius * np.cos(angle), radius * np.sin(angle), color=NEUTRAL, linewidth=0.5, zorder=1)
        where = 0.66 * radius  # inside the arc, on the diagonal
        ax.text(where, where, f"{radius:g}", color=_DARK, fontsize=6, ha="right", va="top", zorder=1)
    for name in drawn:
        _, color, _, marker = KINDS[name]
        row = report.row(name, report.samples[-1])
        x, y = (max(value, _FLOOR) for value in (abs(_factor(report, name)) * row["spread"], row["bias_scaled"]))
        ax.plot(min(x, _MOST), y, color=color, marker=marker, markersize=4.5, linestyle="", clip_on=False)
    limits = (_FLOOR, _MOST)
    ax.set(xscale="log", yscale="log", xlim=limits, ylim=limits, xlabel=f"spread ({report.samples[-1]:,} samples)")


def _profiles(ax: Axes, report: Any, shown: Sequence[str]) -> None:
    """Gains against distance: the true ones, and the means of proxies after their best common factor."""
    where = report.where
    distance, gain = report.distance[where], report.gain[where]
    places = np.unique(distance)
    if places.size > _BINS:
        edges = np.linspace(0.0, distance.max() * (1 + 1e-9), _BINS + 1)
        group = np.digitize(distance, edges) - 1
    else:
        group = np.searchsorted(places, distance)
    used = np.unique(group)
    centre = np.array([distance[group == g].mean() for g in used])
    low = np.array([gain[group == g].mean() for g in used])
    for name in shown:
        _, color, line, _ = KINDS[name]
        factor = _factor(report, name)
        mean, deviation = (factor * values[name][-1][where] for values in (report.mean, report.deviation))
        middle = np.array([mean[group == g].mean() for g in used])
        spread = np.array([np.sqrt((deviation[group == g] ** 2).mean()) for g in used])
        ax.plot(centre, middle, color=color, ls=line)
        ax.fill_between(centre, middle - spread, middle + spread, color=color, alpha=0.12, linewidth=0)
    ax.plot(centre, low, color=BLACK, linewidth=2.0, zorder=1.5)
    ax.set_ylim(-0.15 * low.max(), 1.35 * low.max())
    ax.set_xlabel("path distance (um)" if report.distance.max() > 30 else "branchings from the soma")


def _factor(report: Any, name: str) -> float:
    """The best common factor of a proxy's mean at the largest number of samples."""
    from ..diagnostics.proxies import common_factor

    return common_factor(report.mean[name][-1][report.where], report.gain[report.where])
