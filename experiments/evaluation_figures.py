"""Four figures of docs/experiments_evaluation.md from the runs of evaluation_resmlp.

    python experiments/evaluation_figures.py resmlp --out docs/figures

Layers are measured again; nudges, which take longest, for the arms of one figure alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

import dendrosim as ds
from dendrosim.plotting import plot_dose_response, plot_evaluation_history, plot_function, plot_layer_state

PENALTY = ", penalty 1e-2"
FIGURES: dict[str, tuple[Any, tuple[str, ...], bool]] = {
    "evaluation_layer_state": (plot_layer_state, ("bp", "fa", "dfa", "dfa, never trained blocks", "frozen"), False),
    "evaluation_over_training": (plot_evaluation_history, ("bp, 3lin", "fa, 3lin", "dfa, 3lin", "frozen, 3lin"), False),
    "evaluation_dose_response": (
        plot_dose_response,
        ("dfa, 3lin", *(f"dfa, 3lin, penalty {dose}" for dose in ("4e-7", "1e-4", "1e-2")), "frozen, 3lin"),
        False,
    ),
    "evaluation_function": (
        plot_function,
        (*(f"{name}{PENALTY}" for name in ("state bridge", "credit bridge", "fa", "dfa")), "frozen"),
        True,
    ),
}
"""What draws, the arms, and whether nudges are shown."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, metavar="DIR", help="runs of evaluation_resmlp")
    parser.add_argument("--out", type=Path, default=Path("docs/figures"), metavar="DIR", help="default: %(default)s")
    options = parser.parse_args()
    runs = ds.runs.load(options.runs)
    for name, (draw, arms, nudges) in FIGURES.items():
        chosen = [run for run in runs if run.name in arms]
        figure = draw(ds.runs.audit_runs(chosen, nudges=nudges, null=0))
        figure.savefig(options.out / f"{name}.png", dpi=160, bbox_inches="tight", pad_inches=0.05)
        plt.close(figure)
        print(options.out / f"{name}.png")


if __name__ == "__main__":
    main()
