"""Random branching against the laws it states."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.morphology.growth import random_branching


def tips(samples):
    return int((np.bincount(samples.parent[1:], minlength=len(samples))[1:] == 0).sum())


def test_same_seed_same_bits_and_another_seed_another_tree():
    first, second, other = (random_branching(seed).samples for seed in (1, 1, 2))
    assert first.xyz.tobytes() == second.xyz.tobytes()
    assert first.parent.tobytes() == second.parent.tobytes()
    assert first.xyz.tobytes() != other.xyz.tobytes()


def test_number_of_tips_is_that_of_a_galton_watson_process():
    # Yule process: geometric with mean m = exp(rate s) and variance m (m - 1); the first of 50 steps never divides
    rate, path, step, stems = 0.01, 100.0, 2.0, 4000
    samples = random_branching(
        5,
        stems=stems,
        branching_rate=rate,
        order_decay=0.0,
        termination_rate=0.0,
        max_path=path,
        spacing=step,
        max_samples=10**6,
    ).samples
    found = tips(samples)
    mean = (2.0 - np.exp(-rate * step)) ** (path / step - 1)
    spread = np.sqrt(mean * (mean - 1) / stems)
    assert abs(found / stems - mean) < 4 * spread


def test_terminations_shorten_unbranched_neurites_exponentially():
    stems, mu, step = 3000, 0.02, 2.0
    samples = random_branching(
        6, stems=stems, branching_rate=0.0, termination_rate=mu, max_path=1000.0, spacing=step, max_samples=10**6
    ).samples
    steps = (len(samples) - 1 - stems) / stems
    mean = 1.0 / -np.expm1(-mu * step)  # geometric, at least one step
    assert abs(steps - mean) < 4 * mean / np.sqrt(stems)


def test_headings_decorrelate_over_the_persistence_length():
    stems, persistence, step, s = 3000, 100.0, 1.0, 60
    samples = random_branching(
        7,
        stems=stems,
        branching_rate=0,
        termination_rate=0,
        max_path=s + 1.0,
        persistence=persistence,
        spacing=step,
        max_samples=10**6,
    ).samples
    courses = samples.xyz[1:].reshape(stems, s + 2, 3)
    way = np.diff(courses, axis=1)
    cosine = (way[:, 0] * way[:, s]).sum(axis=1).mean()
    # 2 % for the finite step (order step / persistence), and four standard errors
    assert abs(cosine - np.exp(-s / persistence)) < 0.02 + 4 * 0.5 / np.sqrt(stems)


def test_daughters_leave_at_the_branching_angle():
    samples = random_branching(
        8, stems=50, branching_rate=0.02, termination_rate=0, angle=60.0, persistence=1e12, max_path=60.0
    ).samples
    children = np.bincount(samples.parent[1:], minlength=len(samples))
    for row in np.flatnonzero(children == 2)[1:]:
        a, b = samples.xyz[np.flatnonzero(samples.parent == row)] - samples.xyz[row]
        np.testing.assert_allclose(
            np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))), 60.0, atol=0.01
        )


def test_neurites_leave_the_surface_and_branching_is_binary():
    samples = random_branching(9, stems=7, soma_radius=6.0).samples
    stems = np.flatnonzero(samples.parent == 0)
    assert stems.size == 7
    np.testing.assert_allclose(np.linalg.norm(samples.xyz[stems], axis=1), 6.0, rtol=1e-12)
    assert np.bincount(samples.parent[1:])[1:].max() <= 2
    assert samples.type[0] == 1
    assert samples.radius[0] == 6.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": None}, r"seed=None is impossible; give an integer >= 0 or a numpy.random.Generator"),
        ({"seed": -1}, r"seed=-1 is impossible"),
        ({"stems": 0}, "stems=0 must be a whole number of at least 1"),
        ({"branching_rate": -0.1}, "branching_rate=-0.1 is impossible; it must be >= 0"),
        ({"termination_rate": np.nan}, "termination_rate=nan is impossible"),
        ({"max_path": 0.0}, "max_path=0.0 is impossible; it must be > 0"),
        ({"persistence": 0.0}, "persistence=0.0 is impossible"),
        ({"max_path": np.inf}, "max_path=inf is impossible"),
        (
            {"branching_rate": 1.0, "order_decay": 0.0, "max_samples": 1000},
            "outgrew max_samples=1000 after .* lower branching",
        ),
    ],
)
def test_impossible_growth_is_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        random_branching(**{"seed": 0, **given})
