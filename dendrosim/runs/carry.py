"""Orders carried out by workers: never more at once than they need, and again when a worker was lost."""

from __future__ import annotations

import queue
import time
import traceback
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path

from .executors import MOST_DEATHS, workers_of
from .perform import BUSY, FAILED, FOREIGN, NO_SPACE, Order, Outcome, in_a_line, perform

_GLANCE = 1.0
"""Seconds after which one looks whether the workers are still there, and asks again for what another has claimed."""


def carry_out(orders: Iterable[Order], executor: Executor) -> Iterator[tuple[Order, Outcome]]:
    """Orders with their outcomes, as they come.

    A worker that dies ends one attempt; a job over which three died is given up as a failure. Once there is no space,
    or a machine would compute something else, nothing more is submitted; what is still running is waited for.

    Parameters
    ----------
    orders : iterable of Order
        Read as workers come free.
    executor : concurrent.futures.Executor
        Anything that is one.

    Yields
    ------
    Order
    Outcome

    Raises
    ------
    WorkersError
        If there are no workers any more.
    """
    crew = workers_of(executor)
    new, again, later = iter(orders), deque[Order](), deque[tuple[float, Order]]()
    flying: dict[Future[Outcome], Order] = {}
    landed: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
    deaths: Counter[Path] = Counter()
    stopped = False

    def following() -> Order | None:
        if again:
            return again.popleft()
        if later and later[0][0] <= time.monotonic():
            return later.popleft()[1]
        return next(new, None)

    try:
        while True:
            while not stopped and len(flying) < crew.window and (order := following()) is not None:
                future = crew.submit(perform, order)
                flying[future] = order
                future.add_done_callback(landed.put)
            if not flying and (stopped or not later):
                return
            try:
                future = landed.get(timeout=_GLANCE)
            except queue.Empty:
                crew.check()
                continue
            order = flying.pop(future)
            try:
                outcome = future.result()
            except Exception as error:
                died = crew.deaths(error)
                if died is None:
                    outcome = Outcome(FAILED, in_a_line(error), "".join(traceback.format_exception(error)))
                else:
                    if not stopped:
                        crew.check()
                        deaths[order.path] += died
                    if deaths[order.path] < MOST_DEATHS:
                        again.append(order)
                        continue
                    outcome = Outcome(FAILED, f"the process that ran it died, {MOST_DEATHS} times: {in_a_line(error)}")
            if outcome.status == BUSY:
                later.append((time.monotonic() + _GLANCE, order))
                continue
            if outcome.status in (NO_SPACE, FOREIGN):
                stopped = True
                for waiting in flying:
                    waiting.cancel()
            yield order, outcome
    finally:
        for waiting in list(flying):
            waiting.cancel()
