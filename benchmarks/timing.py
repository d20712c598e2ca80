"""Times of jobs that are run in turns, tables of results, and one processor or all of them."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

_ALL = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


@dataclass(frozen=True)
class Job:
    """Something to time.

    Attributes
    ----------
    call : callable
        Without arguments.
    stimuli : int
        How many stimuli one call serves; times are given per stimulus.
    """

    call: Callable[[], Any]
    stimuli: int = 1


@dataclass(frozen=True)
class Time:
    """Seconds per stimulus."""

    median: float
    minimum: float


class Progress:
    """A line on standard error that overwrites itself; silent where standard error is not a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        if self._shown:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the line."""
        self("")


@dataclass
class Table:
    """Rows with named columns, and remarks below them."""

    name: str
    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, **row: Any) -> None:
        """Append a row; columns appear in the order in which they are first named."""
        self.rows.append(row)

    def __str__(self) -> str:
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        cells = [columns, *([_text(row.get(c, "")) for c in columns] for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
        left = [all(isinstance(row.get(c, ""), str) for row in self.rows) for c in columns]
        lines = [
            "  ".join(v.ljust(w) if is_left else v.rjust(w) for v, w, is_left in zip(line, widths, left, strict=True))
            for line in cells
        ]
        lines.insert(1, "  ".join("-" * w for w in widths))
        return "\n".join([self.title, "", *(line.rstrip() for line in lines), *(f"  * {note}" for note in self.notes)])

    def write(self, folder: Path) -> None:
        """Write NAME.csv; remarks follow the rows as comment lines."""
        folder.mkdir(parents=True, exist_ok=True)
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        with (folder / f"{self.name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([_text(row.get(c, "")) for c in columns] for row in self.rows)
            file.writelines(f"# {note}\n" for note in self.notes)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return (
            f"{value:.2e}"
            if value != 0 and not 1e-2 <= abs(value) < 1e6
            else f"{value:.3g}"
            if abs(value) < 100
            else f"{value:.0f}"
        )
    return str(value)


def interleave(
    jobs: Mapping[str, Job],
    rounds: int,
    seconds: float = 0.02,
    budget: float = 60.0,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Time]:
    """Time jobs in turns: what else the machine does then meets all of them alike.

    Parameters
    ----------
    jobs : mapping of name to Job
    rounds : int
        Turns of each job; fewer, but at least three, once `budget` seconds are over.
    seconds : float
        A turn repeats a job until it has taken about this long.
    clock : callable
        `time.process_time` for one thread (it stands still while other processes have the processor), wall-clock time
        for several.

    Returns
    -------
    dict of name to Time
    """
    repeats = {}
    for name, job in jobs.items():
        job.call()  # compiles, and brings memory into being
        begin = clock()
        job.call()
        repeats[name] = max(1, round(seconds / max(clock() - begin, 1e-7)))
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    started = time.perf_counter()
    for turn in range(rounds):
        if turn >= 3 and time.perf_counter() - started > budget:
            break
        for name, job in jobs.items():
            call, count = job.call, repeats[name]
            begin = clock()
            for _ in range(count):
                call()
            taken[name].append((clock() - begin) / (count * job.stimuli))
    return {name: Time(median(times), min(times)) for name, times in taken.items()}


@contextlib.contextmanager
def processors(count: int) -> Iterator[None]:
    """Let this thread, and those that it starts meanwhile, use so many processors, where the system can do that."""
    if not _ALL:
        yield
        return
    os.sched_setaffinity(0, sorted(_ALL)[-count:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, _ALL)


def n_processors() -> int:
    """Processors that the whole run may use."""
    return len(_ALL) or os.cpu_count() or 1


def load() -> str:
    """The system's load averages, as a remark: others' work makes times longer."""
    if not hasattr(os, "getloadavg"):
        return "load average not known on this system"
    return "load average {:.1f}, {:.1f}, {:.1f} (1, 5, 15 minutes)".format(*os.getloadavg())
