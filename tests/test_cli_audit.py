"""``dendrosim audit``: what it prints and writes, its exit status, and models that are broken on purpose."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import dendrosim as ds
from dendrosim import cli
from dendrosim.networks import ResMLP
from dendrosim.tasks import standardisation
from dendrosim.training import Run

TEXT = """
seeds = [0, 1]
[task]
name = "student"
n_inputs = 8
n_classes = 3
n_train = 200
n_test = 100
[network]
kind = "resmlp"
width = 12
depth = 2
[training]
epochs = 2
optimiser = "adamw"
validation = 0
restore_best = false
clip_value = false
threads = 1
[evaluation]
samples = 50
[[arms]]
name = "dfa"
teaching = { name = "dfa" }
[[arms]]
name = "dfa, penalty 0.1"
teaching = { name = "dfa" }
rule = { name = "3F", penalty = 0.1 }
[[arms]]
name = "frozen"
teaching = { name = "frozen" }
"""
QUICK = ["--samples", "50", "--null", "2", "--threads", "1"]


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = cli.main(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


def rows(folder: Path) -> dict[tuple[str, int], dict[str, str]]:
    with (folder / "audit.csv").open(newline="", encoding="utf-8") as file:
        return {(row["arm"], int(row["seed"])): row for row in csv.DictReader(file)}


def test_from_an_experiment_to_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(TEXT)
    assert run(capsys, "run", "small.toml", "--out", "runs")[0] == 0
    status, out, err = run(capsys, "audit", "runs", *QUICK)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "student, resmlp"
    assert [line[:18].rstrip() for line in lines[2:5]] == ["dfa", "dfa, penalty 0.1", "frozen"]
    written = ["audit.csv", "audit_layers.csv", "audit_history.csv", "layer_state.png", "evaluation_over_training.png",
               "dose_response.png", "audit.html"]  # fmt: skip
    assert [Path(line).name for line in lines[-len(written) :]] == written
    assert all((tmp_path / "runs" / name).stat().st_size > 0 for name in written)
    page = (tmp_path / "runs" / "audit.html").read_text()
    assert page.count("<figure>") == 3
    frozen, dfa = (ds.Run.load(tmp_path / f"runs/{arm}/seed-1.h5").test_accuracy for arm in ("frozen", "dfa"))
    assert float(rows(tmp_path / "runs")["dfa", 1]["gap"]) == pytest.approx(dfa - frozen)

    files = ["runs/dfa/seed-0.h5", "runs/frozen", "--out", "there"]
    files += ["--no-nudges", "--null", "0", "--format", "svg"]
    status, out, _ = run(capsys, "audit", *files, "--check", "--frozen", "1")
    assert status == 3
    assert "fail (D3)" in out
    assert (tmp_path / "there" / "layer_state.svg").is_file()
    assert run(capsys, "audit", "runs/dfa", "--out", "there", *QUICK, "--check", "--frozen", "0")[0] == 0


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A healthy run with its baseline, and others that are broken in one way each."""
    where = tmp_path_factory.mktemp("models")
    task = ds.tasks.load("student", n_inputs=16, n_classes=5, n_train=1500, n_test=600)
    center, scale = standardisation(task)
    recipe = {"optimiser": "adamw", "schedule": {"name": "cosine", "per": "epoch"}, "batch_size": 64, "validation": 0,
              "restore_best": False, "clip_value": None, "epochs": 4, "threads": 1, "progress": False}  # fmt: skip

    def train(teaching, rates=3e-3, first=1.0):
        network = ResMLP(16, 5, 32, 3, center=center, scale=scale, seed=1)
        for name in ("embedding_weight", "embedding_bias"):
            network.parameters[name] *= first
        return ds.train(network, task, teaching=teaching, rates=rates, **recipe)

    def keep(run, name, network=None):
        config = {**run.config, "experiment": {"name": "broken", "arm": name, "number": 0}}
        Run(run.history, run.test_accuracy, run.test_loss, 4, config, {}, network or run.network).save(
            where / f"{name}.h5"
        )

    def scaled(network, factor, groups):
        made = network.copy()
        for name, array in made.parameters.items():
            into = name.startswith("embedding") or name.endswith(("weight_1", "bias_1"))
            if into and name.startswith(groups):
                array *= factor
        return made

    healthy, frozen = train("bp"), train("frozen")
    keep(healthy, "healthy")
    keep(frozen, "frozen")
    keep(train("bp", {"embedding": 1e-6, "blocks": 3e-3, "head": 3e-3}, first=1e-3), "grown")
    keep(healthy, "small reference", scaled(healthy.network, 1e6, ("embedding", "block")))
    keep(healthy, "collapsed", scaled(healthy.network, 1e8, ("block",)))
    keep(healthy, "blocks of no use", frozen.network)
    return where


