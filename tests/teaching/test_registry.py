"""Teaching signals by name: known names and options only, copies, tables, states."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.teaching import DFA, TEACHING, Degraded, PerSoma, teaching

from .lessons import lesson_of, network_of, taught

NAMES = [
    "exact", "scalar", "per_soma", "fa", "dfa", "low_rank", "ebd", "sbd", "kp", "vnc", "nmnc", "mirror",
    "node_perturbation", "local_mismatch", "shuffled", "decoder_only", "degraded",
]  # fmt: skip
NEEDED = {"low_rank": {"rank": 2}, "degraded": {"teaching": {"name": "dfa", "per": "compartment"}, "noise": 0.1}}


def made(name):
    return teaching(name, **NEEDED.get(name, {}))


def test_names():
    assert list(TEACHING) == NAMES
    with pytest.raises(ParameterError, match=r"teaching='per_some' is not known; valid: 'exact', 'scalar'"):
        teaching("per_some")


def test_options_are_checked_by_name():
    assert teaching("per_soma", scope="soma").scope == "soma"
    with pytest.raises(ParameterError, match=r"teaching 'per_soma' has no option 'scop'; valid: scope, hidden"):
        teaching("per_soma", scop="soma")
    with pytest.raises(ParameterError, match=r"teaching 'exact' has no option 'scale'; it takes none"):
        teaching("exact", scale=2.0)
    with pytest.raises(ParameterError, match=r"teaching 'low_rank' needs the option 'rank'"):
        teaching("low_rank")


def test_tables_and_objects():
    signal = teaching({"name": "degraded", "teaching": {"name": "per_soma", "scope": "soma"}, "bits": 4})
    assert isinstance(signal, Degraded)
    assert signal.teaching.scope == "soma"
    assert teaching({"name": "dfa"}, scale=2.0).scale == 2.0
    given = DFA(3.0)
    copied = teaching(given)
    assert copied is not given
    assert copied.scale == 3.0
    with pytest.raises(ParameterError, match="needs 'name'"):
        teaching({"scope": "soma"})
    with pytest.raises(ParameterError, match="options scale do not go with the finished DFA"):
        teaching(given, scale=1.0)
    with pytest.raises(ParameterError, match="must be a name"):
        teaching(3)


@pytest.mark.parametrize("name", NAMES)
def test_repr_makes_it_again(name):
    import dendrosim.teaching as home

    signal = made(name)
    assert repr(eval(repr(signal), vars(home))) == repr(signal)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["one layer", "inhibitory cells"])
def test_state_brings_back_the_same_bits(name, kind):
    network = network_of(kind)
    first, second = made(name), made(name)
    first.prepare(network, np.random.default_rng(1))
    second.prepare(network, np.random.default_rng(2))
    kept = {key: value.copy() for key, value in first.state().items()}
    credit = taught(lesson_of(network), first)
    assert np.isfinite(credit).all()
    second.restore(kept)
    np.testing.assert_array_equal(taught(lesson_of(network), second), credit)
    if name in ("dfa", "low_rank", "shuffled", "degraded"):
        other = made(name)
        other.prepare(network, np.random.default_rng(2))
        assert not np.array_equal(taught(lesson_of(network), other), credit)


@pytest.mark.parametrize("name", NAMES)
def test_lanes_without_a_sample_get_no_credit(name):
    network = network_of("two layers", "float32")
    signal = made(name)
    signal.prepare(network, np.random.default_rng(0))
    lesson = lesson_of(network, 70)
    signal.credit(lesson)
    flat = lesson.credit.transpose(0, 2, 1).reshape(-1, network.layout.size)
    assert np.isfinite(flat).all()
    assert not flat[70:].any()


def test_bandwidth_of_the_two_ends():
    network = network_of("inhibitory cells")
    assert teaching("exact").bits_per_sample(network) == 32 * network.layout.size
    assert teaching("decoder_only").bits_per_sample(network) == 0.0
    assert teaching("decoder_only").frozen_core
    assert not PerSoma().frozen_core
