"""Dimension of a cloud of activities, and how the rows of a Jacobian lie to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import number, numbers, short
from ..errors import ParameterError

Floats = NDArray[np.float64]


def principal_axes(activity: ArrayLike) -> tuple[Floats, Floats]:
    """Variances and axes of the principal components of activities about their mean.

    Parameters
    ----------
    activity : float array of shape (B, d)
        One row per sample.

    Returns
    -------
    variance : float array of shape (r,)
        In falling order, those that are not zero to rounding: at most min(B - 1, d). Sums of squares over B.
    axes : float array of shape (d, r)
        Orthonormal columns.

    Raises
    ------
    ParameterError
        If it is no such array, or has fewer than two samples.
    """
    centred = _samples("activity", activity, 2)
    centred = centred - centred.mean(axis=0)
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)
    kept = singular > singular[0] * max(centred.shape) * np.finfo(np.float64).eps
    return singular[kept] ** 2 / len(centred), np.ascontiguousarray(rows[kept].T)


def participation_ratio(activity: ArrayLike) -> float:
    """Participation ratio of the variances of principal components: (sum v)^2 / sum v^2.

    It is d where all directions vary alike, 1 where one varies, and nan where nothing does. Of B samples it is at most
    B - 1, and too small unless B is many times larger than what it says.

    Parameters
    ----------
    activity : float array of shape (B, d)

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        As for `principal_axes`.

    Examples
    --------
    >>> import numpy as np
    >>> participation_ratio([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    2.0
    """
    return participation_ratio_of(principal_axes(activity)[0])


def participation_ratio_of(variance: Floats) -> float:
    """Participation ratio of variances, shape (r,)."""
    total = float(variance.sum())
    return total * total / float(variance @ variance) if total > 0 else float("nan")


def components_for(variance: ArrayLike, fraction: float) -> int:
    """Number of principal components that hold this fraction of the variance; 0 where there is none.

    Parameters
    ----------
    variance : float array of shape (r,)
        In falling order.
    fraction : float
        Above 0, at most 1.
    """
    share = np.cumsum(np.asarray(variance, dtype=np.float64))
    wanted = number("fraction", fraction, above=0.0, most=1.0)
    return 0 if not share.size else int(np.searchsorted(share, wanted * share[-1] * (1 - 1e-12)) + 1)


def two_nn(activity: ArrayLike, *, discard: float = 0.1) -> float:
    """Intrinsic dimension from the two nearest neighbours of every sample (Facco et al. 2017).

    Where the density hardly changes over two neighbours, the ratio mu of the second distance to the first follows
    ``1 - mu^-d``: d is the slope through zero of -ln(1 - F) over ln(mu), F the empirical distribution. Other than the
    participation ratio it sees curved manifolds: it is 1 on a circle, in however many dimensions.

    Parameters
    ----------
    activity : float array of shape (B, d)
        Samples that occur twice count once.
    discard : float, default 0.1
        Share of the largest ratios left out, as in the paper: they weigh most and fit least.

    Returns
    -------
    float
        nan where fewer than three different samples are left.

    Raises
    ------
    ParameterError
        If it is no such array, or `discard` is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 1000)
    >>> round(two_nn(np.column_stack([np.cos(angle), np.sin(angle)])), 1)
    1.0
    """
    kept = 1.0 - number("discard", discard, least=0.0, most=0.9)
    different = np.unique(_samples("activity", activity, 1), axis=0)
    if len(different) < 3:
        return float("nan")
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=3).fit(different).kneighbors(different)
    first, second = distances[:, 1], distances[:, 2]
    logs = np.sort(np.log(second[first > 0] / first[first > 0]))  # 0 can come from rounding alone
    n = logs.size
    if n < 2:
        return float("nan")
    below = np.arange(1, n + 1)[: max(int(kept * n), 1)]
    below = below[below < n]  # at the last one F is 1
    x, y = logs[below - 1], -np.log1p(-below / n)
    return float(x @ y / (x @ x)) if (x > 0).any() else float("nan")


def subspace_alignment(jacobian: ArrayLike, basis: ArrayLike) -> float:
    """Share of a Jacobian's energy inside a subspace: ``|J U|^2 / |J|^2``; nan if J is zero.

    Of a random subspace of r dimensions it is r / d on average.

    Parameters
    ----------
    jacobian : float array of shape (C, d)
    basis : float array of shape (d, r)
        Orthonormal columns.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If the shapes do not fit, or the columns are not orthonormal.
    """
    j, u = _pair(jacobian, basis)
    total = float((j * j).sum())
    return float(((j @ u) ** 2).sum()) / total if total > 0 else float("nan")


def principal_angles(jacobian: ArrayLike, basis: ArrayLike) -> Floats:
    """Angles between the row space of a Jacobian and a subspace, degrees, in rising order.

    Parameters
    ----------
    jacobian : float array of shape (C, d)
    basis : float array of shape (d, r)
        Orthonormal columns.

    Returns
    -------
    float array
        As many as the smaller of the two dimensions.

    Raises
    ------
    ParameterError
        As for `subspace_alignment`.
    """
    j, u = _pair(jacobian, basis)
    _, singular, rows = np.linalg.svd(j, full_matrices=False)
    rows = rows[singular > singular[0] * max(j.shape) * np.finfo(np.float64).eps] if singular.size else rows[:0]
    if not rows.size or not u.size:
        return np.zeros(0)
    from scipy.linalg import subspace_angles

    angles: Floats = np.rad2deg(subspace_angles(rows.T, u))[::-1]
    return np.ascontiguousarray(angles)


def random_basis(d: int, r: int, rng: np.random.Generator) -> Floats:
    """Orthonormal columns of shape (d, r), uniform over all subspaces of r dimensions."""
    q: Floats = np.linalg.qr(rng.standard_normal((d, r)))[0]
    return q


def _samples(name: str, given: ArrayLike, least: int) -> Floats:
    array = numbers(name, given).astype(np.float64)
    if array.ndim != 2 or array.shape[0] < least or array.shape[1] < 1:
        raise ParameterError(f"{name} has shape {array.shape}; expected (B, d) with at least {least} samples")
    if not np.isfinite(array).all():
        raise ParameterError(f"{name} has values that are NaN or infinite: {short(given)}")
    return array


def _pair(jacobian: ArrayLike, basis: ArrayLike) -> tuple[Floats, Floats]:
    j, u = numbers("jacobian", jacobian).astype(np.float64), numbers("basis", basis).astype(np.float64)
    if j.ndim != 2 or u.ndim != 2 or j.shape[1] != u.shape[0]:
        raise ParameterError(f"jacobian has shape {j.shape} and basis {u.shape}; expected (C, d) and (d, r)")
    if not np.isfinite(j).all():
        raise ParameterError("jacobian has values that are NaN or infinite")
    if not np.allclose(u.T @ u, np.eye(u.shape[1]), atol=1e-6):
        raise ParameterError("the columns of basis are not orthonormal; np.linalg.qr(basis)[0] are")
    return j, u
