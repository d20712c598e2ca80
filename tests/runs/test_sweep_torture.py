"""A sweep of 200 runs on a Dask cluster of two workers, whose parts are killed one by one, and on a full disk."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import dendrosim
from dendrosim.hdf5 import read_hdf5
from dendrosim.runs.conduct import Tally, conduct
from dendrosim.runs.executors import Here, processes
from dendrosim.runs.store import Store
from dendrosim.runs.sweep import Sweep

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are killed by signals")

PATIENCE = 300.0
"""Seconds that anything may take."""
FILE = """
seeds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
[task]
name = "digits"
subset = { n_train = 60, n_test = 30 }
[network]
kind = "point_mlp"
hidden = 4
[teaching]
name = "exact"
[training]
epochs = 10
batch_size = 16
[cross]
training.rates = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1]
training.optimiser = ["adam", "momentum"]
"""
N = 200
COUNTING = """
import os, threading
from threadpoolctl import threadpool_info
from dendrosim.runs import perform

def note(word, order):
    helpers = sum(one.name.startswith("dendrosim") for one in threading.enumerate())
    threads = max(one["num_threads"] for one in threadpool_info()) + helpers
    line = f"{word} {order.identity} {os.getpid()} {order.path.exists()} {threads}\\n"
    handle = os.open(os.environ["SWEEP_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line.encode())  # one write of a line is whole
    os.close(handle)

def counted(order):
    note("start", order)
    works(order)
    note("end", order)

if perform._train.__name__ != "counted":  # Dask may load this twice
    works, perform._train = perform._train, counted
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("torture") / "many.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def sweep(file) -> Sweep:
    found = Sweep.load(file)
    assert len(found) == N
    return found


@pytest.fixture(scope="module")
def expected(sweep, tmp_path_factory) -> dict[str, dict[str, str]]:
    """What every run holds, computed one after the other in this process."""
    store = Store(tmp_path_factory.mktemp("serially"))
    assert conduct(sweep, store, executor=Here(), threads=1) == Tally(N, 0, 0, 0)
    return contents(store)


def contents(store: Store) -> dict[str, dict[str, str]]:
    """All values of all runs but times and places, after a look at the folder."""
    files = [path for path in (store.folder / "runs").rglob("*") if path.is_file()]
    assert Counter(path.stem for path in files if path.suffix == ".h5" and "checkpoint" not in path.name) == Counter(
        store.finished()
    )
    return {identity: content(store.path(identity)) for identity in store.finished()}


def content(path: Path) -> dict[str, str]:
    groups, attributes = read_hdf5(path)
    config = json.loads(groups.pop("config"))
    assert config["experiment"]["identity"] == path.stem
    del groups["history"]["seconds"], config["command"], config["experiment"]["finished"], config["experiment"]["host"]
    found: dict[str, str] = {
        "config": json.dumps(config, sort_keys=True),
        "attributes": repr(sorted(attributes.items())),
    }

    def flatten(where: str, group) -> None:
        for name, value in group.items():
            if isinstance(value, dict):
                flatten(f"{where}/{name}", value)
            else:
                array = np.asarray(value)
                found[f"{where}/{name}"] = f"{array.dtype}{array.shape}{array.tobytes().hex()}"

    flatten("", groups)
    return found


def until(reached: Callable[[], object], *alive: subprocess.Popen[str]) -> None:
    patience = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < patience, "it takes too long"
        for one in alive:
            assert one.poll() is None, one.communicate() if one.stdout else one.args
        time.sleep(0.05)


class Cluster:
    """A scheduler and two workers of one thread, each under a nanny, as processes."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file, self.folder = folder / f"{name}.json", folder
        self._stack = contextlib.ExitStack()
        (folder / "counting.py").write_text(COUNTING, encoding="utf-8")
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.workers = self._start(
            *("worker", "--nthreads", "1", "--nworkers", "2", "--no-dashboard", "--host", "127.0.0.1"),
            *("--local-directory", str(folder), "--preload", str(folder / "counting.py")),
        )
        until(self.file.exists, self.scheduler, self.workers)

    def _start(self, what: str, *more: str) -> subprocess.Popen[str]:
        log = self._stack.enter_context((self.folder / f"{self.file.stem}-{what}.log").open("w"))
        command = [sys.executable, "-m", "dask", what, "--scheduler-file", str(self.file), *more]
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=environment(self.folder))

    def end(self) -> None:
        for one in (self.workers, self.scheduler):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait(PATIENCE)
        self._stack.close()


def environment(folder: Path) -> dict[str, str]:
    """That of all processes: they find this package, log what they train, and do not wait for a dead scheduler."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(dendrosim.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
        "SWEEP_LOG": str(folder / "log"),
        "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "10s",
    }


@pytest.fixture
def cluster(tmp_path) -> Iterator[Callable[[str], Cluster]]:
    pytest.importorskip("distributed", reason="Dask distributed is not installed: extra cluster")
    started: list[Cluster] = []

    def start(name: str) -> Cluster:
        started.append(Cluster(tmp_path, name))
        return started[-1]

    yield start
    for one in started:
        one.end()


@contextlib.contextmanager
def client(file: Path, folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """The command, as a process."""
    command = [sys.executable, "-m", "dendrosim.cli", "sweep", str(file), "--out", str(folder / "store"), *more]
    one = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(folder), cwd=folder
    )
    try:
        yield one
    finally:
        one.kill()
        one.communicate()


def test_killed_workers_clients_and_schedulers_lose_and_repeat_nothing(cluster, file, sweep, expected, tmp_path):
    def finished() -> set[str]:
        return Store(tmp_path / "store").finished() if (tmp_path / "store" / "store.json").exists() else set()

    def lines() -> list[list[str]]:
        log = tmp_path / "log"
        return [line.split() for line in log.read_text().splitlines()] if log.exists() else []

    dask = cluster("first")
    with client(file, tmp_path, "--scheduler", str(dask.file)) as one:
        until(lambda: len(finished()) >= 20, one, dask.scheduler, dask.workers)
        os.kill(int(lines()[-1][2]), signal.SIGKILL)  # a worker; its nanny starts another
        until(lambda: len(finished()) >= 50, one, dask.scheduler, dask.workers)
        one.kill()
    assert 50 <= len(finished()) < N

    before = finished()
    with client(file, tmp_path, "--scheduler", str(dask.file), "--resume") as one:
        until(lambda: len(finished()) >= len(before) + 30, one, dask.scheduler, dask.workers)
        dask.scheduler.kill()
        out, err = one.communicate(timeout=PATIENCE)
        assert one.returncode == 1
        assert "went away" in err
        assert "--resume" in err
    assert before < finished() < expected.keys()
    dask.end()

    before = finished()
    dask = cluster("second")
    with client(file, tmp_path, "--scheduler", str(dask.file), "--resume") as one:
        out, err = one.communicate(timeout=PATIENCE)
    assert (one.returncode, err) == (0, "")
    assert f"{N - len(before)} runs finished, {len(before)} kept, 0 failed" in out

    store = Store(tmp_path / "store")
    assert contents(store) == expected
    assert not store.failures()
    assert not store.check()
    ends = Counter(line[1] for line in lines() if line[0] == "end")
    starts = [line for line in lines() if line[0] == "start"]
    assert max(ends.values()) == 1  # nothing was done twice
    assert all(line[3] == "False" for line in starts)  # nothing was begun that was finished
    assert {line[4] for line in lines()} == {"1"}  # threads
    assert len(starts) <= N + 6  # what two workers were at when they, or the scheduler, were killed
    store.tidy()
    assert not list((store.folder / "runs").rglob("*.checkpoint.h5"))


def test_processes_give_the_same_bits(sweep, expected, tmp_path):
    store = Store(tmp_path)
    with processes(2) as pool:
        assert conduct(sweep, store, executor=pool) == Tally(N, 0, 0, 0)
    assert contents(store) == expected


FULL = """
set -e
mount -t tmpfs -o size=1m none "$2"
status=0
"$1" -m dendrosim.cli sweep "$3" --out "$2/store" --workers 2 > "$4/out" 2> "$4/err" || status=$?
cp -r "$2/store" "$4/full"
mount -o remount,size=64m "$2"
"$1" -m dendrosim.cli sweep "$3" --out "$2/store" --workers 2 --resume > "$4/out2" 2> "$4/err2"
cp -r "$2/store" "$4/store"
exit $status
"""


def test_a_full_disk_ends_a_sweep_that_goes_on_when_there_is_room(file, expected, tmp_path):
    unshare = shutil.which("unshare")
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    if unshare is None:
        pytest.skip("there is no unshare: a small disk needs a name space of its own")
    mounted = subprocess.run(
        [unshare, "-rm", "mount", "-t", "tmpfs", "none", str(disk)], capture_output=True, timeout=60
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    command = [unshare, "-rm", "sh", "-c", FULL, "full", sys.executable, str(disk), str(file), str(kept)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=2 * PATIENCE, env=environment(tmp_path), cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    err = (kept / "err").read_text()
    assert "no space is left for" in err
    assert "go on with --resume" in err
    full = contents(Store(kept / "full"))
    assert 0 < len(full) < N
    assert full == {identity: expected[identity] for identity in full}
    assert not Store(kept / "full").failures()
    assert f"{len(full)} kept, 0 failed" in (kept / "out2").read_text()
    assert contents(Store(kept / "store")) == expected
