"""Many runs at once: those of a folder, as a table and by arm."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..errors import FileFormatError, MissingDependencyError, ParameterError
from ..hdf5 import read_hdf5
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
"""Columns of `Runs.table`."""


class Runs(Sequence[Run]):
    """Runs in the order of their files; networks stay in the files until they are asked for.

    Parameters
    ----------
    runs : iterable of Run
    """

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs = list(runs)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Run | Runs:
        return Runs(self._runs[index]) if isinstance(index, slice) else self._runs[index]

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    def where(self, **values: Any) -> Runs:
        """Runs with these values in columns of the table, such as ``where(arm="exact", seed=0)``.

        Raises
        ------
        ParameterError
            If there is no such column.
        """
        for name in values:
            if name not in COLUMNS:
                raise ParameterError(f"there is no column {name!r}; valid: {', '.join(COLUMNS)}")
        rows = [_row(run) for run in self]
        wanted = values.items()
        return Runs(run for run, row in zip(self, rows, strict=True) if all(row[k] == v for k, v in wanted))

    @property
    def arms(self) -> dict[str, Runs]:
        """Runs by arm of their experiment, in order of first appearance, by seed within each."""
        found: dict[str, list[Run]] = {}
        for run in sorted(self, key=lambda run: (int(run.config.get("experiment", {}).get("number", 0)), run.seed)):
            found.setdefault(run.name, []).append(run)
        return {name: Runs(runs) for name, runs in found.items()}

    @property
    def table(self) -> NDArray[Any]:
        """One row per run: a structured array with the columns of `COLUMNS`."""
        rows = [_row(run) for run in self]
        columns = [np.array([row[name] for row in rows]) if rows else np.zeros(0) for name in COLUMNS]
        kinds = [(name, column.dtype) for name, column in zip(COLUMNS, columns, strict=True)]
        table = np.zeros(len(rows), dtype=kinds)
        for name, column in zip(COLUMNS, columns, strict=True):
            table[name] = column
        return table

    def to_pandas(self) -> Any:
        """The table as a pandas DataFrame.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        from importlib import import_module

        try:
            pandas = import_module("pandas")
        except ImportError:
            raise MissingDependencyError(
                "pandas is not installed: pip install pandas; .table needs no pandas"
            ) from None
        return pandas.DataFrame({name: self.table[name] for name in COLUMNS})

    def plot(self, **options: Any) -> Any:
        """Draw the learning curves of all arms; see `dendrosim.plotting.plot_learning_curve`."""
        from ..plotting import plot_learning_curve

        return plot_learning_curve({name or "run": list(runs) for name, runs in self.arms.items()}, **options)

    def __repr__(self) -> str:
        arms = self.arms
        what = ", ".join(f"{name or 'unnamed'} x {len(runs)}" for name, runs in arms.items())
        return f"<Runs: {len(self)}{': ' + what if what else ''}>"


def _row(run: Run) -> dict[str, Any]:
    config = run.config
    validated = run.history.get("validation_accuracy")
    return {
        "arm": run.name,
        "task": config["task"]["name"],
        "network": config["network"].get("integration", config["network"]["kind"]),
        "teaching": config["teaching"]["name"],
        "rule": config["rule"]["name"],
        "seed": run.seed,
        "epochs": run.epochs,
        "best_epoch": run.best_epoch,
        "validation_accuracy": float("nan") if validated is None else float(validated[run.best_epoch - 1]),
        "test_accuracy": run.test_accuracy,
        "test_loss": run.test_loss,
        "seconds": run.seconds,
    }


def load(folder: str | os.PathLike[str], *others: str | os.PathLike[str]) -> Runs:
    """All runs in a folder and the folders in it.

    Other files are passed over, and so are HDF5 files of another kind, such as checkpoints.

    Parameters
    ----------
    folder : str or Path
        A file that holds a run will do as well.
    *others : str or Path
        More of them; a file that is met twice is read once.

    Returns
    -------
    Runs

    Raises
    ------
    ParameterError
        If there is no such folder, or no run in it.
    FileFormatError
        If a file is damaged; names it.
    """
    files = {path.resolve(): path for given in (folder, *others) for path in _files(given)}
    return Runs(Run.load(path, network=False) for path in files.values())


def _files(folder: str | os.PathLike[str]) -> list[Path]:
    """The files that hold runs."""
    where = Path(arguments.path("folder", folder))
    if where.is_file():
        return [where]
    if not where.is_dir():
        raise ParameterError(f"{where} does not exist; give a folder with runs that ds.train(...).save(path) wrote")
    files = sorted(path for path in where.rglob("*.h5") if path.is_file() and not path.name.startswith("."))
    found = [path for path in files if _kind(path) == "run"]
    if not found:
        raise ParameterError(f"{where} holds no runs among {len(files)} .h5 files; ds.train(...).save(path) writes one")
    return found


def _kind(path: Path) -> Any:
    try:
        return read_hdf5(path, leave=None)[1].get("kind")
    except FileFormatError as error:
        raise FileFormatError(f"{error}, or move it out of the folder") from error
