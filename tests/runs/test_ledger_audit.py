"""What entries of the ledger measure by the evaluation protocol, against what runs say of themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.networks import StudentNet
from dendrosim.runs.audit import audit_runs
from dendrosim.runs.ledger_evidence import Evidence
from dendrosim.runs.ledger_measures import described, measure
from dendrosim.training import RecordEvaluation

RECIPE = {
    "optimiser": "adamw", "batch_size": 64, "validation": 0, "restore_best": False, "clip_value": None, "threads": 1,
    "progress": False, "epochs": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def evidence():
    """Three arms of a small network without any normalisation; frozen of one seed alone."""
    task = ds.tasks.load("student", n_inputs=8, n_classes=3, n_train=200, n_test=100)

    def run(teaching, seed):
        made = StudentNet(8, 3, 12, 2, seed=seed)
        hooks = [RecordEvaluation(samples=50)] if teaching == "dfa" else []
        return ds.train(made, task, teaching=teaching, rule="3F", seed=seed, callbacks=hooks, **RECIPE)

    runs = {name: {seed: run(name, seed) for seed in (0, 1)} for name in ("bp", "dfa")}
    return Evidence("small", {}, (0, 1), {**runs, "frozen": {0: run("frozen", 0)}})


def of(evidence, arm, given):
    return measure(given).values(evidence, arm)


def test_the_gap_is_from_the_frozen_run_of_the_seed_or_from_those_there_are(evidence):
    frozen = evidence.of("frozen")[0].test_accuracy
    found = of(evidence, "dfa", {"name": "audited", "quantity": "gap"})
    assert found == pytest.approx({seed: run.test_accuracy - frozen for seed, run in evidence.of("dfa").items()})


def test_backpropagation_is_aligned_with_itself(evidence):
    assert of(evidence, "bp", {"name": "audited", "quantity": "gamma_corrected"}) == pytest.approx({0: 1.0, 1: 1.0})


def test_checks_are_one_where_they_flag(evidence):
    rho = of(evidence, "dfa", {"name": "audited", "quantity": "rho"})
    assert of(evidence, "dfa", {"name": "failed", "check": "D1"}) == {seed: float(v > 50) for seed, v in rho.items()}
    gap = of(evidence, "bp", {"name": "audited", "quantity": "gap"})
    utility = of(evidence, "bp", {"name": "failed", "check": "D3"})
    assert utility == {seed: float(value < 0.02) for seed, value in gap.items()}
    assert of(evidence, "bp", {"name": "failed", "check": "verdict"}) == utility  # neither D1 nor D2 flags it
    chance = {seed: float(run.test_accuracy < 1 / 3 + 0.02) for seed, run in evidence.of("bp").items()}
    assert of(evidence, "bp", {"name": "failed", "check": "S0"}) == chance


def test_without_a_frozen_baseline_the_third_check_says_nothing(evidence):
    alone = Evidence("small", {}, (0, 1), {"bp": evidence.of("bp")})
    assert of(alone, "bp", {"name": "failed", "check": "D3"}) == {}
    assert of(alone, "bp", {"name": "audited", "quantity": "gap"}) == {}
    assert set(of(alone, "bp", {"name": "failed", "check": "D1"})) == {0, 1}


def test_logarithms(evidence):
    plain = of(evidence, "dfa", {"name": "audited", "quantity": "activity"})
    logs = of(evidence, "dfa", {"name": "audited", "quantity": "activity", "log10": True})
    assert logs == pytest.approx({seed: math.log10(value) for seed, value in plain.items()})
    with pytest.raises(ParameterError, match=r"nudge_input of .* is -.* no logarithm"):
        of(evidence, "bp", {"name": "audited", "quantity": "nudge_input", "log10": True})


def test_layers_are_those_of_the_network(evidence):
    run = evidence.of("dfa")[0]
    task = ds.tasks.load("student", n_inputs=8, n_classes=3, n_train=200, n_test=100)
    passed = run.network.forward(task.x_test)
    found = [of(evidence, "dfa", {"name": "layer", "column": "activity", "layer": i})[0] for i in (0, 1, -1)]
    np.testing.assert_allclose(found, [np.linalg.norm(passed.h[i], axis=1).mean() for i in (0, 1, -1)], rtol=1e-5)
    with pytest.raises(ParameterError, match=r"layer = 3 does not exist .* 0 to 2"):
        of(evidence, "dfa", {"name": "layer", "column": "activity", "layer": 3})
    with pytest.raises(ParameterError, match="layer = 'last'"):
        measure({"name": "layer", "column": "activity", "layer": "last"})


def test_over_training_the_last_time_is_that_of_the_trained_network(evidence):
    run = evidence.of("dfa")[1]
    options = {"name": "evaluation_history", "quantity": "accuracy", "epoch": 2}
    assert of(evidence, "dfa", options)[1] == pytest.approx(run.test_accuracy)
    with pytest.raises(ParameterError, match="nothing after epoch 7, but after 0, 1, 2"):
        of(evidence, "dfa", {**options, "epoch": 7})
    with pytest.raises(ParameterError, match="recorded nothing of the evaluation protocol"):
        of(evidence, "bp", options)


def test_fresh_feedback_is_that_of_an_audit(evidence):
    audited = audit_runs([evidence.of("dfa")[0]], nudges=False, null=20)
    null = audited[0].null
    assert of(evidence, "dfa", {"name": "audited", "quantity": "null"})[0] == pytest.approx(null.paper.mean())
    found = of(evidence, "dfa", "null_separation")[0]
    assert found == pytest.approx((null.trained_paper - np.mean(null.paper)) / np.std(null.paper, ddof=1))
    with pytest.raises(ParameterError, match="no null of fresh feedback"):
        of(evidence, "bp", "null_separation")


def test_a_frozen_run_is_not_audited_but_has_an_accuracy(evidence):
    assert of(evidence, "frozen", {"name": "audited", "quantity": "gap"}) == {}
    with pytest.raises(ParameterError, match="cannot be audited: a frozen baseline"):
        of(evidence, "frozen", {"name": "failed", "check": "D1"})


def test_names_and_options():
    assert described(measure({"name": "failed", "check": "D2"})) == "failed (check D2)"
    with pytest.raises(ParameterError, match="quantity"):
        measure({"name": "audited", "quantity": "glory"})
    with pytest.raises(ParameterError, match="check"):
        measure({"name": "failed", "check": "D4"})
