"""Rules: eligibility times modulators times credit, composed and registered by name."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import several, short
from ..construct import construct, options_of
from ..errors import ParameterError, choose
from ..teaching.exact import Exact
from ..teaching.feedback_alignment import FA
from ..teaching.noise.base import Perturbing
from .modulators import MODULATORS, Modulator, PathGain, Phi, Rho

if TYPE_CHECKING:
    from ..networks.network import Network
    from ..teaching.base import Teaching
    from ..teaching.lesson import TreeLesson

Array = NDArray[Any]

RULES: dict[str, Callable[[], tuple[Modulator, ...]]] = {
    "3F": lambda: (),
    "4F": lambda: (Rho(),),
    "5F": lambda: (Rho(), Phi()),
}
"""Registered rules: the modulators of each, new ones at every call."""

ELIGIBILITIES = ("matched", "conductance")


class Rule:
    """A local rule: ``theta -= eta <eligibility * modulators * credit>_B dg/dtheta``.

    Parameters
    ----------
    name : str
        A registered name ("3F", "4F", "5F": local-credit paper, eq. 15-16, 18-19, 24-25), or any other with
        `modulators`.
    modulators : sequence of Modulator, optional
        Default: those of the registered rule.
    eligibility : {"matched", "conductance"}, default "matched"
        "matched" is the eligibility of the network's own integration. "conductance" takes the factors of shunting
        compartments, x R (E - V), in an additive network too: the paper's first additive control, for replication.

    Raises
    ------
    ParameterError
        If the name is not registered and no modulators are given, or two modulators share a name.

    Examples
    --------
    >>> from dendrosim.plasticity.modulators import PathGain
    >>> Rule("5F").with_(PathGain("compartment")).name
    '5F+path'
    """

    def __init__(self, name: str, modulators: Iterable[Modulator] | None = None, eligibility: str = "matched") -> None:
        if not isinstance(name, str):
            raise ParameterError(f"name={short(name)} of a rule must be text")
        given = RULES[choose("rule", name, RULES)]() if modulators is None else tuple(_modulators(modulators))
        for item in given:
            if not isinstance(item, Modulator):
                raise ParameterError(f"modulators must be Modulator objects such as PathGain(); got {short(item)}")
        taken = [item.name for item in given]
        twice = sorted({one for one in taken if taken.count(one) > 1})
        if twice:
            raise ParameterError(f"rule {name!r} has two modulators called {twice[0]!r}; a factor comes once")
        self.name = name
        self.modulators = tuple(sorted(given, key=lambda item: item.turn))
        self.eligibility = choose("eligibility", eligibility, ELIGIBILITIES)

    def with_(self, *modulators: Modulator) -> Rule:
        """This rule with more `modulators`; one of the same name takes the place of the one that is there.

        Raises
        ------
        ParameterError
            If something else than a modulator is given.
        """
        for item in modulators:
            if not isinstance(item, Modulator):
                raise ParameterError(f"modulators must be Modulator objects such as PathGain(); got {short(item)}")
        replaced = {item.name: item for item in modulators}
        kept = [replaced.get(item.name, item) for item in self.modulators]
        more = [item for item in modulators if item.name not in {one.name for one in self.modulators}]
        return Rule("+".join([self.name, *(item.name for item in more)]), [*kept, *more], self.eligibility)

    def prepare(self, network: Network) -> None:
        """A new start of every modulator, for a `network`."""
        for modulator in self.modulators:
            modulator.prepare(network)

    def modulate(self, lesson: TreeLesson) -> None:
        """Let every modulator act on `lesson`: first on what is broadcast, then the factors, then what is added."""
        for modulator in self.modulators:
            modulator.modulate(lesson)

    def amend(self, lesson: TreeLesson, gradients: dict[str, Array]) -> None:
        """Let modulators add to the `gradients` by the raw parameters of `lesson`."""
        for modulator in self.modulators:
            modulator.amend(lesson, gradients)

    def suits(self, teaching: Teaching) -> None:
        """See that this rule and the signal `teaching` go together.

        Raises
        ------
        ParameterError
            If credits that carry the path gain already would get it once more.
        """
        if isinstance(teaching, Exact | FA | Perturbing) and any(
            isinstance(item, PathGain) for item in self.modulators
        ):
            raise ParameterError(
                f"rule {self.name!r} multiplies credits by the path gain, which teaching {teaching.name!r} has in them "
                "already; leave 'path' out of the rule, or broadcast with teaching='per_soma'"
            )

    def state(self) -> dict[str, Array]:
        """State of all modulators, under ``modulator/key``."""
        return {f"{item.name}/{key}": value for item in self.modulators for key, value in item.state().items()}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Take over what `state` returned, after `prepare` with the same network.

        Raises
        ------
        ParameterError
            If the state is that of another rule.
        """
        expected = set(self.state())
        if set(state) != expected:
            raise ParameterError(
                f"state with {sorted(state)} does not fit rule {self.name!r}, which keeps {sorted(expected)}"
            )
        for item in self.modulators:
            prefix = f"{item.name}/"
            item.restore({key[len(prefix) :]: np.asarray(v) for key, v in state.items() if key.startswith(prefix)})

    def describe(self) -> dict[str, Any]:
        """The table of an experiment file that makes an equal rule: all modulators with all their options."""
        base = re.split("[+-]", self.name)[0]
        base = base if base in RULES else "3F"
        left_out = {item.name for item in RULES[base]()} - {item.name for item in self.modulators}
        return {
            "name": base,
            "eligibility": self.eligibility,
            **dict.fromkeys(sorted(left_out), False),
            **{item.name: options_of(item) for item in self.modulators},
        }

    def __repr__(self) -> str:
        inside = ", ".join(map(repr, self.modulators))
        return f"Rule({self.name!r}, [{inside}], eligibility={self.eligibility!r})"


