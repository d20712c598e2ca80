"""MNIST and Fashion-MNIST."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, choose
from .encoding import on_off
from .files import Collection, obtain
from .idx import read_idx
from .task import Task

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
SIDE = 28
ENCODINGS = ("intensity", "on_off")

MNIST = Collection(
    title="MNIST",
    folder="mnist",
    files=FILES,
    url="https://ossci-datasets.s3.amazonaws.com/mnist",
    sums=dict(
        zip(
            FILES,
            (
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
            strict=True,
        )
    ),
)
FASHION_MNIST = Collection(
    title="Fashion-MNIST",
    folder="fashion-mnist",
    files=FILES,
    url="https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    sums=dict(
        zip(
            FILES,
            (
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
            strict=True,
        )
    ),
)
CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def mnist(seed: int, *, encoding: str = "intensity") -> Task:
    """MNIST: 60,000 + 10,000 handwritten digits of 28 x 28 pixels, 784 inputs, 10 classes.

    Pixels divided by 255, in the official order; nothing is drawn. Published runs keep back 12,000 of the training
    samples. A linear classifier reaches about 0.92.

    Parameters
    ----------
    seed : int
        Not used.
    encoding : {"intensity", "on_off"}, default "intensity"
        ``"on_off"``: two lines for every pixel, by how much it is above or below its mean over the training set.
    """
    images = read_images(MNIST)
    return image_task("mnist", MNIST, images, (SIDE, SIDE), tuple("0123456789"), 12_000, seed, encoding)


def fashion_mnist(seed: int, *, encoding: str = "intensity") -> Task:
    """Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 28 x 28 pixels, 784 inputs, 10 classes.

    Pixels divided by 255, in the official order; nothing is drawn. Published runs keep back 6,000 of the training
    samples. A linear classifier reaches about 0.84.

    Parameters
    ----------
    seed : int
        Not used.
    encoding : {"intensity", "on_off"}, default "intensity"
        As for ``mnist``.
    """
    images = read_images(FASHION_MNIST)
    return image_task("fashion_mnist", FASHION_MNIST, images, (SIDE, SIDE), CLOTHES, 6_000, seed, encoding)


Images = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]


def read_images(collection: Collection, url: str | None = None) -> Images:
    """Rows and labels of the training set, then of the test set, of a collection of IDX files.

    Parameters
    ----------
    collection : Collection
        MNIST, or one like it.
    url : str, optional
        Where to download from, instead of the official place.

    Returns
    -------
    x_train, y_train, x_test, y_test : float32 arrays of shape (n, 784) in [0, 1], int64 arrays of shape (n,)

    Raises
    ------
    DataError
        If files are missing, damaged, or do not belong together.
    """
    folder = obtain(collection, url)
    train, train_labels, test, test_labels = (folder / name for name in collection.files)
    return *_read_part(train, train_labels), *_read_part(test, test_labels)


def _read_part(images: Path, labels: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    x, y = read_idx(images, 3), read_idx(labels, 1)
    if x.shape[1:] != (SIDE, SIDE):
        raise DataError(
            f"{images} holds images of {x.shape[1]} x {x.shape[2]} pixels; get the official file, {SIDE} x {SIDE}"
        )
    if len(x) != len(y):
        raise DataError(f"{images} holds {len(x)} images, and {labels} {len(y)} labels; get both official files again")
    if y.max() > 9:
        at = int(np.argmax(y > 9))
        raise DataError(
            f"{labels}: label {y[at]} of image {at} is no class, they are 0 to 9; get the official file again"
        )
    return as_activity(x.reshape(len(x), -1)), y.astype(np.int64)


def as_activity(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bytes divided by 255."""
    return np.divide(pixels, np.float32(255), dtype=np.float32)


def image_task(
    name: str,
    collection: Collection,
    images: Images,
    shape: tuple[int, ...],
    class_names: tuple[str, ...],
    n_validation: int,
    seed: int,
    encoding: str,
) -> Task:
    """A task of the images of a collection, encoded as asked.

    Raises
    ------
    ParameterError
        If there is no such encoding.
    """
    x_train, y_train, x_test, y_test = images
    description = f"{collection.title}: {len(y_train)} to learn from, {len(y_test)} to test on"
    if choose("encoding", encoding, ENCODINGS) == "on_off":
        mean = x_train.mean(axis=0, dtype=np.float64).astype(np.float32)
        x_train, x_test = on_off(x_train - mean), on_off(x_test - mean)
        shape = (2 * shape[0] if len(shape) == 3 else 2, *shape[-2:])
        description += ", ON and OFF lines about the mean of each pixel"
    return Task(
        name=name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        n_classes=len(class_names),
        description=description + ".",
        image_shape=shape,
        class_names=class_names,
        n_validation=n_validation if n_validation < len(y_train) else None,
        seed=seed,
    )
