"""Tables and figures of the rules and of the small network, from finished runs (local-credit paper, Tables 3 and 4).

    for name in rules_figure_ground rules_mnist sandbox_decoder sandbox_inhibition sandbox_path sandbox_channel
    do dendrosim run $name --out runs/$name --workers 2 --resume; done
    python experiments/replication_tables.py --runs runs

Experiments whose folder is not there are left out. Differences are paired by seed; intervals are Student's t, 95 %.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import dendrosim as ds
from dendrosim.diagnostics import Interval, mean_interval, network_information, paired_difference

Row = dict[str, Any]
Values = dict[int, float]  # by seed


class Arm:
    """The runs of one arm of an experiment: test accuracies and files by seed."""

    def __init__(self, folder: Path) -> None:
        self.files = {}
        self.accuracy: Values = {}
        for path in sorted(folder.glob("seed-*.h5")):
            if not path.name.endswith(".checkpoint.h5"):
                run = ds.Run.load(path, network=False)
                self.settings = run.config["experiment"]["settings"]
                self.own: str = run.config["experiment"]["own"]
                self.epochs = run.epochs
                self.files[run.seed], self.accuracy[run.seed] = path, run.test_accuracy

    def setting(self, key: str) -> Any:
        value: Any = self.settings
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def networks(self) -> Iterable[tuple[int, ds.Network]]:
        return ((seed, ds.Run.load(path).network) for seed, path in self.files.items())


def arms(folder: Path) -> list[Arm]:
    found = [Arm(sub) for sub in sorted(folder.iterdir()) if sub.is_dir()]
    return [arm for arm in found if arm.files]


def difference(first: Values, second: Values) -> Interval:
    seeds = sorted(set(first) & set(second))
    return paired_difference([first[seed] for seed in seeds], [second[seed] for seed in seeds])


def numbers(interval: Interval) -> Row:
    return {"n": interval.n, "mean": interval.mean, "low": interval.low, "high": interval.high}


def accuracies(found: list[Arm], keys: tuple[str, ...]) -> list[Row]:
    return [
        {"arm": arm.own, **{key: arm.setting(key) for key in keys}, "what": "test accuracy"}
        | numbers(mean_interval(list(arm.accuracy.values())))
        for arm in found
    ]


def pairs(found: list[Arm], key: str, first: Any, second: Any, others: tuple[str, ...], what: str) -> list[Row]:
    """Differences between arms that differ in one setting alone."""

    def rest(arm: Arm) -> tuple[Any, ...]:
        return (arm.own if key != "own" else "", *(str(arm.setting(other)) for other in others))

    def value(arm: Arm) -> Any:
        return arm.own if key == "own" else arm.setting(key)

    rows = []
    for one in found:
        for two in found:
            if value(one) == first and value(two) == second and rest(one) == rest(two):
                told = {other: one.setting(other) for other in others}
                name = one.own if key != "own" else f"{first} - {second}"
                if len(set(one.accuracy) & set(two.accuracy)) > 1:
                    rows.append({"arm": name, **told, "what": what} | numbers(difference(one.accuracy, two.accuracy)))
    return rows


def rules(found: list[Arm]) -> list[Row]:
    keys = ("teaching.scope", "network.integration")
    rows = accuracies(found, keys)
    for rule in ("4F", "5F"):
        rows += pairs(found, "own", rule, "3F", keys, "paired difference")
    return rows


def decoder(found: list[Arm]) -> list[Row]:
    """Accuracies, and of local and exact decoders the largest difference of any parameter after training."""
    rows = accuracies(found, ("training.decoder",))
    by = {(arm.own, arm.setting("training.decoder")): arm for arm in found}
    for own in dict.fromkeys(arm.own for arm in found):
        if (own, "local") in by and (own, "exact") in by:
            both = zip(by[own, "local"].networks(), by[own, "exact"].networks(), strict=True)
            worst = max(
                float(np.abs(a.parameters[key] - b.parameters[key]).max())
                for (_, a), (_, b) in both
                for key in a.parameters
            )
            what = "largest difference of a parameter"
            rows.append({"arm": own, "training.decoder": "local - exact", "what": what, "mean": worst})
    return rows


def inhibition(found: list[Arm]) -> list[Row]:
    keys = ("network.inhibitory", "network.integration")
    rows = accuracies(found, keys)
    what = "shunting - additive"
    rows += pairs(found, "network.integration", "shunting", "additive", ("network.inhibitory",), what)
    by = {(arm.own, *(arm.setting(key) for key in keys)): arm.accuracy for arm in found}
    for own in dict.fromkeys(arm.own for arm in found):
        levels = [n for name, n, core in by if name == own and core == "shunting" and (own, n, "additive") in by]
        both = [(by[own, n, "shunting"], by[own, n, "additive"]) for n in levels]
        seeds = set.intersection(*({*first} & {*second} for first, second in both)) if both else set()
        if len(levels) > 1 and len(seeds) > 1:
            means = [float(np.mean([first[seed] - second[seed] for first, second in both])) for seed in sorted(seeds)]
            rows.append({"arm": own, "what": f"{what}, mean of {len(levels)} levels"} | numbers(mean_interval(means)))
    return rows


def path(found: list[Arm]) -> list[Row]:
    """Accuracy and I(E, I; class), with and without the path factor."""
    keys = ("network.initialisation", "rule.path")
    rows = accuracies(found, keys)
    rows += pairs(found, "rule.path", "layer", False, keys[:1], "path on - off, test accuracy")
    task = ds.tasks.load("mnist")
    for arm in found:
        bits = {seed: network_information(net, task.x_test, task.y_test).mean for seed, net in arm.networks()}
        own: Row = {"arm": arm.own, **{key: arm.setting(key) for key in keys}}
        rows.append(own | {"what": "I(E, I; C), bits"} | numbers(mean_interval(list(bits.values()))))
        arm.accuracy = bits
    return rows + pairs(found, "rule.path", "layer", False, keys[:1], "path on - off, I(E, I; C), bits")


def channel(found: list[Arm]) -> list[Row]:
    rows = accuracies(found, ())
    task = ds.tasks.load("mnist").subset(n_train=100)
    full = next((arm for arm in found if arm.own == "full"), None)
    for row, arm in zip(list(rows), found, strict=True):
        network = ds.Network.dendritic(task.n_inputs, 10, [20], [3, 3], 40, 10)
        row["bits"] = ds.teaching.teaching(arm.setting("teaching")).bits_per_sample(network)
        if full is not None and arm is not full:
            row |= {f"versus_full_{k}": v for k, v in numbers(difference(arm.accuracy, full.accuracy)).items()}
    return rows


def inhibition_figure(rows: list[Row]) -> Figure:
    """Accuracy over the number of inhibitory synapses, both cores, as run and on equal terms."""
    from dendrosim.plotting.styling import BLUE, VERMILLION

    names = [name for name in ("as_run", "fair") if any(row["arm"] == name for row in rows)]
    drawing = Figure(figsize=(2.4 * len(names) + 0.6, 2.5), layout="constrained")
    axes = drawing.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for ax, name in zip(axes, names, strict=True):
        for core, colour in (("shunting", BLUE), ("additive", VERMILLION)):
            chosen = ("test accuracy", name, core)
            here = [r for r in rows if (r["what"], r["arm"], r.get("network.integration")) == chosen]
            here.sort(key=lambda row: row["network.inhibitory"])
            mean = np.array([row["mean"] for row in here])
            error = [mean - [row["low"] for row in here], [row["high"] for row in here] - mean]
            count = [row["network.inhibitory"] for row in here]
            ax.errorbar(count, mean, error, fmt="o-", color=colour, ms=3, lw=1.2, label=core)
        ax.axhline(0.1, color="0.4", lw=0.6, ls=":")
        ax.set_title({"as_run": "as run", "fair": "same broadcast, fair start"}[name], fontsize=8)
        ax.set_xlabel("inhibitory synapses per branch", fontsize=8)
        ax.tick_params(labelsize=7)
    axes[0].set_ylabel("test accuracy, MNIST", fontsize=8)
    axes[0].set_ylim(0.0, 1.0)
    axes[-1].legend(frameon=False, fontsize=7, loc="lower right")
    return drawing


def channel_figure(rows: list[Row]) -> Figure:
    """Accuracy over bits per sample."""
    from dendrosim.plotting.styling import BLUE, ORANGE

    drawing = Figure(figsize=(3.6, 2.6), layout="constrained")
    ax = drawing.subplots()
    for row in rows:
        noisy = row["arm"].startswith("noise")
        error = [[row["mean"] - row["low"]], [row["high"] - row["mean"]]]
        at = max(row["bits"], 8.0)
        ax.errorbar(at, row["mean"], error, fmt="s" if noisy else "o", color=ORANGE if noisy else BLUE, ms=4, lw=0.8)
        left = noisy or row["arm"] == "full"
        ax.annotate(
            row["arm"],
            (at, row["mean"]),
            xytext=(-6 if left else 6, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=6.5,
        )
    ax.set_xscale("log", base=2)
    ax.set_xticks([8, 32, 128, 512], ["0", "32", "128", "512"])
    ax.set(xlabel="bits per sample", ylabel="test accuracy, MNIST", xlim=(6, 1400))
    ax.tick_params(labelsize=7)
    return drawing


TABLES: dict[str, Callable[[list[Arm]], list[Row]]] = {
    "rules_figure_ground": rules,
    "rules_mnist": rules,
    "sandbox_decoder": decoder,
    "sandbox_inhibition": inhibition,
    "sandbox_path": path,
    "sandbox_channel": channel,
}
FIGURES = {"sandbox_inhibition": inhibition_figure, "sandbox_channel": channel_figure}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True, help="folder with one folder of runs per experiment")
    parser.add_argument("--only", nargs="+", choices=list(TABLES), help="these experiments alone")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for tables and figures (default: here)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only or TABLES:
        folder = options.runs / name
        rows = TABLES[name](arms(folder)) if folder.is_dir() else []
        if not rows:
            print(f"{name}: no runs in {folder}")
            continue
        columns = list(dict.fromkeys(key for row in rows for key in row))
        lines = [[f"{v:.5g}" if isinstance(v, float) else v for v in map(row.get, columns)] for row in rows]
        with (options.out / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([columns, *lines])
        print(name, *(", ".join("" if v is None else str(v) for v in line) for line in lines), sep="\n  ")
        if name in FIGURES:
            FIGURES[name](rows).savefig(options.out / f"{name}.png", dpi=150)


if __name__ == "__main__":
    main()
