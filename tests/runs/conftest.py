"""Runs that took no time to train."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from dendrosim.networks import PointMLP
from dendrosim.training.run import Run


def made_up(seed: int = 0, arm: str = "all", number: int = 0, factors: Mapping[str, Any] | None = None) -> Run:
    """A run whose numbers follow from its seed: the test accuracy is a hundredth of it."""
    history = {name: np.array([0.5, 0.25]) for name in ("train_loss", "train_accuracy", "seconds", "passes")}
    history["validation_accuracy"] = np.array([0.5, 0.625])
    config = {
        "task": {"name": "toy"},
        "network": {"kind": "point_mlp"},
        "teaching": {"name": "exact"},
        "rule": {"name": "gradient"},
        "training": {"seed": seed},
        "experiment": {"arm": arm, "number": number, "factors": dict(factors or {})},
    }
    return Run(history, seed / 100, 0.5, 2, config, {"notes": {"values": np.zeros(3)}}, PointMLP(3, 2, 4))


@pytest.fixture
def a_run() -> Callable[..., Run]:
    return made_up
