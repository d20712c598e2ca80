"""Measures of whole cells: by hand, and against NeuroM on real reconstructions."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dendrosim import Morphology
from dendrosim.errors import MorphologyWarning, ParameterError
from dendrosim.morphology import measures

CELL = """
1 1 0 0 0 5 -1
2 3 6 0 0 2 1
3 3 16 0 0 2 2
4 3 26 0 0 2 3
5 3 26 30 0 1 4
6 4 26 -10 0 1 4
7 2 0 -5 0 0.5 1
8 2 0 -25 0 0.5 7
"""

# point, three-point and stacked somas; 84 to 10,600 samples; with axons, with custom types, with changes of type
REAL = (
    "C010398B-P2.CNG.swc",
    "Pvalb_470522102_m.swc",
    "Scnn1a_473845048_m.swc",
    "allen_485574832.swc",
    "bc.swc",
    "c91662.swc",
    "ca1_n120.swc",
    "ca1_n120_single_point_soma.swc",
    "flywire_t4_720575940626407426.swc",
    "grc.swc",
    "l5pc_with_axon.swc",
    "mp_ma_40984_gc2.CNG.swc",
    "purkinje1.swc",
)
FIXTURES = ("Neuron.swc", "heterogeneous_morphology.swc", "simple.swc", "simple_branch.swc", "strahler.swc")


def test_counts_and_totals() -> None:
    cell = Morphology.from_swc(CELL)
    assert (len(cell), len(cell.sections), cell.n_neurites, cell.n_branch_points, cell.n_tips) == (8, 4, 2, 1, 3)
    assert cell.regions == ("soma", "axon", "basal", "apical")
    assert cell.total_length() == 80
    assert [cell.total_length(region) for region in ("basal", "apical", "axon", "soma")] == [50, 10, 20, 0]
    assert cell.total_area("soma") == pytest.approx(4 * math.pi * 25)
    assert cell.total_area("axon") == pytest.approx(math.pi * 20)
    assert cell.total_volume("axon") == pytest.approx(math.pi * 20 / 4)
    parts = sum(cell.total_volume(region) for region in ("basal", "apical", "axon"))
    assert cell.total_volume() == pytest.approx(parts)


def test_measures_of_samples() -> None:
    cell = Morphology.from_swc(CELL)
    assert cell.path_distance.tolist() == [0, 0, 10, 20, 50, 30, 0, 20]
    np.testing.assert_allclose(cell.euclidean_distance[[0, 1, 4]], [0, 6, math.hypot(26, 30)])
    assert cell.branch_order.tolist() == [0, 0, 0, 0, 1, 1, 0, 0]
    assert cell.region.tolist() == ["soma", "basal", "basal", "basal", "basal", "apical", "axon", "axon"]


def test_region_that_does_not_occur() -> None:
    with pytest.raises(ParameterError, match="region='tuft' does not occur in this cell; it has: soma, axon, basal"):
        Morphology.from_swc(CELL).total_length("tuft")


def test_frusta() -> None:
    """A cone from radius 3 to 0 over 4 um: slant 5, area 15 pi, volume 12 pi; a step without length is a ring."""
    length, r0, r1 = np.array([4.0, 0.0]), np.array([3.0, 2.0]), np.array([0.0, 1.0])
    np.testing.assert_allclose(measures.frustum_area(length, r0, r1), [15 * math.pi, 3 * math.pi])
    np.testing.assert_allclose(measures.frustum_volume(length, r0, r1), [12 * math.pi, 0])


def test_tortuosity_of_odd_sections() -> None:
    values = measures.tortuosity(np.array([4.0, 0.0, 3.0]), np.array([2.0, 0.0, 0.0]))
    assert values.tolist() == [2, 1, math.inf]


@pytest.mark.parametrize(
    ("parent", "order"),
    [
        ([-1], [1]),
        ([-1, 0, 1], [1, 1, 1]),
        ([-1, 0, 0, 1, 1, 2, 2], [3, 2, 2, 1, 1, 1, 1]),
        ([-1, 0, 0, 1, 1], [2, 2, 1, 1, 1]),
        ([-1, 0, 0, 0, 1, 1, 2, 2, 3], [3, 2, 2, 1, 1, 1, 1, 1, 1]),
        ([], []),
    ],
)
def test_strahler_order(parent: list[int], order: list[int]) -> None:
    assert measures.strahler_order(np.array(parent, np.int64)).tolist() == order


# ---- NeuroM


def neurom_cell(source: str | Path) -> Any:
    """NeuroM's morphology of a file or of SWC text; sections may end where the type changes, as ours do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        core = pytest.importorskip("neurom.core.morphology", reason="NeuroM comes with the extra validation")
        import morphio

        option = morphio.Option.allow_unifurcated_section_change
        morphio.set_maximum_warnings(0)
        if isinstance(source, Path):
            return core.Morphology(morphio.Morphology(str(source), options=option))
        return core.Morphology(morphio.Morphology(source, extension="swc", options=option))


