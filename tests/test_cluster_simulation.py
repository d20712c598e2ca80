"""The plan for large clusters: what is simulated agrees with what can be worked out."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "experiments" / "cluster_simulation.py"


@pytest.fixture(scope="module")
def plan():
    spec = importlib.util.spec_from_file_location("cluster_simulation", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_a_busy_scheduler_hands_out_what_it_can(plan):
    took = plan.served(5_000, 1_000, 1.0, 0.01, np.random.default_rng(0))
    assert took == pytest.approx(5_000 * 0.01 + 1.0, rel=0.03)


def test_an_idle_scheduler_keeps_every_core_at_work(plan):
    took = plan.served(5_000, 10, 1.0, 1e-6, np.random.default_rng(0))
    assert took == pytest.approx(500 * (1.0 + plan.DELAY), rel=0.01)


@pytest.mark.parametrize("every", [None, 30.0])
def test_losses_by_formula_and_simulated(plan, every):
    duration, mtbf, runs = 300.0, 3_000.0, 40_000
    met, loss = plan.expected(duration, mtbf, every)
    killed, lost = plan.failing(runs, 4_000, 2, duration, mtbf, every, np.random.default_rng(0))
    assert killed == pytest.approx(runs * met, rel=0.1)
    assert lost == pytest.approx(runs * loss * (1.0 if every else 1 + plan.SPREAD**2), rel=0.1)


def test_small_rates_lose_half_a_run_or_half_an_interval(plan):
    assert plan.expected(100.0, 1e7, None)[1] == pytest.approx(100.0**2 / 2 / 1e7, rel=1e-4)
    assert plan.expected(1000.0, 1e7, 30.0)[1] == pytest.approx(30.0 * 1000.0 / 2 / 1e7, rel=1e-4)


def test_durations_have_the_mean_and_the_spread(plan):
    found = plan._durations(10.0, 200_000, np.random.default_rng(0))
    assert found.mean() == pytest.approx(10.0, rel=0.01)
    assert found.std() / found.mean() == pytest.approx(plan.SPREAD, rel=0.02)
    assert found.min() > 0.0
