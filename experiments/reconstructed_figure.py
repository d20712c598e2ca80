"""Fidelity of the per-soma broadcast on a trained cell's tree, shunting beside additive; accuracies of all arms.

dendrosim run reconstructed_digits --workers 2 --out reconstructed
python experiments/reconstructed_figure.py reconstructed --out docs/figures
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import dendrosim as ds
from dendrosim.diagnostics import mean_interval

CELL = "pyramidal_l5"


def main() -> None:
    """Read the runs, write the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder that `dendrosim run reconstructed_digits` wrote")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for reconstructed_digits.csv and .png")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "reconstructed_digits.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["arm", "integration", "cell", "seeds", "mean", "low", "high"])
        for folder in sorted(path for path in options.runs.iterdir() if path.is_dir()):
            paths = [p for p in folder.glob("seed-*.h5") if not p.name.endswith(".checkpoint.h5")]
            interval = mean_interval([ds.Run.load(p).test_accuracy for p in paths])
            values = [f"{v:.4f}" for v in (interval.mean, interval.low, interval.high)]
            writer.writerow([*folder.name.rsplit("-", 2), len(paths), *values])
    task = ds.tasks.load("digits")
    x, y = task.x_test[:256], task.y_test[:256]
    reports = {}
    for integration in ("shunting", "additive"):
        run = ds.Run.load(options.runs / f"per_soma-tree-{integration}-{CELL}" / "seed-0.h5")
        reports[integration] = ds.fidelity(run.network, x, y, teaching="per_soma", rule="3F")
    with ds.plotting.style():
        figure = ds.plotting.plot_fidelity_trees(reports, cells=0, kind="morphology")
        figure.savefig(options.out / "reconstructed_fidelity.png", dpi=200, bbox_inches="tight", pad_inches=0.05)


if __name__ == "__main__":
    main()
