"""The adaptive exponential integrate-and-fire soma against fine integrations and its published firing patterns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dendrosim as ds
from dendrosim.errors import ParameterError

METHODS = ("backward_euler", "crank_nicolson")
# Naud, Marcille, Clopath & Gerstner, Biol Cybern 99:335 (2008): C, g_L, E_L, V_T, Delta_T, a, tau_w, b, V_r, I
PATTERNS = {
    "tonic": (200, 10, -70, -50, 2, 2, 30, 0, -58, 500),
    "adapting": (200, 12, -70, -50, 2, 2, 300, 60, -58, 500),
    "initial burst": (130, 18, -58, -50, 2, 4, 150, 120, -50, 400),
    "regular bursting": (200, 10, -58, -50, 2, 2, 120, 100, -46, 210),
    "accelerating": (200, 12, -70, -50, 2, -10, 300, 0, -58, 300),
}


def soma(pattern: str) -> tuple[ds.Compartments, ds.ExponentialIntegrateAndFire, float]:
    c, g, rest, threshold, width, a, tau_w, b, reset, current = map(float, PATTERNS[pattern])
    mechanism = ds.ExponentialIntegrateAndFire(threshold, width, g, 0.0, reset, 0.0, a, b, tau_w)
    return ds.Compartments([-1], leak=g, capacitance=c, leak_reversal=rest), mechanism, current


def exact(pattern: str, duration: float, n_spikes: int) -> np.ndarray:
    """Spike times of the textbook equations, ms."""
    c, g, rest, threshold, width, a, tau_w, b, reset, current = map(float, PATTERNS[pattern])

    def change(t: float, y: np.ndarray) -> list[float]:
        onset = g * width * np.exp(min((y[0] - threshold) / width, 40.0))
        return [(-g * (y[0] - rest) + onset - y[1] + current) / c, (a * (y[0] - rest) - y[1]) / tau_w]

    def peak(t: float, y: np.ndarray) -> float:
        return float(y[0])

    peak.terminal = True  # type: ignore[attr-defined]
    t, y, times = 0.0, np.array([rest, 0.0]), []
    while t < duration and len(times) < n_spikes:
        done = solve_ivp(change, (t, duration), y, events=peak, rtol=1e-9, atol=1e-9)
        t, y = done.t[-1], done.y[:, -1]
        if done.status == 1:
            times.append(t)
            y = np.array([reset, y[1] + b])
    return np.array(times)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_intervals_of_published_patterns(pattern: str, method: str) -> None:
    """Every interval within 4 steps, whatever the step: spikes lie on steps, and each reset is half a step late."""
    cell, mechanism, current = soma(pattern)
    times = exact(pattern, 300.0, 8)
    for dt in (0.1, 0.025, 0.00625):
        trace = ds.simulate(
            cell, dt=dt, duration=300.0, method=method, mechanisms=mechanism, clamps=ds.Clamp(0, current)
        )
        found = trace.spike_time[: times.size]
        n = found.size
        assert n >= times.size - (times[-1] > 299.0)
        np.testing.assert_allclose(found[0], times[0], rtol=0, atol=2.0 * dt)
        np.testing.assert_allclose(np.diff(found), np.diff(times[:n]), rtol=0, atol=4 * dt)


def test_patterns_are_what_they_are_called() -> None:
    intervals = {}
    for pattern in PATTERNS:
        cell, mechanism, current = soma(pattern)
        trace = ds.simulate(cell, duration=500.0, mechanisms=mechanism, clamps=ds.Clamp(0, current))
        intervals[pattern] = np.diff(trace.spike_time)
    assert np.ptp(intervals["tonic"][-20:]) < 0.1
    assert all(b > a for a, b in pairwise(intervals["adapting"][:6]))
    assert intervals["adapting"][5] > 4 * intervals["adapting"][0]
    assert (intervals["initial burst"][:2] < 10).all()
    assert (intervals["initial burst"][2:] > 40).all()
    late = intervals["regular bursting"]
    assert ((late < 10) | (late > 100)).all()
    assert 0.2 < (late[1:] > 100).mean() < 0.8
    assert all(b < a + 0.05 for a, b in pairwise(intervals["accelerating"]))


@pytest.mark.parametrize(("method", "expected"), [("backward_euler", 1.0), ("crank_nicolson", 2.0)])
def test_order_below_the_onset(method: str, expected: float) -> None:
    cell, mechanism, _ = soma("adapting")
    c, g, rest, threshold, width, a, tau_w = map(float, PATTERNS["adapting"][:7])

    def change(t: float, y: np.ndarray) -> list[float]:
        onset = g * width * np.exp((y[0] - threshold) / width)
        return [(-g * (y[0] - rest) + onset - y[1] + 230.0) / c, (a * (y[0] - rest) - y[1]) / tau_w]

    fine = solve_ivp(change, (0, 51.2), [rest, 0.0], rtol=1e-12, atol=1e-12, method="DOP853").y[0, -1]
    assert fine > -54.0  # the exponential current is a fifth of the leak's
    errors = [
        abs(
            ds.simulate(
                cell, dt=dt, duration=51.2, method=method, mechanisms=mechanism, clamps=ds.Clamp(0, 230.0)
            ).voltage[0, -1, 0]
            - fine
        )
        for dt in (0.4, 0.2, 0.1)
    ]
    order = float(np.polyfit(-np.arange(3), np.log2(errors), 1)[0])
    assert abs(order - expected) < 0.2, (order, errors)


@pytest.mark.parametrize("method", METHODS)
def test_stable_and_cut_off_in_a_cell(method: str) -> None:
    """Dendrites, a batch, float32, great steps: no voltage beyond the peak at the soma, and dendrites follow."""
    cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=40.0)
    mechanism = ds.ExponentialIntegrateAndFire(peak=0.0, refractory=1.0, coupling=0.0)
    for dtype in ("float64", "float32"):
        trace = ds.simulate(
            cell, dt=0.1, duration=100.0, method=method, mechanisms=mechanism, record="all", dtype=dtype,
            clamps=ds.Clamp(0, np.linspace(300.0, 3000.0, 4)),
        )  # fmt: skip
        counts = np.bincount(trace.spike_stimulus, minlength=4)
        assert (np.diff(counts) >= 0).all()
        assert counts[-1] > 5
        assert trace.voltage[:, :, 0].max() < 0.0
        assert np.abs(trace.voltage).max() < 200.0
        for time in trace.spike_time[trace.spike_stimulus == 3]:
            step = round(time / 0.1)
            np.testing.assert_allclose(trace.voltage[3, step : step + 11, 0], -70.6, atol=1e-4)


def test_messages() -> None:
    with pytest.raises(ParameterError, match=r"peak=-60 mV must be above reset=-70.6"):
        ds.ExponentialIntegrateAndFire(peak=-60.0)
    with pytest.raises(ParameterError, match="width=0"):
        ds.ExponentialIntegrateAndFire(width=0.0)
