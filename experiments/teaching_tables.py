"""Table of the teaching signals of an experiment, from finished runs: accuracy, closeness to the exact credit, cost.

    dendrosim run headline_teaching --workers 2 --resume --out teaching
    python experiments/teaching_tables.py teaching

Writes NAME.csv, with intervals of everything, and NAME.md, to be read. Intervals are Student's t, 95 %, over seeds;
cosines are those to the exact credit, layer by layer, after the last epoch; "gradient" is the cosine of the gradient
where the experiment has a section [fidelity]. A step is one forward pass of its minibatch; perturbations add to that.
Differences to the first arm are paired by seed.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import dendrosim as ds
from dendrosim.diagnostics import CreditHistory, FidelityHistory, Interval, mean_interval, paired_difference
from dendrosim.runs import Runs

Row = dict[str, Any]


def steps(run: ds.Run) -> int:
    """Minibatches that a run learned from."""
    task, training = run.config["task"], run.config["training"]
    kept = training["validation"]
    rows = task["n_train"] - (kept if isinstance(kept, int) else round(kept * task["n_train"]))
    return run.epochs * int(np.ceil(rows / training["batch_size"]))


def closeness(runs: Runs) -> dict[str, Interval]:
    """Cosines of credits to exact ones after the last epoch, by layer; of gradients where they were followed."""
    found: dict[str, list[float]] = {}
    for run in runs:
        if "cosine" in run.records.get("credit", {}):
            history = CreditHistory(run.records["credit"])
            for layer in history.layers:
                found.setdefault(f"cosine {layer}", []).append(float(history.series(layer)[-1]))
            found.setdefault("signs all", []).append(float(history.series("all", "sign_agreement")[-1]))
            found.setdefault("log10 ratio all", []).append(float(np.log10(history.series("all", "norm_ratio")[-1])))
        if "fidelity" in run.records:
            gradient = FidelityHistory.from_columns(run.records["fidelity"]).series("all")
            found.setdefault("gradient", []).append(float(gradient[-1]))
    return {name: mean_interval(values) for name, values in found.items() if np.isfinite(values).all()}


def row_of(runs: Runs, first: Runs) -> Row:
    """Everything about one arm; `first` is the arm of the same network that it is compared with."""
    one = runs[0]
    info = one.config.get("experiment", {})
    accuracy = {run.seed: run.test_accuracy for run in runs}
    base = {run.seed: run.test_accuracy for run in first}
    seeds = sorted(set(accuracy) & set(base))
    teaching = ds.teaching.teaching(one.config["teaching"])
    row: Row = {
        "arm": info.get("own", one.name),
        **{key.rpartition(".")[2]: value for key, value in info.get("factors", {}).items()},
        "seeds": len(runs),
        "accuracy": mean_interval(list(accuracy.values())),
    }
    if runs is not first and len(seeds) > 1:
        row["difference"] = paired_difference([accuracy[s] for s in seeds], [base[s] for s in seeds])
    row |= closeness(runs)
    row["passes per step"] = float(np.mean([run.history["passes"][-1] / steps(run) for run in runs]))
    row["seconds per epoch"] = float(np.median(np.concatenate([run.history["seconds"] for run in runs])))
    row["bits per sample"] = teaching.bits_per_sample(one.network)
    return row


def table(runs: Runs) -> list[Row]:
    """A row per arm, those of one network together, in the order of the experiment."""
    groups: dict[str, list[Runs]] = {}
    for members in runs.arms.values():
        factors = members[0].config.get("experiment", {}).get("factors", {})
        groups.setdefault(str(factors), []).append(members)
    return [row_of(members, arms[0]) for arms in groups.values() for members in arms]


def columns(rows: Sequence[Row]) -> list[str]:
    """Names of columns: what was compared first, then how close it came, then what it cost."""
    found = list(dict.fromkeys(key for row in rows for key in row))

    def rank(key: str) -> int:
        starts = ("difference", "cosine", "signs", "log10", "gradient", "passes", "seconds per", "bits")
        return next((i for i, start in enumerate(starts) if key.startswith(start)), -1)

    return sorted(found, key=rank)


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Intervals as three columns each."""
    wide: list[Row] = []
    for row in rows:
        out: Row = {}
        for key, value in row.items():
            if isinstance(value, Interval):
                out |= {key: value.mean, f"{key} low": value.low, f"{key} high": value.high}
            else:
                out[key] = value
        wide.append(out)
    heads = columns(wide)
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = [[f"{v:.5g}" if isinstance(v, float) else v for v in map(row.get, heads)] for row in wide]
        csv.writer(file).writerows([heads, *lines])


def markdown(rows: Sequence[Row]) -> str:
    """Means, and intervals of accuracies, differences and the cosine over all units."""
    heads = [key for key in columns(rows) if key != "log10 ratio all"]
    lines = [heads, ["---"] * len(heads)]
    for row in rows:
        lines.append([_shown(key, row.get(key)) for key in heads])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _shown(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Interval):
        places, sign = (4, "+") if key == "difference" else (4, "") if key == "accuracy" else (2, "")
        mean = f"{value.mean:{sign}.{places}f}"
        ranged = key in ("accuracy", "difference", "cosine all") and np.isfinite(value.low)
        return f"{mean} [{value.low:{sign}.{places}f}, {value.high:{sign}.{places}f}]" if ranged else mean
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 1000 else f"{value}".removesuffix(".0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder with the runs of an experiment")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the tables (default: here)")
    parser.add_argument("--name", default="headline_teaching", help="of the tables (default: %(default)s)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = table(ds.runs.load(options.runs))
    write_csv(rows, options.out / f"{options.name}.csv")
    text = markdown(rows)
    (options.out / f"{options.name}.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
