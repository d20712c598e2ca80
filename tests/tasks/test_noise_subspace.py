"""MNIST in noise from a subspace: rank, size and clipping."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np

import dendrosim as ds
from dendrosim.tasks.noise_subspace import unit_columns


def test_columns_have_length_one_and_random_directions():
    columns = unit_columns(784, 50, np.random.default_rng(0)).astype(float)
    assert columns.shape == (784, 50)
    np.testing.assert_allclose((columns**2).sum(axis=0), 1, rtol=1e-6)
    products = (columns.T @ columns)[np.triu_indices(50, 1)]
    assert abs(products.std() - 1 / 28) < 0.004  # 1 / sqrt(784)


def test_weak_noise_has_the_rank_and_the_size_of_the_subspace(small_mnist):
    folder = Path(os.environ["DENDROSIM_DATA"]) / "mnist"
    for part, n in (("train", 400), ("t10k", 100)):  # grey images: nothing is clipped
        grey = b"\0\0\x08\x03" + n.to_bytes(4, "big") + 2 * (28).to_bytes(4, "big") + bytes([128]) * (n * 784)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(grey))
    task = ds.tasks.load("noise_subspace_mnist", noise=0.5, dimensions=7)
    train, test = (x.astype(float) - 128 / 255 for x in (task.x_train, task.x_test))
    _, strengths, directions = np.linalg.svd(train[:60], full_matrices=False)
    assert strengths[7] < 1e-4 * strengths[6]
    outside = test - test @ directions[:7].T @ directions[:7]
    assert np.abs(outside).max() < 1e-6  # the same subspace
    # the squared length of P z is 7 on average; 400 of them, each with a standard deviation near sqrt(14)
    assert abs((train**2).sum(axis=1).mean() / 0.5**2 - 7) < 5 * np.sqrt(14 / 400)


def test_strong_noise_is_clipped_and_independent_between_parts(small_mnist):
    plain, task = ds.tasks.load("mnist"), ds.tasks.load("noise_subspace_mnist")
    for x in (task.x_train, task.x_test):
        assert x.min() == 0.0
        assert x.max() == 1.0
    np.testing.assert_array_equal(task.y_train, plain.y_train)
    inside = (task.x_train > 0) & (task.x_train < 1)
    z = (task.x_train - plain.x_train)[inside]
    # one pixel of P z has variance 50 / 784; what clipping leaves over is less
    assert 0.1 < 1.5 * np.sqrt(50 / 784) * 0.5 < z.std() < 1.5 * np.sqrt(50 / 784)


def test_no_noise_is_mnist(small_mnist):
    plain, task = ds.tasks.load("mnist"), ds.tasks.load("noise_subspace_mnist", noise=0)
    assert task.hash == plain.hash
