"""The page on stores names all that their files hold, with its units."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import pytest

import dendrosim as ds
from dendrosim.hdf5 import read_hdf5
from dendrosim.runs import Store
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.index import SCHEMA as INDEX_SCHEMA
from dendrosim.runs.perform import Order, perform
from dendrosim.runs.store import SCHEMA as STORE_SCHEMA
from dendrosim.runs.sweep import Sweep
from dendrosim.training.run import SCHEMA as RUN_SCHEMA

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "guide" / "store.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
WORDS = {part for word in re.findall(r"`([^`\n]+)`", PROSE) for part in (word, word.rpartition("/")[2])}

SMALL = {
    "task": {"name": "digits", "subset": {"n_train": 60, "n_test": 20}},
    "network": {"kind": "point_mlp", "hidden": 4},
    "teaching": {"name": "exact"},
    "training": {"epochs": 1},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("page") / "store")
    task = ds.tasks.load("digits").subset(n_train=60, n_test=20)
    for i, network in enumerate(
        (
            ds.networks.PointMLP(task.n_inputs, task.n_classes, 4),
            ds.Network.dendritic(task.n_inputs, task.n_classes, cells=[3], branching=[2], excitatory=4, inhibitory=2),
        )
    ):
        options = {} if i else {"test_each_epoch": True}
        run = ds.train(network, task, teaching="exact", epochs=1, threads=1, progress=False, **options)
        run.config["experiment"] = {"arm": "one", "number": 0, "factors": {"network.cells": 3}}
        store.save(run, f"{i:032x}")
    point = Sweep.of(Experiment.from_table("small", SMALL)).points[0]
    outcome = perform(Order("small", point.job, store.path(point.identity), point.identity, threads=1))
    assert outcome.status == "finished"
    return store


def test_everything_in_a_file_is_on_the_page(store):
    for identity in store.finished():
        with h5py.File(store.path(identity)) as file:
            assert set(file.attrs) <= WORDS
            assert set(file) == {"config", "history", "records", "network"}
            for name, series in file["history"].items():
                assert f"history/{name}" in WORDS
                (row,) = [line for line in PAGE.splitlines() if f"`history/{name}`" in line]
                assert series.attrs["units"] in row.split("|")[3]
            missing = {name.rpartition("/")[2] for name in _datasets(file["network"])} - WORDS
            if file.attrs["network"] == "dendritic":
                assert {name for name in missing if not name.startswith("decoder_")} == set()


def _datasets(group):
    names = []
    group.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def test_everything_in_the_settings_is_on_the_page(store):
    for run in store.runs():
        assert set(run.config) <= WORDS
        assert set(run.config["experiment"]) <= WORDS


def test_everything_in_the_index_is_on_the_page(store):
    table = store.runs().table
    content, _ = read_hdf5(store.folder / "index.h5")
    section = PAGE.partition("## The index")[2].partition("\n## ")[0]
    columns = set(table.dtype.names) - {"network.cells"}
    assert set(content["runs"]) - columns <= set(re.findall(r"`(\w+)`", section))
    assert all(name in PAGE for name in columns)


def test_the_schemas_are_those_of_the_page():
    assert f"## The file of a run, schema {RUN_SCHEMA}\n" in PAGE
    assert f"## The index, schema {INDEX_SCHEMA}\n" in PAGE
    assert STORE_SCHEMA == 1