def feature(name: str, cell: Any, **options: Any) -> NDArray[np.float64]:
    features = pytest.importorskip("neurom.features")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array(features.get(name, cell, **options), dtype=np.float64)


def load(path: Path) -> Morphology:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MorphologyWarning)
        return Morphology.load(path)


def compare_with_neurom(ours: Morphology, theirs: Any) -> None:
    """Every measure that both have, section by section.

    NeuroM (MorphIO) reads float32, which places points of a cell that lies 100 to 10,000 um from the origin within
    1e-5 to 1e-3 um; lengths add that up over their samples: 1e-5 of the longest section. A section's tortuosity divides
    by the distance of its ends, which may be short: 2e-3. Counts and orders are exact.
    """
    sections = ours.sections
    far = sections.offset[1:] - 1
    end = sections.points[far].astype(np.float32)
    core = pytest.importorskip("neurom.core.morphology")
    their_end = np.array([section.points[-1, :3] for section in core.iter_sections(theirs)], np.float32)
    # both are depth first, but stacked somas may order the neurites differently: sections are told by their ends
    mine, other = np.lexsort(end.T), np.lexsort(their_end.T)
    np.testing.assert_allclose(their_end[other], end[mine], rtol=1e-5)

    def same(name: str, values: NDArray[Any], rtol: float, **options: Any) -> None:
        reference = feature(name, theirs, **options)[other]
        largest = np.abs(reference).max()
        np.testing.assert_allclose(values[mine], reference, rtol=0, atol=rtol * largest, err_msg=name)

    same("section_lengths", sections.length, 1e-5)
    same("section_areas", sections.area - _rings(ours), 1e-5)
    same("section_volumes", sections.volume, 2e-5)
    same("section_path_distances", sections.path_stop, 1e-5)
    same("section_end_distances", sections.end_distance, 1e-5)
    same("section_tortuosity", sections.tortuosity, 2e-3)
    same("section_branch_orders", sections.branch_order, 0)
    same("section_strahler_orders", sections.strahler_order, 0)
    if ours.soma is not None:  # the centre is given: NeuroM takes the first point of stacked somas
        from_center = ours.euclidean_distance[sections.rows[far]]
        same("section_radial_distances", from_center, 1e-5, origin=ours.soma.center)
        farthest = feature("max_radial_distance", theirs, origin=ours.soma.center)
        assert from_center[sections.n_children == 0].max() == pytest.approx(farthest, rel=1e-5)  # of the tips

    assert ours.total_length() == pytest.approx(feature("total_length", theirs), rel=2e-6)
    assert ours.total_area() - _rings(ours).sum() == pytest.approx(feature("total_area", theirs), rel=2e-6)
    assert ours.total_volume() == pytest.approx(feature("total_volume", theirs), rel=2e-6)
    assert ours.n_tips == feature("number_of_leaves", theirs)
    assert ours.n_branch_points == feature("number_of_forking_points", theirs)
    assert ours.n_neurites == feature("number_of_neurites", theirs)
    assert len(sections) == feature("number_of_sections", theirs)


