"""How gradients go back through channels: for every class of `mechanisms` two functions, told by `register_adjoint`.

``update_back(mechanism, state, at, V, credit, change, spike, slant, offset, lanes)``
    Backwards through `update`. `state` is what it was before the step, V the voltage as solved. `credit` holds the
    gradient by voltages after the update and is made that by voltages as solved; `change`, that by states, likewise.
    `spike` is the gradient by spikes, `slant` the derivative of a spike by the voltage that is to be taken for it (a
    surrogate); both have index ``site * width``.
``currents_back(mechanism, state, at, q, V, solved, credit, change, offset, lanes)``
    Backwards through `currents`. q is the gradient by currents of the step, V the voltage before it, and `solved` the
    solution V' that conductances saw. Adds to `change`, and to `credit` (now of V) where currents depend on V.

Indices are as in `mechanisms`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.extending import overload

_BACK: dict[type, tuple[Callable[..., Any], Callable[..., Any]]] = {}


def register_adjoint(kind: type, currents_back: Callable[..., Any], update_back: Callable[..., Any]) -> None:
    """Tell the compiler which functions go back through mechanisms of class `kind`."""
    _BACK[kind] = currents_back, update_back


def has_adjoint(kind: type) -> bool:
    """Whether gradients can go back through mechanisms of class `kind`."""
    return kind in _BACK


def _one_currents(
    mechanism: Any, state: Any, at: Any, q: Any, V: Any, solved: Any, credit: Any, change: Any, offset: Any, lanes: Any
) -> None:
    raise TypeError("for compiled code")


def _one_update(
    mechanism: Any, state: Any, at: Any, V: Any, credit: Any, change: Any, spike: Any, slant: Any, offset: Any,
    lanes: Any,
) -> None:  # fmt: skip
    raise TypeError("for compiled code")


def currents_back(
    mechanisms: Any, state: Any, at: Any, q: Any, V: Any, solved: Any, credit: Any, change: Any, offset: Any, lanes: Any
) -> None:
    """`currents_back` of every mechanism in a tuple; for compiled code."""
    raise TypeError("for compiled code")


def update_back(
    mechanisms: Any, state: Any, at: Any, V: Any, credit: Any, change: Any, spike: Any, slant: Any, offset: Any,
    lanes: Any,
) -> None:  # fmt: skip
    """`update_back` of every mechanism in a tuple, the last first; for compiled code.

    All read the voltage as solved: one that resets it must be the last of its compartment.
    """
    raise TypeError("for compiled code")


@overload(_one_currents)
def _(
    mechanism: Any, state: Any, at: Any, q: Any, V: Any, solved: Any, credit: Any, change: Any, offset: Any, lanes: Any
) -> Any:
    function = _BACK[mechanism.instance_class][0]

    def compiled(
        mechanism: Any,
        state: Any,
        at: Any,
        q: Any,
        V: Any,
        solved: Any,
        credit: Any,
        change: Any,
        offset: Any,
        lanes: Any,
    ) -> None:
        function(mechanism, state, at, q, V, solved, credit, change, offset, lanes)

    return compiled


@overload(_one_update)
def _(
    mechanism: Any, state: Any, at: Any, V: Any, credit: Any, change: Any, spike: Any, slant: Any, offset: Any,
    lanes: Any,
) -> Any:  # fmt: skip
    function = _BACK[mechanism.instance_class][1]

    def compiled(
        mechanism: Any, state: Any, at: Any, V: Any, credit: Any, change: Any, spike: Any, slant: Any, offset: Any,
        lanes: Any,
    ) -> None:  # fmt: skip
        function(mechanism, state, at, V, credit, change, spike, slant, offset, lanes)

    return compiled


@overload(currents_back)
def _(
    mechanisms: Any, state: Any, at: Any, q: Any, V: Any, solved: Any, credit: Any, change: Any, offset: Any, lanes: Any
) -> Any:
    if not isinstance(mechanisms, types.BaseTuple):
        return None

    def none(
        mechanisms: Any,
        state: Any,
        at: Any,
        q: Any,
        V: Any,
        solved: Any,
        credit: Any,
        change: Any,
        offset: Any,
        lanes: Any,
    ) -> None:
        return

    def some(
        mechanisms: Any,
        state: Any,
        at: Any,
        q: Any,
        V: Any,
        solved: Any,
        credit: Any,
        change: Any,
        offset: Any,
        lanes: Any,
    ) -> None:
        first = mechanisms[0]
        _one_currents(first, state, at, q, V, solved, credit, change, offset, lanes)
        more = at + first.n_states * first.row.size * len(lanes)
        currents_back(mechanisms[1:], state, more, q, V, solved, credit, change, offset, lanes)

    return some if len(mechanisms) else none


@overload(update_back)
def _(
    mechanisms: Any, state: Any, at: Any, V: Any, credit: Any, change: Any, spike: Any, slant: Any, offset: Any,
    lanes: Any,
) -> Any:  # fmt: skip
    if not isinstance(mechanisms, types.BaseTuple):
        return None

    def none(
        mechanisms: Any, state: Any, at: Any, V: Any, credit: Any, change: Any, spike: Any, slant: Any, offset: Any,
        lanes: Any,
    ) -> None:  # fmt: skip
        return

    def some(
        mechanisms: Any, state: Any, at: Any, V: Any, credit: Any, change: Any, spike: Any, slant: Any, offset: Any,
        lanes: Any,
    ) -> None:  # fmt: skip
        first = mechanisms[0]
        more = at + first.n_states * first.row.size * len(lanes)
        update_back(mechanisms[1:], state, more, V, credit, change, spike, slant, offset, lanes)
        _one_update(first, state, at, V, credit, change, spike, slant, offset, lanes)

    return some if len(mechanisms) else none
