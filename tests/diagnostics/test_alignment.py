"""Alignment under random broadcast: nothing for weights that know nothing of it, positive for those it trained."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim import tasks
from dendrosim.diagnostics.alignment import RandomAlignment, random_alignment
from dendrosim.diagnostics.fidelity_of import fidelity
from dendrosim.errors import ParameterError
from dendrosim.networks.network import Network
from dendrosim.plasticity.learner import Learner


@pytest.fixture
def network():
    return Network.dendritic(16, 4, [24], [3], 6, 3, seed=0, dtype="float64")


def batch(n, seed):
    """Four classes, each with its own bright quarter of the input."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    x = 0.4 * rng.random((n, 16)) + 0.6 * (np.arange(16) // 4 == y[:, None])
    return x, y


def test_the_table_is_that_of_the_draws():
    cosine = np.array([[0.1, np.nan], [0.3, np.nan], [-0.1, np.nan]])
    table = RandomAlignment(("all", "gates"), cosine).table
    assert table[0]["mean"] == pytest.approx(0.1)
    assert table[0]["sd"] == pytest.approx(0.2)
    assert table[0]["positive"] == pytest.approx(2 / 3)
    assert (table[1]["n"], np.isnan(table[1]["mean"])) == (0, True)


def test_untrained_weights_align_with_no_draw_on_average(network):
    x, y = batch(128, 1)
    found = random_alignment(network, x, y, draws=40)
    row = found.table[found.groups.index("excitatory")]
    assert row["low"] < 0 < row["high"]
    assert row["sd"] > 0.05
    assert "40 draws" in repr(found)
    assert len(str(found).splitlines()) == 3 + len(found.groups)
    again = random_alignment(network, x, y, draws=40)
    np.testing.assert_array_equal(found.cosine, again.cosine)


def test_training_aligns_weights_with_their_own_feedback():
    """Theorem 2, over draws of the feedback; feedback that the weights never saw stays near zero."""
    task = tasks.load("digits")
    x, y = task.x_train[:1024], task.y_train[:1024]
    network = Network.dendritic(64, 10, [40], [3], 10, 5, seed=0)
    network.calibrate(x)
    options = {"teaching": "dfa", "rule": "3F"}
    cosines = []
    for draw in range(5):
        student = network.copy()
        learner = Learner(student, "dfa", "3F", seed=draw, rates=5e-3)
        before = fidelity(student, x, y, state=learner.state(), **options)
        for step in range(100):
            part = slice(128 * (step % 8), 128 * (step % 8) + 128)
            learner.step(x[part], y[part])
        after = fidelity(student, x, y, state=learner.state(), **options)
        other = fidelity(student, x, y, seed=100 + draw, **options)
        cosines.append([report["core vector"]["cosine"] for report in (before, after, other)])
    before, after, other = np.array(cosines).T
    assert (after > 0.3).all()
    assert (after > before + 0.1).all()
    assert abs(before.mean()) < 0.2 > abs(other.mean())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"draws": 1}, "at least 2"),
        ({"teaching": "per_soma"}, "the same gradient for every seed"),
    ],
)
def test_messages(network, options, says):
    with pytest.raises(ParameterError, match=says):
        random_alignment(network, *batch(8, 0), **options)
