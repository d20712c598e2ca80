"""Backpropagation through residual networks: central differences, and PyTorch's own."""

from __future__ import annotations

import numpy as np
import pytest

from .cases import CASES, backpropagated, mean_loss, samples, torch_twin

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


@pytest.mark.parametrize("case", CASES)
def test_by_central_differences(case):
    network = CASES[case](dtype="float64", seed=3)
    x, y = samples(n=5 if case == "transformer" else 12, case=case)
    found = backpropagated(network, x, y)
    for name, array in network.parameters.items():
        expected, flat = np.empty(array.size), array.reshape(-1)
        for i in range(array.size):
            kept, h = flat[i], 1e-5
            flat[i] = kept + h
            above = mean_loss(network, x, y)
            flat[i] = kept - h
            expected[i] = (above - mean_loss(network, x, y)) / (2 * h)
            flat[i] = kept
        off = np.linalg.norm(found[name].reshape(-1) - expected)
        assert off < 1e-6 * np.linalg.norm(expected) + 1e-12, name


@pytest.mark.parametrize("case", [case for case in CASES if case != "transformer"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_by_torch(case, dtype):
    torch = pytest.importorskip("torch")
    network = CASES[case](dtype=dtype, seed=1)
    x, y = samples(n=40, dtype=dtype)
    found, twin = backpropagated(network, x, y), torch_twin(network)
    logits = twin(torch.tensor(x))
    torch.nn.functional.cross_entropy(logits, torch.tensor(y)).backward()
    np.testing.assert_allclose(network.run(x).logits, logits.detach().numpy(), rtol=0, atol=TOLERANCE[dtype])
    pairs = {"embedding_weight": twin.embedding.weight.grad.T, "head_weight": twin.head.weight.grad.T}
    pairs["head_bias"] = twin.head.bias.grad
    for i, block in enumerate(twin.blocks):
        layers = [layer for layer in block.body if isinstance(layer, torch.nn.Linear)]
        for k, layer in enumerate(layers):
            pairs[f"block_{i}_weight_{k}"] = layer.weight.grad.T
            if layer.bias is not None:
                pairs[f"block_{i}_bias_{k}"] = layer.bias.grad
        if isinstance(block.body[0], torch.nn.LayerNorm):
            pairs[f"block_{i}_norm_gain"] = block.body[0].weight.grad
            pairs[f"block_{i}_norm_bias"] = block.body[0].bias.grad
    if isinstance(twin.norm, torch.nn.LayerNorm):
        pairs["head_norm_gain"], pairs["head_norm_bias"] = twin.norm.weight.grad, twin.norm.bias.grad
    for name, expected in pairs.items():
        off = np.abs(found[name] - expected.numpy()).max()
        assert off <= TOLERANCE[dtype] * float(expected.abs().max()), name
    assert set(pairs) | {"embedding_bias"} == set(found)


def attended(torch, network, p, x):
    """The transformer, written again."""
    functional, d, heads = torch.nn.functional, network.width, network.heads
    k = network.patch
    side = int((x.shape[1] // network.channels) ** 0.5)
    image = ((x - network.center[0]) / network.scale[0]).reshape(len(x), network.channels, side, side)
    patches = functional.unfold(image, k, stride=k).transpose(1, 2)  # channel, row, column within a patch
    tokens = patches @ p["embedding_weight"] + p["embedding_bias"]
    first = p["embedding_class"].expand(len(x), 1, d)
    h = torch.cat([first, tokens], 1) + p["embedding_position"]
    for i in range(network.depth):
        of = {name.removeprefix(f"block_{i}_"): v for name, v in p.items() if name.startswith(f"block_{i}_")}
        u = functional.layer_norm(h, (d,), of["attention_norm_gain"], of["attention_norm_bias"])
        q, key, v = (
            part.reshape(len(x), -1, heads, d // heads).transpose(1, 2)
            for part in (u @ of["attention_in"] + of["attention_in_bias"]).split(d, 2)
        )
        mixed = functional.scaled_dot_product_attention(q, key, v).transpose(1, 2).reshape(h.shape)
        h = h + mixed @ of["attention_out"] + of["attention_out_bias"]
        u = functional.layer_norm(h, (d,), of["mlp_norm_gain"], of["mlp_norm_bias"])
        u = functional.gelu(u @ of["mlp_weight_0"] + of["mlp_bias_0"])
        h = h + u @ of["mlp_weight_1"] + of["mlp_bias_1"]
    top = functional.layer_norm(h[:, 0], (d,), p["head_norm_gain"], p["head_norm_bias"])
    return top @ p["head_weight"] + p["head_bias"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_transformer_by_torch(dtype):
    torch = pytest.importorskip("torch")
    network = CASES["transformer"](dtype=dtype, seed=1)
    x, y = samples(n=20, dtype=dtype, case="transformer")
    found = backpropagated(network, x, y)
    p = {name: torch.tensor(value.copy(), requires_grad=True) for name, value in network.parameters.items()}
    logits = attended(torch, network, p, torch.tensor(x))
    np.testing.assert_allclose(network.run(x).logits, logits.detach().numpy(), rtol=0, atol=TOLERANCE[dtype])
    torch.nn.functional.cross_entropy(logits, torch.tensor(y)).backward()
    scale = max(float(v.grad.abs().max()) for v in p.values())  # some gradients are 0 in theory
    for name, value in p.items():
        assert np.abs(found[name] - value.grad.numpy()).max() <= TOLERANCE[dtype] * scale, name


def test_a_terminal_norm_divides_the_gradient_by_the_activity():
    x, _ = samples()
    for case, factor in (("2lin", 1e-3), ("no terminal norm", 1.0)):
        network = CASES[case](dtype="float64")
        a = network.run(x)
        error = np.random.default_rng(0).standard_normal(a.logits.shape)
        before = np.linalg.norm(network.head_backward(a, error))
        network.run_from(network.depth, 1e3 * a.h[-1], a)
        # up to the epsilon of the normalisation, 1e-5 beside a variance near 0.1
        assert np.linalg.norm(network.head_backward(a, error)) == pytest.approx(factor * before, rel=1e-3)
