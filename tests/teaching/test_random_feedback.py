"""Fixed random matrices: direct feedback and low rank."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.teaching import DFA, LowRank

from .lessons import lesson_of, network_of, per_compartment, taught


def prepared(signal, network, seed=0):
    signal.prepare(network, np.random.default_rng(seed))
    return signal


@pytest.mark.parametrize("per", ["cell", "compartment"])
@pytest.mark.parametrize("kind", ["one layer", "inhibitory cells"])
def test_direct_feedback_is_one_fixed_linear_map_of_the_output_error(per, kind):
    network = network_of(kind)
    signal = prepared(DFA(per=per), network)
    lessons = [lesson_of(network, 7, seed) for seed in (0, 1)]
    told = [taught(lesson, signal) / per_compartment(lesson) for lesson in lessons]
    errors = [lesson.output_error for lesson in lessons]
    matrix = np.linalg.lstsq(errors[0], told[0], rcond=None)[0]
    for error, values in zip(errors, told, strict=True):
        np.testing.assert_allclose(error @ matrix, values, atol=1e-13)
    cell = network.layout.cell
    same = np.allclose(told[0], told[0][:, network.layout.roots[cell]], rtol=1e-12)
    assert same == (per == "cell")
    assert signal.bits_per_sample(network) == 4 * 32


def test_entries_have_the_published_spread():
    network = network_of(cells=[200], branching=[3])
    for scale in (1.0, 3.0):
        matrix = prepared(DFA(scale=scale, per="compartment"), network).state()["matrix"]
        assert matrix.shape == (800, 4)
        assert matrix.std() == pytest.approx(scale / 2.0, rel=0.05)
        assert abs(matrix.mean()) < 0.05 * scale


@pytest.mark.parametrize("per", ["cell", "compartment"])
def test_low_rank_channels(per):
    network = network_of(cells=[6])
    lesson = lesson_of(network, 20)
    signal = prepared(LowRank(2, scale=3.0, per=per), network)
    told = taught(lesson, signal) / per_compartment(lesson)
    assert np.linalg.matrix_rank(told, tol=1e-12) == 2
    state = signal.state()
    np.testing.assert_allclose(np.linalg.norm(state["down"], axis=0), 1.0)
    np.testing.assert_allclose(np.linalg.norm(state["matrix"], axis=1), 3.0 / np.sqrt(2))
    address = state["matrix"][network.layout.cell] if per == "cell" else state["matrix"]
    np.testing.assert_allclose(told, lesson.soma_error @ state["down"] @ address.T, atol=1e-14)
    assert signal.bits_per_sample(network) == 64


def test_refusals():
    with pytest.raises(ParameterError, match=r"rank=6 is more than the 5 somas.*at most 5"):
        prepared(LowRank(6), network_of())
    with pytest.raises(ParameterError, match=r"rank=0 must be a positive whole number"):
        LowRank(0)
    with pytest.raises(ParameterError, match=r"per='soma' is not known; valid: 'cell', 'compartment'"):
        DFA(per="soma")
    with pytest.raises(ParameterError, match=r"scale=0"):
        DFA(0)
