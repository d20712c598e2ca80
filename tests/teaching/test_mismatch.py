"""Local mismatch against equations 13 and 14, and against the published form, one compartment at a time."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.teaching import LocalMismatch

from .lessons import KINDS, lesson_of, network_of, per_compartment, taught


def arrays(lesson):
    a, network = lesson.activity, lesson.network
    layout = network.layout
    v, out = a.batch_first(a.voltage), a.batch_first(a.output)
    currents = np.zeros_like(v)
    for n, p in enumerate(layout.parent):
        if p >= 0:
            currents[:, p] += network.coupling[n] * out[:, n]
    return layout, v, currents


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", [3, 40])
def test_equations_13_and_14(kind, n_samples):
    lesson = lesson_of(network_of(kind), n_samples)
    signal = LocalMismatch()
    signal.prepare(lesson.network, np.random.default_rng(0))
    credit = taught(lesson, signal)
    layout, v, currents = arrays(lesson)
    scalar = lesson.soma_error.mean(1)
    slant = per_compartment(lesson)
    for n, p in enumerate(layout.parent):
        mismatch = (currents[:, n] if p < 0 else v[:, p]) - v[:, n]
        expected = scalar * (mismatch - mismatch.mean()) * slant[:, n]
        np.testing.assert_allclose(credit[:, n], expected, atol=1e-15)
    assert np.isfinite(lesson.credit).all()
    assert signal.bits_per_sample(lesson.network) == 32


@pytest.mark.parametrize("kind", ["one layer", "inhibitory cells", "additive"])
def test_published_form(kind):
    lesson = lesson_of(network_of(kind), 40)
    network, a = lesson.network, lesson.activity
    signal = LocalMismatch(replication=True)
    signal.prepare(network, np.random.default_rng(0))
    credit = taught(lesson, signal)
    layout, v, drive = arrays(lesson)
    x = a.batch_first(a.presynaptic)
    for n in set(range(layout.size)) - set(layout.parent):
        e = slice(layout.first[n], layout.middle[n])
        drive[:, n] = x[:, network.source[e]] @ network.conductance[e]
    mismatch = drive - v
    mismatch -= mismatch.mean(0)
    blend = np.empty_like(mismatch)
    for k in range(layout.n_layers):
        here = layout.layer == k
        size = np.sqrt(np.mean(mismatch[:, here] ** 2, axis=1, keepdims=True))
        blend[:, here] = 0.8 * np.clip(mismatch[:, here] / np.where(size > 0, size, 1), -3, 3) + 0.2
    expected = lesson.soma_error.mean(1)[:, None] * blend * per_compartment(lesson)
    np.testing.assert_allclose(credit, expected, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_additive_soma_without_synapses_has_no_mismatch(dtype):
    """Not even rounding, which the published form would divide by its own root mean square."""
    lesson = lesson_of(network_of("additive", dtype, branching=[5, 3]), 20)
    roots = lesson.network.layout.parent < 0
    for replication in (False, True):
        signal = LocalMismatch(replication)
        signal.prepare(lesson.network, np.random.default_rng(0))
        credit = taught(lesson, signal)
        bare = 0.2 * lesson.soma_error.mean(1)[:, None] * per_compartment(lesson)[:, roots] if replication else 0.0
        np.testing.assert_allclose(credit[:, roots], np.broadcast_to(bare, credit[:, roots].shape), rtol=1e-4)
        assert np.abs(credit[:, ~roots]).max() > 1e-6
