"""Run the jobs of an experiment, here or in several processes; finished ones are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from ..errors import ParameterError
from ..hdf5 import folder_for
from ..training.checkpoint import differences
from ..training.config import plain
from ..training.run import Run
from .carry import carry_out
from .collection import Runs
from .executors import Here, processes
from .experiment import Experiment, Job
from .perform import FAILED, NO_SPACE, Order, Outcome, rehearse
from .warm import kinds, warm_up


@dataclass(frozen=True)
class Done:
    """A job that ended.

    Attributes
    ----------
    job : Job
    run : Run or None
        Without its network; None if it failed.
    error : str
        Why it failed.
    kept : bool
        Whether it was finished before.
    """

    job: Job
    run: Run | None
    error: str = ""
    kept: bool = False


def run_experiment(
    experiment: Experiment,
    out: Path,
    *,
    seeds: Sequence[int] | None = None,
    arms: Sequence[str] | None = None,
    resume: bool = False,
    workers: int = 1,
    threads: int | None = None,
    progress: bool | None = None,
    report: Callable[[Done, int, int], None] | None = None,
) -> list[Done]:
    """Train every arm with every seed, and save the runs below a folder as they finish.

    A failure ends one job, not the others.

    Parameters
    ----------
    experiment : Experiment
    out : Path
        Gets one folder per arm with one file per seed.
    seeds, arms : optional
        As for `Experiment.jobs`.
    resume : bool, default False
        Keep finished runs, go on from checkpoints.
    workers : int, default 1
        Processes. With more than one, each takes a single thread unless `threads` says otherwise.
    threads : int, optional
        Per process.
    progress : bool, optional
        Progress bar of each training; by default on a terminal and with one process.
    report : callable, optional
        Called after each job with it, the number of jobs done and that of all.

    Returns
    -------
    list of Done
        In the order of the jobs.

    Raises
    ------
    ParameterError
        If runs are in the way, or an arm is impossible; found before anything is trained.
    """
    jobs = experiment.jobs(seeds=seeds, arms=arms)
    kept = _kept(experiment, jobs, out, resume)
    folder_for(out / "x")
    todo = [job for job in jobs if job.file not in kept]
    rehearse(todo)
    done: dict[str, Done] = {}

    def note(one: Done) -> None:
        done[one.job.file] = one
        if report is not None:
            report(one, len(done), len(jobs))

    for job in jobs:
        if job.file in kept:
            note(Done(job, kept[job.file], kept=True))
    alone = workers <= 1 or len(todo) <= 1
    with nullcontext(Here()) if alone else processes(min(workers, len(todo)), threads or 1) as crew:
        bound, shown = (threads, progress) if alone else (threads or 1, False)
        orders = [Order(experiment.name, job, out / job.file, threads=bound, progress=shown) for job in todo]
        if not alone:
            warm_up(crew, kinds(orders))
        for order, outcome in carry_out(orders, crew):
            note(_done(order, outcome))
    return [done[job.file] for job in jobs]


def _done(order: Order, outcome: Outcome) -> Done:
    if outcome.status == NO_SPACE:
        raise OSError(f"{outcome.error}; what is finished is kept: make room, and go on with --resume")
    if outcome.status == FAILED:
        return Done(order.job, None, outcome.error)
    return Done(order.job, Run.load(order.path, network=False))


def _kept(experiment: Experiment, jobs: Sequence[Job], out: Path, resume: bool) -> dict[str, Run]:
    """Finished runs of these jobs."""
    there = [job for job in jobs if (out / job.file).exists()]
    if there and not resume:
        raise ParameterError(
            f"{out} holds {len(there)} of these {len(jobs)} runs already; keep them with --resume, or choose another "
            "folder with --out"
        )
    kept = {}
    for job in there:
        run = Run.load(out / job.file, network=False)
        now = plain(job.arm.settings)
        found = differences(run.config.get("experiment", {}).get("settings", {}), json.loads(json.dumps(now)))
        if found:
            raise ParameterError(
                f"{out / job.file} was run with other settings: {'; '.join(found[:3])}; choose another folder with "
                "--out, or delete it"
            )
        kept[job.file] = run
    return kept


def runs_of(done: Sequence[Done]) -> Runs:
    """Runs of the jobs that did not fail."""
    return Runs(one.run for one in done if one.run is not None)
