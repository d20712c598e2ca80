"""Sweeps: a bounded number of jobs at a time, failures on record, nothing repeated, nothing lost."""

from __future__ import annotations

import contextlib
import errno
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError, WorkersError
from dendrosim.runs import carry
from dendrosim.runs import conduct as conducting
from dendrosim.runs import perform as performing
from dendrosim.runs import warm as warming
from dendrosim.runs.carry import carry_out
from dendrosim.runs.conduct import Tally, conduct
from dendrosim.runs.executors import Here, Workers, processes
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.perform import Order, Outcome
from dendrosim.runs.store import Store
from dendrosim.runs.sweep import Sweep
from dendrosim.runs.warm import kind, kinds

SMALL = {
    "seeds": [0, 1, 2],
    "task": {"name": "digits", "subset": {"n_train": 60, "n_test": 30}},
    "network": {"kind": "point_mlp", "hidden": 4},
    "teaching": {"name": "exact"},
    "training": {"epochs": 2, "batch_size": 32},
    "cross": {"training": {"rates": [1e-3, 1e-2]}},
}


def sweep_of(**changes) -> Sweep:
    return Sweep.of(Experiment.from_table("small", {**SMALL, **changes}))


def losses(store: Store) -> dict[str, float]:
    return {one: ds.Run.load(store.path(one)).test_loss for one in store.finished()}


class Crew(Workers):
    """Workers that end jobs as they are told, when they are asked for more than they take, or wait long enough."""

    def __init__(self, ends, window: int = 4) -> None:
        self.ends, self.most, self.flying, self.submitted = ends, window, [], []

    @property
    def window(self) -> int:
        return self.most

    def submit(self, fn, /, *args, **kwargs) -> Future:
        future: Future = Future()
        self.flying.append((future, args[0]))
        assert len(self.flying) <= self.most
        self.submitted.append(args[0])
        if len(self.flying) == self.most:
            self.check()
        return future

    def check(self) -> None:
        while self.flying:
            future, order = self.flying.pop(0)
            end = self.ends(order)
            if isinstance(end, Outcome):
                future.set_result(end)
            elif end is not None:
                future.set_exception(end)
            else:
                future.cancel()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(carry, "_GLANCE", 0.01)


def orders(n: int):
    point = sweep_of().points[0]
    for i in range(n):
        yield Order("small", point.job, Path(f"{i}.h5"))


def test_no_more_is_submitted_than_workers_take(quick):
    crew = Crew(lambda order: Outcome("finished"))
    source = orders(1000)
    first = next(carry_out(source, crew))
    assert first[1].status == "finished"
    assert len(crew.submitted) == 4
    assert next(source).path.name == "4.h5"  # the others were not even asked for


def test_a_job_over_which_three_workers_died_is_a_failure_and_the_others_are_not(quick):
    tries = Counter()

    def ends(order):
        tries[order.path.name] += 1
        deadly = order.path.name == "3.h5" or (order.path.name == "5.h5" and tries["5.h5"] < 3)
        return BrokenProcessPool("terminated abruptly") if deadly else Outcome("finished")

    found = {order.path.name: outcome for order, outcome in carry_out(orders(8), Crew(ends))}
    assert len(found) == 8
    assert [name for name, outcome in found.items() if outcome.status != "finished"] == ["3.h5"]
    assert "died, 3 times: BrokenProcessPool: terminated abruptly" in found["3.h5"].error
    assert (tries["3.h5"], tries["5.h5"], tries["0.h5"]) == (3, 3, 1)


def test_what_got_lost_is_asked_for_again_as_often_as_need_be(quick):
    tries = Counter()

    def ends(order):
        tries[order.path.name] += 1
        return Outcome("finished") if tries[order.path.name] == 6 else None

    assert [outcome.status for _, outcome in carry_out(orders(3), Crew(ends))] == ["finished"] * 3
    assert set(tries.values()) == {6}


def test_what_another_process_trains_is_asked_for_later(quick):
    asked = []

    def ends(order):
        asked.append(order.path.name)
        busy = order.path.name == "0.h5" and asked.count("0.h5") < 3
        return Outcome("busy" if busy else "kept" if order.path.name == "0.h5" else "finished")

    found = [(order.path.name, outcome.status) for order, outcome in carry_out(orders(6), Crew(ends))]
    assert len(found) == 6
    assert found[-1] == ("0.h5", "kept")


@pytest.mark.parametrize("status", ["no space", "foreign"])
def test_after_the_fault_of_a_machine_nothing_more_is_submitted(quick, status):
    crew = Crew(lambda order: Outcome(status if order.path.name == "2.h5" else "finished"))
    found = [(order.path.name, outcome.status) for order, outcome in carry_out(orders(100), crew)]
    assert ("2.h5", status) in found
    assert len(crew.submitted) <= 8


