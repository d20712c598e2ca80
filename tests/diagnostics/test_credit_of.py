"""Fidelity of credits: against arrays compared by hand, identities of linear networks, and without side effects."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics import cosine
from dendrosim.diagnostics.credit import exact_credit
from dendrosim.diagnostics.credit_of import compare_credits, credit_fidelity, learner_of
from dendrosim.errors import ParameterError
from dendrosim.networks import PointMLP


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.random((40, 12)), rng.integers(0, 4, 40)


def tree(**options):
    given = {"cells": [3], "branching": [2, 2], "excitatory": 5, "inhibitory": 3, "dtype": "float64", **options}
    return ds.Network.dendritic(12, 4, **given)


def mlp():
    return PointMLP(12, 4, [9, 7], dtype="float64")


def neurons():
    cells = ds.Compartments.branching([2, 2], n_cells=2, coupling=0.7)
    return ds.Neurons(cells, ds.Synapses.scatter(cells, 20, 8, n_inputs=12), 4, direction="directed")


@pytest.mark.parametrize("make", [tree, mlp, neurons])
def test_exact_credits_are_exact(make, batch):
    report = credit_fidelity(make(), *batch, teaching="exact")
    for name in ("cosine", "norm_ratio", "sign_agreement"):
        np.testing.assert_allclose(report.table[name], 1.0, rtol=1e-12)
    good = np.isfinite(report.unit_cosine)  # a rectified unit may be silent
    np.testing.assert_allclose(report.unit_cosine[good], 1.0, rtol=1e-12)


@pytest.mark.parametrize("make", [tree, mlp, neurons])
def test_table_against_credits_compared_by_hand(make, batch):
    network = make()
    x, y = batch
    report = credit_fidelity(network, x, y, teaching="dfa", seed=3)
    learner = learner_of(network, "dfa", seed=3)
    lesson, _, _ = learner.taught(network.checked(x), y)
    activity = lesson.activity
    learner.teaching.credit(lesson)
    told = activity.batch_first(lesson.credit)
    lesson.transport()
    exact, voltage = activity.batch_first(lesson.credit), activity.batch_first(activity.voltage)
    layout = network.layout
    here = {name: layout.layer == i for i, name in enumerate(report.table["layer"].tolist()[:-1])}
    for name, units in {**here, "all": np.ones(layout.size, bool)}.items():
        row, a, b = report[name], told[:, units], exact[:, units]
        assert row["n"] == units.sum()
        assert row["cosine"] == pytest.approx(cosine(a, b), rel=1e-10)
        assert row["norm_ratio"] == pytest.approx(np.linalg.norm(a) / np.linalg.norm(b), rel=1e-10)
        assert row["sign_agreement"] == pytest.approx(np.mean(np.sign(a) == np.sign(b), where=b != 0))
        assert row["mean_square"] == pytest.approx((voltage[:, units] ** 2).mean(), rel=1e-10)
        correlation = sum(np.outer(v, s) for v, s in zip(voltage[:, units], lesson.output_error, strict=True))
        assert row["decorrelation"] == pytest.approx(0.5 * (correlation**2).sum(), rel=1e-10)
    for n in (0, layout.size - 1):
        assert report.unit_cosine[n] == pytest.approx(cosine(told[:, n], exact[:, n]), rel=1e-10, nan_ok=True)


def test_exact_credits_of_the_comparison_are_those_of_exact_credit(batch):
    network, (x, y) = tree(), batch
    learner = learner_of(network, "scalar")
    lesson, _, _ = learner.taught(network.checked(x), y)
    twin = lesson.twin()
    twin.transport()
    known, _ = exact_credit(network, network.forward(x), y)
    np.testing.assert_allclose(lesson.activity.batch_first(twin.credit), known, rtol=1e-12)


def test_identity_is_the_product_of_correlation_and_jacobian_in_linear_trees(batch):
    """<M_n, E[J_n]> = mean of (o - c) . s where J does not depend on x; at somas without gates c = b."""
    network, (x, y) = tree(gates=False), batch
    report = credit_fidelity(network, x, y)
    logits = network.predict(x)
    probability = np.exp(logits - logits.max(axis=1, keepdims=True))
    score = probability / probability.sum(axis=1, keepdims=True)
    score[np.arange(40), y] -= 1.0
    correlation = network.forward(x).soma.T @ score / 40
    known = (correlation * network.parameters["decoder_weight"].T).sum()
    assert report.identity == pytest.approx(known, rel=1e-10)


def test_one_number_per_soma_is_right_at_the_somas_and_of_the_right_sign_elsewhere(batch):
    report = credit_fidelity(tree(), *batch, teaching="per_soma")
    np.testing.assert_allclose(report["layer1/stage 0"]["cosine"], 1.0, rtol=1e-12)
    assert report["layer1/stage 2"]["cosine"] < 1.0
    np.testing.assert_array_equal(report.table["sign_agreement"], 1.0)


def test_the_loss_is_the_one_that_is_named(batch):
    """Squared errors of a hand-made decoder: dL/dV of somas without gates is (o - y) W / B."""
    network, (x, y) = tree(gates=False), batch
    both = [credit_fidelity(network, x, y, teaching="dfa", loss=loss) for loss in ("mse", "cross_entropy")]
    assert both[0]["all"]["cosine"] != both[1]["all"]["cosine"]
    known = (network.predict(x) - np.eye(4)[y]) * (network.predict(x) - network.parameters["decoder_bias"])
    assert both[0].identity == pytest.approx(known.sum(axis=1).mean(), rel=1e-10)


def test_the_state_of_a_learner_brings_its_feedback(batch):
    network, (x, y) = tree(), batch
    learner = ds.Learner(network, "dfa", seed=8)
    fresh, same = (credit_fidelity(network, x, y, teaching="dfa", state=s) for s in (None, learner.state()))
    seeded = credit_fidelity(network, x, y, teaching="dfa", seed=8)
    assert same["all"]["cosine"] == seeded["all"]["cosine"] != fresh["all"]["cosine"]
    with pytest.raises(ParameterError, match="state keeps nothing of the teaching, but DFA"):
        credit_fidelity(network, x, y, teaching="dfa", state=ds.Learner(network, "exact").state())


def test_the_state_of_a_signal_that_keeps_more_as_it_learns(batch):
    network, (x, y) = tree(), batch
    learner = ds.Learner(network, "nmnc", seed=8)
    learner.gradients(x, y)
    lesson, _, _ = learner.taught(network.checked(x), y)
    learner.teaching.credit(lesson)
    known = np.linalg.norm(lesson.activity.batch_first(lesson.credit))
    report = credit_fidelity(network, x, y, teaching="nmnc", state=learner.state())
    lesson.transport()
    length = np.linalg.norm(lesson.activity.batch_first(lesson.credit))
    assert report["all"]["norm_ratio"] == pytest.approx(known / length)
    assert ds.fidelity(network, x, y, teaching="nmnc", rule="3F", state=learner.state())["all"]["cosine"] > 0


def test_comparing_changes_nothing(batch):
    network = tree()
    x, y = network.checked(batch[0]), batch[1]
    learner = ds.Learner(network, {"name": "degraded", "teaching": "per_soma", "noise": 0.1}, "5F", seed=1)
    learner.step(x, y)
    before, weights = learner.state(), network.state()
    first, second = (compare_credits(learner, x, y, np.random.default_rng(5)) for _ in range(2))
    after = learner.state()
    np.testing.assert_array_equal(first.table, second.table)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert all(np.array_equal(weights[name], value) for name, value in network.state().items())
    assert compare_credits(learner, x, y, np.random.default_rng(6)).table["cosine"][-1] != first.table["cosine"][-1]


def test_it_says_what_it_found(batch):
    report = credit_fidelity(tree(), *batch, teaching="scalar")
    assert repr(report).startswith("<CreditFidelity of Scalar(replication=False): cosine 0.")
    lines = str(report).splitlines()
    assert lines[0] == "Credits of Scalar(replication=False) and exact ones, 40 samples"
    assert lines[-1].startswith("identity: ")
    with pytest.raises(ParameterError, match="layer"):
        _ = report["stage 9"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"teaching": "decoder_only"}, "tells units nothing"),
        ({"teaching": "dfa", "warmup": [1]}, "warmup must be pairs"),
        ({"loss": "mes"}, "mse"),
    ],
)
def test_what_does_not_go_is_said(batch, options, message):
    with pytest.raises(ParameterError, match=message):
        credit_fidelity(tree(), *batch, **options)


def test_no_network_is_said(batch):
    with pytest.raises(ParameterError, match="must be a Network, such as"):
        credit_fidelity("network", *batch)
