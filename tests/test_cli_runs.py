"""Commands on experiments and runs: what they print, where they write, and their exit status."""

from __future__ import annotations

import pytest

import dendrosim as ds
from dendrosim import cli

TEXT = """
description = "A small one."
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
threads = 1
[[arms]]
name = "exact"
teaching = { name = "exact" }
[[arms]]
name = "scalar"
teaching = { name = "scalar" }
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.toml"
    path.write_text(TEXT)
    return str(path)


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = cli.main(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


def test_an_experiment_from_file_to_figures(file, tmp_path, capsys):
    status, out, err = run(capsys, "run", file)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("[1/4] exact, seed 0: test 0.")
    assert " left" in lines[0]
    assert lines[3].startswith("[4/4] scalar, seed 1: test 0.")
    assert any(line.startswith("scalar") and "exact" in line for line in lines[5:])
    folder = tmp_path / "small-runs"
    assert (folder / "summary.csv").is_file()
    assert (folder / "exact" / "seed-1.h5").is_file()

    status, out, err = run(capsys, "run", file)
    assert (status, out) == (1, "")
    assert "holds 4 of these 4 runs already; keep them with --resume" in err
    status, out, _ = run(capsys, "run", file, "--resume", "--seeds", "0-2")
    assert status == 0
    assert out.count(", kept") == 4

    status, out, _ = run(capsys, "fidelity", str(folder), "--samples", "40", "--threads", "1")
    assert status == 0
    assert "exact: 3 runs" in out
    assert (folder / "fidelity.csv").is_file()
    status, out, _ = run(capsys, "figures", str(folder / "exact" / "seed-0.h5"), "--out", str(tmp_path / "drawn"))
    assert status == 0
    assert [line.rpartition("/")[2] for line in out.split()] == ["learning_curves.png"]
    assert (tmp_path / "drawn" / "learning_curves.png").is_file()


def test_listing_trains_nothing(file, tmp_path, capsys):
    status, out, _ = run(capsys, "run", file, "--list", "--seeds", "3,5-6")
    assert status == 0
    assert out == "A small one.\n\nexact: 3 runs, seeds 3, 5, 6\nscalar: 3 runs, seeds 3, 5, 6\n"
    assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]


def test_settings_arms_seed_and_folder(file, tmp_path, capsys):
    options = ["--set", "training.epochs=2", "--arms", "scalar", "--seed", "4", "--out", "there"]
    status, out, _ = run(capsys, "run", file, *options)
    assert status == 0
    assert "scalar, seed 4: test" in out
    assert "2 epochs" in out
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.h5")] == ["there/scalar/seed-4.h5"]


def test_failed_trainings_make_status_1(file, capsys):
    wild = ["training.optimiser=sgd", "training.clip_value=false", "training.rates=1e37", "training.epochs=20"]
    sets = [part for text in wild for part in ("--set", text)]
    import numpy as np

    with np.errstate(all="ignore"):
        status, out, err = run(capsys, "run", file, "--arms", "exact", "--seed", "0", *sets)
    assert status == 1
    assert "exact, seed 0: failed: epoch" in out
    assert "dendrosim: error: exact, seed 0: epoch" in err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["run"], 2, "required: EXPERIMENT"),
        (["run", "x", "--seed", "-1"], 2, "'-1' is not a whole number"),
        (["run", "x", "--seeds", "4-2"], 2, "'2' is not a whole number of at least 4"),
        (["run", "x", "--seeds", "1,1"], 2, "has a number twice"),
        (["run", "x", "--seed", "1", "--seeds", "1"], 2, "not allowed with"),
        (["run", "digitz"], 1, "did you mean 'digits'?"),
        (["run", "digits", "--set", "training.epoch=3"], 1, "did you mean 'epochs'?"),
        (["run", "digits", "--arms", "exakt"], 1, "did you mean 'exact'?"),
        (["figures", "nowhere"], 1, "nowhere does not exist"),
        (["fidelity", "nowhere"], 1, "nowhere does not exist"),
        (["figures", "x", "--format", "gif"], 2, "invalid choice"),
    ],
)
def test_wrong_usage(arguments, status, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found, out, err = run(capsys, *arguments)
    assert (found, out) == (status, "")
    assert message in err


def test_draws_and_lists_run_like_arms_and_are_listed_with_their_values(file, tmp_path, capsys):
    (tmp_path / "over.toml").write_text(
        'experiment = "small.toml"\nseeds = [0]\n[list]\ntraining.batch_size = [16, 32]\n'
        "[draw]\nn = 2\ntraining.rates.synapses = { log_uniform = [1e-3, 1e-2] }\n"
    )
    status, out, err = run(capsys, "run", "over.toml", "--arms", "scalar", "--list")
    assert (status, err) == (0, "")
    first, *_, last = out.splitlines()[2:]
    assert first.startswith("scalar, point 1, draw 1 (training.batch_size = 16, training.rates.synapses = 0.00")
    assert last.startswith("scalar, point 2, draw 2 (training.batch_size = 32, training.rates.synapses = 0.00")
    assert last.endswith("): 1 runs, seeds 0")

    status, out, err = run(capsys, "run", "over.toml", "--arms", "scalar", "--set", "draw.n=1")
    assert (status, err) == (0, "")
    done = ds.runs.load(tmp_path / "over-runs")
    assert [one.name for one in done] == ["scalar, point 1, draw 1", "scalar, point 2, draw 1"]
    factors = [one.config["experiment"]["factors"] for one in done]
    assert [one["training.batch_size"] for one in factors] == [16, 32]
    assert all(
        one.config["training"]["rates"]["synapses"] == f["training.rates.synapses"]
        for one, f in zip(done, factors, strict=True)
    )
