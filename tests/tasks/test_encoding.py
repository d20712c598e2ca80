"""ON and OFF lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from dendrosim.errors import ParameterError
from dendrosim.tasks import on_off


@given(arrays(np.float64, array_shapes(min_dims=1, max_dims=2), elements=st.floats(-1e6, 1e6)))
def test_nonnegative_and_nothing_is_lost(x):
    lines = on_off(x)
    n = x.shape[-1]
    assert lines.shape == (*x.shape[:-1], 2 * n)
    assert (lines >= 0).all()
    np.testing.assert_array_equal(lines[..., :n] - lines[..., n:], x)
    assert not (lines[..., :n] * lines[..., n:]).any()


@pytest.mark.parametrize(("given", "becomes"), [(np.float32, np.float32), (np.float64, np.float64), (int, np.float64)])
def test_types(given, becomes):
    assert on_off(np.array([[1, -2]], dtype=given)).dtype == becomes


def test_the_input_stays_as_it_is():
    x = np.array([1.0, -1.0])
    on_off(x)
    assert x.tolist() == [1.0, -1.0]


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ([[1.0, np.inf]], r"x\[0, 1\] = inf"),
        (3.0, r"shape \(\)"),
        (np.ones((1, 1, 1)), r"shape \(1, 1, 1\)"),
        ("a", "real numbers"),
    ],
)
def test_what_is_refused(x, words):
    with pytest.raises(ParameterError, match=words):
        on_off(x)
