"""Choosing samples, cutting trees and turning them round."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from dendrosim import Morphology
from dendrosim.errors import MorphologyWarning, ParameterError

TEXT = """# first
10 1 0 0 0 5 -1
11 3 6 0 0 2 10
12 3 16 0 0 2 11 tail
13 3 16 30 0 1 12
# before the apical one
14 4 16 -10 0 1 12
15 4 16 -40 0 1 14
16 2 0 -5 0 0.5 10
17 2 0 -25 0 0.5 16
# last
"""


STACKED = "1 1 0 0 0 4 -1\n2 1 6 0 0 4 1\n3 3 0 5 0 1 1\n4 3 0 9 0 1 3\n5 3 6 5 0 1 2\n6 3 6 9 0 1 5\n"


@pytest.fixture
def cell() -> Morphology:
    return Morphology.from_swc(TEXT, name="cell")


def ids(morphology: Morphology) -> list[int]:
    values: list[int] = morphology.samples.id.tolist()
    return values


def test_rows(cell: Morphology) -> None:
    def chosen(**conditions: object) -> list[int]:
        values: list[int] = cell.samples.id[cell.rows(**conditions)].tolist()  # type: ignore[arg-type]
        return values

    assert chosen(region="apical") == [14, 15]
    assert chosen(region=["axon", "soma"]) == [10, 16, 17]
    assert chosen(below=12) == [12, 13, 14, 15]
    assert chosen(below=[13, 16]) == [13, 16, 17]
    assert chosen(path_distance=(10, 20)) == [12, 14, 17]
    assert chosen(where=lambda samples: samples.xyz[:, 1] > 0) == [13]
    assert chosen(where=cell.samples.radius == 1) == [13, 14, 15]
    assert chosen(region="apical", path_distance=(30, 100)) == [15]
    assert chosen(region="apical", path_distance=(100, 200)) == []


def test_select_keeps_soma_and_the_way_there(cell: Morphology) -> None:
    part = cell.select(region="apical")
    assert ids(part) == [10, 11, 12, 14, 15]
    assert part.cut == (10, 12)
    assert part.soma is not None
    assert part.name == "cell"
    assert part.samples.parent.tolist() == [-1, 0, 1, 2, 3]
    assert part.total_length("apical") == cell.total_length("apical")
    assert part.samples.comments == ((0, "# first"), (3, "# before the apical one"), (5, "# last"))
    assert dict(part.samples.trailing) == {2: "tail"}


def test_select_by_distance(cell: Morphology) -> None:
    near = cell.select(path_distance=(0, 15))
    assert ids(near) == [10, 11, 12, 16]
    assert near.cut == (12, 16)


def test_select_keeps_all_samples_of_the_soma() -> None:
    assert ids(Morphology.from_swc(STACKED).select(below=3)) == [1, 2, 3, 4]


def test_prune(cell: Morphology) -> None:
    without = cell.prune(region="axon")
    assert ids(without) == [10, 11, 12, 13, 14, 15]
    assert without.cut == (10,)
    assert without.regions == ("soma", "basal", "apical")
    assert ids(cell.prune(below=12)) == [10, 11, 16, 17]
    assert ids(cell.prune(region=["soma", "axon"])) == ids(without)


def test_cuts_are_remembered(cell: Morphology) -> None:
    twice = cell.prune(region="axon").prune(below=15)
    assert twice.cut == (10, 14)
    assert cell.prune(below=15).prune(below=14).cut == (12,)
    assert cell.cut == ()


def test_subtree(cell: Morphology) -> None:
    below = cell.subtree(12)
    assert ids(below) == [12, 13, 14, 15]
    assert below.soma is None
    assert below.samples.parent.tolist() == [-1, 0, 0, 2]
    assert below.cut == ()
    assert below.total_length() == 70
    assert ids(cell.subtree(10)) == ids(cell)


def test_reroot_without_soma(cell: Morphology) -> None:
    tree = cell.subtree(12)
    turned = tree.reroot(15)
    assert ids(turned) == ids(tree)
    assert turned.samples.parent.tolist() == [2, 0, 3, -1]
    assert turned.total_length() == tree.total_length()
    assert turned.path_distance.tolist() == [40, 70, 30, 0]
    assert turned.reroot(12).samples.parent.tolist() == tree.samples.parent.tolist()


def test_root_away_from_the_soma(cell: Morphology) -> None:
    """Measures and cuts start from the soma wherever the root is."""
    turned = cell.reroot(14)
    assert turned.samples.parent.tolist() == [1, 2, 4, 2, -1, 4, 0, 6]
    assert turned.total_length() == cell.total_length()
    assert turned.regions == cell.regions
    assert [turned.total_length(name) for name in cell.regions] == [cell.total_length(name) for name in cell.regions]
    np.testing.assert_array_equal(turned.path_distance, cell.path_distance)
    assert (turned.n_neurites, turned.n_tips, turned.n_branch_points) == (2, 3, 1)
    assert ids(turned.subtree(12)) == [12, 13, 14, 15]
    assert ids(turned.prune(below=12)) == [10, 11, 16, 17]
    assert ids(turned.select(region="axon")) == [10, 16, 17]
    assert turned.draw() == cell.draw()
    assert turned.reroot(10).samples.parent.tolist() == cell.samples.parent.tolist()


def test_reroot_within_the_soma() -> None:
    cell = Morphology.from_swc(STACKED)
    turned = cell.reroot(2)
    assert turned.total_area("soma") == pytest.approx(cell.total_area("soma"))
    assert turned.total_length() == cell.total_length()


def test_reroot_must_not_change_the_soma() -> None:
    outline = "1 1 4 0 0 1 -1\n2 1 0 4 0 1 1\n3 1 -4 0 0 1 2\n4 1 0 -4 0 1 3\n5 3 0 9 0 1 2\n6 3 0 19 0 1 5\n"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MorphologyWarning)
        cell = Morphology.from_swc(outline)
    assert cell.soma is not None
    assert cell.soma.convention == "contour"
    with pytest.raises(ParameterError, match=r"sample 6 as the root the soma would be read as cylinders .*collapse"):
        cell.reroot(6)


def test_messages(cell: Morphology) -> None:
    with pytest.raises(ParameterError, match="say what to choose: region=, below="):
        cell.rows()
    with pytest.raises(ParameterError, match="'tuft' does not occur in this cell; it has: soma, axon, basal, apical"):
        cell.rows(region=["axon", "tuft"])
    with pytest.raises(ParameterError, match="sample 99 does not exist: identifiers of the 8 samples run from 10 to"):
        cell.rows(below=99)
    with pytest.raises(ParameterError, match=r"path_distance=5 must be \(least, most\) in um"):
        cell.rows(path_distance=5)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"path_distance=\(9.0, 3.0\) um is empty"):
        cell.rows(path_distance=(9, 3))
    with pytest.raises(ParameterError, match=r"bool array of shape \(8,\).*got float64 of shape \(8,\). For example"):
        cell.rows(where=lambda samples: samples.radius)
    with pytest.raises(ParameterError, match=r"got bool of shape \(2,\)"):
        cell.rows(where=np.array([True, False]))
    with pytest.raises(ParameterError, match="no sample meets these conditions"):
        cell.select(region="apical", path_distance=(900, 1000))
    with pytest.raises(ParameterError, match="would take away the root"):
        cell.subtree(12).prune(below=12)
    with pytest.raises(ParameterError, match="sample 1 does not exist"):
        cell.subtree(1)
