"""``dendrosim sweep``: any number of runs, by processes here or by a cluster, into a store."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checks import part, several
from .meter import SweepMeter
from .workers import add_workers, workers

if TYPE_CHECKING:
    from ..runs.conduct import Tally
    from ..runs.store import Store
    from ..runs.sweep import Sweep

_MOST_COMPARED = 1000
"""Arms of which a table is computed."""
_MOST_FAILURES = 20


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    sweep = commands.add_parser(
        "sweep",
        help="train many runs, by processes or a cluster, none twice; interrupted ones go on with --resume",
        description="Train every run that a sweep or experiment file asks for. Runs are kept in a store, by an "
        "identity made of their settings, seed, data and code, so that none is done twice, whoever does it. Runs that "
        "fail are recorded with their traceback and do not stop the others. After a kill at any point --resume goes "
        "on.",
    )
    sweep.add_argument("sweep", metavar="SWEEP", help="a .toml file, or the name of a shipped sweep or experiment")
    sweep.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings", help="such as training.epochs=3"
    )
    sweep.add_argument("--seeds", type=several, metavar="A-B", help="such as 0-4 or 0,2,5")
    sweep.add_argument("--arms", nargs="+", metavar="NAME", help="these arms alone")
    sweep.add_argument(
        "--part", type=part, metavar="I/N", help="the I-th of N parts, such as 3/16, for several clients with one store"
    )
    add_workers(sweep)
    sweep.add_argument("--out", type=Path, metavar="DIR", help="the store; default: SWEEP-sweep")
    sweep.add_argument("--resume", action="store_true", help="keep finished runs and failures, go on with the others")
    sweep.add_argument("--retry-failed", action="store_true", help="the same, but try again what failed")
    sweep.add_argument("--list", action="store_true", help="list all runs and what became of them, train nothing")
    sweep.add_argument("--check", action="store_true", help="read all runs of the store, report damage, train nothing")
    sweep.set_defaults(run=main)


def main(options: argparse.Namespace) -> int:
    """Run it; 1 if a run failed, or if something ended the sweep."""
    from ..runs.conduct import conduct
    from ..runs.store import Store
    from ..runs.sweep import Sweep

    sweep = Sweep.load(options.sweep, options.settings, options.seeds, options.arms)
    if options.part:
        sweep = sweep.part(*options.part)
    out = (options.out or Path(f"{sweep.name}-sweep")).expanduser()
    if options.check:
        return _check(out)
    if options.list:
        return _list(sweep, Store(out) if Store.there(out) else None)
    store, meter = Store(out), SweepMeter()
    if sweep.n_duplicates:
        print(f"{sweep.n_duplicates} runs were asked for more than once, under other names; each is done once")
    try:
        with workers(options) as executor:
            tally = conduct(
                sweep,
                store,
                executor=executor,
                resume=options.resume,
                retry_failed=options.retry_failed,
                threads=options.threads,
                report=meter,
            )
    finally:
        meter.close()
    try:
        _summarise(sweep, store)
    except OSError as error:  # where there is no room for runs, there is none for tables
        if not tally.why:
            raise
        print(f"dendrosim: error: the tables cannot be written: {error}", file=sys.stderr)
    return _end(sweep, store, tally)


def _list(sweep: Sweep, store: Store | None) -> int:
    if sweep.description:
        print(f"{sweep.description.strip()}\n")
    finished = store.finished() if store else set()
    failed = store.failures().keys() if store else set()
    for point in sweep:
        state = "finished" if point.identity in finished else "failed" if point.identity in failed else "to do"
        print(f"{point.identity}  {state:8}  {point.arm.name}, seed {point.seed}")
    again = f"; {sweep.n_duplicates} more are asked for under other names" if sweep.n_duplicates else ""
    print(f"{len(sweep)} runs{again}")
    return 0


def _check(folder: Path) -> int:
    from ..errors import ParameterError
    from ..runs.store import Store

    if not Store.there(folder):
        raise ParameterError(f"{folder} is no store of runs; say with --out which is to be checked")
    store = Store(folder)
    wrong = store.check()
    for what in wrong.values():
        print(f"dendrosim: error: {what}", file=sys.stderr)
    print(f"{len(store.finished())} runs read, {len(wrong)} damaged; what is deleted is run again with --resume")
    return 1 if wrong else 0


def _summarise(sweep: Sweep, store: Store) -> None:
    """Print the table, where it can be read, and write it and that of the runs."""
    from ..runs.csv_files import write_csv
    from ..runs.summary import Summary

    runs = store.runs(sweep)
    if not len(runs):
        return
    n = len({row.arm for row in runs.rows})
    print()
    if n > _MOST_COMPARED:
        table = runs.table
        names = table.dtype.names or ()
        rows = [[one[name] for name in names] for one in table]
        print(f"{n} arms are more than a table of means is made of")
        print(write_csv(store.folder / "runs.csv", list(names), rows))
        return
    summary = Summary(runs)
    print(summary)
    print()
    for path in summary.write(store.folder):
        print(path)


def _end(sweep: Sweep, store: Store, tally: Tally) -> int:
    """Say what became of all runs, and why some are missing."""
    left = f", {tally.left} left" if tally.left else ""
    print(f"\n{tally.finished} runs finished, {tally.kept} kept, {tally.failed} failed{left}")
    if tally.failed:
        failures = store.failures()
        mine = [failures[point.identity] for point in sweep if point.identity in failures]
        for one in mine[:_MOST_FAILURES]:
            print(f"dendrosim: error: {one.arm}, seed {one.seed}: {one.error}", file=sys.stderr)
        more = f"{len(mine) - _MOST_FAILURES} more; " if len(mine) > _MOST_FAILURES else ""
        print(
            f"dendrosim: error: {more}tracebacks are in {store.folder / 'failed'}; --retry-failed tries again",
            file=sys.stderr,
        )
    if tally.why:
        print(f"dendrosim: error: {tally.why}", file=sys.stderr)
    return 1 if tally.failed or tally.why else 0
