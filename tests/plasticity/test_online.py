"""Learning in time: traces and credits make gradients where theory says that they do."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds

from ..teaching.neuron_cases import CASES, batch, neurons

METHODS = ["backward_euler", "crank_nicolson"]


def isopotential(integration: str = "shunting", direction: str = "reciprocal") -> ds.Neurons:
    cell = ds.Compartments([-1], leak=5.0, capacitance=50.0, leak_reversal=-65.0)
    synapses = ds.Synapses(cell, [0] * 6, range(6), sign=[1, 1, 1, 1, -1, -1], conductance=[1, 2, 3, 1, 4, 2.0])
    return ds.Neurons(cell, synapses, 2, integration=integration, direction=direction, seed=3)


def trains(n_stimuli: int = 3, duration: float = 40.0) -> ds.Spikes:
    rates = np.random.default_rng(0).uniform(20, 100, (n_stimuli, 6))
    return ds.Spikes.poisson(rates, duration, seed=1)


def by_differences(learner: ds.OnlineLearner, inputs, targets, duration: float, name: str = "synapses") -> np.ndarray:
    """dL/d raw of ``L = sum_k w_k mean_b l`` of fourth order, from runs that do not learn."""
    raw = learner.network.parameters[name]
    found = np.zeros_like(raw)
    for i in range(raw.size):
        kept, losses = raw[i], []
        for step in (-2, -1, 1, 2):
            raw[i] = kept + step * 1e-3
            learner.network.refresh()
            run = learner.run(inputs, targets, duration=duration, learn=False)
            losses.append(learner.deliveries.weight * run.loss.mean(axis=1).sum())
        raw[i] = kept
        found[i] = (losses[0] - 8 * losses[1] + 8 * losses[2] - losses[3]) / 12e-3
    learner.network.refresh()
    return found


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("integration", "direction"),
    [("shunting", "reciprocal"), ("additive", "reciprocal"), ("shunting", "directed")],
)
def test_an_isopotential_neuron_with_membrane_traces_follows_the_gradient(method, integration, direction):
    learner = ds.OnlineLearner(
        isopotential(integration, direction),
        "exact",
        tau_e="membrane",
        deliveries=ds.Deliveries(every=10.0),
        method=method,
        arrival="exact",
    )
    y = np.random.default_rng(4).standard_normal((4, 3, 2))
    found = learner.run(trains(), y, duration=40.0, learn=False).gradient["synapses"]
    np.testing.assert_allclose(found, by_differences(learner, trains(), y, 40.0), rtol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_static_input_gives_the_gradient_of_the_steady_state(name):
    model, (x, _) = neurons(name, "soma"), batch()
    y = np.random.default_rng(3).random((5, model.n_outputs))
    steady = ds.NeuronLearner(model, "exact", loss="mse").gradients(x, y).values
    deliveries = ds.Deliveries(times=[400.0])
    learner = ds.OnlineLearner(model, "exact", tau_e=5.0, deliveries=deliveries, kinetics="instantaneous")
    online = learner.run(x, y, duration=400.0, learn=False).gradient
    for key, value in steady.items():
        np.testing.assert_allclose(online[key], value, rtol=1e-8, atol=1e-9 * np.abs(value).max())
