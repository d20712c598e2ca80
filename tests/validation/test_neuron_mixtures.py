"""Against NEURON: mixtures of synapses and clamps on several cells, NMDA, and spikes of somas that synapses drive.

Measured with NEURON 9.0.2 in float64: mixtures 9e-13 mV; NMDA 3e-6 mV, where NEURON takes slopes of currents from a
difference of 0.001 mV; Hodgkin-Huxley somas 2e-11 mV, all spikes at the same step.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dendrosim as ds

from .test_neuron import on_single_precision_grid, quietly
from .test_neuron_transients import DT, MAX_LENGTH, METHODS, PASSIVE, in_neuron

NMDA = """
NEURON { POINT_PROCESS NmdaOfTests RANGE tau1, tau2, e, mg, i NONSPECIFIC_CURRENT i }
UNITS { (nA) = (nanoamp) (mV) = (millivolt) (uS) = (microsiemens) }
PARAMETER { tau1 = 2 (ms) tau2 = 65 (ms) e = 0 (mV) mg = 1 }
ASSIGNED { v (mV) i (nA) factor }
STATE { A (uS) B (uS) }
INITIAL {
    LOCAL tp
    A = 0  B = 0
    tp = (tau1 * tau2) / (tau2 - tau1) * log(tau2 / tau1)
    factor = 1 / (exp(-tp / tau2) - exp(-tp / tau1))
}
BREAKPOINT {
    SOLVE state METHOD cnexp
    i = (B - A) * (v - e) / (1 + mg / 3.57 * exp(-0.062 (/mV) * v))
}
DERIVATIVE state { A' = -A / tau1  B' = -B / tau2 }
NET_RECEIVE (weight (uS)) { A = A + weight * factor  B = B + weight * factor }
"""


def ticks(seed: int, n: int, n_inputs: int, until: float, dt: float = DT) -> ds.Spikes:
    """Spikes near steps, never half way between two."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(1, round(until / dt), n) + rng.uniform(-0.4, 0.4, n)
    return ds.Spikes(np.abs(steps) * dt, rng.integers(0, n_inputs, n), n_inputs=n_inputs)


SHIPPED = ("ball_and_stick", "basket", "ca1_pyramidal", "granule", "purkinje", "pyramidal_l5", "stellate")
REAL = ("C010398B-P2.CNG", "c91662", "Pvalb_470522102_m", "Scnn1a_473845048_m", "grc")


def load(name: str, request: pytest.FixtureRequest) -> ds.Morphology:
    """A shipped cell, or a reconstruction of the data folder."""
    if name in SHIPPED:
        return on_single_precision_grid(ds.Morphology.load(name))
    folder: Path = request.getfixturevalue("morphology_data")
    return on_single_precision_grid(quietly(lambda: ds.Morphology.load(folder / "real" / f"{name}.swc")))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SHIPPED + REAL)
