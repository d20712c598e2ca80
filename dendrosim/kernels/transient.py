"""Trees in time: one step after another for blocks of stimuli.

A step solves ``(C / h) (V' - V) = currents(V')`` exactly, with all conductances as they are (see `transient_solve`).
Backward Euler has h = dt; Crank-Nicolson h = dt / 2 and moves twice as far, ``V + 2 (V' - V)`` (NEURON's
``secondorder = 2``). Voltages are relative to the leak's reversal potential and stand by slots; the slot that is no
compartment is 0.

Synapses are driven by *drives*, pairs of states p, q that advance exactly over a step, ``q <- q_decay q + q_gain p``,
``p <- p_decay p``, to which continuous activity and events add; q is the open fraction.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .mechanisms import add_currents, advance
from .simd import absolute, choose_least, clamp, exponential, fill, load, store
from .spiking import Links, deliver, forget, remember
from .transient_solve import solve

Array = NDArray[Any]
Lanes = tuple[float, ...]

FLUSH = 32
"""Steps after which numbers too small to matter become 0: denormal numbers would slow everything down."""


class Drives(NamedTuple):
    """How open fractions advance.

    Attributes
    ----------
    n_double : int
        The first so many use both states.
    p_decay, q_decay, q_gain : float arrays of shape (n_drives,)
    p_input, q_input : float arrays of shape (n_drives,)
        What continuous activity 1 adds in a step.
    source : int array of shape (n_drives,)
        Input that drives it.
    """

    n_double: int
    p_decay: Array
    q_decay: Array
    q_gain: Array
    p_input: Array
    q_input: Array
    source: Array


class Wiring(NamedTuple):
    """Synapses; those with a voltage-dependent block ``1 / (1 + scale exp(-steepness V))`` come last.

    Attributes
    ----------
    row, drive : int arrays of shape (n_synapses,)
        Slot of the compartment, and what drives it.
    conductance, current : float arrays of shape (n_synapses,)
        What an open synapse adds to the conductance, and to the current at voltage 0.
    shunt : float
        1 if synapses add conductance, 0 if they only inject current.
    reversal, scale, steepness : float arrays of shape (n_blocked,)
        For voltages relative to the leak's reversal potential.
    """

    row: Array
    drive: Array
    conductance: Array
    current: Array
    shunt: float
    reversal: Array
    scale: Array
    steepness: Array


class Inputs(NamedTuple):
    """What arrives during the steps of one call; `step` counts from the first of them.

    Attributes
    ----------
    n_inputs : int
        P.
    level : float array of shape (n_blocks * n_levels * P * width,) or (0,)
        Continuous activity; level k holds from ``level_step[k]`` to ``level_step[k + 1]``.
    level_step : int array of shape (n_levels + 1,)
        The last one beyond the step after the last.
    event_step, event_slot : int arrays of shape (n_events,)
        By block, then by step; the slot is drive * width + lane.
    event_p, event_q : float arrays of shape (n_events,)
    event_begin : int array of shape (n_blocks + 1,)
        First event of every block.
    clamp_row : int array of shape (n_clamps,)
    clamp_current : float array of shape (n_blocks * n_currents * n_clamps * width,)
        For every step, or one for all of them.
    n_currents : int
    links : Links
        Spikes of cells that drive cells.
    """

    n_inputs: int
    level: Array
    level_step: Array
    event_step: Array
    event_slot: Array
    event_p: Array
    event_q: Array
    event_begin: Array
    clamp_row: Array
    clamp_current: Array
    n_currents: int
    links: Links


class Probes(NamedTuple):
    """What is recorded after every so many steps.

    Attributes
    ----------
    voltage, synapse : int arrays of shape (n_probes,) and (n_synapse_probes,)
        Slots and synapses.
    every, n_records : int
        Steps between records, counted from the first step of all; records of this call.
    voltages, fractions : float arrays of shape (n_blocks * n_records * n_probes * width,)
        Results: voltages at the end of a step, and the open fractions that the step was taken with.
    """

    voltage: Array
    synapse: Array
    every: int
    n_records: int
    voltages: Array
    fractions: Array


class Tape(NamedTuple):
    """What every step was taken with, for `transient_adjoint`; nothing is kept where `solved` is empty.

    Attributes
    ----------
    row : int array of shape (n_rows,)
        Slots whose voltage before a step is kept: those of channels and of blocked synapses.
    before : float array of shape (n_blocks * n_steps * n_rows * width,)
    solved : float array of shape (n_blocks * n_steps * n_slots * width,)
        Solution of the step.
    fraction : float array of shape (n_blocks * n_steps * n_drives * width,)
        Open fractions.
    state : float array of shape (n_blocks * n_steps * n_states * width,)
        States of mechanisms before the step.
    """

    row: Array
    before: Array
    solved: Array
    fraction: Array
    state: Array


class Memory(NamedTuple):
    """States of all blocks, one after another; what a call leaves, the next one goes on from.

    `ring` and `active` are those of `spiking`; `fired` and `n_fired` are the spikes of a call.
    """

    voltage: Array
    p: Array
    q: Array
    mechanism: Array
    ring: Array
    active: Array
    fired: Array
    n_fired: Array


@njit(cache=True, nogil=True, error_model="numpy")
def _flush(values: Array, tiny: float, lanes: Lanes) -> None:
    width = len(lanes)
    least = fill(values.dtype.type(tiny), lanes)
    zero = fill(values.dtype.type(0.0), lanes)
    for i in range(0, values.size, width):
        value = load(values, i, lanes)
        store(values, i, choose_least(absolute(value), least, value, zero))


@njit(cache=True, nogil=True, error_model="numpy")
def _advance_drives(drives: Drives, p: Array, q: Array, level: Array, at: int, lanes: Lanes) -> None:
    """Open fractions one step on; `level` from index `at` on holds the activity of every input, if it is not empty."""
    width = len(lanes)
    p_decay, q_decay, q_gain, source = drives.p_decay, drives.q_decay, drives.q_gain, drives.source
    p_input, q_input = drives.p_input, drives.q_input
    for d in range(drives.n_double):
        i = d * width
        first = load(p, i, lanes)
        store(q, i, load(q, i, lanes) * q_decay[d] + first * q_gain[d])
        store(p, i, first * p_decay[d])
    for d in range(drives.n_double, source.size):
        i = d * width
        store(q, i, load(q, i, lanes) * q_decay[d])
    if level.size:
        for d in range(source.size):
            i = d * width
            x = load(level, at + source[d] * width, lanes)
            store(q, i, load(q, i, lanes) + x * q_input[d])
            store(p, i, load(p, i, lanes) + x * p_input[d])


@njit(cache=True, nogil=True, error_model="numpy")
def add_synapses(wiring: Wiring, q: Array, G: Array, b: Array, V: Array, lanes: Lanes) -> None:
    """Conductances and currents of all synapses, a blocked one linearised around the present voltage."""
    width = len(lanes)
    row, drive, conductance, current = wiring.row, wiring.drive, wiring.conductance, wiring.current
    reversal, scale, steepness = wiring.reversal, wiring.scale, wiring.steepness
    plain = row.size - reversal.size
    one = V.dtype.type(1.0)
    if wiring.shunt != 0.0:
        for j in range(plain):
            i = row[j] * width
            fraction = load(q, drive[j] * width, lanes)
            store(G, i, load(G, i, lanes) + fraction * conductance[j])
            store(b, i, load(b, i, lanes) + fraction * current[j])
    else:
        for j in range(plain):
            i = row[j] * width
            store(b, i, load(b, i, lanes) + load(q, drive[j] * width, lanes) * current[j])
    for k in range(reversal.size):
        j = plain + k
        i = row[j] * width
        g = load(q, drive[j] * width, lanes) * conductance[j]
        v = load(V, i, lanes)
        magnesium = exponential(clamp(v * -steepness[k], -80.0, 80.0)) * scale[k]
        unblocked = one / (magnesium + one)
        driving = v - reversal[k]
        change = unblocked * unblocked * magnesium * steepness[k]
        slope = g * (unblocked + change * driving)
        store(G, i, load(G, i, lanes) + slope)
        store(b, i, load(b, i, lanes) + slope * v - g * unblocked * driving)


@njit(cache=True, nogil=True, error_model="numpy")
def _keep(tape: Tape, q: Array, state: Array, V: Array, at: int, lanes: Lanes) -> None:
    """What step `at` of all blocks begins with."""
    width = len(lanes)
    for k in range(tape.row.size):
        store(tape.before, (at * tape.row.size + k) * width, load(V, tape.row[k] * width, lanes))
    for i in range(0, q.size, width):
        store(tape.fraction, at * q.size + i, load(q, i, lanes))
    for i in range(0, state.size, width):
        store(tape.state, at * state.size + i, load(state, i, lanes))


@njit(cache=True, nogil=True, error_model="numpy")
def _keep_solution(tape: Tape, u: Array, at: int, lanes: Lanes) -> None:
    for i in range(0, u.size, len(lanes)):
        store(tape.solved, at * u.size + i, load(u, i, lanes))


@njit(cache=True, nogil=True, error_model="numpy")
def _record(probes: Probes, q: Array, drive: Array, V: Array, place: int, lanes: Lanes) -> None:
    """Voltages and open fractions as they are now; `place` counts records of all blocks."""
    width = len(lanes)
    slots, synapses, voltages, fractions = probes.voltage, probes.synapse, probes.voltages, probes.fractions
    to = place * slots.size * width
    for k in range(slots.size):
        store(voltages, to + k * width, load(V, slots[k] * width, lanes))
    to = place * synapses.size * width
    for k in range(synapses.size):
        store(fractions, to + k * width, load(q, drive[synapses[k]] * width, lanes))


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    work: Array,
    tree: Any,
    drives: Drives,
    wiring: Wiring,
    inputs: Inputs,
    probes: Probes,
    tape: Tape,
    mechanisms: Any,
    memory: Memory,
    offset: float,
    middle: bool,
    start: int,
    done: int,
    n_steps: int,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    """Steps `done` to `n_steps` of a piece, for the blocks from `first` to `last`.

    Parameters
    ----------
    work : float array of shape (width * 3 * (N + 1),)
        Scratch memory.
    tree : Tree or DirectedTree
    mechanisms : tuple
        See `mechanisms`.
    offset : float
        Reversal potential of the leak, mV: what mechanisms add to voltages.
    middle : bool
        Crank-Nicolson.
    start : int
        Number of steps before the piece.
    """
    width = len(lanes)
    zero = fill(work.dtype.type(0.0), lanes)
    two = work.dtype.type(2.0)
    nd, ground, inertia, cleared = tree.n_dense, tree.ground, tree.inertia, tree.cleared
    level_step, event_step, event_slot, event_begin = (
        inputs.level_step,
        inputs.event_step,
        inputs.event_slot,
        inputs.event_begin,
    )
    event_p, event_q, clamp_row, clamp_current = (
        inputs.event_p,
        inputs.event_q,
        inputs.clamp_row,
        inputs.clamp_current,
    )
    n_slots, taped = inertia.size, tape.solved.size > 0
    size = n_slots * width
    b, G, m = work[:size], work[size : size + (nd + 1) * width], work[size + (nd + 1) * width :]
    n_drives, n_clamps, n_levels = drives.source.size * width, clamp_row.size, level_step.size - 1
    n_states = memory.mechanism.size // max(1, memory.n_fired.size)
    capacity = memory.fired.size // max(1, memory.n_fired.size)
    links, length = inputs.links, inputs.links.length
    for block in range(first, last):
        V = memory.voltage[block * size : (block + 1) * size]
        p = memory.p[block * n_drives : (block + 1) * n_drives]
        q = memory.q[block * n_drives : (block + 1) * n_drives]
        state = memory.mechanism[block * n_states : (block + 1) * n_states]
        fired = memory.fired[block * capacity : (block + 1) * capacity]
        ring = memory.ring[block * length * links.n_sources : (block + 1) * length * links.n_sources]
        active = memory.active[block * length : (block + 1) * length]
        count, level = memory.n_fired[block] if done else 0, 0
        record = (start + done) // probes.every - start // probes.every
        event = event_begin[block]
        event += np.searchsorted(event_step[event : event_begin[block + 1]], done)
        while level < n_levels - 1 and level_step[level + 1] <= done:
            level += 1
        for step in range(done, n_steps):
            while event < event_begin[block + 1] and event_step[event] == step:
                p[event_slot[event]] += event_p[event]
                q[event_slot[event]] += event_q[event]
                event += 1
            if length > 0:
                deliver(links, ring, active, start + step, p, q, lanes)
            if taped:
                _keep(tape, q, state, V, block * n_steps + step, lanes)
            for n in range(nd):
                i = n * width
                store(G, i, fill(ground[n], lanes))
                store(b, i, load(V, i, lanes) * inertia[n])
            store(G, nd * width, zero)
            store(b, nd * width, zero)
            for c in range(cleared.size):
                store(b, cleared[c] * width, zero)
            add_synapses(wiring, q, G, b, V, lanes)
            at = (block * inputs.n_currents + (step if inputs.n_currents > 1 else 0)) * n_clamps * width
            for k in range(n_clamps):
                i = clamp_row[k] * width
                store(b, i, load(b, i, lanes) + load(clamp_current, at + k * width, lanes))
            add_currents(mechanisms, state, 0, G, b, V, offset, lanes)
            if middle:
                solve(tree, G, m, b, V, b, lanes)
                if taped:
                    _keep_solution(tape, b, block * n_steps + step, lanes)
                for i in range(0, size, width):
                    store(V, i, load(b, i, lanes) * two - load(V, i, lanes))
            else:
                solve(tree, G, m, b, V, V, lanes)
                if taped:
                    _keep_solution(tape, V, block * n_steps + step, lanes)
            before = count
            count = advance(mechanisms, state, 0, V, offset, start + step, fired, count, lanes)
            if links.own:
                forget(links, ring, active, start + step)
                remember(links, ring, active, fired, before, count, lanes)
            if (start + step + 1) % probes.every == 0:
                _record(probes, q, wiring.drive, V, block * probes.n_records + record, lanes)
                record += 1
            while level < n_levels - 1 and level_step[level + 1] <= step + 1:
                level += 1
            at = (block * n_levels + level) * inputs.n_inputs * width
            _advance_drives(drives, p, q, inputs.level, at, lanes)
            if (start + step) % FLUSH == 0:
                tiny = 1e-30 if work.itemsize == 4 else 1e-200
                _flush(p, tiny, lanes)
                _flush(q, tiny, lanes)
                _flush(V, tiny, lanes)
        memory.n_fired[block] = count
