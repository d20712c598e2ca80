"""Probes tell layers the gradient of what they predict; they learn from that very minibatch."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.losses import loss
from dendrosim.networks.residual import ResMLP
from dendrosim.plasticity.residual import ResidualLearner


def made(teaching, terminal_norm=True):
    rng = np.random.default_rng(0)
    network = ResMLP(6, 3, 8, 2, dtype="float64", seed=1, terminal_norm=terminal_norm)
    return ResidualLearner(network, teaching, seed=4), rng.random((5, 6)), rng.integers(0, 3, 5)


def standard(h):
    return (h - h.mean(1, keepdims=True)) / np.sqrt(h.var(1, keepdims=True) + 1e-5)


def predicted(learner, h, layer, y, label):
    """The probe, written again."""
    from scipy.special import ndtr

    p = learner.teaching.weights
    parts = [standard(h), np.full((len(h), 1), layer / learner.network.depth)]
    u = np.concatenate([*parts, np.eye(3)[y]] if label else parts, axis=1)
    for i in range(2):
        u = u @ p[f"weight_{i}"] + p[f"bias_{i}"]
        u = u * ndtr(u)
    return u @ p["weight_2"] + p["bias_2"]


@pytest.mark.parametrize("terminal_norm", [True, False])
@pytest.mark.parametrize(
    "teaching",
    [{"name": "state_bridge", "hidden": 7}, {"name": "credit_bridge", "hidden": 7},
     {"name": "credit_bridge", "hidden": 7, "label": False}],
)  # fmt: skip
def test_credit_by_central_differences(teaching, terminal_norm):
    learner, x, y = made(teaching, terminal_norm)
    lesson, _ = learner.lesson(x, y, share=1.0)
    told, network = learner.credits(lesson).told, learner.network

    def value(layer, h):
        out = predicted(learner, h, layer, y, teaching.get("label", True) and "credit" in teaching["name"])
        if teaching["name"] == "credit_bridge":
            return out.sum()
        p = network.groups["head"]
        top = standard(out) * p["norm_gain"] + p["norm_bias"] if terminal_norm else out
        return loss("cross_entropy").evaluate(top @ p["weight"] + p["bias"], y)[0].sum()

    for layer in range(2):
        h = lesson.passage.h[layer].copy()
        for index in ((0, 0), (2, 5), (4, 7)):
            kept = h[index]
            h[index] = kept + 1e-6
            above = value(layer, h)
            h[index] = kept - 1e-6
            below = value(layer, h)
            h[index] = kept
            assert told[layer][index] == pytest.approx((above - below) / 2e-6, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("teaching", ["state_bridge", "credit_bridge"])
def test_what_it_learns_from_by_central_differences(teaching):
    learner, x, y = made({"name": teaching, "hidden": 7})
    lesson, losses = learner.lesson(x, y)
    learner.credits(lesson)
    found = {k: v.copy() for k, v in learner.teaching.weight_gradients(lesson).items()}
    h = lesson.passage.h

    def error():
        outs = [predicted(learner, h[i], i, y, teaching == "credit_bridge") for i in range(2)]
        goal = losses[:, None] if teaching == "credit_bridge" else standard(h[2])
        return np.mean([(out - goal) ** 2 for out in outs])

    for name, array in learner.teaching.weights.items():
        index = (1,) * array.ndim if array.size > 1 else (0,) * array.ndim
        index = tuple(min(i, n - 1) for i, n in zip(index, array.shape, strict=True))
        kept = array[index]
        array[index] = kept + 1e-6
        above = error()
        array[index] = kept - 1e-6
        below = error()
        array[index] = kept
        assert found[name][index] == pytest.approx((above - below) / 2e-6, rel=1e-5, abs=1e-9), name


def test_it_learns_from_the_minibatch_it_was_asked_about():
    learner, x, y = made("state_bridge")
    lesson, _ = learner.lesson(x, y)
    learner.credits(lesson)
    other, _ = learner.lesson(x[:3], y[:3])
    with pytest.raises(ParameterError, match="ask for credits first"):
        learner.teaching.weight_gradients(other)


def test_a_copy_has_weights_of_its_own():
    learner, x, y = made("state_bridge")
    lesson, _ = learner.lesson(x, y)
    before = [a.copy() for a in learner.credits(lesson).told]
    other = copy.deepcopy(learner.teaching)
    for value in other.weights.values():
        value += 1.0
    assert all((a == b).all() for a, b in zip(before, learner.credits(lesson).told, strict=True))
