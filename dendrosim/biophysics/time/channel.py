"""Channels of one's own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import number
from ...errors import ParameterError
from .mechanisms import Mechanism, Sites

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Channel(Mechanism):
    """A voltage-dependent conductance, to subclass: ``conductance opening(gates, V) (reversal - V)`` flows inwards.

    A subclass is a frozen dataclass with a `name` and the two functions below, in plain Python: numbers, `math`, and
    what numba compiles besides. Fields that it adds, all numbers, are handed to both functions after their own
    arguments, in the order of the class.

    Parameters
    ----------
    conductance : float
        Density, S/cm2.
    reversal : float
        mV.
    at : {"soma", "all"} or sequence of int, default "soma"

    Raises
    ------
    ParameterError
        If a number is impossible, or the functions do not return what they should.

    Notes
    -----
    Gates begin at their steady states and advance exactly for the voltage after a step; a step takes the current as
    linear around the voltage before it, as NEURON does.

    Examples
    --------
    A slow potassium current without inactivation:

    >>> import math
    >>> from dataclasses import dataclass
    >>> import dendrosim as ds
    >>> @dataclass(frozen=True)
    ... class Slow(ds.Channel):
    ...     conductance: float = 0.001
    ...     reversal: float = -90.0
    ...     half: float = -35.0  # of ours: mV
    ...     name = "slow"
    ...
    ...     @staticmethod
    ...     def kinetics(v, half):  # steady state and time constant (ms) of each gate
    ...         return ((1.0 / (1.0 + math.exp((half - v) / 10.0)), 100.0),)
    ...
    ...     @staticmethod
    ...     def opening(gates, v, half):
    ...         return gates[0]
    >>> Slow().n_states
    1
    """

    conductance: float
    reversal: float
    at: str | Sequence[int] = "soma"
    name: ClassVar[str] = "channel"

    @staticmethod
    @abstractmethod
    def kinetics(v: float, *parameters: float) -> tuple[tuple[float, float], ...]:
        """Steady state and time constant (ms) of every gate at a voltage (mV).

        Parameters
        ----------
        v : float
            Voltage, mV.
        *parameters : float
            Values of the fields of the class, in order.
        """

    @staticmethod
    @abstractmethod
    def opening(gates: Any, v: float, *parameters: float) -> float:
        """How much of the conductance is open; `gates` is indexed as `kinetics` returns them.

        Parameters
        ----------
        gates : sequence of float
            Gates, in the order of `kinetics`.
        v : float
            Voltage, mV.
        *parameters : float
            Values of the fields of the class, in order.
        """

    def __post_init__(self) -> None:
        number("conductance", self.conductance, least=0, unit="S/cm2")
        number("reversal", self.reversal, unit="mV")
        for name, value in self._own().items():
            number(name, value)
        gates = self._gates(-65.0)
        if not all(len(pair) == 2 and pair[1] > 0 for pair in gates):
            raise ParameterError(
                f"{type(self).__name__}.kinetics(-65.0) returned {gates}; expected a pair (steady state, time constant "
                "> 0) for each gate, as in ((0.1, 5.0),) for one"
            )
        number(f"{type(self).__name__}.opening", self.opening([p[0] for p in gates], -65.0, *self._own().values()))

    def _own(self) -> dict[str, float]:
        """Fields that the subclass added."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("conductance", "reversal", "at")}

    def _gates(self, v: float) -> tuple[tuple[float, float], ...]:
        return tuple(self.kinetics(v, *self._own().values()))

    @property
    def n_states(self) -> int:  # type: ignore[override]
        """Number of gates."""
        return len(self._gates(-65.0))

    def initial(self, voltage: Floats) -> Floats:
        """Gates at their steady states, shape (n_gates, ...)."""
        flat = np.array([[pair[0] for pair in self._gates(float(v))] for v in voltage.reshape(-1)])
        return flat.T.reshape(self.n_states, *voltage.shape)

    def arrays(self, sites: Sites) -> Any:
        from numba.core.errors import NumbaError

        from ...kernels.gated import GatedArrays, mark_of

        try:
            mark = mark_of(self.kinetics, self.opening, len(self._own()))
        except NumbaError as error:
            why = [line for line in str(error).splitlines() if line.strip()]
            raise ParameterError(
                f"{type(self).__name__}: numba cannot compile kinetics and opening; keep to numbers and math, and put "
                f"@numba.njit on functions of your own that they call. It says: {' '.join(why[1:3])}"
            ) from error
        return GatedArrays(
            sites.slot,
            self.n_states,
            sites.site,
            10.0 * self.conductance * sites.area,  # 1 S/cm2 is 10 nS/um2
            float(self.reversal),
            float(sites.dt),
            tuple(float(value) for value in self._own().values()),
            mark,
        )
