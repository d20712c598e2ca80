"""Which way signals travel along the tree: one small class per direction, registered under its name.

A direction knows which kernels to call and what conductance a compartment has before any synapse is active.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, choose
from .integration import Integration

if TYPE_CHECKING:
    from types import ModuleType

    from ..morphology.compartments import Compartments

Floats = NDArray[np.float64]


class Direction(ABC):
    """Kernels of one direction, and the arrays that they need besides those of the synapses."""

    name: ClassVar[str]
    gated: ClassVar[bool]

    @abstractmethod
    def kernels(self) -> ModuleType:
        """Module with `solve`, `adjoint` and `resistances`; imported when first used, since numba is slow to import."""

    @abstractmethod
    def base(self, compartments: Compartments, integration: Integration) -> tuple[Floats, float]:
        """Conductance of each compartment without synapses, shape (N,), and the potential voltages are relative to."""


class Reciprocal(Direction):
    """The real cable: current flows both ways along every coupling."""

    name = "reciprocal"
    gated = False

    def kernels(self) -> ModuleType:
        from ..kernels import cable

        return cable

    def base(self, compartments: Compartments, integration: Integration) -> tuple[Floats, float]:
        return compartments.leak, compartments.leak_reversal


class Directed(Direction):
    """Children drive parents, never the reverse (paper eq. 3)."""

    name = "directed"
    gated = True

    def kernels(self) -> ModuleType:
        from ..kernels import directed

        return directed

    def base(self, compartments: Compartments, integration: Integration) -> tuple[Floats, float]:
        if integration.shunt == 0.0:
            if compartments.physical:
                raise ParameterError(
                    "directed additive trees sum conductances as they are, which has no meaning in physical units (nS "
                    "into mV); use direction='reciprocal' with integration='additive', or integration='shunting', or "
                    "normalised compartments (ds.Compartments.branching)"
                )
            return np.ones(compartments.size), 0.0
        child = compartments.parent >= 0
        from_children = np.bincount(
            compartments.parent[child], weights=compartments.coupling[child], minlength=compartments.size
        )
        return compartments.leak + from_children, compartments.leak_reversal


DIRECTIONS: dict[str, Direction] = {kind.name: kind() for kind in (Reciprocal, Directed)}


def direction(name: str) -> Direction:
    """The direction registered under `name`; an error lists the valid names."""
    return DIRECTIONS[choose("direction", name, DIRECTIONS)]
