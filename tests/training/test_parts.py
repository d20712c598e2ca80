"""Batches, schedules, scores, callbacks: each by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import log_softmax

from dendrosim.errors import ParameterError
from dendrosim.tasks.task import Task
from dendrosim.training.batches import Batches
from dendrosim.training.callbacks import Moment, Record, checked
from dendrosim.training.evaluate import evaluate
from dendrosim.training.schedules import Cosine, Step, schedule

from . import toy


def numbered(n: int = 50) -> Task:
    """Inputs that say which row they are."""
    x = np.arange(n, dtype=np.float32)[:, None] * np.ones(3, np.float32)
    return Task.from_arrays("rows", x, np.arange(n) % 2, x[:4], np.arange(4) % 2)


def batches(rows=None, size: int = 8, seed: int = 0, task: Task | None = None) -> Batches:
    task = task or numbered()
    return Batches(task, task.x_train, np.arange(50) if rows is None else rows, size, seed)


def listed(made: Batches, *arguments: int) -> list[tuple[list[float], list[int]]]:
    return [(x[:, 0].tolist(), y.tolist()) for x, y in made.epoch(*arguments)]


def test_every_row_comes_once_per_epoch_with_its_class():
    rows = np.arange(3, 45)
    found = listed(batches(rows), 0)
    assert [len(x) for x, _ in found] == [8, 8, 8, 8, 8, 2]
    every = [int(i) for x, _ in found for i in x]
    assert sorted(every) == rows.tolist()
    assert [i % 2 for i in every] == [label for _, y in found for label in y]


def test_the_order_is_that_of_seed_and_epoch():
    assert listed(batches(), 0) == listed(batches(), 0)
    assert listed(batches(), 0) != listed(batches(), 1)
    assert listed(batches(), 0) != listed(batches(seed=1), 0)


def test_an_epoch_can_be_entered_anywhere():
    assert listed(batches(), 2, 3) == listed(batches(), 2)[3:]
    assert listed(batches(), 2, 7) == []


def test_a_batch_is_no_larger_than_what_there_is():
    made = batches(np.arange(5), size=256)
    assert len(made) == 1
    assert len(listed(made, 0)[0][0]) == 5


def test_transforms_are_drawn_anew_and_reproducibly():
    x = np.random.default_rng(0).random((50, 4, 4)).astype(np.float32)
    task = Task.from_arrays("images", x, np.arange(50) % 2, x, np.arange(50) % 2).augmented(shift=1)
    made = Batches(task, task.x_train, np.arange(50), 16, 0)
    first, again, second = ([x.copy() for x, _ in made.epoch(e)] for e in (0, 0, 1))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    rest = [x.copy() for x, _ in made.epoch(0, 2)]
    assert all((a == b).all() for a, b in zip(first[2:], rest, strict=True))
    assert not np.isin(np.concatenate(second).sum(axis=1), task.x_train.sum(axis=1)).all()


def test_schedules_follow_their_formulas():
    assert schedule("constant").factor(7.5, 10) == 1.0
    cosine = Cosine(floor=0.1, warmup=2.0)
    assert [cosine.factor(e, 10) for e in (0.0, 1.0, 2.0, 6.0, 10.0)] == pytest.approx([0.0, 0.5, 1.0, 0.55, 0.1])
    assert Cosine().factor(2.5, 10) == pytest.approx(0.5 * (1 + math.cos(math.pi / 4)))
    assert [Step(3, by=0.5).factor(e, 10) for e in (0.0, 2.99, 3.0, 6.0)] == [1.0, 1.0, 0.5, 0.25]
    assert schedule({"name": "step", "every": 2, "by": 0.1}).factor(5, 9) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("linear", "schedule='linear' is not known; valid: 'constant', 'cosine', 'step'"),
        ("step", "needs the option 'every'"),
        ({"name": "cosine", "flor": 0.1}, "no option 'flor'; valid: floor, warmup"),
        ({"floor": 0.1}, "needs 'name'"),
        (3, "schedule=3 must be a name"),
        ({"name": "cosine", "floor": 2}, "floor=2"),
    ],
)
def test_impossible_schedules(given, message):
    with pytest.raises(ParameterError, match=message):
        schedule(given)


def test_the_score_is_that_of_the_softmax():
    network, task = toy.mlp(dtype="float64"), toy.task()
    logits = network.predict(task.x_test)
    expected = -log_softmax(logits, axis=1)[np.arange(len(logits)), task.y_test].mean()
    score = evaluate(network, task.x_test, task.y_test)
    assert score.loss == pytest.approx(expected, rel=1e-12)
    assert score.accuracy == np.mean(logits.argmax(1) == task.y_test)


def moment(epoch: int) -> Moment:
    return Moment(epoch, 5, None, toy.task(), np.arange(3), np.arange(0), {})


def test_a_record_keeps_what_its_function_returns():
    one, several = Record(lambda m: m.epoch**2), Record(lambda m: {"a": m.epoch, "b": 1}, name="several")
    for epoch in (0, 2, 3):
        one.on_epoch(moment(epoch))
        several.on_epoch(moment(epoch))
    assert {key: values.tolist() for key, values in one.results().items()} == {"epoch": [0, 2, 3], "value": [0, 4, 9]}
    again = Record(lambda m: {"a": 0, "b": 0}, name="several")
    again.restore(several.state())
    again.on_epoch(moment(5))
    assert again.results()["a"].tolist() == [0, 2, 3, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Record(3), "function=3 must be a function"),
        (lambda: Record(lambda m: "x").on_epoch(moment(0)), "record: value='x' is not a number"),
        (lambda: Record(lambda m: 1, every=0), "every=0"),
        (lambda: checked([print]), "must be a Callback"),
        (lambda: checked([Record(abs), Record(abs)]), "two callbacks are called 'record'"),
    ],
)
def test_impossible_callbacks(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_a_record_whose_keys_change_is_refused():
    record = Record(lambda m: {"ab"[m.epoch]: 1.0})
    record.on_epoch(moment(0))
    with pytest.raises(ParameterError, match=r"returned \['b'\], and \['a'\] before"):
        record.on_epoch(moment(1))
