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


def test_traces_follow_their_equation_in_closed_form():
    """Constant right side: ``e(t) = x (E - V) R (1 - exp(-t / tau_e))``, and decay alone once synapses are shut."""
    cell = ds.Compartments([-1], leak=1e6, capacitance=1.0, leak_reversal=-65.0)  # its voltage does not move
    model = ds.Neurons(cell, ds.Synapses(cell, [0], sign=1, conductance=1e-3), readout="soma")
    values = np.concatenate([np.full((30, 1, 1), 0.5), np.zeros((20, 1, 1))])
    learner = ds.OnlineLearner(
        model, tau_e=7.0, deliveries=ds.Deliveries(times=[30.0, 50.0]), kinetics="instantaneous", dt=0.5
    )
    inputs = ds.Waveform(values, 1.0)
    asked = []
    for row in ([1.0, 0.0], [0.0, 1.0]):
        run = learner.run(inputs, duration=50.0, modulator=np.array(row)[:, None], learn=False)
        asked.append(run.gradient["synapses"][0] / model.conductance_factor[0])
    most = 0.5 * 65.0 / 1e6
    risen = most * (1 - np.exp(-30 / 7))
    np.testing.assert_allclose(asked, [risen, risen * np.exp(-20 / 7)], rtol=1e-6)


@pytest.mark.parametrize("direction", ["reciprocal", "directed"])
@pytest.mark.parametrize("couplings", [False, True])
@pytest.mark.parametrize("n_stimuli", [1, 9])
def test_input_resistances_are_those_of_the_steady_state(direction, couplings, n_stimuli):
    cell = ds.Morphology.load("granule").compartments(ds.Passive(E_leak=-70.0), max_length=40.0)
    synapses = ds.Synapses.scatter(cell, 12, 4, n_inputs=6, seed=2)
    model = ds.Neurons(cell, synapses, readout="soma", direction=direction, learn_couplings=couplings)
    learner = ds.OnlineLearner(model)
    spikes = ds.Spikes.poisson(np.full((n_stimuli, 6), 200.0), 10.0, seed=3)
    session = learner.begin(spikes, np.zeros((n_stimuli, 1)), duration=10.0)
    session.go(87)
    running = session.running
    traces = running.eligibility
    assert running.fraction.max() > 0.1
    own = model.synapses.with_(source=traces.fraction, n_inputs=traces.synapse.size)  # as learned by then
    state = ds.steady_state(model.compartments, own, running.fraction, direction=direction)
    np.testing.assert_allclose(traces.resistance, state.input_resistance[:, traces.compartment], rtol=1e-12)


SIGNALS = {
    "exact": {},
    "scalar": {},
    "per_soma": {},
    "fa": {},
    "dfa": {},
    "low_rank": {"rank": 1},
    "ebd": {},
    "sbd": {},
    "kp": {},
    "vnc": {"inject": "current"},
    "nmnc": {"inject": "current"},
    "node_perturbation": {"inject": "current"},
    "shuffled": {},
    "decoder_only": {},
    "degraded": {"teaching": "per_soma", "sign": True},
}


def test_the_signals_below_are_all_that_neurons_take():
    from dendrosim.teaching.registry import TEACHING

    assert set(SIGNALS) == set(TEACHING) - {"local_mismatch", "mirror"}  # which need networks


@pytest.mark.parametrize("name", SIGNALS)
def test_every_teaching_signal_tells_online_what_it_tells_of_the_steady_state(name):
    """Once static input has settled, each signal's modulator is that of the steady state."""
    model = neurons("two cells, couplings")
    x, y = batch()
    y = np.random.default_rng(5).standard_normal((5, model.n_outputs))
    given = {"name": name, **SIGNALS[name]}
    steady = ds.NeuronLearner(model, given, loss="mse", seed=7).gradients(x, y).values
    learner = ds.OnlineLearner(
        model, given, tau_e=2.0, deliveries=ds.Deliveries(times=[400.0]), kinetics="instantaneous", seed=7
    )
    online = learner.run(x, y, duration=400.0, learn=False).gradient
    for key, value in steady.items():
        np.testing.assert_allclose(online[key], value, rtol=1e-6, atol=1e-7 * max(1e-300, np.abs(value).max()))


def test_a_minibatch_asks_for_the_mean_of_what_its_stimuli_ask():
    model = neurons("cell")
    y = np.random.default_rng(4).standard_normal((3, 5, 3))
    rates = np.random.default_rng(0).uniform(50, 200, (5, 6))
    spikes = ds.Spikes.poisson(rates, 30.0, seed=1)
    learner = ds.OnlineLearner(model, "exact", deliveries=ds.Deliveries(every=10.0, delay=3.0))
    whole = learner.run(spikes, y[:, :], duration=33.0, learn=False).gradient
    singles = []
    for b in range(5):
        mine = spikes.stimulus == b
        one = ds.Spikes(spikes.time[mine], spikes.source[mine], n_inputs=6)
        singles.append(learner.run(one, y[:, b : b + 1], duration=33.0, learn=False).gradient)
    for key, value in whole.items():
        np.testing.assert_allclose(value, np.mean([s[key] for s in singles], axis=0), rtol=1e-10, atol=1e-14)


