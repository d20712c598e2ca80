"""Gradients through time: the steps of `transient` backwards, for blocks of stimuli.

A step ``G V' = M V + b``, M = C / h, has the adjoint ``G^T q = dL/dV'``; q is the gradient by a current that flows
during the step. Backward Euler ends at V', so that the gradient by V is ``M q``; Crank-Nicolson ends at ``2 V' - V``,
so that ``G^T q = 2 lambda`` and the gradient by V is ``M q - lambda``, lambda being that by the voltage at the end. In
the cable G is symmetric, and with ``lambda = M w`` the step backwards has the form of a step: the condensed solver
serves both. What steps were taken with is read from a `Tape`. Derived here.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from numba import njit
from numba.extending import overload
from numpy.typing import NDArray

from . import channels_adjoint as channels_adjoint  # registers
from .mechanisms import add_currents
from .mechanisms_adjoint import currents_back, update_back
from .simd import clamp, exponential, fill, load, multiply_add, store
from .spiking import Links
from .transient import Drives, Tape, Wiring, add_synapses
from .transient_solve import DirectedTree, PackedTree, Tree, solve

Array = NDArray[Any]
Lanes = tuple[float, ...]


class Losses(NamedTuple):
    """What a loss says of recorded voltages.

    Attributes
    ----------
    row : int array of shape (n_rows,)
        Slots of recorded compartments.
    scale : float array of shape (n_rows,)
        1 where the compartment remains in the condensed tree, 1 / M where it was eliminated.
    every, n_records : int
        As in `transient.Probes`.
    value : float array of shape (n_blocks * n_records * n_rows * width,)
    spike, slant : float arrays of shape (n_blocks * n_steps * n_sites * width,)
        Gradient by spikes, and the derivative of spikes by voltages, see `mechanisms_adjoint`.
    """

    row: Array
    scale: Array
    every: int
    n_records: int
    value: Array
    spike: Array
    slant: Array


class Arrivals(NamedTuple):
    """When something arrives, see `transient.Inputs`; `mark_step` are those that continuous activity changes at."""

    n_inputs: int
    level_step: Array
    event_step: Array
    event_slot: Array
    event_begin: Array
    mark_step: Array
    links: Links


class Credits(NamedTuple):
    """Gradients by the states of all blocks, as the steps that were undone leave them.

    Attributes
    ----------
    voltage : float array of shape (n_blocks * n_slots * width,)
        Of what remains; of eliminated compartments over their inertia.
    p, q : float arrays of shape (n_blocks * n_drives * width,)
    mechanism : float array of shape (n_blocks * n_states * width,)
    ring : float array of shape (n_blocks * length * n_sources * width,)
        By spikes that cells fired in steps still to be undone, as `spiking` has a ring of spikes.
    """

    voltage: Array
    p: Array
    q: Array
    mechanism: Array
    ring: Array


class Sums(NamedTuple):
    """Gradients by parameters and inputs, which steps add to.

    Attributes
    ----------
    node, parent : int arrays of shape (N,)
        Slots of all compartments and of their parents.
    force : float array of shape (n_synapses,)
        Reversal potential of shunting synapses, driving force of additive ones.
    leak, coupling : float arrays of shape (n_blocks * N * width,)
    conductance : float array of shape (n_blocks * n_synapses * width,)
    level : float array of shape (n_blocks * n_levels * n_inputs * width,)
    event_p, event_q : float arrays of shape (n_events,)
        Gradient by what events add.
    mark_p, mark_q : float arrays of shape (n_blocks * n_marks * n_drives * width,)
        Gradient by states of drives at marked steps.
    probe : int array of shape (n_probes,)
    current : float array of shape (n_blocks * n_records * n_probes * width,)
        q of recorded steps.
    """

    node: Array
    parent: Array
    force: Array
    leak: Array
    coupling: Array
    conductance: Array
    level: Array
    event_p: Array
    event_q: Array
    mark_p: Array
    mark_q: Array
    probe: Array
    current: Array


@njit(cache=True, nogil=True, error_model="numpy")
def _cable_back(tree: Any, G: Array, m: Array, b: Array, W: Array, solved: Array, lanes: Lanes) -> None:
    solve(tree, G, m, b, W, b, lanes)


@njit(cache=True, nogil=True, error_model="numpy")
def _directed_back(tree: Any, G: Array, m: Array, b: Array, W: Array, solved: Array, lanes: Lanes) -> None:
    """From the roots to the tips."""
    width = len(lanes)
    parent, coupling, slope, midpoint = tree.parent, tree.coupling, tree.slope, tree.midpoint
    gated = slope.size > 0
    for n in range(tree.n_dense):
        i = n * width
        into = load(b, parent[n] * width, lanes) * coupling[n]
        if gated:
            for w in range(width):
                e = math.exp(-2.0 * abs(slope[n] * (solved[i + w] + tree.offset - midpoint[n])))
                m[i + w] = 2.0 * slope[n] * e / ((1.0 + e) * (1.0 + e))
            into = into * load(m, i, lanes)
        store(b, i, (load(b, i, lanes) + into) / load(G, i, lanes))


@njit(cache=True, nogil=True, error_model="numpy")
def _cable_sums(tree: Any, sums: Any, m: Array, q: Array, V: Array, shunt: float, at: int, lanes: Lanes) -> None:
    """Gradients by leaks, ``-V' q``, and by couplings, ``(V'_c - V'_p) (q_p - q_c)``."""
    width = len(lanes)
    node, parent, leak, coupling = sums.node, sums.parent, sums.leak, sums.coupling
    for n in range(node.size):
        i, up, to = node[n] * width, parent[n] * width, (at + n) * width
        v, here = load(V, i, lanes), load(q, i, lanes)
        store(leak, to, load(leak, to, lanes) - v * here)
        store(coupling, to, multiply_add(v - load(V, up, lanes), load(q, up, lanes) - here, load(coupling, to, lanes)))


