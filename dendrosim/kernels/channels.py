"""The mechanisms that come with dendrosim: a leak, Hodgkin-Huxley channels, integrate-and-fire somas.

Functions are those of `mechanisms`; voltages in their arrays are relative to the leak's reversal potential but for the
gates of Hodgkin and Huxley, which know absolute ones only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit
from numpy.typing import NDArray

from .mechanisms import note, register
from .simd import absolute, choose_least, clamp, exponential, fill, load, store

Array = NDArray[Any]
Lanes = tuple[float, ...]


class LeakArrays(NamedTuple):
    """A constant conductance, its current at voltage 0; both of shape (n_sites,)."""

    row: Array
    n_states: int
    site: int
    conductance: Array
    current: Array


class HodgkinHuxleyArrays(NamedTuple):
    """Conductances per site (n_sites,), relative reversal potentials, and what the gates need.

    States are m, h, n and whether the voltage is above `threshold` (relative). `decay` is minus the step times the
    temperature factor.
    """

    row: Array
    n_states: int
    site: int
    sodium: Array
    potassium: Array
    leak: Array
    E_sodium: float
    E_potassium: float
    E_leak: float
    decay: float
    threshold: float


class FireArrays(NamedTuple):
    """Integrate and fire: per site (n_sites,) the conductance that holds the voltage while refractory.

    States are the steps that the site is still refractory for, and the adaptation current.
    """

    row: Array
    n_states: int
    site: int
    hold: Array
    threshold: float
    reset: float
    refractory: float
    decay: float
    gain: float
    jump: float


class OnsetArrays(NamedTuple):
    """As `FireArrays`, with an exponential current; `threshold` is the peak, where a spike is cut off.

    Attributes
    ----------
    onset, width : float
        Voltage V_T where the slope of the exponential current is `slope`, and its width, mV.
    slope : float
        nS.
    middle : float
        Part of the solver's step that lies in the first half of the step.
    capacitance : float array of shape (n_sites,)
        Over the step (not that of the solver), nS.
    """

    row: Array
    n_states: int
    site: int
    hold: Array
    threshold: float
    reset: float
    refractory: float
    decay: float
    gain: float
    jump: float
    onset: float
    width: float
    slope: float
    middle: float
    capacitance: Array


@njit(cache=True, nogil=True, error_model="numpy")
def _leak_currents(leak: Any, state: Array, at: int, G: Array, b: Array, V: Array, offset: float, lanes: Lanes) -> None:
    width = len(lanes)
    for k in range(leak.row.size):
        i = leak.row[k] * width
        store(G, i, load(G, i, lanes) + fill(leak.conductance[k], lanes))
        store(b, i, load(b, i, lanes) + fill(leak.current[k], lanes))


@njit(cache=True, nogil=True, error_model="numpy")
def _leak_update(
    leak: Any, state: Array, at: int, V: Array, offset: float, step: int, fired: Array, count: int, lanes: Lanes
) -> int:
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _huxley_currents(
    huxley: Any, state: Array, at: int, G: Array, b: Array, V: Array, offset: float, lanes: Lanes
) -> None:
    width = len(lanes)
    n_sites = huxley.row.size
    for k in range(n_sites):
        i = huxley.row[k] * width
        m = load(state, at + k * width, lanes)
        h = load(state, at + (n_sites + k) * width, lanes)
        n = load(state, at + (2 * n_sites + k) * width, lanes)
        sodium = m * m * m * h * huxley.sodium[k]
        potassium = n * n * n * n * huxley.potassium[k]
        leak = fill(huxley.leak[k], lanes)
        store(G, i, load(G, i, lanes) + (sodium + potassium + leak))
        currents = sodium * huxley.E_sodium + potassium * huxley.E_potassium + leak * huxley.E_leak
        store(b, i, load(b, i, lanes) + currents)


@njit(cache=True, nogil=True, error_model="numpy")
def _relaxed(gate: Any, alpha: Any, beta: Any, decay: float, one: Any) -> Any:
    """A gate one step on, exactly for constant rates."""
    total = alpha + beta
    kept = exponential(clamp(total * decay, -80.0, 80.0))
    return gate + (one - kept) * (alpha / total - gate)


@njit(cache=True, nogil=True, error_model="numpy")
def _trap(z: Any, one: Any, lanes: Lanes) -> Any:
    """z / (exp(z) - 1), 1 - z / 2 near 0."""
    tiny = one * 1e-6
    safe = choose_least(absolute(z), tiny, z, one)
    return choose_least(absolute(z), tiny, safe / (exponential(clamp(safe, -80.0, 80.0)) - one), one - z * 0.5)


@njit(cache=True, nogil=True, error_model="numpy")
def _huxley_update(
    huxley: Any, state: Array, at: int, V: Array, offset: float, step: int, fired: Array, count: int, lanes: Lanes
) -> int:
    width = len(lanes)
    n_sites = huxley.row.size
    one = fill(V.dtype.type(1.0), lanes)
    zero = fill(V.dtype.type(0.0), lanes)
    limit = fill(V.dtype.type(huxley.threshold), lanes)
    for k in range(n_sites):
        relative = load(V, huxley.row[k] * width, lanes)
        v = relative + fill(V.dtype.type(offset), lanes)
        i, j, n = at + k * width, at + (n_sites + k) * width, at + (2 * n_sites + k) * width
        alpha = _trap((v + 40.0) * -0.1, one, lanes)
        beta = exponential(clamp((v + 65.0) * (-1.0 / 18.0), -80.0, 80.0)) * 4.0
        store(state, i, _relaxed(load(state, i, lanes), alpha, beta, huxley.decay, one))
        alpha = exponential(clamp((v + 65.0) * -0.05, -80.0, 80.0)) * 0.07
        beta = one / (exponential(clamp((v + 35.0) * -0.1, -80.0, 80.0)) + one)
        store(state, j, _relaxed(load(state, j, lanes), alpha, beta, huxley.decay, one))
        alpha = _trap((v + 55.0) * -0.1, one, lanes) * 0.1
        beta = exponential(clamp((v + 65.0) * -0.0125, -80.0, 80.0)) * 0.125
        store(state, n, _relaxed(load(state, n, lanes), alpha, beta, huxley.decay, one))
        above = choose_least(relative, limit, one, zero)
        i = at + (3 * n_sites + k) * width
        before = load(state, i, lanes)
        store(state, i, above - above * before)  # 1 where it has just crossed
        count = note(state, i, step, huxley.site + k, fired, count, lanes)
        store(state, i, above)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _fire_currents(fire: Any, state: Array, at: int, G: Array, b: Array, V: Array, offset: float, lanes: Lanes) -> None:
    width = len(lanes)
    zero = fill(V.dtype.type(0.0), lanes)
    half = fill(V.dtype.type(0.5), lanes)
    for k in range(fire.row.size):
        i = fire.row[k] * width
        held = choose_least(load(state, at + k * width, lanes), half, fill(fire.hold[k], lanes), zero)
        store(G, i, load(G, i, lanes) + held)
        adaptation = load(state, at + (fire.row.size + k) * width, lanes)
        store(b, i, load(b, i, lanes) + held * fire.reset - adaptation)


@njit(cache=True, nogil=True, error_model="numpy")
def _fire_update(
    fire: Any, state: Array, at: int, V: Array, offset: float, step: int, fired: Array, count: int, lanes: Lanes
) -> int:
    width = len(lanes)
    n_sites = fire.row.size
    one = fill(V.dtype.type(1.0), lanes)
    zero = fill(V.dtype.type(0.0), lanes)
    half = fill(V.dtype.type(0.5), lanes)
    limit = fill(V.dtype.type(fire.threshold), lanes)
    reset = fill(V.dtype.type(fire.reset), lanes)
    period = fill(V.dtype.type(fire.refractory), lanes)
    for k in range(n_sites):
        i, w = at + k * width, at + (n_sites + k) * width
        left = load(state, i, lanes)
        v = choose_least(left, half, reset, load(V, fire.row[k] * width, lanes))
        spike = choose_least(v, limit, choose_least(left, half, zero, one), zero)
        store(state, i, spike)
        count = note(state, i, step, fire.site + k, fired, count, lanes)
        store(state, i, choose_least(spike, half, period, choose_least(left, half, left - one, zero)))
        store(V, fire.row[k] * width, choose_least(spike, half, reset, v))
        adaptation = load(state, w, lanes) * fire.decay + v * fire.gain
        store(state, w, adaptation + spike * fire.jump)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _onset_currents(
    fire: Any, state: Array, at: int, G: Array, b: Array, V: Array, offset: float, lanes: Lanes
) -> None:
    """The exponential current, by what it would do in this step alone, ``s = slope exp((V - V_T) / width) dt / C``.

    - s < 1: linear around the voltage before the step, with the slope that holds in its middle. On its own it then
      moves the voltage by ``width s / (1 - s / 2)``, close to the exact ``-width ln(1 - s)``; conductances stay
      positive, and equilibria where they are.
    - s >= 1: on its own it diverges within the step, and the voltage is put beyond the peak.
    """
    _fire_currents(fire, state, at, G, b, V, offset, lanes)
    width = len(lanes)
    one = fill(V.dtype.type(1.0), lanes)
    zero = fill(V.dtype.type(0.0), lanes)
    half = fill(V.dtype.type(0.5), lanes)
    beyond = fill(V.dtype.type(fire.threshold) + V.dtype.type(1.0), lanes)
    for k in range(fire.row.size):
        i = fire.row[k] * width
        v = load(V, i, lanes)
        slope = exponential(clamp((v - fire.onset) / fire.width, -60.0, 60.0)) * fire.slope
        slope = choose_least(load(state, at + k * width, lanes), half, zero, slope)  # none while it is held
        moved = slope / fire.capacitance[k]
        held = choose_least(moved, one, fill(fire.hold[k], lanes), zero)
        slope = choose_least(moved, one, zero, slope)
        linear = slope * fire.middle
        store(G, i, load(G, i, lanes) - linear + held)
        store(b, i, load(b, i, lanes) + slope * fire.width - linear * v + held * beyond)


@njit(cache=True, nogil=True, error_model="numpy")
def _onset_update(
    fire: Any, state: Array, at: int, V: Array, offset: float, step: int, fired: Array, count: int, lanes: Lanes
) -> int:
    width = len(lanes)
    peak = fill(V.dtype.type(fire.threshold), lanes)
    for k in range(fire.row.size):
        i = fire.row[k] * width
        v = load(V, i, lanes)
        store(V, i, choose_least(v, peak, peak, v))
    return _fire_update(fire, state, at, V, offset, step, fired, count, lanes)


register(LeakArrays, _leak_currents, _leak_update)
register(HodgkinHuxleyArrays, _huxley_currents, _huxley_update)
register(FireArrays, _fire_currents, _fire_update)
register(OnsetArrays, _onset_currents, _onset_update)