@pytest.mark.parametrize(
    ("model", "flags", "verdict"),
    [
        ("healthy", [], "pass"),
        ("grown", ["D1"], "pass"),
        ("small reference", ["D2"], "pass"),
        ("collapsed", ["D1", "D2"], "fail"),
        ("blocks of no use", ["D3"], "fail"),
    ],
)
def test_what_is_broken_is_caught_by_the_check_for_it(model, flags, verdict, models, tmp_path, capsys):
    given = [str(models / f"{model}.h5"), "--out", str(tmp_path), "--no-nudges", "--null", "0", "--threads", "1"]
    # one that is scaled has another accuracy than it was trained to have: only its scale is looked at
    baseline = ["--frozen", "0"] if model in ("collapsed", "grown") else []
    files = given if baseline else [given[0], str(models / "frozen.h5"), *given[1:]]
    status, out, _ = run(capsys, "audit", *files, *baseline, "--samples", "256", "--check")
    row = rows(tmp_path)[model, 0]
    assert [name for name in ("D1", "D2", "D3") if row[name] == "flag"] == flags
    assert row["verdict"] == verdict
    assert status == (3 if verdict == "fail" else 0)
    assert verdict in out.splitlines()[2]
    if model == "blocks of no use":
        assert (row["S2"], row["S3"]) == ("pass", "fail")


def test_thresholds_are_options_and_shown(models, tmp_path, capsys):
    given = ["audit", str(models / "healthy.h5"), "--frozen", "0", "--out", str(tmp_path), "--no-nudges", "--null", "0"]
    limits = ["--growth", "0.5", "--reference", "3", "--cosine-epsilon", "10", "--depth", "1"]
    status, out, _ = run(capsys, *given, *limits)
    assert status == 0
    assert "fail (D1+D2+D3)" in out
    assert "D1 where rho > 0.5; D2 where |g_L| < 30; D3 where the gap < 1;" in out
    assert "fail" not in run(capsys, *given, "--depth", "0")[1].splitlines()[2]


def test_a_run_that_cannot_be_audited_is_reported_and_the_rest_go_on(models, tmp_path, capsys):
    task = ds.tasks.Task.from_arrays("mine", np.eye(6), np.arange(6) % 2, np.eye(6), np.arange(6) % 2)
    ds.train(ResMLP(6, 2, 8, 2), task, teaching="dfa", epochs=1, batch_size=6, validation=0, progress=False).save(
        tmp_path / "mine.h5"
    )
    files = [str(tmp_path / "mine.h5"), str(models / "healthy.h5"), "--out", str(tmp_path), "--frozen", "0"]
    status, out, _ = run(capsys, "audit", *files, "--no-nudges", "--null", "0")
    assert status == 0
    assert "not audited: dfa: the task of this run, 'mine', cannot be loaded by name" in out
    found = rows(tmp_path)
    assert found["healthy", 0]["verdict"] == "pass"
    assert "mine" in found["dfa", 0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["audit"], 2, "required: RUN.h5|DIR"),
        (["audit", "nowhere"], 1, "nowhere does not exist"),
        (["audit", "x", "--samples", "0"], 2, "'0' is not a whole number"),
        (["audit", "x", "--null", "-1"], 2, "'-1' is not a whole number"),
        (["audit", "x", "--frozen", "much"], 2, "invalid float value: 'much'"),
        (["audit", "x", "--growth", "-1"], 1, "growth=-1"),
        (["audit", "x", "--depth", "nan"], 1, "depth=nan"),
        (["audit", "x", "--format", "gif"], 2, "invalid choice"),
        (["audit", "RUN", "--frozen", "1.5"], 1, "accuracy=1.5"),
        (["audit", "RUN", "--exact", "-1"], 1, "accuracy=-1"),
        (["audit", "RUN", "--null", "1"], 1, "null=1 gives no spread"),
        (["audit", "text.h5"], 1, "text.h5"),
    ],
)
def test_wrong_usage(arguments, status, message, models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.h5").write_text("no run")
    given = [str(models / "healthy.h5") if word == "RUN" else word for word in arguments]
    found, out, err = run(capsys, *given, *([] if status == 2 or "RUN" not in arguments else ["--out", "there"]))
    assert (found, out) == (status, "")
    assert message in err
