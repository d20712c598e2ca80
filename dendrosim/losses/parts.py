"""Parts of losses: an object from its name, from the table of an experiment file, or as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ..arguments import short
from ..construct import construct
from ..errors import ParameterError

Part = TypeVar("Part")


def part(
    what: str, given: str | Part | Mapping[str, Any], base: type[Part], registry: Mapping[str, type[Part]]
) -> Part:
    """The object that is meant.

    Parameters
    ----------
    what : str
        What it is, for messages.
    given : str, object or mapping
        A registered name, a finished object, or a mapping with "name" and options.
    base : type
        Class of such objects.
    registry : mapping of str to type

    Raises
    ------
    ParameterError
        If it is none of these, or a name or option is not known; the message lists the valid ones.
    """
    if isinstance(given, base):
        return given
    if isinstance(given, Mapping) and "name" in given:
        table = dict(given)
        return construct(what, registry, table.pop("name"), table)
    if isinstance(given, str):
        return construct(what, registry, given, {})
    valid = ", ".join(map(repr, registry))
    raise ParameterError(f"{what}={short(given)} must be a name ({valid}), a {base.__name__}, or a table with 'name'")
