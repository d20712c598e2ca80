"""How close one gradient is to another: direction, size, and both at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..errors import ParameterError

Floats = NDArray[np.float64]


def cosine(local: ArrayLike, exact: ArrayLike) -> float:
    """Cosine of the angle between two gradients (eq. 27, without its epsilon); nan if one of them is zero.

    Parameters
    ----------
    local, exact : float arrays of one shape
        The gradient of a rule, and the exact one.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If the shapes differ.

    Examples
    --------
    >>> round(cosine([1.0, 1.0], [1.0, 0.0]), 3)
    0.707
    """
    return compare(local, exact)[0]


def log_scale(local: ArrayLike, exact: ArrayLike) -> float:
    """log10 of the ratio of the two lengths: 0 if equal, 1 if the local one is ten times longer; nan if one is zero.

    Its magnitude is the scale mismatch of eq. 28.

    Parameters
    ----------
    local, exact : float arrays of one shape
        The gradient of a rule, and the exact one.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If the shapes differ.
    """
    return compare(local, exact)[1]


def relative_l2(local: ArrayLike, exact: ArrayLike) -> float:
    """``|local - exact| / |exact|``: 0 if they are the same, 1 if the local one is zero; nan if the exact one is.

    Parameters
    ----------
    local, exact : float arrays of one shape
        The gradient of a rule, and the exact one.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If the shapes differ.
    """
    return compare(local, exact)[2]


def compare(local: ArrayLike, exact: ArrayLike) -> tuple[float, float, float]:
    """Cosine, log10 scale and relative L2 of two gradients; nan where a zero gradient leaves nothing to compare.

    Raises
    ------
    ParameterError
        If the shapes differ.
    """
    directions, scales, errors = by_part(local, exact, np.zeros(numbers("local", local).size, dtype=np.int64), 1)
    return float(directions[0]), float(scales[0]), float(errors[0])


def by_part(local: ArrayLike, exact: ArrayLike, part: ArrayLike, n_parts: int) -> tuple[Floats, Floats, Floats]:
    """Cosine, log10 scale and relative L2 of every part of two gradients.

    Parameters
    ----------
    local, exact : float arrays of shape (n,)
        The two gradients.
    part : int array of shape (n,)
        Part that each entry belongs to, such as the compartment of each synapse.
    n_parts : int
        Number of parts.

    Returns
    -------
    cosine, log_scale, relative_l2 : float arrays of shape (n_parts,)
        nan for parts without entries, and where a zero gradient leaves nothing to compare.

    Raises
    ------
    ParameterError
        If the shapes differ.
    """
    a, b = _pair(local, exact)
    for name, array in (("local", a), ("exact", b)):
        if np.isinf(array).any():
            raise ParameterError(f"{name} has infinite values, which have no direction; nan gives nan")
    part = numbers("part", part).astype(np.int64)
    # squares of tiny gradients would underflow
    biggest = [float(np.abs(v).max(initial=0.0)) or 1.0 for v in (a, b)]
    a_unit, b_unit = a / biggest[0], b / biggest[1]

    def total(values: Floats) -> Floats:
        return np.bincount(part, weights=values, minlength=n_parts).astype(np.float64)

    size_a, size_b = np.sqrt(total(a_unit * a_unit)), np.sqrt(total(b_unit * b_unit))
    usable = (size_a > 0) & (size_b > 0)
    nan = np.full(n_parts, np.nan)
    directions = np.divide(total(a_unit * b_unit), size_a * size_b, out=nan.copy(), where=usable)
    ratio = np.divide(size_a, size_b, out=nan.copy(), where=usable)
    scales = np.log10(ratio) + (np.log10(biggest[0]) - np.log10(biggest[1]))
    difference = np.sqrt(total((a / biggest[1] - b_unit) ** 2))
    errors = np.divide(difference, size_b, out=nan.copy(), where=size_b > 0)
    return directions, scales, errors


def _pair(local: Any, exact: Any) -> tuple[Floats, Floats]:
    a = numbers("local", local).astype(np.float64).ravel()
    b = numbers("exact", exact).astype(np.float64).ravel()
    if np.shape(local) != np.shape(exact):
        raise ParameterError(
            f"local has shape {np.shape(local)} and exact {np.shape(exact)}; two gradients of the same parameters "
            "have one shape"
        )
    return a, b
