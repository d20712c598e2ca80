"""Feedback alignment is backpropagation where its matrices are the weights, and nowhere but in a plain linear chain."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.networks.residual import ResidualNetwork
from dendrosim.networks.residual.blocks import Block
from dendrosim.networks.residual.parts import Perceptron
from dendrosim.plasticity.residual import ResidualLearner
from dendrosim.teaching.residual import LAYER_CREDITS

DEPTH, WIDTH = 3, 6


class Linear(Block):
    """``f(h) = h V + b``: with V = W - 1 a layer is ``h W + b``, without a path around it."""

    def __init__(self):
        self.perceptron = Perceptron((WIDTH, WIDTH))

    def initial(self, rng):
        return self.perceptron.initial(rng)

    def cache(self, n, dtype):
        return self.perceptron.cache(n, dtype)

    def forward(self, p, h, f, cache):
        self.perceptron.forward(p, h, f, cache)

    def back(self, p, df, cache, dh):
        self.perceptron.back(p, df, cache, dh)

    def work(self, h, df, cache, gradients):
        return self.perceptron.work(h, df, cache, gradients)


def gradients(around):
    """By backpropagation and by FA with B = W, with or without a path around each layer; also the network."""
    rng = np.random.default_rng(0)
    made = ResidualNetwork(5, 4, WIDTH, DEPTH, [Linear() for _ in range(DEPTH)], False, 0.0, 1.0, 1, "float64")
    weights = [rng.standard_normal((WIDTH, WIDTH)) for _ in range(DEPTH)]
    for i, w in enumerate(weights):
        made.parameters[f"block_{i}_weight_0"][...] = w if around else w - np.eye(WIDTH)
    x, y = rng.standard_normal((9, 5)), rng.integers(0, 4, 9)
    local = ResidualLearner(made, LAYER_CREDITS["fa"](embedding="own"))
    # a_l = a_{l+1} B_l^T is told to block l; what follows it is block l + 1, and block 0 follows the embedding
    local.teaching.restore({"embedding": weights[0], **{f"block_{i}": weights[i + 1] for i in range(DEPTH - 1)}})
    exact = ResidualLearner(made, "bp").gradients(x, y)
    return exact.values, local.gradients(x, y).values, made, (x, y, exact.loss)


def test_feedback_by_the_weights_is_backpropagation_in_a_linear_chain():
    exact, local, made, _ = gradients(around=False)
    assert set(local) == set(made.parameters)
    for name, value in exact.items():
        assert np.abs(value).max() > 1e-3
        np.testing.assert_allclose(local[name], value, rtol=1e-12, atol=1e-14)


def test_the_chain_is_linear_and_its_gradient_that_of_products():
    exact, _, made, (x, y, loss) = gradients(around=False)
    p, h = made.parameters, [x @ made.parameters["embedding_weight"] + made.parameters["embedding_bias"]]
    layers = [p[f"block_{i}_weight_0"] + np.eye(WIDTH) for i in range(DEPTH)]
    for i, w in enumerate(layers):
        h.append(h[-1] @ w + p[f"block_{i}_bias_0"])
    logits = h[-1] @ p["head_weight"] + p["head_bias"]
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert loss == pytest.approx(-np.log(probability[np.arange(9), y]).mean(), rel=1e-12)
    error = (probability - np.eye(4)[y]) / 9
    g = error @ p["head_weight"].T
    for i in range(DEPTH - 1, -1, -1):
        np.testing.assert_allclose(exact[f"block_{i}_weight_0"], h[i].T @ g, rtol=1e-10)
        g = g @ layers[i].T
    np.testing.assert_allclose(exact["embedding_weight"], x.T @ g, rtol=1e-10)


def test_a_path_around_the_blocks_parts_them():
    exact, local, _, _ = gradients(around=True)
    last = f"block_{DEPTH - 1}"
    for name, value in exact.items():
        same = name.startswith(("head", last))  # told g_L, whatever lies below
        assert np.allclose(local[name], value, rtol=1e-9) == same
