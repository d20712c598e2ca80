"""Layers of directed dendritic neurons: voltages, credits, and gradients contracted over a batch.

Arrays come in blocks of `width` neighbouring samples (the number of entries of `lanes`), flat: row r of block k of an
array with `rows` rows begins at ``(k * rows + r) * width``. Compartments (N) stand cell after cell, each cell root
first, parents before children; the synapses of compartment n are ``first[n]:middle[n]`` (excitatory) and
``middle[n]:last[n]`` (inhibitory). With E_n and I_n their sums of x g, and a_c the outputs of the children,

    V_n = (force[0] E_n + force[1] I_n + sum_c g_c a_c) / G_n,   G_n = base_n + shunt (E_n + I_n),   a = f(V) or V

(paper eq. 3-4). Shunting: force = reversal potentials, base = leak + sum_c g_c, shunt = 1. Additive: force = (1, -1),
base = 1, shunt = 0. A normalised additive core is additive with base = 1 + sum_j g_j + sum_c g_c.
Cells are independent within a population, so that threads share cells and results do not depend on their number.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from .simd import add_products, clamp, exponential, fill, load, load_transposed, store, total

Array = NDArray[Any]
Lanes = tuple[float, ...]

STEEP = 80.0
"""Twice the largest |slope (V - midpoint)| that a gate tells apart; beyond, it is as good as shut or open."""


@njit(cache=True, nogil=True, error_model="numpy")
def forward(
    work: Array,
    parent: Array,
    roots: Array,
    first: Array,
    middle: Array,
    last: Array,
    source: Array,
    conductance: Array,
    coupling: Array,
    base: Array,
    slope: Array,
    midpoint: Array,
    force: tuple[float, float],
    shunt: float,
    n_inputs: int,
    presynaptic: Array,
    voltage: Array,
    resistance: Array,
    output: Array,
    derivative: Array,
    n_blocks: int,
    first_cell: int,
    last_cell: int,
    lanes: Lanes,
) -> None:
    """Steady state of some cells: V, R = 1 / G, a = f(V) and f'(V); root outputs become presynaptic rows.

    Parameters
    ----------
    work : array
        Scratch memory of `width` values per compartment of the largest cell.
    slope : array of shape (N,)
        Of the gates; 0 where a compartment passes on its voltage.
    presynaptic : array of n_blocks * (n_inputs + n_cells) * width values
        Inputs, then the outputs of all cells; those of the cells given are written.
    first_cell, last_cell : int
        Range of cells.
    """
    width = len(lanes)
    n_nodes = parent.size
    n_rows = n_inputs + roots.size
    nothing = fill(voltage.dtype.type(0.0), lanes)
    one = voltage.dtype.type(1.0)
    for block in range(n_blocks):
        x0 = block * n_rows * width
        v0 = block * n_nodes * width
        for cell in range(first_cell, last_cell):
            root = roots[cell]
            end = roots[cell + 1] if cell + 1 < roots.size else n_nodes
            for n in range(end - root):
                store(work, n * width, nothing)
            for n in range(end - 1, root - 1, -1):
                excitation = nothing
                for j in range(first[n], middle[n]):
                    excitation = excitation + load(presynaptic, x0 + source[j] * width, lanes) * conductance[j]
                inhibition = nothing
                for j in range(middle[n], last[n]):
                    inhibition = inhibition + load(presynaptic, x0 + source[j] * width, lanes) * conductance[j]
                current = load(work, (n - root) * width, lanes) + excitation * force[0] + inhibition * force[1]
                resist = one / ((excitation + inhibition) * shunt + base[n])
                v = current * resist
                i = v0 + n * width
                store(voltage, i, v)
                store(resistance, i, resist)
                if slope[n] > 0.0:
                    steep = -2.0 * slope[n]
                    e = exponential(clamp((v - midpoint[n]) * steep, -STEEP, STEEP))
                    a = one / (e + one)
                    store(derivative, i, (e * a) * a * -steep)
                else:
                    a = v
                    store(derivative, i, fill(one, lanes))
                store(output, i, a)
                if n > root:
                    up = (parent[n] - root) * width
                    store(work, up, load(work, up, lanes) + a * coupling[n])
                else:
                    store(presynaptic, x0 + (n_inputs + cell) * width, a)


@njit(cache=True, nogil=True, error_model="numpy")
def transport(
    parent: Array,
    roots: Array,
    coupling: Array,
    resistance: Array,
    derivative: Array,
    soma: Array,
    credit: Array,
    n_blocks: int,
    first_cell: int,
    last_cell: int,
    lanes: Lanes,
) -> None:
    """Exact credit e_n = dL/dV_n of some cells from dL/da at their roots (eq. 9): e_n = e_p R_p g_n f'(V_n).

    Parameters
    ----------
    soma : array of n_blocks * n_cells * width values
        Total derivative of the loss by the output of each cell.
    """
    width = len(lanes)
    n_nodes, n_cells = parent.size, roots.size
    for block in range(n_blocks):
        v0 = block * n_nodes * width
        for cell in range(first_cell, last_cell):
            root = roots[cell]
            end = roots[cell + 1] if cell + 1 < n_cells else n_nodes
            i = v0 + root * width
            store(credit, i, load(soma, (block * n_cells + cell) * width, lanes) * load(derivative, i, lanes))
            for n in range(root + 1, end):
                i = v0 + n * width
                up = v0 + parent[n] * width
                above = load(credit, up, lanes) * load(resistance, up, lanes)
                store(credit, i, above * coupling[n] * load(derivative, i, lanes))


@njit(cache=True, nogil=True, error_model="numpy")
def broadcast(
    roots: Array,
    derivative: Array,
    soma: Array,
    below: Array,
    credit: Array,
    n_blocks: int,
    first_cell: int,
    last_cell: int,
    lanes: Lanes,
) -> None:
    """Credit e_n = f'(V_n) times what is told: `soma` at the root of a cell, `below` at all its other compartments.

    Parameters
    ----------
    soma, below : arrays of n_blocks * n_cells * width values
        Estimates of dL/da.
    """
    width = len(lanes)
    n_cells = roots.size
    n_nodes = derivative.size // (n_blocks * width)
    for block in range(n_blocks):
        v0 = block * n_nodes * width
        for cell in range(first_cell, last_cell):
            root = roots[cell]
            end = roots[cell + 1] if cell + 1 < n_cells else n_nodes
            i = v0 + root * width
            store(credit, i, load(soma, (block * n_cells + cell) * width, lanes) * load(derivative, i, lanes))
            told = load(below, (block * n_cells + cell) * width, lanes)
            for n in range(root + 1, end):
                i = v0 + n * width
                store(credit, i, told * load(derivative, i, lanes))


@njit(cache=True, nogil=True, error_model="numpy")
def path_gain(
    parent: Array,
    roots: Array,
    coupling: Array,
    resistance: Array,
    derivative: Array,
    gain: Array,
    n_blocks: int,
    first_cell: int,
    last_cell: int,
    lanes: Lanes,
) -> None:
    """da_soma / da_n without the gate of compartment n itself and that of the root: 1 at roots.

    ``gain_n = gain_p f'(V_p) R_p g_n`` below the root's children, ``R_p g_n`` times the root's f' for these: what a
    broadcast of dL/da_soma lacks, so that f'(V_n) gain_n dL/da_soma is the exact credit dL/dV_n (eq. 10).
    """
    width = len(lanes)
    n_nodes, n_cells = parent.size, roots.size
    one = fill(gain.dtype.type(1.0), lanes)
    for block in range(n_blocks):
        v0 = block * n_nodes * width
        for cell in range(first_cell, last_cell):
            root = roots[cell]
            end = roots[cell + 1] if cell + 1 < n_cells else n_nodes
            store(gain, v0 + root * width, one)
            for n in range(root + 1, end):
                up = v0 + parent[n] * width
                step = load(gain, up, lanes) * load(derivative, up, lanes)
                store(gain, v0 + n * width, step * (load(resistance, up, lanes) * coupling[n]))


@njit(cache=True, nogil=True, error_model="numpy")
def credit_sources(
    first: Array,
    middle: Array,
    last: Array,
    source: Array,
    conductance: Array,
    force: tuple[float, float],
    pull: float,
    n_inputs: int,
    n_cells: int,
    voltage: Array,
    resistance: Array,
    credit: Array,
    soma: Array,
    first_node: int,
    last_node: int,
    first_block: int,
    last_block: int,
    lanes: Lanes,
) -> None:
    """Carry credits of compartments `first_node` to `last_node` back to the cells that drive them, adding to `soma`.

    dL/dx_j = sum_n g_j (force - pull V_n) q_n with q = R e: exact where the credits are.
    """
    width = len(lanes)
    n_nodes = first.size
    for block in range(first_block, last_block):
        v0 = block * n_nodes * width
        s0 = (block * n_cells - n_inputs) * width
        for n in range(first_node, last_node):
            i = v0 + n * width
            q = load(credit, i, lanes) * load(resistance, i, lanes)
            pulled = load(voltage, i, lanes) * pull
            excited = q * (force[0] - pulled)
            for j in range(first[n], middle[n]):
                if source[j] >= n_inputs:
                    to = s0 + source[j] * width
                    store(soma, to, load(soma, to, lanes) + excited * conductance[j])
            inhibited = q * (force[1] - pulled)
            for j in range(middle[n], last[n]):
                if source[j] >= n_inputs:
                    to = s0 + source[j] * width
                    store(soma, to, load(soma, to, lanes) + inhibited * conductance[j])


@njit(cache=True, nogil=True, error_model="numpy")
def contract(
    parent: Array,
    roots: Array,
    first: Array,
    middle: Array,
    last: Array,
    source: Array,
    force: tuple[float, float],
    pull: float,
    normal: float,
    midpoint: Array,
    n_inputs: int,
    presynaptic: Array,
    voltage: Array,
    resistance: Array,
    output: Array,
    credit: Array,
    d_conductance: Array,
    d_coupling: Array,
    d_slope: Array,
    d_midpoint: Array,
    n_blocks: int,
    first_cell: int,
    last_cell: int,
    lanes: Lanes,
) -> None:
    """Eligibility times credit, summed over the batch: gradients of the parameters of some cells.

    With q = R e: ``x_j (force_j - pull V_n) q_n`` for a synapse, ``(a_c - (pull + normal) V_p) q_p`` for a coupling,
    e (V - midpoint) for the logarithm of a gate's slope and -e for its midpoint, e being after f'. A normalised
    additive core (``normal = 1``) takes ``V_n q_n`` off every synapse, whatever its input.

    Parameters
    ----------
    d_conductance, d_coupling, d_slope, d_midpoint : arrays
        Where the gradients of the given cells are written; what was there is lost.
    """
    width = len(lanes)
    n_nodes, n_rows = parent.size, n_inputs + roots.size
    begin = roots[first_cell]
    stop = roots[last_cell] if last_cell < roots.size else n_nodes
    if begin >= stop:
        return
    d_conductance[first[begin] : last[stop - 1]] = 0.0
    d_coupling[begin:stop] = 0.0
    d_slope[begin:stop] = 0.0
    d_midpoint[begin:stop] = 0.0
    held = pull + normal
    for block in range(n_blocks):
        x0 = block * n_rows * width
        v0 = block * n_nodes * width
        for n in range(begin, stop):
            i = v0 + n * width
            e = load(credit, i, lanes)
            v = load(voltage, i, lanes)
            q = e * load(resistance, i, lanes)
            d_slope[n] += total(e * (v - midpoint[n]))
            d_midpoint[n] -= total(e)
            if parent[n] >= 0:
                up = v0 + parent[n] * width
                above = load(credit, up, lanes) * load(resistance, up, lanes)
                d_coupling[n] += total(above * (load(output, i, lanes) - load(voltage, up, lanes) * held))
            if last[n] > first[n]:
                off = total(q * v) * normal
                pulled = v * pull
                for begin_, end_, drive in ((first[n], middle[n], force[0]), (middle[n], last[n], force[1])):
                    driven = q * (drive - pulled)
                    fours = begin_ + (end_ - begin_) // 4 * 4
                    for j in range(begin_, fours, 4):
                        add_products(
                            d_conductance,
                            j,
                            presynaptic,
                            x0 + source[j] * width,
                            x0 + source[j + 1] * width,
                            x0 + source[j + 2] * width,
                            x0 + source[j + 3] * width,
                            driven,
                            off,
                        )
                    for j in range(fours, end_):
                        d_conductance[j] += total(load(presynaptic, x0 + source[j] * width, lanes) * driven) - off


@njit(cache=True, nogil=True)
def to_blocks(
    source: Array,
    columns: int,
    n_samples: int,
    target: Array,
    n_rows: int,
    width: int,
    first: int,
    last: int,
    square: Lanes,
) -> None:
    """``target[k, i, w] = source[k * width + w, i]`` for blocks `first` to `last`; 0 for samples that are not there.

    Parameters
    ----------
    source : array of n_samples * columns values
        Flat view of a C-ordered array.
    n_rows : int
        Rows of the target, `columns` or more; those beyond stay as they are.
    square : tuple
        Of as many numbers as the squares that are transposed have sides; a divisor of `width`.
    """
    side = len(square)
    even = columns - columns % side
    for block in range(first, last):
        for lane in range(0, width, side):
            row = block * width + lane
            done = 0
            if row + side <= n_samples:
                done = even
                for i in range(0, even, side):
                    to = (block * n_rows + i) * width + lane
                    load_transposed(target, to, width, source, row * columns + i, columns, 0.0, square)
            for i in range(done, columns):
                to = (block * n_rows + i) * width + lane
                for w in range(side):
                    target[to + w] = source[(row + w) * columns + i] if row + w < n_samples else 0.0
