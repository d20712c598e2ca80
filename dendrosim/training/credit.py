"""Fidelity of the credits to the exact ones, followed through training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import number
from .callbacks import Callback, Moment

Array = NDArray[Any]


class RecordCredit(Callback):
    """Compares, on the same samples every time, what units are told with the exact derivatives of the loss.

    `dendrosim.train` adds one by itself where the teaching signal estimates. Rows of layers end up in
    ``run.records["credit"]``: the columns of ``CreditFidelity.table`` (``cosine``, ``norm_ratio`` ...) with ``epoch``,
    ``passes``, the forward passes of minibatches until then, ``identity``, and what the teaching signal says of itself;
    numbers of the whole network are in the rows of all its layers.

    Parameters
    ----------
    every : int, default 1
        Epochs between comparisons; the first is before training.
    samples : int, default 256
        Training samples, evenly spaced; all if there are fewer.
    name : str, default "credit"

    Notes
    -----
    Costs about a training step each time. Noise is drawn from a generator of its own, and the learner is left as it
    was.
    """

    def __init__(self, every: int = 1, samples: int = 256, name: str = "credit") -> None:
        self.every = int(number("every", every, least=1))
        self.samples = int(number("samples", samples, least=1))
        self.name = name
        self._columns: dict[str, Array] = {}

    def on_epoch(self, moment: Moment) -> None:
        from ..diagnostics.credit_of import compare_credits

        learner, task = moment.learner, moment.task
        if learner.teaching.frozen_core:
            return  # nothing is told
        chosen = moment.rows[np.linspace(0, moment.rows.size - 1, min(self.samples, moment.rows.size)).astype(int)]
        x = learner.network.checked(task.x_train[chosen])
        y = learner.loss.checked(task.y_train[chosen], len(x), learner.network.n_outputs)
        report = compare_credits(learner, x, y, np.random.default_rng(moment.epoch))
        table, layers = report.table, report.table["layer"].tolist()
        columns: dict[str, Array] = {
            "epoch": np.full(table.size, float(moment.epoch)),
            **{name: table[name].copy() for name in table.dtype.names or ()},
            "passes": np.full(table.size, float(learner.passes)),
            "identity": np.full(table.size, report.identity),
        }
        for key, value in report.metrics.items():
            name, _, layer = key.partition("/")
            column = columns.setdefault(name, np.full(table.size, np.nan if layer else value))
            if layer in layers:
                column[layers.index(layer)] = value
        self._append(columns)

    def _append(self, columns: Mapping[str, Array]) -> None:
        """Add rows; a column that rows of earlier or of this time do not have is nan there."""
        before, now = (next(iter(c.values())).size if c else 0 for c in (self._columns, columns))
        for name in dict.fromkeys([*self._columns, *columns]):
            old = self._columns.get(name, np.full(before, np.nan))
            new = columns.get(name, np.full(now, np.nan))
            self._columns[name] = np.concatenate([old, new]) if before else new

    def results(self) -> dict[str, Array]:
        return dict(self._columns)

    def restore(self, state: Mapping[str, Array]) -> None:
        self._columns = {
            name: np.char.decode(column, "utf-8") if column.dtype.kind == "S" else column
            for name, column in state.items()
        }
