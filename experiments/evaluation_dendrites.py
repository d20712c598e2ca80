"""Dendritic networks under the evaluation protocol: tables from finished runs, and what can be provoked in them.

    dendrosim run headline_mnist --workers 2 --resume --out evaluation/long
    dendrosim run headline_teaching --workers 2 --resume --out evaluation/teaching
    dendrosim run evaluation_dendrites --resume --out evaluation/kept
    dendrosim run evaluation_dendrites_deep --resume --out evaluation/deep
    dendrosim run evaluation_dendrites_provoked --resume --out evaluation/provoked
    python experiments/evaluation_dendrites.py evaluation --out experiments/results
    python experiments/evaluation_dendrites_figures.py --out docs/figures

Writes evaluation_dendrites.csv: means over seeds and 95 % t-intervals of what the protocol measures. Its parts are
those five; "untrained": the frozen networks of "teaching", told by signals that they did not learn from; "doses":
networks of "teaching" that exact credit trained, their conductances multiplied; and "stages": only some stages of the
trees learn (trained here). Samples for layers: 1,024; for nudges (none in "deep") and doses 256; of five seeds, layers
are measured in three.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import dendrosim as ds
from dendrosim.diagnostics import (
    Accuracy,
    Audit,
    CreditHistory,
    DendriticSubject,
    fresh_null,
    loss_change,
    mean_interval,
    nudging,
)
from dendrosim.diagnostics.evaluation_verdict import Thresholds, useless
from dendrosim.errors import ParameterError
from dendrosim.networks.initial import raw_of
from dendrosim.runs import Runs
from dendrosim.runs.build import network_of, task_of, task_of_run, training_of
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.loading import load
from dendrosim.teaching.exact import Exact
from dendrosim.training import auditable

Values = dict[tuple[str, str], float]
"""Numbers of one run, by stage (none for the whole network) and quantity."""
Found = list[tuple[dict[str, Any], int, Values]]
"""Labels, seed and numbers of runs."""

EXPERIMENTS = ("long", "teaching", "kept", "deep", "provoked")
SAMPLES, FEW, DRAWS, AUDITED = 1024, 256, 10, 3
ELSEWHERE = ("shuffled", "per_soma-soma")
"""Arms of headline_mnist that headline_teaching does not have; of the others only accuracies are taken."""
SIGNALS: dict[str, dict[str, Any]] = {
    "per_soma": {"name": "per_soma"},
    "fa": {"name": "fa"},
    "dfa per cell": {"name": "dfa", "per": "cell"},
    "dfa per compartment": {"name": "dfa", "per": "compartment"},
    "local_mismatch": {"name": "local_mismatch"},
    "scalar": {"name": "scalar"},
    "shuffled": {"name": "shuffled"},
}
"""That frozen networks are told."""
FACTORS = 10.0 ** np.arange(-1, 7)
KNOBS = ("couplings", "synapses", "inhibition", "decoder")
LEARNED = {"tips": (2,), "proximal": (1,), "soma": (0,), "proximal and soma": (0, 1)}
"""Stages of a [3, 3] tree that learn while the others stay as drawn."""


def data(run: ds.Run) -> tuple[Any, Any]:
    """Test samples that layers are measured on."""
    known = _DATA.get(run.config["task"]["hash"])
    if known is None:
        task = task_of_run(run)
        known = _DATA[run.config["task"]["hash"]] = task.x_test[:SAMPLES], task.y_test[:SAMPLES]
    return known


_DATA: dict[str, tuple[Any, Any]] = {}


def right(run: ds.Run) -> Accuracy:
    n = int(run.config["task"]["n_test"])
    return Accuracy(round(run.test_accuracy * n), n)


def state_of(report: Audit, stages: tuple[str, ...]) -> Values:
    """What the network is like: nothing of it depends on what its compartments are told."""
    t = report.table
    found: Values = {
        ("", "rho paper"): report.rho["paper"],
        ("", "rho"): report.rho["corrected"],
        ("", "reference paper"): report.reference["paper"],
        ("", "reference"): report.reference["corrected"],
        ("", "loss"): report.loss,
        ("", "D1"): report.verdicts["corrected"].scale,
        ("", "D2"): report.verdicts["corrected"].reference,
        ("", "D2 paper"): report.verdict.reference,
    }
    for stage, row in zip(stages, t, strict=True):
        found[stage, "voltage"] = row["activity"] / np.sqrt(row["width"])
        found[stage, "gradient"] = row["gradient_sample"]
        found[stage, "without gradient"] = row["without_gradient"]
    return found


def told_of(report: Audit, stages: tuple[str, ...]) -> Values:
    """How credits point; every stage is compared with its own gradient."""
    t = report.table
    found: Values = {
        ("", "gamma paper"): report.gamma["paper"],
        ("", "gamma"): report.gamma["corrected"],
        ("", "earned"): report.earned,
        ("", "dominance paper"): report.dominance["paper"],
        ("", "dominance"): report.dominance["corrected"],
    }
    for i, stage in enumerate(stages):
        last = i == len(stages) - 1
        found[stage, "cosine"] = t["cosine_output"][i - 1] if last else t["cosine_input"][i]
        found[stage, "cosine clamped"] = np.nan if last else t["cosine_paper"][i]
        found[stage, "given"] = np.nan if i == 0 else float(t["given"][i - 1])
    return found


def in_single(subject: DendriticSubject, x: Any, y: Any) -> Values:
    """Least cosine over samples of the float32 reference with the one in float64, stage by stage."""
    from dendrosim.diagnostics.evaluation import cosines

    pairs = zip(subject.stages, subject.layers(x, y).gradient, subject.in_double().layers(x, y).gradient, strict=True)
    found: Values = {}
    for stage, one, two in pairs:
        values = cosines(one, two)
        found[stage, "float32"] = float(np.nanmin(values)) if np.isfinite(values).any() else np.nan
    return found


def functional(subject: DendriticSubject, x: Any, y: Any) -> Values:
    """Nudges of every stage against what it is told, and fresh feedback where it is random."""
    moved = nudging(subject, x[:FEW], y[:FEW])
    found: Values = {(stage, "nudge"): value for stage, value in zip(subject.stages[:-1], moved.input, strict=True)}
    found[subject.stages[-1], "nudge"] = moved.output[-1]
    try:
        null = fresh_null(subject, x, y, draws=DRAWS)
    except ParameterError:  # no random feedback
        return found
    found["", "null paper"], found["", "null"] = float(null.paper.mean()), float(null.corrected.mean())
    found["", "null sd"], found["", "deep"] = float(null.corrected.std(ddof=1)), null.trained_corrected
    found["", "deep paper"], found["", "null paper sd"] = null.trained_paper, float(null.paper.std(ddof=1))
    return found


def measured(run: ds.Run, frozen: Accuracy | None, exact: Accuracy | None, layers: bool, tests: bool) -> Values:
    """Everything about one stored run; credits only where it can be said what they were."""
    found = {("", "accuracy"): run.test_accuracy, ("", "loss change"): loss_change(run.history["train_loss"])}
    if frozen is not None:
        found["", "gap"] = float(right(run).exact - frozen.exact)
        found["", "D3"], found["", "frozen"] = useless(right(run), frozen, Thresholds()), float(frozen)
    if "cosine" in run.records.get("credit", {}):  # over 256 training samples, all of a stage as one vector
        history = CreditHistory(run.records["credit"])
        found |= {
            (name, "recorded cosine"): float(history.series(name)[-1]) for name in history.layers if name != "all"
        }
    if not layers:
        return found
    x, y = data(run)
    try:
        subject, knows = auditable(run, threads=1), True
    except ParameterError:  # what its signal learned was not kept: the network is looked at all the same
        subject, knows = DendriticSubject(run.network, "exact", loss=dict(run.config["loss"]), threads=1), False
    assert isinstance(subject, DendriticSubject)
    report = Audit(subject.layers(x, y), right(run), 10, frozen=frozen, exact=exact)
    found |= state_of(report, subject.stages)
    if frozen is not None:
        found["", "failed"] = bool(report.verdicts["corrected"].failed)
    if knows and run.config["teaching"]["name"] != "decoder_only":
        found |= told_of(report, subject.stages)
        if frozen is not None:
            found |= {("", name): bool(said) for name, said in report.strategies.items()}
        if tests:
            found |= functional(subject, x, y)
        if run.config["teaching"]["name"] == "exact":
            found |= in_single(subject, x[:FEW], y[:FEW])
    run.trained = None
    return found


def of_runs(part: str, runs: Runs) -> Found:
    """Runs of one experiment, each beside the frozen and the exact one of its network, loss and seed."""

    def key(run: ds.Run) -> tuple[Any, ...]:
        info = run.config["experiment"]["factors"]
        return (*(str(info.get(f"network.{k}", "")) for k in ("integration", "gates")), run.config["loss"]["name"])

    baselines = {(name, *key(r), r.seed): right(r) for name in ("decoder_only", "exact") for r in runs
                 if r.config["teaching"]["name"] == name}  # fmt: skip
    found: Found = []
    for run in runs:
        mine = (*key(run), run.seed)
        base = baselines.get(("decoder_only", *mine))
        if base is None:  # of the other loss
            base = baselines.get(("decoder_only", *key(run)[:2], "cross_entropy", run.seed))
        info = run.config["experiment"]
        labels = {
            "part": part,
            "arm": info["own"],
            "integration": info["factors"].get("network.integration", "shunting"),
            "gates": info["factors"].get("network.gates", True),
        }
        layers = run.seed < AUDITED and (part != "long" or info["own"] in ELSEWHERE)
        found.append((labels, run.seed, measured(run, base, baselines.get(("exact", *mine)), layers, part != "deep")))
        print(f"{part}: {run.name}, seed {run.seed}", flush=True)
    return found


def untrained(runs: Runs) -> Found:
    """Networks of which only the decoder learned, and the cosine that signals have there all the same."""
    found: Found = []
    for run in runs:
        if run.config["experiment"]["own"] != "decoder_only" or run.seed >= AUDITED:
            continue
        x, y = data(run)
        for arm, signal in SIGNALS.items():
            subject = DendriticSubject(run.network, signal, seed=run.seed, threads=1)
            report = Audit(subject.layers(x, y), right(run), 10)
            labels = {"part": "untrained", "arm": arm, "integration": run.network.integration, "gates": True}
            values = told_of(report, subject.stages) | {("", "loss"): report.loss}
            found.append((labels, run.seed, values))
        run.trained = None
    return found


def multiplied(network: ds.Network, knob: str, factor: float) -> ds.Network:
    """A copy with some of its conductances, or its decoder's weights, multiplied."""
    made = network.copy()
    parameters = made.parameters
    if knob == "decoder":
        parameters["decoder_weight"] *= made.dtype.type(factor)
    elif knob == "couplings":
        child = made.layout.child
        parameters["couplings"][child] = raw_of(factor * made.coupling[child].astype(float), made.positive)
    else:
        here = made.sign < 0 if knob == "inhibition" else slice(None)
        parameters["synapses"][here] = raw_of(factor * made.conductance[here].astype(float), made.positive)
    made.refresh()
    return made


