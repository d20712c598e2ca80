"""Reproduction from a made-up ledger on digits: runs, evidence, rows, resumption, runs of other folders."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics.information import class_information
from dendrosim.errors import FileFormatError
from dendrosim.runs.build import network_of, task_of
from dendrosim.runs.executors import Here
from dendrosim.runs.ledger import Ledger
from dendrosim.runs.ledger_evidence import Evidence
from dendrosim.runs.ledger_measures import MEASURES, described, measure
from dendrosim.runs.ledger_networks import drawn_batch, fresh_network
from dendrosim.runs.ledger_page import page, terminal
from dendrosim.runs.ledger_rows import Row, read_ledger, tally, updated, write_ledger
from dendrosim.runs.ledger_verdict import Published, Verdict
from dendrosim.runs.reproduce import Reproduction, judged, runs_elsewhere, spans
from dendrosim.runs.store import Store
from dendrosim.runs.sweep import Sweep

EXPERIMENT = """
seeds = [3, 4]
[task]
name = "digits"
subset = { n_train = 200, n_test = 100 }
[network]
cells = [4]
branching = [2]
excitatory = 8
inhibitory = 4
[training]
epochs = 2
batch_size = 50
[[arms]]
name = "tree"
teaching = { name = "per_soma", scope = "tree" }
[[arms]]
name = "frozen"
teaching = { name = "decoder_only" }
[[arms]]
name = "unused"
teaching = { name = "exact" }
"""
LEDGER = """
paper = "made-up"
[[items]]
name = "t1"
place = "Table 1"
title = "Digits | letters"
[[items.entries]]
name = "gain"
what = "a < b"
published = 0.123
source = "Table 1"
confound = "none | some"
fair = "sign"
experiment = "{file}"
arm = "tree"
minus = "frozen"
measure = "test_accuracy"
[[items.entries]]
name = "sign"
what = "told minus not told"
published = "> -2"
source = "Table 1"
experiment = "{file}"
arm = ["tree", "frozen"]
minus = "frozen"
measure = {{ name = "history", metric = "train_accuracy", epoch = 1 }}
[[items]]
name = "t2"
place = "Table 2"
title = "Before training"
[[items.entries]]
name = "cosine"
what = "cosine"
published = 0.5
n = 1
source = "Table 2"
experiment = "{file}"
arm = "tree"
measure = {{ name = "fidelity", quantity = "cosine", at = "initial", samples = 50 }}
[presets.full."{file}"]
[presets.quick."{file}"]
seeds = [3]
set = ["training.epochs=1"]
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("ledger")
    file = folder / "tiny.toml"
    file.write_text(EXPERIMENT, encoding="utf-8")
    (folder / "entries.toml").write_text(LEDGER.format(file=file.as_posix()), encoding="utf-8")
    return Ledger.load([folder / "entries.toml"])


