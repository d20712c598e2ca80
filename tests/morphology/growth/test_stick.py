"""Unbranched shapes."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.morphology.growth import ball_and_stick, graft, unbranched


def test_ball_and_stick_has_the_area_of_a_sphere_and_a_cylinder():
    samples = ball_and_stick(soma_radius=8.0, length=95.0, radius=0.75, spacing=10.0).samples
    assert samples.type.tolist() == [1] + [3] * 11
    np.testing.assert_allclose(np.diff(samples.xyz[1:, 1]), 9.5, rtol=1e-12)
    assert samples.xyz[1].tolist() == [0.0, 8.0, 0.0]
    assert samples.xyz[-1].tolist() == [0.0, 103.0, 0.0]
    assert samples.parent.tolist() == list(range(-1, 11))
    assert set(samples.radius[1:].tolist()) == {0.75}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"length": -1.0}, r"length=-1.0 is impossible; it must be > 0"),
        ({"length": float("nan")}, r"length=nan is impossible"),
        ({"soma_radius": 0.0}, r"soma_radius=0.0 is impossible; it must be > 0"),
        ({"radius": 11.0}, r"radius=11.0 is impossible; it must be > 0 and <= 10"),
        ({"spacing": 0}, r"spacing=0 is impossible"),
        ({"radius": "thick"}, r"radius='thick' is not a number"),
        ({"structure": 1}, r"structure=1 is the soma; a neurite is 2 \(axon\), 3 \(basal\), 4 \(apical\)"),
        ({"structure": 2.5}, r"structure=2.5 must be a whole number of at least 0"),
    ],
)
def test_impossible_sticks_are_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        ball_and_stick(**given)


def test_unbranched_follows_its_points():
    points = [[0, 0, 0], [3, 4, 0], [3, 4, 5]]
    samples = unbranched(points, [1.0, 0.8, 0.5], structure=2).samples
    assert samples.xyz.tolist() == points
    assert samples.radius.tolist() == [1.0, 0.8, 0.5]
    assert samples.type.tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        ([], {}, r"points is empty; at least 2 position"),
        ([[0, 0, 0]], {}, r"points holds 1 position\(s\); at least 2"),
        ([[0, 0], [1, 1]], {}, r"points has shape \(2, 2\); it must be \(n, 3\)"),
        ([[0, 0, 0], [1, np.inf, 0]], {}, r"points\[1\] = \[1.0, inf, 0.0\] is not finite, or farther .* \(1 such row"),
        ([[0, 0, 0], [1, 0, 0], [1, 0, 0]], {}, r"points\[1\] and points\[2\] are in the same place"),
        (
            [[0, 0, 0], [1, 0, 0]],
            {"radius": [1, 2, 3]},
            r"radius has shape \(3,\); it must be one number or of shape \(2,\)",
        ),
        ([[0, 0, 0], [1, 0, 0]], {"radius": [1, -2]}, r"radius\[1\]=-2.0 is impossible"),
        ([[5, 0, 0], [20, 0, 0]], {"soma": (0, 0, 0)}, r"inside the soma of radius 10 um; begin .* \[10.0, 0.0, 0.0\]"),
    ],
)
def test_impossible_cables_are_refused(points, options, message):
    with pytest.raises(ParameterError, match=message):
        unbranched(points, **{"radius": 1.0, **options})


def test_graft_joins_at_the_soma():
    up = unbranched([[0, 5, 0], [0, 9, 0]], 1.0, soma=(0, 0, 0), soma_radius=5.0, structure=4)
    down = unbranched([[0, -5, 0], [0, -7, 0], [0, -9, 0]], 0.5, soma=(0, 0, 0), soma_radius=5.0)
    samples = graft(up, down).samples
    assert samples.parent.tolist() == [-1, 0, 1, 0, 3, 4]
    assert samples.type.tolist() == [1, 4, 4, 3, 3, 3]
    assert samples.xyz[:, 1].tolist() == [0, 5, 9, -5, -7, -9]


def test_graft_names_what_does_not_fit():
    base = ball_and_stick()
    with pytest.raises(
        ParameterError, match=r"part 1 has its soma at \[1.0, 0.0, 0.0\] with radius 10 um, the base at"
    ):
        graft(base, base, unbranched([[20, 0, 0], [30, 0, 0]], 1.0, soma=(1, 0, 0), soma_radius=10.0))
    with pytest.raises(ParameterError, match="part 0 has no soma"):
        graft(base, unbranched([[20, 0, 0], [30, 0, 0]], 1.0))
