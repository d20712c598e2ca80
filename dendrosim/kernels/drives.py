"""What a compartment is driven by: its parent's voltage, or the currents of its children; flat blocks of samples.

Arrays as in `layers`: row r of block k of an array with `rows` rows begins at ``(k * rows + r) * width``, compartments
stand cell after cell, parents before children, roots have parent -1. Children are summed in the order of `layers`: a
voltage that their current alone makes is the same to the last bit.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from .simd import fill, load, store, total

Array = NDArray[Any]
Lanes = tuple[float, ...]


@njit(cache=True, nogil=True, error_model="numpy")
def parent_drive(
    parent: Array, coupling: Array, voltage: Array, output: Array, drive: Array, n_blocks: int, lanes: Lanes
) -> None:
    """Voltage of the parent; at roots, which have none, the current from their children, sum_c g_c a_c."""
    width = len(lanes)
    n_nodes = parent.size
    nothing = fill(voltage.dtype.type(0.0), lanes)
    for block in range(n_blocks):
        v0 = block * n_nodes * width
        for n in range(n_nodes):
            i = v0 + n * width
            store(drive, i, load(voltage, v0 + parent[n] * width, lanes) if parent[n] >= 0 else nothing)
        for n in range(n_nodes - 1, -1, -1):
            i = v0 + n * width
            if parent[n] >= 0 and parent[parent[n]] < 0:
                up = v0 + parent[n] * width
                store(drive, up, load(drive, up, lanes) + load(output, i, lanes) * coupling[n])


@njit(cache=True, nogil=True, error_model="numpy")
def child_drive(
    parent: Array,
    first: Array,
    middle: Array,
    source: Array,
    conductance: Array,
    coupling: Array,
    presynaptic: Array,
    n_presynaptic: int,
    output: Array,
    drive: Array,
    is_leaf: Array,
    n_blocks: int,
    lanes: Lanes,
) -> None:
    """Current from the children, sum_c g_c a_c; at leaves the excitatory drive, sum_j x_j g_j.

    Parameters
    ----------
    presynaptic : array of n_blocks * n_presynaptic * width values
    is_leaf : bool array of shape (N,)
        Scratch.
    """
    width = len(lanes)
    n_nodes = parent.size
    nothing = fill(output.dtype.type(0.0), lanes)
    is_leaf[:] = True
    for n in range(n_nodes):
        if parent[n] >= 0:
            is_leaf[parent[n]] = False
    for block in range(n_blocks):
        v0 = block * n_nodes * width
        x0 = block * n_presynaptic * width
        for n in range(n_nodes):
            store(drive, v0 + n * width, nothing)
        for n in range(n_nodes - 1, -1, -1):
            i = v0 + n * width
            if is_leaf[n]:
                current = nothing
                for j in range(first[n], middle[n]):
                    current = current + load(presynaptic, x0 + source[j] * width, lanes) * conductance[j]
                store(drive, i, current)
            if parent[n] >= 0:
                up = v0 + parent[n] * width
                store(drive, up, load(drive, up, lanes) + load(output, i, lanes) * coupling[n])


@njit(cache=True, nogil=True, error_model="numpy")
def centred_mismatch(drive: Array, voltage: Array, n_nodes: int, n_samples: int, mismatch: Array, lanes: Lanes) -> None:
    """Drive minus voltage, less its mean over the batch (local-credit paper, eq. 13); 0 past the last sample."""
    width = len(lanes)
    n_blocks = (n_samples + width - 1) // width
    for n in range(n_nodes):
        mean = 0.0
        for block in range(n_blocks):
            i = (block * n_nodes + n) * width
            here = min(width, n_samples - block * width)
            difference = load(drive, i, lanes) - load(voltage, i, lanes)
            store(mismatch, i, difference)
            if here == width:
                mean += total(difference)
            else:
                for w in range(here):
                    mean += mismatch[i + w]
        shift = voltage.dtype.type(mean / n_samples)
        for block in range(n_blocks):
            i = (block * n_nodes + n) * width
            here = min(width, n_samples - block * width)
            store(mismatch, i, load(mismatch, i, lanes) - fill(shift, lanes))
            for w in range(here, width):
                mismatch[i + w] = 0.0
