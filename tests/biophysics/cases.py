"""Random trees with synapses for property tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import dendrosim as ds
from dendrosim.biophysics.gates import Gate


@dataclass
class Case:
    """A forest, its synapses, and a batch of stimuli."""

    compartments: ds.Compartments
    synapses: ds.Synapses
    x: np.ndarray
    current: np.ndarray
    gate: Gate | None
    rng: np.random.Generator

    def stimulus(self, row: int) -> dict[str, Any]:
        """One stimulus in the form that `reference` takes."""
        c, s = self.compartments, self.synapses
        return {
            "parent": c.parent, "leak": c.leak, "coupling": c.coupling, "leak_reversal": c.leak_reversal,
            "compartment": s.compartment, "source": s.source, "conductance": s.conductance, "reversal": s.reversal,
            "driving_force": s.driving_force, "sign": s.sign, "x": self.x[row], "current": self.current[row],
            "slope": None if self.gate is None else np.broadcast_to(self.gate.slope, c.size),
            "midpoint": None if self.gate is None else np.broadcast_to(self.gate.midpoint, c.size),
        }  # fmt: skip


def make(seed: int, size: int, n_cells: int, batch: int, *, physical: bool, gated: bool = False) -> Case:
    """A random forest; every seed another shape, from chains to bushes."""
    rng = np.random.default_rng(seed)
    cells = []
    for _ in range(n_cells):
        bushiness = rng.random()
        parent = [-1]
        for n in range(1, size):
            parent.append(n - 1 if rng.random() < bushiness else int(rng.integers(n)))
        scale = 10.0 ** rng.uniform(-1, 2) if physical else 1.0
        cells.append(
            ds.Compartments(
                parent, leak=scale * rng.uniform(0.1, 2, size), coupling=scale * 10.0 ** rng.uniform(-1, 2, size),
                leak_reversal=-70.0 if physical else 0.0, physical=physical,
            )
        )  # fmt: skip
    compartments = ds.Compartments.forest(cells)
    k = int(rng.integers(1, 12))
    synapses = ds.Synapses(
        compartments, rng.integers(0, compartments.size, k), rng.integers(0, 5, k), sign=rng.choice([-1, 1], k),
        conductance=rng.exponential(1.0, k), n_inputs=5,
    )  # fmt: skip
    x = rng.exponential(1.0, (batch, 5)) * (rng.random((batch, 5)) < 0.8)
    current = rng.normal(size=(batch, compartments.size))
    gate = Gate(rng.uniform(0.5, 3, compartments.size), rng.uniform(0, 1, compartments.size)) if gated else None
    return Case(compartments, synapses, x, current, gate, rng)


MODES = [
    ("shunting", "reciprocal", True, False),
    ("additive", "reciprocal", True, False),
    ("shunting", "directed", True, False),
    ("shunting", "directed", False, True),
    ("additive", "directed", False, False),
    ("additive", "directed", False, True),
]
"""integration, direction, physical units, gates: every combination that exists."""

shapes = st.tuples(st.integers(0, 10**6), st.integers(1, 25), st.integers(1, 3), st.integers(1, 19))
"""seed, compartments per cell, cells, batch"""
