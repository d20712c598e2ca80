"""What it costs to hand runs to workers, and what a second worker gains, beside processes that need no handing."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from timing import Progress, Table, load, n_processors

from dendrosim.runs.conduct import Step, conduct
from dendrosim.runs.executors import OnDask, Processes, Workers, dask, processes
from dendrosim.runs.perform import Order, perform
from dendrosim.runs.store import Store
from dendrosim.runs.sweep import Sweep
from dendrosim.runs.warm import kinds, warm

Crew = Callable[[int, Sweep], AbstractContextManager[Workers]]

RUNS = 60
"""Of about a second each."""


def run(quick: bool, progress: Progress) -> Table:
    """Time sweeps with one and two workers, by processes and by Dask."""
    table = Table("sweeps", f"Sweeps: {RUNS if not quick else RUNS // 5} runs of the shipped sweep_digits")
    sweep = Sweep.load("sweep_digits", seeds=list(range(5)), arms=["5F"])
    part = Sweep(sweep.name, sweep.description, sweep.points[: RUNS // 5 if quick else RUNS])
    crews: dict[str, Crew | None] = {"plain loops": None, "processes": _processes, "Dask": _dask}
    rates: dict[tuple[str, int], float] = {}
    for workers in (1, 2):
        for name, crew in crews.items():
            progress(f"sweeps: {name}, {workers}")
            try:
                wall, compute = _looped(part, workers) if crew is None else _timed(part, crew, workers)
            except ImportError:
                table.notes.append("Dask distributed is not installed (extra cluster)")
                continue
            rate = rates[name, workers] = len(part) / wall
            table.add(
                executor=name,
                workers=workers,
                **{
                    "wall, s": wall,
                    "a run, s": compute / len(part),
                    "overhead, %": 100 * (1 - compute / (workers * wall)),
                    "runs per s": rate,
                    "of one worker": rate / rates[name, 1],
                    "of plain loops": rate / rates["plain loops", workers],
                },
            )
    table.notes += [
        "overhead: 1 - seconds inside runs / (workers x wall), from the first run to the end of the last, with workers "
        "started and kernels loaded; it includes the wait for the last run",
        "plain loops: as many processes, each doing its share one run after the other, with nobody in between: what "
        "the machine itself gives to a second process",
        f"{n_processors()} processors; {load()}",
    ]
    return table


def _timed(sweep: Sweep, crew: Crew, workers: int) -> tuple[float, float]:
    """Seconds from the first run to the last, and the sum of those inside runs."""
    seconds: list[float] = []
    moments: list[float] = []

    def note(step: Step) -> None:
        if not step.kinds:
            moments.append(time.perf_counter())
        if step.outcome is not None:
            seconds.append(step.outcome.seconds)

    with tempfile.TemporaryDirectory() as folder, crew(workers, sweep) as executor:
        conduct(sweep, Store(Path(folder) / "store"), executor=executor, report=note)
    return moments[-1] - moments[0], sum(seconds)


def _looped(sweep: Sweep, workers: int) -> tuple[float, float]:
    """The same as `_timed`, of processes that each have their share from the beginning."""
    context = multiprocessing.get_context("spawn")
    ready, go, seconds = context.Semaphore(0), context.Event(), context.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        orders = [Order(sweep.name, one.job, store.path(one.identity), one.identity, 1) for one in sweep]
        loops = [
            context.Process(target=_loop, args=(orders[i::workers], ready, go, seconds), daemon=True)
            for i in range(workers)
        ]
        for loop in loops:
            loop.start()
        for _ in loops:
            ready.acquire()
        began = time.perf_counter()
        go.set()
        compute = sum(seconds.get() for _ in loops)
        return time.perf_counter() - began, compute


def _loop(orders: list[Order], ready: Any, go: Any, seconds: Any) -> None:
    warm(kinds(orders))
    ready.release()
    go.wait()
    seconds.put(sum(perform(order).seconds for order in orders))


def _orders(sweep: Sweep) -> list[Order]:
    return kinds(Order(sweep.name, point.job, Path("none"), point.identity, 1) for point in sweep)


@contextmanager
def _processes(workers: int, sweep: Sweep) -> Iterator[Processes]:
    with processes(workers) as crew:
        wait([crew.submit(warm, _orders(sweep)) for _ in range(workers)])
        yield crew


@contextmanager
def _dask(workers: int, sweep: Sweep) -> Iterator[OnDask]:
    from distributed import LocalCluster

    with ExitStack() as stack:
        cluster = stack.enter_context(LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0"))
        crew = stack.enter_context(dask(cluster.scheduler_address))
        crew.client.run(warm, _orders(sweep))
        yield crew
