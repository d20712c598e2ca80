"""The page of the guide, and the command line, with the local server in place of NeuroMorpho.Org."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import dendrosim as ds
from dendrosim.cli import main

PAGE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "neuromorpho.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_page_run(archive, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    found = blocks("py")
    assert len(found) == 6
    for block in found:
        exec(compile(block, str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    shown = [block for block in blocks("text") if not block.startswith("dendrosim")]
    assert len(shown) == 2
    for block in shown:
        assert block in printed


def test_the_commands_of_the_page_run(archive, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (block,) = (block for block in blocks("text") if block.startswith("dendrosim"))
    for line in block.splitlines():
        assert main(shlex.split(line)[1:]) == 0
    printed = capsys.readouterr().out
    assert "4 neurons with species:monkey brain_region:neocortex" in printed
    assert sorted(path.name for path in (tmp_path / "cells").iterdir()) == ["cnic_001.CNG.swc", "cnic_002.CNG.swc"]
    assert "cells.lock.json" in printed


def test_names_alone_and_nothing_found(archive, capsys):
    assert main(["morphology", "search", "species=monkey,mouse", "--names", "--limit", "2"]) == 0
    assert capsys.readouterr().out == "cnic_001\ncnic_002\n"
    assert main(["morphology", "search", "species=unicorn"]) == 1
    assert capsys.readouterr().out == "no neurons with species:unicorn\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search", "monkey"], "'monkey' is no condition; give FIELD=VALUE"),
        (["search", "colour=red"], "field='colour' is not known"),
        (["search", "page=3"], "field='page' is not known"),
        (["search", "server=x"], "field='server' is not known"),
        (["fetch", "--lock", "cells.lock.json", "--version", "original"], "which version each of its files is"),
        (["fetch"], "give names, or --archive NAME, or --lock FILE"),
        (["fetch", "cnic_001", "--archive", "Wearne_Hof"], "give names, or --archive"),
        (["fetch", "../../x"], "separators of paths"),
        (["fetch", "cnic_01"], "close are 'cnic_0"),
        (["fetch", "--lock", "nowhere.json"], "nowhere.json cannot be used"),
    ],
)
def test_what_cannot_be_done_is_one_line(archive, capsys, words, message):
    assert main(["morphology", *words]) == 1
    error = capsys.readouterr().err
    assert error.startswith("dendrosim: error: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_lock_is_demanded_of_single_names_too(archive, site, tmp_path, monkeypatch, capsys):
    lock = str(ds.neuromorpho.lock(tmp_path / "cells.lock.json", "cnic_001"))
    monkeypatch.setenv("DENDROSIM_CACHE", str(tmp_path / "other"))
    site.answers[archive.place("cnic_001")] = b"1 1 0 0 0 5 -1\n2 3 0 9 0 1 1\n"
    assert main(["morphology", "fetch", "cnic_001", "--lock", lock]) == 1
    assert "has changed at NeuroMorpho.Org" in capsys.readouterr().err


def test_a_lock_that_cannot_be_written_is_told_before_anything_is_fetched(archive, site, tmp_path, capsys):
    (tmp_path / "there.json").write_text("mine")
    assert main(["morphology", "fetch", "cnic_001", "--write-lock", str(tmp_path / "there.json")]) == 1
    assert "is there already" in capsys.readouterr().err
    assert site.asked == []
    assert (tmp_path / "there.json").read_text() == "mine"
