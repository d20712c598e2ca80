"""The reciprocal cable: steady states, adjoints and input resistances of trees, by elimination without subtraction.

Every compartment hands its parent the conductance that its subtree presents, so that nothing is ever subtracted (the
usual Hines elimination, J Bio-Med Comput 1984, subtracts; in float32 it loses three digits that this keeps). With G the
conductance seen into a subtree from its root compartment and g the coupling to the parent:

    m = g / (G + g),    G_parent += m G,    b_parent += m b,    then downwards    V = b / (G + g) + m V_parent.

All functions work on blocks of stimuli (see `simd`), from `first` to `last`, and take

work : float array of shape (width * (ROWS * (N + 1) + 2 P + n_cells),)
    Scratch memory.
parent : int array of shape (N,)
    Parents precede their children; roots have parent N, a row that only pads the workspace.
leak, coupling : float arrays of shape (N,)
    Coupling is 0 at roots.
compartment, source : int arrays of shape (n_synapses,)
conductance, drive : float arrays of shape (n_synapses,)
    `drive` is the reversal potential relative to the leak's, or the driving force of an additive synapse.
shunt : float
    1 if synapses add their conductance to the compartment, 0 if they only inject current.
x : float array of shape (B * P,)
    Presynaptic activities, batch first.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from .blocks import gather, scatter
from .simd import fill, load, store, total
from .synapses import add_conductances, add_currents, contract

Array = NDArray[Any]
Lanes = tuple[float, ...]

ROWS = 4
"""Blocks of the size of the tree in the scratch memory."""


@njit(cache=True, nogil=True, error_model="numpy")
def _eliminate(parent: Array, coupling: Array, G: Array, m: Array, lanes: Lanes) -> None:
    """Tips to roots: subtree conductances in G, the ratio m = dV / dV_parent; G becomes 1 / (G + coupling)."""
    width = len(lanes)
    one = coupling.dtype.type(1.0)
    for n in range(parent.size - 1, -1, -1):
        i = n * width
        up = parent[n] * width
        g = load(G, i, lanes)
        r = one / (g + coupling[n])
        ratio = r * coupling[n]
        store(G, up, load(G, up, lanes) + ratio * g)
        store(G, i, r)
        store(m, i, ratio)


@njit(cache=True, nogil=True, error_model="numpy")
def solve(
    work: Array,
    parent: Array,
    leak: Array,
    coupling: Array,
    compartment: Array,
    source: Array,
    conductance: Array,
    drive: Array,
    shunt: float,
    offset: float,
    x: Array,
    n_inputs: int,
    current: Array,
    n_rows: int,
    voltage: Array,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    """Steady voltages.

    Parameters
    ----------
    offset : float
        Reversal potential of the leak, added to the result.
    current : float array of shape (0,), (N,) or (B * N,)
        Injected currents: none, the same for all stimuli, or each its own.
    voltage : float array of shape (B * N,)
        Result.
    """
    width = len(lanes)
    n_nodes = parent.size
    one = leak.dtype.type(1.0)
    zero = fill(leak.dtype.type(0.0), lanes)
    size = (n_nodes + 1) * width
    G, b, m, inputs = work[:size], work[size : 2 * size], work[2 * size : 3 * size], work[3 * size :]
    for block in range(first, last):
        row = block * width
        gather(x, n_inputs, row, n_rows, inputs, 0.0, lanes)
        add_currents(current, row, n_rows, compartment, source, conductance, drive, inputs, n_nodes, b, lanes)
        add_conductances(leak, compartment, source, conductance, shunt, inputs, G, lanes)
        for n in range(n_nodes - 1, -1, -1):
            i = n * width
            up = parent[n] * width
            g = load(G, i, lanes)
            into = load(b, i, lanes)
            r = one / (g + coupling[n])
            ratio = r * coupling[n]
            store(G, up, load(G, up, lanes) + ratio * g)
            store(b, up, load(b, up, lanes) + ratio * into)
            store(b, i, r * into)
            store(m, i, ratio)
        store(b, n_nodes * width, zero)
        for n in range(n_nodes):
            i = n * width
            store(b, i, load(b, i, lanes) + load(m, i, lanes) * load(b, parent[n] * width, lanes))
        scatter(voltage, n_nodes, row, n_rows, b, offset, lanes)


@njit(cache=True, nogil=True, error_model="numpy")
def adjoint(
    work: Array,
    parent: Array,
    leak: Array,
    coupling: Array,
    compartment: Array,
    source: Array,
    conductance: Array,
    drive: Array,
    shunt: float,
    offset: float,
    x: Array,
    n_inputs: int,
    voltage: Array,
    n_rows: int,
    roots: Array,
    loss: Array,
    current: Array,
    d_conductance: Array,
    d_coupling: Array,
    d_leak: Array,
    d_inputs: Array,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    """Solve G^T q = dL/dV and contract q with the voltages into the gradient of every parameter.

    Parameters
    ----------
    voltage : float array of shape (B * N,)
        As `solve` returns it.
    roots : int array of shape (n_cells,)
    loss : float array of shape (B * n_cells,) or (B * N,)
        Partial derivatives of the loss at the roots or everywhere.
    current : float array of shape (B * N,)
        Result q = dL/dI.
    d_conductance, d_coupling, d_leak : float arrays of shape (n_synapses,), (N,) and (N,)
        Results, summed over the stimuli from `first` to `last`; added to what is there.
    d_inputs : float array of shape (B * P,)
        Result dL/dx.
    """
    width = len(lanes)
    n_nodes = parent.size
    n_cells = roots.size
    zero = fill(leak.dtype.type(0.0), lanes)
    size, wide = (n_nodes + 1) * width, n_inputs * width
    G, q, m, v = work[:size], work[size : 2 * size], work[2 * size : 3 * size], work[3 * size : 4 * size]
    inputs, to_inputs, at_roots = (
        work[4 * size :],
        work[4 * size + wide : 4 * size + 2 * wide],
        work[4 * size + 2 * wide :],
    )
    everywhere = loss.size == n_rows * n_nodes and n_cells != n_nodes
    for block in range(first, last):
        row = block * width
        gather(x, n_inputs, row, n_rows, inputs, 0.0, lanes)
        add_conductances(leak, compartment, source, conductance, shunt, inputs, G, lanes)
        _eliminate(parent, coupling, G, m, lanes)
        gather(voltage, n_nodes, row, n_rows, v, -offset, lanes)
        store(v, n_nodes * width, zero)
        if everywhere:
            gather(loss, n_nodes, row, n_rows, q, 0.0, lanes)
            store(q, n_nodes * width, zero)
            for n in range(n_nodes - 1, -1, -1):
                i = n * width
                up = parent[n] * width
                into = load(q, i, lanes)
                store(q, up, load(q, up, lanes) + load(m, i, lanes) * into)
                store(q, i, load(G, i, lanes) * into)
            store(q, n_nodes * width, zero)
        else:  # roots take their own q as the ratio to a padding row of ones
            gather(loss, n_cells, row, n_rows, at_roots, 0.0, lanes)
            for k in range(n_cells):
                store(m, roots[k] * width, load(G, roots[k] * width, lanes) * load(at_roots, k * width, lanes))
            store(q, n_nodes * width, fill(leak.dtype.type(1.0), lanes))
        for n in range(n_nodes):
            i = n * width
            up = parent[n] * width
            above = load(q, up, lanes)
            here = load(m, i, lanes) * above
            if everywhere:
                here = here + load(q, i, lanes)
            store(q, i, here)
            vn = load(v, i, lanes)
            d_leak[n] -= total(vn * here)
            d_coupling[n] += total((vn - load(v, up, lanes)) * (above - here))
        contract(compartment, source, conductance, drive, shunt, inputs, v, q, d_conductance, to_inputs, lanes)
        scatter(current, n_nodes, row, n_rows, q, 0.0, lanes)
        scatter(d_inputs, n_inputs, row, n_rows, to_inputs, 0.0, lanes)
    for k in range(n_cells):  # a root has no parent to couple to
        d_coupling[roots[k]] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def resistances(
    work: Array,
    parent: Array,
    leak: Array,
    coupling: Array,
    compartment: Array,
    source: Array,
    conductance: Array,
    drive: Array,
    shunt: float,
    offset: float,
    x: Array,
    n_inputs: int,
    voltage: Array,
    n_rows: int,
    input_resistance: Array,
    attenuation: Array,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    """Input resistance Z_nn of every compartment and the attenuation Z_0n / Z_nn of its voltage to the root.

    `drive`, `offset` and `voltage` are not used: both directions are called alike.

    Parameters
    ----------
    input_resistance, attenuation : float arrays of shape (B * N,)
        Results.

    Notes
    -----
    The diagonal of the inverse by its own recursion from the root, again without subtraction:
    ``Z_nn = 1 / (G_n + g_n) + m_n^2 Z_pp`` and ``Z_0n = m_n Z_0p``.
    """
    width = len(lanes)
    n_nodes = parent.size
    one = leak.dtype.type(1.0)
    zero = fill(leak.dtype.type(0.0), lanes)
    size = (n_nodes + 1) * width
    G, m, transfer, inputs = work[:size], work[size : 2 * size], work[2 * size : 3 * size], work[3 * size :]
    for block in range(first, last):
        row = block * width
        gather(x, n_inputs, row, n_rows, inputs, 0.0, lanes)
        add_conductances(leak, compartment, source, conductance, shunt, inputs, G, lanes)
        _eliminate(parent, coupling, G, m, lanes)
        store(G, n_nodes * width, zero)
        store(transfer, n_nodes * width, zero)
        for n in range(n_nodes):
            i = n * width
            up = parent[n] * width
            ratio = load(m, i, lanes)
            z = load(G, i, lanes) + ratio * ratio * load(G, up, lanes)
            to_root = ratio * load(transfer, up, lanes)
            if parent[n] == n_nodes:
                to_root = z
            store(G, i, z)
            store(transfer, i, to_root)
            store(m, i, to_root * (one / z))
        scatter(input_resistance, n_nodes, row, n_rows, G, 0.0, lanes)
        scatter(attenuation, n_nodes, row, n_rows, m, 0.0, lanes)