def test_workers_that_are_all_gone_are_an_error(quick):
    def gone(order):
        raise WorkersError("gone")

    with pytest.raises(WorkersError):
        list(carry_out(orders(10), Crew(gone)))


def test_a_sweep_from_beginning_to_end(tmp_path):
    sweep, store, steps = sweep_of(), Store(tmp_path), []
    assert conduct(sweep, store, executor=Here(), report=steps.append) == Tally(6, 0, 0, 0)
    assert store.finished() == {point.identity for point in sweep}
    assert [step.kinds for step in steps] == [1] + [0] * 7
    assert [step.left for step in steps] == [6, 6, 5, 4, 3, 2, 1, 0]
    assert steps[-1].outcome.status == "finished"
    with pytest.raises(ParameterError, match="holds 6 of these 6 runs already"):
        conduct(sweep, store, executor=Here())
    before = losses(store)
    gone = sweep.points[4].identity
    store.path(gone).unlink()
    assert conduct(sweep, store, executor=Here(), resume=True) == Tally(1, 5, 0, 0)
    assert losses(store) == before
    wider = sweep_of(seeds=[0, 1, 2, 3])
    assert conduct(wider, store, executor=Here(), resume=True) == Tally(2, 6, 0, 0)


def test_any_executor_gives_the_same_bits(tmp_path):
    sweep, stores = sweep_of(), [Store(tmp_path / name) for name in ("here", "thread", "processes")]
    assert conduct(sweep, stores[0], executor=Here()).finished == 6
    with ThreadPoolExecutor(2) as pool:
        assert conduct(sweep, stores[1], executor=pool).finished == 6
    with processes(2) as pool:
        assert conduct(sweep, stores[2], executor=pool).finished == 6
    assert losses(stores[0]) == losses(stores[1]) == losses(stores[2])


def test_failures_are_written_down_and_stop_nothing(tmp_path, monkeypatch):
    sweep, store = sweep_of(), Store(tmp_path)
    works = performing.train

    def breaks(network, task, **options):
        if options["seed"] == 1 and len(options.get("callbacks", ())) == 0:
            raise ZeroDivisionError("division by zero")
        return works(network, task, **options)

    monkeypatch.setattr(performing, "train", breaks)
    assert conduct(sweep, store, executor=Here()) == Tally(4, 0, 2, 0)
    failures = store.failures()
    assert {one.identity for one in failures.values()} == {point.identity for point in sweep if point.seed == 1}
    one = next(iter(failures.values()))
    assert (one.error, one.attempts, one.seed) == ("ZeroDivisionError: division by zero", 1, 1)
    assert "in breaks" in one.traceback
    # they are kept as they are, tried again, and forgotten once they succeed
    assert conduct(sweep, store, executor=Here(), resume=True) == Tally(0, 4, 2, 0)
    assert conduct(sweep, store, executor=Here(), retry_failed=True) == Tally(0, 4, 2, 0)
    assert {one.attempts for one in store.failures().values()} == {2}
    monkeypatch.undo()
    assert conduct(sweep, store, executor=Here(), retry_failed=True) == Tally(2, 4, 0, 0)
    assert not store.failures()


def test_a_full_disk_ends_the_sweep_and_takes_nothing(tmp_path, monkeypatch):
    sweep, store = sweep_of(), Store(tmp_path)
    works, calls = performing.train, []

    def full(*given, **options):
        calls.append(options["seed"])
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return works(*given, **options)

    monkeypatch.setattr(performing, "train", full)
    tally = conduct(sweep, store, executor=Here())
    assert (tally.finished, tally.failed, tally.left) == (2, 0, 4)
    assert "no space is left for" in tally.why
    assert "--resume" in tally.why
    assert len(calls) == 3
    assert (len(store.finished()), store.failures()) == (2, {})
    monkeypatch.undo()
    assert conduct(sweep, store, executor=Here(), resume=True) == Tally(4, 2, 0, 0)


def test_no_space_even_for_the_record_of_a_failure(tmp_path, monkeypatch):
    sweep, store = sweep_of(), Store(tmp_path)

    def fail(*_, **__):
        raise ZeroDivisionError

    def full(*_):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(performing, "train", fail)
    monkeypatch.setattr(store, "record_failure", full)
    tally = conduct(sweep, store, executor=Here())
    assert "Disk quota exceeded" in tally.why
    assert tally.left == 6
    assert tally.failed == 0


def test_what_is_impossible_is_found_before_anything_runs(tmp_path):
    arms = [{"name": "fine"}, {"name": "odd", "teaching": {"name": "local_mismatch"}}]
    with pytest.raises(ParameterError, match=r"arm 'odd, 0\.001': .* needs dendrites"):
        conduct(sweep_of(arms=arms), Store(tmp_path), executor=Here())
    assert not Store(tmp_path).finished()


