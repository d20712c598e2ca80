"""Times and the grid of steps."""

from __future__ import annotations

from typing import Any

import numpy as np


def off_grid(steps: Any) -> Any:
    """Whether times, given in steps, are no whole numbers of them but for rounding; of a number or of every element."""
    return np.abs(steps - np.round(steps)) > 1e-6 * np.maximum(1.0, steps)
