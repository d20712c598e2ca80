"""``dendrosim reproduce`` from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dendrosim.cli import main
from dendrosim.runs import ledger
from dendrosim.runs.ledger import Ledger
from dendrosim.runs.ledger_page import page
from dendrosim.runs.ledger_rows import read_ledger
from dendrosim.runs.shipped import recorded_ledger
from dendrosim.runs.store import Store

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reproduction.md"
EXPERIMENT = """
seeds = [0, 1]
task = { name = "digits", subset = { n_train = 100, n_test = 50 } }
network = { cells = [3], branching = [2], excitatory = 8, inhibitory = 4 }
training = { epochs = 1, batch_size = 50 }
"""
LEDGER = """
paper = "made-up"
[[items]]
name = "made-up-table1"
place = "Table 1"
title = "Digits"
[[items.entries]]
name = "sure"
what = "accuracy"
published = "> -1"
source = "Table 1"
experiment = "{file}"
arm = "tiny"
measure = "test_accuracy"
[presets.quick."{file}"]
"""


def test_items_are_listed_without_loading_any_data(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENDROSIM_DATA", str(tmp_path))
    assert main(["reproduce", "table1", "--list"]) == 0
    shown = capsys.readouterr().out
    assert "table1: local-learning, Table 1" in shown
    assert "runs of preset quick:" in shown
    assert "table2" not in shown


def test_what_came_out_here_is_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["reproduce", "table1", "--recorded", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "0.914 ± 0.003" in shown
    assert "mnist-local-tree" in shown
    assert {row.item for row in read_ledger(tmp_path / "ledger.csv")} == {"table1"}
    assert "Confound" in (tmp_path / "ledger.md").read_text(encoding="utf-8")


def test_an_item_is_reproduced_and_goes_on_where_it_was(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment, entries, out = tmp_path / "tiny.toml", tmp_path / "entries.toml", tmp_path / "out"
    experiment.write_text(EXPERIMENT, encoding="utf-8")
    entries.write_text(LEDGER.format(file=experiment.as_posix()), encoding="utf-8")
    monkeypatch.setattr(ledger, "shipped_ledger", lambda: [entries])
    assert main(["reproduce", "--out", str(out), "--evaluate"]) == 0
    assert "1 no runs yet" in capsys.readouterr().out
    assert main(["reproduce", "made-up", "--out", str(out)]) == 0
    assert "1 reproduced" in capsys.readouterr().out
    (row,) = read_ledger(out / "ledger.csv")
    assert (row.n, row.seeds) == (2, "0-1")
    made = Store(out / "store").finished()
    assert main(["reproduce", "made-up-table1", "--out", str(out)]) == 0
    assert Store(out / "store").finished() == made
    assert main(["reproduce", "--out", str(tmp_path / "new"), "--evaluate", "--runs", str(out / "store")]) == 0
    assert "1 reproduced" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["tabel1"], 1, "did you mean 'table1'"),
        (["table1", "--preset", "medium"], 2, "invalid choice"),
        (["table1", "--recorded", "--list"], 2, "not allowed with"),
        (["table1", "--workers", "2", "--scheduler", "x"], 2, "not allowed with"),
        (["table1", "--evaluate", "--runs", "nowhere"], 1, "nowhere does not exist"),
    ],
)
def test_wrong_usage(
    arguments: list[str],
    status: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *arguments]) == status
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_page_is_what_the_recorded_table_says() -> None:
    if not PAGE.is_file():
        pytest.skip("the documentation is not part of an installed package")
    assert PAGE.read_text(encoding="utf-8") == page(read_ledger(recorded_ledger()))


def test_the_recorded_table_is_of_the_entries_that_there_are() -> None:
    rows = {(row.item, row.entry): row for row in read_ledger(recorded_ledger())}
    entries = {(item.name, entry.name): entry for item in Ledger.load().items for entry in item.entries}
    missing, gone = entries.keys() - rows.keys(), rows.keys() - entries.keys()
    again = "dendrosim reproduce --preset full --evaluate --runs ..., then copy its ledger.csv and ledger.md"
    assert not missing, f"{sorted(missing)[:5]} are not recorded: {again}"
    assert not gone, f"{sorted(gone)[:5]} are no entries any more: {again}"
    for key, row in rows.items():
        entry = entries[key]
        assert row.published == entry.published.shown, key
        assert (row.what, row.confound, row.fair, row.source) == (entry.what, entry.confound, entry.fair, entry.source)
