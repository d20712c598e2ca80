"""What a metric depends on in a sweep: against one factor or two, with the mean over all others, and draw by draw."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..diagnostics.intervals import Interval, bootstrap_interval, mean_interval, paired_difference
from ..errors import ParameterError, choose
from .collection import Runs
from .conditions import Condition, conditions
from .csv_files import write_csv

_UNDRAWN = ("cross", "list")


@dataclass(frozen=True)
class Factor:
    """Something that was swept.

    Attributes
    ----------
    name : str
        Dotted key.
    way : str
        ``"cross"``, ``"list"``, or the distribution that it was drawn from, such as ``"log_uniform"``.
    values : tuple
        All of them: numbers in ascending order, others in the order of the experiment.
    """

    name: str
    way: str
    values: tuple[Any, ...]

    @property
    def drawn(self) -> bool:
        """Whether it was drawn at random."""
        return self.way not in _UNDRAWN

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers."""
        return all(map(_number, self.values))

    @property
    def logarithmic(self) -> bool:
        """Whether a logarithmic axis suits it: drawn log-uniformly, or positive numbers over more than a decade."""
        if not self.numeric or not min(self.values) > 0:
            return False
        return self.way == "log_uniform" or (not self.drawn and max(self.values) > 10 * min(self.values))


@dataclass(frozen=True)
class Level:
    """A metric at one value of a factor, or at one value of each of two.

    Attributes
    ----------
    value : object
    interval : Interval
        Over seeds; each seed's value is its mean over everything else that was swept.
    seeds : tuple of int
        Those that have all of it.
    n_points : int
        Runs that a seed's mean is made of.
    """

    value: Any
    interval: Interval
    seeds: tuple[int, ...]
    n_points: int


@dataclass(frozen=True)
class Marginal:
    """A metric against one factor.

    Attributes
    ----------
    factor : Factor
    metric : str
    arms : dict of str to list of Level
        By the arm's own name; levels in the order of the factor's values.
    n_left_out : int
        Runs without counterpart: combinations that not every value has, and seeds that lack some.
    """

    factor: Factor
    metric: str
    arms: Mapping[str, Sequence[Level]]
    n_left_out: int


@dataclass(frozen=True)
class Surface:
    """A metric over two factors, of one arm or of the difference of two.

    Attributes
    ----------
    x, y : Factor
    metric, arm : str
    minus : str
        The arm that was subtracted, seed by seed; empty if none.
    cells : dict of (int, int) to Level
        By place among the values of `x` and of `y`; what has no runs is missing.
    """

    x: Factor
    y: Factor
    metric: str
    arm: str
    minus: str
    cells: Mapping[tuple[int, int], Level]


@dataclass(frozen=True)
class Drawn:
    """Points that were drawn at random, each for itself.

    Attributes
    ----------
    factors : tuple of Factor
        Those that were drawn.
    metric : str
    arms : dict of str to list of Level
        By the arm's own name; ``value`` is a dict with the drawn values by dotted key.
    """

    factors: tuple[Factor, ...]
    metric: str
    arms: Mapping[str, Sequence[Level]]


def swept_factors(runs: Runs) -> dict[str, Factor]:
    """Factors with two or more values, by dotted key."""
    values: dict[str, dict[str, Any]] = {}
    ways: dict[str, str] = {}
    for row in sorted(runs.rows, key=lambda row: (row.number, row.seed)):
        for key, value in row.factors.items():
            values.setdefault(key, {}).setdefault(json.dumps(value, sort_keys=True), value)
            ways.setdefault(key, row.ways.get(key, "cross"))
    found = {}
    for key, distinct in values.items():
        if len(distinct) > 1:
            every = list(distinct.values())
            found[key] = Factor(key, ways[key], tuple(sorted(every) if all(map(_number, every)) else every))
    return found


def marginal(runs: Runs, factor: str, *, metric: str = "test_accuracy", level: float = 0.95) -> Marginal:
    """A metric against one factor: mean over all others, interval over seeds.

    Means are over the same combinations of the others at every value of the factor, so that an unfinished sweep does
    not compare a value with few of them to one with many. What is listed or drawn with the factor varies with it.

    Parameters
    ----------
    runs : Runs
    factor : str
        Dotted key of something that was swept.
    metric : str, default "test_accuracy"
        As for `Summary`.
    level : float, default 0.95
        Coverage of the t intervals.

    Returns
    -------
    Marginal

    Raises
    ------
    ParameterError
        If the factor was not swept, or there is no such metric.
    """
    one = _factor(runs, factor)
    arms, used, total = {}, 0, 0
    for own, members in _by_own(conditions(runs.rows, metric)).items():
        tied = _tied(members, one)
        cells = _cells(members, (one,), tied)
        arms[own] = [_level(one.values[i], cell, level) for (i,), cell in sorted(cells.items())]
        used += sum(len(found.seeds) * found.n_points for found in arms[own])
        total += sum(len(arm.values) for arm in members)
    return Marginal(one, metric, arms, total - used)


