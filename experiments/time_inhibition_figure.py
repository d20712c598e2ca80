"""Figures of the study of inhibition in time: voltages, firing rates, and what divides and what subtracts.

python experiments/time_inhibition_figure.py time_inhibition --out docs/figures
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from time_inhibition import LEVELS, ramps

from dendrosim.plotting.styling import BLACK, BLUE, DOUBLE_COLUMN, GREEN, NEUTRAL, ORANGE, PURPLE, VERMILLION, style

Row = dict[str, str]
SHADES = (BLACK, BLUE, GREEN, VERMILLION)
"""Of levels of inhibition, none first."""
KINDS = {
    "shunting": (BLUE, "o"),
    "hyperpolarising": (GREEN, "s"),
    "additive": (VERMILLION, "^"),
    "background": (PURPLE, "D"),
    "background of single events": (ORANGE, "v"),
    "variance": (BLACK, "P"),
}
NAMES = {"background": "background, in groups of 4", "background of single events": "background, single events",
         "variance": "variance of background"}  # fmt: skip


def chosen(rows: list[Row], **values: Any) -> list[Row]:
    return [r for r in rows if all(r[k] == str(v) for k, v in values.items())]


def voltages(axes: list[Axes], cell: str) -> None:
    """V(excitation) of slow ramps of dendritic conductance with inhibition on the dendrites, kind by kind."""
    place = "soma" if cell == "point" else "dendrites"
    for ax, kind in zip(axes, ("shunting", "hyperpolarising", "additive"), strict=True):
        excitation, curves = ramps(cell, "conductance", kind, place)
        for level, curve, color in zip(LEVELS, curves, SHADES, strict=True):
            ax.plot(excitation, curve, color=color, label=f"{level:g}")
        ax.axhline(0.0, color=NEUTRAL, linewidth=0.6, zorder=0)
        ax.set(title=kind, xlabel="excitation (nS)", ylim=(-17, 17))
    axes[0].set_ylabel("soma above rest (mV)")
    axes[0].legend(title="inhibition", ncols=2, columnspacing=0.8, loc="lower right")


def curves(ax: Axes, rows: list[Row], title: str, **values: Any) -> None:
    """Firing rates against the strength of excitation, mean over seeds, by level."""
    here = chosen(rows, **values)
    for level, color in zip(sorted({float(r["level"]) for r in here}), SHADES, strict=False):
        found: dict[float, list[float]] = {}
        for row in here:
            if float(row["level"]) == level:
                found.setdefault(float(row["strength"]), []).append(float(row["rate"]))
        x = np.array(sorted(found))
        ax.plot(x, [np.mean(found[v]) for v in x], color=color, label=f"{level:g}")
    ax.set_title(title)
    ax.set_ylim(bottom=0.0)
    if here:
        ax.set_xlim(0.0, 0.75 * max(float(r["strength"]) for r in here))


def factors(ax: Axes, fits: list[Row], cell: str, drive: str, kinds: tuple[str, ...], place: str = "soma") -> None:
    """Division against subtraction of integrate and fire, level by level."""
    for kind in kinds:
        color, marker = KINDS[kind]
        here = chosen(fits, part="rate", cell=cell, soma="integrate and fire", excitation=drive, inhibition=kind,
                      place=place)  # fmt: skip
        b, a = [0.0, *(float(r["b"]) for r in here)], [1.0, *(float(r["a"]) for r in here)]
        ax.plot(b, a, color=color, linewidth=0.7)
        ax.plot(b[1:], a[1:], marker, color=color, markersize=4, label=NAMES.get(kind, kind))
    ax.axhline(1.0, color=NEUTRAL, linewidth=0.6, zorder=0)
    ax.axvline(0.0, color=NEUTRAL, linewidth=0.6, zorder=0)
    ax.set(ylim=(0.5, 1.4), title=drive)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what time_inhibition.py wrote")
    parser.add_argument("--cell", default="pyramidal_l5", help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the figures")
    options = parser.parse_args()
    raw = list(csv.DictReader((options.folder / "curves.csv").open(encoding="utf-8")))
    fits = list(csv.DictReader((options.folder / "time_inhibition.csv").open(encoding="utf-8")))
    cell = options.cell
    stem = Path(cell).stem
    with style():
        figure, panels = plt.subplots(2, 3, figsize=(DOUBLE_COLUMN, 0.6 * DOUBLE_COLUMN), layout="constrained")
        voltages(list(panels[0]), cell)
        base = {"cell": stem, "soma": "integrate and fire", "excitation": "current", "place": "soma"}
        for ax, kind in zip(panels[1], ("shunting", "hyperpolarising", "additive"), strict=True):
            curves(ax, raw, kind, inhibition=kind, **base)
            ax.set_xlabel("current (thresholds)")
        panels[1, 0].set_ylabel("firing rate (Hz)")
        panels[1, 0].legend(title="inhibition", loc="upper left")
        for ax, letter in zip(panels[:, 0], "ab", strict=True):
            ax.set_title(letter, loc="left", fontweight="bold")
        figure.savefig(options.out / "time_inhibition.png", dpi=150)
        figure, panels = plt.subplots(2, 3, figsize=(DOUBLE_COLUMN, 0.62 * DOUBLE_COLUMN), layout="constrained")
        noisy = {"cell": "point", "soma": "integrate and fire", "excitation": "current and noise", "place": "soma"}
        for ax, kind in zip(panels[0], ("shunting", "background", "variance"), strict=True):
            curves(ax, raw, NAMES.get(kind, kind), inhibition=kind, **noisy)
            ax.set(xlabel="current (thresholds)", xlim=(0, 3), ylim=(0, 190))
        panels[0, 0].set_ylabel("firing rate (Hz)")
        panels[0, 0].legend(title="level", loc="upper left")
        factors(panels[1, 0], fits, "point", "current", ("shunting", "hyperpolarising", "additive"))
        factors(panels[1, 1], fits, stem, "Poisson trains", ("shunting", "hyperpolarising", "additive"), "dendrites")
        factors(panels[1, 2], fits, "point", "current and noise",
                ("shunting", "background", "background of single events", "variance"))  # fmt: skip
        panels[1, 0].set(ylabel="division: rate × a", xlabel="subtraction b (thresholds)", title="point, current")
        panels[1, 1].set(xlabel="subtraction b (input conductances)", title="dendrites, Poisson trains")
        panels[1, 2].set(xlabel="subtraction b (thresholds)", title="point, current and noise")
        for ax in panels[1]:
            ax.legend(loc="lower left" if ax is panels[1, 1] else "best", handlelength=0.8)
        for ax, letter in zip(panels[:, 0], "ab", strict=True):
            ax.set_title(letter, loc="left", fontweight="bold")
        figure.savefig(options.out / "time_inhibition_noise.png", dpi=150)


if __name__ == "__main__":
    main()
