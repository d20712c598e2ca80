"""Experiment files that are laid over others: ``experiment = "NAME or path"``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .. import arguments
from ..errors import ParameterError
from .overrides import merged
from .schema import SECTIONS, TOP, keys, unknown
from .shipped import find_experiment, shipped_experiments
from .toml_text import read_table

Table = dict[str, Any]


def read(source: str | Path) -> tuple[Path, Table]:
    """An experiment file and its content, laid over that of its base, and so on.

    Sections are laid over those of the base key by key, as arms are laid over sections; seeds, arms and what is swept
    are those of the base where the file has none of its own.

    Parameters
    ----------
    source : str or Path
        A TOML file, or the name of a shipped one.

    Raises
    ------
    ParameterError
        If a file is missing, is no TOML, says something unknown at its top level, or is its own base.
    """
    path = find_experiment(source)
    content = _read(path, ())
    content.pop("experiment", None)
    return path, content


def _read(path: Path, above: tuple[Path, ...]) -> Table:
    here = path.resolve()
    if here in above:
        chain = " -> ".join(one.name for one in (*above[above.index(here) :], here))
        raise ParameterError(f"{path} is laid over itself: {chain}; take 'experiment' out of one of them")
    content = read_table(path)
    try:
        keys("top level", content, TOP)
        if "experiment" not in content:
            return content
        base = _base(content["experiment"], path)
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error
    below = _read(base, (*above, here))
    sections = merged(
        {key: below[key] for key in SECTIONS if key in below}, {key: content[key] for key in SECTIONS if key in content}
    )
    return {**below, **content, **sections}


def _base(name: str, path: Path) -> Path:
    """The file that a name or a path, relative to the file that says it, stands for."""
    known, beside = shipped_experiments(), path.parent / arguments.path("experiment", name)
    if name not in known and not os.path.exists(beside):
        raise unknown("experiment (neither a shipped name nor a file, as seen from this one)", name, known)
    return find_experiment(name if name in known else beside)
