"""What is built, and that what the README promises is what is checked."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import dendrosim as ds

ROOT = Path(__file__).resolve().parent.parent
DATA = "dendrosim/_data"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of the files in a wheel built from this checkout."""
    pytest.importorskip("hatchling", reason="building the wheel needs hatchling (extra `test`)")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    assert path.name == f"dendrosim-{ds.__version__}-py3-none-any.whl"
    return zipfile.ZipFile(path).namelist()


def test_the_wheel_has_one_top_level_package(wheel):
    assert {name.partition("/")[0] for name in wheel} == {"dendrosim", f"dendrosim-{ds.__version__}.dist-info"}


def test_the_wheel_has_every_module_and_what_they_read(wheel):
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "dendrosim").rglob("*.py")}
    beside = {f"dendrosim/plotting/audit_page.{ending}" for ending in ("css", "js")}
    assert modules | beside | {"dendrosim/py.typed"} <= set(wheel)


@pytest.mark.parametrize("folder", ["morphologies", "experiments", "benchmarks"])
def test_the_wheel_carries_what_ships(wheel, folder):
    inside = {name.removeprefix(f"{DATA}/") for name in wheel if name.startswith(f"{DATA}/{folder}/")}
    beside = {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*.*")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(ROOT).parts)
    }
    assert inside
    assert inside == beside


def test_the_wheel_has_at_least_six_cells(wheel):
    assert sum(name.startswith(f"{DATA}/morphologies/") and name.endswith(".swc") for name in wheel) >= 6


def test_the_wheel_has_no_tests_and_no_leftovers(wheel):
    assert [name for name in wheel if re.search(r"(^|/)(tests|__pycache__|conftest\.py)|\.pyc$", name)] == []


def test_the_wheel_carries_its_licence(wheel):
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in wheel)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of the files in an sdist built from this checkout, without the folder that holds them."""
    pytest.importorskip("hatchling", reason="building the sdist needs hatchling (extra `test`)")
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def test_the_sdist_has_all_that_the_tests_and_a_wheel_need(sdist):
    folders = ("dendrosim", "morphologies", "experiments", "benchmarks", "tests", "fuzz", "docs")
    tracked = subprocess.run(["git", "ls-files", *folders, ".ci"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout: what belongs to the sdist is not known")
    assert set(tracked.stdout.split("\n")) - {""} - set(sdist) == set()
    assert {"pyproject.toml", "README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "PKG-INFO"} <= set(sdist)


def test_the_sdist_has_no_leftovers(sdist):
    assert [name for name in sdist if re.search(r"(^|/)(__pycache__|_build|generated)/|\.(pyc|nbc|nbi)$", name)] == []


def test_the_citation_file_is_of_this_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert re.findall(r"^version: (.*)$", text, re.MULTILINE) == [project["version"]]
    assert re.findall(r"^license: (.*)$", text, re.MULTILINE) == [project["license"]]
    assert ds.cite().startswith("The dendrosim authors")
    assert '- name: "The dendrosim authors"' in text


def test_readme_has_the_two_commands_that_the_checks_run():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    endings = re.findall(r'^(?: +|stage "README: \w+" )readme "(.*?)"(?: </dev/null .*)?$', checks, re.MULTILINE)
    assert endings == ["dendrosim demo", "python -m pytest -n 2 --dist loadfile"]
    for ending in endings:
        commands = re.findall(rf"^python3 -m venv .*{re.escape(ending)}$", readme, re.MULTILINE)
        assert len(commands) == 1


def test_every_extra_that_a_message_or_page_names_exists():
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "dendrosim").rglob("*.py")]
    named = {
        name.strip()
        for path in pages
        for names in re.findall(r"(?:dendrosim|\.)\[([a-z, ]+)\]", path.read_text(encoding="utf-8"))
        for name in names.split(",")
    }
    assert named <= extras
