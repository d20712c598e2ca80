"""Channels of one's own: gates that relax, and how far they open a conductance, as functions of plain numbers.

The functions are compiled into the step. Compiled steps are remembered on disk by the types that they take, and so the
type of one array, `mark`, bears a digest of the functions: a function that changed is never taken for the one it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.core import types
from numba.extending import overload
from numpy.typing import NDArray

from .mechanisms import register

Array = NDArray[Any]
Lanes = tuple[float, ...]

_KNOWN: dict[str, tuple[Any, Any]] = {}

DIFFERENCE = 1e-3
"""Of the voltages between which the slope of an opening is taken, mV, as in NEURON."""


class GatedArrays(NamedTuple):
    """Gates with the conductance of each site, nS, and what functions get besides gates and voltages, `parameters`."""

    row: Array
    n_states: int
    site: int
    conductance: Array
    reversal: float
    dt: float
    parameters: Any
    mark: Array


def mark_of(kinetics: Callable[..., Any], opening: Callable[..., Any], n_parameters: int) -> Array:
    """An empty array whose type stands for these functions.

    Raises
    ------
    numba.core.errors.NumbaError
        If one of them cannot be compiled.
    """
    digest = hashlib.sha256()
    for function in (kinetics, opening):
        _describe(function, digest, set())
    name = f"channel_{digest.hexdigest()[:32]}"
    if name not in _KNOWN:
        made = tuple(njit(error_model="numpy")(function) for function in (kinetics, opening))
        numbers = (types.float64,) * (1 + n_parameters)
        made[0].compile(numbers)
        made[1].compile((types.Array(types.float64, 1, "A"), *numbers))
        _KNOWN[name] = (made[0], made[1])
    return np.empty(0, [(name, "i1")])


def _describe(value: Any, digest: Any, seen: set[int]) -> None:
    """Everything that the meaning of a function depends on: code, constants, and what its names stand for."""
    value = getattr(value, "py_func", value)
    if isinstance(value, CodeType):
        digest.update(value.co_code + repr((value.co_names, value.co_varnames)).encode())
        for constant in value.co_consts:
            _describe(constant, digest, seen)
    elif hasattr(value, "__code__"):
        if id(value) not in seen:
            seen.add(id(value))
            _describe(value.__code__, digest, seen)
            for name in value.__code__.co_names:
                if name in value.__globals__:
                    _describe(value.__globals__[name], digest, seen)
            for cell in value.__closure__ or ():
                _describe(cell.cell_contents, digest, seen)
            _describe(value.__defaults__, digest, seen)
    elif isinstance(value, ModuleType):
        digest.update(value.__name__.encode())
    elif isinstance(value, np.ndarray):
        digest.update(value.tobytes())
    else:
        digest.update(repr(value).encode())


def _kinetics(mark: Any, v: Any, parameters: Any) -> Any:
    raise TypeError("for compiled code")


def _opening(mark: Any, gates: Any, v: Any, parameters: Any) -> Any:
    raise TypeError("for compiled code")


@overload(_kinetics)
def _(mark: Any, v: Any, parameters: Any) -> Any:
    function = _KNOWN[next(iter(mark.dtype.fields))][0]

    def compiled(mark: Any, v: Any, parameters: Any) -> Any:
        return function(v, *parameters)

    return compiled


@overload(_opening)
def _(mark: Any, gates: Any, v: Any, parameters: Any) -> Any:
    function = _KNOWN[next(iter(mark.dtype.fields))][1]

    def compiled(mark: Any, gates: Any, v: Any, parameters: Any) -> Any:
        return function(gates, v, *parameters)

    return compiled


def _relax(pairs: Any, state: Any, i: Any, stride: Any, dt: Any) -> None:
    """Gates towards their steady states, exactly; pairs of (steady state, time constant)."""
    raise TypeError("for compiled code")


@overload(_relax)
def _(pairs: Any, state: Any, i: Any, stride: Any, dt: Any) -> Any:
    def none(pairs: Any, state: Any, i: Any, stride: Any, dt: Any) -> None:
        return

    def some(pairs: Any, state: Any, i: Any, stride: Any, dt: Any) -> None:
        steady, tau = pairs[0]
        state[i] += (1.0 - np.exp(-dt / tau)) * (steady - state[i])
        _relax(pairs[1:], state, i + stride, stride, dt)

    return some if len(pairs) else none


@njit(cache=True, nogil=True, error_model="numpy")
def _gated_currents(
    gated: Any, state: Array, at: int, G: Array, b: Array, V: Array, offset: float, lanes: Lanes
) -> None:
    """Linear around the voltage before the step, with the gates as they are."""
    width, n_sites = len(lanes), gated.row.size
    for k in range(n_sites):
        for lane in range(width):
            i = gated.row[k] * width + lane
            v = V[i] + offset
            gates = state[at + k * width + lane :: n_sites * width][: gated.n_states]
            g = gated.conductance[k] * _opening(gated.mark, gates, v, gated.parameters)
            near = gated.conductance[k] * _opening(gated.mark, gates, v + DIFFERENCE, gated.parameters)
            slope = (near - g) / DIFFERENCE * (gated.reversal - v) - g
            G[i] -= slope
            b[i] += g * (gated.reversal - v) - slope * V[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _gated_update(
    gated: Any, state: Array, at: int, V: Array, offset: float, step: int, fired: Array, count: int, lanes: Lanes
) -> int:
    """Gates one step on, exactly for the voltage after it."""
    width, n_sites = len(lanes), gated.row.size
    for k in range(n_sites):
        for lane in range(width):
            i = at + k * width + lane
            pairs = _kinetics(gated.mark, V[gated.row[k] * width + lane] + offset, gated.parameters)
            _relax(pairs, state, i, n_sites * width, gated.dt)
    return count


register(GatedArrays, _gated_currents, _gated_update)
