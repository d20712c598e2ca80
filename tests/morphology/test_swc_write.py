"""Writing SWC: what is written reads back as it was."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dendrosim.errors import MorphologyError
from dendrosim.morphology.samples import Samples
from dendrosim.morphology.swc import read_swc, write_swc

numbers = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False, width=64)
text = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), max_size=12)


@st.composite
def trees(draw: st.DrawFn) -> Samples:
    """A tree with its rows and identifiers in any order, any finite numbers, comments and trailing text."""
    n = draw(st.integers(1, 30))
    above = [-1] + [draw(st.integers(0, i - 1)) for i in range(1, n)]
    place = draw(st.permutations(range(n)))
    parent = np.empty(n, np.int64)
    for node, up in enumerate(above):
        parent[place[node]] = place[up] if up >= 0 else -1
    ids = draw(st.lists(st.integers(0, 2**60), min_size=n, max_size=n, unique=True))
    comments = sorted((draw(st.integers(0, n)), "#" + draw(text)) for _ in range(draw(st.integers(0, 3))))
    trailing = {row: "# " + draw(text) for row in draw(st.sets(st.integers(0, n - 1), max_size=3))}
    trailing = {row: value.strip() for row, value in trailing.items()}
    return Samples(
        np.array(ids),
        np.array(draw(st.lists(st.integers(0, 12), min_size=n, max_size=n))),
        np.array(draw(st.lists(numbers, min_size=3 * n, max_size=3 * n))).reshape(n, 3),
        np.abs(draw(st.lists(numbers, min_size=n, max_size=n))),
        parent,
        tuple((row, comment.strip()) for row, comment in comments),
        trailing,
    )


def assert_same(a: Samples, b: Samples) -> None:
    for name in ("id", "type", "xyz", "radius", "parent"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert np.array_equal(np.signbit(a.xyz), np.signbit(b.xyz))  # -0.0 too
    assert a.comments == b.comments
    assert dict(a.trailing) == dict(b.trailing)


@settings(deadline=None, max_examples=150)
@given(samples=trees())
def test_any_tree_comes_back(samples: Samples, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("swc") / "tree.swc"
    write_swc(samples, path)
    back, report = read_swc(path)
    assert back is not None, str(report)
    assert_same(samples, back)


def test_what_is_written(tmp_path: Path) -> None:
    samples = read_swc("# cell\n2.0 1 .5 0 0 5 -1 7 # soma\n1 3 9 1e-7 0 1 2\n\n# end\n")[0]
    assert samples is not None
    path = tmp_path / "cell.swc"
    write_swc(samples, path)
    assert path.read_text() == "# cell\n2 1 0.5 0.0 0.0 5.0 -1 7 # soma\n1 3 9.0 1e-07 0.0 1.0 2\n# end\n"


def test_the_mode_is_that_of_any_new_file(tmp_path: Path) -> None:
    samples = read_swc("1 1 0 0 0 5 -1\n")[0]
    assert samples is not None
    write_swc(samples, tmp_path / "cell.swc")
    (tmp_path / "other").write_text("")
    assert (tmp_path / "cell.swc").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = read_swc("1 1 0 0 0 5 -1\n")[0]
    assert samples is not None
    path = tmp_path / "cell.swc"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(MorphologyError, match=r"cell\.swc: cannot be written: No space left on device"):
        write_swc(samples, path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["cell.swc"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    samples = read_swc("1 1 0 0 0 5 -1\n")[0]
    assert samples is not None
    with pytest.raises(MorphologyError, match="cannot be written: No such file or directory"):
        write_swc(samples, tmp_path / "nowhere" / "cell.swc")


def test_real_files_come_back(morphology_data: Path, tmp_path: Path) -> None:
    for source in sorted((morphology_data / "real").glob("*.swc")):
        samples = read_swc(source)[0]
        assert samples is not None
        write_swc(samples, tmp_path / "copy.swc")
        back = read_swc(tmp_path / "copy.swc")[0]
        assert back is not None
        assert_same(samples, back)
