"""Derivatives of a spike by the voltage that made it, or did not: one small class each, registered under its name.

A spike is a step of the voltage, whose derivative is 0 or infinite. A surrogate puts a smooth one in its place while
gradients go back, and changes nothing while the simulation goes forward.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import number, short
from ...errors import ParameterError, choose

Array = NDArray[Any]


@dataclass(frozen=True)
class Surrogate(ABC):
    """A pseudo-derivative."""

    name: ClassVar[str]

    @abstractmethod
    def derivative(self, distance: Array) -> Array:
        """Of a spike by the voltage, 1/mV, where the voltage is `distance` mV above the threshold; any shape."""


@dataclass(frozen=True)
class FastSigmoid(Surrogate):
    """``slope / 2 / (1 + slope |v|)^2`` (Zenke & Ganguli, Neural Comput 30:1514, 2018), of area 1.

    Parameters
    ----------
    slope : float, default 1.0
        1/mV.

    Raises
    ------
    ParameterError
        If it is not positive.
    """

    slope: float = 1.0
    name: ClassVar[str] = "fast_sigmoid"

    def __post_init__(self) -> None:
        number("slope", self.slope, above=0, unit="1/mV")

    def derivative(self, distance: Array) -> Array:
        result: Array = 0.5 * self.slope / (1.0 + self.slope * np.abs(distance)) ** 2
        return result


@dataclass(frozen=True)
class Triangle(Surrogate):
    """``max(0, 1 - |v| / width) / width`` (Bellec et al., Nat Commun 11:3625, 2020), of area 1.

    Parameters
    ----------
    width : float, default 5.0
        mV: nothing flows where the voltage is further from the threshold.

    Raises
    ------
    ParameterError
        If it is not positive.
    """

    width: float = 5.0
    name: ClassVar[str] = "triangle"

    def __post_init__(self) -> None:
        number("width", self.width, above=0, unit="mV")

    def derivative(self, distance: Array) -> Array:
        result: Array = np.maximum(0.0, 1.0 - np.abs(distance) / self.width) / self.width
        return result


@dataclass(frozen=True)
class ArcTangent(Surrogate):
    """``slope / 2 / (1 + (pi / 2 slope v)^2)``, the derivative of an arc tangent from 0 to 1 (Fang et al., ICCV 2021).

    Parameters
    ----------
    slope : float, default 1.0
        1/mV.

    Raises
    ------
    ParameterError
        If it is not positive.
    """

    slope: float = 1.0
    name: ClassVar[str] = "arc_tangent"

    def __post_init__(self) -> None:
        number("slope", self.slope, above=0, unit="1/mV")

    def derivative(self, distance: Array) -> Array:
        result: Array = 0.5 * self.slope / (1.0 + (0.5 * np.pi * self.slope * distance) ** 2)
        return result


SURROGATES: dict[str, type[Surrogate]] = {kind.name: kind for kind in (FastSigmoid, Triangle, ArcTangent)}


def surrogate_given(value: object) -> Surrogate | None:
    """A surrogate, by name or as it is; None for none.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if value is None or isinstance(value, Surrogate):
        return value
    if isinstance(value, str):
        return SURROGATES[choose("surrogate", value, SURROGATES)]()
    raise ParameterError(
        f"surrogate={short(value)} must be an object such as ds.FastSigmoid(), or one of the names "
        f"{', '.join(map(repr, SURROGATES))}"
    )
