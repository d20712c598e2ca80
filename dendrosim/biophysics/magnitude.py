"""How large and how small numbers may be, so that nothing over- or underflows on the way to a steady state."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..errors import ParameterError


@cache
def limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Least positive and greatest number: products of four of them are numbers too."""
    greatest = float(np.finfo(dtype).max) ** 0.25
    return 1.0 / greatest, greatest


def within(what: str, least: float, greatest: float, dtype: np.dtype[Any]) -> None:
    """Check that positive numbers from `least` to `greatest` are within the limits.

    Raises
    ------
    ParameterError
        Names the limits.
    """
    low, high = limits(dtype)
    if least < low or greatest > high:
        seen = greatest if greatest > high else least
        wider = "; float64 holds more" if dtype == np.float32 else ""
        raise ParameterError(
            f"{what}: {seen:.6g} is beyond what {dtype} can calculate with, {low:.2g} to {high:.2g}; check the "
            f"units{wider}"
        )
