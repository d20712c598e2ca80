"""A model in NEURON, and which segment is which compartment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import index, number, numbers
from ..biophysics.time.steps import off_grid
from ..errors import ParameterError, choose
from ..morphology.compartments import Compartments
from .neuron_processes import Processes

Floats = NDArray[np.float64]

STEADY_STEP = 1e9
"""ms. Backward Euler leaves time constant over step, some 1e-8, of the distance to the steady state."""
SECOND_ORDER = {"backward_euler": 0, "crank_nicolson": 2}


def place_of(segment: Any) -> tuple[str, int]:
    """What tells segments apart: the section, and the number of the segment; -1 and ``nseg`` are its two ends."""
    section, x = segment.sec, float(segment.x)
    count = int(section.nseg)
    number_of = -1 if x == 0.0 else count if x == 1.0 else min(int(x * count), count - 1)
    return section.hoc_internal_name(), number_of


@dataclass(eq=False)
class NeuronModel:
    """Cells as sections of NEURON, what `dendrosim.exchange.to_neuron` makes.

    NEURON simulates every section that exists. These exist as long as something refers to them; `close`, or the end
    of a ``with`` block, removes them at once.

    Attributes
    ----------
    h : neuron.h
    compartments : Compartments
        What it was made from.
    layout : {"sections", "compartments"}
        How sections and compartments go together.
    sections : list of h.Section
        Cell after cell, parents before children.
    segments : list
        The segment of each compartment.
    regions : dict of str to h.SectionList
        Sections by region.
    processes : Processes
        Point processes: ``of_synapse``, ``inputs`` (a NetStim for every input), ``connections`` (NetCon), ``clamps``.
    """

    h: Any
    compartments: Compartments
    layout: str
    sections: list[Any]
    segments: list[Any]
    regions: dict[str, Any]
    processes: Processes = field(default_factory=Processes)
    _handler: Any = None

    def __post_init__(self) -> None:
        self._place = {place_of(segment): n for n, segment in enumerate(self.segments)}
        self._handler = self.h.FInitializeHandler(1, self.processes.initialise)

    def segment(self, compartment: int) -> Any:
        """The segment of a `compartment`, such as ``soma(0.5)``.

        Raises
        ------
        ParameterError
            If there is no such compartment, or the model was closed.
        """
        self._open()
        return self.segments[index("compartment", compartment, len(self.segments))]

    def compartment(self, segment: Any) -> int:
        """The compartment of a `segment`, such as ``model.sections[0](0.5)``.

        Raises
        ------
        ParameterError
            If it is no segment of these cells, or the model was closed.
        """
        self._open()
        try:
            return self._place[place_of(segment)]
        except (AttributeError, KeyError, ReferenceError):
            raise ParameterError(
                f"segment={segment} is none of the {len(self.segments)} of this model; give one such as "
                f"{self.segments[0]}"
            ) from None

    @property
    def voltage(self) -> Floats:
        """Voltage of each compartment now, mV, shape (N,).

        Raises
        ------
        ParameterError
            If the model was closed.
        """
        self._open()
        return np.array([segment.v for segment in self.segments])

    def steady_voltage(self) -> Floats:
        """Steady voltage of each compartment, mV, shape (N,), with what is constant: leaks, conductances, currents.

        NEURON has no steady-state solver. Backward Euler with steps of 1e9 ms comes within rounding after a few: each
        solves for the change of the voltage, so that further steps also refine what rounding left.

        Raises
        ------
        ParameterError
            If something is not constant: spikes, channels, or a clamp that begins or ends; or the model was closed.
        """
        self._open()
        changing = [clamp for clamp in self.processes.clamps if clamp.delay > 0 or clamp.dur < 4 * STEADY_STEP]
        if self.processes.events or changing or any(section.has_membrane("hh") for section in self.sections):
            raise ParameterError(
                "a steady voltage needs constant conductances and currents, and this model has spikes, channels or "
                "clamps that begin or end; simulate() runs it in time"
            )
        self._begin(STEADY_STEP, "backward_euler", self.compartments.leak_reversal)
        for _ in range(4):
            self.h.fadvance()
        return self.voltage

    def simulate(
        self,
        *,
        dt: float = 0.025,
        duration: float = 200.0,
        record: str | ArrayLike = "soma",
        method: str = "backward_euler",
        initial: float | None = None,
    ) -> tuple[Floats, Floats]:
        """Run NEURON with a fixed step; options mean what they mean for `dendrosim.simulate`.

        Parameters
        ----------
        dt, duration : float, default 0.025 and 200.0
            ms.
        record : {"soma", "all"} or sequence of int, default "soma"
            Compartments.
        method : {"backward_euler", "crank_nicolson"}
            NEURON's ``secondorder`` 0 and 2.
        initial : float, optional
            Voltage at the beginning, mV; by default the leak's reversal potential.

        Returns
        -------
        time : float array of shape (T,)
            ms.
        voltage : float array of shape (T, n)
            mV.

        Raises
        ------
        ParameterError
            If an option is impossible, or the model was closed.
        """
        self._open()
        step, length = number("dt", dt, above=0, unit="ms"), number("duration", duration, least=0, unit="ms")
        if off_grid(length / step):
            raise ParameterError(f"duration={length:g} ms is no whole number of steps of dt={step:g} ms")
        choose("method", method, SECOND_ORDER)
        if isinstance(record, str):
            choose("record", record, ("soma", "all"))
            at = self.compartments.roots if record == "soma" else np.arange(self.compartments.size)
        else:
            at = np.atleast_1d(numbers("record", record))
        kept = [self.h.Vector().record(self.segment(n)._ref_v) for n in at.tolist()]
        begin = self.compartments.leak_reversal if initial is None else number("initial", initial, unit="mV")
        self._begin(step, method, begin)
        steps = round(length / step)
        for _ in range(steps):
            self.h.fadvance()
        voltage = np.array([np.array(vector, np.float64) for vector in kept]).reshape(len(kept), steps + 1)
        return np.asarray(step * np.arange(steps + 1), np.float64), np.asarray(voltage.T, np.float64)

    def _open(self) -> None:
        if not self.sections:
            raise ParameterError("this model was closed, and its sections are gone; make another by to_neuron")

    def _begin(self, dt: float, method: str, voltage: float) -> None:
        h = self.h
        h.CVode().active(False)
        h.secondorder, h.dt = SECOND_ORDER[method], dt
        self.processes.set_temperature(h)
        h.finitialize(voltage)

    def close(self) -> None:
        """Remove all of it from NEURON."""
        self._handler = None
        for group in vars(self.processes).values():
            group.clear()
        self.segments.clear()
        self.regions.clear()
        self._place.clear()
        for section in self.sections:
            self.h.delete_section(sec=section)
        self.sections.clear()

    def __enter__(self) -> NeuronModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        n_synapses = len(self.processes.of_synapse)
        return f"<NeuronModel: {len(self.sections)} sections, {len(self.segments)} compartments, {n_synapses} synapses>"
