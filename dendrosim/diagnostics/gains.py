"""Input resistances, path gains, and how much of the exact credit one number per neuron can carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance
from .credit import exact_credit
from .parts import layer_name

if TYPE_CHECKING:
    from ..networks.network import Network

Floats = NDArray[np.float64]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_STATISTICS = ("mean", "sd", "cv", *(f"q{round(100 * q):02d}" for q in QUANTILES))
_ROW = np.dtype(
    [("layer", "U64"), ("n", "i8")]
    + [(f"{what}_{name}", "f8") for what in ("resistance", "gain") for name in _STATISTICS]
    + [("transport_cv", "f8"), ("cosine", "f8")]
)


class PathGains:
    """Input resistances and path gains of a network on a batch; made by `path_gains`.

    Attributes
    ----------
    table : structured array
        One row per layer of compartments, ``population/stage k``, and ``all`` over everything:

        - ``n``: compartments;
        - ``resistance_mean``, ``_sd``, ``_cv``, ``_q05`` ... ``_q95``: input resistance R over compartments and samples
          (in units of 1 / leak; 1 in additive trees), ``cv`` = sd / mean;
        - ``gain_mean`` ...: the same of the path gain dV_soma/dV_n;
        - ``transport_cv``: coefficient of variation of what exact transport multiplies the broadcast by, the change
          da_soma/da_n of the soma's output, weighted by the energy of the broadcast credit;
        - ``cosine`` = 1 / sqrt(1 + transport_cv^2): the cosine between the credit that a broadcast of every soma's own
          error delivers and the exact one. It is an identity, as gains are not negative: if all compartments had the
          same gain, broadcasting would be exact in direction.
    resistance, gain : float arrays of shape (N,)
        Means over the batch.
    n_samples : int
        Size of the batch.
    """

    def __init__(self, network: Network, resistance: Floats, gain: Floats, transport: Floats, energy: Floats) -> None:
        layout = network.layout
        self.layout = layout
        self.n_samples = len(gain)
        self.resistance, self.gain = resistance.mean(axis=0), gain.mean(axis=0)
        layers = [(layer_name(layout, i), np.flatnonzero(layout.layer == i)) for i in range(len(layout.layers))]
        rows = []
        for name, here in [*layers, ("all", np.arange(layout.size))]:
            cv = _cv(transport[:, here], energy[:, here])
            rows.append(
                (
                    name,
                    here.size,
                    *_describe(resistance[:, here]),
                    *_describe(gain[:, here]),
                    cv,
                    1.0 / np.sqrt(1.0 + cv * cv),
                )
            )
        self.table = np.array(rows, dtype=_ROW)

    def plot(self, **options: Any) -> Any:
        """Draw the gains per stage; see `dendrosim.plotting.plot_path_gain`."""
        from ..plotting import plot_path_gain

        return plot_path_gain(self, **options)

    def __str__(self) -> str:
        width = max(len(str(name)) for name in self.table["layer"])
        lines = [
            f"Path gains, {self.n_samples} samples",
            "",
            f"{'layer':<{width}}  {'n':>6}  {'R':>7}  {'CV':>5}  {'dV0/dVn':>8}  {'CV':>5}  {'cosine':>6}",
        ]
        for row in self.table:
            r, g = ((row[f"{what}_mean"], row[f"{what}_cv"]) for what in ("resistance", "gain"))
            lines.append(
                f"{row['layer']!s:<{width}}  {row['n']:6d}  {r[0]:7.3g}  {r[1]:5.2f}  {g[0]:8.3g}  {g[1]:5.2f}  "
                f"{row['cosine']:6.3f}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<PathGains: {len(self.table) - 1} layers, {self.n_samples} samples>"


def path_gains(network: Network, x: ArrayLike, y: ArrayLike | None = None) -> PathGains:
    """Statistics of input resistance and path gain of every layer, over compartments and samples.

    The path gain of compartment n is dV_soma/dV_n, the product of ``f'(V_c) g_c R_p`` along the path (eq. 10).

    Parameters
    ----------
    network : Network
    x : float array of shape (B, n_inputs)
        Inputs.
    y : int array of shape (B,), optional
        Classes. With them the energy of the broadcast is that of the real errors; without, of an error of one at every
        soma.

    Returns
    -------
    PathGains

    Raises
    ------
    ParameterError
        If the shapes do not fit the network.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> network = ds.Network.dendritic(20, 3, [4], [2, 2], 5, 5)
    >>> gains = ds.diagnostics.path_gains(network, np.random.default_rng(0).random((50, 20)))
    >>> gains.table["layer"].tolist()
    ['layer1/stage 0', 'layer1/stage 1', 'layer1/stage 2', 'all']
    """
    from ..networks.network import Network

    instance("network", network, Network, "such as ds.Network.dendritic(...)")
    activity = network.forward(x)
    resistance, derivative = (
        activity.batch_first(a).astype(np.float64) for a in (activity.resistance, activity.derivative)
    )
    gain, transport = gains(network.layout.parent, network.coupling, resistance, derivative)
    errors = np.ones((len(gain), network.layout.n_cells)) if y is None else exact_credit(network, activity, y)[1]
    energy = (errors[:, network.layout.cell] * derivative) ** 2
    return PathGains(network, resistance, gain, transport, energy)


def gains(parent: ArrayLike, coupling: ArrayLike, resistance: Floats, derivative: Floats) -> tuple[Floats, Floats]:
    """Path gain dV_soma/dV_n and transport da_soma/da_n of every compartment.

    Parameters
    ----------
    parent : int array of shape (N,)
        -1 at roots; parents before children.
    coupling : float array of shape (N,)
        Conductance to the parent.
    resistance, derivative : float arrays of shape (B, N)
        R and f'(V); f' = 1 without gates.

    Returns
    -------
    gain, transport : float arrays of shape (B, N)
        1 at the somas. The first holds the gate derivatives from the compartment itself up to the soma's children, the
        second those from the parent up to the soma.
    """
    parent, coupling = np.asarray(parent, dtype=np.int64), np.asarray(coupling, dtype=np.float64)
    depth = np.zeros(parent.size, dtype=np.int64)
    for n in np.flatnonzero(parent >= 0):
        depth[n] = depth[parent[n]] + 1
    gain, transport = np.ones_like(resistance), np.ones_like(resistance)
    for level in range(1, int(depth.max(initial=0)) + 1):
        here = np.flatnonzero(depth == level)
        up = parent[here]
        edge = resistance[:, up] * coupling[here]
        gain[:, here] = gain[:, up] * edge * derivative[:, here]
        transport[:, here] = transport[:, up] * derivative[:, up] * edge
    return gain, transport


def _describe(values: Floats) -> tuple[float, ...]:
    mean, sd = float(values.mean()), float(values.std())
    quantiles = np.quantile(values, QUANTILES).tolist()
    return mean, sd, sd / mean if mean else float("nan"), *quantiles


def _cv(values: Floats, weights: Floats) -> float:
    """Weighted coefficient of variation; nan without weight."""
    total = float(weights.sum())
    if not total > 0:
        return float("nan")
    mean = float((weights * values).sum()) / total
    variance = float((weights * (values - mean) ** 2).sum()) / total
    return float(np.sqrt(variance)) / mean if mean else float("inf")
