"""The index of a store: right whatever happened to it, and beside any number of writers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import FileFormatError, ParameterError, StoreWarning
from dendrosim.hdf5 import read_hdf5
from dendrosim.runs import Store
from dendrosim.runs.experiment import Arm
from dendrosim.runs.index import SCHEMA
from dendrosim.runs.sweep import Point, Sweep
from dendrosim.training.run import Run


def named(i: int) -> str:
    """Identities that spread over the folders."""
    return f"{i * 37 % 256:02x}{i:030x}"


@pytest.fixture
def store(tmp_path, a_run):
    store = Store(tmp_path / "store")
    for i, rate in enumerate((0.1, 0.2)):
        for seed in (1, 0):
            arm = f"all, {rate}"
            store.save(a_run(seed, arm, i, {"training.rate": rate, "teaching": {"name": "exact"}}), named(2 * i + seed))
    return store


@pytest.fixture
def opened(monkeypatch):
    """Names of the runs that are read."""
    names: list[str] = []
    load = Run.load

    def noted(path, **options):
        names.append(Path(path).stem)
        return load(path, **options)

    monkeypatch.setattr(Run, "load", noted)
    return names


def test_the_table_of_a_store_is_that_of_its_runs_in_the_order_of_arms_and_seeds(store):
    table = ds.runs.load(store.folder).table
    assert table["arm"].tolist() == ["all, 0.1", "all, 0.1", "all, 0.2", "all, 0.2"]
    assert table["seed"].tolist() == [0, 1, 0, 1]
    assert table["test_accuracy"].tolist() == [0.0, 0.01, 0.0, 0.01]
    assert table["validation_accuracy"].tolist() == [0.625] * 4
    assert table["seconds"].tolist() == [0.75] * 4
    assert table["training.rate"].tolist() == [0.1, 0.1, 0.2, 0.2]
    assert set(table["swept.teaching"]) == {'{"name": "exact"}'}
    again = ds.runs.load(store.folder).table
    assert again.dtype == table.dtype
    np.testing.assert_array_equal(again, table)


def test_nothing_is_read_twice_and_runs_when_they_are_asked_for(store, opened, a_run):
    assert len(store.runs()) == 4
    assert sorted(opened) == sorted(map(named, range(4)))
    opened.clear()
    runs = ds.runs.load(store.folder)
    assert runs.where(seed=1).arms["all, 0.2"].table.size == 1
    assert repr(runs) == "<Runs: 4: all, 0.1 x 2, all, 0.2 x 2>"
    assert opened == []
    one = runs[3]
    assert opened == [named(3)]
    assert (one.name, one.seed, one.records["notes"]["values"].size) == ("all, 0.2", 1, 3)
    assert runs[3] is one
    assert one.network.n_inputs == 3
    opened.clear()
    store.save(a_run(5, "new", 2), named(9))
    assert len(store.runs()) == 5
    assert opened == [named(9)]


def test_what_is_not_kept_is_not_held_in_memory(store, opened):
    runs = store.runs()
    opened.clear()
    assert [run.seed for run in runs] == [0, 1, 0, 1]
    assert [run.seed for run in runs] == [0, 1, 0, 1]
    assert len(opened) == 8


def test_rows_of_changed_and_deleted_runs_are_not_believed(store, opened, a_run):
    store.runs()
    opened.clear()
    store.save(a_run(7, "changed", 0), named(0))
    store.path(named(1)).unlink()
    table = store.runs().table
    assert sorted(table["seed"].tolist()) == [0, 1, 7]
    assert opened == [named(0)]
    assert set(read_hdf5(store.folder / "index.h5")[0]["runs"]["identity"]) == {named(0), named(2), named(3)}


def test_columns_of_what_was_swept_choose_runs(store):
    runs = ds.runs.load(store.folder)
    assert [run.seed for run in runs.where(**{"training.rate": 0.2, "seed": 1})] == [1]
    assert len(runs.where(**{"swept.teaching": {"name": "exact"}})) == 4
    assert len(runs.where(**{"swept.teaching": '{"name": "exact"}'})) == 4
    assert len(runs.where(teaching="exact")) == 4
    with pytest.raises(ParameterError, match=r"there is no column 'rate'; valid: arm, .*training\.rate"):
        runs.where(rate=0.1)


def test_runs_without_a_value_have_none_in_the_table(a_run):
    factors = [{}, {"a.number": 3, "a.word": "x", "a.switch": True}, {"a.number": 4, "a.word": "y", "a.switch": False}]
    runs = ds.runs.Runs(a_run(i, factors=values) for i, values in enumerate(factors))
    table = runs.table
    np.testing.assert_array_equal(table["a.number"], [np.nan, 3, 4])
    assert table["a.word"].tolist() == ["", "x", "y"]
    assert table["a.switch"].tolist() == ["", "True", "False"]
    assert runs[1:].table["a.switch"].dtype == bool
    assert runs[1:].table["a.number"].dtype.kind == "i"
    assert [run.seed for run in runs.where(**{"a.number": 3})] == [1]
    assert "a.number" not in (runs[:1].table.dtype.names or ())


def test_rows_tell_where_swept_values_come_from(tmp_path, a_run):
    store = Store(tmp_path / "drawn")
    one = a_run(0, "a, draw 1", 0, {"training.rate": 0.1})
    one.config["experiment"] |= {"own": "a", "ways": {"training.rate": "log_uniform"}}
    store.save(one, named(0))
    store.save(a_run(0, "b", 1, {"training.rate": 0.1}), named(1))  # as runs were before there were draws
    for _ in range(2):  # from the files, then from the index
        rows = store.runs().rows
        assert [row.own for row in rows] == ["a", "b"]
        assert [row.ways for row in rows] == [{"training.rate": "log_uniform"}, {"training.rate": "cross"}]


def test_a_store_seen_through_a_sweep_has_its_names(store):
    arms = [Arm(name, i, name, {"rule.eta": i}, {}) for i, name in enumerate(("second", "first"))]
    points = (Point(arms[0], 1, named(3)), Point(arms[1], 0, named(0)), Point(arms[1], 1, "f" * 32))
    runs = store.runs(Sweep("mine", "", points))
    assert runs.table["arm"].tolist() == ["second", "first"]
    assert runs.table["rule.eta"].tolist() == [0, 1]
    assert runs.table["seed"].tolist() == [1, 0]
    assert (runs[0].name, runs[0].config["experiment"]["name"]) == ("second", "mine")
    assert len(store.runs()) == 4


def test_the_index_can_be_deleted_at_any_time(store):
    before = store.runs().table
    (store.folder / "index.h5").unlink()
    np.testing.assert_array_equal(store.runs().table, before)
    assert (store.folder / "index.h5").exists()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])


def _rubbish(path: Path) -> None:
    path.write_bytes(b"not hdf5")


def _uneven(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["runs/seed"]
        file["runs/seed"] = [1, 2]


def _lacking(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["runs/size"]


def _wordy(path: Path) -> None:
    with h5py.File(path, "a") as file:
        size = file["runs/validation_accuracy"].size
        del file["runs/validation_accuracy"]
        file["runs/validation_accuracy"] = np.full(size, b"good")


def _square(path: Path) -> None:
    with h5py.File(path, "a") as file:
        size = file["runs/seconds"].size
        del file["runs/seconds"]
        file["runs/seconds"] = np.ones((size, 2))


@pytest.mark.parametrize("damage", [_cut, _rubbish, _uneven, _lacking, _wordy, _square])
def test_a_damaged_index_is_made_again_with_a_warning(store, damage):
    before = store.runs().table
    damage(store.folder / "index.h5")
    with pytest.warns(StoreWarning, match=r"index\.h5 was damaged \(.*\); it is made again"):
        found = store.runs().table
    np.testing.assert_array_equal(found, before)
    np.testing.assert_array_equal(store.runs().table, before)


def test_the_index_of_another_version_is_made_again(store):
    before = store.runs().table
    with h5py.File(store.folder / "index.h5", "a") as file:
        file.attrs["schema"] = 99
        del file["runs"]
    np.testing.assert_array_equal(store.runs().table, before)
    assert read_hdf5(store.folder / "index.h5")[1]["schema"] == SCHEMA


def test_an_index_that_cannot_be_written_is_done_without(store, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dendrosim.runs.index.write_hdf5", full)
    with pytest.warns(StoreWarning, match=r"index\.h5 cannot be written \(.*No space left"):
        assert len(store.runs()) == 4


def test_an_empty_store_is_no_error_for_a_sweep_and_one_for_who_wants_runs(tmp_path):
    store = Store(tmp_path / "new")
    assert len(store.runs()) == 0
    assert [path.name for path in store.folder.iterdir()] == ["store.json"]
    with pytest.raises(ParameterError, match="new is a store without runs"):
        ds.runs.load(store.folder)


def test_a_damaged_run_is_named_with_what_to_do(store):
    store.runs()
    path = store.path(named(2))
    _cut(path)
    with pytest.raises(FileFormatError, match=rf"{path.name} is damaged .*or delete it, and resume the sweep"):
        store.runs()


def test_an_interrupted_index_is_kept_as_far_as_it_came(store, monkeypatch, opened):
    monkeypatch.setattr("dendrosim.runs.index._EVERY", 1)
    load = Run.load

    def interrupted(path, **options):
        if len(opened) == 3:
            raise KeyboardInterrupt
        return load(path, **options)

    monkeypatch.setattr(Run, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.runs()
    monkeypatch.setattr(Run, "load", load)
    opened.clear()
    assert len(store.runs()) == 4
    assert len(opened) == 1


def test_stores_and_folders_at_once(store, tmp_path, a_run):
    a_run(8, "elsewhere").save(tmp_path / "other" / "seed-8.h5")
    runs = ds.runs.load(store.folder, tmp_path / "other", store.path(named(1)))
    assert [run.seed for run in runs] == [0, 1, 0, 1, 8]


WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from conftest import made_up
from dendrosim.runs import Store

first, last = int(sys.argv[3]), int(sys.argv[4])
store = Store(sys.argv[2])
print("begins", flush=True)
for i in range(first, last):
    store.save(made_up(i % 100, "all", i), f"{i * 37 % 256:02x}{i:030x}")
    if i % 10 == 0:
        assert len(store.runs()) > 0
print("done", flush=True)
"""


