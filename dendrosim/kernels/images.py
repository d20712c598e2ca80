"""Images moved by whole pixels and mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def _move(images: Array, shape: tuple[int, int, int], down: Array, right: Array, mirrored: Array, out: Array) -> None:
    # unsigned positions: numba would look for negative ones and not vectorise
    channels, rows, columns = shape
    for i in range(down.size):
        y, x = down[i], right[i]
        left, width = max(x, 0), columns - abs(x)
        for c in range(channels):
            plane = (i * channels + c) * rows * columns
            for row in range(rows):
                line = np.uint64(plane + row * columns)
                for k in range(np.uint64(columns)):
                    out[line + k] = 0
                if not 0 <= row - y < rows:
                    continue
                source = np.uint64(plane + (row - y) * columns + left - x)
                to = line + np.uint64(left)
                if mirrored[i]:
                    to = line + np.uint64(columns - 1 - left)
                    for k in range(np.uint64(width)):
                        out[to - k] = images[source + k]
                else:
                    for k in range(np.uint64(width)):
                        out[to + k] = images[source + k]


def moved(images: Array, down: Array, right: Array, mirrored: Array) -> Array:
    """Move every image by its own number of pixels, then mirror it from left to right if it says so.

    Parameters
    ----------
    images : array of shape (B, channels, rows, columns)
        The images, C-contiguous.
    down, right : int array of shape (B,)
        Moves in pixels, each smaller than the image; negative ones go up and to the left.
    mirrored : bool array of shape (B,)
        Which images to mirror.

    Returns
    -------
    array of shape (B, channels, rows, columns)
        Pixels that come in from outside are 0.
    """
    out = np.empty_like(images)
    _move(images.reshape(-1), images.shape[1:], down, right, mirrored, out.reshape(-1))
    return out
