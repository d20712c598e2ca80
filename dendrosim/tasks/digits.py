"""Handwritten digits of 8 x 8 pixels, which ship with scikit-learn."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arguments import whole
from ..errors import MissingDependencyError, ParameterError
from .seeds import stream
from .task import Task


def digits(seed: int, *, n_test: int = 360) -> Task:
    """Handwritten digits of 8 x 8 pixels: 1,797 samples, 64 inputs, 10 classes. Needs no download.

    The test part is drawn by the seed, every class in proportion. A linear classifier reaches about 0.97.

    Parameters
    ----------
    seed : int
        Which samples are for testing.
    n_test : int, default 360
        How many samples are for testing.

    Raises
    ------
    ParameterError
        If `n_test` leaves nothing to learn from, or is fewer than the classes.
    """
    x, y = read_digits()
    if not 10 <= whole("n_test", n_test, 0) <= len(y) - 10:
        raise ParameterError(
            f"n_test={n_test} is impossible with {len(y)} samples of 10 classes; valid: 10 to {len(y) - 10}"
        )
    test = stratified(y, n_test, stream(seed, "digits"))
    train = np.setdiff1d(np.arange(len(y)), test)
    return Task(
        name="digits",
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        n_classes=10,
        description=f"Digits of 8 x 8 pixels (scikit-learn): {len(train)} to learn from, {n_test} to test on.",
        image_shape=(8, 8),
        class_names=tuple("0123456789"),
        seed=seed,
    )


def read_digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Pixels (1797, 64) in [0, 1] and labels, in their order in scikit-learn.

    Reads the file that scikit-learn ships. Importing scikit-learn itself, for `sklearn.datasets.load_digits`, takes
    seconds.

    Raises
    ------
    MissingDependencyError
        If scikit-learn is not installed, or its file is elsewhere.
    """
    found = importlib.util.find_spec("sklearn")
    path = Path(found.origin).parent / "datasets/data/digits.csv.gz" if found is not None and found.origin else None
    if path is None or not path.is_file():
        where = "scikit-learn is not installed" if path is None else f"{path} does not exist"
        raise MissingDependencyError(f"the digits come with scikit-learn, and {where}: pip install scikit-learn")
    with gzip.open(path, "rt", encoding="ascii") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    return (table[:, :-1] / 16.0).astype(np.float32), table[:, -1].copy()


def stratified(y: NDArray[np.int64], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw `size` of the samples, every class in proportion to its share, the largest remainders first.

    Parameters
    ----------
    y : int64 array of shape (n,)
        Labels.
    size : int
        How many to draw.
    rng : numpy.random.Generator
        The source of randomness.

    Returns
    -------
    int64 array of shape (size,)
        Indices, in order.
    """
    classes, counts = np.unique(y, return_counts=True)
    shares = counts * size / len(y)
    taken = np.floor(shares).astype(np.int64)
    taken[np.argsort(taken - shares, kind="stable")[: size - taken.sum()]] += 1
    drawn = [rng.permutation(np.flatnonzero(y == label))[:n] for label, n in zip(classes, taken, strict=True)]
    return np.sort(np.concatenate(drawn))
