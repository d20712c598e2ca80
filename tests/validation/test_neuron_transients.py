"""Transients against NEURON on the same compartments, and spikes of a Hodgkin-Huxley soma.

The models are built by `exchange.to_neuron`, whose sections test_neuron.py compares with others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dendrosim as ds

from .test_neuron import on_single_precision_grid

Floats = NDArray[np.float64]

DT = 0.025
MAX_LENGTH = 40.0
PASSIVE = ds.Passive(R_m=15_000.0, R_a=180.0, E_leak=-68.0)
METHODS = ("backward_euler", "crank_nicolson")


def cell() -> ds.Morphology:
    return on_single_precision_grid(ds.Morphology.load("pyramidal_l5"))


def in_neuron(
    compartments: ds.Compartments,
    synapses: ds.Synapses | None = None,
    inputs: ds.Spikes | None = None,
    *,
    n_steps: int,
    record: Any = "soma",
    method: str = "backward_euler",
    dt: float = DT,
    **options: Any,
) -> tuple[Floats, Floats]:
    """Voltages in NEURON, (n_steps + 1, n), and the times at which the soma of the first cell rises through 0 mV."""
    with ds.exchange.to_neuron(compartments, synapses, inputs, **options) as model:
        soma = model.segment(0)
        detector, found = model.h.NetCon(soma._ref_v, None, sec=soma.sec), model.h.Vector()
        detector.threshold = 0.0
        detector.record(found)
        _, voltage = model.simulate(dt=dt, duration=n_steps * dt, record=record, method=method)
        times = np.array(found)
        del detector, soma
    return voltage, times


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("course", [ds.Exponential(2.0), ds.DifferenceOfExponentials(0.5, 5.0)], ids=["exp", "exp2"])
def test_hundred_synapses(neuron: Any, method: str, course: Any) -> None:
    compartments = cell().compartments(PASSIVE, max_length=MAX_LENGTH)
    synapses = ds.Synapses.scatter(compartments, 80, 20, seed=3)
    rng = np.random.default_rng(4)
    ticks = rng.integers(0, 1500, 300) + rng.uniform(-0.4, 0.4, 300)  # never half way between two steps
    spikes = ds.Spikes(np.abs(ticks) * DT, rng.integers(0, 100, 300), n_inputs=100)
    options: dict[str, Any] = {
        "method": method, "kinetics": course, "record": [0, compartments.size // 3, compartments.size - 1],
        "clamps": ds.Clamp(0, 100.0, start=10 * DT, stop=210 * DT),
    }  # fmt: skip
    theirs, _ = in_neuron(compartments, synapses, spikes, n_steps=1600, **options)
    trace = ds.simulate(compartments, synapses, spikes, dt=DT, duration=1600 * DT, **options)
    assert np.ptp(trace.voltage) > 3.0
    np.testing.assert_allclose(trace.voltage[0], theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_alpha_synapses(neuron: Any, method: str) -> None:
    """NEURON cuts the time course off at ten time constants: not reached here."""
    compartments = cell().compartments(PASSIVE, max_length=MAX_LENGTH)
    synapses = ds.Synapses.scatter(compartments, 5, 5, seed=3)
    onsets = ds.Spikes(np.random.default_rng(0).uniform(0, 10.0, 10), np.arange(10))
    options: dict[str, Any] = {"method": method, "kinetics": ds.Alpha(2.5)}
    theirs, _ = in_neuron(compartments, synapses, onsets, n_steps=1000, **options)
    trace = ds.simulate(compartments, synapses, onsets, dt=DT, duration=1000 * DT, arrival="middle", **options)
    np.testing.assert_allclose(trace.voltage[0], theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_hodgkin_huxley_soma(neuron: Any, method: str) -> None:
    """Spike times, and the whole trajectory: gates without NEURON's tables."""
    morphology = on_single_precision_grid(ds.Morphology.load("ball_and_stick"))
    compartments = morphology.compartments(PASSIVE, max_length=MAX_LENGTH)
    options: dict[str, Any] = {
        "method": method, "mechanisms": ds.HodgkinHuxley(), "clamps": ds.Clamp(0, 500.0, start=1.0)
    }  # fmt: skip
    theirs, expected = in_neuron(compartments, n_steps=3200, **options)
    trace = ds.simulate(compartments, dt=DT, duration=80.0, **options)
    assert expected.size >= 6
    np.testing.assert_allclose(trace.spike_time, expected, rtol=0, atol=DT * 1.001)
    np.testing.assert_allclose(trace.voltage[0], theirs, rtol=0, atol=1e-6)
