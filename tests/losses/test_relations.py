"""How losses are related to each other, and to those of PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.losses import Bregman, ExponentialFamily, ScoringRule, loss

RNG = np.random.default_rng(0)
LOGITS = RNG.standard_normal((8, 4))
Y = RNG.integers(4, size=8)
SOFT = RNG.dirichlet(np.ones(4), 8)
COUNTS = RNG.poisson(2.0, (8, 4)).astype(float)
REALS = RNG.standard_normal((8, 4))


def softmax(o):
    p = np.exp(o)
    return p / p.sum(axis=1, keepdims=True)


def test_cross_entropy_by_its_definition():
    p = softmax(LOGITS)
    np.testing.assert_allclose(loss("cross_entropy").value(LOGITS, Y), -np.log(p[np.arange(8), Y]), rtol=1e-13)
    np.testing.assert_allclose(loss("cross_entropy").score(LOGITS, SOFT), p - SOFT, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_classes_are_one_hot_vectors_to_the_bit(dtype):
    o = LOGITS.astype(dtype)
    for name in ("cross_entropy", "mse", "logistic", "brier", "spherical", "poisson", "hinge"):
        for part in ("value", "score"):
            by_class, by_vector = (getattr(loss(name), part)(o, y) for y in (Y, np.eye(4)[Y]))
            np.testing.assert_array_equal(by_class, by_vector)


@pytest.mark.parametrize(
    "options", [{}, {"label_smoothing": 0.2}, {"class_weights": [1.0, 2.0, 0.3, 4.0]},
                {"label_smoothing": 0.2, "class_weights": [1.0, 2.0, 0.3, 4.0]}], ids=str
)  # fmt: skip
def test_scores_of_the_softmax_sum_to_zero(options):
    for y in (Y, SOFT):
        np.testing.assert_allclose(loss("cross_entropy", **options).score(LOGITS, y).sum(axis=1), 0.0, atol=1e-14)


@pytest.mark.parametrize("name", ["brier", "spherical", "log_score"])
def test_scores_of_scoring_rules_sum_to_zero(name):
    # a shift of all logits changes no probability
    np.testing.assert_allclose(loss(name).score(LOGITS, SOFT).sum(axis=1), 0.0, atol=1e-14)
    np.testing.assert_allclose(loss(name).value(LOGITS + 3.0, SOFT), loss(name).value(LOGITS, SOFT), rtol=1e-12)


def test_the_log_score_is_cross_entropy():
    for y in (Y, SOFT):
        for part in ("value", "score"):
            expected = getattr(loss("cross_entropy"), part)(LOGITS, y)
            np.testing.assert_array_equal(getattr(loss("log_score"), part)(LOGITS, y), expected)
            by_potential = getattr(ScoringRule("kl"), part)(LOGITS, y)
            # the potential sum p log p - p is the negative entropy less what is 1 on probabilities
            constant = 1.0 if part == "value" else 0.0
            np.testing.assert_allclose(by_potential - constant, expected, rtol=1e-12, atol=1e-14)


def test_brier_and_spherical_by_their_definitions():
    p, one_hot = softmax(LOGITS), np.eye(4)[Y]
    np.testing.assert_allclose(loss("brier").value(LOGITS, Y), ((p - one_hot) ** 2).sum(axis=1), rtol=1e-12)
    jacobian = np.einsum("bi,ij->bij", p, np.eye(4)) - np.einsum("bi,bj->bij", p, p)
    np.testing.assert_allclose(
        loss("brier").score(LOGITS, Y), 2 * np.einsum("bij,bj->bi", jacobian, p - one_hot), atol=1e-14
    )
    expected = 1 - p[np.arange(8), Y] / np.linalg.norm(p, axis=1)
    np.testing.assert_allclose(loss("spherical").value(LOGITS, Y), expected, rtol=1e-12)


def test_soft_targets_are_expectations_over_classes():
    for name in ("cross_entropy", "brier", "spherical", "log_score"):
        each = np.stack([loss(name).value(LOGITS, np.full(8, c)) for c in range(4)], axis=1)
        np.testing.assert_allclose(loss(name).value(LOGITS, SOFT), (SOFT * each).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize(
    ("potential", "prediction", "y"),
    [
        ("squared", lambda o: o, REALS),
        ("kl", np.exp, COUNTS),
        ("logistic", lambda o: 1 / (1 + np.exp(-o)), SOFT),
    ],
)
def test_matched_links_give_prediction_minus_target(potential, prediction, y):
    matched = Bregman(potential)
    np.testing.assert_allclose(matched.score(LOGITS, y), prediction(LOGITS) - y, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(matched.value(LOGITS, prediction(LOGITS)), 0.0, atol=1e-12)
    assert (matched.value(LOGITS, y) > 0).all()


def test_a_matched_link_is_the_general_formula():
    class Exp(type(Bregman("kl").link)):
        """Not recognised as the matched link, so that derivatives of the potential are used."""

    general, matched = Bregman("kl", Exp()), Bregman("kl")
    v = RNG.standard_normal(LOGITS.shape)
    np.testing.assert_allclose(general.value(LOGITS, COUNTS), matched.value(LOGITS, COUNTS), rtol=1e-12)
    np.testing.assert_allclose(general.score(LOGITS, COUNTS), matched.score(LOGITS, COUNTS), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        general.score_product(LOGITS, COUNTS, v), matched.score_product(LOGITS, COUNTS, v), rtol=1e-12, atol=1e-14
    )


SAME = [
    ("mse", Bregman("squared"), REALS),
    ("mse", ExponentialFamily("normal"), REALS),
    ("poisson", Bregman("kl"), COUNTS),
    ("poisson", ExponentialFamily("poisson"), COUNTS),
    ("gamma", Bregman("itakura_saito"), COUNTS + 0.5),
    ("gamma", ExponentialFamily("gamma"), COUNTS + 0.5),
    ("logistic", Bregman("logistic"), SOFT),
    ("logistic", ExponentialFamily("bernoulli"), SOFT),
    ("cross_entropy", ExponentialFamily("categorical"), SOFT),
    ("mse", loss("expectile"), REALS),
    ("poisson", loss("exponential_family", family={"name": "poisson"}), COUNTS),
]


@pytest.mark.parametrize(("name", "general", "y"), SAME, ids=str)
def test_named_losses_are_members_of_general_families(name, general, y):
    named = loss(name)
    v = RNG.standard_normal(LOGITS.shape)
    np.testing.assert_allclose(general.score(LOGITS, y), named.score(LOGITS, y), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(
        general.score_product(LOGITS, y, v), named.score_product(LOGITS, y, v), rtol=1e-12, atol=1e-13
    )
    # values differ at most by what depends on y alone
    moved = LOGITS + RNG.standard_normal(LOGITS.shape)
    np.testing.assert_allclose(
        general.value(moved, y) - general.value(LOGITS, y), named.value(moved, y) - named.value(LOGITS, y), atol=1e-11
    )


def test_limits():
    np.testing.assert_allclose(
        loss("negative_binomial", size=1e9).score(LOGITS, COUNTS), loss("poisson").score(LOGITS, COUNTS), atol=1e-6
    )
    np.testing.assert_allclose(
        loss("gaussian").score(np.hstack([LOGITS, 0 * LOGITS]), REALS)[:, :4],
        loss("mse").score(LOGITS, REALS),
        atol=1e-15,
    )
    np.testing.assert_allclose(
        Bregman({"name": "power", "alpha": 2.0}, "exp").score(LOGITS, COUNTS),
        Bregman("squared", "exp").score(LOGITS, COUNTS),
        rtol=1e-12,
        atol=1e-13,
    )
    np.testing.assert_allclose(
        Bregman({"name": "power", "alpha": 1 + 1e-7}, "exp").score(LOGITS, COUNTS),
        Bregman("kl").score(LOGITS, COUNTS),
        atol=1e-5,
    )


def test_options_per_output():
    tau = [0.1, 0.5, 0.7, 0.9]
    for name, option, y in [
        ("pinball", "tau", REALS),
        ("expectile", "tau", REALS),
        ("poisson", "exposure", COUNTS),
        ("negative_binomial", "size", COUNTS),
        ("gamma", "shape", COUNTS + 0.5),
    ]:
        each = [loss(name, **{option: t}).score(LOGITS[:, [c]], y[:, [c]])[:, 0] for c, t in enumerate(tau)]
        np.testing.assert_array_equal(loss(name, **{option: tau}).score(LOGITS, y), np.transpose(each))


def torch_score(function, o):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    outputs = torch.tensor(o, requires_grad=True)
    values = function(torch, outputs)
    values.sum().backward()
    return values.detach().numpy(), outputs.grad.numpy()


TORCH = [
    ("cross_entropy", {}, Y, lambda t, o: t.nn.functional.cross_entropy(o, t.tensor(Y), reduction="none")),
    ("cross_entropy", {}, SOFT, lambda t, o: t.nn.functional.cross_entropy(o, t.tensor(SOFT), reduction="none")),
    (
        "cross_entropy",
        {"label_smoothing": 0.2, "class_weights": [1.0, 2.0, 0.3, 4.0]},
        Y,
        lambda t, o: t.nn.functional.cross_entropy(
            o,
            t.tensor(Y),
            reduction="none",
            label_smoothing=0.2,
            weight=t.tensor([1.0, 2.0, 0.3, 4.0], dtype=t.float64),
        ),
    ),
    ("mse", {}, REALS, lambda t, o: 0.5 * ((o - t.tensor(REALS)) ** 2).sum(1)),
    (
        "logistic",
        {},
        SOFT,
        lambda t, o: t.nn.functional.binary_cross_entropy_with_logits(o, t.tensor(SOFT), reduction="none").sum(1),
    ),
    (
        "poisson",
        {},
        COUNTS,
        lambda t, o: t.nn.functional.poisson_nll_loss(o, t.tensor(COUNTS), reduction="none").sum(1),
    ),
    (
        "gaussian",
        {},
        REALS[:, :2],
        lambda t, o: t.nn.functional.gaussian_nll_loss(
            o[:, :2], t.tensor(REALS[:, :2]), t.exp(o[:, 2:]), reduction="none"
        ).sum(1),
    ),
    ("hinge", {}, Y, lambda t, o: t.relu(1 - (2 * t.nn.functional.one_hot(t.tensor(Y), 4) - 1) * o).sum(1)),
]


@pytest.mark.parametrize(("name", "options", "y", "function"), TORCH, ids=[f"{t[0]} {t[1] or ''}" for t in TORCH])
def test_values_and_scores_are_those_of_pytorch(name, options, y, function):
    value, score = torch_score(function, LOGITS)
    np.testing.assert_allclose(loss(name, **options).value(LOGITS, y), value, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(loss(name, **options).score(LOGITS, y), score, rtol=1e-7, atol=1e-12)
