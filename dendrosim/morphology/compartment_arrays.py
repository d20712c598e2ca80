"""Checks of the arrays that compartments are made from; every error names the first offending compartment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers, short
from ..errors import ParameterError


def parents(parent: ArrayLike) -> NDArray[np.int64]:
    """Parents that precede their children, the compartments of a cell together; read-only, shape (N,)."""
    array = numbers("parent", parent)
    if array.ndim != 1 or array.size == 0:
        raise ParameterError(
            f"parent has shape {array.shape}; expected (N,) with N >= 1: a tree needs at least one compartment"
        )
    if array.dtype.kind not in "iu":
        raise ParameterError(f"parent has dtype {array.dtype}; expected integers")
    array = array.astype(np.int64)
    if array[0] != -1:
        raise ParameterError(f"parent[0] = {array[0]}; the first compartment must be a root (-1)")
    refuse(array < -1, "parent[{n}] is below -1; roots have parent -1")
    refuse(
        array >= np.arange(array.size),
        "parent[{n}] does not precede compartment {n}; order compartments so that parents come first",
    )
    root = np.maximum.accumulate(np.where(array < 0, np.arange(array.size), 0))
    refuse(
        (array >= 0) & (array < root),
        "parent[{n}] lies in another cell; the compartments of one cell must stand together",
    )
    array.flags.writeable = False
    return array


def values(name: str, given: ArrayLike, n: int, unit: str) -> NDArray[np.float64]:
    """Finite values, not negative, one per compartment; read-only, shape (N,)."""
    array = numbers(name, given)
    if array.ndim == 0:
        array = np.full(n, array)
    if array.shape != (n,):
        raise ParameterError(
            f"{name} has shape {array.shape}; expected ({n},), one value per compartment, or one number"
        )
    array = array.astype(np.float64)
    wrong = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if wrong.size:
        raise ParameterError(
            f"{name}[{wrong[0]}] = {array[wrong[0]]} {unit} must be finite and not negative ({wrong.size} such)"
        )
    array.flags.writeable = False
    return array


def stages(given: ArrayLike, n: int) -> NDArray[np.int64]:
    """Whole numbers, not negative, one per compartment; read-only, shape (N,)."""
    array = values("stage", given, n, "branchings")
    wrong = np.flatnonzero(array % 1 != 0)
    if wrong.size:
        raise ParameterError(f"stage[{wrong[0]}] = {array[wrong[0]]} must be a whole number, of branchings above")
    return frozen(array.astype(np.int64))


def positions(given: ArrayLike, n: int) -> NDArray[np.float64]:
    """Positions, or NaN where there is none; read-only, shape (N, 3)."""
    array = numbers("xyz", given)
    if array.shape not in ((), (3,), (n, 3)):
        raise ParameterError(f"xyz has shape {array.shape}; expected ({n}, 3), x, y and z of every compartment in um")
    return frozen(np.array(np.broadcast_to(array, (n, 3)), dtype=np.float64))


def names(given: ArrayLike, n: int) -> NDArray[np.str_]:
    """Names of regions, one per compartment; read-only, shape (N,)."""
    try:
        array = np.asarray(given)
    except ValueError:
        raise ParameterError(f"region={short(given)} must be one name per compartment, or one name") from None
    if array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat):
        array = array.astype(np.str_)
    if array.dtype.kind != "U":
        raise ParameterError(f"region={short(given)} must hold names; got {array.dtype}")
    if array.ndim == 0:
        array = np.full(n, array)
    if array.shape != (n,):
        raise ParameterError(f"region has shape {array.shape}; expected ({n},), one name per compartment, or one name")
    return frozen(array)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view of a contiguous array."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def refuse(wrong: NDArray[np.bool_], message: str) -> None:
    """Raise `message` for the first compartment, ``{n}``, that is marked."""
    if wrong.any():
        raise ParameterError(message.format(n=int(np.flatnonzero(wrong)[0])))
