"""Numbers, verdicts and marks of the audit's page, in words and signs and never by colour alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..diagnostics.evaluation_verdict import NOTICED, Verdict
from ..runs.audited import AuditedArm, AuditedRuns, Spread
from .markup import Band, Content, Markup, fragment, tag

STATES = {"pass": "✓", "fail": "✗", "open": "?", "none": "–"}
"""Classes of verdicts, and the sign of each."""
_SMALL = 1e-3
"""Measured numbers below are written with an exponent."""
CHECKS = {"D1": "scale stability", "D2": "reference validity", "D3": "depth utility"}


def shown(value: float, form: str = "#.4g") -> str:
    """A number as text: with a minus sign, an exponent without padding; "n/a" where there is none."""
    number = float(value)
    if math.isnan(number):
        return "n/a"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if form.startswith("#") and 0 < abs(number) < _SMALL:
        form = f".{int(form.strip('#+g.')) - 1}e"
    mantissa, _, exponent = format(number, form).partition("e")
    text = mantissa.removesuffix(".") + (f"e{int(exponent)}" if exponent else "")
    return text.replace("-", "−")


def cell(value: float, form: str = "#.4g", *, flagged: bool = False) -> Markup:
    """A number in a table: rounded to the eye, exact to a machine; flagged ones bear a mark."""
    text = shown(value, form)
    number = tag("data", text, value=repr(float(value))) if math.isfinite(value) else Markup(text)
    return tag("span", number, " ⚑", tag("span", " flagged", class_="hidden"), class_="flagged") if flagged else number


def spread(found: Spread, form: str = "#.4g", of: int | None = None) -> Markup:
    """Mean, standard deviation where there are two or more, and n where it is not `of`."""
    parts = [cell(found.mean, form)]
    if not math.isnan(found.sd):
        parts.append(tag("span", " ± ", tag("data", shown(found.sd, _lesser(form)), value=repr(found.sd)), class_="sd"))
    if of is not None and found.n not in (of, 0):
        parts.append(tag("span", f" (n = {found.n})", class_="sd"))
    return fragment(parts)


def _lesser(form: str) -> str:
    """Two digits for a standard deviation, or the places of its mean."""
    return ".2g" if form.endswith("g") else form.removeprefix("+")


def points(value: float) -> float:
    """A difference of accuracies in percentage points."""
    return 100.0 * value


def state(verdict: Verdict) -> str:
    """Class of a verdict."""
    return NOTICED[verdict.failed]


def badge(kind: str, text: str, *, quiet: bool = False) -> Markup:
    """A verdict with its sign; without a frame where it is one of many."""
    form = "mark" if quiet else "badge"
    return tag("span", tag("span", STATES[kind], aria_hidden="true"), tag("span", text), class_=f"{form} {kind}")


def verdict_badge(verdict: Verdict) -> Markup:
    """A verdict with the checks that flagged."""
    return badge(state(verdict), verdict.short)


def listed(names: Iterable[str]) -> str:
    """Names as in a sentence: a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def plural(n: int, noun: str) -> str:
    """A count with its noun."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def counted(verdicts: Mapping[str, int], n: int) -> str:
    """Verdicts with how many runs got each, where they differ."""
    if len(verdicts) == 1:
        return next(iter(verdicts))
    return ", ".join(f"{count} of {n} {verdict}" for verdict, count in verdicts.items())


def by_setting(
    audited: AuditedRuns,
    rows: Callable[[AuditedArm], list[Sequence[Content]]],
    of: Callable[[AuditedArm], bool] = lambda arm: True,
) -> list[Sequence[Content] | Band]:
    """Rows of arms, below the data and the network that they share where there are several such."""
    found: list[Sequence[Content] | Band] = []
    for setting, arms in audited.settings.items():
        members = [arm for arm in arms if of(arm)]
        if members and len(audited.settings) > 1:
            found.append(Band(setting))
        for arm in members:
            found += rows(arm)
    return found
