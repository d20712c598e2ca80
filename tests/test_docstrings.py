"""Docstrings of everything in the reference: numpydoc's checks, and what is our own custom."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache, reduce
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from numpydoc.docscrape import FunctionDoc, NumpyDocString
from numpydoc.validate import validate

import dendrosim

PAGES = sorted((Path(__file__).resolve().parent.parent / "docs").glob("api*.md"))
PAGES += sorted((Path(__file__).resolve().parent.parent / "docs" / "api").glob("*.md"))

CHECKS = {
    *("GL03", "GL05", "GL06", "GL07", "GL08", "GL09", "GL10"),  # blank lines, tabs, sections known and in order
    *("SS01", "SS03", "SS04", "SS06"),  # a summary, one line, with a full stop
    *("PR01", "PR02", "PR05", "PR06", "PR09", "PR10"),  # every parameter, and none besides
    *("RT01", "RT05", "YD01"),  # what is returned and yielded
    "SA04",
}
"""Left out: examples, see-also and extended summaries for all; infinitives in summaries; capitals after a symbol; the
order, which is checked below, as entries may share a line."""

TRIVIAL = {"plot"}
"""Methods that hand their options on to a function, which documents them."""


def listed() -> list[str]:
    """Names of the reference, below `dendrosim`."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return sorted(set(re.findall(r"^   ([A-Za-z_][\w.]*)$", text, re.MULTILINE)))


def found(name: str) -> Any:
    def step(thing: Any, part: str) -> Any:
        if isinstance(thing, ModuleType) and not hasattr(thing, part):
            return importlib.import_module(f"{thing.__name__}.{part}")
        return getattr(thing, part)

    return reduce(step, name.split("."), dendrosim)


def members(thing: Any) -> Iterator[tuple[str, Any]]:
    """What a listed name stands for: itself and, of a class, the public methods and properties that it defines."""
    home = f"{thing.__module__}.{thing.__qualname__}"
    yield home, thing
    if inspect.isclass(thing):
        for name, value in vars(thing).items():
            plain = getattr(value, "__func__", value)
            if not name.startswith("_") and isinstance(plain, (FunctionType, property)):
                yield f"{home}.{name}", plain


def inherited(name: str, thing: Any) -> bool:
    """Whether a method overrides one that has a docstring: it may then say less, or nothing."""
    owner, _, method = name.rpartition(".")
    kind = found(owner.partition(".")[2]) if owner.startswith("dendrosim") else None
    if not inspect.isclass(kind) or inspect.isclass(thing):
        return False
    return any(getattr(vars(base).get(method), "__doc__", None) for base in kind.__mro__[1:])


@cache
def objects() -> dict[str, Any]:
    everything = dict(pair for name in listed() for pair in members(found(name)))
    return {name: thing for name, thing in everything.items() if not isinstance(thing, ModuleType)}


def told_in_a_sentence(thing: Any) -> bool:
    """Whether a method of few parameters says it all in a sentence or two, naming each of them."""
    names = [name for name in inspect.signature(thing).parameters if name not in ("self", "cls")]
    text = inspect.getdoc(thing) or ""
    sections = FunctionDoc(thing)
    plain = not (sections["Parameters"] or sections["Returns"])
    return plain and len(names) <= 4 and all(re.search(rf"`{name}\b", text) for name in names)


def faults(name: str, thing: Any) -> list[str]:
    if inherited(name, thing) or name.rpartition(".")[2] in TRIVIAL:
        return []
    wrong = [(code, text) for code, text in validate(name)["errors"] if code in CHECKS]
    if inspect.isclass(thing):
        doc = NumpyDocString(inspect.getdoc(thing) or "")
        # what functions make is described by its attributes; what hands options on says to whom
        if (
            getattr(thing, "_is_protocol", False)
            or doc["Attributes"]
            or re.search(r"\b[Mm]ade by|\bthose of\b|\b[Aa]s (for )?`", str(doc))
        ):
            wrong = [fault for fault in wrong if fault[0] != "PR01"]
    elif isinstance(thing, FunctionType) and "." in thing.__qualname__ and told_in_a_sentence(thing):
        wrong = [fault for fault in wrong if fault[0] not in ("PR01", "RT01")]
    return [f"{code} {text}" for code, text in wrong]


