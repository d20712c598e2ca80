"""Runs that were audited: their numbers, one by one, by arm, and as tables."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..diagnostics.evaluation_audit import Audit
from ..diagnostics.evaluation_history import EvaluationHistory
from ..diagnostics.evaluation_probes import FreshNull, Nudges
from ..diagnostics.evaluation_verdict import NOTICED, Thresholds
from ..errors import choose
from ..training.run import Run
from .audit_names import experiment
from .baselines import Baseline

NAN = float("nan")


@dataclass(frozen=True)
class AuditedRun:
    """One run under the evaluation protocol.

    Attributes
    ----------
    run : Run
    arm : str
        Its arm; unlike ``run.name`` it differs between runs that differ in more than their seed.
    setting : str
        The data and the network in words: the same for runs that can share a frozen baseline, and for no others.
    audit : Audit or None
        None where the run cannot be audited: `reason` says why.
    history : EvaluationHistory or None
        Where training recorded it.
    nudges : Nudges or None
    null : FreshNull or None
        Where the credit rule has fixed random feedback.
    loss_change : float or None
        Last minus first training loss, nat.
    frozen, exact : Baseline or None
        What the third check compares with.
    reasons : dict of str to str
        Why something is missing, by its name.
    seconds : float
        That the audit took.
    """

    run: Run
    arm: str
    setting: str
    audit: Audit | None = None
    history: EvaluationHistory | None = None
    nudges: Nudges | None = None
    null: FreshNull | None = None
    loss_change: float | None = None
    frozen: Baseline | None = None
    exact: Baseline | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def seed(self) -> int:
        """Of the training."""
        return self.run.seed

    @property
    def accuracy(self) -> float:
        """On the test samples."""
        return self.run.test_accuracy if self.audit is None else float(self.audit.accuracy)

    @property
    def reason(self) -> str:
        """Why there is no audit; empty where there is one."""
        return self.reasons.get("audit", "")

    @property
    def penalty(self) -> float:
        """Lambda of the rule; 0 where it has none."""
        return float(self.run.config["rule"].get("penalty", 0.0))

    def value(self, quantity: str) -> float:
        """One of `QUANTITIES`; nan where it was not measured.

        Raises
        ------
        ParameterError
            If there is no such quantity.
        """
        return float(_VALUES[choose("quantity", quantity, QUANTITIES)](self))


def _audited(measure: Callable[[Audit], float]) -> Callable[[AuditedRun], float]:
    return lambda one: NAN if one.audit is None else measure(one.audit)


def _nudged(measure: Callable[[Nudges], float]) -> Callable[[AuditedRun], float]:
    return lambda one: NAN if one.nudges is None else measure(one.nudges)


def _drawn(measure: Callable[[FreshNull], float]) -> Callable[[AuditedRun], float]:
    return lambda one: NAN if one.null is None else measure(one.null)


_SOURCES: dict[str, tuple[str, Callable[[AuditedRun], float]]] = {
    "accuracy": ("test accuracy", lambda one: one.accuracy),
    "frozen": ("accuracy of the frozen baseline", lambda one: NAN if one.frozen is None else float(one.frozen)),
    "exact": ("accuracy of backpropagation", lambda one: NAN if one.exact is None else float(one.exact)),
    "gap": ("accuracy above the frozen baseline", _audited(lambda a: a.gap)),
    "rho": ("largest growth of a block, paper", _audited(lambda a: a.rho["paper"])),
    "rho_corrected": ("the same of the root mean square of a unit", _audited(lambda a: a.rho["corrected"])),
    "activity": ("mean length of h_L", _audited(lambda a: float(a.table["activity"][-1]))),
    "reference": ("mean length of g_L of the mean loss, paper", _audited(lambda a: a.reference["paper"])),
    "reference_sample": ("the same of each sample's own loss", _audited(lambda a: a.reference["corrected"])),
    "gamma": ("aggregate cosine, paper", _audited(lambda a: a.gamma["paper"])),
    "gamma_corrected": ("aggregate cosine, corrected", _audited(lambda a: a.gamma["corrected"])),
    "deep": ("deep cosine, paper", _audited(lambda a: a.deep["paper"])),
    "deep_corrected": ("deep cosine, corrected", _audited(lambda a: a.deep["corrected"])),
    "earned": ("mean cosine of credits that are not the gradient itself", _audited(lambda a: a.earned)),
    "dominance": ("share of one layer in the aggregate, paper", _audited(lambda a: a.dominance["paper"])),
    "dominance_corrected": ("the same, corrected", _audited(lambda a: a.dominance["corrected"])),
    "first": ("cosine of what the embedding is told", _audited(lambda a: a.first)),
    "loss": ("mean test loss on the samples of layers, nat", _audited(lambda a: a.loss)),
    "samples": ("N that layers were measured on", _audited(lambda a: a.n_samples)),
    "nudge_input": ("change of the loss by nudges, paper, mean over blocks, nat", _nudged(lambda n: n.input.mean())),
    "nudge_output": ("the same at the outputs of blocks", _nudged(lambda n: n.output.mean())),
    "null": ("mean deep cosine of fresh feedback, paper", _drawn(lambda n: n.paper.mean())),
    "null_sd": ("its standard deviation over draws", _drawn(lambda n: n.paper.std(ddof=1))),
    "null_corrected": ("mean deep cosine of fresh feedback, corrected", _drawn(lambda n: n.corrected.mean())),
    "null_corrected_sd": ("its standard deviation over draws", _drawn(lambda n: n.corrected.std(ddof=1))),
    "loss_change": (
        "last minus first training loss, nat",
        lambda one: NAN if one.loss_change is None else one.loss_change,
    ),
    "seconds": ("duration of the audit, s", lambda one: one.seconds),
}
QUANTITIES: dict[str, str] = {name: text for name, (text, _) in _SOURCES.items()}
"""Numbers of every run, and what they are."""
_VALUES = {name: value for name, (_, value) in _SOURCES.items()}


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over seeds.

    Attributes
    ----------
    mean, sd : float
        nan where there are none, or the standard deviation of one.
    n : int
    """

    mean: float
    sd: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of those that are numbers."""
        found = np.array([value for value in values if not math.isnan(value)])
        if not found.size:
            return cls(NAN, NAN, 0)
        with np.errstate(invalid="ignore"):
            return cls(float(found.mean()), float(found.std(ddof=1)) if found.size > 1 else NAN, int(found.size))


@dataclass(frozen=True)
class AuditedArm:
    """Runs that differ in their seed alone.

    Attributes
    ----------
    name : str
    members : tuple of AuditedRun
    """

    name: str
    members: tuple[AuditedRun, ...]

    @property
    def setting(self) -> str:
        """The data and the network in words."""
        return self.members[0].setting

    @property
    def audited(self) -> tuple[AuditedRun, ...]:
        """Those with an audit."""
        return tuple(one for one in self.members if one.audit is not None)

    @property
    def seeds(self) -> list[int]:
        """Of its members."""
        return [one.seed for one in self.members]

    def spread(self, quantity: str) -> Spread:
        """Mean and standard deviation over seeds of one of `QUANTITIES`."""
        return Spread.of([one.value(quantity) for one in self.members])

    def layers(self, quantity: str) -> NDArray[np.float64]:
        """A column of the audits' tables, (runs, L + 1)."""
        return np.array([one.audit.table[quantity] for one in self.members if one.audit], np.float64)

    def verdicts(self, definition: str = "paper") -> dict[str, int]:
        """How many runs got which verdict: "fail (D1+D2)", "pass", "incomplete", and so on."""
        return dict(Counter(one.audit.verdicts[definition].short for one in self.members if one.audit))

    def strategy(self, name: str) -> dict[str, int]:
        """How many runs a way of reporting calls "pass", "fail", or leaves "open"."""
        return dict(Counter(NOTICED[one.audit.strategies[name]] for one in self.members if one.audit))


