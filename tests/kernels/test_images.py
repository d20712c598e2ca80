"""Moved images against frames of zeros cut out anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dendrosim.kernels.images import moved


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_moved_images(data):
    channels, rows, columns = (data.draw(st.integers(1, most)) for most in (3, 6, 6))
    n = data.draw(st.integers(1, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    images = rng.random((n, channels, rows, columns)).astype(data.draw(st.sampled_from([np.float32, np.float64])))
    down, right = rng.integers(1 - rows, rows, n), rng.integers(1 - columns, columns, n)
    mirrored = rng.random(n) < 0.5
    result = moved(images, down, right, mirrored)
    assert result.dtype == images.dtype
    for i in range(n):
        frame = np.pad(images[i], ((0, 0), (rows, rows), (columns, columns)))
        expected = frame[:, rows - down[i] : 2 * rows - down[i], columns - right[i] : 2 * columns - right[i]]
        np.testing.assert_array_equal(result[i], expected[..., ::-1] if mirrored[i] else expected)


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (2, 3, 32, 32)])
def test_no_move_changes_nothing(shape):
    images = np.random.default_rng(0).random(shape)
    zero = np.zeros(shape[0], np.int64)
    np.testing.assert_array_equal(moved(images, zero, zero, zero > 0), images)
