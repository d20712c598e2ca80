"""Teaching signals: from the output error to a credit for every compartment."""

from __future__ import annotations

from typing import Any

from ..arguments import instance
from .base import Teaching
from .exact import Exact
from .registry import construct

TEACHING: dict[str, type[Teaching]] = {kind.name: kind for kind in (Exact,)}


def teaching(given: str | Teaching, **options: Any) -> Teaching:
    """The teaching signal registered under a name, made with `options`, or the one given."""
    if isinstance(given, str):
        return construct("teaching", TEACHING, given, options)
    return instance("teaching", given, Teaching, f"or one of the names {', '.join(TEACHING)}")