@njit(cache=True, nogil=True, error_model="numpy")
def _directed_sums(tree: Any, sums: Any, m: Array, q: Array, V: Array, shunt: float, at: int, lanes: Lanes) -> None:
    """Gradients by leaks, ``-V' q``, and by couplings, ``(a_c - V'_p) q_p``; additive trees have ``a_c q_p``."""
    width = len(lanes)
    node, parent, leak, coupling = sums.node, sums.parent, sums.leak, sums.coupling
    slope, midpoint = tree.slope, tree.midpoint
    gated = slope.size > 0
    for n in range(node.size):
        i, up, to = node[n] * width, parent[n] * width, (at + n) * width
        store(leak, to, load(leak, to, lanes) - load(V, i, lanes) * load(q, i, lanes) * shunt)
        if gated:
            for w in range(width):
                z = slope[n] * (V[i + w] + tree.offset - midpoint[n])
                e = math.exp(-2.0 * abs(z))
                m[i + w] = (1.0 if z > 0 else e) / (1.0 + e) - tree.offset
            out = load(m, i, lanes)
        else:
            out = load(V, i, lanes)
        more = (out - load(V, up, lanes) * shunt) * load(q, up, lanes)
        store(coupling, to, load(coupling, to, lanes) + more)


_BACK: dict[type, Any] = {Tree: _cable_back, PackedTree: _cable_back, DirectedTree: _directed_back}
_SUMS: dict[type, Any] = {Tree: _cable_sums, PackedTree: _cable_sums, DirectedTree: _directed_sums}


def solve_back(tree: Any, G: Any, m: Any, b: Any, W: Any, solved: Any, lanes: Any) -> None:
    """Solve ``G^T q = b``, the solution in b; for compiled code."""
    raise TypeError("for compiled code")


def sum_tree(tree: Any, sums: Any, m: Any, q: Any, V: Any, shunt: Any, at: Any, lanes: Any) -> None:
    """Add to the gradients by leaks and couplings; for compiled code."""
    raise TypeError("for compiled code")


@overload(solve_back)
def _(tree: Any, G: Any, m: Any, b: Any, W: Any, solved: Any, lanes: Any) -> Any:
    function = _BACK[tree.instance_class]

    def compiled(tree: Any, G: Any, m: Any, b: Any, W: Any, solved: Any, lanes: Any) -> None:
        function(tree, G, m, b, W, solved, lanes)

    return compiled


@overload(sum_tree)
def _(tree: Any, sums: Any, m: Any, q: Any, V: Any, shunt: Any, at: Any, lanes: Any) -> Any:
    function = _SUMS[tree.instance_class]

    def compiled(tree: Any, sums: Any, m: Any, q: Any, V: Any, shunt: Any, at: Any, lanes: Any) -> None:
        function(tree, sums, m, q, V, shunt, at, lanes)

    return compiled


