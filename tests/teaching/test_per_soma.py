"""Scalar, per-soma and shuffled broadcasts: who is told what, times f'(V) exactly once."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.teaching import PerSoma, Scalar, Shuffled
from dendrosim.teaching.per_soma import derangement

from .lessons import KINDS, batch, lesson_of, loss_of, network_of, per_compartment, taught


def prepared(signal, network, seed=0):
    signal.prepare(network, np.random.default_rng(seed))
    return signal


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "n_samples"), [("float64", 7), ("float32", 70)])
def test_scalar_is_the_mean_soma_error_everywhere(kind, dtype, n_samples):
    lesson = lesson_of(network_of(kind, dtype), n_samples)
    credit = taught(lesson, prepared(Scalar(), lesson.network))
    expected = lesson.soma_error.mean(1)[:, None] * per_compartment(lesson)
    np.testing.assert_allclose(credit, expected, rtol=1e-5 if dtype == "float32" else 1e-13)
    assert np.abs(expected).max() > 1e-4
    flat = lesson.credit.transpose(0, 2, 1).reshape(-1, lesson.network.layout.size)
    assert not flat[n_samples:].any()


def test_the_mean_over_softmax_outputs_would_say_nothing():
    lesson = lesson_of(network_of())
    assert np.abs(lesson.output_error.mean(1)).max() < 1e-15


@pytest.mark.parametrize("kind", [k for k in KINDS if len(KINDS[k]["cells"]) == 1])
def test_tree_tells_every_compartment_its_own_soma(kind):
    lesson = lesson_of(network_of(kind))
    credit = taught(lesson, prepared(PerSoma(), lesson.network))
    expected = lesson.soma_error[:, lesson.network.layout.cell] * per_compartment(lesson)
    np.testing.assert_allclose(credit, expected, rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_scope_soma_tells_branches_the_scalar_and_nothing_else(kind):
    lesson = lesson_of(network_of(kind))
    roots = lesson.network.layout.parent < 0
    credit = taught(lesson, prepared(PerSoma("soma"), lesson.network))
    np.testing.assert_array_equal(credit[:, ~roots], taught(lesson, prepared(Scalar(), lesson.network))[:, ~roots])
    tree = taught(lesson, prepared(PerSoma(), lesson.network))
    np.testing.assert_array_equal(credit[:, roots], tree[:, roots])
    assert not np.allclose(credit[:, ~roots], tree[:, ~roots])


@pytest.mark.parametrize("kind", ["two layers", "inhibitory cells", "normalised"])
def test_hidden_cells_are_told_the_true_derivative_of_their_somas(kind):
    """By finite differences: a gate's midpoint moves the output as -V does, so that dL/dmidpoint = -sum_b e_soma."""
    network = network_of(kind)
    x, y = batch(6)
    lesson = lesson_of(network, x=x, y=y)
    credit = taught(lesson, prepared(PerSoma(), network))
    for root in network.layout.roots:
        step = 1e-5
        losses = []
        for sign in (1, -1):
            network.parameters["midpoint"][root] += sign * step
            losses.append(loss_of(network, x, y))
            network.parameters["midpoint"][root] -= sign * step
        by_difference = (losses[0] - losses[1]) / (2 * step)
        assert -credit[:, root].sum() == pytest.approx(by_difference, rel=1e-5, abs=1e-10)


def test_hidden_cells_with_random_feedback():
    network = network_of("inhibitory cells")
    lesson = lesson_of(network)
    signal = prepared(PerSoma(hidden="dfa", scale=2.0), network)
    credit = taught(lesson, signal)
    layout = network.layout
    read = np.isin(layout.cell, layout.readout)
    exact = taught(lesson, prepared(PerSoma(), network))
    np.testing.assert_array_equal(credit[:, read], exact[:, read])
    told = (credit / per_compartment(lesson))[:, layout.roots[layout.hidden]]
    feedback = np.linalg.lstsq(lesson.output_error, told, rcond=None)[0]  # linear in the output error
    np.testing.assert_allclose(lesson.output_error @ feedback, told, atol=1e-14)
    other = lesson_of(network, seed=1)
    again = (taught(other, signal) / per_compartment(other))[:, layout.roots[layout.hidden]]
    np.testing.assert_allclose(other.output_error @ feedback, again, atol=1e-14)  # and fixed


