from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import MorphologyWarning, ParameterError
from dendrosim.membrane import Passive
from dendrosim.morphology.compartments import Compartments
from dendrosim.morphology.tree import Morphology
from dendrosim.plotting.outline import frustum_outlines, sphere_outlines
from dendrosim.plotting.pieces import Pieces, pieces_of


def area(polygon: np.ndarray) -> float:
    """Area of a polygon by the shoelace formula."""
    x, y = polygon.T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def chain(points: list[list[float]], radius: float = 1.0) -> Pieces:
    """Pieces along a polyline, each its own owner."""
    xyz = np.array(points, dtype=float)
    k = len(xyz) - 1
    none, nowhere = np.zeros(0), np.zeros((0, 3))
    owner = np.arange(k)
    return Pieces(
        xyz[:-1], xyz[1:], np.full(k, radius), np.full(k, radius), owner, nowhere, none, none.astype(np.int64),
        np.full(k, "basal"), "compartment",
    )  # fmt: skip


def test_a_morphology_has_one_piece_per_sample_but_those_that_begin_at_the_soma(forked: Morphology) -> None:
    pieces = pieces_of(forked)
    assert forked.samples.id[pieces.owner].tolist() == [3, 4, 5, 7, 8]
    np.testing.assert_array_equal(pieces.radius_start, [2, 2, 2, 1.5, 1.5])
    np.testing.assert_array_equal(pieces.center, [[0, 0, 0]])
    np.testing.assert_array_equal(pieces.radius, [8])
    assert pieces.drawn_regions() == ["apical", "basal", "soma"]


def test_a_neurite_of_one_sample_is_drawn_from_the_soma() -> None:
    pieces = pieces_of(Morphology.from_swc("1 1 0 0 0 5 -1\n2 3 20 0 0 1 1\n"))
    np.testing.assert_array_equal(pieces.start, [[0, 0, 0]])
    np.testing.assert_array_equal(pieces.stop, [[20, 0, 0]])
    np.testing.assert_array_equal(pieces.radius_start, [1])


def test_a_soma_of_cylinders_is_drawn_as_cylinders() -> None:
    swc = "1 1 0 0 0 5 -1\n2 1 0 4 0 6 1\n3 1 0 8 0 5 2\n4 1 0 12 0 3 3\n5 3 0 12 0 1 4\n6 3 0 40 0 1 5\n"
    pieces = pieces_of(Morphology.from_swc(swc))
    assert pieces.radius.size == 0
    assert (pieces.region[pieces.owner] == "soma").sum() == 3
    assert len(pieces.start) == 4


def test_compartments_cover_the_same_length_as_their_morphology(forked: Morphology, compartments: Compartments) -> None:
    fine, coarse = pieces_of(compartments), pieces_of(forked)
    lengths = [float(np.linalg.norm(p.stop - p.start, axis=1).sum()) for p in (fine, coarse)]
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-12)
    per_compartment = np.bincount(fine.owner, np.linalg.norm(fine.stop - fine.start, axis=1), compartments.size)
    np.testing.assert_allclose(per_compartment[1:], compartments.length[1:], rtol=1e-12)


def test_the_soma_compartment_is_the_sphere_of_its_area(compartments: Compartments) -> None:
    pieces = pieces_of(compartments)
    assert pieces.sphere_owner.tolist() == [0]
    np.testing.assert_allclose(pieces.radius, [8.0])


def test_a_lone_soma_has_a_sphere_and_no_pieces(lone_soma: Compartments) -> None:
    pieces = pieces_of(lone_soma)
    assert pieces.start.shape == (0, 3)
    low, high = pieces.bounds()
    np.testing.assert_allclose([low, high], [[-3, -2, -1], [9, 10, 11]])


def test_a_cell_without_soma_has_no_sphere() -> None:
    with pytest.warns(MorphologyWarning, match="no-soma"):
        cell = Morphology.from_swc("1 3 0 0 0 1 -1\n2 3 50 0 0 1 1\n")
    assert pieces_of(cell).radius.size == 0
    assert pieces_of(cell.compartments(Passive(), max_length=10.0)).radius.size == 0


def test_cells_of_a_forest_keep_their_own_pieces(compartments: Compartments) -> None:
    pieces = pieces_of(Compartments.forest([compartments, compartments]))
    assert pieces.sphere_owner.tolist() == [0, compartments.size]
    assert pieces.size == 2 * compartments.size


def test_trees_without_positions_are_refused_with_the_way_out(normalised: Compartments) -> None:
    with pytest.raises(ParameterError, match=r"no positions in space.*plot_dendrogram\(..., distance='stage'\)"):
        pieces_of(normalised)


def test_something_else_is_refused() -> None:
    with pytest.raises(ParameterError, match="cannot draw a int: a Morphology or Compartments is needed"):
        pieces_of(3)  # type: ignore[arg-type]


def test_a_straight_cylinder_is_a_rectangle_true_to_scale() -> None:
    (outline,) = frustum_outlines(chain([[0, 0, 0], [10, 0, 0]], radius=2.0), (0, 1))
    np.testing.assert_allclose(area(outline), 40.0)
    np.testing.assert_allclose([outline.min(axis=0), outline.max(axis=0)], [[0, -2], [10, 2]])


def test_a_slanted_cylinder_is_foreshortened() -> None:
    (outline,) = frustum_outlines(chain([[0, 0, 0], [3, 0, 4]]), (0, 1))
    np.testing.assert_allclose(area(outline), 6.0)


@pytest.mark.parametrize("projection", [(0, 1), (2, 1), (0, 2)])
def test_bent_pieces_share_an_edge_and_leave_no_notch(projection: tuple[int, int]) -> None:
    outlines = frustum_outlines(chain([[0, 0, 0], [10, 0, 5], [18, 6, 8], [20, 16, 10]]), projection)
    # corners: start left, stop left, cap, stop right, start right, cap
    np.testing.assert_allclose(outlines[:-1, 1], outlines[1:, 0], atol=1e-12)
    np.testing.assert_allclose(outlines[:-1, 3], outlines[1:, 4], atol=1e-12)


def test_a_mitre_keeps_the_width_of_the_neurite() -> None:
    outlines = frustum_outlines(chain([[0, 0, 0], [10, 0, 0], [10, 10, 0]], radius=1.0), (0, 1))
    corners = {tuple(np.round(corner, 9)) for corner in outlines[0]}
    assert {(9.0, 1.0), (11.0, -1.0)} <= corners


def test_a_hairpin_gets_caps_and_no_spike() -> None:
    outlines = frustum_outlines(chain([[0, 0, 0], [10, 0, 0], [0, 0.5, 0]], radius=1.0), (0, 1))
    assert outlines[..., 0].max() <= 11.0 + 1e-9


def test_pieces_along_the_line_of_sight_are_finite() -> None:
    assert np.isfinite(frustum_outlines(chain([[0, 0, 0], [0, 0, 9], [5, 0, 9]]), (0, 1))).all()


def test_a_sphere_is_a_disc_of_its_radius(lone_soma: Compartments) -> None:
    (disc,) = sphere_outlines(pieces_of(lone_soma), (0, 2))
    np.testing.assert_allclose(np.linalg.norm(disc - [3, 5], axis=1), 6.0)
    # a polygon of 64 corners: sin(2 pi / 64) / (2 pi / 64) of the disc, 0.16 % less
    np.testing.assert_allclose(area(disc), np.pi * 36, rtol=2e-3)
