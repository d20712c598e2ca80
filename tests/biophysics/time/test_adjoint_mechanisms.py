"""Gradients through channels and spikes: finite differences, and torch for surrogates."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.biophysics.time import engine

METHODS = ("backward_euler", "crank_nicolson")
PARENT = np.array([-1, 0, 1, 1, 0])
N = PARENT.size


@pytest.fixture(autouse=True)
def segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short runs, too, go back in segments."""
    monkeypatch.setattr(engine, "SMALL_TAPE", 0)


class Case:
    """A small tree with mechanisms, and a loss, ``sum weight (V + 60)^2 / 2``."""

    def __init__(self, duration: float, amplitude: float, n_stimuli: int = 2, **options: Any) -> None:
        rng = np.random.default_rng(0)
        self.parameters = {
            "conductance": rng.uniform(0.5, 2.0, 3),
            "leak": rng.uniform(0.5, 2.0, N),
            "coupling": np.where(PARENT < 0, 0.0, rng.uniform(5.0, 50.0, N)),
            "initial": rng.uniform(-66.0, -62.0, (n_stimuli, N)),
        }
        self.spikes = ds.Spikes.poisson(np.full((n_stimuli, 3), 100.0), duration, seed=2)
        self.options = {"dt": 0.05, "duration": duration, "record": [0, 3], **options}
        self.clamps = ds.Clamp(2, amplitude * np.arange(1, n_stimuli + 1), start=1.0)
        self.area = np.full(N, 2000.0)

    def run(self, checkpoints: bool = False, **changed: Any) -> ds.Trace:
        p = self.parameters | changed
        cell = ds.Compartments(
            PARENT, leak=p["leak"], coupling=p["coupling"], capacitance=np.full(N, 20.0), leak_reversal=-65.0,
            area=self.area,
        )  # fmt: skip
        synapses = ds.Synapses(cell, [1, 3, 4], sign=[1, 1, -1], conductance=p["conductance"])
        return ds.simulate(cell, synapses, self.spikes, clamps=self.clamps, initial=p["initial"],
                           checkpoints=checkpoints, **self.options)  # fmt: skip

    def gradient(self, **options: Any) -> ds.TrajectoryGradient:
        trace = self.run(True)
        self.weight = np.random.default_rng(5).random(trace.voltage.shape) * 0.1
        return ds.exact_gradient(trace, self.weight * (trace.voltage + 60.0), **options)

    def loss(self, trace: ds.Trace) -> float:
        return float((0.5 * self.weight * (trace.voltage + 60.0) ** 2).sum())

    def check(self, gradient: ds.TrajectoryGradient, h: float = 1e-4, rtol: float = 1e-7) -> None:
        rng = np.random.default_rng(3)
        pattern = gradient.trace.spike_time
        for name, value in self.parameters.items():
            direction = rng.normal(size=value.shape) * (value != 0)
            slope = along(lambda v, name=name: self.one(pattern, name, v), value, direction, h)  # type: ignore[misc]
            found = (getattr(gradient, name) * direction).sum()
            np.testing.assert_allclose(found, slope, rtol=rtol, err_msg=name)

    def one(self, pattern: Any, name: str, value: Any) -> float:
        trace = self.run(**{name: value})
        np.testing.assert_array_equal(trace.spike_time, pattern)  # else the derivative is that of another pattern
        return self.loss(trace)


def along(function: Callable[[Any], float], x: Any, direction: Any, h: float) -> float:
    """Derivative in a direction; the error of five points is of fourth order."""
    at = [function(x + k * h * direction) for k in (-2, -1, 1, 2)]
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)


@pytest.mark.parametrize("method", METHODS)
def test_a_leak(method: str) -> None:
    case = Case(4.0, 20.0, method=method, mechanisms=ds.LeakConductance(2.0, -80.0, at=[0, 3]))
    case.check(case.gradient())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("at", ["soma", "all"])
