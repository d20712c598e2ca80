"""CIFAR-10 in the binary version."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import DataError
from dendrosim.tasks import cifar
from dendrosim.tasks.cifar import CIFAR10


@pytest.fixture
def small_cifar(monkeypatch, tmp_path):
    """Six files of four images each, and the folder they are in."""
    monkeypatch.setattr(cifar, "PER_FILE", 4)
    monkeypatch.setenv("DENDROSIM_DATA", str(tmp_path))
    folder = tmp_path / "cifar10" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i, name in enumerate(CIFAR10.files):
        rows = rng.integers(0, 256, (4, 3073)).astype(np.uint8)
        rows[:, 0] = (i, 9, 0, 1)
        rows.tofile(folder / name)
    return folder


def test_files_follow_one_another(small_cifar):
    task = ds.tasks.load("cifar10")
    assert (task.x_train.shape, task.x_test.shape, task.image_shape) == ((20, 3072), (4, 3072), (3, 32, 32))
    assert task.y_train.tolist() == [label for i in range(5) for label in (i, 9, 0, 1)]
    assert task.y_test.tolist() == [5, 9, 0, 1]
    raw = np.fromfile(small_cifar / "data_batch_2.bin", np.uint8)
    np.testing.assert_allclose(task.x_train[4], raw[1:3073] / 255, rtol=1e-7)
    np.testing.assert_allclose(task.x_test[3], np.fromfile(small_cifar / "test_batch.bin", np.uint8)[-3072:] / 255)


def test_on_and_off_lines(small_cifar):
    plain, task = ds.tasks.load("cifar10"), ds.tasks.load("cifar10", encoding="on_off")
    assert (task.n_inputs, task.image_shape) == (6144, (6, 32, 32))
    np.testing.assert_allclose(
        task.x_test[:, :3072] - task.x_test[:, 3072:], plain.x_test - plain.x_train.mean(axis=0), atol=1e-6
    )


@pytest.mark.parametrize("length", [0, 3073 * 3, 3073 * 4 - 1, 3073 * 5])
def test_files_of_another_length_are_refused(length, small_cifar):
    path = small_cifar / "data_batch_3.bin"
    path.write_bytes(bytes(length))
    with pytest.raises(DataError) as caught:
        ds.tasks.load("cifar10")
    assert f"{path} has {length} bytes; a file of the binary version of CIFAR-10 has 12292" in str(caught.value)


def test_labels_that_are_no_class_are_refused(small_cifar):
    path = small_cifar / "test_batch.bin"
    rows = np.fromfile(path, np.uint8).reshape(4, 3073)
    rows[2, 0] = 10
    rows.tofile(path)
    with pytest.raises(DataError, match=r"test_batch.bin: label 10 of image 2 is no class"):
        ds.tasks.load("cifar10")


def test_missing_files_are_listed(small_cifar):
    (small_cifar / "data_batch_3.bin").unlink()
    (small_cifar / "test_batch.bin").unlink()
    with pytest.raises(DataError, match=r"lacks data_batch_3\.bin and test_batch\.bin of CIFAR-10"):
        ds.tasks.load("cifar10")


def test_official_cifar10(true_data):
    true_data(CIFAR10.folder)
    x_train, y_train, x_test, y_test = cifar.read_cifar10()
    assert (x_train.shape, x_test.shape) == ((50_000, 3072), (10_000, 3072))
    assert y_train[:5].tolist() == [6, 9, 9, 4, 1]
    assert y_test[:5].tolist() == [3, 8, 8, 0, 6]
    assert np.bincount(y_train).tolist() == [5000] * 10
    assert np.bincount(y_test).tolist() == [1000] * 10
    # as published: means of the red, green and blue planes
    means = x_train.reshape(-1, 3, 1024).mean(axis=(0, 2), dtype=np.float64)
    np.testing.assert_allclose(means, [0.4914, 0.4822, 0.4465], atol=5e-5)
