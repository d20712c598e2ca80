"""What a large sweep costs besides its runs, measured here: scheduler, client, files, listings, index, definition.

Writes ``results/cluster_measured.csv``, which ``cluster_simulation.py`` extrapolates. Times of computing are processor
time of the process in question, divided by how much slower than at its best a loop of additions is at that time: so
they are times of an undisturbed core of this machine, whatever else runs on it. Times of the disk are elapsed. Needs
Dask distributed::

    python experiments/cluster_measure.py [--folder DIR]
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dendrosim.hdf5 import read_hdf5, replacing
from dendrosim.runs import Store
from dendrosim.runs.carry import carry_out
from dendrosim.runs.executors import dask
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.index import Entry, _read, _write
from dendrosim.runs.perform import Order, perform
from dendrosim.runs.rows import Row
from dendrosim.runs.sweep import Sweep

HERE = Path(__file__).resolve().parent
WORKERS = (8, 64)
TASKS = 2000
ROWS = (1_000, 10_000, 100_000)
SMALL = ("training.epochs=1", "task.subset.n_train=200")

CROWD = """
import asyncio, sys
from distributed import Worker
from dendrosim.runs import perform

perform.perform = lambda order: perform.Outcome("finished")

async def main():
    address, count, folder = sys.argv[1:]
    workers = [Worker(address, nthreads=1, dashboard=False, local_directory=folder) for _ in range(int(count))]
    for worker in workers:
        await worker
    await asyncio.Event().wait()

asyncio.run(main())
"""
"""Workers that do nothing, many in one process: for the scheduler they are as many as in many processes."""


def pace(seconds: float = 0.5) -> float:
    """Processor time of an addition in a loop, s, over so many seconds."""
    began, rounds = time.process_time(), 0
    while time.process_time() - began < seconds:
        additions()
        rounds += 1
    return (time.process_time() - began) / rounds / 10_000


def best() -> float:
    """The shortest that an addition ever took, s."""
    found = []
    for _ in range(3_000):
        began = time.perf_counter()
        additions()
        found.append(time.perf_counter() - began)
    return min(found) / 10_000


def additions() -> int:
    """Ten thousand of them."""
    total = 0
    for i in range(10_000):
        total += i
    return total


class Table:
    """Rows of the results, printed as they come."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, float, str, str]] = []
        self.best = best()

    def add(self, what: str, size: float, value: float, unit: str, how: str) -> None:
        """Note a number; `size` is that of what it was measured on."""
        self.rows.append((what, size, value, unit, how))
        print(f"{what:<24}{size:>10g}{value:>14.4g} {unit:<8} {how}", flush=True)

    @staticmethod
    def note(slow: float) -> str:
        """How much a time was corrected."""
        return f"; measured {slow:.2g} times as much, as the machine was that much slower than at its best"

    def write(self, path: Path) -> None:
        """All of it, as CSV."""
        with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("what", "size", "value", "unit", "how"))
            writer.writerows(
                (what, f"{size:g}", f"{value:.4g}", unit, how) for what, size, value, unit, how in self.rows
            )


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[str]:
    """A scheduler in a process of its own, and workers in another; gives the scheduler's address."""
    where = folder / f"scheduler-{workers}.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard"]
    started = [subprocess.Popen([*command, "--scheduler-file", str(where)], stderr=subprocess.DEVNULL)]
    try:
        while not where.exists() or not where.read_text():
            time.sleep(0.1)
        import json

        address = json.loads(where.read_text())["address"]
        crowd = [sys.executable, "-c", CROWD, address, str(workers), str(folder)]
        started.append(subprocess.Popen(crowd, stderr=subprocess.DEVNULL))
        yield str(where)
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def small_run(table: Table, folder: Path) -> Order:
    """A run of a small network, in a store, and the order for it."""
    point = Sweep.of(Experiment.load("digits", settings=SMALL)).points[0]
    store = Store(folder / "store")
    done = store.path(point.identity)
    assert perform(Order("measure", point.job, done, point.identity)).status == "finished"
    table.add("file", 1, done.stat().st_size, "byte", "run of the experiment digits, 40 cells")
    return Order("measure", point.job, done, point.identity, threads=1)


def scheduler(table: Table, folder: Path, order: Order) -> None:
    """Processor time of scheduler and client per job: all of the messages, none of the work."""
    for n in WORKERS:
        with cluster(n, folder) as address, dask(address) as crew:
            crew.client.wait_for_workers(n, timeout=300)
            list(carry_out([order] * 2 * n, crew))  # everything is imported

            def there(function: Callable[[], float], crew: Any = crew) -> float:
                return float(crew.client.run_on_scheduler(function))

            before, began = there(time.process_time), time.perf_counter()
            time.sleep(15)
            idle = (there(time.process_time) - before) / (time.perf_counter() - began)
            slow = [pace(), there(pace)]
            before, mine, began = there(time.process_time), time.process_time(), time.perf_counter()
            outcomes = [outcome for _, outcome in carry_out([order] * TASKS, crew)]
            mine, took = time.process_time() - mine, time.perf_counter() - began
            theirs = there(time.process_time) - before - idle * took
            slow = [(slow[0] + pace()) / 2 / table.best, (slow[1] + there(pace)) / 2 / table.best]
            table.add("idle", n, idle / slow[1], "1", "share of a core that an idle scheduler takes")
            how = "processor time per job, without idling" + table.note(slow[1])
            table.add("scheduler", n, theirs / TASKS / slow[1], "s", how)
            table.add("client", n, mine / TASKS / slow[0], "s", "processor time per job" + table.note(slow[0]))
            table.add("rate", n, TASKS / took, "1/s", "jobs, elapsed, all on this machine beside other work")
            assert {outcome.status for outcome in outcomes} == {"finished"}


