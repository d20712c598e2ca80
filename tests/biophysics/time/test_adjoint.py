"""Gradients through time against finite differences of whole simulations, in random directions, to five points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dendrosim as ds
from dendrosim.biophysics.time import engine

DT, DURATION = 0.05, 4.0
METHODS = ("backward_euler", "crank_nicolson")
COURSES: dict[str, Any] = {
    "exponential": ds.Exponential(2.0),
    "alpha": ds.Alpha(1.5),
    "difference": ds.DifferenceOfExponentials(0.4, 3.0),
    "nmda": ds.NMDA(2.0, 30.0),
}


@pytest.fixture(autouse=True)
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Bytes of a tape that is not divided: none, so that short runs, too, go back in segments."""
    monkeypatch.setattr(engine, "SMALL_TAPE", size := getattr(request, "param", 0))
    return size


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


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("every", [1, 3])
def test_currents(method: str, every: int) -> None:
    """dL/dI of a step against a clamp that is on during it."""
    case = Case(4, method=method, every=every, n_stimuli=2, kinetics=COURSES["nmda"])
    gradient = case.gradient(record=[0, 6, 9])
    assert gradient.current.shape == (2, gradient.trace.time.size, 3)
    assert not gradient.current[:, 0].any()
    for k, n in enumerate(gradient.compartment):
        for b, record in ((0, 5), (1, 20)):
            end = gradient.trace.time[record]
            amplitude = np.arange(2) == b

            def loss(pulse: float, n: int = int(n), end: float = end, amplitude: Any = amplitude) -> float:
                clamp = ds.Clamp(n, pulse * amplitude, start=end - DT + 1e-6, stop=end - 1e-6)
                case.options["clamps"] = clamp
                return case.loss(case.run())

            slope = along(lambda x: loss(float(x)), np.array(0.0), np.array(1.0), h=1.0)
            np.testing.assert_allclose(gradient.current[b, record, k], slope, rtol=1e-7, atol=1e-10)


class Waved(Case):
    """The same, driven by activity that changes."""

    def __init__(self, seed: int, unit: str, interval: float = 0.4, **options: Any) -> None:
        super().__init__(seed, n_stimuli=2, **options)
        scale = 100.0 if unit == "Hz" else 1.0
        self.parameters["inputs"] = scale * self.rng.uniform(0.2, 1.0, (6, 2, 4))
        del self.parameters["spikes"]
        self.unit, self.interval = unit, interval

    def inputs(self, p: dict[str, Any]) -> Any:
        return ds.Waveform(p["inputs"], self.interval, self.unit)


@pytest.mark.parametrize("kind", COURSES)
@pytest.mark.parametrize(("unit", "interval"), [("activity", 0.4), ("Hz", 0.75), ("activity", DT)])
@pytest.mark.parametrize("method", METHODS)
def test_continuous_activity(kind: str, unit: str, interval: float, method: str) -> None:
    case = Waved(0, unit, interval, kinetics=COURSES[kind], method=method)
    gradient = case.gradient()
    assert gradient.spikes is None
    case.check(gradient)


def test_instantaneous_synapses() -> None:
    case = Waved(1, "activity", kinetics="instantaneous")
    case.check(case.gradient())


class Constant(Case):
    """Constant activity, from the start or from the steady state that belongs to it."""

    def __init__(self, seed: int, begin: str, **options: Any) -> None:
        super().__init__(seed, n_stimuli=2, **options)
        self.parameters["inputs"] = self.rng.uniform(0.2, 1.0, (1, 2, 4))
        del self.parameters["spikes"]
        if begin == "steady":
            self.parameters["initial"] = begin

    def inputs(self, p: dict[str, Any]) -> Any:
        return p["inputs"][0]


