"""Two digits side by side."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds


@pytest.mark.parametrize("source", ["digits", "mnist"])
def test_halves_are_images_of_the_right_part_with_their_labels(source, small_mnist):
    origin = ds.tasks.load(source)
    side = origin.image_shape[0]
    task = ds.tasks.load("hierarchical", source=source, n_train=200, n_validation=20, n_test=100)
    assert (task.n_classes, task.n_inputs, task.image_shape) == (100, 2 * side**2, (side, 2 * side))
    for x, y, factors, images, labels in (
        (task.x_train, task.y_train, task.factors_train, origin.x_train, origin.y_train),
        (task.x_test, task.y_test, task.factors_test, origin.x_test, origin.y_test),
    ):
        known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
        pairs = x.reshape(-1, side, 2 * side)
        left = np.array([known[np.ascontiguousarray(pair[:, :side]).tobytes()] for pair in pairs])
        right = np.array([known[np.ascontiguousarray(pair[:, side:]).tobytes()] for pair in pairs])
        np.testing.assert_array_equal(factors["left"], left)
        np.testing.assert_array_equal(factors["right"], right)
        assert [task.class_names[label] for label in y] == [f"{a}{b}" for a, b in zip(left, right, strict=True)]


def test_all_classes_come_up():
    task = ds.tasks.load("hierarchical", source="digits")
    counts = np.bincount(task.y_train, minlength=100)
    assert (len(task.x_train), len(task.x_test)) == (9000, 1000)
    assert counts.min() > 45  # 90 expected, standard deviation 9.4
    assert counts.max() < 140
