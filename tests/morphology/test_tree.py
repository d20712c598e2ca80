"""Morphology: loading, saving, checking, the graph, and what it hands on."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import warnings
from pathlib import Path

import networkx
import numpy as np
import pytest

from dendrosim import Compartments, Morphology, Passive
from dendrosim.errors import MorphologyError, MorphologyWarning, ParameterError
from dendrosim.morphology import shipped
from dendrosim.morphology.samples import Samples

TEXT = """# a comment
1 1 0 0 0 5 -1
2 3 6 0 0 2 1 extra
3 3 16 0.1 0 2 2
# in between
5 3 26 30 0 1 3
7 4 26 -10 1e-3 1 3
"""


def cell() -> Morphology:
    return Morphology.from_swc(TEXT, name="cell")


def samples(n: int = 4, **changes: object) -> Samples:
    """A straight chain, or one with some arrays replaced."""
    arrays: dict[str, object] = {
        "id": np.arange(1, n + 1),
        "type": np.full(n, 3),
        "xyz": np.arange(3.0 * n).reshape(n, 3),
        "radius": np.ones(n),
        "parent": np.arange(n) - 1,
    }
    return Samples(**{**arrays, **changes})  # type: ignore[arg-type]


def test_load_path_and_name(tmp_path: Path) -> None:
    path = tmp_path / "some.cell.swc"
    path.write_text(TEXT)
    loaded = Morphology.load(path)
    assert loaded.name == "some.cell"
    assert loaded.samples.id.tolist() == [1, 2, 3, 5, 7]
    assert loaded.report is not None
    assert loaded.report.source == str(path)
    assert Morphology.load(str(path)).samples.xyz.tolist() == loaded.samples.xyz.tolist()


def test_save_and_load_give_the_same(tmp_path: Path) -> None:
    cell().save(tmp_path / "copy.swc")
    copy = Morphology.load(tmp_path / "copy.swc")
    for name in ("id", "type", "xyz", "radius", "parent"):
        np.testing.assert_array_equal(getattr(copy.samples, name), getattr(cell().samples, name))
    assert copy.samples.comments == cell().samples.comments
    assert dict(copy.samples.trailing) == dict(cell().samples.trailing)


def test_shipped_cells_load_without_a_warning() -> None:
    names = shipped.shipped_names()
    assert "pyramidal_l5" in names
    for name in names:
        loaded = Morphology.load(name)
        assert loaded.name == name
        assert loaded.soma is not None
        assert loaded.total_length() > 0


def test_unknown_source_lists_the_shipped_names(tmp_path: Path) -> None:
    with pytest.raises(MorphologyError, match=r"'pyramidal_l6' does not exist; .*\.swc.*shipped cell: .*pyramidal_l5"):
        Morphology.load("pyramidal_l6")
    with pytest.raises(MorphologyError, match="is a folder"):
        Morphology.load(tmp_path)


def test_no_shipped_cells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "dendrosim")
    with pytest.raises(MorphologyError, match="none found in"):
        Morphology.load("pyramidal_l5")


def test_installed_cells_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "_data" / "morphologies"
    folder.mkdir(parents=True)
    (folder / "mine.swc").write_text(TEXT)
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path)
    assert shipped.shipped_names() == ("mine",)
    assert len(Morphology.load("mine")) == 5


def test_errors_name_every_fault() -> None:
    text = "1 1 0 0 0 5 -1\n2 3 x 0 0 1 1\n3 3 7 0 0 1 99\n4 3 8 0 0 -1 3\n"
    with pytest.raises(MorphologyError) as caught:
        Morphology.from_swc(text, name="bad")
    message = str(caught.value)
    for place in ("bad:2: error", "bad:3: error", "bad:4: error", "99"):
        assert place in message
    assert caught.value.report is not None


def test_errors_offer_repairs_and_repairs_work() -> None:
    text = "1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n3 3 9 10 0 1 2\n4 3 9 10 0 1 3\n5 3 9 20 0 1 3\n"
    with pytest.raises(MorphologyError, match=r"zero-length-section(.|\n)*drop_zero_length_sections"):
        Morphology.from_swc(text)
    repaired = Morphology.from_swc(text, repair="drop_zero_length_sections")
    assert repaired.samples.id.tolist() == [1, 2, 3, 5]
    assert repaired.report is not None
    assert any("sample 4" in change for change in repaired.report.changes)


def test_one_warning_lists_all() -> None:
    text = "1 1 0 0 0 5 -1\n2 3 6 0 0 0 1\n3 3 16 0 0 0 2\n4 3 16 0 0 1 3\n5 3 30 0 0 1 4\n"
    with pytest.warns(MorphologyWarning) as caught:
        loaded = Morphology.from_swc(text, name="odd")
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "odd:2: warning zero-radius" in message
    assert "odd:3: warning zero-radius" in message
    assert "odd:4: warning zero-length-segment" in message
    assert caught[0].filename == __file__
    assert loaded.samples.radius.tolist() == [5, 0, 0, 1, 1]


def test_minimum_radius_goes_with_its_repair() -> None:
    text = "1 1 0 0 0 5 -1\n2 3 6 0 0 0 1\n3 3 16 0 0 1 2\n"
    loaded = Morphology.from_swc(text, repair=["zero_radius"], minimum_radius=0.25)
    assert loaded.samples.radius.tolist() == [5, 0.25, 1]
    with pytest.raises(ParameterError, match="belongs to repair='zero_radius'"):
        Morphology.from_swc(text, minimum_radius=0.25)
    with pytest.raises(ParameterError, match="zero_radius"):
        Morphology.from_swc(text, repair="magic")


def test_notes_are_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = cell()
    assert loaded.report is not None
    assert loaded.report.notes


def test_other_formats_need_morphio(morphology_data: Path) -> None:
    pytest.importorskip("morphio", reason="MorphIO comes with the extra formats")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MorphologyWarning)
        for name in ("simple.asc", "simple.h5"):
            loaded = Morphology.load(morphology_data / "fixtures" / name)
            assert loaded.n_tips == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": [1, 2, 2, 4]}, "identifiers given more than once: 2; every sample needs its own"),
        ({"parent": [-1, 0, 1, 7]}, "parents of samples 4 are no rows; valid are 0 to 3, and -1 at the root"),
        ({"parent": [-1, 0, -2, 2]}, "parents of samples 3 are no rows"),
        ({"parent": [-1, 0, -1, 2]}, "there are 2 roots: samples 1, 3; a cell has one"),
        ({"parent": [1, 2, 3, 0]}, "no sample is a root; one must have parent -1"),
        ({"parent": [-1, 0, 3, 2]}, "samples 3, 4 do not lead to the root: their parents run in a circle"),
        ({"radius": [1.0, -1, np.nan, 1]}, "radii are negative or not finite at samples 2, 3"),
        ({"xyz": np.full((4, 3), np.inf)}, "positions are not finite at samples 1, 2, 3, 4"),
        ({"radius": np.ones(3)}, r"radius has shape \(3,\); for 4 identifiers it must be \(4,\)"),
        ({"xyz": np.ones((4, 2))}, r"xyz has shape \(4, 2\); for 4 identifiers it must be \(4, 3\)"),
        ({"type": [1, 1, 1, 1], "parent": [-1, 0, 1, 1]}, "the soma branches at samples 2; it may do so at its root"),
    ],
)
def test_arrays_must_be_one_tree(changes: dict[str, object], message: str) -> None:
    with pytest.raises(MorphologyError, match=message):
        Morphology(samples(4, **{name: np.asarray(value) for name, value in changes.items()}), "mine")


def test_all_faults_of_arrays_are_named_and_long_lists_cut() -> None:
    n = 30
    with pytest.raises(MorphologyError, match=r"^mine: .*; positions .* samples 1, 2, .*, 10 and 20 more; radii"):
        Morphology(samples(n, id=[*range(1, n), 1], xyz=np.full((n, 3), np.nan), radius=-np.ones(n)), "mine")


def test_no_samples() -> None:
    with pytest.raises(MorphologyError, match="there are no samples"):
        Morphology(samples(0))


def test_it_does_not_change() -> None:
    loaded = cell()
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded.name = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        loaded.samples.radius[0] = 1
    with pytest.raises(networkx.NetworkXError, match="rozen"):
        loaded.graph.add_node(99)


def test_graph() -> None:
    graph = cell().graph
    assert isinstance(graph, networkx.DiGraph)
    assert networkx.is_arborescence(graph)
    assert list(graph) == [1, 2, 3, 5, 7]
    assert list(graph.edges) == [(1, 2), (2, 3), (3, 5), (3, 7)]
    assert graph.nodes[7] == {"x": 26.0, "y": -10.0, "z": 1e-3, "radius": 1.0, "type": 4, "region": "apical"}


def test_graph_and_back() -> None:
    graph = cell().graph.copy()
    graph.nodes[7]["radius"] = 0.5
    changed = Morphology.from_graph(graph, name="thinner")
    assert changed.samples.radius.tolist() == [5, 2, 2, 1, 0.5]
    assert changed.samples.parent.tolist() == cell().samples.parent.tolist()
    assert changed.samples.id.tolist() == cell().samples.id.tolist()


def test_graphs_that_are_no_morphologies() -> None:
    graph = cell().graph.copy()
    graph.add_edge(1, 7)
    with pytest.raises(MorphologyError, match="node 7 has 2 parents: 3, 1"):
        Morphology.from_graph(graph)
    with pytest.raises(MorphologyError, match="node 4 lacks x, y, z, radius, type; every node needs"):
        Morphology.from_graph(networkx.DiGraph([(4, 5)]))
    with pytest.raises(MorphologyError, match="node 'a' is not an int"):
        Morphology.from_graph(networkx.DiGraph([("a", "b")]))
    with pytest.raises(MorphologyError, match="there are no samples"):
        Morphology.from_graph(networkx.DiGraph())


def test_repr_and_len() -> None:
    assert repr(cell()) == "Morphology('cell', 5 samples, regions soma, basal, apical)"
    assert len(cell()) == 5
    assert Morphology(samples()).soma is None


def test_undefined_and_custom_regions() -> None:
    assert Morphology(samples(type=np.array([1, 0, 5, 99]))).regions == ("soma", "custom_5", "custom_99", "undefined")


def test_compartments_have_the_area_of_the_sections() -> None:
    loaded = cell()
    compartments = loaded.compartments(Passive(), max_length=5.0)
    assert isinstance(compartments, Compartments)
    soma = loaded.total_area("soma")
    assert compartments.area.sum() == pytest.approx(soma + loaded.total_area(), rel=1e-12)


def test_plot() -> None:
    from matplotlib import pyplot

    ax = cell().plot()
    assert ax.figure is not None
    pyplot.close(ax.figure)


@pytest.mark.parametrize("module", ["tree", "measures"])
def test_examples_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"dendrosim.morphology.{module}"))
    assert result.failed == 0
