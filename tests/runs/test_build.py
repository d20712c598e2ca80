"""Tasks in memory: none is loaded twice while there is room."""

from __future__ import annotations

import pytest

import dendrosim as ds
from dendrosim.runs import build


@pytest.fixture
def loaded(monkeypatch):
    names = []
    monkeypatch.setattr(build, "_TASKS", {})
    monkeypatch.setattr(
        build, "load", lambda name, seed, **options: names.append(seed) or ds.tasks.load(name, seed, **options)
    )
    return names


def task(seed: int) -> ds.tasks.Task:
    return build.task_of({"name": "digits", "seed": seed})


def test_tasks_are_kept_while_there_is_room(loaded):
    first = [task(seed) for seed in (0, 1, 2, 3)]
    assert [task(seed) for seed in (3, 0, 2, 1)] == [first[seed] for seed in (3, 0, 2, 1)]
    assert loaded == [0, 1, 2, 3]
    assert build.task_of({"seed": 3, "name": "digits"}) is first[3]


def test_those_that_were_not_asked_for_longest_make_room(loaded, monkeypatch):
    size = 1797 * 64 * 4
    monkeypatch.setattr(build, "_ROOM", 3 * size)
    for seed in (0, 1, 2, 0, 3):
        task(seed)
    assert loaded == [0, 1, 2, 3]
    assert [task(seed).seed for seed in (0, 2, 3)] == [0, 2, 3]
    assert loaded == [0, 1, 2, 3]
    task(1)
    assert loaded == [0, 1, 2, 3, 1]


def test_two_are_kept_whatever_their_size(loaded, monkeypatch):
    monkeypatch.setattr(build, "_ROOM", 0)
    for seed in (0, 1, 0, 1, 2, 1):
        task(seed)
    assert loaded == [0, 1, 2]
