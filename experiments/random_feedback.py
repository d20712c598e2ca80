"""Alignment of gradients under random feedback with the exact gradient (local-credit paper, Theorem 2).

    python experiments/random_feedback.py

The theorem says that the expected cosine is positive "if the decoder aligns with the forward pathway (standard during
training)". So three things are measured, each for shunting and additive cells: fresh networks under many matrices,
where nothing has aligned; networks that learn under one matrix, decoder and all; and, as a control, networks that
learn under one matrix with a frozen decoder, which cannot align. Trained networks under fresh matrices are a second
control: what has aligned belongs to the matrix it was trained under.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import dendrosim as ds
from dendrosim.diagnostics import mean_interval, random_alignment

CORES = ("shunting", "additive")
ARMS: dict[str, tuple[str, str]] = {  # feedback per, decoder
    "per cell": ("cell", "local"),
    "per cell, frozen decoder": ("cell", "frozen"),
    "per compartment": ("compartment", "local"),
}
GROUPS = ("all", "excitatory", "inhibitory", "couplings", "gates", "core vector")
Row = dict[str, Any]


def one(task: ds.tasks.Task, core: str, arm: str, seed: int, epochs: int, draws: int, every: int) -> Iterator[Row]:
    """Train one network; rows of cosines before, during and after."""
    per, decoder = ARMS[arm]
    own = {"core": core, "arm": arm, "seed": seed}
    network = ds.Network.dendritic(task.n_inputs, task.n_classes, [40], [3], 20, 10, integration=core, seed=seed)
    network.calibrate(task.x_train[:1024])
    rows = np.linspace(0, len(task.y_train) - 1, 256).astype(int)
    x, y = task.x_train[rows], task.y_train[rows]
    told = {"name": "dfa", "per": per}
    record = ds.training.RecordFidelity(every=every)
    run = ds.train(
        network,
        task,
        teaching=told,
        decoder=decoder,
        epochs=epochs,
        seed=seed,
        batch_size=32,
        restore_best=False,
        callbacks=record,
        threads=1,
        progress=False,
    )
    found = run.records["fidelity"]
    for group in GROUPS:
        here = found["group"] == group
        for epoch, cosine in zip(found["epoch"][here], found["cosine"][here], strict=True):
            yield {**own, "what": "own matrix", "epoch": int(epoch), "group": group, "cosine": float(cosine)}
    for epoch, subject in ((0, network), (epochs, run.network)):
        spread = random_alignment(subject, x, y, draws=draws, teaching=ds.teaching.DFA(per=per), seed=seed, threads=1)
        for group in GROUPS:
            row = spread.table[spread.groups.index(group)]
            yield {**own, "what": "fresh matrices", "epoch": epoch, "group": group, "cosine": float(row["mean"])}
            yield {**own, "what": "fresh matrices, sd", "epoch": epoch, "group": group, "cosine": float(row["sd"])}
    yield {**own, "what": "test accuracy", "epoch": epochs, "group": "", "cosine": float(run.test_accuracy)}


def summary(rows: list[Row]) -> list[Row]:
    """Mean over seeds with its interval, and the share of seeds above zero."""
    found: dict[tuple[Any, ...], list[float]] = {}
    for row in rows:
        found.setdefault(tuple(row[k] for k in ("core", "arm", "what", "group", "epoch")), []).append(row["cosine"])
    out = []
    for (core, arm, what, group, epoch), values in found.items():
        t = mean_interval(values)
        line: Row = {"core": core, "arm": arm, "what": what, "group": group, "epoch": epoch, "n": t.n}
        out.append(line | {"mean": t.mean, "low": t.low, "high": t.high, "positive": float((t.values > 0).mean())})
    return out


def shown(lines: list[Row]) -> str:
    text = []
    last = max(line["epoch"] for line in lines)
    for line in lines:
        if line["group"] in ("all", "") and line["epoch"] in (0, last):
            name = f"{line['core']}, {line['arm']}, {line['what']}, epoch {line['epoch']}"
            text.append(
                f"{name:72s}{line['mean']:8.4f} [{line['low']:7.4f}, {line['high']:7.4f}]  "
                f"> 0 in {100 * line['positive']:.0f} % of {line['n']}"
            )
    return "\n".join(text)


def figure(lines: list[Row]) -> Figure:
    """Cosine over epochs with 95 % intervals; fresh matrices at both ends."""
    from dendrosim.plotting.styling import BLUE, GREEN, ORANGE

    drawing = Figure(figsize=(6.85, 2.8), layout="constrained")
    axes = drawing.subplots(1, 2, sharey=True)
    for ax, core in zip(axes, CORES, strict=True):
        for (arm, _), colour in zip(ARMS.items(), (BLUE, ORANGE, GREEN), strict=True):
            here = [line for line in lines if (line["core"], line["arm"], line["group"]) == (core, arm, "all")]
            own = sorted((line for line in here if line["what"] == "own matrix"), key=lambda line: line["epoch"])
            epoch = [line["epoch"] for line in own]
            ax.plot(epoch, [line["mean"] for line in own], color=colour, label=f"{arm}, own matrix", lw=1.2)
            low, high = [line["low"] for line in own], [line["high"] for line in own]
            ax.fill_between(epoch, low, high, color=colour, alpha=0.2, lw=0)
            for line in here:
                if line["what"] == "fresh matrices":
                    errors = [[line["mean"] - line["low"]], [line["high"] - line["mean"]]]
                    first = arm == "per cell" and line["epoch"] == 0
                    label = "fresh matrices" if first else None
                    ax.errorbar(
                        line["epoch"], line["mean"], errors, fmt="o", color=colour, mfc="w", ms=4, lw=0.8, label=label
                    )
        ax.axhline(0.0, color="0.4", lw=0.6)
        ax.set_title(core, fontsize=8)
        ax.set_xlabel("epoch", fontsize=8)
        ax.tick_params(labelsize=7)
    axes[0].set_ylabel("cosine to the exact gradient", fontsize=8)
    axes[0].set_ylim(top=1.45 * axes[0].get_ylim()[1])
    axes[1].legend(frameon=False, fontsize=7, loc="upper left")
    return drawing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6, help="networks and matrices (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=12, help="default: %(default)s")
    parser.add_argument("--every", type=int, default=2, help="epochs between comparisons (default: %(default)s)")
    parser.add_argument("--draws", type=int, default=20, help="fresh matrices (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for table and figure (default: here)")
    options = parser.parse_args()
    task = ds.tasks.load("digits")
    rows = [
        row
        for core in CORES
        for arm in ARMS
        for seed in range(options.seeds)
        for row in one(task, core, arm, seed, options.epochs, options.draws, options.every)
    ]
    lines = summary(rows)
    print(shown(lines))
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "random_feedback.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in line.items()} for line in lines)
    figure(lines).savefig(options.out / "random_feedback.png", dpi=150)
    print(f"table and figure in {options.out}")


if __name__ == "__main__":
    main()
