"""The settings of one run with nothing left to a default: what its bits depend on, besides data and code."""

from __future__ import annotations

import hashlib
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from ..arguments import short
from ..construct import construct, options_of
from ..errors import ParameterError, choose
from ..losses.registry import loss as loss_named
from ..morphology.shipped import find_source
from ..morphology.tree import Morphology
from ..networks.decoders import DECODERS
from ..networks.mlp import PointMLP
from ..networks.network import Network
from ..networks.point import ACTIVATIONS
from ..networks.residual import ARCHITECTURES
from ..plasticity import residual
from ..plasticity.learner import Learner
from ..plasticity.optimisers import decay_given, rates_given
from ..plasticity.optimisers import optimiser as optimiser_named
from ..plasticity.point import PointLearner
from ..plasticity.rules import rule as rule_named
from ..tasks.registry import TASKS, names
from ..tasks.task import Task
from ..teaching.registry import teaching as teaching_named
from ..teaching.residual import layer_credit
from ..training.credit import RecordCredit
from ..training.schedules import schedule as schedule_named
from ..training.train import train
from .build import training_of

Table = dict[str, Any]

_ELSEWHERE = (
    "network", "task", "teaching", "rule", "loss", "seed", "optimiser", "rates", "decay", "schedule", "clip_value",
    "callbacks", "progress", "checkpoint", "resume", "threads",
)  # fmt: skip
"""Arguments of `train` that are resolved below, or change no bit of a result."""


