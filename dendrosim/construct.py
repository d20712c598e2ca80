"""Objects made from a name and options, and the options that an object was made with."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from .arguments import short
from .errors import ParameterError, choose

Kind = TypeVar("Kind")


def construct(what: str, registry: Mapping[str, type[Kind]], name: object, options: Mapping[str, Any]) -> Kind:
    """Make the object that is registered under `name`.

    Parameters
    ----------
    what : str
        What the registry holds, for messages.
    registry : mapping of str to class
    name : str
    options : mapping
        Arguments of the constructor.

    Raises
    ------
    ParameterError
        If the name or an option is not known, or one that has no default is missing; the message lists the valid ones.
    """
    kind = registry[choose(what, name, registry)]
    parameters = _parameters(kind)
    unknown = [key for key in options if key not in parameters]
    if unknown:
        valid = f"valid: {', '.join(parameters)}" if parameters else "it takes none"
        raise ParameterError(f"{what} {name!r} has no option {unknown[0]!r}; {valid}")
    missing = [key for key, it in parameters.items() if it.default is it.empty and key not in options]
    if missing:
        raise ParameterError(f"{what} {name!r} needs the option {missing[0]!r}; it has no default")
    return kind(**options)


def named(
    what: str,
    noun: str,
    base: Any,
    registry: Mapping[str, type[Kind]],
    given: object,
    options: Mapping[str, Any],
) -> Kind:
    """An object of its own, from a name, an object or the table of an experiment file.

    Parameters
    ----------
    what, noun : str
        The argument, and what it holds, for messages.
    base : type
        Class of the objects.
    registry : mapping of str to class
    given : str, object or mapping
        A registered name; an object, which is copied, so that what two owners change is never shared; or a mapping with
        "name" and options.
    options : mapping
        Of the one that is named.

    Raises
    ------
    ParameterError
        If the name or an option is not known; the message lists the valid ones.
    """
    valid = ", ".join(map(repr, registry))
    if isinstance(given, base):
        if options:
            raise ParameterError(
                f"options {', '.join(options)} do not go with the finished {given!r}; give them to its constructor"
            )
        own: Kind = copy.deepcopy(given)
        return own
    if isinstance(given, Mapping):
        table = {**given, **options}
        if "name" not in table:
            raise ParameterError(f"the table of a {noun} needs 'name', one of {valid}")
        return construct(what, registry, table.pop("name"), table)
    if not isinstance(given, str):
        raise ParameterError(f"{what}={short(given)} must be a name ({valid}), a {base.__name__} or a table")
    return construct(what, registry, given, options)


def options_of(made: object) -> dict[str, Any]:
    """Arguments that would make the same object again: constructors keep theirs under the same names."""
    return {key: getattr(made, key) for key in _parameters(type(made))}


def call_of(made: object) -> str:
    """The object as a call of its constructor, for ``repr``."""
    return f"{type(made).__name__}({', '.join(f'{key}={value!r}' for key, value in options_of(made).items())})"


def _parameters(kind: Any) -> Mapping[str, inspect.Parameter]:
    return _parameters_of(kind)


@cache
def _parameters_of(kind: Any) -> Mapping[str, inspect.Parameter]:
    return {} if kind.__init__ is object.__init__ else dict(inspect.signature(kind).parameters)
