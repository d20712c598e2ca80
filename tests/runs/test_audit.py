"""Stored runs under the evaluation protocol: against their baselines, by arm, as tables and files."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics import Thresholds, audit
from dendrosim.errors import ParameterError
from dendrosim.networks import Network, PointMLP, ResMLP, ViTMini
from dendrosim.runs.audit import audit_runs
from dendrosim.runs.audited import QUANTITIES, Spread
from dendrosim.training import KeepTeaching, RecordEvaluation, auditable

RECIPE = {
    "optimiser": "adamw", "batch_size": 64, "validation": 0, "restore_best": False, "clip_value": None, "threads": 1,
    "progress": False, "epochs": 2,
}  # fmt: skip
FEW = {"samples": 60, "null": 3}


@pytest.fixture(scope="module")
def task():
    return ds.tasks.load("student", n_inputs=8, n_classes=3, n_train=200, n_test=100)


def train(task, teaching, seed=0, hooks=(), network=None, rule="3F", **options):
    made = ResMLP(8, 3, 12, 2, seed=seed) if network is None else network
    given = {**RECIPE, **options}
    return ds.train(made, task, teaching=teaching, rule=rule, seed=seed, callbacks=list(hooks), **given)


@pytest.fixture(scope="module")
def folder(task, tmp_path_factory):
    where = tmp_path_factory.mktemp("runs")
    arms = {
        "bp": ("bp", "3F"), "fa": ("fa", "3F"), "none": ("frozen", "3F"), "dfa": ("dfa", "3F"),
        "contained": ("dfa", {"name": "3F", "penalty": 0.1}),
    }  # fmt: skip
    for number, (arm, (teaching, rule)) in enumerate(arms.items()):
        for seed in (1, 0):
            hooks = [RecordEvaluation(samples=50)] if arm in ("fa", "none") else []
            run = train(task, teaching, seed, hooks, rule=rule)
            run.config["experiment"] = {"name": "small", "arm": arm, "number": number}
            run.save(where / arm / f"seed-{seed}.h5")
    return where


@pytest.fixture(scope="module")
def audited(folder):
    return audit_runs(ds.runs.load(folder), **FEW)


def test_every_run_is_compared_with_the_frozen_run_of_its_seed(audited, folder, task):
    runs = {(run.name, run.seed): run for run in ds.runs.load(folder)}
    for one in audited:
        frozen = runs["none", one.seed].test_accuracy
        if one.arm == "none":
            assert one.audit is None
            assert one.reason == "a frozen baseline: nothing along its depth was told anything"
            assert one.accuracy == frozen
            continue
        report = audit(auditable(runs[one.arm, one.seed]), task.x_test, task.y_test, frozen=frozen, samples=60)
        assert one.frozen.source == "none, the same seed"
        assert one.audit.gap == report.gap == pytest.approx(one.accuracy - frozen)
        assert one.audit.verdicts == report.verdicts
        assert one.audit.table.tobytes() == report.table.tobytes()
        assert float(one.exact) == runs["bp", one.seed].test_accuracy
        assert one.audit.informative == (float(one.exact) - frozen >= 0.02)


def test_networks_go_back_to_their_files(audited):
    assert all(one.run.trained is None for one in audited)


def test_what_was_measured_beside_and_why_something_was_not(audited):
    by = {(one.arm, one.seed): one for one in audited}
    assert by["fa", 0].history.epochs.tolist() == [0, 1, 2]
    assert by["none", 0].history is not None
    assert by["bp", 0].history is None
    assert "no random feedback" in by["bp", 0].reasons["null"]
    assert by["dfa", 0].null.paper.size == 3
    # to first order, a nudge against the credit changes the loss by what the gradient says
    np.testing.assert_allclose(by["dfa", 1].nudges.output, by["dfa", 1].nudges.expected, rtol=0.3, atol=1e-4)
    losses = by["dfa", 1].run.history["train_loss"]
    assert by["dfa", 1].loss_change == losses[1] - losses[0]


def test_arms_have_means_and_deviations_over_seeds(audited):
    assert [arm.name for arm in audited.arms] == ["bp", "fa", "none", "dfa", "contained"]
    for arm in audited.arms:
        assert arm.seeds == [0, 1]
        values = np.array([one.accuracy for one in arm.members])
        found = arm.spread("accuracy")
        assert (found.mean, found.n) == (pytest.approx(values.mean()), 2)
        assert found.sd == pytest.approx(abs(values[0] - values[1]) / math.sqrt(2))
        assert sum(arm.verdicts().values()) == len(arm.audited)
    contained = audited.arms[4]
    assert contained.members[0].penalty == 0.1
    assert contained.layers("activity").shape == (2, 3)
    assert math.isnan(audited.arms[2].spread("rho").mean)
    assert Spread.of([math.nan]).n == 0
    with pytest.raises(ParameterError, match="quantity='rhoo' is not known"):
        contained.spread("rhoo")
    assert list(audited.settings) == ["student, resmlp"]


def test_tables_hold_a_row_per_run_and_per_layer(audited, tmp_path):
    table = audited.table
    assert table.size == len(audited) == 10
    assert set(QUANTITIES) < set(table.dtype.names)
    for one, row in zip(audited, table, strict=True):
        assert (row["arm"], row["seed"], row["accuracy"]) == (one.arm, one.seed, one.accuracy)
        if one.audit is not None:
            assert row["deep_corrected"] == one.audit.deep["corrected"]
            assert row["D3"] == ("flag" if one.audit.verdict.depth else "ok")
            assert row["S3"] == ("fail" if one.audit.strategies["S3"] else "pass")
    assert audited.layers.size == 8 * 3
    assert audited.history.size == 4 * 3 * 3
    paths = audited.write(tmp_path)
    assert [path.name for path in paths] == ["audit.csv", "audit_layers.csv", "audit_history.csv"]
    with paths[0].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["rho"]) for row in rows] == pytest.approx(table["rho"].tolist(), nan_ok=True)
    assert {row["reason"] for row in rows if row["arm"] == "none"} == {audited.arms[2].members[0].reason}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)


def test_what_is_printed(audited):
    text = str(audited)
    lines = text.splitlines()
    assert lines[0] == "student, resmlp"
    heads = ["arm", "n", "accuracy", "gap", "rho", "|g_L|", "paper", "per", "sample", "Gamma", "deep", "corrected",
             "earned", "verdict", "S0", "S1", "S2", "S3"]  # fmt: skip
    assert lines[1].split() == heads
    assert [line.split()[:2] for line in lines[2:7]] == [[arm.name, "2"] for arm in audited.arms]
    assert "baseline: all: none, the same seed" in text
    assert "not audited: none: a frozen baseline" in text
    assert lines[-1].startswith("flagged: D1 where rho > 50; D2 where |g_L| < 1e-07; D3 where the gap < 0.02; fail:")
    assert lines[-1].endswith("N = 60 samples")
    assert repr(audited).startswith("<AuditedRuns: 10: ")


def test_without_a_baseline_of_the_seed_the_mean_is_taken_and_said(folder):
    runs = ds.runs.load(folder)
    chosen = [run for run in runs if (run.name, run.seed) in {("dfa", 0), ("none", 1)}]
    (one,) = [one for one in audit_runs(chosen, nudges=False, null=0) if one.audit]
    assert one.frozen.source == "none, mean over 1 run, none of seed 0"
    assert float(one.frozen) == next(run for run in chosen if run.name == "none").test_accuracy
    assert one.nudges is None
    assert one.null is None
    assert one.exact is None
    assert one.audit.informative is None


def test_without_any_baseline_the_verdict_is_incomplete_unless_one_is_given(folder):
    runs = ds.runs.load(folder / "dfa")
    bare = audit_runs(runs, nudges=False, null=0)
    assert bare.table["verdict"].tolist() == ["incomplete", "incomplete"]
    assert bare.table["S3"].tolist() == ["fail" if s2 == "fail" else "open" for s2 in bare.table["S2"]]
    assert "no run of this network" in bare[0].reasons["frozen"]
    assert "no depth utility: dfa: no run of this network" in str(bare)
    assert bare.failed == []
    given = audit_runs(runs, frozen=1.0, exact=1.0, nudges=False, null=0)
    assert given.table["D3"].tolist() == ["flag", "flag"]
    assert given[0].frozen.source == "as given"
    assert len(given.failed) == 2
    assert "not informative: dfa: backpropagation" in str(given)
    limits = Thresholds(depth=-0.0, growth=0.5)
    assert audit_runs(runs, frozen=0.0, thresholds=limits, nudges=False, null=0)[0].audit.verdict.flags == ("D1",)


def test_baselines_of_other_networks_or_data_do_not_count(task):
    other = ds.tasks.load("student", seed=1, n_inputs=8, n_classes=3, n_train=200, n_test=100)
    runs = [
        train(task, "dfa"),
        train(task, "frozen", network=ResMLP(8, 3, 12, 2, block="3lin")),
        train(other, "frozen"),
    ]
    found = audit_runs(runs, nudges=False, null=0)
    assert found[0].frozen is None
    assert len(found.settings) == 3
    longer = audit_runs([runs[0], train(task, "frozen", epochs=1)], nudges=False, null=0)
    assert longer[0].frozen.source == "frozen, the same seed; trained otherwise: epochs 1 and not 2"


def test_runs_of_one_name_that_differ_in_more_than_the_seed_are_told_apart(task):
    runs = [train(task, "dfa"), train(task, "dfa", seed=1), train(task, "dfa", network=ResMLP(8, 3, 14, 2))]
    found = audit_runs(runs, nudges=False, null=0)
    assert [one.arm for one in found] == ["dfa (width 12)", "dfa (width 12)", "dfa (width 14)"]
    assert [one.setting for one in found] == [f"student, resmlp (width {w})" for w in (12, 12, 14)]


def test_dendritic_and_point_networks(task, tmp_path):
    options = {"optimiser": "adam", "clip_value": 5.0}

    def dendritic(branching=(2, 2)):
        return Network.dendritic(8, 3, cells=[4], branching=list(branching), excitatory=4, inhibitory=2)

    runs = [train(task, name, network=dendritic(), **options) for name in ("exact", "dfa", "decoder_only")]
    runs += [train(task, "decoder_only", network=dendritic((4,)), **options)]
    runs += [train(task, name, network=PointMLP(8, 3, [8, 6]), **options) for name in ("fa", "decoder_only")]
    found = audit_runs(
        [ds.Run.load(run.save(tmp_path / f"{i}.h5"), network=False) for i, run in enumerate(runs)], **FEW
    )
    assert [one.audit is not None for one in found] == [True, True, False, False, True, False]
    assert float(found[1].frozen) == runs[2].test_accuracy  # and not that of a tree of another shape
    assert float(found[1].exact) == runs[0].test_accuracy
    assert float(found[4].frozen) == runs[5].test_accuracy
    assert found[0].audit.gamma == pytest.approx({"paper": 1.0, "corrected": 1.0}, abs=1e-5)
    assert found[1].null.paper.size == 3
    assert all(one.nudges is not None for one in found if one.audit)


def test_what_cannot_be_audited_does_not_stop_the_others(task):
    image = ds.tasks.load("digits").subset(n_train=64, n_test=32)
    runs = [
        train(task, "state_bridge"),
        train(task, "state_bridge", hooks=[KeepTeaching()]),
        train(task, "dfa"),
        ds.train(ViTMini(64, 10, 8, 2, patch=4, channels=1, heads=2), image, teaching="bp", **RECIPE),
    ]
    seen = []
    found = audit_runs(runs, progress=lambda one, done, total: seen.append((one.arm, done, total)), **FEW)
    assert "KeepTeaching()" in found[0].reason
    assert [one.audit is not None for one in found] == [False, True, True, True]
    assert sorted(done for _, done, _ in seen) == [1, 2, 3, 4]
    assert {total for *_, total in seen} == {4}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "samples=0"),
        ({"null": 1}, "null=1 gives no spread"),
        ({"null": -1}, "null=-1"),
        ({"frozen": 1.5}, "accuracy=1.5"),
        ({"exact": -0.1}, "accuracy=-0.1"),
        ({"thresholds": 3}, "thresholds"),
    ],
)
def test_impossible_options(options, message, folder):
    with pytest.raises(ParameterError, match=message):
        audit_runs(ds.runs.load(folder / "dfa"), **options)


def test_nothing_to_audit():
    with pytest.raises(ParameterError, match="no runs to audit"):
        audit_runs([])
    with pytest.raises(ParameterError, match="runs"):
        audit_runs(["run.h5"])
