"""Statistics of compartments over a batch and over layers, and what they scale: arrays in flat blocks of samples.

Row r of block k of an array with `rows` rows begins at ``(k * rows + r) * width``; `width` is the number of entries of
`lanes`. Samples past `n_samples` hold no stimulus and are left out. Single precision is summed over one block only;
sums over blocks are in double precision, about the first sample, so that small variances keep their digits.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from .simd import fill, load, store, total

Array = NDArray[Any]
Lanes = tuple[float, ...]


@njit(cache=True, nogil=True, error_model="numpy")
def pair_moments(
    values: Array, others: Array, partner: Array, n_samples: int, moments: Array, sums: Array, lanes: Lanes
) -> None:
    """Means, variances and covariance over the batch of each row with its partner.

    Parameters
    ----------
    values, others : arrays of n_blocks * n_rows * width values
        The same array twice to pair rows of one array.
    partner : int array of shape (n_rows,)
        Row of `others`; -1 leaves a row out (zeros).
    moments : float64 array of shape (5, n_rows)
        Written: mean and variance of the row, mean and variance of its partner, their covariance (biased: 1 / B).
    sums : float64 array of shape (5,)
        Scratch.
    """
    width = len(lanes)
    n_rows = partner.size
    moments[:] = 0.0
    n_blocks = (n_samples + width - 1) // width
    for block in range(n_blocks):
        here = min(width, n_samples - block * width)
        for n in range(n_rows):
            if partner[n] < 0:
                continue
            i = (block * n_rows + n) * width
            j = (block * n_rows + partner[n]) * width
            v0, p0 = values[n * width], others[partner[n] * width]
            if here == width:
                v = load(values, i, lanes) - fill(v0, lanes)
                p = load(others, j, lanes) - fill(p0, lanes)
                moments[0, n] += total(v)
                moments[1, n] += total(v * v)
                moments[2, n] += total(p)
                moments[3, n] += total(p * p)
                moments[4, n] += total(v * p)
            else:
                sums[:] = 0.0
                for w in range(here):
                    dv, dp = float(values[i + w]) - v0, float(others[j + w]) - p0
                    sums[0] += dv
                    sums[1] += dv * dv
                    sums[2] += dp
                    sums[3] += dp * dp
                    sums[4] += dv * dp
                for m in range(5):
                    moments[m, n] += sums[m]
    for n in range(n_rows):
        if partner[n] < 0:
            continue
        for m in range(5):
            moments[m, n] /= n_samples
        v1, p1 = moments[0, n], moments[2, n]
        moments[0, n] += values[n * width]
        moments[1, n] = max(moments[1, n] - v1 * v1, 0.0)
        moments[2, n] += others[partner[n] * width]
        moments[3, n] = max(moments[3, n] - p1 * p1, 0.0)
        moments[4, n] -= v1 * p1


@njit(cache=True, nogil=True, error_model="numpy")
def layer_means(values: Array, layer: Array, n_layers: int, n_samples: int, means: Array, lanes: Lanes) -> None:
    """Mean over the rows of each layer, per sample.

    Parameters
    ----------
    layer : int array of shape (n_rows,)
        Layer of each row; -1 leaves a row out.
    means : float64 array of shape (n_layers, n_samples)
        Written.
    """
    width = len(lanes)
    n_rows = layer.size
    means[:] = 0.0
    for block in range((n_samples + width - 1) // width):
        b0 = block * width
        here = min(width, n_samples - b0)
        for n in range(n_rows):
            if layer[n] >= 0:
                i = (block * n_rows + n) * width
                row = means[layer[n]]
                for w in range(here):
                    row[b0 + w] += values[i + w]
    for k in range(n_layers):
        count = 0
        for n in range(n_rows):
            count += layer[n] == k
        means[k] /= max(count, 1)


@njit(cache=True, nogil=True, error_model="numpy")
def scale_layers(values: Array, layer: Array, factor: Array, n_blocks: int, lanes: Lanes) -> None:
    """Multiply each row by the factor of its layer, per sample; `factor` is (n_layers, n_blocks * width), flat."""
    width = len(lanes)
    n_rows = layer.size
    for block in range(n_blocks):
        for n in range(n_rows):
            i = (block * n_rows + n) * width
            at = (layer[n] * n_blocks + block) * width
            store(values, i, load(values, i, lanes) * load(factor, at, lanes))


@njit(cache=True, nogil=True, error_model="numpy")
def centred_rows(values: Array, rows: Array, n_rows: int, width: int, n_samples: int, out: Array) -> None:
    """Some rows, each less its mean over the samples, as an array of shape (rows.size, n_samples)."""
    for k in range(rows.size):
        mean = 0.0
        for block in range((n_samples + width - 1) // width):
            i = (block * n_rows + rows[k]) * width
            b0 = block * width
            for w in range(min(width, n_samples - b0)):
                out[k, b0 + w] = values[i + w]
                mean += values[i + w]
        shift = values.dtype.type(mean / n_samples)
        for b in range(n_samples):
            out[k, b] -= shift


@njit(cache=True, nogil=True, error_model="numpy")
def add_rows(
    values: Array, rows: Array, n_rows: int, width: int, more: Array, weight: float, limit: float, times: Array
) -> None:
    """Add ``weight * more * times`` to some rows, `more` (rows.size, n_samples) being kept within +-`limit` first."""
    n_samples = more.shape[1]
    size, most = values.dtype.type(weight), values.dtype.type(limit)
    for k in range(rows.size):
        for block in range((n_samples + width - 1) // width):
            i = (block * n_rows + rows[k]) * width
            b0 = block * width
            for w in range(min(width, n_samples - b0)):
                values[i + w] += size * min(max(more[k, b0 + w], -most), most) * times[i + w]
