"""Does decorrelation of activity and score oppose the gradient in dendritic trees? Both signs, and their peers.

    python experiments/sign_study.py --out sign_study      # a quarter of an hour of one core; goes on where it stopped
    python experiments/sign_study_figure.py sign_study/sign_study.csv

One network (64 neurons, branching [3, 3]) learns digits and 8,000 images of MNIST under the literal rule of score and
error broadcast (sign +1) and its opposite, with correlations that are forgotten sooner or later and that start at zero
or at random, tied to the soma or not, with expansions, with regularisers; under direct feedback with a random matrix,
under Kolen-Pollack feedback, and at both ends, exact and decoder only.

At epochs along the way, on 512 training samples: the cosine of every layer's credit with the exact one; that of its
learned part, what M has besides what is left of M(0); that of the literal credit without memory (decay 0) on the
network as it is, whatever taught it; objectives, mean squares, and correlations.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import dendrosim as ds
from dendrosim.plasticity.learner import Learner
from dendrosim.teaching.decorrelated import measures
from dendrosim.teaching.regularisers import layer_names

Row = dict[str, Any]
CORES: dict[str, dict[str, Any]] = {
    "shunting": {},
    "additive": {"integration": "additive"},
    "shunting, no gates": {"gates": False},
}
TASKS = {"digits": (12, 32), "mnist": (3, 50)}
"""Epochs and samples per minibatch."""
RATES = {"synapses": 5e-3, "couplings": 2e-3, "gates": 1e-3, "decoder": 3e-3}
EXPANSIONS: dict[str, Any] = {
    "probabilities": "probabilities",
    "confidence": "confidence",
    "outputs": "outputs",
    "inputs": {"name": "inputs", "components": 4},
    "random": {"name": "random_features", "n_features": 4},
    "second moments": "second_moments",
}
DECAYS = (0.99, 0.9999, 0.999999)
MAIN = (
    "exact", "decoder_only", "dfa", "dfa, soma", "kp, soma, from zero", "literal 0.99 zero", "literal 0.9999 zero",
    "literal 0.9999 random", "literal 0.999999 random", "opposite 0.99 zero", "opposite 0.9999 zero",
    "opposite 0.9999 zero, soma", "per_soma", "kp, soma", "literal 0.9999 random, soma", "opposite 0.9999 random",
    "exact, mse", "ebd literal 0.9999 random", "ebd opposite 0.9999 zero",
)  # fmt: skip
SHORT = MAIN[:12]
"""Arms of other tasks and cores than digits and shunting, where there are all."""
SQUARED = (
    "exact, mse", "ebd literal 0.9999 random", "ebd literal 0.9999 random, soma", "literal 0.9999 random, soma",
    "ebd opposite 0.9999 zero, soma", "ebd opposite 0.9999 zero",
)  # fmt: skip
"""Errors of the squared loss against scores of the cross-entropy, on MNIST too."""


def arms() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Teaching and options of training by name."""
    found: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "exact": ({"name": "exact"}, {}),
        "exact, decoder decay": ({"name": "exact"}, {"decay": {"decoder": 0.1}}),
        "per_soma": ({"name": "per_soma"}, {}),
        "decoder_only": ({"name": "decoder_only"}, {}),
        "dfa": ({"name": "sbd", "decay": 1.0}, {}),
        "dfa, soma": ({"name": "sbd", "decay": 1.0, "tie": "soma"}, {}),
        "kp, soma": ({"name": "kp"}, {}),
        "kp, soma, from zero": ({"name": "kp", "scale": 0.0}, {}),
        "kp, soma, decoder decay": ({"name": "kp"}, {"decay": {"decoder": 0.1}}),
        "kp, compartment": ({"name": "kp", "tie": "compartment"}, {}),
        "kp, compartment, from zero": ({"name": "kp", "tie": "compartment", "scale": 0.0}, {}),
    }
    for sign, name in ((1, "literal"), (-1, "opposite")):
        for decay in DECAYS:
            for start, initial in (("random", 1e-2), ("zero", 0.0)):
                told = {"name": "sbd", "sign": sign, "decay": decay, "initial": initial}
                found[f"{name} {decay} {start}"] = (told, {})
                if (decay, start) in ((0.9999, "zero"), (0.9999, "random"), (0.99, "zero")):
                    found[f"{name} {decay} {start}, soma"] = ({**told, "tie": "soma"}, {})
        told = {"name": "sbd", "sign": sign, "decay": 0.9999}
        found[f"{name} 0.99 zero, centred"] = ({**told, "decay": 0.99, "initial": 0.0, "g": "centred"}, {})
        start = 1e-2 if sign == 1 else 0.0
        for key, expansion in EXPANSIONS.items():
            found[f"{name} 0.9999 {'random' if start else 'zero'}, {key}"] = (
                {**told, "initial": start, "expansion": expansion},
                {},
            )
        found[f"ebd {name} 0.9999 {'random' if start else 'zero'}"] = (
            {**told, "name": "ebd", "initial": start},
            {"loss": "mse"},
        )
        found[f"ebd {name} 0.9999 {'random' if start else 'zero'}, soma"] = (
            {**told, "name": "ebd", "initial": start, "tie": "soma"},
            {"loss": "mse"},
        )
    literal = {"name": "sbd", "decay": 0.99, "initial": 0.0}
    found["literal 0.99 zero, power"] = ({**literal, "power": "initial"}, {})
    both = {"power": "initial", "entropy": [3e4, 1e-2, 0.99999]}
    found["literal 0.99 zero, power and entropy"] = ({**literal, **both}, {})
    found["exact, mse"] = ({"name": "exact"}, {"loss": "mse"})
    found["dfa, mse"] = ({"name": "ebd", "decay": 1.0}, {"loss": "mse"})
    found["decoder_only, mse"] = ({"name": "decoder_only"}, {"loss": "mse"})
    return found


