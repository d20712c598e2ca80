"""Runs, fidelities and everything else that has a table as parts of datasets."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..diagnostics.credit_of import CreditFidelity
from ..diagnostics.fidelity_report import Fidelity
from ..diagnostics.parts import synapse_compartment
from ..diagnostics.robustness import NoiseRobustness
from ..diagnostics.time_fidelity import TimeFidelity
from ..errors import ParameterError
from ..runs.collection import Runs
from ..runs.rows import COLUMNS
from ..training.run import METRICS, Run
from .xarray_parts import Parts

_UNITS = {"test_loss": "nat", "seconds": "s"}
"""Of the columns of the table of runs; all others are plain numbers or text."""


def has_table(thing: Any) -> bool:
    """Whether an object of dendrosim's has a table, or is one."""
    ours = type(thing).__module__.partition(".")[0] == "dendrosim"
    table = getattr(thing, "table", None) if ours else thing
    return isinstance(table, np.ndarray) and bool(table.dtype.names) and table.ndim == 1


def of_table(thing: Any) -> Parts:
    """A table along the dimension that its first column names."""
    parts = Parts(**_said(thing))
    _table(parts, thing if isinstance(thing, np.ndarray) else thing.table)
    return parts


def _said(thing: Any) -> dict[str, Any]:
    """Plain values that an object knows."""
    if isinstance(thing, np.ndarray):
        return {}
    known = ("teaching", "rule", "n_samples", "seed", "loss", "identity", "integration", "direction")
    found = {name: getattr(thing, name, None) for name in known}
    return {name: value for name, value in found.items() if isinstance(value, str | int | float | np.generic)}


def _table(parts: Parts, table: NDArray[Any]) -> None:
    """Columns along the first one, or the first two where they span a grid, such as epochs and groups; else by row."""
    names = table.dtype.names or ()
    dims: tuple[str, ...] = ("row",)
    shape: tuple[int, ...] = (table.size,)
    for k in (1, 2):
        axes = [np.array(list(dict.fromkeys(table[name].tolist()))) for name in names[:k] if table[name].ndim == 1]
        if len(axes) == k and _spans(table, names[:k], axes):
            dims, shape = names[:k], tuple(axis.size for axis in axes)
            for name, axis in zip(dims, axes, strict=True):
                parts.coordinate(name, name, axis)
            break
    for name in names:
        if name not in dims:
            values = table[name].reshape(*shape, *table[name].shape[1:])
            own = tuple(f"{name}_{k}" for k in range(table[name].ndim - 1))
            parts.add(name, (*dims, *own), values, "1" if values.dtype.kind == "f" else "")


def _spans(table: NDArray[Any], names: Sequence[str], axes: Sequence[NDArray[Any]]) -> bool:
    """Whether the rows are all combinations of the axes, in order."""
    if math.prod(axis.size for axis in axes) != table.size or any(axis.dtype.kind not in "biufU" for axis in axes):
        return False
    grid = np.meshgrid(*axes, indexing="ij")
    return all(np.array_equal(values.ravel(), table[name]) for values, name in zip(grid, names, strict=True))


def _of_fidelity(report: Fidelity) -> Parts:
    parts = of_table(report)
    layout = report.layout
    n = int(np.asarray(layout.parent).size)
    where = synapse_compartment(layout)
    parts.coordinate("compartment", "compartment", np.arange(n), long_name="number of the compartment")
    for name, text in (("cell", "number of the cell"), ("stage", "number of branchings above")):
        values = getattr(layout, name, None)
        if values is not None and np.shape(values) == (n,):
            parts.coordinate(name, "compartment", values, long_name=text)
    parts.coordinate("synapse", "synapse", np.arange(where.size), long_name="number of the synapse")
    parts.coordinate("synapse_compartment", "synapse", where, long_name="compartment of the synapse")
    for name, text in (
        ("compartment_cosine", "cosine over the synapses of a compartment"),
        ("compartment_scale", "log10 of the ratio of lengths, local over exact"),
        ("compartment_error", "relative L2"),
    ):
        parts.add(name, ("compartment",), getattr(report, name), "1", text)
    parts.add("synapse_error", ("synapse",), report.synapse_error, "1", "error over the root mean square of its sign")
    return parts


def _of_credits(report: CreditFidelity) -> Parts:
    parts = of_table(report)
    parts.add("unit_cosine", ("unit",), report.unit_cosine, "1", "cosine over the samples of a unit")
    return parts


def _of_time_fidelity(report: TimeFidelity) -> Parts:
    parts = of_table(report)
    for name in ("local", "exact"):
        parts.add(name, ("synapse",), getattr(report, name), "1/nS", f"{name} derivative by the conductance")
        coupling = getattr(report, f"{name}_coupling")
        parts.add(f"{name}_coupling", ("compartment",), coupling, "1/nS", f"{name} derivative by the coupling")
    return parts


