"""The same cell in NEURON: backward Euler with a very long step for the steady state, `h.Impedance` for the adjoint."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from cells import Floats, Problem, contract, segments

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import neuron

STEP = 1e12
"""ms. One step from any voltage then ends within rounding of the steady state of a linear cell."""


class NeuronPeer:
    """Synaptic conductances and voltages go in and out by `PtrVector`, the fastest way that NEURON's Python has."""

    name = "NEURON"

    def __init__(self, problem: Problem) -> None:
        h = neuron.h
        self._h, self.problem, self.version = h, problem, neuron.__version__
        h.CVode().active(False)
        self._sections = self._build()
        segment: list[Any] = [None] * problem.size
        segment[0] = self._soma(0.5)
        for section, (run, end) in zip(self._sections[1:], problem.runs, strict=True):
            for n, piece in zip(run, section, strict=True):
                segment[n] = piece
            if end >= 0:
                segment[end] = section(1)
        self._segments = segment
        synapses = problem.synapses
        self._synapses = []
        for n, reversal in zip(synapses.compartment, synapses.reversal, strict=True):
            synapse = h.ExpSyn(segment[n])
            synapse.tau, synapse.e = 1e30, float(reversal)  # its conductance stays as it is set
            self._synapses.append(synapse)
        self._to, self._from = h.PtrVector(synapses.size), h.PtrVector(problem.size)
        h.secondorder, h.dt = 0, STEP
        h.finitialize(problem.passive.E_leak)
        for i, synapse in enumerate(self._synapses):
            self._to.pset(i, synapse._ref_g)
        for n, piece in enumerate(segment):
            self._from.pset(n, piece._ref_v)
        self._g, self._v = h.Vector(synapses.size), h.Vector(problem.size)
        self._g_view: Floats = self._g.as_numpy()
        self._v_view: Floats = self._v.as_numpy()
        self._impedance = h.Impedance()
        self._impedance.loc(0.5, sec=self._soma)

    def _build(self) -> list[Any]:
        h, problem = self._h, self.problem
        morphology, passive = problem.morphology, problem.passive
        soma = morphology.soma
        if soma is None:
            raise ValueError("the benchmark's cells have a soma")
        self._soma = h.Section(name="soma")
        self._soma.L = self._soma.diam = 2 * soma.radius
        built = [self._soma]
        for section in morphology.sections:
            made = h.Section(name=f"section_{section.index}")
            for point, radius in zip(section.points.tolist(), section.radii.tolist(), strict=True):
                made.pt3dadd(*point, 2 * radius)
            made.connect(self._soma(0.5) if section.parent < 0 else built[section.parent + 1](1))
            made.nseg = segments(section.length, problem.max_length)
            built.append(made)
        for made in built:
            made.insert("pas")
            made.Ra, made.cm, made.g_pas, made.e_pas = passive.R_a, passive.C_m, 1 / passive.R_m, passive.E_leak
        return built

    def solve(self) -> None:
        """One step with the conductances that are set: the bare solve."""
        self._h.fadvance()

    def voltage(self, x: Floats) -> Floats:
        """Set the synapses, solve, read the voltages, shape (N,)."""
        synapses = self.problem.synapses
        np.multiply(synapses.conductance, 1e-3 * x[synapses.source], out=self._g_view)  # uS
        self._to.scatter(self._g)
        self._h.fadvance()
        self._from.gather(self._v)
        return self._v_view

    def gradient(self, x: Floats) -> dict[str, Floats]:
        """Voltages, the transfer resistances from the soma by `Impedance`, and the gradient of every parameter."""
        voltage = self.voltage(x)
        impedance = self._impedance
        impedance.compute(0.0)
        transfer = impedance.transfer
        q = np.array([transfer(piece) for piece in self._segments])
        q *= 1e-3  # MOhm to GOhm
        return {"voltage": voltage, "current": q, **contract(self.problem, x, voltage, q)}

    def close(self) -> None:
        """Remove the cell from NEURON, which simulates all that exist."""
        self._synapses.clear()
        self._segments.clear()
        for section in self._sections:
            self._h.delete_section(sec=section)
        self._sections.clear()
