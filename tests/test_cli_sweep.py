"""The command for sweeps: what it prints, what it keeps, and its exit status."""

from __future__ import annotations

import pytest

from dendrosim import cli
from dendrosim.commands.meter import SweepMeter
from dendrosim.runs import executors
from dendrosim.runs import perform as performing
from dendrosim.runs.conduct import Step
from dendrosim.runs.experiment import Arm, Job
from dendrosim.runs.perform import Order, Outcome
from dendrosim.runs.store import Store

TEXT = """
description = "A small one."
seeds = [0, 1]
[task]
name = "digits"
subset = { n_train = 60, n_test = 30 }
[network]
kind = "point_mlp"
hidden = 4
[teaching]
name = "exact"
[training]
epochs = 1
[cross]
training.batch_size = [16, 32]
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.toml"
    path.write_text(TEXT)
    return str(path)


@pytest.fixture
def here(monkeypatch):
    """Runs stay in this process; how others are started is tested elsewhere."""
    monkeypatch.setattr(executors, "processes", lambda workers, threads: executors.Here())


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = cli.main(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


def test_a_sweep_is_run_listed_and_resumed(file, here, tmp_path, capsys):
    status, out, err = run(capsys, "sweep", file, "--list")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "A small one."
    assert [line.split()[1:3] for line in out.splitlines()[2:6]] == [["to", "do"]] * 4
    assert out.splitlines()[-1] == "4 runs"
    assert not (tmp_path / "small-sweep").exists()

    status, out, err = run(capsys, "sweep", file)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    # one per size of batch, which kernels know
    assert lines[:2] == ["compiling for 2 kinds of runs, once per machine", "4 runs to do, 0 kept"]
    assert lines[2].startswith("[4/4] ")
    assert any(line.startswith("small, 16") and "small, 32" not in line for line in lines)
    assert lines[-1] == "4 runs finished, 0 kept, 0 failed"
    assert (tmp_path / "small-sweep" / "summary.csv").is_file()
    assert len((tmp_path / "small-sweep" / "runs.csv").read_text().splitlines()) == 5

    status, _, err = run(capsys, "sweep", file)
    assert status == 1
    assert "holds 4 of these 4 runs already" in err
    status, out, err = run(capsys, "sweep", file, "--resume", "--seeds", "0-2")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == "2 runs finished, 4 kept, 0 failed"
    status, out, _ = run(capsys, "sweep", file, "--list", "--arms", "small, 32", "--seeds", "1,7")
    assert [line.split()[1] for line in out.splitlines()[2:4]] == ["finished", "to"]


def test_failures_are_told_and_tried_again(file, here, tmp_path, capsys, monkeypatch):
    works = performing.train

    def breaks(*given, **options):
        if options["seed"] == 1:
            raise ZeroDivisionError("division by zero")
        return works(*given, **options)

    monkeypatch.setattr(performing, "train", breaks)
    status, out, err = run(capsys, "sweep", file)
    assert status == 1
    assert "failed: small, 16, seed 1: ZeroDivisionError: division by zero" in out
    assert out.splitlines()[-1] == "2 runs finished, 0 kept, 2 failed"
    assert "error: small, 32, seed 1: ZeroDivisionError: division by zero" in err
    assert str(Store(tmp_path / "small-sweep").folder.name) in err
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(executors, "processes", lambda workers, threads: executors.Here())
    status, out, err = run(capsys, "sweep", file, "--resume")
    assert status == 1
    assert out.splitlines()[-1] == "0 runs finished, 2 kept, 2 failed"
    status, out, err = run(capsys, "sweep", file, "--retry-failed")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == "2 runs finished, 2 kept, 0 failed"


def test_other_names_of_a_run_are_counted(file, here, tmp_path, capsys):
    twice = tmp_path / "twice.toml"
    twice.write_text(TEXT + '[[arms]]\nname = "a"\n[[arms]]\nname = "b"\n')
    status, out, _ = run(capsys, "sweep", str(twice), "--seeds", "0")
    assert status == 0
    assert out.startswith("2 runs were asked for more than once, under other names; each is done once\n")
    assert out.splitlines()[-1] == "2 runs finished, 0 kept, 0 failed"


def test_a_scheduler_that_is_not_there_is_one_error(file, capsys, monkeypatch):
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "1s")
    dask = pytest.importorskip("dask")
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        status, _, err = run(capsys, "sweep", file, "--scheduler", "tcp://127.0.0.1:9")
    assert status == 1
    assert "there is no Dask scheduler at tcp://127.0.0.1:9" in err
    status, _, err = run(capsys, "sweep", file, "--scheduler", "tcp://127.0.0.1:9", "--workers", "2")
    assert status == 2
    assert "not allowed with" in err


def step(ended: str = "", **counts: int) -> Step:
    given = {"finished": 0, "kept": 0, "failed": 0, "left": 0, **counts}
    job = Job(Arm("a", 0, "a", {}, {}), 3)
    order = Order("x", job, None) if ended else None
    return Step(**given, order=order, outcome=Outcome(ended, "why") if ended else None)


def test_lines_are_sparse_and_say_rate_and_time_left(capsys, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("dendrosim.commands.meter.time.monotonic", lambda: clock[0])
    meter = SweepMeter(terminal=False)
    meter(step(left=100, kept=20))
    for i in range(40):
        clock[0] += 0.5
        meter(step("finished", finished=i + 1, kept=20, left=99 - i))
    meter(step("failed", finished=40, kept=20, failed=1, left=59))
    assert capsys.readouterr().out.splitlines() == [
        "100 runs to do, 20 kept",
        "[40/120] 2 runs/s, about 40 s left",
        "[60/120] 2 runs/s, about 30 s left",
        "failed: a, seed 3: why",
    ]
    for _ in range(30):
        meter(step("failed", failed=1, left=1))
    out = capsys.readouterr().out.splitlines()
    assert out.count("failed: a, seed 3: why") == 19
    assert out[-1] == "more failures are only counted"


def test_a_terminal_gets_a_bar(capsys):
    meter = SweepMeter(terminal=True)
    meter(step(left=2))
    meter(step("failed", failed=1, left=1))
    meter(step("finished", finished=1, failed=1, left=0))
    out, err = capsys.readouterr()
    assert "failed: a, seed 3: why" in out
    assert "1 failed" in err
    assert "2/2" in err
