"""Channels of one's own, written down as a user would: two functions in plain Python."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dendrosim as ds
from dendrosim.errors import ParameterError

METHODS = ("backward_euler", "crank_nicolson")


@numba.njit
def trap(z: float) -> float:
    return 1.0 - z / 2.0 if abs(z) < 1e-6 else z / (math.exp(z) - 1.0)


@dataclass(frozen=True)
class Sodium(ds.Channel):
    """Of the squid axon."""

    conductance: float = 0.12
    reversal: float = 50.0
    name = "sodium"

    @staticmethod
    def kinetics(v: float) -> tuple[tuple[float, float], tuple[float, float]]:
        am, bm = trap(-(v + 40.0) / 10.0), 4.0 * math.exp(-(v + 65.0) / 18.0)
        ah, bh = 0.07 * math.exp(-(v + 65.0) / 20.0), 1.0 / (math.exp(-(v + 35.0) / 10.0) + 1.0)
        return (am / (am + bm), 1.0 / (am + bm)), (ah / (ah + bh), 1.0 / (ah + bh))

    @staticmethod
    def opening(gates: np.ndarray, v: float) -> float:
        return gates[0] ** 3 * gates[1]


@dataclass(frozen=True)
class Potassium(ds.Channel):
    conductance: float = 0.036
    reversal: float = -77.0
    name = "potassium"

    @staticmethod
    def kinetics(v: float) -> tuple[tuple[float, float]]:
        a, b = 0.1 * trap(-(v + 55.0) / 10.0), 0.125 * math.exp(-(v + 65.0) / 80.0)
        return ((a / (a + b), 1.0 / (a + b)),)

    @staticmethod
    def opening(gates: np.ndarray, v: float) -> float:
        return gates[0] ** 4


@dataclass(frozen=True)
class Persistent(ds.Channel):
    """A persistent sodium current, instantaneous, with fields of its own."""

    conductance: float = 0.002
    reversal: float = 50.0
    half: float = -48.0
    width: float = 6.0
    name = "persistent_sodium"

    @staticmethod
    def kinetics(v: float, half: float, width: float) -> tuple[()]:
        return ()

    @staticmethod
    def opening(gates: np.ndarray, v: float, half: float, width: float) -> float:
        return 1.0 / (1.0 + math.exp((half - v) / width))


@dataclass(frozen=True)
class Muscarinic(ds.Channel):
    """Slow potassium current; Yamada, Koch & Adams in Methods in Neuronal Modeling (1989)."""

    conductance: float = 0.003
    reversal: float = -90.0
    name = "muscarinic"

    @staticmethod
    def kinetics(v: float) -> tuple[tuple[float, float]]:
        slow = 3.3 * math.exp((v + 35.0) / 20.0) + math.exp(-(v + 35.0) / 20.0)
        return ((1.0 / (1.0 + math.exp(-(v + 35.0) / 10.0)), 1000.0 / slow),)

    @staticmethod
    def opening(gates: np.ndarray, v: float) -> float:
        return gates[0]


@pytest.mark.parametrize("n_stimuli", [1, 3])
def test_squid_axon_from_two_channels_is_hodgkin_huxley(n_stimuli: int) -> None:
    cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    leak = ds.LeakConductance(10.0 * 0.0003 * cell.area[0], -54.3)
    clamp = ds.Clamp(0, np.linspace(500.0, 800.0, n_stimuli))
    known, own = (
        ds.simulate(cell, duration=30.0, mechanisms=m, clamps=clamp, record="all")
        for m in (ds.HodgkinHuxley(), [Sodium(), Potassium(), leak])
    )
    assert known.spike_time.size >= 2 * n_stimuli
    np.testing.assert_allclose(own.voltage, known.voltage, rtol=0, atol=1e-8)


@pytest.mark.parametrize(("method", "expected"), [("backward_euler", 1.0), ("crank_nicolson", 2.0)])
def test_order_with_an_instantaneous_and_a_slow_gate(method: str, expected: float) -> None:
    cell = ds.Compartments([-1], leak=2.0, capacitance=30.0, leak_reversal=-65.0, area=1000.0)
    sodium, potassium = Persistent(conductance=0.0004), Muscarinic(conductance=0.0006)

    def change(t: float, y: np.ndarray) -> list[float]:
        v, w = y
        inward = 4.0 / (1 + np.exp((-48.0 - v) / 6.0)) * (50.0 - v)
        target, slow = 1 / (1 + np.exp(-(v + 35) / 10)), 3.3 * np.exp((v + 35) / 20) + np.exp(-(v + 35) / 20)
        return [(2.0 * (-65.0 - v) + inward + 6.0 * w * (-90.0 - v) + 30.0) / 30.0, (target - w) * slow / 1000.0]

    start = 1 / (1 + np.exp(30.0 / 10.0))
    fine = solve_ivp(change, (0, 51.2), [-65.0, start], rtol=1e-12, atol=1e-12, method="DOP853").y[0, -1]
    assert fine > -50.0
    errors = [
        abs(
            ds.simulate(
                cell, dt=dt, duration=51.2, method=method, mechanisms=[sodium, potassium], clamps=ds.Clamp(0, 30.0)
            ).voltage[0, -1, 0]
            - fine
        )
        for dt in (0.4, 0.2, 0.1)
    ]
    order = float(np.polyfit(-np.arange(3), np.log2(errors), 1)[0])
    assert abs(order - expected) < 0.25, (order, errors)


@pytest.mark.parametrize("method", METHODS)
def test_channels_rest_and_go_on_bit_for_bit(method: str) -> None:
    cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    active = [Persistent(conductance=0.0005), Muscarinic(at="all", conductance=0.0001)]
    rest = ds.simulate(
        cell, dt=0.1, duration=300.0, mechanisms=active, initial="steady", record="all", every=500, method=method
    )
    np.testing.assert_allclose(rest.voltage, rest.voltage[:, :1].repeat(rest.time.size, 1), rtol=0, atol=1e-9)
    options = {"dt": 0.125, "mechanisms": active, "method": method, "clamps": ds.Clamp(0, 200.0)}
    whole = ds.simulate(cell, duration=20.0, **options)
    half = ds.simulate(cell, duration=10.0, **options)
    more = ds.simulate(cell, duration=10.0, initial=half.final, **options)
    np.testing.assert_array_equal(whole.voltage[:, 80:], more.voltage)


def test_a_function_that_changed_is_compiled_anew(tmp_path: Path) -> None:
    """Compiled steps are kept on disk; what they were compiled from is part of what they are known by."""
    script = """