def _rings(cell: Morphology) -> NDArray[np.float64]:
    """Area of the step between a branch sample and a first sample that repeats its place with another radius.

    MorphIO drops the branch sample of such a section, and with it this ring without length.
    """
    sections = cell.sections
    first = sections.offset[:-1]
    r0, r1 = sections.radii[first], sections.radii[first + 1]
    repeated = (sections.points[first] == sections.points[first + 1]).all(axis=1) & (sections.parent >= 0)
    return np.where(repeated, np.pi * (r0 + r1) * np.abs(r0 - r1), 0.0)


@pytest.mark.parametrize("name", REAL)
def test_agrees_with_neurom_on_real_cells(name: str, morphology_data: Path) -> None:
    path = morphology_data / "real" / name
    compare_with_neurom(load(path), neurom_cell(path))


@pytest.mark.parametrize("name", FIXTURES)
def test_agrees_with_neurom_on_its_own_fixtures(name: str, morphology_data: Path) -> None:
    path = morphology_data / "fixtures" / name
    compare_with_neurom(load(path), neurom_cell(path))


@pytest.mark.parametrize(
    "text",
    [
        CELL,
        "1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n3 3 7 0 0 1 2\n4 4 8 0 0 .5 3\n5 4 9 0 0 .5 4\n",  # the type changes
        # a soma of two samples, a neurite at each
        "1 1 0 0 0 4 -1\n2 1 9 0 0 3 1\n3 3 9 5 0 1 2\n4 3 9 9 0 1 3\n5 3 0 6 0 1 1\n6 3 0 12 1 1 5\n",
        # three branches at one point
        "1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n3 3 9 0 0 1 2\n4 3 12 1 0 1 3\n5 3 12 0 2 1 3\n6 3 12 0 -5 2 3\n",
    ],
)
def test_agrees_with_neurom_on_small_trees(text: str) -> None:
    compare_with_neurom(Morphology.from_swc(text), neurom_cell(text))


def test_regions_are_those_of_sections() -> None:
    """NeuroM counts a whole neurite to the type of its root; ours are per section, as its sections are."""
    cell, theirs = Morphology.from_swc(CELL), neurom_cell(CELL)
    for region, kind in (("axon", 2), ("basal", 3), ("apical", 4)):
        of_kind = sum(section.length for section in theirs.sections if int(section.to_morphio().type) == kind)
        assert cell.total_length(region) == pytest.approx(of_kind)


def test_difference_to_neurom_trunk_of_one_sample() -> None:
    """The first sample is a branch point: NeuroM keeps a section of one point, ours begins on the soma's surface."""
    text = "1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n3 3 9 10 0 1 2\n4 3 9 0 20 1 2\n"
    cell, theirs = Morphology.from_swc(text), neurom_cell(text)
    assert feature("section_lengths", theirs).tolist() == [0, 10, 20]
    assert cell.sections.length.tolist() == [4, 10, 20]
    assert cell.sections.branch_order.tolist() == feature("section_branch_orders", theirs).tolist()


def test_difference_to_neurom_root_without_soma() -> None:
    """NeuroM makes a section of a root without soma that branches; ours is a point where sections begin."""
    text = "1 3 0 0 0 1 -1\n2 3 6 0 0 1 1\n3 3 0 7 0 1 1\n"
    with pytest.warns(MorphologyWarning):
        cell = Morphology.from_swc(text)
    theirs = neurom_cell(text)
    assert feature("section_branch_orders", theirs).tolist() == [0, 1, 1]
    assert cell.sections.branch_order.tolist() == [0, 0]
    assert cell.total_length() == feature("total_length", theirs)
    assert cell.n_branch_points == feature("number_of_forking_points", theirs)


def test_repeated_branch_point() -> None:
    """A first sample in the place of its branch sample: the section begins with its own radius."""
    text = "1 1 0 0 0 5 -1\n2 3 6 0 0 2 1\n3 3 9 0 0 2 2\n4 3 9 0 0 1 3\n5 3 9 9 0 1 4\n6 3 9 0 7 2 3\n"
    with pytest.warns(MorphologyWarning, match="zero-length-segment"):
        cell = Morphology.from_swc(text)
    theirs = neurom_cell(text)
    assert cell.total_area() == pytest.approx(feature("total_area", theirs), rel=1e-6)
    assert cell.total_length() == feature("total_length", theirs)
