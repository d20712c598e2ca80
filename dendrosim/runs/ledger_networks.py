"""Measures of the ledger that look at networks: fidelity of gradients, and what synapses know of the class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import whole
from ..diagnostics.fidelity_of import fidelity
from ..diagnostics.fidelity_report import MEASURES as QUANTITIES
from ..diagnostics.information import branch_information
from ..errors import ParameterError, choose
from ..networks.network import Network
from ..tasks.seeds import stream
from ..tasks.task import Task
from ..teaching import Teaching
from ..teaching import teaching as teaching_named
from ..teaching.lesson import Lesson
from ..training.run import Run
from .build import network_of, task_of, task_of_run
from .ledger_evidence import Evidence, Measure

Array = NDArray[Any]
TIMES = ("initial", "trained")
_CALIBRATION = 1024
"""Training samples that the gates of a fair start are set from."""


class WithoutDerivative(Teaching):
    """A broadcast whose receivers leave out the derivative of their own gate, as the local-credit paper's eq. 15 does.

    Parameters
    ----------
    of : Teaching
    """

    name = "without_derivative"

    def __init__(self, of: Teaching) -> None:
        self.of = of

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        self.of.prepare(network, rng)

    def credit(self, lesson: Lesson) -> None:
        self.of.credit(lesson)
        slope = lesson.activity.derivative
        np.divide(lesson.credit, slope, out=lesson.credit, where=slope > 0)

    def bits_per_sample(self, network: Network) -> float:
        return self.of.bits_per_sample(network)


def drawn_batch(task: Task, seed: int, size: int = 256) -> tuple[Array, Array]:
    """Training samples drawn without replacement: what fidelity is measured on, and what gates are set from."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(task.y_train), min(size, len(task.y_train)), replace=False)
    return task.batch(rows, rng), task.y_train[rows]


def fresh_network(settings: Mapping[str, Any], task: Task, seed: int) -> Any:
    """The network of an arm as training begins with it: gates of a fair start are set from training samples."""
    network = network_of(settings["network"], task, seed)
    if isinstance(network, Network) and network.initialisation == "fair":
        rows, _ = task.split(settings.get("training", {}).get("validation", 0.2), seed)
        chosen = stream(seed, "calibration").permutation(rows.size)[:_CALIBRATION]
        network.calibrate(task.x_train[rows[np.sort(chosen)]])
    return network


class NetworkFidelity(Measure):
    """How close a local gradient is to the exact one, on a batch of training samples drawn with the seed.

    Running averages begin afresh with that batch, as in the published tables.

    Parameters
    ----------
    quantity : {"cosine", "scale_mismatch", "relative_l2"}
    at : {"initial", "trained"}, default "trained"
        Before training, which needs no run, or with the final weights.
    group : str, default "all (dense)"
        Row of the report. This one is the published mean over tensors, weighted by the size of dense tensors.
    teaching, rule : dict, optional
        Instead of those of the arm.
    derivative : bool, default True
        Whether receivers know the derivative of their own gate; without it as in eq. 15.
    samples : int, default 256
    """

    name = "fidelity"

    def __init__(
        self,
        quantity: str,
        at: str = "trained",
        group: str = "all (dense)",
        teaching: Mapping[str, Any] | None = None,
        rule: Mapping[str, Any] | None = None,
        derivative: bool = True,
        samples: int = 256,
    ) -> None:
        self.quantity, self.at = choose("quantity", quantity, QUANTITIES), choose("at", at, TIMES)
        self.group, self.teaching, self.rule = group, teaching, rule
        self.derivative, self.samples = derivative, whole("samples", samples)
        self.trained = at == "trained"

    def values(self, evidence: Evidence, arm: str) -> dict[int, float]:
        settings = evidence.settings[arm]
        own = {"teaching": settings.get("teaching", "per_soma"), "rule": settings.get("rule", "3F")}
        told = own["teaching"] if self.teaching is None else self.teaching
        rule = own["rule"] if self.rule is None else self.rule
        asked = json.dumps([told, rule, self.derivative, self.samples])
        if self.trained:
            tables = {seed: _of_run(_Held(run), asked) for seed, run in sorted(evidence.of(arm).items())}
        else:
            start = json.dumps({key: settings[key] for key in ("task", "network", "training") if key in settings})
            tables = {seed: _of_start(start, seed, asked) for seed in evidence.seeds}
        found = {}
        for seed, table in tables.items():
            group = choose("group", self.group, table)
            found[seed] = table[group][self.quantity]
        return found


_Table = dict[str, dict[str, float]]
"""What was measured, by group: entries of the ledger ask for it number by number."""


class _Held:
    """A run as a key: itself."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.run is self.run

    def __hash__(self) -> int:
        return id(self.run)


@lru_cache(maxsize=512)
def _of_run(held: _Held, asked: str) -> _Table:
    run = held.run
    return _table(run.network, task_of_run(run), run.seed, asked)


@lru_cache(maxsize=512)
def _of_start(start: str, seed: int, asked: str) -> _Table:
    settings = json.loads(start)
    task = task_of(settings["task"])
    return _table(_fresh(start, seed), task, seed, asked)


@lru_cache(maxsize=8)
def _fresh(start: str, seed: int) -> Any:
    settings = json.loads(start)
    return fresh_network(settings, task_of(settings["task"]), seed)


def _table(network: Any, task: Task, seed: int, asked: str) -> _Table:
    if not isinstance(network, Network):
        raise ParameterError(f"fidelity is about dendrites, and {network!r} has none")
    told, rule, derivative, samples = json.loads(asked)
    signal = teaching_named(told)
    x, y = drawn_batch(task, seed, samples)
    report = fidelity(network, x, y, teaching=signal if derivative else WithoutDerivative(signal), rule=rule, threads=1)
    return {str(row["group"]): {name: float(row[name]) for name in QUANTITIES} for row in report.table}


class NetworkInformation(Measure):
    """I(E, I; class) of the branches of trained networks on test samples, mean over branches with synapses, bits.

    Parameters
    ----------
    k : int, default 10
        Neighbours of the estimate.
    most : int, default 1500
        Test samples at most.
    """

    name = "information"

    def __init__(self, k: int = 10, most: int = 1500) -> None:
        self.k, self.most = whole("k", k), whole("most", most, least=2)

    def values(self, evidence: Evidence, arm: str) -> dict[int, float]:
        return {seed: self.of_run(run) for seed, run in sorted(evidence.of(arm).items())}

    def of_run(self, run: Run) -> float:
        """The mean over branches."""
        network, task = run.network, task_of_run(run)
        if not isinstance(network, Network):
            raise ParameterError(f"information is about branches, and {network!r} has none")
        x, y = task.x_test[: self.most], task.y_test[: self.most]
        excitation, inhibition = (network.synaptic_conductance(x, sign) for sign in (1, -1))
        used = (excitation + inhibition).any(axis=0)
        bits = branch_information(excitation[:, used], inhibition[:, used], y, k=self.k, most=self.most)
        return float(bits.mean())