class AuditedRuns(Sequence[AuditedRun]):
    """Runs under the evaluation protocol, in the order in which they were given; made by `audit_runs`.

    Attributes
    ----------
    thresholds : Thresholds
        That verdicts were found with.
    """

    def __init__(self, members: Sequence[AuditedRun], thresholds: Thresholds) -> None:
        self._members, self.thresholds = list(members), thresholds

    @overload
    def __getitem__(self, index: int) -> AuditedRun: ...
    @overload
    def __getitem__(self, index: slice) -> AuditedRuns: ...
    def __getitem__(self, index: int | slice) -> AuditedRun | AuditedRuns:
        if isinstance(index, slice):
            return AuditedRuns(self._members[index], self.thresholds)
        return self._members[index]

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[AuditedRun]:
        return iter(self._members)

    @cached_property
    def arms(self) -> list[AuditedArm]:
        """Runs that differ in their seed alone, in the order of the experiment, by seed within each."""
        found: dict[str, list[AuditedRun]] = {}
        first = {one.arm: i for i, one in reversed(list(enumerate(self)))}
        experiments = list(dict.fromkeys(experiment(one.run) for one in self))

        def place(one: AuditedRun) -> tuple[int, int, int, int]:
            number = int(one.run.config.get("experiment", {}).get("number", 0))
            return experiments.index(experiment(one.run)), number, first[one.arm], one.seed

        for one in sorted(self, key=place):
            found.setdefault(one.arm, []).append(one)
        return [AuditedArm(name, tuple(members)) for name, members in found.items()]

    @property
    def settings(self) -> dict[str, list[AuditedArm]]:
        """Arms by the data and the network that they share."""
        found: dict[str, list[AuditedArm]] = {}
        for arm in self.arms:
            found.setdefault(arm.setting, []).append(arm)
        return found

    @property
    def failed(self) -> list[AuditedRun]:
        """Runs whose verdict, by the paper's definitions, is fail."""
        return [one for one in self if one.audit is not None and one.audit.verdict.failed]

    @cached_property
    def table(self) -> NDArray[Any]:
        """One row per run: a structured array.

        Columns are ``arm``, ``setting``, ``experiment``, ``task``, ``teaching``, ``rule``, ``penalty``, ``seed``,
        ``epochs``, those of `QUANTITIES`, ``verdict`` and ``verdict_corrected`` ("pass", "fail", "incomplete", or
        nothing), the checks ``D1`` to ``D3`` ("flag", "ok" or nothing) by the paper's definitions and the first two
        with ``_corrected``, ``informative``, ``lopsided`` and ``lopsided_corrected`` ("yes", "no" or nothing), what
        ``S0`` to ``S3`` say ("pass", "fail", "open" or nothing), ``baseline`` (where the frozen accuracy is from) and
        ``reason`` (why there is no audit).
        """
        from .audit_tables import run_table

        return run_table(self)

    @cached_property
    def layers(self) -> NDArray[Any]:
        """One row per run and layer: ``arm``, ``seed``, the columns of `dendrosim.diagnostics.evaluation.measure`, and
        what nudges did at that block (``nudge_input``, ``nudge_output``, ``nudge_expected``, nat; nan at h_L)."""
        from .audit_tables import layer_table

        return layer_table(self)

    @cached_property
    def history(self) -> NDArray[Any]:
        """One row per run, time and layer, of runs that recorded it: ``arm``, ``seed``, ``epoch``, ``accuracy``,
        ``loss``, and measures of layers."""
        from .audit_tables import history_table

        return history_table(self)

    def write(self, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
        """Write ``audit.csv`` and ``audit_layers.csv``, and ``audit_history.csv`` where something was recorded.

        Parameters
        ----------
        folder : str or Path
            It must exist.

        Returns
        -------
        tuple of Path
        """
        from .csv_files import write_csv

        where = Path(folder)
        tables = {"audit": self.table, "audit_layers": self.layers, "audit_history": self.history}
        kept = [(name, table) for name, table in tables.items() if table.size or name == "audit"]
        return tuple(write_csv(where / f"{name}.csv", table.dtype.names or (), table.tolist()) for name, table in kept)

    def __str__(self) -> str:
        from .audit_tables import text

        return text(self)

    def __repr__(self) -> str:
        counts = Counter("not audited" if one.audit is None else one.audit.verdict.short for one in self)
        return f"<AuditedRuns: {len(self)}: {', '.join(f'{n} x {what}' for what, n in counts.items())}>"
