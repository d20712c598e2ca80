"""Figure of the sign study: closeness of credits to the exact ones over training, and what networks reach.

python experiments/sign_study_figure.py sign_study/sign_study.csv --out docs/figures
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dendrosim.plotting.styling import BLACK, BLUE, GREEN, NEUTRAL, ORANGE, PURPLE, SKY_BLUE, VERMILLION, style

Row = dict[str, str]
ARMS = {
    "kp, soma, from zero": ("Kolen-Pollack, per cell", GREEN, "s"),
    "opposite 0.9999 zero, soma": ("opposite, M(0) = 0, per cell", SKY_BLUE, "D"),
    "opposite 0.9999 zero": ("opposite, M(0) = 0", BLUE, "o"),
    "dfa": ("M(0) random, fixed (DFA)", BLACK, "v"),
    "literal 0.9999 random": ("literal, M(0) random", ORANGE, "^"),
    "literal 0.9999 zero": ("literal, M(0) = 0", VERMILLION, "P"),
    "literal 0.99 zero": ("literal, M(0) = 0, decay 0.99", PURPLE, "X"),
}
"""Arms of the panels over epochs; decay 0.9999 unless named."""
BARS = ("exact", "dfa, soma", *ARMS, "decoder_only")


def value(row: Row, key: str) -> float:
    return float(row[key]) if row[key] else float("nan")


def over_epochs(ax: Axes, rows: list[Row], layer: str) -> None:
    for arm, (label, colour, marker) in ARMS.items():
        here = sorted((r for r in rows if r["arm"] == arm and r["layer"] == layer), key=lambda r: int(r["epoch"]))
        epoch, mean = [int(r["epoch"]) for r in here], [value(r, "cosine") for r in here]
        sd = [value(r, "cosine_sd") for r in here]
        ax.errorbar(epoch, mean, sd, color=colour, marker=marker, ms=3.5, lw=1.0, elinewidth=0.6, label=label)
    ax.axhline(0.0, color="0.4", lw=0.6)
    ax.set_ylim(-1.05, 1.05)
    ax.set_xlabel("epoch")


def bars(ax: Axes, rows: list[Row], cores: list[str]) -> None:
    last = max((int(r["epoch"]) for r in rows), default=0)
    for i, arm in enumerate(reversed(BARS)):
        for j, core in enumerate(cores):
            found = [r for r in rows if (r["arm"], r["core"], int(r["epoch"])) == (arm, core, last)]
            if found:
                mean, sd = value(found[0], "test_accuracy"), value(found[0], "test_accuracy_sd")
                colour = ARMS[arm][1] if arm in ARMS else NEUTRAL
                at = i + 0.2 - 0.4 * j
                hatch = "" if j == 0 else "//////"
                ax.barh(at, mean, 0.36, xerr=sd, color=colour if j == 0 else "w", edgecolor=colour, hatch=hatch, lw=0.6,
                        error_kw={"lw": 0.6})  # fmt: skip
    names = {"exact": "exact", "dfa, soma": "M(0) fixed, per cell", "decoder_only": "decoder only"}
    ax.set_yticks(range(len(BARS)), [names.get(a) or ARMS[a][0] for a in reversed(BARS)])
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel("test accuracy")


def figure(rows: list[Row]) -> Any:
    with style():
        drawing = Figure(figsize=(6.85, 5.2), layout="constrained")
        axes = drawing.subplots(2, 3)
        digits = [r for r in rows if r["task"] == "digits"]
        for k, stage in enumerate(("stage 0", "stage 1", "stage 2")):
            ax = axes[0, k]
            over_epochs(ax, [r for r in digits if r["core"] == "shunting"], stage)
            ax.set_title(("somas", "proximal", "distal")[k])
            if k:
                ax.set_yticklabels([])
        axes[0, 0].set_ylabel("cosine of the credit\nwith the exact one")
        cores = ["shunting", "additive"]
        bars(axes[1, 0], digits, cores)
        axes[1, 0].set_title("digits")
        mnist = [r for r in rows if r["task"] == "mnist"]
        bars(axes[1, 1], mnist, cores)
        axes[1, 1].set_yticklabels([])
        axes[1, 1].set_title("MNIST, 8,000 images")
        axes[1, 2].axis("off")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        handles += [
            Patch(fc="0.5", ec="0.5", label="shunting"),
            Patch(fc="w", ec="0.5", hatch="//////", label="additive"),
        ]
        labels += ["bars: shunting", "bars: additive"]
        axes[1, 2].legend(handles, labels, frameon=False, loc="center left", title="credits (decay 0.9999)")
    return drawing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="sign_study.csv")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder of the figure (default: here)")
    options = parser.parse_args()
    rows = list(csv.DictReader(options.table.open(encoding="utf-8")))
    options.out.mkdir(parents=True, exist_ok=True)
    figure(rows).savefig(options.out / "sign_study.png", dpi=150)


if __name__ == "__main__":
    main()
