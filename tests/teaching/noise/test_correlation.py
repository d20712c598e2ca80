"""Vanilla noise correlation: bias and variance against closed forms, in networks whose derivatives are known."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.teaching.noise import VNC

from ..lessons import lesson_of, taught
from .cases import affine, every_sign, gated, jacobians, prepared, quiet


def estimates(signal, lesson, trials, draws=1, layer=None):
    """Independent estimates of dy/d(what is perturbed), (trials, n_outputs, N)."""
    found = []
    for _ in range(trials):
        noise = signal.directions(lesson, draws) * signal.sigma
        found.append(signal.estimate(lesson, noise if layer is None else quiet(lesson, noise, layer)).T)
    return np.array(found)


def relative_error(found, exact):
    return ((found - exact) ** 2).sum(axis=(1, 2)).mean() / (exact**2).sum()


@pytest.mark.parametrize("inject", ["voltage", "current", "output"])
@pytest.mark.parametrize("integration", ["shunting", "additive", "normalised_additive"])
@pytest.mark.parametrize("sigma", [1e-3, 0.5])
def test_unbiased_for_noise_of_any_size_where_outputs_are_affine(sigma, integration, inject):
    network = affine(integration)
    lesson = lesson_of(network, 16)
    signal = prepared(VNC(sigma=sigma, inject=inject, noise="gauss"), network)
    found = estimates(signal, lesson, 150)
    error = found.std(axis=0) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - jacobians(lesson, inject).mean(axis=0)) < 4 * error).all()


@pytest.mark.parametrize(("noise", "more"), [("gauss", 1), ("rademacher", -1)])
def test_squared_error_of_k_perturbations(noise, more):
    network = affine()
    lesson, n = lesson_of(network, 16), network.layout.size
    exact = jacobians(lesson).mean(axis=0)
    signal = prepared(VNC(noise=noise), network)
    for draws in (1, 4):
        expected = (n + more) / (16 * draws)
        assert relative_error(estimates(signal, lesson, 400, draws), exact) == pytest.approx(expected, rel=0.1)


def test_error_falls_with_the_root_of_the_number_of_perturbations():
    network = affine()
    lesson = lesson_of(network, 16)
    exact = jacobians(lesson).mean(axis=0)
    signal = prepared(VNC(), network)
    draws = np.array([1, 4, 16, 64])
    errors = [np.sqrt(relative_error(estimates(signal, lesson, 100, k), exact)) for k in draws]
    slope = np.polyfit(np.log(draws), np.log(errors), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.05)


def test_layers_that_are_perturbed_together_are_noise_to_each_other():
    network = affine()
    lesson, layer = lesson_of(network, 16), network.layout.layer
    exact = jacobians(lesson).mean(axis=0)
    signal = prepared(VNC(noise="gauss"), network)
    together = estimates(signal, lesson, 400)
    size = [float((exact[:, layer == k] ** 2).sum()) for k in range(3)]
    for k in range(3):
        here, d = layer == k, int((layer == k).sum())
        others = sum(size) - size[k]
        expected = ((d + 1) * size[k] + d * others) / 16
        squared = ((together - exact)[:, :, here] ** 2).sum(axis=(1, 2)).mean()
        assert squared == pytest.approx(expected, rel=0.1)
        alone = estimates(signal, lesson, 400, layer=k)[:, :, here]
        assert relative_error(alone, exact[:, here]) == pytest.approx((d + 1) / 16, rel=0.1)


def test_derivatives_that_vary_with_the_input_add_their_mean_square_to_the_error():
    network = gated()
    lesson, layer = lesson_of(network, 16), network.layout.layer
    each = jacobians(lesson, "output")
    square = np.array([(each[:, :, layer == k] ** 2).sum(axis=(1, 2)).mean() for k in range(3)])
    constant = np.array([(each.mean(axis=0)[:, layer == k] ** 2).sum() for k in range(3)])
    assert (square[1:] > 1.1 * constant[1:]).all()
    found = estimates(prepared(VNC(sigma=1e-5, noise="gauss"), network), lesson, 500) - each.mean(axis=0)
    for k in range(3):
        here = layer == k
        expected = (square[k] + int(here.sum()) * square.sum()) / 16
        assert (found[:, :, here] ** 2).sum(axis=(1, 2)).mean() == pytest.approx(expected, rel=0.1)


def test_orthogonal_noise():
    network = affine()
    n = network.layout.size
    assert n == 21
    lesson = lesson_of(network, 16)
    exact = jacobians(lesson).mean(axis=0)
    signal = prepared(VNC(noise="orthogonal"), network)
    np.testing.assert_allclose(estimates(signal, lesson, 5, draws=2), np.stack([exact] * 5), atol=1e-12)
    expected = (n - 1) / 16 * (32 - 16) / (32 - 1)
    assert relative_error(estimates(signal, lesson, 400), exact) == pytest.approx(expected, rel=0.1)


def test_pairs_and_single_draws_agree_where_outputs_are_affine():
    network = affine("shunting")
    lesson = lesson_of(network, 16)
    single, pairs = prepared(VNC(), network), prepared(VNC(perturbations=2, antithetic=True), network)
    noise = 0.05 * single.directions(lesson, 3)
    np.testing.assert_allclose(pairs.estimate(lesson, noise), single.estimate(lesson, noise), atol=1e-12 / 0.05)


def test_bias_is_of_second_order_and_even_powers_add_variance_to_single_draws_only():
    network = gated(cells=[1], branching=[2])
    lesson = lesson_of(network, 5)
    exact = jacobians(lesson).mean(axis=0)
    single, pairs = VNC(inject="voltage"), VNC(perturbations=2, inject="voltage", antithetic=True)
    bias, excess = [], []
    for sigma in (0.002, 0.001):
        noise = every_sign(lesson, sigma)
        for signal in (single, pairs):
            signal.sigma = sigma
            prepared(signal, network)
        means = [signal.estimate(lesson, noise).T for signal in (single, pairs)]
        np.testing.assert_allclose(means[0], means[1], atol=1e-12)
        bias.append(np.abs(means[0] - exact).max())
        spread = [
            np.var([s.estimate(lesson, noise[k : k + 1]) for k in range(8)], axis=0).sum() for s in (single, pairs)
        ]
        excess.append(spread[0] - spread[1])
    assert bias[0] > 1e-6
    assert bias[0] / bias[1] == pytest.approx(4.0, rel=0.05)
    assert min(excess) > 0
    assert excess[0] / excess[1] == pytest.approx(4.0, rel=0.05)


def test_a_current_over_r_moves_outputs_as_a_voltage_does():
    network = gated(integration="shunting")
    lesson = lesson_of(network, 16)
    noise = 0.1 * np.random.default_rng(3).standard_normal((2, *lesson.credit.shape))
    by_voltage = lesson.perturbed(noise, "voltage")
    by_current = lesson.perturbed(noise / lesson.activity.resistance, "current")
    np.testing.assert_allclose(by_current, by_voltage, atol=1e-13)


def told_exactly(network, lesson, **options):
    """Credits after one update with noise that is exactly white."""
    signal = prepared(VNC(perturbations=2, eta=1.0, noise="orthogonal", **options), network)
    signal.observe(lesson)
    return taught(lesson, signal)


@pytest.mark.parametrize("inject", ["voltage", "current", "output"])
def test_credits_are_exact_where_derivatives_do_not_vary_with_the_input(inject):
    """In normalised additive cells R is constant but not 1: a second factor R would show."""
    network = affine("normalised_additive")
    lesson = lesson_of(network, 16)
    assert np.ptp(lesson.activity.resistance[0, :, 0]) > 0.01
    told = told_exactly(network, lesson, inject=inject)
    lesson.transport()
    np.testing.assert_allclose(told, lesson.activity.batch_first(lesson.credit), atol=1e-12)


def test_current_noise_estimates_the_mean_of_j_times_r():
    network = affine("shunting", cells=[1], branching=[2, 1])
    lesson = lesson_of(network, 6)
    signal = prepared(VNC(inject="current"), network)
    found = signal.estimate(lesson, every_sign(lesson, 0.05)).T
    np.testing.assert_allclose(found, jacobians(lesson, "current").mean(axis=0), atol=1e-12)
    by_resistance = jacobians(lesson).mean(axis=0) * lesson.activity.batch_first(lesson.activity.resistance).mean(
        axis=0
    )
    assert np.abs(found - by_resistance).max() > 1e-6


def test_perturbing_outputs_gives_better_credits_than_perturbing_voltages():
    network = gated(cells=[8])
    lesson = lesson_of(network, 64)
    lesson.transport()
    exact = lesson.activity.batch_first(lesson.credit)

    def cosine(inject):
        signal = prepared(VNC(perturbations=64, eta=1.0, sigma=0.01, inject=inject), network)
        signal.observe(lesson)
        told = taught(lesson, signal)
        return (told * exact).sum() / np.linalg.norm(told) / np.linalg.norm(exact)

    assert cosine("output") > cosine("voltage") + 0.05


@pytest.mark.parametrize("baseline", ["clean", "running", "none"])
def test_every_baseline_is_unbiased_and_the_clean_pass_has_the_least_variance(baseline):
    network = affine("shunting")
    lesson = lesson_of(network, 16)
    exact = jacobians(lesson).mean(axis=0)
    signal = prepared(VNC(sigma=0.01, inject="voltage", baseline=baseline), network)
    signal.counted(lesson)
    found = estimates(signal, lesson, 300)
    error = found.std(axis=0) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - exact) < 4 * error).all()
    clean = estimates(prepared(VNC(inject="voltage"), network), lesson, 300)
    assert (found.var(axis=0).sum() > 2 * clean.var(axis=0).sum()) == (baseline != "clean")


def test_the_matrix_follows_with_its_rate_and_takes_turns():
    network = affine()
    lesson, layer = lesson_of(network, 16), network.layout.layer
    exact = jacobians(lesson).mean(axis=0)
    options = {"perturbations": 2, "eta": 0.25, "noise": "orthogonal"}
    signal = prepared(VNC(**options), network)
    for _ in range(3):
        signal.observe(lesson)
    np.testing.assert_allclose(signal.feedback, (1 - 0.75**3) * exact, atol=1e-12)
    signal = prepared(VNC(**options, layers="in_turn", interval=2), network)
    steps = []
    for _ in range(8):
        signal.observe(lesson)
        steps.append([np.abs(signal.feedback[:, layer == k] / exact[:, layer == k]).mean() for k in range(3)])
    expected = np.zeros((8, 3))
    expected[0:, 0], expected[2:, 1], expected[4:, 2], expected[6:, 0] = 0.25, 0.25, 0.25, 1 - 0.75**2
    np.testing.assert_allclose(steps, expected, atol=1e-12)
    assert signal.passes == 4 * 2


def test_the_start_of_the_matrix():
    network = affine(cells=[30])
    assert not prepared(VNC(), network).feedback.any()
    assert prepared(VNC(init="random"), network).feedback.std() == pytest.approx(0.5, rel=0.1)


def test_matched_energy():
    network = affine(cells=[10])
    signal = prepared(VNC(sigma=0.1, match_rank=8), network)
    units = np.array([10, 20, 40])[network.layout.layer]
    np.testing.assert_allclose(signal.scale**2 * units, 0.01 * 8)
    lesson = lesson_of(network, 16)
    signal = prepared(VNC(sigma=0.1, match_rank=8, noise="orthogonal", perturbations=8, eta=1.0), network)
    signal.observe(lesson)
    np.testing.assert_allclose(signal.feedback, jacobians(lesson).mean(axis=0), atol=1e-12)


def test_k_perturbations_are_k_forward_passes_besides_the_clean_one():
    network = gated()
    for options, made in (({"perturbations": 3}, 3), ({"perturbations": 4, "antithetic": True}, 4)):
        lesson = lesson_of(network, 16)
        rows, perturbed = [], lesson.perturbed
        lesson.perturbed = lambda noise, inject, p=perturbed, r=rows: (r.append(len(noise)), p(noise, inject))[1]
        signal = prepared(VNC(interval=2, **options), network)
        for _ in range(6):
            signal.observe(lesson)
            signal.credit(lesson)
        assert signal.passes == sum(rows) == 3 * made


def test_many_draws_are_made_in_parts(monkeypatch):
    from dendrosim.teaching.noise import base

    network = affine()
    lesson = lesson_of(network, 16)
    monkeypatch.setattr(base, "PART", 3 * lesson.credit.size)
    signal = prepared(VNC(perturbations=8), network)
    parts = list(signal.noises(lesson))
    assert [len(part) for part in parts] == [3, 3, 2]
    lesson.rng = np.random.default_rng(5)
    signal.eta = 1.0
    signal.observe(lesson)
    np.testing.assert_allclose(signal.feedback, signal.estimate(lesson, np.concatenate(parts)).T, atol=1e-12)


def test_metrics():
    network = gated(cells=[8])
    lesson = lesson_of(network, 32)
    signal = prepared(VNC(perturbations=8), network)
    signal.observe(lesson)
    metrics = signal.metrics(lesson)
    assert metrics["passes"] == 8
    soma, layer = network.layout.layers[0], network.layout.layer
    name = f"{soma[0]}/stage {soma[1]}"
    assert metrics[f"norm/{name}"] == pytest.approx(np.linalg.norm(signal.feedback[:, layer == 0]))
    outputs = lesson.activity.batch_first(lesson.activity.output)[:, layer == 0]
    values, vectors = np.linalg.eigh(np.cov(outputs.T, bias=True))
    rank = int(np.ceil(values.sum() ** 2 / (values**2).sum()))
    assert metrics[f"rank/{name}"] == rank
    assert metrics[f"captured/{name}"] == pytest.approx(values[-rank:].sum() / values.sum())
    inside = signal.feedback[:, layer == 0] @ vectors[:, -rank:]
    assert metrics[f"alpha/{name}"] == pytest.approx((inside**2).sum() / metrics[f"norm/{name}"] ** 2)


def test_refusals():
    with pytest.raises(ParameterError, match=r"perturbations=3 does not allow; use perturbations=4"):
        VNC(perturbations=3, antithetic=True)
    with pytest.raises(ParameterError, match=r"baseline='none' has no meaning with antithetic=True"):
        VNC(perturbations=2, antithetic=True, baseline="none")
    with pytest.raises(ParameterError, match=r"perturbations=0 must be a positive whole number"):
        VNC(perturbations=0)
    with pytest.raises(ParameterError, match=r"noise='pink' is not known; valid: 'gauss', 'rademacher', 'orthogonal'"):
        VNC(noise="pink")
    for wrong in ({"sigma": 0.0}, {"eta": 0.0}, {"eta": 1.5}):
        with pytest.raises(ParameterError, match=r"is impossible"):
            VNC(**wrong)
    with pytest.raises(ParameterError, match=r"layers='all' is not known; valid: 'together', 'in_turn'"):
        VNC(layers="all")
