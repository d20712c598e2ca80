"""Synapses, clamps and channels as NEURON has them built in; what it has not is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers, short
from ..biophysics.synapses import Synapses
from ..biophysics.time.connections import Connections
from ..biophysics.time.inputs import Clamp, Spikes
from ..biophysics.time.kinetics import Alpha, DifferenceOfExponentials, Exponential, Instantaneous, Kinetics
from ..biophysics.time.mechanisms import HodgkinHuxley, LeakConductance, Mechanism
from ..errors import ParameterError
from ..morphology.compartments import Compartments

Floats = NDArray[np.float64]

FOREVER = 1e30
"""ms."""
CUT = 10.0
"""NEURON ends an ``AlphaSynapse`` after so many of its time constants."""


@dataclass
class Processes:
    """Point processes and what belongs to them.

    Attributes
    ----------
    of_synapse : list of lists
        Point processes of each synapse: one, but for alpha synapses, which have one for every spike.
    inputs : list
        For every input a NetStim, silent until its ``number`` is set.
    connections : list
        NetCons.
    clamps : list
        IClamps.
    fixed : list of (ExpSyn, uS)
        Constant conductances, set whenever NEURON is initialised.
    events : list of (NetCon, ms)
        Spikes, queued whenever NEURON is initialised.
    temperature : list of float
        Of the channels, if there are any, C.
    """

    of_synapse: list[list[Any]] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    connections: list[Any] = field(default_factory=list)
    clamps: list[Any] = field(default_factory=list)
    fixed: list[tuple[Any, float]] = field(default_factory=list)
    events: list[tuple[Any, float]] = field(default_factory=list)
    temperature: list[float] = field(default_factory=list)

    def set_temperature(self, h: Any) -> None:
        """Give NEURON the temperature of these channels: it has one for everything."""
        for warm in self.temperature:
            h.celsius, h.usetable_hh = warm, 0

    def initialise(self) -> None:
        """What NEURON is told once it has initialised itself."""
        for process, conductance in self.fixed:
            process.g = conductance
        for connection, time in self.events:
            connection.event(time)

    def constant(self, h: Any, segment: Any, conductance: float, reversal: float) -> Any:
        """A conductance that stays as it is, nS and mV: an ExpSyn without decay."""
        process = h.ExpSyn(segment)
        process.tau, process.e = FOREVER, reversal
        self.fixed.append((process, 1e-3 * conductance))
        return process


def _exponential(h: Any, segment: Any, course: Any) -> Any:
    process = h.ExpSyn(segment)
    process.tau = course.tau
    return process


def _difference(h: Any, segment: Any, course: Any) -> Any:
    process = h.Exp2Syn(segment)
    process.tau1, process.tau2 = course.rise, course.decay_time
    return process


EVENT_DRIVEN: dict[type[Kinetics], Callable[[Any, Any, Any], Any]] = {
    Exponential: _exponential,
    DifferenceOfExponentials: _difference,
}
"""By the exact type: an `NMDA` synapse is a difference of exponentials and more."""


def add_constant_synapses(made: Processes, h: Any, segments: list[Any], synapses: Synapses, activity: Floats) -> None:
    """Synapses open as a constant activity says, shape (P,)."""
    for n, source, reversal, conductance in zip(
        synapses.compartment.tolist(), synapses.source.tolist(), synapses.reversal.tolist(),
        synapses.conductance.tolist(), strict=True,
    ):  # fmt: skip
        made.of_synapse.append([made.constant(h, segments[n], conductance * float(activity[source]), reversal)])


def add_event_synapses(
    made: Processes, h: Any, segments: list[Any], synapses: Synapses, courses: list[Kinetics], spikes: Spikes | None
) -> None:
    """Synapses that spikes open, each with its own time course.

    Raises
    ------
    ParameterError
        If NEURON has no such synapse.
    """
    for _ in range(synapses.n_inputs):
        source = h.NetStim()
        source.number = 0
        made.inputs.append(source)
    empty = np.empty(0)
    for j, course in enumerate(courses):
        segment, weight = segments[int(synapses.compartment[j])], 1e-3 * float(synapses.conductance[j])  # uS
        mine = None if spikes is None else spikes.source == synapses.source[j]
        times, weights = (empty, empty) if spikes is None else (spikes.time[mine], spikes.weight[mine])
        if type(course) is Alpha:
            made.of_synapse.append(_alphas(h, segment, course, times, weight * weights, float(synapses.reversal[j])))
            continue
        if type(course) not in EVENT_DRIVEN:
            raise ParameterError(
                f"synapse {j} has the time course {short(course)}, for which NEURON needs a compiled mod file; it has "
                "ds.Exponential (ExpSyn), ds.DifferenceOfExponentials (Exp2Syn) and ds.Alpha (AlphaSynapse) built in"
            )
        process = EVENT_DRIVEN[type(course)](h, segment, course)
        process.e = float(synapses.reversal[j])
        made.of_synapse.append([process])
        for each in np.unique(np.append(weights, 1.0)).tolist():
            connection = h.NetCon(made.inputs[int(synapses.source[j])], process, 0.0, 0.0, weight * each)
            made.connections.append(connection)
            made.events += [(connection, float(t)) for t in times[weights == each]]


def _alphas(h: Any, segment: Any, course: Alpha, times: Floats, weights: Floats, reversal: float) -> list[Any]:
    found = []
    for time, weight in zip(times.tolist(), weights.tolist(), strict=True):
        process = h.AlphaSynapse(segment)
        process.onset, process.tau, process.gmax, process.e = time, course.tau, weight, reversal
        found.append(process)
    return found


def add_connections(
    made: Processes, h: Any, segments: list[Any], compartments: Compartments, synapses: Synapses,
    connections: Connections, mechanisms: Sequence[Mechanism],
) -> None:  # fmt: skip
    """Spikes of somas that open synapses, by NetCons on the voltage of the soma.

    Raises
    ------
    ParameterError
        If a synapse is one that no event can open.
    """
    threshold = {
        int(n): m.threshold for m in mechanisms if isinstance(m, HodgkinHuxley) for n in m.places(compartments)
    }
    for cell, source, delay, weight in zip(
        connections.cell.tolist(), connections.input.tolist(), connections.delay.tolist(),
        connections.weight.tolist(), strict=True,
    ):  # fmt: skip
        root = int(compartments.roots[cell])
        soma = segments[root]
        for j in np.flatnonzero(synapses.source == source).tolist():
            processes = made.of_synapse[j]
            if len(processes) != 1 or "AlphaSynapse" in processes[0].hname():
                raise ParameterError(
                    f"synapse {j} is an AlphaSynapse in NEURON, which no NetCon can open: take ds.Exponential or "
                    "ds.DifferenceOfExponentials for what connections= drive"
                )
            connection = h.NetCon(soma._ref_v, processes[0], sec=soma.sec)
            connection.threshold, connection.delay = threshold[root], delay
            connection.weight[0] = 1e-3 * float(synapses.conductance[j]) * weight
            made.connections.append(connection)


def add_clamps(
    made: Processes, h: Any, segments: list[Any], clamps: Sequence[Clamp], current: ArrayLike | None, size: int
) -> None:
    """Current clamps, and constant currents, shape (N,).

    Raises
    ------
    ParameterError
        If one is of several stimuli.
    """
    if current is not None:
        table = numbers("current", current).astype(np.float64)
        if table.shape != (size,) or not np.isfinite(table).all():
            raise ParameterError(f"current has shape {table.shape}; expected ({size},), finite, pA: one stimulus")
        for n in np.flatnonzero(table).tolist():
            made.clamps.append(_clamp(h, segments[n], 0.0, FOREVER, float(table[n])))
    for i, clamp in enumerate(clamps):
        values = np.atleast_1d(clamp.amplitude)
        several = values.shape[-1] > 1 if clamp.interval is None or values.ndim == 2 else False
        if several:
            raise ParameterError(
                f"clamps[{i}] has amplitudes for {values.shape[-1]} stimuli; NEURON takes one at a time: give one"
            )
        segment, lasting = segments[clamp.compartment], clamp.stop - clamp.start
        if clamp.interval is None:
            made.clamps.append(_clamp(h, segment, clamp.start, min(lasting, FOREVER), float(values[0])))
            continue
        for k, amplitude in enumerate(values.reshape(-1).tolist()):
            rest = min(clamp.interval, lasting - k * clamp.interval)
            if rest > 0:
                made.clamps.append(_clamp(h, segment, clamp.start + k * clamp.interval, rest, amplitude))


def _clamp(h: Any, segment: Any, delay: float, lasting: float, amplitude: float) -> Any:
    process = h.IClamp(segment)
    process.delay, process.dur, process.amp = delay, lasting, 1e-3 * amplitude
    return process


def add_mechanisms(
    made: Processes, h: Any, segments: list[Any], compartments: Compartments, mechanisms: Sequence[Mechanism]
) -> None:
    """Channels of the membrane.

    Raises
    ------
    ParameterError
        If NEURON has no such channel, or two are at different temperatures.
    """
    warm = list({m.temperature for m in mechanisms if isinstance(m, HodgkinHuxley)})
    if len(warm) > 1:
        raise ParameterError(
            f"NEURON has one temperature for everything; these channels have {sorted(warm)} C: give all the same"
        )
    taken: set[int] = set()
    for i, mechanism in enumerate(mechanisms):
        places = mechanism.places(compartments).tolist()
        if type(mechanism) is LeakConductance:
            for n in places:
                made.constant(h, segments[n], mechanism.conductance, mechanism.reversal)
        elif type(mechanism) is HodgkinHuxley:
            if taken & set(places):
                raise ParameterError(f"mechanisms[{i}]: compartment {min(taken & set(places))} has hh already")
            taken |= set(places)
            for n in places:
                _huxley(segments[n], mechanism)
        else:
            raise ParameterError(
                f"mechanisms[{i}]={short(mechanism)} needs a compiled mod file in NEURON; ds.HodgkinHuxley (hh) and "
                "ds.LeakConductance are built in"
            )
    made.temperature += warm
    made.set_temperature(h)


def _huxley(segment: Any, channel: HodgkinHuxley) -> None:
    section = segment.sec
    if not section.has_membrane("hh"):
        section.insert("hh")
        for other in section:
            other.hh.gnabar = other.hh.gkbar = other.hh.gl = 0.0
    segment.hh.gnabar, segment.hh.gkbar, segment.hh.gl = channel.sodium, channel.potassium, channel.leak
    segment.hh.el, segment.ena, segment.ek = channel.E_leak, channel.E_sodium, channel.E_potassium


def activity_of(inputs: Any, synapses: Synapses) -> Floats:
    """Constant activity of one stimulus, shape (P,).

    Raises
    ------
    ParameterError
        If it is of another shape, or negative.
    """
    table = numbers("inputs", inputs).astype(np.float64)
    if table.shape not in ((synapses.n_inputs,), (1, synapses.n_inputs)):
        raise ParameterError(
            f"inputs has shape {table.shape}; expected ({synapses.n_inputs},): NEURON takes one stimulus at a time"
        )
    if not (np.isfinite(table) & (table >= 0)).all():
        raise ParameterError("inputs must be finite and not negative, activities as of ds.steady_state")
    return table.reshape(-1)


def constant_only(courses: Sequence[Kinetics]) -> None:
    """Check that synapses under constant activity have no time course.

    Raises
    ------
    ParameterError
        If one has.
    """
    wrong = next((course for course in courses if not isinstance(course, Instantaneous)), None)
    if wrong is not None:
        raise ParameterError(
            f"constant activity opens synapses of NEURON at once and for good, and kinetics has {short(wrong)}: leave "
            "kinetics= out, or give ds.Spikes"
        )
