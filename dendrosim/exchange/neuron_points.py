"""Synapses and clamps of NEURON as ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..biophysics.synapses import Synapses
from ..biophysics.time.connections import Connections
from ..biophysics.time.inputs import Clamp, Spikes
from ..biophysics.time.kinetics import Alpha, DifferenceOfExponentials, Exponential, Instantaneous, Kinetics
from ..errors import ParameterError
from ..morphology.compartments import Compartments
from .neuron_membrane import name_of
from .neuron_model import place_of
from .neuron_tree import Place

EXCITATORY = -40.0
"""mV. NEURON's synapses have no sign: those with a higher reversal potential are taken as excitatory."""
WITHOUT_DECAY = 1e9
"""ms. An ExpSyn that decays more slowly and has no NetCon is a constant conductance."""


NO_VOLTAGE = -2
"""What ``NetCon.preloc()`` says where a variable is watched that is no voltage."""


@dataclass
class Points:
    """Synapses, one for every NetCon, and clamps, as they are found; `sources` are what opens each input, and when."""

    compartment: list[int] = field(default_factory=list)
    source: list[int] = field(default_factory=list)
    conductance: list[float] = field(default_factory=list)
    reversal: list[float] = field(default_factory=list)
    kinetics: list[Kinetics] = field(default_factory=list)
    clamps: list[Clamp] = field(default_factory=list)
    onsets: list[tuple[float, int]] = field(default_factory=list)
    links: dict[tuple[int, float], int] = field(default_factory=dict)
    thresholds: dict[int, float] = field(default_factory=dict)
    sources: list[tuple[Any, float]] = field(default_factory=list)
    _inputs: dict[tuple[str, float], int] = field(default_factory=dict)

    def input(self, source: Any, delay: float = 0.0) -> int:
        """Number of a new input, and what opens it."""
        self.sources.append((source, delay))
        return len(self.sources) - 1

    def shared_input(self, source: Any, delay: float) -> int:
        """Number of the input that an artificial cell opens after that delay."""
        key = source.hname(), delay
        if key not in self._inputs:
            self._inputs[key] = self.input(source, delay)
        return self._inputs[key]

    def add(self, n: int, source: int, conductance: float, reversal: float, course: Kinetics) -> None:
        """One synapse; nS, mV."""
        for name, value in (
            ("compartment", n), ("source", source), ("conductance", conductance), ("reversal", reversal),
            ("kinetics", course),
        ):  # fmt: skip
            getattr(self, name).append(value)

    def synapses(self, compartments: Compartments) -> Synapses | None:
        """All of them, or None if there are none."""
        if not self.compartment:
            return None
        sign = np.where(np.array(self.reversal) > EXCITATORY, 1, -1)
        return Synapses(
            compartments, self.compartment, self.source, sign=sign, conductance=self.conductance,
            reversal=self.reversal, n_inputs=len(self.sources),
        )  # fmt: skip

    def spikes(self) -> Spikes | None:
        """Onsets of alpha synapses."""
        if not self.onsets:
            return None
        times, sources = zip(*self.onsets, strict=True)
        return Spikes(times, sources, n_inputs=len(self.sources))

    def connections(self) -> Connections | None:
        """From somas to inputs."""
        if not self.links:
            return None
        cells, delays = zip(*self.links, strict=True)
        return Connections(cells, list(self.links.values()), delay=delays)


def occupied(sections: Sequence[Any], ignore: set[str]) -> set[Place]:
    """Places where point processes are that are not left out."""
    return {
        place_of(segment)
        for section in sections
        for segment in section.allseg()
        if any(name_of(process) not in ignore for process in segment.point_processes())
    }


