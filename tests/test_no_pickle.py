"""Nothing that dendrosim reads can run code: no pickle, no evaluation of text, no loader that unpickles."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import dendrosim

FILES = sorted(Path(dendrosim.__file__).parent.rglob("*.py"))
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "jsonpickle"}
CALLS = {"eval", "exec", "compile", "__import__"}
LOADERS = {
    ("np", "load"), ("numpy", "load"), ("np", "fromregex"), ("torch", "load"), ("pandas", "read_pickle"),
    ("pd", "read_pickle"), ("sio", "loadmat"),
}  # fmt: skip


def found(text: str) -> list[str]:
    """What a module does that it should not."""
    wrong = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            wrong += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            wrong += [node.module or ""] if (node.module or "").split(".")[0] in MODULES and not node.level else []
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in CALLS:
                wrong.append(called.id)
            if isinstance(called, ast.Attribute):
                owner = called.value.id if isinstance(called.value, ast.Name) else ""
                wrong += [f"{owner}.{called.attr}"] * ((owner, called.attr) in LOADERS)
                wrong += ["import_module"] * (
                    called.attr == "import_module" and isinstance(node.args[0], ast.JoinedStr)
                )
            wrong += [key.arg for key in node.keywords if key.arg == "allow_pickle"]
    return wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_no_module_reads_what_could_run(path):
    # process pools and dask pickle live objects between processes of one's own; they import pickle themselves
    assert found(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from pickle import loads", "import joblib.x", "import yaml", "eval('1')", "exec(x)",
        "np.load(p)", "numpy.load(p, allow_pickle=True)", "f(allow_pickle=False)", "torch.load(p)", "import shelve",
    ],
)  # fmt: skip
def test_what_is_looked_for_is_found(text):
    assert found(text)
