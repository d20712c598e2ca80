"""Normal inputs that a random linear teacher has named."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..arguments import whole
from .seeds import stream
from .task import Task

SPREAD = 1.0 / 16.0
"""Standard deviation of an activity; eight of them fit below and above the middle."""


def student(seed: int, *, n_inputs: int = 64, n_classes: int = 10, n_train: int = 4_000, n_test: int = 2_000) -> Task:
    """Normal inputs named by a random linear teacher: 4,000 + 2,000 samples, 64 inputs, 10 classes.

    z ~ N(0, I) and ``y = argmax(z T)`` with T standard normal; activity is ``1/2 + z / 16``, so that it lies in [0, 1],
    and a network that standardises it has z (see `standardisation`). The evaluation paper's StudentNet learns a
    synthetic task of which it says no more than that a linear probe of random features solves it: this is our reading.

    Parameters
    ----------
    seed : int
        Of the teacher and the inputs.
    n_inputs, n_classes, n_train, n_test : int
    """
    size, classes = whole("n_inputs", n_inputs, 1), whole("n_classes", n_classes, 2)
    teacher = stream(seed, "student/teacher").standard_normal((size, classes))
    parts: dict[str, tuple[NDArray[np.float32], NDArray[np.int64]]] = {}
    for part, n in (("train", whole("n_train", n_train, 1)), ("test", whole("n_test", n_test, 1))):
        z = stream(seed, f"student/{part}").standard_normal((n, size)).clip(-8.0, 8.0)
        parts[part] = (0.5 + SPREAD * z).astype(np.float32), (z @ teacher).argmax(axis=1)
    return Task(
        name="student",
        x_train=parts["train"][0],
        y_train=parts["train"][1],
        x_test=parts["test"][0],
        y_test=parts["test"][1],
        n_classes=classes,
        description=f"Normal inputs and a random linear teacher: {n_train} to learn from, {n_test} to test on.",
        seed=seed,
    )


def standardisation(task: Task) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the training samples, for networks that standardise their inputs.

    One of either per channel where samples are pictures in colour, and one for all inputs elsewhere. For CIFAR-10 these
    are the customary 0.4914, 0.4822, 0.4465 and 0.2470, 0.2435, 0.2616.

    Parameters
    ----------
    task : Task

    Returns
    -------
    center, scale : float arrays of shape (n_inputs,)

    Raises
    ------
    ParameterError
        If a channel is constant.

    Examples
    --------
    >>> from dendrosim.tasks import load
    >>> center, scale = standardisation(load("student"))
    >>> round(float(center[0]), 2), round(float(16 * scale[0]), 2)
    (0.5, 1.0)
    """
    arguments.instance("task", task, Task, "such as ds.tasks.load('cifar10')")
    channels = task.image_shape[0] if task.image_shape is not None and len(task.image_shape) == 3 else 1
    each = task.n_inputs // channels
    center, scale = np.empty(channels), np.empty(channels)
    for c in range(channels):
        total = square = 0.0
        for first in range(0, len(task.x_train), 1024):  # a copy in float64 of it all would be large
            part = task.x_train[first : first + 1024, c * each : (c + 1) * each].astype(np.float64)
            total += float(part.sum())
            square += float(np.einsum("ij,ij->", part, part))
        n = len(task.x_train) * each
        center[c] = total / n
        scale[c] = arguments.number(
            f"deviation of channel {c}", np.sqrt(max(square / n - center[c] ** 2, 0.0)), above=0
        )
    return np.repeat(center, each), np.repeat(scale, each)