def read_points(
    h: Any, sections: Sequence[Any], node: dict[Place, int], somas: dict[int, int], ignore: set[str]
) -> Points:
    """Every synapse and clamp of these sections.

    Parameters
    ----------
    node : dict
        Compartment of every place.
    somas : dict of int to int
        Cell of every soma that has channels.

    Raises
    ------
    ParameterError
        If a synapse is driven by something that cannot be expressed, or has no conductance.
    """
    found = Points()
    seen: set[str] = set()  # the end of a section where others begin is an end of theirs
    for section in sections:
        for segment in section.allseg():
            for process in segment.point_processes():
                if name_of(process) in ignore or process.hname() in seen:
                    continue
                seen.add(process.hname())
                try:
                    _read(h, found, process, node[place_of(segment)], node, somas)
                except ParameterError as error:
                    raise ParameterError(f"{process.hname()} at {segment}: {error}") from error
    return found


def _read(h: Any, found: Points, process: Any, n: int, node: dict[Place, int], somas: dict[int, int]) -> None:
    """One point process, at compartment `n`."""
    name = name_of(process)
    if name == "IClamp":
        start, lasting = float(process.delay), max(0.0, float(process.dur))
        found.clamps.append(Clamp(n, 1e3 * float(process.amp), start=start, stop=start + lasting))
    elif name == "AlphaSynapse":
        if process.onset < 0:
            raise ParameterError(f"onset={process.onset:g} ms is before the beginning; set 0 or later")
        source = found.input(process)
        found.add(n, source, 1e3 * process.gmax, float(process.e), Alpha(float(process.tau)))
        found.onsets.append((float(process.onset), source))
    else:
        _event_driven(h, found, process, n, node, somas)


def _event_driven(h: Any, found: Points, process: Any, n: int, node: dict[Place, int], somas: dict[int, int]) -> None:
    """An ExpSyn or Exp2Syn: a synapse for every NetCon that opens it."""
    single = name_of(process) == "ExpSyn"
    connections = list(h.CVode().netconlist("", "", process))
    if not connections:
        if single and process.tau >= WITHOUT_DECAY and process.g > 0:
            found.add(n, found.input(None), 1e3 * float(process.g), float(process.e), Instantaneous())
            return
        raise ParameterError(
            "it has no NetCon, and its weight is what would be the conductance; connect it, or leave such synapses "
            f"out by ignore=({name_of(process)!r},)"
        )
    course = (
        Exponential(float(process.tau))
        if single
        else DifferenceOfExponentials(float(process.tau1), float(process.tau2))
    )
    for connection in connections:
        weight, delay = 1e3 * float(connection.weight[0]), float(connection.delay)
        if weight < 0:
            raise ParameterError(
                f"{connection.hname()} has the weight {weight / 1e3:g} uS; a conductance is not negative"
            )
        if not connection.active():
            raise ParameterError(f"{connection.hname()} is switched off; remove it, or active(True) switches it on")
        if connection.preloc() == NO_VOLTAGE:
            raise ParameterError(
                f"{connection.hname()} watches something that is no voltage; here somas fire by theirs"
            )
        source, segment = connection.pre(), connection.preseg()
        if segment is not None:
            own = _from_soma(found, connection, node.get(place_of(segment)), somas)
        else:
            own = found.input(None, delay) if source is None else found.shared_input(source, delay)
        found.add(n, own, weight, float(process.e), course)


def _from_soma(found: Points, connection: Any, n: int | None, somas: dict[int, int]) -> int:
    """Input that the spikes of a soma drive."""
    segment = connection.preseg()
    if n is None or n not in somas:
        raise ParameterError(
            f"{connection.hname()} watches {segment}, which is no soma with hh among these sections: only those fire "
            "here; remove it, or give a NetStim in its place"
        )
    threshold, delay = float(connection.threshold), float(connection.delay)
    if found.thresholds.setdefault(n, threshold) != threshold:
        raise ParameterError(f"NetCons of {segment} have several thresholds; a soma has one")
    key = (somas[n], delay)
    if key not in found.links:
        found.links[key] = found.input(segment, delay)
    return found.links[key]
