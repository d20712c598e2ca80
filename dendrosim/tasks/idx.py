"""The IDX format of MNIST and its like."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

BYTES = 0x08  # the type of element that these files have
LARGEST = 2**30
"""Bytes that are unpacked at most; the largest of these files have 47 million."""
WHAT = {1: "labels", 3: "images"}


def read_idx(path: Path, n_axes: int) -> NDArray[np.uint8]:
    """Read a gzip-compressed IDX file of bytes.

    The format: two zero bytes, the type of the elements (8: bytes without sign), the number of axes, the length of
    every axis as a big-endian 32-bit integer, then the elements, the last axis running fastest.

    Parameters
    ----------
    path : Path
        Of a ``.gz`` file.
    n_axes : {1, 3}
        1 for labels, 3 for images.

    Returns
    -------
    uint8 array with `n_axes` axes

    Raises
    ------
    DataError
        If the file is damaged or holds something else.
    """
    start = 4 + 4 * n_axes
    expected = bytes([0, 0, BYTES, n_axes])
    try:
        with gzip.open(path) as file:
            content = file.read(start)
            if content[:4] == expected and len(content) == start:  # only as much as the header says, and one byte more
                promised = math.prod(np.frombuffer(content, ">u4", n_axes, offset=4).tolist())
                content += file.read(min(promised, LARGEST) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _bad(path, f"it cannot be unpacked ({error})") from error
    if content[:4] != expected:
        raise _bad(
            path, f"it begins with {content[:4].hex(' ') or 'nothing'}, and {WHAT[n_axes]} with {expected.hex(' ')}"
        )
    if len(content) < start:
        raise _bad(path, f"its header ends after {len(content)} of {start} bytes")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", n_axes, offset=4))
    wanted: Any = np.prod(shape, dtype=object)  # of any size: a damaged header must not overflow
    if len(content) - start != wanted or not wanted:
        raise _bad(path, f"its header promises {' x '.join(map(str, shape))} bytes, and {len(content) - start} follow")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _bad(path: Path, why: str) -> DataError:
    return DataError(f"{path} cannot be read as a gzip-compressed IDX file: {why}; get the official file again")
