"""What tables say of runs: one row each, columns of every run and columns of what was swept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..training.run import Run

COLUMNS = {
    "arm": "arm of the experiment",
    "task": "name of the task",
    "network": "integration of a dendritic network, or the kind of another",
    "teaching": "name of the teaching signal",
    "rule": "name of the rule",
    "seed": "of the training",
    "epochs": "epochs trained",
    "best_epoch": "epoch of the best validation accuracy",
    "validation_accuracy": "at that epoch; nan without validation",
    "test_accuracy": "of the final weights",
    "test_loss": "of the final weights, nat",
    "seconds": "duration of all epochs",
}
"""Columns that every table of runs has."""


class Row(NamedTuple):
    """One run: the columns of `COLUMNS`, the place of its arm in the experiment, its own name, and what was swept."""

    arm: str
    task: str
    network: str
    teaching: str
    rule: str
    seed: int
    epochs: int
    best_epoch: int
    validation_accuracy: float
    test_accuracy: float
    test_loss: float
    seconds: float
    number: int
    own: str
    factors: Mapping[str, Any]
    ways: Mapping[str, str]

    def has(self, values: Mapping[str, Any]) -> bool:
        """Whether it has these values in these columns; what is swept and left out has none."""
        return all(
            getattr(self, name) == value
            if name in COLUMNS
            else _key(name) in self.factors and value in (self.factors[_key(name)], _cell(self.factors[_key(name)]))
            for name, value in values.items()
        )


def row_of(run: Run) -> Row:
    """The row of a run."""
    config = run.config
    experiment = config.get("experiment", {})
    factors = experiment.get("factors", {})
    validated = run.history.get("validation_accuracy")
    return Row(
        arm=run.name,
        task=config["task"]["name"],
        network=config["network"].get("integration", config["network"]["kind"]),
        teaching=config["teaching"]["name"],
        rule=config["rule"]["name"],
        seed=run.seed,
        epochs=run.epochs,
        best_epoch=run.best_epoch,
        validation_accuracy=float("nan") if validated is None else float(validated[run.best_epoch - 1]),
        test_accuracy=run.test_accuracy,
        test_loss=run.test_loss,
        seconds=run.seconds,
        number=int(experiment.get("number", 0)),
        own=str(experiment.get("own", run.name)),
        factors=factors,
        ways=experiment.get("ways", dict.fromkeys(factors, "cross")),
    )


def swept(rows: Sequence[Row]) -> list[str]:
    """Columns of what was swept: dotted keys, in order of first appearance.

    A key that is the name of another column, such as ``teaching``, becomes ``swept.teaching``.
    """
    return [
        f"swept.{key}" if key in COLUMNS else key for key in dict.fromkeys(key for row in rows for key in row.factors)
    ]


def tabulated(rows: Sequence[Row]) -> NDArray[Any]:
    """Rows as a structured array: the columns of `COLUMNS`, then those of `swept`."""
    columns = {name: np.array([getattr(row, name) for row in rows]) if rows else np.zeros(0) for name in COLUMNS}
    columns |= {name: _column([row.factors.get(_key(name)) for row in rows]) for name in swept(rows)}
    table = np.zeros(len(rows), dtype=[(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return table


def _column(values: Sequence[Any]) -> NDArray[Any]:
    """Truth values and numbers as such, nan where there are none; anything else as text, empty where there is none."""
    there = [value for value in values if value is not None]
    complete = len(there) == len(values)
    if complete and all(isinstance(value, bool) for value in there):
        return np.array(values)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in there):
        return np.array(values if complete else [np.nan if value is None else float(value) for value in values])
    return np.array(["" if value is None else str(_cell(value)) for value in values])


def _cell(value: Any) -> Any:
    """A value as a table shows it: tables and lists as JSON."""
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)


def _key(column: str) -> str:
    key = column.removeprefix("swept.")
    return key if key in COLUMNS else column
