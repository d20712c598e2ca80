"""Combinations of what is crossed, listed and drawn: names, values, and what contradicts itself."""

from __future__ import annotations

import pytest

from dendrosim.errors import ParameterError
from dendrosim.runs.experiment import Experiment

BASE = {"task": {"name": "digits"}, "network": {"cells": [10]}, "training": {"epochs": 2, "rates": 1e-3}}
ARMS = [{"name": "one"}, {"name": "two", "teaching": {"name": "scalar"}}]
LIST = {"training": {"epochs": [5, 9], "rates": {"synapses": [1e-2, 1e-3]}}}
DRAW = {"n": 3, "seed": 4, "training": {"rates": {"decoder": {"log_uniform": [1e-4, 1e-1]}}}}


def made(over: dict | None = None, **sections: object) -> Experiment:
    return Experiment.from_table("small", {**BASE, **sections}, over)


def test_lists_go_side_by_side():
    first, second = made(list=LIST).arms
    assert [first.name, second.name] == ["small, point 1", "small, point 2"]
    assert second.factors == {"training.epochs": 9, "training.rates.synapses": 1e-3}
    assert second.settings["training"] == {"epochs": 9, "rates": {"synapses": 1e-3}}
    assert second.values == "training.epochs = 9, training.rates.synapses = 0.001"


def test_arms_grid_lists_and_draws_are_crossed_and_arms_share_the_draws():
    experiment = made(arms=ARMS, cross={"network": {"integration": ["shunting", "additive"]}}, list=LIST, draw=DRAW)
    assert len(experiment.arms) == 2 * 2 * 2 * 3
    names = [arm.name for arm in experiment.arms]
    assert len({arm.folder for arm in experiment.arms}) == len(names)
    assert names[1] == "one, shunting, point 1, draw 2"
    values: dict[str, set[float]] = {}
    for arm in experiment.arms:
        values.setdefault(arm.name.rpartition(", ")[2], set()).add(arm.factors["training.rates.decoder"])
        assert arm.settings["training"]["rates"]["decoder"] == arm.factors["training.rates.decoder"]
        assert arm.settings["training"]["epochs"] == arm.factors["training.epochs"]
    assert sorted(values) == ["draw 1", "draw 2", "draw 3"]
    assert all(len(same) == 1 for same in values.values())
    assert experiment.jobs(arms=["two"])[0].arm.own == "two"
    assert len(experiment.jobs(arms=["two", "one, additive, point 2, draw 3"])) == 13


def test_arms_know_where_their_values_come_from():
    sections = {"cross": {"network": {"inhibitory": [0, 4]}}, "list": {"training": {"epochs": [1, 2]}}, "draw": DRAW}
    ways = {"network.inhibitory": "cross", "training.epochs": "list", "training.rates.decoder": "log_uniform"}
    assert all(arm.ways == ways for arm in made(**sections).arms)


def test_a_name_tells_what_is_crossed_and_values_tell_the_rest():
    arm = made(cross={"network": {"cells": [[5], [6, 7]]}}, draw=DRAW).arms[0]
    assert arm.values.startswith("training.rates.decoder = 0.0")
    assert made().arms[0].values == ""


def test_whole_tables_are_values():
    teachings = [{"name": "scalar"}, {"name": "per_soma", "scope": "soma"}]
    arms = made(
        teaching={"name": "per_soma", "scope": "tree"}, list={"teaching": teachings, "training.epochs": [1, 2]}
    ).arms
    assert [arm.settings["teaching"] for arm in arms] == teachings
    drawn = made(draw={"n": 20, "teaching": {"choice": teachings}}).arms
    assert {arm.settings["teaching"]["name"] for arm in drawn} == {"scalar", "per_soma"}


def test_settings_from_outside_change_how_many_are_drawn():
    assert len(made({"draw": {"n": 2}}, draw=DRAW).arms) == 2
    assert made({"draw": {"n": 2}}, draw=DRAW).arms[1].factors == made(draw=DRAW).arms[1].factors
    assert len(made(draw={}).arms) == 1


@pytest.mark.parametrize(
    ("sections", "over", "message"),
    [
        (
            {"list": {"training": {"epochs": [1, 2, 3], "batch_size": [8, 16]}}},
            {},
            "epochs has 3, training.batch_size has 2",
        ),
        ({"list": {"training": {"epochs": 5}}}, {}, r"\[list\] training.epochs = 5 must be a list"),
        ({"list": LIST, "draw": {"n": 2, "training": {"epochs": {"integers": [1, 5]}}}}, {}, "is undone by"),
        (
            {"cross": LIST, "list": {"training": {"rates": [0.1, 0.2]}}},
            {},
            r"\[cross\] training.rates.synapses is undone",
        ),
        ({"list": LIST}, {"training": {"epochs": 3}}, r"\[list\] training.epochs is swept, and training.epochs = 3"),
        ({"draw": DRAW}, {"training": {"rates": 0.1}}, r"\[draw\] training.rates.decoder is swept"),
        ({"cross": {"trainin": {"epochs": [1, 2]}}}, {}, "did you mean 'training'.*in arm 'small, 1'"),
        ({"list": {"training": {"epoch": [1, 2]}}}, {}, "did you mean 'epochs'.*in arm 'small, point 1'"),
        ({"draw": {"n": 2, "training": {"epochs": {"uniform": [1, 5]}}}}, {}, "must be a whole number.*small, draw 1"),
        ({"cross": {"training": [1, 2]}}, {}, r"sections training = 1 is a whole number; it must be a table"),
        ({}, {"list": LIST}, "list cannot be set from outside"),
        ({}, {"draw": {"n": 3}}, "draws nothing"),
    ],
)
def test_what_cannot_be_swept_is_refused(sections, over, message):
    with pytest.raises(ParameterError, match=message):
        made(over, **sections)


def test_a_sweep_of_options_of_what_is_crossed_is_no_contradiction():
    arms = made(
        cross={"teaching": [{"name": "vnc"}, {"name": "nmnc"}]}, draw={"n": 2, "teaching": {"eta": {"uniform": [0, 1]}}}
    ).arms
    assert [arm.settings["teaching"]["name"] for arm in arms] == ["vnc", "vnc", "nmnc", "nmnc"]
    assert arms[0].settings["teaching"]["eta"] == arms[2].settings["teaching"]["eta"]
