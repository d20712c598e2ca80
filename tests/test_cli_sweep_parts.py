"""``dendrosim sweep``: parts of a sweep, and the check of a store."""

from __future__ import annotations

import pytest

from dendrosim.cli import main
from dendrosim.runs import Store
from dendrosim.runs.sweep import Sweep

FILE = """
seeds = [0, 1, 2, 3, 4, 5]
[task]
name = "digits"
subset = { n_train = 60, n_test = 20 }
[network]
kind = "point_mlp"
hidden = 3
[training]
epochs = 1
"""


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(FILE)
    return Sweep.load("tiny.toml")


def test_parts_fill_one_store(sweep, capsys):
    for number in (1, 2):
        assert main(["sweep", "tiny.toml", "--part", f"{number}/2", "--out", "store"]) == 0
        mine = {one.identity for one in sweep.part(number, 2)}
        assert len(mine & Store("store").finished()) == len(mine)
    assert Store("store").finished() == {one.identity for one in sweep}
    capsys.readouterr()
    assert main(["sweep", "tiny.toml", "--out", "store", "--resume"]) == 0
    assert "0 runs finished, 6 kept" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [("3", "is not a part such as 3/16"), ("5/4", "there is no part 5 of 4"), ("0/4", "at least 1"), ("a/b", "'a'")],
)
def test_impossible_parts(sweep, capsys, text, message):
    assert main(["sweep", "tiny.toml", "--part", text]) == 2
    assert message in capsys.readouterr().err


def test_a_check_names_damaged_runs_with_status_1(sweep, capsys):
    assert main(["sweep", "tiny.toml", "--check"]) == 1
    assert "is no store of runs" in capsys.readouterr().err
    assert main(["sweep", "tiny.toml"]) == 0
    capsys.readouterr()
    assert main(["sweep", "tiny.toml", "--check"]) == 0
    assert "6 runs read, 0 damaged" in capsys.readouterr().out
    store = Store("tiny-sweep")
    path = store.path(sweep.points[0].identity)
    path.write_bytes(path.read_bytes()[:1000])
    assert main(["sweep", "tiny.toml", "--check"]) == 1
    out, error = capsys.readouterr()
    assert "6 runs read, 1 damaged" in out
    assert path.name in error
