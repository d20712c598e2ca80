"""Gradients through time against finite differences of whole simulations, in random directions, to five points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dendrosim as ds

DT, DURATION = 0.05, 4.0
METHODS = ("backward_euler", "crank_nicolson")
COURSES: dict[str, Any] = {
    "exponential": ds.Exponential(2.0),
    "alpha": ds.Alpha(1.5),
    "difference": ds.DifferenceOfExponentials(0.4, 3.0),
    "nmda": ds.NMDA(2.0, 30.0),
}


class Case:
    """A simulation as a function of its parameters, and a loss, ``sum weight (V - goal)^2 / 2``."""

    def __init__(self, seed: int = 0, n: int = 14, n_stimuli: int = 1, n_synapses: int = 5, **options: Any) -> None:
        rng = np.random.default_rng(seed)
        self.parent = np.array([-1, *(int(rng.integers(max(0, i - 4), i)) for i in range(1, n))])
        self.capacitance = rng.uniform(5.0, 30.0, n)
        self.at = rng.integers(0, n, n_synapses)
        self.sign = np.where(rng.random(n_synapses) < 0.6, 1, -1)
        self.source = rng.integers(0, 4, n_synapses)
        times = np.sort(rng.uniform(0.0, DURATION, (12 * n_stimuli,)))
        self.spikes = ds.Spikes(
            times, rng.integers(0, 4, times.size), np.arange(times.size) % n_stimuli, n_inputs=4, n_stimuli=n_stimuli
        )
        self.options = {"dt": DT, "duration": DURATION, "record": [0, n // 2, n - 1], **options}
        self.parameters = {
            "conductance": rng.uniform(0.5, 4.0, n_synapses),
            "leak": rng.uniform(0.5, 2.0, n),
            "coupling": np.where(self.parent < 0, 0.0, rng.uniform(5.0, 50.0, n)),
            "initial": rng.uniform(-70.0, -55.0, (n_stimuli, n)),
            "spikes": rng.uniform(0.5, 2.0, times.size),
        }
        self.rng = rng
        self.goal: Any = -60.0

    def inputs(self, p: dict[str, Any]) -> Any:
        spikes = self.spikes
        return ds.Spikes(spikes.time, spikes.source, spikes.stimulus, p["spikes"], n_inputs=4,
                         n_stimuli=spikes.n_stimuli)  # fmt: skip

    def run(self, checkpoints: bool = False, **changed: Any) -> ds.Trace:
        p = self.parameters | changed
        cell = ds.Compartments(
            self.parent, leak=p["leak"], coupling=p["coupling"], capacitance=self.capacitance, leak_reversal=-65.0
        )
        synapses = ds.Synapses(cell, self.at, sign=self.sign, conductance=p["conductance"], source=self.source,
                               n_inputs=4)  # fmt: skip
        options = {name: p.get(name, value) for name, value in self.options.items()}
        return ds.simulate(cell, synapses, self.inputs(p), initial=p["initial"], checkpoints=checkpoints, **options)

    def gradient(self, **options: Any) -> ds.TrajectoryGradient:
        trace = self.run(True)
        self.weight = np.random.default_rng(5).random(trace.voltage.shape) * 0.1
        return ds.exact_gradient(trace, self.weight * (trace.voltage - self.goal), **options)

    def loss(self, trace: ds.Trace) -> float:
        return float((0.5 * self.weight * (trace.voltage - self.goal) ** 2).sum())

    def check(self, gradient: ds.TrajectoryGradient, rtol: float = 1e-7) -> None:
        for name, value in self.parameters.items():
            found = getattr(gradient, name)
            assert found.shape == value.shape
            direction = self.rng.normal(size=value.shape) * (value != 0)
            slope = along(lambda v, name=name: self.loss(self.run(**{name: v})), value, direction)  # type: ignore[misc]
            np.testing.assert_allclose((found * direction).sum(), slope, rtol=rtol, atol=1e-8, err_msg=name)


def along(function: Callable[[Any], float], x: Any, direction: Any, h: float = 2e-4) -> float:
    """Derivative in a direction; the error of five points is of fourth order."""
    at = [function(x + k * h * direction) for k in (-2, -1, 1, 2)]
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)


@pytest.mark.parametrize("kind", COURSES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_stimuli", [1, 3])
def test_every_time_course(kind: str, method: str, n_stimuli: int) -> None:
    case = Case(n_stimuli=n_stimuli, method=method, kinetics=COURSES[kind])
    case.check(case.gradient())


@pytest.mark.parametrize("integration", ["shunting", "additive"])
@pytest.mark.parametrize("direction", ["reciprocal", "directed"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("arrival", ["nearest", "middle", "exact"])
def test_every_tree(integration: str, direction: str, method: str, arrival: str) -> None:
    case = Case(1, integration=integration, direction=direction, method=method, arrival=arrival)
    if (integration, direction) == ("additive", "directed"):
        with pytest.raises(ds.errors.ParameterError, match="normalised"):
            case.run()
        return
    case.check(case.gradient())


@given(seed=st.integers(0, 10**6), n=st.integers(1, 25), method=st.sampled_from(METHODS), every=st.integers(1, 7))
@settings(max_examples=15, deadline=None)
def test_random_trees(seed: int, n: int, method: str, every: int) -> None:
    case = Case(seed, n=n, method=method, every=every, kinetics=list(COURSES.values())[seed % 4])
    case.check(case.gradient(), rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_conductances_of_nothing_have_gradients(method: str) -> None:
    case = Case(2, method=method)
    case.parameters["conductance"][:] = 0.0
    found = case.gradient().conductance
    for j in range(found.size):
        direction = np.eye(found.size)[j]
        one = [case.loss(case.run(conductance=k * 1e-4 * direction)) for k in (0, 1, 2, 3)]
        slope = (-11 * one[0] + 18 * one[1] - 9 * one[2] + 2 * one[3]) / 6e-4
        np.testing.assert_allclose(found[j], slope, rtol=1e-5, atol=1e-9)


class Normalised(Case):
    """A directed tree in normalised units, with gates or none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(3, direction="directed", **options)
        self.tree = ds.Compartments.branching([3, 2])
        n = self.tree.size
        self.goal = 0.3
        self.at, self.sign, self.source = np.arange(1, n), np.where(np.arange(1, n) % 3, 1, -1), np.arange(1, n) % 4
        self.parameters |= {
            "conductance": self.rng.uniform(0.5, 2.0, n - 1),
            "coupling": self.tree.coupling * self.rng.uniform(0.5, 2.0, n),
            "leak": self.tree.leak * self.rng.uniform(0.5, 2.0, n),
            "initial": self.rng.uniform(0.1, 0.5, (1, n)),
        }
        self.options["record"] = [0, 1, n - 1]

    def run(self, checkpoints: bool = False, **changed: Any) -> ds.Trace:
        p = self.parameters | changed
        tree = self.tree
        cell = tree.with_(leak=p["leak"], coupling=p["coupling"])
        synapses = ds.Synapses(cell, self.at, sign=self.sign, conductance=p["conductance"], source=self.source,
                               n_inputs=4)  # fmt: skip
        return ds.simulate(
            cell, synapses, self.inputs(p), initial=p["initial"], checkpoints=checkpoints, **self.options
        )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("gate", [None, ds.Gate(4.0, 0.4)])
@pytest.mark.parametrize("integration", ["shunting", "additive"])
def test_normalised_directed_trees(method: str, gate: ds.Gate | None, integration: str) -> None:
    case = Normalised(method=method, gate=gate, integration=integration)
    gradient = case.gradient()
    if integration == "additive":
        assert not gradient.leak.any()  # leaks count for nothing there
        np.testing.assert_array_equal(case.run(leak=2.0 * case.parameters["leak"]).voltage, gradient.trace.voltage)
    case.check(gradient)
