"""Time courses of synaptic conductances: one small class each, registered under its name.

After an event (weight 1) a synapse is open by the fraction q(s) at the time s; with weight 1 its peak is 1, so that the
conductance of a synapse is its peak conductance. Two states suffice for all: q and what feeds it, p.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import number, short
from ...errors import ParameterError, choose

Floats = NDArray[np.float64]
Term = tuple[float, float, int]
"""Factor, time constant tau in ms, and k of ``factor (s / tau)^k exp(-s / tau)``; k is 0 or 1."""


@dataclass(frozen=True)
class Kinetics(ABC):
    """The time course of a conductance after an event."""

    name: ClassVar[str]
    double: ClassVar[bool] = True
    """Whether both states are used."""

    @property
    def blocked(self) -> tuple[float, float] | None:
        """Voltage-dependent block, see `NMDA`."""
        return None

    @abstractmethod
    def terms(self) -> tuple[list[Term], list[Term]]:
        """The states p and q after a unit event."""

    def decay(self, dt: float) -> tuple[float, float, float]:
        """What a step does: p by ``p_decay``, q by ``q_decay``, and how much of p goes to q."""
        p_terms, q_terms = self.terms()
        tau_p, tau_q = (p_terms or q_terms)[0][1], q_terms[0][1]
        p, q = math.exp(-dt / tau_p), math.exp(-dt / tau_q)
        if not p_terms:
            return 0.0, q, 0.0
        return p, q, (dt / tau_q) * q if tau_p == tau_q else q - p

    def states(self, s: Floats) -> tuple[Floats, Floats]:
        """p and q at times s >= 0 after a unit event, ms."""
        return _sum(self.terms()[0], s, _value), _sum(self.terms()[1], s, _value)

    def integrals(self, s: Floats) -> tuple[Floats, Floats]:
        """Integrals of p and q from 0 to s, ms."""
        return _sum(self.terms()[0], s, _integral), _sum(self.terms()[1], s, _integral)

    @property
    def area(self) -> float:
        """Integral of q over all times, ms: mean open fraction per event rate in 1/ms."""
        return float(sum(factor * tau for factor, tau, _ in self.terms()[1]))

    def equilibrium(self) -> tuple[float, float]:
        """p and q under constant activity 1: events so frequent that q is 1."""
        return float(sum(factor * tau for factor, tau, _ in self.terms()[0])) / self.area, 1.0

    def continuous(self, dt: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """What constant activity 1 adds to p and q in a step: in all, and in the first step that it is there.

        The mean of a step over events that come at a constant rate, exactly.
        """
        p_decay, q_decay, gain = self.decay(dt)
        p, q = self.equilibrium()
        first = [sum(f * _twice(dt, tau, k) for f, tau, k in terms) / (dt * self.area) for terms in self.terms()]
        return ((1.0 - p_decay) * p, (1.0 - q_decay) * q - gain * p), (float(first[0]), float(first[1]))


def _value(s: Floats, tau: float, k: int) -> Floats:
    return (s / tau) ** k * np.exp(-s / tau)


def _integral(s: Floats, tau: float, k: int) -> Floats:
    whole = -tau * np.expm1(-s / tau)
    return whole if k == 0 else whole - s * np.exp(-s / tau)


def _twice(s: float, tau: float, k: int) -> float:
    """Integral of the integral from 0 to s."""
    once = -tau * math.expm1(-s / tau)
    return tau * (s - once) if k == 0 else tau * (s - once) - tau * (once - s * math.exp(-s / tau))


def _sum(terms: list[Term], s: Floats, function: Any) -> Floats:
    total: Floats = np.zeros_like(s)
    for factor, tau, k in terms:
        total = total + factor * function(s, tau, k)
    return total


@dataclass(frozen=True)
class Exponential(Kinetics):
    """Opens at once, closes exponentially (NEURON's ``ExpSyn``).

    Parameters
    ----------
    tau : float, default 2.0
        ms.

    Raises
    ------
    ParameterError
        If it is not positive.
    """

    tau: float = 2.0
    name: ClassVar[str] = "exponential"
    double: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", number("tau", self.tau, above=0, unit="ms"))

    def terms(self) -> tuple[list[Term], list[Term]]:
        return [], [(1.0, self.tau, 0)]


@dataclass(frozen=True)
class Alpha(Kinetics):
    """(s / tau) exp(1 - s / tau), Rall's alpha function (NEURON's ``AlphaSynapse``).

    Parameters
    ----------
    tau : float, default 2.0
        Time to the peak, ms.

    Raises
    ------
    ParameterError
        If it is not positive.
    """

    tau: float = 2.0
    name: ClassVar[str] = "alpha"

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", number("tau", self.tau, above=0, unit="ms"))

    def terms(self) -> tuple[list[Term], list[Term]]:
        return [(math.e, self.tau, 0)], [(math.e, self.tau, 1)]


@dataclass(frozen=True)
class DifferenceOfExponentials(Kinetics):
    """Difference of two exponentials, its peak 1 (NEURON's ``Exp2Syn``).

    Parameters
    ----------
    rise, decay_time : float, default 0.5 and 5.0
        Time constants, ms; ``rise < decay_time``.

    Raises
    ------
    ParameterError
        If they are not positive, or the rise is not faster than the decay.
    """

    rise: float = 0.5
    decay_time: float = 5.0
    name: ClassVar[str] = "difference"

    def __post_init__(self) -> None:
        object.__setattr__(self, "rise", number("rise", self.rise, above=0, unit="ms"))
        object.__setattr__(self, "decay_time", number("decay_time", self.decay_time, above=0, unit="ms"))
        if self.rise > 0.9999 * self.decay_time:
            raise ParameterError(
                f"rise={self.rise:g} ms must be below 0.9999 of decay_time={self.decay_time:g} ms; for equal time "
                "constants use ds.Alpha(tau)"
            )

    def terms(self) -> tuple[list[Term], list[Term]]:
        peak = self.rise * self.decay_time / (self.decay_time - self.rise) * math.log(self.decay_time / self.rise)
        factor = 1.0 / (math.exp(-peak / self.decay_time) - math.exp(-peak / self.rise))
        return [(factor, self.rise, 0)], [(factor, self.decay_time, 0), (-factor, self.rise, 0)]


@dataclass(frozen=True)
class NMDA(DifferenceOfExponentials):
    """A difference of exponentials behind the block by magnesium of Jahr & Stevens (J Neurosci 10:3178, 1990).

    The conductance is multiplied by ``1 / (1 + [Mg] / 3.57 mM exp(-0.062 V / mV))``; a step takes the current as linear
    around the voltage before it.

    Parameters
    ----------
    rise, decay_time : float, default 2.0 and 65.0
        Time constants, ms.
    magnesium : float, default 1.0
        Concentration outside, mM.

    Raises
    ------
    ParameterError
        If a number is impossible.
    """

    rise: float = 2.0
    decay_time: float = 65.0
    magnesium: float = 1.0
    name: ClassVar[str] = "nmda"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "magnesium", number("magnesium", self.magnesium, least=0, unit="mM"))

    @property
    def blocked(self) -> tuple[float, float]:
        """Scale and steepness (1/mV) of the block ``1 / (1 + scale exp(-steepness V))``."""
        return self.magnesium / 3.57, 0.062


@dataclass(frozen=True)
class Instantaneous(Kinetics):
    """Open as much as the activity says at every moment; for continuous activity only, events would have no area."""

    name: ClassVar[str] = "instantaneous"
    double: ClassVar[bool] = False

    def terms(self) -> tuple[list[Term], list[Term]]:
        raise ParameterError(
            "instantaneous synapses have no time course that spikes could have; give another kinetics="
        )

    def decay(self, dt: float) -> tuple[float, float, float]:
        return 0.0, 0.0, 0.0

    @property
    def area(self) -> float:
        raise ParameterError(
            "instantaneous synapses know activity, not rates in Hz; give unit='activity' or another kinetics="
        )

    def equilibrium(self) -> tuple[float, float]:
        return 0.0, 1.0

    def continuous(self, dt: float) -> tuple[tuple[float, float], tuple[float, float]]:
        return (0.0, 1.0), (0.0, 1.0)


KINETICS: dict[str, type[Kinetics]] = {
    kind.name: kind for kind in (Exponential, Alpha, DifferenceOfExponentials, NMDA, Instantaneous)
}
DEFAULT = (Exponential(2.0), Exponential(5.0))
"""Of excitation and inhibition unless told otherwise: round numbers of the order of AMPA and GABA_A receptors."""


def kinetics(name: str, value: object) -> Kinetics:
    """A time course, by name or as it is.

    Raises
    ------
    ParameterError
        If it is neither.
    """
    if isinstance(value, Kinetics):
        return value
    if isinstance(value, str):
        return KINETICS[choose(name, value, KINETICS)]()
    raise ParameterError(
        f"{name}={short(value)} must be a time course such as ds.Exponential(2.0), or one of the names "
        f"{', '.join(map(repr, KINETICS))}"
    )


def per_synapse(value: Any, sign: NDArray[np.int64]) -> tuple[list[Kinetics], NDArray[np.int64]]:
    """Time courses, and which of them each synapse has.

    Parameters
    ----------
    value : None, a time course or name, a tuple for excitation and inhibition, or a list with one for each synapse
    sign : int array of shape (n_synapses,)

    Raises
    ------
    ParameterError
        If it is none of these.
    """
    if value is None:
        value = DEFAULT
    if isinstance(value, str | Kinetics):
        return [kinetics("kinetics", value)], np.zeros(sign.size, np.int64)
    if not isinstance(value, list | tuple):
        kinetics("kinetics", value)  # says what would do
    if isinstance(value, tuple):
        if len(value) != 2:
            raise ParameterError(
                f"kinetics={short(value)} must be a pair (excitation, inhibition); a list has one for each synapse"
            )
        return [kinetics(f"kinetics[{i}]", v) for i, v in enumerate(value)], np.where(sign > 0, 0, 1)
    if len(value) != sign.size:
        raise ParameterError(
            f"kinetics is a list of {len(value)}; give one for each of {sign.size} synapses, or a pair (excitation, "
            "inhibition) as a tuple"
        )
    each = [kinetics(f"kinetics[{i}]", v) for i, v in enumerate(value)]
    distinct = list(dict.fromkeys(each))
    return distinct, np.array([distinct.index(v) for v in each], np.int64)
