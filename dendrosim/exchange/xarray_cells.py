"""Cells, their states, gradients and traces as parts of datasets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..biophysics.gradient import Gradient
from ..biophysics.steady import State
from ..biophysics.synapses import Synapses
from ..biophysics.time.adjoint import TrajectoryGradient
from ..biophysics.time.inputs import Spikes
from ..biophysics.time.trace import Trace
from ..errors import ParameterError
from ..morphology.compartments import Compartments
from ..networks.activity import Activity
from .sonata_reports import SonataReport
from .xarray_parts import Parts

_BOTH = ("stimulus", "compartment")


def _of_compartments(cells: Compartments) -> Parts:
    parts = Parts(physical=cells.physical, leak_reversal=cells.leak_reversal)
    parts.cells(cells)
    units = _units(cells)
    parts.add("parent", ("compartment",), cells.parent, "", "compartment that it hangs on; -1 at somas")
    parts.add("leak", ("compartment",), cells.leak, units["nS"], "leak conductance")
    parts.add("coupling", ("compartment",), cells.coupling, units["nS"], "conductance to the parent")
    parts.add("capacitance", ("compartment",), cells.capacitance, units["pF"], "capacitance")
    parts.add("area", ("compartment",), cells.area, units["um2"], "membrane without spines")
    parts.add("length", ("compartment",), cells.length, units["um"], "length")
    parts.add("axial_resistance", ("compartment",), cells.axial_resistance, units["MOhm"], "from end to end")
    return parts


def _of_synapses(synapses: Synapses) -> Parts:
    parts = Parts(n_inputs=synapses.n_inputs, n_compartments=synapses.n_compartments)
    _synapses(parts, synapses)
    # their units are those of the compartments, which synapses do not know
    parts.add("conductance", ("synapse",), synapses.conductance, "", "conductance at activity 1")
    parts.add("reversal", ("synapse",), synapses.reversal, "", "reversal potential")
    parts.add("driving_force", ("synapse",), synapses.driving_force, "", "fixed driving force of additive integration")
    return parts


def _synapses(parts: Parts, synapses: Synapses) -> None:
    """Coordinates of synapses."""
    parts.coordinate("synapse", "synapse", np.arange(synapses.size), long_name="number of the synapse")
    for name, values in (("compartment", synapses.compartment), ("input", synapses.source), ("sign", synapses.sign)):
        parts.coordinate(f"synapse_{name}", "synapse", values, long_name=f"{name} of the synapse")


def _of_state(state: State) -> Parts:
    cells, units = state.compartments, _units(state.compartments)
    parts = Parts(integration=state.integration, direction=state.direction, gated=state.gate is not None)
    parts.cells(cells)
    _stimuli(parts, len(state.solved))
    parts.add("voltage", _BOTH, state.solved, units["mV"], "voltage")
    if state.gate is not None:
        parts.add("activity", _BOTH, state.activity, "1", "what parents and the decoder receive")
    parts.add("input_resistance", _BOTH, state.input_resistance, units["GOhm"], "input resistance")
    parts.add("attenuation_to_soma", _BOTH, state.attenuation_to_soma, "1", "change of the soma per change here")
    if state.synapses is not None:
        _inputs(parts, state.x)
    return parts


def _of_gradient(gradient: Gradient) -> Parts:
    state, units = gradient.state, _units(gradient.state.compartments)
    parts = Parts(integration=state.integration, direction=state.direction)
    parts.cells(state.compartments)
    _stimuli(parts, len(gradient.current))
    parts.add("current", _BOTH, gradient.current, units["1/pA"], "derivative of the loss by a current")
    parts.add("credit", _BOTH, gradient.credit, units["1/mV"], "total derivative of the loss by the voltage")
    parts.add("coupling", ("compartment",), gradient.coupling, units["1/nS"], "derivative by the coupling, summed")
    parts.add("leak", ("compartment",), gradient.leak, units["1/nS"], "derivative by the leak, summed")
    if state.synapses is not None:
        _synapses(parts, state.synapses)
        parts.add("conductance", ("synapse",), gradient.conductance, units["1/nS"], "derivative, summed over stimuli")
        parts.coordinate("input", "input", np.arange(gradient.inputs.shape[1]), long_name="number of the input")
        parts.add("inputs", ("stimulus", "input"), gradient.inputs, "1", "derivative by presynaptic activity")
    return parts


def _of_trace(trace: Trace, cells: Compartments | None) -> Parts:
    parts = Parts(dt=trace.dt, dt_units="ms", method=trace.method, n_steps=trace.n_steps)
    _fits(trace.compartment, cells)
    units = _units(cells)
    parts.cells(cells, trace.compartment)
    _stimuli(parts, trace.voltage.shape[0])
    parts.coordinate("time", "time", trace.time, "ms", "time")
    parts.add("voltage", ("stimulus", "time", "compartment"), trace.voltage, units["mV"], "voltage")
    if trace.synapse.size:
        parts.coordinate("synapse", "synapse", trace.synapse, long_name="number of the synapse")
        conductance = ("stimulus", "time", "synapse")
        parts.add("conductance", conductance, trace.conductance, units["nS"], "open conductance, before any block")
    parts.add("spike_time", ("spike",), trace.spike_time, "ms", "end of the step in which it fired")
    parts.add("spike_compartment", ("spike",), trace.spike_compartment, "", "compartment that fired")
    parts.add("spike_stimulus", ("spike",), trace.spike_stimulus, "", "stimulus under which it fired")
    return parts


def _of_trajectory(gradient: TrajectoryGradient, cells: Compartments | None) -> Parts:
    trace = gradient.trace
    parts = Parts(dt=trace.dt, dt_units="ms", method=trace.method, n_steps=trace.n_steps)
    n = gradient.leak.size
    if cells is not None and cells.size != n:
        raise ParameterError(f"the gradient has {n} compartments and compartments= has {cells.size}; give its own")
    units = _units(cells)
    parts.cells(cells, np.arange(n))
    _stimuli(parts, len(gradient.initial))
    parts.coordinate("synapse", "synapse", np.arange(gradient.conductance.size), long_name="number of the synapse")
    parts.add(
        "conductance", ("synapse",), gradient.conductance, units["1/nS"], "derivative, summed over batch and time"
    )
    parts.add("coupling", ("compartment",), gradient.coupling, units["1/nS"], "derivative, summed over batch and time")
    parts.add("leak", ("compartment",), gradient.leak, units["1/nS"], "derivative, summed over batch and time")
    parts.add("initial", _BOTH, gradient.initial, units["1/mV"], "derivative by the voltage at time 0")
    if gradient.compartment.size:
        parts.coordinate("time", "time", trace.time, "ms", "time")
        parts.cells(cells, gradient.compartment, "recorded")
        recorded = ("stimulus", "time", "recorded")
        parts.add("current", recorded, gradient.current, units["1/pA"], "derivative by a current in the step before")
    if gradient.inputs is not None:
        parts.add("inputs", ("interval", "stimulus", "input"), gradient.inputs, "1", "derivative by activity")
    if gradient.spikes is not None:
        parts.add("spikes", ("input_spike",), gradient.spikes, "1", "derivative by the weight of a spike that came in")
    return parts


def _of_spikes(spikes: Spikes) -> Parts:
    parts = Parts(n_inputs=spikes.n_inputs, n_stimuli=spikes.n_stimuli)
    parts.add("time", ("spike",), spikes.time, "ms", "time")
    parts.add("input", ("spike",), spikes.source, "", "input that it arrives at")
    parts.add("stimulus", ("spike",), spikes.stimulus, "", "stimulus that it belongs to")
    parts.add("weight", ("spike",), spikes.weight, "1", "what it opens, in conductances of the synapse")
    return parts


def _of_activity(activity: Activity) -> Parts:
    layout, both = activity._layout, ("sample", "compartment")
    parts = Parts()
    parts.coordinate("sample", "sample", np.arange(activity.n_samples), long_name="number of the sample")
    parts.coordinate("compartment", "compartment", np.arange(layout.size), long_name="number of the compartment")
    parts.coordinate("cell", "compartment", layout.cell, long_name="number of the cell")
    parts.coordinate("stage", "compartment", layout.stage, long_name="number of branchings above")
    names = np.array([population.name for population in layout.populations])
    parts.coordinate("population", "compartment", names[layout.population[layout.cell]], long_name="population")
    for name, values, text in (
        ("voltage", activity.voltage, "voltage, 1 being the excitatory reversal potential"),
        ("activity", activity.output, "what parents and the decoder receive"),
        ("resistance", activity.resistance, "1 over the total conductance, in leaks"),
    ):
        parts.add(name, both, activity.batch_first(values), "1", text)
    parts.add("logits", ("sample", "output"), activity.logits, "1", "output of the decoder")
    return parts


def _of_report(report: SonataReport) -> Parts:
    parts = Parts(population=report.population)
    parts.coordinate("time", "time", report.time, "ms", "time")
    parts.coordinate("node", "element", report.node_id, long_name="node")
    parts.coordinate("section", "element", report.element_id, long_name="section; 0 is the soma")
    if report.element_position is not None:
        parts.coordinate("position", "element", report.element_position, "1", "place along the section")
    parts.add("data", ("time", "element"), report.data, report.units, "what was reported")
    return parts


def _stimuli(parts: Parts, n: int) -> None:
    parts.coordinate("stimulus", "stimulus", np.arange(n), long_name="number of the stimulus")


def _inputs(parts: Parts, x: Any) -> None:
    parts.coordinate("input", "input", np.arange(x.shape[1]), long_name="number of the input")
    parts.add("x", ("stimulus", "input"), x, "1", "presynaptic activity")


def _fits(which: Any, cells: Compartments | None) -> None:
    if cells is not None and which.size and which.max() >= cells.size:
        raise ParameterError(
            f"the trace was recorded at compartment {which.max()} and compartments= has {cells.size}; give those that "
            "it was simulated with"
        )


class _Same(dict[str, str]):
    """Units as they are called."""

    def __missing__(self, unit: str) -> str:
        return unit


class _None(dict[str, str]):
    """Units of normalised trees."""

    def __missing__(self, unit: str) -> str:
        return "1"


def _units(cells: Compartments | None) -> dict[str, str]:
    """Units by their physical names; plain numbers in normalised trees."""
    return _Same() if cells is None or cells.physical else _None()


CONVERTERS: dict[type, Callable[[Any], Parts]] = {
    Compartments: _of_compartments,
    Synapses: _of_synapses,
    State: _of_state,
    Gradient: _of_gradient,
    Spikes: _of_spikes,
    Activity: _of_activity,
    SonataReport: _of_report,
}
WITHOUT_CELLS: dict[type, Callable[[Any, Compartments | None], Parts]] = {
    Trace: _of_trace,
    TrajectoryGradient: _of_trajectory,
}
"""What knows compartments by number only."""
