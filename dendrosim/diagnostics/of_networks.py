"""What the branches of a network know of the class, and how its weights are distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance
from .credit import checked_classes
from .information import branch_information
from .lognormal import LogNormalFit, fit_lognormal
from .parts import layer_name, synapse_compartment

if TYPE_CHECKING:
    from ..networks.network import Network

Floats = NDArray[np.float64]

_INFORMATION = np.dtype([("layer", "U64"), ("n", "i8"), ("mean", "f8"), ("sd", "f8")])


class BranchInformation:
    """I(E, I; class) of the branches of a network; made by `network_information`.

    Attributes
    ----------
    bits : float array of shape (N,)
        Of every compartment; nan where it has no synapses.
    mean : float
        Mean over the branches.
    table : structured array
        Rows of ``layer``, ``n`` branches, ``mean`` and ``sd`` over them; the last is ``all``.
    """

    def __init__(self, network: Network, bits: Floats) -> None:
        self.bits = bits
        layout = network.layout
        layers = [(layer_name(layout, i), layout.layer == i) for i in range(len(layout.layers))]
        rows = []
        for name, here in [*layers, ("all", np.ones(bits.size, dtype=bool))]:
            found = bits[here & np.isfinite(bits)]
            if found.size:
                rows.append((name, found.size, found.mean(), found.std()))
        self.table = np.array(rows, dtype=_INFORMATION)
        self.mean = float(self.table["mean"][-1])

    def __str__(self) -> str:
        width = max(len(str(name)) for name in self.table["layer"])
        lines = ["I(E, I; class) per branch, bits", "", f"{'layer':<{width}}  {'n':>6}  {'mean':>6}  {'sd':>6}"]
        for row in self.table:
            lines.append(f"{row['layer']!s:<{width}}  {row['n']:6d}  {row['mean']:6.3f}  {row['sd']:6.3f}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<BranchInformation: mean {self.mean:.3f} bits over {self.table['n'][-1]} branches>"


def network_information(
    network: Network, x: ArrayLike, y: ArrayLike, *, k: int = 10, most: int = 1500, seed: int = 0
) -> BranchInformation:
    """Mutual information between the excitation and inhibition that a branch receives, together, and the class.

    The paper's I(E, I; C): per branch the total excitatory and total inhibitory conductance, jointly, and the class;
    k nearest neighbours; then the mean over branches.

    Parameters
    ----------
    network : Network
    x : float array of shape (B, n_inputs)
    y : int array of shape (B,)
        Classes.
    k : int, default 10
        Neighbours.
    most : int, default 1500
        Samples used at most, drawn without replacement.
    seed : int, default 0
        For that draw and for breaking ties.

    Returns
    -------
    BranchInformation
        Some milliseconds per branch.

    Raises
    ------
    ParameterError
        If the arrays do not fit the network, or as for :func:`class_information`.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> y = np.arange(400) % 2
    >>> x = 0.5 * np.random.default_rng(0).random((400, 20)) + 0.5 * y[:, None]
    >>> ds.diagnostics.network_information(ds.Network.dendritic(20, 2, [2], [2], 5, 5), x, y).mean > 0.9
    True
    """
    _network(network)
    excitation = network.synaptic_conductance(x, 1)
    inhibition = network.synaptic_conductance(x, -1)
    labels = checked_classes(y, len(excitation), network.n_outputs)
    layout = network.layout
    branches = np.flatnonzero(layout.last > layout.first)
    bits = np.full(layout.size, np.nan)
    bits[branches] = branch_information(
        excitation[:, branches], inhibition[:, branches], labels, k=k, most=most, seed=seed
    )
    return BranchInformation(network, bits)


def weight_distributions(network: Network) -> dict[str, LogNormalFit]:
    """Log-normal fits of the conductances of active synapses, by sign and layer.

    Parameters
    ----------
    network : Network

    Returns
    -------
    dict of LogNormalFit
        ``excitatory`` and ``inhibitory`` over the whole network, then ``population/stage k/excitatory`` and so on. Sets
        of fewer than two synapses are left out.

    Raises
    ------
    ParameterError
        If it is no dendritic network.

    Examples
    --------
    >>> import dendrosim as ds
    >>> list(ds.diagnostics.weight_distributions(ds.Network.dendritic(20, 3, [4], [2], 5, 5)))
    ['excitatory', 'inhibitory', 'layer1/stage 1/excitatory', 'layer1/stage 1/inhibitory']
    """
    _network(network)
    layout = network.layout
    layer = layout.layer[synapse_compartment(layout)]
    signs = {"excitatory": network.sign > 0, "inhibitory": network.sign < 0}
    chosen = dict(signs)
    for i in range(len(layout.layers)):
        chosen |= {f"{layer_name(layout, i)}/{name}": here & (layer == i) for name, here in signs.items()}
    return {name: fit_lognormal(network.conductance[here]) for name, here in chosen.items() if here.sum() > 1}


def _network(network: object) -> None:
    from ..networks.network import Network

    instance("network", network, Network, "such as ds.Network.dendritic(...)")
