"""Perturbed steady states of directed dendritic neurons, from a steady state that is known.

Arrays and equations as in `layers`. Only what noise changes is computed: with V, R = 1 / G and a known, changes
dE and dI of the sums of x g, and changes da_c of the children's outputs,

    V' = V + R' (force[0] dE + force[1] dI - shunt V (dE + dI) + sum_c g_c da_c),   R' = R / (1 + R shunt (dE + dI)).

Where the network's inputs drive a cell, dE = dI = 0 and no synapse is visited: a few operations per compartment.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from .layers import STEEP
from .simd import clamp, exponential, fill, load, store

Array = NDArray[Any]
Lanes = tuple[float, ...]

VOLTAGE, CURRENT, OUTPUT = 0, 1, 2
"""What noise is added to: V; the current into a compartment, so that V moves by R times it; or a = f(V)."""


@njit(cache=True, nogil=True, error_model="numpy")
def perturbed(
    work: Array,
    parent: Array,
    roots: Array,
    first: Array,
    middle: Array,
    last: Array,
    source: Array,
    conductance: Array,
    coupling: Array,
    slope: Array,
    midpoint: Array,
    force: tuple[float, float],
    shunt: float,
    n_inputs: int,
    presynaptic: Array,
    voltage: Array,
    resistance: Array,
    output: Array,
    noise: Array,
    somas: Array,
    driven: bool,
    place: int,
    n_draws: int,
    n_blocks: int,
    first_cell: int,
    last_cell: int,
    lanes: Lanes,
) -> None:
    """Outputs of some cells' roots under noise at every compartment.

    Parameters
    ----------
    work : array
        Scratch memory of `width` values per compartment of the largest cell.
    noise : array of n_draws * n_blocks * n_nodes * width values
    somas : array of n_draws * n_blocks * n_cells * width values
        Perturbed outputs of all cells; those of the cells given are written, those of cells that drive them read.
    driven : bool
        Whether other cells drive these.
    place : {VOLTAGE, CURRENT, OUTPUT}
    """
    width = len(lanes)
    n_nodes, n_cells = parent.size, roots.size
    n_rows = n_inputs + n_cells
    nothing = fill(voltage.dtype.type(0.0), lanes)
    one = voltage.dtype.type(1.0)
    for block in range(n_blocks):
        x0 = block * n_rows * width
        v0 = block * n_nodes * width
        for cell in range(first_cell, last_cell):
            root = roots[cell]
            end = roots[cell + 1] if cell + 1 < n_cells else n_nodes
            for draw in range(n_draws):
                xi0 = (draw * n_blocks + block) * n_nodes * width
                s0 = ((draw * n_blocks + block) * n_cells - n_inputs) * width
                for n in range(end - root):
                    store(work, n * width, nothing)
                for n in range(end - 1, root - 1, -1):
                    i = v0 + n * width
                    xi = load(noise, xi0 + n * width, lanes)
                    v = load(voltage, i, lanes)
                    resist = load(resistance, i, lanes)
                    current = load(work, (n - root) * width, lanes)
                    if place == CURRENT:
                        current = current + xi
                    if driven:
                        excitation = nothing
                        for j in range(first[n], middle[n]):
                            if source[j] >= n_inputs:
                                at = source[j] * width
                                moved = load(somas, s0 + at, lanes) - load(presynaptic, x0 + at, lanes)
                                excitation = excitation + moved * conductance[j]
                        inhibition = nothing
                        for j in range(middle[n], last[n]):
                            if source[j] >= n_inputs:
                                at = source[j] * width
                                moved = load(somas, s0 + at, lanes) - load(presynaptic, x0 + at, lanes)
                                inhibition = inhibition + moved * conductance[j]
                        shunted = (excitation + inhibition) * shunt
                        current = current + excitation * force[0] + inhibition * force[1] - v * shunted
                        resist = resist / (resist * shunted + one)
                    v = v + current * resist
                    if place == VOLTAGE:
                        v = v + xi
                    if slope[n] > 0.0:
                        e = exponential(clamp((v - midpoint[n]) * (-2.0 * slope[n]), -STEEP, STEEP))
                        a = one / (e + one)
                    else:
                        a = v
                    if place == OUTPUT:
                        a = a + xi
                    if n > root:
                        up = (parent[n] - root) * width
                        change = a - load(output, i, lanes)
                        store(work, up, load(work, up, lanes) + change * coupling[n])
                    else:
                        store(somas, s0 + (n_inputs + cell) * width, a)
