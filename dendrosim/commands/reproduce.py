"""``dendrosim reproduce``: published tables and figures beside our own runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .meter import SweepMeter
from .workers import add_workers, workers

if TYPE_CHECKING:
    from ..runs.conduct import Step
    from ..runs.ledger import Ledger
    from ..runs.ledger_rows import Row
    from ..runs.reproduce import Reproduction


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    reproduce = commands.add_parser(
        "reproduce",
        help="published tables and figures beside our own runs: values, intervals, verdicts",
        description="Train the runs that published tables and figures are compared with, and say which values come out "
        "again. Runs are kept in a store; what is there already is not computed again, so that an interrupted "
        "reproduction goes on when it is started again. Writes ledger.csv, ledger.md and figures.",
    )
    reproduce.add_argument("names", nargs="*", metavar="NAME", help="items or papers, see --list; default: all")
    reproduce.add_argument(
        "--preset", choices=("quick", "full"), default="quick", help="minutes, or hours; default: %(default)s"
    )
    reproduce.add_argument("--out", type=Path, metavar="DIR", help="default: reproduction")
    add_workers(reproduce)
    reproduce.add_argument(
        "--runs", type=Path, nargs="+", default=[], metavar="DIR", help="finished runs of the same settings to use"
    )
    what = reproduce.add_mutually_exclusive_group()
    what.add_argument("--recorded", action="store_true", help="show what came out on our machine; computes nothing")
    what.add_argument("--evaluate", action="store_true", help="train nothing; judge the runs that are there")
    what.add_argument("--list", action="store_true", help="list items, the number of their entries and of runs")
    reproduce.set_defaults(run=main)


def main(options: argparse.Namespace) -> int:
    """Reproduce, or show; 1 if a run failed or an experiment could not be run."""
    from ..runs.ledger import Ledger

    ledger = Ledger.load()
    if options.recorded:
        return _recorded(ledger, options)
    from ..plotting.paper import NEEDS
    from ..runs.ledger_page import terminal
    from ..runs.ledger_rows import updated
    from ..runs.reproduce import Reproduction, runs_elsewhere
    from ..runs.store import Store

    found = Reproduction(ledger, options.names, options.preset, NEEDS)
    if options.list:
        return _list(found)
    out = (options.out or Path("reproduction")).expanduser()
    others, where = runs_elsewhere(options.runs), out / "store"
    store = Store(where) if Store.there(where) or not options.evaluate else None
    troubles = _unknown(found)
    if store is not None and not options.evaluate:
        report = _Report()
        try:
            with workers(options) as executor:
                tallies = found.conduct(store, executor=executor, others=others, threads=options.threads, report=report)
        finally:
            report.meter.close()
        troubles += [tally.why for tally in tallies if tally.why]
        failed = sum(tally.failed for tally in tallies)
        troubles += [f"{failed} runs failed; {store.folder / 'failed'} says why"] if failed else []
    evidence = found.evidence(store, others)
    rows = found.rows(evidence)
    print(f"\n{terminal(rows)}\n")
    _write(updated(out / "ledger.csv", rows, [item.name for item in ledger.items]), out)
    for path in _figures(found, evidence, out, troubles):
        print(path)
    for text in troubles:
        print(f"dendrosim: error: {text}", file=sys.stderr)
    return 1 if troubles else 0


def _unknown(found: Reproduction) -> list[str]:
    """Why runs of some experiments cannot be known, each reason once."""
    reasons: dict[str, list[str]] = {}
    for name, need in found.needs.items():
        if need.sweep is None and need.error:
            reasons.setdefault(need.error.split(": ", 1)[-1], []).append(name)
    return [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]


class _Report:
    """A heading per experiment, and how far it is."""

    def __init__(self) -> None:
        self.meter, self.experiment = SweepMeter(), ""

    def __call__(self, experiment: str, step: Step) -> None:
        if experiment != self.experiment:
            print(f"{experiment}:", flush=True)
            self.experiment = experiment
        self.meter(step)


def _write(rows: list[Row], out: Path) -> None:
    """Write a table as CSV and as Markdown."""
    from ..hdf5 import folder_for, replacing
    from ..runs.ledger_page import page
    from ..runs.ledger_rows import write_ledger

    folder_for(out / "ledger.csv")
    print(write_ledger(out / "ledger.csv", rows))
    with replacing(out / "ledger.md") as part:
        part.write_text(page(rows), encoding="utf-8")
    print(out / "ledger.md")


def _figures(found: Reproduction, evidence: Any, out: Path, troubles: list[str]) -> list[Path]:
    """Draw the figures among the chosen items."""
    from ..errors import DendrosimError
    from ..plotting.paper import FIGURES, draw

    drawn = []
    for item in found.items:
        if item.name in FIGURES:
            try:
                figure = draw(item, evidence, note=_note(found, item.name))
            except DendrosimError as error:
                troubles.append(f"{item.name}: {error}")
                continue
            path = out / "figures" / f"{item.name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=200)
            from matplotlib.pyplot import close

            close(figure)
            drawn.append(path)
    return drawn


def _note(found: Reproduction, name: str) -> str:
    """What a preset shortens in the experiments of a figure."""
    from ..plotting.paper import NEEDS

    texts = {
        setting
        for experiment in NEEDS[name]
        for need in [found.needs[experiment]]
        for setting in (need.preset.settings if need.preset else ())
    }
    return f"preset {found.preset}: {', '.join(sorted(texts))}" if texts else ""


def _recorded(ledger: Ledger, options: argparse.Namespace) -> int:
    from ..runs.ledger_page import terminal
    from ..runs.ledger_rows import read_ledger
    from ..runs.shipped import recorded_ledger

    wanted = {item.name for item in ledger.chosen(options.names)}
    rows = [row for row in read_ledger(recorded_ledger()) if row.item in wanted]
    print(terminal(rows))
    if options.out:
        _write(rows, options.out.expanduser())
    return 0


def _list(found: Reproduction) -> int:
    for item in found.items:
        print(f"{item.name}: {item.paper}, {item.place}, {item.title} ({len(item.entries)} entries)")
    print(f"\nruns of preset {found.preset}:")
    for name, need in found.needs.items():
        print(f"{name}: {need.n_runs}")
    return 0
