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
