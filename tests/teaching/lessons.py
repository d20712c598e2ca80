"""Small lessons for tests: networks of every kind, a minibatch, and the errors at its output."""

from __future__ import annotations

import numpy as np

from dendrosim.losses import loss
from dendrosim.networks.network import Network
from dendrosim.teaching.lesson import TreeLesson

KINDS = {
    "one layer": {"cells": [5]},
    "two layers": {"cells": [4, 3]},
    "inhibitory cells": {"cells": [4, 3], "inhibitory_cells": [2, 0], "inhibitory": [2, 1]},
    "no gates": {"cells": [5], "gates": False},
    "additive": {"cells": [5], "integration": "additive"},
    "normalised": {"cells": [4, 3], "integration": "normalised_additive"},
}
"""Options of networks that differ in what teaching has to reach."""


def network_of(kind="one layer", dtype="float64", **options):
    given = {"branching": [2, 3], "excitatory": 3, "inhibitory": 2, **KINDS[kind], **options}
    network = Network.dendritic(9, 4, seed=3, dtype=dtype, **given)
    network.calibrate(np.random.default_rng(0).random((64, 9)))
    return network


def batch(n_samples, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n_samples, 9)), rng.integers(0, 4, n_samples)


def lesson_of(network, n_samples=7, seed=0, x=None, y=None):
    """A lesson up to the errors at the somas; its credit holds nonsense."""
    if x is None:
        x, y = batch(n_samples, seed)
    activity = network.forward(x, threads=1)
    error = np.exp(activity.logits - activity.logits.max(1, keepdims=True))
    error /= error.sum(1, keepdims=True)
    error[np.arange(len(y)), y] -= 1.0
    error /= len(y)
    _, soma = network.decoder.backward(network.parameters, activity.soma, error)
    credit = activity.empty(network.layout.size)
    credit[...] = np.nan
    return TreeLesson(network, activity, y, error, soma, np.random.default_rng(5), 1, credit, loss("cross_entropy"))


def loss_of(network, x, y):
    logits = network.forward(x, threads=1).logits
    logits = logits - logits.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(len(y)), y]))


def taught(lesson, signal):
    """Credit (B, N) of a prepared teaching signal."""
    signal.credit(lesson)
    return lesson.activity.batch_first(lesson.credit)


def per_compartment(lesson):
    """f'(V) as (B, N)."""
    return lesson.activity.batch_first(lesson.activity.derivative)
