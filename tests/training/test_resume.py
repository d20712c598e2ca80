"""Interrupted trainings go on as if nothing had happened, bit for bit; foreign checkpoints are refused."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from dendrosim.errors import FileFormatError, ParameterError, TrainingError
from dendrosim.hdf5 import read_hdf5, write_hdf5
from dendrosim.plasticity.learner import Learner
from dendrosim.plasticity.neuron import NeuronLearner
from dendrosim.plasticity.point import PointLearner
from dendrosim.training.callbacks import Record
from dendrosim.training.checkpoint import Checkpoint
from dendrosim.training.fidelity import RecordFidelity
from dendrosim.training.train import train

from . import toy

NOISY = {"name": "degraded", "teaching": "per_soma", "noise": 0.1}
CASES = {
    "mlp": (toy.mlp, PointLearner, {"teaching": "exact", "clip_norm": 1.0}),
    "momentum": (toy.mlp, PointLearner, {"teaching": "exact", "optimiser": "momentum", "schedule": "cosine"}),
    "deep": (toy.deep, PointLearner, {"teaching": {"name": "sbd", "decay": 0.9}, "rates": {"hidden": 1e-2}}),
    "dendritic": (toy.dendritic, Learner, {"rule": "5F", "teaching": NOISY}),
    "random": (toy.dendritic, Learner, {"teaching": "dfa", "rates": 0.05, "schedule": {"name": "step", "every": 2}}),
    "neurons": (toy.neurons, NeuronLearner, {"teaching": {"name": "vnc", "eta": 0.5}}),
}
cases = pytest.mark.parametrize("case", CASES)


def go(case: str, **options):
    make, _, given = CASES[case]
    record = Record(lambda m: len(m.history.get("train_loss", [])), every=2)
    given = {"epochs": 5, "batch_size": 16, "threads": 1, "callbacks": [record], **given, **options}
    return train(make(), toy.task(), **given)


def assert_same(run, other):
    assert toy.same(run.network.state(), other.network.state())
    assert run.history.keys() == other.history.keys()
    for name in set(run.history) - {"seconds"}:
        np.testing.assert_array_equal(run.history[name], other.history[name])
    assert (run.test_loss, run.best_epoch) == (other.test_loss, other.best_epoch)
    for name in run.records:
        assert toy.same(run.records[name], other.records[name])


class Broken(Exception):
    pass


@pytest.fixture
def after_steps(monkeypatch):
    """Make something happen in a given step of a learner."""

    def arrange(case: str, step: int, happen):
        learner = CASES[case][1]
        true, count = learner.advance, [0]

        def counted(self, x, y):
            count[0] += 1
            if count[0] == step:
                happen()
            return true(self, x, y)

        monkeypatch.setattr(learner, "advance", counted)

    return arrange


def breaks():
    raise Broken


@cases
@pytest.mark.parametrize("every", [{"epochs": 1}, {"epochs": 2}, {"seconds": 1e-9}])
@pytest.mark.parametrize("step", [4, 13])
def test_after_a_crash_in_the_middle_of_an_epoch(case, every, step, tmp_path, after_steps):
    checkpoint, whole = Checkpoint(tmp_path / "c.h5", **every), go(case)
    after_steps(case, step, breaks)
    with pytest.raises(Broken):
        go(case, checkpoint=checkpoint)
    assert_same(go(case, checkpoint=checkpoint, resume=True), whole)


@cases
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_a_signal(case, number, tmp_path, after_steps):
    class Terminated(BaseException):
        pass

    def terminated(*_):
        raise Terminated

    path, whole = tmp_path / "c.h5", go(case)
    before = signal.signal(signal.SIGTERM, terminated)
    # shells start background jobs with SIGINT ignored, and Python then leaves it so
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        after_steps(case, 8, lambda: signal.raise_signal(number))
        with pytest.raises(KeyboardInterrupt if number == signal.SIGINT else Terminated):
            go(case, checkpoint=path)
        assert signal.getsignal(signal.SIGTERM) is terminated
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)
    content, _ = read_hdf5(path)
    assert (int(content["position"]["epoch"]), int(content["position"]["batch"])) == (1, 3)  # five batches per epoch
    assert_same(go(case, checkpoint=path, resume=True), whole)


def test_fidelity_is_followed_through_interruptions(tmp_path, after_steps):
    options = {"callbacks": [RecordFidelity(every=2, samples=20)]}
    whole = go("dendritic", **options)
    after_steps("dendritic", 13, breaks)
    path = tmp_path / "c.h5"
    with pytest.raises(Broken):
        go("dendritic", checkpoint=Checkpoint(path, epochs=1), callbacks=[RecordFidelity(every=2, samples=20)])
    again = go("dendritic", checkpoint=path, resume=True, callbacks=[RecordFidelity(every=2, samples=20)])
    assert toy.same(again.records["fidelity"], whole.records["fidelity"])


def test_without_a_checkpoint_to_resume_training_begins_anew(tmp_path):
    assert_same(go("mlp", checkpoint=tmp_path / "c.h5", resume=True), go("mlp"))


def test_a_finished_training_is_not_done_again(tmp_path, after_steps):
    path = tmp_path / "c.h5"
    whole = go("mlp", checkpoint=path)
    after_steps("mlp", 1, breaks)
    assert_same(go("mlp", checkpoint=path, resume=True), whole)


def test_a_finished_training_can_be_continued(tmp_path):
    path = tmp_path / "c.h5"
    go("mlp", epochs=3, checkpoint=path, callbacks=[])
    assert_same(go("mlp", epochs=6, checkpoint=path, resume=True, callbacks=[]), go("mlp", epochs=6, callbacks=[]))


def test_the_end_of_a_cosine_cannot_be_moved(tmp_path):
    path = tmp_path / "c.h5"
    go("momentum", epochs=3, checkpoint=path)
    with pytest.raises(TrainingError, match=r"training\.epochs was 3 and is 6"):
        go("momentum", epochs=6, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 1}, r"training\.seed was 0 and is 1"),
        ({"batch_size": 8}, r"training\.batch_size was 16 and is 8"),
        ({"rates": 0.1}, r"training\.rates\.hidden was 0\.001 and is 0\.1"),
        ({"teaching": "decoder_only"}, r"teaching\.name was 'exact' and is 'decoder_only'"),
        ({"callbacks": []}, r"training\.callbacks was \['record'\] and is \[\]"),
    ],
)
def test_the_checkpoint_of_another_configuration_is_refused(options, message, tmp_path):
    path = tmp_path / "c.h5"
    go("mlp", checkpoint=path)
    with pytest.raises(TrainingError, match=message):
        go("mlp", checkpoint=path, resume=True, **options)


def test_the_checkpoint_of_other_data_or_another_network_is_refused(tmp_path):
    path = tmp_path / "c.h5"
    train(toy.mlp(), toy.task(), teaching="exact", epochs=1, checkpoint=path)
    with pytest.raises(TrainingError, match=r"task\.hash was"):
        train(toy.mlp(), toy.task(seed=1), teaching="exact", epochs=1, checkpoint=path, resume=True)
    with pytest.raises(TrainingError, match=r"network\.seed was 0 and is 1"):
        train(toy.mlp(seed=1), toy.task(), teaching="exact", epochs=1, checkpoint=path, resume=True)


def test_an_unfinished_training_is_not_lost_by_starting_over(tmp_path, after_steps):
    path = tmp_path / "c.h5"
    after_steps("mlp", 13, breaks)
    with pytest.raises(Broken):
        go("mlp", checkpoint=Checkpoint(path, epochs=1))
    with pytest.raises(ParameterError, match=r"not finished \(epoch 2\); resume=True continues it"):
        go("mlp", checkpoint=path)


def test_other_files_are_neither_read_nor_overwritten(tmp_path):
    path = write_hdf5(tmp_path / "other.h5", {"a": np.ones(3)}, {"kind": "demo"})
    with pytest.raises(FileFormatError, match="holds 'demo', not a checkpoint"):
        go("mlp", checkpoint=path, resume=True)
    with pytest.raises(ParameterError, match="exists and is no checkpoint"):
        go("mlp", checkpoint=path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs between checkpoints=0"),
        ({"seconds": 0}, "seconds between checkpoints=0"),
        ({"path": 3}, "checkpoint=3 must be a path"),
    ],
)
def test_impossible_checkpoints(options, message, tmp_path):
    with pytest.raises(ParameterError, match=message):
        Checkpoint(**{"path": tmp_path / "c.h5", **options})


@pytest.mark.parametrize("damage", ["seconds missing", "empty", "of two axes"])
def test_a_damaged_history_is_refused(tmp_path, damage):
    path = tmp_path / "c.h5"
    go("mlp", epochs=3, checkpoint=path)
    content, attributes = read_hdf5(path)
    if damage == "seconds missing":
        del content["history"]["seconds"]
    elif damage == "empty":
        content["history"] = {}
    else:
        content["history"]["seconds"] = np.ones((3, 1))
    write_hdf5(path, content, attributes)
    with pytest.raises(FileFormatError, match="no whole checkpoint"):
        go("mlp", epochs=3, checkpoint=path, resume=True)
