"""Every command of the documentation runs: quick ones as they stand, slow ones with ``pytest -m slow`` on this file.

Of slow ones the quick tests still check that the program takes the command line: options, experiments, arms, settings.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

import dendrosim as ds
from dendrosim.cli import _parser, main
from dendrosim.runs.ledger import Ledger

from .documented_commands import ROOT, Command, commands, meant

# Set up environments, or check the whole: .ci/run and .ci/release do these, from a clean clone.
ENVIRONMENT = {
    "python3 -m venv .venv",
    ".venv/bin/pip install .",
    ".venv/bin/dendrosim demo",
    '.venv/bin/pip install -e ".[test]"',
    ".venv/bin/python -m pytest -n 2 --dist loadfile",
    '.venv/bin/pip install -e ".[test,validation,lint,docs]"',
    ".venv/bin/python -m pytest tests/morphology",
    ".venv/bin/ruff check .",
    ".venv/bin/mypy",
    ".venv/bin/lint-imports",
    ".venv/bin/python -m sphinx -W -b html docs docs/_build/html",
    ".venv/bin/python -m sphinx -W -t slow -b html docs docs/_build/html",
    ".venv/bin/python docs/check_site.py docs/_build/html",
    ".venv/bin/python -m pytest tests/test_docs_commands.py -m slow",
    "DENDROSIM_SITE=docs/_build/html .venv/bin/python -m pytest tests/test_site.py",
    "git clone",
    "bash .ci/run",
    "bash .ci/release",
    "bash .ci/newcomer",
    "pytest -rs",
    "pytest --mpl-generate-path=FOLDER",
}
PIP = re.compile(r'pip install (?:"(?:dendrosim|\.)\[([\w,]+)\]"|(\w+))')  # extras or libraries: looked up below
# Want a scheduler, or a batch system: tests/runs/test_clusters_page.py and test_executors.py have some of straw.
CLUSTER = re.compile(
    r"^(dask (scheduler|worker)\b|srun |source \$HOME|export |file=\$PWD|python slurm_sweep\.py )|--scheduler "
)
# Wants NeuroMorpho.Org: tests/morphology/neuromorpho/test_page.py has one of straw.
NETWORK = re.compile(r"^dendrosim morphology (search|fetch)\b")

MINE = """
seeds = [0, 1]
task = { name = "digits", subset = { n_train = 60, n_test = 30 } }
network = { cells = [2], branching = [2], excitatory = 4, inhibitory = 2 }
training = { epochs = 1, batch_size = 30 }
[[arms]]
name = "per soma"
teaching = { name = "per_soma" }
[[arms]]
name = "scalar"
teaching = { name = "scalar" }
"""
ALL = commands()
DISTINCT = list({command.text: command for command in ALL}.values())


def elsewhere(command: Command) -> bool:
    wants = (CLUSTER.search(command.text), NETWORK.search(command.text), PIP.fullmatch(command.text))
    return command.text in ENVIRONMENT or any(wants)


def synopsis(command: Command) -> bool:
    """Whether it shows what may be written rather than what to write; `FILE` alone is any file."""
    return bool(re.search(r"[A-Za-z]\|[A-Za-z]|\[|\.\.\.|\b(?!FILE\b)[A-Z][A-Z/0-9]*\b(?![-.=])", command.text))


def quick(command: Command) -> bool:
    if command.slow or elsewhere(command) or synopsis(command):
        return False
    # within a line of text a command is spoken of; what only tells something is cheap enough to be tried
    return command.block >= 0 or bool(re.search(r"--(help|version|list)\b", command.text))


@pytest.fixture
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a reader's: a clone's experiments and figures, and files of the reader's own."""
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    (tmp_path / "mine.toml").write_text(MINE, encoding="utf-8")
    shutil.copy(ROOT / "morphologies" / "stellate.swc", tmp_path / "cell.swc")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "experiments")
    return tmp_path


class Parsed(Exception):
    """The script took its arguments."""


