"""Checks at their thresholds, the truth table of the verdict, and what poorer reporting notices."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from dendrosim.diagnostics import Accuracy, Thresholds, Verdict
from dendrosim.diagnostics.evaluation_verdict import invalid, strategies, unstable, useless
from dendrosim.errors import ParameterError

LIMITS = Thresholds()


@pytest.mark.parametrize(("scale", "reference", "depth"), list(product([False, True], repeat=3)))
def test_truth_table(scale, reference, depth):
    verdict = Verdict(scale, reference, depth)
    assert verdict.failed == ((scale and reference) or depth)
    assert verdict.degenerate == (scale and reference)
    flags = "+".join(n for n, f in (("D1", scale), ("D2", reference), ("D3", depth)) if f)
    assert str(verdict) == ("fail" if verdict.failed else "pass") + (f" ({flags})" if flags else "")


def test_without_a_baseline_nothing_passes():
    assert Verdict(False, True, None).failed is None
    assert "no frozen baseline" in str(Verdict(False, False, None))
    assert Verdict(True, True, None).failed is True


def test_at_the_thresholds_nothing_is_flagged():
    assert not unstable(50.0, LIMITS)
    assert unstable(np.nextafter(50.0, 51.0), LIMITS)
    assert unstable(float("nan"), LIMITS)
    assert not invalid(1e-7, LIMITS)
    assert invalid(np.nextafter(1e-7, 0.0), LIMITS)
    assert invalid(float("nan"), LIMITS)
    for right, flagged in ((3600, False), (3599, True), (3601, False)):
        assert useless(Accuracy(right, 10_000), Accuracy(3400, 10_000), LIMITS) == flagged
    assert 0.36 - 0.34 < 0.02  # as floats it would be
    assert not useless(Accuracy.of(0.36), Accuracy.of(0.34), LIMITS)
    assert useless(Accuracy(36, 100), Accuracy.of(0.3401), LIMITS)


def test_thresholds_can_be_set_anew():
    assert unstable(20.0, Thresholds(growth=10.0))
    assert Thresholds(cosine_epsilon=1e-6).least_gradient == 1e-5
    assert invalid(1e-6, Thresholds(cosine_epsilon=1e-6))
    assert not useless(Accuracy(35, 100), Accuracy(34, 100), Thresholds(depth=0.01))


# tables 4 and 5 of the paper: what it prints, and which strategies miss the failure
CASES = {
    "DFA d256 L4": (0.306, 0.10, Verdict(True, True, True), [False, False, True, True]),
    "FA d512 L2": (0.345, 0.48, Verdict(False, False, True), [False, False, False, True]),
    "DFA ViT": (0.256, 0.10, Verdict(True, True, True), [False, False, True, True]),
    "BP d256 L4": (0.607, 1.0, Verdict(False, False, False), [False] * 4),
}


@pytest.mark.parametrize("case", CASES)
def test_strategies_of_the_paper(case):
    accuracy, gamma, verdict, noticed = CASES[case]
    assert list(strategies(accuracy, gamma, verdict, 10, LIMITS).values()) == noticed


def test_the_poorest_strategies_notice_what_does_not_learn_at_all():
    fine = Verdict(False, False, False)
    assert strategies(0.11, 0.5, fine, 10, LIMITS) == {"S0": True, "S1": True, "S2": True, "S3": True}
    assert strategies(0.5, -0.1, fine, 10, LIMITS) == {"S0": False, "S1": True, "S2": True, "S3": True}
    assert strategies(0.5, 0.1, Verdict(False, False, None), 10, LIMITS)["S3"] is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Accuracy(5, 4), "right=5 of n=4"),
        (lambda: Accuracy.of(1.2), "accuracy=1.2"),
        (lambda: Thresholds(growth=-1.0), "growth=-1"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ParameterError, match=words):
        make()