def surface(
    runs: Runs,
    x: str,
    y: str,
    *,
    arm: str,
    minus: str = "",
    metric: str = "test_accuracy",
    level: float = 0.95,
) -> Surface:
    """A metric over two factors: mean over all others, interval over seeds.

    Parameters
    ----------
    runs : Runs
    x, y : str
        Dotted keys of factors that were crossed.
    arm : str
        Own name of the arm.
    minus : str, optional
        Another one, to be subtracted seed by seed.
    metric, level
        As for `marginal`.

    Returns
    -------
    Surface

    Raises
    ------
    ParameterError
        If a factor was not swept, or an arm does not exist.
    """
    factors = _factor(runs, x), _factor(runs, y)
    if x == y:
        raise ParameterError(f"x and y are both {x!r}; give two factors, or take marginal(runs, {x!r})")
    members = _by_own(conditions(runs.rows, metric))
    cells = [
        _cells(members[choose(name, own, members)], factors, ())
        for name, own in (("arm", arm), *([("minus", minus)] if minus else []))
    ]
    found = {}
    for place in sorted(set.intersection(*map(set, cells))):
        value = (factors[0].values[place[0]], factors[1].values[place[1]])
        mine = cells[0][place]
        if not minus:
            found[place[0], place[1]] = _level(value, mine, level)
            continue
        seeds = [seed for seed in mine.values if seed in cells[1][place].values]
        if seeds:
            pairs = ([cell[place].values[seed] for seed in seeds] for cell in cells)
            difference = paired_difference(*pairs, level=level)
            found[place[0], place[1]] = Level(value, difference, tuple(seeds), mine.n_points)
    return Surface(*factors, metric, arm, minus, found)


def drawn(runs: Runs, *, metric: str = "test_accuracy", level: float = 0.95) -> Drawn:
    """The points of a random search, each for itself: mean over what was crossed, interval over seeds.

    Parameters
    ----------
    runs : Runs
    metric, level
        As for `marginal`.

    Returns
    -------
    Drawn

    Raises
    ------
    ParameterError
        If nothing was drawn.
    """
    factors = tuple(factor for factor in swept_factors(runs).values() if factor.drawn)
    if not factors:
        raise ParameterError("nothing was drawn in these runs; a sweep draws what its section [draw] says")
    keys = [factor.name for factor in factors]
    arms: dict[str, list[Level]] = {}
    for own, members in _by_own(conditions(runs.rows, metric)).items():
        points: dict[str, list[Condition]] = {}
        for one in members:
            point = {key: one.factors[key] for key in keys if key in one.factors}
            points.setdefault(json.dumps(point, sort_keys=True), []).append(one)
        cells = {point: _mean(same) for point, same in points.items()}
        arms[own] = [_level(json.loads(point), cell, level) for point, cell in cells.items() if cell.values]
    return Drawn(factors, metric, arms)


def write_marginals(
    runs: Runs, path: str | os.PathLike[str], *, metric: str = "test_accuracy", level: float = 0.95
) -> Path:
    """Write the marginals of all factors as a table: a row per factor, value and arm.

    Returns
    -------
    Path
    """
    rows = []
    for name in swept_factors(runs):
        found = marginal(runs, name, metric=metric, level=level)
        for own, levels in found.arms.items():
            for one in levels:
                t, bootstrap = one.interval, bootstrap_interval(one.interval.values, level=level)
                value = one.value if isinstance(one.value, str | int | float) else json.dumps(one.value)
                limits = [t.low, t.high, bootstrap.low, bootstrap.high]
                rows.append([name, found.factor.way, value, own, metric, t.n, one.n_points, t.mean, t.sd, *limits])
    heads = ("factor", "way", "value", "arm", "metric", "n", "points", "mean", "sd")
    return write_csv(Path(path), [*heads, "low", "high", "bootstrap_low", "bootstrap_high"], rows)


@dataclass(frozen=True)
class _Cell:
    """Means by seed, and how many runs each is made of."""

    values: Mapping[int, float]
    n_points: int


def _cells(
    members: Sequence[Condition], factors: Sequence[Factor], tied: Iterable[str]
) -> dict[tuple[int, ...], _Cell]:
    """Means by seed at every combination of values of the factors, over the combinations of the rest that all have."""
    places = [{json.dumps(v, sort_keys=True): i for i, v in enumerate(factor.values)} for factor in factors]
    left_out = (*(factor.name for factor in factors), *tied)
    found: dict[tuple[int, ...], dict[str, list[Condition]]] = {}
    for one in members:
        if all(factor.name in one.factors for factor in factors):
            place = tuple(
                index[json.dumps(one.factors[factor.name], sort_keys=True)]
                for index, factor in zip(places, factors, strict=True)
            )
            found.setdefault(place, {}).setdefault(one.without(left_out), []).append(one)
    shared = set.intersection(*map(set, found.values())) if found else set()
    means = {place: _mean([one for key in shared for one in rest[key]]) for place, rest in found.items() if shared}
    return {place: cell for place, cell in means.items() if cell.values}


def _mean(members: Sequence[Condition]) -> _Cell:
    """Means over arms of the seeds that all of them have."""
    seeds = [seed for seed in members[0].values if all(seed in one.values for one in members)]
    return _Cell({seed: float(np.mean([one.values[seed] for one in members])) for seed in seeds}, len(members))


def _level(value: Any, cell: _Cell, level: float) -> Level:
    return Level(value, mean_interval(list(cell.values.values()), level=level), tuple(cell.values), cell.n_points)


def _tied(members: Sequence[Condition], factor: Factor) -> list[str]:
    """Other keys that vary with the factor: those of the same list, or of the same draw."""
    if factor.way == "cross":
        return []
    keys = dict.fromkeys(key for one in members for key in one.factors if key != factor.name)
    return [key for key in keys if members[0].way(key) != "cross" and (members[0].way(key) != "list") == factor.drawn]


def _factor(runs: Runs, name: str) -> Factor:
    known = swept_factors(runs)
    if not known:
        raise ParameterError("nothing was swept in these runs: no factor has two values")
    return known[choose("factor", name, known)]


def _by_own(arms: Sequence[Condition]) -> dict[str, list[Condition]]:
    found: dict[str, list[Condition]] = {}
    for one in arms:
        found.setdefault(one.own, []).append(one)
    return found


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
