"""The same cell in NEURON, built from samples alone by code that shares nothing with dendrosim's discretisation."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dendrosim as ds

Floats = NDArray[np.float64]


class NeuronCell:
    """One cell as NEURON sections; `place` maps compartments to segments.

    Traps that this takes care of: `pt3dadd` stores coordinates and diameters in single precision (round the samples
    first: `on_single_precision_grid` in test_neuron.py); sections end where the region changes; `nseg` must be set
    before mechanisms; a soma of one segment hands over current without axial resistance only at ``soma(0.5)``.

    Parameters
    ----------
    h : neuron.h
    morphology : Morphology
        With a soma at the root, or without a soma.
    compartments : Compartments
        Of that morphology, made with `max_length`.
    passive : Passive
    max_length : float
        um.
    """

    def __init__(
        self, h: Any, morphology: ds.Morphology, compartments: ds.Compartments, passive: ds.Passive, max_length: float
    ) -> None:
        self.h, self.compartments = h, compartments
        samples, soma = morphology.samples, morphology.soma
        somatic = set() if soma is None else set(soma.rows.tolist())
        children: list[list[int]] = [[] for _ in range(len(samples))]
        for row, above in enumerate(samples.parent.tolist()):
            if above >= 0:
                children[above].append(row)
        self.sections: list[Any] = []
        self.place: dict[int, Any] = {}
        self.soma: Any = None
        if soma is not None:
            self.soma = h.Section(name="soma")
            self.soma.L = self.soma.diam = 2 * soma.radius
            self.soma.nseg = 1
            self.sections.append(self.soma)
            self.place[0] = self.soma(0.5)
        first_at_root: Any = None
        stack: list[tuple[int, Any]] = [(int(np.flatnonzero(samples.parent < 0)[0]), None)]
        while stack:
            begin, above = stack.pop()  # a sample where runs begin, and the section that ends there
            for child in children[begin]:
                if begin in somatic:
                    if child in somatic:
                        stack.append((child, None))
                        continue
                    rows = []
                else:
                    rows = [begin]
                rows.append(child)
                while len(children[rows[-1]]) == 1 and samples.type[children[rows[-1]][0]] == samples.type[rows[-1]]:
                    rows.append(children[rows[-1]][0])
                if len(rows) > 2 and (samples.xyz[rows[0]] == samples.xyz[rows[1]]).all():
                    del rows[0]  # a run that repeats its branch point begins with its own radius
                section = h.Section(name=f"run_{child}")
                for row in rows:
                    section.pt3dadd(*samples.xyz[row].tolist(), 2 * float(samples.radius[row]))
                assert section.L > 1e-3, "a run without extent: choose another cell for this comparison"
                if above is not None:
                    section.connect(above(1))
                elif begin in somatic:
                    section.connect(self.soma(0.5))
                elif first_at_root is None:
                    first_at_root = section
                    if compartments.area[0] == 0:
                        self.place[0] = section(0)
                else:
                    section.connect(first_at_root(0))
                section.nseg = max(1, math.ceil(section.L / max_length - 1e-9))
                self._register(section, compartments.of_sample(int(samples.id[rows[-1]])))
                self.sections.append(section)
                stack.append((rows[-1], section))
        for section in self.sections:
            section.insert("pas")
            section.Ra, section.cm = passive.R_a, passive.C_m
            for segment in section:
                segment.pas.g, segment.pas.e = 1 / passive.R_m, passive.E_leak
        for n, segment in self.place.items():
            if compartments.area[n] > 0:
                factor = passive.spine_factor.get(str(compartments.region[n]), 1.0)
                segment.pas.g *= factor
        self.leak_reversal = passive.E_leak
        self.processes: list[Any] = []

    def _register(self, section: Any, last: int) -> None:
        """Note which compartments the segments of a section are, from its distal end upwards."""
        for below in np.flatnonzero((self.compartments.parent == last) & (self.compartments.area == 0)):
            self.place[int(below)] = section(1)
        for segment in reversed(list(section)):
            assert last not in self.place
            self.place[last] = segment
            last = int(self.compartments.parent[last])

    def area(self) -> Floats:
        """Membrane area of each compartment, um2, shape (N,); branch points 0."""
        return self._read(lambda segment: 0.0 if segment.x in (0.0, 1.0) else segment.area())

    def axial_resistance(self) -> Floats:
        """Resistance between each compartment and its parent, MOhm, shape (N,); 0 at the root."""
        out = self._read(lambda segment: segment.ri())
        parent, area = self.compartments.parent, self.compartments.area
        for n, segment in self.place.items():
            above = segment.sec.parentseg()
            # where only the region changes we have no node of our own between the two halves
            first = parent[n] >= 0 and area[n] > 0 and segment == next(iter(segment.sec))
            if first and above is not None and above.x == 1.0 and area[parent[n]] > 0:
                out[n] += above.ri()
        out[parent < 0] = 0.0
        return out

    def add_synapses(self, synapses: ds.Synapses, activity: Floats) -> None:
        """Static conductances: ExpSyn without decay (its state ``g`` is set once the cell is initialised)."""
        for n, source, reversal, conductance in zip(
            synapses.compartment, synapses.source, synapses.reversal, synapses.conductance, strict=True
        ):
            process = self.h.ExpSyn(self.place[int(n)])
            process.tau, process.e = 1e30, float(reversal)
            self.processes.append((process, 1e-3 * float(conductance * activity[source])))  # uS

    def add_current(self, n: int, current: float) -> None:
        """Inject a constant current (pA) at a compartment."""
        clamp = self.h.IClamp(self.place[n])
        clamp.delay, clamp.dur, clamp.amp = 0.0, 1e30, 1e-3 * current
        self.processes.append((clamp, None))

    def steady_voltage(self) -> Floats:
        """Steady voltage of each compartment in mV, shape (N,).

        NEURON has no steady-state solver. Backward Euler (``secondorder = 0``, fixed step) with a step of 1e9 ms leaves
        tau / dt = 1e-8 of the distance to the steady state after each step. It solves for the change of the voltage, so
        that further steps also refine what rounding left: the first is within 1e-6 mV, the second within 1e-13 mV.
        """
        h = self.h
        h.CVode().active(False)
        h.secondorder, h.dt = 0, 1e9
        h.finitialize(self.leak_reversal)
        self._set_conductances()
        for _ in range(4):
            h.fadvance()
        return self._read(lambda segment: segment.v)

    def impedance_from(self, n: int) -> tuple[float, Floats]:
        """Input resistance at a compartment, and transfer resistance from it to every compartment, MOhm.

        `h.Impedance` linearises around the present voltages: the cell must be initialised and conductances set.
        """
        h = self.h
        h.secondorder, h.dt = 0, 1e9
        h.finitialize(self.leak_reversal)
        self._set_conductances()
        h.fcurrent()
        impedance = h.Impedance()
        impedance.loc(self.place[n].x, sec=self.place[n].sec)
        impedance.compute(0.0)
        at = self.place[n]
        return impedance.input(at.x, sec=at.sec), self._read(
            lambda segment: impedance.transfer(segment.x, sec=segment.sec)
        )

    def _set_conductances(self) -> None:
        for process, conductance in self.processes:
            if conductance is not None:
                process.g = conductance

    def _read(self, value: Callable[[Any], float]) -> Floats:
        out = np.full(self.compartments.size, np.nan)
        for n, segment in self.place.items():
            out[n] = value(segment)
        return out


@pytest.fixture
def neuron() -> Iterator[Any]:
    """NEURON; nothing is left in it when the test is over."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("neuron", reason='NEURON is not installed: pip install -e ".[validation]"')
    yield module
    assert not list(module.h.allsec())


@pytest.fixture
def neuron_cell(neuron: Any) -> Iterator[Callable[..., NeuronCell]]:
    """Build cells in NEURON; nothing of them is left when the test is over."""
    made: list[NeuronCell] = []

    def build(*arguments: Any) -> NeuronCell:
        made.append(NeuronCell(neuron.h, *arguments))
        return made[-1]

    yield build
    for cell in made:
        cell.processes.clear()
        cell.place.clear()
        for section in cell.sections:
            neuron.h.delete_section(sec=section)
