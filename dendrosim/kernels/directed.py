"""Directed trees, in which children drive their parents: forward pass, adjoint and path gains (paper eq. 3-4, 9-10).

With a = f(V) behind a gate, or a = V without one, and everything relative to the leak's reversal potential:

    V_n = (sum_j x_j g_j d_j + sum_c g_c a_c + I_n) / G_n,    G_n = base_n + shunt * sum_j x_j g_j.

Shunting integration has base = leak + sum_c g_c and shunt = 1; additive integration is the same with base = 1 and
shunt = 0. The arrays are those of `cable`, with `base` in place of `leak` and, per compartment, the `slope` and
`midpoint` of the gate f(V) = (tanh(slope (V - midpoint)) + 1) / 2 (arrays of shape (0,): no gates).
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit
from numpy.typing import NDArray

from .blocks import gather, scatter
from .simd import fill, load, store, total
from .synapses import add_conductances, add_currents, contract

Array = NDArray[Any]
Lanes = tuple[float, ...]

ROWS = 5
"""Blocks of the size of the tree in the scratch memory."""


@njit(cache=True, nogil=True, error_model="numpy")
def _gate(
    v: Array, slope: Array, midpoint: Array, offset: float, activity: Array, derivative: Array, width: int
) -> None:
    """Activity f(V) relative to `offset`, and f'(V), of every compartment of a block."""
    for n in range(slope.size):
        for i in range(n * width, (n + 1) * width):
            z = slope[n] * (v[i] + offset - midpoint[n])
            e = math.exp(-2.0 * abs(z))  # f' from e keeps all digits where 1 - tanh^2 would lose them
            activity[i] = (1.0 if z > 0 else e) / (1.0 + e) - offset
            derivative[i] = 2.0 * slope[n] * e / ((1.0 + e) * (1.0 + e))


