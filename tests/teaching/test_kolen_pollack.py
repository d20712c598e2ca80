"""Feedback that follows the decoder."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.plasticity.learner import Learner
from dendrosim.teaching import KolenPollack

from .lessons import batch, lesson_of, network_of, taught


def learner_of(network, signal, **options):
    return Learner(network, signal, rates=0.2, seed=4, threads=1, **options)


def difference(learner):
    """Feedback to the somas that are read less the decoder's transpose."""
    network = learner.network
    layout = network.layout
    feedback = learner.teaching.weights["feedback"]
    rows = layout.readout if len(feedback) == layout.n_cells else layout.roots[layout.readout]
    return feedback[rows] - network.parameters["decoder_weight"].T


@pytest.mark.parametrize("tie", ["soma", "compartment"])
@pytest.mark.parametrize("kind", ["one layer", "inhibitory cells"])
def test_difference_to_the_decoder_decays_exactly(kind, tie):
    learner = learner_of(network_of(kind), KolenPollack(scale=2.0, tie=tie), optimiser="sgd", decay={"decoder": 0.3})
    start = difference(learner)
    for t in range(1, 21):
        learner.step(*batch(9, t))
        np.testing.assert_allclose(difference(learner), (1 - 0.2 * 0.3) ** t * start, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam"])
def test_without_decay_it_stays(optimiser):
    learner = learner_of(network_of(), "kp", optimiser=optimiser)
    start = difference(learner)
    before = learner.teaching.state()["feedback"]
    for t in range(5):
        learner.step(*batch(9, t))
    np.testing.assert_allclose(difference(learner), start, atol=1e-12)
    assert np.abs(learner.teaching.state()["feedback"] - before).min() > 0


def test_credit_and_gradient_are_what_the_decoder_s_would_be():
    network = network_of("two layers")
    lesson = lesson_of(network, 33)
    layout, a = network.layout, lesson.activity
    slope, output = a.batch_first(a.derivative), a.batch_first(a.output)
    for tie, rows in (("soma", layout.roots), ("compartment", np.arange(layout.size))):
        signal = KolenPollack(tie=tie)
        signal.prepare(network, np.random.default_rng(0))
        told = lesson.output_error @ signal.weights["feedback"].T
        told = told[:, layout.cell] if tie == "soma" else told
        np.testing.assert_allclose(taught(lesson, signal), told * slope, atol=1e-15)
        gradient = signal.weight_gradients(lesson)["feedback"]
        np.testing.assert_allclose(gradient, output[:, rows].T @ lesson.output_error, atol=1e-15)
        assert signal.bits_per_sample(network) == 4 * 32


def test_a_bound_on_the_norm_holds_feedback_and_decoder_alike():
    network = network_of()
    x, y = batch(9)
    learner = learner_of(network, KolenPollack(), optimiser="sgd", decay={"decoder": 0.5}, clip_norm=1e-2)
    before = difference(learner)
    for _ in range(5):
        learner.step(x, y)
    np.testing.assert_allclose(difference(learner), before * 0.9**5, rtol=1e-12, atol=1e-14)


def test_a_frozen_decoder_is_refused():
    with pytest.raises(ParameterError, match="decoder='frozen' does not; use"):
        learner_of(network_of(), KolenPollack(), decoder="frozen")


def test_start():
    network = network_of(cells=[400])
    signal = KolenPollack(scale=3.0, tie="compartment")
    signal.prepare(network, np.random.default_rng(0))
    assert signal.weights["feedback"].std() == pytest.approx(1.5, rel=0.05)
    with pytest.raises(ParameterError, match="tie='tree' is not known; valid: 'soma', 'compartment'"):
        KolenPollack(tie="tree")


def test_credits_of_a_trained_tree_point_along_the_exact_ones():
    task = ds.tasks.load("digits")
    network = ds.Network.dendritic(64, 10, [12], [3], 12, 6, gates=False, dtype="float64", seed=0)
    learner = Learner(network, KolenPollack(scale=0.0), rates=5e-3, threads=1)
    x, y = network.checked(task.x_train), task.y_train
    order = np.random.default_rng(0)
    for _ in range(8):
        for rows in np.array_split(order.permutation(len(y)), 45):
            learner.step(np.ascontiguousarray(x[rows]), y[rows])
    lesson = learner.taught(x[:512], y[:512])[0]
    learner.teaching.credit(lesson)
    exact = lesson.twin()
    exact.transport()
    for layer in range(network.layout.n_layers):
        here = network.layout.layer == layer
        told, correct = lesson.credit[:, here], exact.credit[:, here]
        assert np.vdot(told, correct) / (np.linalg.norm(told) * np.linalg.norm(correct)) > 0.3
