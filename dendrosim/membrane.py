"""Passive membrane parameters and the units they are in; plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .arguments import number, short
from .errors import ParameterError


@dataclass(frozen=True)
class Passive:
    """Passive parameters of a cell, uniform but for spines.

    Parameters
    ----------
    R_m : float, default 20000
        Specific membrane resistance, ohm cm2.
    R_a : float, default 150
        Axial resistivity, ohm cm.
    C_m : float, default 1
        Specific membrane capacitance, uF/cm2.
    E_leak : float, default -70
        Reversal potential of the leak, mV.
    spine_factor : mapping of region name to float, optional
        Membrane area with spines over membrane area without, per region (the F-factor of Stratford et al. 1989 [1]_ and
        Holmes & Rall 1992); multiplies leak and capacitance, leaves the axial resistance alone. Regions not named have
        1.

    Raises
    ------
    ParameterError
        If a parameter is not finite and positive, or a spine factor is below 1.

    References
    ----------
    .. [1] K. Stratford, A. Mason, A. Larkman, G. Major, J. Jack. The modelling of pyramidal neurones in the visual
       cortex. In: The Computing Neuron, Addison-Wesley, 1989.
    """

    R_m: float = 20_000.0
    R_a: float = 150.0
    C_m: float = 1.0
    E_leak: float = -70.0
    spine_factor: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, unit in (("R_m", "ohm cm2"), ("R_a", "ohm cm"), ("C_m", "uF/cm2")):
            object.__setattr__(self, name, number(name, getattr(self, name), above=0, unit=unit))
        object.__setattr__(self, "E_leak", number("E_leak", self.E_leak, unit="mV"))
        if not isinstance(self.spine_factor, Mapping):
            raise ParameterError(
                f"spine_factor={short(self.spine_factor)} must map regions to factors, such as {{'apical': 1.9}}"
            )
        for region, factor in self.spine_factor.items():
            number(f"spine_factor[{region!r}]", factor, least=1)  # 1: no spines
        object.__setattr__(self, "spine_factor", MappingProxyType(dict(self.spine_factor)))

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "spine_factor": dict(self.spine_factor)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @property
    def leak_density(self) -> float:
        """Leak conductance per area, nS/um2 (1 / ohm cm2 = 10 nS/um2)."""
        return 10.0 / self.R_m

    @property
    def capacitance_density(self) -> float:
        """Capacitance per area, pF/um2 (1 uF/cm2 = 0.01 pF/um2)."""
        return 0.01 * self.C_m

    @property
    def axial_factor(self) -> float:
        """Axial resistance in MOhm of a cylinder is this times length / (pi radius^2) in um; 0.01 MOhm um / ohm cm."""
        return 0.01 * self.R_a
