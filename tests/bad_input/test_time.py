"""What happens in time: inputs, kinetics, mechanisms, simulations, gradients through time, learning while running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dendrosim as ds


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    cell = ds.Morphology.from_swc("1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 105 0 0 1 2\n", "stick")
    compartments = cell.compartments(ds.Passive(), max_length=25.0)
    synapses = ds.Synapses(compartments, [1, 2, 3], sign=[1, 1, -1])
    spikes = ds.Spikes([1.0, 2.0], [0, 1], n_inputs=3)
    trace = ds.simulate(compartments, synapses, spikes, dt=0.1, duration=5.0, checkpoints=True)
    recorded = tmp_path_factory.mktemp("recorded") / "a.h5"
    ds.simulate(compartments, synapses, spikes, dt=0.1, duration=5.0, store=recorded)
    neurons = ds.Neurons(compartments, synapses, 2, seed=0)
    x = np.ones((2, 3))
    return {
        "ds": ds, "np": np, "compartments": compartments, "synapses": synapses, "spikes": spikes, "trace": trace,
        "neurons": neurons, "n": compartments.size, "T": trace.voltage.shape[1], "x": x,
        "recorded": recorded, "learner": ds.OnlineLearner(neurons, dt=0.25),
        "task": ds.tasks.load("digits").subset(20, 10),
    }  # fmt: skip


CALLS = [
    "ds.Spikes([1.0, 2.0], [0, 1], [0, 1], [1.0, 0.5], n_inputs=3, n_stimuli=2)",
    "ds.Spikes.from_trains([[[1.0, 2.0], []]])",
    "ds.Spikes.poisson([[5.0, 10.0]], 50.0, 0)",
    "ds.Waveform(np.ones((2, 5, 3)), 1.0, 'activity')",
    "ds.Clamp(1, [1.0, 2.0], 0.0, 5.0, 1.0)",
    "ds.Connections([0], [2], [1.0], [0.5])",
    "ds.Exponential(2.0)",
    "ds.Alpha(2.0)",
    "ds.DifferenceOfExponentials(0.5, 5.0)",
    "ds.NMDA(2.0, 65.0, 1.0)",
    "ds.HodgkinHuxley(0.12, 0.036, 0.0003, 50.0, -77.0, -54.3, 6.3, 0.0, 'soma')",
    "ds.LeakConductance(1.0, -70.0, [0, 1])",
    "ds.IntegrateAndFire(-50.0, -65.0, 2.0, [0])",
    "ds.AdaptiveIntegrateAndFire(-50.0, -65.0, 2.0, 'soma', 1.0, 50.0, 100.0)",
    "ds.ExponentialIntegrateAndFire(-50.4, 2.0, 30.0, 20.0, -70.6, 1.0, 4.0, 80.5, 144.0, 'soma')",
    "ds.FastSigmoid(1.0)",
    "ds.Triangle(5.0)",
    "ds.ArcTangent(1.0)",
    "ds.simulate(compartments, synapses, spikes, dt=0.1, duration=3.0, record=[0, 1], record_synapses=[0], every=2, "
    "method='backward_euler', kinetics='exponential', mechanisms=[ds.IntegrateAndFire()], clamps=[ds.Clamp(0, 1.0)], "
    "connections=None, initial='rest', n_stimuli=1, checkpoints=False, dtype='float64', threads=1)",
    "ds.simulate(compartments, synapses, x, dt=0.1, duration=1.0, arrival='nearest', integration='shunting', "
    "direction='reciprocal', gate=None, current=np.zeros(n))",
    "ds.simulate(compartments, None, None, dt=0.1, duration=1.0, initial=np.full(n, -65.0), store='a.h5')",
    "ds.exact_gradient(trace, np.ones((1, T, 1)), record=[0], surrogate='fast_sigmoid', spike_gradient=None)",
    "ds.Deliveries(1.0, None, 0.5, 'exponential', 1.0)",
    "ds.Deliveries(times=[1.0, 2.0])",
    "ds.OnlineLearner(neurons, 'per_soma', '3F', tau_e=20.0, deliveries=ds.Deliveries(1.0), dt=0.25, "
    "method='backward_euler', kinetics='exponential', seed=0, arrival='nearest', mechanisms=(), "
    "current=None, clamps=(), connections=None, read='voltage', tau_out=20.0, surrogate='fast_sigmoid', loss='mse', "
    "optimiser='sgd')",
    "learner.run(spikes, [1], duration=5.0, learn=False)",
    "ds.time_fidelity(learner, spikes, [1], duration=5.0, initial=None, n_stimuli=1)",
    "ds.diagnostics.event_shape(trace, start=0.0)",
    "ds.tasks.spike_patterns(0, n_classes=2, per_class=1, n_inputs=5, rate=50.0, length=20.0, onset=1.0, "
    "equal_counts=True, detect=False, jitter=0.5, "
    ""
    "deletion=0.1, noise=1.0, n_train=4, n_test=2)",
    "ds.tasks.delayed_cue(0, n_classes=2, n_inputs=5, rate=20.0, length=10.0, onset=1.0, delay=10.0, "
    "n_distractors=1, per_class=1, distractor_kinds=2, equal_counts=False, jitter=1.0, deletion=0.0, noise=2.0, "
    "n_train=4, n_test=2)",
    "ds.Trace.load(recorded)",
]


@pytest.mark.parametrize("call", CALLS)
def test_hostile_arguments(call: str, names: dict[str, Any], attack: Callable[..., None]) -> None:
    attack(call, names)