@pytest.fixture(scope="module")
def store(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store") / "store")
    (tally,) = Reproduction(ledger, ["t1"], "full").conduct(store, executor=Here(), threads=1)
    assert (tally.finished, tally.failed, tally.left) == (4, 0, 0)
    return store


@pytest.fixture(scope="module")
def rows(ledger: Ledger, store: Store) -> dict[str, Row]:
    found = Reproduction(ledger, [], "full")
    return {row.entry: row for row in found.rows(found.evidence(store))}


def test_only_arms_that_entries_need_are_trained(ledger: Ledger) -> None:
    (need,) = Reproduction(ledger, ["t1"], "full").needs.values()
    assert need.n_runs == 4
    (need,) = Reproduction(
        ledger, ["t1"], "full", {"t1": {next(iter(Reproduction(ledger).needs)): ["unused"]}}
    ).needs.values()
    assert need.n_runs == 6
    (need,) = Reproduction(ledger, ["t2"], "full").needs.values()
    assert need.n_runs == 0  # what is measured before training needs no training


def test_paired_differences_by_hand(rows: dict[str, Row], store: Store) -> None:
    test = {(run.name, run.seed): run.test_accuracy for run in store.runs()}
    differences = [test["tree", seed] - test["frozen", seed] for seed in (3, 4)]
    row = rows["gain"]
    assert (row.n, row.seeds) == (2, "3-4")
    assert row.mean == pytest.approx(np.mean(differences))
    # t of one degree of freedom at 97.5 % is tan(pi (0.975 - 0.5))
    half = math.tan(math.pi * 0.475) * abs(differences[0] - differences[1]) / 2
    assert row.high - row.mean == pytest.approx(half)
    assert row.code.startswith("0.1.0+")
    assert row.core_seconds == pytest.approx(sum(run.seconds for run in store.runs()))
    assert row.command == "dendrosim reproduce t1 --preset full"


def test_several_arms_are_averaged_seed_by_seed(rows: dict[str, Row], store: Store) -> None:
    first = {(run.name, run.seed): run.history["train_accuracy"][0] for run in store.runs()}
    mine = [(first["tree", s] + first["frozen", s]) / 2 - first["frozen", s] for s in (3, 4)]
    assert rows["sign"].mean == pytest.approx(np.mean(mine))


def test_fidelity_before_training_is_that_of_the_network_training_begins_with(
    rows: dict[str, Row], ledger: Ledger
) -> None:
    (need,) = Reproduction(ledger, ["t2"], "full").needs.values()
    settings = need.experiment.arms[0].settings
    task = task_of(settings["task"])
    found = []
    for seed in (3, 4):
        start = network_of(settings["network"], task, seed)
        still = ds.train(start, task, epochs=1, rates=1e-30, batch_size=50, seed=seed, threads=1).network
        mine = fresh_network(settings, task, seed)
        for name, values in still.parameters.items():
            np.testing.assert_array_equal(values, mine.parameters[name], err_msg=name)
        x, y = drawn_batch(task, seed, 50)
        found.append(float(ds.fidelity(still, x, y, teaching="per_soma", rule="3F")["all (dense)"]["cosine"]))
    assert rows["cosine"].mean == pytest.approx(np.mean(found))
    assert (rows["cosine"].core_seconds, rows["cosine"].shortened) == (0.0, "")


def test_what_is_finished_is_not_computed_again(ledger: Ledger, store: Store) -> None:
    before = {identity: store.path(identity).stat().st_mtime_ns for identity in store.finished()}
    gone = sorted(before)[0]
    store.path(gone).unlink()
    (tally,) = Reproduction(ledger, ["t1"], "full").conduct(store, executor=Here(), threads=1)
    assert (tally.finished, tally.kept) == (1, 3)
    after = {identity: store.path(identity).stat().st_mtime_ns for identity in store.finished()}
    assert before.keys() == after.keys()
    assert [one for one in before if before[one] != after[one]] == [gone]


def test_without_runs_there_is_no_verdict(ledger: Ledger, tmp_path: Path) -> None:
    found = Reproduction(ledger, ["t1"], "full")
    rows = found.rows(found.evidence(Store(tmp_path / "none")))
    assert {row.verdict for row in rows} == {Verdict.NO_RUNS}
    assert all(row.ours == "-" and row.cost == "-" for row in rows)


def test_shortened_presets_judge_comparisons_only(ledger: Ledger, tmp_path: Path) -> None:
    found, store = Reproduction(ledger, ["t1"], "quick"), Store(tmp_path / "store")
    found.conduct(store, executor=Here(), threads=1)
    rows = {row.entry: row for row in found.rows(found.evidence(store))}
    assert rows["gain"].verdict is Verdict.SHORTENED
    assert rows["sign"].verdict is Verdict.UNDECIDED  # one run has no interval
    assert rows["gain"].shortened == "training.epochs=1"


def test_runs_of_other_folders_stand_in_if_settings_seed_and_data_are_the_same(
    ledger: Ledger, store: Store, tmp_path: Path
) -> None:
    found = Reproduction(ledger, ["t1"], "full")
    (need,) = found.needs.values()
    assert isinstance(need.sweep, Sweep)
    for point in need.sweep:
        run = ds.Run.load(store.path(point.identity))
        own = run.config["experiment"]
        own["code"], own["settings"]["training"]["threads"] = "0.0.9+older", 1  # another version; threads change no bit
        if (point.arm.name, point.seed) == ("tree", 4):
            own["settings"]["training"]["epochs"] = 3
        run.save(tmp_path / point.arm.folder / f"{point.seed}.h5")
    others = runs_elsewhere([tmp_path])
    assert len(others) == 4
    row = {row.entry: row for row in found.rows(found.evidence(None, others))}["gain"]
    assert (row.n, row.seeds, row.code) == (1, "3", "0.0.9+older")
    (tally,) = found.conduct(Store(tmp_path / "new"), executor=Here(), others=others, threads=1)
    assert tally.total == tally.finished == 1


def test_failed_measures_and_missing_data_are_told(ledger: Ledger, tmp_path: Path) -> None:
    text = Path(ledger.items[0].file).read_text(encoding="utf-8")
    path = tmp_path / "entries.toml"
    path.write_text(text.replace("epoch = 1", "epoch = 7"), encoding="utf-8")
    found, store = Reproduction(Ledger.load([path]), ["t1"], "full"), Store(tmp_path / "store")
    found.conduct(store, executor=Here(), threads=1)
    row = found.rows(found.evidence(store))[1]
    assert row.verdict is Verdict.NO_RUNS
    assert "has no train_accuracy of epoch 7" in row.reason


def test_rows_survive_csv(rows: dict[str, Row], tmp_path: Path) -> None:
    some = list(rows.values())
    lonely = replace(some[0], mean=float("nan"), verdict=Verdict.NO_RUNS, what='a, "b"\nc')
    path = write_ledger(tmp_path / "ledger.csv", [*some, lonely])
    back = read_ledger(path)
    assert back[:-1] == some
    assert math.isnan(back[-1].mean)
    assert replace(back[-1], mean=0.0) == replace(lonely, mean=0.0)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FileFormatError, match="no ledger"):
        read_ledger(tmp_path / "other.csv")


