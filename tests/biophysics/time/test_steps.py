"""Steps against dense linear algebra, step by step; one time course, method, width and precision after another."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds

DT = 0.05
STEPS = 120


def tree(seed: int = 0, n: int = 30) -> ds.Compartments:
    rng = np.random.default_rng(seed)
    parent = np.array([-1, *(int(rng.integers(max(0, i - 4), i)) for i in range(1, n))])
    return ds.Compartments(
        parent,
        leak=rng.uniform(0.5, 2.0, n),
        coupling=rng.uniform(5.0, 50.0, n),
        capacitance=rng.uniform(5.0, 30.0, n),
        leak_reversal=-65.0,
    )


def matrix(cell: ds.Compartments, direction: str) -> np.ndarray:
    """Conductances of the tree without synapses and capacitances, (N, N)."""
    a = np.diag(cell.leak)
    for c in range(cell.size):
        p = cell.parent[c]
        if p >= 0:
            a[p, p] += cell.coupling[c]
            a[p, c] -= cell.coupling[c]
            if direction == "reciprocal":
                a[c, c] += cell.coupling[c]
                a[c, p] -= cell.coupling[c]
    return a


def fractions(kind: str, times: np.ndarray) -> np.ndarray:
    """Open fraction at the beginning of every step: textbook time courses, from the steps that spikes round to."""
    out = np.zeros(STEPS)
    for onset in np.round(times / DT) * DT:
        s = np.arange(STEPS) * DT - onset
        on = s > -1e-9
        s = np.where(on, s, 0.0)
        if kind == "exponential":
            value = np.exp(-s / 2.0)
        elif kind == "alpha":
            value = s / 1.5 * np.exp(1 - s / 1.5)
        else:
            peak = 0.4 * 3.0 / 2.6 * np.log(3.0 / 0.4)
            value = (np.exp(-s / 3.0) - np.exp(-s / 0.4)) / (np.exp(-peak / 3.0) - np.exp(-peak / 0.4))
        out += np.where(on, value, 0.0)
    return out


COURSES = {
    "exponential": ds.Exponential(2.0),
    "alpha": ds.Alpha(1.5),
    "difference": ds.DifferenceOfExponentials(0.4, 3.0),
}


@pytest.mark.parametrize("kind", COURSES)
@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
@pytest.mark.parametrize("direction", ["reciprocal", "directed"])
@pytest.mark.parametrize("n_stimuli", [1, 5])
def test_against_dense_steps(kind: str, method: str, direction: str, n_stimuli: int) -> None:
    cell = tree()
    rng = np.random.default_rng(1)
    at, sign = np.array([3, 3, 9, 17, 29]), np.array([1, -1, 1, 1, -1])
    synapses = ds.Synapses(cell, at, sign=sign, conductance=rng.uniform(0.5, 4.0, 5))
    trains = [[np.sort(rng.uniform(0, STEPS * DT, 4)) for _ in range(5)] for _ in range(n_stimuli)]
    clamp = ds.Clamp(12, np.linspace(10, 30, n_stimuli), start=1.0, stop=3.0)
    trace = ds.simulate(
        cell, synapses, ds.Spikes.from_trains(trains), dt=DT, duration=STEPS * DT, method=method, direction=direction,
        kinetics=COURSES[kind], record="all", record_synapses="all", clamps=clamp,
    )  # fmt: skip
    half = 0.5 if method == "crank_nicolson" else 1.0
    for b in range(n_stimuli):
        q = np.array([fractions(kind, times) for times in trains[b]])
        np.testing.assert_allclose(trace.conductance[b, 1:].T, q * synapses.conductance[:, None], atol=1e-12)
        v = np.full(cell.size, -65.0)
        for n in range(STEPS):
            system = matrix(cell, direction) + np.diag(cell.capacitance / (half * DT))
            right = cell.leak * -65.0 + cell.capacitance / (half * DT) * v
            np.add.at(system, (at, at), synapses.conductance * q[:, n])
            np.add.at(right, at, synapses.conductance * q[:, n] * synapses.reversal)
            if 1.0 <= (n + 0.5) * DT < 3.0:
                right[12] += np.linspace(10, 30, n_stimuli)[b]
            solved = np.linalg.solve(system, right)
            v = v + (solved - v) / half
            np.testing.assert_allclose(trace.voltage[b, n + 1], v, rtol=0, atol=2e-11)


def test_additive_synapses_are_currents() -> None:
    cell = tree()
    synapses = ds.Synapses(cell, [3, 20], sign=[1, -1], conductance=2.0)
    one, two = (
        ds.simulate(cell, synapses, ds.Spikes([1.0, 2.0], [0, 1], weight=w), duration=10.0, integration="additive")
        for w in (1.0, 2.0)
    )
    np.testing.assert_allclose(two.voltage + 65.0, 2 * (one.voltage + 65.0), atol=1e-11)
    assert np.abs(one.voltage + 65.0).max() > 0.1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("integration", ["shunting", "additive"])
@pytest.mark.parametrize("kind", ["exponential", "alpha", "difference", "instantaneous"])
def test_constant_activity_ends_in_the_steady_state(dtype: str, integration: str, kind: str) -> None:
    cell = tree(2)
    synapses = ds.Synapses.scatter(cell, 8, 4, n_inputs=6, seed=0, regions="dendrite")
    x = np.random.default_rng(3).random((3, 6)).astype(dtype)
    current = np.zeros(cell.size)
    current[4] = 20.0
    trace = ds.simulate(
        cell, synapses, x, dt=0.1, duration=500.0, kinetics=kind, integration=integration, current=current, dtype=dtype,
        record="all", every=5000, method="crank_nicolson",
    )  # fmt: skip
    state = ds.steady_state(cell, synapses, x, integration=integration, current=current, dtype=dtype)
    np.testing.assert_allclose(trace.voltage[:, -1], state.voltage, rtol=0, atol=1e-12 if dtype == "float64" else 5e-4)


@pytest.mark.parametrize("direction", ["reciprocal", "directed"])
def test_the_steady_state_stays(direction: str) -> None:
    cell = tree(2)
    synapses = ds.Synapses.scatter(cell, 8, 4, n_inputs=6, seed=0, regions="dendrite")
    x = np.random.default_rng(3).random((2, 6))
    trace = ds.simulate(cell, synapses, x, duration=5.0, initial="steady", record="all", direction=direction)
    np.testing.assert_allclose(trace.voltage, trace.voltage[:, :1].repeat(trace.time.size, 1), rtol=0, atol=1e-11)
    assert np.ptp(trace.voltage) > 1.0


def test_gated_directed_trees_reach_their_steady_state() -> None:
    cell = ds.Compartments.branching([3, 2])
    synapses = ds.Synapses(cell, np.arange(1, cell.size), sign=1, conductance=1.0)
    x = np.random.default_rng(0).random((2, synapses.n_inputs))
    gate = ds.Gate(4.0, 0.4)
    trace = ds.simulate(
        cell, synapses, x, dt=0.05, duration=100.0, direction="directed", gate=gate, record="all", every=2000
    )
    state = ds.steady_state(cell, synapses, x, direction="directed", gate=gate)
    np.testing.assert_allclose(trace.voltage[:, -1], state.voltage, rtol=0, atol=1e-13)


@pytest.mark.parametrize("n_stimuli", [1, 9])
def test_going_on_is_the_same_bit_for_bit(n_stimuli: int) -> None:
    cell = tree(5)
    synapses = ds.Synapses.scatter(cell, 6, 3, seed=1, regions="dendrite")
    spikes = ds.Spikes.poisson(np.full((n_stimuli, 9), 200.0), 20.0, seed=2)
    late = spikes.time >= 10.0
    parts = [
        ds.Spikes(t, spikes.source[m], spikes.stimulus[m], n_inputs=9, n_stimuli=n_stimuli)
        for m, t in ((~late, spikes.time[~late]), (late, spikes.time[late] - 10.0))
    ]
    options = {"dt": 0.0625, "record": "all", "kinetics": ("alpha", "difference")}
    whole = ds.simulate(cell, synapses, spikes, duration=20.0, **options)
    first = ds.simulate(cell, synapses, parts[0], duration=10.0, **options)
    second = ds.simulate(cell, synapses, parts[1], duration=10.0, initial=first.final, **options)
    np.testing.assert_array_equal(whole.voltage[:, :161], first.voltage)
    np.testing.assert_array_equal(whole.voltage[:, 160:], second.voltage)


def test_threads_change_nothing() -> None:
    cell = tree(5)
    synapses = ds.Synapses.scatter(cell, 6, 3, seed=1, regions="dendrite")
    spikes = ds.Spikes.poisson(np.full((20, 9), 200.0), 10.0, seed=2)
    one, two = (ds.simulate(cell, synapses, spikes, duration=10.0, threads=k).voltage for k in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_every_records_what_was_solved() -> None:
    cell = tree(5)
    synapses = ds.Synapses.scatter(cell, 6, 3, seed=1, regions="dendrite")
    spikes = ds.Spikes.poisson(np.full(9, 200.0), 10.0, seed=2)
    full, thin = (ds.simulate(cell, synapses, spikes, duration=10.0, every=k, record=[0, 7]) for k in (1, 7))
    np.testing.assert_array_equal(full.voltage[:, ::7], thin.voltage)
    np.testing.assert_array_equal(full.time[::7], thin.time)
