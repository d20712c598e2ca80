"""Transients against cable theory, against fine references, and against conservation laws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dendrosim as ds


def stick(n: int) -> ds.Compartments:
    """A sealed cylinder of n compartments: length 1000 um, diameter 2 um, tau 20 ms."""
    length, radius = 1000.0 / n, 1.0
    area = 2 * np.pi * radius * length
    return ds.Compartments(
        np.arange(-1, n - 1),
        leak=area * 10.0 / 20_000.0,
        capacitance=area * 0.01,
        coupling=1e3 / (0.01 * 150.0 * length / (np.pi * radius**2)),
    )


def modes(v0: np.ndarray, t: float, tau: float, electrotonic: float, x: np.ndarray) -> np.ndarray:
    """Sealed cylinder: cosines decay with rates (1 + (k pi / L)^2) / tau (Rall, Biophys J 9:1483, 1969)."""
    k = np.arange(200)
    shapes = np.cos(np.pi * np.outer(k, x))
    weights = shapes @ v0 / (shapes**2).sum(axis=1)
    return (weights * np.exp(-t * (1 + (k * np.pi / electrotonic) ** 2) / tau)) @ shapes


def test_sealed_cylinder_against_its_eigenmodes() -> None:
    n = 400
    cell = stick(n)
    x = (np.arange(n) + 0.5) / n
    space = np.sqrt(1e-4 * 1.0 / 2 * 20_000.0 / 150.0) * 1e4 / 1000.0  # length constant in units of the stick
    start = 10.0 * np.exp(-(((x - 0.3) / 0.1) ** 2))
    trace = ds.simulate(cell, dt=0.005, duration=5.0, initial=start, method="crank_nicolson", record="all", every=200)
    for t, v in zip(trace.time[1:], trace.voltage[0, 1:], strict=True):
        exact = modes(start, t, 20.0, 1 / space, x)
        np.testing.assert_allclose(v, exact, rtol=0, atol=2e-4)


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
def test_every_eigenmode_of_equal_pieces_to_rounding(method: str) -> None:
    """Of n equal pieces cosines are eigenvectors, too; a step multiplies each by the method's own factor."""
    n, dt, steps = 40, 0.1, 200
    cell = stick(n)
    k = np.arange(n)
    x = (np.arange(n) + 0.5) / n
    rate = (cell.leak[0] + 4 * cell.coupling[1] * np.sin(np.pi * k / (2 * n)) ** 2) / cell.capacitance[0]
    factor = 1 / (1 + dt * rate) if method == "backward_euler" else (1 - dt * rate / 2) / (1 + dt * rate / 2)
    shapes = np.cos(np.pi * np.outer(k, x))
    start = 10.0 * np.exp(-(((x - 0.3) / 0.1) ** 2))
    weights = shapes @ start / (shapes**2).sum(axis=1)
    trace = ds.simulate(cell, dt=dt, duration=steps * dt, initial=start, method=method, record="all", every=20)
    for t, v in zip(trace.time, trace.voltage[0], strict=True):
        np.testing.assert_allclose(v, (weights * factor ** round(t / dt)) @ shapes, rtol=0, atol=1e-11)


def test_pieces_converge_to_the_cylinder_with_their_square() -> None:
    space = np.sqrt(1e-4 * 1.0 / 2 * 20_000.0 / 150.0) * 1e4 / 1000.0
    errors = []
    for n in (25, 50, 100):
        x = (np.arange(n) + 0.5) / n
        start = 5.0 + 5.0 * np.cos(np.pi * x) + 2.0 * np.cos(2 * np.pi * x)
        trace = ds.simulate(
            stick(n), dt=0.002, duration=2.0, initial=start, method="crank_nicolson", record="all", every=1000
        )
        rates = (1 + (np.arange(3) * np.pi * space) ** 2) / 20.0
        exact = np.exp(-2.0 * rates) * [5.0, 5.0, 2.0] @ np.cos(np.pi * np.outer(np.arange(3), x))
        errors.append(float(np.abs(trace.voltage[0, -1] - exact).max()))
    assert abs(order(errors) - 2) < 0.05, errors


def order(errors: list[float]) -> float:
    return float(np.polyfit(-np.arange(len(errors)), np.log2(errors), 1)[0])


@pytest.mark.parametrize(("method", "expected"), [("backward_euler", 1.0), ("crank_nicolson", 2.0)])
@pytest.mark.parametrize("arrival", ["exact"])
def test_order_of_convergence_with_synapses(method: str, expected: float, arrival: str) -> None:
    """Spikes between the steps, conductances of three kinds; the reference is scipy's, piece by piece."""
    cell = stick(6)
    synapses = ds.Synapses(cell, [1, 3, 5], sign=[1, 1, -1], reversal=[60.0, 60.0, -10.0], conductance=[3.0, 2.0, 4.0])
    onsets = [0.537, 1.231, 2.113]
    courses = [ds.Exponential(1.7), ds.Alpha(0.9), ds.DifferenceOfExponentials(0.5, 4.0)]

    def change(t: float, v: np.ndarray) -> np.ndarray:
        current = -cell.leak * v
        flow = cell.coupling[1:] * (v[1:] - v[:-1])
        current[1:] -= flow
        current[:-1] += flow
        for onset, course, n, g, e in zip(
            onsets, courses, synapses.compartment, synapses.conductance, synapses.reversal, strict=True
        ):
            if t >= onset:
                current[n] += g * float(course.states(np.array([t - onset]))[1][0]) * (e - v[n])
        return current / cell.capacitance

    v, borders = np.zeros(6), [0.0, *onsets, 6.4]
    for a, b in itertools.pairwise(borders):
        v = solve_ivp(change, (a, b - 1e-13), v, rtol=1e-11, atol=1e-12, method="DOP853").y[:, -1]
    errors = []
    for dt in (0.1, 0.05, 0.025, 0.0125):
        trace = ds.simulate(
            cell, synapses, ds.Spikes(onsets, [0, 1, 2]), dt=dt, duration=6.4, method=method, kinetics=courses,
            arrival=arrival, record="all",
        )  # fmt: skip
        errors.append(float(np.abs(trace.voltage[0, -1] - v).max()))
    assert abs(order(errors) - expected) < 0.15, errors