@njit(cache=True, nogil=True, error_model="numpy")
def solve(
    work: Array,
    parent: Array,
    base: Array,
    coupling: Array,
    compartment: Array,
    source: Array,
    conductance: Array,
    drive: Array,
    shunt: float,
    offset: float,
    slope: Array,
    midpoint: Array,
    x: Array,
    n_inputs: int,
    current: Array,
    n_rows: int,
    voltage: Array,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    """Steady voltages, one pass from the tips to the roots; arguments as in `cable.solve`."""
    width = len(lanes)
    n_nodes = parent.size
    gated = slope.size > 0
    size = (n_nodes + 1) * width
    G, b, inputs = work[:size], work[size : 2 * size], work[2 * size :]
    for block in range(first, last):
        row = block * width
        gather(x, n_inputs, row, n_rows, inputs, 0.0, lanes)
        add_currents(current, row, n_rows, compartment, source, conductance, drive, inputs, n_nodes, b, lanes)
        add_conductances(base, compartment, source, conductance, shunt, inputs, G, lanes)
        for n in range(n_nodes - 1, -1, -1):
            i = n * width
            up = parent[n] * width
            v = load(b, i, lanes) / load(G, i, lanes)
            store(b, i, v)
            if gated:
                for w in range(width):
                    z = slope[n] * (b[i + w] + offset - midpoint[n])
                    e = math.exp(-2.0 * abs(z))
                    b[up + w] += coupling[n] * ((1.0 if z > 0 else e) / (1.0 + e) - offset)
            else:
                store(b, up, load(b, up, lanes) + v * coupling[n])
        scatter(voltage, n_nodes, row, n_rows, b, offset, lanes)


@njit(cache=True, nogil=True, error_model="numpy")
def adjoint(
    work: Array,
    parent: Array,
    base: Array,
    coupling: Array,
    compartment: Array,
    source: Array,
    conductance: Array,
    drive: Array,
    shunt: float,
    offset: float,
    slope: Array,
    midpoint: Array,
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
    """Credits from the roots to the tips (eq. 9), the gradient of every parameter; arguments as in `cable.adjoint`."""
    width = len(lanes)
    n_nodes = parent.size
    n_cells = roots.size
    gated = slope.size > 0
    zero = fill(base.dtype.type(0.0), lanes)
    size, wide = (n_nodes + 1) * width, n_inputs * width
    G, q, v = work[:size], work[size : 2 * size], work[2 * size : 3 * size]
    a, slant = work[3 * size : 4 * size], work[4 * size : 5 * size]
    inputs, to_inputs, at_roots = (
        work[5 * size :],
        work[5 * size + wide : 5 * size + 2 * wide],
        work[5 * size + 2 * wide :],
    )
    for block in range(first, last):
        row = block * width
        gather(x, n_inputs, row, n_rows, inputs, 0.0, lanes)
        add_conductances(base, compartment, source, conductance, shunt, inputs, G, lanes)
        if loss.size == n_rows * n_nodes and n_cells != n_nodes:
            gather(loss, n_nodes, row, n_rows, q, 0.0, lanes)
        else:
            for n in range(n_nodes):
                store(q, n * width, zero)
            gather(loss, n_cells, row, n_rows, at_roots, 0.0, lanes)
            for k in range(n_cells):
                store(q, roots[k] * width, load(at_roots, k * width, lanes))
        store(q, n_nodes * width, zero)
        gather(voltage, n_nodes, row, n_rows, v, -offset, lanes)
        store(v, n_nodes * width, zero)
        if gated:
            _gate(v, slope, midpoint, offset, a, slant, width)
        for n in range(n_nodes):
            i = n * width
            up = parent[n] * width
            above = load(q, up, lanes)
            vn = load(v, i, lanes)
            if gated:
                credit = load(q, i, lanes) + above * coupling[n] * load(slant, i, lanes)
                out = load(a, i, lanes)
            else:
                credit = load(q, i, lanes) + above * coupling[n]
                out = vn
            here = credit / load(G, i, lanes)
            store(q, i, here)
            d_leak[n] -= shunt * total(vn * here)
            d_coupling[n] += total((out - load(v, up, lanes) * shunt) * above)
        contract(compartment, source, conductance, drive, shunt, inputs, v, q, d_conductance, to_inputs, lanes)
        scatter(current, n_nodes, row, n_rows, q, 0.0, lanes)
        scatter(d_inputs, n_inputs, row, n_rows, to_inputs, 0.0, lanes)
    for k in range(n_cells):  # a root has no parent to couple to
        d_coupling[roots[k]] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def resistances(
    work: Array,
    parent: Array,
    base: Array,
    coupling: Array,
    compartment: Array,
    source: Array,
    conductance: Array,
    drive: Array,
    shunt: float,
    offset: float,
    slope: Array,
    midpoint: Array,
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
    """R_n = 1 / G_n and the path gain dV_soma / dV_n = prod R_k g_k f'(V) (eq. 10).

    Arguments as in `cable.resistances`.
    """
    width = len(lanes)
    n_nodes = parent.size
    gated = slope.size > 0
    one = base.dtype.type(1.0)
    size = (n_nodes + 1) * width
    G, gain, v = work[:size], work[size : 2 * size], work[2 * size : 3 * size]
    slant, inputs = work[3 * size : 4 * size], work[4 * size :]
    for block in range(first, last):
        row = block * width
        gather(x, n_inputs, row, n_rows, inputs, 0.0, lanes)
        add_conductances(base, compartment, source, conductance, shunt, inputs, G, lanes)
        store(G, n_nodes * width, fill(one, lanes))
        store(gain, n_nodes * width, fill(one, lanes))
        if gated:
            gather(voltage, n_nodes, row, n_rows, v, -offset, lanes)
            _gate(v, slope, midpoint, offset, v, slant, width)
        for n in range(n_nodes):
            i = n * width
            up = parent[n] * width
            store(G, i, one / load(G, i, lanes))
            step = load(gain, up, lanes)
            if parent[n] < n_nodes:
                step = step * load(G, up, lanes) * coupling[n]
                if gated:
                    step = step * load(slant, i, lanes)
            store(gain, i, step)
        scatter(input_resistance, n_nodes, row, n_rows, G, 0.0, lanes)
        scatter(attenuation, n_nodes, row, n_rows, gain, 0.0, lanes)
