"""The soma: which samples make it, by which convention, how large it is."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.morphology.samples import Samples
from dendrosim.morphology.soma import Soma, attachment_points, find_soma
from dendrosim.morphology.swc import read_swc


def load(text: str) -> Samples:
    samples = read_swc(text)[0]
    assert samples is not None
    return samples


def soma(text: str) -> Soma:
    found = find_soma(load(text))
    assert found is not None
    assert found.area == pytest.approx(4.0 * np.pi * found.radius**2)
    assert read_swc(text)[1].soma_convention == found.convention
    return found


def test_none() -> None:
    assert find_soma(load("1 3 0 0 0 1 -1\n2 3 9 0 0 1 1\n")) is None
    assert read_swc("1 3 0 0 0 1 -1\n2 3 9 0 0 1 1\n")[1].soma_convention == "none"


def test_point() -> None:
    found = soma("1 1 1 2 3 5 -1\n2 3 9 0 0 1 1\n3 3 19 0 0 1 2\n")
    assert found.convention == "point"
    np.testing.assert_array_equal(found.rows, [0])
    np.testing.assert_array_equal(found.center, [1, 2, 3])
    assert found.radius == 5.0


@pytest.mark.parametrize("third", ["5", "5.04"])
def test_three_point(third: str) -> None:
    found = soma(f"1 1 1 2 3 5 -1\n2 1 1 -3 3 5 1\n3 1 1 7 3 {third} 1\n4 3 9 0 0 1 1\n5 3 19 0 0 1 4\n")
    assert found.convention == "three_point"
    np.testing.assert_array_equal(found.rows, [0, 1, 2])
    np.testing.assert_array_equal(found.center, [1, 2, 3])
    assert found.area == pytest.approx(4 * np.pi * 25)  # also the side of a cylinder of diameter and height 2 r


def test_three_samples_in_a_chain_are_cylinders() -> None:
    assert soma("1 1 0 0 0 5 -1\n2 1 0 -5 0 5 1\n3 1 0 -10 0 5 2\n").convention == "cylinders"


def test_cylinders() -> None:
    found = soma("1 1 0 0 0 2 -1\n2 1 3 0 0 2 1\n3 1 6 4 0 5 2\n4 3 0 0 9 1 1\n5 3 0 0 20 1 4\n")
    cylinder = 2 * np.pi * 2 * 3
    frustum = np.pi * (2 + 5) * np.sqrt(5**2 + 3**2)
    assert found.convention == "cylinders"
    assert found.area == pytest.approx(cylinder + frustum, rel=1e-14)
    np.testing.assert_allclose(
        found.center, (cylinder * np.array([1.5, 0, 0]) + frustum * np.array([4.5, 2, 0])) / (cylinder + frustum)
    )


def test_cylinders_may_branch_at_the_root() -> None:
    text = "1 1 0 0 0 2 -1\n2 1 3 0 0 2 1\n3 1 6 0 0 2 2\n4 1 -3 0 0 2 1\n"
    assert read_swc(text)[1].ok
    assert soma(text).area == pytest.approx(2 * np.pi * 2 * 9)


def test_cylinders_of_no_area() -> None:
    found = soma("1 1 0 0 0 0 -1\n2 1 4 0 0 0 1\n")
    assert (found.convention, found.area, found.radius) == ("cylinders", 0.0, 0.0)
    np.testing.assert_array_equal(found.center, [2, 0, 0])


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("n", [4, 5, 30])
def test_contour(n: int, closed: bool) -> None:
    angle = 2 * np.pi * np.arange(n + closed) / n
    lines = [f"{i + 1} 1 {7 + 6 * np.cos(a)} {6 * np.sin(a)} 0 0 {i if i else -1}" for i, a in enumerate(angle)]
    text = "\n".join(lines) + "\n"
    found = soma(text)
    assert found.convention == "contour"
    np.testing.assert_allclose(found.center, [7, 0, 0], atol=1e-12)
    assert found.radius == pytest.approx(6.0)
    assert not read_swc(text)[1].warnings  # an outline has no radii


def test_contour_listed_backwards() -> None:
    found = soma("4 1 1 1 0 1 3\n3 1 1 -1 0 1 2\n2 1 -1 -1 0 1 1\n1 1 -1 1 0 1 -1\n")
    assert found.convention == "contour"
    np.testing.assert_array_equal(found.center, [0, 0, 0])
    assert found.rows[0] == 3


def test_samples_in_one_place_are_a_point() -> None:
    found = soma("1 1 0 0 0 3 -1\n2 1 0 0 0 9 1\n3 3 9 0 0 1 1\n4 3 19 0 0 1 3\n")
    assert (found.convention, found.radius) == ("point", 3.0)
    np.testing.assert_array_equal(found.rows, [0, 1])


def test_only_what_is_connected_belongs_to_it() -> None:
    found = soma("1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n3 1 19 0 0 5 2\n4 1 29 0 0 5 3\n")
    np.testing.assert_array_equal(found.rows, [0])


def test_soma_away_from_the_root() -> None:
    """The connected set that is nearest to the root, its own nearest sample first."""
    found = soma("9 1 30 0 0 2 3\n1 3 0 0 0 1 -1\n2 3 10 0 0 1 1\n3 1 20 0 0 2 2\n4 3 40 0 0 1 9\n5 1 60 0 0 1 4\n")
    np.testing.assert_array_equal(found.rows, [3, 0])
    assert found.area == pytest.approx(2 * np.pi * 2 * 10)


def test_attachment_points() -> None:
    text = "1 1 0 0 0 5 -1\n2 3 0 20 0 1 1\n3 3 3 0 0 1 1\n4 3 5 0 0 1 1\n5 3 0 0 0 1 1\n6 3 4 3 12 1 1\n"
    samples = load(text)
    found = find_soma(samples)
    assert found is not None
    points = attachment_points(samples, found, np.arange(1, 6))
    expected = [[0, 5, 0], [3, 0, 0], [5, 0, 0], [0, 0, 0], np.array([4, 3, 12]) * 5 / 13]
    np.testing.assert_allclose(points, expected, rtol=1e-15)
    stack = load("1 1 0 0 0 2 -1\n2 1 3 0 0 2 1\n3 3 3 9 0 1 2\n")
    found = find_soma(stack)
    assert found is not None
    np.testing.assert_array_equal(attachment_points(stack, found, np.array([2])), [[3, 0, 0]])


def test_rounding_on_the_surface_counts_as_the_surface() -> None:
    direction = np.array([1.0, 2.0, 3.0]) / np.sqrt(14.0)
    x, y, z = (1e4 + 7.3 * direction).tolist()
    text = f"1 1 1e4 1e4 1e4 7.3 -1\n2 3 {x!r} {y!r} {z!r} 1 1\n"
    assert read_swc(text)[1].codes("error") == ("zero-length-section",)
