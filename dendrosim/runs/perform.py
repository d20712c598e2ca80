"""One training from its settings to its file: what every worker does, wherever it is."""

from __future__ import annotations

import errno
import socket
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from ..errors import DendrosimError, ParameterError
from ..hdf5 import folder_for
from ..kernels.parallel import at_most
from ..tasks.task import Task
from ..training.config import plain
from ..training.train import train
from .build import network_of, task_of, training_of
from .claim import claimed
from .experiment import Job
from .identity import code_version, configuration, identity

FINISHED, KEPT, FAILED, BUSY = "finished", "kept", "failed", "busy"
NO_SPACE, FOREIGN = "no space", "foreign"
"""How a job can end. The last two say nothing about the run: the machine has no room for it, or would compute another
one."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class ForeignError(DendrosimError, RuntimeError):
    """This machine would compute another run than the one that was asked for."""


@dataclass(frozen=True)
class Order:
    """A training that is wanted, and where its run belongs.

    Attributes
    ----------
    experiment : str
        Name, for the record.
    job : Job
    path : Path
        Of the run's file; a checkpoint lies beside it while it is trained.
    identity : str
        What the run has to be; empty if it has none.
    threads : int or None
        All that it may use; None for what the settings say, or all processors.
    progress : bool or None
        Whether to show a progress bar; None for on a terminal only.
    """

    experiment: str
    job: Job
    path: Path
    identity: str = ""
    threads: int | None = None
    progress: bool | None = False

    @property
    def checkpoint(self) -> Path:
        """The file of its checkpoint."""
        return self.path.with_suffix(".checkpoint.h5")


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes
    ----------
    status : str
        ``"finished"``, ``"kept"`` (the file was there), ``"failed"``, ``"busy"`` (another process trains it),
        ``"no space"`` or ``"foreign"``.
    error : str
        Why it failed, in a line.
    traceback : str
        Where.
    seconds : float
        How long it took, s.
    host : str
        The machine.
    """

    status: str
    error: str = ""
    traceback: str = ""
    seconds: float = 0.0
    host: str = ""


def perform(order: Order) -> Outcome:
    """Train one job and save its run, whole or not at all; go on from its checkpoint if there is one.

    Parameters
    ----------
    order : Order

    Returns
    -------
    Outcome
        Whatever the training raised; Ctrl-C alone passes through.
    """
    began, status, error, trace = time.perf_counter(), FINISHED, "", ""
    try:
        status = _perform(order)
    except Exception as reason:
        status = NO_SPACE if no_space(reason) else FOREIGN if isinstance(reason, ForeignError) else FAILED
        error = in_a_line(reason)
        trace = "".join(traceback.format_exception(reason))
    return Outcome(status, error, trace, time.perf_counter() - began, socket.gethostname())


def _perform(order: Order) -> str:
    folder_for(order.path)
    with claimed(order.path) as mine:
        if order.path.exists():
            order.checkpoint.unlink(missing_ok=True)
            return KEPT
        if not mine:
            return BUSY
        with at_most(order.threads):
            _train(order)
    return FINISHED


def _train(order: Order) -> None:
    job = order.job
    settings, arm = job.arm.settings, job.arm
    task = task_of(settings["task"])
    if order.identity:
        see_that_it_is(order, task)
    options = training_of(settings)
    if order.threads is not None:
        options["threads"] = order.threads
    run = train(
        network_of(settings["network"], task, job.seed),
        task,
        **options,
        seed=job.seed,
        checkpoint=order.checkpoint,
        resume=True,
        progress=order.progress,
    )
    record = {
        "name": order.experiment,
        "arm": arm.name,
        "number": arm.number,
        "own": arm.own,
        "factors": arm.factors,
        "ways": arm.ways,
        "settings": settings,
        "code": code_version(),
        "finished": now(),
        "host": socket.gethostname(),
    }
    if order.identity:
        record |= {"identity": order.identity, "configuration": configuration(settings, job.seed, task.hash)}
    run.config["experiment"] = plain(record)
    run.save(order.path)
    order.checkpoint.unlink(missing_ok=True)


def see_that_it_is(order: Order, task: Task) -> None:
    """See that this machine has the code and the data that an identity was made of.

    Raises
    ------
    ForeignError
        If not.
    """
    if identity(order.job.arm.settings, order.job.seed, task.hash) != order.identity:
        raise ForeignError(
            f"{socket.gethostname()} would compute another run: it has dendrosim {code_version()}, and of "
            f"{task.name!r} data with SHA-256 {task.hash[:12]}...; give all machines the same version and the same data"
        )


def now() -> str:
    """The time, UTC, as in ``2026-11-21T16:00:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def in_a_line(error: BaseException) -> str:
    """What an error says; with its kind where that is not one of ours, whose messages need none."""
    text = " ".join(str(error).split())
    if isinstance(error, DendrosimError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def no_space(error: BaseException | None) -> bool:
    """Whether an error comes from a full disk, or from a quota that is used up."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            return True
        error = error.__cause__ or error.__context__
    return False


def rehearse(jobs: list[Job]) -> None:
    """Build every arm once, so that what is impossible is found before hours of training.

    Raises
    ------
    ParameterError
        Names the arm.
    """
    from ..training.kinds import kind_of

    for arm, seed in {job.arm.number: (job.arm, job.seed) for job in jobs}.values():
        try:
            task = task_of(arm.settings["task"])
            network = network_of(arm.settings["network"], task, seed)
            options = training_of(arm.settings)
            known = ("teaching", "rule", "loss", "optimiser", "rates", "decay", "decoder", "clip_value", "clip_norm")
            kind_of(network).learner(network, **{k: v for k, v in options.items() if k in known})
        except ParameterError as error:
            raise ParameterError(f"arm {arm.name!r}: {error}") from error
