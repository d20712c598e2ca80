"""Where the published gap to backpropagation comes from: table and figure of the headline runs.

dendrosim run headline_mnist --workers 2 --resume --out headline
python experiments/headline_figure.py headline --out docs/figures
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

import dendrosim as ds
from dendrosim.diagnostics import mean_interval, paired_difference

CONDITIONS = {
    "decoder_only": "decoder only",
    "scalar": "scalar",
    "per_soma-soma": "per soma, soma only",
    "shuffled": "per soma, shuffled",
    "per_soma-tree": "per soma, tree",
    "exact": "exact",
}
PUBLISHED = {
    "shunting": {
        "decoder only": 0.8096,
        "scalar": (0.859, 0.8789),
        "per soma, soma only": (0.8985, 0.9139),
        "per soma, tree": 0.9715,
        "exact": (0.965, 0.9718),
    },
    "additive": {
        "decoder only": 0.8957,
        "scalar": (0.893, 0.8966),
        "per soma, soma only": 0.9158,
        "per soma, tree": 0.9714,
        "exact": (0.9721, 0.9730),
    },
}
"""Accuracies from the paper's programme, as far as they are known; see docs/experiments.md."""


def main() -> None:
    """Read the runs, write the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder that `dendrosim run headline_mnist` wrote")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for headline_mnist.csv and .png")
    options = parser.parse_args()
    accuracy: dict[str, dict[str, dict[int, float]]] = {}
    for path in sorted(options.runs.glob("*/seed-*.h5")):
        if path.name.endswith(".checkpoint.h5"):
            continue
        arm, integration = path.parent.name.rsplit("-", 1)
        run = ds.Run.load(path)
        seed = int(path.stem.split("-")[1])
        accuracy.setdefault(integration, {}).setdefault(CONDITIONS[arm], {})[seed] = run.test_accuracy
    intervals = {
        integration: {name: mean_interval([*rows[name].values()]) for name in CONDITIONS.values() if name in rows}
        for integration, rows in sorted(accuracy.items(), reverse=True)
    }
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "headline_mnist.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["integration", "condition", "seeds", "mean", "low", "high", "exact_minus", "d_low", "d_high"])
        for integration, rows in accuracy.items():
            for name, by_seed in rows.items():
                both = sorted(set(by_seed) & set(rows.get("exact", {})))
                difference = ["", "", ""]
                if len(both) > 1 and name != "exact":
                    pair = paired_difference([rows["exact"][s] for s in both], [by_seed[s] for s in both])
                    difference = [f"{v:.4f}" for v in (pair.mean, pair.low, pair.high)]
                interval = intervals[integration][name]
                values = [f"{v:.4f}" for v in (interval.mean, interval.low, interval.high)]
                writer.writerow([integration, name, len(by_seed), *values, *difference])
    known = {
        integration: {name: value for name, value in PUBLISHED[integration].items() if name in rows}
        for integration, rows in intervals.items()
    }
    with ds.plotting.style():
        axes = ds.plotting.plot_gap(intervals, published=known)
        axes.set_xlim(np.floor(20 * min(min(r.values()) for a in accuracy.values() for r in a.values())) / 20, 1.0)
        axes.figure.savefig(options.out / "headline_mnist.png", dpi=200, bbox_inches="tight", pad_inches=0.05)
    print((options.out / "headline_mnist.csv").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