def test_what_fails_only_while_it_is_trained_stops_nothing(tmp_path):
    wild = {"optimiser": "sgd", "clip_value": False, "rates": 1e37, "epochs": 20}
    arms = [{"name": "wild", "training": wild}, {"name": "fine"}]
    with np.errstate(all="ignore"):
        tally = conduct(sweep_of(arms=arms, cross={}, seeds=[0]), Store(tmp_path), executor=Here())
    assert tally == Tally(1, 0, 1, 0)


def test_workers_that_die_or_cannot_begin_while_they_warm_up():
    class Broken(Here):
        def __init__(self, error):
            self.error = error

        def once_per_machine(self, function, *args):
            raise self.error

    warming.warm_up(Broken(BrokenProcessPool("terminated abruptly")), [])
    with pytest.raises(WorkersError, match="No module named 'dendrosim'"):
        warming.warm_up(Broken(ModuleNotFoundError("No module named 'dendrosim'")), [])
    with pytest.raises(ParameterError, match="odd"):
        warming.warm_up(Broken(ParameterError("odd")), [])


def test_settings_that_differ_in_numbers_are_of_one_kind():
    base = {"training": {"rates": 0.1, "epochs": 3}, "network": {"cells": [3, 4], "gates": True, "decoder": "linear"}}
    same = {"training": {"rates": 1, "epochs": 9}, "network": {"cells": [5, 1], "gates": True, "decoder": "linear"}}
    assert kind(base) == kind(same)
    for changed in ({"cells": [3]}, {"gates": False}, {"decoder": "mlp"}, {"cells": [3, 0]}):
        assert kind(base | {"network": base["network"] | changed}) != kind(base)


def test_one_order_of_each_kind_is_tried():
    sweep = sweep_of(cross={"network": {"hidden": [3, 4]}, "training": {"optimiser": ["sgd", "adam"]}})
    found = kinds(Order("small", point.job, Path("x.h5")) for point in sweep)
    assert [order.job.arm.name for order in found] == ["small, 3, sgd", "small, 3, adam"]


def test_a_little_of_each_is_trained_and_nothing_that_is_finished(tmp_path, monkeypatch):
    tasted, works = [], warming.train

    def train(network, task, **options):
        tasted.append((len(task.x_train), options["seed"]))
        run = works(network, task, **options)
        assert run.epochs == 1
        return run

    monkeypatch.setattr(warming, "train", train)
    arms = [{"name": "few"}, {"name": "all", "task": {"subset": {"n_train": 500}}, "training": {"validation": 100}}]
    sweep, store = sweep_of(arms=arms, cross={}), Store(tmp_path)
    conduct(sweep, store, executor=Here())
    # 400 samples to learn from in batches of 32: two of them, the 16 that are left over, and 100 to validate on
    assert tasted == [(60, 0), (180, 0)]
    tasted.clear()
    conduct(sweep, store, executor=Here(), resume=True)
    assert tasted == []


def test_two_clients_share_a_sweep(tmp_path):
    sweep, store = sweep_of(seeds=list(range(6))), Store(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(conduct, sweep, store, executor=Here(), resume=True) for _ in range(2)]
        tallies = [one.result(timeout=300) for one in both]
    assert sum(tally.finished for tally in tallies) == 12
    assert all(tally.finished + tally.kept == 12 for tally in tallies)
    assert len(store.finished()) == 12


def test_runs_of_another_version_are_not_computed(tmp_path, monkeypatch):
    sweep = sweep_of()
    changed = replace(sweep, points=tuple(replace(point, identity="0" * 31 + str(i)) for i, point in enumerate(sweep)))
    with pytest.raises(ds.errors.DendrosimError, match="would compute another run"):
        conduct(changed, Store(tmp_path), executor=Here())
    monkeypatch.setattr(conducting, "warm_up", lambda crew, orders: None)
    tally = conduct(changed, Store(tmp_path), executor=Here())
    assert (tally.finished, tally.left) == (0, 6)
    assert "would compute another run" in tally.why


class Elsewhere(Here):
    """Does its jobs in another folder, as workers do that were started there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def submit(self, fn, /, *args, **kwargs) -> Future:
        with contextlib.chdir(self.folder):
            return super().submit(fn, *args, **kwargs)


def test_the_folder_of_the_store_is_that_of_whoever_asks(tmp_path, monkeypatch):
    mine, others = tmp_path / "mine", tmp_path / "others"
    mine.mkdir()
    others.mkdir()
    monkeypatch.chdir(mine)
    sweep = sweep_of(seeds=[0], cross={})
    assert conduct(sweep, Store("store"), executor=Elsewhere(others)).finished == 1
    assert Store(mine / "store").finished() == {sweep.points[0].identity}
    assert not list(others.iterdir())