def _of_robustness(found: NoiseRobustness) -> Parts:
    parts = Parts()
    parts.coordinate("noise", "noise", found.levels, "1", "standard deviation of the noise, in units of the input")
    parts.add("accuracy", ("noise", "draw"), found.accuracy, "1", "share of right answers")
    return parts


def _of_run(run: Run) -> Parts:
    config = run.config
    parts = Parts(
        arm=run.name or None,
        task=config["task"]["name"],
        teaching=config["teaching"].get("name"),
        rule=config["rule"].get("name"),
        seed=run.seed,
        test_accuracy=float(run.test_accuracy),
        test_loss=float(run.test_loss),
        best_epoch=run.best_epoch,
        config=config,
    )
    _epochs(parts, run.epochs)
    for name, values in run.history.items():
        parts.add(name, ("epoch",), values, *METRICS.get(name, ("1", "")))
    for record, columns in run.records.items():
        for name, values in columns.items():
            array = np.asarray(values)
            dims = tuple(f"{record}_row" if k == 0 else f"{record}_{name}_{k}" for k in range(array.ndim))
            parts.add(f"{record}.{name}", dims, array, "1" if array.dtype.kind == "f" else "")
    return parts


def _of_runs(runs: Runs) -> Parts:
    """Arms by seeds by epochs; nan, or empty text, where a run is missing or was shorter."""
    if not len(runs):
        raise ParameterError("there are no runs to make a dataset of")
    table = runs.table
    arms = list(dict.fromkeys(run for run in runs.arms))
    seeds = np.unique(table["seed"])
    arm = np.array([arms.index(name) for name in table["arm"].tolist()])
    place = arm, np.searchsorted(seeds, table["seed"])
    count = np.zeros((len(arms), seeds.size), int)
    np.add.at(count, place, 1)
    if (count > 1).any():
        i, j = np.argwhere(count > 1)[0]
        raise ParameterError(
            f"there are {count[i, j]} runs of arm {arms[i]!r} with seed {seeds[j]}, and a dataset has one place for "
            "them; choose with runs.where(...)"
        )
    parts = Parts(n_runs=len(runs))
    parts.coordinate("arm", "arm", np.array([name or "run" for name in arms]), long_name=COLUMNS["arm"])
    parts.coordinate("seed", "seed", seeds, long_name="seed of the training")
    for name in table.dtype.names or ():
        if name not in ("arm", "seed"):
            _column(parts, name, table[name], place, count)
    histories = [run.history for run in runs]
    _epochs(parts, max(int(values["seconds"].size) for values in histories))
    n_epochs = parts.coordinates["epoch"][1].size
    for name in dict.fromkeys(name for history in histories for name in history):
        values = np.full((*count.shape, n_epochs), np.nan)
        for i, j, history in zip(*place, histories, strict=True):
            if name in history:
                values[i, j, : history[name].size] = history[name]
        units, text = METRICS.get(name, ("1", ""))
        parts.add(
            f"history_{name}", ("arm", "seed", "epoch"), values, units, text
        )  # the table has columns of that name
    return parts


def _column(parts: Parts, name: str, column: NDArray[Any], place: Any, count: NDArray[Any]) -> None:
    """A column of the table of runs: of the arms where it says the same for all seeds, else of every run."""
    text, missing = column.dtype.kind == "U", bool((count == 0).any())
    kind = column.dtype if text or not missing else np.dtype(float)
    values = np.full(count.shape, "" if text else 0 if not missing else np.nan, dtype=kind)
    values[place] = column
    long_name = COLUMNS.get(name, "what was swept")
    first = np.argmax(count > 0, axis=1)
    of_arm = values[np.arange(len(values)), first]
    settings = text or name not in COLUMNS
    if settings and ((values == of_arm[:, None]) | (count == 0)).all():
        parts.coordinate(name, "arm", of_arm, long_name=long_name)
    else:
        parts.add(name, ("arm", "seed"), values, "" if text else _UNITS.get(name, "1"), long_name)


def _epochs(parts: Parts, n: int) -> None:
    parts.coordinate("epoch", "epoch", np.arange(1, n + 1), long_name="epoch, from 1")


CONVERTERS: dict[type, Callable[[Any], Parts]] = {
    Run: _of_run,
    Runs: _of_runs,
    Fidelity: _of_fidelity,
    CreditFidelity: _of_credits,
    TimeFidelity: _of_time_fidelity,
    NoiseRobustness: _of_robustness,
}
