"""Fidelity of the local gradient to the exact one, followed through training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import number, short
from ..errors import ParameterError
from .callbacks import Callback, Moment

Array = NDArray[Any]


class RecordFidelity(Callback):
    """Compares, every few epochs and on the same samples, what the network is taught with the exact gradient.

    The columns of ``Fidelity.table``, with ``epoch``, end up in ``run.records["fidelity"]``.

    Parameters
    ----------
    every : int, default 5
        Epochs between comparisons; the first is before training.
    samples : int, default 256
        Training samples, evenly spaced; all if there are fewer.
    teaching, rule : optional
        Compare this teaching signal and rule instead of those in use. Those in use keep their running averages and
        random feedback; others begin afresh each time.
    name : str, default "fidelity"

    Attributes
    ----------
    reports : list of Fidelity
        Those of this process; a resumed training has the rows of earlier ones in its records only.
    """

    def __init__(
        self, every: int = 5, samples: int = 256, teaching: Any = None, rule: Any = None, name: str = "fidelity"
    ) -> None:
        self.every = int(number("every", every, least=1))
        self.samples = int(number("samples", samples, least=1))
        if (teaching is None) != (rule is None):
            raise ParameterError(
                f"teaching={short(teaching)} and rule={short(rule)}: give both to compare others than those in use, or "
                "neither"
            )
        self.teaching, self.rule, self.name = teaching, rule, name
        self.reports: list[Any] = []
        self._columns: dict[str, list[Array]] = {}

    def on_epoch(self, moment: Moment) -> None:
        from ..diagnostics.fidelity_of import fidelity
        from ..networks.network import Network

        if not isinstance(moment.network, Network):
            raise ParameterError(f"fidelity is about dendrites, and {moment.network!r} has none; leave it out")
        chosen = moment.rows[np.linspace(0, moment.rows.size - 1, min(self.samples, moment.rows.size)).astype(int)]
        learner = moment.learner
        if self.teaching is None:
            compared = {"teaching": learner.teaching, "rule": learner.rule, "state": learner.state()}
        else:
            compared = {"teaching": self.teaching, "rule": self.rule}
        x, y = moment.task.x_train[chosen], moment.task.y_train[chosen]
        report = fidelity(moment.network, x, y, **compared, loss=learner.loss, threads=learner.threads)
        self.reports.append(report)
        table = report.table
        self._columns.setdefault("epoch", []).append(np.full(table.size, float(moment.epoch)))
        for column in table.dtype.names or ():
            self._columns.setdefault(column, []).append(table[column].copy())

    def results(self) -> dict[str, Array]:
        return {name: np.concatenate(parts) for name, parts in self._columns.items()}

    def restore(self, state: Mapping[str, Array]) -> None:
        self._columns = {name: [values] for name, values in state.items()}
