"""Learning rates for the reference MLPs: a coarse grid for every arm of an experiment file, on few samples.

    python experiments/mlp_rates.py mlp_mnist

Every pair of rates trains for a few epochs on 10,000 of the training samples; the 5,000 that are kept back for
validation choose the best pair. The test samples are never looked at. The table goes to ``<name>_rates.csv``.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from pathlib import Path
from typing import Any

import dendrosim as ds
from dendrosim.errors import TrainingError
from dendrosim.runs.build import network_of, task_of, training_of
from dendrosim.runs.experiment import Experiment

HIDDEN = (1e-4, 3e-4, 1e-3, 3e-3)
DECODER = (3e-4, 1e-3, 3e-3)
FIELDS = ("arm", "hidden", "decoder", "samples", "epochs", "validation_accuracy", "validation_loss", "seconds")


def one(settings: dict[str, Any], samples: int, epochs: int, hidden: float, decoder: float) -> dict[str, Any]:
    """Train once with these rates."""
    task = task_of({**settings["task"], "subset": {"n_train": samples + 5000, "n_test": 1000}})
    options = training_of(settings)
    options |= {"epochs": epochs, "validation": 5000, "rates": {"hidden": hidden, "decoder": decoder}}
    row: dict[str, Any] = {"hidden": hidden, "decoder": decoder, "samples": samples, "epochs": epochs}
    try:
        run = ds.train(network_of(settings["network"], task, 100), task, seed=100, threads=1, progress=False, **options)
    except TrainingError:
        return {**row, "validation_accuracy": 0.0, "validation_loss": float("inf"), "seconds": 0.0}
    best = run.best_epoch - 1
    found = {name: float(run.history[name][best]) for name in ("validation_accuracy", "validation_loss")}
    return {**row, **found, "seconds": float(run.history["seconds"].sum())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", help="mlp_mnist or mlp_cifar10")
    parser.add_argument("--samples", type=int, default=10_000, help="to learn from (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--hidden", type=float, nargs="+", default=HIDDEN, help="rates (default: %(default)s)")
    parser.add_argument("--decoder", type=float, nargs="+", default=DECODER, help="rates (default: %(default)s)")
    parser.add_argument("--arms", nargs="+", help="by default all")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder of the table (default: here)")
    given = parser.parse_args()
    experiment = Experiment.load(given.experiment)
    arms = [arm for arm in experiment.arms if given.arms is None or arm.name in given.arms]
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{experiment.name}_rates.csv"
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS)
        if fresh:
            writer.writeheader()
        for arm in arms:
            rows = []
            hidden = given.hidden[:1] if arm.settings["teaching"]["name"] == "decoder_only" else given.hidden
            for rates in itertools.product(hidden, given.decoder):
                rows.append({"arm": arm.name, **one(arm.settings, given.samples, given.epochs, *rates)})
                writer.writerow({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in rows[-1].items()})
                file.flush()
            best = max(rows, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
            print(f"{arm.name}: hidden {best['hidden']:g}, decoder {best['decoder']:g}", best["validation_accuracy"])


if __name__ == "__main__":
    main()
