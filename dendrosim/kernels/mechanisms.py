"""How channels take part in a step: what they add to conductances and currents, and how their states advance.

A mechanism is a NamedTuple of its arrays. Which functions handle it is decided by its class while kernels are compiled,
so that a cell without mechanisms pays nothing. `register` tells them:

``currents(mechanism, state, at, G, b, V, offset, lanes)``
    Before the solve: add conductances to G, and currents at voltage 0 to b.
``update(mechanism, state, at, V, offset, step, fired, count, lanes) -> int``
    After it: advance the states, change voltages, report spikes by `note`; return the number of spikes so far.

State k of site i is the vector ``state[at + (k * n_sites + i) * width]``. V, G and b are blocks by slot; voltages are
relative to the leak's reversal potential, `offset`. Every mechanism has the fields `row` (slots of its sites),
`n_states` (per site), and `site`, the number of its first site among those of all mechanisms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core import types
from numba.extending import overload
from numpy.typing import NDArray

Array = NDArray[Any]
Lanes = tuple[float, ...]

_CURRENTS: dict[type, Callable[..., Any]] = {}
_UPDATE: dict[type, Callable[..., Any]] = {}


def register(kind: type, currents: Callable[..., Any], update: Callable[..., Any]) -> None:
    """Tell the compiler which functions handle mechanisms of class `kind`."""
    _CURRENTS[kind], _UPDATE[kind] = currents, update


def currents_of(arrays: Any) -> Callable[..., Any]:
    """The function that adds the currents of a mechanism with these arrays."""
    return _CURRENTS[type(arrays)]


@njit(cache=True, nogil=True, error_model="numpy")
def note(flags: Array, at: int, step: int, site: int, fired: Array, count: int, lanes: Lanes) -> int:
    """Report a spike for every lane whose flag is not 0; returns the number of spikes so far.

    Parameters
    ----------
    flags : float array
        From index `at` on, one per lane.
    fired : int array of shape (2 * capacity,)
        Pairs of (step, site * width + lane).
    """
    width = len(lanes)
    for w in range(width):
        if flags[at + w] != 0.0:
            if 2 * count + 1 < fired.size:
                fired[2 * count] = step
                fired[2 * count + 1] = site * width + w
            count += 1
    return count


def _one_currents(mechanism: Any, state: Any, at: Any, G: Any, b: Any, V: Any, offset: Any, lanes: Any) -> None:
    raise TypeError("for compiled code")


def _one_update(
    mechanism: Any, state: Any, at: Any, V: Any, offset: Any, step: Any, fired: Any, count: Any, lanes: Any
) -> int:
    raise TypeError("for compiled code")


def add_currents(mechanisms: Any, state: Any, at: Any, G: Any, b: Any, V: Any, offset: Any, lanes: Any) -> None:
    """`currents` of every mechanism in a tuple; for compiled code."""
    raise TypeError("for compiled code")


def advance(
    mechanisms: Any, state: Any, at: Any, V: Any, offset: Any, step: Any, fired: Any, count: Any, lanes: Any
) -> int:
    """`update` of every mechanism in a tuple; for compiled code."""
    raise TypeError("for compiled code")


@overload(_one_currents)
def _(mechanism: Any, state: Any, at: Any, G: Any, b: Any, V: Any, offset: Any, lanes: Any) -> Any:
    function = _CURRENTS[mechanism.instance_class]

    def compiled(mechanism: Any, state: Any, at: Any, G: Any, b: Any, V: Any, offset: Any, lanes: Any) -> None:
        function(mechanism, state, at, G, b, V, offset, lanes)

    return compiled


@overload(_one_update)
def _(mechanism: Any, state: Any, at: Any, V: Any, offset: Any, step: Any, fired: Any, count: Any, lanes: Any) -> Any:
    function = _UPDATE[mechanism.instance_class]

    def compiled(
        mechanism: Any, state: Any, at: Any, V: Any, offset: Any, step: Any, fired: Any, count: Any, lanes: Any
    ) -> int:
        return function(mechanism, state, at, V, offset, step, fired, count, lanes)

    return compiled


@overload(add_currents)
def _(mechanisms: Any, state: Any, at: Any, G: Any, b: Any, V: Any, offset: Any, lanes: Any) -> Any:
    if not isinstance(mechanisms, types.BaseTuple):
        return None

    def none(mechanisms: Any, state: Any, at: Any, G: Any, b: Any, V: Any, offset: Any, lanes: Any) -> None:
        return

    def some(mechanisms: Any, state: Any, at: Any, G: Any, b: Any, V: Any, offset: Any, lanes: Any) -> None:
        first = mechanisms[0]
        _one_currents(first, state, at, G, b, V, offset, lanes)
        more = at + first.n_states * first.row.size * len(lanes)
        add_currents(mechanisms[1:], state, more, G, b, V, offset, lanes)

    return some if len(mechanisms) else none


@overload(advance)
def _(mechanisms: Any, state: Any, at: Any, V: Any, offset: Any, step: Any, fired: Any, count: Any, lanes: Any) -> Any:
    if not isinstance(mechanisms, types.BaseTuple):
        return None

    def none(
        mechanisms: Any, state: Any, at: Any, V: Any, offset: Any, step: Any, fired: Any, count: Any, lanes: Any
    ) -> int:
        return count

    def some(
        mechanisms: Any, state: Any, at: Any, V: Any, offset: Any, step: Any, fired: Any, count: Any, lanes: Any
    ) -> int:
        first = mechanisms[0]
        count = _one_update(first, state, at, V, offset, step, fired, count, lanes)
        more = at + first.n_states * first.row.size * len(lanes)
        return advance(mechanisms[1:], state, more, V, offset, step, fired, count, lanes)

    return some if len(mechanisms) else none
