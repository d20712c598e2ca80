"""CIFAR-10 and CIFAR-100, the binary versions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, choose
from .files import Collection, obtain
from .images import Images, as_activity, image_task
from .task import Task

SHAPE = (3, 32, 32)
PER_FILE = 10_000
"""Images in a file of CIFAR-10, and in the test set of CIFAR-100."""
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
CIFAR10 = Collection(
    title="CIFAR-10",
    folder="cifar10/cifar-10-batches-bin",
    files=(*TRAIN, "test_batch.bin"),
    url="https://www.cs.toronto.edu/~kriz",
    sums={"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

CIFAR100 = Collection(
    title="CIFAR-100",
    folder="cifar100/cifar-100-binary",
    files=("train.bin", "test.bin"),
    url="https://www.cs.toronto.edu/~kriz",
    sums={"cifar-100-binary.tar.gz": "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"},
)
SUPERCLASSES = {
    "aquatic mammals": "beaver dolphin otter seal whale",
    "fish": "aquarium_fish flatfish ray shark trout",
    "flowers": "orchid poppy rose sunflower tulip",
    "food containers": "bottle bowl can cup plate",
    "fruit and vegetables": "apple mushroom orange pear sweet_pepper",
    "household electrical devices": "clock keyboard lamp telephone television",
    "household furniture": "bed chair couch table wardrobe",
    "insects": "bee beetle butterfly caterpillar cockroach",
    "large carnivores": "bear leopard lion tiger wolf",
    "large man-made outdoor things": "bridge castle house road skyscraper",
    "large natural outdoor scenes": "cloud forest mountain plain sea",
    "large omnivores and herbivores": "camel cattle chimpanzee elephant kangaroo",
    "medium-sized mammals": "fox porcupine possum raccoon skunk",
    "non-insect invertebrates": "crab lobster snail spider worm",
    "people": "baby boy girl man woman",
    "reptiles": "crocodile dinosaur lizard snake turtle",
    "small mammals": "hamster mouse rabbit shrew squirrel",
    "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "vehicles 1": "bicycle bus motorcycle pickup_truck train",
    "vehicles 2": "lawn_mower rocket streetcar tank tractor",
}
"""Coarse labels of CIFAR-100 in their order, and the classes of each; fine labels are in the order of the alphabet."""
LABELS = {
    "fine": tuple(name.replace("_", " ") for name in sorted(" ".join(SUPERCLASSES.values()).split())),
    "coarse": tuple(SUPERCLASSES),
}


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
    """Read one file of CIFAR-10: rows of a label and the 3,072 bytes of an image.

    Returns
    -------
    uint8 array of shape (10000, 3073)

    Raises
    ------
    DataError
        If the file is too long or too short, or a label is no class.
    """
    return _rows(path, CIFAR10, PER_FILE, {"label": len(CLASSES)})


def cifar100(seed: int, *, labels: str = "fine", encoding: str = "intensity") -> Task:
    """CIFAR-100: 50,000 + 10,000 colour pictures of 32 x 32 pixels, 3,072 inputs, 100 classes in 20 superclasses.

    Pixels divided by 255, in the official order; a row is the red plane, then the green, then the blue. Nothing is
    drawn. 5,000 of the training samples are kept back, as in CIFAR-10.

    Parameters
    ----------
    seed : int
        Not used.
    labels : {"fine", "coarse"}, default "fine"
        100 classes, or their 20 superclasses.
    encoding : {"intensity", "on_off"}, default "intensity"
        As for ``mnist``; ``"on_off"`` takes 1.5 GB.
    """
    names = LABELS[choose("labels", labels, LABELS)]
    return image_task("cifar100", CIFAR100, read_cifar100(labels), SHAPE, names, 5_000, seed, encoding)


def read_cifar100(labels: str = "fine", url: str | None = None) -> Images:
    """Rows and labels of the training set, then of the test set.

    Parameters
    ----------
    labels : {"fine", "coarse"}
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
    at = ("coarse", "fine").index(choose("labels", labels, LABELS))
    folder = obtain(CIFAR100, url)
    kinds = {"coarse label": len(LABELS["coarse"]), "fine label": len(LABELS["fine"])}
    counts = (len(TRAIN) * PER_FILE, PER_FILE)
    train, test = (_rows(folder / name, CIFAR100, n, kinds) for name, n in zip(CIFAR100.files, counts, strict=True))
    return (
        as_activity(train[:, 2:]),
        train[:, at].astype(np.int64),
        as_activity(test[:, 2:]),
        test[:, at].astype(np.int64),
    )


def _rows(path: Path, collection: Collection, count: int, labels: Mapping[str, int]) -> NDArray[np.uint8]:
    """Read `count` rows: one byte for each kind of label, of so many classes, then an image.

    Raises
    ------
    DataError
        If the file is too long or too short, or a label is no class.
    """
    pixels = int(np.prod(SHAPE))
    row = len(labels) + pixels
    (archive,) = collection.sums
    content = np.fromfile(path, np.uint8, count * row + 1)
    if content.size != count * row:
        kinds = " and ".join(f"a {kind}" for kind in labels)
        raise DataError(
            f"{path} has {path.stat().st_size} bytes; a file of the binary version of {collection.title} has "
            f"{count * row} ({count} rows of {kinds} and {pixels} bytes). Get {archive} again"
        )
    rows = content.reshape(count, row)
    for i, (kind, classes) in enumerate(labels.items()):
        wrong = np.flatnonzero(rows[:, i] >= classes)
        if wrong.size:
            raise DataError(
                f"{path}: {kind} {rows[wrong[0], i]} of image {wrong[0]} is no class, they are 0 to {classes - 1}; "
                f"this is not the binary version of {collection.title}. Get {archive} again"
            )
    return rows
