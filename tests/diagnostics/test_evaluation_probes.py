"""Nudges against their first order, fresh feedback against chance."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.diagnostics import ResidualSubject, fresh_null, loss_change, nudging
from dendrosim.errors import ParameterError
from dendrosim.networks import ResMLP, StudentNet


def data(n=64, n_inputs=24):
    rng = np.random.default_rng(n)
    return rng.standard_normal((n, n_inputs)), rng.integers(0, 4, n)


@pytest.mark.parametrize("network", [ResMLP(24, 4, 16, 3, seed=1), StudentNet(24, 4, 16, 3, seed=1)])
def test_a_nudge_along_the_gradient_lowers_the_loss_by_its_length(network):
    x, y = data()
    found = nudging(ResidualSubject(network), x, y, step=1e-5)
    layers = ResidualSubject(network.astype("float64")).layers(x, y)
    for i in range(3):
        for made, gradient in ((found.input[i], layers.gradient[i]), (found.output[i], layers.gradient[i + 1])):
            first_order = -1e-5 * np.linalg.norm(gradient, axis=1).mean()
            assert made == pytest.approx(first_order, rel=1e-3)
    np.testing.assert_allclose(found.output, found.expected, rtol=1e-3)
    assert "nudges of 1e-05" in str(found)


def test_expected_is_the_first_order_of_any_credit():
    found = nudging(ResidualSubject(ResMLP(24, 4, 16, 3), "dfa"), *data(), step=1e-6)
    np.testing.assert_allclose(found.output, found.expected, rtol=1e-3, atol=1e-12)


def test_a_nudge_that_would_be_lost_in_float32_is_seen():
    network = ResMLP(24, 4, 16, 2)
    for name in ("embedding_weight", "embedding_bias"):
        network.parameters[name] *= 1e7
    found = nudging(ResidualSubject(network), *data())
    assert (found.output < 0).all()
    np.testing.assert_allclose(found.output, found.expected, rtol=0.02)
    for name in ("embedding_weight", "embedding_bias"):
        network.parameters[name] *= 1e7
    with pytest.raises(ParameterError, match="lost beside activity"):
        nudging(ResidualSubject(network), *data())


@pytest.mark.parametrize("teaching", ["fa", "dfa"])
def test_fresh_feedback_comes_to_nothing_at_first(teaching):
    network = ResMLP(24, 4, 64, 4, seed=2)
    found = fresh_null(ResidualSubject(network, teaching), *data(200), draws=20)
    spread = found.corrected.std(ddof=1)
    assert abs(found.corrected.mean()) < 3 * spread / np.sqrt(20)
    assert abs(found.trained_corrected) < 4 * spread
    if teaching == "fa":
        assert found.paper.mean() > 0.25  # the free cosine of the deepest block
    assert "standard deviations" in str(found)


def test_feedback_that_the_network_knows_stands_out():
    """The transposed head, without blocks that could turn it."""
    network = ResMLP(24, 4, 16, 3, seed=2, terminal_norm=False, dtype="float64")
    for i in range(3):
        network.parameters[f"block_{i}_weight_1"] *= 0.01
    subject = ResidualSubject(network, "dfa")
    subject.learner.teaching.restore({f"block_{i}": network.parameters["head_weight"].T for i in range(3)})
    found = fresh_null(subject, *data(100), draws=10)
    assert found.trained_corrected > 0.99
    assert found.separation > 3


def test_a_single_block_stands_for_the_deep_ones():
    found = fresh_null(ResidualSubject(ResMLP(24, 4, 16, 1), "dfa"), *data(), draws=3)
    assert np.isfinite(found.corrected).all()


def test_the_redrawn_model_leaves_the_trained_one_alone():
    subject = ResidualSubject(ResMLP(24, 4, 16, 2), "dfa")
    before = subject.learner.teaching.state()
    other = subject.redrawn(np.random.default_rng(1))
    assert all((value == subject.learner.teaching.state()[name]).all() for name, value in before.items())
    assert (other.learner.teaching.state()["block_0"] != before["block_0"]).any()


def test_no_draw_is_the_feedback_of_training_though_seeds_are_the_same():
    found = fresh_null(ResidualSubject(ResMLP(24, 4, 16, 3), "dfa", seed=0), *data(), draws=3, seed=0)
    assert (found.corrected != found.trained_corrected).all()


def test_change_of_the_loss():
    assert loss_change([2.0, 1.7, 1.5]) == -0.5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: fresh_null(s, *data()), "no random feedback to draw afresh"),
        (lambda s: nudging(s, *data(), step=0.0), "step=0"),
        (lambda s: loss_change([1.0]), "two epochs"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(ParameterError, match=words):
        call(ResidualSubject(ResMLP(24, 4, 16, 2)))
