"""Runs on disk: whole, readable without dendrosim, and careful with what is not one."""

from __future__ import annotations

import copy
import json

import h5py
import numpy as np
import pytest

from dendrosim.errors import FileFormatError
from dendrosim.hdf5 import read_hdf5, write_hdf5
from dendrosim.training.callbacks import Record
from dendrosim.training.run import Run
from dendrosim.training.train import train

from . import toy


@pytest.fixture(scope="module", params=["mlp", "dendritic", "neurons"])
def run(request):
    kinds = {"mlp": (toy.mlp, "exact"), "dendritic": (toy.dendritic, "scalar"), "neurons": (toy.neurons, "per_soma")}
    make, teaching = kinds[request.param]
    return train(make(seed=2), toy.task(), teaching=teaching, epochs=3, seed=7, callbacks=[Record(lambda m: m.epoch)])


def test_a_run_is_read_as_it_was_saved(run, tmp_path):
    path = run.save(tmp_path / "new" / "run.h5")
    read = Run.load(path)
    assert toy.same(read.history, run.history)
    assert toy.same(read.records["record"], run.records["record"])
    assert (read.test_accuracy, read.test_loss, read.best_epoch) == (run.test_accuracy, run.test_loss, run.best_epoch)
    assert read.config == run.config
    assert repr(read) == repr(run)
    assert toy.same(read.network.state(), run.network.state())
    x = toy.task().x_test
    np.testing.assert_array_equal(read.network.predict(x), run.network.predict(x))


def test_the_network_can_stay_in_the_file_until_it_is_wanted(run, tmp_path):
    read = Run.load(run.save(tmp_path / "run.h5"), network=False)
    assert read.trained is None
    assert toy.same(read.network.state(), run.network.state())
    assert toy.same(Run.load(read.save(tmp_path / "again.h5")).network.state(), run.network.state())


def test_training_can_go_on_with_what_was_read(run, tmp_path):
    read = Run.load(run.save(tmp_path / "run.h5"))
    options = {"teaching": run.config["teaching"]["name"], "epochs": 2, "seed": 1}
    a, b = (train(one.network, toy.task(), **options) for one in (run, read))
    assert toy.same(a.network.state(), b.network.state())


def test_the_file_says_what_is_in_it(run, tmp_path):
    with h5py.File(run.save(tmp_path / "run.h5")) as file:
        assert file.attrs["kind"] == "run"
        assert file.attrs["schema"] == 1
        assert file.attrs["test_accuracy"] == run.test_accuracy
        assert file["history/train_loss"].shape == (3,)
        for values in file["history"].values():
            assert set(values.attrs) == {"units", "description"}
        config = json.loads(file["config"].asstr()[()])
    assert config["training"]["seed"] == 7
    assert config["network"]["seed"] == 2
    assert config["task"]["hash"] == toy.task().hash
    assert {"dendrosim", "numpy", "numba", "python"} <= set(config["versions"])
    assert isinstance(config["command"], list)


def test_the_text_of_a_run_says_what_it_was(run):
    text = repr(run)
    assert text.startswith("<Run: most active, 3F with ")
    assert "seed 7, 3 epochs in " in text
    assert f"test {run.test_accuracy:.4f}>" in text


def test_runs_from_before_losses_learned_from_the_cross_entropy(run, tmp_path):
    old = copy.copy(run)
    old.config = {key: value for key, value in run.config.items() if key != "loss"}
    assert Run.load(old.save(tmp_path / "old.h5")).config["loss"] == {"name": "cross_entropy"}
    assert Run.load(run.save(tmp_path / "new.h5")).config["loss"] == run.config["loss"]


def test_other_files_are_refused(run, tmp_path):
    path = write_hdf5(tmp_path / "other.h5", {"a": np.ones(3)}, {"kind": "demo"})
    with pytest.raises(FileFormatError, match=r"holds no run \(its kind is 'demo'\)"):
        Run.load(path)
    content, attributes = read_hdf5(run.save(tmp_path / "run.h5"))
    write_hdf5(path, content, {**attributes, "schema": 99})
    with pytest.raises(FileFormatError, match="has schema 99; this version reads 1"):
        Run.load(path)
    write_hdf5(path, content, {**attributes, "network": "odd"})
    with pytest.raises(FileFormatError, match="network of kind 'odd'; this version reads dendritic, point_mlp"):
        Run.load(path)
    del content["history"]
    write_hdf5(path, content, attributes)
    with pytest.raises(FileFormatError, match=r"is no whole run \(KeyError\('history'\)\)"):
        Run.load(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Run.load(tmp_path / "nowhere.h5")


def test_files_that_lack_what_is_shown_are_refused(run, tmp_path):
    path = tmp_path / "run.h5"
    content, attributes = read_hdf5(run.save(path))
    for name in ("train_loss", "seconds"):
        history = {key: value for key, value in content["history"].items() if key != name}
        write_hdf5(path, {**content, "history": history}, attributes)
        with pytest.raises(FileFormatError, match=f"is no whole run.*{name}"):
            Run.load(path)
    write_hdf5(path, {**content, "records": {"credit": np.ones(3)}}, attributes)
    with pytest.raises(FileFormatError, match="records credit hold no arrays by name"):
        Run.load(path)


def test_a_run_without_a_network_says_so(run):
    with pytest.raises(FileFormatError, match="neither a network nor a file"):
        _ = Run(run.history, 0.5, 1.0, 1, run.config).network
