"""Executors: standard ones, with as many threads as allowed, whose workers may die."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from dendrosim.errors import MissingDependencyError, WorkersError
from dendrosim.kernels.parallel import available
from dendrosim.runs.executors import Given, Here, dask, processes, workers_of

TOOLS = """
import os, threading, time
from threadpoolctl import threadpool_info

def die():
    os.kill(os.getpid(), 9)

def pid(_=0):
    return os.getpid()

def threads():
    import numpy, scipy.linalg
    from dendrosim.runs.executors import _STOP
    return sorted({one["num_threads"] for one in threadpool_info()}), len(_STOP)

def sleep(seconds, path):
    open(path, "w").write(str(os.getpid()))
    time.sleep(seconds)
"""


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Functions that a fresh process can import."""
    (tmp_path / "sweep_tools.py").write_text(TOOLS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    yield __import__("sweep_tools")
    del sys.modules["sweep_tools"]


def test_a_worker_that_dies_takes_its_job_along_and_no_other(tools, tmp_path):
    with processes(2) as pool:
        long = pool.submit(tools.sleep, 1.5, str(tmp_path / "began"))
        while not (tmp_path / "began").exists():
            time.sleep(0.01)
        dead = pool.submit(tools.die)
        with pytest.raises(BrokenExecutor) as death:
            dead.result(timeout=120)
        assert pool.deaths(death.value) == 1
        others = [pool.submit(tools.pid) for _ in range(3)]
        assert len({one.result(timeout=120) for one in others} - {os.getpid()}) in (1, 2)
        assert long.result(timeout=120) is None  # the other process did not die


def test_processes_take_one_thread_each_unless_told(tools):
    with processes(1) as pool:
        assert pool.submit(tools.threads).result(timeout=120) == ([1], 1)
        assert pool.threads == 1
    with processes(1, threads=2) as pool:
        assert pool.submit(tools.threads).result(timeout=120) == ([min(2, available())], 1)


def _interrupted(sleep, folder: Path) -> None:
    with processes(1) as pool:
        for i in range(4):
            pool.submit(sleep, 0.5, str(folder / f"job-{i}"))
        while not (folder / "job-0").exists():
            time.sleep(0.01)
        raise KeyboardInterrupt


def test_interrupted_processes_start_nothing_more(tools, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        _interrupted(tools.sleep, tmp_path)
    time.sleep(1.0)
    assert not (tmp_path / "job-2").exists()


ORPHANS = """
import sys, time
from dendrosim.runs.executors import processes
import sweep_tools
if __name__ == "__main__":
    with processes(1) as pool:
        pool.submit(sweep_tools.sleep, 300, sys.argv[1])
        time.sleep(300)
"""


def test_processes_end_when_who_started_them_is_killed(tools, tmp_path):
    script, file = tmp_path / "orphans.py", tmp_path / "began"
    script.write_text(ORPHANS, encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script), str(file)]) as parent:
        while not (file.exists() and file.read_text()):
            assert parent.poll() is None
            time.sleep(0.05)
        parent.kill()
    child, patience = int(file.read_text()), time.monotonic() + 60
    while _alive(child):
        assert time.monotonic() < patience
        time.sleep(0.05)


def _alive(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
        return status.rpartition(")")[2].split()[0] != "Z"
    except OSError:
        pass
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return not Path("/proc/self/stat").exists()


def test_here_is_this_process(tools):
    with Here() as here:
        assert here.submit(os.getpid).result() == os.getpid()
        assert here.submit(int, "x").exception() is not None
        assert here.once_per_machine(os.getpid) == [os.getpid()]
        with pytest.raises(KeyboardInterrupt):
            here.submit(_interrupt)


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_any_executor_will_do():
    with ThreadPoolExecutor(1) as pool:
        crew = workers_of(pool)
        assert isinstance(crew, Given)
        assert crew.submit(os.getpid).result() == os.getpid()
        assert workers_of(crew) is crew
    with pytest.raises(WorkersError, match="takes no more jobs"):
        crew.submit(os.getpid)


def test_dask_is_asked_for_by_name_where_it_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "dendrosim\[cluster\]"'), dask("tcp://127.0.0.1:1"):
        pass


def test_distributed_is_imported_by_nobody_else():
    code = "import sys; import dendrosim.runs.conduct, dendrosim.cli; print('distributed' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "False\n"