def test_docstrings_are_valid():
    wrong = {name: faults(name, thing) for name, thing in objects().items()}
    told = [f"{name}: {'; '.join(found)}" for name, found in wrong.items() if found]
    assert not told, f"{len(told)} docstrings\n" + "\n".join(told)


def test_parameters_are_in_order():
    wrong = []
    for name, thing in objects().items():
        called = thing.__init__ if inspect.isclass(thing) else thing
        if not isinstance(called, FunctionType):
            continue
        order = list(inspect.signature(called).parameters)
        entries = NumpyDocString(inspect.getdoc(thing) or "")["Parameters"]
        first = [entry.name.split(",")[0].strip("* ") for entry in entries]
        places = [order.index(one) for one in first if one in order]
        if places != sorted(places):
            wrong.append(f"{name}: {', '.join(first)}; the signature has {', '.join(order)}")
    assert not wrong, "\n".join(wrong)


def parameters() -> Iterator[tuple[str, Any]]:
    for name, thing in objects().items():
        doc = FunctionDoc(thing) if isinstance(thing, FunctionType) else NumpyDocString(inspect.getdoc(thing) or "")
        for section in ("Parameters", "Returns", "Attributes"):
            for entry in doc[section]:
                yield name, entry


SHAPE = re.compile(r"shape|\([A-Z\w]*,|\bper\b|\bone\b|\bof (a|b|the)\b|structured|`")


def test_arrays_have_a_shape():
    wrong = []
    for name, entry in parameters():
        text = f"{entry.type} {' '.join(entry.desc)}"
        if re.search(r"\barrays?\b", entry.type or "") and not SHAPE.search(text):
            wrong.append(f"{name}: {entry.name} : {entry.type}")
    assert not wrong, "\n".join(wrong)


def test_what_is_raised_is_said():
    wrong = []
    for name, thing in objects().items():
        if not isinstance(thing, FunctionType) or inherited(name, thing):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
        body = [node for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
        raised = {ast.unparse(node.exc.func) for node in body if isinstance(node.exc, ast.Call)}
        said = {word for entry in FunctionDoc(thing)["Raises"] for word in re.findall(r"\w+", entry.type or entry.name)}
        missing = {one for one in raised if one.endswith("Error")} - said
        if missing:
            wrong.append(f"{name}: {', '.join(sorted(missing))}")
    assert not wrong, "\n".join(wrong)


PUBLISHED = [
    "steady_state", "exact_gradient", "transfer_resistance", "simulate", "OnlineLearner", "HodgkinHuxley", "NMDA",
    "ExponentialIntegrateAndFire", "AdaptiveIntegrateAndFire", "FastSigmoid", "Triangle", "ArcTangent",
    "plasticity.Rule", "plasticity.Rho", "plasticity.Phi", "plasticity.PathGain", "plasticity.Depth",
    "plasticity.DendriticNormalisation", "plasticity.ApicalBasal", "plasticity.HSIC", "plasticity.Adam",
    "plasticity.AdamW", "teaching.PerSoma", "teaching.Scalar", "teaching.LocalMismatch", "teaching.FA", "teaching.DFA",
    "teaching.EBD", "teaching.SBD", "teaching.KolenPollack", "diagnostics.cosine", "diagnostics.log_scale",
    "diagnostics.two_nn", "diagnostics.path_gains", "diagnostics.audit", "diagnostics.effect_of_groups",
    "diagnostics.bootstrap_interval", "diagnostics.holm", "diagnostics.branch_information",
    "morphology.growth.rall_tree", "morphology.growth.minimum_spanning_tree",
]  # fmt: skip
SOURCE = re.compile(r"\beqs?\.|[Aa]ppendix|[Dd]ef\. \d|arXiv|\b(19|20)\d\d\b|the (evaluation |local-credit )?paper")


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_implements_a_publication_names_it(name):
    assert SOURCE.search(inspect.getdoc(found(name)) or "")
