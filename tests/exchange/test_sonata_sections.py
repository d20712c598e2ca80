"""Numbers of sections and SWC files as the SONATA guide has them."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.exchange.sonata_sections import places, section_numbers, written_morphology

# basal before the axon in the file, a branch point at 20 um, identifiers with gaps
SWC = """
1 1 10 0 0 5 -1
3 3 10 5 0 1 1
4 3 10 25 0 1 3
7 3 20 25 0 0.5 4
8 3 10 45 0 0.5 4
9 2 10 -5 0 0.5 1
12 2 10 -45 0 0.5 9
13 4 10 0 5 1 1
14 4 10 0 85 1 13
"""


@pytest.fixture
def cell():
    return ds.Morphology.from_swc(SWC, "hand").compartments(ds.Passive(), max_length=20.0)


def test_sections_are_numbered_by_type_then_by_place():
    assert section_numbers(np.array([3, 3, 3, 2, 4, 7])).tolist() == [2, 3, 4, 1, 5, 6]


def test_compartments_lie_where_they_are(cell):
    place = places(cell)
    found = {(s, round(p, 4)) for s, p in zip(place.section.tolist(), place.position.tolist(), strict=True)}
    axon, apical = {(1, 0.25), (1, 0.75)}, {(5, 0.125), (5, 0.375), (5, 0.625), (5, 0.875)}
    assert found == {(0, 0.5), (2, 0.5), (2, 1.0), (3, 0.5), (4, 0.5)} | axon | apical
    branch_point = cell.area == 0
    assert place.section[branch_point].tolist() == [2]
    assert place.position[branch_point].tolist() == [1.0]


def test_samples_of_the_written_file_follow_the_guide(cell):
    samples, _ = written_morphology(cell)
    assert samples.id.tolist() == list(range(1, len(samples) + 1))
    assert samples.parent[0] == -1
    assert samples.type[0] == 1
    assert (samples.type[1:] != 1).all()
    assert (samples.parent[1:] < np.arange(1, len(samples))).all()


@pytest.mark.parametrize("name", ["granule", "stellate", "pyramidal_l5", "ca1_pyramidal"])
def test_what_is_written_makes_the_same_compartments(name, tmp_path):
    cell = ds.Morphology.load(name).compartments(ds.Passive(), max_length=60.0)
    samples, _ = written_morphology(cell)
    ds.Morphology(samples).save(tmp_path / "cell.swc")
    again = ds.Morphology.load(tmp_path / "cell.swc").compartments(ds.Passive(), max_length=60.0)
    for field in ("parent", "leak", "coupling", "capacitance", "xyz", "path_distance"):
        np.testing.assert_array_equal(getattr(again, field), getattr(cell, field))


def test_samples_of_the_file_lead_to_the_middles_of_compartments():
    cell = ds.Morphology.load("pyramidal_l5").compartments(ds.Passive(), max_length=40.0)
    samples, _ = written_morphology(cell)
    place = places(cell)
    at = place.swc - 1
    far, near = samples.xyz[at], samples.xyz[np.maximum(samples.parent[at], 0)]
    np.testing.assert_allclose(far + place.swc_position[:, None] * (near - far), cell.xyz, atol=1e-9)


def test_morphio_finds_the_same_sections(tmp_path):
    morphio = pytest.importorskip("morphio", reason="MorphIO is not installed: the extra formats brings it")
    cell = ds.Morphology.load("granule").compartments(ds.Passive(), max_length=15.0)
    samples, _ = written_morphology(cell)
    ds.Morphology(samples).save(tmp_path / "cell.swc")
    read = morphio.Morphology(str(tmp_path / "cell.swc"))
    place = places(cell)
    real = (place.section > 0) & (cell.area > 0)
    assert place.section.max() == len(read.sections)  # MorphIO does not count the soma
    for section, position, xyz in zip(place.section[real], place.position[real], cell.xyz[real], strict=True):
        points = read.sections[section - 1].points
        arc = np.append(0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
        found = [np.interp(position * arc[-1], arc, points[:, i]) for i in range(3)]
        np.testing.assert_allclose(found, xyz, atol=1e-3)


def test_cells_without_a_shape_have_a_section_per_compartment():
    place = places(ds.Compartments.branching([2, 2]))
    assert place.section.tolist() == list(range(7))
    assert place.swc is None
