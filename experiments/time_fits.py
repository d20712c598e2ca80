"""Fits of what inhibition divides by and what it subtracts, for `time_inhibition.py`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = dict[str, Any]
Floats = NDArray[np.float64]


def linear(control: Floats, values: Floats) -> tuple[float, float, float]:
    """Least squares of ``values = a control - c``: a, c, and the part of the variance that it explains."""
    design = np.stack([control, -np.ones_like(control)], axis=1)
    (a, c), *_ = np.linalg.lstsq(design, values, rcond=None)
    left = values - design @ (a, c)
    return float(a), float(c), float(1.0 - left.var() / values.var())


def through(control: Floats, values: Floats) -> float:
    """Part of the variance that ``values = a control`` explains."""
    a = float(control @ values / (control @ control))
    return float(1.0 - np.square(values - a * control).mean() / values.var())


def fit(strength: Floats, control: Floats, values: Floats) -> Row:
    """Least squares of ``values = a control(strength - b)``, and with a = 1 or b = 0 alone.

    Where the control or the values fire, up to three quarters of the strengths (the control needs the rest where b is
    negative). The control is interpolated linearly.
    """
    most = strength[-1]
    used = (strength <= 0.75 * most) & ((control > 0) | (values > 0))
    x, y = strength[used], values[used]
    if used.sum() < 4 or not (y > 0).any():
        return {"a": np.nan, "b": np.nan, "r2": np.nan, "r2_divisive": np.nan, "r2_subtractive": np.nan}

    def error(b: float, a: float | None) -> tuple[float, float]:
        f = np.interp(x - b, strength, control, left=0.0)
        if a is None:
            a = float(f @ y / (f @ f)) if f.any() else 0.0
        return float(np.square(y - a * f).sum()), a

    def best(a: float | None) -> tuple[float, float, float]:
        grid, found = np.linspace(-0.25 * most, most, 501), 0.0
        for _ in range(4):  # finer and finer
            found = float(min(grid, key=lambda b: error(float(b), a)[0]))
            step = grid[1] - grid[0]
            grid = np.linspace(found - step, found + step, 41)
        return (*error(found, a), found)

    total = float(np.square(y - y.mean()).sum()) or np.nan
    both, a, b = best(None)
    return {
        "a": a, "b": b, "r2": 1 - both / total, "r2_divisive": 1 - error(0.0, None)[0] / total,
        "r2_subtractive": 1 - best(1.0)[0] / total,
    }  # fmt: skip


def slope(strength: Floats, rate: Floats, low: float = 10.0, high: float = 60.0) -> float:
    """Rise of the rate from 10 to 60 Hz over that of the strength; nan where the grid does not resolve it."""
    places = []
    for level in (low, high):
        above = np.flatnonzero(rate >= level)
        if not above.size or not above[0]:
            return float("nan")
        i = above[0]
        places.append(i - 1 + (level - rate[i - 1]) / (rate[i] - rate[i - 1]))
    if int(places[0]) == int(places[1]):
        return float("nan")
    return (high - low) / float(np.diff(np.interp(places, np.arange(strength.size), strength))[0])


def write(path: Path, table: list[Row]) -> None:
    """Fits, mean and standard deviation over seeds."""
    keys = ("part", "cell", "soma", "excitation", "inhibition", "place", "level", "unit")
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in table:
        groups.setdefault(tuple(row[k] for k in keys), []).append(row)
    with path.open("w", newline="", encoding="utf-8") as file:
        measures = ("a", "b", "gain", "r2", "r2_divisive", "r2_subtractive")
        out = csv.writer(file)
        out.writerow([*keys, "n", "a", "a_sd", "b", "b_sd", "gain", "gain_sd", *measures[3:]])
        for key, members in groups.items():
            values = np.array([[float(m.get(k, np.nan)) for k in measures] for m in members])
            sd = values.std(axis=0, ddof=1) if len(members) > 1 else np.full(len(measures), np.nan)
            mean = values.mean(axis=0)
            line = [*(v for pair in zip(mean[:3], sd[:3], strict=True) for v in pair), *mean[3:]]
            out.writerow([*key, len(members), *("" if np.isnan(v) else f"{v:.4g}" for v in line)])
