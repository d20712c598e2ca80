"""Rows of the reproduction ledger: a published value, ours, and the verdict; as CSV and back."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ..errors import FileFormatError
from .csv_files import write_csv
from .ledger_verdict import LEVEL, Verdict

ZERO_TOO = "0 is in the interval as well"
"""Of differences that cannot be told from none."""


@dataclass(frozen=True)
class Row:
    """One entry of the ledger with what runs gave.

    Attributes
    ----------
    paper, item, place, title : str
        The item.
    entry, what : str
        The entry.
    published : str
        As printed, with its standard deviation.
    published_n : str
        Repetitions, if known.
    mean, low, high, sd : float
        Ours over seeds and its 95 % interval (Student's t); nan without runs, or of one run.
    n : int
        Seeds.
    seeds : str
        Which.
    core_seconds : float
        Training time of the runs, times their threads.
    verdict : Verdict
    reason : str
        Why.
    confound, fair, source : str
        As in the ledger file.
    experiment, arms, minus, measure : str
        What was measured; several arms are parted by ``"; "``.
    preset : str
    shortened : str
        Settings that the preset lays over the experiment.
    code : str
        Versions that computed the runs.
    command : str
        Makes it again.
    """

    paper: str
    item: str
    place: str
    title: str
    entry: str
    what: str
    published: str
    published_n: str
    mean: float
    low: float
    high: float
    sd: float
    n: int
    seeds: str
    core_seconds: float
    verdict: Verdict
    reason: str
    confound: str
    fair: str
    source: str
    experiment: str
    arms: str
    minus: str
    measure: str
    preset: str
    shortened: str
    code: str
    command: str

    @property
    def ours(self) -> str:
        """Mean and interval, in the digits that the interval bears."""
        if not self.n:
            return "-"
        if self.measure.startswith("failed"):
            return f"{round(self.mean * self.n)} of {self.n} fail"
        found = [abs(value) for value in (self.mean, self.low, self.high) if math.isfinite(value)]
        if max(found) >= 1e4 or 0.0 < max(found) < 1e-3:
            limits = f" [{self.low:.3g}, {self.high:.3g}]" if self.n > 1 else ""
            return f"{self.mean:.3g}{limits}"
        digits = _digits(self.high - self.low if self.n > 1 else float("nan"))
        if self.n < 2:
            return f"{self.mean:.{digits}f}"
        return f"{self.mean:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"

    @property
    def said(self) -> str:
        """The verdict, and whether no difference at all is in our interval as well."""
        return f"{self.verdict} (0 too)" if self.reason.endswith(ZERO_TOO) else str(self.verdict)

    @property
    def cost(self) -> str:
        """Core time."""
        return duration(self.core_seconds) if self.n else "-"


def _digits(width: float) -> int:
    if not math.isfinite(width) or width <= 0.0:
        return 4
    return min(5, max(0, 2 - math.floor(math.log10(width))))


def duration(seconds: float) -> str:
    """A length of time in a few characters."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


def write_ledger(path: str | os.PathLike[str], rows: Iterable[Row]) -> Path:
    """Write rows as CSV; `read_ledger` gives them back as they are.

    Returns
    -------
    Path
    """
    names = [field.name for field in fields(Row)]
    return write_csv(Path(path), names, [[asdict(row)[name] for name in names] for row in rows])


def read_ledger(path: str | os.PathLike[str]) -> list[Row]:
    """Rows that `write_ledger` wrote.

    Raises
    ------
    OSError
        If there is no such file.
    FileFormatError
        If it is none of ours.
    """
    names = [field.name for field in fields(Row)]
    with Path(path).open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != names:
            raise FileFormatError(f"{path} is no ledger: its columns are {reader.fieldnames}; expected {names}")
        return [_row(one) for one in reader]


def _row(one: dict[str, str]) -> Row:
    numbers = {name: float(one[name]) for name in ("mean", "low", "high", "sd", "core_seconds")}
    return Row(**{**one, **numbers, "n": int(one["n"]), "verdict": Verdict(one["verdict"])})  # type: ignore[arg-type]


def updated(path: str | os.PathLike[str], rows: Sequence[Row], items: Sequence[str]) -> list[Row]:
    """Rows in the place of those that a table has of the same items; other items stay, as one by one they are done.

    Parameters
    ----------
    path : path
        Of a table that may not be there yet.
    rows : sequence of Row
    items : sequence of str
        Names of all items, in their order; rows of others are dropped.

    Raises
    ------
    FileFormatError
        If the file is something else.
    """
    new = {row.item for row in rows}
    old = [row for row in read_ledger(path) if row.item not in new] if Path(path).exists() else []
    place = {name: i for i, name in enumerate(items)}
    return sorted((row for row in [*old, *rows] if row.item in place), key=lambda row: place[row.item])


def tally(rows: Sequence[Row]) -> str:
    """How many entries there are of each verdict, and how many would miss by chance."""
    counts = {verdict: sum(row.verdict is verdict for row in rows) for verdict in Verdict}
    texts = [f"{n} {verdict}" for verdict, n in counts.items() if n]
    decided = sum(row.verdict.decided for row in rows)
    text = f"{len(rows)} entries: {', '.join(texts)}."
    if decided:
        chance = (1.0 - LEVEL) * decided
        text += (
            f" Of {decided} verdicts at {100 * LEVEL:g} % each, about {chance:.0f} would be wrong by chance alone if "
            "all published values were right; entries share runs and are not independent."
        )
    return text
