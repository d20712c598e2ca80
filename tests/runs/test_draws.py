"""Random draws: from the distributions that are asked for, and the same whatever else is drawn."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dendrosim.errors import ParameterError
from dendrosim.runs.draws import DISTRIBUTIONS, Draws

MANY = 2000


def drawn(n: int = MANY, seed: int = 0, **distribution: object) -> list:
    return [point["a.b"] for point in Draws.from_table({"n": n, "seed": seed, "a": {"b": distribution}}).points()]


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        ({"uniform": [-1, 3.0]}, stats.uniform(-1, 4)),
        ({"log_uniform": [1e-4, 1e-1]}, stats.loguniform(1e-4, 1e-1)),
        ({"normal": [2.0, 0.5]}, stats.norm(2.0, 0.5)),
    ],
)
def test_numbers_are_distributed_as_asked(distribution, expected):
    values = drawn(**distribution)
    assert all(isinstance(value, float) for value in values)
    assert stats.kstest(values, expected.cdf).pvalue > 0.01


def test_whole_numbers_and_choices_are_as_likely_as_each_other():
    counted = Counter(drawn(integers=[-1, 3]))
    assert sorted(counted) == [-1, 0, 1, 2, 3]
    assert stats.chisquare(list(counted.values())).pvalue > 0.01
    tables = [{"name": "scalar"}, {"name": "per_soma", "scope": "soma"}, {"name": "dfa"}]
    chosen = drawn(choice=tables)
    assert all(value in tables for value in chosen)
    assert stats.chisquare(list(Counter(value["name"] for value in chosen).values())).pvalue > 0.01


def test_numbers_are_short():
    assert all(float(f"{value:.6g}") == value for value in drawn(log_uniform=[1e-5, 1.0]))


limits = st.floats(1e-6, 1e6).flatmap(lambda low: st.tuples(st.just(low), st.floats(low * 1.001, low * 1e6)))


@settings(max_examples=50, deadline=None)
@given(limits, st.sampled_from(["uniform", "log_uniform"]), st.floats(0, 1, exclude_max=True))
def test_what_is_drawn_lies_within_its_limits(pair, name, u):
    low, high = pair
    value = DISTRIBUTIONS[name](list(pair)).at(u)
    assert low * (1 - 1e-5) <= value <= high * (1 + 1e-5)


@settings(max_examples=50, deadline=None)
@given(st.integers(-5, 5), st.integers(1, 9), st.floats(0, 1, exclude_max=True))
def test_whole_numbers_lie_within_their_limits(low, more, u):
    value = DISTRIBUTIONS["integers"]([low, low + more]).at(u)
    assert isinstance(value, int)
    assert low <= value <= low + more


def test_the_least_uniform_number_is_no_infinite_normal_one():
    assert math.isfinite(DISTRIBUTIONS["normal"]([0, 1]).at(0.0))


def test_another_key_and_more_draws_change_none_that_were_there():
    alone = Draws.from_table({"n": 4, "training": {"epochs": {"integers": [1, 99]}}}).points()
    together = Draws.from_table(
        {"n": 9, "network": {"inhibitory": {"integers": [0, 9]}}, "training": {"epochs": {"integers": [1, 99]}}}
    ).points()
    assert [one["training.epochs"] for one in together[:4]] == [one["training.epochs"] for one in alone]
    assert list(together[0]) == ["network.inhibitory", "training.epochs"]


def test_keys_with_the_same_distribution_and_other_seeds_are_independent():
    points = Draws.from_table({"n": 500, "a": {"uniform": [0, 1]}, "b": {"uniform": [0, 1]}}).points()
    assert abs(stats.pearsonr([p["a"] for p in points], [p["b"] for p in points]).statistic) < 0.15
    assert drawn(20, uniform=[0, 1]) != drawn(20, seed=1, uniform=[0, 1])
    assert drawn(20, uniform=[0, 1]) == drawn(20, uniform=[0, 1])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a": {"uniform": [0, 1]}}, r"\[draw\] has no n"),
        ({"n": 0, "a": {"uniform": [0, 1]}}, "n starts at 1"),
        ({"n": 2.5, "a": {"uniform": [0, 1]}}, "must be a whole number"),
        ({"n": 2, "seed": -1, "a": {"uniform": [0, 1]}}, "seed at 0"),
        ({"n": 2}, "draws nothing"),
        ({"n": 2, "a": {"b": 3}}, r"a\.b = 3 is no distribution; valid: \{ uniform"),
        ({"n": 2, "a": {"b": {"beta": [1, 2]}}}, r"a\.b\.beta = \[1, 2\] is no distribution"),
        ({"n": 2, "a": {"uniform": [0, 1], "normal": [0, 1]}}, "one distribution alone"),
        ({"n": 2, "a": {"uniform": [1, 1]}}, "low < high"),
        ({"n": 2, "a": {"uniform": [1]}}, r"must be \[low, high\]"),
        ({"n": 2, "a": {"uniform": ["x", 1]}}, "not a number"),
        ({"n": 2, "a": {"log_uniform": [0, 1]}}, "must be > 0"),
        ({"n": 2, "a": {"normal": [0, 0]}}, "must be > 0"),
        ({"n": 2, "a": {"normal": 3}}, r"must be \[mean, sd\]"),
        ({"n": 2, "a": {"integers": [1, 2.5]}}, "must be a whole number"),
        ({"n": 2, "a": {"integers": [2, 1]}}, "low < high"),
        ({"n": 2, "a": {"choice": [1]}}, "two or more"),
    ],
)
def test_impossible_draws_are_refused(table, message):
    with pytest.raises(ParameterError, match=message):
        Draws.from_table(table)
