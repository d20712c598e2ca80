"""What a mechanism is, and channels: one small class each. Somas that fire and are reset are in `firing`.

A mechanism says which arrays its kernel takes and where its states begin; the kernel itself is in
`dendrosim.kernels.channels`. A channel of one's own is a subclass of `Channel` (see `channel`). What is no gated
conductance is such a class as here, a NamedTuple of arrays, and two compiled functions that
`dendrosim.kernels.mechanisms.register` is told of.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arguments import number, numbers, short
from ...errors import ParameterError, choose

if TYPE_CHECKING:
    from ...morphology.compartments import Compartments

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Sites(NamedTuple):
    """Where a mechanism is, and what it is computed with.

    Attributes
    ----------
    compartment, slot : int arrays of shape (n_sites,)
    site : int
        Number of the first among the sites of all mechanisms.
    area, capacitance, inertia : float arrays of shape (n_sites,)
        Membrane area, um2; capacitance, pF, and over the step of the solver, nS.
    offset : float
        Reversal potential of the leak, mV: voltages of kernels are relative to it.
    dt : float
        ms.
    dtype : numpy.dtype
    """

    compartment: Ints
    slot: Ints
    site: int
    area: Floats
    capacitance: Floats
    inertia: Floats
    offset: float
    dt: float
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class Mechanism(ABC):
    """Something active in the membrane of some compartments; by default in every soma."""

    name: ClassVar[str]
    n_states: ClassVar[int]
    fires: ClassVar[bool] = False
    """Whether it reports spikes."""

    @abstractmethod
    def arrays(self, sites: Sites) -> Any:
        """What the kernel takes, see `dendrosim.kernels.channels`."""

    def initial(self, voltage: Floats) -> Floats:
        """States at the beginning, shape (n_states, ...), for voltages (mV) of any shape."""
        return np.zeros((self.n_states, *voltage.shape))

    def initial_slope(self, voltage: Floats) -> Floats:
        """Derivative of `initial` by the voltage, of the same shape."""
        return np.zeros((self.n_states, *voltage.shape))

    def steady(self, voltage: Floats, leak_reversal: float) -> Floats:
        """States that stay as they are at these voltages (mV); where `initial` gives others."""
        return self.initial(voltage)

    def silent(self, voltage: Floats) -> NDArray[np.bool_]:
        """Whether it can rest at these voltages (mV), rather than fire and be reset."""
        return np.ones(voltage.shape, bool)

    def places(self, compartments: Compartments) -> Ints:
        """Compartments that have it.

        Raises
        ------
        ParameterError
            If one does not exist.
        """
        at = getattr(self, "at", "soma")
        if isinstance(at, str):
            choose("at", at, ("soma", "all"))
            return np.array(compartments.roots if at == "soma" else np.flatnonzero(compartments.area > 0))
        given = numbers("at", at)
        if given.ndim != 1 or given.dtype.kind not in "iu" or not given.size:
            raise ParameterError(f"at={short(at)} must be 'soma', 'all' or a list of compartments")
        if ((given < 0) | (given >= compartments.size)).any() or np.unique(given).size < given.size:
            raise ParameterError(f"at={short(at)}: compartments must differ and lie in 0 to {compartments.size - 1}")
        return given.astype(np.int64)


@dataclass(frozen=True)
class LeakConductance(Mechanism):
    """A constant conductance besides the leak of the membrane.

    Parameters
    ----------
    conductance : float
        Per compartment, nS.
    reversal : float
        mV.
    at : {"soma", "all"} or sequence of int, default "soma"

    Raises
    ------
    ParameterError
        If a number is impossible.
    """

    conductance: float
    reversal: float
    at: str | Sequence[int] = "soma"
    name: ClassVar[str] = "leak"
    n_states: ClassVar[int] = 0

    def __post_init__(self) -> None:
        number("conductance", self.conductance, least=0, unit="nS")
        number("reversal", self.reversal, unit="mV")

    def arrays(self, sites: Sites) -> Any:
        from ...kernels.channels import LeakArrays

        conductance = np.full(sites.slot.size, self.conductance, sites.dtype)
        current = conductance * sites.dtype.type(self.reversal - sites.offset)
        return LeakArrays(sites.slot, self.n_states, sites.site, conductance, current)


@dataclass(frozen=True)
class HodgkinHuxley(Mechanism):
    """Sodium, potassium and leak of the squid axon (Hodgkin & Huxley, J Physiol 117:500, 1952), as NEURON's ``hh``.

    The leak comes on top of that of the membrane (`Passive`); 0 leaves the membrane's alone. A spike is reported where
    the voltage rises through `threshold`, at the end of the step.

    Parameters
    ----------
    sodium, potassium, leak : float, default 0.12, 0.036 and 0.0003
        Conductance densities, S/cm2.
    E_sodium, E_potassium, E_leak : float, default 50, -77 and -54.3
        mV.
    temperature : float, default 6.3
        Celsius; rates grow threefold every ten degrees.
    threshold : float, default 0.0
        mV.
    at : {"soma", "all"} or sequence of int, default "soma"

    Raises
    ------
    ParameterError
        If a number is impossible.
    """

    sodium: float = 0.12
    potassium: float = 0.036
    leak: float = 0.0003
    E_sodium: float = 50.0
    E_potassium: float = -77.0
    E_leak: float = -54.3
    temperature: float = 6.3
    threshold: float = 0.0
    at: str | Sequence[int] = "soma"
    name: ClassVar[str] = "hodgkin_huxley"
    n_states: ClassVar[int] = 4
    fires: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("sodium", "potassium", "leak"):
            number(name, getattr(self, name), least=0, unit="S/cm2")
        for name in ("E_sodium", "E_potassium", "E_leak", "threshold"):
            number(name, getattr(self, name), unit="mV")
        number("temperature", self.temperature, least=-20, most=100, unit="C")

    def arrays(self, sites: Sites) -> Any:
        from ...kernels.channels import HodgkinHuxleyArrays

        densities = (self.sodium, self.potassium, self.leak)
        reversals = (self.E_sodium, self.E_potassium, self.E_leak)
        values = [
            sites.slot,
            self.n_states,
            sites.site,
            *((10.0 * density * sites.area).astype(sites.dtype) for density in densities),  # 1 S/cm2 is 10 nS/um2
            *(sites.dtype.type(reversal - sites.offset) for reversal in reversals),
            sites.dtype.type(-sites.dt * 3.0 ** ((self.temperature - 6.3) / 10.0)),
            sites.dtype.type(self.threshold - sites.offset),
        ]
        return HodgkinHuxleyArrays._make(values)

    def initial(self, voltage: Floats) -> Floats:
        alpha, beta, _, _ = _huxley_rates(voltage)
        return np.concatenate([alpha / (alpha + beta), (voltage >= self.threshold).astype(np.float64)[None]])

    def initial_slope(self, voltage: Floats) -> Floats:
        alpha, beta, d_alpha, d_beta = _huxley_rates(voltage)
        return np.concatenate([(d_alpha * beta - alpha * d_beta) / (alpha + beta) ** 2, np.zeros((1, *voltage.shape))])


def _huxley_rates(v: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """alpha, beta of m, h and n, 1/ms, each (3, ...), and their derivatives by the voltage."""

    def trap(z: Floats) -> tuple[Floats, Floats]:
        small = np.abs(z) < 1e-4
        safe = np.where(small, 1.0, z)
        less = np.expm1(safe)
        slope = (less - safe * (less + 1.0)) / less**2
        return np.where(small, 1.0 - z / 2 + z * z / 12, safe / less), np.where(small, z / 6 - 0.5, slope)

    (m, d_m), (n, d_n) = trap(-(v + 40) / 10), trap(-(v + 55) / 10)
    h, of_h = 0.07 * np.exp(-(v + 65) / 20), 1 / (np.exp(-(v + 35) / 10) + 1)
    of_m, of_n = 4 * np.exp(-(v + 65) / 18), 0.125 * np.exp(-(v + 65) / 80)
    return (
        np.stack([m, h, 0.1 * n]),
        np.stack([of_m, of_h, of_n]),
        np.stack([d_m / -10, h / -20, d_n / -100]),
        np.stack([of_m / -18, of_h * (1 - of_h) / 10, of_n / -80]),
    )
