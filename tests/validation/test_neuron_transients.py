"""Transients against NEURON on the same compartments, and spikes of a Hodgkin-Huxley soma."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dendrosim as ds

from .test_neuron import on_single_precision_grid

DT = 0.025
MAX_LENGTH = 40.0
PASSIVE = ds.Passive(R_m=15_000.0, R_a=180.0, E_leak=-68.0)


def cell() -> ds.Morphology:
    return on_single_precision_grid(ds.Morphology.load("pyramidal_l5"))


def play(other: Any, synapses: ds.Synapses, spikes: ds.Spikes, course: Any) -> list[Any]:
    """Synapses in NEURON, and the spikes of each, to be queued once the cell is initialised."""
    h = other.h
    kept = []
    for j in range(synapses.size):
        segment = other.place[int(synapses.compartment[j])]
        if isinstance(course, ds.Exponential):
            process = h.ExpSyn(segment)
            process.tau = course.tau
        else:
            process = h.Exp2Syn(segment)
            process.tau1, process.tau2 = course.rise, course.decay_time
        process.e = float(synapses.reversal[j])
        connection = h.NetCon(None, process)
        connection.weight[0] = 1e-3 * float(synapses.conductance[j])
        kept.append((process, connection, spikes.time[spikes.source == synapses.source[j]]))
    return kept


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
@pytest.mark.parametrize("course", [ds.Exponential(2.0), ds.DifferenceOfExponentials(0.5, 5.0)], ids=["exp", "exp2"])
def test_hundred_synapses(neuron_cell: Callable[..., Any], method: str, course: Any) -> None:
    morphology = cell()
    compartments = morphology.compartments(PASSIVE, max_length=MAX_LENGTH)
    synapses = ds.Synapses.scatter(compartments, 80, 20, seed=3)
    rng = np.random.default_rng(4)
    ticks = rng.integers(0, 1500, 300) + rng.uniform(-0.4, 0.4, 300)  # never half way between two steps
    spikes = ds.Spikes(np.abs(ticks) * DT, rng.integers(0, 100, 300), n_inputs=100)
    other = neuron_cell(morphology, compartments, PASSIVE, MAX_LENGTH)
    h = other.h
    kept = play(other, synapses, spikes, course)
    clamp = h.IClamp(other.place[0])
    clamp.delay, clamp.dur, clamp.amp = 10.0 * DT, 200 * DT, 0.1
    h.CVode().active(False)
    h.secondorder, h.dt = (2 if method == "crank_nicolson" else 0), DT
    at = [0, compartments.size // 3, compartments.size - 1]
    h.finitialize(PASSIVE.E_leak)
    for _, connection, times in kept:
        for t in times:
            connection.event(float(t))
    theirs = [[other.place[n].v for n in at]]
    for _ in range(1600):
        h.fadvance()
        theirs.append([other.place[n].v for n in at])
    trace = ds.simulate(
        compartments, synapses, spikes, dt=DT, duration=1600 * DT, method=method, kinetics=course, record=at,
        clamps=ds.Clamp(0, 100.0, start=10 * DT, stop=210 * DT),
    )  # fmt: skip
    del kept
    assert np.ptp(trace.voltage) > 3.0
    np.testing.assert_allclose(trace.voltage[0], theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
def test_alpha_synapses(neuron_cell: Callable[..., Any], method: str) -> None:
    """NEURON cuts the time course off at ten time constants: not reached here."""
    morphology = cell()
    compartments = morphology.compartments(PASSIVE, max_length=MAX_LENGTH)
    synapses = ds.Synapses.scatter(compartments, 5, 5, seed=3)
    onsets = np.random.default_rng(0).uniform(0, 10.0, 10)
    other = neuron_cell(morphology, compartments, PASSIVE, MAX_LENGTH)
    h = other.h
    kept = []
    for j, onset in enumerate(onsets):
        process = h.AlphaSynapse(other.place[int(synapses.compartment[j])])
        process.onset, process.tau, process.e = onset, 2.5, synapses.reversal[j]
        process.gmax = 1e-3 * synapses.conductance[j]
        kept.append(process)
    h.CVode().active(False)
    h.secondorder, h.dt = (2 if method == "crank_nicolson" else 0), DT
    h.finitialize(PASSIVE.E_leak)
    theirs = [other.soma.v]
    for _ in range(1000):
        h.fadvance()
        theirs.append(other.soma.v)
    trace = ds.simulate(
        compartments, synapses, ds.Spikes(onsets, np.arange(10)), dt=DT, duration=1000 * DT, method=method,
        kinetics=ds.Alpha(2.5), arrival="middle",
    )  # fmt: skip
    np.testing.assert_allclose(trace.voltage[0, :, 0], theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
def test_hodgkin_huxley_soma(neuron_cell: Callable[..., Any], method: str) -> None:
    """Spike times, and the whole trajectory: gates without NEURON's tables."""
    morphology = on_single_precision_grid(ds.Morphology.load("ball_and_stick"))
    compartments = morphology.compartments(PASSIVE, max_length=MAX_LENGTH)
    other = neuron_cell(morphology, compartments, PASSIVE, MAX_LENGTH)
    h = other.h
    other.soma.insert("hh")
    h.usetable_hh = 0
    h.celsius = 6.3
    clamp = h.IClamp(other.place[0])
    clamp.delay, clamp.dur, clamp.amp = 1.0, 1e9, 0.5
    detector, found = h.NetCon(other.soma(0.5)._ref_v, None, sec=other.soma), h.Vector()
    detector.threshold = 0.0
    detector.record(found)
    h.CVode().active(False)
    h.secondorder, h.dt = (2 if method == "crank_nicolson" else 0), DT
    h.finitialize(PASSIVE.E_leak)
    theirs = [other.soma.v]
    for _ in range(3200):
        h.fadvance()
        theirs.append(other.soma.v)
    expected = np.array(found)
    del detector, clamp
    other.soma.uninsert("hh")
    trace = ds.simulate(
        compartments, dt=DT, duration=80.0, method=method, mechanisms=ds.HodgkinHuxley(),
        clamps=ds.Clamp(0, 500.0, start=1.0),
    )  # fmt: skip
    assert expected.size >= 6
    np.testing.assert_allclose(trace.spike_time, expected, rtol=0, atol=DT * 1.001)
    np.testing.assert_allclose(trace.voltage[0, :, 0], theirs, rtol=0, atol=1e-6)
