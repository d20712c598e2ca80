"""MNIST beside noise."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds

SMALL = {"n_train": 200, "n_validation": 50, "n_test": 100}


def load(**options) -> ds.tasks.Task:
    return ds.tasks.load("figure_ground_mnist", **SMALL, **options)


def halves(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    images = x.reshape(-1, 28, 28)
    return images[:, :, :14], images[:, :, 14:]


def test_the_right_half_is_a_digit_of_its_class(small_mnist):
    task = load()
    train_images = small_mnist["train-images-idx3-ubyte"]
    known = {(image[:, 14:] / np.float32(255)).astype(np.float32).tobytes(): i for i, image in enumerate(train_images)}
    found = []
    for x, y in ((task.x_train, task.y_train), (task.x_test, task.y_test)):
        rows = [known[right.tobytes()] for right in halves(x)[1]]
        np.testing.assert_array_equal(small_mnist["train-labels-idx1-ubyte"][rows], y)
        found += rows
    assert len(set(found)) == 350  # of the training set, and none twice


@pytest.mark.parametrize("noise", ["redrawn", "fixed"])
def test_the_left_half_is_uniform_noise(noise, small_mnist):
    task = load(noise=noise, noise_level=0.4)
    for x in (task.x_train, task.x_test, task.batch(np.arange(200), np.random.default_rng(0))):
        left = halves(x)[0]
        assert 0 <= left.min() < 0.001
        assert 0.399 < left.max() < 0.4
        assert abs(left.mean() - 0.2) < 0.003  # 0.4 / sqrt(12 * 39200) is 0.0006
        assert abs(left.var() - 0.16 / 12) < 0.0005


def test_noise_is_redrawn_in_batches_only(small_mnist):
    task = load()
    rng = np.random.default_rng(0)
    first, second = task.batch(np.arange(50), rng), task.batch(np.arange(50), rng)
    np.testing.assert_array_equal(halves(first)[1], halves(task.x_train[:50])[1])
    np.testing.assert_array_equal(halves(first)[1], halves(second)[1])
    assert not (halves(first)[0] == halves(second)[0]).all(axis=(1, 2)).any()
    assert not (halves(first)[0] == halves(task.x_train[:50])[0]).all(axis=(1, 2)).any()
    np.testing.assert_array_equal(first, task.batch(np.arange(50), np.random.default_rng(0)))


def test_noise_may_stay_the_same(small_mnist):
    task = load(noise="fixed")
    np.testing.assert_array_equal(task.batch([7, 8], np.random.default_rng(0)), task.x_train[7:9])
    np.testing.assert_array_equal(task.x_train, load().x_train)
    assert task.hash != load().hash  # what a learner sees differs


def test_the_size_as_published(true_data):
    true_data("mnist")
    task = ds.tasks.load("figure_ground_mnist")
    train, validation = task.split(task.n_validation, seed=0)
    assert (len(train), len(validation), len(task.x_test)) == (8000, 1000, 1000)
