"""Channels and spiking somas against textbook formulas and independent integrations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import dendrosim as ds

SOMA = ds.Compartments([-1], leak=10.0, capacitance=200.0, leak_reversal=-70.0)


def rate(current: float, refractory: float) -> float:
    """Interval between spikes of a leaky integrator, ms: tau ln((I R - reset) / (I R - threshold)) + refractory."""
    drive = current / 10.0
    return 20.0 * np.log((drive - 5.0) / (drive - 20.0)) + refractory


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
@pytest.mark.parametrize(("dtype", "n_stimuli"), [("float64", 1), ("float64", 4), ("float32", 4)])
def test_leaky_integrators_fire_as_often_as_they_must(dtype: str, method: str, n_stimuli: int) -> None:
    currents = np.linspace(300.0, 500.0, n_stimuli)
    trace = ds.simulate(
        SOMA, dt=0.01, duration=300.0, method=method, mechanisms=ds.IntegrateAndFire(-50.0, -65.0, 3.0), dtype=dtype,
        clamps=ds.Clamp(0, currents),
    )  # fmt: skip
    for b, current in enumerate(currents):
        times = trace.spike_time[trace.spike_stimulus == b]
        np.testing.assert_allclose(np.diff(times), rate(current, 3.0), atol=0.03)
        np.testing.assert_allclose(times[0], 20.0 * np.log(current / (current - 200.0)), atol=0.03)
        after = trace.voltage[b, np.round(times[0] / 0.01).astype(int) :][:300, 0]
        np.testing.assert_array_equal(after, after[0])
        np.testing.assert_allclose(after[0], -65.0, rtol=1e-6)


def test_a_held_soma_takes_what_its_dendrite_sends() -> None:
    """While refractory the soma stays, and the dendrite goes on as with a clamped end."""
    cell = ds.Compartments([-1, 0], leak=[10.0, 10.0], coupling=30.0, capacitance=100.0, leak_reversal=-70.0)
    trace = ds.simulate(
        cell, dt=0.01, duration=12.0, mechanisms=ds.IntegrateAndFire(refractory=20.0), record="all",
        clamps=ds.Clamp(0, 3000.0, stop=2.0),
    )  # fmt: skip
    first = round(trace.spike_time[0] / 0.01)
    v = trace.voltage[0]
    np.testing.assert_array_equal(v[first:, 0], v[first, 0])
    for n in (first, first + 1, first + 200):
        expected = (100.0 / 0.01 * v[n, 1] + 10.0 * -70.0 + 30.0 * -65.0) / (100.0 / 0.01 + 40.0)
        np.testing.assert_allclose(v[n + 1, 1], expected, rtol=1e-12)


def test_adaptation_lengthens_intervals_and_has_the_right_fixed_point() -> None:
    """Mean adaptation current: jump tau_w / interval plus coupling times mean voltage, in the steady regime."""
    mechanism = ds.AdaptiveIntegrateAndFire(-50.0, -65.0, 2.0, coupling=2.0, jump=40.0, tau_w=80.0)
    trace = ds.simulate(SOMA, dt=0.01, duration=1500.0, mechanisms=mechanism, clamps=ds.Clamp(0, 600.0))
    intervals = np.diff(trace.spike_time)
    assert intervals[0] < 0.7 * intervals[-1]
    np.testing.assert_allclose(intervals[-1], intervals[-3], atol=0.02)

    def change(t: float, y: np.ndarray) -> list[float]:
        return [(-10.0 * (y[0] + 70.0) - y[1] + 600.0) / 200.0, (2.0 * (y[0] + 70.0) - y[1]) / 80.0]

    def reached(t: float, y: np.ndarray) -> float:
        return float(y[0] + 50.0)

    reached.terminal = True  # type: ignore[attr-defined]
    t, y, times = 0.0, np.array([-70.0, 0.0]), []
    while len(times) < 12:
        done = solve_ivp(change, (t, t + 500.0), y, events=reached, rtol=1e-9, atol=1e-9)
        t, y = done.t[-1], done.y[:, -1]
        times.append(t)
        y = np.array([-65.0, y[1] + 40.0])
        rest = np.exp(-2.0 / 80.0)
        y[1] = y[1] * rest + 2.0 * 5.0 * (1 - rest)
        t += 2.0
    np.testing.assert_allclose(trace.spike_time[:12], times, atol=0.4)


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
def test_adapted_rate_in_closed_form(method: str) -> None:
    """Without coupling w is ``jump / (1 - exp(-T / tau_w))`` after every spike, and V a sum of two exponentials."""
    tau, tau_w, jump, hold = 20.0, 80.0, 40.0, 2.0
    mechanism = ds.AdaptiveIntegrateAndFire(-50.0, -65.0, hold, coupling=0.0, jump=jump, tau_w=tau_w)
    trace = ds.simulate(SOMA, dt=0.01, duration=1500.0, method=method, mechanisms=mechanism, clamps=ds.Clamp(0, 600.0))

    def beyond(interval: float) -> float:
        w = jump / (1 - np.exp(-interval / tau_w)) * np.exp(-hold / tau_w)
        t, aim = interval - hold, -70.0 + 600.0 / 10.0
        pulled = w / 10.0 * tau_w / (tau_w - tau) * (np.exp(-t / tau_w) - np.exp(-t / tau))
        return float(aim + (-65.0 - aim) * np.exp(-t / tau) - pulled + 50.0)

    interval = brentq(beyond, 3.0, 60.0)
    np.testing.assert_allclose(np.diff(trace.spike_time)[-20:].mean(), interval, rtol=0, atol=0.015)


@pytest.mark.parametrize("n_stimuli", [1, 3])
def test_hodgkin_huxley_against_a_fine_integration(n_stimuli: int) -> None:
    cell = ds.Compartments([-1], leak=1e-9, capacitance=10.0, leak_reversal=-65.0, area=1000.0)
    trace = ds.simulate(
        cell, dt=0.005, duration=30.0, method="crank_nicolson", mechanisms="hodgkin_huxley", n_stimuli=n_stimuli,
        clamps=ds.Clamp(0, 100.0),
    )  # fmt: skip

    def change(t: float, y: np.ndarray) -> list[float]:
        v, m, h, n = y
        am, bm = 0.1 * -(v + 40) / np.expm1(-(v + 40) / 10), 4 * np.exp(-(v + 65) / 18)
        ah, bh = 0.07 * np.exp(-(v + 65) / 20), 1 / (np.exp(-(v + 35) / 10) + 1)
        an, bn = 0.01 * -(v + 55) / np.expm1(-(v + 55) / 10), 0.125 * np.exp(-(v + 65) / 80)
        current = 1200 * m**3 * h * (50 - v) + 360 * n**4 * (-77 - v) + 3 * (-54.3 - v) + 100.0
        return [current / 10.0, am - (am + bm) * m, ah - (ah + bh) * h, an - (an + bn) * n]

    start = ds.HodgkinHuxley().initial(np.array([-65.0]))[:3, 0]
    exact = solve_ivp(change, (0, 30), [-65.0, *start], t_eval=trace.time, rtol=1e-9, atol=1e-9, method="LSODA").y[0]
    crossings = trace.time[1:][(exact[1:] >= 0) & (exact[:-1] < 0)]
    assert crossings.size >= 2
    for b in range(n_stimuli):
        np.testing.assert_allclose(trace.spike_time[trace.spike_stimulus == b], crossings, atol=0.02)
        assert np.abs(trace.voltage[b, :, 0] - exact).max() < 3.0  # upstrokes of 400 mV/ms, staggered by half a step


def test_a_leak_conductance_moves_the_steady_state() -> None:
    trace = ds.simulate(SOMA, dt=0.1, duration=800.0, mechanisms=ds.LeakConductance(10.0, -50.0), every=8000)
    np.testing.assert_allclose(trace.voltage[0, -1, 0], -60.0, rtol=1e-13)


def test_mechanisms_share_a_compartment_and_a_forest() -> None:
    forest = ds.Compartments.forest([SOMA, SOMA])
    trace = ds.simulate(
        forest, dt=0.01, duration=100.0, clamps=[ds.Clamp(0, 300.0), ds.Clamp(1, 500.0)],
        mechanisms=[ds.LeakConductance(1e-12, -50.0, at=[1]), ds.IntegrateAndFire(refractory=3.0)],
    )  # fmt: skip
    for n, current in ((0, 300.0), (1, 500.0)):
        times = trace.spike_time[trace.spike_compartment == n]
        np.testing.assert_allclose(np.diff(times), rate(current, 3.0), atol=0.03)