def doses(runs: Runs) -> Found:
    """Trained networks whose conductances or weights are multiplied, with no training after."""
    found: Found = []
    for run in runs:
        if (
            run.config["teaching"]["name"] != "exact"
            or run.seed >= AUDITED
            or run.config["loss"]["name"] != "cross_entropy"
        ):
            continue
        x, y = (v[:FEW] for v in data(run))
        for knob in KNOBS:
            for factor in FACTORS:
                made = multiplied(run.network, knob, float(factor))
                subject = DendriticSubject(made, "exact", threads=1)
                layers = subject.layers(x, y)
                correct = int((subject.predict(x).argmax(axis=1) == y).sum())
                report = Audit(layers, Accuracy(correct, FEW), 10)
                values = state_of(report, subject.stages) | told_of(report, subject.stages)
                values |= {("", "accuracy"): correct / FEW, ("", "factor"): float(factor)}
                values |= in_single(subject, x, y)
                labels = {"part": "doses", "arm": f"{knob} x {factor:g}", "integration": made.integration}
                found.append(({**labels, "gates": True}, run.seed, values))
        print(f"doses: {run.network.integration}, seed {run.seed}", flush=True)
        run.trained = None
    return found


class Only(Exact):
    """Exact credits, of some stages alone."""

    def __init__(self, stages: tuple[int, ...] = (0,)) -> None:
        self.stages = stages

    def credit(self, lesson: Any) -> None:
        super().credit(lesson)
        lesson.credit[:, ~np.isin(lesson.network.layout.stage, self.stages)] = 0.0


