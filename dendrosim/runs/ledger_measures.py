"""What entries of the ledger measure, by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..construct import construct, options_of
from ..errors import ParameterError, choose
from ..training.run import METRICS, Run
from .ledger_audit import Audited, Failed, OfLayer, OverTraining, Separation
from .ledger_evidence import Measure, OfRun
from .ledger_networks import NetworkFidelity, NetworkInformation


class Tested(OfRun):
    """Share of right answers on the test samples, with the final weights."""

    name = "test_accuracy"

    def of_run(self, run: Run) -> float:
        return run.test_accuracy


class Validated(OfRun):
    """Share of right answers on the validation samples, at the best epoch."""

    name = "validation_accuracy"

    def of_run(self, run: Run) -> float:
        if "validation_accuracy" not in run.history:
            raise ParameterError(f"{run!r} kept nothing back to validate on; set training.validation")
        return float(run.history["validation_accuracy"][run.best_epoch - 1])


class History(OfRun):
    """One value of the history of a run.

    Parameters
    ----------
    metric : str
        Such as ``"train_loss"``.
    epoch : int, default 0
        1, 2, ...; 0 stands for the last.
    """

    name = "history"

    def __init__(self, metric: str, epoch: int = 0) -> None:
        self.metric, self.epoch = choose("metric", metric, METRICS), epoch
        if not isinstance(epoch, int) or epoch < 0:
            raise ParameterError(f"epoch = {epoch!r} must be 1, 2, ..., or 0 for the last")

    def of_run(self, run: Run) -> float:
        values = run.history.get(self.metric)
        if values is None or self.epoch > values.size:
            raise ParameterError(f"{run!r} has no {self.metric} of epoch {self.epoch}")
        return float(values[self.epoch - 1])


class BestEpoch(OfRun):
    """The epoch with the best validation accuracy."""

    name = "best_epoch"

    def of_run(self, run: Run) -> float:
        return float(run.best_epoch)


MEASURES: dict[str, type[Measure]] = {
    kind.name: kind
    for kind in (
        Tested,
        Validated,
        History,
        BestEpoch,
        NetworkFidelity,
        NetworkInformation,
        Audited,
        Failed,
        OfLayer,
        Separation,
        OverTraining,
    )
}
"""By the names that ledger files use."""


def measure(given: str | Mapping[str, Any]) -> Measure:
    """A measure from its name, or from a table with a name and options.

    Raises
    ------
    ParameterError
        If the name or an option is not known; the message lists the valid ones.
    """
    table = {"name": given} if isinstance(given, str) else dict(given)
    if "name" not in table:
        raise ParameterError(f"the table of a measure needs a name, one of {', '.join(MEASURES)}")
    return construct("measure", MEASURES, table.pop("name"), table)


def described(it: Measure) -> str:
    """Its name, with the options that are not its defaults."""
    usual = inspect.signature(type(it)).parameters
    own = [f"{key} {_shown(value)}" for key, value in options_of(it).items() if value != usual[key].default]
    return f"{it.name} ({', '.join(own)})" if own else it.name


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        texts = [str(v) for k, v in value.items() if k != "name" and isinstance(v, str)]
        return " ".join([str(value.get("name", "")), *texts]).strip()
    return str(value).lower() if isinstance(value, bool) else str(value)
