"""Eligibility traces of synapses and couplings, step by step for blocks of stimuli.

A trace follows ``tau de/dt = -e + x (E - V_n) R_n(t)`` (local-credit paper, appendix F), which a step of constant right
side takes to ``e <- a e + (1 - a) x (E - V_n) R_n``, exactly. R_n(t) is the input resistance that the leak and the
synapses of the moment make, without capacitance. In the cable it is found by elimination to the root and back, as
`cable.resistances` does, over the compartments that are left once those that never change are gone (`condense`); in
directed trees it is ``1 / G_n``.

The decay a is the same for all traces, or that of the membrane: ``M / (M + G)`` for M = C / h and the conductance G of
the compartment alone (Crank-Nicolson: ``(M - G) / (M + G)``). Both a and what a step adds are then those of the voltage
itself, so that the trace of an isolated compartment is its exact derivative dV/dg, whatever G did. Derived here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .simd import absolute, choose_least, clamp, exponential, fill, load, store

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Lanes = tuple[float, ...]

FIXED, DIRECTED, CABLE = 0, 1, 2
FLUSH, TINY = 32, 1e-200


class Matrix(NamedTuple):
    """Conductances besides the synapses', of `n` compartments, parents before children.

    Attributes
    ----------
    kind : int
        FIXED: input resistances are `resistance`, whatever synapses do; or DIRECTED or CABLE.
    parent : int array of shape (n,)
        n at roots.
    ground, coupling : float arrays of shape (n,)
        To ground, and in the cable to the parent.
    resistance : float array of shape (n,) or (0,)
    membrane : bool
        Whether traces decay as the membrane does; then `local` and `inertia` (n,) are the conductance of the
        compartment alone and its C / h.
    decay : float
        a, where they do not.
    """

    kind: int
    parent: Ints
    ground: Floats
    coupling: Floats
    resistance: Floats
    membrane: bool
    local: Floats
    inertia: Floats
    decay: float


class Traced(NamedTuple):
    """Synapses; those with a voltage-dependent block come last.

    Attributes
    ----------
    row, fraction : int arrays of shape (S,)
        Compartment, and column of the recorded open fractions.
    conductance, force : float arrays of shape (S,)
        And reversal relative to the leak's, or the driving force of an additive synapse.
    shunt : float
    scale, steepness : float arrays of shape (n_blocked,)
    """

    row: Ints
    fraction: Ints
    conductance: Floats
    force: Floats
    shunt: float
    scale: Floats
    steepness: Floats


class Links(NamedTuple):
    """Couplings that learn: compartments `child` (K,) and their parents; `pull` is 0 if the parent's voltage is not
    taken off (additive directed trees)."""

    child: Ints
    pull: float


class Spread(NamedTuple):
    """Credits that arrive over time: states p, q of every compartment, advanced as `transient.Drives` are."""

    on: bool
    p_decay: float
    q_decay: float
    q_gain: float
    p: Floats
    q: Floats


class Filter(NamedTuple):
    """For readouts of low-passed spikes: ``f <- decay f + h e`` for every trace e, with the surrogate derivative h of
    the cell's spikes, blocks (n_blocks, T, n_cells, width), and the cell of every compartment (n,)."""

    on: bool
    decay: float
    cell: Ints
    n_cells: int
    slope: Floats
    synapse: Floats
    upper: Floats
    lower: Floats


class Records(NamedTuple):
    """What steps left: blocks of voltages (n_blocks, T + 1, n, width), the first row before the first step; of what
    children pass on in the step before a row, the same shape, or empty for the voltage itself; and of fractions
    (n_blocks, T, n_fractions, width)."""

    voltage: Floats
    passed: Floats
    fraction: Floats
    n_fractions: int


class Traces(NamedTuple):
    """Blocks of traces (n_blocks, S, width), (n_blocks, K, width) by R of the parent and of the child; R of the last
    step (n_blocks, n, width); and what credits asked of synapses and couplings."""

    synapse: Floats
    upper: Floats
    lower: Floats
    resistance: Floats
    asked: Floats
    asked_links: Floats


@njit(cache=True, nogil=True, error_model="numpy")
def _resistances(matrix: Matrix, s: Floats, G: Floats, m: Floats, Z: Floats, lanes: Lanes) -> None:
    """Input resistances Z for synaptic conductances `s`."""
    width = len(lanes)
    parent, ground, coupling, n_nodes = matrix.parent, matrix.ground, matrix.coupling, matrix.parent.size
    one = 1.0
    if matrix.kind == FIXED:
        for n in range(n_nodes):
            store(Z, n * width, fill(matrix.resistance[n], lanes))
    elif matrix.kind == DIRECTED:
        for n in range(n_nodes):
            store(Z, n * width, one / (load(s, n * width, lanes) + ground[n]))
    else:
        for n in range(n_nodes):
            store(G, n * width, load(s, n * width, lanes) + ground[n])
        for n in range(n_nodes - 1, -1, -1):
            i, up = n * width, parent[n] * width
            g = load(G, i, lanes)
            r = one / (g + coupling[n])
            ratio = r * coupling[n]
            store(G, up, load(G, up, lanes) + ratio * g)
            store(G, i, r)
            store(m, i, ratio)
        store(Z, n_nodes * width, fill(0.0, lanes))
        for n in range(n_nodes):
            i, up = n * width, parent[n] * width
            ratio = load(m, i, lanes)
            store(Z, i, load(G, i, lanes) + ratio * ratio * load(Z, up, lanes))


