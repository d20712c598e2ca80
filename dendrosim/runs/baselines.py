"""What a run is compared with by the third check of the evaluation protocol: runs of the same architecture."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..diagnostics.evaluation_verdict import Accuracy
from ..training.run import Run

FROZEN = ("frozen", "decoder_only")
"""Teaching signals under which no block, or no compartment, learns."""
EXACT = ("bp", "exact")
"""Teaching signals that are backpropagation."""

_PASSING = ("seed", "threads", "stopped", "callbacks", "test_each_epoch", "hash")
"""Settings that do not make another recipe, or another architecture."""


@dataclass(frozen=True)
class Baseline:
    """An accuracy that runs are compared with.

    Attributes
    ----------
    accuracy : Accuracy
        Of several runs, all of their right answers among all of their samples: the mean.
    source : str
        Where it is from, in words.
    """

    accuracy: Accuracy
    source: str

    def __float__(self) -> float:
        return float(self.accuracy)


def given(accuracy: float | Accuracy) -> Baseline:
    """The baseline that somebody states.

    Raises
    ------
    ParameterError
        If it is not between 0 and 1.
    """
    return Baseline(Accuracy.of(accuracy), "as given")


def is_frozen(run: Run) -> bool:
    """Whether a run is a frozen baseline, in which nothing along depth learned."""
    return str(run.config["teaching"]["name"]) in FROZEN


def is_exact(run: Run) -> bool:
    """Whether a run is backpropagation without a penalty."""
    return str(run.config["teaching"]["name"]) in EXACT and not float(run.config["rule"].get("penalty", 0.0))


def accuracy_of(run: Run) -> Accuracy:
    """Its test accuracy, as right answers among the test samples."""
    n = int(run.config["task"]["n_test"])
    return Accuracy(round(run.test_accuracy * n), n)


def architecture(run: Run) -> str:
    """What has to be the same for blocks that never learned to be a baseline: the data, and the network but for seeds.

    The record of a dendritic network does not hold the shape of its trees: the stages of the network itself are counted
    in.
    """
    network = run.config["network"]
    own: dict[str, Any] = {key: value for key, value in network.items() if key not in _PASSING}
    if network["kind"] == "dendritic":
        stored = run.trained is None and run.path is not None
        own["units"] = np.bincount(run.network.layout.layer).tolist()
        if stored:  # many networks are not kept in memory
            run.trained = None
    return json.dumps([run.config["task"]["hash"], own], sort_keys=True)


def recipe(run: Run) -> dict[str, Any]:
    """How it was trained, but for the seed and what changes no bit."""
    training = {key: value for key, value in run.config["training"].items() if key not in _PASSING}
    return {**training, "loss": run.config["loss"]}


class Baselines:
    """Frozen and exact runs among others.

    Parameters
    ----------
    runs : iterable of Run
    """

    def __init__(self, runs: Iterable[Run]) -> None:
        self._keys: dict[int, str] = {}
        members = list(runs)
        self._frozen = [run for run in members if is_frozen(run)]
        self._exact = [run for run in members if is_exact(run)]

    def frozen(self, run: Run) -> Baseline | None:
        """Of the same architecture and seed; where that seed has none, the mean over all that there are."""
        return self._of(run, self._frozen)

    def exact(self, run: Run) -> Baseline | None:
        """The same of backpropagation."""
        return self._of(run, self._exact)

    def _key(self, run: Run) -> str:
        if id(run) not in self._keys:
            self._keys[id(run)] = architecture(run)
        return self._keys[id(run)]

    def _of(self, run: Run, candidates: list[Run]) -> Baseline | None:
        same = [one for one in candidates if self._key(one) == self._key(run)] if candidates else []
        if not same:
            return None
        mine = _compared(run)
        alike = [one for one in same if _compared(one) == mine]
        remark = "" if alike else _difference(_compared(same[0]), mine)
        chosen = [one for one in alike or same if one.seed == run.seed]
        said = "the same seed"
        if not chosen:
            chosen = alike or same
            said = f"mean over {len(chosen)} run{'s' * (len(chosen) > 1)}, none of seed {run.seed}"
        parts = [accuracy_of(one) for one in chosen]
        total = Accuracy(sum(one.right for one in parts), sum(one.n for one in parts))
        names = " and ".join(dict.fromkeys(one.name or str(one.config["teaching"]["name"]) for one in chosen))
        return Baseline(total, f"{names}, {said}{remark}")


def _compared(run: Run) -> dict[str, Any]:
    """The recipe as far as it can matter to a baseline: of rates, those of the head, since the others never learn."""
    found = recipe(run)
    for name in ("rates", "decay"):
        groups = found.pop(name)
        found[f"{name} of the head"] = groups.get("head", groups.get("decoder"))
    return found


def _difference(theirs: dict[str, Any], mine: dict[str, Any]) -> str:
    keys = [key for key in sorted({*theirs, *mine}) if theirs.get(key) != mine.get(key)]
    shown = [f"{key} {_short(theirs.get(key))} and not {_short(mine.get(key))}" for key in keys]
    return f"; trained otherwise: {', '.join(shown[:3])}"


def _short(value: Any) -> str:
    return str(value.get("name", value)) if isinstance(value, dict) else str(value)
