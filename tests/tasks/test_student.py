"""Normal inputs and a linear teacher; standardisation of a task."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.tasks import Task, standardisation
from dendrosim.tasks.seeds import stream


def test_labels_are_the_teachers():
    task = ds.tasks.load("student", 3)
    z = (task.x_test.astype(float) - 0.5) * 16
    assert abs(z.mean()) < 0.01
    assert abs(z.std() - 1) < 0.01
    teacher = stream(3, "student/teacher").standard_normal((64, 10))
    assert ((z @ teacher).argmax(axis=1) == task.y_test).mean() > 0.999  # up to rounding to float32


def test_standardisation_per_channel():
    rng = np.random.default_rng(0)
    x = rng.random((50, 3, 4, 4)) * np.array([1.0, 2.0, 3.0])[None, :, None, None]
    task = Task.from_arrays("colours", x, np.arange(50) % 2, x[:5], np.arange(5) % 2)
    center, scale = standardisation(task)
    assert center.shape == scale.shape == (48,)
    for c in range(3):
        here = slice(16 * c, 16 * c + 16)
        np.testing.assert_allclose(center[here], x[:, c].mean(), rtol=1e-6)
        np.testing.assert_allclose(scale[here], x[:, c].std(), rtol=1e-6)


def test_a_constant_channel_is_refused():
    task = Task.from_arrays("grey", np.full((4, 3), 0.5), [0, 1, 0, 1], np.full((2, 3), 0.5), [0, 1])
    with pytest.raises(ParameterError, match="deviation of channel 0"):
        standardisation(task)
