"""What synapses do to a block of stimuli, and what the block's credits say about them.

Arguments are those of `cable`; all arrays but those of the wiring are blocks (see `simd`).
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from .blocks import gather
from .simd import fill, load, store, total

Array = NDArray[Any]
Lanes = tuple[float, ...]


@njit(cache=True, nogil=True, error_model="numpy")
def add_conductances(
    base: Array,
    compartment: Array,
    source: Array,
    conductance: Array,
    shunt: float,
    inputs: Array,
    G: Array,
    lanes: Lanes,
) -> None:
    """Own and synaptic conductance of every compartment into G; the padding row becomes 0."""
    width = len(lanes)
    n_nodes = base.size
    for n in range(n_nodes):
        store(G, n * width, fill(base[n], lanes))
    store(G, n_nodes * width, fill(base.dtype.type(0.0), lanes))
    if shunt != 0.0:
        for j in range(compartment.size):
            i = compartment[j] * width
            store(G, i, load(G, i, lanes) + load(inputs, source[j] * width, lanes) * conductance[j])


@njit(cache=True, nogil=True, error_model="numpy")
def add_currents(
    current: Array,
    row: int,
    n_rows: int,
    compartment: Array,
    source: Array,
    conductance: Array,
    drive: Array,
    inputs: Array,
    n_nodes: int,
    b: Array,
    lanes: Lanes,
) -> None:
    """Injected and synaptic current of every compartment into b; the padding row becomes 0."""
    width = len(lanes)
    zero = fill(b.dtype.type(0.0), lanes)
    if current.size == 0:
        for n in range(n_nodes):
            store(b, n * width, zero)
    elif current.size == n_nodes:
        for n in range(n_nodes):
            store(b, n * width, fill(current[n], lanes))
    else:
        gather(current, n_nodes, row, n_rows, b, 0.0, lanes)
    store(b, n_nodes * width, zero)
    for j in range(compartment.size):
        i = compartment[j] * width
        store(b, i, load(b, i, lanes) + load(inputs, source[j] * width, lanes) * (conductance[j] * drive[j]))


@njit(cache=True, nogil=True, error_model="numpy")
def contract(
    compartment: Array,
    source: Array,
    conductance: Array,
    drive: Array,
    shunt: float,
    inputs: Array,
    v: Array,
    q: Array,
    d_conductance: Array,
    to_inputs: Array,
    lanes: Lanes,
) -> None:
    """Gradients of synapses, x (d - shunt V) q, and inputs, g (d - shunt V) q, with V relative to the leak.

    Adds to `d_conductance`, shape (n_synapses,); sets `to_inputs`.
    """
    width = len(lanes)
    zero = fill(conductance.dtype.type(0.0), lanes)
    for i in range(0, to_inputs.size, width):
        store(to_inputs, i, zero)
    for j in range(compartment.size):
        i = compartment[j] * width
        s = source[j] * width
        gain = (drive[j] - load(v, i, lanes) * shunt) * load(q, i, lanes)
        d_conductance[j] += total(load(inputs, s, lanes) * gain)
        store(to_inputs, s, load(to_inputs, s, lanes) + gain * conductance[j])
