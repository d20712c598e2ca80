"""Rows of results in a CSV file that grows run by run, so that an interrupted script goes on where it ended."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dendrosim.diagnostics import mean_interval

RESULTS = Path(__file__).parent / "results"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which colour-blind readers tell apart."""
FIGURES = Path(__file__).parent.parent / "docs" / "figures"


class Rows:
    """A table on disk.

    Parameters
    ----------
    path : Path
        Made with its header if it does not exist.
    keys, values : sequence of str
        Columns that tell runs apart, and columns of results.
    """

    def __init__(self, path: Path, keys: Sequence[str], values: Sequence[str]) -> None:
        self.path, self.keys, self.columns = path, tuple(keys), (*keys, *values)
        self.rows: list[dict[str, str]] = []
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                self.rows = list(csv.DictReader(file))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerow(self.columns)

    def has(self, **key: Any) -> bool:
        """Whether there is a row with these values."""
        asked = {name: _short(value) for name, value in key.items()}
        return any(all(row[name] == value for name, value in asked.items()) for row in self.rows)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows and write them at once; numbers get five digits."""
        made = [{name: _short(row[name]) for name in self.columns} for row in rows]
        self.rows += made
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerows(made)

    def numbers(self, column: str, **key: Any) -> list[float]:
        """Values of a column in the rows with these values."""
        asked = {name: _short(value) for name, value in key.items()}
        return [
            float(row[column])
            for row in self.rows
            if all(row[name] == value for name, value in asked.items()) and row[column] != ""
        ]

    def levels(self, column: str) -> list[str]:
        """Different values of a column, in the order in which they came."""
        return list(dict.fromkeys(row[column] for row in self.rows))


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and the ends of its 95 % t-interval; the mean alone, thrice, of fewer than two values."""
    found = mean_interval(values)
    return (found.mean, found.low, found.high) if found.n > 1 else (found.mean, found.mean, found.mean)


def style() -> Any:
    """Pyplot with the fonts of the library's figures."""
    import matplotlib.pyplot as plt

    plt.rcParams.update({
        "font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
        "axes.linewidth": 0.6, "lines.linewidth": 1.2, "legend.fontsize": 7,
    })  # fmt: skip
    return plt


def _short(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
