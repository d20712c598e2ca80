"""Mutual information by nearest neighbours against integrals and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.stats import multivariate_normal, norm

from dendrosim.diagnostics.information import branch_information, class_information
from dendrosim.errors import ParameterError


def two_normals(distance: float) -> float:
    """Bits between a fair coin and N(+-distance / 2, 1), by quadrature: h(mixture) - h(normal)."""

    def integrand(z: float) -> float:
        p = 0.5 * norm.pdf(z, -distance / 2) + 0.5 * norm.pdf(z, distance / 2)
        return float(-p * np.log2(p))

    return quad(integrand, -12, 12)[0] - 0.5 * np.log2(2 * np.pi * np.e)


@pytest.mark.parametrize("distance", [0.0, 1.0, 3.0])
def test_one_dimension_against_quadrature(distance):
    rng = np.random.default_rng(0)
    coin = rng.integers(0, 2, 6000)
    z = distance * coin + rng.standard_normal(6000)
    assert class_information(z, coin) == pytest.approx(two_normals(distance), abs=0.03)


def test_two_dimensions_hold_what_neither_holds_alone():
    """E and I share a large fluctuation: each alone says little of the class, their difference almost all."""
    covariance = np.array([[1.0, 0.95], [0.95, 1.0]])
    means = np.array([[0.3, -0.3], [-0.3, 0.3]])
    rng = np.random.default_rng(1)
    coin = rng.integers(0, 2, 6000)
    z = means[coin] + rng.multivariate_normal([0, 0], covariance, 6000)
    parts = [multivariate_normal(mean, covariance) for mean in means]

    def integrand(y: float, x: float) -> float:
        p = 0.5 * sum(part.pdf([x, y]) for part in parts)
        return float(-p * np.log2(max(p, 1e-300)))

    entropy = dblquad(integrand, -5, 5, lambda x: x - 2.5, lambda x: x + 2.5, epsabs=1e-4)[0]
    exact = entropy - 0.5 * np.log2((2 * np.pi * np.e) ** 2 * np.linalg.det(covariance))
    assert exact > 0.5
    assert class_information(z, coin) == pytest.approx(exact, abs=0.04)
    assert class_information(z[:, 0], coin) < 0.15
    # units do not matter
    assert class_information(z * [1e-6, 1e6], coin) == pytest.approx(class_information(z, coin), abs=1e-6)


def test_against_scikit_learn_in_one_dimension():
    feature_selection = pytest.importorskip("sklearn.feature_selection")
    rng = np.random.default_rng(2)
    digit = rng.integers(0, 10, 1500)
    z = np.where(rng.random(1500) < 0.3, 0.0, digit * 0.4 + rng.standard_normal(1500))  # ties, as silent branches give
    theirs = feature_selection.mutual_info_classif(z[:, None], digit, n_neighbors=10, random_state=0)[0] / np.log(2)
    # the jitter that breaks the ties is random in both
    assert class_information(z, digit, k=10) == pytest.approx(theirs, abs=0.02)
    smooth = digit * 0.4 + rng.standard_normal(1500)
    theirs = feature_selection.mutual_info_classif(smooth[:, None], digit, n_neighbors=10, random_state=0)[0]
    assert class_information(smooth, digit, k=10) == pytest.approx(theirs / np.log(2), abs=1e-6)


def test_constants_say_nothing_and_lonely_classes_are_left_out():
    assert class_information(np.ones(20), np.arange(20) % 2) == 0.0
    rng = np.random.default_rng(3)
    coin = rng.integers(0, 2, 400)
    z = coin + 0.01 * rng.standard_normal(400)
    with_lonely = class_information(np.append(z, 0.5), np.append(coin, 7))
    assert with_lonely == pytest.approx(class_information(z, coin), abs=0.02)


def test_branches_one_by_one_on_the_same_samples():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, 500)
    e, i = labels[:, None] * [0.0, 1.0, 2.0] + rng.random((2, 500, 3))
    bits = branch_information(e, i, labels)
    assert bits.shape == (3,)
    assert bits[1] == class_information(np.stack([e[:, 1], i[:, 1]], 1), labels)
    assert abs(bits[0]) < 0.1
    assert bits[2] > bits[1] > 0.3
    fewer = branch_information(e, i, labels, most=200, seed=5)
    np.testing.assert_array_equal(fewer, branch_information(e, i, labels, most=200, seed=5))
    assert not np.array_equal(fewer, branch_information(e, i, labels, most=200, seed=6))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: class_information([1.0, 2.0], [0, 1, 1]), r"expected \(n,\) or \(n, d\)"),
        (lambda: class_information([1.0, 2.0], [0, 1]), "every class has one sample"),
        (lambda: class_information([1.0, 2.0], [0, 0], k=0), "must be >= 1"),
        (lambda: class_information([1.0, 2.0], [0, 0], k=2.5), "no whole number"),
        (lambda: class_information([1.0, np.nan], [0, 0]), "1 numbers that are not finite"),
        (lambda: branch_information(np.ones((4, 2)), np.ones((4, 3)), np.zeros(4, int)), r"inhibition \(4, 3\)"),
    ],
)
def test_messages(call, says):
    with pytest.raises(ParameterError, match=says):
        call()