@njit(cache=True, nogil=True, error_model="numpy")
def _synapses_back(
    wiring: Wiring, sums: Any, at: int, x: Array, V: Array, before: Array, q: Array, W: Array, Q: Array, lanes: Lanes
) -> None:
    """Gradients by conductances (to `sums`) and open fractions (to Q); of blocked synapses by the voltage before, too.

    A blocked synapse carries ``I = g (u d + (u d)' (V' - v))``, u(v) being the unblocked fraction, ``d = v - E`` and v
    the voltage before the step.
    """
    width = len(lanes)
    row, drive, conductance, force = wiring.row, wiring.drive, wiring.conductance, sums.force
    reversal, scale, steepness, shunt = wiring.reversal, wiring.scale, wiring.steepness, V.dtype.type(wiring.shunt)
    total = sums.conductance
    plain = row.size - reversal.size
    one = V.dtype.type(1.0)
    for j in range(plain):
        i, d, to = row[j] * width, drive[j] * width, (at + j) * width
        pull = (load(V, i, lanes) * -shunt + fill(force[j], lanes)) * load(q, i, lanes)
        store(total, to, multiply_add(pull, load(x, d, lanes), load(total, to, lanes)))
        store(Q, d, load(Q, d, lanes) + pull * conductance[j])
    for k in range(reversal.size):
        j = plain + k
        i, d, to = row[j] * width, drive[j] * width, (at + j) * width
        v, fraction, here = load(before, i, lanes), load(x, d, lanes), load(q, i, lanes)
        magnesium = exponential(clamp(v * -steepness[k], -80.0, 80.0)) * scale[k]
        unblocked = one / (magnesium + one)
        driving = v - reversal[k]
        first = unblocked * unblocked * magnesium * steepness[k]
        second = first * (unblocked * magnesium * (one + one) - one) * steepness[k]
        moved = load(V, i, lanes) - v
        pull = (unblocked * driving + (unblocked + first * driving) * moved) * here * -one
        store(total, to, multiply_add(pull, fraction, load(total, to, lanes)))
        store(Q, d, load(Q, d, lanes) + pull * conductance[j])
        bend = fraction * conductance[j] * (first * (one + one) + second * driving)
        store(W, i, load(W, i, lanes) - bend * moved * here)


@njit(cache=True, nogil=True, error_model="numpy")
def _drives_back(drives: Drives, P: Array, Q: Array, level: Array, at: int, lanes: Lanes) -> None:
    """From the gradient by states after they advanced to that before; `level` (from `at` on) gains that by activity."""
    width = len(lanes)
    p_decay, q_decay, q_gain, source = drives.p_decay, drives.q_decay, drives.q_gain, drives.source
    p_input, q_input = drives.p_input, drives.q_input
    if level.size:
        for d in range(source.size):
            i, to = d * width, at + source[d] * width
            more = load(P, i, lanes) * p_input[d] + load(Q, i, lanes) * q_input[d]
            store(level, to, load(level, to, lanes) + more)
    for d in range(source.size):
        i = d * width
        by_q = load(Q, i, lanes)
        if d < drives.n_double:
            store(P, i, load(P, i, lanes) * p_decay[d] + by_q * q_gain[d])
        store(Q, i, by_q * q_decay[d])


@njit(cache=True, nogil=True, error_model="numpy")
def _collect(links: Links, ring: Array, step: int, spikes: Array, lanes: Lanes) -> None:
    """Add to the gradient by spikes of a step what they did later."""
    width = len(lanes)
    slot = (step % links.length) * links.n_sources
    for site in range(links.site.size):
        if links.site[site] >= 0:
            i, to = (slot + links.site[site]) * width, site * width
            store(spikes, to, load(spikes, to, lanes) + load(ring, i, lanes))
    for i in range(slot * width, (slot + links.n_sources) * width):
        ring[i] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _send_back(links: Links, ring: Array, step: int, P: Array, Q: Array, lanes: Lanes) -> None:
    """Gradient by spikes that arrive at the beginning of a step, to the steps that would have fired them."""
    width = len(lanes)
    for k in range(links.lag.size):
        slot = ((step - links.lag[k]) % links.length) * links.n_sources
        for pair in range(links.first[k], links.first[k + 1]):
            to = (slot + links.source[pair]) * width
            total = load(ring, to, lanes)
            for i in range(links.begin[pair], links.begin[pair + 1]):
                d = links.drive[i] * width
                total = total + load(P, d, lanes) * links.p[i] + load(Q, d, lanes) * links.q[i]
            store(ring, to, total)


