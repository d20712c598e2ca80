"""What one forward pass of single neurons leaves behind, and their compartments as plain arrays."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..biophysics.steady import State
from ..morphology.compartments import Compartments
from .layout import Population

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NAME = "neurons"
"""Of the one population that single neurons form."""


class NeuronLayout:
    """Compartments and cells of single neurons, with the names that a network's `Layout` has for them.

    Parameters
    ----------
    compartments : Compartments
        One cell, or several.
    n_inputs : int

    Attributes
    ----------
    n_inputs, size, n_cells, n_layers : int
        Inputs P, compartments N, cells C, and pairs of population and stage.
    parent, cell, stage, layer : int arrays of shape (N,)
        Parent compartment (-1 at roots), cell, number of branchings above, and index into `layers`.
    child : int array
        Compartments that have a parent.
    roots, readout, hidden : int arrays
        Root compartment of every cell, the cells that are read (all of them), and the others (none).
    layers : tuple of (str, int)
        The one population, ``"neurons"``, and a stage.
    populations : tuple of Population
    cells_of, compartments_of : tuple of (int, int)
        Range of cells and of compartments of the population.
    trees : tuple of Compartments
    """

    def __init__(self, compartments: Compartments, n_inputs: int) -> None:
        self.n_inputs, self.size, self.n_cells = n_inputs, compartments.size, compartments.n_cells
        self.parent, self.cell, self.stage = compartments.parent, compartments.cell, compartments.stage
        self.roots: Integers = compartments.roots
        self.child: Integers = np.flatnonzero(self.parent >= 0)
        stages, layer = np.unique(self.stage, return_inverse=True)
        self.layer: Integers = layer.reshape(-1)
        self.layers = tuple((NAME, int(s)) for s in stages)
        self.n_layers = len(self.layers)
        self.readout: Integers = np.arange(self.n_cells)
        self.hidden: Integers = np.empty(0, np.int64)
        self.trees = (compartments,)
        self.populations = (Population(NAME, (compartments,) * self.n_cells),)
        self.cells_of, self.compartments_of = ((0, self.n_cells),), ((0, self.size),)


class NeuronActivity:
    """Inputs, voltages and outputs of every compartment for B samples.

    Arrays are in one block, ``[1, rows, B]``, as networks have them in several (`Activity`): the batch comes last.

    Parameters
    ----------
    state : State
        The steady state.
    layout : NeuronLayout
    output, derivative : float arrays of shape (B, N)
        a = (f(V) - reference) / scale and da/dV.
    x : float array of shape (B, P), optional
        Presynaptic activities, where they are not those of the state.

    Attributes
    ----------
    state : State
    voltage : float array of shape (1, N, B)
        V relative to the leak's reversal potential, mV.
    output, derivative : float arrays of shape (1, N, B)
        a, of dimension 1, and da/dV.
    soma : float array of shape (B, C)
        a of every root: what the decoder reads.
    logits : float array of shape (B, n_outputs)
    """

    n_blocks = 1
    dtype = np.dtype(np.float64)
    logits: Floats

    def __init__(
        self, state: State, layout: NeuronLayout, output: Floats, derivative: Floats, x: Floats | None = None
    ) -> None:
        self.state, self._x = state, state.x if x is None else x
        self.n_samples = self.width = len(state.x)
        self.voltage = self.blocks(state.solved - state.compartments.leak_reversal)
        self.output, self.derivative = self.blocks(output), self.blocks(derivative)
        self.soma: Floats = np.ascontiguousarray(output[:, layout.roots])

    @cached_property
    def inputs(self) -> Floats:
        """Presynaptic activities, shape (1, P, B)."""
        return self.blocks(self._x)

    @cached_property
    def resistance(self) -> Floats:
        """Input resistance R_n, shape (1, N, B), GOhm: the true one in the cable, 1 / G_n in a directed tree."""
        return self.blocks(self.state.input_resistance)

    def empty(self, rows: int) -> Floats:
        """Zeros of shape (1, rows, B)."""
        return np.zeros((1, rows, self.width))

    def batch_first(self, blocks: Floats) -> Floats:
        """Copy of an array in one block as (B, rows)."""
        return np.array(blocks[0].T, order="C")

    def blocks(self, array: Floats, out: Floats | None = None) -> Floats:
        """An array of shape (B, rows) in one block."""
        if out is None:
            return np.array(array.T[None], order="C", dtype=np.float64)
        out[0] = array.T
        return out

    def voltages(self, compartments: Integers) -> Floats:
        """Voltage of some compartments relative to the leak's reversal potential, shape (B, len(compartments)), mV."""
        return self.batch_first(self.voltage[:, compartments])

    def of_cells(self, values: Floats) -> Floats:
        """Values of shape (B, C) in one block; every cell is read."""
        return self.blocks(values)