class Watch:
    """Numbers of a training at a moment, one row per layer."""

    def __init__(self, epochs: tuple[int, ...]) -> None:
        self.rows: list[Row] = []
        self._epochs = epochs
        self._first: np.ndarray[Any, Any] | None = None

    def __call__(self, moment: Any) -> float:
        learner: Learner = moment.learner
        teaching, layout = learner.teaching, learner.network.layout
        sbd = isinstance(teaching, ds.teaching.SBD)
        if moment.epoch == 0 and sbd:
            self._first = teaching.state()["matrix"]
        if moment.epoch not in self._epochs:
            return 0.0
        task = moment.task
        chosen = np.linspace(0, len(task.y_train) - 1, 512).astype(int)
        x = learner.network.checked(task.x_train[chosen])
        lesson, _, _ = learner.taught(x, learner.loss.checked(task.y_train[chosen], 512, learner.network.n_outputs))
        exact = lesson.twin()
        exact.transport()
        cosines = {"cosine": nothing(layout), "norm_ratio": nothing(layout), "learned": nothing(layout)}
        share = nothing(layout)
        if not teaching.frozen_core:
            teaching.credit(lesson)
            cosines["cosine"], cosines["norm_ratio"] = compared(lesson.credit, exact.credit, layout)
        if sbd and self._first is not None and teaching.decay < 1.0 and learner.steps:
            state = teaching.state()
            left = teaching.decay**learner.steps * self._first
            learned = ds.teaching.teaching(teaching)
            learned.restore({**state, "matrix": state["matrix"] - left})
            learned._regularisers = {}
            learned.credit(lesson)
            cosines["learned"], _ = compared(lesson.credit, exact.credit, layout)
            parts = [np.square(m).sum(axis=(0, 2)) for m in (state["matrix"] - left, left)]
            both = [np.bincount(teaching._layer, weights=p, minlength=layout.n_layers) for p in parts]
            total = both[0] + both[1]
            share = np.divide(both[0], total, out=share, where=total > 0.0)
        static = ds.teaching.SBD(decay=0.0)
        static.prepare(learner.network, np.random.default_rng(0))
        static.observe(lesson)
        static.credit(lesson)
        cosines["static"], _ = compared(lesson.credit, exact.credit, layout)
        found, objectives = measures(lesson), static.objectives()
        accuracy = float(np.mean(learner.network.predict(task.x_test).argmax(axis=1) == task.y_test))
        for i, name in enumerate(layer_names(layout)):
            row: Row = {"epoch": moment.epoch, "layer": name.split("/")[1], "identity": found["identity"]}
            row |= {key: float(values[i]) for key, values in cosines.items()}
            row |= {"share": float(share[i]), "J": float(objectives[i]), "V2": found[f"V2/{name}"]}
            self.rows.append(row | {"corr": found[f"corr/{name}"], "test_accuracy": accuracy})
        return accuracy


def nothing(layout: Any) -> np.ndarray[Any, Any]:
    return np.full(layout.n_layers, np.nan)