def test_published_fallback_on_the_error_of_one_sample():
    lesson = lesson_of(network_of(), n_samples=4)
    rows = np.array(
        [[1.0, -3.0, 1.0, 0.5, 0.5], [2.0, -1.0, 0, 0, 0], [6e-6, 0.0, 0.0, 0.0, 0.0], [4e-6, 0.0, 0.0, 0.0, 0.0]]
    )
    lesson.soma_error = rows / 4  # the batch's 1 / B
    told = prepared(Scalar(replication=True), lesson.network).signal(lesson)[0][:, 0] * 4
    np.testing.assert_allclose(told, [-3.0, 0.2, 1.2e-6, 4e-6])  # means 0, 0.2, 1.2e-6, 8e-7
    np.testing.assert_allclose(prepared(Scalar(), lesson.network).signal(lesson)[0][:, 0] * 4, rows.mean(1), atol=1e-17)
    half = PerSoma("soma", replication=True)
    np.testing.assert_allclose(prepared(half, lesson.network).signal(lesson)[-1][:, 0] * 4, [-3.0, 0.2, 1.2e-6, 4e-6])


@pytest.mark.parametrize("kind", ["one layer", "inhibitory cells"])
def test_shuffled_tells_every_tree_another_soma(kind):
    network = network_of(kind)
    lesson = lesson_of(network)
    layout = network.layout
    own = (taught(lesson, prepared(PerSoma(), network)) / per_compartment(lesson))[:, layout.roots]
    told = taught(lesson, prepared(Shuffled(), network)) / per_compartment(lesson)
    for cell, root in enumerate(layout.roots):
        matches = [k for k in range(layout.n_cells) if np.allclose(own[:, k], told[:, root], rtol=1e-10)]
        assert len(matches) == 1
        assert matches[0] != cell
        assert layout.population[matches[0]] == layout.population[cell]
        tree = layout.cell == cell
        np.testing.assert_allclose(told[:, tree], told[:, [root]].repeat(tree.sum(), 1), rtol=1e-12)


def test_derangements_are_uniform_and_without_fixed_points():
    rng = np.random.default_rng(0)
    drawn = [tuple(derangement(4, rng)) for _ in range(4500)]
    assert all(order[i] != i for order in drawn for i in range(4))
    counts = [drawn.count(order) for order in set(drawn)]
    assert len(counts) == 9  # of four things
    assert max(counts) < 600
    assert min(counts) > 400


def test_bandwidth_in_bits_per_sample():
    one, two = network_of(), network_of("inhibitory cells")
    cases = [
        (Scalar(), one, 32), (PerSoma(), one, 5 * 32), (PerSoma("soma"), one, 6 * 32), (Shuffled(), one, 5 * 32),
        (PerSoma(), two, 9 * 32), (PerSoma(hidden="dfa"), two, (3 + 4) * 32), (Scalar(), two, 32),
    ]  # fmt: skip
    for signal, network, bits in cases:
        assert signal.bits_per_sample(network) == bits


def test_refusals():
    with pytest.raises(ParameterError, match=r"scope='branch' is not known; valid: 'tree', 'soma'"):
        PerSoma("branch")
    with pytest.raises(ParameterError, match=r"hidden='random' is not known; valid: 'exact', 'dfa'"):
        PerSoma(hidden="random")
    with pytest.raises(ParameterError, match=r"needs scope='soma'"):
        PerSoma(replication=True)
    with pytest.raises(ParameterError, match=r"population 'layer1' has one cell.*two or more.*'scalar'"):
        prepared(Shuffled(), network_of(cells=[1]))
