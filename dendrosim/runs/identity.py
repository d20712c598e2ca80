"""Which run is which: an identity for every combination of settings, seed, data and code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..about import __version__
from .build import task_of
from .resolved import resolved

__all__ = ["code_version", "configuration", "data_of", "identity", "resolved"]

_PACKAGE = Path(__file__).resolve().parent.parent
_BESIDES = ("_data", "commands", "plotting", "runs")
"""Folders of the package in which nothing is computed that a run consists of."""
_NEITHER = ("__main__.py", "about.py", "cli.py", "reference.py", "references.py", "references_time.py")
_AFTER_ALL = ("runs/build.py",)
"""Makes tasks and networks from settings."""
_DIGITS = 32


@cache
def code_version() -> str:
    """Version of dendrosim with a digest of the source of all modules that compute, such as "1.2.3+0123456789ab".

    Command lines, figures and the handling of files are not among them: they change no run.
    """
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(_PACKAGE).as_posix(), path) for path in _PACKAGE.rglob("*.py")):
        if name in _AFTER_ALL or not (name.split("/")[0] in _BESIDES or name in _NEITHER):
            text = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{name} {len(text)}\n".encode())
            digest.update(text)
    return f"{__version__}+{digest.hexdigest()[:12]}"


def configuration(settings: Mapping[str, Any], seed: int, data: str) -> str:
    """What a run is of, whatever version computed it: a digest of its resolved settings, its seed and its data.

    Parameters
    ----------
    settings : mapping
        Sections of an experiment, as `Arm.settings` has them.
    seed : int
    data : str
        `Task.hash`.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    ParameterError
        If a name or an option is not known, or a value is impossible.
    """
    return configuration_of(resolved(settings, seed), data)


def configuration_of(settings: Mapping[str, Any], data: str) -> str:
    """The configuration of settings that are resolved already."""
    return _digest({"settings": settings, "data": data})


def identity(settings: Mapping[str, Any], seed: int, data: str, code: str | None = None) -> str:
    """The identity of a run: that of its configuration, and of the code that computes it.

    Parameters
    ----------
    settings, seed, data
        As for `configuration`.
    code : str, optional
        By default `code_version`.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    return identity_of(configuration(settings, seed, data), code)


def identity_of(configured: str, code: str | None = None) -> str:
    """The identity of a run of which the configuration is known already."""
    return _digest({"configuration": configured, "code": code_version() if code is None else code})


def data_of(task: Mapping[str, Any]) -> str:
    """`Task.hash` of what a section [task] stands for, found once per process."""
    return _data(json.dumps(task, sort_keys=True))


@cache
def _data(text: str) -> str:
    return task_of(json.loads(text)).hash


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
