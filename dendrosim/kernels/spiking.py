"""Spikes of somas that open synapses some steps later: a ring of the last steps, one bit per stimulus of a block.

A spike of step s is read in step ``s + lag`` for every lag that its cell has connections of. The ring stands by step
(modulo its length), then by source, the cells that have connections; `active` says in which steps there are spikes at
all, so that steps without cost one comparison per lag.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
Lanes = tuple[float, ...]


class Links(NamedTuple):
    """Connections by lag, then by source.

    Attributes
    ----------
    length, n_sources : int
        Steps that the ring holds, more than the longest lag; cells that have connections. 0: there are none.
    own : bool
        Whether spikes go into the ring as they are fired, or are put there later, together with those of others.
    lag : int array of shape (n_lags,)
        Steps, at least 2, in rising order.
    first : int array of shape (n_lags + 1,)
        First pair of a lag and a source.
    source : int array of shape (n_pairs,)
    begin : int array of shape (n_pairs + 1,)
        First addition of a pair.
    drive : int array of shape (n_additions,)
    p, q : float arrays of shape (n_additions,)
        What a spike adds to the states of a drive.
    site : int array of shape (n_sites,)
        Source that a site of the mechanisms is, or -1.
    """

    length: int
    n_sources: int
    own: bool
    lag: Array
    first: Array
    source: Array
    begin: Array
    drive: Array
    p: Array
    q: Array
    site: Array


@njit(cache=True, nogil=True, error_model="numpy")
def deliver(links: Links, ring: Array, active: Array, step: int, p: Array, q: Array, lanes: Lanes) -> None:
    """Add what arrives at the beginning of a step to the states of the drives of a block."""
    width = len(lanes)
    n, now = links.n_sources, step % links.length
    for k in range(links.lag.size):
        slot = now - links.lag[k]
        if slot < 0:
            slot += links.length
        if active[slot] == 0:
            continue
        for pair in range(links.first[k], links.first[k + 1]):
            bits = ring[slot * n + links.source[pair]]
            if bits == 0:
                continue
            for w in range(width):
                if (bits >> w) & 1:
                    for i in range(links.begin[pair], links.begin[pair + 1]):
                        at = links.drive[i] * width + w
                        p[at] += links.p[i]
                        q[at] += links.q[i]


@njit(cache=True, nogil=True, error_model="numpy")
def forget(links: Links, ring: Array, active: Array, step: int) -> None:
    """Make room in the ring for the spikes of a step."""
    slot = step % links.length
    if active[slot] != 0:
        active[slot] = 0
        ring[slot * links.n_sources : (slot + 1) * links.n_sources] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def remember(links: Links, ring: Array, active: Array, fired: Array, first: int, last: int, lanes: Lanes) -> None:
    """Put spikes `first` to `last` of a list into the ring; the list is that of `mechanisms.note`."""
    width = len(lanes)
    for k in range(first, last):
        source = links.site[fired[2 * k + 1] // width]
        if source >= 0:
            slot = fired[2 * k] % links.length
            active[slot] = 1
            ring[slot * links.n_sources + source] |= 1 << (fired[2 * k + 1] % width)


@njit(cache=True, nogil=True, error_model="numpy")
def exchange(links: Links, ring: Array, active: Array, fired: Array, n_fired: Array, seen: Array, lanes: Lanes) -> None:
    """Put the spikes of all blocks since `seen` (n_blocks,), which is brought up to date, into the ring."""
    n_blocks = n_fired.size
    size, capacity = ring.size // n_blocks, fired.size // n_blocks
    for block in range(n_blocks):
        here = ring[block * size : (block + 1) * size]
        now = active[block * links.length : (block + 1) * links.length]
        own = fired[block * capacity : (block + 1) * capacity]
        remember(links, here, now, own, seen[block], n_fired[block], lanes)
        seen[block] = n_fired[block]


@njit(cache=True, nogil=True, error_model="numpy")
def make_room(links: Links, ring: Array, active: Array, first: int, last: int) -> None:
    """`forget` for steps `first` to `last` and all blocks."""
    size = links.length * links.n_sources
    for block in range(active.size // links.length):
        here = ring[block * size : (block + 1) * size]
        now = active[block * links.length : (block + 1) * links.length]
        for step in range(first, last):
            forget(links, here, now, step)