@pytest.mark.parametrize(("amplitude", "spikes"), [(5.0, 0), (500.0, 2)])
def test_hodgkin_huxley(method: str, at: str, amplitude: float, spikes: int) -> None:
    case = Case(8.0, amplitude, method=method, mechanisms=ds.HodgkinHuxley(at=at))
    gradient = case.gradient()
    assert (gradient.trace.spike_time.size >= spikes) if spikes else not gradient.trace.spike_time.size
    case.check(gradient, h=2e-5, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "kind", [ds.IntegrateAndFire(), ds.AdaptiveIntegrateAndFire(coupling=2.0, jump=20.0, tau_w=10.0, refractory=0.0)]
)
def test_integrate_and_fire_with_given_spikes(method: str, kind: ds.IntegrateAndFire) -> None:
    case = Case(15.0, 200.0, method=method, mechanisms=kind)
    gradient = case.gradient(spike_gradient=None)
    assert gradient.trace.spike_time.size > 1
    case.check(gradient, h=1e-6, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_exponential_onset_with_given_spikes(method: str) -> None:
    kind = ds.ExponentialIntegrateAndFire(leak=2.0, refractory=0.5, coupling=1.0, jump=20.0, tau_w=10.0)
    case = Case(15.0, 200.0, method=method, mechanisms=kind)
    gradient = case.gradient()
    assert gradient.trace.spike_time.size > 1
    case.check(gradient, h=1e-6, rtol=1e-5)


def test_two_mechanisms_and_snapshots() -> None:
    mechanisms = (ds.LeakConductance(1.0, -70.0, at=[1]), ds.AdaptiveIntegrateAndFire(coupling=2.0))
    case = Case(6.0, 200.0, mechanisms=mechanisms)
    case.check(case.gradient(), h=1e-6, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_channels_where_a_soma_is_reset(method: str) -> None:
    """Gates see the voltage before the reset, and their gradient passes it by."""
    channels, fire = ds.HodgkinHuxley(at=[0], potassium=0.02), ds.IntegrateAndFire()
    case = Case(6.0, 200.0, method=method, mechanisms=(channels, fire))
    gradient = case.gradient()
    assert gradient.trace.spike_time.size > 1
    case.check(gradient, h=1e-6, rtol=1e-5)
    with pytest.raises(ds.errors.ParameterError, match="ambiguous"):
        case.gradient(spike_gradient=np.ones(gradient.trace.spike_time.size))
    case.options["mechanisms"] = (fire, channels)
    with pytest.raises(ds.errors.ParameterError, match=r"put mechanisms\[0\] after it"):
        case.gradient()


def test_without_surrogate_spikes_are_constants() -> None:
    case = Case(15.0, 200.0, mechanisms=ds.IntegrateAndFire())
    plain = case.gradient()
    weighed = case.gradient(spike_gradient=np.ones(plain.trace.spike_time.size))
    np.testing.assert_array_equal(plain.conductance, weighed.conductance)
    other = case.gradient(spike_gradient=np.ones(plain.trace.spike_time.size), surrogate="triangle")
    assert np.abs(other.conductance - plain.conductance).max() > 1e-6


@dataclass(frozen=True)
class Slow(ds.Channel):
    """A channel that nobody has an adjoint of."""

    conductance: float = 0.001
    reversal: float = -90.0
    name = "slow"

    @staticmethod
    def kinetics(v: float) -> Any:
        return ((1.0 / (1.0 + math.exp((-35.0 - v) / 10.0)), 100.0),)

    @staticmethod
    def opening(gates: Any, v: float) -> Any:
        return gates[0]


def test_channels_without_an_adjoint_are_refused() -> None:
    case = Case(1.0, 10.0, mechanisms=Slow())
    with pytest.raises(ds.errors.ParameterError, match="no gradient goes through 'slow'"):
        case.gradient()


@pytest.mark.parametrize("surrogate", [ds.FastSigmoid(0.7), ds.Triangle(8.0), ds.ArcTangent(0.5)])
def test_surrogates_have_area_one(surrogate: Any) -> None:
    v = np.linspace(-1e4, 1e4, 4_000_001)
    assert abs(np.trapezoid(surrogate.derivative(v), v) - 1.0) < 1e-3
    with pytest.raises(ds.errors.ParameterError):
        type(surrogate)(-1.0)


DT, STEPS, THRESHOLD, RESET = 0.1, 160, 10.0, -2.0


def twin(torch: Any, surrogate: Any, kind: Any, g: Any, begin: Any, arrivals: Any, lag: int) -> tuple[Any, Any]:
    """Two cells of one compartment that drive each other, backward Euler: voltages (T, 2) over rest, spikes (T, 2)."""

    class Spike(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, distance: Any) -> Any:
            ctx.save_for_backward(distance)
            return (distance >= 0).to(distance.dtype)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * torch.tensor(surrogate.derivative(ctx.saved_tensors[0].numpy()))

    inertia, leak = 30.0 / DT, 2.0
    decay, adapt = float(np.exp(-DT / 3.0)), float(np.exp(-DT / kind.tau_w))
    v, w, q = begin, torch.zeros(2, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    left = np.zeros(2)
    voltages, spikes = [begin], []
    for t in range(STEPS):
        q = q + arrivals[t]
        if t - lag >= 0:
            q = q + torch.cat([torch.zeros(2, dtype=torch.float64), 0.5 * spikes[t - lag].flip(0)])
        open_ = q * g
        total = inertia + leak + open_[:2] + open_[2:]
        solved = (inertia * v - w + 65.0 * open_[:2] + 40.0 * open_[2:]) / total
        held = torch.tensor(left > 0)
        solved = torch.where(held, torch.full_like(solved, RESET), solved)
        spike = torch.where(held, torch.zeros_like(solved), Spike.apply(solved - THRESHOLD))
        v = solved + spike * (RESET - solved)
        w = w * adapt + kind.coupling * (1 - adapt) * solved + kind.jump * spike
        left = np.where(spike.detach().numpy() > 0, round(kind.refractory / DT), np.maximum(left - 1, 0))
        q = q * decay
        voltages.append(v)
        spikes.append(spike)
    return torch.stack(voltages), torch.stack(spikes)


@pytest.mark.parametrize("surrogate", [ds.FastSigmoid(0.5), ds.Triangle(8.0), ds.ArcTangent(0.5)])
@pytest.mark.parametrize("refractory", [0.0, 1.0])
@pytest.mark.parametrize("n_stimuli", [1, 3])
def test_a_recurrent_network_against_torch(surrogate: Any, refractory: float, n_stimuli: int) -> None:
    torch = pytest.importorskip("torch")
    kind = ds.AdaptiveIntegrateAndFire(-55.0, -67.0, refractory, coupling=0.3, jump=8.0, tau_w=15.0)
    cells = ds.Compartments([-1, -1], leak=2.0, coupling=0.0, capacitance=30.0, leak_reversal=-65.0)
    reversal = np.array([0.0, 0.0, -25.0, -25.0])
    g = np.array([1.5, 1.8, 0.6, 0.4])
    synapses = ds.Synapses(cells, [0, 1, 0, 1], sign=1, conductance=g, reversal=reversal)
    rng = np.random.default_rng(0)
    arrivals = (rng.random((n_stimuli, STEPS, 2)) < 0.08).astype(float)
    b, step, source = np.nonzero(arrivals)
    spikes = ds.Spikes(step * DT, source, b, n_inputs=4, n_stimuli=n_stimuli)
    connections = ds.Connections([0, 1], [3, 2], delay=0.7, weight=0.5)
    begin = rng.uniform(-66.0, -60.0, (n_stimuli, 2))
    trace = ds.simulate(
        cells, synapses, spikes, dt=DT, duration=STEPS * DT, record="all", kinetics=ds.Exponential(3.0), initial=begin,
        mechanisms=kind, connections=connections, checkpoints=True,
    )  # fmt: skip
    weight, by_spike = rng.normal(size=trace.voltage.shape), rng.normal(size=(n_stimuli, STEPS, 2))
    gradient = ds.exact_gradient(trace, weight, surrogate=surrogate, spike_gradient=by_spike)
    tg = torch.tensor(g, requires_grad=True)
    tv = torch.tensor(begin + 65.0, requires_grad=True)
    loss, count = 0.0, 0
    for k in range(n_stimuli):
        outside = torch.tensor(np.concatenate([arrivals[k], np.zeros((STEPS, 2))], axis=1))
        voltages, fired = twin(torch, surrogate, kind, tg, tv[k], outside, 8)
        np.testing.assert_allclose(voltages.detach().numpy() - 65.0, trace.voltage[k], atol=1e-9)
        loss = loss + (torch.tensor(weight[k]) * voltages).sum() + (torch.tensor(by_spike[k]) * fired).sum()
        count += int(fired.sum())
    assert count == trace.spike_time.size
    assert count > 5 * n_stimuli
    loss.backward()  # type: ignore[attr-defined]
    np.testing.assert_allclose(gradient.conductance, tg.grad.numpy(), rtol=1e-8)
    np.testing.assert_allclose(gradient.initial, tv.grad.numpy(), rtol=1e-8, atol=1e-12)
    at = np.rint(trace.spike_time / DT).astype(int) - 1
    sparse = np.zeros_like(by_spike)
    sparse[trace.spike_stimulus, at, trace.spike_compartment] = 1.0
    same = ds.exact_gradient(trace, weight, surrogate=surrogate, spike_gradient=sparse)
    listed = ds.exact_gradient(trace, weight, surrogate=surrogate, spike_gradient=np.ones(count))
    np.testing.assert_array_equal(same.conductance, listed.conductance)
