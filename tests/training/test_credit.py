"""Records of credits while training: what they hold, when they are made, and that they leave no trace."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.diagnostics.credit_of import credit_fidelity
from dendrosim.errors import ParameterError
from dendrosim.hdf5 import read_hdf5, write_hdf5
from dendrosim.teaching import TEACHING
from dendrosim.training.callbacks import Moment, Record
from dendrosim.training.checkpoint import Checkpoint
from dendrosim.training.credit import RecordCredit
from dendrosim.training.run import Run
from dendrosim.training.train import train

from . import toy

NEEDED = {"degraded": {"teaching": "per_soma", "noise": 0.1}, "low_rank": {"rank": 2}}
MODELS = pytest.mark.parametrize("make", [toy.dendritic, toy.mlp])


def go(make=toy.dendritic, **options):
    given = {"teaching": "dfa", "epochs": 3, "batch_size": 16, "threads": 1, **options}
    return train(make(), toy.task(), **given)


@MODELS
def test_training_with_an_estimate_keeps_a_record_of_every_epoch(make):
    run = go(make)
    record = run.records["credit"]
    layers = len(set(record["layer"].tolist()))
    np.testing.assert_array_equal(record["epoch"], np.repeat([0.0, 1, 2, 3], layers))
    np.testing.assert_array_equal(record["passes"], np.repeat([0.0, 5, 10, 15], layers))  # 72 samples, batches of 16
    for name in ("cosine", "norm_ratio", "sign_agreement", "decorrelation", "mean_square", "identity"):
        assert np.isfinite(record[name]).all()
    assert record["layer"].tolist()[:layers][-1] == "all"


@pytest.mark.parametrize("teaching", ["exact", "decoder_only"])
@MODELS
def test_what_estimates_nothing_has_no_record(make, teaching):
    assert "credit" not in go(make, teaching=teaching).records


def test_the_last_rows_are_those_of_the_trained_network():
    run = go(restore_best=False, validation=0, callbacks=[RecordCredit(samples=1000)])
    task, record = toy.task(), run.records["credit"]
    feedback = {}

    def keep(moment):
        feedback.update(moment.learner.state())
        return 0.0

    go(restore_best=False, validation=0, callbacks=[Record(keep)])
    report = credit_fidelity(run.network, task.x_train, task.y_train, teaching="dfa", state=feedback)
    for name in ("cosine", "norm_ratio", "mean_square"):
        np.testing.assert_allclose(record[name][-3:], report.table[name], rtol=1e-5)
    assert record["identity"][-1] == pytest.approx(report.identity, rel=1e-4)


@pytest.mark.parametrize("name", [name for name, kind in TEACHING.items() if kind.estimates])
def test_it_leaves_no_trace_in_training(name):
    """Neither in the network nor in what any teaching signal has learned or will draw."""
    teaching, states = {"name": name, **NEEDED.get(name, {})}, []

    def keep(moment):
        states.append(moment.learner.state())
        return 0.0

    often, never = (
        go(teaching=teaching, loss="mse", callbacks=[RecordCredit(every), Record(keep, every=100)])
        for every in (1, 100)
    )
    assert toy.same(often.network.state(), never.network.state())
    np.testing.assert_array_equal(np.unique(never.records["credit"]["epoch"]), [0, 3])
    assert toy.same(states[1], states[3])


def test_one_that_is_given_takes_the_place_of_the_usual_one():
    record = go(epochs=4, callbacks=[RecordCredit(every=2, samples=20)]).records["credit"]
    np.testing.assert_array_equal(np.unique(record["epoch"]), [0, 2, 4])
    assert go(callbacks=[Record(lambda moment: 1.0, name="credit")]).records["credit"].keys() == {"epoch", "value"}


class Interrupted(Exception):
    pass


def test_a_resumed_training_has_the_record_of_an_uninterrupted_one(tmp_path):
    whole = go(epochs=4)

    def interrupt(moment):
        if moment.epoch == 2 and not done:
            done.append(True)
            raise Interrupted
        return 0.0

    done, checkpoint = [], Checkpoint(tmp_path / "c.h5", epochs=1)
    given = {"epochs": 4, "checkpoint": checkpoint, "resume": True}
    with pytest.raises(Interrupted):
        go(callbacks=[Record(interrupt, name="interrupt")], **given)
    resumed = go(callbacks=[Record(interrupt, name="interrupt")], **given)
    assert toy.same(whole.records["credit"], resumed.records["credit"])
    again = go(callbacks=[Record(interrupt, name="interrupt")], **given)  # nothing is left to do
    assert toy.same(whole.records["credit"], again.records["credit"])


def test_a_saved_run_has_its_record(tmp_path):
    run = go()
    found = Run.load(run.save(tmp_path / "run.h5")).records["credit"]
    assert found.keys() == run.records["credit"].keys()
    np.testing.assert_array_equal(found["cosine"], run.records["credit"]["cosine"])


class Talking:
    """A learner whose teaching signal says more the second time."""

    def __init__(self, learner):
        self.learner, self.metrics = learner, {}
        learner.teaching.metrics = lambda lesson: self.metrics


def test_what_the_teaching_says_is_kept_by_layer_and_missing_before(tmp_path):
    from dendrosim.plasticity.learner import Learner

    network, task = toy.dendritic(), toy.task()
    talking = Talking(Learner(network, "dfa"))
    rows = np.arange(len(task.x_train))
    record = RecordCredit()
    for epoch, says in enumerate(({"entropy": 2.0}, {"entropy": 3.0, "J/layer1/stage 1": 0.5, "J/all": 0.25})):
        talking.metrics = says
        record.on_epoch(Moment(epoch, 2, talking.learner, task, rows, rows[:0], {}))
    found = record.results()
    np.testing.assert_array_equal(found["entropy"], [2, 2, 2, 3, 3, 3])
    np.testing.assert_array_equal(found["J"], [np.nan, np.nan, np.nan, np.nan, 0.5, 0.25])
    write_hdf5(tmp_path / "r.h5", {"record": found}, {})
    restored = RecordCredit()
    restored.restore(read_hdf5(tmp_path / "r.h5")[0]["record"])
    assert restored.results()["layer"].tolist() == found["layer"].tolist()
    restored.on_epoch(Moment(2, 2, talking.learner, task, rows, rows[:0], {}))
    assert restored.results()["layer"].tolist()[-3:] == found["layer"].tolist()[-3:]


@pytest.mark.parametrize("options", [{"every": 0}, {"samples": 0}])
def test_impossible_options(options):
    with pytest.raises(ParameterError, match="impossible"):
        RecordCredit(**options)