@njit(cache=True, nogil=True, error_model="numpy")
def reverse(
    work: Array,
    tree: Any,
    drives: Drives,
    wiring: Wiring,
    tape: Tape,
    mechanisms: Any,
    arrivals: Arrivals,
    losses: Losses,
    credits: Credits,
    sums: Sums,
    offset: float,
    middle: bool,
    start: int,
    n_steps: int,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    """Undo `n_steps` steps, which began after step `start`, for the blocks from `first` to `last`, the last step first.

    Parameters
    ----------
    work : float array of shape (width * 6 * (n_slots + 1),)
        Scratch memory.
    tree, drives, wiring, mechanisms, offset, middle
        As in `transient.run`.
    tape : Tape
        Of these steps.
    """
    width = len(lanes)
    zero = fill(work.dtype.type(0.0), lanes)
    two = work.dtype.type(2.0)
    nd, ground, inertia, cleared = tree.n_dense, tree.ground, tree.inertia, tree.cleared
    n_nodes, size = sums.node.size, inertia.size * width
    b, G, m = work[:size], work[size : 2 * size], work[2 * size : 3 * size]
    before, ended, spare = work[3 * size : 4 * size], work[4 * size : 5 * size], work[5 * size : 6 * size]
    n_drives, n_levels, n_marks = drives.source.size * width, arrivals.level_step.size - 1, arrivals.mark_step.size
    n_states = credits.mechanism.size // max(1, credits.voltage.size // size)
    n_taped, n_probes, n_rows = tape.row.size, sums.probe.size, losses.row.size
    n_sites = losses.spike.size // max(1, (credits.voltage.size // size) * n_steps)
    links = arrivals.links
    n_ring = links.length * links.n_sources * width
    event_step, event_slot, event_begin = arrivals.event_step, arrivals.event_slot, arrivals.event_begin
    for block in range(first, last):
        W = credits.voltage[block * size : (block + 1) * size]
        P = credits.p[block * n_drives : (block + 1) * n_drives]
        Q = credits.q[block * n_drives : (block + 1) * n_drives]
        change = credits.mechanism[block * n_states : (block + 1) * n_states]
        ring = credits.ring[block * n_ring : (block + 1) * n_ring]
        record, level, mark, event = losses.n_records, n_levels - 1, n_marks - 1, event_begin[block + 1] - 1
        for step in range(n_steps - 1, -1, -1):
            at = block * n_steps + step
            V = tape.solved[at * size : (at + 1) * size]
            x = tape.fraction[at * n_drives : (at + 1) * n_drives]
            state = tape.state[at * n_states : (at + 1) * n_states]
            recorded = (start + step + 1) % losses.every == 0
            if recorded:
                record -= 1
                to = (block * losses.n_records + record) * n_rows
                for k in range(n_rows):
                    i = losses.row[k] * width
                    store(W, i, load(W, i, lanes) + load(losses.value, (to + k) * width, lanes) * losses.scale[k])
            while level > 0 and arrivals.level_step[level] > step + 1:
                level -= 1
            _drives_back(drives, P, Q, sums.level, (block * n_levels + level) * arrivals.n_inputs * width, lanes)
            for k in range(n_taped):
                i = tape.row[k] * width
                old, new = load(tape.before, (at * n_taped + k) * width, lanes), load(V, i, lanes)
                store(before, i, old)
                store(ended, i, new * two - old if middle else new)
            spikes, slants = losses.spike[at * n_sites :], losses.slant[at * n_sites :]
            if links.length > 0:
                _collect(links, ring, start + step, spikes, lanes)
            update_back(mechanisms, state, 0, ended, W, change, spikes, slants, offset, lanes)
            for n in range(nd):
                i = n * width
                store(G, i, fill(ground[n], lanes))
                store(b, i, zero)
            store(G, nd * width, zero)
            add_synapses(wiring, x, G, b, before, lanes)
            add_currents(mechanisms, state, 0, G, b, before, offset, lanes)
            for n in range(nd):
                store(b, n * width, load(W, n * width, lanes))
            store(b, nd * width, zero)
            for c in range(cleared.size):
                store(b, cleared[c] * width, zero)
            solve_back(tree, G, m, b, W, V, lanes)
            for n in range(inertia.size):
                i = n * width
                factor = inertia[n] if n < nd else inertia.dtype.type(1.0)
                if middle:
                    q = load(b, i, lanes) * two
                    store(b, i, q)
                    store(W, i, q * factor - load(W, i, lanes))
                else:
                    store(W, i, load(b, i, lanes) * factor)
            sum_tree(tree, sums, spare, b, V, wiring.shunt, block * n_nodes, lanes)
            currents_back(mechanisms, state, 0, b, before, V, W, change, offset, lanes)
            _synapses_back(wiring, sums, block * wiring.row.size, x, V, before, b, W, Q, lanes)
            if links.length > 0:
                _send_back(links, ring, start + step, P, Q, lanes)
            if recorded:
                to = (block * losses.n_records + record) * n_probes
                for k in range(n_probes):
                    store(sums.current, (to + k) * width, load(b, sums.probe[k] * width, lanes))
            while event >= event_begin[block] and event_step[event] == step:
                sums.event_p[event] = P[event_slot[event]]
                sums.event_q[event] = Q[event_slot[event]]
                event -= 1
            if mark >= 0 and arrivals.mark_step[mark] == step:
                to = (block * n_marks + mark) * n_drives
                for i in range(0, n_drives, width):
                    store(sums.mark_p, to + i, load(P, i, lanes))
                    store(sums.mark_q, to + i, load(Q, i, lanes))
                mark -= 1
