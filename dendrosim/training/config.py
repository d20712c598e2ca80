"""The full configuration of a training as plain values, for its record and for the refusal of foreign checkpoints."""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from ..about import __version__
from ..construct import options_of
from ..tasks.task import Task
from .schedules import Schedule

Config = dict[str, Any]

_MAY_DIFFER = ("threads",)
"""Options of training that change no bit of the result."""


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: numpy's numbers as numbers, tuples as lists, objects as they show themselves."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def of_task(task: Task) -> Config:
    """Name, seed, options, sizes and hash."""
    return {
        "name": task.name,
        "seed": task.seed,
        "options": dict(task.options),
        "n_train": len(task.x_train),
        "n_test": len(task.x_test),
        "n_inputs": task.n_inputs,
        "n_classes": task.n_classes,
        "hash": task.hash,
    }


def of_teaching(teaching: Any) -> Config:
    """Name and options of a teaching signal; those of one inside it likewise."""
    if isinstance(teaching, str):
        return {"name": teaching}
    options = {key: of_teaching(value) if hasattr(value, "credit") else value for key, value in named(teaching).items()}
    return options


def named(made: Any) -> Config:
    """Name of a registered object, and the arguments that make an equal one."""
    return {"name": made.name, **options_of(made)}


def of_rule(rule: Any) -> Config:
    """The table that makes an equal rule."""
    return {"name": rule} if isinstance(rule, str) else dict(rule.describe())


def shared(config: Config, schedule: Schedule) -> Config:
    """The part of a configuration that a resumed training must have in common with the one it continues."""
    training = {key: value for key, value in config["training"].items() if key not in _MAY_DIFFER}
    if not schedule.needs_end:
        del training["epochs"]
    return {**config, "training": training}


def versions() -> dict[str, str]:
    """Versions of what computed."""
    return {
        "dendrosim": __version__,
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
        "system": f"{platform.system()} {platform.machine()}",
    }


def provenance() -> Config:
    """What a record needs besides the settings."""
    return {"versions": versions(), "command": list(sys.argv)}
