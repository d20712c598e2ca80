"""Stores: whole files under the names of their runs, whatever is killed."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest

from dendrosim.errors import FileFormatError, ParameterError
from dendrosim.hdf5 import replacing
from dendrosim.runs.store import Failure, Store
from dendrosim.training.run import Run

A, B = "ab" + "0" * 30, "cd" + "1" * 30
FAILURE = Failure(A, "scalar", 3, "the loss is no number", "Traceback ...", 2, "2026-11-21T16:00:00Z", "node7")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def test_a_run_lies_in_the_folder_of_its_first_two_digits(store, a_run):
    assert store.path(A) == store.folder / "runs" / "ab" / f"{A}.h5"
    assert store.checkpoint(A) == store.folder / "runs" / "ab" / f"{A}.checkpoint.h5"
    assert store.finished() == set()
    assert store.save(a_run(7), A) == store.path(A)
    assert store.finished() == {A}
    with h5py.File(store.path(A)) as file:
        assert file.attrs["test_accuracy"] == 0.07
        assert file.attrs["identity"] == A
        assert "code" not in file.attrs  # nobody said
        assert json.loads(file["config"][()])["experiment"]["identity"] == A


@pytest.mark.parametrize("wrong", ["", "ab", "../" + A, A.upper(), A + "0", 7])
def test_what_is_no_identity_is_refused(store, wrong):
    with pytest.raises(ParameterError, match="must be 32 hexadecimal digits"):
        store.path(wrong)


def test_a_saved_run_ends_its_checkpoint_and_its_failure(store, a_run):
    store.save(a_run(), B)
    store.checkpoint(B).write_bytes(b"half of a training")
    store.record_failure(Failure(**{**vars(FAILURE), "identity": B}))
    store.save(a_run(1), B)
    assert not store.checkpoint(B).exists()
    assert store.failures() == {}
    assert Run.load(store.path(B)).seed == 1


def test_only_whole_runs_in_their_place_count(store, a_run):
    store.save(a_run(), A)
    folder = store.path(A).parent
    for name in (f".{A}.h5.host-1.abcdefgh", f"{A}.checkpoint.h5", f"{A}.h5.bak", f"{B}.h5", "notes.txt"):
        (folder / name).write_bytes(b"x")
    (store.folder / "runs" / f"{B}.h5").write_bytes(b"x")
    assert store.finished() == {A}


def test_failures_are_kept_until_they_are_forgotten(store):
    assert store.failures() == {}
    store.record_failure(FAILURE)
    again = Failure(**{**vars(FAILURE), "attempts": 3})
    store.record_failure(again)
    assert store.failures() == {A: again}
    assert json.loads((store.folder / "failed" / f"{A}.json").read_text())["host"] == "node7"
    store.forget_failure(A)
    store.forget_failure(A)
    assert store.failures() == {}


def test_a_damaged_record_of_a_failure_is_named(store):
    store.record_failure(FAILURE)
    (store.folder / "failed" / f"{A}.json").write_text('{"arm": ')
    with pytest.raises(FileFormatError, match=rf"{A}\.json is no record of a failure .*; delete it"):
        store.failures()


def test_opening_twice_changes_nothing(store):
    before = (store.folder / "store.json").stat()
    assert Store(store.folder).folder == store.folder
    assert (store.folder / "store.json").stat().st_mtime_ns == before.st_mtime_ns
    assert Store.there(store.folder)
    assert not Store.there(store.folder.parent)
    assert pickle.loads(pickle.dumps(store)).path(A) == store.path(A)


def test_other_folders_are_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ParameterError, match=r"is not empty and is no store of runs \(it has no store\.json\)"):
        Store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("mark", "kind", "message"),
    [
        ('{"kind": "dendrosim store", "schema": 2}', FileFormatError, "of schema 2, this version of dendrosim reads 1"),
        ('{"kind": "a shop", "schema": 1}', ParameterError, "is of 'a shop', not of a store of runs"),
        ('{"kind": "dendro', FileFormatError, "cannot be read"),
        ("[]", FileFormatError, "cannot be read"),
    ],
)
def test_stores_of_another_kind_or_schema_are_refused(tmp_path, mark, kind, message):
    (tmp_path / "store.json").write_text(mark)
    with pytest.raises(kind, match=message):
        Store(tmp_path)


HALVES = """
import os, signal, sys
from pathlib import Path
from dendrosim.hdf5 import replacing
path = Path(sys.argv[1])
path.parent.mkdir(parents=True, exist_ok=True)
with replacing(path) as part:
    part.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="processes of other systems cannot be asked whether they live")
def test_halves_of_killed_writers_are_swept_away_and_those_of_living_ones_are_not(store):
    killed = subprocess.run([sys.executable, "-c", HALVES, str(store.path(A))], timeout=120)
    assert killed.returncode == -signal.SIGKILL
    (half,) = store.path(A).parent.iterdir()
    assert store.finished() == set()
    assert store.tidy() == []  # just now
    long_ago(half, 120)
    store.path(B).parent.mkdir()
    with replacing(store.path(B)) as living:
        living.write_bytes(b"half")
        long_ago(living, 120)
        assert store.tidy() == [half]
        assert living.exists()
    assert store.path(B).exists()


def test_halves_of_other_machines_are_swept_away_after_a_day(store):
    store.record_failure(FAILURE)
    half = store.folder / "failed" / f".{A}.json.elsewhere-17.abcdefgh"
    foreign = store.folder / "failed" / ".nfs000000001"
    for path in (half, foreign):
        path.write_text("{")
        long_ago(path, 80_000)
    assert store.tidy() == []
    long_ago(half, 90_000)
    long_ago(foreign, 90_000)
    assert store.tidy() == [half]
    assert store.failures() == {A: FAILURE}


def test_checkpoints_of_finished_runs_are_swept_away(store, a_run):
    store.save(a_run(), A)
    store.checkpoint(A).write_bytes(b"killed between the two")
    store.path(B).parent.mkdir()
    store.checkpoint(B).write_bytes(b"goes on")
    assert store.tidy() == [store.checkpoint(A)]
    assert store.checkpoint(B).exists()


def test_a_check_reads_every_run(store, a_run):
    store.save(a_run(), A)
    store.save(a_run(), B)
    assert store.check() == {}
    data = store.path(A).read_bytes()
    store.path(A).write_bytes(data[: len(data) // 2])
    assert list(store.check()) == [A]
    assert "is damaged" in store.check()[A]
    store.path(A).write_bytes(store.path(B).read_bytes())
    assert f"says that it is run {B}" in store.check()[A]


def long_ago(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))