KERNELS = [ds.Exponential(4.0), ds.Alpha(3.0), ds.DifferenceOfExponentials(1.0, 6.0)]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_a_kernel_spreads_a_credit_with_area_one(kernel):
    """Against the integral of trace times time course by hand; traces that stand still show the area alone."""
    model = neurons("cell directed", "soma")
    x = batch()[0]
    delay, dt = 2.0, 0.1
    m = np.zeros((20, 5, model.layout.size))
    m[4] = np.random.default_rng(1).standard_normal(m.shape[1:])
    options = {"tau_e": 9.0, "dt": dt, "kinetics": ds.Exponential(3.0)}
    spread = ds.OnlineLearner(model, deliveries=ds.Deliveries(every=5.0, delay=delay, kernel=kernel), **options)
    values = np.random.default_rng(2).random((10, 5, 6))
    inputs = ds.Waveform(values, 10.0)
    found = spread.run(inputs, duration=100.0, modulator=m, learn=False).gradient
    at_once = ds.OnlineLearner(model, deliveries=ds.Deliveries(every=dt), **options)
    begin, steps = round((25.0 + delay) / dt), 1000
    edges = (np.arange(steps + 1) - begin).clip(0) * dt
    weight = np.diff(kernel.integrals(edges)[1]) / kernel.area
    by_hand = at_once.run(
        inputs, duration=100.0, modulator=weight[:, None, None] * m[4][None] * 5.0 / dt, learn=False
    ).gradient
    for key, value in by_hand.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-9, atol=1e-12 * np.abs(value).max())
    still = ds.OnlineLearner(
        model, deliveries=ds.Deliveries(times=[200.0], kernel=kernel), tau_e=0.0, kinetics="instantaneous"
    )
    once = ds.OnlineLearner(model, deliveries=ds.Deliveries(times=[200.0]), tau_e=0.0, kinetics="instantaneous")
    asked = [o.run(x, duration=400.0, modulator=m[4:5], learn=False).gradient["synapses"] for o in (still, once)]
    np.testing.assert_allclose(*asked, rtol=1e-6)


def test_sparse_and_late_modulators_meet_the_trace_of_their_arrival():
    """One number at 20 ms that arrives 15 ms later asks for the trace at 35 ms, and nothing else does."""
    model, x = neurons("cell"), batch()[0]
    late = ds.OnlineLearner(model, deliveries=ds.Deliveries(times=[10.0, 20.0, 30.0], delay=15.0))
    m = np.zeros((3, 5))
    m[1] = [1.0, -2.0, 0.5, 0.0, 3.0]
    found = late.run(x, duration=50.0, modulator=m, learn=False).gradient["synapses"]
    then = ds.OnlineLearner(model, deliveries=ds.Deliveries(times=[35.0]))
    expected = then.run(x, duration=50.0, modulator=m[1:2], learn=False).gradient["synapses"]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CASES)
def test_without_memory_exact_currents_make_the_exact_gradient(name, method):
    """Traces of no memory times q / R of the adjoint, step by step, on any tree, couplings included."""
    model = neurons(name, "soma")
    layout, dt, duration = model.layout, 0.1, 12.0
    values = np.random.default_rng(2).random((6, 3, 6))
    options = {"dt": dt, "method": method, "kinetics": [ds.Exponential(2.0)] * model.synapses.size}
    inputs = ds.Waveform(values, 2.0)
    trace = ds.simulate(
        model.compartments, model.synapses, inputs, duration=duration, integration=model.integration,
        direction=model.direction, gate=model.gate, checkpoints=True, **options,
    )  # fmt: skip
    loss = np.random.default_rng(3).standard_normal(trace.voltage.shape)
    exact = ds.exact_gradient(trace, loss, record="all")
    learner = ds.OnlineLearner(model, tau_e=0.0, deliveries=ds.Deliveries(every=dt), **options)
    steps = len(trace.time) - 1
    session = learner.begin(inputs, duration=duration, modulator=np.zeros((steps, 3)), learn=False)
    resistance = np.ones((steps, 3, layout.size))
    for k in range(steps):
        session.go(k + 1)
        resistance[k] = session.moments.state().input_resistance
    m = exact.current[:, 1:].swapaxes(0, 1) / resistance / dt
    found = learner.run(inputs, duration=duration, modulator=m, learn=False).gradient
    scale = np.abs(exact.conductance).max()
    local = found["synapses"] / model.conductance_factor
    np.testing.assert_allclose(local, exact.conductance, rtol=1e-10, atol=1e-11 * scale)
    if model.learn_couplings:
        child = layout.child
        local = found["couplings"][child] / model.coupling_factor[child]
        scale = np.abs(exact.coupling).max()
        np.testing.assert_allclose(local, exact.coupling[child], rtol=1e-10, atol=1e-11 * scale)
