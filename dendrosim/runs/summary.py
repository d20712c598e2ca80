"""What an experiment came to: means over seeds with intervals, and paired differences."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import flag, instance
from ..diagnostics.comparisons import Comparison, compare_pairs, holm
from ..diagnostics.intervals import Interval, bootstrap_interval, mean_interval
from .collection import Runs
from .conditions import Condition, compared, conditions
from .conditions import pooled as over_all
from .csv_files import write_csv
from .marginals import swept_factors, write_marginals
from .summary_text import text_of


@dataclass(frozen=True)
class Difference:
    """An arm minus another, over the seeds that both have.

    Attributes
    ----------
    other : str
        Name of the arm that is subtracted.
    comparison : Comparison
        The difference with its intervals, effect size and p values.
    p_adjusted : float
        p of the paired t test, adjusted by Holm for all comparisons of the summary; nan where there is none.
    """

    other: str
    comparison: Comparison
    p_adjusted: float

    @property
    def interval(self) -> Interval:
        """The difference with its t interval."""
        return self.comparison.difference


@dataclass(frozen=True)
class Row:
    """One arm.

    Attributes
    ----------
    name : str
    factors : dict
        Values of what was swept, by dotted key.
    seeds : tuple of int
    interval : Interval
        Mean of the metric over seeds, with its t interval.
    seconds : float
        Mean duration of a training.
    differences : tuple of Difference
        From the first arm with the same swept values; for each thing crossed, from the same arm with its first value;
        and from the same arm at the first point of what was listed.
    """

    name: str
    factors: Mapping[str, Any]
    seeds: tuple[int, ...]
    interval: Interval
    seconds: float
    differences: tuple[Difference, ...]

    @cached_property
    def bootstrap(self) -> Interval:
        """The mean with its bootstrap interval."""
        return bootstrap_interval(self.interval.values, level=self.interval.level)


class Summary:
    """Arms of an experiment side by side.

    Parameters
    ----------
    runs : Runs
    level : float, default 0.95
        Coverage of the intervals.
    metric : str, default "test_accuracy"
        Or ``"validation_accuracy"``, ``"test_loss"``, ``"seconds"``, ``"epochs"``, ``"best_epoch"``.
    pooled : bool, default False
        One row per arm's own name, with means over everything that was swept: over the combinations that all arms
        have, and the seeds that have them all.

    Attributes
    ----------
    rows : list of Row
        In the order of the arms.
    n_comparisons : int
        Differences of two pairs or more: the family that p values are adjusted for.
    n_repeated : int
        Runs that have arm and seed in common with another. They are no repetitions, and count once, with their mean.

    Raises
    ------
    ParameterError
        If there is no such metric, or a run has no finite value of it.
    """

    def __init__(self, runs: Runs, level: float = 0.95, metric: str = "test_accuracy", *, pooled: bool = False) -> None:
        instance("runs", runs, Runs, "as ds.runs.load(folder) gives")
        self.runs, self.level, self.metric, self.pooled = runs, level, metric, flag("pooled", pooled)
        each = conditions(runs.rows, metric)
        arms = over_all(each) if pooled else each
        pairs = [self._compared(arm, others) for arm, others in zip(arms, compared(arms), strict=True)]
        tested = [one.p for found in pairs for _, one in found if one.n > 1]
        adjusted = iter(holm(tested).tolist())
        self.rows = []
        for arm, found in zip(arms, pairs, strict=True):
            values = np.array(list(arm.values.values()))
            differences = tuple(
                Difference(other, one, next(adjusted) if one.n > 1 else float("nan")) for other, one in found
            )
            interval = mean_interval(values, level=level)
            self.rows.append(Row(arm.name, arm.factors, tuple(arm.values), interval, arm.seconds, differences))
        self.n_comparisons = len(tested)
        self.n_repeated = sum(arm.n_runs - len(arm.values) for arm in arms)

    def _compared(self, arm: Condition, others: Sequence[Condition]) -> list[tuple[str, Comparison]]:
        found = [(other.name, *arm.paired(other)) for other in others]
        return [(name, compare_pairs(mine, theirs, level=self.level)) for name, seeds, mine, theirs in found if seeds]

    @property
    def file(self) -> str:
        """Name of the file that `write` writes the table to: ``summary.csv`` if it is of the test accuracy."""
        name = "summary_pooled" if self.pooled else "summary"
        return f"{name}.csv" if self.metric == "test_accuracy" else f"{name}_{self.metric}.csv"

    def __str__(self) -> str:
        return text_of(self)

    def write(self, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
        """Write ``summary.csv`` (a row per arm and difference) and ``runs.csv`` (a row per run) to `folder`.

        Where something was swept, also ``marginals.csv``: a row per factor, value and arm; see `marginals.marginal`.

        Of another metric than the test accuracy they have its name, such as ``summary_test_loss.csv``.

        Parameters
        ----------
        folder : str or path
            Made if need be.

        Returns
        -------
        tuple of Path
        """
        where = Path(folder)
        swept = list(dict.fromkeys(key for row in self.rows for key in row.factors))
        rows = [
            [row.name, *(_cell(row.factors.get(key, "")) for key in swept), self.metric, *_of_arm(row), *more]
            for row in self.rows
            for more in [self._of(one) for one in row.differences] or [[""] * len(_DIFFERENCE)]
        ]
        table = self.runs.table
        names = table.dtype.names or ()
        written = (
            write_csv(where / self.file, ["arm", *swept, "metric", *_ARM, *_DIFFERENCE], rows),
            write_csv(where / "runs.csv", list(names), [[one[name] for name in names] for one in table]),
        )
        if self.pooled or not swept_factors(self.runs):
            return written
        path = where / self.file.replace("summary", "marginals")
        return (*written, write_marginals(self.runs, path, metric=self.metric, level=self.level))

    def _of(self, one: Difference) -> list[Any]:
        t, bootstrap, effect = one.comparison.difference, one.comparison.bootstrap, one.comparison.effect
        values = [one.other, t.n, t.mean, t.sd, t.low, t.high, bootstrap.low, bootstrap.high]
        values += [effect.value, effect.low, effect.high, one.comparison.p, one.comparison.p_permutation]
        return [*values, one.p_adjusted, self.n_comparisons]


_ARM = ("n", "seeds", "mean", "sd", "low", "high", "bootstrap_low", "bootstrap_high", "seconds")
_DIFFERENCE = (
    *("versus", "pairs", "difference", "d_sd", "d_low", "d_high", "d_bootstrap_low", "d_bootstrap_high"),
    *("d_z", "d_z_low", "d_z_high", "p_t", "p_permutation", "p_holm", "comparisons"),
)


def _of_arm(row: Row) -> list[Any]:
    t, bootstrap = row.interval, row.bootstrap
    seeds = " ".join(map(str, row.seeds))
    return [t.n, seeds, t.mean, t.sd, t.low, t.high, bootstrap.low, bootstrap.high, row.seconds]


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else json.dumps(value)
