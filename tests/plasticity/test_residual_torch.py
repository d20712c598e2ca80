"""Training under local losses, step by step, beside the same training written down in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.networks import ResMLP, StudentNet
from dendrosim.plasticity.residual import BlockRule, ResidualLearner

from ..networks.residual.cases import torch_twin

torch = pytest.importorskip("torch")


def told(rule, feedback, top, error):
    """Credits of all blocks from matrices, as gradients."""
    if rule == "dfa":
        return [error @ b for b in feedback]
    credits = [top]
    for b in reversed(feedback):
        credits.insert(0, credits[0] @ b.T)
    return credits


@pytest.mark.parametrize("rule", ["fa", "dfa"])
@pytest.mark.parametrize("penalty", [0.0, 1e-2])
@pytest.mark.parametrize(
    "make",
    [lambda: ResMLP(12, 4, 16, 3, block="3lin", dtype="float64"), lambda: StudentNet(12, 4, 16, 3, dtype="float64")],
)
def test_the_same_path(rule, penalty, make):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((25, 32, 12)), rng.integers(0, 4, (25, 32))
    network = make()
    learner = ResidualLearner(network, rule, BlockRule(penalty), rates=5e-3, seed=1, threads=1)
    twin = torch_twin(network)
    feedback = [torch.tensor(b) for b in learner.teaching.state().values()]
    optimiser = torch.optim.AdamW(twin.parameters(), lr=5e-3, weight_decay=0.01)
    for inputs, classes in zip(x, y, strict=True):
        loss, _ = learner.step(inputs, classes)
        optimiser.zero_grad()
        first = twin.embedding(torch.tensor(inputs))
        h, outputs = first.detach(), []
        for block in twin.blocks:
            outputs.append(block.body(h))
            h = h + outputs[-1].detach()
        h.requires_grad_()
        logits, targets = twin.head(twin.norm(h)), torch.tensor(classes)
        cross_entropy = torch.nn.functional.cross_entropy(logits, targets)
        cross_entropy.backward()
        error = (torch.softmax(logits, 1) - torch.nn.functional.one_hot(targets, 4)).detach() / 32
        credits = told(rule, feedback, h.grad, error)
        local = (first * credits[0]).sum()
        for f, a in zip(outputs, credits, strict=True):
            local = local + (f * a).sum() + penalty * (f**2).sum() / 32
        local.backward()
        optimiser.step()
        assert loss == pytest.approx(float(cross_entropy.detach()), rel=1e-9)
    np.testing.assert_allclose(network.parameters["head_weight"], twin.head.weight.detach().numpy().T, atol=1e-9)
    np.testing.assert_allclose(network.parameters["embedding_bias"], twin.embedding.bias.detach().numpy(), atol=1e-9)
    weight = network.parameters["block_1_weight_0"]
    body = [layer for layer in twin.blocks[1].body if isinstance(layer, torch.nn.Linear)]
    np.testing.assert_allclose(weight, body[0].weight.detach().numpy().T, atol=1e-9)
