"""CIFAR-10 and CIFAR-100 in the binary version."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import DataError, ParameterError
from dendrosim.tasks import cifar
from dendrosim.tasks.cifar import CIFAR10, CIFAR100, LABELS, SUPERCLASSES


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


# ---- CIFAR-100


@pytest.fixture
def small_cifar100(monkeypatch, tmp_path):
    """Two files of ten and two images, and the folder they are in."""
    monkeypatch.setattr(cifar, "PER_FILE", 2)
    monkeypatch.setenv("DENDROSIM_DATA", str(tmp_path))
    folder = tmp_path / "cifar100" / "cifar-100-binary"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, count in (("train.bin", 10), ("test.bin", 2)):
        rows = rng.integers(0, 256, (count, 3074)).astype(np.uint8)
        rows[:, 0], rows[:, 1] = 19 - np.arange(count), 99 - 3 * np.arange(count)
        rows.tofile(folder / name)
    return folder


def test_coarse_labels_come_before_fine_ones(small_cifar100):
    fine, coarse = ds.tasks.load("cifar100"), ds.tasks.load("cifar100", labels="coarse")
    assert (fine.x_train.shape, fine.x_test.shape, fine.image_shape) == ((10, 3072), (2, 3072), (3, 32, 32))
    assert (fine.n_classes, coarse.n_classes) == (100, 20)
    assert fine.y_train.tolist() == [99, 96, 93, 90, 87, 84, 81, 78, 75, 72]
    assert coarse.y_train.tolist() == [19, 18, 17, 16, 15, 14, 13, 12, 11, 10]
    assert (fine.y_test.tolist(), coarse.y_test.tolist()) == ([99, 96], [19, 18])
    raw = np.fromfile(small_cifar100 / "train.bin", np.uint8)
    np.testing.assert_allclose(fine.x_train[1], raw[3074 + 2 : 2 * 3074] / 255, rtol=1e-7)
    np.testing.assert_array_equal(fine.x_train, coarse.x_train)
    assert ds.tasks.load("cifar100", encoding="on_off").n_inputs == 6144


def test_names_of_the_hundred_classes():
    fine, coarse = LABELS["fine"], LABELS["coarse"]
    assert (len(set(fine)), len(coarse)) == (100, 20)
    assert all(len(classes.split()) == 5 for classes in SUPERCLASSES.values())
    # of the files of the official Python version
    assert [fine[i] for i in (0, 1, 3, 19, 44, 58, 69, 83, 99)] == [
        "apple", "aquarium fish", "bear", "cattle", "lizard", "pickup truck", "rocket", "sweet pepper", "worm"
    ]  # fmt: skip
    assert [coarse[i] for i in (0, 4, 9, 13, 19)] == [
        "aquatic mammals", "fruit and vegetables", "large man-made outdoor things", "non-insect invertebrates",
        "vehicles 2",
    ]  # fmt: skip


@pytest.mark.parametrize("length", [0, 3073 * 10, 3074 * 9, 3074 * 10 - 1, 3074 * 11])
def test_files_of_cifar100_of_another_length_are_refused(length, small_cifar100):
    path = small_cifar100 / "train.bin"
    path.write_bytes(bytes(length))
    with pytest.raises(DataError) as caught:
        ds.tasks.load("cifar100")
    message = str(caught.value)
    assert f"{path} has {length} bytes; a file of the binary version of CIFAR-100 has 30740" in message
    assert "cifar-100-binary.tar.gz" in message


@pytest.mark.parametrize(("byte", "value", "said"), [(0, 20, "coarse label 20"), (1, 100, "fine label 100")])
def test_labels_of_cifar100_that_are_no_class_are_refused(byte, value, said, small_cifar100):
    path = small_cifar100 / "test.bin"
    rows = np.fromfile(path, np.uint8).reshape(2, 3074)
    rows[1, byte] = value
    rows.tofile(path)
    with pytest.raises(DataError, match=rf"test.bin: {said} of image 1 is no class, they are 0 to {value - 1}"):
        ds.tasks.load("cifar100")


def test_unknown_kinds_of_labels_and_missing_files(small_cifar100):
    with pytest.raises(ParameterError, match=r"labels='super' is not known; valid: 'fine', 'coarse'"):
        ds.tasks.load("cifar100", labels="super")
    (small_cifar100 / "test.bin").unlink()
    with pytest.raises(DataError, match=r"lacks test\.bin of CIFAR-100"):
        ds.tasks.load("cifar100")


def test_official_cifar100(true_data):
    true_data(CIFAR100.folder)
    x_train, y_train, x_test, y_test = cifar.read_cifar100()
    assert (x_train.shape, x_test.shape) == ((50_000, 3072), (10_000, 3072))
    assert np.bincount(y_train).tolist() == [500] * 100
    assert np.bincount(y_test).tolist() == [100] * 100
    superclass = cifar.read_cifar100("coarse")[1]
    names = [
        (LABELS["coarse"][c], LABELS["fine"][f].replace(" ", "_")) for c, f in zip(superclass, y_train, strict=True)
    ]
    assert all(fine in SUPERCLASSES[coarse].split() for coarse, fine in set(names))
