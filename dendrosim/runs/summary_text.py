"""A summary as text for a terminal of 120 columns: what a person needs; all of it is in the CSV."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..diagnostics.intervals import RESAMPLES, Interval

if TYPE_CHECKING:
    from .summary import Summary

WIDTH = 120
_MOST = 40
"""Lines of a block; what is beyond is in the CSV."""
COVERAGE = {3: 0.72, 4: 0.80, 5: 0.84, 7: 0.88, 10: 0.90, 20: 0.92, 30: 0.94}
"""How often the 95 % bootstrap interval of so many normal values covers their mean: measured with 10,000 samples each,
as the guide says. Student's t does in 95 %."""

Cells = list[str]


def text_of(summary: Summary) -> str:
    """Means of arms, paired differences, and what has to be known to read them.

    Of more arms than can be read, the means over everything that was swept.
    """
    blocks = []
    n = len(summary.rows)
    if n > _MOST:
        over_all = type(summary)(summary.runs, summary.level, summary.metric, pooled=True)
        if len(over_all.rows) > 1:
            text = (
                f"{n} arms: here are means over everything that was swept, over the combinations that all arms have. "
                f"Each arm for itself, and its own {summary.n_comparisons} comparisons, are in {summary.file}."
            )
            blocks, summary = ["\n".join(textwrap.wrap(text, WIDTH))], over_all
    blocks += [_means(summary), _differences(summary), _notes(summary)]
    return "\n\n".join(block for block in blocks if block)


def _means(summary: Summary) -> str:
    percent = f"{100 * summary.level:g} %"
    rows = summary.rows[:_MOST]
    form = _form(max((abs(row.interval.mean) for row in rows), default=0.0))
    timed = summary.metric != "seconds"
    lines = [
        ["arm", "seeds", summary.metric, "sd", f"{percent} (t)", f"{percent} (bootstrap)", *(["s"] if timed else [])]
    ]
    for row in rows:
        t, sd = row.interval, row.interval.sd
        cells = [row.name or "-", str(t.n), form(t.mean), "-" if math.isnan(sd) else form(sd)]
        lines.append([*cells, _range(t, form), _range(row.bootstrap, form), *([f"{row.seconds:.3g}"] if timed else [])])
    return "\n".join([*_aligned(lines), *_more(len(summary.rows) - len(rows), "arms", summary.file)])


def _differences(summary: Summary) -> str:
    found = [(row, one) for row in summary.rows for one in row.differences]
    if not found:
        return ""
    shown = found[:_MOST]
    form = _form(max(abs(row.interval.mean) for row in summary.rows), sign="+")
    heads = ["pairs", "mean", f"{100 * summary.level:g} % (t)", "d_z", f"p (Holm, {summary.n_comparisons})"]
    figures = []
    for _, one in shown:
        t, effect = one.interval, one.comparison.effect.value
        cells = [str(t.n), form(t.mean), _range(t, form), "-" if math.isnan(effect) else f"{effect:+.2f}"]
        figures.append([*cells, "-" if math.isnan(one.p_adjusted) else _p(one.p_adjusted)])
    names = [[f"{row.name} - {one.other}"] for row, one in shown]
    lines = _beside("paired difference", names, heads, figures)
    if max(map(len, lines)) > WIDTH:
        names = [[row.name, f"- {one.other}"] for row, one in shown]
        lines = _beside("paired difference", names, heads, figures)
    return "\n".join([*lines, *_more(len(found) - len(shown), "differences", summary.file)])


def _notes(summary: Summary) -> str:
    notes = [_about_intervals(summary)]
    pairs = [one.interval.n for row in summary.rows for one in row.differences if one.interval.n > 1]
    if pairs:
        notes.append(_about_differences(min(pairs), summary.n_comparisons))
    notes.append(_about_seeds(summary))
    if summary.n_repeated:
        notes.append(
            f"{summary.n_repeated} {'run has' if summary.n_repeated == 1 else 'runs have'} arm and seed in common with "
            "another; such runs are no repetitions, and count once, with their mean. Of a store that serves several "
            "sweeps, take Store.runs(sweep)."
        )
    return "\n".join(line for note in notes for line in textwrap.wrap(note, WIDTH))


def _about_intervals(summary: Summary) -> str:
    resampled = sorted({row.interval.n for row in summary.rows if row.interval.n > 2})
    text = "Intervals: Student's t over seeds"
    if not resampled:
        return f"{text}; of fewer than 3 seeds there is no bootstrap interval."
    text += f"; bootstrap (BCa, {RESAMPLES} resamples, seed 0), which is too narrow with few seeds"
    if summary.level != 0.95:
        return f"{text}."
    n = max(known for known in COVERAGE if known <= resampled[0])
    covers = f"{100 * COVERAGE[n]:.0f} %"
    return (
        f"{text}: of {n} normal values, a 95 % interval covers the mean in {covers} of the cases (measured), t in 95 %."
    )


def _about_differences(fewest: int, many: int) -> str:
    family = "the one comparison here" if many == 1 else f"all {many} comparisons here"
    text = (
        "Differences are paired by seed. d_z: their mean over their standard deviation. p: paired t test, adjusted by "
        f"Holm for {family}."
    )
    if fewest > 7:
        return text
    return (
        f"{text} Of {fewest} pairs an exact permutation test (in the CSV) cannot give less than p = "
        f"{2.0 ** (1 - fewest):g}, unadjusted."
    )


def _about_seeds(summary: Summary) -> str:
    each = {row.seeds for row in summary.rows}
    if len(each) == 1:
        seeds = next(iter(each))
        whole = len(seeds) > 5 and seeds == tuple(range(seeds[0], seeds[-1] + 1))
        return f"Seeds: {f'{seeds[0]} to {seeds[-1]}' if whole else ', '.join(map(str, seeds))}."
    counts = sorted(len(seeds) for seeds in each)
    few, most = counts[0], counts[-1]
    number = f"{few}" if few == most else f"{few} to {most}"
    return f"Seeds differ between arms ({number} of them); {summary.file} has those of each."


def _beside(title: str, names: list[Cells], heads: Cells, figures: list[Cells]) -> list[str]:
    """Rows whose name may take two lines; the figures stand beside the first."""
    lines = [[title, *heads]]
    for name, cells in zip(names, figures, strict=True):
        lines.append([name[0], *cells])
        lines += [[f"  {more}", *([""] * len(cells))] for more in name[1:]]
    return _aligned(lines)


def _aligned(lines: Sequence[Cells]) -> list[str]:
    """The first column to the left, all others to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return [
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]).rstrip()
        for line in lines
    ]


def _more(n: int, what: str, file: str) -> list[str]:
    return [f"... {n} more {what} in {file}"] if n > 0 else []


def _form(largest: float, sign: str = "") -> Callable[[float], str]:
    """How values of this size are written: with four decimals, fewer where they are large."""
    if largest and largest < 0.01:
        return lambda value: f"{value:{sign}z.3e}"
    decimals = max(4 - max(int(math.log10(largest or 1)), 0), 0)
    return lambda value: f"{value:{sign}z.{decimals}f}"


def _p(p: float) -> str:
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.1 else f"{p:.2f}"


def _range(interval: Interval, form: Callable[[float], str]) -> str:
    return "-" if math.isnan(interval.low) else f"[{form(interval.low)}, {form(interval.high)}]"
