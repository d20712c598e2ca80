"""What a paper states, and whether our runs agree with it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ..arguments import number, short
from ..diagnostics.intervals import Interval, mean_interval
from ..errors import ParameterError

LEVEL = 0.95
"""Coverage of all intervals of the ledger."""
_CLAIM = re.compile(r"(>=|<=|>|<)\s*([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
_WORDS = {"fail": ">", "pass": "<"}
"""What a check says of most runs: the share of runs that fail is above, or below, a half."""


class Verdict(StrEnum):
    """How a published value stands against ours; the last three say why there is no verdict."""

    REPRODUCED = "reproduced"
    CONFOUNDED = "confounded"
    NOT = "not"
    UNDECIDED = "undecided"
    SHORTENED = "shortened"
    NO_RUNS = "no runs yet"

    @property
    def decided(self) -> bool:
        """Whether it is one."""
        return self in (Verdict.REPRODUCED, Verdict.CONFOUNDED, Verdict.NOT)


@dataclass(frozen=True)
class Published:
    """What a paper states: a number, a range, or a comparison.

    Attributes
    ----------
    text : str
        As it is printed.
    low, high : float
        Limits of a range; the same twice for a number and for what a comparison compares with.
    rounding : float
        Half a unit of the last digit that is printed.
    sign : str
        Of a comparison: ``">"``, ``">="``, ``"<"`` or ``"<="``; else empty.
    sd : float or None
        Standard deviation over repetitions, if it is given.
    n : int or None
        Repetitions, if they are known.
    """

    text: str
    low: float
    high: float
    rounding: float = 0.0
    sign: str = ""
    sd: float | None = None
    n: int | None = None

    @classmethod
    def read(cls, value: Any, sd: Any = None, n: Any = None) -> Published:
        """From the value of a ledger file: a number (a Decimal keeps its digits), ``[low, high]``, ``"> 0"``, or
        ``"fail"`` or ``"pass"`` where 1 is measured of runs that fail and 0 of others.

        Raises
        ------
        ParameterError
            If it is neither, or `sd` or `n` is impossible.
        """
        spread = None if sd is None else number("sd", float(sd), least=0)
        count = None if n is None else int(number("n", n, least=1))
        if isinstance(value, str) and value in _WORDS:
            return cls(value, 0.5, 0.5, 0.0, _WORDS[value], spread, count)
        if isinstance(value, str):
            found = _CLAIM.fullmatch(value.strip())
            if found is None:
                raise ParameterError(
                    f"published = {short(value)} is no comparison; write a number, [low, high], 'pass', 'fail', or one "
                    "such as '> 0'"
                )
            limit = float(found[2])
            return cls(value.strip(), limit, limit, 0.0, found[1], spread, count)
        if isinstance(value, list) and len(value) == 2:
            low, high = (_number(one) for one in value)
            if not low < high:
                raise ParameterError(f"published = {short(value)} must be [low, high] with low < high")
            text = f"{_text(value[0])} to {_text(value[1])}"
            return cls(text, low, high, min(_rounding(one) for one in value), "", spread, count)
        at = _number(value)
        return cls(_text(value), at, at, _rounding(value), "", spread, count)

    @property
    def shown(self) -> str:
        """With its standard deviation."""
        return self.text if self.sd is None else f"{self.text} ± {self.sd:g}"


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ParameterError(f"published = {short(value)} must be a number, [low, high], or a text such as '> 0'")
    return number("published", float(value))


def _text(value: Any) -> str:
    """A number as papers print it: powers of ten for what is very small or large."""
    plain = float(value) == 0.0 or 1e-3 <= abs(float(value)) < 1e4
    return f"{Decimal(str(value)):{'f' if plain else 'e'}}".replace("e+", "e")


def _rounding(value: Any) -> float:
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
    return 0.5 * 10.0**exponent if isinstance(exponent, int) and exponent < 0 else 0.0


def judge(
    published: Published,
    ours: Interval | None,
    *,
    within: float | None = None,
    confound: str = "",
    shortened: bool = False,
) -> tuple[Verdict, str]:
    """Whether our value agrees with a published one, and in a few words why.

    A number agrees if our interval, widened by what is uncertain about the number, contains it: by `within`, if that
    is given; else by the published 95 % interval, in quadrature with ours. That is Student's t of the published
    standard deviation over the published repetitions; one standard deviation where these are not known; our standard
    deviation over the published repetitions where none is given, so that a number of one run is compared with where a
    single run of ours would lie. Either way half a unit of its last digit is added. A range agrees if that much of it
    does. A comparison holds if our whole interval is on its side, fails if all of it is on the other, and is undecided
    else.

    Parameters
    ----------
    published : Published
    ours : Interval or None
        None without finished runs.
    within : float, optional
        What counts as the same.
    confound : str
        Something else that the published runs differed in: what agrees is then not evidence for what was claimed.
    shortened : bool, default False
        Whether our runs are too short to be compared.
    """
    if ours is None:
        return Verdict.NO_RUNS, ""
    if shortened:
        return Verdict.SHORTENED, "fewer epochs or samples than published"
    agreed = Verdict.CONFOUNDED if confound else Verdict.REPRODUCED
    if published.sign:
        return _compared(published, ours, agreed)
    allowed = _allowed(published, ours, within)
    if allowed is None:
        return Verdict.UNDECIDED, "one run, and no spread is known"
    off = max(published.low - ours.mean, ours.mean - published.high, 0.0)
    # what is equal but for the last bits of a sum is equal
    agrees = off <= allowed + 1e-12 * max(1.0, abs(ours.mean))
    return (agreed if agrees else Verdict.NOT), f"{off:.2g} away, {allowed:.2g} allowed"


def judge_magnitude(
    published: Published, values: Sequence[float], *, factor: float, confound: str = "", shortened: bool = False
) -> tuple[Interval, Verdict, str]:
    """`judge` for magnitudes that are known but for a factor: means and intervals are those of logarithms.

    An interval of more than a power of ten either way agrees with anything: then nothing is decided.

    Parameters
    ----------
    published : Published
        Of one sign, and not 0.
    values : sequence of float
        Ours, one per seed.
    factor : float
        What counts as the same, such as 3: up to three times as much, or as little. Comparisons take none.
    confound, shortened
        As for `judge`.

    Returns
    -------
    Interval
        Geometric mean and its limits; of the values themselves where their signs are not the published one.
    Verdict
    str
    """
    plain = mean_interval(values, level=LEVEL)
    if shortened:
        return plain, *judge(published, plain, shortened=True)
    sign = math.copysign(1.0, published.low)
    if any(sign * value <= 0.0 for value in values):
        return plain, Verdict.NOT, "not all of its sign"
    logs = mean_interval([math.log10(sign * value) for value in values], level=LEVEL)
    low, high = sorted(math.log10(abs(limit)) for limit in (published.low, published.high))
    limits = sorted((sign * 10.0**logs.low, sign * 10.0**logs.high))
    ours = replace(plain, mean=sign * 10.0**logs.mean, low=limits[0], high=limits[1])
    target = replace(published, low=low, high=high, rounding=0.0)
    verdict, why = judge(target, logs, within=math.log10(factor), confound=confound)
    if published.sign:
        return ours, verdict, why.replace(f"{low:g}", f"{published.low:g}")
    off, half = max(low - logs.mean, logs.mean - high, 0.0), 0.0 if logs.n < 2 else logs.high - logs.mean
    if half > 1.0 and verdict is not Verdict.NOT:
        return ours, Verdict.UNDECIDED, f"{10.0**off:.2g} times off, the interval is {10.0**half:.2g} times either way"
    return ours, verdict, f"{10.0**off:.2g} times off, {factor * 10.0**half:.2g} times allowed"


def _compared(published: Published, ours: Interval, agreed: Verdict) -> tuple[Verdict, str]:
    at, up = published.low, published.sign.startswith(">")
    low, high = (ours.mean, ours.mean) if ours.n > 1 and ours.sd == 0.0 else (ours.low, ours.high)
    if not (math.isfinite(low) and math.isfinite(high)):
        return Verdict.UNDECIDED, "one run has no interval"
    if at in (low, high) and low == high:
        return (agreed if "=" in published.sign else Verdict.NOT), "equal in all runs"
    holds, fails = (low > at, high < at) if up else (high < at, low > at)
    if published.text in _WORDS:
        return (agreed if holds else Verdict.NOT, "") if holds or fails else (Verdict.UNDECIDED, "runs differ")
    if holds or fails:
        return (agreed if holds else Verdict.NOT), f"the interval is {'above' if low > at else 'below'} {at:g}"
    return Verdict.UNDECIDED, f"the interval contains {at:g}"


def _allowed(published: Published, ours: Interval, within: float | None) -> float | None:
    """How far our mean may lie from the published value; None if nothing says it."""
    single = ours.n < 2
    if within is not None:
        return published.rounding + within + (0.0 if single else ours.high - ours.mean)
    sd, n = published.sd, published.n
    if single:
        # where a single run of theirs would lie
        if sd is None or n is None or n < 2:
            return None
        return published.rounding + _student(n) * sd * math.sqrt(1.0 + 1.0 / n)
    theirs = 0.0
    if sd is None:
        theirs = 0.0 if n is None else _student(ours.n) * ours.sd / math.sqrt(n)
    else:
        theirs = sd if n is None or n < 2 else _student(n) * sd / math.sqrt(n)
    return published.rounding + math.hypot(ours.high - ours.mean, theirs)


def _student(n: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.5 + 0.5 * LEVEL))
