"""Layers of point neurons: their activation functions, how they are arranged, and what a forward pass leaves behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..kernels.memory import aligned

Floats = NDArray[Any]
Integers = NDArray[np.int64]


class Activation(ABC):
    """Activation function a = f(V) of hidden units."""

    name: ClassVar[str]
    gain: ClassVar[float]
    """Standard deviation of weights, times sqrt(fan-in), that keeps the variance of activities (He et al. 2015)."""

    @staticmethod
    @abstractmethod
    def apply(voltage: Floats, out: Floats) -> None:
        """f(V) into `out`, which may be `voltage` itself."""

    @staticmethod
    @abstractmethod
    def derivative(voltage: Floats, output: Floats, out: Floats) -> None:
        """f'(V) into `out`, given V and f(V)."""


class Rectified(Activation):
    """max(V, 0), whose derivative at 0 is taken to be 0."""

    name = "relu"
    gain = 2.0**0.5

    @staticmethod
    def apply(voltage: Floats, out: Floats) -> None:
        np.maximum(voltage, 0, out=out)

    @staticmethod
    def derivative(voltage: Floats, output: Floats, out: Floats) -> None:
        np.greater(voltage, 0, out=out)


class Tanh(Activation):
    """tanh V."""

    name = "tanh"
    gain = 5.0 / 3.0

    @staticmethod
    def apply(voltage: Floats, out: Floats) -> None:
        np.tanh(voltage, out=out)

    @staticmethod
    def derivative(voltage: Floats, output: Floats, out: Floats) -> None:
        np.square(output, out=out)
        np.subtract(1, out, out=out)


ACTIVATIONS: dict[str, type[Activation]] = {kind.name: kind for kind in (Rectified, Tanh)}


@dataclass(frozen=True)
class Units:
    """One hidden layer: what a population is in a dendritic network.

    Attributes
    ----------
    name : str
        "hidden1", "hidden2", ...
    cells : range
        Its units.
    """

    name: str
    cells: range


class PointLayout:
    """Hidden units of a point network, one layer after the other; every unit is a cell with a single compartment.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
        Units of each hidden layer.

    Attributes
    ----------
    populations : tuple of Units
    cells_of, compartments_of : tuple of (int, int)
        Range of units of each hidden layer.
    layers : tuple of (str, int)
        Name of each layer, and stage 0.
    parent, cell, roots, stage, layer, population : int arrays of shape (N,)
        As in `Layout`: no unit has a parent, each is the root of its own cell.
    readout, hidden : int arrays
        Units of the last layer, which the decoder reads, and all others.
    """

    def __init__(self, n_inputs: int, widths: Sequence[int]) -> None:
        self.n_inputs = n_inputs
        ends = np.cumsum(widths).tolist()
        self.cells_of = tuple((end - width, end) for end, width in zip(ends, widths, strict=True))
        self.compartments_of = self.cells_of
        self.populations = tuple(Units(f"hidden{i + 1}", range(*span)) for i, span in enumerate(self.cells_of))
        self.layers = tuple((units.name, 0) for units in self.populations)
        n = int(ends[-1])
        self.roots: Integers = np.arange(n)
        self.cell: Integers = np.arange(n)
        self.parent: Integers = np.full(n, -1)
        self.stage: Integers = np.zeros(n, np.int64)
        self.layer: Integers = np.repeat(np.arange(len(widths)), widths)
        self.population = self.layer
        self.readout: Integers = np.arange(*self.cells_of[-1])
        self.hidden: Integers = np.arange(self.cells_of[-1][0])

    @property
    def size(self) -> int:
        """Number of hidden units, N."""
        return int(self.cell.size)

    @property
    def n_cells(self) -> int:
        """The same."""
        return self.size

    @property
    def n_layers(self) -> int:
        """Number of hidden layers."""
        return len(self.layers)

    @property
    def n_rows(self) -> int:
        """Number of presynaptic rows: inputs, then units."""
        return self.n_inputs + self.size


class PointActivity:
    """Voltages and outputs of all hidden units for B samples, in one block as wide as the batch: ``[1, N, B]``.

    Parameters
    ----------
    layout : PointLayout
    n_samples : int
        B.
    dtype : numpy dtype
        float32 or float64.

    Attributes
    ----------
    x : array of shape (B, n_inputs)
        Input of the network; not a copy.
    voltage, output, derivative : arrays of shape (1, N, B)
        V = W a + b of what is below, a = f(V) and f'(V).
    resistance : array of shape (1, N, B)
        Ones: a weight adds its current to V as it is.
    soma : array of shape (B, n_readout)
        Outputs of the last hidden layer, a view.
    logits : array of shape (B, n_outputs)
    """

    n_blocks = 1
    x: Floats
    logits: Floats

    def __init__(self, layout: PointLayout, n_samples: int, dtype: np.dtype[Any]) -> None:
        self.n_samples = self.width = n_samples
        self.dtype = np.dtype(dtype)
        self._readout = slice(*layout.cells_of[-1])
        self._n_units = layout.size
        self.voltage, self.output, self.derivative = (self.empty(layout.size) for _ in range(3))
        self.resistance: Floats = np.ones((1, layout.size, n_samples), self.dtype)

    @property
    def soma(self) -> Floats:
        """Outputs of the last hidden layer, a view of shape (B, n_readout)."""
        return self.output[0, self._readout].T

    @property
    def inputs(self) -> Floats:
        """Input as a block of shape (1, n_inputs, B), a view."""
        return self.x.T[None]

    def empty(self, rows: int) -> Floats:
        """Zeros of shape (1, `rows`, B)."""
        return aligned((1, rows, self.n_samples), self.dtype)

    def batch_first(self, blocks: Floats) -> Floats:
        """Copy of an array in `blocks` as (B, rows)."""
        return np.array(blocks[0].T, order="C")

    def blocks(self, array: Floats, out: Floats | None = None) -> Floats:
        """Copy of an `array` of shape (B, rows) as a block of shape (1, rows, B); into `out` if that is given."""
        target = np.empty((1, array.shape[1], self.n_samples), self.dtype) if out is None else out
        target[0] = array.T
        return target

    def voltages(self, compartments: Integers) -> Floats:
        """Voltage of these units (`compartments`), shape (B, len(compartments))."""
        return self.batch_first(self.voltage[:, compartments])

    def of_cells(self, values: Floats) -> Floats:
        """The `values`, (B, n_readout), of the last hidden layer, in blocks over all units, 0 at the others."""
        every = self.empty(self._n_units)
        every[0, self._readout] = values.T
        return every
