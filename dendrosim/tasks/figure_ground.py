"""MNIST beside noise: what the paper calls context gating."""

from __future__ import annotations

from .. import arguments
from ..errors import ParameterError, choose
from .images import MNIST, SIDE, read_images
from .seeds import stream
from .sources import sizes
from .task import Task
from .transforms import NoisyColumns

NOISES = ("redrawn", "fixed")


def figure_ground_mnist(
    seed: int,
    *,
    noise: str = "redrawn",
    noise_level: float = 0.1,
    n_train: int = 8_000,
    n_validation: int = 1_000,
    n_test: int = 1_000,
) -> Task:
    """The right half of a digit beside noise: 784 inputs, 10 classes. The paper calls it context gating.

    The left 14 columns of an MNIST image give way to uniform noise, the right 14 stay, and the digit is to be named.
    There is no context, and nothing that gates. All samples, those to test on too, are images of the training set of
    MNIST, drawn by the seed without replacement.

    Differences from the published generator: it also draws the noise of validation and test samples anew at each
    access, here they are drawn once; its early copy left pixels at 0 to 255 beside noise below 0.1, here all is in [0,
    1].

    Parameters
    ----------
    seed : int
        Which images, in what order, and the noise.
    noise : {"redrawn", "fixed"}, default "redrawn"
        Whether `Task.batch` draws the noise of training samples anew each time. `x_train` holds one draw in any case.
    noise_level : float, default 0.1
        The noise is uniform in [0, noise_level).
    n_train, n_validation, n_test : int
        8,000, 1,000 and 1,000 as published. `x_train` holds the samples for validation too.
    """
    choose("noise", noise, NOISES)
    level = arguments.number("noise_level", noise_level, least=0.0, most=1.0)
    learn, test = sizes(n_train, n_validation, n_test)
    x, y, _, _ = read_images(MNIST)
    if learn + test > len(y):
        raise ParameterError(
            f"n_train={n_train}, n_validation={n_validation} and n_test={n_test} are {learn + test} samples, and the "
            f"training set of MNIST has {len(y)}; ask for fewer"
        )
    order = stream(seed, "figure_ground/images").permutation(len(y))[: learn + test]
    cover = NoisyColumns((SIDE, SIDE), SIDE // 2, level)
    train = cover(x[order[:learn]], stream(seed, "figure_ground/train"))
    return Task(
        name="figure_ground_mnist",
        x_train=train,
        y_train=y[order[:learn]],
        x_test=cover(x[order[learn:]], stream(seed, "figure_ground/test")),
        y_test=y[order[learn:]],
        n_classes=10,
        description=f"MNIST, the left half replaced by {noise} noise: {learn} to learn from, {test} to test on.",
        image_shape=(SIDE, SIDE),
        class_names=tuple("0123456789"),
        transforms=(cover,) if noise == "redrawn" else (),
        n_validation=n_validation,
        seed=seed,
    )