def writer(folder: Path, first: int, last: int) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    command = [sys.executable, "-W", "error", "-c", WRITER, here, str(folder), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name != "posix", reason="kills processes by signal")
def test_writers_of_runs_and_of_the_index_at_once_some_killed(tmp_path):
    """Four processes write runs, two of them the same ones, and index the store; two more are killed in the middle."""
    folder = tmp_path / "store"
    writers = [writer(folder, 0, 40), writer(folder, 0, 40), writer(folder, 40, 80)]
    victims = [writer(folder, 1000, 10**6), writer(folder, 1000, 10**6)]
    try:
        for victim in victims:
            assert victim.stdout is not None
            assert victim.stdout.readline() == "begins\n"
        until = time.monotonic() + 120
        store = Store(folder)
        while sum(int(identity[2:], 16) >= 1000 for identity in store.finished()) < 5 and time.monotonic() < until:
            time.sleep(0.01)
        for victim in victims:
            victim.kill()
        for victim in victims:
            victim.communicate(timeout=60)
            assert victim.returncode == -signal.SIGKILL
        for one in writers:
            out, error = one.communicate(timeout=120)
            assert (out.split(), error, one.returncode) == (["begins", "done"], "", 0)
    finally:
        for one in (*writers, *victims):
            one.kill()
            one.wait(timeout=60)
    finished = store.finished()
    assert {named(i) for i in range(80)} <= finished
    assert len(finished) >= 85
    assert store.check() == {}
    table = store.runs().table
    numbers = sorted(int(identity[2:], 16) for identity in finished)
    assert table["seed"].tolist() == [number % 100 for number in numbers]
    assert store.runs().table.size == len(finished)
    for half in [path for path in folder.rglob(".*") if path.is_file()]:
        os.utime(half, (time.time() - 120,) * 2)
    store.tidy()
    assert [path for path in folder.rglob(".*") if path.is_file()] == []
    assert store.finished() == finished
