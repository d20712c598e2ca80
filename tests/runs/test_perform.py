"""One job: finished, kept, failed with its traceback, claimed by another, stopped by a full disk."""

from __future__ import annotations

import errno
import hashlib
import json
import pickle
import subprocess
import sys
from dataclasses import replace

import pytest

import dendrosim as ds
from dendrosim import hdf5
from dendrosim.errors import DataError
from dendrosim.runs import perform as performing
from dendrosim.runs.claim import claimed
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.perform import Order, no_space, perform
from dendrosim.runs.sweep import Sweep

SMALL = {
    "task": {"name": "digits", "subset": {"n_train": 60, "n_test": 30}},
    "network": {"kind": "point_mlp", "hidden": 4},
    "teaching": {"name": "exact"},
    "training": {"epochs": 2, "batch_size": 32},
}


@pytest.fixture
def order(tmp_path):
    point = Sweep.of(Experiment.from_table("small", SMALL)).points[0]
    return Order("small", point.job, tmp_path / "new" / f"{point.identity}.h5", point.identity, threads=1)


def test_a_job_becomes_the_file_of_the_run_that_the_library_gives(order):
    outcome = perform(pickle.loads(pickle.dumps(order)))
    assert (outcome.status, outcome.error, outcome.traceback) == ("finished", "", "")
    assert outcome.seconds > 0
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert [path.name for path in order.path.parent.iterdir()] == [order.path.name]
    run = ds.Run.load(order.path)
    task = ds.tasks.load("digits").subset(60, 30)
    own = ds.train(ds.networks.PointMLP(64, 10, 4), task, teaching="exact", epochs=2, batch_size=32)
    assert run.history["train_loss"].tolist() == own.history["train_loss"].tolist()
    assert run.test_loss == own.test_loss
    assert run.config["experiment"]["identity"] == order.identity
    parts = {name: run.config["experiment"][name] for name in ("code", "configuration")}
    digest = hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode())
    assert digest.hexdigest()[:32] == order.identity


def test_what_is_finished_is_kept(order):
    perform(order)
    before = order.path.stat().st_mtime_ns
    order.checkpoint.write_bytes(b"left by somebody who was killed after saving")
    assert perform(order).status == "kept"
    assert order.path.stat().st_mtime_ns == before
    assert not order.checkpoint.exists()


@pytest.mark.parametrize("error", [ZeroDivisionError("division by zero"), MemoryError(), DataError("no such file")])
def test_whatever_a_training_raises_is_a_failure_with_its_traceback(order, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(performing, "train", fail)
    outcome = perform(order)
    assert outcome.status == "failed"
    shown = {ZeroDivisionError: "ZeroDivisionError: division by zero", MemoryError: "MemoryError"}
    assert outcome.error == shown.get(type(error), "no such file")
    assert outcome.traceback.startswith("Traceback (most recent call last):")
    assert "in fail" in outcome.traceback
    assert not order.path.exists()


def test_ctrl_c_is_no_failure(order, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(performing, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        perform(order)
    monkeypatch.undo()
    assert perform(order).status == "finished"  # nothing is claimed any more


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_full_disk_is_the_machines_fault(order, monkeypatch, number, where):
    def full(*_, **__):
        raise OSError(number, "no room")

    monkeypatch.setattr(hdf5.os, where, full)
    outcome = perform(order)
    assert outcome.status == "no space"
    assert "no room" in outcome.error
    monkeypatch.undo()
    assert not list(order.path.parent.iterdir())
    assert perform(order).status == "finished"


def test_a_full_disk_is_known_by_any_error_that_it_caused():
    full, later = OSError(errno.ENOSPC, "no room"), OSError("cannot be written")
    assert no_space(full)
    assert not no_space(later)
    later.__cause__ = full
    assert no_space(later)
    assert not no_space(OSError(errno.EIO, "broken"))
    assert not no_space(ValueError("28"))


def test_a_machine_with_other_data_or_code_computes_nothing(order):
    outcome = perform(replace(order, identity="0" * 32))
    assert outcome.status == "foreign"
    assert "would compute another run" in outcome.error
    assert not order.path.exists()


HOLD = """
import sys
from pathlib import Path
from dendrosim.runs.claim import claimed
with claimed(Path(sys.argv[1])) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


def test_a_run_that_another_process_trains_is_left_to_it(order):
    order.path.parent.mkdir()
    command = [sys.executable, "-c", HOLD, str(order.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "True\n"
            assert perform(order).status == "busy"
            assert not order.path.exists()
        finally:
            other.kill()  # a claim ends with its process, in whatever way
    assert perform(order).status == "finished"
    assert [path.name for path in order.path.parent.iterdir()] == [order.path.name]


def test_a_claim_is_given_to_one_at_a_time(tmp_path):
    path = tmp_path / "run.h5"
    with claimed(path) as first:
        with claimed(path) as second:
            assert (first, second) == (True, False)
        with claimed(path) as third:
            assert third is False
    with claimed(path) as again:
        assert again is True
    assert not list(tmp_path.iterdir())
