"""Feedback alignment against explicit loops, and against exact transport where the feedback is exact."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.networks.mlp import PointMLP
from dendrosim.plasticity.neuron import NeuronLearner
from dendrosim.teaching import DFA, FA

from .lessons import KINDS, lesson_of, network_of, taught
from .neuron_cases import batch, neurons
from .test_point import DEPTHS
from .test_point import lesson_of as point_lesson


def prepared(signal, network, seed=0):
    signal.prepare(network, np.random.default_rng(seed))
    return signal


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", DEPTHS, ids=len)
def test_point_networks_carry_errors_back_through_fixed_matrices(hidden, activation):
    lesson = point_lesson(hidden, activation=activation)
    network = lesson.network
    signal = prepared(FA(scale=2.0), network)
    found = taught(lesson, signal)
    matrices = signal.state()
    derivative = lesson.activity.batch_first(lesson.activity.derivative)
    told = lesson.output_error @ matrices["decoder_weight"]
    for i in range(len(hidden) - 1, -1, -1):
        first, last = network.layout.cells_of[i]
        credit = derivative[:, first:last] * told
        np.testing.assert_allclose(found[:, first:last], credit, rtol=1e-12, atol=1e-16)
        if i:
            told = credit @ matrices[f"hidden_weight_{i}"]


@pytest.mark.parametrize("hidden", DEPTHS, ids=len)
def test_with_the_true_weights_it_is_backpropagation(hidden):
    lesson = point_lesson(hidden)
    signal = prepared(FA(), lesson.network)
    signal.restore(lesson.network.parameters)
    found = taught(lesson, signal)
    lesson.transport()
    np.testing.assert_allclose(found, lesson.activity.batch_first(lesson.credit), rtol=1e-12, atol=1e-16)


def test_with_one_hidden_layer_it_is_direct_feedback():
    lesson = point_lesson([8])
    found = [taught(lesson, prepared(signal, lesson.network)) for signal in (FA(), DFA(), DFA(per="compartment"))]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12, atol=1e-16)
    np.testing.assert_array_equal(found[1], found[2])


def test_direct_feedback_has_a_row_for_every_hidden_unit():
    lesson = point_lesson()
    signal = prepared(DFA(scale=2.0), lesson.network)
    matrix = signal.state()["matrix"]
    assert matrix.shape == (14, 4)
    expected = np.empty((7, 14))
    for b in range(7):
        for n in range(14):
            slope = 1.0 if lesson.activity.voltage[0, n, b] > 0 else 0.0
            expected[b, n] = slope * sum(matrix[n, k] * lesson.output_error[b, k] for k in range(4))
    np.testing.assert_allclose(taught(lesson, signal), expected, rtol=1e-12, atol=1e-16)


def test_concordant_feedback_follows_the_signs_of_the_weights():
    lesson = point_lesson()
    network = lesson.network
    signal = prepared(FA(sign="concordant"), network)
    taught(lesson, signal)
    for _ in range(2):
        matrices = {
            name: np.abs(value) * np.where(network.parameters[name] < 0, -1.0, 1.0)
            for name, value in signal.state().items()
        }
        expected = taught(lesson, with_feedback(network, matrices))
        np.testing.assert_allclose(taught(lesson, signal), expected, rtol=1e-12, atol=1e-16)
        for name in matrices:
            network.parameters[name] *= -1.0


def with_feedback(network, matrices):
    signal = prepared(FA(), network)
    signal.restore(matrices)
    return signal


def test_entries_have_the_spread_that_is_said():
    network = PointMLP(5, 4, [300, 200], dtype="float64")
    matrices = prepared(FA(scale=3.0), network).state()
    assert matrices["decoder_weight"].std() == pytest.approx(3.0 / np.sqrt(4), rel=0.05)
    assert matrices["hidden_weight_1"].std() == pytest.approx(3.0 / np.sqrt(200), rel=0.05)
    assert set(matrices) == {"decoder_weight", "hidden_weight_1"}


@pytest.mark.parametrize("kind", KINDS)
def test_trees_carry_errors_back_by_fixed_factors(kind):
    """From parent to child, and from synapse to presynaptic cell, compartment by compartment."""
    network = network_of(kind)
    lesson, layout = lesson_of(network), network.layout
    signal = prepared(FA(scale=0.5), network)
    state = signal.state()
    derivative = lesson.activity.batch_first(lesson.activity.derivative)
    told = np.zeros((7, layout.n_cells))
    told[:, layout.readout] = lesson.output_error @ state["decoder_weight"]
    expected = np.zeros((7, layout.size))
    for p in range(len(layout.populations) - 1, -1, -1):
        for n in range(*layout.compartments_of[p]):
            above = told[:, layout.cell[n]]
            if layout.parent[n] >= 0:
                above = expected[:, layout.parent[n]] * state["couplings"][n]
            expected[:, n] = above * derivative[:, n]
        for n in range(*layout.compartments_of[p]):
            for j in range(layout.first[n], layout.last[n]):
                if network.source[j] >= layout.n_inputs:
                    told[:, network.source[j] - layout.n_inputs] += state["synapses"][j] * expected[:, n]
    np.testing.assert_allclose(taught(lesson, signal), expected, rtol=1e-11, atol=1e-15)
    assert ("synapses" in state) == bool(layout.hidden.size)


@pytest.mark.parametrize("readout", ["linear", "soma"])
@pytest.mark.parametrize("name", ["cell", "two cells, couplings", "tree gated"])
def test_single_neurons_carry_errors_back_by_fixed_factors(name, readout):
    network = neurons(name, readout)
    x, y = batch()
    signal = FA()
    learner = NeuronLearner(network, "exact", loss="cross_entropy" if readout == "linear" else "mse")
    lesson, _, _ = learner.taught(network.checked(x), y if readout == "linear" else np.ones((5, network.n_outputs)))
    prepared(signal, network)
    state, layout = signal.state(), network.layout
    assert ("decoder_weight" in state) == (readout == "linear")
    told = lesson.output_error @ state["decoder_weight"] if readout == "linear" else lesson.output_error
    derivative = lesson.activity.batch_first(lesson.activity.derivative)
    expected = np.empty((5, layout.size))
    for n in range(layout.size):
        parent = layout.parent[n]
        above = told[:, layout.cell[n]] if parent < 0 else expected[:, parent] * state["couplings"][n]
        expected[:, n] = above * derivative[:, n]
    np.testing.assert_allclose(taught(lesson, signal), expected, rtol=1e-12, atol=1e-16)


def test_with_the_true_factors_trees_get_exact_credits():
    """In an additive tree the factors between parent and child are the couplings, whatever the input."""
    network = network_of("additive", cells=[4, 3])
    lesson = lesson_of(network)
    signal = prepared(FA(), network)
    true = {
        "decoder_weight": network.parameters["decoder_weight"],
        "couplings": network.coupling,
        "synapses": network.conductance * network.sign,
    }
    signal.restore(true)
    found = taught(lesson, signal)
    lesson.transport()
    np.testing.assert_allclose(found, lesson.activity.batch_first(lesson.credit), rtol=1e-11, atol=1e-15)


def test_signs_of_the_factors():
    network = network_of("inhibitory cells")
    synapses = network.source >= network.layout.n_inputs
    state = prepared(FA(), network).state()
    assert (state["couplings"] > 0).all()
    assert (state["synapses"][~synapses] == 0).all()
    assert (state["synapses"][synapses] != 0).all()
    assert (prepared(FA(couplings="normal"), network).state()["couplings"] < 0).any()
    concordant = prepared(FA(sign="concordant"), network).state()["synapses"]
    assert (np.sign(concordant[synapses]) == network.sign[synapses]).all()


def test_drawing_and_restoring():
    network = network_of("two layers")
    first, second, other = prepared(FA(), network), prepared(FA(), network), prepared(FA(), network, 1)
    for name, value in first.state().items():
        np.testing.assert_array_equal(value, second.state()[name])
        assert (value != other.state()[name]).any()
    other.restore(first.state())
    lesson = lesson_of(network)
    np.testing.assert_array_equal(taught(lesson, first), taught(lesson, other))
    assert first.bits_per_sample(network) == 32 * network.layout.size


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FA(scale=0), "scale=0"),
        (lambda: FA(sign="same"), "sign='same' is not known; valid: 'random', 'concordant'"),
        (lambda: FA(couplings="odd"), "couplings='odd'"),
        (lambda: prepared(FA(sign="concordant"), network_of(decoder="mlp")), "use sign='random', or a network with"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
