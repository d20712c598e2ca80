"""Run the jobs of an experiment, here or in several processes; finished ones are kept."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DendrosimError, ParameterError
from ..hdf5 import folder_for
from ..training.checkpoint import differences
from ..training.config import plain
from ..training.kinds import kind_of
from ..training.run import Run
from ..training.train import train
from .build import network_of, task_of, training_of
from .collection import Runs
from .experiment import Experiment, Job

_MOMENT = 5.0
"""Seconds that interrupted workers have."""
_STOP: list[Any] = []
_BLAS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


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
    _rehearse(todo)
    done: dict[str, Done] = {}

    def note(one: Done) -> None:
        done[one.job.file] = one
        if report is not None:
            report(one, len(done), len(jobs))

    for job in jobs:
        if job.file in kept:
            note(Done(job, kept[job.file], kept=True))
    if workers <= 1 or len(todo) <= 1:
        for job in todo:
            note(_run(experiment.name, job, out, threads, progress))
    else:
        with _pool(min(workers, len(todo))) as pool:
            futures = [pool.submit(_work, experiment.name, job, out, threads or 1) for job in todo]
            for future in as_completed(futures):
                note(future.result())
    return [done[job.file] for job in jobs]


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes whose matrix products take one thread each.

    When something goes wrong here, or Ctrl-C is pressed, they start nothing more, and have a moment to write their
    checkpoints before they are ended.
    """
    context = multiprocessing.get_context("spawn")
    before, others = {name: os.environ.get(name) for name in _BLAS}, multiprocessing.active_children()
    stop = context.Event()
    os.environ.update(dict.fromkeys(_BLAS, "1"))
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_keep, initargs=(stop,))
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        patience = time.monotonic() + _MOMENT
        while time.monotonic() < patience and _since(others):
            time.sleep(0.05)
        for child in _since(others):
            child.terminate()
        raise
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _since(others: Sequence[Any]) -> list[Any]:
    """Child processes that came after `others`."""
    return [child for child in multiprocessing.active_children() if child not in others]


def _keep(stop: Any) -> None:
    """In a new worker: remember what says that nothing more is to be started."""
    _STOP.append(stop)


def _work(experiment: str, job: Job, out: Path, threads: int) -> Done:
    """A job in a worker."""
    if any(stop.is_set() for stop in _STOP):
        return Done(job, None, "interrupted")
    return _run(experiment, job, out, threads, False)


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


def _rehearse(jobs: Sequence[Job]) -> None:
    """Build every arm once, so that what is impossible is found before hours of training."""
    for arm, seed in {job.arm.number: (job.arm, job.seed) for job in jobs}.values():
        try:
            task = task_of(arm.settings["task"])
            network = network_of(arm.settings["network"], task, seed)
            options = training_of(arm.settings)
            known = ("teaching", "rule", "loss", "optimiser", "rates", "decay", "decoder", "clip_value", "clip_norm")
            kind_of(network).learner(network, **{k: v for k, v in options.items() if k in known})
        except ParameterError as error:
            raise ParameterError(f"arm {arm.name!r}: {error}") from error


def _run(experiment: str, job: Job, out: Path, threads: int | None, progress: bool | None) -> Done:
    """Train one job and save its run; a checkpoint lies beside it until then."""
    settings, arm = job.arm.settings, job.arm
    path = out / job.file
    checkpoint = path.with_suffix(".checkpoint.h5")
    try:
        task = task_of(settings["task"])
        options = training_of(settings)
        if threads is not None:
            options["threads"] = threads
        run = train(
            network_of(settings["network"], task, job.seed),
            task,
            **options,
            seed=job.seed,
            checkpoint=checkpoint,
            resume=True,
            progress=progress,
        )
    except DendrosimError as error:
        return Done(job, None, str(error))
    run.config["experiment"] = plain(
        {
            "name": experiment,
            "arm": arm.name,
            "number": arm.number,
            "own": arm.own,
            "factors": arm.factors,
            "settings": settings,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
    )
    run.save(path)
    checkpoint.unlink(missing_ok=True)
    run.trained = None
    return Done(job, run)


def runs_of(done: Sequence[Done]) -> Runs:
    """Runs of the jobs that did not fail."""
    return Runs(one.run for one in done if one.run is not None)
