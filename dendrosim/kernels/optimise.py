"""Updates of flat parameter arrays in place, their positive transforms, and the choice of the K largest per bank."""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from .simd import absolute, choose_least, clamp, exponential, fill, load, square_root, store

Array = NDArray[Any]
Lanes = tuple[float, ...]

SOFTPLUS, EXP = 0, 1
_ODD = tuple(1.0 / (2 * k + 1) for k in range(18))
_RANGE = 85.0
"""exp of more does not fit into float32; softplus is the identity long before."""


@njit(cache=True, nogil=True, error_model="numpy")
def _sgd(raw: Array, gradient: Array, rate: float, clip: float, first: int, last: int, lanes: Lanes) -> None:
    for i in range(first, last, len(lanes)):
        g = clamp(load(gradient, i, lanes), -clip, clip)
        store(raw, i, load(raw, i, lanes) - g * rate)


@njit(cache=True, nogil=True, error_model="numpy")
def sgd(raw: Array, gradient: Array, rate: float, clip: float, first: int, last: int, lanes: Lanes) -> None:
    """``raw -= rate * clipped gradient`` for entries `first` to `last`; `clip` bounds every value."""
    even = first + (last - first) // len(lanes) * len(lanes)
    _sgd(raw, gradient, rate, clip, first, even, lanes)
    _sgd(raw, gradient, rate, clip, even, last, (0.0,))


