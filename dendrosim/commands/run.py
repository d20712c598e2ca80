"""``dendrosim run``: an experiment file, all of its arms and seeds."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checks import natural, positive, several
from .meter import duration

if TYPE_CHECKING:
    from ..runs.execute import Done
    from ..runs.experiment import Experiment


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    run = commands.add_parser(
        "run",
        help="train what an experiment file says, all arms and seeds; a table and one file per run",
        description="Train every arm of an experiment with every seed. Each run becomes one HDF5 file; the table of "
        "means, intervals and paired differences is printed and written as summary.csv.",
    )
    run.add_argument("experiment", metavar="EXPERIMENT", help="a .toml file, or the name of a shipped experiment")
    run.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings", help="such as training.epochs=3"
    )
    seeds = run.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=natural, metavar="N", help="this seed alone")
    seeds.add_argument("--seeds", type=several, metavar="A-B", help="such as 0-4 or 0,2,5")
    run.add_argument("--arms", nargs="+", metavar="NAME", help="these arms alone")
    run.add_argument("--out", type=Path, metavar="DIR", help="default: EXPERIMENT-runs")
    run.add_argument("--resume", action="store_true", help="keep finished runs, go on with interrupted ones")
    run.add_argument("--workers", type=positive, default=1, metavar="N", help="processes; default: %(default)s")
    run.add_argument("--threads", type=positive, metavar="N", help="per process; default: all, or 1 with workers")
    run.add_argument("--list", action="store_true", help="check the file, list its arms and seeds, train nothing")
    run.set_defaults(run=main)


def main(options: argparse.Namespace) -> int:
    """Run it; 1 if a training failed."""
    from ..runs.execute import run_experiment, runs_of
    from ..runs.experiment import Experiment
    from ..runs.summary import Summary

    experiment = Experiment.load(options.experiment, settings=options.settings)
    seeds = [options.seed] if options.seed is not None else options.seeds
    if options.list:
        return _list(experiment, seeds, options.arms)
    out = (options.out or Path(f"{experiment.name}-runs")).expanduser()
    done = run_experiment(
        experiment,
        out,
        seeds=seeds,
        arms=options.arms,
        resume=options.resume,
        workers=options.workers,
        threads=options.threads,
        report=_Report(),
    )
    runs = runs_of(done)
    if len(runs):
        summary = Summary(runs)
        print()
        print(summary)
        print()
        for path in summary.write(out):
            print(path)
    failed = [one for one in done if one.run is None]
    for one in failed:
        print(f"dendrosim: error: {one.job.arm.name}, seed {one.job.seed}: {one.error}", file=sys.stderr)
    return 1 if failed else 0


def _list(experiment: Experiment, seeds: list[int] | None, arms: list[str] | None) -> int:
    jobs = experiment.jobs(seeds=seeds, arms=arms)
    if experiment.description:
        print(experiment.description.strip())
        print()
    seeds_of: dict[int, list[int]] = {}
    for job in jobs:
        seeds_of.setdefault(job.arm.number, []).append(job.seed)
    for number, own in seeds_of.items():
        arm = experiment.arms[number]
        values = f" ({arm.values})" if arm.values else ""
        print(f"{arm.name}{values}: {len(own)} runs, seeds {', '.join(map(str, own))}")
    return 0


class _Report:
    """A line per finished run, with how long the others may take."""

    def __init__(self) -> None:
        self.began, self.here = time.monotonic(), 0

    def __call__(self, one: Done, done: int, total: int) -> None:
        name = f"{one.job.arm.name}, seed {one.job.seed}"
        if one.run is None:
            text = f"{name}: failed: {one.error}"
        else:
            text = f"{name}: test {one.run.test_accuracy:.4f}, {one.run.epochs} epochs in {one.run.seconds:.3g} s"
        if one.kept:
            text += ", kept"
        else:
            self.here += 1
        left = (time.monotonic() - self.began) / max(self.here, 1) * (total - done)
        rest = f", about {duration(left)} left" if self.here and done < total else ""
        print(f"[{done}/{total}] {text}{rest}", flush=True)
