"""Degraded broadcasts: levels and values counted, noise measured, bandwidth added up."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.teaching import DFA, Degraded, LocalMismatch, PerSoma, Scalar
from dendrosim.teaching.degraded import quantised

from .lessons import batch, lesson_of, network_of, taught


def sent(lesson, **options):
    signal = Degraded(options.pop("teaching", "per_soma"), **options)
    signal.prepare(lesson.network, np.random.default_rng(0))
    return signal.signal(lesson)[0]


def test_sign_keeps_the_mean_magnitude():
    lesson = lesson_of(network_of(), 12)
    e = sent(lesson, sign=True)
    np.testing.assert_allclose(np.abs(e), np.abs(lesson.soma_error).mean(), rtol=1e-12)
    np.testing.assert_array_equal(np.sign(e), np.sign(lesson.soma_error))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_levels(bits):
    lesson = lesson_of(network_of(), 40)
    e = sent(lesson, bits=bits)
    levels = np.unique(e)
    assert 1 < levels.size <= 2**bits
    if bits <= 2:
        assert levels.size == 2**bits
    assert levels[[0, -1]] == pytest.approx([lesson.soma_error.min(), lesson.soma_error.max()])
    step = np.ptp(lesson.soma_error) / (2**bits - 1)
    steps = (levels - levels[0]) / step
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
    assert np.abs(e - lesson.soma_error).max() <= step / 2 * (1 + 1e-9)
    assert quantised(np.full((2, 2), 0.3), bits).tolist() == [[0.3, 0.3]] * 2


@pytest.mark.parametrize(("keep", "left"), [(0.3, 2), (0.5, 3), (0.01, 1), (1.0, 6)])
def test_only_the_largest_are_kept(keep, left):
    lesson = lesson_of(network_of(cells=[6]), 9)
    e = sent(lesson, keep=keep)
    for told, full in zip(e, lesson.soma_error, strict=True):
        largest = np.argsort(np.abs(full))[-left:]
        np.testing.assert_array_equal(np.flatnonzero(told), np.sort(largest))
        np.testing.assert_array_equal(told[largest], full[largest])


def test_what_is_not_sent_stays_zero_under_any_code():
    lesson = lesson_of(network_of(cells=[6]), 9)
    kept = sent(lesson, keep=0.5)
    for code in ({"sign": True}, {"bits": 2}):
        np.testing.assert_array_equal(sent(lesson, keep=0.5, **code) == 0, kept == 0)
    levels = np.unique(sent(lesson, keep=0.5, bits=2)[kept != 0])
    assert levels.size == 4


def test_noise_is_in_units_of_the_error_of_one_sample():
    """Twice the batch, half the error (1 / B in it) and half the noise."""
    network = network_of(cells=[40])
    x, y = batch(400)
    spread = {}
    for n in (200, 400):
        lesson = lesson_of(network, x=x[:n], y=y[:n])
        spread[n] = (sent(lesson, noise=0.5) - lesson.soma_error).std()
        assert spread[n] * n == pytest.approx(0.5, rel=0.03)
        relative = (sent(lesson, relative_noise=0.2) - lesson.soma_error).std()
        assert relative == pytest.approx(0.2 * np.sqrt((lesson.soma_error**2).mean()), rel=0.03)


def test_noise_follows_the_generator_of_the_lesson():
    network = network_of()
    first, again = (sent(lesson_of(network), noise=0.1) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    lesson = lesson_of(network)
    assert not np.array_equal(sent(lesson, noise=0.1), sent(lesson, noise=0.1))


def test_what_is_sent_is_degraded_not_what_is_made_of_it():
    """Direct feedback sends output errors: compartments combine quantised ones through their fixed matrix."""
    network = network_of()
    lesson = lesson_of(network, 30)
    signal = Degraded(DFA(), bits=2)
    signal.prepare(network, np.random.default_rng(0))
    assert np.unique(signal.signal(lesson)[0]).size <= 4
    assert np.unique(taught(lesson, signal)).size > 4
    parts = Degraded(PerSoma("soma"), sign=True)
    parts.prepare(network, np.random.default_rng(0))
    own, scalar = parts.signal(lesson)
    np.testing.assert_allclose(np.abs(scalar), np.abs(lesson.soma_error.mean(1)).mean())  # each part has its own scale
    np.testing.assert_allclose(np.abs(own), np.abs(lesson.soma_error).mean())


def test_float32_stays_float32():
    lesson = lesson_of(network_of(dtype="float32"), 9)
    for options in ({"sign": True}, {"bits": 4}, {"keep": 0.3}, {"noise": 0.1}, {"relative_noise": 0.1}):
        assert sent(lesson, **options).dtype == np.float32


def test_bandwidth():
    network = network_of(cells=[64])
    cases = [
        (Degraded(PerSoma(), sign=True), 64), (Degraded(PerSoma(), bits=4), 256), (Degraded(Scalar(), sign=True), 1),
        (Degraded(PerSoma("soma"), bits=4), 65 * 4), (Degraded(DFA(), bits=8), 32),
        (Degraded(PerSoma(), noise=0.1), 64 * 32),
        (Degraded(PerSoma(), keep=0.3), 19 * 32 + 64),  # a mask is cheaper than 19 addresses of 6 bits
        (Degraded(PerSoma(), keep=0.05), 3 * 32 + 3 * 6), (Degraded(PerSoma(), keep=0.3, sign=True), 19 + 64),
    ]  # fmt: skip
    for signal, bits in cases:
        assert signal.bits_per_sample(network) == bits, signal


def test_refusals():
    for name in ("exact", "decoder_only"):
        with pytest.raises(ParameterError, match=f"teaching '{name}' broadcasts nothing.*scalar, per_soma, dfa"):
            Degraded(name, sign=True)
    with pytest.raises(ParameterError, match="nothing is degraded; ask for sign, bits, keep, noise"):
        Degraded("scalar")
    with pytest.raises(ParameterError, match="give one of them"):
        Degraded("scalar", sign=True, bits=4)
    for bits in (0, 25, 1.5, True):
        with pytest.raises(ParameterError, match="must be a whole number from 1 to 24"):
            Degraded("scalar", bits=bits)
    with pytest.raises(ParameterError, match="keep=0 is impossible"):
        Degraded("per_soma", keep=0)
    for inner in (Scalar(), LocalMismatch()):
        with pytest.raises(ParameterError, match=r"leaves nothing out; it works with.*'per_soma' or 'dfa'"):
            Degraded(inner, keep=0.3).prepare(network_of(), np.random.default_rng(0))
