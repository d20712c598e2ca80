"""Tasks, networks and options of training from the settings of an experiment, or from the record of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..construct import construct
from ..errors import FileFormatError, ParameterError
from ..membrane import Passive
from ..morphology.tree import Morphology
from ..networks.decoders import DECODERS
from ..networks.mlp import PointMLP
from ..networks.network import Network
from ..networks.residual import ARCHITECTURES, ResidualNetwork
from ..plasticity.optimisers import OPTIMISERS
from ..tasks.registry import load
from ..tasks.student import standardisation
from ..tasks.task import Task
from ..training.callbacks import Callback
from ..training.credit import RecordCredit
from ..training.evaluation import KeepTeaching, RecordEvaluation
from ..training.fidelity import RecordFidelity
from ..training.run import Run

Table = dict[str, Any]

_CAN_BE_OFF = ("clip_value", "clip_norm", "patience")


_ROOM = 2**29
_TASKS: dict[str, Task] = {}
"""Tasks in memory, the one that was asked for last at the end."""


def task_of(settings: Mapping[str, Any]) -> Task:
    """The task of a section [task], loaded once per process: as many are kept as fit into 512 MiB, and always two."""
    text = json.dumps(settings, sort_keys=True)
    task = _TASKS.pop(text, None) or _task(settings)
    _TASKS[text] = task
    while len(_TASKS) > 2 and sum(map(_size, list(_TASKS.values()))) > _ROOM:
        _TASKS.pop(next(iter(_TASKS)), None)
    return task


def _size(task: Task) -> int:
    return task.x_train.nbytes + task.x_test.nbytes


def _task(given: Mapping[str, Any]) -> Task:
    settings = dict(given)
    subset, augmented = settings.pop("subset", None), settings.pop("augmented", None)
    task = load(settings.pop("name"), settings.pop("seed", 0), **settings)
    if subset:
        task = task.subset(**subset)
    return task.augmented(**augmented) if augmented else task


def task_of_run(run: Run) -> Task:
    """The task that a run was trained on, loaded again.

    Raises
    ------
    FileFormatError
        If it cannot be loaded by name, or is not the same data any more.
    """
    recorded = run.config["task"]
    try:
        task = task_of({"name": recorded["name"], "seed": recorded["seed"], **recorded["options"]})
    except ParameterError as error:
        raise FileFormatError(
            f"the task of this run, {recorded['name']!r}, cannot be loaded by name ({error}); give its samples "
            "yourself, as in ds.fidelity(run.network, x, y)"
        ) from error
    if task.hash != recorded["hash"]:
        raise FileFormatError(
            f"the data of {recorded['name']!r} are not those that this run was trained on: SHA-256 {task.hash[:12]}... "
            f"now, {recorded['hash'][:12]}... then; restore the files that DENDROSIM_DATA names"
        )
    return task


def network_of(settings: Mapping[str, Any], task: Task, seed: int) -> Network | PointMLP | ResidualNetwork:
    """The network of a section [network] for a task; `seed` unless it has one of its own."""
    options = {"seed": seed, **settings}
    kind = options.pop("kind", "dendritic")
    if kind == "point_mlp":
        return _mlp(options, task)
    if kind in ARCHITECTURES:
        if options.pop("standardise", True):
            options["center"], options["scale"] = standardisation(task)
        return ARCHITECTURES[kind](task.n_inputs, task.n_classes, **options)
    if "cells" not in options:
        raise ParameterError("[network] has no cells; give the neurons of each layer, such as cells = [20]")
    decoder = options.get("decoder", "linear")
    if isinstance(decoder, dict):
        given = dict(decoder)
        options["decoder"] = construct("decoder", DECODERS, given.pop("name", None), given)
    if "morphology" in options:
        given = dict(options.pop("morphology"))
        if "source" not in given:
            raise ParameterError("[network.morphology] has no source; give a file, or the name of a shipped cell")
        options["trees"] = Morphology.load(given.pop("source")).compartments(Passive(), **given)
    return Network.dendritic(task.n_inputs, task.n_classes, **options)


def _mlp(options: Table, task: Task) -> PointMLP:
    if ("hidden" in options) == ("n_parameters" in options):
        raise ParameterError("[network] of kind 'point_mlp' needs either hidden or n_parameters (to be matched)")
    if "hidden" in options:
        return PointMLP(task.n_inputs, task.n_classes, **options)
    if "density" in options:
        raise ParameterError("[network] density thins out a network of a given size; give hidden, not n_parameters")
    return PointMLP.matching(options.pop("n_parameters"), task.n_inputs, task.n_classes, **options)


def training_of(settings: Mapping[str, Any]) -> Table:
    """Arguments of `dendrosim.train` from all sections but [task] and [network]."""
    given = settings.get("training", {})
    options: Table = {key: None if key in _CAN_BE_OFF and value is False else value for key, value in given.items()}
    optimiser = options.get("optimiser")
    if isinstance(optimiser, dict):
        if "clip" in optimiser:
            raise ParameterError("[training] optimiser: clip is not known; did you mean [training] clip_value?")
        made = {**optimiser, "clip": options.pop("clip_value", 5.0)}
        options["optimiser"] = construct("optimiser", OPTIMISERS, made.pop("name", None), made)
    for section in ("teaching", "rule"):
        if section in settings:
            options[section] = dict(settings[section])
    followed = {"fidelity": RecordFidelity, "credit": RecordCredit, "evaluation": RecordEvaluation}
    hooks: list[Callback] = [kind(**settings[section]) for section, kind in followed.items() if section in settings]
    if "evaluation" in settings:
        hooks.append(KeepTeaching())
    if hooks:
        options["callbacks"] = hooks
    return options
