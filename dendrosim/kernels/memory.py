"""Memory that vectors load without crossing cache lines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

LINE = 64
"""Bytes of a cache line; a vector that crosses one costs two loads."""


def aligned(shape: int | tuple[int, ...], dtype: np.dtype[Any] | type) -> NDArray[Any]:
    """Zeros that begin at a cache line."""
    kind = np.dtype(dtype)
    size = math.prod(shape) if isinstance(shape, tuple) else shape
    raw = np.zeros(size * kind.itemsize + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size * kind.itemsize].view(kind).reshape(shape)
