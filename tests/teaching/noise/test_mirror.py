"""Noise at somas and at edges: gains of edges, and exact credit where gains do not vary with the input."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.teaching.noise import Mirror

from ..lessons import lesson_of, taught
from .cases import affine, gated, prepared


def exact_credit(lesson):
    lesson.transport()
    return lesson.activity.batch_first(lesson.credit)


def edge_gains(network, lesson):
    """g_i R_p of every edge and sample, (B, N)."""
    layout = network.layout
    resistance = lesson.activity.batch_first(lesson.activity.resistance)
    return network.coupling * np.where(layout.parent >= 0, resistance[:, layout.parent], 0.0)


@pytest.mark.parametrize("kind", ["shunting", "normalised_additive"])
def test_edges_find_their_gains_with_an_error_that_depends_on_siblings_only(kind):
    network = affine(kind, cells=[2], branching=[3, 2])
    lesson, layout = lesson_of(network, 20), network.layout
    exact = edge_gains(network, lesson)
    signal = prepared(Mirror(noise="gauss"), network)
    found = np.array([signal.edges(lesson, signal.local_noise(lesson)) for _ in range(400)])
    deviation = found.std(axis=0)
    assert (np.abs(found.mean(axis=0) - exact.mean(axis=0)) <= 4 * deviation / 20).all()
    siblings = np.array([(exact[:, layout.parent == p] ** 2).sum(1).mean() if p >= 0 else 0 for p in layout.parent])
    expected = ((exact**2).mean(axis=0) + siblings)[layout.child] / 20
    np.testing.assert_allclose(deviation[layout.child] ** 2, expected, rtol=0.3)
    np.testing.assert_allclose((deviation[layout.child] ** 2).sum(), expected.sum(), rtol=0.05)


@pytest.mark.parametrize("integration", ["additive", "normalised_additive"])
@pytest.mark.parametrize("gates", [False, True])
def test_credit_is_exact_where_resistance_does_not_vary_with_the_input(gates, integration):
    network = (gated if gates else affine)(integration)
    lesson = lesson_of(network, 16)
    signal = prepared(Mirror(2, eta=1.0, noise="orthogonal"), network)
    signal.observe(lesson)
    np.testing.assert_allclose(taught(lesson, signal), exact_credit(lesson), atol=1e-13)
    np.testing.assert_allclose(signal.gain, edge_gains(network, lesson)[0], atol=1e-13)


def test_somas_are_told_exactly_whatever_the_integration():
    network = gated("shunting")
    lesson, roots = lesson_of(network, 16), network.layout.roots
    signal = prepared(Mirror(2, eta=1.0, noise="orthogonal"), network)
    signal.observe(lesson)
    told, exact = taught(lesson, signal), exact_credit(lesson)
    np.testing.assert_allclose(told[:, roots], exact[:, roots], atol=1e-13)
    assert (told * exact >= 0).all()
    assert np.corrcoef(told.ravel(), exact.ravel())[0, 1] > 0.98


def test_the_error_at_somas_does_not_grow_with_the_trees():
    errors = []
    for branching in ([2], [3, 3]):
        network = affine("shunting", cells=[6], branching=branching)
        lesson, weight = lesson_of(network, 16), network.parameters["decoder_weight"]
        signal = prepared(Mirror(noise="gauss"), network)
        found = np.array([signal.estimate(lesson, 0.05 * signal.directions(lesson, 1)) for _ in range(300)])
        squared = ((found[:, network.layout.roots] - weight.T) ** 2).sum(axis=(1, 2)).mean()
        errors.append(squared / (weight**2).sum())
    np.testing.assert_allclose(errors, 7 / 16, rtol=0.1)


def test_stacked_layers_and_passes():
    network = gated(cells=[4, 3])
    lesson = lesson_of(network, 32)
    signal = prepared(Mirror(16, eta=0.2, interval=2), network)
    for _ in range(20):
        signal.observe(lesson)
    assert signal.passes == 160
    told, exact = taught(lesson, signal), exact_credit(lesson)
    assert np.corrcoef(told.ravel(), exact.ravel())[0, 1] > 0.75  # ways through later cells vary with the input
    metrics = signal.metrics(lesson)
    roots = [k for k, (_, stage) in enumerate(network.layout.layers) if stage == 0]
    for k, (name, stage) in enumerate(network.layout.layers):
        here = network.layout.layer == k
        kind, expected = (
            ("norm", np.linalg.norm(signal.feedback[:, here])) if k in roots else ("gain", signal.gain[here].mean())
        )
        assert metrics[f"{kind}/{name}/stage {stage}"] == pytest.approx(expected)