import math, sys
from dataclasses import dataclass
import numba, dendrosim as ds
@numba.njit
def helper(v):
    return {factor} * math.exp(v / 50.0)
@dataclass(frozen=True)
class Own(ds.Channel):
    conductance: float = 0.001
    reversal: float = 0.0
    name = "own"
    @staticmethod
    def kinetics(v):
        return ((0.5, 5.0),)
    @staticmethod
    def opening(gates, v):
        return gates[0] * helper(v)
cell = ds.Compartments([-1], leak=10.0, capacitance=1.0, leak_reversal=-70.0, area=1000.0)
v = ds.simulate(cell, dt=0.1, duration=5.0, mechanisms=Own()).voltage[0, -1, 0]
print(10.0 * (v + 70.0) / (10.0 * 0.5 * math.exp(v / 50.0) * -v))
"""
    for factor in (1.0, 2.0, 1.0):
        path = tmp_path / "own.py"
        path.write_text(script.format(factor=factor))
        run = subprocess.run(
            [sys.executable, str(path)], capture_output=True, text=True, check=True,
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert float(run.stdout) == pytest.approx(factor, rel=1e-9)


def test_messages() -> None:
    @dataclass(frozen=True)
    class Wrong(ds.Channel):
        name = "wrong"

        @staticmethod
        def kinetics(v: float) -> tuple[tuple[float, float]]:
            return ((0.5, 0.0),)

        @staticmethod
        def opening(gates: np.ndarray, v: float) -> float:
            return gates[0]

    def plain(v: float) -> float:
        return 0.1 * v

    @dataclass(frozen=True)
    class Plain(Muscarinic):
        @staticmethod
        def opening(gates: np.ndarray, v: float) -> float:
            return plain(v)

    with pytest.raises(ParameterError, match=r"Wrong.kinetics\(-65.0\) returned .*time constant > 0"):
        Wrong(0.001, 0.0)
    with pytest.raises(ParameterError, match="conductance=-1 S/cm2"):
        Muscarinic(-1)
    with pytest.raises(ParameterError, match=r"half='a' is not a number"):
        Persistent(half="a")  # type: ignore[arg-type]
    cell = ds.Compartments([-1], leak_reversal=-70.0)
    with pytest.raises(ParameterError, match=r"Plain: numba cannot compile .*@numba.njit"):
        ds.simulate(cell, mechanisms=Plain(), duration=1.0)
