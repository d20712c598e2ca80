"""Answers, records and locks with something wrong in them, wherever it is: an answer, or one clear error."""

from __future__ import annotations

import copy
import json
import random
import warnings
from pathlib import Path

import pytest

import dendrosim as ds
from dendrosim.errors import DendrosimError, MorphologyWarning

nmo = ds.neuromorpho
ODD = [None, True, 0, -1, 1e400, 2**70, 10**4000, "", " ", "\ud800", "\u202e", "\0", "a" * 300, "../x", ".", [], {},
       [[]], [None], {"a": 1}, json.loads("[" * 200 + "]" * 200), "neuron_id ", "con", "\x1b[2J"]  # fmt: skip


def mutated(value, rng):
    """The same with one part replaced, taken away or added."""
    if isinstance(value, dict | list) and value and rng.random() < 0.85:
        made = copy.copy(value)
        key = rng.choice(list(made) if isinstance(made, dict) else range(len(made)))
        if rng.random() < 0.15:
            del made[key]
        elif isinstance(made, dict) and rng.random() < 0.15:
            made[f"{key} "] = rng.choice(ODD)
        else:
            made[key] = mutated(made[key], rng)
        return made
    return rng.choice(ODD)


def tried(*calls) -> int:
    """How many of the calls end in an error that is meant to be one."""
    told = []
    for call in calls:
        try:
            call()
        except (DendrosimError, OSError) as error:
            told.append(str(error))
    assert all(len(text) < 1000 and text.isprintable() for text in told)
    return len(told)


@pytest.mark.parametrize("seed", range(3))
def test_answers(archive, site, seed):
    rng, refused = random.Random(seed), 0
    page = {"_embedded": {"neuronResources": archive.neurons[:2]}, "page": {"totalElements": 2, "totalPages": 1}}
    for _ in range(25):
        site.answers["/api/neuron/name/cnic_001"] = json.dumps(mutated(archive.neurons[0], rng)).encode()
        site.answers["/api/neuron/select"] = json.dumps(mutated(page, rng)).encode()
        found = nmo.search(species="monkey")
        refused += tried(lambda: nmo.neuron("cnic_001")._repr_html_(), lambda: str(found), lambda: found._repr_html_())  # noqa: B023
    assert 0 < refused < 75


@pytest.mark.parametrize("seed", range(3))
def test_records_and_locks(archive, tmp_path, seed):
    rng, refused = random.Random(seed), 0
    lock = Path(nmo.lock(tmp_path / "cells.lock.json", ["cnic_001", "cnic_002"]))
    record = next(tmp_path.rglob("cnic_001.json"))
    known, locked = json.loads(record.read_text()), json.loads(lock.read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MorphologyWarning)
        for _ in range(25):
            record.write_text(json.dumps(mutated(known, rng)))
            lock.write_text(json.dumps(mutated(locked, rng)))
            refused += tried(
                lambda: [(one.path, one.is_whole) for one in nmo.cached()], lambda: nmo.load("cnic_001"),
                lambda: nmo.load("cnic_001", lock=lock), lambda: nmo.restore(lock),
            )  # fmt: skip
            record.write_text(json.dumps(known))
    assert 0 < refused < 100
