"""Somas that integrate, fire and are reset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import number
from ...errors import ParameterError
from .mechanisms import Mechanism, Sites

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class IntegrateAndFire(Mechanism):
    """A soma that fires at a threshold, is reset, and is held there for the refractory time.

    Only the compartment itself is reset; dendrites keep their voltages, and charge the soma anew. The spike is reported
    at the end of the step in which the threshold was reached.

    Parameters
    ----------
    threshold, reset : float, default -50 and -65
        mV; ``reset < threshold``.
    refractory : float, default 2.0
        ms, rounded to steps.
    at : {"soma", "all"} or sequence of int, default "soma"

    Raises
    ------
    ParameterError
        If a number is impossible.
    """

    threshold: float = -50.0
    reset: float = -65.0
    refractory: float = 2.0
    at: str | Sequence[int] = "soma"
    name: ClassVar[str] = "integrate_and_fire"
    n_states: ClassVar[int] = 2
    fires: ClassVar[bool] = True

    def __post_init__(self) -> None:
        number("threshold", self.threshold, unit="mV")
        number("reset", self.reset, unit="mV")
        number("refractory", self.refractory, least=0, unit="ms")
        if self.reset >= self.threshold:
            raise ParameterError(f"reset={self.reset:g} mV must be below threshold={self.threshold:g} mV")

    def silent(self, voltage: Floats) -> NDArray[np.bool_]:
        below: NDArray[np.bool_] = voltage < self.threshold
        return below

    def arrays(self, sites: Sites) -> Any:
        return self._arrays(sites, 0.0, 0.0, 0.0)

    def _arrays(self, sites: Sites, decay: float, gain: float, jump: float) -> Any:
        from ...kernels.channels import FireArrays

        kind = sites.dtype.type
        return FireArrays(
            sites.slot,
            self.n_states,
            sites.site,
            _hold(sites),
            kind(self.threshold - sites.offset),
            kind(self.reset - sites.offset),
            kind(round(self.refractory / sites.dt)),
            kind(decay),
            kind(gain),
            kind(jump),
        )


@dataclass(frozen=True)
class AdaptiveIntegrateAndFire(IntegrateAndFire):
    """Integrate and fire with an adaptation current w (linear; Brette & Gerstner, J Neurophysiol 94:3637, 2005).

    ``tau_w dw/dt = coupling (V - E_leak) - w``, and w jumps at every spike; it flows outwards. The threshold is sharp;
    with their exponential onset of spikes: `ExponentialIntegrateAndFire`.

    Parameters
    ----------
    threshold, reset, refractory, at
        As in `IntegrateAndFire`.
    coupling : float, default 0.0
        nS.
    jump : float, default 50.0
        pA.
    tau_w : float, default 100.0
        ms.

    Raises
    ------
    ParameterError
        If a number is impossible.
    """

    coupling: float = 0.0
    jump: float = 50.0
    tau_w: float = 100.0
    name: ClassVar[str] = "adaptive_integrate_and_fire"

    def __post_init__(self) -> None:
        super().__post_init__()
        number("coupling", self.coupling, unit="nS")
        number("jump", self.jump, unit="pA")
        number("tau_w", self.tau_w, above=0, unit="ms")

    def steady(self, voltage: Floats, leak_reversal: float) -> Floats:
        return np.stack([np.zeros_like(voltage), self.coupling * (voltage - leak_reversal)])

    def arrays(self, sites: Sites) -> Any:
        decay = float(np.exp(-sites.dt / self.tau_w))
        return self._arrays(sites, decay, self.coupling * (1.0 - decay), self.jump)


@dataclass(frozen=True)
class ExponentialIntegrateAndFire(Mechanism):
    """The adaptive exponential integrate-and-fire model (Brette & Gerstner, J Neurophysiol 94:3637, 2005).

    Besides the adaptation current w of `AdaptiveIntegrateAndFire`, ``leak width exp((V - threshold) / width)`` flows
    inwards; where it runs away, the spike is cut off at `peak`. Defaults are the authors'; they hold for 281 pF and 30
    nS of leak. A spike is reported at the end of the step that reached the peak.

    Parameters
    ----------
    threshold : float, default -50.4
        Where the exponential current begins to run away, V_T, mV.
    width : float, default 2.0
        Delta_T, mV.
    leak : float, default 30.0
        Slope of the exponential current at V_T, nS; in their model that of the leak, which is not changed by it.
    peak : float, default 20.0
        mV.
    reset : float, default -70.6
        mV, below the peak; above the threshold it makes bursts.
    refractory : float, default 0.0
        ms, rounded to steps.
    coupling : float, default 4.0
        a, nS.
    jump : float, default 80.5
        b, pA.
    tau_w : float, default 144.0
        ms.
    at : {"soma", "all"} or sequence of int, default "soma"

    Raises
    ------
    ParameterError
        If a number is impossible.
    """

    threshold: float = -50.4
    width: float = 2.0
    leak: float = 30.0
    peak: float = 20.0
    reset: float = -70.6
    refractory: float = 0.0
    coupling: float = 4.0
    jump: float = 80.5
    tau_w: float = 144.0
    at: str | Sequence[int] = "soma"
    name: ClassVar[str] = "exponential_integrate_and_fire"
    n_states: ClassVar[int] = 2
    fires: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("threshold", "reset", "peak"):
            number(name, getattr(self, name), unit="mV")
        number("width", self.width, above=0, unit="mV")
        number("leak", self.leak, least=0, unit="nS")
        number("refractory", self.refractory, least=0, unit="ms")
        number("coupling", self.coupling, unit="nS")
        number("jump", self.jump, unit="pA")
        number("tau_w", self.tau_w, above=0, unit="ms")
        if max(self.reset, self.threshold) >= self.peak:
            raise ParameterError(
                f"peak={self.peak:g} mV must be above reset={self.reset:g} and threshold={self.threshold:g} mV"
            )

    def steady(self, voltage: Floats, leak_reversal: float) -> Floats:
        return np.stack([np.zeros_like(voltage), self.coupling * (voltage - leak_reversal)])

    def silent(self, voltage: Floats) -> NDArray[np.bool_]:
        below: NDArray[np.bool_] = voltage < self.peak
        return below

    def arrays(self, sites: Sites) -> Any:
        from ...kernels.channels import OnsetArrays

        kind = sites.dtype.type
        decay = float(np.exp(-sites.dt / self.tau_w))
        return OnsetArrays(
            sites.slot,
            self.n_states,
            sites.site,
            _hold(sites),
            kind(self.peak - sites.offset),
            kind(self.reset - sites.offset),
            kind(round(self.refractory / sites.dt)),
            kind(decay),
            kind(self.coupling * (1.0 - decay)),
            kind(self.jump),
            kind(self.threshold - sites.offset),
            kind(self.width),
            kind(self.leak),
            kind(0.5 * np.rint(sites.inertia[0] * sites.dt / sites.capacitance[0])),
            (sites.capacitance / sites.dt).astype(sites.dtype),
        )


def _hold(sites: Sites) -> Any:
    """Conductances so great that the solution is the voltage that a held site is held at.

    Raises
    ------
    ParameterError
        If a site has no capacitance.
    """
    if (sites.inertia <= 0).any():
        raise ParameterError("a compartment that fires needs capacitance; choose others with at=")
    return (sites.inertia * (1e14 if sites.dtype.itemsize == 8 else 1e8)).astype(sites.dtype)
