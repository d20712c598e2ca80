"""Draw the figures of the theory pages: schematics of trees, and measured orders of convergence.

python experiments/theory_figures.py --out docs/figures
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch

import dendrosim as ds
from dendrosim.plotting.styling import (
    BLACK,
    BLUE,
    DOUBLE_COLUMN,
    EXCITATORY,
    INHIBITORY,
    NEUTRAL,
    ORANGE,
    PURPLE,
    VERMILLION,
)

MEMBRANE = ds.Passive(R_m=20_000.0, R_a=150.0)
LAMBDA = 1e4 * float(np.sqrt(1e-4 * MEMBRANE.R_m / (2 * MEMBRANE.R_a)))  # um, radius 1 um
PLACES = {0: (0.0, 0.0), 1: (-0.85, 1.15), 2: (0.95, 1.15), 3: (-1.45, 2.4), 4: (-0.25, 2.4), 5: (0.95, 2.4)}
PARENT = {1: 0, 2: 0, 3: 1, 4: 1, 5: 2}
RADIUS = 0.24


def blank(ax: Axes, title: str, bottom: float = -1.25) -> None:
    ax.set(xlim=(-2.3, 2.3), ylim=(bottom, 3.0), aspect="equal")
    ax.set_axis_off()
    ax.set_title(title, fontsize=8)


def arrow(ax: Axes, start: Any, end: Any, color: str, style: str = "-|>", shift: float = 0.0, **options: Any) -> None:
    """From the border of one compartment to that of another, `shift` to the side."""
    a, b = np.array(start, float), np.array(end, float)
    along = (b - a) / np.linalg.norm(b - a)
    aside = shift * np.array([-along[1], along[0]])
    inset = np.sqrt(max(RADIUS**2 - shift**2, 0.0)) + 0.03
    ends = (a + inset * along + aside, b - inset * along + aside)
    ax.add_patch(FancyArrowPatch(*ends, arrowstyle=style, mutation_scale=7, color=color, lw=1.1, **options))


def bodies(ax: Axes, labels: dict[int, str]) -> None:
    for n, place in PLACES.items():
        ax.add_patch(Circle(place, RADIUS, facecolor="#EDEDED" if n else "#D5D5D5", edgecolor=BLACK, lw=0.8, zorder=3))
        ax.text(*place, labels.get(n, ""), ha="center", va="center", fontsize=7, zorder=4)


def synapse(ax: Axes, n: int, side: float, color: str, additive: bool) -> None:
    """A conductance to a reversal potential (a line that ends in a bar), or a source of current (an arrow)."""
    x, y = PLACES[n]
    start = (x + side * 0.74, y + 0.34)
    end = (x + side * (RADIUS + 0.03), y + 0.08)
    if additive:
        ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=6, color=color, lw=1.0))
    else:
        ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-[,widthB=0.25,lengthB=0", mutation_scale=8, color=color))
        ax.plot(*start, marker="o", ms=3.2, color=color)


def cases() -> Figure:
    """Who drives whom, and how synapses act."""
    figure = mpl.figure.Figure(figsize=(DOUBLE_COLUMN, 0.3 * DOUBLE_COLUMN), layout="constrained")
    axes = figure.subplots(1, 4)
    titles = ["directed, shunting", "directed, additive", "reciprocal, shunting", "reciprocal, additive"]
    for ax, title in zip(axes, titles, strict=True):
        directed, additive = title.startswith("directed"), title.endswith("additive")
        blank(ax, title)
        for child, parent in PARENT.items():
            if directed:
                arrow(ax, PLACES[child], PLACES[parent], BLACK)
            else:
                arrow(ax, PLACES[child], PLACES[parent], BLACK, "<|-|>")
        bodies(ax, {0: "$V_0$", 1: "$V_n$", 3: "$V_c$"})
        for n, side, color in ((1, -1, EXCITATORY), (3, -1, INHIBITORY), (5, 1, EXCITATORY), (4, 1, INHIBITORY)):
            synapse(ax, n, side, color, additive)
        says = {
            "directed, shunting": "$V_n$: mean of drives,\n$R_n = 1 / G_n$",
            "directed, additive": "$V_n$: sum of drives,\n$R_n = 1$",
            "reciprocal, shunting": "$G(x)\\,V = b(x)$,\n$R_n = Z_{nn}(x)$",
            "reciprocal, additive": "$G\\,V = b(x)$,\n$R_n = Z_{nn}$",
        }[title]
        ax.text(0, -0.36, says, ha="center", va="top", fontsize=7)
    for color, label in ((EXCITATORY, "excitatory"), (INHIBITORY, "inhibitory")):
        axes[0].plot([], [], "o", ms=3.2, color=color, label=label)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def elimination() -> Figure:
    """One way up, one way down."""
    figure = mpl.figure.Figure(figsize=(DOUBLE_COLUMN, 0.42 * DOUBLE_COLUMN), layout="constrained")
    left, right = figure.subplots(1, 2)
    blank(left, "up: conductances, to the soma", -0.75)
    blank(right, "down: impedances, to the tips", -0.75)
    names = {0: "$0$", 1: "$p$", 2: "", 3: "$n$", 4: "", 5: ""}
    for ax in (left, right):
        for child, parent in PARENT.items():
            (x0, y0), (x1, y1) = PLACES[child], PLACES[parent]
            ax.plot([x0, x1], [y0, y1], color=NEUTRAL, lw=0.8, zorder=1)
        bodies(ax, names)
    for child, parent in PARENT.items():
        arrow(left, PLACES[child], PLACES[parent], ORANGE, shift=0.09)
        arrow(right, PLACES[parent], PLACES[child], PURPLE, shift=0.09)
    left.text(-1.36, 1.47, "$m_n \\hat G_n$", ha="right", va="center", fontsize=8, color=ORANGE)
    left.text(-0.66, 0.42, "$m_p \\hat G_p$", ha="right", va="center", fontsize=8, color=ORANGE)
    left.text(-1.76, 2.4, "$\\hat G_n$", ha="right", va="center", fontsize=8)
    left.text(0, -0.34, "$m_n = g_n / (\\hat G_n + g_n)$,   $\\hat G_p = \\ell_p + s_p + \\sum m_n \\hat G_n$",
              ha="center", va="top", fontsize=7.5)  # fmt: skip
    right.text(-1.36, 1.47, "$m_n$", ha="right", va="center", fontsize=8, color=PURPLE)
    right.text(-0.66, 0.42, "$m_p$", ha="right", va="center", fontsize=8, color=PURPLE)
    right.text(0.34, 0.0, "$Z_{00} = 1/\\hat G_0$", ha="left", va="center", fontsize=8)
    right.text(0, -0.34, "$Z_{nn} = 1 / (\\hat G_n + g_n) + m_n^2 Z_{pp}$,   $Z_{0n} = m_n Z_{0p}$",
               ha="center", va="top", fontsize=7.5)  # fmt: skip
    return figure


def slope(ax: Axes, x: Any, y: Any, order: int) -> None:
    """A grey line of the given order below the data."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    guide = 0.4 * y.min() * (x / x.min()) ** order
    ax.plot(x, guide, color=NEUTRAL, lw=0.8, ls="--", zorder=1)
    at = int(np.argsort(x)[x.size // 2])
    ax.text(x[at], 0.8 * guide[at], f"slope {order}", fontsize=6.5, color="#555555", ha="left", va="top")


def cylinder(ax: Axes) -> None:
    pieces = np.array([4, 8, 16, 32, 64, 128])
    conductance = 1e9 * np.pi * 1e-8 / (MEMBRANE.R_a * LAMBDA * 1e-4)  # semi-infinite, nS
    resistance, attenuation = [], []
    for n in pieces:
        line = ds.grow.unbranched([[0.0, 0.0, 0.0], [LAMBDA, 0.0, 0.0]], 1.0)
        cell = line.compartments(MEMBRANE, max_length=LAMBDA / n * 1.000001)
        at = 0.5 / n
        state = ds.steady_state(cell)
        exact = np.cosh(at) * np.cosh(1 - at) / np.sinh(1) / conductance
        resistance.append(abs(state.input_resistance[0, 0] / exact - 1))
        attenuation.append(abs(state.attenuation_to_soma[0, -1] * np.cosh(1 - at) / np.cosh(at) - 1))
    ax.loglog(1 / pieces, resistance, "o-", ms=3, color=BLUE, label="input resistance")
    ax.loglog(1 / pieces, attenuation, "s-", ms=3, color=VERMILLION, label="attenuation")
    slope(ax, 1 / pieces, attenuation, 2)
    ax.set(xlabel="compartment, length constants", ylabel="relative error", title="a  sealed cylinder")
    ax.margins(y=0.15)
    ax.legend(loc="upper left", borderaxespad=0.1)


def pyramidal(ax: Axes) -> None:
    morphology = ds.Morphology.load("pyramidal_l5").prune(region="axon")
    tips = np.unique(morphology.samples.id[morphology.samples.type > 1])

    def measured(length: float) -> tuple[Any, Any]:
        cell = morphology.compartments(MEMBRANE, max_length=length)
        stem = int(cell.roots[0])
        state = ds.steady_state(cell)
        nearest = [cell.of_sample(int(k)) for k in tips[::97]]
        area = ds.transfer_resistance(state, [stem], nearest)[0, 0]
        return state.input_resistance[0, stem], area

    reference = measured(1.0)
    lengths = [100.0, 50.0, 25.0, 12.5]
    errors = [[abs(a / b - 1).max() for a, b in zip(measured(h), reference, strict=True)] for h in lengths]
    own, transfer = np.array(errors).T  # sites lie in the middle of their compartment: an error of first order
    ax.loglog(lengths, own, "o-", ms=3, color=BLUE, label="soma")
    ax.loglog(lengths, transfer, "s-", ms=3, color=VERMILLION, label="soma to sites")
    slope(ax, lengths, own, 2)
    slope(ax, lengths, transfer, 1)
    ax.set(xlabel="compartment, um", title="b  pyramidal cell")
    ax.set_xticks(lengths, [f"{h:g}" for h in lengths])
    ax.minorticks_off()
    ax.margins(y=0.15)
    ax.legend(loc="upper left", borderaxespad=0.1)


def steps(ax: Axes) -> None:
    cell = ds.Compartments([-1, 0, 1], leak=2.0, coupling=10.0, capacitance=40.0, leak_reversal=-70.0)
    synapses = ds.Synapses(cell, [1, 2], sign=[1, -1], conductance=[3.0, 4.0])
    spikes = ds.Spikes([0.537, 2.113], [0, 1])

    def end(dt: float, method: str) -> Any:
        options: dict[str, Any] = {"kinetics": ds.Alpha(1.0), "arrival": "exact", "record": "all"}
        return ds.simulate(cell, synapses, spikes, dt=dt, duration=6.4, method=method, **options).voltage[0, -1]

    exact = end(0.0005, "crank_nicolson")
    grid = [0.2, 0.1, 0.05, 0.025, 0.0125]
    for method, color, marker, order in (("backward_euler", BLUE, "o", 1), ("crank_nicolson", VERMILLION, "s", 2)):
        errors = [float(np.abs(end(dt, method) - exact).max()) for dt in grid]
        ax.loglog(grid, errors, f"{marker}-", ms=3, color=color, label=method.replace("_", " "))
        slope(ax, grid, errors, order)
    ax.set(xlabel="step, ms", ylabel="error, mV", title="c  steps in time")
    ax.set_xticks(grid, [f"{dt:g}" for dt in grid])
    ax.minorticks_off()
    ax.margins(y=0.15)
    ax.legend(loc="upper left", borderaxespad=0.1)


def convergence() -> Figure:
    figure = mpl.figure.Figure(figsize=(DOUBLE_COLUMN, 0.36 * DOUBLE_COLUMN), layout="constrained")
    for draw, ax in zip((cylinder, pyramidal, steps), figure.subplots(1, 3), strict=True):
        draw(ax)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/figures"))
    out = parser.parse_args().out
    with ds.plotting.style():
        for name, draw in {"cases": cases, "elimination": elimination, "convergence": convergence}.items():
            draw().savefig(out / f"theory_{name}.png", dpi=200)


if __name__ == "__main__":
    main()
