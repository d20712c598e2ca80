"""The documentation is true: its examples run, its tables match the code."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import warnings
from pathlib import Path
from types import ModuleType

import pytest

import dendrosim
from dendrosim.morphology.repair import REPAIRS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
WRITTEN = [p for p in sorted(DOCS.rglob("*.md")) if not {"generated", "_build"} & set(p.parts)]
PAGES = [p for p in (ROOT / "README.md", *WRITTEN) if "```python" in p.read_text(encoding="utf-8")]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(dendrosim.__path__, "dendrosim.")
    if not module.name.endswith("__main__")
)
FAULTS = DOCS / "guide" / "morphology_files.md"


@pytest.fixture(autouse=True)
def somewhere_else_without_a_screen(tmp_path, monkeypatch):
    import matplotlib as mpl

    monkeypatch.chdir(tmp_path)
    backend = mpl.get_backend()
    mpl.use("agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
    mpl.use(backend)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run(page):
    text = page.read_text(encoding="utf-8")
    front = re.match(r"---\n(.*?)^---\n", text, re.MULTILINE | re.DOTALL)
    for library in re.findall(r"^requires: (\w+)$", front[1] if front else "", re.MULTILINE):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pytest.importorskip(library, reason=f"{page.name} needs {library}, which is not installed")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {"__name__": "__main__"}  # as in a session; numba asks where functions are from
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings_run(name):
    module = importlib.import_module(name)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=options).failed == 0


def fault_codes() -> set[str]:
    """Codes of faults in the source: first arguments of what reports them, and the tuples of the line reader."""
    folder = Path(dendrosim.__file__).parent / "morphology"
    found = set()
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            first: ast.expr | None = None
            if isinstance(node, ast.Call) and node.args:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                first = node.args[0] if name in ("Fault", "_add", "_once") else None
            elif isinstance(node, ast.Tuple) and file.stem == "fields" and len(node.elts) == 2:
                first = node.elts[0]
            if isinstance(first, ast.Constant) and re.fullmatch(r"[a-z]+(-[a-z]+)*", str(first.value)):
                found.add(str(first.value))
    return found


def documented(title: str) -> set[str]:
    """Code words in the first column of the table below a heading of the page on morphology files."""
    section = FAULTS.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\|(.*?)\|", section, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([\w-]+)`", row)}


def test_every_fault_is_documented():
    in_code = fault_codes()
    assert len(in_code) > 25
    assert in_code <= documented("Faults")


def test_every_documented_fault_exists():
    folder = Path(dendrosim.__file__).parent / "morphology"
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    for code in documented("Faults"):
        prefix = code.partition("-")[0]
        assert f'"{code}"' in source or f'"{prefix}-{{column}}"' in source, code


def test_the_table_of_repairs_is_complete():
    assert documented("Repairs") == set(REPAIRS)


def test_public_names_are_in_the_reference():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    listed = {line.strip().rpartition(".")[2] for line in text.splitlines()}
    modules = {name for name in dendrosim.__all__ if isinstance(getattr(dendrosim, name), ModuleType)}
    assert set(dendrosim.__all__) - modules - {"__version__"} <= listed
    from dendrosim import errors

    for module in (getattr(dendrosim, name) for name in sorted(modules - {"errors"})):
        public = {
            name for name in getattr(module, "__all__", ()) if not isinstance(getattr(module, name), (ModuleType, dict))
        }
        assert public <= listed, module.__name__
    assert {name for name in vars(errors) if name.endswith(("Error", "Warning"))} <= listed | {"ImportError"}


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *WRITTEN]:
        for target in re.findall(r"\]\(([^)#:]+\.md|LICENSE)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"


def test_checks_that_the_theory_names_exist():
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)", tests)) | {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    named = {
        name for page in (DOCS / "theory").glob("*.md") for name in re.findall(r"`(test_\w+)`", page.read_text("utf-8"))
    }
    assert len(named) > 20
    assert named <= there, sorted(named - there)
