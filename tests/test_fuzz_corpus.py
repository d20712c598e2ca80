"""The committed corpora of the fuzzers, and random files from grammars, through the same oracles without the fuzzer."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dendrosim.morphology.repair import REPAIRS
from dendrosim.runs import schema

ROOT = Path(__file__).parents[1]
FUZZ = ROOT / "fuzz"
QUICK = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

if not FUZZ.is_dir():
    pytest.skip("fuzz/ is in a clone and in the sdist, and not here", allow_module_level=True)


def module(name: str):
    """A module of fuzz/, which is no part of the package."""
    if "fuzz" not in sys.modules or not hasattr(sys.modules["fuzz"], "__path__"):
        spec = importlib.util.spec_from_file_location(
            "fuzz", FUZZ / "__init__.py", submodule_search_locations=[str(FUZZ)]
        )
        sys.modules["fuzz"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["fuzz"])
    return importlib.import_module(f"fuzz.{name}")


@pytest.fixture(scope="module", autouse=True)
def tidy():
    yield
    for name in ("swc", "experiment", "hdf5"):
        if f"fuzz.{name}" in sys.modules:
            sys.modules[f"fuzz.{name}"].forget()


@pytest.mark.parametrize("name", ["swc", "experiment"])
def test_a_corpus_passes(name):
    target = module(name)
    files = sorted((FUZZ / "corpus" / name).iterdir())
    assert files
    for data in [*target.seeds(), *(path.read_bytes() for path in files)]:
        target.run(data)


@pytest.mark.parametrize("kind", range(11))
def test_changed_hdf5_files_are_refused_or_read(kind):
    target = module("hdf5")
    corpus = (path.read_bytes() for path in sorted((FUZZ / "corpus" / "hdf5").iterdir()))
    for data in [*target.seeds(), *corpus]:
        if data and data[0] % 11 == kind:
            target.run(data)


@pytest.mark.parametrize("name", ["swc", "experiment", "hdf5"])
def test_a_corpus_is_small(name):
    files = list((FUZZ / "corpus" / name).iterdir())
    assert len(files) < 200
    assert sum(path.stat().st_size for path in files) < 300_000


numbers = st.one_of(st.integers(-5, 500), st.floats(-1e3, 1e3), st.floats(), st.integers()).map(str)
junk = st.sampled_from(["", "nan", "1,5", ";", "#", "# soma", "\r", "\t", "x", '"1"', "1e999", "\x0b", "ä", "\x00"])


@st.composite
def trees(draw) -> bytes:
    """An SWC file: a tree, and some damage to its lines."""
    n = draw(st.integers(1, 12))
    lines = [f"1 1 0 0 0 {draw(st.sampled_from([5, 5.0, 0, 300]))} -1"]
    for i in range(2, n + 1):
        kind, parent = draw(st.sampled_from([1, 2, 3, 3, 3, 4, 5, 9])), draw(st.integers(1, i - 1))
        place = " ".join(str(draw(st.integers(-50, 50))) for _ in range(3))
        lines.append(f"{i} {kind} {place} {draw(st.sampled_from([0, 0.5, 1, 2]))} {parent}")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        words = lines[at].split(" ")
        words[draw(st.integers(0, len(words) - 1))] = draw(st.one_of(numbers, junk))
        lines[at] = " ".join(words)
    if draw(st.booleans()):
        lines = draw(st.permutations(lines))
    return draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines).encode()


@QUICK
@given(trees(), st.integers(0, 2 ** len(REPAIRS) - 1))
def test_damaged_trees_are_read_or_refused(text, repairs):
    module("swc").run(bytes([repairs]) + text)


values = st.recursive(
    st.one_of(
        st.booleans(), st.integers(-3, 40), st.floats(-2, 2), st.sampled_from(["exact", "digits", "", "a b", "~"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["name", "kind", "n"]), inner)
    ),
    max_leaves=4,
)
SECTIONS = {
    "network": [key for keys in schema.NETWORKS.values() for key in keys],
    "training": list(schema.TRAINING),
    "task": list(schema.TASK),
    "teaching": ["name", "scope"],
    "rule": ["name"],
    "fidelity": list(schema.FIDELITY),
    "credit": list(schema.CREDIT),
    "evaluation": list(schema.EVALUATION),
    "draw": ["n", "seed", "training"],
}


def toml(value) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@st.composite
def experiments(draw) -> bytes:
    """An experiment file with keys of the schema, and values of any kind."""
    tables = {"task": {"name": "digits"}, "network": {"cells": [3]}}
    for _ in range(draw(st.integers(0, 4))):
        section = draw(st.sampled_from(list(SECTIONS)))
        tables.setdefault(section, {})[draw(st.sampled_from(SECTIONS[section]))] = draw(values)
    lines = [
        line
        for name, table in tables.items()
        for line in (f"[{name}]", *(f"{k} = {toml(v)}" for k, v in table.items()))
    ]
    text = "\n".join(lines)
    if draw(st.booleans()):
        text += (
            f"\0{draw(st.sampled_from(['training.epochs', 'teaching.name', 'seeds', 'network']))}={toml(draw(values))}"
        )
    return text.encode()


@QUICK
@given(experiments())
def test_random_experiment_files_are_resolved_or_refused(content):
    module("experiment").run(content)
