"""`initial="steady"` with synapses that see the voltage and with channels: nothing may move."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

import dendrosim as ds
from dendrosim.errors import ParameterError

MECHANISMS = {
    "none": (),
    "leak": (ds.LeakConductance(5.0, -50.0, at="all"),),
    "hodgkin-huxley": (ds.HodgkinHuxley(), ds.LeakConductance(3.0, -80.0, at=[2, 9])),
    "adaptive": (ds.AdaptiveIntegrateAndFire(threshold=-10.0, reset=-70.0, coupling=3.0),),
    "exponential": (ds.ExponentialIntegrateAndFire(threshold=-40.0, leak=5.0),),
}


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
@pytest.mark.parametrize("active", MECHANISMS)
def test_nothing_moves(active: str, method: str) -> None:
    cell = ds.Morphology.load("basket").compartments(ds.Passive(), max_length=60.0)
    synapses = ds.Synapses.scatter(cell, 30, 10, seed=0)
    both = synapses.join(synapses, shared_inputs=True)
    courses = [ds.Exponential(2.0)] * synapses.size + [ds.NMDA() if s > 0 else ds.Alpha(3.0) for s in synapses.sign]
    x = np.random.default_rng(0).random((3, synapses.n_inputs)) * 0.1
    trace = ds.simulate(
        cell, both, x, dt=0.1, kinetics=courses, mechanisms=MECHANISMS[active], initial="steady", duration=300.0,
        record="all", every=100, method=method, current=np.linspace(0.0, 1.0, cell.size),
    )  # fmt: skip
    assert trace.spike_time.size == 0
    assert np.ptp(trace.voltage[:, 0]) > 0.5
    np.testing.assert_allclose(trace.voltage, trace.voltage[:, :1].repeat(trace.time.size, 1), rtol=0, atol=1e-9)


def test_a_point_with_nmda_rests_where_its_current_vanishes() -> None:
    point = ds.Compartments([-1], leak=2.0, capacitance=40.0, leak_reversal=-70.0)
    synapse = ds.Synapses(point, [0], sign=1, conductance=20.0)
    trace = ds.simulate(point, synapse, [[0.15], [1.0]], kinetics="nmda", initial="steady", duration=0.0)
    for x, v in zip((0.15, 1.0), trace.voltage[:, 0, 0], strict=True):

        def flow(u: float, x: float = x) -> float:
            return 2.0 * (-70.0 - u) + 20.0 * x / (1 + np.exp(-0.062 * u) / 3.57) * (0.0 - u)

        roots = [
            brentq(flow, a, b, xtol=1e-13)
            for a, b in zip(np.arange(-70, 0, 0.5), np.arange(-69.5, 0.5, 0.5), strict=True)
            if flow(a) * flow(b) < 0
        ]
        np.testing.assert_allclose(v, roots[0], rtol=0, atol=1e-10)  # the first of them from rest


def test_gates_are_at_their_steady_states() -> None:
    cell = ds.Compartments([-1], leak=1e-9, capacitance=10.0, leak_reversal=-65.0, area=1000.0)
    final = ds.simulate(cell, mechanisms="hodgkin_huxley", initial="steady", duration=0.0).final
    v = float(final.voltage[0, 0]) - 65.0
    settled = ds.simulate(cell, mechanisms="hodgkin_huxley", dt=0.1, duration=500.0, every=5000).voltage[0, -1, 0]
    np.testing.assert_allclose(v, settled, rtol=0, atol=1e-9)
    alpha, beta = 0.07 * np.exp(-(v + 65) / 20), 1 / (np.exp(-(v + 35) / 10) + 1)
    np.testing.assert_allclose(final.mechanism[0, 1], alpha / (alpha + beta), rtol=1e-13)


def test_without_channels_it_is_the_steady_state() -> None:
    """Newton's method and the direct solution, of the same cell."""
    cell = ds.Morphology.load("basket").compartments(ds.Passive(), max_length=60.0)
    synapses = ds.Synapses.scatter(cell, 30, 10, seed=0)
    x = np.random.default_rng(0).random((2, synapses.n_inputs))
    trace = ds.simulate(
        cell, synapses, x, initial="steady", duration=0.0, record="all", mechanisms=ds.LeakConductance(0.0, 0.0)
    )
    np.testing.assert_allclose(trace.voltage[:, 0], ds.steady_state(cell, synapses, x).voltage, rtol=0, atol=1e-11)


def test_what_fires_has_no_rest() -> None:
    cell = ds.Compartments([-1], leak=10.0, capacitance=200.0, leak_reversal=-70.0)
    with pytest.raises(ParameterError, match=r"compartment 0 would come to -30 mV in stimulus 1, .*integrate_and_fire"):
        ds.simulate(cell, mechanisms=ds.IntegrateAndFire(), initial="steady", clamps=ds.Clamp(0, [100.0, 400.0]))
    with pytest.raises(ParameterError, match="would come to 21 mV"):
        ds.simulate(
            cell, mechanisms=ds.ExponentialIntegrateAndFire(coupling=0.0), initial="steady", clamps=ds.Clamp(0, 900.0)
        )
    tree = ds.Compartments.branching([2])
    with pytest.raises(ParameterError, match="directed trees, without NMDA"):
        ds.simulate(
            tree, ds.Synapses(tree, [1], sign=1), [[0.2]], kinetics="nmda", direction="directed", initial="steady"
        )
