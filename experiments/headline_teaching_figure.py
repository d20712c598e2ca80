"""Figure of every teaching signal on the headline network: accuracy, and closeness to the exact credit by stage.

python experiments/teaching_tables.py teaching --out experiments/results
python experiments/headline_teaching_figure.py --out docs/figures
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

RESULTS = Path(__file__).parent / "results" / "headline_teaching.csv"
COLOURS = {"shunting": "#0072B2", "additive": "#D55E00"}
STAGES = {"layer1/stage 0": ("o", "soma"), "layer1/stage 1": ("s", "proximal"), "layer1/stage 2": ("^", "distal")}
LABELS = {
    "exact": "exact",
    "per_soma": "own soma's error",
    "mirror": "soma noise + edge mirror",
    "fa": "feedback alignment",
    "kp": "Kolen-Pollack",
    "vnc": "noise correlation (VNC)",
    "nmnc": "on the manifold (NMNC)",
    "dfa per cell": "DFA, per cell",
    "dfa per compartment": "DFA, per compartment",
    "sbd": "SBD",
    "sbd expanded": "SBD, expanded",
    "sbd per cell": "SBD, per cell",
    "sbd opposite sign": "SBD, opposite sign",
    "ebd, squared error": "EBD (squared error)",
    "exact, squared error": "exact (squared error)",
    "node_perturbation": "node perturbation",
    "decoder_only": "decoder only",
    "scalar": "scalar",
}


def main() -> None:
    """Draw the figure from the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the figure (default: here)")
    arguments = parser.parse_args()
    with RESULTS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    accuracy = {(row["arm"], row["integration"]): row for row in rows}
    arms = sorted(LABELS, key=lambda arm: float(accuracy[arm, "shunting"]["accuracy"]))
    plt.rcParams["font.size"] = 8
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 4.6), sharey=True, width_ratios=[1.25, 1.0])
    for offset, (integration, colour) in zip((0.14, -0.14), COLOURS.items(), strict=True):
        found = [accuracy[arm, integration] for arm in arms]
        middle = np.array([float(row["accuracy"]) for row in found])
        ends = np.array([[float(row["accuracy low"]), float(row["accuracy high"])] for row in found])
        error = np.abs(ends.T - middle) * 100
        place = np.arange(len(arms)) + offset
        shown = 100 * middle >= 84
        left.errorbar(
            100 * middle[shown],
            place[shown],
            xerr=error[:, shown],
            fmt="o",
            ms=4,
            lw=1.2,
            color=colour,
            label=integration,
        )
    left.set(xlim=(84, 98), xlabel="test accuracy on MNIST (%)")
    left.set_yticks(range(len(arms)), [LABELS[arm] for arm in arms])
    for arm, integration in accuracy:
        value = 100 * float(accuracy[arm, integration]["accuracy"])
        if value < 84:
            up = arms.index(arm) + (0.22 if integration == "shunting" else -0.22)
            left.annotate(f"{value:.0f}", (84.2, up), (85.2, up), va="center", fontsize=6.5, color=COLOURS[integration],
                          arrowprops={"arrowstyle": "->", "color": COLOURS[integration], "lw": 0.8})  # fmt: skip
    left.legend(frameon=False, loc="upper left")
    for column, (marker, name) in STAGES.items():
        told = [(i, float(v)) for i, arm in enumerate(arms) if (v := accuracy[arm, "shunting"][f"cosine {column}"])]
        at, cosines = zip(*told, strict=True)
        right.plot(cosines, at, marker, ms=4.5, mfc="none", color=COLOURS["shunting"], label=name)
    right.axvline(0.0, color="0.6", lw=0.8)
    right.set(xlim=(-0.05, 1.05), xlabel="cosine to the exact credit (shunting)")
    right.legend(frameon=False, loc="lower right", title="stage")
    for axes in (left, right):
        axes.grid(axis="y", color="0.9", lw=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    for letter, axes in zip("ab", (left, right), strict=True):
        axes.set_title(letter, loc="left", fontweight="bold", fontsize=9)
    figure.tight_layout()
    arguments.out.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.out / "headline_teaching.png", dpi=200)
    print(arguments.out / "headline_teaching.png")


if __name__ == "__main__":
    main()
