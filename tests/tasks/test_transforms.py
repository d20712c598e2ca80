"""What batches go through: noise drawn anew, moves and mirror images."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.tasks import Task
from dendrosim.tasks.transforms import Moves, NoisyColumns

RNG = np.random.default_rng(1)


def task(shape: tuple[int, ...] | None, n: int = 5) -> Task:
    size = int(np.prod(shape or (12,)))
    x = RNG.random((n, size)) + 0.1
    return Task.from_arrays("mine", x, np.arange(n) % 2, x, np.arange(n) % 2, image_shape=shape)


def every_move(image: np.ndarray, shift: int) -> list[bytes]:
    """All moves of an image (channels, rows, columns), by a frame of zeros around it."""
    _, rows, columns = image.shape
    frame = np.pad(image, ((0, 0), (shift, shift), (shift, shift)))
    steps = range(2 * shift + 1)
    return [frame[:, r : r + rows, c : c + columns].tobytes() for r in steps for c in steps]


@pytest.mark.parametrize("shape", [(5, 6), (3, 4, 5)])
@pytest.mark.parametrize("shift", [1, 2, 3])
def test_every_move_comes_up_equally_often(shape, shift):
    images = task(shape)
    moved = images.augmented(shift=shift)
    rows = np.repeat(np.arange(5), 60 * (2 * shift + 1) ** 2)
    x = moved.batch(rows, np.random.default_rng(0))
    assert (x.shape, x.dtype) == ((len(rows), images.n_inputs), np.float32)
    full = (1, *shape)[-3:]
    for i in range(5):
        known = dict.fromkeys(every_move(images.x_train[i].reshape(full), shift), 0)
        for row in x[rows == i]:
            known[row.tobytes()] += 1  # KeyError: no move at all
        assert len(known) == (2 * shift + 1) ** 2
        assert min(known.values()) > 25  # 60 expected, standard deviation below 7.8
        assert max(known.values()) < 105


def test_half_of_the_images_are_mirrored():
    images = task((2, 3, 4), n=2)
    rows = np.repeat([0, 1], 1000)
    x = images.augmented(flip=True).batch(rows, np.random.default_rng(0)).reshape(-1, 2, 3, 4)
    plain = images.x_train[rows].reshape(-1, 2, 3, 4)
    same = (x == plain).all(axis=(1, 2, 3))
    mirrored = (x == plain[..., ::-1]).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert abs(mirrored.mean() - 0.5) < 0.06  # 5 standard deviations


def test_moves_and_mirrors_together():
    images = task((4, 4), n=1)
    x = images.augmented(shift=1, flip=True).batch(np.zeros(600, int), np.random.default_rng(0))
    image = images.x_train[0].reshape(1, 4, 4)
    known = {*every_move(image, 1), *every_move(image[..., ::-1].copy(), 1)}
    assert {row.tobytes() for row in x} == known
    assert len(known) == 18


def test_the_rows_themselves_stay_and_the_seed_decides():
    moved = task((4, 4)).augmented(shift=1, flip=True)
    before = moved.x_train.copy()
    first, second, third = (moved.batch(np.arange(5), np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(moved.x_train, before)
    np.testing.assert_array_equal(first, second)
    assert (first != third).any()
    assert moved.options["augmented"] == {"shift": 1, "flip": True}


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        (None, {"shift": 1}, "no images"),
        ((3, 4), {"shift": 3}, "shift=3 moves images of 3 x 4 pixels out of sight"),
        ((3, 4), {"shift": -1}, "shift=-1"),
        ((3, 4), {"shift": 0.5}, "shift=0.5"),
        ((3, 4), {"flip": 1}, "flip=1 must be True or False"),
        ((3, 4), {}, "change nothing"),
    ],
)
def test_what_is_refused(shape, options, words):
    with pytest.raises(ParameterError, match=words):
        task(shape).augmented(**options)


def test_noisy_columns():
    cover = NoisyColumns((4, 6), 2, 0.5)
    x = np.full((3000, 24), 2.0, np.float32)
    images = cover(x, np.random.default_rng(0)).reshape(-1, 4, 6)
    noise = images[:, :, :2]
    assert (images[:, :, 2:] == 2.0).all()
    assert 0 <= noise.min() < 0.001
    assert 0.499 < noise.max() < 0.5
    assert abs(noise.mean() - 0.25) < 0.005  # 0.5 / sqrt(12 * 24000) is 0.0009


def test_the_text_of_a_transform_says_all():
    assert repr(Moves((1, 4, 4), 1, False)) == "Moves(image_shape=(1, 4, 4), shift=1, flip=False)"
