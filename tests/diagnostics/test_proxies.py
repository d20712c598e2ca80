"""Proxies of the path gain against closed forms, numpy and the exact gain."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics import path_gain_proxies
from dendrosim.diagnostics.proxies import _local
from dendrosim.diagnostics.proxy_kinds import PROXIES
from dendrosim.errors import ParameterError

INPUTS = 12


def neuron(direction: str = "directed", branching=(3, 2), integration: str = "shunting", **options) -> ds.Neurons:
    tree = ds.Compartments.branching(branching, coupling=0.6)
    synapses = ds.Synapses.scatter(tree, 3 * tree.size, tree.size, n_inputs=INPUTS, seed=3, conductance=0.3)
    return ds.Neurons(tree, synapses, readout="soma", direction=direction, integration=integration, **options)


def stimuli(n: int = 40, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).random((n, INPUTS))


def always_the_same(n: int = 2) -> np.ndarray:
    return np.repeat(stimuli(1), n, axis=0)


def state_of(model: ds.Neurons, x: np.ndarray) -> ds.State:
    settings = {"integration": model.integration, "direction": model.direction, "gate": model.gate}
    return ds.steady_state(model.compartments, model.synapses, x, **settings)


@pytest.mark.parametrize(("noise", "sign"), [("gauss", 1.0), ("rademacher", -1.0)])
def test_error_of_vnc_is_that_of_its_closed_form(noise, sign):
    model, k = neuron(), 50
    report = path_gain_proxies(
        model, always_the_same(), proxies=["vnc"], samples=[k], repetitions=400, noise=noise, rank=1
    )
    g = state_of(model, stimuli(1)).attenuation_to_soma[0]
    inside = g[1:]
    squared = ((g @ g) * inside.size + sign * (inside @ inside)) / k / (inside @ inside)
    row = report.row("vnc", k)
    assert row["predicted"] ** 2 == pytest.approx(squared, rel=1e-12)
    assert row["error"] ** 2 == pytest.approx(squared, rel=0.15)
    assert row["passes"] == k
    d = g.size  # over all compartments, the soma included: (d + 1) / K, (d - 1) / K
    assert (report.deviation["vnc"][0] ** 2).sum() / (g @ g) == pytest.approx((d + sign) / k, rel=0.15)


@pytest.mark.parametrize("direction", ["directed", "reciprocal"])
@pytest.mark.parametrize("noise", ["gauss", "rademacher"])
def test_predictions_hold_where_the_gain_changes_with_the_stimulus(direction, noise):
    report = path_gain_proxies(
        neuron(direction), stimuli(), proxies=["vnc", "nmnc"], samples=[60], repetitions=300, noise=noise, rank=3
    )
    for name in ("vnc", "nmnc"):
        row = report.row(name, 60)
        assert row["error"] == pytest.approx(row["predicted"], rel=0.08)


@pytest.mark.parametrize("direction", ["directed", "reciprocal"])
def test_orthogonal_noise_finds_the_exact_gain(direction):
    model = neuron(direction)
    names = ["vnc", "vnc_own", "mirror"]
    report = path_gain_proxies(
        model, always_the_same(), proxies=names, samples=[16], repetitions=2, noise="orthogonal", rank=1
    )
    exact = state_of(model, stimuli(1)).attenuation_to_soma[0]
    np.testing.assert_allclose(report.gain, exact, rtol=1e-12)
    for name in names[: 3 if direction == "reciprocal" else 2]:
        np.testing.assert_allclose(report.mean[name][0], exact, rtol=1e-9, atol=1e-9)
    assert np.isnan(report.row("vnc", 16)["predicted"])


def test_current_noise_in_a_directed_tree_does_as_well():
    model = neuron()
    report = path_gain_proxies(
        model,
        always_the_same(),
        proxies=["vnc", "vnc_own", "mirror"],
        samples=[16],
        repetitions=2,
        inject="current",
        noise="orthogonal",
        rank=1,
    )
    for name in ("vnc", "vnc_own", "mirror"):
        np.testing.assert_allclose(report.mean[name][0], report.gain, rtol=1e-9)


def test_error_of_an_edge_of_the_mirror_is_that_of_its_siblings():
    tree = ds.Compartments.branching([3], coupling=[0.0, 0.4, 1.0, 2.0])
    synapses = ds.Synapses.scatter(tree, 8, 4, n_inputs=INPUTS, seed=1)
    model, k = ds.Neurons(tree, synapses, readout="soma", direction="directed"), 40
    report = path_gain_proxies(model, always_the_same(), proxies=["mirror"], samples=[k], repetitions=1000, rank=1)
    c = report.gain[1:]
    expected = (2 * c**2 + (c @ c) - c**2) / k
    np.testing.assert_allclose(report.deviation["mirror"][0, 1:] ** 2, expected, rtol=0.2)
    np.testing.assert_allclose(report.mean["mirror"][0, 1:], c, atol=5 * np.sqrt(expected.max() / 1000))


def test_a_full_basis_makes_nmnc_of_vnc_and_a_small_one_projects():
    model = neuron()
    full, small = (
        path_gain_proxies(
            model, stimuli(), proxies=["vnc", "nmnc"], samples=[100], repetitions=400, rank=rank, noise="gauss"
        )
        for rank in (10, 2)
    )
    assert full.row("nmnc", 100)["error"] == pytest.approx(full.row("vnc", 100)["error"], rel=0.1)
    assert full.captured == pytest.approx(1.0)
    v = state_of(model, stimuli()).voltage
    basis = np.linalg.svd(v - v.mean(axis=0))[2][:2]
    inside = basis.T @ (basis @ small.gain)
    np.testing.assert_allclose(small.mean["nmnc"][0], inside, atol=0.05 * np.abs(inside).max())
    assert small.captured == pytest.approx((inside @ inside) / (small.gain @ small.gain))
    missed = inside[1:] - small.gain[1:]
    assert small.row("nmnc", 100)["bias"] == pytest.approx(
        np.sqrt(missed @ missed / (small.gain[1:] @ small.gain[1:])), rel=0.05
    )


@pytest.mark.parametrize("direction", ["directed", "reciprocal"])
def test_the_product_of_local_resistances_is_exact_in_directed_trees_only(direction):
    report = path_gain_proxies(neuron(direction), stimuli(), proxies=["path_compartment"], samples=[400])
    error = report.row("path_compartment", 400)["error"]
    assert error < 0.01 if direction == "directed" else error > 0.05


def test_local_resistance_is_the_inverse_of_the_diagonal():
    model, x = neuron("reciprocal"), stimuli(3)
    cells, synapses = model.compartments, model.synapses
    for b in range(3):
        matrix = np.diag(cells.leak.copy())
        for n, p in enumerate(cells.parent):
            if p >= 0:
                g = cells.coupling[n]
                matrix[[n, p], [n, p]] += g
                matrix[[n, p], [p, n]] -= g
        np.add.at(matrix, (synapses.compartment, synapses.compartment), synapses.conductance * x[b, synapses.source])
        np.testing.assert_allclose(_local(model, state_of(model, x))[b], 1 / np.diag(matrix), rtol=1e-12)
        np.testing.assert_allclose(state_of(model, x).input_resistance[b], np.diag(np.linalg.inv(matrix)), rtol=1e-12)
    additive = neuron("reciprocal", integration="additive")
    passive = state_of(additive, 0 * x)
    np.testing.assert_array_equal(_local(additive, passive), _local(model, state_of(model, 0 * x)))


def test_correlations_are_those_of_numpy():
    model, x = neuron("reciprocal"), stimuli(60)
    goal = np.linspace(0.0, 0.4, 60)
    names = ["rho", "correlation", "slope", "ebd", "ebd_score", "path_layer"]
    report = path_gain_proxies(model, x, proxies=names, samples=[30_000], repetitions=2, targets=goal)
    v, layer = state_of(model, x).voltage, model.layout.layer
    rho = np.array([np.corrcoef(v[:, layer == k].mean(axis=1), v[:, 0])[0, 1] for k in range(3)])
    local = _local(model, state_of(model, x))
    steps = [np.ones(60), 0.6 * local[:, 0]]
    steps.append(steps[1] * 0.6 * local[:, layer == 1].mean(axis=1))
    expected = {
        "rho": np.clip(rho, 0.1, 2.0)[layer],
        "correlation": [np.corrcoef(v[:, n], v[:, 0])[0, 1] for n in range(v.shape[1])],
        "slope": [np.polyfit(v[:, n], v[:, 0], 1)[0] for n in range(v.shape[1])],
        "ebd": v.T @ v[:, 0] / (v[:, 0] @ v[:, 0]),
        "ebd_score": v.T @ (v[:, 0] - goal) / (v[:, 0] @ (v[:, 0] - goal)),
        "path_layer": np.array(steps).mean(axis=1)[layer],
    }
    for name, value in expected.items():
        np.testing.assert_allclose(report.mean[name][0], value, atol=0.04 * np.abs(value).max(), err_msg=name)
        assert report.row(name, 30_000)["passes"] == 0


def test_measures_of_the_constant():
    report = path_gain_proxies(neuron(), stimuli(), proxies=["constant"], samples=[5], repetitions=3)
    g, row = report.gain[1:], report.row("constant", 5)
    length, cosine = np.sqrt(g @ g), g.sum() / np.sqrt(g.size * (g @ g))
    assert [row["bias"], row["error"]] == pytest.approx([np.sqrt(((1 - g) ** 2).sum()) / length] * 2)
    assert [row["bias_scaled"], row["error_scaled"]] == pytest.approx([np.sqrt(1 - cosine**2)] * 2)
    assert row["cosine"] == pytest.approx(cosine)
    assert row["spread"] == 0.0
    assert np.isnan(row["correlation"])
    assert "constant" in str(report)


def test_error_is_bias_and_spread():
    report = path_gain_proxies(neuron(), stimuli(), samples=[20, 50], repetitions=100, targets=np.zeros(40))
    table = report.table
    assert set(table["proxy"]) == set(PROXIES)
    np.testing.assert_allclose(table["error"] ** 2, table["bias"] ** 2 + table["spread"] ** 2, rtol=0.05, atol=1e-9)


def test_stimuli_are_noise_without_a_clean_baseline():
    clean, mean = (
        path_gain_proxies(neuron(), stimuli(), proxies=["vnc"], samples=[300], sigma=0.01, baseline=baseline)
        for baseline in ("clean", "mean")
    )
    assert mean.row("vnc", 300)["error"] > 1.5 * clean.row("vnc", 300)["error"]


def test_the_gain_of_a_gated_tree_is_found_with_small_noise():
    model = neuron(gate=ds.Gate(3.0, 0.3))
    report = path_gain_proxies(
        model,
        always_the_same(),
        proxies=["vnc", "mirror"],
        samples=[16],
        repetitions=2,
        noise="orthogonal",
        sigma=1e-6,
        rank=1,
    )
    np.testing.assert_allclose(report.mean["vnc"][0], report.gain, rtol=1e-3)


def test_the_same_seed_gives_the_same_bits():
    first, second = (path_gain_proxies(neuron(), stimuli(), samples=[10, 20], repetitions=3, seed=7) for _ in range(2))
    assert first.table.tobytes() == second.table.tobytes()


def test_what_cannot_be_is_refused():
    model, x = neuron("reciprocal"), stimuli()
    with pytest.raises(ParameterError, match="inject='current'"):
        path_gain_proxies(model, x, inject="voltage")
    with pytest.raises(ParameterError, match="give targets="):
        path_gain_proxies(model, x, proxies=["ebd_score"])
    with pytest.raises(ParameterError, match=r"of shape \(40,\)"):
        path_gain_proxies(model, x, targets=[1.0])
    with pytest.raises(ParameterError, match="rank=99 must be from 1 to 10"):
        path_gain_proxies(model, x, rank=99)
    with pytest.raises(ParameterError, match="samples=1 must be"):
        path_gain_proxies(model, x, samples=[1])
    with pytest.raises(ParameterError, match="pool of two or more"):
        path_gain_proxies(model, x[:1])
    with pytest.raises(ParameterError, match="'guess' is not known"):
        path_gain_proxies(model, x, proxies=["guess"])
    forest = ds.Compartments.branching([2], n_cells=2)
    pair = ds.Neurons(forest, ds.Synapses.scatter(forest, 6, 2, n_inputs=INPUTS), readout="soma")
    with pytest.raises(ParameterError, match="one cell at a time"):
        path_gain_proxies(pair, x)
    with pytest.raises(ParameterError, match="there is no row for 'vnc' and 3 samples"):
        path_gain_proxies(model, x, proxies=["rho"], samples=[4]).row("vnc", 3)
