"""Figures of dendritic networks under the evaluation protocol.

python experiments/evaluation_dendrites.py evaluation --out experiments/results
python experiments/evaluation_dendrites_figures.py --out docs/figures
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from dendrosim.plotting.styling import (
    BLACK,
    BLUE,
    DOUBLE_COLUMN,
    GREEN,
    NEUTRAL,
    PURPLE,
    VERMILLION,
    style,
)

RESULTS = Path(__file__).parent / "results" / "evaluation_dendrites.csv"
KINDS = {"shunting": (BLUE, "o"), "additive": (VERMILLION, "s")}
STAGES = {"stage 2": ("^", "tips"), "stage 1": ("s", "proximal"), "stage 0": ("o", "soma")}
LABELS = {
    "exact": "exact",
    "mirror": "soma noise + edge mirror",
    "exact, squared error": "exact (squared error)",
    "fa": "feedback alignment",
    "per_soma": "own soma's error",
    "kp": "Kolen-Pollack",
    "vnc": "noise correlation (VNC)",
    "dfa per cell": "DFA, per cell",
    "sbd per cell": "SBD, per cell",
    "nmnc": "on the manifold (NMNC)",
    "sbd opposite sign": "SBD, opposite sign",
    "dfa per compartment": "DFA, per compartment",
    "sbd": "SBD",
    "ebd, squared error": "EBD (squared error)",
    "node_perturbation": "node perturbation",
    "sbd expanded": "SBD, expanded",
    "scalar": "scalar",
}
DEEP = {"per_soma": ("own soma's error", GREEN, "^"), "fa": ("feedback alignment", PURPLE, "D"),
        "dfa per cell": ("DFA, per cell", BLACK, "v")}  # fmt: skip
GROWTH, LEAST, UTILITY = 50.0, 1e-7, 2.0


class Point(NamedTuple):
    """A mean over seeds and its interval."""

    mean: float
    low: float
    high: float


class Table:
    """What evaluation_dendrites.py wrote."""

    def __init__(self, path: Path) -> None:
        with path.open(newline="", encoding="utf-8") as file:
            self._rows = {
                tuple(row[k] for k in ("part", "arm", "integration", "gates", "stage", "quantity")): row
                for row in csv.DictReader(file)
            }

    def of(self, part: str, arm: str, integration: str, stage: str, quantity: str, gates: str = "True") -> Point:
        """nan where it was not measured."""
        row = self._rows.get((part, arm, integration, gates, stage, quantity))
        return Point(*(math.nan if row is None else float(row[name]) for name in Point._fields))

    def stages(self, part: str) -> list[str]:
        """From the tips to the soma."""
        found = {key[4] for key in self._rows if key[0] == part and key[4].startswith("stage")}
        return sorted(found, key=lambda name: -int(name.split()[1]))


def bars(ax: Axes, at: np.ndarray, points: list[Point], horizontal: bool, scale: float = 1.0, **look: object) -> None:
    """Means with intervals."""
    mean = scale * np.array([p.mean for p in points])
    error = np.abs(scale * np.array([[p.low, p.high] for p in points]).T - mean)
    if horizontal:
        ax.errorbar(mean, at, xerr=error, **look)  # type: ignore[arg-type]
    else:
        ax.errorbar(at, mean, yerr=error, **look)  # type: ignore[arg-type]


def signals(table: Table) -> plt.Figure:
    """Points above frozen dendrites, and cosines by stage, of every signal."""
    arms = list(LABELS)[::-1]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(DOUBLE_COLUMN, 4.4), sharey=True, width_ratios=[1.15, 1.0], layout="constrained"
    )
    for shift, (kind, (colour, marker)) in zip((0.15, -0.15), KINDS.items(), strict=True):
        points = [table.of("teaching", arm, kind, "", "gap") for arm in arms]
        bars(left, np.arange(len(arms)) + shift, points, True, 100.0, fmt=marker, ms=3.5, color=colour, label=kind)
    left.axvline(UTILITY, color=NEUTRAL, linestyle="--")
    left.axvline(0.0, color=NEUTRAL)
    left.annotate("D3", (UTILITY, len(arms) - 0.6), (3, 0), textcoords="offset points", fontsize=7, color="0.4")
    left.set(xlabel="accuracy above frozen dendrites (points)")
    left.set_yticks(range(len(arms)), [LABELS[arm] for arm in arms])
    left.legend(loc="center left", bbox_to_anchor=(0.0, 0.6))
    for stage, (marker, name) in STAGES.items():
        values = [table.of("teaching", arm, "shunting", stage, "recorded cosine").mean for arm in arms]
        right.plot(values, range(len(arms)), marker, ms=4.5, mfc="none", color=BLUE, label=name)
        before = [table.of("untrained", arm, "shunting", stage, "cosine").mean for arm in arms]
        right.plot(before, np.arange(len(arms)) - 0.28, marker, ms=3.5, mfc="none", color="0.55",
                   label="same, dendrites frozen" if stage == "stage 0" else None)  # fmt: skip
    right.axvline(0.0, color=NEUTRAL)
    right.set(xlim=(-0.08, 1.06), xlabel="cosine with the exact credit (shunting)")
    right.legend(loc="lower right", bbox_to_anchor=(1.0, 0.02))
    for letter, axes in zip("ab", (left, right), strict=True):
        axes.grid(axis="y", color="0.92", lw=0.6)
        axes.set_axisbelow(True)
        axes.set_title(letter, loc="left", fontweight="bold")
    return figure


def doses(table: Table) -> plt.Figure:
    """Growth and references of trained networks whose conductances or weights are multiplied."""
    knobs = {"couplings": "couplings", "synapses": "all synapses", "inhibition": "inhibitory synapses",
             "decoder": "decoder weights"}  # fmt: skip
    factors = 10.0 ** np.arange(-1, 7)
    figure, panels = plt.subplots(
        3, len(knobs), figsize=(DOUBLE_COLUMN, 5.2), sharex=True, sharey="row", layout="constrained"
    )
    for column, (knob, title) in zip(panels.T, knobs.items(), strict=True):
        for kind, (colour, marker) in KINDS.items():
            arms = [f"{knob} x {factor:g}" for factor in factors]
            rho = [table.of("doses", arm, kind, "", "rho").mean for arm in arms]
            column[0].plot(factors, rho, marker=marker, ms=3, color=colour, label=kind)
            for stage, line, name in (("stage 0", "-", "soma"), ("stage 2", ":", "tips")):
                size = [table.of("doses", arm, kind, stage, "gradient").mean for arm in arms]
                column[1].plot(factors, np.maximum(size, 1e-38), line, marker=marker, ms=3, color=colour,
                               mfc=colour if stage == "stage 0" else "none", label=f"{kind}, {name}")  # fmt: skip
            printed = [table.of("doses", arm, kind, "stage 2", "cosine clamped").mean for arm in arms]
            column[2].plot(factors, printed, marker=marker, ms=3, color=colour)
        column[0].axhline(GROWTH, color="0.5", linestyle="--", lw=0.8)
        column[1].axhline(LEAST, color="0.5", linestyle="--", lw=0.8)
        column[0].set(title=title, xscale="log", yscale="log")
        column[1].set(yscale="log")
        column[2].set(xlabel="factor", ylim=(-0.05, 1.1))
        column[2].set_xticks([1e0, 1e2, 1e4, 1e6])
    panels[0, 0].set_ylabel(r"largest growth $\rho$")
    panels[1, 0].set_ylabel(r"$|g|$ of a sample's loss")
    panels[2, 0].set_ylabel("paper's cosine of\nexact credit, tips")
    panels[0, -1].legend(loc="upper left")
    panels[1, -1].legend(loc="lower left")
    for letter, ax in zip("abcdefghijkl", panels.ravel(), strict=True):
        ax.set_title(letter, loc="left", fontweight="bold")
    panels[0, 0].annotate("D1", (0.1, GROWTH), (0, 2), textcoords="offset points", fontsize=7, color="0.4")
    panels[1, 0].annotate("D2", (1e5, LEAST), (0, 2), textcoords="offset points", fontsize=7, color="0.4")
    return figure


def deep(table: Table) -> plt.Figure:
    """Voltages, references and cosines along trees of six stages."""
    names = table.stages("deep")
    at = np.arange(len(names))
    figure, axes = plt.subplots(1, 3, figsize=(DOUBLE_COLUMN, 2.3), layout="constrained")
    for ax, quantity in zip(axes, ("voltage", "gradient"), strict=False):
        for kind, (colour, marker) in KINDS.items():
            for arm, line in (("exact", "-"), ("decoder_only", ":")):
                points = [table.of("deep", arm, kind, stage, quantity) for stage in names]
                label = f"{kind}, {'exact' if arm == 'exact' else 'frozen'}"
                mfc = colour if arm == "exact" else "none"
                bars(ax, at, points, False, fmt=marker + line, ms=3, color=colour, mfc=mfc, label=label)
    axes[0].set(ylabel="voltage, root mean square", yscale="log", ylim=(0.02, 20))
    axes[1].set(ylabel=r"$|g_l|$ of a sample's loss", yscale="log", ylim=(0.01, 5))
    axes[0].legend(loc="lower left", fontsize=6)
    for arm, (name, colour, marker) in DEEP.items():
        for kind, line in (("shunting", "-"), ("additive", "--")):
            points = [table.of("deep", arm, kind, stage, "cosine") for stage in names]
            label = name if kind == "shunting" else None
            bars(axes[2], at, points, False, fmt=marker + line, ms=3, color=colour, label=label,
                 mfc=colour if kind == "shunting" else "none")  # fmt: skip
    axes[2].axhline(0.0, color=NEUTRAL)
    axes[2].set(ylabel="cosine with the exact credit", ylim=(-0.1, 1.05))
    axes[2].legend(loc="upper left", fontsize=6)
    for letter, ax in zip("abc", axes, strict=True):
        ax.set_title(letter, loc="left", fontweight="bold")
        ax.set_xticks(at, ["tips", *(str(int(name.split()[1])) for name in names[1:-1]), "soma"])
        ax.set_xlabel("stage")
    return figure


def main() -> None:
    """Draw the figures from the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=RESULTS, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the figures (default: here)")
    given = parser.parse_args()
    table = Table(given.table)
    given.out.mkdir(parents=True, exist_ok=True)
    drawn = {"signals": signals, "doses": doses, "deep": deep}
    with style():
        for name, draw in drawn.items():
            path = given.out / f"evaluation_dendrites_{name}.png"
            draw(table).savefig(path, dpi=200)
            print(path)


if __name__ == "__main__":
    main()
