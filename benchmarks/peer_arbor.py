"""The cell in Arbor, in time: the same samples cut by the same longest compartment."""

from __future__ import annotations

from typing import Any

import arbor
import numpy as np
from cells import Floats, Problem

import dendrosim as ds

TAU = 2.0
"""Of every synapse, ms."""


class _Recipe(arbor.recipe):  # type: ignore[misc, name-defined]
    def __init__(self, cell: Any, synapses: ds.Synapses, spikes: ds.Spikes) -> None:
        arbor.recipe.__init__(self)
        self.cell, self.synapses, self.spikes = cell, synapses, spikes
        self.properties = arbor.neuron_cable_properties()

    def num_cells(self) -> int:
        return 1

    def cell_kind(self, gid: int) -> Any:
        return arbor.cell_kind.cable

    def cell_description(self, gid: int) -> Any:
        return self.cell

    def global_properties(self, kind: Any) -> Any:
        return self.properties

    def event_generators(self, gid: int) -> list[Any]:
        made = []
        for j, (source, conductance) in enumerate(zip(self.synapses.source, self.synapses.conductance, strict=True)):
            times = np.sort(self.spikes.time[self.spikes.source == source])
            schedule = arbor.explicit_schedule([float(t) * arbor.units.ms for t in times])
            made.append(arbor.event_generator(f"s{j}", 1e-3 * float(conductance), schedule))
        return made


class ArborPeer:
    """Compartments of Arbor lie a little differently at branch points; their number is given with the results."""

    name = "Arbor"

    def __init__(self, problem: Problem, synapses: ds.Synapses, spikes: ds.Spikes) -> None:
        self.version = arbor.__version__
        units, passive, samples = arbor.units, problem.passive, problem.morphology.samples
        soma = problem.morphology.soma
        if soma is None:
            raise ValueError("the benchmark's cells have a soma")
        tree = arbor.segment_tree()
        x, y, z = (float(v) for v in samples.xyz[0])
        r = float(soma.radius)
        tree.append(arbor.mnpos, arbor.mpoint(x - r, y, z, r), arbor.mpoint(x + r, y, z, r), tag=1)
        somatic, made = set(soma.rows.tolist()), {}
        for row, above in enumerate(samples.parent.tolist()):
            if row in somatic:
                continue
            end = arbor.mpoint(*samples.xyz[row].tolist(), float(samples.radius[row]))
            if above in made:
                made[row] = tree.append(made[above], end, tag=3)
            else:
                made[row] = tree.append(0, end, end, tag=3)
        decor = arbor.decor()
        decor.set_property(
            Vm=passive.E_leak * units.mV,
            cm=0.01 * passive.C_m * units.F / units.m2,
            rL=passive.R_a * units.Ohm * units.cm,
        )
        decor.paint("(all)", arbor.density(f"pas/e={passive.E_leak}", g=1 / passive.R_m))
        rng = np.random.default_rng(0)
        n_branches = arbor.morphology(tree).num_branches
        for j in range(synapses.size):
            at = f"(location {int(rng.integers(n_branches))} {rng.random():.4f})"
            decor.place(at, arbor.synapse("expsyn", tau=TAU, e=float(synapses.reversal[j])), f"s{j}")
        policy = arbor.cv_policy_max_extent(problem.max_length * units.um)
        cell = arbor.cable_cell(tree, decor, arbor.label_dict(), policy)
        self.size = int(arbor.cv_data(cell).num_cv)
        self._simulation = arbor.simulation(_Recipe(cell, synapses, spikes))

    def run(self, duration: float, dt: float) -> Floats | None:
        """From the beginning."""
        self._simulation.reset()
        self._simulation.run(tfinal=duration * arbor.units.ms, dt=dt * arbor.units.ms)
        return None
