"""Lines in noise, against the ideal observer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

import dendrosim as ds
from dendrosim.tasks.noise_lines import lines


def signed(task: ds.tasks.Task) -> np.ndarray:
    n = task.n_inputs // 2
    return (task.x_test[:, :n] - task.x_test[:, n:]).reshape(len(task.x_test), *task.image_shape[1:])


def ideal(images: np.ndarray, noise: float) -> np.ndarray:
    """Most probable class of images (n, side, side), all lines of a class being as likely."""
    side = images.shape[1]
    row = logsumexp((images.sum(axis=2) - side / 2) / noise**2, axis=1) - np.log(side)
    column = logsumexp((images.sum(axis=1) - side / 2) / noise**2, axis=1) - np.log(side)
    return np.argmax([np.zeros(len(images)), row, column], axis=0)


def test_an_ideal_observer_makes_no_mistake_at_the_published_noise():
    task = ds.tasks.load("noise_lines")
    assert (task.n_inputs, task.image_shape, task.class_names) == (1568, (2, 28, 28), ("blank", "row", "column"))
    np.testing.assert_array_equal(ideal(signed(task).astype(float), 0.2), task.y_test)


def test_without_noise_there_are_lines_and_nothing_else():
    x, y = lines(3000, 5, 0.0, np.random.default_rng(0))
    images = x.reshape(-1, 5, 5)
    assert set(np.unique(x)) == {0.0, 1.0}
    assert not images[y == 0].any()
    assert (np.sort(images[y == 1].sum(axis=2)) == [0, 0, 0, 0, 5]).all()
    assert (np.sort(images[y == 2].sum(axis=1)) == [0, 0, 0, 0, 5]).all()
    assert np.abs(np.bincount(y) / 3000 - 1 / 3).max() < 0.045  # 5 standard deviations
    for shares in (images[y == 1].mean(axis=(0, 2)), images[y == 2].mean(axis=(0, 1))):
        assert np.abs(shares - 0.2).max() < 0.065


@pytest.mark.parametrize("noise", [0.2, 0.7])
def test_the_noise_is_gaussian(noise):
    x, y = lines(2000, 8, noise, np.random.default_rng(1))
    z = x[y == 0].ravel() / noise
    error = 1 / np.sqrt(z.size)
    assert abs(z.mean()) < 5 * error
    assert abs((z**2).mean() - 1) < 5 * np.sqrt(2) * error
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96) * error


def test_one_line_for_every_pixel():
    task = ds.tasks.load("noise_lines", encoding="offset", side=12, noise=0.1)
    assert (task.n_inputs, task.image_shape) == (144, (12, 12))
    both = ds.tasks.load("noise_lines", side=12, noise=0.1)
    # the same images: -0.5 becomes 0 and 1.5 becomes 1
    np.testing.assert_allclose(task.x_test.reshape(-1, 12, 12), np.clip((signed(both) + 0.5) / 2, 0, 1), atol=1e-6)
    assert task.x_train.max() <= 1.0


def test_an_offset_without_noise_divides_by_nothing():
    task = ds.tasks.load("noise_lines", encoding="offset", side=4, noise=0)
    assert set(np.unique(task.x_train)) == {0.0, 1.0}