@njit(cache=True, nogil=True, error_model="numpy")
def _flush(values: Floats, lanes: Lanes) -> None:
    least, zero = fill(TINY, lanes), fill(0.0, lanes)
    for i in range(0, values.size, len(lanes)):
        value = load(values, i, lanes)
        store(values, i, choose_least(absolute(value), least, value, zero))


@njit(cache=True, nogil=True, error_model="numpy")
def _pass(low_pass: Filter, place: Ints, e: Floats, f: Floats, h: Floats, lanes: Lanes) -> None:
    """Traces `e` at compartments `place` into filtered ones."""
    width = len(lanes)
    for j in range(place.size):
        i = j * width
        now = load(h, low_pass.cell[place[j]] * width, lanes) * load(e, i, lanes)
        store(f, i, load(f, i, lanes) * low_pass.decay + now)


@njit(cache=True, nogil=True)
def take_spikes(fired: Floats, decay: float, value: Floats) -> None:
    """``value <- decay value + fired`` for every row of `fired` (T, n), in place."""
    for t in range(fired.shape[0]):
        for i in range(value.size):
            value[i] = decay * value[i] + fired[t, i]


@njit(cache=True, nogil=True, error_model="numpy")
def _effective(traced: Traced, f: Floats, V: Floats, x: Floats, push: Floats, s: Floats, lanes: Lanes) -> None:
    """Conductances `s`; and of synapses with a block the open fraction `x` and the exact ``d current / d g`` at the
    voltages before the step, `push`, and its slope, which `_advance` uses."""
    width = len(lanes)
    row, fraction, conductance = traced.row, traced.fraction, traced.conductance
    plain = row.size - traced.scale.size
    if traced.shunt == 0.0:
        return
    for j in range(plain):
        i = row[j] * width
        store(s, i, load(s, i, lanes) + load(f, fraction[j] * width, lanes) * conductance[j])
    for k in range(traced.scale.size):
        j = plain + k
        i = row[j] * width
        v = load(V, i, lanes)
        open_ = load(f, fraction[j] * width, lanes)
        magnesium = exponential(clamp(v * -traced.steepness[k], -80.0, 80.0)) * traced.scale[k]
        unblocked = 1.0 / (magnesium + 1.0)
        driving = v - traced.force[j]
        slope = unblocked + unblocked * unblocked * magnesium * traced.steepness[k] * driving
        store(x, k * width, open_ * slope)
        store(push, k * width, open_ * (slope * v - unblocked * driving))
        store(s, i, load(s, i, lanes) + open_ * unblocked * conductance[j])


