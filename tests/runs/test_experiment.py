"""Experiment files: what they may say, what is laid over what, and what is refused with a hint."""

from __future__ import annotations

import pytest

from dendrosim.errors import ParameterError
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.overrides import merged, parsed
from dendrosim.runs.shipped import shipped_experiments

BASE = """
description = "small"
seeds = [0, 1]
[task]
name = "digits"
[network]
cells = [10]
[teaching]
name = "per_soma"
scope = "tree"
[training]
epochs = 2
rates = { synapses = 1e-3 }
"""
ARMS = """
[[arms]]
name = "one"
[[arms]]
name = "two"
teaching = { scope = "soma" }
training = { rates = { couplings = 1e-4 } }
[[arms]]
name = "three"
teaching = { name = "scalar" }
"""
CROSS = """
[cross]
network.integration = ["shunting", "additive"]
network.cells = [[5], [6, 7]]
"""


@pytest.fixture
def load(tmp_path):
    def write(text: str, *settings: str) -> Experiment:
        path = tmp_path / "small.toml"
        path.write_text(text, encoding="utf-8")
        return Experiment.load(path, settings=settings)

    return write


def test_without_arms_the_experiment_is_its_own(load):
    experiment = load(BASE)
    assert (experiment.name, experiment.description, experiment.seeds) == ("small", "small", (0, 1))
    (arm,) = experiment.arms
    assert arm.name == "small"
    assert arm.settings["training"] == {"epochs": 2, "rates": {"synapses": 1e-3}}
    assert [(job.arm.name, job.seed, job.file) for job in experiment.jobs()] == [
        ("small", 0, "small/seed-0.h5"),
        ("small", 1, "small/seed-1.h5"),
    ]


def test_arms_are_laid_over_the_rest(load):
    one, two, three = load(BASE + ARMS).arms
    assert one.settings["teaching"] == {"name": "per_soma", "scope": "tree"}
    assert two.settings["teaching"] == {"name": "per_soma", "scope": "soma"}
    assert two.settings["training"]["rates"] == {"synapses": 1e-3, "couplings": 1e-4}
    # another teaching signal has other options: none are left over
    assert three.settings["teaching"] == {"name": "scalar"}
    assert one.settings["training"]["rates"] == {"synapses": 1e-3}


def test_crossed_settings_multiply_arms(load):
    arms = load(BASE + ARMS + CROSS).arms
    assert len(arms) == 12
    assert arms[1].name == "one, shunting, [6, 7]"
    assert arms[1].own == "one"
    assert arms[1].factors == {"network.integration": "shunting", "network.cells": [6, 7]}
    assert arms[1].settings["network"] == {"cells": [6, 7], "integration": "shunting"}
    assert [arm.number for arm in arms] == list(range(12))
    assert len({arm.folder for arm in arms}) == 12


def test_settings_from_outside_win_over_arms(load):
    one, two = load(BASE + ARMS, "training.rates.couplings=0.5", "seeds=[7]", "teaching.scope=tree").arms[:2]
    assert two.settings["training"]["rates"] == {"synapses": 1e-3, "couplings": 0.5}
    assert one.settings["teaching"]["scope"] == two.settings["teaching"]["scope"] == "tree"
    assert load(BASE, "seeds=[7]").seeds == (7,)


def test_jobs_are_chosen_by_arm_and_seed(load):
    experiment = load(BASE + ARMS + CROSS)
    names = {job.arm.own for job in experiment.jobs(arms=["one", "three"], seeds=[5])}
    assert names == {"one", "three"}
    assert [job.seed for job in experiment.jobs(arms=["two, additive, [5]"], seeds=[5, 3])] == [5, 3]
    with pytest.raises(ParameterError, match="--arms: 'twoo' is not known; did you mean 'two'"):
        experiment.jobs(arms=["twoo"])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a.b=3"], {"a": {"b": 3}}),
        (["a.b = 3.5", "a.c=true"], {"a": {"b": 3.5, "c": True}}),
        (["a=word"], {"a": "word"}),
        (["a='two words'"], {"a": "two words"}),
        (['a={name="x"}', "a.n=[1, 2]"], {"a": {"name": "x", "n": [1, 2]}}),
        (["a.b=1", "a.b=2"], {"a": {"b": 2}}),
        (["a=5F+path"], {"a": "5F+path"}),
    ],
)
def test_settings_are_read_as_toml(texts, expected):
    assert parsed(texts) == expected


@pytest.mark.parametrize("text", ["a", "=3", "a=", "a..b=3", "a b=3", "a=[1", "a=two words"])
def test_settings_that_cannot_be_read(text):
    with pytest.raises(ParameterError, match=r"--set .* (cannot be read|is not TOML)"):
        parsed([text])


