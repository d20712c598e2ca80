"""``dendrosim fidelity`` and ``dendrosim figures``: looking at stored runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .checks import positive


def add(commands: Any) -> None:
    """Add the commands to the parser's."""
    look = commands.add_parser(
        "fidelity",
        help="how close what trained networks are taught is to the exact gradient",
        description="Cosine, scale mismatch and relative L2 of the local gradient to the exact one, on samples of the "
        "training set, for a run or for all runs of a folder; written as fidelity.csv.",
    )
    look.add_argument("runs", metavar="RUN.h5|DIR", help="a run, or a folder with runs")
    look.add_argument("--teaching", metavar="NAME", help="default: what each run was trained with")
    look.add_argument("--rule", metavar="NAME", help="default: what each run was trained with")
    look.add_argument("--samples", type=positive, default=256, metavar="N", help="default: %(default)s")
    look.add_argument("--threads", type=positive, metavar="N", help="default: all processors")
    look.add_argument("--out", type=Path, metavar="DIR", help="default: where the runs are")
    look.set_defaults(run=show_fidelity)

    draw = commands.add_parser(
        "figures",
        help="draw stored runs: learning curves, accuracy by arm, paired differences, what a sweep varied, fidelity",
        description="Figures of a run, or of all runs of a folder, as far as there is something to draw.",
    )
    draw.add_argument("runs", metavar="RUN.h5|DIR", help="a run, or a folder with runs")
    draw.add_argument("--out", type=Path, metavar="DIR", help="default: where the runs are")
    draw.add_argument("--format", choices=("png", "pdf", "svg"), default="png", help="default: %(default)s")
    draw.set_defaults(run=draw_figures)


def show_fidelity(options: argparse.Namespace) -> int:
    """Print and write the fidelity of runs."""
    from ..runs import load
    from ..runs.fidelity import fidelity_of_runs, write

    arms = fidelity_of_runs(
        load(options.runs),
        samples=options.samples,
        teaching=options.teaching,
        rule=options.rule,
        threads=options.threads,
    )
    for arm in arms:
        print(arm)
        print()
    print(write(arms, folder_of(options.out, options.runs) / "fidelity.csv"))
    return 0


def draw_figures(options: argparse.Namespace) -> int:
    """Draw and list figures."""
    from ..plotting.runs import plot_runs
    from ..runs import load
    from ..runs.summary import Summary

    summary = Summary(load(options.runs))
    for path in plot_runs(summary, folder_of(options.out, options.runs), ending=options.format):
        print(path)
    return 0


def folder_of(out: Path | None, runs: str) -> Path:
    """Where to write: where somebody says, or where the runs are."""
    from ..hdf5 import folder_for

    where = Path(runs).expanduser()
    folder = (out.expanduser() if out else where if where.is_dir() else where.parent) or Path()
    folder_for(folder / "x")
    return Path(folder)
