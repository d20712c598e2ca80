"""Predicted fidelity against analytic cables, and against the gradients of learners."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics import cosine, log_scale, predicted_fidelity, relative_l2
from dendrosim.errors import ParameterError
from dendrosim.plasticity import PathGain, Rule

MEMBRANE = ds.Passive(R_m=20_000.0, R_a=150.0, E_leak=-70.0)


def cylinder(electrotonic: float, n: int = 2000) -> ds.Compartments:
    """A cylinder with sealed ends in units of lambda, n compartments, both ends without resistance to spare."""
    dx = electrotonic / n
    parent = np.arange(-1, n - 1)
    return ds.Compartments(parent, leak=dx, coupling=1.0 / dx, physical=False, region=["dendrite"] * n)


@pytest.mark.parametrize("length", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("with_resistance", [True, False])
def test_sealed_cylinder_as_in_cable_theory(length: float, with_resistance: bool) -> None:
    x = (np.arange(20_000) + 0.5) * length / 20_000
    gain = 1.0 / np.cosh(x)
    resistance = np.cosh(x) * np.cosh(length - x) / np.sinh(length)
    local = resistance if with_resistance else np.ones_like(x)
    exact = gain * resistance
    found = predicted_fidelity(cylinder(length), input_resistance=with_resistance)
    assert found.cosine == pytest.approx((local @ exact) / np.sqrt((local @ local) * (exact @ exact)), rel=1e-5)
    assert found.scale == pytest.approx(0.5 * np.log10((local @ local) / (exact @ exact)), abs=1e-3)
    assert found.relative_l2 == pytest.approx(np.sqrt(((local - exact) ** 2).sum() / (exact @ exact)), rel=2e-3)
    assert found.weight.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("length", [0.5, 2.0])
def test_exponential_profile_gives_the_law_of_the_hyperbolic_tangent(length: float) -> None:
    # a cable so long that its first part does not feel the end; equal energies there, by the density
    cell = cylinder(length + 12.0, 4000)
    x = (np.arange(4000) + 0.5) * (length + 12.0) / 4000
    weight = (x > 6.0) & (x < 6.0 + length)  # far from both ends, where gains fall as exp(-x)
    found = predicted_fidelity(cell, density=weight, input_resistance=True)
    assert found.cosine == pytest.approx(np.sqrt(np.tanh(length / 2) / (length / 2)), rel=2e-3)


def of_learners(
    cell: ds.Compartments, integration: str, direction: str, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, ds.Neurons]:
    """Local and exact gradients of synapses, and with the path gain; the neuron."""
    synapses = ds.Synapses.scatter(cell, 120, 40, n_inputs=30, seed=4, conductance=0.2)
    neuron = ds.Neurons(cell, synapses, readout="soma", integration=integration, direction=direction)
    x = np.random.default_rng(1).random((n, 30))
    y = np.random.default_rng(2).normal(size=(n, 1))
    rules = {"local": "3F", "path": Rule("3F").with_(PathGain("compartment"))}
    found = {
        name: ds.NeuronLearner(neuron, "per_soma", rule, loss="mse", threads=1).gradients(x, y).values["synapses"]
        for name, rule in rules.items()
    }
    exact = ds.NeuronLearner(neuron, "exact", loss="mse", threads=1).gradients(x, y).values["synapses"]
    return found["local"], exact, found["path"], neuron


@pytest.mark.parametrize(
    ("integration", "direction", "n"),
    [("additive", "reciprocal", 20), ("shunting", "reciprocal", 1), ("shunting", "directed", 1)],
)
def test_the_identity_holds_to_rounding_where_gains_do_not_vary(integration: str, direction: str, n: int) -> None:
    cell = ds.Morphology.load("stellate").compartments(MEMBRANE, d_lambda=0.2)
    local, exact, path, neuron = of_learners(cell, integration, direction, n)
    np.testing.assert_allclose(path, exact, rtol=1e-10, atol=1e-14 * np.abs(exact).max())
    x = np.random.default_rng(1).random((n, 30))
    gain = neuron.solve(x, 1).attenuation_to_soma[0]
    energy = np.bincount(neuron.synapses.compartment, local**2, cell.size)
    mean = energy @ gain / energy.sum()
    cv = np.sqrt(energy @ (gain - mean) ** 2 / energy.sum()) / mean
    assert cosine(local, exact) == pytest.approx(1.0 / np.sqrt(1.0 + cv**2), rel=1e-12)


def test_exactly_what_learners_measure_when_the_density_is_what_is_there() -> None:
    cell = ds.Morphology.load("stellate").compartments(MEMBRANE, d_lambda=0.2)
    local, exact, _, neuron = of_learners(cell, "additive", "reciprocal", 20)
    resistance = predicted_fidelity(cell).resistance
    density = np.bincount(neuron.synapses.compartment, local**2, cell.size) / resistance**2
    found = predicted_fidelity(cell, density=density)
    assert found.cosine == pytest.approx(cosine(local, exact), rel=1e-12)
    assert found.scale == pytest.approx(log_scale(local, exact), abs=1e-12)
    assert found.relative_l2 == pytest.approx(relative_l2(local, exact), rel=1e-10)


def test_a_current_at_the_soma_tells_every_synapse_its_exact_credit() -> None:
    # reciprocity: the voltage that an error current makes is q, so that without R and A nothing is missing
    cell = ds.Morphology.load("stellate").compartments(MEMBRANE, d_lambda=0.2)
    synapses = ds.Synapses.scatter(cell, 120, 40, n_inputs=30, seed=4)
    x = np.random.default_rng(1).random((5, 30))
    error = np.random.default_rng(2).normal(size=(5, 1))
    state = ds.steady_state(cell, synapses, x)
    current = np.zeros((5, cell.size))
    current[:, :1] = 30.0 * error  # of any size, as the cable is passive
    echo = (ds.steady_state(cell, synapses, x, current=current).voltage - state.voltage) / 30.0
    q = ds.exact_gradient(state, error).current
    np.testing.assert_allclose(echo, q, rtol=1e-8, atol=1e-12 * np.abs(q).max())


def test_density_by_area_and_regular_trees() -> None:
    tree = ds.Compartments.branching([2, 2], coupling=0.7)
    found = predicted_fidelity(tree, direction="directed")
    gains = np.array([0.7 / 2.4, (0.7 / 2.4) ** 2])  # 1 / (1 + 2 0.7) below, leaves end in 1
    resistance = np.array([1 / 2.4, 1.0])
    local, exact = np.repeat(resistance, [2, 4]), np.repeat(resistance * gains, [2, 4])
    assert found.cosine == pytest.approx(local @ exact / np.sqrt((local @ local) * (exact @ exact)))
    cell = ds.Morphology.load("basket").compartments(MEMBRANE, d_lambda=0.3)
    by_area = predicted_fidelity(cell, density="area")
    expected = cell.area * by_area.resistance**2
    expected[0] = 0.0  # the soma
    np.testing.assert_allclose(by_area.weight, expected / expected.sum())
    assert "predicted cosine" in str(by_area)


def test_a_cell_without_length_loses_nothing() -> None:
    found = predicted_fidelity(cylinder(1e-3, 50))
    assert found.cosine == pytest.approx(1.0, abs=1e-9)
    assert found.relative_l2 == pytest.approx(0.0, abs=1e-5)


def test_errors_say_what_would_work() -> None:
    tree = ds.Compartments.branching([2])
    with pytest.raises(ParameterError, match="one cell at a time; these are 2"):
        predicted_fidelity(ds.Compartments.branching([2], n_cells=2))
    with pytest.raises(ParameterError, match="length"):
        predicted_fidelity(tree, density="volume")
    with pytest.raises(ParameterError, match=r"expected \(3,\)"):
        predicted_fidelity(tree, density=[1.0])
    for bad in ([0.0, 0.0, 0.0], [1.0, -1.0, 0.0], [np.nan, 1.0, 1.0]):
        with pytest.raises(ParameterError, match="finite and not negative"):
            predicted_fidelity(tree, density=bad)