def test_constant_activity_and_the_gradient_of_the_steady_state() -> None:
    """A loss at the end of a long run has the gradient of the steady state."""
    case = Constant(2, "rest", kinetics=ds.Exponential(2.0), record="all", every=12000)
    case.options["duration"] = 600.0
    trace = case.run(True)
    loss = np.zeros_like(trace.voltage)
    loss[:, -1] = np.random.default_rng(0).normal(size=loss[:, -1].shape)
    gradient = ds.exact_gradient(trace, loss)
    p = case.parameters
    cell = ds.Compartments(
        case.parent, leak=p["leak"], coupling=p["coupling"], capacitance=case.capacitance, leak_reversal=-65.0
    )
    synapses = ds.Synapses(cell, case.at, sign=case.sign, conductance=p["conductance"], source=case.source, n_inputs=4)
    state = ds.steady_state(cell, synapses, p["inputs"][0])
    steady = ds.exact_gradient(state, loss[:, -1])
    for name in ("conductance", "coupling", "leak"):
        np.testing.assert_allclose(getattr(gradient, name), getattr(steady, name), rtol=1e-9, atol=1e-12)
    assert gradient.inputs is not None
    np.testing.assert_allclose(gradient.inputs[0], steady.inputs, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gradient.initial, 0.0, atol=1e-20)


@pytest.mark.parametrize("method", METHODS)
def test_branch_points_without_capacitance(method: str) -> None:
    morphology = ds.Morphology.load("ball_and_stick")
    cell = morphology.compartments(ds.Passive(), max_length=60.0)
    bare = np.flatnonzero(cell.capacitance == 0)
    if not bare.size:
        cell = ds.Morphology.load("pyramidal_l5").compartments(ds.Passive(), max_length=400.0)
        bare = np.flatnonzero(cell.capacitance == 0)
    assert bare.size
    synapses = ds.Synapses.scatter(cell, 6, 2, seed=0)
    spikes = ds.Spikes.poisson(np.full(synapses.n_inputs, 300.0), 5.0, seed=1)
    probes = [0, int(bare[0]), int(bare[-1])]
    begin = np.full(cell.size, cell.leak_reversal) + np.random.default_rng(0).uniform(0, 5, cell.size)
    weight = np.random.default_rng(1).random((1, 101, 3))

    def run(initial: Any, conductance: Any, checkpoints: bool = False) -> ds.Trace:
        return ds.simulate(
            cell, synapses.with_(conductance=conductance), spikes, dt=0.05, duration=5.0, method=method,
            record=probes, initial=initial, checkpoints=checkpoints,
        )  # fmt: skip

    trace = run(begin, synapses.conductance, True)
    gradient = ds.exact_gradient(trace, weight * (trace.voltage + 60.0))

    def loss(trace: ds.Trace) -> float:
        return float((0.5 * weight * (trace.voltage + 60.0) ** 2).sum())

    rng = np.random.default_rng(2)
    d = rng.normal(size=cell.size)
    slope = along(lambda v: loss(run(v, synapses.conductance)), begin, d)
    np.testing.assert_allclose((gradient.initial[0] * d).sum(), slope, rtol=1e-7)
    d = rng.normal(size=synapses.size)
    slope = along(lambda g: loss(run(begin, g)), synapses.conductance, d, h=1e-4)
    np.testing.assert_allclose((gradient.conductance * d).sum(), slope, rtol=1e-7)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("record", [[0, 13], "all"])
def test_where_branch_points_begin_depends_on_leaks_and_couplings(method: str, record: Any) -> None:
    case = Case(4, n_stimuli=3, method=method, record=record, every=2)
    case.capacitance[np.unique(case.parent[3:])[1:3]] = 0.0
    case.check(case.gradient())


