"""Transients against Arbor on the same compartments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dendrosim as ds

arbor = pytest.importorskip("arbor", reason='Arbor is not installed: pip install -e ".[bench]"')

PIECES = 40
"""Compartments per branch."""
DIAMETERS = (2.0, 1.2, 0.8, 0.8, 0.6)
"""Of the branches, um, each 400 um long."""
PARENTS = (-1, 0, 0, 1, 1)
TAU = {1: 2.0, -1: 5.0}
REVERSAL = {1: 0.0, -1: -75.0}
REST = -70.0


def tree() -> tuple[ds.Compartments, np.ndarray]:
    """Five cylinders, forks without area between them; and the compartments of each branch."""
    length = 400.0 / PIECES
    parent, leak, coupling, capacitance, rows = [], [], [], [], []
    for i, (diameter, above) in enumerate(zip(DIAMETERS, PARENTS, strict=True)):
        area = np.pi * diameter * length
        g = 1e3 / (0.01 * 150.0 * length / (np.pi * diameter**2 / 4))
        first = len(parent)
        before = -1 if above < 0 else rows[above][-1] + 1  # the fork comes after the last piece of its branch
        fork = i in PARENTS
        parent += [before, *range(first, first + PIECES - 1 + fork)]
        coupling += [0.0 if above < 0 else 2 * g, *[g] * (PIECES - 1), *[2 * g] * fork]
        leak += [area * 10.0 / 20_000.0] * PIECES + [0.0] * fork
        capacitance += [area * 0.01] * PIECES + [0.0] * fork
        rows.append(np.arange(first, first + PIECES))
    cell = ds.Compartments(parent, leak=leak, coupling=coupling, capacitance=capacitance, leak_reversal=REST)
    return cell, np.array(rows)


class Recipe(arbor.recipe):  # type: ignore[misc, name-defined]
    """One cell and its spikes."""

    def __init__(self, cell: Any, conductance: np.ndarray, trains: list[np.ndarray], at: list[str]) -> None:
        arbor.recipe.__init__(self)
        self.cell, self.conductance, self.trains, self.at = cell, conductance, trains, at
        self.properties = arbor.neuron_cable_properties()

    def num_cells(self) -> int:
        return 1

    def cell_kind(self, gid: int) -> object:
        return arbor.cell_kind.cable

    def cell_description(self, gid: int) -> object:
        return self.cell

    def global_properties(self, kind: object) -> object:
        return self.properties

    def probes(self, gid: int) -> list[object]:
        return [arbor.cable_probe_membrane_voltage(at, f"v{k}") for k, at in enumerate(self.at)]

    def event_generators(self, gid: int) -> list[object]:
        return [
            arbor.event_generator(f"s{j}", 1e-3 * g, arbor.explicit_schedule([t * arbor.units.ms for t in times]))
            for j, (g, times) in enumerate(zip(self.conductance.tolist(), self.trains, strict=True))
        ]


def test_a_branching_cell_with_a_hundred_synapses() -> None:
    """Arbor integrates synapses by a rational approximation; voltages agree within 1e-3 mV."""
    units, rng, dt, duration = arbor.units, np.random.default_rng(3), 0.025, 60.0
    cell, rows = tree()
    branch, piece = rng.integers(len(rows), size=100), rng.integers(PIECES, size=100)
    sign = np.where(np.arange(100) < 80, 1, -1)
    conductance = rng.uniform(0.2, 1.0, 100)
    trains = [np.sort(np.round(rng.uniform(0, duration, rng.poisson(2)) / dt) * dt) for _ in sign]
    line = arbor.segment_tree()
    made: list[int] = []
    for i, (diameter, above) in enumerate(zip(DIAMETERS, PARENTS, strict=True)):
        start, r = 400.0 * (0 if above < 0 else 1 + above), diameter / 2
        ends = arbor.mpoint(start, i, 0, r), arbor.mpoint(start + 400.0, i, 0, r)
        made.append(line.append(arbor.mnpos if above < 0 else made[above], *ends, tag=1))
    decor = arbor.decor()
    decor.set_property(Vm=REST * units.mV, cm=0.01 * units.F / units.m2, rL=150 * units.Ohm * units.cm)
    decor.paint("(all)", arbor.density(f"pas/e={REST}", g=1 / 20_000.0))
    for j, (b, p, s) in enumerate(zip(branch, piece, sign, strict=True)):
        synapse = arbor.synapse("expsyn", tau=TAU[int(s)], e=REVERSAL[int(s)])
        decor.place(f"(location {b} {(p + 0.5) / PIECES})", synapse, f"s{j}")
    theirs = arbor.cable_cell(line, decor, arbor.label_dict(), arbor.cv_policy_fixed_per_branch(PIECES))
    spots = [(0, 0), (2, 20), (4, 39)]
    probes = [f"(location {b} {(p + 0.5) / PIECES})" for b, p in spots]
    simulation = arbor.simulation(Recipe(theirs, conductance, trains, probes))
    handles = [simulation.sample((0, f"v{k}"), arbor.regular_schedule(dt * units.ms)) for k in range(len(spots))]
    simulation.run(tfinal=duration * units.ms, dt=dt * units.ms)
    expected = np.stack([np.array(simulation.samples(handle)[0][0])[:, 1] for handle in handles], 1)

    synapses = ds.Synapses(
        cell, rows[branch, piece], sign=sign, reversal=[REVERSAL[int(s)] for s in sign], conductance=conductance
    )
    trace = ds.simulate(
        cell, synapses, ds.Spikes.from_trains(trains), dt=dt, duration=duration,
        record=[rows[b, p] for b, p in spots], kinetics=(ds.Exponential(TAU[1]), ds.Exponential(TAU[-1])),
    )  # fmt: skip
    assert np.ptp(expected, axis=0).min() > 5.0
    np.testing.assert_allclose(trace.voltage[0, : len(expected)], expected, rtol=0, atol=1e-3)
