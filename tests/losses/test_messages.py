"""What is said of impossible targets, outputs and options."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.losses import LOSSES, Brier, CrossEntropy, Link, Loss, Poisson, Potential, loss

OUT = np.zeros((2, 3))

TARGETS = [
    ("cross_entropy", [0, 3], "y has classes from 0 to 3; the network has outputs 0 to 2"),
    ("cross_entropy", [-1, 0], "y has classes from -1 to 0"),
    ("cross_entropy", [0.0, 1.0], r"y has shape \(2,\) and dtype float64; expected 2 whole numbers \(classes\), or "
     r"probabilities of shape \(2, 3\)"),
    ("cross_entropy", [0, 1, 2], "expected 2 whole numbers"),
    ("cross_entropy", [[0.5, 0.5, 0.5], [1, 0, 0]], r"y\[0\] sums to 1.5; cross_entropy takes classes, or rows"),
    ("cross_entropy", [[1, 0, 0], [1.5, -0.5, 0]], r"y\[1, 0\]=1.5 is impossible for cross_entropy; it takes numbers "
     "from 0 to 1"),
    ("cross_entropy", np.full((2, 3), np.nan), r"y\[0, 0\]=nan is impossible"),
    ("cross_entropy", ["a", "b"], "dtype <U1; expected real numbers"),
    ("mse", [[1, 2, np.inf], [0, 0, 0]], r"y\[0, 2\]=inf is impossible for mse; it takes finite numbers"),
    ("mse", [[1, 2], [0, 0]], r"y has shape \(2, 2\)"),
    ("logistic", [[1, -1, 0], [0, 0, 0]], r"y\[0, 1\]=-1 is impossible for logistic; it takes numbers from 0 to 1"),
    ("hinge", [[1, 0.5, 0], [0, 0, 0]], "whole numbers from 0 to 1"),
    ("poisson", [[1, -1, 0], [0, 0, 0]], r"y\[0, 1\]=-1 is impossible for poisson; it takes whole numbers >= 0"),
    ("poisson", [[1, 1.5, 0], [0, 0, 0]], r"y\[0, 1\]=1.5"),
    ("negative_binomial", [[1, 1.5, 0], [0, 0, 0]], "whole numbers >= 0"),
    ("gamma", [[1, 1, 0], [1, 1, 1]], r"y\[0, 2\]=0 is impossible for gamma; it takes numbers > 0"),
    ("gamma", [0, 1], "classes stand for one-hot vectors, with zeros; gamma takes numbers > 0"),
    ("gaussian", [[1.0], [1.0]], "3 outputs are no pairs; gaussian takes one mean and one logarithmic variance"),
    ("brier", [[0.5, 0.5, 0.5], [1, 0, 0]], r"y\[0\] sums to 1.5; brier takes classes"),
    ("pinball", [[1, 2, np.nan], [0, 0, 0]], "finite numbers"),
    ({"name": "bregman", "potential": "kl"}, [[1, 2, -1], [0, 0, 0]], "it takes numbers >= 0"),
    ({"name": "bregman", "potential": "itakura_saito"}, [[1, 2, 0], [1, 1, 1]], "it takes numbers > 0"),
    ({"name": "bregman", "potential": "squared", "link": "sigmoid"}, [[1, 2, 0], [1, 1, 1]], "numbers from 0 to 1"),
    ({"name": "exponential_family", "family": "von_mises"}, [[1.0], [1.0]], "3 outputs are no pairs"),
    ({"name": "exponential_family", "family": {"name": "binomial", "trials": 4}}, [[5, 2, 0], [1, 1, 1]],
     "family 'binomial'; it takes whole numbers from 0 to 4"),
    ({"name": "cross_entropy", "class_weights": [1.0, 2.0]}, [0, 1], "class_weights has 2 values; expected one "
     "for each of 3 outputs"),
    ({"name": "pinball", "tau": [0.1, 0.2]}, np.zeros((2, 3)), "tau has 2 values"),
]  # fmt: skip


@pytest.mark.parametrize(("which", "y", "message"), TARGETS)
def test_impossible_targets(which, y, message):
    with pytest.raises(ParameterError, match=message):
        loss(which).value(OUT, y)


def test_one_output_is_no_class():
    with pytest.raises(ParameterError, match=r"values have the shape \(2, 1\)"):
        loss("logistic").value(np.zeros((2, 1)), [0, 1])


def test_angles_are_no_classes():
    with pytest.raises(ParameterError, match=r"family 'von_mises' takes angles of shape \(2, 1\)"):
        loss("exponential_family", family="von_mises").value(np.zeros((2, 2)), [0, 0])


def test_outputs_and_vectors():
    with pytest.raises(ParameterError, match=r"o has shape \(3,\); expected \(n_samples, n_outputs\)"):
        loss("mse").value([1.0, 2.0, 3.0], [0])
    with pytest.raises(ParameterError, match=r"v has shape \(2,\); expected that of the outputs, \(2, 3\)"):
        loss("mse").score_product(OUT, [0, 1], [1.0, 1.0])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("crossentropy", {}, "loss='crossentropy' is not known; valid: 'mse', 'cross_entropy'"),
        ("mse", {"scale": 2.0}, "loss 'mse' has no option 'scale'; it takes none"),
        ("cross_entropy", {"label_smoothing": 1.5}, "label_smoothing=1.5 is impossible"),
        ("cross_entropy", {"class_weights": 2.0}, "class_weights=2 must be a list"),
        ("cross_entropy", {"class_weights": [1.0, 0.0]}, r"class_weights\[1\]=0.0 is impossible; it must be > 0"),
        ("poisson", {"exposure": 0}, "exposure=0 is impossible"),
        ("pinball", {"tau": 1.0}, "tau=1 is impossible; it must be < 1"),
        ("expectile", {"tau": [0.5, 0.0]}, r"tau\[1\]"),
        ("gamma", {"shape": []}, r"shape has shape \(0,\); expected a number"),
        ("exponential_family", {}, "needs the option 'family'"),
        ("exponential_family", {"family": "beta"}, "family='beta' is not known; valid: 'normal', 'bernoulli'"),
        ("exponential_family", {"family": "binomial"}, "family 'binomial' needs the option 'trials'"),
        ("exponential_family", {"family": {"name": "binomial", "trials": 1.5}}, "trials=1.5 must be a whole number"),
        ("exponential_family", {"family": 3}, "family=3 must be a name .*, a Family, or a table with 'name'"),
        ("exponential_family", {"family": "gamma", "link": "identity"}, r"natural parameters of family='gamma' are "
         r"\(-inf, 0\); valid: 'negative_exp'"),
        ("exponential_family", {"family": "poisson", "dispersion": 0.0}, "dispersion"),
        ("bregman", {"potential": "kl", "link": "identity"}, r"link='identity' reaches all real numbers, and "
         r"potential='kl' is defined on \(0, inf\); valid: 'exp', 'softplus', 'sigmoid'"),
        ("bregman", {"potential": "spherical"}, "use loss 'scoring_rule' with potential='spherical'"),
        ("bregman", {"potential": {"name": "power", "alpha": 1.0}}, "alpha=1.0 is impossible; it must be > 1"),
        ("scoring_rule", {"potential": "brier"}, "potential='brier' is not known; valid: 'squared', 'kl'"),
    ],
)  # fmt: skip
def test_impossible_options(name, options, message):
    with pytest.raises(ParameterError, match=message):
        loss(name, **options)


def test_losses_by_name_table_and_object():
    assert loss({"name": "poisson"}, exposure=2.0).exposure == 2.0
    given = Poisson(2.0)
    copied = loss(given)
    assert copied is not given
    assert repr(copied) == "Poisson(exposure=2.0)"
    with pytest.raises(ParameterError, match="options exposure do not go with the finished Poisson"):
        loss(given, exposure=1.0)
    with pytest.raises(ParameterError, match="the table of a loss needs 'name', one of 'mse'"):
        loss({"exposure": 2.0})
    with pytest.raises(ParameterError, match="must be a name"):
        loss(3)


NEEDED = {
    "exponential_family": {"family": "poisson"},
    "bregman": {"potential": "kl"},
    "scoring_rule": {"potential": "kl"},
}


@pytest.mark.parametrize("name", LOSSES)
def test_repr_names_every_option(name):
    import dendrosim.losses as home
    from dendrosim.losses import families, links, potentials

    made = loss(name, **NEEDED.get(name, {}))
    known = {**vars(home), **vars(potentials), **vars(links), **vars(families)}
    assert repr(eval(repr(made), known)) == repr(made)


def test_classes_decide_and_are_counted():
    o = np.array([[2.0, 1.0, 0.0], [0.0, 0.5, 0.1]])
    assert CrossEntropy().correct(o, np.array([0, 2])) == 1
    assert Brier().correct(o, np.array([[0.9, 0.1, 0.0], [0.0, 1.0, 0.0]])) == 2
    np.testing.assert_array_equal(loss("gaussian").decided(np.array([[0.0, 1.0, 9.0, 0.0]])), [1])


def test_losses_potentials_and_links_of_ones_own():
    class Cubic(Potential):
        name = "cubic"
        interior = (0.0, np.inf)

        def value(self, p):
            return (p**3).sum(axis=1)

        def gradient(self, p):
            return 3 * p**2

        def hessian(self, p, a):
            return 6 * p * a

        def third(self, p, a, b):
            return 6 * a * b

    class Square(Link):
        name = "square"
        range = (0.0, np.inf)

        def value(self, o):
            return o**2

        def slope(self, o):
            return 2 * o

        def bend(self, o):
            return np.full_like(o, 2.0)

    class Absolute(Loss):
        name = "absolute"
        admissible = False
        why = "A test."

        def checked(self, y, n_samples, n_outputs):
            return np.asarray(y)

        def evaluate(self, o, y):
            return np.abs(o - y).sum(axis=1), np.sign(o - y)

        def curvature_product(self, o, y, v):
            return np.zeros_like(v)

    made = loss("bregman", potential=Cubic(), link=Square())
    y, u = np.array([[2.0]]), 1.5**2
    expected = 8.0 - u**3 - 3 * u**2 * (2.0 - u)
    np.testing.assert_allclose(made.value([[1.5]], y), [expected], rtol=1e-14)
    np.testing.assert_allclose(made.score([[1.5]], y), [[2 * 1.5 * 6 * u * (u - 2.0)]], rtol=1e-14)
    assert loss(Absolute()).value([[3.0]], [[1.0]]) == 2.0


def test_a_single_output_decides_by_its_sign_or_not_at_all():
    o, y = np.array([[2.0], [-1.0], [0.5]]), np.array([[1.0], [0.0], [0.0]])
    assert loss("logistic").correct(o, y) == 2
    assert loss("mse").correct(o, y) == 0