def files(table: Table, folder: Path) -> None:
    """Files of 20 kB, as runs are written, and as they would be without waiting for the disk."""
    content = np.random.default_rng(0).bytes(20_000)

    def flushed(path: Path) -> None:
        with replacing(path) as part:
            part.write_bytes(content)

    def plain(path: Path) -> None:
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.rename(path)

    for what, write, count in (("write", flushed, 2_000), ("write unflushed", plain, 10_000)):
        where = folder / what.replace(" ", "-")
        where.mkdir()
        seconds = elapsed(lambda i, where=where, write=write: write(where / f"{i}.h5"), count)
        table.add(what, count, seconds, "s", "per file of 20 kB")
        shutil.rmtree(where)


def index(table: Table, folder: Path) -> None:
    """Listing, stat and index, with and without what is known already."""
    rng = np.random.default_rng(0)
    for n in ROWS:
        store = Store(folder / f"index-{n}")
        identities = [rng.bytes(16).hex() for _ in range(n)]
        for shard in {identity[:2] for identity in identities}:
            (store.folder / "runs" / shard).mkdir(parents=True, exist_ok=True)
        for identity in identities:
            store.path(identity).touch()
        timed(table, "list", n, store.finished)
        sizes = timed(table, "stat", n, lambda store=store: dict(store._sizes()))
        entries = {
            identity: Entry(file.st_size, file.st_mtime_ns, row(rng, i))
            for i, (identity, file) in enumerate(sizes.items())
        }
        path = store.folder / "index.h5"
        timed(table, "index write", n, lambda path=path, entries=entries: _write(path, entries))
        table.add("index", n, path.stat().st_size / n, "byte", "per run")
        assert timed(table, "index read", n, lambda path=path: _read(path)) == entries
        runs = timed(table, "open", n, store.runs)
        assert timed(table, "table", n, lambda runs=runs: runs.table).size == n
        shutil.rmtree(store.folder)


def row(rng: np.random.Generator, i: int) -> Row:
    """A row with numbers that do not compress better than real ones."""
    validation, test, loss, seconds = rng.random(4).tolist()
    factors = {"network.integration": "shunting", "training.rates.synapses": float(f"{rng.random():.4g}")}
    return Row(
        *(f"5F, shunting, draw {i // 5}", "digits", "shunting", "per_soma", "5F", i % 5, 40, int(rng.integers(1, 40))),
        *(validation, test, loss, seconds, i // 5, "5F", factors, dict.fromkeys(factors, "cross")),
    )


def unindexed(table: Table, folder: Path) -> None:
    """What reading a run that the index does not know costs."""
    store = Store(folder / "store")
    (identity,) = store.finished()
    for i in range(500):
        other = store.path(f"{i % 256:02x}{i:030x}")
        other.parent.mkdir(exist_ok=True)
        shutil.copyfile(store.path(identity), other)
    timed(table, "read", 500, store.runs)
    content, _ = read_hdf5(store.folder / "index.h5")
    assert content["runs"]["identity"].size == 501


def definition(table: Table) -> None:
    """What a client does before it can start or go on: all runs of a sweep, with their identities.

    Once with many seeds of few arms, once with few seeds of many draws.
    """
    many = {"identity": ("digits", [*SMALL], range(100)), "drawn identity": ("sweep_digits", ["draw.n=60"], range(2))}
    for what, (name, settings, seeds) in many.items():
        n = len(Sweep.load(name, settings, [*seeds]))
        timed(table, what, n, lambda a=name, b=settings, c=seeds: Sweep.load(a, b, [*c]))


def elapsed(function: Callable[[int], Any], count: int) -> float:
    """Seconds per call."""
    began = time.perf_counter()
    for i in range(count):
        function(i)
    return (time.perf_counter() - began) / count


def timed(table: Table, what: str, n: int, function: Callable[[], Any]) -> Any:
    """Call a function and note its processor time per `n`, and the elapsed time."""
    slow = pace()
    mine, began = time.process_time(), time.perf_counter()
    result = function()
    cpu, wall = time.process_time() - mine, time.perf_counter() - began
    slow = (slow + pace()) / 2 / table.best
    how = f"processor time per run; {wall:.3g} s elapsed for all" + table.note(slow)
    table.add(what, n, cpu / n / slow, "s", how)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, help="on the disk to be measured; default: the system's for temporary files"
    )
    parser.add_argument("--out", type=Path, default=HERE / "results" / "cluster_measured.csv")
    options = parser.parse_args()
    table, folder = Table(), Path(tempfile.mkdtemp(dir=options.folder))
    try:
        os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
        run = small_run(table, folder)
        unindexed(table, folder)
        definition(table)
        files(table, folder)
        index(table, folder)
        scheduler(table, folder, run)
    finally:
        shutil.rmtree(folder)
    table.write(options.out)


if __name__ == "__main__":
    main()
