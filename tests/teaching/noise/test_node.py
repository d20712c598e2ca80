"""Node perturbation: its mean is the gradient, of a loss or of an expected reward."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.losses import loss
from dendrosim.teaching.noise import NodePerturbation

from ..lessons import lesson_of, taught
from .cases import affine, every_sign, gated, prepared


def exact_credit(lesson):
    lesson.transport()
    return lesson.activity.batch_first(lesson.credit)


def squared_error_lesson(network, n_samples):
    """With a loss that is quadratic in the noise, so that its mean over all signs has no error."""
    lesson = lesson_of(network, n_samples)
    lesson.loss = loss("mse")
    lesson.targets = np.random.default_rng(1).random((n_samples, 4))
    lesson.output_error = lesson.loss.score(lesson.activity.logits, lesson.targets) / n_samples
    _, lesson.soma_error = network.decoder.backward(network.parameters, lesson.activity.soma, lesson.output_error)
    return lesson


@pytest.mark.parametrize("inject", ["voltage", "current", "output"])
@pytest.mark.parametrize("antithetic", [False, True])
def test_the_mean_over_all_signs_is_the_exact_credit(antithetic, inject, monkeypatch):
    network = affine("shunting", cells=[1], branching=[2, 1])
    lesson = squared_error_lesson(network, 6)
    noise = every_sign(lesson, 1.0)
    signal = NodePerturbation(len(noise) * (1 + antithetic), sigma=0.3, inject=inject, antithetic=antithetic)
    prepared(signal, network)
    monkeypatch.setattr(signal, "directions", lambda lesson, draws: noise)
    told = taught(lesson, signal)
    np.testing.assert_allclose(told, exact_credit(lesson), atol=1e-13)


@pytest.mark.parametrize("baseline", ["clean", "running", "none"])
def test_unbiased_with_every_baseline(baseline):
    network = gated(cells=[2])
    lesson = lesson_of(network, 6)
    signal = prepared(NodePerturbation(100, sigma=0.005, baseline=baseline), network)
    signal.observe(lesson)
    found = np.array([taught(lesson, signal) for _ in range(60)])
    error = found.std(axis=0) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - exact_credit(lesson)) < 4 * error + 1e-12).all()


def test_variance_grows_with_the_number_of_units():
    network = affine(cells=[3])
    lesson, n = lesson_of(network, 8), network.layout.size
    exact = exact_credit(lesson)
    signal = prepared(NodePerturbation(sigma=1e-4, noise="gauss"), network)
    found = np.array([taught(lesson, signal) for _ in range(600)])
    squared = ((found - exact) ** 2).sum(axis=(1, 2)).mean()
    assert squared == pytest.approx((n + 1) * (exact**2).sum(), rel=0.1)


def test_a_reward_for_right_answers_is_climbed():
    """Against the slope of the expected number of wrong answers by central differences under the same noise."""
    network = affine(cells=[1], branching=[2])
    network.parameters["decoder_weight"][:, 0] = [1.0, -1.0, 0.5, -0.5]  # class 0 as long as the soma is above 0
    network.parameters["decoder_bias"][:] = 0.0
    lesson = lesson_of(network, 40)
    lesson.targets[:30] = 0
    signal = prepared(NodePerturbation(4000, "correct", sigma=0.3, noise="gauss", inject="voltage"), network)
    told = taught(lesson, signal).sum(axis=0)
    rng, wrong = np.random.default_rng(2), []
    noise = 0.3 * rng.standard_normal((4000, *lesson.credit.shape))
    for n in range(3):
        shift = np.zeros((1, 1, 3, 1))
        shift[0, 0, n] = 0.1
        ends = [(lesson.perturbed(noise + s * shift).argmax(-1) != lesson.targets).mean() for s in (1, -1)]
        wrong.append((ends[0] - ends[1]) / 0.2)
    np.testing.assert_allclose(told, wrong, atol=0.04 * np.abs(wrong).max() + 0.01)
    assert wrong[0] < -0.3


def test_passes_are_counted_when_learning_and_credit_changes_no_state():
    network = gated()
    lesson = lesson_of(network, 6)
    signal = prepared(NodePerturbation(3, baseline="running"), network)
    for _ in range(4):
        signal.observe(lesson)
        signal.credit(lesson)
    before = signal.state()
    signal.credit(lesson.twin())
    assert signal.passes == 12
    assert all(np.array_equal(value, signal.state()[key]) for key, value in before.items())
    assert signal.bits_per_sample(network) == 3 * 32  # one number per draw


def test_layers_in_turn():
    network = gated()
    lesson, layer = lesson_of(network, 6), network.layout.layer
    signal = prepared(NodePerturbation(2, layers="in_turn"), network)
    for k in range(3):
        told = np.abs(taught(lesson, signal)).sum(axis=0)
        np.testing.assert_array_equal(told > 0, layer == k)
        signal.observe(lesson)


def test_refusals():
    lesson = squared_error_lesson(gated(), 6)
    with pytest.raises(ParameterError, match=r"reward='correct' needs class labels.*shape \(6, 4\); use reward='loss'"):
        prepared(NodePerturbation(reward="correct"), lesson.network).credit(lesson)
    with pytest.raises(ParameterError, match=r"reward='money' is not known; valid: 'loss', 'correct'"):
        NodePerturbation(reward="money")