def script(words: list[str], monkeypatch: pytest.MonkeyPatch, *, stop: bool) -> None:
    """Run a script; with `stop` only until it has read its arguments."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(self: argparse.ArgumentParser, *given: object) -> None:
        parse(self, *given)  # type: ignore[call-overload]
        raise Parsed

    path = ROOT / words[0]
    assert path.is_file(), f"there is no {words[0]}"
    source = path.read_text(encoding="utf-8")
    if stop and "parse_args" not in source:  # takes no arguments; what it would do is not for a quick test
        assert len(words) == 1
        compile(source, str(path), "exec")
        return
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", [str(path), *words[1:]])
        patch.syspath_prepend(path.parent)
        if stop:
            patch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
            with pytest.raises(Parsed):
                runpy.run_path(str(path), run_name="__main__")
        else:
            runpy.run_path(str(path), run_name="__main__")


def check_dendrosim(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is trained, but everything that is said is looked up."""
    if not words:
        return
    if words[0] == "bench":
        if "--help" not in words:
            script(["benchmarks/run.py", *words[1:]], monkeypatch, stop=True)
        return
    if words in (["run"], ["sweep"], ["audit"], ["fidelity"], ["figures"], ["--version"]):  # spoken of, or run below
        return
    options = _parser().parse_args(words)
    if words[0] in ("run", "sweep"):
        assert listed(words) == 0
    elif words[0] == "reproduce":
        ledger().chosen(options.names)


@cache
def ledger() -> Ledger:
    return Ledger.load()


def listed(words: list[str]) -> int:
    """Status of ``--list`` for a run or sweep, with the options that say what is run."""
    kept, words = words[:2], words[2:]
    while words:
        option, words = words[0], words[1:]
        values = [*itertools.takewhile(lambda word: not word.startswith("--"), words)]
        words = words[len(values) :]
        if option in ("--set", "--seeds", "--arms"):
            kept += [option, *values]
    return main([*kept, "--list"])


@pytest.mark.parametrize("command", DISTINCT, ids=str)
def test_a_command_line_is_one(command: Command, somewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if elsewhere(command) and not command.text.startswith("dendrosim"):
        return
    text = command.text.partition(" | ")[0]
    if re.match(r"^(\S*/)?python3? ", text):
        script(next(meant(Command("", text, False, 0).words))[1:], monkeypatch, stop=True)
        return
    assert text.split()[0] == "dendrosim", f"{command}: nothing says how this is tested"
    words = Command("", text.replace("$file", "scheduler.json"), False, 0).words[1:]
    for one in meant(words):
        check_dendrosim(one, monkeypatch)


@pytest.mark.parametrize("page", sorted({command.page for command in ALL if quick(command)}))
def test_quick_commands_run(
    page: str, somewhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for command in ALL:
        if command.page != page or not quick(command):
            continue
        words = next(meant(command.words))
        if words[0] == "dendrosim":
            assert main(words[1:]) == 0, f"{command}\n{capfd.readouterr().err}"
        else:
            script(words[1:], monkeypatch, stop=False)


def extras() -> dict[str, list[str]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def test_what_pages_install_is_what_extras_bring() -> None:
    found = [match for command in ALL if (match := PIP.search(command.text))]
    named = {name for match in found if match[1] for name in match[1].split(",")}
    assert named
    assert named <= set(extras())
    libraries = {re.split(r"[^\w-]", line)[0].lower() for lines in extras().values() for line in lines}
    assert {match[2].lower() for match in found if match[2]} <= libraries


def test_the_table_of_extras_is_complete() -> None:
    text = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    section = text.partition("## Extras\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(extras())


def test_every_kind_of_command_is_there() -> None:
    assert len(ALL) > 120
    assert sum(quick(command) for command in ALL) > 12
    assert not ENVIRONMENT - {command.text for command in ALL}, "what is listed here has left the pages"


SLOW = [c for c in ALL if c.block >= 0 and not elsewhere(c) and not synopsis(c)]
BLOCKS = sorted({(c.page, c.block) for c in SLOW if c.slow})


@pytest.mark.slow
@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=lambda value: str(value))
def test_slow_blocks_run(page: str, block: int, somewhere: Path) -> None:
    """As they stand, through a shell; minutes to hours each, and data sets of `DENDROSIM_DATA` for some."""
    programs = somewhere / "programs"
    programs.mkdir()
    for name, call in (("dendrosim", f'"{sys.executable}" -m dendrosim.cli'), ("python", f'"{sys.executable}"')):
        (programs / name).write_text(f'#!/bin/sh\nexec {call} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    (somewhere / "experiments").unlink()
    for folder in ("experiments", "docs/figures"):  # scripts write there
        shutil.copytree(ROOT / folder, somewhere / folder)
    lines = [c.text.replace("FILE.swc", "cell.swc") for c in SLOW if (c.page, c.block) == (page, block)]
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(ds.__file__).parents[1]),
    }
    done = subprocess.run(
        ["sh", "-ec", "\n".join(lines)], cwd=somewhere, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
