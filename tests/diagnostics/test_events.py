"""Shapes of events against closed forms and against steady states."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.biophysics.time.trace import Trace
from dendrosim.diagnostics import event_shape
from dendrosim.errors import ParameterError


def made(time: np.ndarray, voltage: np.ndarray) -> Trace:
    cell = ds.Compartments([-1], leak=1.0, capacitance=10.0)
    like = ds.simulate(cell, dt=1.0, duration=1.0)
    return dataclasses.replace(like, time=time, voltage=voltage, compartment=np.arange(voltage.shape[2]))


def test_alpha_functions_up_and_down() -> None:
    """Of (s / tau) exp(1 - s / tau): peak 1 at tau, area e tau, half-width 2.4464 tau (from Lambert's W)."""
    time, tau = np.arange(0.0, 120.0, 0.01), 3.0
    s = np.maximum(time - 10.0, 0.0)
    alpha = s / tau * np.exp(1.0 - s / tau)
    shape = event_shape(made(time, np.stack([-70.0 + 5.0 * alpha, -60.0 - 2.0 * alpha], axis=1)[None]), start=10.0)
    np.testing.assert_allclose(shape.baseline, [[-70.0, -60.0]])
    np.testing.assert_allclose(shape.peak, [[5.0, -2.0]], rtol=1e-5)
    np.testing.assert_allclose(shape.time, tau, atol=0.011)
    np.testing.assert_allclose(shape.half_width, 2.446386 * tau, rtol=1e-4)
    np.testing.assert_allclose(shape.area, [[5.0 * np.e * tau, -2.0 * np.e * tau]], rtol=1e-4)


def test_what_does_not_end_has_no_half_width() -> None:
    time = np.arange(0.0, 5.0, 0.1)
    shape = event_shape(made(time, np.stack([time, np.zeros_like(time)], axis=1)[None]))
    assert np.isnan(shape.half_width).all()
    np.testing.assert_array_equal(shape.peak, [[time[-1], 0.0]])


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
def test_areas_attenuate_like_steady_voltages(method: str) -> None:
    """Without time, events obey the equation of the steady state (Rinzel & Rall 1974)."""
    cell = ds.Morphology.load("granule").compartments(ds.Passive(R_m=5000.0), max_length=10.0)
    site = int(cell.path_distance.argmax())
    synapse = ds.Synapses(cell, [site], sign=1, conductance=0.5)
    trace = ds.simulate(
        cell,
        synapse,
        ds.Spikes([1.0], [0]),
        dt=0.1,
        duration=250.0,
        record="all",
        method=method,
        kinetics=ds.Alpha(0.7),
    )
    area = event_shape(trace, start=1.0).area[0]
    current = np.zeros(cell.size)
    current[site] = 1.0
    held = ds.steady_state(cell, current=current).voltage[0] - cell.leak_reversal
    np.testing.assert_allclose(area / area[site], held / held[site], rtol=1e-9)
    attenuation = ds.steady_state(cell).attenuation_to_soma[0, site]
    np.testing.assert_allclose(area[0] / area[site], attenuation, rtol=1e-9)


def test_no_time_after_the_start() -> None:
    trace = made(np.arange(3.0), np.zeros((1, 3, 1)))
    with pytest.raises(ParameterError, match=r"start=2 ms leaves no recorded time after it; .* ends at 2 ms"):
        event_shape(trace, start=2.0)
    with pytest.raises(ParameterError, match="start"):
        event_shape(trace, start=-1.0)
