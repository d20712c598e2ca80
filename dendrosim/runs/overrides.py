"""Settings laid over settings: those of an arm, and ``--set key=value``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..arguments import short
from ..errors import ParameterError
from .toml_text import table

Table = dict[str, Any]

DISTINCT = ("name", "kind")
"""Keys that say what the other keys of their table are about."""
_DEEPEST = 10
"""Parts of a key."""


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Table:
    """A copy of `base` with the values of `over`, table by table.

    A table that names something else (another ``name`` or ``kind``) takes the place of the one below it as a whole:
    options of what is not there any more would make no sense.
    """
    out = dict(base)
    for key, value in over.items():
        below = out.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping) and not _another(below, value):
            out[key] = merged(below, value)
        else:
            out[key] = merged({}, value) if isinstance(value, Mapping) else value
    return out


def _another(below: Mapping[str, Any], over: Mapping[str, Any]) -> bool:
    defaults = {"kind": "dendritic"}
    return any(key in over and over[key] != below.get(key, defaults.get(key)) for key in DISTINCT)


def parsed(texts: Iterable[str]) -> Table:
    """The settings that ``key=value`` texts ask for.

    Parameters
    ----------
    texts : iterable of str
        Keys with dots, as in ``training.epochs=3``; values as in TOML, a single word without quotes is text.

    Raises
    ------
    ParameterError
        If one cannot be read.

    Examples
    --------
    >>> parsed(["training.epochs=3", "teaching.name=scalar", "network.cells=[20, 20]"])
    {'training': {'epochs': 3}, 'teaching': {'name': 'scalar'}, 'network': {'cells': [20, 20]}}
    """
    out: Table = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", key) or not value:
            raise ParameterError(f"--set {short(text)} cannot be read; write key=value, such as training.epochs=3")
        try:
            found = table(f"value = {value}")
            if list(found) != ["value"]:  # a line break in it
                raise ParameterError("more than one value")
            read: Any = found["value"]
        except ParameterError as error:
            if not re.fullmatch(r"\w[\w.+/-]*", value):
                raise ParameterError(f"--set {short(text)}: the value is not TOML ({error}); quote text") from None
            read = value
        parts = key.split(".")
        if len(parts) > _DEEPEST:
            raise ParameterError(f"--set {short(text)}: no key has {len(parts)} parts")
        over: Table = {parts[-1]: read}
        for part in reversed(parts[:-1]):
            over = {part: over}
        out = merged(out, over)
    return out
