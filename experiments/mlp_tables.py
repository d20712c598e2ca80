"""Teaching signals on the reference MLPs: accuracies beside the published ones, and how close credits come.

    dendrosim run mlp_mnist --resume --out mlp_mnist
    python experiments/mlp_tables.py mlp_mnist --out experiments/results

Reads the runs, prints a table and writes it to ``<name>.csv``. Cosines are of each hidden layer's credits with the
exact ones, pooled over 256 training samples, at the end of training.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np

import dendrosim as ds
from dendrosim.diagnostics import mean_interval, paired_difference

PUBLISHED = {
    "mlp_mnist": {
        "exact, squared error": 0.987,
        "dfa, squared error": 0.981,
        "ebd, squared error": 0.982,
        "ebd regularised, squared error": 0.982,
    },
    "mlp_cifar10": {
        "exact, squared error": 0.564,
        "dfa, squared error": 0.521,
        "ebd, squared error": 0.555,
        "ebd regularised, squared error": 0.555,
    },
}
"""Erdogan, Pehlevan & Erdogan 2025: 120 epochs, five runs."""


def cosines(run: ds.Run) -> dict[str, float]:
    """Of every hidden layer at the end of training."""
    found = run.records.get("credit", {})
    if "layer" not in found:
        return {}
    last = found["epoch"] == found["epoch"].max()
    layers = [str(name).partition("/")[0] for name in found["layer"][last]]
    return dict(zip(layers, found["cosine"][last].tolist(), strict=True))


def lines(folder: Path, published: dict[str, float]) -> list[dict[str, Any]]:
    """One per arm, in the order in which the experiment file has them."""
    runs: dict[str, dict[int, ds.Run]] = {}
    for path in sorted(folder.glob("*/seed-*.h5")):
        if not path.name.endswith(".checkpoint.h5"):
            run = ds.Run.load(path)
            runs.setdefault(run.config["experiment"]["arm"], {})[int(path.stem.split("-")[1])] = run
    out = []
    for arm, by_seed in runs.items():
        accuracy = mean_interval([run.test_accuracy for run in by_seed.values()])
        line: dict[str, Any] = {"arm": arm, "seeds": accuracy.n, "mean": accuracy.mean}
        line |= {"low": accuracy.low, "high": accuracy.high, "published": published.get(arm, "")}
        reference = runs.get("exact, squared error" if arm.endswith("squared error") else "exact", {})
        both = sorted(set(by_seed) & set(reference))
        if len(both) > 1 and reference is not by_seed:
            pair = paired_difference(*([group[s].test_accuracy for s in both] for group in (reference, by_seed)))
            line |= {"exact_minus": pair.mean, "d_low": pair.low, "d_high": pair.high}
        for name in (f"hidden{i + 1}" for i in range(3)):
            values = [found[name] for run in by_seed.values() if name in (found := cosines(run))]
            line[f"cosine_{name}"] = float(np.mean(values)) if values else ""
        line["passes"] = float(np.mean([run.history["passes"][-1] for run in by_seed.values()]))
        line["seconds_per_epoch"] = float(np.mean([run.history["seconds"].mean() for run in by_seed.values()]))
        out.append(line)
    return sorted(out, key=lambda line: -line["mean"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder that `dendrosim run mlp_mnist` or mlp_cifar10 wrote")
    parser.add_argument("--name", help="of the experiment, by default that of the folder")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the table (default: here)")
    options = parser.parse_args()
    name = options.name or options.runs.name
    table = lines(options.runs, PUBLISHED.get(name, {}))
    fields = list(dict.fromkeys(key for line in table for key in line))
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in line.items()} for line in table)
    for line in table:
        near = " ".join(f"{line[key]:6.2f}" for key in line if key.startswith("cosine") and line[key] != "")
        told = f"{line['mean']:.4f} [{line['low']:.4f}, {line['high']:.4f}] n={line['seeds']}"
        print(f"{line['arm']:32s} {told}  published {line['published'] or '-':>5}  cosines {near}")


if __name__ == "__main__":
    main()