@pytest.mark.parametrize("n_stimuli", [1, 20])
def test_results_do_not_depend_on_threads(n_stimuli: int) -> None:
    case = Case(6, n_stimuli=n_stimuli)
    one = case.gradient(record="all")
    case.options["threads"] = 3
    two = case.gradient(record="all")
    for name in ("conductance", "coupling", "leak", "initial", "current", "spikes"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_a_batch_is_the_sum_of_its_stimuli() -> None:
    case = Case(6, n_stimuli=11, kinetics=COURSES["nmda"])
    whole = case.gradient()
    weight, initial, spikes = case.weight, case.parameters["initial"], case.spikes
    total = np.zeros_like(whole.conductance)
    for b in range(11):
        own = spikes.stimulus == b
        one = ds.Spikes(spikes.time[own], spikes.source[own], 0, case.parameters["spikes"][own], n_inputs=4)
        case.inputs = lambda p, one=one: one  # type: ignore[method-assign]
        trace = case.run(True, initial=initial[b])
        alone = ds.exact_gradient(trace, weight[b : b + 1] * (trace.voltage + 60.0))
        total += alone.conductance
        np.testing.assert_allclose(alone.initial[0], whole.initial[b], rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(alone.spikes, whole.spikes[own], rtol=1e-9, atol=1e-14)  # type: ignore[index]
    np.testing.assert_allclose(total, whole.conductance, rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_stimuli", [1, 20])
def test_single_precision(method: str, n_stimuli: int) -> None:
    case = Case(7, n_stimuli=n_stimuli, method=method, kinetics=COURSES["difference"])
    exact = case.gradient(record="soma")
    case.options["dtype"] = "float32"
    trace = case.run(True)
    rough = ds.exact_gradient(trace, (case.weight * (trace.voltage + 60.0)).astype(np.float32), record="soma")
    for name in ("conductance", "coupling", "leak", "initial", "current", "spikes"):
        want, got = getattr(exact, name), getattr(rough, name)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want, rtol=1e-2, atol=2e-4 * np.abs(want).max())


@pytest.mark.parametrize("small", [0, 2**22], indirect=True)
def test_memory_grows_with_the_root_of_the_steps(small: int) -> None:
    case = Case(8)
    for steps in (1, 2, 80, 81, 400, 1000):
        case.options["duration"] = steps * DT
        kept = case.run(True).checkpoints
        assert kept is not None
        assert len(kept.states) <= steps**0.5 + 3
        assert kept.every <= max(steps**0.5, small / kept.engine.checkpoint_size)
    case.options["duration"] = 0.0
    gradient = case.gradient()
    np.testing.assert_allclose(gradient.initial[0, 0], case.weight[0, 0, 0] * (case.parameters["initial"][0, 0] + 60.0))
    assert not gradient.conductance.any()


def test_going_on_from_another_run() -> None:
    """A run in two halves has the gradient of the whole, handed on by the state between them."""
    case = Case(9)
    case.options["duration"] = DURATION / 2
    first = case.run()
    case.options["duration"] = DURATION / 2
    assert first.final is not None
    later = ds.Spikes(np.array([0.3]), np.array([1]), n_inputs=4)
    case.inputs = lambda p: later  # type: ignore[method-assign]
    case.parameters = {k: v for k, v in case.parameters.items() if k != "spikes"} | {"initial": first.final}
    gradient = case.gradient()
    value = first.final.voltage
    direction = case.rng.normal(size=value.shape)
    slope = along(lambda v: case.loss(case.run(initial=replace(first.final, voltage=v))), value, direction)
    np.testing.assert_allclose((gradient.initial * direction).sum(), slope, rtol=1e-7)


def test_what_is_refused(tmp_path: Any) -> None:
    case = Case(0)
    trace = case.run()
    zeros = np.zeros(trace.voltage.shape)
    with pytest.raises(ds.errors.ParameterError, match="checkpoints=True"):
        ds.exact_gradient(trace, zeros)
    case.options["store"] = tmp_path / "run.h5"
    with pytest.raises(ds.errors.ParameterError, match="drop either"):
        case.run(True)
    del case.options["store"]
    trace = case.run(True)
    for wrong, match in (
        (zeros[:, :-1], "shape"),
        (np.full(zeros.shape, np.nan), "finite"),
        (zeros.astype(np.float32), "float32"),
    ):
        with pytest.raises(ds.errors.ParameterError, match=match):
            ds.exact_gradient(trace, wrong)
    with pytest.raises(ds.errors.ParameterError, match="out="):
        ds.exact_gradient(trace, zeros, out=zeros)  # type: ignore[call-overload]
    with pytest.raises(ds.errors.ParameterError, match="does not exist"):
        ds.exact_gradient(trace, zeros, record=[99])
    with pytest.raises(ds.errors.ParameterError, match="surrogate"):
        ds.exact_gradient(trace, zeros, surrogate="sharp")
    with pytest.raises(ds.errors.ParameterError, match="spike_gradient has shape"):
        ds.exact_gradient(trace, zeros, spike_gradient=np.ones(3))
    state = ds.steady_state(ds.Compartments([-1], leak=1.0, coupling=0.0))
    with pytest.raises(ds.errors.ParameterError, match="record="):
        ds.exact_gradient(state, np.ones((1, 1)), record="all")  # type: ignore[call-overload]
