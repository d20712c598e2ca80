"""Points of an experiment: every combination of what is crossed, listed and drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..arguments import short
from ..errors import ParameterError
from .draws import Draws
from .overrides import merged

Table = dict[str, Any]

MOST = 5_000_000
"""Combinations in a file; a million take some GB of memory."""


@dataclass(frozen=True)
class Combination:
    """Values of what is swept, one of each.

    Attributes
    ----------
    labels : tuple of str
        For the name of an arm.
    factors : dict
        Values by dotted key.
    ways : dict
        Where each value comes from: ``"cross"``, ``"list"``, or the distribution that it was drawn from.
    """

    labels: tuple[str, ...]
    factors: Mapping[str, Any]
    ways: Mapping[str, str] = field(default_factory=dict)

    def over(self, settings: Mapping[str, Any]) -> Table:
        """The settings with these values laid over, one after the other."""
        out = dict(settings)
        for key, value in self.factors.items():
            part: Any = value
            for name in reversed(key.split(".")):
                part = {name: part}
            out = merged(out, part)
        return out


def combinations(content: Mapping[str, Any], over: Mapping[str, Any]) -> list[Combination]:
    """Every combination of ``[cross]``, ``[list]`` and ``[draw]``; a single point without values where there is none.

    Parameters
    ----------
    content : mapping
        A whole experiment file.
    over : mapping
        Settings that are laid over every arm afterwards.

    Raises
    ------
    ParameterError
        If a section is impossible, or what one says is undone by what is laid over it.
    """
    _few(content)
    axes = {
        "[cross]": list(_crossed(content.get("cross", {}))),
        "[list]": list(_listed(content.get("list", {}))),
        "[draw]": list(_drawn(content.get("draw"))),
    }
    keys = {where: list(axis[0].factors) for where, axis in axes.items()}
    for (where, early), (later, late) in itertools.combinations(keys.items(), 2):
        for key, other in itertools.product(early, late):
            if f"{key}.".startswith(f"{other}."):
                raise ParameterError(f"{where} {key} is undone by {later} {other}; leave one of them out")
    given = dict(leaves(over))
    for where, swept in keys.items():
        for key, other in itertools.product(swept, given):
            if f"{key}.".startswith(f"{other}."):
                raise ParameterError(f"{where} {key} is swept, and {other} = {short(given[other])} would undo it")
    return [
        Combination(
            tuple(text for one in combined for text in one.labels),
            {key: value for one in combined for key, value in one.factors.items()},
            {key: way for one in combined for key, way in one.ways.items()},
        )
        for combined in itertools.product(*axes.values())
    ]


def _few(content: Mapping[str, Any]) -> None:
    """See that there are not too many combinations, before the first is made."""
    crossed = [len(values) for _, values in _lists("[cross]", content.get("cross", {}))]
    listed = [len(values) for _, values in _lists("[list]", content.get("list", {}))]
    drawn = content.get("draw", {}).get("n", 1)
    points = math.prod(crossed) * max(listed, default=1) * (drawn if isinstance(drawn, int) else 1)
    if points > MOST:
        raise ParameterError(
            f"[cross], [list] and [draw] make more than {MOST:,} combinations; cross less, or draw some of them"
        )


def leaves(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Values that are no tables, by dotted key."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _crossed(table: Mapping[str, Any]) -> Iterator[Combination]:
    axes = list(_lists("[cross]", table))
    for values in itertools.product(*(values for _, values in axes)):
        factors = dict(zip((key for key, _ in axes), values, strict=True))
        yield Combination(tuple(map(label, values)), factors, dict.fromkeys(factors, "cross"))


def _listed(table: Mapping[str, Any]) -> Iterator[Combination]:
    """One point per place in the lists, which are equally long."""
    columns = dict(_lists("[list]", table))
    lengths = {key: len(values) for key, values in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{key} has {n}" for key, n in lengths.items())
        raise ParameterError(f"[list] goes through its lists side by side, so they need the same length: {shown}")
    if not columns:
        yield Combination((), {})
    for i, values in enumerate(zip(*columns.values(), strict=True)):
        yield Combination((f"point {i + 1}",), dict(zip(columns, values, strict=True)), dict.fromkeys(columns, "list"))


def _drawn(table: Mapping[str, Any] | None) -> Iterator[Combination]:
    if not table:
        yield Combination((), {})
        return
    draws = Draws.from_table(table)
    ways = {key: kind.name for key, kind in draws.keys.items()}
    for i, values in enumerate(draws.points()):
        yield Combination((f"draw {i + 1}",), values, ways)


def _lists(where: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Any]]]:
    for key, value in leaves(table):
        if not isinstance(value, list) or len(value) < 2:
            raise ParameterError(f"{where} {key} = {short(value)} must be a list of two or more values")
        yield key, value


def label(value: Any) -> str:
    """A value in the name of an arm: a table by its own name, if it has one."""
    if isinstance(value, Mapping):
        return str(value.get("name", short(value)))
    return str(value)
