"""How a synaptic potential attenuates on its way to the soma, against NEURON on the same compartments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics import event_shape

from .test_neuron_transients import DT, MAX_LENGTH, PASSIVE, cell, in_neuron


@pytest.mark.parametrize("region", ["basal", "apical"])
def test_one_distal_event(neuron: Any, region: str) -> None:
    compartments = cell().compartments(PASSIVE, max_length=MAX_LENGTH)
    within = np.flatnonzero(compartments.region == region)
    site = int(within[compartments.path_distance[within].argmax()])
    synapse = ds.Synapses(compartments, [site], sign=1, conductance=0.5)
    spikes, course = ds.Spikes([1.0], [0]), ds.DifferenceOfExponentials(0.2, 2.0)
    theirs, _ = in_neuron(compartments, synapse, spikes, n_steps=3200, kinetics=course, record=[site, 0])
    trace = ds.simulate(
        compartments, synapse, spikes, dt=DT, duration=3200 * DT, kinetics=course, record=[site, 0], threads=1
    )
    np.testing.assert_allclose(trace.voltage[0], theirs, rtol=0, atol=1e-10)
    shape, reached = event_shape(trace, start=1.0), theirs - PASSIVE.E_leak
    np.testing.assert_allclose(shape.peak[0], reached.max(axis=0), atol=1e-10)
    np.testing.assert_allclose(shape.time[0] + 1.0, DT * reached.argmax(axis=0), atol=1e-9)
    attenuation = shape.peak[0, 1] / shape.peak[0, 0]
    assert attenuation < 0.5 * ds.steady_state(compartments).attenuation_to_soma[0, site]
