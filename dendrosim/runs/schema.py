"""What an experiment file may say: sections, keys and the kinds of their values."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..arguments import short
from ..errors import ParameterError

Table = dict[str, Any]

WHOLE, NUMBER, TEXT, TRUTH, TABLE = "a whole number", "a number", "text", "true or false", "a table"
WHOLES, OFF = "a list of whole numbers", "false"
"""Kinds of values, in the words of messages. TOML has no word for nothing: false switches off what can be off."""

TRAINING: dict[str, tuple[str, ...]] = {
    "epochs": (WHOLE,),
    "batch_size": (WHOLE,),
    "validation": (NUMBER,),
    "loss": (TEXT, TABLE),
    "optimiser": (TEXT, TABLE),
    "rates": (NUMBER, TABLE),
    "decay": (NUMBER, TABLE),
    "schedule": (TEXT, TABLE),
    "decoder": (TEXT,),
    "clip_value": (NUMBER, OFF),
    "clip_norm": (NUMBER, OFF),
    "patience": (WHOLE, OFF),
    "restore_best": (TRUTH,),
    "test_each_epoch": (TRUTH,),
    "threads": (WHOLE,),
}
_RESIDUAL: dict[str, tuple[str, ...]] = {
    "kind": (TEXT,),
    "width": (WHOLE,),
    "depth": (WHOLE,),
    "hidden": (WHOLE,),
    "standardise": (TRUTH,),
    "dtype": (TEXT,),
    "seed": (WHOLE,),
}
NETWORKS: dict[str, dict[str, tuple[str, ...]]] = {
    "dendritic": {
        "kind": (TEXT,),
        "cells": (WHOLES,),
        "branching": (WHOLES,),
        "excitatory": (WHOLE, WHOLES),
        "inhibitory": (WHOLE, WHOLES),
        "inhibitory_cells": (WHOLES,),
        "somatic_synapses": (TRUTH,),
        "morphology": (TABLE,),
        "integration": (TEXT,),
        "gates": (TRUTH,),
        "positive": (TEXT,),
        "connectivity": (TEXT,),
        "decoder": (TEXT, TABLE),
        "initialisation": (TEXT,),
        "dtype": (TEXT,),
        "seed": (WHOLE,),
    },
    "point_mlp": {
        "kind": (TEXT,),
        "hidden": (WHOLE, WHOLES),
        "n_parameters": (WHOLE,),
        "activation": (TEXT,),
        "init": (TEXT,),
        "gain": (NUMBER,),
        "density": (NUMBER,),
        "dtype": (TEXT,),
        "seed": (WHOLE,),
    },
    "resmlp": {**_RESIDUAL, "block": (TEXT,), "terminal_norm": (TRUTH,)},
    "student": _RESIDUAL,
    "vit_mini": {**_RESIDUAL, "patch": (WHOLE,), "heads": (WHOLE,), "channels": (WHOLE,)},
}
"""Keys of a network by its kind."""
MORPHOLOGY: dict[str, tuple[str, ...]] = {
    "source": (TEXT,),
    "max_length": (NUMBER,),
    "d_lambda": (NUMBER,),
    "frequency": (NUMBER,),
}
FIDELITY: dict[str, tuple[str, ...]] = {
    "every": (WHOLE,),
    "samples": (WHOLE,),
    "teaching": (TEXT, TABLE),
    "rule": (TEXT, TABLE),
}
CREDIT: dict[str, tuple[str, ...]] = {"every": (WHOLE,), "samples": (WHOLE,)}
EVALUATION: dict[str, tuple[str, ...]] = {**CREDIT, "epsilon": (NUMBER,)}
TASK: dict[str, tuple[str, ...]] = {
    "name": (TEXT,),
    "seed": (WHOLE,),
    "subset": (TABLE,),
    "augmented": (TABLE,),
}
"""Keys of every task; the others are options of the one that is named."""
SUBSET: dict[str, tuple[str, ...]] = {"n_train": (WHOLE,), "n_test": (WHOLE,), "seed": (WHOLE,)}
AUGMENTED: dict[str, tuple[str, ...]] = {"shift": (WHOLE,), "flip": (TRUTH,)}
SECTIONS = ("task", "network", "teaching", "rule", "training", "fidelity", "credit", "evaluation")
TOP: dict[str, tuple[str, ...]] = {
    "experiment": (TEXT,),
    "description": (TEXT,),
    "seeds": (WHOLES,),
    **dict.fromkeys(SECTIONS, (TABLE,)),
    "arms": ("a list of tables",),
    "cross": (TABLE,),
    "list": (TABLE,),
    "draw": (TABLE,),
}


def check(settings: Mapping[str, Any]) -> None:
    """See that the sections of one arm have known keys and values of the right kinds.

    Names and options of tasks, teaching signals and rules are left to those who know them.

    Raises
    ------
    ParameterError
        Names the key, and what would work.
    """
    keys("sections", settings, {section: TOP[section] for section in SECTIONS})
    for section in ("task", "network"):
        if section not in settings:
            raise ParameterError(f"there is no [{section}]; an experiment needs one")
    if "name" not in settings["task"]:
        raise ParameterError("[task] has no name; give one of those that ds.tasks.names() lists")
    for key, value in settings["task"].items():
        if key in TASK:
            of_kind(f"[task] {key}", value, TASK[key])
    keys("[task.subset]", settings["task"].get("subset", {}), SUBSET)
    keys("[task.augmented]", settings["task"].get("augmented", {}), AUGMENTED)
    network = settings["network"]
    kind = network.get("kind", "dendritic")
    of_kind("[network] kind", kind, (TEXT,))
    if kind not in NETWORKS:
        raise unknown("[network] kind", kind, NETWORKS)
    keys("[network]", network, NETWORKS[kind])
    if "morphology" in network:
        keys("[network.morphology]", network["morphology"], MORPHOLOGY)
    keys("[training]", settings.get("training", {}), TRAINING)
    keys("[fidelity]", settings.get("fidelity", {}), FIDELITY)
    keys("[credit]", settings.get("credit", {}), CREDIT)
    keys("[evaluation]", settings.get("evaluation", {}), EVALUATION)
    for section in ("teaching", "rule"):
        if "name" not in settings.get(section, {"name": ""}):
            raise ParameterError(f"[{section}] has no name")


def keys(where: str, table: Mapping[str, Any], valid: Mapping[str, tuple[str, ...]]) -> None:
    """See that a table has known keys and values of the right kinds."""
    for key, value in table.items():
        if key not in valid:
            raise unknown(where, key, valid)
        of_kind(f"{where} {key}", value, valid[key])


_SHOWN = 40
"""Valid names that a message lists."""


def unknown(where: str, key: str, valid: Iterable[str]) -> ParameterError:
    """The error for a key or name that is not known, with the nearest one that is."""
    names = list(valid)
    near = difflib.get_close_matches(str(key).lower(), names, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(names[:_SHOWN]) + (f" ... and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return ParameterError(f"{where}: {short(key)} is not known{meant} (valid: {shown})")


def of_kind(where: str, value: Any, kinds: tuple[str, ...]) -> None:
    """See that a value is of one of these kinds."""
    if not any(_IS[kind](value) for kind in kinds):
        wanted = " or ".join(kinds)
        raise ParameterError(f"{where} = {short(value)} is {_kind(value)}; it must be {wanted}")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_IS: dict[str, Callable[[Any], bool]] = {
    WHOLE: _whole,
    NUMBER: lambda value: _whole(value) or isinstance(value, float),
    TEXT: lambda value: isinstance(value, str),
    TRUTH: lambda value: isinstance(value, bool),
    TABLE: lambda value: isinstance(value, dict),
    WHOLES: lambda value: isinstance(value, list) and all(map(_whole, value)),
    OFF: lambda value: value is False,
    "a list of tables": lambda value: isinstance(value, list) and all(isinstance(v, dict) for v in value),
}


def _kind(value: Any) -> str:
    names = {bool: TRUTH, int: WHOLE, float: NUMBER, str: TEXT, dict: TABLE, list: "a list"}
    return names.get(type(value), f"a {type(value).__name__}")
