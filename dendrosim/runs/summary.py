"""What an experiment came to: means over seeds with intervals, and paired differences."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..diagnostics.intervals import Interval, mean_interval, paired_difference
from ..hdf5 import replacing
from ..training.run import Run
from .collection import Runs


@dataclass(frozen=True)
class Difference:
    """An arm minus another, over the seeds that both have."""

    other: str
    interval: Interval


@dataclass(frozen=True)
class Row:
    """One arm.

    Attributes
    ----------
    name : str
    test : Interval
        Test accuracies over seeds.
    seconds : float
        Mean duration of a training.
    differences : tuple of Difference
        From the first arm with the same crossed values, and, for each thing crossed, from the same arm with its first
        value.
    """

    name: str
    test: Interval
    seconds: float
    differences: tuple[Difference, ...]


class Summary:
    """Arms of an experiment side by side.

    Parameters
    ----------
    runs : Runs
    level : float, default 0.95
        Coverage of the intervals.

    Attributes
    ----------
    rows : list of Row
        In the order of the arms.
    """

    def __init__(self, runs: Runs, level: float = 0.95) -> None:
        self.runs, self.level = runs, level
        arms = runs.arms
        self.rows = []
        for name, members in arms.items():
            test = mean_interval([run.test_accuracy for run in members], level=level)
            pairs = [(other, self._paired(members, arms[other])) for other in _compared(name, arms)]
            differences = [Difference(other, interval) for other, interval in pairs if interval is not None]
            seconds = sum(run.seconds for run in members) / len(members)
            self.rows.append(Row(name, test, seconds, tuple(differences)))

    def _paired(self, members: Sequence[Run], others: Sequence[Run]) -> Interval | None:
        mine = {run.seed: run.test_accuracy for run in members}
        theirs = {run.seed: run.test_accuracy for run in others}
        seeds = sorted(set(mine) & set(theirs))
        if not seeds:
            return None
        return paired_difference([mine[s] for s in seeds], [theirs[s] for s in seeds], level=self.level)

    def __str__(self) -> str:
        percent = f"{100 * self.level:g} % interval"
        heads = ["arm", "seeds", "test", "sd", percent, "difference from", "", "interval", "s"]
        lines = [heads]
        for row in self.rows:
            t = row.test
            cells = [row.name, str(t.n), f"{t.mean:.4f}", _shown(t.sd), _range(t, ".4f")]
            firsts = [[d.other, f"{d.interval.mean:+.4f}", _range(d.interval, "+.4f")] for d in row.differences]
            first, *rest = firsts or [["", "", ""]]
            lines.append([*cells, *first, f"{row.seconds:.3g}"])
            lines += [["", "", "", "", "", *more, ""] for more in rest]
        widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
        return "\n".join(_aligned(line, widths, left=(0, 5)) for line in lines)

    def write(self, folder: str | os.PathLike[str]) -> tuple[Path, Path]:
        """Write ``summary.csv`` (a row per arm and difference) and ``runs.csv`` (a row per run).

        Returns
        -------
        tuple of Path
        """
        where = Path(folder)
        heads = ["arm", "n", "mean", "sd", "low", "high", "seconds", "versus", "pairs", "difference", "d_low", "d_high"]
        rows: list[list[Any]] = []
        for row in self.rows:
            t = row.test
            mine: list[Any] = [row.name, t.n, t.mean, t.sd, t.low, t.high, row.seconds]
            for d in row.differences or (None,):
                more = ["", "", "", "", ""] if d is None else [d.other, *_numbers(d.interval)]
                rows.append([*mine, *more])
        table = self.runs.table
        return (
            write_csv(where / "summary.csv", heads, rows),
            write_csv(where / "runs.csv", list(table.dtype.names or ()), table.tolist()),
        )


def _compared(name: str, arms: Mapping[str, Runs]) -> list[str]:
    """Names of the arms that one is compared with."""
    info = {arm: members[0].config.get("experiment", {}) for arm, members in arms.items()}
    mine = info[name]
    factors = mine.get("factors", {})
    alike = [arm for arm, other in info.items() if other.get("factors", {}) == factors]
    found = [arm for arm in alike[:1] if arm != name]
    for key in factors:
        rest = {k: v for k, v in factors.items() if k != key}
        same = [
            arm
            for arm, other in info.items()
            if other.get("own") == mine.get("own")
            and {k: v for k, v in other.get("factors", {}).items() if k != key} == rest
        ]
        found += [arm for arm in same[:1] if arm != name]
    return list(dict.fromkeys(found))


def _aligned(cells: Sequence[str], widths: Sequence[int], left: Sequence[int]) -> str:
    padded = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return "  ".join(padded).rstrip()


def _numbers(interval: Interval) -> list[float]:
    return [interval.n, interval.mean, interval.low, interval.high]


def _shown(value: float) -> str:
    return "-" if value != value else f"{value:.4f}"


def _range(interval: Interval, form: str) -> str:
    return "-" if interval.n < 2 else f"[{interval.low:{form}}, {interval.high:{form}}]"


def write_csv(path: Path, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """Write a table, whole or not at all."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        writer.writerows(rows)
    return path
