"""A whole sweep: what is finished is kept, what fails is written down, the rest is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from ..errors import ParameterError, WorkersError
from .carry import carry_out
from .executors import workers_of
from .perform import FAILED, FINISHED, FOREIGN, NO_SPACE, Order, Outcome, in_a_line, no_space, now
from .store import Failure, Store
from .sweep import Point, Sweep
from .warm import kinds, warm_up


@dataclass(frozen=True)
class Tally:
    """What a sweep came to.

    Attributes
    ----------
    finished : int
        Runs that were trained now.
    kept : int
        Runs that were there.
    failed : int
        Runs that failed, now or before.
    left : int
        Runs that were not tried, because something ended the sweep.
    why : str
        What ended it; empty if nothing did.
    """

    finished: int
    kept: int
    failed: int
    left: int
    why: str = ""

    @property
    def total(self) -> int:
        """All runs of the sweep."""
        return self.finished + self.kept + self.failed + self.left


@dataclass(frozen=True)
class Step:
    """How far a sweep is.

    Attributes
    ----------
    finished, kept, failed, left : int
        As in `Tally`.
    kinds : int
        Kinds of computation that are compiled now; 0 once that is done.
    order : Order or None
        The run that ended just now.
    outcome : Outcome or None
        How it ended.
    """

    finished: int
    kept: int
    failed: int
    left: int
    kinds: int = 0
    order: Order | None = None
    outcome: Outcome | None = None


def conduct(
    sweep: Sweep,
    store: Store,
    *,
    executor: Executor,
    resume: bool = False,
    retry_failed: bool = False,
    threads: int | None = None,
    report: Callable[[Step], None] | None = None,
) -> Tally:
    """Train all runs of a sweep that are not finished.

    Kernels are compiled first, by one process per machine. A run that fails is recorded in the store with its
    traceback, and does not stop the others. A full disk does, and workers that are all gone; what was finished stays.

    Parameters
    ----------
    sweep : Sweep
    store : Store
        Others may write into it at the same time; runs that they train are not trained again here.
    executor : concurrent.futures.Executor
        Any; those of `dendrosim.runs.executors` also survive the death of their workers.
    resume : bool, default False
        Keep finished runs, and those that failed; go on with interrupted ones from their checkpoints.
    retry_failed : bool, default False
        Try those again that failed; as `resume` otherwise.
    threads : int, optional
        Of each run; by default those of the executor's workers, which is one.
    report : callable, optional
        Called with a `Step` at the beginning and after each run.

    Returns
    -------
    Tally

    Raises
    ------
    ParameterError
        If runs are in the way, or an arm is impossible; found before anything is trained.
    """
    finished, failures = store.finished(), store.failures()
    there = [point for point in sweep if point.identity in finished]
    before = {point.identity: failures[point.identity] for point in sweep if point.identity in failures}
    for one in finished & before.keys():  # somebody tried again, and was killed before taking note
        store.forget_failure(one)
        del before[one]
    if (there or before) and not (resume or retry_failed):
        raise ParameterError(
            f"{store.folder} holds {len(there)} of these {len(sweep)} runs already, and records of {len(before)} that "
            "failed; keep them and go on with --resume, or choose another folder with --out"
        )
    store.tidy()
    skipped = {} if retry_failed else before
    todo = [point for point in sweep if point.identity not in finished and point.identity not in skipped]
    crew = workers_of(executor)
    count = _Count(store, before, len(there), len(skipped), len(todo), report)
    threads = crew.threads if threads is None else threads
    try:
        if todo:
            tasters = kinds(_orders(sweep, store, todo, threads))
            count.report(kinds=len(tasters))
            warm_up(crew, tasters)
        count.report()
        for order, outcome in carry_out(_orders(sweep, store, todo, threads), crew):
            count.note(order, outcome)
    except WorkersError as error:
        count.why = str(error)
    except OSError as error:
        if not no_space(error):
            raise
        count.no_space(in_a_line(error))
    return count.tally()


def _orders(sweep: Sweep, store: Store, points: list[Point], threads: int | None) -> Iterator[Order]:
    for point in points:  # workers may have started in another folder than this process
        yield Order(sweep.name, point.job, store.path(point.identity).absolute(), point.identity, threads)


class _Count:
    """What became of runs so far."""

    def __init__(
        self,
        store: Store,
        before: Mapping[str, Failure],
        kept: int,
        failed: int,
        left: int,
        report: Callable[[Step], None] | None,
    ) -> None:
        self.store, self.before, self._report = store, before, report
        self.finished, self.kept, self.failed, self.left = 0, kept, failed, left
        self.why = ""

    def note(self, order: Order, outcome: Outcome) -> None:
        """Count an outcome, and write down a failure."""
        if outcome.status == NO_SPACE:
            self.no_space(f"{outcome.host}: {outcome.error}")
        elif outcome.status == FOREIGN:
            self.why = outcome.error
        elif outcome.status == FAILED:
            self.store.record_failure(self._failure(order, outcome))
            self.failed, self.left = self.failed + 1, self.left - 1
        else:
            if order.identity in self.before:
                self.store.forget_failure(order.identity)
            new = outcome.status == FINISHED
            self.finished, self.kept, self.left = self.finished + new, self.kept + (not new), self.left - 1
        self.report(order=order, outcome=outcome)

    def no_space(self, error: str) -> None:
        """The disk is full."""
        self.why = (
            f"no space is left for {self.store.folder} ({error}); what is finished is kept. Make room, and go "
            "on with --resume"
        )

    def _failure(self, order: Order, outcome: Outcome) -> Failure:
        earlier = self.before.get(order.identity)
        return Failure(
            identity=order.identity,
            arm=order.job.arm.name,
            seed=order.job.seed,
            error=outcome.error,
            traceback=outcome.traceback,
            attempts=1 + (earlier.attempts if earlier else 0),
            when=now(),
            host=outcome.host,
        )

    def report(self, kinds: int = 0, order: Order | None = None, outcome: Outcome | None = None) -> None:
        if self._report is not None:
            self._report(Step(self.finished, self.kept, self.failed, self.left, kinds, order, outcome))

    def tally(self) -> Tally:
        return Tally(self.finished, self.kept, self.failed, self.left, self.why)
