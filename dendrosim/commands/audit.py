"""``dendrosim audit``: the evaluation protocol on stored runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checks import natural, positive

if TYPE_CHECKING:
    from ..runs.audited import AuditedRun, AuditedRuns

FAILED = 3
"""Exit status with --check where a run fails; 1 and 2 are errors."""


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    audit = commands.add_parser(
        "audit",
        help="does the credit train the depth? the evaluation protocol on trained networks",
        description="Scale stability, reference validity and depth utility of runs, each against the frozen baseline "
        "among them (teaching frozen or decoder_only) that has its data, network and seed. Prints a table, writes "
        "audit.csv, audit_layers.csv, audit_history.csv, figures, and audit.html with all of it. The exit status is 0 "
        f"whatever the verdicts are, or {FAILED} with --check where a run fails.",
    )
    audit.add_argument("runs", nargs="+", metavar="RUN.h5|DIR", help="runs, or folders with runs")
    audit.add_argument("--frozen", type=float, metavar="ACC", help="accuracy of the frozen baseline, for all runs")
    audit.add_argument("--exact", type=float, metavar="ACC", help="accuracy of backpropagation, for all runs")
    audit.add_argument("--samples", type=positive, default=1024, metavar="N", help="for layers; default: %(default)s")
    limits = audit.add_argument_group("thresholds")
    limits.add_argument("--growth", type=float, metavar="X", help="of D1: rho above is flagged; default: 50")
    limits.add_argument(
        "--reference", type=float, metavar="X", help="of D2: |g_L| below X epsilons is flagged; default: 10"
    )
    limits.add_argument("--depth", type=float, metavar="X", help="of D3: a gap below is flagged; default: 0.02")
    limits.add_argument("--cosine-epsilon", type=float, metavar="X", help="floor of the cosine; default: 1e-8")
    audit.add_argument("--no-nudges", action="store_true", help="leave out the test by nudges")
    audit.add_argument(
        "--null", type=natural, default=20, metavar="N", help="draws of fresh feedback; 0: none; default: %(default)s"
    )
    audit.add_argument("--check", action="store_true", help=f"exit status {FAILED} where a run fails")
    audit.add_argument("--out", type=Path, metavar="DIR", help="default: where the first runs are")
    audit.add_argument("--format", choices=("png", "pdf", "svg"), default="png", help="default: %(default)s")
    audit.add_argument("--threads", type=positive, metavar="N", help="default: all processors")
    audit.set_defaults(run=main)


def main(options: argparse.Namespace) -> int:
    """Print the verdicts, write tables and figures."""
    from ..diagnostics.evaluation_verdict import Thresholds
    from ..runs import load
    from ..runs.audit import audit_runs
    from .results import folder_of

    given = {name: getattr(options, name) for name in ("growth", "reference", "depth", "cosine_epsilon")}
    thresholds = Thresholds(**{name: value for name, value in given.items() if value is not None})
    runs = load(*options.runs)
    out = folder_of(options.out, options.runs[0])
    audited = audit_runs(
        runs,
        frozen=options.frozen,
        exact=options.exact,
        samples=options.samples,
        thresholds=thresholds,
        nudges=not options.no_nudges,
        null=options.null,
        threads=options.threads,
        progress=_report if sys.stderr.isatty() else None,
    )
    print(audited)
    print()
    for path in (*audited.write(out), *_pictures(audited, out, options.format)):
        print(path)
    return FAILED if options.check and audited.failed else 0


def _pictures(audited: AuditedRuns, out: Path, ending: str) -> Iterator[Path]:
    """Write figures, and the page with all of them."""
    import matplotlib.pyplot as plt

    from ..plotting.audit_page import write_page
    from ..plotting.embedded import Illustration
    from ..plotting.evaluation_files import draw_audit

    drawn = []
    try:
        for one in draw_audit(audited):
            drawn.append(one)
            yield one.save(out, ending)
        shown = [Illustration(one.figure, one.caption, one.alt) for one in drawn]
        yield write_page(audited, shown, out / "audit.html")
    finally:
        for one in drawn:
            plt.close(one.figure)


def _report(one: AuditedRun, done: int, total: int) -> None:
    """A line per run, on a terminal."""
    said = str(one.audit.verdict) if one.audit else "not audited"
    print(f"[{done}/{total}] {one.arm}, seed {one.seed}: {said}, {one.seconds:.2g} s", file=sys.stderr, flush=True)
