"""Elementwise parts of residual networks: GELU with its slope, layer normalisation and softmax, forward and back.

Whatever is 1e-30 or smaller becomes exactly 0: in float32 products of such numbers are denormal, and processors take a
hundred times as long for those.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from .simd import absolute, choose_least, clamp, exponential, fill, load, store

Array = NDArray[Any]
Lanes = tuple[float, ...]

TINY = 1e-30
"""Values, slopes and products up to it count as 0; NaN stays NaN."""

# Phi(-u) = exp(-u^2 / 2) t P(2 t - 1), t = 1 / (1 + c u), u >= 0: Chebyshev fits of erfcx(z) / (2 t), made here;
# largest relative error 4e-8 (single) and 5e-15 (double)
_SCALE_SINGLE, _SCALE_DOUBLE = 0.45 / 2.0**0.5, 0.25 / 2.0**0.5
_SINGLE = (
    0.23357014560620099, 0.16771728060346355, 0.08139457445788038, 0.021069500589419345, -0.0014285106685202932,
    -0.0025675915399543756, -7.332685951998002e-05, 0.00034977660024430434, 8.442249871980657e-06,
    -4.030085079208222e-05,
)  # fmt: skip
_DOUBLE = (
    0.1369994576250615, 0.12206859113510973, 0.09665108778312151, 0.06760672891415062, 0.04135644848616135,
    0.02175136715578138, 0.009547689342848812, 0.0032962566562430317, 0.0007640071115856376, 3.511992800493997e-05,
    -5.6882255683068334e-05, -2.2101840699629646e-05, -4.525770394213538e-07, 2.3581020943534106e-06,
    5.836161492343205e-07, -1.7864675742739926e-07, -1.0219364443379625e-07, 9.904559749283085e-09,
    1.305434106772766e-08, -2.802210921652523e-10, -1.0211668203332858e-09,
)  # fmt: skip
_DENSITY = 0.3989422804014327
_FARTHEST = 85.0
"""exp(-85) is the least that float32 holds with all its bits; everything beyond is set to 0."""


@njit(cache=True, nogil=True, error_model="numpy")
def _gelu(
    pre: Array, bias: Array, value: Array, slope: Array, rows: int, width: int, first: int, last: int, lanes: Lanes
) -> None:
    single = pre.itemsize == 4
    zero, one = fill(pre.dtype.type(0.0), lanes), fill(pre.dtype.type(1.0), lanes)
    tiny = fill(pre.dtype.type(TINY), lanes)
    scale = _SCALE_SINGLE if single else _SCALE_DOUBLE
    for row in range(rows):
        for j in range(first, last, len(lanes)):
            i = row * width + j
            x = load(pre, i, lanes) + load(bias, j, lanes)
            t = one / (absolute(x) * scale + one)
            s = t * 2.0 - one
            if single:
                series = fill(pre.dtype.type(_SINGLE[9]), lanes)
                for k in range(8, -1, -1):
                    series = series * s + _SINGLE[k]
            else:
                series = fill(pre.dtype.type(_DOUBLE[20]), lanes)
                for k in range(19, -1, -1):
                    series = series * s + _DOUBLE[k]
            bell = exponential(clamp(x * x * -0.5, -_FARTHEST, 0.0))
            tail = bell * t * series
            phi = choose_least(x, zero, one - tail, tail)
            h = x * phi
            g = phi + x * bell * _DENSITY
            store(value, i, choose_least(tiny, absolute(h), zero, h))
            store(slope, i, choose_least(tiny, absolute(g), zero, g))


@njit(cache=True, nogil=True, error_model="numpy")
def gelu(pre: Array, bias: Array, value: Array, slope: Array, rows: int, width: int, lanes: Lanes) -> None:
    """``value = x Phi(x)`` and ``slope = Phi(x) + x phi(x)`` of x = pre + bias, exact (Hendrycks & Gimpel 2016, eq. 1).

    Parameters
    ----------
    pre, value, slope : arrays of rows * width values
        `slope` may be `pre`.
    bias : array of shape (width,)
    lanes : tuple of numbers
        Its length is that of a vector.
    """
    even = width // len(lanes) * len(lanes)
    _gelu(pre, bias, value, slope, rows, width, 0, even, lanes)
    _gelu(pre, bias, value, slope, rows, width, even, width, (0.0,))


@njit(cache=True, nogil=True, error_model="numpy")
def _times(target: Array, factor: Array, first: int, last: int, lanes: Lanes) -> None:
    zero, tiny = fill(target.dtype.type(0.0), lanes), fill(target.dtype.type(TINY), lanes)
    for i in range(first, last, len(lanes)):
        product = load(target, i, lanes) * load(factor, i, lanes)
        store(target, i, choose_least(tiny, absolute(product), zero, product))


@njit(cache=True, nogil=True, error_model="numpy")
def times(target: Array, factor: Array, lanes: Lanes) -> None:
    """``target *= factor``, 0 where the product is 1e-30 or smaller; NaN stays NaN."""
    even = target.size // len(lanes) * len(lanes)
    _times(target, factor, 0, even, lanes)
    _times(target, factor, even, target.size, (0.0,))


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def normalise(x: Array, gain: Array, bias: Array, epsilon: float, unit: Array, inverse: Array, out: Array) -> None:
    """Layer normalisation (Ba et al. 2016): ``unit = (x - mean) / s`` and ``out = unit * gain + bias``, row by row.

    Parameters
    ----------
    x, unit, out : arrays of shape (B, d)
    gain, bias : arrays of shape (d,)
    epsilon : float
        Added to the variance, which divides by d.
    inverse : array of shape (B,)
        1 / s of every row.
    """
    width = x.shape[1]
    kind = x.dtype.type
    share = kind(1.0) / kind(width)
    for i in range(x.shape[0]):
        mean = kind(0.0)
        for j in range(width):
            mean += x[i, j]
        mean *= share
        variance = kind(0.0)
        for j in range(width):
            off = x[i, j] - mean
            variance += off * off
        scale = kind(1.0 / (variance * share + epsilon) ** 0.5)
        inverse[i] = scale
        for j in range(width):
            z = (x[i, j] - mean) * scale
            unit[i, j] = z
            out[i, j] = z * gain[j] + bias[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def normalise_gradients(dy: Array, unit: Array, gain: Array, bias: Array) -> None:
    """Gradients of gain and bias, summed over rows: ``gain = sum dy unit``, ``bias = sum dy``."""
    gain[:] = 0
    bias[:] = 0
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            gain[j] += dy[i, j] * unit[i, j]
            bias[j] += dy[i, j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def normalise_back(dy: Array, gain: Array, unit: Array, inverse: Array, out: Array) -> None:
    """``out = (g - mean(g) - unit mean(g unit)) / s`` with g = dy gain, row by row; `out` may be `dy`."""
    width = dy.shape[1]
    kind = dy.dtype.type
    share = kind(1.0) / kind(width)
    for i in range(dy.shape[0]):
        mean, along = kind(0.0), kind(0.0)
        for j in range(width):
            g = dy[i, j] * gain[j]
            mean += g
            along += g * unit[i, j]
        mean *= share
        along *= share
        for j in range(width):
            out[i, j] = (dy[i, j] * gain[j] - mean - unit[i, j] * along) * inverse[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _largest(x: Array, first: int, last: int, most: Array, lanes: Lanes) -> None:
    """Larger values of `most` and of x[first:last], lane by lane, into `most`."""
    found = load(most, 0, lanes)
    for i in range(first, last, len(lanes)):
        value = load(x, i, lanes)
        found = choose_least(value, found, value, found)
    store(most, 0, found)


@njit(cache=True, nogil=True, error_model="numpy")
def _powers(x: Array, first: int, last: int, scale: float, top: float, sums: Array, lanes: Lanes) -> None:
    """``x = exp(scale * x - top)`` in place; adds to `sums`, lane by lane."""
    total = load(sums, 0, lanes)
    for i in range(first, last, len(lanes)):
        e = exponential(clamp(load(x, i, lanes) * scale - top, -_FARTHEST, 0.0))
        store(x, i, e)
        total = total + e
    store(sums, 0, total)


@njit(cache=True, nogil=True, error_model="numpy")
def _shares(x: Array, first: int, last: int, factor: float, lanes: Lanes) -> None:
    zero, tiny = fill(x.dtype.type(0.0), lanes), fill(x.dtype.type(TINY), lanes)
    for i in range(first, last, len(lanes)):
        share = load(x, i, lanes) * factor
        store(x, i, choose_least(tiny, share, zero, share))


@njit(cache=True, nogil=True, error_model="numpy")
def softmax(x: Array, scale: float, rows: int, width: int, memory: Array, lanes: Lanes) -> None:
    """``exp(scale x) / sum`` row by row, in place; what is 1e-30 or smaller becomes 0, NaN makes its row NaN.

    Parameters
    ----------
    x : array of rows * width values
    scale : float
        Above 0.
    memory : array of shape (lanes,)
    """
    size = len(lanes)
    for row in range(rows):
        first, last = row * width, (row + 1) * width
        even = first + width // size * size
        memory[:] = x[first]
        _largest(x, first, even, memory, lanes)
        _largest(x, even, last, memory, (0.0,))
        top = memory[0]
        for i in range(1, size):
            top = max(top, memory[i])
        memory[:] = 0.0
        _powers(x, first, even, scale, top * scale, memory, lanes)
        _powers(x, even, last, scale, top * scale, memory, (0.0,))
        total = memory[0]
        for i in range(1, size):
            total += memory[i]
        factor = x.dtype.type(1.0) / total
        _shares(x, first, even, factor, lanes)
        _shares(x, even, last, factor, (0.0,))


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def softmax_back(dy: Array, y: Array, scale: float) -> None:
    """``dy = scale * y * (dy - sum(dy * y))`` row by row, in place: dL/dx of ``y = softmax(scale x)``.

    Parameters
    ----------
    dy, y : arrays of shape (rows, width)
    """
    kind = dy.dtype.type
    for i in range(dy.shape[0]):
        along = kind(0.0)
        for j in range(dy.shape[1]):
            along += dy[i, j] * y[i, j]
        for j in range(dy.shape[1]):
            dy[i, j] = (dy[i, j] - along) * y[i, j] * kind(scale)
