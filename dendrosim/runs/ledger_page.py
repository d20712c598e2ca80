"""The reproduction ledger as text: for a terminal, and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from .ledger_rows import Row, duration, tally

_HEAD = """\
# The reproduction ledger

What the papers state beside what came out here. This page is made from `experiments/results/ledger.csv` by

```sh
dendrosim reproduce --recorded --out .
```

and [the guide](guide/reproduction.md) says how to read it and how to make it again.

Ours are means over seeds with 95 % intervals (Student's t). **Reproduced**: the interval, widened by what is
uncertain about the published value, contains it. **Confounded**: it does too, but the published comparison differed
in something else as well, and the entry named under "fair" leaves that out. **Not**: it does not. *Undecided*,
*shortened* (it does not, but our runs are shorter than the published ones) and *no runs yet* are no verdicts. "0 too"
marks differences that agree and whose interval contains 0 as well.
"""


def terminal(rows: Sequence[Row]) -> str:
    """A table per item, and what all of them come to."""
    heads = ("", "published", "ours", "n", "seeds", "cost", "verdict")
    parts = []
    for (item, place, title), group in groupby(rows, key=lambda row: (row.item, row.place, row.title)):
        lines = [heads] + [
            (row.entry, row.published, row.ours, str(row.n), row.seeds, row.cost, row.said) for row in group
        ]
        widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
        text = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
        parts.append("\n".join([f"{item}: {place}, {title}", *text]))
    return "\n\n".join([*parts, tally(rows)])


def page(rows: Sequence[Row]) -> str:
    """The page of the documentation, in Markdown.

    Parameters
    ----------
    rows : sequence of Row
        As `dendrosim.runs.ledger_rows.read_ledger` gives them.
    """
    out = [_HEAD, tally(rows), ""]
    codes = sorted({code for row in rows for code in row.code.split("; ") if code})
    out += [f"Versions that computed the runs: {', '.join(f'`{code}`' for code in codes)}.", ""] if codes else []
    for paper, items in groupby(rows, key=lambda row: row.paper):
        out += [f"## {paper}", ""]
        for (item, place, title, command), group in groupby(
            items, key=lambda row: (row.item, row.place, row.title, row.command)
        ):
            out += [f"### {place}: {title}", "", f"`{command}`", "", *_table(list(group), item), ""]
    return "\n".join(out).rstrip("\n") + "\n"


def _table(rows: Sequence[Row], item: str) -> Iterator[str]:
    worded = any(row.what != row.entry for row in rows)
    heads = ["entry", *(["what"] if worded else []), "published", "ours", "n", "seeds", "cost", "verdict"]
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        number = f" (n = {row.published_n})" if row.published_n else ""
        named = [row.entry, row.what] if worded else [row.entry]
        cells = (*named, row.published + number, row.ours, str(row.n), row.seeds, row.cost)
        yield "| " + " | ".join([*map(_cell, cells), _verdict(row)]) + " |"
    yield ""
    cost = duration(sum(row.core_seconds for row in rows))
    yield f"Evidence and confounds of {item} (core time of its entries, shared runs counted each time: {cost}):"
    yield ""
    for row in rows:
        arms = f"`{row.experiment}`: {row.arms}" + (f" minus {row.minus}" if row.minus else "")
        source = f" ({row.source})" if row.source != row.place else ""
        text = f"- **{row.entry}**{source}. {arms}; {row.measure}."
        if row.shortened:
            text += f" Shortened: {row.shortened}."
        if row.confound:
            text += f" Confound: {row.confound}." + (f" Fair: {row.fair}." if row.fair else "")
        yield _cell(text) + (f" ({_cell(row.reason)})" if row.reason else "")


def _verdict(row: Row) -> str:
    return f"**{row.said}**" if row.verdict.decided else f"*{row.said}*"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<").replace("\n", " ")
