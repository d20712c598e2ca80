"""Round lengths for scale bars, and lengths as text."""

from __future__ import annotations

import math


def round_length(most: float) -> float:
    """Return the greatest length of the form 1, 2 or 5 times a power of ten that is at most `most`.

    Examples
    --------
    >>> [round_length(most) for most in (0.7, 130.0, 2000.0)]
    [0.5, 100.0, 2000.0]
    """
    power = 10.0 ** math.floor(math.log10(most) + 1e-12)
    return next(float(f"{digit * power:.0e}") for digit in (5, 2, 1) if digit * power <= most * (1 + 1e-9))


def length_label(length: float) -> str:
    """Return `length` in um as text: ``100 µm``, ``1 mm``."""
    return f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
