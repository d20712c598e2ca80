"""What entries of the ledger measure by the evaluation protocol, each run against the baselines among the others."""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import lru_cache

from ..arguments import whole
from ..diagnostics.evaluation_audit import Audit
from ..diagnostics.evaluation_history import EvaluationHistory
from ..diagnostics.evaluation_verdict import STRATEGIES
from ..errors import ParameterError, choose
from ..training.run import Run
from .audit import Auditor
from .audited import QUANTITIES, AuditedRun
from .baselines import Baselines
from .ledger_evidence import Evidence, Measure, OfRun

CHECKS = ("D1", "D2", "D3", "verdict", *STRATEGIES)
"""The three checks, the whole protocol, and ways of reporting."""
LAYERS = ("activity", "growth", "gradient_mean", "gradient_sample", "credit", "cosine_paper", "cosine_input",
          "cosine_output")  # fmt: skip
"""Columns of `dendrosim.diagnostics.evaluation.measure` that are numbers."""
HISTORY = ("activity", "accuracy", "reference", "gamma", "deep", "rho")
"""What is known over training."""


class OfAudit(Measure):
    """A number that a run has beside the baselines of its experiment; runs that lack it are left out."""

    nudges = False
    """Whether it needs the test by nudges."""
    null = 0
    """Draws of fresh feedback that it needs."""

    def values(self, evidence: Evidence, arm: str) -> dict[int, float]:
        everything = _baselines(tuple(run for runs in evidence.runs.values() for run in runs.values()))
        found = {
            seed: self.of_audited(_audited(run, everything, self.nudges, self.null))
            for seed, run in sorted(evidence.of(arm).items())
        }
        return {seed: value for seed, value in found.items() if not math.isnan(value)}

    @abstractmethod
    def of_audited(self, one: AuditedRun) -> float:
        """The number; nan where it was not measured."""


class Audited(OfAudit):
    """A number of the evaluation protocol.

    Parameters
    ----------
    quantity : str
        One of `dendrosim.runs.audited.QUANTITIES`.
    log10 : bool, default False
        Whether its logarithm is taken: of lengths that arms differ in by powers of ten.
    """

    name = "audited"

    def __init__(self, quantity: str, log10: bool = False) -> None:
        self.quantity = choose("quantity", quantity, [name for name in QUANTITIES if name != "seconds"])
        self.log10 = log10
        self.nudges, self.null = quantity.startswith("nudge"), 20 * quantity.startswith("null")

    def of_audited(self, one: AuditedRun) -> float:
        value = one.value(self.quantity)
        if not self.log10 or math.isnan(value):
            return value
        if value <= 0:
            raise ParameterError(f"the {self.quantity} of {one.run!r} is {value:g} and has no logarithm")
        return math.log10(value)


class Failed(OfAudit):
    """Whether a check of the evaluation protocol, all of it or a poorer way of reporting fails a run: 1 or 0.

    Parameters
    ----------
    check : str
        ``"D1"``, ``"D2"`` or ``"D3"``; ``"verdict"``; ``"S0"`` to ``"S3"``.
    """

    name = "failed"

    def __init__(self, check: str) -> None:
        self.check = choose("check", check, CHECKS)

    def of_audited(self, one: AuditedRun) -> float:
        audit = _audit(one)
        verdict = audit.verdict
        checked = {"D1": verdict.scale, "D2": verdict.reference, "D3": verdict.depth, "verdict": verdict.failed}
        said = {**checked, **audit.strategies}[self.check]
        return math.nan if said is None else float(said)


class OfLayer(OfAudit):
    """A number of one layer after training.

    Parameters
    ----------
    column : str
        Of `dendrosim.diagnostics.evaluation.measure`, such as ``"cosine_paper"``.
    layer : int
        0 is the input of the first block; from the end, -1 is the output of the last and -2 its input.
    """

    name = "layer"

    def __init__(self, column: str, layer: int) -> None:
        self.column, self.layer = choose("column", column, LAYERS), layer
        if isinstance(layer, bool) or not isinstance(layer, int):
            raise ParameterError(f"layer = {layer!r} must be a whole number, from the end where it is negative")

    def of_audited(self, one: AuditedRun) -> float:
        column = _audit(one).table[self.column]
        if not -len(column) <= self.layer < len(column):
            raise ParameterError(f"layer = {self.layer} does not exist in {one.run!r}; it has 0 to {len(column) - 1}")
        return float(column[self.layer])


class Separation(OfAudit):
    """Standard deviations by which the deep cosine lies above that of fresh feedback, by the paper's index.

    Parameters
    ----------
    draws : int, default 20
    """

    name = "null_separation"

    def __init__(self, draws: int = 20) -> None:
        self.draws = self.null = whole("draws", draws, 2)

    def of_audited(self, one: AuditedRun) -> float:
        null = one.null
        if null is None:
            raise ParameterError(f"{one.run!r} has no null of fresh feedback: {one.reasons.get('null', one.reason)}")
        return float((null.trained_paper - null.paper.mean()) / null.paper.std(ddof=1))


class OverTraining(OfRun):
    """A number of the evaluation protocol at one time of training, from what the run recorded.

    Parameters
    ----------
    quantity : str
        ``"activity"`` (mean length of h_L), ``"accuracy"``, ``"reference"``, ``"gamma"``, ``"deep"`` or ``"rho"``.
    epoch : int
        0 is before training.
    """

    name = "evaluation_history"

    def __init__(self, quantity: str, epoch: int) -> None:
        self.quantity, self.epoch = choose("quantity", quantity, HISTORY), whole("epoch", epoch, 0)

    def of_run(self, run: Run) -> float:
        if "evaluation" not in run.records:
            raise ParameterError(f"{run!r} recorded nothing of the evaluation protocol; add [evaluation] to its file")
        history = EvaluationHistory(run.records["evaluation"])
        times = history.epochs.tolist()
        if self.epoch not in times:
            shown = ", ".join(f"{time:g}" for time in times)
            raise ParameterError(f"{run!r} recorded nothing after epoch {self.epoch}, but after {shown}")
        series = {
            "activity": history.series("activity", history.depth),
            "accuracy": history.accuracy,
            "reference": history.reference(),
            "gamma": history.gamma(),
            "deep": history.deep(),
            "rho": history.rho,
        }[self.quantity]
        return float(series[times.index(self.epoch)])


def _audit(one: AuditedRun) -> Audit:
    if one.audit is None:
        raise ParameterError(f"{one.run!r} cannot be audited: {one.reason}")
    return one.audit


@lru_cache(maxsize=4)
def _baselines(runs: tuple[Run, ...]) -> Baselines:
    """The frozen and exact ones among runs, found once for all entries."""
    return Baselines(runs)


@lru_cache(maxsize=1024)
def _audited(run: Run, baselines: Baselines, nudges: bool, null: int) -> AuditedRun:
    """One run under the protocol, once for all entries: numbers only, the network stays in its file."""
    return Auditor(baselines, nudges=nudges, null=null).one(run)
