"""The reference architectures in PyTorch, eager, as one writes them: backpropagation, local losses, frozen blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from layers_problem import Batches
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot, scaled_dot_product_attention

from dendrosim.networks.residual import ResidualNetwork, ResMLP

VERSION = torch.__version__
OPTIMISERS: dict[str, dict[str, Any]] = {"AdamW": {}, "fused AdamW": {"fused": True}}
"""Options of `torch.optim.AdamW`: its default on a CPU, which goes parameter by parameter, and its fused kernel."""

Group = dict[str, np.ndarray[Any, Any]]


def _parameter(values: Any) -> nn.Parameter:
    return nn.Parameter(torch.tensor(np.ascontiguousarray(values)))


def _linear(weight: Any, bias: Any) -> nn.Linear:
    made = nn.Linear(*weight.shape)
    made.weight, made.bias = _parameter(weight.T), _parameter(bias)
    return made


def _norm(p: Group) -> nn.Module:
    if "norm_gain" not in p:
        return nn.Identity()
    made = nn.LayerNorm(len(p["norm_gain"]))
    made.weight, made.bias = _parameter(p["norm_gain"]), _parameter(p["norm_bias"])
    return made


def _part(p: Group, part: str) -> Group:
    return {name.removeprefix(f"{part}_"): value for name, value in p.items() if name.startswith(f"{part}_")}


def _body(p: Group) -> nn.Sequential:
    layers: list[nn.Module] = [_norm(p)]
    for i in range(sum(name.startswith("weight_") for name in p)):
        layers += [*([nn.GELU()] if i else []), _linear(p[f"weight_{i}"], p[f"bias_{i}"])]
    return nn.Sequential(*layers)


class _Attention(nn.Module):
    """f of a transformer block: attention, then a perceptron of what it is added to."""

    def __init__(self, p: Group, heads: int) -> None:
        super().__init__()
        first = _part(p, "attention")
        self.heads, self.norm = heads, _norm(first)
        self.mix, self.out = _linear(first["in"], first["in_bias"]), _linear(first["out"], first["out_bias"])
        self.body = _body(_part(p, "mlp"))

    def forward(self, h: Tensor) -> Tensor:
        """h of shape (B, tokens, d)."""
        n, tokens, d = h.shape
        q, k, v = self.mix(self.norm(h)).view(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, tokens, d)
        a: Tensor = self.out(mixed)
        f: Tensor = a + self.body(h + a)
        return f


class _Patches(nn.Module):
    """Embedding of patches: one convolution whose stride is its size."""

    def __init__(self, p: Group, channels: int, patch: int) -> None:
        super().__init__()
        d = p["weight"].shape[1]
        self.cut = nn.Conv2d(channels, d, patch, patch)
        self.cut.weight = _parameter(p["weight"].T.reshape(d, channels, patch, patch))
        self.cut.bias = _parameter(p["bias"])
        self.first, self.position = _parameter(p["class"]), _parameter(p["position"])
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """h_0 of shape (B, tokens, d)."""
        side = round((x.shape[1] / self.channels) ** 0.5)
        tokens = self.cut(x.view(len(x), self.channels, side, side)).flatten(2).transpose(1, 2)
        return torch.cat([self.first.expand(len(x), 1, -1), tokens], 1) + self.position


class Twin:
    """A network with the parameters of ours, and training steps of it.

    Parameters
    ----------
    network : ResidualNetwork
    rule : {"bp", "dfa", "frozen"}
    feedback : list of arrays of shape (n_outputs, d)
        Of "dfa", one for each block.
    x, y : arrays
        What minibatches are drawn from.
    size : int
        Of a minibatch.
    **options
        Of `torch.optim.AdamW`.
    """

    def __init__(
        self, network: ResidualNetwork, rule: str, feedback: list[Any], x: Any, y: Any, size: int, **options: Any
    ) -> None:
        p, blocks = network.groups, range(network.depth)
        self.embedding: nn.Module
        if isinstance(network, ResMLP):
            self.embedding = _linear(p["embedding"]["weight"], p["embedding"]["bias"])
            made: list[nn.Module] = [_body(p[f"block_{i}"]) for i in blocks]
        else:
            self.embedding = _Patches(p["embedding"], network.channels, network.patch)  # type: ignore[attr-defined]
            made = [_Attention(p[f"block_{i}"], network.heads) for i in blocks]  # type: ignore[attr-defined]
        self.blocks = nn.ModuleList(made)
        self.head = nn.Sequential(_norm(p["head"]), _linear(p["head"]["weight"], p["head"]["bias"]))
        self.blocks.requires_grad_(rule != "frozen")
        self.rule, self.tokens, self.feedback = rule, network.tokens, [torch.tensor(b) for b in feedback]
        self.x, self.y, self.batches = torch.from_numpy(x), torch.from_numpy(y), Batches(len(y), size)
        parts = (self.embedding, self.blocks, self.head)
        self.parameters = [value for part in parts for value in part.parameters() if value.requires_grad]
        self.adamw = torch.optim.AdamW(self.parameters, lr=1e-3, weight_decay=0.01, **options)

    def _logits(self, h: Tensor) -> Tensor:
        logits: Tensor = self.head(h[:, 0] if self.tokens > 1 else h)
        return logits

    def gradients(self) -> Tensor:
        """Loss of the next batch; gradients in `.grad`."""
        self.adamw.zero_grad()
        rows = torch.from_numpy(self.batches())
        x, y = self.x.index_select(0, rows), self.y.index_select(0, rows)
        return self._local(x, y) if self.rule == "dfa" else self._backpropagated(x, y)

    def _backpropagated(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.embedding(x)
        for block in self.blocks:
            h = h + block(h)
        loss = cross_entropy(self._logits(h), y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def _local(self, x: Tensor, y: Tensor) -> Tensor:
        first = self.embedding(x)
        h, outputs = first.detach(), []
        for block in self.blocks:
            outputs.append(block(h))
            h = h + outputs[-1].detach()
        logits = self._logits(h)
        loss = cross_entropy(logits, y)
        with torch.no_grad():
            error = (torch.softmax(logits, 1) - one_hot(y, logits.shape[1])) / len(y)
            told = [error @ b for b in self.feedback]
            if self.tokens > 1:
                told = [a[:, None].expand(-1, self.tokens, -1) for a in told]
        local = (first * told[0]).sum()
        for f, a in zip(outputs, told, strict=True):
            local = local + (f * a).sum()
        (loss + local).backward()  # type: ignore[no-untyped-call]
        return loss

    def step(self) -> float:
        """One training step on the next batch; the mean loss."""
        loss = self.gradients()
        self.adamw.step()
        return loss.item()

    def gradient(self) -> Any:
        """That of the weights of the embedding, as ours are stored."""
        layer = self.embedding.cut if isinstance(self.embedding, _Patches) else self.embedding
        value: Any = layer.weight.grad
        return value.reshape(len(value), -1).T.numpy()
