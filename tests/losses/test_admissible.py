"""Whether the score has conditional mean zero at the optimum: by enumeration, summation or quadrature, to 1e-10."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from dendrosim.losses import LOSSES
from dendrosim.losses.families import FAMILIES
from dendrosim.losses.potentials import POTENTIALS

from .cases import CLASSES, CONTROLS, TRUTHS, P, Truth, summed


@pytest.mark.parametrize("truth", TRUTHS, ids=str)
def test_the_mean_score_is_zero_at_the_optimum(truth):
    np.testing.assert_allclose(truth.weights.sum(), 1.0, atol=1e-12)
    assert truth.loss.admissible
    np.testing.assert_allclose(truth.mean_score(truth.loss.score), 0.0, atol=1e-10)


@pytest.mark.parametrize("truth", TRUTHS, ids=str)
def test_the_mean_score_is_not_zero_elsewhere(truth):
    moved = Truth(truth.name, truth.o + 0.3 * np.arange(1.0, len(truth.o) + 1), truth.y, truth.weights, truth.options)
    assert np.abs(moved.mean_score(moved.loss.score)).max() > 1e-3


@pytest.mark.parametrize("truth", [*TRUTHS, *CONTROLS], ids=str)
def test_the_optimum_is_one(truth):
    def expected(o):
        return truth.weights @ truth.loss.value(np.tile(o, (len(truth.y), 1)), truth.y)

    least = expected(truth.o)
    for move in np.vstack([np.eye(len(truth.o)), -np.eye(len(truth.o))]):
        assert expected(truth.o + 0.05 * move) > least
    found = minimize(expected, truth.o + 0.2, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-13})
    assert found.fun >= least - 1e-12


@pytest.mark.parametrize("truth", CONTROLS, ids=str)
def test_what_is_not_admissible_says_so_rightly(truth):
    assert not truth.loss.admissible
    assert np.abs(truth.mean_score(truth.loss.score)).max() > 0.1


def test_every_loss_is_judged_and_says_why():
    # a new loss needs a distribution of targets, in cases.py, at whose optimum its score is tested
    assert {truth.name for truth in TRUTHS} == {name for name, kind in LOSSES.items() if kind.admissible}
    assert {truth.name for truth in CONTROLS} == {name for name, kind in LOSSES.items() if not kind.admissible}
    for kind in LOSSES.values():
        assert kind.why.endswith(".")


def test_every_family_and_potential_is_judged():
    def named(given):
        return given["name"] if isinstance(given, dict) else given

    assert {named(t.options["family"]) for t in TRUTHS if t.name == "exponential_family"} == set(FAMILIES)
    for name in ("bregman", "scoring_rule"):
        seen = {named(t.options["potential"]) for t in TRUTHS if t.name == name}
        assert seen == set(POTENTIALS) - ({"spherical"} if name == "bregman" else set())


def test_the_score_by_probabilities_is_not_zero_on_average():
    # -y / p, the derivative of cross-entropy by constrained outputs: -1 in every component
    truth = Truth("cross_entropy", P, np.eye(3), P)
    np.testing.assert_allclose(truth.mean_score(lambda p, y: -y / p), -1.0, atol=1e-12)


def test_nonlinear_functions_of_the_score_are_not_zero_on_average():
    poisson = Truth("poisson", np.log([3.0]), *summed(stats.poisson(3.0), 80))
    np.testing.assert_allclose(poisson.mean_score(lambda o, y: poisson.loss.score(o, y) ** 2), 3.0, atol=1e-10)
    ce = Truth("cross_entropy", np.log(P), CLASSES, P)
    by_sign = ce.mean_score(lambda o, y: np.sign(ce.loss.score(o, y)))
    np.testing.assert_allclose(by_sign, 1 - 2 * P, atol=1e-12)
    by_size = ce.mean_score(lambda o, y: np.abs(ce.loss.score(o, y)))
    np.testing.assert_allclose(by_size, 2 * P * (1 - P), atol=1e-12)
