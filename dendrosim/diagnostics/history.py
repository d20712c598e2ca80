"""Fidelity over the course of training, as a series of reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..errors import ParameterError, choose
from .fidelity_of import fidelity
from .fidelity_report import MEASURES, Fidelity

if TYPE_CHECKING:
    from ..networks.network import Network

Floats = NDArray[np.float64]


class FidelityHistory:
    """Fidelity at several times of one training.

    Parameters
    ----------
    epoch : sequence of float
        When: epochs trained, 0 before any.
    reports : sequence of Fidelity
        One each.

    Attributes
    ----------
    epoch : float array of shape (T,)
    reports : list of Fidelity
    """

    def __init__(self, epoch: Sequence[float] = (), reports: Sequence[Fidelity] = ()) -> None:
        if len(epoch) != len(reports):
            raise ParameterError(f"{len(epoch)} epochs and {len(reports)} reports; one report belongs to each epoch")
        self._epoch, self.reports = [float(e) for e in epoch], list(reports)

    @property
    def epoch(self) -> Floats:
        """Epochs trained at each report, shape (T,)."""
        return np.array(self._epoch)

    def add(self, epoch: float, report: Fidelity) -> None:
        """Append a report."""
        self._epoch.append(float(epoch))
        self.reports.append(report)

    def series(self, group: str = "all", measure: str = "cosine") -> Floats:
        """One measure of one row of the tables over time, shape (T,).

        Raises
        ------
        ParameterError
            If the row or the measure is not known.
        """
        choose("measure", measure, MEASURES)
        return np.array([float(report[group][measure]) for report in self.reports])

    @property
    def table(self) -> NDArray[Any]:
        """Rows of all tables with the column ``epoch`` before them."""
        if not self.reports:
            return np.zeros(0, dtype=[("epoch", "f8")])
        columns = self.reports[0].table.dtype
        out = np.concatenate([report.table for report in self.reports])
        with_epoch = np.zeros(out.size, dtype=[("epoch", "f8"), *columns.descr])
        with_epoch["epoch"] = np.repeat(self._epoch, [report.table.size for report in self.reports])
        for name in columns.names or ():
            with_epoch[name] = out[name]
        return with_epoch

    def plot(self, **options: Any) -> Any:
        """Draw it; see `dendrosim.plotting.plot_fidelity_over_training`."""
        from ..plotting import plot_fidelity_over_training

        return plot_fidelity_over_training(self, **options)

    def __len__(self) -> int:
        return len(self.reports)

    def __str__(self) -> str:
        lines = ["Fidelity over training", "", f"{'epoch':>7}  {'cosine':>7}  {'scale':>6}  {'rel. L2':>8}"]
        for epoch, report in zip(self._epoch, self.reports, strict=True):
            row = report["all"]
            lines.append(f"{epoch:7g}  {row['cosine']:7.3f}  {row['scale_mismatch']:6.3f}  {row['relative_l2']:8.3g}")
        return "\n".join(lines)


def fidelity_history(
    networks: Iterable[Network], x: ArrayLike, y: ArrayLike, *, epochs: Sequence[float] | None = None, **options: Any
) -> FidelityHistory:
    """Fidelity of a sequence of networks, such as the checkpoints of a training, on one batch.

    Parameters
    ----------
    networks : iterable of Network
        In order.
    x, y : arrays
        The batch, the same for all.
    epochs : sequence of float, optional
        When each was; 0, 1, 2 ... without it.
    **options
        As for `dendrosim.fidelity`.

    Raises
    ------
    ParameterError
        If there are more or fewer epochs than networks, or as for `dendrosim.fidelity`.
    """
    reports = [fidelity(network, x, y, **options) for network in networks]
    when = np.arange(len(reports)) if epochs is None else numbers("epochs", epochs)
    return FidelityHistory(when.tolist(), reports)