def compared(told: Any, exact: Any, layout: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Cosine and ratio of lengths of credits, layer by layer."""
    both, mine, true = (np.einsum("knw,knw->n", a, b) for a, b in ((told, exact), (told, told), (exact, exact)))
    both, mine, true = (np.bincount(layout.layer, weights=v.astype(np.float64)) for v in (both, mine, true))
    with np.errstate(invalid="ignore", divide="ignore"):
        return both / np.sqrt(mine * true), np.sqrt(mine / true)


def one(task: ds.tasks.Task, core: str, arm: str, seed: int) -> Iterator[Row]:
    """Train one network."""
    epochs, batch_size = TASKS[task.name]
    teaching, options = arms()[arm]
    network = ds.Network.dendritic(task.n_inputs, task.n_classes, [64], [3, 3], 20, 10, seed=seed, **CORES[core])
    network.calibrate(task.x_train[:1024])
    if teaching.get("power") == "initial":
        a = network.forward(task.x_train[:1024], threads=1)
        square = np.square(a.batch_first(a.output)).mean(axis=0)
        target = np.bincount(network.layout.layer, weights=square) / np.bincount(network.layout.layer)
        teaching = {**teaching, "power": [0.2, target.tolist()]}
    watch = Watch((0, 1, 2, epochs // 2, epochs))  # in place of the record that training keeps by itself
    ds.train(
        network, task, teaching=teaching, epochs=epochs, batch_size=batch_size, validation=0.0, seed=seed,
        rates=RATES, restore_best=False, callbacks=ds.training.Record(watch, name="credit"), threads=1, progress=False,
        **options,
    )  # fmt: skip
    for row in watch.rows:
        yield {"task": task.name, "core": core, "arm": arm, "seed": seed, **row}


def summary(rows: list[Row]) -> list[Row]:
    """Mean and standard deviation over seeds."""
    keys = ("task", "core", "arm", "epoch", "layer")
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row[k]) for k in keys), []).append(row)
    out = []
    for key, members in groups.items():
        line: Row = {**dict(zip(keys, key, strict=True)), "n": len(members)}
        for name in [k for k in members[0] if k not in (*keys, "seed")]:
            values = np.array([float(m[name]) for m in members])
            line[name] = values.mean()
            if name in ("cosine", "test_accuracy"):
                line[f"{name}_sd"] = values.std(ddof=1) if len(values) > 1 else np.nan
        out.append(line)
    return out


def plan(seeds: int, chosen: list[str]) -> Iterator[tuple[str, int, str, str]]:
    """Task, seed, core and arm of every training, what matters most first."""
    others = [arm for arm in arms() if arm not in MAIN]
    expanded = [arm for arm in others if arm.rsplit(", ")[-1] in EXPANSIONS]
    every = [("digits", seed, "shunting", arm) for seed in range(seeds) for arm in SHORT]
    for seed in range(seeds):
        here = [("digits", "shunting", expanded), ("digits", "additive", SHORT), ("mnist", "shunting", SHORT)]
        here.append(("digits", "shunting", MAIN))
        every += [(task, seed, core, arm) for task, core, which in here for arm in which]
    every += [("mnist", seed, "shunting", arm) for seed in range(seeds) for arm in SQUARED]
    for seed in range(seeds):
        here = [("digits", "shunting", others), ("mnist", "additive", SHORT), ("digits", "shunting, no gates", SHORT)]
        every += [(task, seed, core, arm) for task, core, which in here for arm in which]
    yield from (one for one in dict.fromkeys(every) if one[-1] in chosen)


@cache
def loaded(name: str) -> ds.tasks.Task:
    return ds.tasks.load(name) if name == "digits" else ds.tasks.load(name).subset(8000, 2000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--arms", nargs="+", default=list(arms()), help="default: all")
    parser.add_argument("--out", type=Path, default=Path("sign_study"), help="folder of the tables")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    raw = options.out / "runs.csv"
    rows: list[Row] = list(csv.DictReader(raw.open(encoding="utf-8"))) if raw.exists() else []
    done = {(r["task"], r["core"], r["arm"], int(r["seed"])) for r in rows}
    with raw.open("a", newline="", encoding="utf-8") as file:
        writer: Any = None
        for name, seed, core, arm in plan(options.seeds, options.arms):
            if (name, core, arm, seed) in done:
                continue
            new = list(one(loaded(name), core, arm, seed))
            if writer is None:
                writer = csv.DictWriter(file, list(new[0]))
                if not rows:
                    writer.writeheader()
            writer.writerows(new)
            file.flush()
            rows += new
            print(f"{name} {core} {seed} {arm}: {new[-1]['test_accuracy']:.3f}", flush=True)
    lines = summary(rows)
    with (options.out / "sign_study.csv").open("w", newline="", encoding="utf-8") as table:
        out = csv.DictWriter(table, list(lines[0]))
        out.writeheader()
        out.writerows({k: f"{v:.3g}" if isinstance(v, float) else v for k, v in line.items()} for line in lines)


if __name__ == "__main__":
    main()
