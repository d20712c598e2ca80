"""Minimum spanning trees with a balancing factor."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree as scipy_tree
from scipy.spatial.distance import cdist

from dendrosim.errors import ParameterError
from dendrosim.morphology.growth import ball_and_stick, minimum_spanning_tree, unbranched


def edges(samples):
    rows = np.flatnonzero(samples.parent >= 0)
    return np.linalg.norm(samples.xyz[rows] - samples.xyz[samples.parent[rows]], axis=1)


def paths(samples):
    out = np.zeros(len(samples))
    for row in range(1, len(samples)):
        out[row] = out[samples.parent[row]] + np.linalg.norm(samples.xyz[row] - samples.xyz[samples.parent[row]])
    return out


def points(n, seed):
    return np.random.default_rng(seed).uniform(-100, 100, (n, 3))


def brute_force(carriers, balance, limit):
    """The greedy rule as it is written, without any bookkeeping: all pairs anew for every point."""
    xyz, parent, path, children = [np.zeros(3)], [-1], [0.0], [-(10**6)]
    waiting = [np.array(p) for p in carriers]
    while waiting:
        cost = cdist(xyz, waiting) + balance * np.array(path)[:, None]
        cost[np.array(children) >= limit] = np.inf
        node, which = np.unravel_index(np.argmin(cost), cost.shape)
        point = waiting.pop(which)
        children[node] += 1
        path.append(path[node] + float(np.linalg.norm(point - xyz[node])))
        xyz.append(point)
        parent.append(int(node))
        children.append(0)
    return np.array(xyz), np.array(parent)


@pytest.mark.parametrize("seed", range(4))
def test_without_balance_and_binary_limit_it_is_the_euclidean_minimum_spanning_tree(seed):
    carriers = points(300, seed)
    grown = minimum_spanning_tree(carriers, balance=0.0, binary=False).samples
    everything = np.vstack([np.zeros(3), carriers])
    np.testing.assert_allclose(edges(grown).sum(), scipy_tree(cdist(everything, everything)).sum(), rtol=1e-12)


@pytest.mark.parametrize(("balance", "binary"), [(0.0, True), (0.4, False), (0.4, True), (0.9, True)])
def test_it_follows_the_greedy_rule(balance, binary):
    carriers = points(80, 7)
    grown = minimum_spanning_tree(carriers, balance=balance, binary=binary).samples
    xyz, parent = brute_force(carriers, balance, 2 if binary else 10**6)
    expected = {tuple(xyz[k]): tuple(xyz[parent[k]]) for k in range(1, len(xyz))}
    found = {tuple(grown.xyz[k]): tuple(grown.xyz[grown.parent[k]]) for k in range(1, len(grown))}
    assert found == expected


def test_every_carrier_point_is_reached_and_branching_is_binary():
    carriers = points(500, 1)
    samples = minimum_spanning_tree(carriers, balance=0.3).samples
    assert {tuple(p) for p in carriers} == {tuple(p) for p in samples.xyz[1:]}
    assert len(samples) == 501
    assert (samples.parent[1:] < np.arange(1, 501)).all()
    assert np.bincount(samples.parent[1:])[1:].max() <= 2


def test_balance_trades_total_length_for_path_length():
    carriers = points(400, 2)
    grown = [minimum_spanning_tree(carriers, balance=b).samples for b in (0.0, 0.2, 0.4, 0.7, 1.0)]
    total = [edges(s).sum() for s in grown]
    path = [paths(s)[1:].mean() for s in grown]
    assert (np.diff(total) > 0).all()
    assert (np.diff(path) < 0).all()
    assert path[-1] >= np.linalg.norm(carriers, axis=1).mean()


def test_same_points_same_bits():
    carriers = points(200, 3)
    first, second = (minimum_spanning_tree(carriers, balance=0.5).samples for _ in range(2))
    assert first.xyz.tobytes() == second.xyz.tobytes()
    assert first.parent.tobytes() == second.parent.tobytes()


def test_stems_begin_on_the_soma():
    carriers = points(200, 4)
    carriers = carriers[np.linalg.norm(carriers, axis=1) > 10]
    samples = minimum_spanning_tree(carriers, balance=0.8, soma_radius=8.0, max_stems=5).samples
    stems = np.flatnonzero(samples.parent == 0)
    assert 1 <= stems.size <= 5
    assert samples.type[0] == 1
    np.testing.assert_allclose(np.linalg.norm(samples.xyz[stems], axis=1), 8.0, rtol=1e-12)
    assert len(samples) == 1 + stems.size + len(carriers)


def test_growth_continues_a_tree_from_the_allowed_samples_only():
    start = unbranched([[0, 10, 0], [0, 50, 0], [0, 100, 0]], 1.0, structure=4, soma=(0, 0, 0), soma_radius=10.0)
    grow_from = np.array([False, False, True, False])
    carriers = points(50, 5) + np.array([0, 200, 0])
    samples = minimum_spanning_tree(carriers, start=start, grow_from=grow_from, structure=5).samples
    parents_type = samples.type[samples.parent]
    first = np.flatnonzero((samples.type == 5) & (parents_type != 5))
    assert {tuple(samples.xyz[samples.parent[k]]) for k in first} == {(0.0, 50.0, 0.0)}
    assert first.size == 1  # the middle sample has one child already
    assert (samples.type == 5).sum() == 50


@pytest.mark.parametrize(
    ("carriers", "options", "message"),
    [
        ([], {}, "points is empty; at least 1 position"),
        ([[1, 2]], {}, r"points has shape \(1, 2\); it must be \(n, 3\)"),
        ([[1, 2, 3], [np.nan, 0, 0]], {}, r"points\[1\] = \[nan, 0.0, 0.0\] is not finite"),
        ([[1, 2, 3], [4, 5, 6], [1, 2, 3]], {}, r"points\[0\] and points\[2\] are in the same place"),
        ([[1, 2, 3]], {"balance": 1.5}, "balance=1.5 is impossible; it must be >= 0 and <= 1"),
        ([[1, 2, 3]], {"balance": -0.1}, "balance=-0.1 is impossible"),
        ([[1, 2, 3]], {"radius": 0.0}, "radius=0.0 is impossible; it must be > 0"),
        ([[1, 2, 3]], {"root": (0, 0)}, r"root has shape \(2,\)"),
        ([[1, 2, 3]], {"root": [[0, 0, 0], [1, 1, 1]]}, r"root has shape \(2, 3\); it must be one position"),
        ([[1, 2, 3]], {"soma_radius": 5.0}, r"points\[0\] lies inside the soma of radius 5 um"),
        ([[1, 2, 3]], {"max_stems": 0}, "max_stems=0 must be a whole number of at least 1"),
        ([[1, 2, 3]], {"grow_from": [1]}, r"grow_from has dtype int64 .* must be a bool array .* 1 samples of start"),
        ([[1, 2, 3]], {"grow_from": [False]}, "no sample may be grown from"),
    ],
)
def test_impossible_growth_is_refused(carriers, options, message):
    with pytest.raises(ParameterError, match=message):
        minimum_spanning_tree(carriers, **options)


def test_a_soma_of_several_samples_is_refused():
    import dendrosim as ds

    text = "1 1 0 0 0 5 -1\n2 1 5 0 0 5 1\n3 3 10 0 0 1 2"  # <- two soma samples
    with pytest.raises(ParameterError, match="soma is one point at the root; this one has 2 soma samples"):
        minimum_spanning_tree([[50, 0, 0]], start=ds.Morphology.from_swc(text))


def test_a_full_start_is_refused():
    with pytest.raises(ParameterError, match="no sample may be grown from"):
        minimum_spanning_tree([[50.0, 0, 0]], start=ball_and_stick(), max_stems=1, grow_from=[True] + [False] * 51)