def rule(given: str | Rule | Mapping[str, Any], modulators: Iterable[Modulator] = ()) -> Rule:
    """A rule of its own, from a name, a Rule or the table of an experiment file.

    Parameters
    ----------
    given : str, Rule or mapping
        "5F", or "5F+path+depth" with default options of the modulators that are added. A Rule is copied: what two
        learners keep is never shared. A mapping has "name", perhaps "eligibility", and options under the names of
        modulators: ``{"name": "5F", "path": "compartment", "depth": {"alpha": 2.0}, "hsic": {}}``; a bare value
        stands for the modulator's first option, ``true`` for its defaults, ``false`` leaves it out.
    modulators : iterable of Modulator, optional
        Added to it.

    Returns
    -------
    Rule

    Raises
    ------
    ParameterError
        If a name or option is not known; the message lists the valid ones.
    """
    if isinstance(given, Rule):
        made = given
    elif isinstance(given, str):
        base, *more = given.split("+")
        made = Rule(base).with_(*(construct("modulator", MODULATORS, name, {}) for name in more))
    elif isinstance(given, Mapping):
        made = _from_table(given)
    else:
        raise ParameterError(f"rule={short(given)} must be one of {', '.join(map(repr, RULES))}, a Rule or a table")
    added = tuple(_modulators(modulators))
    return copy.deepcopy(made.with_(*added) if added else made)


def _modulators(given: Iterable[Modulator]) -> list[Any]:
    return several("modulators", given, "a list of Modulator objects such as PathGain()")


def _from_table(table: Mapping[str, Any]) -> Rule:
    if "name" not in table:
        raise ParameterError(f"the table of a rule needs 'name', one of {', '.join(map(repr, RULES))}")
    base = rule(table["name"])
    add, drop = [], set()
    for key, value in table.items():
        if key in ("name", "eligibility"):
            continue
        if key not in MODULATORS:
            valid = ", ".join(map(repr, ["name", "eligibility", *MODULATORS]))
            raise ParameterError(f"{key!r} in the table of rule {base.name!r} is not known; valid: {valid}")
        if value is False:
            drop.add(key)
        else:
            add.append(_modulator(key, value))
    present = {item.name for item in base.modulators}
    whole = base.with_(*add)
    left = [item for item in whole.modulators if item.name not in drop]
    name = "".join([whole.name, *(f"-{key}" for key in sorted(drop & present))])
    return Rule(name, left, table.get("eligibility", base.eligibility))


def _modulator(name: str, value: Any) -> Modulator:
    if value is True:
        options: Mapping[str, Any] = {}
    elif isinstance(value, Mapping):
        options = value
    else:
        options = {MODULATORS[name].shorthand: value}
    return construct("modulator", MODULATORS, name, options)
