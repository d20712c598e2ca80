"""The tensors that a network's gradient consists of: which entries, of which component group, in which layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

GROUPS = ("excitatory", "inhibitory", "couplings", "gates", "decoder")
"""Component groups in the order of tables. All but the decoder make up the dendritic core."""
CORE = GROUPS[:-1]


class LayoutLike(Protocol):
    """The fixed part of a network: its compartments and which synapses sit on which."""

    @property
    def parent(self) -> NDArray[Any]: ...
    @property
    def layer(self) -> NDArray[Any]: ...
    @property
    def layers(self) -> Sequence[tuple[str, int]]: ...
    @property
    def first(self) -> NDArray[Any]: ...
    @property
    def last(self) -> NDArray[Any]: ...
    @property
    def banks(self) -> Any: ...


class NetworkLike(Protocol):
    """What the diagnostics need of a network to sort its gradient."""

    @property
    def layout(self) -> Any: ...
    @property
    def parameters(self) -> dict[str, NDArray[Any]]: ...
    @property
    def sign(self) -> NDArray[Any]: ...
    @property
    def slope(self) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class Part:
    """Entries of one parameter array that form one tensor, as a framework with dense layers would hold it.

    Attributes
    ----------
    group : str
        Component group, one of `GROUPS`.
    layer : str
        ``"population/stage k"``; ``"decoder"`` for the decoder.
    key : str
        Name of the parameter array.
    entries : int array of shape (n,)
        Positions in that array, flattened: the active parameters.
    dense : int
        Entries of the dense tensor: for synapses, all candidates of all branches, chosen or not.
    """

    group: str
    layer: str
    key: str
    entries: Ints
    dense: int

    def of(self, gradient: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        """The entries of this part in a gradient, in float64, shape (n,)."""
        return np.asarray(gradient[self.key]).reshape(-1)[self.entries].astype(np.float64)


def synapse_compartment(layout: LayoutLike) -> Ints:
    """Compartment of every synapse, shape (S,)."""
    per_compartment = np.asarray(layout.last, dtype=np.int64) - np.asarray(layout.first, dtype=np.int64)
    return np.repeat(np.arange(per_compartment.size), per_compartment)


def layer_name(layout: LayoutLike, layer: int) -> str:
    """``"population/stage k"`` of a layer."""
    population, stage = layout.layers[layer]
    return f"{population}/stage {stage}"


def parts_of(network: NetworkLike) -> list[Part]:
    """All parts of the gradient of a network, group by group, from the soma outwards.

    A coupling belongs to the layer of the compartment that it drives, as its gradient uses that compartment's
    resistance and credit; the couplings of the somas are those from the first branches. Gates are two parts each, slope
    and midpoint, of the compartments that have one. Parts without entries are left out.
    """
    layout = network.layout
    parent = np.asarray(layout.parent, dtype=np.int64)
    layer = np.asarray(layout.layer, dtype=np.int64)
    n_layers = len(layout.layers)
    where = synapse_compartment(layout)
    sign = np.asarray(network.sign)
    children = np.flatnonzero(parent >= 0)
    gated = np.flatnonzero(np.asarray(network.slope) > 0)
    found: list[Part] = []
    banks = layout.banks
    for group, side in (("excitatory", 1), ("inhibitory", -1)):
        for index in range(n_layers):
            entries = np.flatnonzero((sign == side) & (layer[where] == index))
            chosen = (banks.sign == side) & (layer[banks.compartment] == index)
            found.append(Part(group, layer_name(layout, index), "synapses", entries, int(banks.width[chosen].sum())))
    for index in range(n_layers):
        entries = children[layer[parent[children]] == index]
        found.append(Part("couplings", layer_name(layout, index), "couplings", entries, entries.size))
    for index in range(n_layers):
        entries = gated[layer[gated] == index]
        for key in ("log_slope", "midpoint"):
            found.append(Part("gates", layer_name(layout, index), key, entries, entries.size))
    for key, array in network.parameters.items():
        if key.startswith("decoder"):
            found.append(Part("decoder", "decoder", key, np.arange(array.size), array.size))
    return [part for part in found if part.entries.size]
