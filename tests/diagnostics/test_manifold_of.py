"""Manifolds of networks: the mean Jacobian against finite differences and closed forms, and what the table holds."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics.credit_of import learner_of
from dendrosim.diagnostics.dimension import participation_ratio, principal_angles, principal_axes, two_nn
from dendrosim.diagnostics.manifold_of import manifold, mean_jacobian
from dendrosim.errors import ParameterError
from dendrosim.networks import PointMLP


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def tree(**options):
    given = {"cells": [3], "branching": [2, 2], "excitatory": 5, "inhibitory": 3, "seed": 1, **options}
    return ds.Network.dendritic(12, 4, dtype="float64", **given)


def linear_mlp(widths=(7, 5)):
    """Rectified units that all inputs in [0, 1] leave in their linear range."""
    network = PointMLP(6, 3, list(widths), seed=2, dtype="float64")
    for name, value in network.parameters.items():
        if name.startswith("hidden_bias"):
            value += 20.0
    return network


def by_hand(network, x, n, step):
    """Logits with V_n moved by `step` in every sample, synaptic input held fixed: along the path to the soma."""
    activity, layout = network.forward(x), network.layout
    voltage, resistance = (activity.batch_first(a) for a in (activity.voltage, activity.resistance))
    slope, middle = network.slope, network.parameters["midpoint"]

    def passed_on(k, v):
        return 0.5 * (np.tanh(slope[k] * (v - middle[k])) + 1.0) if network.gated[k] else v

    soma, k, moved = activity.soma.copy(), n, voltage[:, n] + step
    while layout.parent[k] >= 0:
        up = layout.parent[k]
        change = passed_on(k, moved) - passed_on(k, voltage[:, k])
        moved, k = voltage[:, up] + resistance[:, up] * network.coupling[k] * change, up
    soma[:, layout.cell[n]] = passed_on(k, moved)
    return network.decoder.forward(network.parameters, soma)


@pytest.mark.parametrize("options", [{}, {"gates": False}, {"integration": "additive"}])
def test_mean_jacobian_of_trees_against_finite_differences(rng, options):
    network, x = tree(**options), rng.random((7, 12))
    found = mean_jacobian(network, x)
    assert found.shape == (4, network.layout.size)
    for n in range(network.layout.size):
        slope = (by_hand(network, x, n, 1e-5) - by_hand(network, x, n, -1e-5)).mean(axis=0) / 2e-5
        np.testing.assert_allclose(found[:, n], slope, rtol=1e-6, atol=1e-9)


def deep(rng):
    return tree(cells=[4, 3], excitatory=[5, 3], inhibitory=[3, 1]), rng.random((6, 12))


def mlp(rng):
    return PointMLP(6, 3, [8, 5], activation="tanh", dtype="float64"), rng.standard_normal((6, 6))


def neurons(rng):
    cells = ds.Compartments.branching([2, 2], n_cells=2, coupling=0.7)
    synapses = ds.Synapses.scatter(cells, 20, 8, n_inputs=6)
    return ds.Neurons(cells, synapses, 3, direction="directed", gate=ds.Gate(2.0, 0.3)), rng.random((6, 6))


@pytest.mark.parametrize("make", [deep, mlp, neurons])
def test_mean_jacobian_against_perturbed_passes(rng, make):
    network, x = make(rng)
    found = mean_jacobian(network, x)
    lesson, _, _ = learner_of(network, "exact", loss="mse").taught(network.checked(x), np.zeros((6, network.n_outputs)))
    size, step = network.layout.size, 1e-5
    noise = np.zeros((2 * size, *lesson.credit.shape))
    for n in range(size):
        noise[2 * n, :, n], noise[2 * n + 1, :, n] = step, -step
    logits = lesson.perturbed(noise).mean(axis=1)
    np.testing.assert_allclose(found, (logits[::2] - logits[1::2]).T / (2 * step), rtol=1e-5, atol=1e-8)


def test_mean_jacobian_of_a_linear_network(rng):
    network, x = linear_mlp(), rng.random((9, 6))
    found, p = mean_jacobian(network, x), network.parameters
    np.testing.assert_allclose(found[:, 7:], p["decoder_weight"], rtol=1e-12)
    np.testing.assert_allclose(found[:, :7], p["decoder_weight"] @ p["hidden_weight_1"], rtol=1e-12)


def test_table_of_a_linear_network_on_planted_inputs(rng):
    """Inputs of two dimensions make activity of two dimensions in every layer of a linear network."""
    network = linear_mlp()
    x = 0.5 + (rng.random((400, 2)) - 0.5) @ (0.3 * rng.standard_normal((2, 6)))
    found = manifold(network, x, rank=2)
    weight = network.parameters["hidden_weight_0"]
    np.testing.assert_array_equal(found.table["rank"], 2)
    np.testing.assert_array_equal(found.table["n"], [7, 5])
    np.testing.assert_allclose(found.table["chance"], [2 / 7, 2 / 5])
    np.testing.assert_allclose(found.table["two_nn"], 2.0, atol=0.25)
    for i, (name, v) in enumerate(
        {
            "hidden1/stage 0": x @ weight.T,
            "hidden2/stage 0": x @ weight.T @ network.parameters["hidden_weight_1"].T,
        }.items()
    ):
        row, axes = found.table[i], principal_axes(v)[1]
        jacobian = found.jacobian[:, :7] if i == 0 else found.jacobian[:, 7:]
        assert row["layer"] == name
        assert row["participation_ratio"] == pytest.approx(participation_ratio(v), rel=1e-6)
        assert row["two_nn"] == pytest.approx(two_nn(v), rel=1e-3)
        assert row["alignment"] == pytest.approx(((jacobian @ axes) ** 2).sum() / (jacobian**2).sum(), rel=1e-6)
        angles = principal_angles(jacobian, axes)
        assert row["least_angle"] == pytest.approx(angles[0], abs=1e-4)
        assert row["mean_angle"] == pytest.approx(angles.mean(), abs=1e-4)
        np.testing.assert_allclose(found.angles[name], angles, atol=1e-4)
        assert found.aligned[name][-1] == pytest.approx(row["alignment"])


def test_rank_by_share_of_the_variance_and_as_a_number(rng):
    network, x = tree(), rng.random((200, 12))
    for name, n90 in zip(manifold(network, x).table["rank"], manifold(network, x).table["n90"], strict=True):
        assert name == n90
    np.testing.assert_array_equal(manifold(network, x, rank=3).table["rank"], 3)
    most = manifold(network, x, rank=1000)
    assert (most.table["rank"] <= most.table["n"]).all()
    np.testing.assert_allclose(most.table["alignment"], 1.0)
    assert (np.diff(most.aligned["layer1/stage 2"]) >= 0).all()


def test_it_says_what_it_found(rng):
    found = manifold(tree(), rng.random((50, 12)), rank=2, draws=0)
    assert repr(found) == "<Manifold: 3 layers, 50 samples>"
    text = str(found)
    assert "layer1/stage 2" in text
    assert len(text.splitlines()) == 6
    assert np.isnan(found.table["random_sd"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"rank": 0}, "rank=0 is impossible"), ({"rank": 2.5}, "whole number, or a share"), ({"draws": -1}, "draws=-1")],
)
def test_impossible_options(rng, options, message):
    with pytest.raises(ParameterError, match=message):
        manifold(tree(), rng.random((20, 12)), **options)


def test_no_network_is_said(rng):
    with pytest.raises(ParameterError, match="must be a Network"):
        manifold(3, rng.random((20, 12)))
