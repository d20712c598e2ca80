"""Verdicts of the reproduction ledger, case by case."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dendrosim.diagnostics.intervals import mean_interval
from dendrosim.errors import ParameterError
from dendrosim.runs.ledger_verdict import Published, Verdict, judge

# mean 0.9, sd 0.01, n = 5: half width of the 95 % interval 2.776 * 0.01 / sqrt(5) = 0.012416
FIVE = [0.9 + 0.01 * z for z in (-(1.6**0.5), -(0.4**0.5), 0.0, 0.4**0.5, 1.6**0.5)]
ONE = [0.9]
SAME = [0.5, 0.5, 0.5]


def test_the_five_are_what_they_are_said_to_be() -> None:
    interval = mean_interval(FIVE)
    assert interval.sd == pytest.approx(0.01)
    assert interval.high - interval.mean == pytest.approx(0.012416, abs=1e-5)


@pytest.mark.parametrize(
    ("published", "sd", "n", "ours", "within", "expected"),
    [
        # a number without any uncertainty but its rounding
        ("0.910", None, None, FIVE, None, Verdict.REPRODUCED),
        ("0.912", None, None, FIVE, None, Verdict.REPRODUCED),  # 0.012 away, 0.0124 + 0.0005 allowed
        ("0.9125", None, None, FIVE, None, Verdict.NOT),  # 0.0125 away, 0.01242 + 0.00005 allowed
        ("0.91", None, None, SAME, None, Verdict.NOT),
        ("0.504", None, None, SAME, None, Verdict.NOT),
        ("0.50", None, None, SAME, None, Verdict.REPRODUCED),
        ("0.5049", None, None, SAME, None, Verdict.NOT),
        ("0.51", None, None, [0.505, 0.505], None, Verdict.REPRODUCED),  # rounds to 0.51 within half a unit
        # a published interval: t(4) * 0.01 / sqrt(5) = 0.0124, with ours 0.0176
        ("0.917", "0.01", 5, FIVE, None, Verdict.REPRODUCED),
        ("0.919", "0.01", 5, FIVE, None, Verdict.NOT),
        # a spread of unknown repetitions counts as it is: hypot(0.0124, 0.02) = 0.0235
        ("0.923", "0.02", None, FIVE, None, Verdict.REPRODUCED),
        ("0.925", "0.02", None, FIVE, None, Verdict.NOT),
        # one published run: where a run of ours would lie, 2.776 * 0.01 * sqrt(1 + 1/5) = 0.0304
        ("0.930", None, 1, FIVE, None, Verdict.REPRODUCED),
        ("0.931", None, 1, FIVE, None, Verdict.NOT),
        # what counts as the same takes the place of all of that
        ("0.95", "0.1", 3, FIVE, "0.03", Verdict.NOT),
        ("0.94", None, None, FIVE, "0.03", Verdict.REPRODUCED),
        # a single run of ours
        ("0.9", None, None, ONE, None, Verdict.UNDECIDED),
        ("0.9", None, 1, ONE, None, Verdict.UNDECIDED),
        ("0.93", "0.01", 5, ONE, None, Verdict.REPRODUCED),  # 2.776 * 0.01 * sqrt(1 + 1/5) = 0.0304
        ("0.94", "0.01", 5, ONE, None, Verdict.NOT),
        ("0.94", None, None, ONE, "0.05", Verdict.REPRODUCED),
        # ranges
        (["0.95", "0.99"], None, None, FIVE, None, Verdict.NOT),
        (["0.91", "0.99"], None, None, FIVE, None, Verdict.REPRODUCED),
        (["0.8", "0.99"], None, None, FIVE, None, Verdict.REPRODUCED),
        (["0.1", "0.88"], None, None, FIVE, None, Verdict.NOT),
        # comparisons
        ("> 0", None, None, FIVE, None, Verdict.REPRODUCED),
        ("> 0.88", None, None, FIVE, None, Verdict.REPRODUCED),
        ("> 0.89", None, None, FIVE, None, Verdict.UNDECIDED),
        ("> 0.95", None, None, FIVE, None, Verdict.NOT),
        ("< 0.95", None, None, FIVE, None, Verdict.REPRODUCED),
        ("< -0.95", None, None, FIVE, None, Verdict.NOT),
        ("> 0", None, None, ONE, None, Verdict.UNDECIDED),
        ("> 0.4", None, None, SAME, None, Verdict.REPRODUCED),
        ("> 0.5", None, None, SAME, None, Verdict.NOT),
        (">= 0.5", None, None, SAME, None, Verdict.REPRODUCED),
        ("<= 0.5", None, None, SAME, None, Verdict.REPRODUCED),
    ],
)
def test_agreement(published: Any, sd: str | None, n: int | None, ours: Any, within: str | None, expected: Any) -> None:
    value = published if isinstance(published, str) and published[0] in "<>" else _decimals(published)
    stated = Published.read(value, None if sd is None else Decimal(sd), n)
    found, why = judge(stated, mean_interval(ours), within=None if within is None else float(within))
    assert found is expected, why
    confounded, _ = judge(
        stated, mean_interval(ours), within=None if within is None else float(within), confound="another network"
    )
    assert confounded is (Verdict.CONFOUNDED if expected is Verdict.REPRODUCED else expected)


def test_no_verdict_without_runs_or_from_shortened_ones() -> None:
    stated = Published.read(Decimal("0.9"))
    assert judge(stated, None)[0] is Verdict.NO_RUNS
    assert judge(stated, None, shortened=True)[0] is Verdict.NO_RUNS
    assert judge(stated, mean_interval(FIVE), shortened=True)[0] is Verdict.SHORTENED
    decided = [verdict for verdict in Verdict if verdict.decided]
    assert decided == [Verdict.REPRODUCED, Verdict.CONFOUNDED, Verdict.NOT]


@pytest.mark.parametrize(
    "value", ["about a tenth", "0.5", True, [Decimal(1)], [Decimal(2), Decimal(1)], ["> 0", "< 1"], {}]
)
def test_what_is_no_published_value(value: Any) -> None:
    with pytest.raises(ParameterError, match="published"):
        Published.read(value)


def test_digits_that_are_printed_count() -> None:
    assert Published.read(Decimal("0.970")).rounding == pytest.approx(0.0005)
    assert Published.read(Decimal("0.97")).rounding == pytest.approx(0.005)
    assert Published.read(13).rounding == 0.0
    assert Published.read(Decimal("0.970"), Decimal("0.003")).shown == "0.970 ± 0.003"
    assert Published.read([Decimal("0.1"), Decimal("0.25")]).shown == "0.1 to 0.25"


def _decimals(value: Any) -> Any:
    return [Decimal(one) for one in value] if isinstance(value, list) else Decimal(value)
