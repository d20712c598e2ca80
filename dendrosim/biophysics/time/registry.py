"""Mechanisms by name."""

from __future__ import annotations

from collections.abc import Sequence

from ...arguments import short
from ...errors import ParameterError, choose
from .firing import AdaptiveIntegrateAndFire, ExponentialIntegrateAndFire, IntegrateAndFire
from .mechanisms import HodgkinHuxley, LeakConductance, Mechanism

MECHANISMS: dict[str, type[Mechanism]] = {
    kind.name: kind
    for kind in (
        LeakConductance,
        HodgkinHuxley,
        IntegrateAndFire,
        AdaptiveIntegrateAndFire,
        ExponentialIntegrateAndFire,
    )
}


def mechanisms_given(value: object) -> tuple[Mechanism, ...]:
    """Mechanisms as a tuple, names made into objects.

    Raises
    ------
    ParameterError
        If one is neither.
    """
    given = (value,) if isinstance(value, str | Mechanism) else value
    if not isinstance(given, Sequence):
        raise ParameterError(f"mechanisms={short(value)} must be a ds.HodgkinHuxley() or the like, or a list of them")
    made = []
    named = [name for name in MECHANISMS if name != LeakConductance.name]
    for i, one in enumerate(given):
        if isinstance(one, str):
            one = MECHANISMS[choose(f"mechanisms[{i}]", one, named)]()
        if not isinstance(one, Mechanism):
            raise ParameterError(
                f"mechanisms[{i}]={short(one)} must be an object such as ds.HodgkinHuxley(), or one of the names "
                f"{', '.join(map(repr, named))}"
            )
        made.append(one)
    return tuple(made)
