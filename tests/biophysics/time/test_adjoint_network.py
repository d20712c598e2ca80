"""Gradients through a recurrent network of cells with dendrites, against torch on dense matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dendrosim as ds

EXCITATORY, INHIBITORY, AFFERENTS = 4, 2, 8
CELLS = EXCITATORY + INHIBITORY
DT, LAG, DURATION = 0.5, 3, 60.0
SOMA, SURROGATE = ds.IntegrateAndFire(), ds.Triangle(5.0)


def network() -> tuple[ds.Compartments, ds.Synapses, list[ds.Exponential]]:
    """Every cell driven by all afferents and all other cells, somewhere on its dendrite."""
    rng = np.random.default_rng(0)
    cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=100.0)
    target, source = (a.ravel() for a in np.mgrid[:CELLS, : AFFERENTS + CELLS])
    keep = source - AFFERENTS != target
    target, source = target[keep], source[keep]
    kind = np.searchsorted([AFFERENTS, AFFERENTS + EXCITATORY], source, side="right")
    synapses = ds.Synapses(
        ds.Compartments.forest([cell] * CELLS), target * cell.size + rng.integers(0, cell.size, target.size),
        source=source, sign=np.where(kind == 2, -1, 1), n_inputs=AFFERENTS + CELLS,
        conductance=np.array([6.0, 1.0, 3.0])[kind] * np.exp(0.5 * rng.standard_normal(target.size)),
    )  # fmt: skip
    forest = ds.Compartments.forest([cell] * CELLS)
    return forest, synapses, [ds.Exponential((2.0, 50.0, 5.0)[k]) for k in kind]


def dense(torch: Any, cell: ds.Compartments, synapses: ds.Synapses, tau: Any, arrivals: Any, g: Any) -> list[Any]:
    """Spikes (B, CELLS) of every step."""

    class Spike(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, over: Any) -> Any:
            ctx.save_for_backward(over)
            return (over >= 0).double()

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * torch.tensor(SURROGATE.derivative(ctx.saved_tensors[0].numpy()))

    rest, b, n = cell.leak_reversal, arrivals.shape[1], cell.size
    matrix = np.diag(cell.capacitance / DT + cell.leak)
    for c in np.flatnonzero(cell.parent >= 0):
        p, axial = cell.parent[c], cell.coupling[c]
        matrix[[c, p], [c, p]] += axial
        matrix[[c, p], [p, c]] -= axial
    matrix, inertia, leak = (torch.tensor(a) for a in (matrix, cell.capacitance / DT, cell.leak))
    at, source, roots = (torch.tensor(np.array(a)) for a in (synapses.compartment, synapses.source, cell.roots))
    decay, reversal = torch.tensor(np.exp(-DT / tau)), torch.tensor(np.array(synapses.reversal))
    v, q = torch.full((b, n), rest, dtype=torch.float64), torch.zeros((b, synapses.size), dtype=torch.float64)
    left, spikes = np.zeros((b, CELLS)), []
    for t, outside in enumerate(torch.tensor(arrivals)):
        x = outside
        if t > LAG:
            x = torch.cat([x[:, :AFFERENTS], x[:, AFFERENTS:] + spikes[t - 1 - LAG]], 1)
        q = q + x[:, source]
        none = torch.zeros((b, n), dtype=torch.float64)
        hold = none.clone()
        hold[:, roots] = torch.tensor((left > 0) * 1e12)
        total = matrix + torch.diag_embed(none.index_add(1, at, q * g) + hold)
        v = torch.linalg.solve(
            total, inertia * v + leak * rest + none.index_add(1, at, q * g * reversal) + hold * SOMA.reset
        )
        held, soma = torch.tensor(left > 0), v[:, roots]
        soma = torch.where(held, torch.full_like(soma, SOMA.reset), soma)
        fired = torch.where(held, torch.zeros_like(soma), Spike.apply(soma - SOMA.threshold))
        v = v.index_copy(1, roots, soma * (1 - fired) + SOMA.reset * fired)
        left = np.where(fired.detach().numpy() > 0, round(SOMA.refractory / DT), np.maximum(left - 1, 0))
        spikes.append(fired)
        q = q * decay
    return spikes


def test_a_recurrent_network_against_torch() -> None:
    torch = pytest.importorskip("torch", reason='PyTorch is not installed: pip install -e ".[bench]"')
    cell, synapses, courses = network()
    rates = np.where(np.arange(AFFERENTS + CELLS) < AFFERENTS, 60.0, 0.0)
    outside = ds.Spikes.poisson(np.tile(rates, (2, 1)), DURATION, seed=1)
    axons = np.arange(CELLS)
    trace = ds.simulate(
        cell, synapses, outside, dt=DT, duration=DURATION, kinetics=courses, mechanisms=SOMA, checkpoints=True,
        connections=ds.Connections(axons, AFFERENTS + axons, delay=LAG * DT),
    )  # fmt: skip
    assert np.unique(trace.spike_compartment).size > 2
    asked = np.random.default_rng(1).normal(size=(2, trace.n_steps, CELLS))
    silent = np.zeros_like(trace.voltage)
    gradient = ds.exact_gradient(trace, silent, surrogate=SURROGATE, spike_gradient=asked)

    arrivals = np.zeros((trace.n_steps, 2, AFFERENTS + CELLS))
    step = np.ceil(outside.time / DT - 0.5 - 1e-9).astype(int)
    inside = step < trace.n_steps
    np.add.at(arrivals, (step[inside], outside.stimulus[inside], outside.source[inside]), 1.0)
    g = torch.tensor(np.array(synapses.conductance), requires_grad=True)
    spikes = dense(torch, cell, synapses, np.array([kind.tau for kind in courses]), arrivals, g)
    assert sum(int(s.sum()) for s in spikes) == trace.spike_time.size
    sum((torch.tensor(asked[:, t]) * s).sum() for t, s in enumerate(spikes)).backward()
    expected = g.grad.numpy()
    np.testing.assert_allclose(gradient.conductance, expected, rtol=0, atol=1e-9 * abs(expected).max())