@njit(cache=True, nogil=True, error_model="numpy")
def trace(
    work: Floats,
    matrix: Matrix,
    traced: Traced,
    links: Links,
    spread: Spread,
    low_pass: Filter,
    records: Records,
    traces: Traces,
    middle: bool,
    start: int,
    n_steps: int,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    """Advance the traces of the blocks from `first` to `last` by `n_steps` recorded steps.

    Parameters
    ----------
    work : float array of shape (width * (5 (n + 1) + 2 n_blocked),)
        Scratch memory.
    middle : bool
        Crank-Nicolson: what drives a trace is taken at the middle of the step.
    start : int
        Number of steps done before.
    """
    width = len(lanes)
    zero = fill(0.0, lanes)
    n_nodes, parent, child = matrix.parent.size, matrix.parent, links.child
    n_synapses, n_links, nf = traced.row.size, child.size, records.n_fractions
    plain = n_synapses - traced.scale.size
    size = (n_nodes + 1) * width
    s, G, m, Z, A = (
        work[:size],
        work[size : 2 * size],
        work[2 * size : 3 * size],
        work[3 * size : 4 * size],
        work[4 * size : 5 * size],
    )
    x, push = work[5 * size :], work[5 * size + traced.scale.size * width :]
    row, fraction, force, shunt = traced.row, traced.fraction, traced.force, traced.shunt
    gated = records.passed.size > 0
    changing = matrix.kind != FIXED or matrix.membrane
    half = 0.5 if middle else 0.0
    for block in range(first, last):
        e = traces.synapse[block * n_synapses * width : (block + 1) * n_synapses * width]
        asked = traces.asked[block * n_synapses * width : (block + 1) * n_synapses * width]
        upper = traces.upper[block * n_links * width : (block + 1) * n_links * width]
        lower = traces.lower[block * n_links * width : (block + 1) * n_links * width]
        asked_links = traces.asked_links[block * n_links * width : (block + 1) * n_links * width]
        seen, seen_upper, seen_lower = e, upper, lower
        if low_pass.on:
            seen = low_pass.synapse[block * n_synapses * width : (block + 1) * n_synapses * width]
            seen_upper = low_pass.upper[block * n_links * width : (block + 1) * n_links * width]
            seen_lower = low_pass.lower[block * n_links * width : (block + 1) * n_links * width]
        p = spread.p[block * n_nodes * width : (block + 1) * n_nodes * width]
        q = spread.q[block * n_nodes * width : (block + 1) * n_nodes * width]
        for i in range(0, size, width):
            store(A, i, fill(matrix.decay, lanes))
            store(s, i, zero)
        if not changing:
            _resistances(matrix, s, G, m, Z, lanes)
        for step in range(n_steps):
            at = (block * (n_steps + 1) + step) * n_nodes * width
            V0 = records.voltage[at : at + n_nodes * width]
            V1 = records.voltage[at + n_nodes * width : at + 2 * n_nodes * width]
            at_f = (block * n_steps + step) * nf * width
            f = records.fraction[at_f : at_f + nf * width]
            if changing:
                for i in range(0, size, width):
                    store(s, i, zero)
                _effective(traced, f, V0, x, push, s, lanes)
                _resistances(matrix, s, G, m, Z, lanes)
            if matrix.membrane:
                for n in range(n_nodes):
                    i = n * width
                    own = load(s, i, lanes) + matrix.local[n]
                    inertia = matrix.inertia[n]
                    if inertia == 0.0:
                        store(A, i, zero)
                    elif middle:
                        store(A, i, (inertia - own) / (own + inertia))
                    else:
                        store(A, i, inertia / (own + inertia))
            for j in range(n_synapses):
                i = row[j] * width
                v = load(V1, i, lanes) * (1.0 - half) + load(V0, i, lanes) * half
                if j < plain:
                    drive = load(f, fraction[j] * width, lanes) * (force[j] - v * shunt)
                else:
                    k = (j - plain) * width
                    drive = load(push, k, lanes) - load(x, k, lanes) * v
                a = load(A, i, lanes)
                value = a * load(e, j * width, lanes) + (1.0 - a) * drive * load(Z, i, lanes)
                store(e, j * width, value)
            for k in range(n_links):
                i, up = child[k] * width, parent[child[k]] * width
                if gated:
                    P = records.passed[at:]
                    v = load(P, n_nodes * width + i, lanes)
                else:
                    v = load(V1, i, lanes) * (1.0 - half) + load(V0, i, lanes) * half
                above = load(V1, up, lanes) * (1.0 - half) + load(V0, up, lanes) * half
                drive = v - above * links.pull
                a = load(A, up, lanes)
                store(upper, k * width, a * load(upper, k * width, lanes) + (1.0 - a) * drive * load(Z, up, lanes))
                if lower.size:
                    a = load(A, i, lanes)
                    store(lower, k * width, a * load(lower, k * width, lanes) + (1.0 - a) * drive * load(Z, i, lanes))
            if low_pass.on:
                at_h = (block * n_steps + step) * low_pass.n_cells * width
                h = low_pass.slope[at_h : at_h + low_pass.n_cells * width]
                _pass(low_pass, row, e, seen, h, lanes)
                _pass(low_pass, child, upper, seen_upper, h, lanes)
                if lower.size:
                    _pass(low_pass, child, lower, seen_lower, h, lanes)
            if spread.on:
                for j in range(n_synapses):
                    i = j * width
                    store(asked, i, load(asked, i, lanes) + load(q, row[j] * width, lanes) * load(seen, i, lanes))
                for k in range(n_links):
                    i = k * width
                    more = load(q, parent[child[k]] * width, lanes) * load(seen_upper, i, lanes)
                    if lower.size:
                        more = more - load(q, child[k] * width, lanes) * load(seen_lower, i, lanes)
                    store(asked_links, i, load(asked_links, i, lanes) + more)
                for i in range(0, n_nodes * width, width):
                    before = load(p, i, lanes)
                    store(q, i, load(q, i, lanes) * spread.q_decay + before * spread.q_gain)
                    store(p, i, before * spread.p_decay)
            if (start + step) % FLUSH == 0:
                _flush(e, lanes)
                _flush(upper, lanes)
                _flush(lower, lanes)
                if low_pass.on:
                    _flush(seen, lanes)
                    _flush(seen_upper, lanes)
                    _flush(seen_lower, lanes)
                if spread.on:
                    _flush(p, lanes)
                    _flush(q, lanes)
        for i in range(0, n_nodes * width, width):
            store(traces.resistance, block * n_nodes * width + i, load(Z, i, lanes))
