"""Entries of the evaluation protocol from a ledger file to its rows, on a small network without images."""

from __future__ import annotations

import pytest

from dendrosim.runs.executors import Here
from dendrosim.runs.ledger import Ledger
from dendrosim.runs.ledger_page import page
from dendrosim.runs.ledger_rows import read_ledger, write_ledger
from dendrosim.runs.ledger_verdict import Verdict
from dendrosim.runs.reproduce import Reproduction
from dendrosim.runs.store import Store

EXPERIMENT = """
seeds = [0, 1]
[task]
name = "student"
n_inputs = 8
n_classes = 3
n_train = 200
n_test = 100
[network]
kind = "student"
width = 12
depth = 2
[training]
epochs = 2
batch_size = 50
optimiser = "adamw"
clip_value = false
validation = 0
restore_best = false
[evaluation]
samples = 50
[[arms]]
name = "bp"
teaching = { name = "bp" }
[[arms]]
name = "dfa"
teaching = { name = "dfa" }
[[arms]]
name = "frozen"
teaching = { name = "frozen" }
"""
LEDGER = """
paper = "made-up"
[confounds]
short = "two epochs"
[[items]]
name = "t1"
place = "Table 1"
title = "Students"
experiment = "{file}"
arm = "bp"
confound = ["short"]
entries = [
    {{ name = "gap", measure = {{ name = "audited", quantity = "gap" }}, arm = "dfa", published = -0.9 }},
    {{ name = "D2", measure = {{ name = "failed", check = "D2" }}, arm = "bp", published = "pass", confound = [] }},
    {{ name = "growth", measure = {{ name = "audited", quantity = "rho" }}, published = 1.0, within = "x9" }},
    {{ name = "nudge", measure = {{ name = "audited", quantity = "nudge_input" }}, published = 1, within = "x9" }},
]
[presets.full]
"{file}" = {{ arms = ["frozen"] }}
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    file = folder / "students.toml"
    file.write_text(EXPERIMENT, encoding="utf-8")
    (folder / "entries.toml").write_text(LEDGER.format(file=file.as_posix()), encoding="utf-8")
    found = Reproduction(Ledger.load([folder / "entries.toml"]), ["t1"], "full")
    assert len(found.needs[file.as_posix()].sweep) == 6  # the frozen baseline is listed, no entry names it
    store = Store(folder / "store")
    found.conduct(store, executor=Here(), threads=1)
    runs = {arm: store.runs().where(arm=arm) for arm in ("dfa", "frozen")}
    return {row.entry: row for row in found.rows(found.evidence(store))}, runs, folder


def test_the_frozen_baseline_is_found_among_the_runs_of_the_preset(rows):
    (gap, runs) = rows[0]["gap"], rows[1]
    accuracy = {arm: sum(run.test_accuracy for run in members) / 2 for arm, members in runs.items()}
    assert (gap.n, gap.seeds) == (2, "0-1")
    assert gap.mean == pytest.approx(accuracy["dfa"] - accuracy["frozen"])
    assert gap.verdict is Verdict.NOT
    assert gap.core_seconds == pytest.approx(sum(run.seconds for run in runs["dfa"]))


def test_words_and_magnitudes_reach_the_rows(rows):
    found = rows[0]
    check, growth, nudge = (found[name] for name in ("D2", "growth", "nudge"))
    assert (check.published, check.ours, check.verdict, check.confound) == (
        "pass", "0 of 2 fail", Verdict.REPRODUCED, "",
    )  # fmt: skip
    assert (growth.verdict, growth.confound) == (Verdict.CONFOUNDED, "two epochs")
    assert growth.low < growth.mean < growth.high
    assert growth.mean**2 == pytest.approx(growth.low * growth.high)
    # backpropagation lowers the loss: the made-up value has the other sign
    assert (nudge.verdict, nudge.reason, nudge.mean < 0) == (Verdict.NOT, "not all of its sign", True)


def test_the_page_leaves_out_what_would_be_said_twice(rows):
    text = page(list(rows[0].values()))
    assert "| entry | published | ours |" in text
    assert "- **gap**. `" in text


def test_rows_come_back_from_their_file(rows):
    found, _, folder = rows
    assert read_ledger(write_ledger(folder / "ledger.csv", found.values())) == list(found.values())
