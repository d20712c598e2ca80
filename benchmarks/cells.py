"""The cells that are measured, with synapses and stimuli; the same for every competitor."""

from __future__ import annotations

import dataclasses
import math
import os
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dendrosim as ds
from dendrosim.errors import MorphologyWarning

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PER_SYNAPSE = 7
"""Compartments per synapse; four in five synapses are excitatory."""


@dataclass(frozen=True)
class Problem:
    """A cell under stimuli. The loss whose gradient is taken is the soma's voltage."""

    name: str
    morphology: ds.Morphology
    compartments: ds.Compartments
    max_length: float
    passive: ds.Passive
    synapses: ds.Synapses

    @property
    def size(self) -> int:
        """Number of compartments."""
        return self.compartments.size

    def stimuli(self, count: int, dtype: Any = np.float64) -> NDArray[Any]:
        """Presynaptic activities, shape (count, P)."""
        return np.random.default_rng(1).random((count, self.synapses.n_inputs)).astype(dtype)

    @cached_property
    def runs(self) -> list[tuple[Ints, int]]:
        """For every section its compartments, soma side first, and the branch point at its end (-1: there is none)."""
        compartments, sections = self.compartments, self.morphology.sections
        branch_point = np.full(self.size, -1)
        nodes = np.flatnonzero((compartments.area == 0) & (compartments.parent >= 0))
        branch_point[compartments.parent[nodes]] = nodes
        runs = []
        for section in sections:
            last = compartments.of_sample(int(section.sample_ids[-1]))
            row, n = [], last
            for _ in range(segments(section.length, self.max_length)):
                row.append(n)
                n = int(compartments.parent[n])
            runs.append((np.array(row[::-1]), int(branch_point[last])))
        return runs


def segments(length: float, max_length: float) -> int:
    """Compartments of a section."""
    return max(1, math.ceil(length / max_length - 1e-9))


def problem(target: int) -> Problem:
    """A cell of about so many compartments.

    Real cells where DENDROSIM_DATA names a folder that holds them, else those that ship with dendrosim; 100,000
    compartments are a shipped cell, finely cut.
    """
    real = {1_000: "Scnn1a_473845048_m", 3_000: "c91662"}
    shipped = {155: "stellate"}
    folder = Path(os.environ.get("DENDROSIM_DATA", "")) / "morphologies" / "real"
    file = folder / f"{real.get(target)}.swc"
    source: str | Path = file if file.is_file() else shipped.get(target, "pyramidal_l5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MorphologyWarning)
        morphology = _single_precision(ds.Morphology.load(source))
    return _cut(morphology, {1_000: 1_100}.get(target, target))


def _cut(morphology: ds.Morphology, target: int) -> Problem:
    """Choose the longest allowed compartment so that there are about `target`."""
    passive = ds.Passive()
    length = morphology.sections.length
    lower, upper = 1e-3, 1e3
    n_branch_points = int((morphology.sections.n_children > 1).sum())
    for _ in range(50):
        middle = math.sqrt(lower * upper)
        count = 1 + n_branch_points + sum(segments(float(value), middle) for value in length)
        lower, upper = (middle, upper) if count > target else (lower, middle)
    compartments = morphology.compartments(passive, max_length=upper)
    n = max(10, compartments.size // PER_SYNAPSE)
    synapses = ds.Synapses.scatter(compartments, n - n // 5, n // 5, seed=0)
    return Problem(morphology.name, morphology, compartments, upper, passive, synapses)


def _single_precision(morphology: ds.Morphology) -> ds.Morphology:
    """The cell on a grid whose differences single precision holds: NEURON's 3D points are floats."""

    def rounded(values: Floats) -> Floats:
        grid = 2.0 ** (math.ceil(math.log2(np.abs(values).max())) - 22)
        return grid * np.round(values / grid)

    samples = morphology.samples
    exact = dataclasses.replace(samples, xyz=rounded(samples.xyz), radius=rounded(2 * samples.radius) / 2)
    return ds.Morphology(exact, name=morphology.name)


def contract(problem: Problem, x: Floats, voltage: Floats, q: Floats) -> dict[str, Floats]:
    """Gradient of every parameter for one stimulus, from voltage and adjoint: what peers leave to their user."""
    compartments, synapses = problem.compartments, problem.synapses
    at, parent = synapses.compartment, compartments.parent
    gain = (synapses.reversal - voltage[at]) * q[at]
    inputs = np.bincount(synapses.source, gain * synapses.conductance, synapses.n_inputs).astype(np.float64)
    coupling = (voltage - voltage[parent]) * (q[parent] - q)
    coupling[0] = 0.0
    return {
        "conductance": x[synapses.source] * gain,
        "coupling": coupling,
        "leak": (compartments.leak_reversal - voltage) * q,
        "inputs": inputs,
    }
