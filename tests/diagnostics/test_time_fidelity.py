"""Fidelity in time: exact where theory says so, less elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError

from ..plasticity.test_online import isopotential, trains


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
def test_an_isopotential_neuron_with_membrane_traces_is_exact(method):
    learner = ds.OnlineLearner(
        isopotential(), "exact", tau_e="membrane", deliveries=ds.Deliveries(every=5.0), method=method, arrival="exact"
    )
    y = np.random.default_rng(0).standard_normal((8, 3, 2))
    report = ds.time_fidelity(learner, trains(), y, duration=40.0)
    np.testing.assert_allclose(report.local, report.exact, rtol=1e-10)
    assert report["all"]["n"] == 6
    assert report["inhibitory"]["cosine"] == pytest.approx(1.0, abs=1e-14)


def cable(n_outputs: int | None = None) -> ds.Neurons:
    tree = ds.Compartments([-1, 0, 1, 2], leak=2.0, coupling=6.0, capacitance=40.0, leak_reversal=-65.0)
    synapses = ds.Synapses(tree, [0, 1, 2, 3, 3, 2], range(6), sign=[1, 1, 1, 1, -1, -1], conductance=1.0)
    readout = "soma" if n_outputs is None else "linear"
    return ds.Neurons(tree, synapses, n_outputs, readout=readout, learn_couplings=True)


def test_in_a_cable_traces_of_the_membrane_point_the_way_and_wrong_memories_less_so():
    y = np.random.default_rng(0).standard_normal((6, 3, 1))
    found = {}
    for tau in ("membrane", 0.0, 500.0):
        learner = ds.OnlineLearner(cable(), "exact", tau_e=tau, deliveries=ds.Deliveries(every=10.0))
        found[tau] = float(ds.time_fidelity(learner, trains(duration=60.0), y, duration=60.0)["all"]["cosine"])
    assert 1.0 > found["membrane"] > max(found[0.0], found[500.0])
    assert found["membrane"] > 0.8


def test_its_exact_gradient_is_that_of_finite_differences():
    model = cable(2)
    learner = ds.OnlineLearner(model, deliveries=ds.Deliveries(times=[20.0, 40.0]), loss="cross_entropy")
    classes = np.array([[0, 1, 1], [1, 1, 0]])
    before = model.state()
    report = ds.time_fidelity(learner, trains(), classes, duration=40.0)
    for key, value in before.items():
        np.testing.assert_array_equal(model.parameters[key], value)
    for name, exact, factor in (
        ("synapses", report.exact, model.conductance_factor),
        ("couplings", report.exact_coupling, model.coupling_factor),
    ):
        raw = model.parameters[name]
        for i in (1, 3):
            kept, both = raw[i], []
            for step in (1e-4, -1e-4):
                raw[i] = kept + step
                model.refresh()
                both.append(learner.run(trains(), classes, duration=40.0, learn=False).loss.mean(axis=1).sum())
            raw[i] = kept
            assert exact[i] * factor[i] == pytest.approx((both[0] - both[1]) / 2e-4, rel=1e-6)
        model.refresh()
    assert report.loss == pytest.approx(learner.run(trains(), classes, duration=40.0, learn=False).loss.mean(1).sum())


def firing(**options) -> ds.OnlineLearner:
    return ds.OnlineLearner(
        isopotential(),
        "exact",
        read="spikes",
        mechanisms=options.pop("soma"),
        tau_e="membrane",
        tau_out=15.0,
        **options,
    )


def test_spikes_that_nearly_come_teach_through_the_surrogate():
    """Without a spike the gradient is that of a loss of voltages whose derivative is made by hand."""
    soma, surrogate = ds.IntegrateAndFire(threshold=-20.0, reset=-65.0), ds.ArcTangent(0.5)
    learner = firing(soma=soma, deliveries=ds.Deliveries(every=5.0), surrogate=surrogate)
    y = np.random.default_rng(0).standard_normal((8, 3, 2))
    run = learner.run(trains(), y, duration=40.0, learn=False)
    assert run.spike_time.size == 0
    model = learner.network
    trace = ds.simulate(model.compartments, model.synapses, trains(), dt=0.1, duration=40.0, checkpoints=True)
    later, told = np.zeros(3), np.zeros_like(trace.voltage)
    bias, weight = model.parameters["decoder_bias"], model.parameters["decoder_weight"]
    for step in range(400, 0, -1):
        later *= np.exp(-0.1 / 15.0)
        if step % 50 == 0:
            score = ds.losses.loss("mse").score(np.tile(bias, (3, 1)), y[step // 50 - 1]) / 3
            later += 5.0 * score @ weight[:, 0]
        told[:, step, 0] = later * surrogate.derivative(trace.voltage[:, step, 0] + 20.0)
    exact = ds.exact_gradient(trace, told).conductance
    np.testing.assert_allclose(run.gradient["synapses"] / model.conductance_factor, exact, rtol=1e-10)
    report = ds.time_fidelity(learner, trains(), y, duration=40.0)  # this one knows of resets that nearly come
    np.testing.assert_allclose(report.local, exact, rtol=1e-10)
    assert report["all"]["cosine"] > 0.999


def test_low_passed_spikes_are_what_is_read():
    soma = ds.IntegrateAndFire(threshold=-61.0, reset=-65.0, refractory=1.0)
    learner = firing(soma=soma, deliveries=ds.Deliveries(every=5.0))
    run = learner.run(trains(), np.zeros((8, 3, 2)), duration=40.0, learn=False)
    assert run.spike_time.size > 5
    model = learner.network
    for k, t in enumerate(run.time):
        for b in range(3):
            times = run.spike_time[(run.spike_stimulus == b) & (run.spike_time <= t + 1e-9)]
            soma_output = np.exp(-(t - times) / 15.0).sum()
            logits = model.parameters["decoder_weight"][:, 0] * soma_output + model.parameters["decoder_bias"]
            np.testing.assert_allclose(run.output[k, b], logits, rtol=1e-9, atol=1e-12)
    report = ds.time_fidelity(learner, trains(), np.zeros((8, 3, 2)), duration=40.0)
    assert report["all"]["cosine"] > 0.5


def test_what_cannot_be_compared_or_read_is_refused():
    with pytest.raises(ParameterError, match="no mechanism that fires"):
        firing(soma=()).run(trains(), np.zeros((3, 2)), duration=5.0)
    with pytest.raises(ParameterError, match="perturbs voltages"):
        ds.OnlineLearner(isopotential(), {"name": "vnc", "inject": "current"}, read="spikes")
    with pytest.raises(ParameterError, match="'voltage', 'spikes'"):
        ds.OnlineLearner(isopotential(), read="calcium")
    with pytest.raises(ParameterError, match="nothing to compare"):
        ds.time_fidelity(ds.OnlineLearner(isopotential(), "decoder_only"), trains(), np.zeros((3, 2)), duration=5.0)
    with pytest.raises(ParameterError, match="targets are missing"):
        ds.time_fidelity(ds.OnlineLearner(isopotential()), trains(), None, duration=5.0)
    with pytest.raises(ParameterError, match="learner must be OnlineLearner"):
        ds.time_fidelity(isopotential(), trains(), np.zeros((3, 2)), duration=5.0)
