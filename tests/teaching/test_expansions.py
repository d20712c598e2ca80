"""Score vector expansions: orthogonality by enumeration, kernels, and what must change nothing."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.losses import loss
from dendrosim.plasticity.learner import Learner
from dendrosim.teaching import EXPANSIONS, SBD, expansion
from dendrosim.teaching.expansions import Custom, Inputs, RandomFeatures, SecondMoments

from .lessons import batch, lesson_of, network_of, taught


def squares(x, o):
    return np.column_stack([x[:, 0] ** 2, o[:, 1] * o[:, 2]])


KINDS = {
    "constant": {},
    "outputs": {},
    "probabilities": {},
    "confidence": {},
    "inputs": {"components": 3, "samples": 20},
    "random_features": {"n_features": 5},
    "custom": {"function": squares, "n_features": 2},
    "second_moments": {},
}


def made(name, network, seed=0):
    one = expansion({"name": name, **KINDS[name]})
    one.prepare(network, np.random.default_rng(seed))
    if name == "inputs":
        one.observe(lesson_of(network, 20, 3))
    return one


def expanded(one, lesson):
    """(B, C'), without the batch's 1/B."""
    a = lesson.activity
    return a.n_samples * a.batch_first(one.expand(lesson, a.blocks(lesson.output_error)))


def features_by_hand(name, one, lesson):
    """(B, E), the constant among them."""
    o = lesson.activity.logits
    p = np.exp(o) / np.exp(o).sum(axis=1, keepdims=True)
    state = one.state()
    if name == "inputs":
        x = lesson_of(lesson.network, 20, 3).x
        size, axes = np.linalg.eigh(np.cov(x.T, bias=True))
        scores = (lesson.x - x.mean(0)) @ axes[:, ::-1][:, :3] / np.sqrt(size[::-1][:3])
        sign = np.sign(np.sum(axes[:, ::-1][:, :3] * state["axes"].T, axis=0))
        found = scores * sign
    else:
        found = {
            "constant": lambda: np.empty((len(o), 0)),
            "outputs": lambda: o,
            "probabilities": lambda: p,
            "confidence": lambda: p.max(axis=1, keepdims=True),
            "random_features": lambda: np.tanh(lesson.x @ state["weight"].T + state["bias"][:, 0]),
            "custom": lambda: squares(lesson.x, o),
        }[name]()
    return np.column_stack([np.ones(len(o)), found])


@pytest.mark.parametrize("n", [7, 33])
@pytest.mark.parametrize("name", [k for k in KINDS if k != "second_moments"])
def test_products_of_score_and_features(name, n):
    network = network_of("two layers")
    one, lesson = made(name, network), lesson_of(network, n)
    score, f = n * lesson.output_error, features_by_hand(name, one, lesson)
    expected = (f[:, :, None] * score[:, None]).reshape(n, -1)
    found = expanded(one, lesson)
    assert found.shape == (n, one.size(network))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", KINDS)
def test_conditional_mean_is_zero_where_the_score_s_is(name):
    """All classes of one input, weighted by the probabilities that the network itself gives them."""
    network = network_of()
    one = made(name, network)
    x = np.random.default_rng(8).random((1, 9))
    o = network.forward(x).logits[0]
    p = np.exp(o) / np.exp(o).sum()
    total = sum(p[y] * expanded(one, lesson_of(network, x=x, y=np.array([y])))[0] for y in range(4))
    np.testing.assert_allclose(total, 0.0, atol=1e-12)
    raw = sum(p[y] * np.outer(e, e) for y in range(4) for e in [np.eye(4)[y] - p])
    assert np.abs(raw).max() > 0.05  # what second moments would have without the model's covariance


@pytest.mark.parametrize("name", [k for k in KINDS if k != "second_moments"])
def test_features_know_nothing_of_the_label(name):
    network = network_of()
    one, (x, y) = made(name, network), batch(9)
    found = [expanded(one, lesson_of(network, x=x, y=(y + k) % 4)) for k in range(2)]
    scores = [9 * lesson_of(network, x=x, y=(y + k) % 4).output_error for k in range(2)]
    ratios = [f.reshape(9, -1, 4) / s[:, None] for f, s in zip(found, scores, strict=True)]
    np.testing.assert_allclose(*ratios, rtol=1e-10, atol=1e-12)


def test_second_moments_by_hand():
    network = network_of()
    lesson = lesson_of(network, 9)
    o, score = lesson.activity.logits, 9 * lesson.output_error
    p = np.exp(o) / np.exp(o).sum(axis=1, keepdims=True)
    expected = [[*s, *(np.outer(s, s) - np.diag(q) + np.outer(q, q)).ravel()] for s, q in zip(score, p, strict=True)]
    one = SecondMoments()
    np.testing.assert_allclose(expanded(one, lesson), expected, atol=1e-13)
    padded = one.expand(lesson, lesson.activity.blocks(lesson.output_error))
    np.testing.assert_array_equal(padded[-1, :, 9 % lesson.activity.width :], 0.0)


def test_the_constant_is_plain_broadcasting_bit_for_bit():
    network = network_of("two layers")
    found = []
    for given in (None, "constant"):
        learner = Learner(network.copy(), SBD(decay=0.9, expansion=given), seed=2)
        for seed in range(3):
            learner.step(*batch(9, seed))
        found.append(learner.network.parameters["synapses"])
    np.testing.assert_array_equal(*found)
    assert not np.array_equal(found[0], network.parameters["synapses"])


@pytest.mark.parametrize("name", [k for k in KINDS if k != "second_moments"])
def test_credit_is_a_kernel_of_scores_and_features(name):
    """Without memory: g'(h) f' (1/B) sum_b' h_b' <s_b', s_b> <f_b', f_b>."""
    network = network_of("two layers")
    signal = SBD(decay=0.0, expansion={"name": name, **KINDS[name]})
    signal.prepare(network, np.random.default_rng(0))
    if name == "inputs":
        signal.observe(lesson_of(network, 20, 3))
    lesson = lesson_of(network, 11)
    signal.observe(lesson)
    one = signal._expansion
    score, f = 11 * lesson.output_error, features_by_hand(name, one, lesson)
    a = lesson.activity
    kernel = (score @ score.T) * (f @ f.T) / 11
    expected = kernel @ a.batch_first(a.output) / 11 * a.batch_first(a.derivative)
    np.testing.assert_allclose(taught(lesson, signal), expected, rtol=1e-8, atol=1e-13)


def test_principal_components_are_fitted_once_from_the_first_samples():
    network = network_of()
    one = Inputs(components=2, samples=20)
    one.prepare(network, np.random.default_rng(0))
    lesson = lesson_of(network, 9)
    plain = expanded(one, lesson)[:, 4:]
    np.testing.assert_array_equal(plain, 0.0)
    for seed in range(2):
        one.observe(lesson_of(network, 9, seed))
        np.testing.assert_array_equal(expanded(one, lesson)[:, 4:], 0.0)
    half = one.state()
    for seed in (2, 3, 4):
        one.observe(lesson_of(network, 9, seed))
    found = expanded(one, lesson)
    seen = np.concatenate([batch(9, seed)[0] for seed in range(3)])[:20]
    scores = one.features(lesson_of(network, x=seen, y=np.zeros(20, int)))
    flat = scores.transpose(0, 2, 1).reshape(-1, 2)[:20]
    np.testing.assert_allclose(flat.mean(0), 0.0, atol=1e-12)
    np.testing.assert_allclose(flat.T @ flat / 20, np.eye(2), atol=1e-12)
    other = Inputs(components=2, samples=20)
    other.prepare(network, np.random.default_rng(1))
    other.restore(half)
    other.observe(lesson_of(network, 9, 2))
    np.testing.assert_array_equal(expanded(other, lesson), found)


def test_chosen_inputs():
    network = network_of()
    one = Inputs(chosen=[8, 0])
    one.prepare(network, np.random.default_rng(0))
    lesson = lesson_of(network, 9)
    score = 9 * lesson.output_error
    expected = np.hstack([score, lesson.x[:, 8:9] * score, lesson.x[:, :1] * score])
    np.testing.assert_allclose(expanded(one, lesson), expected, rtol=1e-13)


def test_random_features_are_drawn_from_the_seed():
    network = network_of()
    found = []
    for seed in (0, 0, 1):
        one = RandomFeatures()
        one.prepare(network, np.random.default_rng(seed))
        found.append(one.state()["weight"])
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_bandwidth_counts_what_is_broadcast():
    network = network_of()
    for name, size in {"constant": 4, "confidence": 8, "probabilities": 20, "second_moments": 20}.items():
        assert SBD(expansion=name).bits_per_sample(network) == 32 * size


def test_refusals():
    network = network_of()
    with pytest.raises(ParameterError, match=r"expansion='squares' is not known; valid: 'constant'"):
        SBD(expansion="squares")
    with pytest.raises(ParameterError, match=r"expansion=3 must be a name"):
        expansion(3)
    with pytest.raises(ParameterError, match=r"either chosen=.*or components="):
        Inputs()
    with pytest.raises(ParameterError, match=r"samples=3 must be more than components=4"):
        Inputs(components=4, samples=3)
    with pytest.raises(ParameterError, match=r"components=10 is more than the 9 inputs"):
        Inputs(components=10).prepare(network, np.random.default_rng(0))
    with pytest.raises(ParameterError, match=r"chosen\[1\] 9 does not exist; valid: 0 to 8"):
        Inputs(chosen=[0, 9]).prepare(network, np.random.default_rng(0))
    with pytest.raises(ParameterError, match=r"returned an array of shape \(7, 9\)"):
        expanded(Custom(lambda x, o: x, 2), lesson_of(network, 7))
    with pytest.raises(ParameterError, match=r"'second_moments' knows the covariance of one score alone"):
        SecondMoments().suits(loss("mse"))
    with pytest.raises(ParameterError, match=r"'second_moments' knows the covariance of one score alone"):
        SecondMoments().suits(loss("cross_entropy", label_smoothing=0.1))
    assert set(EXPANSIONS) == set(KINDS)