def test_merging_leaves_what_it_is_given_alone():
    base, over = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(base, over) == {"a": {"b": 1, "c": 2}}
    assert (base, over) == ({"a": {"b": 1}}, {"a": {"c": 2}})
    kinds = merged({"n": {"cells": [3]}}, {"n": {"kind": "point_mlp"}})
    assert kinds == {"n": {"kind": "point_mlp"}}
    assert merged({"n": {"cells": [3]}}, {"n": {"kind": "dendritic"}}) == {"n": {"cells": [3], "kind": "dendritic"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epochs = 2", "epoch = 2"), r"\[training\]: 'epoch' is not known; did you mean 'epochs'\?"),
        (("epochs = 2", "epochs = 'two'"), r"\[training\] epochs = 'two' is text; it must be a whole number"),
        (("epochs = 2", "epochs = true"), r"\[training\] epochs = True is true or false; it must be a whole number"),
        (("epochs = 2", "patience = true"), r"patience = True is .*; it must be a whole number or false"),
        (("cells = [10]", "cells = 10"), r"\[network\] cells = 10 is a whole number; it must be a list of whole"),
        (("cells = [10]", "cels = [10]"), r"\[network\]: 'cels' is not known; did you mean 'cells'\?"),
        (("cells = [10]", "kind = 'point-mlp'"), r"kind: 'point-mlp' is not known; did you mean 'point_mlp'\?"),
        (("cells = [10]", "kind = 'point_mlp'\ncells = [10]"), r"'cells' is not known.*valid: kind, hidden"),
        (("[training]", "[traning]"), r"top level: 'traning' is not known; did you mean 'training'\?"),
        (('name = "digits"', "seed = 1"), r"\[task\] has no name"),
        (('name = "per_soma"', ""), r"\[teaching\] has no name"),
        (("seeds = [0, 1]", "seeds = 3"), r"seeds = 3 is a whole number"),
        (("seeds = [0, 1]", "seeds = [1, 1]"), r"seeds = \[1, 1\] must be different"),
        (("seeds = [0, 1]", "seeds = [-1]"), r"seeds = \[-1\] must be different whole numbers, 0 or more"),
        (("epochs = 2", "epochs = "), "is no TOML file: .*line 12"),
        (('name = "digits"', "name = 3"), r"\[task\] name = 3 is a whole number; it must be text"),
        (
            ('name = "digits"', 'name = "digits"\nsubset = { train = 5 }'),
            r"\[task.subset\]: 'train' is not known; did you mean 'n_train'\?",
        ),
    ],
)
def test_slips_are_refused_with_a_hint(load, change, message):
    text = BASE.replace(*change)
    assert text != BASE
    with pytest.raises(ParameterError, match=rf"(?s)small\.toml.*{message}"):
        load(text)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("[[arms]]\nteaching = { name = 'scalar' }", "arm 1 has no name"),
        ("[[arms]]\nname = 'a'\nseeds = [1]", "arm 'a': 'seeds' is not known"),
        ("[[arms]]\nname = 'a'\n[[arms]]\nname = 'A'", "arms 'a' and 'A' would share a folder"),
        ("[[arms]]\nname = 'a'\ntraining = { epoch = 1 }", r"did you mean 'epochs'.*; in arm 'a'"),
        (
            "[cross]\nnetwork.integration = 'additive'",
            r"\[cross\] network.integration = 'additive' must be a list of two",
        ),
        ("[cross]\nnetwork.integraton = ['shunting', 'additive']", "did you mean 'integration'"),
    ],
)
def test_slips_in_arms_are_refused(load, more, message):
    with pytest.raises(ParameterError, match=rf"(?s){message}"):
        load(BASE + more)


def test_arms_cannot_be_set_from_outside(load):
    with pytest.raises(ParameterError, match="arms cannot be set from outside; choose among arms with --arms"):
        load(BASE, "arms=[{name='a'}]")


def test_every_shipped_experiment_is_valid():
    known = shipped_experiments()
    assert {"digits", "headline_mnist"} <= set(known)
    for name in known:
        experiment = Experiment.load(name)
        assert experiment.description
        assert experiment.jobs()


def test_unknown_experiments_list_what_there_is(tmp_path):
    with pytest.raises(
        ParameterError, match=r"'digit' is not known; did you mean 'digits'\? \(valid: .*headline_mnist"
    ):
        Experiment.load("digit")
    with pytest.raises(ParameterError, match=r"is a folder; give a \.toml file"):
        Experiment.load(tmp_path)
