"""Scores are derivatives of values, products are derivatives of scores: against central differences."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.losses import loss

from .cases import CONTROLS, TRUTHS, points

STEP = 1e-5  # central differences of a function of order one are good to about 1e-10


def steps(o):
    """Outputs with every component moved up, then down; the first axis runs over components."""
    moves = STEP * np.eye(o.shape[1])[:, None, :]
    return o + moves, o - moves


@pytest.mark.parametrize("truth", [*TRUTHS, *CONTROLS], ids=str)
def test_scores_are_derivatives(truth):
    o, y = points(truth, np.random.default_rng(0))
    by_difference = [
        (truth.loss.value(a, y) - truth.loss.value(b, y)) / (2 * STEP) for a, b in zip(*steps(o), strict=True)
    ]
    score = truth.loss.score(o, y)
    scale = max(1.0, np.abs(score).max())
    np.testing.assert_allclose(score, np.transpose(by_difference), rtol=1e-6, atol=1e-8 * scale)


@pytest.mark.parametrize("truth", [*TRUTHS, *CONTROLS], ids=str)
def test_products_are_derivatives_of_scores(truth):
    rng = np.random.default_rng(1)
    o, y = points(truth, rng)
    v = rng.standard_normal(o.shape)
    # column c of the transposed derivative, times v: sum_k ds_k / do_c v_k
    by_difference = [
        ((truth.loss.score(a, y) - truth.loss.score(b, y)) * v).sum(axis=1) / (2 * STEP)
        for a, b in zip(*steps(o), strict=True)
    ]
    product = truth.loss.score_product(o, y, v)
    scale = max(1.0, np.abs(product).max())
    np.testing.assert_allclose(product, np.transpose(by_difference), rtol=1e-6, atol=1e-8 * scale)


@pytest.mark.parametrize("truth", [*TRUTHS, *CONTROLS], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types_and_inputs_remain(truth, dtype):
    o, y = points(truth, np.random.default_rng(2))
    o = o.astype(dtype)
    kept = o.copy(), y.copy()
    results = [truth.loss.value(o, y), truth.loss.score(o, y), truth.loss.score_product(o, y, np.ones_like(o))]
    assert [result.dtype for result in results] == [np.dtype(dtype)] * 3
    assert [result.shape for result in results] == [(6,), o.shape, o.shape]
    np.testing.assert_array_equal(o, kept[0])
    np.testing.assert_array_equal(y, kept[1])
    exact = truth.loss.score(o.astype(float), y)
    np.testing.assert_allclose(results[1], exact, rtol=2e-4, atol=2e-5 * max(1.0, np.abs(exact).max()))


@pytest.mark.parametrize("truth", [*TRUTHS, *CONTROLS], ids=str)
def test_both_at_once_is_each(truth):
    o, y = points(truth, np.random.default_rng(3))
    checked = truth.loss.checked(y, *o.shape)
    np.testing.assert_array_equal(truth.loss.checked(checked, *o.shape), checked)
    value, score = truth.loss.evaluate(o, checked)
    np.testing.assert_array_equal(value, truth.loss.value(o, y))
    np.testing.assert_array_equal(score, truth.loss.score(o, y))
    one_by_one = [truth.loss.value(o[[i]], y[[i]])[0] for i in range(len(o))]
    np.testing.assert_allclose(value, one_by_one, rtol=1e-12, atol=1e-14)


BOUNDED = ["cross_entropy", "log_score", "logistic", "brier", "spherical"]


@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_logits_are_no_trouble(name, dtype):
    o = np.array([[1e4, -1e4, 0.0], [800.0, -800.0, 799.0], [-1e4, -1e4, -1e4], [-300.0, 0.0, 300.0]], dtype)
    found = loss(name)
    for y in ([0, 1, 2, 0], [1, 2, 0, 2]):
        value, score = found.value(o, y), found.score(o, y)
        assert np.isfinite(value).all()
        assert (value >= -1e-6).all()
        assert np.abs(score).max() <= 1.0 + 1e-6
        assert np.isfinite(found.score_product(o, y, np.ones_like(o))).all()


@pytest.mark.parametrize("potential", ["squared", "kl", "logistic", "power", "spherical"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scoring_rules_survive_probabilities_that_round_to_zero_and_one(potential, dtype):
    o = np.array([[1e3, -1e3, 0.0], [80.0, -80.0, 79.0]], dtype)
    found = loss("scoring_rule", potential=potential)
    for y in ([0, 1], [1, 2]):
        assert np.isfinite(found.value(o, y)).all()
        assert np.isfinite(found.score(o, y)).all()
    if potential == "kl":
        np.testing.assert_allclose(found.score(o, [1, 2]), loss("log_score").score(o, [1, 2]), atol=1e-6)


def test_counts_with_large_means():
    o = np.array([[300.0], [-300.0], [2000.0]])
    score = loss("negative_binomial", size=2.0).score(o, [[3.0], [3.0], [0.0]])
    np.testing.assert_allclose(score, [[2.0], [-3.0], [2.0]], rtol=1e-12)
    assert loss("poisson").score(np.array([[-800.0]]), [[3.0]]) == -3.0
