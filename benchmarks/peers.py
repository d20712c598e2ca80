"""Which competitors are installed, and whether all compute the same."""

from __future__ import annotations

import importlib
import importlib.util
import time
from typing import Any

import numpy as np
from cells import Problem
from timing import Progress, Table

import dendrosim as ds

MISSING = 'not installed (pip install "dendrosim[bench]", or in a clone pip install ".[bench]")'
MODULES = {
    "scipy": ("peer_scipy", "ScipyPeer"),
    "neuron": ("peer_neuron", "NeuronPeer"),
    "jaxley": ("peer_jaxley", "JaxleyPeer"),
}
JAXLEY_MOST = 10_000
"""Compartments above which Jaxley is left out: it builds a cell of 3,000 in about a minute."""


def missing() -> list[str]:
    """One remark per competitor that is not installed."""
    return [f"{name}: {MISSING}" for name in MODULES if importlib.util.find_spec(name) is None]


def build(problem: Problem, progress: Progress) -> tuple[dict[str, Any], dict[str, float]]:
    """The cell in every installed competitor, by module name, and the seconds that building took."""
    made: dict[str, Any] = {}
    seconds = {}
    for module, (file, kind) in MODULES.items():
        if importlib.util.find_spec(module) is None or (module == "jaxley" and problem.size > JAXLEY_MOST):
            continue
        progress(f"{problem.size} compartments: building the cell in {module}")
        maker = getattr(importlib.import_module(file), kind)
        begin = time.perf_counter()
        made[module] = maker(problem)
        seconds[module] = time.perf_counter() - begin
    return made, seconds


def agreement(problem: Problem, peers: dict[str, Any], table: Table) -> None:
    """Add the largest deviation of every competitor's voltages and gradients from ours to a table."""
    x = problem.stimuli(3)
    for name, peer in peers.items():
        worst = {"voltage": 0.0, "gradient": 0.0}
        for row in x:
            state = ds.steady_state(problem.compartments, problem.synapses, row[None])
            gradient = ds.exact_gradient(state, np.ones((1, 1)))
            ours: dict[str, Any] = {
                k: np.ravel(getattr(gradient, k)) for k in ("current", "conductance", "coupling", "leak", "inputs")
            }
            reversal = np.unique(problem.synapses.reversal)
            for field, value in (("excitation", reversal[-1]), ("inhibition", reversal[0])):
                ours[field] = (value - state.voltage[0]) * gradient.current[0]
            theirs = {k: np.array(v) for k, v in peer.gradient(row).items()}
            worst["voltage"] = max(worst["voltage"], float(np.nanmax(np.abs(theirs.pop("voltage") - state.voltage[0]))))
            for field, value in theirs.items():
                off = float(np.nanmax(np.abs(value - ours[field])) / np.abs(ours[field]).max())
                worst["gradient"] = max(worst["gradient"], off)
        table.add(
            compartments=problem.size,
            peer=f"{name} {peer.version}",
            voltage_mV=worst["voltage"],
            gradient_relative=worst["gradient"],
        )
