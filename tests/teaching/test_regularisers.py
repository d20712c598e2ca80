"""Regularisers: their derivatives by finite differences, inverses by inversion."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.teaching import SBD
from dendrosim.teaching.regularisers import Entropy, Power, Sparsity, updated_inverse

from .lessons import lesson_of, network_of, taught


def prepared(regulariser, network):
    regulariser.prepare(network.layout)
    return regulariser


def credit_of(regulariser, lesson):
    """(B, N), from the regulariser alone."""
    a = lesson.activity
    lesson.credit[...] = 0.0
    regulariser.add(a.output, a.derivative, a.n_samples, lesson.credit)
    return a.batch_first(lesson.credit)


def power(h, layer):
    return sum(0.3 * ((h[:, n] ** 2).mean() - 0.2) ** 2 for n in range(h.shape[1]))


def sparsity(h, layer):
    return 0.3 * np.abs(h).sum(axis=1).mean()


def entropy_of(before, decay):
    def entropy(h, layer):
        total = 0.0
        for i, start in before.items():
            mine = h[:, layer == i]
            moment = decay * start + (1 - decay) * mine.T @ mine / len(h)
            total -= 0.3 * 0.5 * np.linalg.slogdet(moment)[1]
        return total

    return entropy


@pytest.mark.parametrize("n", [5, 40])
@pytest.mark.parametrize("name", ["power", "sparsity", "entropy"])
def test_credit_is_the_derivative_of_the_objective(name, n):
    network = network_of("two layers", branching=[2])
    layout = network.layout
    earlier, lesson = lesson_of(network, 30, 7), lesson_of(network, n)
    a = lesson.activity
    if name == "entropy":
        regulariser = prepared(Entropy(0.3, ridge=0.2, decay=0.9), network)
        h = earlier.activity.batch_first(earlier.activity.output)
        before = {
            i: 0.9 * 0.2 * np.eye((layout.layer == i).sum())
            + 0.1 * h[:, layout.layer == i].T @ h[:, layout.layer == i] / 30
            for i in range(layout.n_layers)
        }
        regulariser.observe(earlier.activity.output, 30)
        regulariser.observe(a.output, n)
        objective = entropy_of(before, 0.9)
    else:
        regulariser = prepared({"power": Power(0.3, 0.2), "sparsity": Sparsity(0.3)}[name], network)
        objective = {"power": power, "sparsity": sparsity}[name]
    found = credit_of(regulariser, lesson)
    h, slope = a.batch_first(a.output), a.batch_first(a.derivative)
    rng = np.random.default_rng(1)
    for _ in range(12):
        b, unit = rng.integers(n), rng.integers(layout.size)
        expected = 0.0
        for weight, k in ((8, 1), (-8, -1), (-1, 2), (1, -2)):
            moved = h.copy()
            moved[b, unit] += k * 1e-3
            expected += weight * objective(moved, layout.layer) / (12 * 1e-3)
        assert found[b, unit] == pytest.approx(expected * slope[b, unit], rel=1e-7, abs=1e-10)


@pytest.mark.parametrize("n", [3, 8, 30])
@pytest.mark.parametrize("decay", [0.5, 0.99999])
def test_inverses_are_inverses(n, decay):
    rng = np.random.default_rng(0)
    moment, inverse = 0.1 * np.eye(8), 10.0 * np.eye(8)
    for _ in range(12):
        h = rng.random((8, n))
        moment = decay * moment + (1 - decay) * h @ h.T / n
        inverse = updated_inverse(inverse, h, decay)
        expected = np.linalg.inv(moment)
        np.testing.assert_allclose(inverse, expected, atol=1e-8 * np.abs(expected).max())


def test_layers_of_their_own_strengths():
    network = network_of()
    lesson = lesson_of(network, 9)
    layer = network.layout.layer
    for one in (lambda s: Power(s, 0.2), Sparsity, lambda s: Entropy(s, 0.1, 0.9)):
        found = [credit_of(prepared(one(s), network), lesson) for s in (1.0, [0.0, 2.0, 0.5])]
        np.testing.assert_allclose(found[1], found[0] * np.array([0.0, 2.0, 0.5])[layer], rtol=1e-12, atol=1e-300)
    entropy = prepared(Entropy([0.0, 1.0, 0.0]), network)
    assert len(entropy.state()) == 1  # no inverse for what is not asked for


@pytest.mark.parametrize("of", ["output", "voltage"])
def test_a_signal_adds_them_to_its_own_credit(of):
    network = network_of("two layers")
    lesson = lesson_of(network, 9)
    credits = []
    for options in ({}, {"power": (0.5, 0.1), "sparsity": 0.2, "entropy": (0.4, 0.1, 0.9)}):
        signal = SBD(decay=0.5, of=of, **options)
        signal.prepare(network, np.random.default_rng(0))
        signal.observe(lesson)
        credits.append(taught(lesson, signal))
    a = lesson.activity
    added = np.zeros_like(credits[0])
    for one in (Power(0.5, 0.1), Sparsity(0.2), Entropy(0.4, 0.1, 0.9)):
        prepared(one, network)
        h = a.output if of == "output" else a.voltage
        one.observe(h, 9)
        lesson.credit[...] = 0.0
        one.add(h, a.derivative if of == "output" else None, 9, lesson.credit)
        added += a.batch_first(lesson.credit)
    np.testing.assert_allclose(credits[1] - credits[0], added, rtol=1e-9, atol=1e-15)


def test_refusals():
    with pytest.raises(ParameterError, match="power strength=-1"):
        Power(-1.0, 0.2)
    with pytest.raises(ParameterError, match=r"entropy decay=1 never takes in"):
        Entropy(1.0, decay=1.0)
    with pytest.raises(ParameterError, match=r"sparsity strength=\[1.0\] has 1 values; the model has 3 layers"):
        prepared(Sparsity([1.0]), network_of())
