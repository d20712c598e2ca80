"""Drives of compartments and their mismatch against numpy, compartment by compartment."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.kernels.drives import centred_mismatch, child_drive, parent_drive

PARENT = np.array([-1, 0, 1, 1, 0, -1, 5])  # a root with two children, one of which branches; a root with one child
FIRST, MIDDLE = np.array([0, 0, 2, 4, 5, 7, 7]), np.array([0, 1, 4, 5, 6, 7, 9])
SOURCE = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])


def flat(array, n_blocks, width):
    """(B, rows) as flat blocks; lanes past the batch hold nonsense."""
    out = np.full((n_blocks * width, array.shape[1]), 7.0, array.dtype)
    out[: len(array)] = array
    return np.ascontiguousarray(out.reshape(n_blocks, width, -1).transpose(0, 2, 1)).reshape(-1)


def batch_first(blocks, n_blocks, width, n_samples):
    return blocks.reshape(n_blocks, -1, width).transpose(0, 2, 1).reshape(n_blocks * width, -1)[:n_samples]


@pytest.mark.parametrize(("n_samples", "width"), [(8, 4), (6, 4), (1, 8)])
def test_drives_and_mismatch(n_samples, width):
    rng = np.random.default_rng(0)
    n_blocks = -(-n_samples // width)
    v, a = rng.random((2, n_samples, PARENT.size))
    x = rng.random((n_samples, 3))
    coupling, g = rng.random(PARENT.size), rng.random(SOURCE.size)
    shape = n_blocks, width
    lanes = (0.0,) * width
    drive = np.full(n_blocks * PARENT.size * width, np.nan)

    currents = np.zeros_like(v)
    for n, p in enumerate(PARENT):
        if p >= 0:
            currents[:, p] += coupling[n] * a[:, n]
    parent_drive(PARENT, coupling, flat(v, *shape), flat(a, *shape), drive, n_blocks, lanes)
    expected = np.where(PARENT < 0, currents, v[:, PARENT])
    np.testing.assert_allclose(batch_first(drive, *shape, n_samples), expected, rtol=1e-14)

    for n in set(range(PARENT.size)) - set(PARENT):
        currents[:, n] = x[:, SOURCE[FIRST[n] : MIDDLE[n]]] @ g[FIRST[n] : MIDDLE[n]]
    leaf = np.empty(PARENT.size, bool)
    child_drive(
        PARENT, FIRST, MIDDLE, SOURCE, g, coupling, flat(x, *shape), 3, flat(a, *shape), drive, leaf, n_blocks, lanes
    )
    np.testing.assert_allclose(batch_first(drive, *shape, n_samples), currents, rtol=1e-14)

    mismatch = np.empty_like(drive)
    centred_mismatch(drive, flat(v, *shape), PARENT.size, n_samples, mismatch, lanes)
    expected = (currents - v) - (currents - v).mean(0)
    np.testing.assert_allclose(batch_first(mismatch, *shape, n_samples), expected, atol=1e-14)
    assert not batch_first(mismatch, *shape, n_blocks * width)[n_samples:].any()
