"""Losses with outputs and targets to differentiate at, and with distributions of targets whose optimum is known."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import stats
from scipy.special import logit, roots_genlaguerre, roots_hermite, roots_legendre

from dendrosim.losses import Loss, loss


@dataclass(frozen=True)
class Truth:
    """A distribution of targets: values `y`, one per row, with weights, and the outputs of least expected loss."""

    name: str
    o: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    options: dict = field(default_factory=dict)

    @property
    def loss(self) -> Loss:
        return loss(self.name, **self.options)

    def mean_score(self, score) -> np.ndarray:
        """Sum of `score(o, y)` over the values, by their weights."""
        return self.weights @ score(np.tile(self.o, (len(self.y), 1)), self.y)

    def __str__(self) -> str:
        return f"{self.name} {self.options or ''}"


def softplus_inverse(mean):
    return np.log(np.expm1(mean))


P = np.array([0.5, 0.2, 0.3])
"""Probabilities of three classes."""
CLASSES = np.arange(3)
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
"""Two binary targets, which depend on each other."""
OF_CORNERS = np.array([0.4, 0.1, 0.2, 0.3])
BINARY_MEAN = OF_CORNERS @ CORNERS
SPREAD = np.array([[-1.0, 2.0], [0.5, 0.0], [3.0, -2.5]])
"""Three values of two real targets."""
POSITIVE = np.array([[0.3, 4.0], [2.0, 0.1], [1.0, 1.0]])


def summed(distribution, most: int):
    """A distribution of counts as values (n, 1) and weights."""
    counts = np.arange(most)
    return counts[:, None].astype(float), distribution.pmf(counts)


def gamma_nodes(shape: float, mean: float):
    """Gauss-Laguerre quadrature of a gamma distribution."""
    nodes, weights = roots_genlaguerre(40, shape - 1.0)
    return nodes[:, None] * mean / shape, weights / weights.sum()


def normal_nodes(mean: float, sd: float):
    """Gauss-Hermite quadrature of a normal distribution."""
    nodes, weights = roots_hermite(40)
    return mean + sd * np.sqrt(2.0) * nodes[:, None], weights / np.sqrt(np.pi)


def split_exponential(at: float):
    """Quadrature of exp(-y) that has an end at `at`, where the score may jump."""
    nodes, weights = roots_legendre(60)
    tail, tail_weights = roots_genlaguerre(60, 0.0)
    inner = 0.5 * at * (nodes + 1.0)
    y = np.concatenate([inner, at + tail])
    return y[:, None], np.concatenate([0.5 * at * weights * np.exp(-inner), tail_weights * np.exp(-at)])


def angle_nodes(mean: float, kappa: float):
    """Periodic trapezoids of a von Mises distribution."""
    angles = np.arange(200) * 2 * np.pi / 200
    density = np.exp(kappa * (np.cos(angles - mean) - 1.0))
    return angles[:, None], density / density.sum()


def expectile_of_exponential(tau: float) -> float:
    """Solves tau E[(y - e)+] = (1 - tau) E[(e - y)+] for y of density exp(-y): (2 tau - 1) exp(-e) = (1-tau) (e-1)."""
    from scipy.optimize import brentq

    return brentq(lambda e: (2 * tau - 1) * np.exp(-e) - (1 - tau) * (e - 1), 0.01, 10.0, xtol=1e-15)


def bregman(mean, y, weights, potential, link, inverse, **options):
    made = {"potential": {"name": potential, **options} if options else potential, "link": link}
    return Truth("bregman", inverse(mean), y, weights, made)


THIRD = np.full(3, 1 / 3)
UNDER = {"link": "log_softplus", "family": "poisson"}
WEIGHTS = np.array([1.0, 3.0, 0.5])
IN_SIMPLEX = np.log(P) + 0.7

TRUTHS = [
    Truth("mse", P, CLASSES, P),
    Truth("mse", THIRD @ SPREAD, SPREAD, THIRD),
    Truth("cross_entropy", IN_SIMPLEX, CLASSES, P),
    Truth("cross_entropy", np.log(0.9 * P + 0.1 / 3), CLASSES, P, {"label_smoothing": 0.1}),
    Truth("cross_entropy", np.log(WEIGHTS * P), CLASSES, P, {"class_weights": WEIGHTS.tolist()}),
    Truth(
        "cross_entropy",
        np.log(WEIGHTS * (0.8 * P + 0.2 / 3)),
        np.eye(3),
        P,
        {"class_weights": WEIGHTS.tolist(), "label_smoothing": 0.2},
    ),
    Truth("logistic", logit(BINARY_MEAN), CORNERS, OF_CORNERS),
    Truth("logistic", logit(P), CLASSES, P),
    Truth("poisson", np.log([3.0 / 2.5]), *summed(stats.poisson(3.0), 80), {"exposure": 2.5}),
    Truth("negative_binomial", np.log([4.0]), *summed(stats.nbinom(2.5, 2.5 / (2.5 + 4.0)), 400), {"size": 2.5}),
    Truth("gamma", np.log([1.7]), *gamma_nodes(3.0, 1.7), {"shape": 3.0}),
    Truth("gaussian", np.array([0.7, np.log(0.25)]), *normal_nodes(0.7, 0.5)),
    Truth("gaussian", np.concatenate([THIRD @ SPREAD, np.log(SPREAD.var(axis=0))]), SPREAD, THIRD),
    Truth("exponential_family", np.array([0.7]), *normal_nodes(0.7, 0.5), {"family": "normal", "dispersion": 0.25}),
    Truth("exponential_family", logit(BINARY_MEAN), CORNERS, OF_CORNERS, {"family": "bernoulli"}),
    Truth(
        "exponential_family",
        logit([0.3]),
        *summed(stats.binom(5, 0.3), 6),
        {"family": {"name": "binomial", "trials": 5}},
    ),
    Truth("exponential_family", np.log([3.0]), *summed(stats.poisson(3.0), 80), {"family": "poisson"}),
    Truth("exponential_family", softplus_inverse(np.array([3.0])), *summed(stats.poisson(3.0), 80), UNDER),
    Truth("exponential_family", np.log([1.7]), *gamma_nodes(3.0, 1.7), {"family": "gamma", "dispersion": 1 / 3}),
    Truth("exponential_family", IN_SIMPLEX, CLASSES, P, {"family": "categorical"}),
    Truth(
        "exponential_family",
        1.5 * np.array([np.cos(2.0), np.sin(2.0)]),
        *angle_nodes(2.0, 1.5),
        {"family": "von_mises"},
    ),
    bregman(THIRD @ SPREAD, SPREAD, THIRD, "squared", "identity", np.copy),
    bregman(BINARY_MEAN, CORNERS, OF_CORNERS, "squared", "sigmoid", logit),
    bregman(THIRD @ POSITIVE, POSITIVE, THIRD, "kl", "exp", np.log),
    bregman(THIRD @ POSITIVE, POSITIVE, THIRD, "kl", "softplus", softplus_inverse),
    bregman(THIRD @ POSITIVE, POSITIVE, THIRD, "itakura_saito", "exp", np.log),
    bregman(THIRD @ POSITIVE, POSITIVE, THIRD, "itakura_saito", "softplus", softplus_inverse),
    bregman(BINARY_MEAN, CORNERS, OF_CORNERS, "logistic", "sigmoid", logit),
    bregman(THIRD @ POSITIVE, POSITIVE, THIRD, "power", "softplus", softplus_inverse, alpha=1.3),
    bregman(BINARY_MEAN, CORNERS, OF_CORNERS, "kl", "sigmoid", logit),
    *[
        Truth("scoring_rule", IN_SIMPLEX, CLASSES, P, {"potential": potential})
        for potential in ("squared", "kl", "itakura_saito", "logistic", {"name": "power", "alpha": 3.0}, "spherical")
    ],
    Truth("brier", IN_SIMPLEX, CLASSES, P),
    Truth("log_score", IN_SIMPLEX, CLASSES, P),
    Truth("spherical", IN_SIMPLEX, CLASSES, P),
    Truth("pinball", np.array([-np.log(0.3)]), *split_exponential(-np.log(0.3)), {"tau": 0.7}),
    Truth(
        "expectile",
        np.array([expectile_of_exponential(0.8)]),
        *split_exponential(expectile_of_exponential(0.8)),
        {"tau": 0.8},
    ),
]
"""At least one for every admissible loss."""

CONTROLS = [
    Truth("hinge", np.array([1.0]), np.array([[1.0], [0.0]]), np.array([0.7, 0.3])),
    Truth("hinge", np.array([-1.0]), np.array([[1.0], [0.0]]), np.array([0.3, 0.7])),
]
"""Losses that are not admissible, at their optimum: there the conditional mean of the score is not zero."""


def points(truth: Truth, rng: np.random.Generator, n: int = 6):
    """Outputs around the optimum, and targets that the loss takes."""
    o = truth.o + rng.standard_normal((n, len(truth.o)))
    return o, truth.y[rng.integers(len(truth.y), size=n)]
