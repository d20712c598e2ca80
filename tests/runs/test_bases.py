"""Files that are laid over others."""

from __future__ import annotations

import pytest

from dendrosim.errors import ParameterError
from dendrosim.runs.experiment import Experiment

BASE = """
description = "below"
seeds = [3, 4]
[task]
name = "digits"
[network]
cells = [10]
branching = [3]
[teaching]
name = "per_soma"
scope = "soma"
[training]
epochs = 2
rates = { synapses = 1e-3 }
[[arms]]
name = "one"
[[arms]]
name = "two"
network = { cells = [20] }
[cross]
network.integration = ["shunting", "additive"]
"""


@pytest.fixture
def write(tmp_path):
    def file(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return file


def test_sections_are_laid_over_and_the_rest_holds(write):
    write("below.toml", BASE)
    top = write("deeper/top.toml", 'experiment = "../below.toml"\n[training]\nepochs = 7\nrates = { decoder = 1e-2 }\n')
    experiment = Experiment.load(top)
    assert (experiment.name, experiment.description, experiment.seeds) == ("top", "below", (3, 4))
    assert [arm.name for arm in experiment.arms] == ["one, shunting", "one, additive", "two, shunting", "two, additive"]
    assert experiment.arms[2].settings == {
        "task": {"name": "digits"},
        "network": {"cells": [20], "branching": [3], "integration": "shunting"},
        "teaching": {"name": "per_soma", "scope": "soma"},
        "training": {"epochs": 7, "rates": {"synapses": 1e-3, "decoder": 1e-2}},
    }


def test_what_a_file_has_of_its_own_takes_the_place_of_the_base(write):
    write("below.toml", BASE)
    top = write(
        "top.toml",
        'experiment = "below.toml"\ndescription = "above"\nseeds = [9]\ncross = {}\nteaching = { name = "scalar" }\n'
        "[draw]\nn = 2\ntraining.epochs = { integers = [1, 9] }\n[[arms]]\nname = 'mine'\n",
    )
    experiment = Experiment.load(top, settings=["training.rates.synapses=0.5"])
    assert (experiment.description, experiment.seeds) == ("above", (9,))
    assert [arm.name for arm in experiment.arms] == ["mine, draw 1", "mine, draw 2"]
    assert experiment.arms[0].settings["teaching"] == {"name": "scalar"}
    assert experiment.arms[0].settings["training"]["rates"] == {"synapses": 0.5}


def test_bases_have_bases_and_shipped_ones_have_names(write):
    write("middle.toml", 'experiment = "digits"\nseeds = [5]\n')
    experiment = Experiment.load(write("top.toml", 'experiment = "middle.toml"\n[training]\nepochs = 1\n'))
    shipped = Experiment.load("digits")
    assert experiment.seeds == (5,)
    assert [arm.name for arm in experiment.arms] == [arm.name for arm in shipped.arms]
    assert experiment.arms[3].settings["training"] == {**shipped.arms[3].settings["training"], "epochs": 1}
    assert experiment.arms[3].settings["network"] == shipped.arms[3].settings["network"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"top": 'experiment = "top.toml"'}, r"laid over itself: top.toml -> top.toml"),
        (
            {"top": 'experiment = "a.toml"', "a": 'experiment = "b.toml"', "b": 'experiment = "a.toml"'},
            r"a.toml -> b.toml -> a.toml",
        ),
        ({"top": 'experiment = "nowhere.toml"'}, r"top.toml: .*neither a shipped name nor a file.*nowhere"),
        ({"top": 'experiment = "."'}, "is a folder"),
        ({"top": "experiment = 3"}, "top level experiment = 3 is a whole number"),
        ({"top": 'experiment = "a.toml"', "a": "[task"}, r"a.toml is no TOML file"),
        ({"top": 'experiment = "a.toml"', "a": "[tsk]"}, r"a.toml: top level: 'tsk' is not known"),
        ({"top": 'experiment = "a.toml"', "a": "task = 3"}, r"a.toml: top level task = 3"),
    ],
)
def test_bases_that_cannot_be(write, texts, message):
    top, *_ = [write(f"{name}.toml", text) for name, text in texts.items()]
    with pytest.raises(ParameterError, match=message):
        Experiment.load(top)


def test_a_table_has_no_base():
    with pytest.raises(ParameterError, match="load the file"):
        Experiment.from_table("small", {"experiment": "digits"})
