"""One implicit step of a tree, for a block of stimuli.

`solve` takes b, the currents (inertia times voltage, of the remaining compartments, included), and G, the conductances
to ground; both are consumed. The solution goes to u, which may be V or b. Which equations are solved is decided by the
class of the tree while the kernel is compiled.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from numba import njit
from numba.extending import overload
from numpy.typing import NDArray

from .simd import collect, fill, load, multiply_add, pick, store

Array = NDArray[Any]
Lanes = tuple[float, ...]


PACK = 4
"""Chains side by side where a block holds one stimulus."""


class Tree(NamedTuple):
    """A reciprocal cable, condensed: see `condense.Condensed`, groups of one chain.

    Attributes
    ----------
    inertia : float array of shape (n_slots,)
        C / h.
    cleared : int array
        First slots of chains that receive something.
    """

    n_dense: int
    parent: Array
    ground: Array
    coupling: Array
    inertia: Array
    up: Array
    across: Array
    inverse: Array
    span: Array
    top: Array
    below: Array
    entry: Array
    n_leaf: int
    cleared: Array


class PackedTree(NamedTuple):
    """The same in groups of `PACK` chains, for blocks of a single stimulus: chains take the place of stimuli."""

    n_dense: int
    parent: Array
    ground: Array
    coupling: Array
    inertia: Array
    up: Array
    across: Array
    inverse: Array
    span: Array
    top: Array
    below: Array
    entry: Array
    n_leaf: int
    cleared: Array


class DirectedTree(NamedTuple):
    """Children drive parents; slots are compartments, then the one that is none.

    Attributes
    ----------
    ground : float array of shape (N,)
        Leak and couplings of children, and C / h.
    inertia : float array of shape (N + 1,)
    slope, midpoint : float arrays of shape (N,) or (0,)
        Of the gates; none where they are empty.
    offset : float
        Reversal potential of the leak.
    cleared : int array of shape (0,)
    """

    n_dense: int
    parent: Array
    ground: Array
    coupling: Array
    inertia: Array
    slope: Array
    midpoint: Array
    offset: float
    cleared: Array


@njit(cache=True, nogil=True, error_model="numpy")
def _remaining(tree: Any, G: Array, m: Array, b: Array, u: Array, lanes: Lanes) -> None:
    """The tree that remains, from the tips to the roots and back."""
    width = len(lanes)
    parent, coupling, nd = tree.parent, tree.coupling, tree.n_dense
    one = coupling.dtype.type(1.0)
    for n in range(nd - 1, -1, -1):
        i = n * width
        up = parent[n] * width
        g = load(G, i, lanes)
        into = load(b, i, lanes)
        r = one / (g + coupling[n])
        ratio = r * coupling[n]
        store(G, up, multiply_add(ratio, g, load(G, up, lanes)))
        store(b, up, multiply_add(ratio, into, load(b, up, lanes)))
        store(b, i, r * into)
        store(m, i, ratio)
    store(u, nd * width, fill(coupling.dtype.type(0.0), lanes))
    for n in range(nd):
        i = n * width
        store(u, i, multiply_add(load(m, i, lanes), load(u, parent[n] * width, lanes), load(b, i, lanes)))


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_cable(tree: Tree, G: Array, m: Array, b: Array, V: Array, u: Array, lanes: Lanes) -> None:
    width = len(lanes)
    inertia, ups, across, inverse = tree.inertia, tree.up, tree.across, tree.inverse
    span, top, below, entry, n_leaf = tree.span, tree.top, tree.below, tree.entry, tree.n_leaf
    zero = fill(V.dtype.type(0.0), lanes)
    for c in range(top.size):
        x = load(b, entry[c] * width, lanes)
        y = zero
        gain = inertia.dtype.type(1.0)
        for k in range(span[c, 0], span[c, 1]):
            i = k * width
            x = multiply_add(x, fill(gain, lanes), load(V, i, lanes) * inertia[k])
            store(b, i, x)
            gain = ups[k]
            if c >= n_leaf:
                y = multiply_add(x, fill(across[k], lanes), y)
        i = top[c] * width
        store(b, i, multiply_add(x, fill(gain, lanes), load(b, i, lanes)))
        if c >= n_leaf:
            i = below[c] * width
            store(b, i, load(b, i, lanes) + y)
    _remaining(tree, G, m, b, u, lanes)
    for c in range(top.size - 1, -1, -1):
        v = load(u, top[c] * width, lanes)
        far = load(u, below[c] * width, lanes)
        for k in range(span[c, 1] - 1, span[c, 0] - 1, -1):
            i = k * width
            own = load(b, i, lanes) * inverse[k]
            if c >= n_leaf:
                own = multiply_add(far, fill(across[k], lanes), own)
            v = multiply_add(v, fill(ups[k], lanes), own)
            store(u, i, v)


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_packed(tree: PackedTree, G: Array, m: Array, b: Array, V: Array, u: Array, lanes: Lanes) -> None:
    inertia, ups, across, inverse = tree.inertia, tree.up, tree.across, tree.inverse
    span, top, below, entry, n_leaf = tree.span, tree.top, tree.below, tree.entry, tree.n_leaf
    zero, one = V.dtype.type(0.0), V.dtype.type(1.0)
    side = (zero, zero, zero, zero)
    for c in range(span.shape[0]):
        j = c * PACK
        x = collect(b, entry[j], entry[j + 1], entry[j + 2], entry[j + 3])
        y = fill(zero, side)
        gain = fill(one, side)
        for k in range(span[c, 0], span[c, 1], PACK):
            x = multiply_add(x, gain, load(V, k, side) * load(inertia, k, side))
            store(b, k, x)
            gain = load(ups, k, side)
            if c >= n_leaf:
                y = multiply_add(x, load(across, k, side), y)
        x = x * gain
        for lane in range(PACK):
            b[top[j + lane]] += pick(x, lane)
        if c >= n_leaf:
            for lane in range(PACK):
                b[below[j + lane]] += pick(y, lane)
    _remaining(tree, G, m, b, u, lanes)
    for c in range(span.shape[0] - 1, -1, -1):
        j = c * PACK
        v = collect(u, top[j], top[j + 1], top[j + 2], top[j + 3])
        far = collect(u, below[j], below[j + 1], below[j + 2], below[j + 3])
        for k in range(span[c, 1] - PACK, span[c, 0] - PACK, -PACK):
            own = load(b, k, side) * load(inverse, k, side)
            if c >= n_leaf:
                own = multiply_add(far, load(across, k, side), own)
            v = multiply_add(v, load(ups, k, side), own)
            store(u, k, v)


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_directed(tree: DirectedTree, G: Array, m: Array, b: Array, V: Array, u: Array, lanes: Lanes) -> None:
    """One pass from the tips to the roots."""
    width = len(lanes)
    parent, coupling, slope, midpoint = tree.parent, tree.coupling, tree.slope, tree.midpoint
    offset, nd = tree.offset, tree.n_dense
    gated = slope.size > 0
    for n in range(nd - 1, -1, -1):
        i = n * width
        up = parent[n] * width
        v = load(b, i, lanes) / load(G, i, lanes)
        if gated:
            store(m, i, v)
            for w in range(width):
                z = slope[n] * (m[i + w] + offset - midpoint[n])
                e = math.exp(-2.0 * abs(z))
                b[up + w] += coupling[n] * ((1.0 if z > 0 else e) / (1.0 + e) - offset)
        else:
            store(b, up, load(b, up, lanes) + v * coupling[n])
        store(u, i, v)
    store(u, nd * width, fill(V.dtype.type(0.0), lanes))


def solve(tree: Any, G: Any, m: Any, b: Any, V: Any, u: Any, lanes: Any) -> None:
    """Solve one step; for compiled code."""
    raise TypeError("for compiled code")


_SOLVERS: dict[type, Any] = {Tree: _solve_cable, PackedTree: _solve_packed, DirectedTree: _solve_directed}


@overload(solve)
def _solve(tree: Any, G: Any, m: Any, b: Any, V: Any, u: Any, lanes: Any) -> Any:
    function = _SOLVERS[tree.instance_class]

    def compiled(tree: Any, G: Any, m: Any, b: Any, V: Any, u: Any, lanes: Any) -> None:
        function(tree, G, m, b, V, u, lanes)

    return compiled
