"""Trees and networks, and their gradients, against the paper's equations in plain PyTorch with autograd, in float64."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dendrosim as ds

Floats = NDArray[np.float64]

torch: Any = pytest.importorskip("torch", reason='PyTorch is not installed: pip install -e ".[bench]"')

TOLERANCE = 1e-12
"""Largest deviation of a tensor relative to its largest entry."""


def _model() -> Any:
    spec = importlib.util.spec_from_file_location("torch_model", Path(__file__).with_name("torch_model.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tm = _model()


def off(ours: Any, theirs: Any) -> float:
    """Largest deviation relative to the largest entry."""
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    assert np.shape(ours) == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


@pytest.mark.parametrize("gated", [True, False], ids=["gates", "no gates"])
@pytest.mark.parametrize("integration", ["shunting", "additive"])
def test_a_directed_forest_of_irregular_trees(integration: str, gated: bool) -> None:
    random = np.random.default_rng(0)
    parent = np.array([-1, 0, 0, 1, 1, 2, -1, 6, 7, 7, 8, 10])
    n, p, b = parent.size, 20, 7
    raw_e, raw_i = random.normal(size=(2, n, p))
    k_e, k_i = random.integers(0, 5, (2, n))
    coupling, slope, midpoint = random.normal(size=n), np.exp(0.3 * random.normal(size=n)), random.random(n)
    x, onto_soma = random.random((b, p)), random.normal(size=(b, 2))

    banks = [tm.Bank(raw, k, "softplus", torch.float64) for raw, k in ((raw_e, k_e), (raw_i, k_i))]
    gates = (np.log(slope), midpoint) if gated else ()
    cells = tm.Cells(parent, *banks, coupling, *gates, integration=integration)
    drive = torch.tensor(x, requires_grad=True)
    voltage, output = cells(drive, drive)
    (output[:, cells.roots] * torch.tensor(onto_soma)).sum().backward()

    (on_e, from_e), (on_i, from_i) = (np.nonzero(bank.mask().numpy()) for bank in banks)
    raw = np.concatenate([raw_e[on_e, from_e], raw_i[on_i, from_i]])
    g = np.where(parent < 0, 0.0, np.log1p(np.exp(coupling)))
    compartments = ds.Compartments(parent, leak=1.0, coupling=g, physical=False)
    synapses = ds.Synapses(
        compartments,
        np.concatenate([on_e, on_i]),
        np.concatenate([from_e, from_i]),
        sign=np.concatenate([np.ones(on_e.size), -np.ones(on_i.size)]),
        conductance=np.log1p(np.exp(raw)),
        n_inputs=p,
    )
    gate = ds.Gate(slope, midpoint) if gated else None
    state = ds.steady_state(compartments, synapses, x, integration=integration, direction="directed", gate=gate)
    assert off(state.voltage, voltage) < TOLERANCE

    roots = np.flatnonzero(parent < 0)
    derivative = 2 * slope * output.detach().numpy() * (1 - output.detach().numpy()) if gated else np.ones((b, n))
    gradient = ds.exact_gradient(state, onto_soma * derivative[:, roots])
    chain = 1 / (1 + np.exp(-raw))
    theirs = np.concatenate([banks[0].raw.grad[on_e, from_e], banks[1].raw.grad[on_i, from_i]])
    assert off(gradient.conductance * chain, theirs) < TOLERANCE
    inner = parent >= 0
    assert off((gradient.coupling / (1 + np.exp(-coupling)))[inner], cells.coupling.grad[inner]) < TOLERANCE
    assert off(gradient.inputs, drive.grad) < TOLERANCE