@njit(cache=True, nogil=True, error_model="numpy")
def _momentum(
    raw: Array,
    gradient: Array,
    velocity: Array,
    rate: float,
    decay: float,
    clip: float,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    for i in range(first, last, len(lanes)):
        v = load(velocity, i, lanes) * decay + clamp(load(gradient, i, lanes), -clip, clip)
        store(velocity, i, v)
        store(raw, i, load(raw, i, lanes) - v * rate)


@njit(cache=True, nogil=True, error_model="numpy")
def momentum(
    raw: Array,
    gradient: Array,
    velocity: Array,
    rate: float,
    decay: float,
    clip: float,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    """Heavy-ball momentum: ``v = decay v + clipped gradient; raw -= rate v``."""
    even = first + (last - first) // len(lanes) * len(lanes)
    _momentum(raw, gradient, velocity, rate, decay, clip, first, even, lanes)
    _momentum(raw, gradient, velocity, rate, decay, clip, even, last, (0.0,))


@njit(cache=True, nogil=True, error_model="numpy")
def _adam(
    raw: Array,
    gradient: Array,
    mean: Array,
    square: Array,
    rate: float,
    beta1: float,
    beta2: float,
    shrink: float,
    epsilon: float,
    clip: float,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    for i in range(first, last, len(lanes)):
        g = clamp(load(gradient, i, lanes), -clip, clip)
        m = load(mean, i, lanes) * beta1 + g * (1.0 - beta1)
        s = load(square, i, lanes) * beta2 + (g * g) * (1.0 - beta2)
        store(mean, i, m)
        store(square, i, s)
        store(raw, i, load(raw, i, lanes) - m * rate / (square_root(s) * shrink + epsilon))


@njit(cache=True, nogil=True, error_model="numpy")
def adam(
    raw: Array,
    gradient: Array,
    mean: Array,
    square: Array,
    rate: float,
    beta1: float,
    beta2: float,
    shrink: float,
    epsilon: float,
    clip: float,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    """Adam (Kingma & Ba 2015); `rate` includes the correction of the first moment, `shrink` is that of the second."""
    even = first + (last - first) // len(lanes) * len(lanes)
    _adam(raw, gradient, mean, square, rate, beta1, beta2, shrink, epsilon, clip, first, even, lanes)
    _adam(raw, gradient, mean, square, rate, beta1, beta2, shrink, epsilon, clip, even, last, (0.0,))


@njit(cache=True, nogil=True, error_model="numpy")
def _adamw(
    raw: Array,
    gradient: Array,
    mean: Array,
    square: Array,
    rate: float,
    keep: float,
    beta1: float,
    beta2: float,
    shrink: float,
    epsilon: float,
    clip: float,
    tiny: float,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    kind = raw.dtype.type
    zero, least = fill(kind(0.0), lanes), fill(kind(tiny), lanes)
    least_mean, least_square = fill(kind(tiny * 1e-13), lanes), fill(kind(tiny * tiny), lanes)
    for i in range(first, last, len(lanes)):
        g = clamp(load(gradient, i, lanes), -clip, clip)
        g = choose_least(least, absolute(g), zero, g)  # NaN stays NaN
        m = load(mean, i, lanes) * beta1 + g * (1.0 - beta1)
        s = load(square, i, lanes) * beta2 + (g * g) * (1.0 - beta2)
        m = choose_least(least_mean, absolute(m), zero, m)
        s = choose_least(least_square, s, zero, s)
        store(mean, i, m)
        store(square, i, s)
        store(raw, i, load(raw, i, lanes) * keep - m * rate / (square_root(s) * shrink + epsilon))


@njit(cache=True, nogil=True, error_model="numpy")
def adamw(
    raw: Array,
    gradient: Array,
    mean: Array,
    square: Array,
    rate: float,
    keep: float,
    beta1: float,
    beta2: float,
    shrink: float,
    epsilon: float,
    clip: float,
    tiny: float,
    first: int,
    last: int,
    lanes: Lanes,
) -> None:
    """Adam with decoupled decay (Loshchilov & Hutter 2019) in one pass: parameters shrink by `keep` first.

    Parameters
    ----------
    tiny : float
        Gradients up to it count as 0, and so do moments: means up to tiny * 1e-13, squares up to tiny^2. What decays
        towards 0 would end as denormal numbers, which take a hundred times as long. 0 for none of this.
    """
    even = first + (last - first) // len(lanes) * len(lanes)
    _adamw(raw, gradient, mean, square, rate, keep, beta1, beta2, shrink, epsilon, clip, tiny, first, even, lanes)
    _adamw(raw, gradient, mean, square, rate, keep, beta1, beta2, shrink, epsilon, clip, tiny, even, last, (0.0,))


@njit(cache=True, nogil=True, error_model="numpy")
def _positive(raw: Array, kind: int, value: Array, factor: Array, first: int, last: int, lanes: Lanes) -> None:
    one = fill(raw.dtype.type(1.0), lanes)
    terms = 8 if raw.itemsize == 4 else 17
    for i in range(first, last, len(lanes)):
        x = load(raw, i, lanes)
        if kind == EXP:
            e = exponential(clamp(x, -_RANGE, _RANGE))
            store(value, i, e)
            store(factor, i, e)
        else:
            # max(x, 0) + log(1 + e^-|x|), the logarithm by 2 artanh(e / (2 + e)): no cancellation, at most 1/3
            e = exponential(clamp(absolute(x) * -1.0, -_RANGE, 0.0))
            s = e / (e + 2.0)
            t = s * s
            series = fill(raw.dtype.type(_ODD[terms]), lanes)
            for k in range(terms - 1, -1, -1):
                series = series * t + _ODD[k]
            store(value, i, (x + absolute(x)) * 0.5 + s * series * 2.0)
            store(factor, i, one / (exponential(clamp(x * -1.0, -_RANGE, _RANGE)) + one))


@njit(cache=True, nogil=True, error_model="numpy")
def positive(raw: Array, kind: int, value: Array, factor: Array, first: int, last: int, lanes: Lanes) -> None:
    """Positive parameters ``value = softplus(raw)`` or ``exp(raw)`` and ``factor = d value / d raw``."""
    even = first + (last - first) // len(lanes) * len(lanes)
    _positive(raw, kind, value, factor, first, even, lanes)
    _positive(raw, kind, value, factor, even, last, (0.0,))


@njit(cache=True, nogil=True, error_model="numpy")
def reselect(
    bank_first: Array,
    bank_last: Array,
    heap_first: Array,
    heap_last: Array,
    best: Array,
    raw: Array,
    source: Array,
    heap: Array,
    heap_source: Array,
    mean: Array,
    square: Array,
    first_bank: int,
    last_bank: int,
) -> int:
    """Make the active synapses of every bank its K largest raw weights again.

    Only active weights move, so that a bank needs work only where one fell below the best inactive weight; the two
    change places, the newcomer with empty moments.

    Parameters
    ----------
    bank_first, bank_last : int arrays
        Synapses of each bank.
    heap_first, heap_last : int arrays
        Its inactive candidates.
    best : array
        The largest of them, -inf where there is none; kept up to date.
    heap, heap_source : arrays
        Raw weights and sources of inactive candidates, those of a bank ordered as a heap: entry k of it is not smaller
        than its entries 2 k + 1 and 2 k + 2, so that the largest comes first.
    mean, square : arrays
        Moments of the optimiser, cleared for newcomers; arrays of shape (0,) where it has none.

    Returns
    -------
    int
        Number of synapses exchanged.
    """
    swaps = 0
    for bank in range(first_bank, last_bank):
        while True:
            least = smallest(raw, bank_first[bank], bank_last[bank])
            if not least < best[bank]:
                break
            top, size = heap_first[bank], heap_last[bank] - heap_first[bank]
            low = bank_first[bank]
            while raw[low] != least:
                low += 1
            raw[low] = heap[top]
            leaving, source[low] = source[low], heap_source[top]
            if mean.size:
                mean[low] = 0.0
            if square.size:
                square[low] = 0.0
            k = 0  # the one that leaves sinks from the top to its place
            while True:
                child = 2 * k + 1
                if child + 1 < size and heap[top + child + 1] > heap[top + child]:
                    child += 1
                if child >= size or not heap[top + child] > least:
                    break
                heap[top + k], heap_source[top + k] = heap[top + child], heap_source[top + child]
                k = child
            heap[top + k], heap_source[top + k] = least, leaving
            best[bank] = heap[top]
            swaps += 1
    return swaps


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz", "reassoc"})
def smallest(values: Array, first: int, last: int) -> float:
    """Smallest of ``values[first:last]``."""
    out = values[first]
    for i in range(first, last):
        out = min(out, values[i])
    return out
