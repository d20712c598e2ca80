"""How a synaptic potential attenuates on its way to the soma, against NEURON on the same compartments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics import event_shape

from .test_neuron_transients import DT, MAX_LENGTH, PASSIVE, cell, play


@pytest.mark.parametrize("region", ["basal", "apical"])
def test_one_distal_event(neuron_cell: Callable[..., Any], region: str) -> None:
    morphology = cell()
    compartments = morphology.compartments(PASSIVE, max_length=MAX_LENGTH)
    within = np.flatnonzero(compartments.region == region)
    site = int(within[compartments.path_distance[within].argmax()])
    synapse = ds.Synapses(compartments, [site], sign=1, conductance=0.5)
    spikes, course = ds.Spikes([1.0], [0]), ds.DifferenceOfExponentials(0.2, 2.0)
    other = neuron_cell(morphology, compartments, PASSIVE, MAX_LENGTH)
    h = other.h
    kept = play(other, synapse, spikes, course)
    h.CVode().active(False)
    h.secondorder, h.dt = 0, DT
    h.finitialize(PASSIVE.E_leak)
    kept[0][1].event(1.0)
    theirs = [[PASSIVE.E_leak] * 2]
    for _ in range(3200):
        h.fadvance()
        theirs.append([other.place[n].v for n in (site, 0)])
    trace = ds.simulate(
        compartments, synapse, spikes, dt=DT, duration=3200 * DT, kinetics=course, record=[site, 0], threads=1
    )
    del kept
    np.testing.assert_allclose(trace.voltage[0], theirs, rtol=0, atol=1e-10)
    shape, reached = event_shape(trace, start=1.0), np.array(theirs) - PASSIVE.E_leak
    np.testing.assert_allclose(shape.peak[0], reached.max(axis=0), atol=1e-10)
    np.testing.assert_allclose(shape.time[0] + 1.0, DT * reached.argmax(axis=0), atol=1e-9)
    attenuation = shape.peak[0, 1] / shape.peak[0, 0]
    assert attenuation < 0.5 * ds.steady_state(compartments).attenuation_to_soma[0, site]
