"""Small residual networks, samples, gradients by other means, and the same networks in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from dendrosim.losses import loss
from dendrosim.networks.residual import ResMLP, StudentNet, ViTMini
from dendrosim.networks.residual.parts import do

CASES = {
    "2lin": lambda **o: ResMLP(6, 3, 8, 2, hidden=16, **o),
    "3lin": lambda **o: ResMLP(6, 3, 8, 2, hidden=16, block="3lin", **o),
    "no terminal norm": lambda **o: ResMLP(6, 3, 8, 3, terminal_norm=False, center=0.5, scale=0.2, **o),
    "student": lambda **o: StudentNet(6, 3, 8, 2, **o),
    "transformer": lambda **o: ViTMini(32, 3, 8, 2, patch=2, heads=2, channels=2, center=0.3, scale=0.5, **o),
}


def samples(n=12, n_inputs=6, n_classes=3, seed=0, dtype="float64", case=""):
    rng = np.random.default_rng(seed)
    n_inputs = 32 if case == "transformer" else n_inputs
    return rng.random((n, n_inputs)).astype(dtype), rng.integers(0, n_classes, n)


def mean_loss(network, x, y, penalty=0.0):
    a = network.run(x)
    squares = sum(float((f.astype(np.float64) ** 2).sum()) for f in a.f)
    return float(loss("cross_entropy").evaluate(a.logits, y)[0].mean()) + penalty * squares / len(x)


def backpropagated(network, x, y):
    a, values = network.run(x), network.empty()
    error = loss("cross_entropy").evaluate(a.logits, y)[1] / len(x)
    network.head_backward(a, error, network.grouped(values))
    network.transport(a)
    do(network.work(a, a.g[1:], 0.0, a.g[0], network.grouped(values)))
    return values


def torch_twin(network: Any) -> Any:
    """A ``torch.nn.Module`` with the same parameters: ``embedding``, ``blocks``, ``norm``, ``head``."""
    import torch
    from torch import nn

    def linear(weight, bias):
        made = nn.Linear(*weight.shape, bias=bias is not None)
        made.weight.data = torch.tensor(weight.T.copy())
        if bias is not None:
            made.bias.data = torch.tensor(bias.copy())
        return made

    def norm(p):
        if "norm_gain" not in p:
            return nn.Identity()
        made = nn.LayerNorm(len(p["norm_gain"]))
        made.weight.data, made.bias.data = torch.tensor(p["norm_gain"].copy()), torch.tensor(p["norm_bias"].copy())
        return made

    class Block(nn.Module):
        def __init__(self, p):
            super().__init__()
            layers = []
            for i in range(sum(name.startswith("weight") for name in p)):
                layers += [*([nn.GELU()] if i else []), linear(p[f"weight_{i}"], p.get(f"bias_{i}"))]
            self.body = nn.Sequential(norm(p), *layers)

        def forward(self, h):
            return h + self.body(h)

    class Twin(nn.Module):
        def __init__(self):
            super().__init__()
            p = network.groups
            self.embedding = linear(p["embedding"]["weight"], p["embedding"]["bias"])
            self.blocks = nn.ModuleList(Block(p[f"block_{i}"]) for i in range(network.depth))
            self.norm, self.head = norm(p["head"]), linear(p["head"]["weight"], p["head"]["bias"])
            kind = self.embedding.weight.dtype
            self.register_buffer("center", torch.tensor(network.center).to(kind))
            self.register_buffer("scale", torch.tensor(network.scale).to(kind))

        def forward(self, x):
            h = self.embedding((x - self.center) / self.scale)
            for block in self.blocks:
                h = block(h)
            return self.head(self.norm(h))

    return Twin()
