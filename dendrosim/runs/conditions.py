"""Arms of experiments by what they share: values by seed, and which arms are worth a comparison."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, choose
from .rows import Row

METRICS = ("test_accuracy", "validation_accuracy", "test_loss", "seconds", "epochs", "best_epoch")
"""Columns of tables of runs that can be averaged over seeds."""


@dataclass(frozen=True)
class Condition:
    """One arm with one combination of what was swept, and a metric of its runs.

    Attributes
    ----------
    name : str
        Of the arm; empty outside of experiments.
    own : str
        Without what was swept.
    factors, ways : dict
        Values of what was swept by dotted key, and where each comes from.
    values : dict of int to float
        The metric by seed, in the order of seeds. Runs of the same arm and seed are no repetitions: they count once,
        with their mean.
    seconds : float
        Mean duration of a training, s.
    n_runs : int
        Runs behind the values.
    """

    name: str
    own: str
    factors: Mapping[str, Any]
    ways: Mapping[str, str]
    values: Mapping[int, float]
    seconds: float
    n_runs: int
    _keys: dict[tuple[str, ...], str] = field(default_factory=dict, repr=False, compare=False)

    def way(self, key: str) -> str:
        """Where the value of a factor comes from: ``"cross"``, ``"list"``, or a distribution."""
        return self.ways.get(key, "cross")

    def without(self, keys: Iterable[str] = ()) -> str:
        """All factors but these, as something that can be compared and looked up."""
        left_out = tuple(keys)
        if left_out not in self._keys:
            rest = {key: value for key, value in self.factors.items() if key not in left_out}
            self._keys[left_out] = json.dumps(rest, sort_keys=True)
        return self._keys[left_out]

    def paired(self, other: Condition) -> tuple[list[int], NDArray[np.float64], NDArray[np.float64]]:
        """Seeds that both have, and the values of this and of the other."""
        seeds = [seed for seed in self.values if seed in other.values]
        return seeds, np.array([self.values[s] for s in seeds]), np.array([other.values[s] for s in seeds])


def conditions(rows: Sequence[Row], metric: str) -> list[Condition]:
    """The arms of runs in their order, with a metric by seed.

    Parameters
    ----------
    rows : sequence of Row
        As of `Runs.rows`.
    metric : str
        One of `METRICS`.

    Raises
    ------
    ParameterError
        If there is no such metric, or a run has no finite value of it; names the run.
    """
    choose("metric", metric, METRICS)
    members: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.number, row.seed)):
        members.setdefault(row.arm, []).append(row)
    found = []
    for name, runs in members.items():
        values: dict[int, list[float]] = {}
        for row in runs:
            value = float(getattr(row, metric))
            if not np.isfinite(value):
                raise ParameterError(
                    f"{metric} of arm {name!r}, seed {row.seed}, is {value}; choose another metric "
                    f"({', '.join(METRICS)}), or leave those runs out with .where(...)"
                )
            values.setdefault(row.seed, []).append(value)
        one = runs[0]
        means = {seed: float(np.mean(same)) for seed, same in sorted(values.items())}
        seconds = float(np.mean([row.seconds for row in runs]))
        found.append(Condition(name, one.own, one.factors, one.ways, means, seconds, len(runs)))
    return found


def pooled(arms: Sequence[Condition]) -> list[Condition]:
    """Arms by their own names: each seed's mean over the combinations of swept values that all of them have.

    A seed counts for an arm if it has all of these; an arm without such a seed is left out.
    """
    owns: dict[str, dict[str, Condition]] = {}
    for arm in arms:
        owns.setdefault(arm.own, {})[arm.without()] = arm
    shared = [key for key in next(iter(owns.values()), {}) if all(key in points for points in owns.values())]
    found = []
    for own, points in owns.items():
        members = [points[key] for key in shared]
        seeds = [seed for seed in (members[0].values if members else ()) if all(seed in m.values for m in members)]
        if seeds:
            values = {seed: float(np.mean([one.values[seed] for one in members])) for seed in seeds}
            seconds = float(np.mean([one.seconds for one in members]))
            found.append(Condition(own, own, {}, {}, values, seconds, len(values)))
    return found


def compared(arms: Sequence[Condition]) -> list[list[Condition]]:
    """For each arm those that it is compared with.

    These are the first arm with the same factors; for each factor that was crossed, the same arm with the first value
    of that one; and the same arm at the first point of what was listed. Draws are not compared with one another.
    """
    first: dict[tuple[str, ...], Condition] = {}
    wanted: list[list[tuple[str, ...]]] = []
    for arm in arms:
        listed = tuple(key for key in arm.factors if arm.way(key) == "list")
        groups = [(key,) for key in arm.factors if arm.way(key) == "cross"] + ([listed] if listed else [])
        looked_up: list[tuple[str, ...]] = [("alike", arm.without())]
        looked_up += [("swept", *keys, "of", arm.own, arm.without(keys)) for keys in groups]
        for key in looked_up:
            first.setdefault(key, arm)
        wanted.append(looked_up)
    out = []
    for arm, looked_up in zip(arms, wanted, strict=True):
        others = {first[key].name: first[key] for key in looked_up}
        out.append([other for name, other in others.items() if name != arm.name])
    return out
