"""Neighbours within a class against sorting all distances."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.kernels.neighbours import class_neighbours


@pytest.mark.parametrize(("dimensions", "k"), [(1, 1), (2, 3), (3, 10)])
def test_against_all_distances(dimensions, k):
    rng = np.random.default_rng(0)
    sizes = np.array([2, 7, 40])
    first, n = np.append(0, np.cumsum(sizes)), int(sizes.sum())
    points = rng.normal(size=(dimensions, n))
    taken, within = np.zeros((2, n), np.int64)
    class_neighbours(points, first, k, np.empty(n), np.empty(k + 1), taken, within)
    distance = np.abs(points[:, :, None] - points[:, None, :]).max(axis=0)
    label = np.repeat(np.arange(3), sizes)
    for i in range(n):
        own = np.sort(distance[i, label == label[i]])
        assert taken[i] == min(k, own.size - 1)
        assert within[i] == (distance[i] < own[taken[i]]).sum()
