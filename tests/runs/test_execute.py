"""Experiments: runs are those of ds.train, finished ones are kept, failures stay alone, tables are right."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import dendrosim as ds
from dendrosim.errors import FileFormatError, ParameterError
from dendrosim.networks.mlp import PointMLP
from dendrosim.plotting.runs import plot_runs
from dendrosim.runs.build import network_of, task_of, task_of_run, training_of
from dendrosim.runs.execute import run_experiment
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.fidelity import fidelity_of_run, fidelity_of_runs, recorded
from dendrosim.runs.summary import Summary

SMALL = {
    "seeds": [0, 1, 2],
    "task": {"name": "digits", "subset": {"n_train": 150, "n_test": 60}},
    "network": {"cells": [6], "branching": [2], "excitatory": 8, "inhibitory": 4},
    "training": {"epochs": 2, "batch_size": 32, "threads": 1, "clip_norm": False},
    "fidelity": {"every": 2, "samples": 30},
    "arms": [
        {"name": "exact", "teaching": {"name": "exact"}},
        {"name": "5F", "rule": {"name": "5F"}, "teaching": {"name": "per_soma"}},
    ],
    "cross": {"network": {"integration": ["shunting", "additive"]}},
}


def experiment(**changes) -> Experiment:
    return Experiment.from_table("small", {**SMALL, **changes})


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("small")
    seen = []
    found = run_experiment(experiment(), out, report=lambda one, n, total: seen.append((one.kept, n, total)))
    assert seen == [(False, n, 12) for n in range(1, 13)]
    return out, found


def test_every_arm_and_seed_becomes_a_file(done):
    out, found = done
    assert len(found) == 12
    assert all(one.run is not None and not one.error for one in found)
    runs = ds.runs.load(out)
    assert set(runs.arms) == {"exact, shunting", "exact, additive", "5F, shunting", "5F, additive"}
    assert [run.seed for run in runs.arms["5F, additive"]] == [0, 1, 2]
    assert sorted(path.suffix for path in out.rglob("*") if path.is_file()) == [".h5"] * 12  # no checkpoint is left


def test_a_run_is_what_the_library_gives(done):
    out, _ = done
    run = ds.Run.load(out / "5F-additive" / "seed-1.h5")
    task = ds.tasks.load("digits").subset(150, 60)
    network = ds.Network.dendritic(64, 10, [6], [2], 8, 4, integration="additive", seed=1)
    own = ds.train(network, task, rule="5F", epochs=2, batch_size=32, seed=1)
    assert run.test_accuracy == own.test_accuracy
    assert (run.history["train_loss"] == own.history["train_loss"]).all()
    assert run.config["experiment"]["factors"] == {"network.integration": "additive"}
    assert run.config["experiment"]["settings"]["training"]["epochs"] == 2
    assert run.config["task"]["hash"] == task.hash


def test_finished_runs_are_kept_and_others_made(done, tmp_path):
    out, found = done
    with pytest.raises(ParameterError, match="holds 12 of these 12 runs already; keep them with --resume"):
        run_experiment(experiment(), out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.h5")}
    again = run_experiment(experiment(), out, resume=True)
    assert all(one.kept for one in again)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.h5")} == before
    gone = out / "exact-shunting" / "seed-2.h5"
    gone.unlink()
    again = run_experiment(experiment(), out, resume=True)
    assert [one.job.file for one in again if not one.kept] == ["exact-shunting/seed-2.h5"]
    assert [one.run.test_accuracy for one in again] == [one.run.test_accuracy for one in found]


def test_runs_of_other_settings_are_not_taken_for_these(done):
    other = experiment(training={**SMALL["training"], "epochs": 3})
    with pytest.raises(ParameterError, match=r"was run with other settings: training\.epochs was 2 and is 3"):
        run_experiment(other, done[0], resume=True)


def test_several_processes_give_the_same_bits(done, tmp_path):
    again = run_experiment(experiment(), tmp_path, seeds=[0], arms=["exact"], workers=2)
    expected = {one.job.file: one.run.test_loss for one in done[1]}
    assert [one.run.test_loss for one in again] == [expected[one.job.file] for one in again]
    assert len(again) == 2


def test_a_failure_stays_alone(tmp_path):
    wild = {"optimiser": "sgd", "clip_value": False, "rates": 1e37, "epochs": 20}
    arms = [{"name": "fine"}, {"name": "wild", "training": wild}]
    with np.errstate(all="ignore"):
        fine, failed = run_experiment(experiment(arms=arms, cross={}, seeds=[0], fidelity={}), tmp_path)
    assert fine.run is not None
    assert failed.run is None
    assert "the loss is" in failed.error


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teaching": {"name": "scaler"}}, r"arm 'a': teaching='scaler' is not known"),
        ({"teaching": {"name": "per_soma", "scop": 1}}, "has no option 'scop'; valid: scope"),
        ({"rule": {"name": "6F"}}, "rule='6F' is not known"),
        ({"task": {"name": "digit"}}, "task='digit' is not known"),
        ({"task": {"name": "digits", "n_tests": 3}}, "no option 'n_tests'"),
        ({"network": {"integration": "linear"}}, "integration='linear' is not known"),
        ({"training": {"optimiser": {"name": "adam", "clip": 3}}}, "did you mean .training. clip_value"),
        ({"training": {"optimiser": {"name": "adam", "beta3": 3}}}, "no option 'beta3'"),
        ({"training": {"rates": {"synapse": 1.0}}}, "'synapse' is not known; valid: 'synapses'"),
        ({"network": {"kind": "point_mlp"}}, "needs either hidden or n_parameters"),
        ({"network": {"kind": "point_mlp", "hidden": 4}, "teaching": {"name": "local_mismatch"}}, "needs dendrites"),
        ({"network": {"kind": "point_mlp", "n_parameters": 400, "density": 0.5}}, "give hidden, not n_parameters"),
        ({"network": {"morphology": {"max_length": 20.0}}}, r"morphology\] has no source"),
    ],
)
def test_what_is_impossible_is_found_before_anything_is_trained(changes, message, tmp_path):
    arms = [{"name": "fine"}, {"name": "a", **changes}]
    with pytest.raises(ParameterError, match=message):
        run_experiment(experiment(arms=arms, cross={}, teaching={"name": "per_soma"}), tmp_path)
    assert not list(tmp_path.rglob("*.h5"))


def test_the_file_in_the_guide_is_possible(tmp_path):
    guide = Path(__file__).resolve().parents[2] / "docs" / "guide" / "experiments.md"
    (text,) = re.findall(r"^```toml\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "guide.toml").write_text(text, encoding="utf-8")
    small = ["training.epochs=1", "training.threads=1", "task.subset.n_train=100", "fidelity.samples=20"]
    experiment = Experiment.load(tmp_path / "guide.toml", settings=small)
    assert len(experiment.arms) == 4
    done = run_experiment(experiment, tmp_path / "out", seeds=[0], arms=["as above"])
    rules = [one.run.config["rule"] for one in done if one.run is not None]
    assert len(rules) == 2
    assert "path" in rules[0]
    assert rules[0]["rho"] is False


def test_sections_become_objects():
    task = task_of({"name": "digits", "subset": {"n_train": 100}, "augmented": {"shift": 1}})
    assert (len(task.x_train), len(task.transforms)) == (100, 1)
    assert task_of({"name": "digits", "subset": {"n_train": 100}, "augmented": {"shift": 1}}) is task
    mlp = network_of({"kind": "point_mlp", "n_parameters": 1000}, task, 5)
    assert mlp.n_parameters >= 1000
    assert mlp.seed == 5
    network = network_of(
        {"cells": [3], "branching": [2], "decoder": {"name": "mlp", "hidden": [4]}, "seed": 9}, task, 5
    )
    assert network.seed == 9
    assert network.decoder.hidden == (4,)
    granule = network_of(
        {"cells": [2], "morphology": {"source": "granule", "max_length": 200.0}, "excitatory": 4}, task, 0
    )
    assert granule.layout.trees[0].morphology.name == "granule"
    options = training_of({"training": {"optimiser": {"name": "momentum", "decay": 0.5}, "clip_value": False}})
    assert (options["optimiser"].decay, options["optimiser"].clip) == (0.5, np.inf)
    assert training_of({"training": {"patience": False}}) == {"patience": None}
    (record,) = training_of({"credit": {"every": 3, "samples": 10}})["callbacks"]
    assert (record.name, record.every, record.samples) == ("credit", 3, 10)


def test_the_summary_is_that_of_students_t(done):
    runs = ds.runs.load(done[0])
    rows = {row.name: row for row in Summary(runs).rows}
    accuracy = {name: np.array([run.test_accuracy for run in members]) for name, members in runs.arms.items()}
    row = rows["5F, additive"]
    values = accuracy["5F, additive"]
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    assert (row.interval.mean, row.interval.low, row.interval.high) == pytest.approx((values.mean(), low, high))
    assert [d.other for d in row.differences] == ["exact, additive", "5F, shunting"]
    difference = values - accuracy["exact, additive"]
    low, high = stats.t.interval(0.95, 2, difference.mean(), stats.sem(difference))
    assert (row.differences[0].interval.low, row.differences[0].interval.high) == pytest.approx((low, high))
    assert rows["exact, shunting"].differences == ()
    assert [d.other for d in rows["exact, additive"].differences] == ["exact, shunting"]


def test_only_seeds_that_both_have_are_paired(done):
    runs = ds.runs.load(done[0])
    some = ds.runs.Runs(run for run in runs if run.name != "exact, shunting" or run.seed != 1)
    rows = {row.name: row for row in Summary(some).rows}
    assert rows["5F, shunting"].differences[0].interval.n == 2
    single = Summary(runs.where(seed=0))
    assert "-" in str(single)
    assert single.rows[0].interval.n == 1


def test_the_table_and_its_files(done, tmp_path):
    summary = Summary(ds.runs.load(done[0]))
    text = str(summary)
    means, differences, notes = text.split("\n\n")
    heads = "arm, seeds, test_accuracy, sd, 95 % (t), 95 % (bootstrap), s"
    assert re.split(r" {2,}", means.splitlines()[0]) == heads.split(", ")
    assert len(means.splitlines()) == 1 + 4
    heads = "paired difference/pairs/mean/95 % (t)/d_z/p (Holm, 4)"
    assert re.split(r" {2,}", differences.splitlines()[0]) == heads.split("/")
    assert len(differences.splitlines()) == 1 + 4
    assert "Seeds: 0, 1, 2." in notes
    for path in summary.write(tmp_path):
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == {"summary.csv": 5, "runs.csv": 12, "marginals.csv": 4}[path.name]
    first = summary.rows[0]
    with (tmp_path / "summary.csv").open(encoding="utf-8") as file:
        row = next(iter(csv.DictReader(file)))
    assert (row["arm"], float(row["mean"]), row["versus"]) == (first.name, first.interval.mean, "")


def test_the_task_of_a_run_is_loaded_again_and_compared(done):
    run = ds.Run.load(done[0] / "exact-shunting" / "seed-0.h5", network=False)
    assert task_of_run(run).hash == run.config["task"]["hash"]
    run.config["task"]["hash"] = "0" * 64
    with pytest.raises(FileFormatError, match="are not those that this run was trained on: SHA-256"):
        task_of_run(run)
    run.config["task"]["name"] = "mine"
    with pytest.raises(FileFormatError, match=r"'mine', cannot be loaded by name.*ds\.fidelity\(run\.network"):
        task_of_run(run)


def test_fidelity_of_stored_runs(done):
    runs = ds.runs.load(done[0])
    exact = fidelity_of_run(runs.where(arm="exact, shunting")[0], samples=50, threads=1)
    assert exact["all"]["cosine"] == pytest.approx(1.0, abs=1e-5)
    scalar = fidelity_of_run(runs.where(arm="exact, shunting")[0], teaching="scalar", rule="3F", threads=1)
    assert scalar["all"]["cosine"] < 0.9
    with pytest.raises(ParameterError, match="nothing was taught to the dendrites"):
        fidelity_of_run(runs[0], teaching="decoder_only")
    arms = fidelity_of_runs(runs, samples=50, threads=1)
    assert [arm.arm for arm in arms] == list(runs.arms)
    name, mean, sd, _ = arms[2].rows[0]
    cosines = [report["excitatory"]["cosine"] for report in arms[2].reports]
    assert name == "excitatory"
    assert mean["cosine"] == pytest.approx(np.mean(cosines))
    assert sd["cosine"] == pytest.approx(np.std(cosines, ddof=1))
    assert recorded(runs[0]).epochs.tolist() == [0, 2]


def test_figures_of_what_there_is(done, tmp_path):
    runs = ds.runs.load(done[0])
    names = {path.name for path in plot_runs(Summary(runs), tmp_path)}
    always = {"learning_curves.png", "accuracy.png", "differences.png"}
    assert names == {*always, "fidelity_over_training.png", "credit_over_training.png"}
    task = task_of(SMALL["task"])
    single = ds.train(PointMLP(64, 10, 4), task, teaching="exact", epochs=1, validation=0)
    (path,) = plot_runs(Summary(ds.runs.Runs([single])), tmp_path, ending="svg")
    assert path.name == "learning_curves.svg"


RESIDUAL = {
    "seeds": [3],
    "task": {"name": "student", "n_train": 200, "n_test": 100},
    "network": {"kind": "resmlp", "width": 12, "depth": 2, "block": "3lin", "terminal_norm": False},
    "training": {
        "epochs": 2,
        "optimiser": "adamw",
        "clip_value": False,
        "schedule": {"name": "cosine", "per": "epoch"},
        "validation": 0,
        "restore_best": False,
    },
    "evaluation": {"samples": 40},
    "arms": [
        {"name": "dfa", "teaching": {"name": "dfa"}, "rule": {"name": "3F", "penalty": 0.01}},
        {"name": "bridge", "teaching": {"name": "state_bridge"}},
        {"name": "raw", "teaching": {"name": "frozen"}, "network": {"standardise": False}},
        {"name": "student", "teaching": {"name": "fa"}, "network": {"kind": "student", "width": 12, "depth": 2}},
    ],
}


def test_residual_networks_are_those_of_the_library(tmp_path):
    done = run_experiment(Experiment.from_table("residual", RESIDUAL), tmp_path)
    assert [one.error for one in done] == [""] * 4
    runs = {run.name: ds.Run.load(run.path) for run in ds.runs.load(tmp_path)}
    task = ds.tasks.load("student", n_train=200, n_test=100)
    center, scale = ds.tasks.standardisation(task)
    network = ds.networks.ResMLP(64, 10, 12, 2, block="3lin", terminal_norm=False, center=center, scale=scale, seed=3)
    own = ds.train(
        network,
        task,
        teaching="dfa",
        rule={"name": "3F", "penalty": 0.01},
        epochs=2,
        optimiser="adamw",
        clip_value=None,
        schedule={"name": "cosine", "per": "epoch"},
        validation=0,
        restore_best=False,
        callbacks=[ds.training.RecordEvaluation(samples=40), ds.training.KeepTeaching()],
        seed=3,
    )
    for name, value in own.network.parameters.items():
        assert (value == runs["dfa"].network.parameters[name]).all()
    assert (runs["dfa"].records["evaluation"]["activity"] == own.records["evaluation"]["activity"]).all()
    assert (runs["raw"].network.center == 0).all()
    assert (runs["raw"].network.scale == 1).all()
    assert runs["student"].config["network"]["architecture"] == "student"
    for name in ("dfa", "bridge", "student"):
        # what the signal drew or learned came back from the file
        found = ds.training.auditable(runs[name]).layers(task.x_test[:40], task.y_test[:40])
        last = runs[name].records["evaluation"]
        sizes = [np.linalg.norm(h.astype(float), axis=1).mean() for h in found.activity]
        assert np.allclose(sizes, last["activity"][-3:], rtol=1e-6)
        told = [np.linalg.norm(a.astype(float), axis=1).mean() for a in found.told]
        assert np.allclose(told, last["credit"][-3:-1], rtol=1e-6)


def test_keys_of_residual_networks_are_checked():
    for network, message in (
        ({"kind": "student", "block": "3lin"}, r"\[network\]: 'block' is not known"),
        ({"kind": "resmlp", "cells": [3]}, r"\[network\]: 'cells' is not known"),
        ({"kind": "vit_mini", "standardise": "no"}, r"standardise = 'no' is text; it must be true or false"),
    ):
        with pytest.raises(ParameterError, match=message):
            Experiment.from_table("bad", {**RESIDUAL, "arms": [], "network": network})
