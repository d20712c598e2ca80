"""What the tests of exchange share."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@pytest.fixture
def h() -> Iterator[Any]:
    """NEURON; nothing of a test is left in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        neuron = pytest.importorskip("neuron", reason='NEURON is not installed: pip install -e ".[neuron]"')
    for section in list(neuron.h.allsec()):
        neuron.h.delete_section(sec=section)
    yield neuron.h
    for section in list(neuron.h.allsec()):
        neuron.h.delete_section(sec=section)


def steady(h: Any, segments: list[Any]) -> Floats:
    """Steady voltages of NEURON: backward Euler with very long steps."""
    h.CVode().active(False)
    h.secondorder, h.dt = 0, 1e9
    h.finitialize(-65.0)
    for _ in range(4):
        h.fadvance()
    return np.array([segment.v for segment in segments])


def in_time(h: Any, segments: list[Any], dt: float, steps: int, begin: float, second: bool = False) -> Floats:
    """Voltages of NEURON, (steps + 1, n)."""
    h.CVode().active(False)
    h.secondorder, h.dt = 2 if second else 0, dt
    h.finitialize(begin)
    out = [[segment.v for segment in segments]]
    for _ in range(steps):
        h.fadvance()
        out.append([segment.v for segment in segments])
    return np.array(out)
