"""Many runs at once: as a table, by arm, one by one."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from numpy.typing import NDArray

from ..arguments import short
from ..errors import MissingDependencyError, ParameterError
from ..shown import Shown
from ..training.run import Run
from .rows import COLUMNS, Row, row_of, swept, tabulated


class Held:
    """A run in memory; its row is that of the moment."""

    __slots__ = ("run",)

    def __init__(self, run: Run) -> None:
        self.run = run

    @property
    def row(self) -> Row:
        """Of the table."""
        return row_of(self.run)


class Filed:
    """A run in its file, of which the row is known; it is read when it is asked for, and not kept.

    Parameters
    ----------
    path : Path
    row : Row
    labels : mapping
        Laid over ``config["experiment"]``: what the run is called here.
    """

    __slots__ = ("_read", "labels", "path", "row")

    def __init__(self, path: Path, row: Row, labels: Mapping[str, Any] | None = None) -> None:
        self.path, self.row, self.labels = path, row, labels or {}
        self._read: weakref.ref[Run] | None = None

    @property
    def run(self) -> Run:
        """The run, the same as long as somebody has it; its network stays in the file until it is asked for."""
        run = self._read() if self._read else None
        if run is None:
            run = Run.load(self.path, network=False)
            if self.labels:
                run.config["experiment"] = {**run.config.get("experiment", {}), **self.labels}
            self._read = weakref.ref(run)
        return run


class Runs(Shown, Sequence[Run]):
    """Runs in the order of their files; networks stay in the files until they are asked for.

    Of a store, the rows of the table come from its index, and a run is read when it is asked for.

    Parameters
    ----------
    runs : iterable of Run
    """

    def __init__(self, runs: Iterable[Run | Held | Filed]) -> None:
        self._members = [Held(run) if isinstance(run, Run) else run for run in runs]

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Run | Runs:
        return Runs(self._members[index]) if isinstance(index, slice) else self._members[index].run

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Run]:
        return (member.run for member in self._members)

    def where(self, **values: Any) -> Runs:
        """Runs with these `values` in columns of the table, such as ``where(arm="exact", seed=0)``.

        Columns with dots are given as ``where(**{"network.integration": "shunting"})``.

        Raises
        ------
        ParameterError
            If there is no such column.
        """
        rows = self.rows
        known = [*COLUMNS, *swept(rows)]
        for name in values:
            if name not in known:
                raise ParameterError(f"there is no column {name!r}; valid: {', '.join(known)}")
            if getattr(values[name], "shape", ()) != ():
                raise ParameterError(f"{name}={short(values[name])} is an array; give one value")
        return Runs(member for member, row in zip(self._members, rows, strict=True) if row.has(values))

    @property
    def arms(self) -> dict[str, Runs]:
        """Runs by arm of their experiment, in order of first appearance, by seed within each."""
        found: dict[str, list[Held | Filed]] = {}
        rows = self.rows
        for i in sorted(range(len(rows)), key=lambda i: (rows[i].number, rows[i].seed)):
            found.setdefault(rows[i].arm, []).append(self._members[i])
        return {name: Runs(members) for name, members in found.items()}

    @property
    def rows(self) -> list[Row]:
        """What is known of every run without reading it, in the order of the runs."""
        return [member.row for member in self._members]

    @property
    def table(self) -> NDArray[Any]:
        """One row per run: a structured array.

        Its columns are those of `dendrosim.runs.rows.COLUMNS`, and one for each key that was swept, by its dotted name.
        """
        return tabulated(self.rows)

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
        table = self.table
        return pandas.DataFrame({name: table[name] for name in table.dtype.names or ()})

    def plot(self, **options: Any) -> Any:
        """Draw the learning curves of all arms; see `dendrosim.plotting.plot_learning_curve`."""
        from ..plotting import plot_learning_curve

        return plot_learning_curve({name or "run": list(runs) for name, runs in self.arms.items()}, **options)

    def __repr__(self) -> str:
        arms = self.arms
        what = ", ".join(f"{name or 'unnamed'} x {len(runs)}" for name, runs in arms.items())
        return f"<Runs: {len(self)}{': ' + what if what else ''}>"
