"""Kinds of synapse: known names, sane numbers, and clear answers for what is out of scope."""

from __future__ import annotations

import pytest

from dendrosim.biophysics.presets import AMPA, GABA_A, KINDS, SynapseKind, synapse_kind
from dendrosim.errors import ParameterError


def test_kinds_are_found_by_name_and_pass_through() -> None:
    assert synapse_kind("AMPA") is AMPA
    assert synapse_kind("GABA_A") is GABA_A
    own = SynapseKind("glycine", -1, -75.0, 1.2)
    assert synapse_kind(own) is own


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_kinds_state_a_source_and_lie_in_its_range(kind: SynapseKind) -> None:
    low, high = {"AMPA": (0.35, 1.0), "GABA_A": (0.25, 1.2)}[kind.name]  # nS, Destexhe, Mainen & Sejnowski 1998
    assert low <= kind.conductance <= high
    assert "1998" in kind.source
    assert kind.sign == (1 if kind.reversal > -60 else -1)


def test_gap_junctions_are_refused_with_the_reason() -> None:
    with pytest.raises(ParameterError, match=r"gap junctions are out of scope.*cycles.*tree.*valid: 'AMPA', 'GABA_A'"):
        synapse_kind("gap_junction")


def test_nmda_is_refused_with_the_reason() -> None:
    with pytest.raises(ParameterError, match=r"NMDA synapses are out of scope.*voltage"):
        synapse_kind("NMDA")


def test_unknown_kinds_list_the_valid_ones() -> None:
    with pytest.raises(ParameterError, match=r"kind='ampa' is not known; valid: 'AMPA', 'GABA_A'"):
        synapse_kind("ampa")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("k", 2, 0.0, 0.5), r"sign=2 of synapse kind 'k' must be \+1 or -1"),
        (("k", 1, float("nan"), 0.5), "synapse kind 'k': reversal=nan mV is impossible; it must be finite"),
        (("k", 1, 0.0, -0.5), "synapse kind 'k': conductance=-0.5 nS is impossible; it must be >= 0"),
        (("k", 1, 0.0, float("inf")), "conductance=inf nS"),
    ],
)
def test_impossible_kinds_are_refused(arguments: tuple[str, int, float, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        SynapseKind(*arguments)
