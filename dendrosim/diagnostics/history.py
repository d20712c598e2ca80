"""Fidelity over the course of training: the tables of several reports, one below the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers, several
from ..errors import ParameterError, choose
from .fidelity_of import fidelity
from .fidelity_report import MEASURES, ROW, Fidelity

if TYPE_CHECKING:
    from ..networks.network import Network

Floats = NDArray[np.float64]

_ROW = np.dtype([("epoch", "f8"), *ROW.descr])


class FidelityHistory:
    """Fidelity at several times of one training.

    Parameters
    ----------
    epochs : sequence of float
        When: epochs trained, 0 before any.
    reports : sequence of Fidelity
        One each.

    Attributes
    ----------
    table : structured array
        The rows of all reports, with the column ``epoch`` before them.

    Raises
    ------
    ParameterError
        If there are more or fewer epochs than reports.
    """

    def __init__(self, epochs: Sequence[float] = (), reports: Sequence[Fidelity] = ()) -> None:
        if len(epochs) != len(reports):
            raise ParameterError(f"{len(epochs)} epochs and {len(reports)} reports; one report belongs to each epoch")
        tables = [report.table for report in reports]
        self.table = np.zeros(sum(table.size for table in tables), dtype=_ROW)
        if tables:
            self.table["epoch"] = np.repeat(np.asarray(epochs, dtype=np.float64), [table.size for table in tables])
            for name in ROW.names or ():
                self.table[name] = np.concatenate([table[name] for table in tables])

    @classmethod
    def from_columns(cls, columns: Mapping[str, ArrayLike]) -> FidelityHistory:
        """From `columns` that training recorded, ``run.records["fidelity"]`` of `dendrosim.training.RecordFidelity`.

        Raises
        ------
        ParameterError
            If a column is missing, or they differ in length.
        """
        missing = [name for name in _ROW.names or () if name not in columns]
        if missing:
            raise ParameterError(f"the column {missing[0]!r} is missing; there are {', '.join(columns) or 'none'}")
        arrays = {name: np.asarray(columns[name]) for name in _ROW.names or ()}
        lengths = {name: array.size for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise ParameterError(f"the columns differ in length: {lengths}")
        made = cls()
        made.table = np.zeros(lengths["epoch"], dtype=_ROW)
        for name, array in arrays.items():
            made.table[name] = np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
        return made

    @property
    def epochs(self) -> Floats:
        """Epochs trained at each report, shape (T,)."""
        found: Floats = np.unique(self.table["epoch"])
        return found

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the rows of every report."""
        return tuple(dict.fromkeys(self.table["group"].tolist()))

    def series(self, group: str = "all", measure: str = "cosine") -> Floats:
        """One `measure` of one `group` (a row of the tables) over time, shape (T,).

        Raises
        ------
        ParameterError
            If the row or the measure is not known.
        """
        choose("measure", measure, MEASURES)
        rows = self.table[self.table["group"] == choose("group", group, self.groups)]
        values: Floats = rows[measure]
        return values

    def plot(self, **options: Any) -> Any:
        """Draw it; see `dendrosim.plotting.plot_fidelity_over_training`."""
        from ..plotting import plot_fidelity_over_training

        return plot_fidelity_over_training(self, **options)

    def __len__(self) -> int:
        return int(self.epochs.size)

    def __str__(self) -> str:
        lines = ["Fidelity over training", "", f"{'epoch':>7}  {'cosine':>7}  {'scale':>6}  {'rel. L2':>8}"]
        for row in self.table[self.table["group"] == "all"]:
            lines.append(
                f"{row['epoch']:7g}  {row['cosine']:7.3f}  {row['scale_mismatch']:6.3f}  {row['relative_l2']:8.3g}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<FidelityHistory: {len(self)} epochs>"


def fidelity_history(
    networks: Iterable[Network], x: ArrayLike, y: ArrayLike, *, epochs: Sequence[float] | None = None, **options: Any
) -> FidelityHistory:
    """Fidelity of a sequence of networks, such as the checkpoints of a training, on one batch.

    Parameters
    ----------
    networks : iterable of Network
        In order.
    x, y : arrays of shape (B, n_inputs) and (B,)
        The batch, the same for all.
    epochs : sequence of float, optional
        When each was, increasing; 0, 1, 2 ... without it.
    **options
        As for `dendrosim.fidelity`.

    Returns
    -------
    FidelityHistory

    Raises
    ------
    ParameterError
        If there are more or fewer epochs than networks, they do not increase, or as for `dendrosim.fidelity`.
    """
    listed = several("networks", networks, "a list of networks")
    reports = [fidelity(network, x, y, **options) for network in listed]
    when = np.arange(len(reports), dtype=np.float64) if epochs is None else numbers("epochs", epochs).astype(np.float64)
    if when.ndim != 1:
        raise ParameterError(f"epochs has shape {when.shape}; expected one for each network")
    if (np.diff(when) <= 0).any():
        raise ParameterError(f"epochs={when.tolist()} must increase")
    return FidelityHistory(when.tolist(), reports)
