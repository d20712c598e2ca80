"""MNIST and Fashion-MNIST: damaged files in small, and the official ones where they are to be had."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import DataError
from dendrosim.tasks.images import FASHION_MNIST, FILES, MNIST
from dendrosim.tasks.sources import pictures

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = FILES


def header(magic: bytes, *sizes: int) -> bytes:
    return magic + b"".join(n.to_bytes(4, "big") for n in sizes)


def folder() -> Path:
    return Path(os.environ["DENDROSIM_DATA"]) / "mnist"


def test_pixels_and_labels_come_in_their_order(small_mnist):
    task = ds.tasks.load("mnist")
    assert (task.x_train.shape, task.x_test.shape, task.image_shape) == ((400, 784), (100, 784), (28, 28))
    for part, name in (("train", "train"), ("test", "t10k")):
        pixels = small_mnist[f"{name}-images-idx3-ubyte"].reshape(-1, 784)
        np.testing.assert_allclose(getattr(task, f"x_{part}"), pixels / 255, rtol=1e-7)
        np.testing.assert_array_equal(getattr(task, f"y_{part}"), small_mnist[f"{name}-labels-idx1-ubyte"])
    assert task.x_train.max() == 1.0


def test_on_and_off_lines_of_images(small_mnist):
    plain, task = ds.tasks.load("fashion_mnist"), ds.tasks.load("fashion_mnist", encoding="on_off")
    mean = plain.x_train.mean(axis=0, dtype=np.float64)
    assert (task.n_inputs, task.image_shape) == (1568, (2, 28, 28))
    for x, lines in ((plain.x_train, task.x_train), (plain.x_test, task.x_test)):
        np.testing.assert_allclose(lines[:, :784] - lines[:, 784:], x - mean, atol=1e-6)
    assert task.augmented(shift=1).batch([0], np.random.default_rng(0)).shape == (1, 1568)


def test_sources_of_composed_tasks_are_images(small_mnist):
    train, test = pictures("mnist", 0)
    assert (train.x.shape, test.x.shape) == ((400, 28, 28), (100, 28, 28))
    drawn = train.draw(1000, np.random.default_rng(0))
    both = {(x.tobytes(), int(y)) for x, y in zip(train.x, train.y, strict=True)}
    assert {(x.tobytes(), int(y)) for x, y in zip(drawn.x, drawn.y, strict=True)} <= both


GOOD_LABELS = gzip.compress(header(b"\0\0\x08\x01", 400) + bytes(400))


DAMAGED = [
        (IMAGES, b"", "begins with nothing"),
        (IMAGES, b"<html>not found</html>", "cannot be unpacked (Not a gzipped file"),
        (LABELS, GOOD_LABELS[:-12], "cannot be unpacked"),
        (LABELS, GOOD_LABELS[:20] + b"\xff" + GOOD_LABELS[21:], "cannot be unpacked"),
        (IMAGES, GOOD_LABELS, "begins with 00 00 08 01, and images with 00 00 08 03"),
        (LABELS, gzip.compress(header(b"\0\0\x0d\x01", 400)), "begins with 00 00 0d 01, and labels with 00 00 08 01"),
        (IMAGES, gzip.compress(header(b"\0\0\x08\x03", 400, 28)), "header ends after 12 of 16 bytes"),
        (LABELS, gzip.compress(header(b"\0\0\x08\x01", 400) + bytes(399)), "promises 400 bytes, and 399 follow"),
        (LABELS, gzip.compress(header(b"\0\0\x08\x01", 400) + bytes(401)), "promises 400 bytes, and 401 follow"),
        (LABELS, gzip.compress(header(b"\0\0\x08\x01", 0)), "promises 0 bytes, and 0 follow"),
        (IMAGES, gzip.compress(header(b"\0\0\x08\x03", 2**31, 2**31, 4)), "2147483648 x 2147483648 x 4 bytes"),
        (IMAGES, gzip.compress(header(b"\0\0\x08\x03", 400, 2, 2) + bytes(1600)), "images of 2 x 2 pixels"),
        (LABELS, gzip.compress(header(b"\0\0\x08\x01", 3) + bytes(3)), "holds 400 images, and"),
        (LABELS, gzip.compress(header(b"\0\0\x08\x01", 400) + bytes(7) + b"\x0a" + bytes(392)), "label 10 of image 7"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "content", "words"), DAMAGED, ids=[words for *_, words in DAMAGED])
def test_damaged_files_are_refused(file, content, words, small_mnist):
    (folder() / file).write_bytes(content)
    with pytest.raises(DataError) as caught:
        ds.tasks.load("mnist")
    assert words in str(caught.value), str(caught.value)
    assert str(folder() / file) in str(caught.value)
    assert "official file" in str(caught.value)


# ---- the official files


@pytest.mark.parametrize("collection", [MNIST, FASHION_MNIST], ids=lambda collection: collection.title)
def test_the_sums_are_those_of_the_official_files(collection, true_data):
    import hashlib

    true_data(collection.folder)
    where = Path(os.environ["DENDROSIM_DATA"]) / collection.folder
    for name, digest in collection.sums.items():
        assert hashlib.sha256((where / name).read_bytes()).hexdigest() == digest


def test_official_mnist(true_data):
    true_data("mnist")
    task = ds.tasks.load("mnist")
    assert repr(task) == "Task('mnist': 60000 + 10000 samples, 784 inputs, 10 classes)"
    # as published: first labels, numbers of samples of each class, mean and standard deviation of the pixels
    assert task.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert task.y_test[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(task.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(task.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert abs(task.x_train.mean(dtype=np.float64) - 0.1307) < 5e-5
    assert abs(task.x_train.std(dtype=np.float64) - 0.3081) < 5e-5
    assert task.n_validation == 12_000


def test_official_fashion_mnist(true_data):
    true_data("fashion-mnist")
    task = ds.tasks.load("fashion_mnist")
    assert task.y_train[:5].tolist() == [9, 0, 0, 3, 0]
    assert task.class_names[9] == "ankle boot"
    assert np.bincount(task.y_train).tolist() == [6000] * 10
    assert np.bincount(task.y_test).tolist() == [1000] * 10
    assert abs(task.x_train.mean(dtype=np.float64) - 0.2860) < 5e-5
    assert abs(task.x_train.std(dtype=np.float64) - 0.3530) < 5e-5