@cache
def _defaults(function: Callable[..., Any], *without: str) -> Mapping[str, Any]:
    """Parameters of a function that have a default, but some."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty and p.name not in without}


class _Family(ABC):
    """A family of networks, and what they learn with."""

    @abstractmethod
    def network(self, given: Table) -> Table:
        """All options of a network."""

    def teaching(self, given: Any) -> Any:
        """A teaching signal."""
        return teaching_named(given)

    def rule(self, given: Any) -> Any:
        """A rule."""
        return rule_named(given)

    @abstractmethod
    def rates(self, exact: bool) -> dict[str, float]:
        """Learning rates where none are given."""


class _Dendritic(_Family):
    """Dendritic neurons; trees by what their file holds, synapses layer by layer."""

    def network(self, given: Table) -> Table:
        if "cells" not in given:
            raise ParameterError("[network] has no cells; give the neurons of each layer, such as cells = [20]")
        out = {**_defaults(Network.dendritic, "seed", "trees"), **_defaults(Network.__init__, "seed"), **given}
        layers = len(out["cells"])
        for key in ("excitatory", "inhibitory"):
            out[key] = [out[key]] * layers if isinstance(out[key], int) else out[key]
        if out["inhibitory_cells"] is None:
            out["inhibitory_cells"] = [0] * layers
        decoder = {"name": out["decoder"]} if isinstance(out["decoder"], str) else dict(out["decoder"])
        made = construct("decoder", DECODERS, decoder.pop("name", None), decoder)
        out["decoder"] = {"name": made.name, **made.options()}
        if "morphology" in out:
            del out["branching"]
            out["morphology"] = _morphology(out["morphology"])
        return out

    def rates(self, exact: bool) -> dict[str, float]:
        return Learner.default_rates(exact)


class _PointMLP(_Family):
    """Point neurons in layers."""

    def network(self, given: Table) -> Table:
        out = {**_defaults(PointMLP, "seed"), **given}
        if isinstance(out.get("hidden"), int):
            out["hidden"] = [out["hidden"]]
        if out["gain"] is None and out["init"] == "kaiming":
            out["gain"] = ACTIVATIONS[choose("activation", out["activation"], ACTIVATIONS)].gain
        return out

    def rates(self, exact: bool) -> dict[str, float]:
        return PointLearner.default_rates(exact)


class _Residual(_Family):
    """A reference architecture of the evaluation protocol, registered under a name."""

    def __init__(self, architecture: type) -> None:
        self.defaults = _defaults(architecture, "n_inputs", "n_outputs", "center", "scale", "seed")

    def network(self, given: Table) -> Table:
        out = {"standardise": True, **self.defaults, **given}
        if out["hidden"] is None:
            out["hidden"] = 2 * out["width"]
        return out

    def teaching(self, given: Any) -> Any:
        return layer_credit(given)

    def rule(self, given: Any) -> Any:
        return residual.block_rule(given)

    def rates(self, exact: bool) -> dict[str, float]:
        return dict.fromkeys(residual.GROUPS, residual.RATE)


_KINDS: dict[str, _Family] = {
    "dendritic": _Dendritic(),
    "point_mlp": _PointMLP(),
    **{name: _Residual(architecture) for name, architecture in ARCHITECTURES.items()},
}


def resolved(settings: Mapping[str, Any], seed: int) -> Table:
    """Everything that the bits of a run depend on, besides data and code, as plain values.

    Defaults are those of the registries and signatures that would fill them in, so that a setting that is spelled out
    and the same one left to its default are the same. Numbers are the same however they are written: 1 and 1.0, 5e-3
    and 0.005. The number of threads changes nothing and is left out.

    Parameters
    ----------
    settings : mapping
        Sections of an experiment, as `Arm.settings` has them.
    seed : int
        Of the training, and of the network unless it has one of its own.

    Returns
    -------
    dict
        Sections with every key.

    Raises
    ------
    ParameterError
        If a name or an option is not known, or a value is impossible.
    """
    return seeded(unseeded(settings), seed)


def seeded(settings: Mapping[str, Any], seed: int) -> Table:
    """What `unseeded` returned, of a run with this seed."""
    network = settings["network"]
    return {**settings, "seed": seed, "network": {"seed": seed, **network}}


def unseeded(settings: Mapping[str, Any]) -> Table:
    """What runs with different seeds have in common; see `resolved`."""
    given = training_of(settings)
    options = {**_defaults(train), **given}
    network = dict(settings["network"])
    kind = network.pop("kind", "dendritic")
    family = _KINDS[choose("kind of network", kind, _KINDS)]
    teaching = family.teaching(options["teaching"])
    rates = rates_given(options["rates"], family.rates(teaching.name == "exact"))
    records = {one.name: options_of(one) for one in given.get("callbacks", [])}
    if teaching.estimates:
        records.setdefault("credit", options_of(RecordCredit()))
    compared = records.get("fidelity", {})
    if compared.get("teaching") is not None:
        compared |= {"teaching": teaching_named(compared["teaching"]), "rule": rule_named(compared["rule"]).describe()}
    out: Table = canonical(
        {
            "task": _task(settings["task"]),
            "network": {"kind": kind, **family.network(network)},
            "teaching": teaching,
            "rule": family.rule(options["rule"]).describe(),
            "training": {
                **{key: value for key, value in options.items() if key not in _ELSEWHERE},
                "loss": loss_named(options["loss"]),
                "optimiser": optimiser_named(options["optimiser"], options["clip_value"]),
                "rates": rates,
                "decay": decay_given(options["decay"], rates),
                "schedule": schedule_named(options["schedule"]),
            },
            "records": records,
        }
    )
    return out


def canonical(value: Any) -> Any:
    """`value` as JSON can hold it, alike for what is alike: whole numbers as such, objects by name and options.

    Raises
    ------
    TypeError
        If it is something that does not say what it was made from.
    """
    if isinstance(value, Mapping):
        return {str(key): canonical(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(entry) for entry in value]
    if isinstance(value, np.ndarray | np.generic):
        return canonical(value.tolist())
    if isinstance(value, float):
        if not math.isfinite(value):
            return repr(value)
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, bool | int | str):
        return value
    if not isinstance(getattr(value, "name", None), str):
        raise TypeError(f"{short(value)} has no name and options that an identity could be made from")
    return canonical({"name": value.name, **options_of(value)})


def _task(given: Mapping[str, Any]) -> Table:
    """Options of a task, and what is done to its samples."""
    options = dict(given)
    name = options.pop("name")
    subset, augmented = options.pop("subset", None), options.pop("augmented", None)
    defaults = _defaults(TASKS[choose("task", name, names())])
    unknown = [key for key in options if key not in (*defaults, "seed")]
    if unknown:
        raise ParameterError(
            f"task {name!r} has no option {unknown[0]!r}; its options: {', '.join(defaults) or 'none'}"
        )
    return {
        "name": name,
        "seed": 0,
        **defaults,
        **options,
        "subset": {**_defaults(Task.subset), **subset} if subset else None,
        "augmented": {**_defaults(Task.augmented), **augmented} if augmented else None,
    }


def _morphology(given: Mapping[str, Any]) -> Table:
    """A reconstructed tree: a digest of its file, wherever it lies, and how it is cut."""
    if "source" not in given:
        raise ParameterError("[network.morphology] has no source; give a file, or the name of a shipped cell")
    path = find_source(given["source"])
    return {
        **_defaults(Morphology.compartments),
        **{key: value for key, value in given.items() if key != "source"},
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
