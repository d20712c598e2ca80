"""Firing rates of integrate-and-fire neurons against their closed form; what shunting inhibition does to them."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds

LEAK, CAPACITANCE, REST, THRESHOLD, RESET, REFRACTORY = 10.0, 200.0, -70.0, -50.0, -65.0, 2.0
POINT = ds.Compartments([-1], leak=LEAK, capacitance=CAPACITANCE, leak_reversal=REST)


def rates(
    currents: np.ndarray, shunt: float = 0.0, reversal: float = REST, length: float = 200.0, dt: float = 0.01
) -> np.ndarray:
    """Rates, Hz, from the intervals of regular firing."""
    trace = ds.simulate(
        POINT, mechanisms=[ds.IntegrateAndFire(THRESHOLD, RESET, REFRACTORY), ds.LeakConductance(shunt, reversal)],
        clamps=ds.Clamp(0, currents), duration=length, dt=dt, record="none", method="crank_nicolson",
    )  # fmt: skip
    out = np.zeros(currents.size)
    for i in range(currents.size):
        times = trace.spike_time[trace.spike_stimulus == i]
        if times.size > 2:
            out[i] = 1e3 * (times.size - 2) / (times[-1] - times[1])
    return out


def closed_form(currents: np.ndarray, shunt: float = 0.0, reversal: float = REST) -> np.ndarray:
    """1 / (t_ref + tau ln((V_inf - V_reset) / (V_inf - V_th))), Hz; 0 below threshold."""
    total = LEAK + shunt
    end = (LEAK * REST + shunt * reversal + currents) / total
    out = np.zeros(currents.size)
    fires = end > THRESHOLD
    interval = REFRACTORY + CAPACITANCE / total * np.log((end[fires] - RESET) / (end[fires] - THRESHOLD))
    out[fires] = 1e3 / interval
    return out


@pytest.mark.parametrize(("shunt", "reversal"), [(0.0, -70.0), (5.0, -70.0), (12.0, -80.0)])
def test_rates_against_the_closed_form(shunt: float, reversal: float) -> None:
    currents = np.linspace(100.0, 1200.0, 12)
    # a spike is reported at the end of its step: intervals are late by up to one step of 0.01 ms
    expected = closed_form(currents, shunt, reversal)
    found = rates(currents, shunt, reversal)
    np.testing.assert_array_equal(found > 0, expected > 0)
    fires = expected > 0
    late = 1e3 / found[fires] - 1e3 / expected[fires]
    assert (late > -1e-3).all()
    assert (late < 0.0101).all()


@pytest.mark.parametrize(("shunt", "reversal"), [(5.0, -70.0), (20.0, -70.0), (8.0, -80.0)])
def test_inhibition_moves_the_rheobase_by_what_it_draws_at_threshold(shunt: float, reversal: float) -> None:
    rheobase = LEAK * (THRESHOLD - REST)
    moved = rheobase + shunt * (THRESHOLD - reversal)
    fires = rates(np.array([rheobase - 1.0, rheobase + 1.0]), length=500.0) > 0
    np.testing.assert_array_equal(fires, [False, True])
    fires = rates(np.array([moved - 1.0, moved + 1.0]), shunt, reversal, length=500.0) > 0
    np.testing.assert_array_equal(fires, [False, True])


def test_at_high_rates_shunting_subtracts_what_it_draws_between_reset_and_threshold() -> None:
    """To first order in the interval f = (I - g_total (middle - rest)) / (C (V_th - V_reset)): the slope stays.

    Derived here from the closed form, without refractory time; Holt & Koch, Neural Computation 9:1001, 1997.
    """
    shunt, currents = 10.0, np.linspace(2000.0, 4000.0, 9)
    middle = 0.5 * (THRESHOLD + RESET)

    def interval_rate(rate: np.ndarray) -> np.ndarray:
        return 1.0 / (1e3 / rate - REFRACTORY)  # per ms, without the refractory time

    plain, shunted = (interval_rate(rates(currents, g, length=60.0, dt=0.004)) for g in (0.0, shunt))
    slope = np.polyfit(currents, plain, 1)[0]
    np.testing.assert_allclose(slope, 1.0 / (CAPACITANCE * (THRESHOLD - RESET)), rtol=0.02)
    np.testing.assert_allclose(np.polyfit(currents, shunted, 1)[0], slope, rtol=0.02)
    np.testing.assert_allclose((plain - shunted).mean() / slope, shunt * (middle - REST), rtol=0.05)


def test_the_voltage_below_threshold_is_divided() -> None:
    currents, shunt = np.linspace(0.0, 190.0, 5), 15.0
    plain, shunted = (
        ds.simulate(
            POINT, mechanisms=ds.LeakConductance(g, REST), clamps=ds.Clamp(0, currents), duration=400.0, dt=0.1
        ).voltage[:, -1, 0] - REST
        for g in (0.0, shunt)
    )  # fmt: skip
    np.testing.assert_allclose(shunted, plain * LEAK / (LEAK + shunt), rtol=1e-6)
