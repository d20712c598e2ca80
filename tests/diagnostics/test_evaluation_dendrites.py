"""Dendritic networks under the evaluation protocol: stages as depth."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics import DendriticSubject, audit, credit_fidelity, fresh_null, nudging
from dendrosim.diagnostics.credit import exact_credit
from dendrosim.errors import ParameterError
from dendrosim.networks import PointMLP


def network(**options):
    return ds.Network.dendritic(12, 3, cells=[4], branching=[2, 2], excitatory=5, inhibitory=3, seed=2, **options)


def data(n=40):
    rng = np.random.default_rng(n)
    return rng.random((n, 12)), rng.integers(0, 3, n)


def test_stages_from_the_tips_to_the_soma():
    x, y = data()
    made = network(dtype="float64")
    subject = DendriticSubject(made, "dfa")
    assert subject.stages == ("layer1/stage 2", "layer1/stage 1", "layer1/stage 0")
    layers = subject.layers(x, y)
    assert [h.shape for h in layers.activity] == [(40, 16), (40, 8), (40, 4)]
    activity = made.forward(x)
    exact, _ = exact_credit(made, activity, y)
    for i, stage in enumerate((2, 1, 0)):
        units = np.flatnonzero(made.layout.layer == stage)
        np.testing.assert_array_equal(layers.activity[i], activity.batch_first(activity.voltage)[:, units])
        np.testing.assert_allclose(layers.gradient[i], 40 * exact[:, units], rtol=1e-12)  # of each sample's own loss


def test_credits_are_those_of_the_fidelity_report():
    x, y = data()
    made = network(dtype="float64")
    layers = DendriticSubject(made, "dfa", seed=5).layers(x, y)
    report = credit_fidelity(made, x, y, teaching="dfa", seed=5)
    credits = [layers.first, *layers.told]
    for stage, told, true in zip((2, 1, 0), credits, layers.gradient, strict=True):
        flat = (told.ravel() @ true.ravel()) / np.linalg.norm(told) / np.linalg.norm(true)
        assert report[f"layer1/stage {stage}"]["cosine"] == pytest.approx(flat, rel=1e-9)


def test_what_somas_are_told_by_their_own_error_is_given():
    report = audit(DendriticSubject(network(), "per_soma"), *data(), frozen=0.0)
    assert report.table["given"].tolist() == [False, True, False]
    exact = audit(DendriticSubject(network(), "exact"), *data(), frozen=0.0)
    assert exact.gamma == pytest.approx({"paper": 1.0, "corrected": 1.0})
    assert exact.rho["paper"] < 2  # shunting voltages lie between reversal potentials


def test_a_baseline_may_be_a_model():
    x, y = data()
    subject = DendriticSubject(network(), "dfa")
    assert audit(subject, x, y, frozen=subject).verdict.flags == ("D3",)


def test_frozen_dendrites_are_audited_without_credits():
    x, y = data()
    frozen = DendriticSubject(network(), "decoder_only")
    layers = frozen.layers(x, y)
    assert not any(told.any() for told in [layers.first, *layers.told])
    report = audit(frozen, x, y)
    assert np.isnan(report.gamma["corrected"])
    assert report.reference["corrected"] > 0
    assert audit(DendriticSubject(network(), "dfa"), x, y, frozen=frozen).verdict.flags == ("D3",)


@pytest.mark.parametrize("make", [network, lambda: PointMLP(12, 3, [9, 7, 5], activation="tanh")])
def test_nudges_follow_the_gradient(make):
    found = nudging(DendriticSubject(make(), "exact"), *data(), step=1e-5)
    np.testing.assert_allclose(found.output, found.expected, rtol=1e-3)
    assert (found.input < 0).all()


def test_layers_of_a_point_network_and_its_fresh_feedback():
    subject = DendriticSubject(PointMLP(12, 3, [9, 7, 5], activation="tanh"), "dfa", seed=1)
    assert [h.shape[1] for h in subject.layers(*data()).activity] == [9, 7, 5]
    found = fresh_null(subject, *data(), draws=5)
    assert len(set(found.corrected.tolist())) == 5


def test_two_populations_come_one_after_the_other():
    made = ds.Network.dendritic(12, 3, cells=[4, 3], branching=[2], excitatory=3, inhibitory=2, seed=0)
    subject = DendriticSubject(made)
    assert subject.stages == ("layer1/stage 1", "layer1/stage 0", "layer2/stage 1", "layer2/stage 0")
    np.testing.assert_allclose(audit(DendriticSubject(made, "exact"), *data()).gamma["corrected"], 1.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DendriticSubject(PointMLP(12, 3, 5), "exact"), "a single stage of units"),
        (lambda: DendriticSubject(network(), "per_soma").redrawn(np.random.default_rng(0)), "no fixed random feedback"),
        (lambda: DendriticSubject(3), "must be a Network"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ParameterError, match=words):
        make()
