"""Sweeps: which runs a file asks for, in which order, and none twice."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.runs import identity as module
from dendrosim.runs.build import task_of
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.identity import configuration, identity
from dendrosim.runs.sweep import Point, Sweep

BASE = """
description = "small"
seeds = [0, 1]
[task]
name = "digits"
subset = { n_train = 100, n_test = 50 }
[network]
cells = [5]
branching = [2]
excitatory = 6
inhibitory = 3
[training]
epochs = 1
"""
ARMS = """
[[arms]]
name = "one"
[[arms]]
name = "two"
teaching = { name = "scalar" }
"""
DRAW = """
[draw]
n = 3
training.rates.synapses = { log_uniform = [1e-3, 1e-1] }
"""


@pytest.fixture
def load(tmp_path):
    def write(text: str, **options: object) -> Sweep:
        path = tmp_path / "small.toml"
        path.write_text(text, encoding="utf-8")
        return Sweep.load(path, **options)

    return write


def test_points_come_seed_by_seed_with_the_identities_of_their_runs(load):
    sweep = load(BASE + ARMS + DRAW)
    assert (sweep.name, sweep.description, len(sweep), sweep.n_duplicates) == ("small", "small", 12, 0)
    points = list(sweep)
    assert [point.seed for point in points] == [0] * 6 + [1] * 6
    names = [f"{own}, draw {i}" for own in ("one", "two") for i in (1, 2, 3)]
    assert [point.arm.name for point in points] == names * 2
    assert len({point.identity for point in points}) == 12
    data = ds.tasks.load("digits").subset(100, 50).hash
    for point in points:
        assert point.identity == identity(point.arm.settings, point.seed, data)
        assert point.configuration == configuration(point.arm.settings, point.seed, data)
        assert (point.job.arm, point.job.seed) == (point.arm, point.seed)
        assert point.names == (point.arm.name,)
    assert load(BASE + ARMS + DRAW) == sweep
    assert pickle.loads(pickle.dumps(sweep)) == sweep


def test_the_same_run_under_other_names_is_one_point(load):
    arms = """
[[arms]]
name = "one"
[[arms]]
name = "spelled out"
teaching = { name = "per_soma", scope = "tree" }
training = { batch_size = 256, threads = 2 }
[[arms]]
name = "another"
teaching = { name = "per_soma", scope = "soma" }
[cross]
training.clip_norm = [1, 1.0, 2]
"""
    with pytest.raises(ParameterError, match="would share a folder"):
        load(BASE + arms.replace("1.0", "1"))
    sweep = load(BASE + arms)
    assert sweep.n_duplicates == 2 * (3 * 3 - 4)
    assert [point.arm.name for point in sweep][:4] == ["one, 1", "one, 2", "another, 1", "another, 2"]
    assert sweep.points[0].names == ("one, 1", "one, 1.0", "spelled out, 1", "spelled out, 1.0")
    assert sweep.points[1].names == ("one, 2", "spelled out, 2")
    assert len({point.identity for point in sweep}) == len(sweep) == 8


def test_seeds_arms_and_settings_choose(load):
    whole = {(point.arm.name, point.seed): point.identity for point in load(BASE + ARMS + DRAW)}
    some = load(BASE + ARMS + DRAW, seeds=[1, 7], arms=["two"])
    assert [point.seed for point in some] == [1] * 3 + [7] * 3
    assert all(whole.get((p.arm.name, p.seed), p.identity) == p.identity for p in some)
    more = load(BASE + ARMS + DRAW, settings=["draw.n=5"])
    assert len(more) == 20
    assert set(whole.values()) < {point.identity for point in more}
    other = load(BASE + ARMS + DRAW, settings=["training.epochs=2"])
    assert not set(whole.values()) & {point.identity for point in other}


def test_a_file_over_another_asks_for_the_same_runs(load, tmp_path):
    (tmp_path / "below.toml").write_text(BASE + ARMS, encoding="utf-8")
    below = Sweep.load(tmp_path / "below.toml")
    above = load('experiment = "below.toml"\n[training]\nvalidation = 0.2\n')
    assert [point.identity for point in above] == [point.identity for point in below]


def test_every_task_is_loaded_once(load, monkeypatch):
    loaded = []
    monkeypatch.setattr(module, "task_of", lambda settings: loaded.append(settings["seed"]) or task_of(settings))
    module._data.cache_clear()
    sweep = load(BASE + ARMS + "[cross]\ntask.seed = [1, 2, 3, 4]\n")
    assert len(sweep) == 16
    assert loaded == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[cross]\nteaching = [{name = "scalar"}, {name = "per_soma", scop = "soma"}]',
            "arm 'small, per_soma': .*scop",
        ),
        ("[draw]\nn = 2\ntraining.rates.synapse = {uniform = [0, 1]}", "arm 'small, draw 1': .*synapse"),
        ("[draw]\nn = 9\nteaching = {choice = [{name = 'scalar'}, {name = 'scala'}]}", "arm 'small, draw .*scala'"),
        ("[list]\ntask.n_tests = [1, 2]", "arm 'small, point 1': task 'digits' has no option 'n_tests'"),
        ("[list]\ntraining.epoch = [1, 2]", "small.toml: .*did you mean 'epochs'"),
        ("[cross]\ntraining.decay = [0, -1]", "arm 'small, -1': .*must be >= 0"),
    ],
)
def test_what_is_impossible_is_found_before_anything_runs(load, text, message):
    with pytest.raises(ParameterError, match=message):
        load(f"{BASE}\n{text}")


def test_the_shipped_sweep_is_a_sweep():
    sweep = Sweep.load("sweep_digits")
    assert len(sweep) == 216
    assert sweep.n_duplicates == 0
    assert len({point.identity for point in sweep}) == 216
    drawn = {arm.factors["training.rates.synapses"] for arm in Experiment.load("sweep_digits").arms}
    assert len(drawn) == 8


def test_parts_are_disjoint_even_and_together_the_whole():
    digits = np.random.default_rng(0).integers(0, 16, (1000, 32))
    points = tuple(Point(None, 0, "".join(f"{digit:x}" for digit in row)) for row in digits)
    whole = Sweep("many", "", points)
    parts = [whole.part(number, 7) for number in range(1, 8)]
    assert sorted(one.identity for part in parts for one in part) == sorted(one.identity for one in whole)
    assert min(map(len, parts)) > 100
    assert [one.identity for one in parts[2]] == [one.identity for one in whole if one in parts[2].points]
    assert whole.part(1, 1) == whole


@pytest.mark.parametrize(("number", "parts"), [(0, 4), (5, 4), (1, 0), (True, 4), (1.0, 4)])
def test_parts_that_do_not_exist(number, parts):
    with pytest.raises(ParameterError, match=r"there is no part 5 of 4|must be a positive whole number"):
        Sweep("many", "", ()).part(number, parts)
