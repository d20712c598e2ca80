"""CIFAR-10, the binary version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .files import Collection, obtain
from .images import Images, as_activity, image_task
from .task import Task

SHAPE = (3, 32, 32)
PER_FILE = 10_000
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
CIFAR10 = Collection(
    title="CIFAR-10",
    folder="cifar10/cifar-10-batches-bin",
    files=(*TRAIN, "test_batch.bin"),
    url="https://www.cs.toronto.edu/~kriz",
    sums={"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def cifar10(seed: int, *, encoding: str = "intensity") -> Task:
    """CIFAR-10: 50,000 + 10,000 colour pictures of 32 x 32 pixels, 3,072 inputs, 10 classes.

    Pixels divided by 255, in the official order; a row is the red plane, then the green, then the blue. Nothing is
    drawn. Published runs keep back 5,000 of the training samples. A linear classifier reaches about 0.39.

    Parameters
    ----------
    seed : int
        Not used.
    encoding : {"intensity", "on_off"}, default "intensity"
        As for ``mnist``; ``"on_off"`` takes 1.5 GB.
    """
    return image_task("cifar10", CIFAR10, read_cifar10(), SHAPE, CLASSES, 5_000, seed, encoding)


def read_cifar10(url: str | None = None) -> Images:
    """Rows and labels of the training set, then of the test set.

    Parameters
    ----------
    url : str, optional
        Where to download from, instead of the official place.

    Returns
    -------
    x_train, y_train, x_test, y_test : float32 arrays of shape (n, 3072) in [0, 1], int64 arrays of shape (n,)

    Raises
    ------
    DataError
        If files are missing or damaged.
    """
    folder = obtain(CIFAR10, url)
    parts = [read_batch(folder / name) for name in CIFAR10.files]
    train = np.concatenate(parts[:-1])
    return (
        as_activity(train[:, 1:]),
        train[:, 0].astype(np.int64),
        as_activity(parts[-1][:, 1:]),
        parts[-1][:, 0].astype(np.int64),
    )


def read_batch(path: Path) -> NDArray[np.uint8]:
    """Read one file: rows of a label and the 3,072 bytes of an image.

    Returns
    -------
    uint8 array of shape (10000, 3073)

    Raises
    ------
    DataError
        If the file is too long or too short, or a label is no class.
    """
    row = 1 + int(np.prod(SHAPE))
    content = np.fromfile(path, np.uint8)
    if content.size != PER_FILE * row:
        raise DataError(
            f"{path} has {content.size} bytes; a file of the binary version of CIFAR-10 has {PER_FILE * row} ("
            f"{PER_FILE} rows of a label and {row - 1} bytes). Get cifar-10-binary.tar.gz again"
        )
    rows = content.reshape(PER_FILE, row)
    wrong = np.flatnonzero(rows[:, 0] > 9)
    if wrong.size:
        raise DataError(
            f"{path}: label {rows[wrong[0], 0]} of image {wrong[0]} is no class, they are 0 to 9; this is not the "
            "binary version of CIFAR-10. Get cifar-10-binary.tar.gz again"
        )
    return rows
