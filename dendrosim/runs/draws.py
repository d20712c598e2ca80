"""Random draws over keys of an experiment: the section ``[draw]``."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, ClassVar

from .. import arguments
from ..errors import ParameterError
from ..tasks.seeds import stream
from .schema import WHOLE, of_kind

Table = dict[str, Any]

_DIGITS = 6
_LEAST = 2.0**-54
_LARGEST = 2**53
"""Whole numbers up to this are exact as floats."""


class Distribution(ABC):
    """Where the values of one key are drawn from.

    Draws are made from uniform numbers, so that these may come from a generator or from any other design.
    """

    name: ClassVar[str]

    @abstractmethod
    def at(self, u: float) -> Any:
        """The value at quantile `u`, in [0, 1)."""


class Uniform(Distribution):
    """``uniform = [low, high]``: every number between as likely.

    Parameters
    ----------
    values : sequence of float
        Lower and upper limit.
    """

    name = "uniform"

    def __init__(self, values: Sequence[Any]) -> None:
        self.low, self.high = _limits(self.name, values)

    def at(self, u: float) -> float:
        return _rounded(self.low + (self.high - self.low) * u)


class LogUniform(Distribution):
    """``log_uniform = [low, high]``: every ratio as likely, for rates and other positive scales.

    Parameters
    ----------
    values : sequence of float
        Lower and upper limit, both positive.
    """

    name = "log_uniform"

    def __init__(self, values: Sequence[Any]) -> None:
        self.low, self.high = _limits(self.name, values, above=0.0)

    def at(self, u: float) -> float:
        return _rounded(self.low * (self.high / self.low) ** u)


class Normal(Distribution):
    """``normal = [mean, sd]``.

    Parameters
    ----------
    values : sequence of float
        Mean and standard deviation, the latter positive.
    """

    name = "normal"

    def __init__(self, values: Sequence[Any]) -> None:
        mean, sd = _two(self.name, values, "[mean, sd]")
        self.mean, self.sd = arguments.number("mean", mean), arguments.number("sd", sd, above=0.0)

    def at(self, u: float) -> float:
        return _rounded(NormalDist(self.mean, self.sd).inv_cdf(max(u, _LEAST)))


class Integers(Distribution):
    """``integers = [low, high]``: every whole number from `low` to `high`, both included.

    Parameters
    ----------
    values : sequence of int
        Lowest and highest.
    """

    name = "integers"

    def __init__(self, values: Sequence[Any]) -> None:
        low, high = _two(self.name, values, "[low, high]")
        for value in (low, high):
            of_kind(self.name, value, (WHOLE,))
        self.low, self.high = int(low), int(high)
        if max(abs(self.low), abs(self.high)) > _LARGEST:
            raise ParameterError(f"integers = {arguments.short(values)} must lie between -{_LARGEST} and {_LARGEST}")
        if self.low >= self.high:
            raise ParameterError(f"integers = [{self.low}, {self.high}] must be [low, high] with low < high")

    def at(self, u: float) -> int:
        return self.low + math.floor(u * (self.high - self.low + 1))


class Choice(Distribution):
    """``choice = [a, b, ...]``: each as likely; tables, such as whole teaching signals, are values like others.

    Parameters
    ----------
    values : sequence
        At least two.
    """

    name = "choice"

    def __init__(self, values: Sequence[Any]) -> None:
        if not isinstance(values, list | tuple) or len(values) < 2:
            raise ParameterError(f"choice = {arguments.short(values)} must be a list of two or more values")
        self.values = list(values)

    def at(self, u: float) -> Any:
        return self.values[math.floor(u * len(self.values))]


DISTRIBUTIONS: dict[str, type[Any]] = {kind.name: kind for kind in (Uniform, LogUniform, Normal, Integers, Choice)}
"""Registered distributions."""


@dataclass(frozen=True)
class Draws:
    """What ``[draw]`` asks for.

    Every key has a generator of its own: another key, or more draws, change none of those that were there.

    Attributes
    ----------
    n : int
        How many points.
    seed : int
    keys : mapping of str to Distribution
        By dotted key.
    """

    n: int
    seed: int = 0
    keys: Mapping[str, Distribution] = field(default_factory=dict)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Draws:
        """The draws that a section asks for.

        Raises
        ------
        ParameterError
            If there is no `n`, nothing is drawn, or a distribution is not known or impossible; names the key.
        """
        if "n" not in table:
            raise ParameterError("[draw] has no n; say how many, such as n = 20")
        for key in ("n", "seed"):
            of_kind(f"[draw] {key}", table.get(key, 0), (WHOLE,))
        if table["n"] < 1 or table.get("seed", 0) < 0:
            raise ParameterError(f"[draw] n = {table['n']}, seed = {table.get('seed', 0)}: n starts at 1 and seed at 0")
        keys = dict(_distributions({k: v for k, v in table.items() if k not in ("n", "seed")}))
        if not keys:
            raise ParameterError(
                "[draw] draws nothing; say what, such as training.rates = {{ log_uniform = [1e-4, 1e-2] }}"
            )
        return cls(table["n"], table.get("seed", 0), keys)

    def points(self) -> list[Table]:
        """Values by dotted key, of one draw after the other."""
        columns = {
            key: [kind.at(float(u)) for u in stream(self.seed, f"draw {key}").random(self.n)]
            for key, kind in self.keys.items()
        }
        return [{key: column[i] for key, column in columns.items()} for i in range(self.n)]


def _distributions(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Distribution]]:
    for key, value in table.items():
        name = f"{before}{key}"
        if not isinstance(value, Mapping) or not value:
            raise ParameterError(
                f"[draw] {name} = {arguments.short(value)} is no distribution; valid: "
                + ", ".join(f"{{ {known} = [...] }}" for known in DISTRIBUTIONS)
            )
        kinds = [word for word in value if word in DISTRIBUTIONS]
        if not kinds:
            yield from _distributions(value, f"{name}.")
            continue
        if len(value) > 1:
            raise ParameterError(f"[draw] {name} has {' and '.join(map(repr, value))}; it takes one distribution alone")
        try:
            yield name, DISTRIBUTIONS[kinds[0]](value[kinds[0]])
        except ParameterError as error:
            raise ParameterError(f"[draw] {name}: {error}") from None


def _two(name: str, values: Any, wanted: str) -> tuple[Any, Any]:
    if not isinstance(values, list | tuple) or len(values) != 2:
        raise ParameterError(f"{name} = {arguments.short(values)} must be {wanted}")
    return values[0], values[1]


def _limits(name: str, values: Any, above: float | None = None) -> tuple[float, float]:
    low, high = (arguments.number(name, value, above=above) for value in _two(name, values, "[low, high]"))
    if low >= high:
        raise ParameterError(f"{name} = {arguments.short(values)} must be [low, high] with low < high")
    return low, high


def _rounded(value: float) -> float:
    """To a few digits: short enough to be typed again, and the same wherever powers and logarithms are computed."""
    return float(f"{value:.{_DIGITS}g}")