def test_nmda_against_a_fine_reference() -> None:
    cell = ds.Compartments([-1], leak=2.0, capacitance=40.0, leak_reversal=-70.0)
    synapse = ds.Synapses(cell, [0], sign=1, conductance=20.0)
    course = ds.NMDA(rise=2.0, decay_time=30.0, magnesium=1.3)

    def change(t: float, v: np.ndarray) -> np.ndarray:
        q = float(course.states(np.array([t]))[1][0])
        unblocked = 1 / (1 + 1.3 / 3.57 * np.exp(-0.062 * v))
        return (2.0 * (-70.0 - v) + 20.0 * q * unblocked * (0.0 - v)) / 40.0

    exact = solve_ivp(change, (0.0, 20.0), [-70.0], rtol=1e-11, atol=1e-12).y[0, -1]
    errors = {}
    for method in ("backward_euler", "crank_nicolson"):
        errors[method] = [
            abs(
                float(
                    ds.simulate(
                        cell, synapse, ds.Spikes([0.0], [0]), dt=dt, duration=20.0, kinetics=course, arrival="exact",
                        method=method,
                    ).voltage[0, -1, 0]
                )
                - exact
            )
            for dt in (0.2, 0.1, 0.05)
        ]  # fmt: skip
    assert exact > -60.0
    assert abs(order(errors["backward_euler"]) - 1) < 0.15
    assert abs(order(errors["crank_nicolson"]) - 2) < 0.2


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
def test_charge_balance(method: str) -> None:
    """What flows in through clamp and synapse is what leaks out and what stays on the membrane."""
    cell = stick(20)
    synapse = ds.Synapses(cell, [15], sign=1, reversal=60.0, conductance=2.0)
    dt = 0.05
    trace = ds.simulate(
        cell, synapse, ds.Spikes([1.0, 2.0], [0, 0]), dt=dt, duration=20.0, method=method, record="all",
        record_synapses="all", clamps=ds.Clamp(3, 50.0, start=0.0, stop=5.0),
    )  # fmt: skip
    v = trace.voltage[0]
    used = v[1:] if method == "backward_euler" else (v[1:] + v[:-1]) / 2
    flowed = dt * (trace.conductance[0, 1:, 0] * (60.0 - used[:, 15])).sum() + 50.0 * 5.0
    leaked = dt * (used * cell.leak).sum()
    np.testing.assert_allclose(flowed, leaked + (v[-1] * cell.capacitance).sum(), rtol=1e-12)


def test_exact_arrival_keeps_the_charge_of_a_conductance() -> None:
    cell = stick(3)
    synapse = ds.Synapses(cell, [1], sign=1, conductance=1.0)
    for course in (ds.Exponential(0.7), ds.Alpha(0.4), ds.DifferenceOfExponentials(0.2, 0.9)):
        trace = ds.simulate(
            cell, synapse, ds.Spikes([0.333], [0]), dt=0.1, duration=40.0, kinetics=course, arrival="exact",
            record_synapses="all",
        )  # fmt: skip
        np.testing.assert_allclose(0.1 * trace.conductance.sum(), course.area, rtol=1e-12)


def test_rates_open_synapses_by_rate_times_area() -> None:
    cell = stick(3)
    synapse = ds.Synapses(cell, [1], sign=1, conductance=1.0)
    course = ds.Alpha(1.5)
    rates = ds.Waveform(np.full((1, 1, 1), 80.0), 10.0, unit="Hz")
    trace = ds.simulate(cell, synapse, rates, dt=0.1, duration=100.0, kinetics=course, record_synapses="all")
    np.testing.assert_allclose(trace.conductance[0, -1, 0], 0.08 * 1.5 * np.e, rtol=1e-12)


def test_activity_that_changes_is_averaged_exactly() -> None:
    """The mean of a step, for a step function through an exponential."""
    cell = stick(3)
    synapse = ds.Synapses(cell, [1], sign=1, conductance=1.0)
    wave = ds.Waveform(np.array([0.0, 1.0, 0.25]).reshape(3, 1, 1), 2.0)
    trace = ds.simulate(cell, synapse, wave, dt=0.5, duration=10.0, kinetics=ds.Exponential(1.3), record_synapses="all")
    fine = np.arange(0, 10.0, 1e-4) + 5e-5
    up, down = 1 - np.exp(-(fine - 2) / 1.3), 1 - np.exp(-2 / 1.3)
    exact = np.where(fine < 2, 0, np.where(fine < 4, up, 0.25 + (down - 0.25) * np.exp(-(fine - 4) / 1.3)))
    np.testing.assert_allclose(trace.conductance[0, 1:, 0], exact.reshape(20, -1).mean(axis=1), atol=1e-8)
