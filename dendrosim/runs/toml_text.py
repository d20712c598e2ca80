"""TOML of whatever origin: the table that a text stands for, or one error."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ParameterError

_LARGEST = 2**24
"""Bytes of a file: experiments are written by hand, or by small programs."""
_DEEPEST = 30
"""Tables and lists within one another."""
_DEEP = f"tables and lists lie more than {_DEEPEST} deep within one another"


def table(text: str) -> dict[str, Any]:
    """The table that a TOML text stands for.

    Raises
    ------
    ParameterError
        If it is no TOML, or tables and lists lie too deep within one another.
    """
    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise ParameterError(_DEEP) from None
    except ValueError as error:  # of its own, and of numbers with thousands of digits
        raise ParameterError(" ".join(str(error).split())[:300]) from error
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        level = [item for one in level for item in _inside(one)]
        if not level:
            return found
    raise ParameterError(_DEEP)


def read_table(path: Path) -> dict[str, Any]:
    """The table in a TOML file.

    Raises
    ------
    ParameterError
        If it is no such file, or a far too large one.
    """
    if path.stat().st_size > _LARGEST:
        raise ParameterError(f"{path} has {path.stat().st_size} bytes; an experiment file has at most {_LARGEST}")
    try:
        return table(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ParameterError) as error:
        raise ParameterError(f"{path} is no TOML file: {error}") from error


def _inside(value: Any) -> list[Any]:
    """What tables and lists hold, as far as it can hold something itself."""
    held = value.values() if isinstance(value, Mapping) else value
    return [item for item in held if isinstance(item, Mapping | list)]
