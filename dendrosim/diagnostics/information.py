"""Mutual information between what a branch receives and the class, by nearest neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import generator, number, numbers
from ..errors import ParameterError

Floats = NDArray[np.float64]

_JITTER = 1e-10
"""Of the spread of a variable: breaks ties, which the estimator does not allow, and is far below any real distance."""


def class_information(values: ArrayLike, classes: ArrayLike, *, k: int = 10, seed: int = 0) -> float:
    """Mutual information of continuous variables, taken together, and a class, in bits.

    The estimator of Ross (2014, PLoS ONE 9:e87357) in the maximum norm of Kraskov, Stögbauer & Grassberger (2004,
    Phys. Rev. E 69:066138): the distance to the k-th neighbour within the class is compared with the number of
    neighbours of any class within that distance. Nothing is clipped: where there is no information the estimates
    scatter about zero.

    Parameters
    ----------
    values : float array of shape (n,) or (n, d)
        One row per sample. Every column is divided by its standard deviation first; constant columns add nothing.
    classes : int array of shape (n,)
        Class of each sample. Classes with one sample only are left out, as they have no neighbours.
    k : int, default 10
        Neighbours; in a class of fewer than k + 1 samples, all the others.
    seed : int, default 0
        For the jitter of 1e-10 standard deviations that breaks ties.

    Returns
    -------
    float
        Bits. At most the entropy of the class, up to the scatter of the estimate.

    Raises
    ------
    ParameterError
        If the shapes do not fit, k is no positive integer, or no class has two samples.

    Examples
    --------
    >>> import numpy as np
    >>> coin = np.arange(1000) % 2
    >>> side = coin + np.random.default_rng(0).normal(0.0, 0.01, 1000)
    >>> round(class_information(side, coin), 2)
    1.0
    """
    from scipy.special import digamma

    from ..kernels.neighbours import class_neighbours

    points, labels = _samples(values, classes)
    k = _neighbours(k)
    names, label, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.max(initial=0) < 2:
        raise ParameterError(f"classes={names[:5]} ...: every class has one sample; neighbours need at least two")
    used = counts[label] > 1
    points, label = points[used], label[used]
    points = points[:, np.ptp(points, axis=0) > 0]
    if points.shape[1] == 0:
        return 0.0
    points = points / points.std(axis=0)
    points = points + _JITTER * generator("seed", seed).standard_normal(points.shape)
    _, label, counts = np.unique(label, return_inverse=True, return_counts=True)
    by_class = np.argsort(label, kind="stable")
    sorted_points, first = np.ascontiguousarray(points[by_class].T), np.append(0, np.cumsum(counts))
    taken, within = np.empty((2, label.size), np.int64)
    class_neighbours(sorted_points, first, k, np.empty(label.size), np.empty(k + 1), taken, within)
    nats = digamma(label.size) + np.mean(digamma(taken) - digamma(within) - digamma(np.repeat(counts, counts)))
    return float(nats / np.log(2.0))


def branch_information(
    excitation: ArrayLike,
    inhibition: ArrayLike,
    classes: ArrayLike,
    *,
    k: int = 10,
    most: int = 1500,
    seed: int = 0,
) -> Floats:
    """I(E, I; class) of every branch: the total excitation and the total inhibition of a branch, taken together.

    Parameters
    ----------
    excitation, inhibition : float arrays of shape (n, n_branches)
        Total excitatory and inhibitory conductance that each sample opens in each branch.
    classes : int array of shape (n,)
        Class of each sample.
    k : int, default 10
        Neighbours.
    most : int, default 1500
        If there are more samples, this many are drawn without replacement, the same for all branches.
    seed : int, default 0
        For that draw and for breaking ties.

    Returns
    -------
    float array of shape (n_branches,)
        Bits.

    Raises
    ------
    ParameterError
        As for :func:`class_information`.

    Notes
    -----
    The I(E, I; C) of the local-credit paper, by nearest neighbours (Ross, PLoS ONE 9:e87357, 2014).
    """
    e, i = numbers("excitation", excitation), numbers("inhibition", inhibition)
    labels = numbers("classes", classes)
    if e.ndim != 2 or e.shape != i.shape or labels.shape != e.shape[:1]:
        raise ParameterError(
            f"excitation has shape {e.shape}, inhibition {i.shape}, classes {labels.shape}; expected (samples, "
            "branches) twice, and (samples,)"
        )
    most = int(number("most", most, least=2))
    if labels.size > most:
        chosen = np.sort(generator("seed", seed).choice(labels.size, most, replace=False))
        e, i, labels = e[chosen], i[chosen], labels[chosen]
    pairs = np.stack([e, i], axis=2)
    return np.array([class_information(pairs[:, b], labels, k=k, seed=seed) for b in range(e.shape[1])])


def _neighbours(k: Any) -> int:
    if int(number("k", k, least=1)) != k:
        raise ParameterError(f"k={k!r} is no whole number; it counts neighbours, such as 10")
    return int(k)


def _samples(values: ArrayLike, classes: ArrayLike) -> tuple[Floats, NDArray[Any]]:
    points, labels = numbers("values", values).astype(np.float64), numbers("classes", classes)
    if points.ndim == 1:
        points = points[:, None]
    if points.ndim != 2 or labels.shape != points.shape[:1]:
        raise ParameterError(
            f"values has shape {np.shape(values)} and classes {labels.shape}; expected (n,) or (n, d), and (n,)"
        )
    if not np.isfinite(points).all():
        raise ParameterError(f"values holds {np.count_nonzero(~np.isfinite(points))} numbers that are not finite")
    return points, labels