def test_a_table_grows_item_by_item(rows: dict[str, Row], tmp_path: Path) -> None:
    one = replace(rows["sign"], item="a")
    two, new = replace(one, item="b"), replace(one, item="a", n=7)
    path = tmp_path / "ledger.csv"
    assert updated(path, [two], ["a", "b"]) == [two]
    write_ledger(path, [one, replace(one, item="gone"), two])
    assert updated(path, [new], ["b", "a"]) == [two, new]


def test_texts_show_numbers_seeds_verdicts_and_how_many_would_miss_by_chance(rows: dict[str, Row]) -> None:
    some = list(rows.values())
    for text in (terminal(some), page(some)):
        assert "0.123" in text
        assert "3-4" in text
        assert str(rows["gain"].verdict) in text
        assert tally(some) in text
    assert r"a \< b" in page(some)  # Markdown would take it for a tag
    assert r"none \| some" in page(some)
    many = [replace(some[0], verdict=Verdict.NOT)] * 100
    assert "100 not" in tally(many)
    assert "about 5 would be wrong by chance" in tally(many)


def test_digits_follow_the_interval() -> None:
    def shown(mean: float, low: float, high: float, n: int = 3) -> str:
        blank: dict[str, Any] = dict.fromkeys(Row.__dataclass_fields__, "")
        return Row(**{**blank, "mean": mean, "low": low, "high": high, "n": n}).ours

    assert shown(0.97151, 0.9702, 0.9728) == "0.97151 [0.97020, 0.97280]"
    assert shown(26.66, 14.8, 38.5) == "26.7 [14.8, 38.5]"
    assert shown(0.5, 0.5, 0.5) == "0.5000 [0.5000, 0.5000]"
    assert shown(0.5, math.nan, math.nan, n=1) == "0.5000"


def test_differences_that_cannot_be_told_from_none_are_marked(rows: dict[str, Row], ledger: Ledger) -> None:
    entry = replace(ledger.items[0].entries[0], published=Published.read(Decimal("0.01")))
    for values, marked in (([0.0, 0.02], True), ([0.0099, 0.01, 0.0101], False)):
        ours, verdict, why = judged(entry, values, False)
        assert ours is not None
        row = replace(rows["gain"], verdict=verdict, reason=why)
        assert verdict is Verdict.CONFOUNDED
        assert row.said == ("confounded (0 too)" if marked else "confounded")
    assert judged(entry, [-0.3, -0.29, -0.31], False)[1] is Verdict.NOT


def test_seeds_in_a_few_characters() -> None:
    assert spans([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"
    assert spans([]) == ""


def test_measures_are_made_by_name_and_describe_themselves() -> None:
    assert described(measure("test_accuracy")) == "test_accuracy"
    one = measure({"name": "fidelity", "quantity": "cosine", "teaching": {"name": "per_soma", "scope": "soma"}})
    assert described(one) == "fidelity (quantity cosine, teaching per_soma soma)"
    assert all(kind.name == name for name, kind in MEASURES.items())


def test_information_of_trained_branches(store: Store) -> None:
    run = next(iter(store.runs()))
    values = measure({"name": "information", "k": 3}).values(Evidence("x", {}, (3,), {"a": {3: run}}), "a")
    task = task_of({"name": "digits", "subset": {"n_train": 200, "n_test": 100}})
    network, bits = run.network, []
    for n in range(network.layout.size):
        both = [network.synaptic_conductance(task.x_test, sign)[:, n] for sign in (1, -1)]
        if np.any(both):
            bits.append(class_information(np.stack(both, axis=1), task.y_test, k=3))
    assert values[3] == pytest.approx(np.mean(bits))
