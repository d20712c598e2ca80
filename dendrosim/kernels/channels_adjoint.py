"""Gradients through the mechanisms that come with dendrosim; see `mechanisms_adjoint`. Derived here.

Sites are few: these are plain loops, one value after another.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit
from numpy.typing import NDArray

from .channels import FireArrays, HodgkinHuxleyArrays, LeakArrays
from .mechanisms_adjoint import register_adjoint

Array = NDArray[Any]
Lanes = tuple[float, ...]


@njit(cache=True, nogil=True, error_model="numpy")
def _nothing_from_currents(
    leak: Any, state: Array, at: int, q: Array, solved: Array, credit: Array, change: Array, offset: float, lanes: Lanes
) -> None:
    return


@njit(cache=True, nogil=True, error_model="numpy")
def _nothing_from_update(
    leak: Any, state: Array, at: int, V: Array, credit: Array, change: Array, spike: Array, slant: Array, offset: float,
    lanes: Lanes,
) -> None:  # fmt: skip
    return


@njit(cache=True, nogil=True, error_model="numpy")
def _huxley_currents_back(
    huxley: Any, state: Array, at: int, q: Array, solved: Array, credit: Array, change: Array, offset: float,
    lanes: Lanes,
) -> None:  # fmt: skip
    width = len(lanes)
    n_sites = huxley.row.size
    for k in range(n_sites):
        for w in range(width):
            i, step = at + k * width + w, n_sites * width
            m, h, n = state[i], state[i + step], state[i + 2 * step]
            at_row = huxley.row[k] * width + w
            into, v = q[at_row], solved[at_row]
            sodium = huxley.sodium[k] * (huxley.E_sodium - v) * into
            potassium = huxley.potassium[k] * (huxley.E_potassium - v) * into
            change[i] += 3.0 * m * m * h * sodium
            change[i + step] += m * m * m * sodium
            change[i + 2 * step] += 4.0 * n * n * n * potassium


@njit(cache=True, nogil=True, error_model="numpy")
def _trap(z: float) -> tuple[float, float]:
    """z / (exp(z) - 1) and its derivative."""
    if abs(z) < 1e-4:
        return 1.0 - z / 2.0 + z * z / 12.0, -0.5 + z / 6.0
    less = math.expm1(z)
    return z / less, (less - z * (less + 1.0)) / (less * less)


@njit(cache=True, nogil=True, error_model="numpy")
def _rates(gate: int, v: float) -> tuple[float, float, float, float]:
    """alpha, beta of gate 0 (m), 1 (h) or 2 (n), and their derivatives by the voltage (mV)."""
    if gate == 0:
        alpha, slope = _trap((v + 40.0) * -0.1)
        beta = 4.0 * math.exp((v + 65.0) * (-1.0 / 18.0))
        return alpha, beta, slope * -0.1, beta * (-1.0 / 18.0)
    if gate == 1:
        alpha = 0.07 * math.exp((v + 65.0) * -0.05)
        beta = 1.0 / (math.exp((v + 35.0) * -0.1) + 1.0)
        return alpha, beta, alpha * -0.05, 0.1 * beta * (1.0 - beta)
    alpha, slope = _trap((v + 55.0) * -0.1)
    beta = 0.125 * math.exp((v + 65.0) * -0.0125)
    return 0.1 * alpha, beta, slope * -0.01, beta * -0.0125


@njit(cache=True, nogil=True, error_model="numpy")
def _huxley_update_back(
    huxley: Any, state: Array, at: int, V: Array, credit: Array, change: Array, spike: Array, slant: Array,
    offset: float, lanes: Lanes,
) -> None:  # fmt: skip
    width = len(lanes)
    n_sites = huxley.row.size
    for k in range(n_sites):
        for w in range(width):
            row = huxley.row[k] * width + w
            v = V[row] + offset
            to_voltage = 0.0
            for gate in range(3):
                i = at + (gate * n_sites + k) * width + w
                alpha, beta, d_alpha, d_beta = _rates(gate, v)
                total = alpha + beta
                kept = math.exp(max(-80.0, total * huxley.decay))
                goal = alpha / total
                d_goal = (d_alpha * beta - alpha * d_beta) / (total * total)
                d_kept = kept * huxley.decay * (d_alpha + d_beta)
                to_voltage += change[i] * (d_goal * (1.0 - kept) + (state[i] - goal) * d_kept)
                change[i] *= kept
            i = at + (3 * n_sites + k) * width + w
            site = (huxley.site + k) * width + w
            change[i] = 0.0
            credit[row] += to_voltage + slant[site] * spike[site] * (1.0 - state[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _fire_currents_back(
    fire: Any, state: Array, at: int, q: Array, solved: Array, credit: Array, change: Array, offset: float, lanes: Lanes
) -> None:
    width = len(lanes)
    n_sites = fire.row.size
    for k in range(n_sites):
        for w in range(width):
            change[at + (n_sites + k) * width + w] -= q[fire.row[k] * width + w]


@njit(cache=True, nogil=True, error_model="numpy")
def _fire_update_back(
    fire: Any, state: Array, at: int, V: Array, credit: Array, change: Array, spike: Array, slant: Array, offset: float,
    lanes: Lanes,
) -> None:  # fmt: skip
    """While refractory the voltage is held; else ``v (1 - s) + reset s``, and w gains ``jump s``, s being the spike."""
    width = len(lanes)
    n_sites = fire.row.size
    for k in range(n_sites):
        for w in range(width):
            row, i = fire.row[k] * width + w, at + (n_sites + k) * width + w
            site = (fire.site + k) * width + w
            held = state[at + k * width + w] >= 0.5
            v, after, adapted = V[row], credit[row], change[i]
            fired = v >= fire.threshold
            by_spike = after * (fire.reset - v) + adapted * fire.jump + spike[site]
            free = (0.0 if fired else after) + adapted * fire.gain + slant[site] * by_spike
            credit[row] = 0.0 if held else free
            change[i] = adapted * fire.decay
            change[at + k * width + w] = 0.0


register_adjoint(LeakArrays, _nothing_from_currents, _nothing_from_update)
register_adjoint(HodgkinHuxleyArrays, _huxley_currents_back, _huxley_update_back)
register_adjoint(FireArrays, _fire_currents_back, _fire_update_back)
