"""The command line: exit statuses, one clear line for errors, nothing but results on standard output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dendrosim as ds
from dendrosim import cli

GOOD = "1 1 0 0 0 5 -1\n2 3 0 10 0 1 1\n3 3 0 50 0 1 2\n"
WARNED = "1 1 0 0 0 5 -1\n2 3 0 10 0 0 1\n3 3 0 50 0 1 2\n"  # radius 0 at sample 2
FAULTY = "1 1 0 0 0 5 -1\n2 3 0 10 0 1 7\n"  # parent 7 does not exist


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str, name: str = "cell.swc") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"dendrosim {ds.__version__}\n"


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "dendrosim", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"dendrosim {ds.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["demo", "--nonsense"],
        ["demo", "--stimuli", "0"],
        ["demo", "--stimuli", "many"],
        ["demo", "--seed", "-1"],
        ["morphology"],
        ["morphology", "check"],
        ["morphology", "eat", "cell.swc"],
    ],
)
def test_wrong_usage_has_status_2_and_says_so(arguments, capsys):
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "usage: dendrosim" in err
    assert "error: " in err


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["morphology", "check", "--help"]])
def test_help(arguments, capsys):
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out.startswith("usage: dendrosim")


def test_check_of_a_good_file(file, capsys):
    assert cli.main(["morphology", "check", file(GOOD)]) == 0
    out = capsys.readouterr().out
    assert "samples, soma: " in out
    assert "error" not in out
    assert "warning" not in out


def test_check_prints_warnings_and_lets_pass(file, capsys):
    path = file(WARNED)
    assert cli.main(["morphology", "check", path]) == 0
    assert f"{path}:2: warning zero-radius " in capsys.readouterr().out


def test_check_prints_errors_with_their_line_and_fails(file, capsys):
    path = file(FAULTY)
    assert cli.main(["morphology", "check", path]) == 1
    out, err = capsys.readouterr()
    assert f"{path}:2: error missing-parent " in out
    assert err == ""


@pytest.mark.parametrize("action", ["info", "check", "plot"])
def test_a_missing_file_is_one_line_on_standard_error(action, capsys):
    assert cli.main(["morphology", action, "nowhere/cell.swc"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("dendrosim: error: ")
    assert "nowhere/cell.swc" in err
    assert "Traceback" not in err


def test_info_of_a_file_and_of_a_shipped_cell(file, capsys):
    assert cli.main(["morphology", "info", file(GOOD)]) == 0
    assert re.search(r"samples +3\n", capsys.readouterr().out)
    assert cli.main(["morphology", "info", "pyramidal_l5"]) == 0
    assert "apical" in capsys.readouterr().out


def test_info_tells_a_warning_without_a_traceback(file, capsys):
    assert cli.main(["morphology", "info", file(WARNED)]) == 0
    assert capsys.readouterr().err.startswith("dendrosim: warning: ")


def test_plot_writes_an_image_where_it_is_told_or_here(file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["morphology", "plot", file(GOOD)]) == 0
    assert cli.main(["morphology", "plot", file(GOOD), "--out", "drawn.svg"]) == 0
    assert capsys.readouterr().out.split() == ["cell.png", "drawn.svg"]
    assert Path("cell.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in Path("drawn.svg").read_text()


def test_plot_into_a_folder_or_without_an_ending_prints_what_was_written(file, tmp_path, capsys):
    folder = tmp_path / "drawn"
    folder.mkdir()
    assert cli.main(["morphology", "plot", file(GOOD), "--out", str(folder)]) == 0
    assert cli.main(["morphology", "plot", file(GOOD), "--out", str(folder / "v1.2.pdf")]) == 0
    assert cli.main(["morphology", "plot", file(GOOD), "--out", str(folder / "plain")]) == 0
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert printed == [folder / "cell.png", folder / "v1.2.pdf", folder / "plain.png"]
    assert sorted(folder.iterdir()) == sorted(printed)


def test_plot_refuses_unknown_formats_and_says_where_it_cannot_write(file, tmp_path, capsys):
    assert cli.main(["morphology", "plot", file(GOOD), "--out", str(tmp_path / "cell.xyz")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("dendrosim: error: --out ")
    assert ".xyz is no image format" in err
    assert ".pdf, .png" in err
    absent = tmp_path / "absent" / "cell.png"
    assert cli.main(["morphology", "plot", file(GOOD), "--out", str(absent)]) == 1
    assert capsys.readouterr().err == f"dendrosim: error: {absent}: No such file or directory\n"


def test_demo_says_at_once_what_cannot_be_written(file, capsys):
    blocked = file(GOOD)
    assert cli.main(["demo", "--out", blocked]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"dendrosim: error: {blocked}/run.h5 cannot be written: a file is in the way")


def test_a_terminal_that_knows_only_ascii_gets_everything(file, tmp_path):
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    path = file(GOOD, "zelle_ä.swc")
    arguments = [sys.executable, "-m", "dendrosim", "morphology", "info", path]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment)
    assert "zelle_?" in done.stdout
    code = "import dendrosim as ds; print(ds.Morphology.load('pyramidal_l5').draw(lines=40))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert "| | ` " in done.stdout


def test_an_interrupt_has_its_own_status(monkeypatch, capsys):
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_info", interrupted)
    assert cli.main(["morphology", "info", "x"]) == 130
    assert capsys.readouterr().err == "dendrosim: interrupted\n"


def test_a_reader_that_goes_away_is_no_error_message(file):
    path = file(GOOD + "".join(f"{n} 3 0 {n} 0 0 {n - 1}\n" for n in range(4, 3000)))
    command = f"'{sys.executable}' -m dendrosim morphology check '{path}' | head -n 1; echo ${{PIPESTATUS[0]}}"
    for _ in range(3):
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
        assert done.stderr == ""
        assert len(done.stdout.splitlines()) == 2
        assert done.stdout.splitlines()[1] in ("0", "141")  # whether all was written before the reader went


def test_a_closed_pipe_has_the_status_of_sigpipe(file):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        arguments = [sys.executable, "-m", "dendrosim", "morphology", "check", file(GOOD)]
        done = subprocess.run(arguments, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")


def test_bench_hands_its_arguments_on(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "_data" / "benchmarks"
    folder.mkdir(parents=True)
    (folder / "helper.py").write_text("word = 'measured'\n")
    (folder / "run.py").write_text("import sys, helper\nprint(helper.word, sys.argv[1:])\nsys.exit(3)\n")
    monkeypatch.setattr(cli, "_HERE", tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["dendrosim"])
    assert cli.main(["bench", "--quick", "--out", "x"]) == 3
    assert capsys.readouterr().out == "measured ['--quick', '--out', 'x']\n"
