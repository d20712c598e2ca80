"""Networks that learn from noise: the same bits from the same seed, resumed runs, all kinds of model."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.networks.mlp import PointMLP
from dendrosim.plasticity.learner import Learner
from dendrosim.plasticity.point import PointLearner
from dendrosim.teaching import VNC, NodePerturbation

from .cases import gated

CASES = [("tree", name) for name in ("vnc", "nmnc", "mirror", "node_perturbation")]
CASES += [("point", name) for name in ("vnc", "nmnc", "node_perturbation")]


def data(n=64, seed=0):
    """Four classes of nine inputs."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    centres = np.random.default_rng(9).random((4, 9))
    return np.clip(centres[y] + 0.1 * rng.standard_normal((n, 9)), 0, None), y


def learner_of(kind, name, seed=1, dtype="float64"):
    if kind == "tree":
        return Learner(gated(cells=[12], dtype=dtype), name, seed=seed, rates=1e-2)
    return PointLearner(PointMLP(9, 4, [16, 12], seed=3, dtype=dtype), name, seed=seed, rates=1e-2)


def run(learner, steps, start=0):
    for k in range(start, start + steps):
        x, y = data(seed=k)
        learner.step(learner.network.checked(x), y)
    return learner.network.parameters


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_same_seed_same_bits_also_when_resumed(kind, name):
    one, two, other = learner_of(kind, name), learner_of(kind, name), learner_of(kind, name, seed=2)
    run(one, 12)
    run(two, 5)
    run(other, 12)
    three = learner_of(kind, name, seed=7)
    three.network.restore(two.network.state())
    three.restore(two.state())
    run(three, 7, start=5)
    for key, value in one.network.parameters.items():
        np.testing.assert_array_equal(three.network.parameters[key], value)
    hidden = "synapses" if kind == "tree" else "hidden_weight_0"
    assert (other.network.parameters[hidden] != one.network.parameters[hidden]).any()
    assert one.passes == three.passes == 24


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_hidden_units_learn(kind, name):
    """With the decoder left as drawn, only what hidden units are told can lower the loss."""
    learner = learner_of(kind, name, dtype="float32")
    learner.decoder = "frozen"
    x, y = data(256, seed=1000)
    before = learner.gradients(x, y).loss
    run(learner, 150)
    assert learner.gradients(x, y).loss < before - 0.1


def test_what_is_sent_counts_the_changes_under_noise():
    network = gated(cells=[2])  # four outputs
    assert VNC(perturbations=4).bits_per_sample(network) == 32 * 4 * 5
    assert VNC(perturbations=4, antithetic=True, interval=2).bits_per_sample(network) == 32 * 4 * 2
    assert NodePerturbation(perturbations=3).bits_per_sample(network) == 32 * 3
