"""The manifold that the units of each layer move on, and whether the network's outputs look along it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import generator, number, short, whole
from ..errors import ParameterError
from .credit_of import learner_of
from .dimension import (
    components_for,
    participation_ratio_of,
    principal_angles,
    principal_axes,
    random_basis,
    subspace_alignment,
    two_nn,
)
from .parts import layer_name

Floats = NDArray[np.float64]

_COUNTS, _NUMBERS = ("n", "n90", "n95", "rank"), ("participation_ratio", "two_nn", "alignment", "chance", "random_sd")
_ANGLES = ("least_angle", "mean_angle")
_ROW = np.dtype(
    [("layer", "U64"), *((name, "i8") for name in _COUNTS), *((name, "f8") for name in (*_NUMBERS, *_ANGLES))]
)

_MOST_DRAWS = 1_000_000


class Manifold:
    """Dimension of the activity of every layer, and alignment of the output's Jacobian with it; made by `manifold`.

    Attributes
    ----------
    table : structured array
        One row per layer, ``population/stage k``:

        - ``n``: units;
        - ``participation_ratio``, ``n90``, ``n95``: dimension by the variances of principal components, and components
          that hold 90 and 95 % of the variance;
        - ``two_nn``: intrinsic dimension by nearest neighbours (Facco et al. 2017);
        - ``rank``: dimension r of the subspace that the rest is about, the first r principal components, U;
        - ``alignment``: ``|J U|^2 / |J|^2``, the share of the mean Jacobian's energy in it; ``chance`` = r / n is its
          mean over random subspaces, ``random_sd`` the standard deviation over those that were drawn;
        - ``least_angle``, ``mean_angle``: principal angles between U and the row space of J, degrees.
    jacobian : float array of shape (C, N)
        Mean over the samples of d output / d V of every unit.
    variance : dict of float arrays of shape (n,)
        Of the principal components of each layer, in falling order.
    axes : dict of float arrays of shape (n, r)
        Principal axes of each layer.
    aligned : dict of float arrays of shape (r,)
        Alignment of each layer with its first 1, 2 ... principal components.
    angles : dict of float arrays of shape (r,)
        All principal angles of each layer, degrees, in rising order.
    n_samples : int
    """

    def __init__(self, layout: Any, activity: Floats, jacobian: Floats, rank: float, draws: int, seed: int) -> None:
        self.jacobian, self.n_samples = jacobian, len(activity)
        self.variance: dict[str, Floats] = {}
        self.axes: dict[str, Floats] = {}
        self.aligned: dict[str, Floats] = {}
        self.angles: dict[str, Floats] = {}
        rng = generator("seed", seed)
        self.table = np.zeros(layout.n_layers, dtype=_ROW)
        for i in range(layout.n_layers):
            name, here = layer_name(layout, i), np.flatnonzero(layout.layer == i)
            v, j = activity[:, here], jacobian[:, here]
            variance, axes = self.variance[name], self.axes[name] = principal_axes(v)
            energy = float((j * j).sum())
            inside = ((j @ axes) ** 2).sum(axis=0)
            self.aligned[name] = np.cumsum(inside) / energy if energy > 0 else np.full(inside.shape, np.nan)
            r = min(components_for(variance, rank) if rank < 1 else int(rank), variance.size)
            angles = self.angles[name] = principal_angles(j, axes[:, :r])
            random = [subspace_alignment(j, random_basis(here.size, r, rng)) for _ in range(draws if r else 0)]
            counts = (here.size, components_for(variance, 0.9), components_for(variance, 0.95), r)
            dimensions = (participation_ratio_of(variance), two_nn(v))
            aligned = (self.aligned[name][r - 1] if r else np.nan, r / here.size)
            spread = np.std(random, ddof=1) if len(random) > 1 else np.nan
            between = (angles[0], angles.mean()) if angles.size else (np.nan, np.nan)
            self.table[i] = (name, *counts, *dimensions, *aligned, spread, *between)

    def __str__(self) -> str:
        width = max(len(str(name)) for name in self.table["layer"])
        heads = f"{'layer':<{width}}  {'n':>5}  {'PR':>5}  {'90 %':>5}  {'95 %':>5}  {'TwoNN':>5}  {'r':>4}"
        lines = [
            f"Manifolds of activity, and mean Jacobian of the outputs, {self.n_samples} samples",
            "",
            f"{heads}  {'aligned':>7}  {'random':>13}  {'angles':>11}",
        ]
        for row in self.table:
            lines.append(
                f"{row['layer']!s:<{width}}  {row['n']:5d}  {row['participation_ratio']:5.1f}  {row['n90']:5d}  "
                f"{row['n95']:5d}  {row['two_nn']:5.1f}  {row['rank']:4d}  {row['alignment']:7.3f}  "
                f"{row['chance']:.3f} ± {row['random_sd']:.3f}  {row['least_angle']:4.0f}, {row['mean_angle']:4.0f}°"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Manifold: {len(self.table)} layers, {self.n_samples} samples>"


def manifold(
    network: Any,
    x: ArrayLike,
    *,
    rank: float = 0.9,
    draws: int = 20,
    seed: int = 0,
    threads: int | None = None,
) -> Manifold:
    """Dimension of the activity of every layer, and whether the rows of the output's Jacobian lie in it.

    Noise that is confined to the manifold of activity estimates J U U^T instead of J (NMNC, arXiv 2601.02636):
    ``alignment`` is the share of the gradient that it can ever see, to be compared with ``chance``, with other
    networks of the same size and with the network before training.

    Parameters
    ----------
    network : Network, PointMLP or Neurons
    x : float array of shape (B, n_inputs)
        Some hundred samples or more: no dimension can come out larger than B - 1.
    rank : int or float, default 0.9
        Of the subspace that alignment and angles are about: a whole number of principal components, or, below 1, the
        share of the variance that they hold.
    draws : int, default 20
        Random subspaces to compare with.
    seed : int, default 0
        For those.
    threads : int, optional
        As for `Network.forward`.

    Returns
    -------
    Manifold

    Raises
    ------
    ParameterError
        If `rank` is impossible, or the inputs do not suit the network.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> network = ds.Network.dendritic(20, 3, [4], [2, 2], 5, 5)
    >>> found = ds.diagnostics.manifold(network, np.random.default_rng(0).random((200, 20)), rank=2)
    >>> found.table["layer"].tolist()
    ['layer1/stage 0', 'layer1/stage 1', 'layer1/stage 2']
    """
    wanted = number("rank", rank, above=0.0)
    if wanted >= 1 and wanted != int(wanted):
        raise ParameterError(f"rank={short(rank)} must be a whole number, or a share of the variance below 1")
    count = whole("draws", draws, 0, most=_MOST_DRAWS)
    activity, jacobian = _responses(network, x, threads)
    return Manifold(network.layout, activity, jacobian, wanted, count, seed)


def mean_jacobian(network: Any, x: ArrayLike, *, threads: int | None = None) -> Floats:
    """Mean over samples of the derivative of every output by the voltage of every unit, exact.

    One backward pass for every output: the exact credits of the sum of output c over the batch are the derivatives of
    that output by V_n, with the synaptic input of the unit itself held fixed.

    Parameters
    ----------
    network : Network, PointMLP or Neurons
    x : float array of shape (B, n_inputs)
    threads : int, optional
        As for `Network.forward`.

    Returns
    -------
    float array of shape (C, N)

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> network = ds.Network.dendritic(20, 3, [4], [2, 2], 5, 5, gates=False, dtype="float64")
    >>> jacobian = ds.diagnostics.mean_jacobian(network, np.random.default_rng(0).random((50, 20)))
    >>> bool(np.allclose(jacobian[:, network.layout.roots], network.parameters["decoder_weight"]))
    True
    """
    return _responses(network, x, threads)[1]


def _responses(network: Any, x: ArrayLike, threads: int | None) -> tuple[Floats, Floats]:
    """Voltages (B, N), and the mean Jacobian (C, N)."""
    learner = learner_of(network, "exact", loss="mse", threads=threads)
    checked = network.checked(x)
    lesson, _, _ = learner.taught(checked, np.zeros((len(checked), network.n_outputs), network.dtype))
    activity = lesson.activity
    jacobian = np.empty((network.n_outputs, network.layout.size))
    for output, row in enumerate(jacobian):
        one = np.zeros_like(lesson.output_error)
        one[:, output] = 1.0
        lesson.soma_error = network.decoder.backward(network.parameters, activity.soma, one)[1]
        lesson.transport()
        row[:] = activity.batch_first(lesson.credit).mean(axis=0, dtype=np.float64)
    return activity.batch_first(activity.voltage).astype(np.float64), jacobian
