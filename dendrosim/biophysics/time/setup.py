"""A simulation as it was asked for, checked; what engines are made from, whole or group of cells by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..direction import direction as direction_named
from ..gates import Gate
from ..integration import integration as integration_named
from ..system import threads_for
from .connections import Connections, Recurrence
from .engine import Engine
from .inputs import Clamp, Spikes, Waveform
from .kinetics import Kinetics
from .mechanisms import Mechanism
from .problem import Problem
from .start import first_snapshot
from .store import fingerprint
from .trace import Snapshot

if TYPE_CHECKING:
    from ...morphology.compartments import Compartments
    from ..synapses import Synapses
    from .recorder import Recorder

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Setup:
    """What `simulate` was given, checked.

    Attributes
    ----------
    courses, course
        Time courses, and which of them each synapse has.
    places : list of int arrays
        Compartments of every mechanism.
    constant : float array of shape (B, N)
        pA.
    lag : int array of shape (n_connections,)
        See `connections.lags_of`.
    initial : str, float array or Snapshot
        As given.
    threads : int or None
        As given.
    cells, inputs : int arrays
        Numbers of the cells and inputs, where this is a part of a greater simulation.
    row : int
        Number of the first compartment there.
    own : bool
        See `kernels.spiking.Links`.
    checkpoints : bool
        Whether gradients are wanted: losses on compartments without capacitance need them in the solver's tree.
    """

    compartments: Compartments
    synapses: Synapses | None
    given: Spikes | Waveform | None
    courses: list[Kinetics]
    course: Ints
    mechanisms: tuple[Mechanism, ...]
    places: list[Ints]
    integration: str
    direction: str
    gate: Gate | None
    constant: Floats
    clamps: tuple[Clamp, ...]
    connections: Connections | None
    lag: Ints
    initial: Any
    dt: float
    method: str
    arrival: str
    n_rows: int
    dtype: np.dtype[Any]
    n_steps: int
    every: int
    probes: Ints
    traced: Ints
    threads: int | None
    cells: Ints
    inputs: Ints
    row: int = 0
    own: bool = True
    checkpoints: bool = False

    @property
    def n_threads(self) -> int:
        """Threads to work with."""
        return threads_for(self.threads, self.compartments.size * self.n_rows * min(self.n_steps, 1000))

    def engine(self) -> Engine:
        """An engine for all cells as one.

        Raises
        ------
        ParameterError
            If what only laying out brings to light is impossible.
        """
        current = np.flatnonzero(self.constant.any(axis=0))
        injected = np.unique([*current, *(clamp.compartment for clamp in self.clamps)]).astype(np.int64)
        problem = Problem(
            self.compartments,
            self.synapses,
            self.courses,
            self.course,
            self.mechanisms,
            self.places,
            integration_named(self.integration),
            direction_named(self.direction),
            self.gate,
            injected,
            self.probes[self.compartments.capacitance[self.probes] == 0] if self.checkpoints else self.probes[:0],
            self.dt,
            self.method == "crank_nicolson",
            self.n_rows,
            self.dtype,
            self.row,
        )
        begin = first_snapshot(
            self.initial, problem, self.compartments, self.synapses, self.given, self.constant, self.clamps,
            self.integration, self.direction, self.gate,
        )  # fmt: skip
        recurrence = Recurrence(
            self.connections, self.lag, problem, self.cells, self.compartments.roots, self.inputs, self.own
        )
        return Engine(
            problem, self.method, self.given, self.constant[:, injected], self.clamps, injected, begin, self.arrival,
            self.n_steps, self.every, self.probes, self.traced, self.n_threads, recurrence,
        )  # fmt: skip

    def signature(self, recorder: Recorder) -> str:
        """A digest of everything that the recording depends on."""
        cells, wired, given = self.compartments, ("compartment", "source", "conductance"), self.given
        links = self.connections
        return fingerprint(
            cells.parent, cells.leak, cells.coupling, cells.capacitance, cells.leak_reversal,
            *([] if self.synapses is None else [getattr(self.synapses, name) for name in wired]),
            [repr(c) for c in self.courses], self.course, [repr(m) for m in self.mechanisms], self.constant,
            *(v for c in self.clamps for v in (c.amplitude, c.compartment, c.start, c.stop, c.interval)),
            *([] if not isinstance(given, Waveform) else [given.values, given.interval, given.unit]),
            *([] if links is None else [links.cell, links.input, self.lag, links.weight]),
            *([] if not isinstance(self.initial, Snapshot) else [self.initial.spikes]), *recorder.identity(),
            self.probes, self.traced, self.dt, self.n_steps, self.every, self.method, self.arrival, self.integration,
            self.direction, repr(self.gate), str(self.dtype),
        )  # fmt: skip
