"""What one forward pass leaves behind, in blocks of neighbouring samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.memory import aligned
from .layout import Layout

Floats = NDArray[Any]

WIDTHS = {"float32": (64, 32, 16, 8), "float64": (32, 16, 8, 4)}
"""Samples per block, from the widest to the one for a few samples."""
_CACHE = 512 * 2**10
"""Bytes of presynaptic rows per block that stay in a second-level cache while every synapse reads from them."""


def width_for(n_samples: int, rows: int, dtype: np.dtype[Any]) -> int:
    """Samples per block: as many as keep the presynaptic rows in the cache, and no more than are needed."""
    *wide, narrow = WIDTHS[dtype.name]
    if n_samples <= narrow:
        return narrow
    most = next((w for w in wide if w * rows * dtype.itemsize <= _CACHE), wide[-1])
    return min((w for w in wide if n_samples <= w <= most), default=most)


class Activity:
    """Inputs, voltages and outputs of every compartment for B samples.

    Arrays are in blocks, ``[n_blocks, rows, width]``: sample b is lane ``b % width`` of block ``b // width``, and lanes
    without a sample hold the response to no input. `batch_first` copies out.

    Parameters
    ----------
    layout : Layout
    n_samples : int
        B.
    dtype : numpy dtype
        float32 or float64.

    Attributes
    ----------
    presynaptic : array of shape (n_blocks, n_inputs + C, width)
        Inputs, then the output of each cell.
    inputs : array of shape (n_blocks, n_inputs, width)
        The first of them.
    voltage, resistance, output, derivative : arrays of shape (n_blocks, N, width)
        V, R = 1 / G, a = f(V) and f'(V).
    soma : array of shape (B, n_readout)
        Outputs of the cells that the decoder reads.
    logits : array of shape (B, n_outputs)
        What the decoder makes of them.
    """

    soma: Floats
    logits: Floats

    def __init__(self, layout: Layout, n_samples: int, dtype: np.dtype[Any]) -> None:
        self.n_samples, self.dtype = n_samples, np.dtype(dtype)
        self.width = width_for(n_samples, layout.n_rows, self.dtype)
        self.n_blocks = -(-n_samples // self.width)
        self.lanes = (0.0,) * self.width
        self._layout = layout
        rows = layout.n_inputs + layout.readout
        neighbours = rows[-1] - rows[0] == rows.size - 1
        self._read = slice(int(rows[0]), int(rows[-1]) + 1) if neighbours else rows  # a slice is not copied
        self.presynaptic = self.empty(layout.n_rows)
        self.inputs = self.presynaptic[:, : layout.n_inputs]
        self.voltage, self.resistance, self.output, self.derivative = (self.empty(layout.size) for _ in range(4))

    def empty(self, rows: int) -> Floats:
        """Zeros of shape (n_blocks, `rows`, width)."""
        return aligned((self.n_blocks, rows, self.width), self.dtype)

    def batch_first(self, blocks: Floats) -> Floats:
        """Copy of an array in `blocks` as (B, rows)."""
        rows = blocks.shape[1]
        return np.ascontiguousarray(blocks.transpose(0, 2, 1).reshape(-1, rows)[: self.n_samples])

    def blocks(self, array: Floats, out: Floats | None = None) -> Floats:
        """An `array` of shape (B, rows) in blocks, zero where there is no sample; into `out` if that is given."""
        rows = array.shape[1]
        target = self.empty(rows) if out is None else out
        flat = array
        if self.n_samples % self.width:
            flat = np.zeros((self.n_blocks * self.width, rows), self.dtype)
            flat[: self.n_samples] = array
        target[...] = flat.reshape(self.n_blocks, self.width, rows).transpose(0, 2, 1)
        return target

    def voltages(self, compartments: NDArray[np.int64]) -> Floats:
        """Voltage of these `compartments`, shape (B, len(compartments))."""
        return self.batch_first(self.voltage[:, compartments])

    def read(self) -> Floats:
        """Copy the outputs of the cells that the decoder reads into `soma`."""
        self.soma = self.batch_first(self.presynaptic[:, self._read])
        return self.soma

    def of_cells(self, values: Floats) -> Floats:
        """The `values`, (B, n_readout), of the cells that are read, in blocks over all cells, 0 at the others."""
        layout = self._layout
        if layout.readout.size == layout.n_cells:
            return self.blocks(values)
        every = np.zeros((self.n_samples, layout.n_cells), self.dtype)
        every[:, layout.readout] = values
        return self.blocks(every)
