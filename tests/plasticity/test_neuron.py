"""Learning of single neurons: exact credits make the gradient, and every teaching signal finds its way down."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.losses import loss
from dendrosim.plasticity import PathGain, Rule

from ..teaching.neuron_cases import CASES, batch, neurons


def exact(model: ds.Neurons, **options) -> ds.NeuronLearner:
    return ds.NeuronLearner(model, "exact", **options)


@pytest.mark.parametrize("name", CASES)
def test_the_synapses_gradient_is_that_of_exact_gradient(name):
    model, (x, _) = neurons(name, "soma"), batch()
    y = np.random.default_rng(3).random((5, model.n_outputs))
    found = exact(model, loss="mse").gradients(x, y).values
    settings = {"integration": model.integration, "direction": model.direction, "gate": model.gate}
    state = ds.steady_state(model.compartments, model.synapses, x, **settings)
    roots = model.compartments.roots
    slope = 1.0 if model.gate is None else model.gate.derivative(state.voltage)[:, roots]
    told = loss("mse").score(model.predict(x), y) / 5 * slope / model.scale
    gradient = ds.exact_gradient(state, told)
    scale = np.abs(gradient.conductance).max()
    np.testing.assert_allclose(
        found["synapses"] / model.conductance_factor, gradient.conductance, rtol=1e-12, atol=1e-12 * scale
    )
    if model.learn_couplings:
        child = model.layout.child
        here = found["couplings"][child] / model.coupling_factor[child]
        scale = np.abs(gradient.coupling).max()
        np.testing.assert_allclose(here, gradient.coupling[child], rtol=1e-12, atol=1e-12 * scale)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("readout", "of"), [("linear", "cross_entropy"), ("soma", "mse")])
def test_gradients_are_derivatives_of_the_mean_loss(name, readout, of):
    model, (x, y) = neurons(name, readout), batch()
    if readout == "soma":
        y = np.random.default_rng(3).random((5, model.n_outputs))
    found = exact(model, loss=of).gradients(x, y)
    assert found.loss == pytest.approx(loss(of).value(model.predict(x), y).mean(), rel=1e-12)
    assert found.values.keys() == model.parameters.keys()
    for key, array in model.parameters.items():
        most = np.abs(found.values[key]).max()
        for i in list(np.ndindex(array.shape))[:: max(1, array.size // 6)]:
            kept, both = array[i], []
            h = 1e-5 * max(1.0, abs(kept))
            for step in (h, -h):
                array[i] = kept + step
                model.refresh()
                both.append(loss(of).value(model.predict(x), y).mean())
            array[i] = kept
            assert found.values[key][i] == pytest.approx((both[0] - both[1]) / (2 * h), rel=1e-5, abs=1e-6 * most)
        model.refresh()


@pytest.mark.parametrize("name", CASES)
def test_per_soma_with_the_path_gain_is_exact(name):
    model, (x, y) = neurons(name), batch()
    path = Rule("3F").with_(PathGain("compartment"))
    local = ds.NeuronLearner(model, "per_soma", path).gradients(x, y).values
    for key, value in exact(model).gradients(x, y).values.items():
        np.testing.assert_allclose(local[key], value, rtol=1e-10, atol=1e-12 * np.abs(value).max())


def test_rules_of_networks_are_refused_by_name():
    model = neurons("cell")
    with pytest.raises(ParameterError, match="single neurons learn with rule='3F'"):
        ds.NeuronLearner(model, rule="5F")
    with pytest.raises(ParameterError, match="3F"):
        ds.NeuronLearner(model, rule=Rule("3F", eligibility="conductance"))
    with pytest.raises(ParameterError, match="local_mismatch"):
        ds.NeuronLearner(model, "local_mismatch")
    with pytest.raises(ParameterError, match="local_mismatch"):
        ds.NeuronLearner(model, {"name": "degraded", "teaching": "local_mismatch", "sign": True})
    with pytest.raises(ParameterError, match="network must be Neurons"):
        ds.NeuronLearner(ds.Network.dendritic(4, 2, [3], [2], 2, 2))


def test_a_resumed_learner_takes_the_same_steps():
    x, y = batch(8)
    first = ds.NeuronLearner(neurons("cell"), "dfa", seed=4)
    first.step(x, y)
    second = ds.NeuronLearner(neurons("cell"), "dfa", seed=5)
    second.network.restore(first.network.state())
    second.restore(first.state())
    for one in (first, second):
        for _ in range(3):
            one.step(x, y)
    for key, value in first.network.parameters.items():
        np.testing.assert_array_equal(second.network.parameters[key], value)


def test_decay_and_a_frozen_decoder():
    x, y = batch(8)
    model = neurons("cell")
    before = model.state()
    learner = ds.NeuronLearner(model, "exact", optimiser="sgd", rates=0.1, decay={"synapses": 0.5}, decoder="frozen")
    asked = learner.gradients(x, y).values
    learner.step(x, y)
    np.testing.assert_allclose(
        model.parameters["synapses"], before["synapses"] * (1 - 0.05) - 0.1 * asked["synapses"], rtol=1e-12
    )
    np.testing.assert_array_equal(model.parameters["decoder_weight"], before["decoder_weight"])


def problem(readout: str) -> tuple[ds.Neurons, np.ndarray, np.ndarray]:
    """A shipped cell, and noisy copies of six patterns of active inputs, in two classes."""
    rng = np.random.default_rng(7)
    cell = ds.Morphology.load("stellate").compartments(ds.Passive(E_leak=-70.0), max_length=100.0)
    synapses = ds.Synapses.scatter(cell, 60, 20, n_inputs=20, seed=1, conductance=0.3)
    kind = rng.integers(0, 6, 60)
    x = (rng.random((6, 20)) < 0.3)[kind] * rng.uniform(0.5, 1.0, (60, 20)) + 0.1 * rng.random((60, 20))
    return ds.Neurons(cell, synapses, 2 if readout == "linear" else None, readout=readout), x, kind % 2


def losses(teaching, readout: str = "linear", of: str = "cross_entropy", **options) -> list[float]:
    """Loss before each of 25 steps."""
    model, x, y = problem(readout)
    targets = y if readout == "linear" else np.where(y, 2.0, 1.0)[:, None]
    learner = ds.NeuronLearner(model, teaching, loss=of, rates=5e-2, **options)
    return [learner.step(x, targets)[0] for _ in range(25)]


CURRENTS = [{"name": name, "inject": "current"} for name in ("vnc", "nmnc")]


@pytest.mark.parametrize("teaching", ["exact", "per_soma", "scalar", *CURRENTS], ids=str)
@pytest.mark.parametrize(("readout", "of"), [("linear", "cross_entropy"), ("soma", "mse")])
def test_a_real_cell_learns_by_its_synapses_alone(teaching, readout, of):
    loss_at = losses(teaching, readout, of, decoder="frozen")
    assert min(loss_at) == loss_at[-1] < 0.7 * loss_at[0]


@pytest.mark.parametrize(
    ("teaching", "of"),
    [
        ("dfa", "cross_entropy"),
        ("fa", "cross_entropy"),
        ("sbd", "cross_entropy"),
        ("ebd", "mse"),
        ("kp", "cross_entropy"),
        ({"name": "node_perturbation", "inject": "current", "perturbations": 20}, "cross_entropy"),
    ],
    ids=str,
)
def test_signals_with_random_feedback_learn_together_with_the_readout(teaching, of):
    loss_at = losses(teaching, of=of)
    assert loss_at[-1] < 0.7 * loss_at[0]


def test_passes_of_perturbations_are_counted():
    model, x, y = problem("linear")
    learner = ds.NeuronLearner(model, {"name": "vnc", "inject": "current", "perturbations": 4})
    for _ in range(3):
        learner.step(x, y)
    assert learner.passes == 3 * (1 + 4)


def test_noise_on_voltages_of_a_cable_is_refused_at_the_first_step():
    model, x, y = problem("linear")
    with pytest.raises(ParameterError, match="use inject='current'"):
        ds.NeuronLearner(model, "vnc").step(x, y)


def test_feedback_by_currents_becomes_the_mean_transfer_through_the_readout():
    model, x, y = problem("linear")
    table = {"name": "vnc", "inject": "current", "eta": 1.0, "noise": "orthogonal", "perturbations": 64}
    learner = ds.NeuronLearner(model, table)
    learner.gradients(x, y)
    settings = {"integration": model.integration, "direction": model.direction}
    state = ds.steady_state(model.compartments, model.synapses, x, **settings)
    transfer = (state.attenuation_to_soma * state.input_resistance).mean(axis=0) / model.scale
    exact = model.parameters["decoder_weight"] @ transfer[None]
    found = learner.teaching.feedback
    assert np.linalg.norm(found - exact) < 0.05 * np.linalg.norm(exact)
