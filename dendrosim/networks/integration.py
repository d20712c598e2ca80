"""How the cells of a network integrate: one small class per kind, registered under its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import choose
from .layout import Layout

Floats = NDArray[Any]


class NetworkIntegration(ABC):
    """Constants of the voltage equation (see `kernels.layers`).

    Attributes
    ----------
    force : (float, float)
        Drive of a unit of excitatory and of inhibitory conductance.
    shunt : float
        1 if active synapses add to the total conductance.
    pull : float
        1 if a synapse's eligibility has the driving force E - V.
    normal : float
        1 if the total conductance counts synapses whether active or not.
    """

    name: ClassVar[str]
    force: ClassVar[tuple[float, float]] = (1.0, -1.0)
    shunt: ClassVar[float] = 0.0
    pull: ClassVar[float] = 0.0
    normal: ClassVar[float] = 0.0

    @abstractmethod
    def base(self, layout: Layout, conductance: Floats, coupling: Floats) -> Floats:
        """Total conductance of each compartment while no synapse is active, shape (N,)."""


def _of_children(layout: Layout, coupling: Floats) -> Floats:
    child = layout.child
    return np.bincount(layout.parent[child], weights=coupling[child], minlength=layout.size)


class Shunting(NetworkIntegration):
    """Synapses are conductances, E_exc = 1, E_inh = E_leak = 0 (paper eq. 3)."""

    name = "shunting"
    force = (1.0, 0.0)
    shunt = 1.0
    pull = 1.0

    def base(self, layout: Layout, conductance: Floats, coupling: Floats) -> Floats:
        return layout.leak + _of_children(layout, coupling)


class Additive(NetworkIntegration):
    """Everything only sums: V = E - I + sum g a."""

    name = "additive"

    def base(self, layout: Layout, conductance: Floats, coupling: Floats) -> Floats:
        return np.ones(layout.size)


class NormalisedAdditive(NetworkIntegration):
    """Additive, divided by all conductance there is: V = (E - I + sum_c g_c a_c) / (leak + sum_j g_j + sum_c g_c).

    Weights are normalised as in a shunting compartment with all inputs on, and inputs do not divide.
    """

    name = "normalised_additive"
    normal = 1.0

    def base(self, layout: Layout, conductance: Floats, coupling: Floats) -> Floats:
        total = np.concatenate([[0.0], np.cumsum(conductance, dtype=np.float64)])
        synaptic: Floats = total[layout.last] - total[layout.first]
        return layout.leak + synaptic + _of_children(layout, coupling)


INTEGRATIONS: dict[str, NetworkIntegration] = {kind.name: kind() for kind in (Shunting, Additive, NormalisedAdditive)}


def integration(name: str) -> NetworkIntegration:
    """The integration registered under `name`; an error lists the valid names."""
    return INTEGRATIONS[choose("integration", name, INTEGRATIONS)]
