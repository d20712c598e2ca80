"""The fits of the study of inhibition in time find what curves were made of."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def fits() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "time_fits", Path(__file__).resolve().parents[1] / "experiments" / "time_fits.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rate(x: np.ndarray) -> np.ndarray:
    return 60.0 * np.sqrt(np.maximum(x - 1.0, 0.0))


@pytest.mark.parametrize(("a", "b"), [(1.0, 0.7), (0.6, 0.0), (0.8, 0.4), (1.2, -0.2)])
def test_division_and_subtraction_are_found(fits: ModuleType, a: float, b: float) -> None:
    x = np.linspace(0.0, 6.0, 601)
    found = fits.fit(x, rate(x), a * rate(x - b))
    assert found["a"] == pytest.approx(a, abs=3e-3)
    assert found["b"] == pytest.approx(b, abs=3e-3)
    assert found["r2"] == pytest.approx(1.0, abs=1e-4)
    assert (found["r2_subtractive"] > 0.9999) == (a == 1.0)
    assert (found["r2_divisive"] > 0.9999) == (b == 0.0)


def test_nothing_is_found_in_silence(fits: ModuleType) -> None:
    x = np.linspace(0.0, 6.0, 61)
    assert np.isnan(fits.fit(x, rate(x), np.zeros_like(x))["a"])


def test_linear_curves(fits: ModuleType) -> None:
    control = np.linspace(0.0, 15.0, 50)
    assert fits.linear(control, 0.4 * control - 3.0) == pytest.approx((0.4, 3.0, 1.0))
    assert fits.through(control, 0.4 * control) == pytest.approx(1.0)


def test_slope_between_ten_and_sixty(fits: ModuleType) -> None:
    x = np.linspace(0.0, 5.0, 51)
    assert fits.slope(x, np.maximum(40.0 * (x - 1.03), 0.0)) == pytest.approx(40.0)
    assert np.isnan(fits.slope(x, np.where(x > 1.0, 90.0, 0.0)))