def stages(seeds: tuple[int, ...] = (0, 1, 2)) -> Found:
    """Networks of evaluation_dendrites in which some stages learn by exact credit, and the others stay as drawn."""
    arm = next(one for one in Experiment.load("evaluation_dendrites").arms if one.own == "exact")
    settings = {key: value for key, value in arm.settings.items() if key not in ("teaching", "evaluation")}
    task = task_of(settings["task"])
    found: Found = []
    for seed in seeds:
        for name, which in LEARNED.items():
            network = network_of(settings["network"], task, seed)
            run = ds.train(
                network, task, teaching=Only(which), **training_of(settings), seed=seed, threads=1, progress=False
            )
            labels = {"part": "stages", "arm": name, "integration": "shunting", "gates": True}
            found.append((labels, seed, {("", "accuracy"): run.test_accuracy}))
            print(f"stages: {name}, seed {seed}: {run.test_accuracy:.4f}", flush=True)
    return found


def rows(found: Found) -> Iterator[dict[str, Any]]:
    """Means over seeds and intervals, a row per arm, stage and quantity."""
    together: dict[tuple[Any, ...], list[float]] = {}
    for labels, _, values in found:
        for (stage, quantity), value in values.items():
            together.setdefault((*labels.values(), stage.removeprefix("layer1/"), quantity), []).append(float(value))
    for (part, arm, integration, gates, stage, quantity), all_ in together.items():
        numbers = [value for value in all_ if np.isfinite(value)]
        if numbers:
            mean = mean_interval(numbers)
            yield {"part": part, "arm": arm, "integration": integration, "gates": gates, "stage": stage,
                   "quantity": quantity, "seeds": mean.n, "mean": f"{mean.mean:.5g}", "low": f"{mean.low:.5g}",
                   "high": f"{mean.high:.5g}"}  # fmt: skip


def main() -> None:
    """Measure the parts that are asked for, and write the table; parts that are not asked for stay as they were."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder with long, teaching, kept, deep and provoked")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the table (default: here)")
    jobs: dict[str, Callable[[], Found]] = {
        **{name: lambda name=name: of_runs(name, load(given.runs / name)) for name in EXPERIMENTS},
        "untrained": lambda: untrained(load(given.runs / "teaching")),
        "doses": lambda: doses(load(given.runs / "teaching")),
        "stages": stages,
    }
    parser.add_argument("--parts", nargs="+", choices=jobs, default=list(jobs), help="default: all")
    given = parser.parse_args()
    path = given.out / "evaluation_dendrites.csv"
    kept: list[dict[str, Any]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            kept = [row for row in csv.DictReader(file) if row["part"] not in given.parts]
    for part in given.parts:
        kept.extend(rows(jobs[part]()))
        kept.sort(key=lambda row: list(jobs).index(row["part"]))
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(kept[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(kept)
    print(path)


if __name__ == "__main__":
    main()