def test_mixtures(neuron: Any, request: pytest.FixtureRequest, name: str, method: str) -> None:
    """Four time courses, a hundred synapses, two clamps."""
    morphology = load(name, request)
    compartments = morphology.compartments(PASSIVE, max_length=MAX_LENGTH)
    synapses = ds.Synapses.scatter(compartments, 80, 20, seed=3)
    kinds = [ds.Exponential(2.0), ds.Exponential(7.5), ds.DifferenceOfExponentials(0.5, 5.0),
             ds.DifferenceOfExponentials(1.0, 12.0)]  # fmt: skip
    courses = [kinds[j % 4] for j in range(synapses.size)]
    spikes = ticks(4, 300, synapses.n_inputs, 30.0)
    at = [0, compartments.size // 3, compartments.size - 1]
    clamps = [
        ds.Clamp(at[0], 100.0, start=10 * DT, stop=210 * DT),
        ds.Clamp(at[1], -20.0, start=333 * DT, stop=734 * DT),
    ]
    options: dict[str, Any] = {"method": method, "kinetics": courses, "record": at, "clamps": clamps}
    theirs, _ = in_neuron(compartments, synapses, spikes, n_steps=1600, **options)
    trace = ds.simulate(compartments, synapses, spikes, dt=DT, duration=1600 * DT, **options)
    assert np.ptp(trace.voltage) > 3.0
    np.testing.assert_allclose(trace.voltage[0], theirs, rtol=0, atol=1e-10)


@pytest.fixture(scope="module")
def nmda_in_neuron(tmp_path_factory: pytest.TempPathFactory) -> None:
    """NEURON with an NMDA synapse of its own language."""
    module = pytest.importorskip("neuron", reason='NEURON is not installed: pip install -e ".[validation]"')
    missing = [tool for tool in ("nrnivmodl", "make", "g++") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"NEURON compiles new mechanisms with {', '.join(missing)}, not found here")
    folder = tmp_path_factory.mktemp("nmda")
    (folder / "nmda.mod").write_text(NMDA)
    made = subprocess.run(["nrnivmodl"], cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"nrnivmodl failed here: {made.stderr.strip().splitlines()[-1:]}")
    (library,) = folder.glob("*/libnrnmech.*")
    module.h.nrn_load_dll(str(library))


def with_nmda(
    compartments: ds.Compartments, synapses: ds.Synapses, courses: list[Any], spikes: ds.Spikes, at: list[int],
    n_steps: int, method: str,
) -> np.ndarray:  # fmt: skip
    """Voltages at compartments, (n_steps + 1, len(at)), NMDA receptors by the module above."""
    blocked = np.array([isinstance(course, ds.NMDA) for course in courses])
    others = [course for course in courses if not isinstance(course, ds.NMDA)]
    with ds.exchange.to_neuron(compartments, synapses[~blocked], spikes, kinetics=others) as model:
        for j in np.flatnonzero(blocked).tolist():
            process = model.h.NmdaOfTests(model.segment(int(synapses.compartment[j])))
            process.tau1, process.tau2 = courses[j].rise, courses[j].decay_time
            process.mg, process.e = courses[j].magnesium, float(synapses.reversal[j])
            connection = model.h.NetCon(None, process)
            connection.weight[0] = 1e-3 * float(synapses.conductance[j])
            model.processes.of_synapse.append([process])
            times = spikes.time[spikes.source == synapses.source[j]].tolist()
            model.processes.events += [(connection, time) for time in times]
        return model.simulate(dt=DT, duration=n_steps * DT, record=at, method=method)[1]


@pytest.mark.parametrize("method", METHODS)
def test_nmda(neuron: Any, nmda_in_neuron: None, method: str) -> None:
    """A dendritic NMDA spike: the block sees voltages from -68 to beyond -40 mV. NEURON's slope is a difference."""
    morphology = on_single_precision_grid(ds.Morphology.load("pyramidal_l5"))
    compartments = morphology.compartments(PASSIVE, max_length=MAX_LENGTH)
    tip = compartments.size - 1
    at = np.array([tip, compartments.parent[tip]] * 10)
    synapses = ds.Synapses(compartments, at, sign=1, conductance=1.0)
    both = synapses.join(synapses, shared_inputs=True)
    courses: list[Any] = [ds.Exponential(2.0)] * 20 + [ds.NMDA(magnesium=1.3)] * 20
    spikes = ticks(1, 60, 20, 20.0)
    theirs = with_nmda(compartments, both, courses, spikes, [0, tip], 4000, method)
    trace = ds.simulate(
        compartments, both, spikes, dt=DT, duration=4000 * DT, method=method, kinetics=courses, record=[0, tip]
    )
    assert trace.voltage[0, :, 1].max() > -40.0
    np.testing.assert_allclose(trace.voltage[0], theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dt", [0.025, 0.0125])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["c91662", "Scnn1a_473845048_m", "stellate"])
def test_spikes_of_a_soma_that_synapses_drive(
    neuron: Any, request: pytest.FixtureRequest, name: str, method: str, dt: float
) -> None:
    """A Hodgkin-Huxley soma, a hundred synapses: every spike within one step."""
    morphology = load(name, request)
    compartments = morphology.compartments(PASSIVE, max_length=MAX_LENGTH)
    synapses = ds.Synapses.scatter(compartments, 80, 20, seed=3)
    synapses = synapses.with_(conductance=synapses.conductance * 3.0)
    rng = np.random.default_rng(5)
    volleys = rng.choice([10.0, 35.0, 60.0, 85.0], 400) + rng.uniform(0.0, 5.0, 400)
    steps = np.round(volleys / dt) + rng.uniform(-0.4, 0.4, 400)  # never half way between two
    spikes = ds.Spikes(steps * dt, rng.integers(0, 100, 400), n_inputs=100)
    n_steps = round(100.0 / dt)
    options: dict[str, Any] = {"method": method, "kinetics": ds.Exponential(2.0), "mechanisms": ds.HodgkinHuxley()}
    theirs, expected = in_neuron(compartments, synapses, spikes, n_steps=n_steps, dt=dt, **options)
    trace = ds.simulate(compartments, synapses, spikes, dt=dt, duration=100.0, **options)
    assert expected.size >= 4
    np.testing.assert_allclose(trace.spike_time, expected, rtol=0, atol=1.001 * dt)
    np.testing.assert_allclose(trace.voltage[0], theirs, rtol=0, atol=1e-9)
