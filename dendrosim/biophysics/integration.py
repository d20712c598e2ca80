"""How inputs combine: one small class per integration, registered under its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import choose

if TYPE_CHECKING:
    from ..morphology.compartments import Compartments
    from .synapses import Synapses

Floats = NDArray[np.float64]


class Integration(ABC):
    """What one unit of synaptic activity times conductance does to a compartment."""

    name: ClassVar[str]
    shunt: ClassVar[float]
    """1 if synapses add their conductance to the compartment, 0 if not."""

    @abstractmethod
    def force(self, synapses: Synapses, compartments: Compartments, *, directed: bool) -> Floats:
        """Drive per conductance of each synapse relative to the leak's reversal potential, shape (n_synapses,), mV."""


class Shunting(Integration):
    """Synapses are conductances: they pull towards their reversal potential and divide (paper eq. 3)."""

    name = "shunting"
    shunt = 1.0

    def force(self, synapses: Synapses, compartments: Compartments, *, directed: bool) -> Floats:
        return synapses.reversal - compartments.leak_reversal


class Additive(Integration):
    """Synapses are current sources: they only sum, and no conductance is added."""

    name = "additive"
    shunt = 0.0

    def force(self, synapses: Synapses, compartments: Compartments, *, directed: bool) -> Floats:
        return synapses.sign.astype(np.float64) if directed else synapses.driving_force


INTEGRATIONS: dict[str, Integration] = {kind.name: kind() for kind in (Shunting, Additive)}


def integration(name: str) -> Integration:
    """The integration registered under `name`; an error lists the valid names."""
    return INTEGRATIONS[choose("integration", name, INTEGRATIONS)]
