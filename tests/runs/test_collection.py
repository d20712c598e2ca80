"""Many runs of a folder: found, tabled, chosen, and networks left where they are."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import FileFormatError, MissingDependencyError, ParameterError
from dendrosim.networks.mlp import PointMLP
from dendrosim.training.checkpoint import Checkpoint


def task() -> ds.tasks.Task:
    x = np.random.default_rng(0).random((60, 5)).astype(np.float32)
    return ds.tasks.Task.from_arrays("toy", x, (x[:, 0] > 0.5).astype(int), x[:20], (x[:20, 0] > 0.5).astype(int))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("runs")
    for number, (arm, teaching) in enumerate((("readout", "decoder_only"), ("all", "exact"))):
        for seed in (1, 0):
            run = ds.train(PointMLP(5, 2, 4), task(), teaching=teaching, epochs=2, seed=seed)
            run.config["experiment"] = {"arm": arm, "number": number}
            run.save(where / arm / f"seed-{seed}.h5")
    ds.train(PointMLP(5, 2, 4), task(), teaching="exact", epochs=1, checkpoint=Checkpoint(where / "checkpoint.h5"))
    (where / "notes.txt").write_text("not a run")
    return where


def test_all_runs_of_a_folder_are_found(folder):
    runs = ds.runs.load(folder)
    assert len(runs) == 4
    assert all(run.trained is None for run in runs)
    assert repr(runs) == "<Runs: 4: readout x 2, all x 2>"
    assert [run.seed for run in runs.arms["all"]] == [0, 1]
    assert runs[0].network.predict(task().x_test).shape == (20, 2)
    assert len(runs[1:]) == 3


def test_a_single_file_will_do(folder):
    assert len(ds.runs.load(folder / "all" / "seed-0.h5")) == 1


def test_several_folders_and_files_at_once_without_reading_one_twice(folder):
    runs = ds.runs.load(folder / "readout", folder / "all" / "seed-1.h5", folder / "readout" / "seed-0.h5")
    assert [(run.name, run.seed) for run in runs] == [("readout", 0), ("readout", 1), ("all", 1)]
    with pytest.raises(ParameterError, match="nowhere does not exist"):
        ds.runs.load(folder, "nowhere")


def test_the_table_says_what_the_runs_reached(folder):
    runs = ds.runs.load(folder)
    table = runs.table
    assert table["test_accuracy"].tolist() == [run.test_accuracy for run in runs]
    assert table["arm"].tolist() == ["all", "all", "readout", "readout"]
    assert table["seed"].tolist() == [0, 1, 0, 1]
    assert set(table["network"]) == {"point_mlp"}
    assert runs[:0].table.size == 0


def test_runs_are_chosen_by_columns(folder):
    runs = ds.runs.load(folder)
    chosen = runs.where(arm="all", seed=1)
    assert [(run.name, run.seed) for run in chosen] == [("all", 1)]
    with pytest.raises(ParameterError, match="there is no column 'arms'; valid: arm, task"):
        runs.where(arms="all")


def test_pandas_if_it_is_there(folder):
    runs = ds.runs.load(folder)
    if importlib.util.find_spec("pandas") is None:
        with pytest.raises(MissingDependencyError, match="pip install pandas"):
            runs.to_pandas()
    else:
        assert runs.to_pandas()["test_accuracy"].tolist() == runs.table["test_accuracy"].tolist()


def test_folders_without_runs(folder, tmp_path):
    with pytest.raises(ParameterError, match="does not exist"):
        ds.runs.load(tmp_path / "nowhere")
    with pytest.raises(ParameterError, match="holds no runs among 0"):
        ds.runs.load(tmp_path)
    (tmp_path / "damaged.h5").write_bytes((folder / "all" / "seed-0.h5").read_bytes()[:3000])
    with pytest.raises(FileFormatError, match=r"damaged\.h5 is damaged"):
        ds.runs.load(tmp_path)
