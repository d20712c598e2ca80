"""Tasks of one's own arrays: what is accepted, what is refused, and how they are divided."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.tasks import Task

X = np.random.default_rng(0).random((20, 6))
Y = np.arange(20) % 4


def make(x_train=X, y_train=Y, x_test=X[:5], y_test=Y[:5], **options) -> Task:
    return Task.from_arrays("mine", x_train, y_train, x_test, y_test, **options)


def test_arrays_become_what_the_library_works_with():
    task = make(np.asfortranarray(X), Y.tolist(), X[:5].tolist(), Y[:5].astype(np.uint8))
    assert (task.x_train.dtype, task.y_train.dtype) == (np.float32, np.int64)
    assert (task.x_test.dtype, task.y_test.dtype) == (np.float32, np.int64)
    assert task.x_train.flags.c_contiguous
    np.testing.assert_array_equal(task.x_train, X.astype(np.float32))
    assert (task.n_inputs, task.n_classes, task.name) == (6, 4, "mine")
    assert repr(task) == "Task('mine': 20 + 5 samples, 6 inputs, 4 classes)"


def test_arrays_are_copied_and_read_only():
    x = X.astype(np.float32)
    task = make(x)
    x[:] = 0
    assert task.x_train.any()
    for task_ in (task, copy.copy(task), pickle.loads(pickle.dumps(task)), task.subset(5)):
        for array in (task_.x_train, task_.y_train, task_.x_test, task_.y_test):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1
    with pytest.raises(AttributeError):
        task.name = "other"


def test_images_are_flattened_and_keep_their_shape():
    task = make(X.reshape(20, 2, 3), x_test=X[:5].reshape(5, 2, 3))
    assert task.image_shape == (2, 3)
    np.testing.assert_array_equal(task.x_train, X.astype(np.float32))
    assert make(image_shape=[3, 2]).image_shape == (3, 2)
    assert make(X.reshape(20, 1, 2, 3), x_test=X[:5].reshape(5, 1, 2, 3)).image_shape == (1, 2, 3)
    assert make().image_shape is None


def test_classes_may_be_named_and_more_than_occur():
    task = make(n_classes=5, class_names=list("abcde"))
    assert (task.n_classes, task.class_names) == (5, tuple("abcde"))
    assert make(y_train=np.zeros(20, int), y_test=np.zeros(5, int)).n_classes == 2


BAD = X.copy()
BAD[3, 2] = np.nan
ENDLESS = X.copy()
ENDLESS[7, 0] = 1e300  # finite, and not in float32
SIGNED = X.copy()
SIGNED[4, 1] = -0.25


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x_train": BAD}, ("x_train[3, 2] = nan", "not finite")),
        ({"x_train": ENDLESS}, ("x_train[7, 0] = inf", "not finite")),
        ({"x_test": BAD[:5]}, ("x_test[3, 2] = nan",)),
        ({"x_train": SIGNED}, ("x_train[4, 1] = -0.25", "negative", "ds.tasks.on_off(x)")),
        ({"x_test": SIGNED[:5]}, ("x_test[4, 1] = -0.25", "ds.tasks.on_off(x)")),
        ({"x_train": (255 * X).astype(np.uint8)}, ("uint8", "divide pixels by 255")),
        ({"x_train": X[0]}, ("x_train has shape (6,)", "(n samples, n inputs)")),
        ({"x_train": X[:0], "y_train": Y[:0]}, ("x_train has shape (0, 6)",)),
        ({"x_train": [["a"]]}, ("x_train=[['a']]", "real numbers")),
        ({"x_test": X[:5, :4]}, ("x_test", "(4,)", "(6,)")),
        ({"y_train": Y[:7]}, ("y_train has 7 labels for the 20 samples of x_train",)),
        ({"y_train": Y.astype(float)}, ("y_train has dtype float64", "y_train.astype(int)")),
        ({"y_train": np.eye(4, dtype=int)[Y]}, ("shape (20, 4)", "y_train.argmax(axis=1)")),
        ({"y_train": Y - 1}, ("y_train[0] = -1", "0 to 3")),
        ({"n_classes": 3}, ("y_train[3] = 3", "0 to 2", "n_classes=3")),
        ({"n_classes": 1, "y_train": 0 * Y, "y_test": 0 * Y[:5]}, ("n_classes=1", "at least 2")),
        ({"n_classes": 4.0}, ("n_classes=4.0", "whole number")),
        ({"image_shape": (2, 2)}, ("image_shape=(2, 2)", "6 inputs")),
        ({"image_shape": 6}, ("image_shape=6", "(rows, columns)")),
        ({"image_shape": (6,)}, ("image_shape=(6,)", "(rows, columns)")),
        ({"class_names": ["a"]}, ("class_names has 1 names for 4 classes",)),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ParameterError) as caught:
        make(**change)
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, str(caught.value)


def test_a_name_is_needed():
    with pytest.raises(ParameterError, match="name=''"):
        Task.from_arrays("", X, Y, X, Y)


def test_the_constructor_checks_too():
    arrays = {"y_train": Y, "x_test": X.astype(np.float32), "y_test": Y, "name": "mine", "n_classes": 4}
    with pytest.raises(ParameterError, match=r"x_train must be a C-contiguous float32 array.*from_arrays"):
        Task(x_train=X, **arrays)
    with pytest.raises(ParameterError, match=r"y_train must be an int64 array.*from_arrays"):
        Task(x_train=X.astype(np.float32), **{**arrays, "y_train": Y.astype(np.int32)})


# ---- hash


def test_the_hash_knows_every_number():
    task = make()
    assert len(task.hash) == 64
    assert task.hash == make().hash == pickle.loads(pickle.dumps(task)).hash
    for i, array in enumerate((X, Y, X[:5], Y[:5])):
        other = array.copy()
        other.flat[-1] = 0 if other.flat[-1] else 1
        arrays = [X, Y, X[:5], Y[:5]]
        arrays[i] = other
        assert make(*arrays).hash != task.hash, i


def test_the_hash_knows_shapes_and_transforms():
    # the same bytes, cut differently
    assert make(X.reshape(40, 3), np.tile(Y, 2), X.reshape(40, 3)[:5]).hash != make().hash
    images = make(image_shape=(2, 3))
    assert images.hash == make().hash
    assert len({images.hash, images.augmented(shift=1).hash, images.augmented(flip=True).hash}) == 3


# ---- splits and subsets


@pytest.mark.parametrize(("validation", "kept"), [(0.2, 4), (5, 5), (0, 0), (0.0, 0), (19, 19), (np.int64(3), 3)])
def test_a_split_divides_all_rows(validation, kept):
    train, held = make().split(validation, seed=0)
    assert (len(train), len(held)) == (20 - kept, kept)
    assert train.dtype == held.dtype == np.int64
    np.testing.assert_array_equal(np.sort(np.concatenate([train, held])), np.arange(20))
    assert (np.diff(train) > 0).all()


def test_splits_belong_to_their_seed():
    task = make()
    first, second = (task.split(0.5, seed)[0].tolist() for seed in (0, 1))
    assert first == task.split(0.5, 0)[0].tolist()
    assert first != second


def test_every_row_is_as_likely_to_be_kept_back():
    task = make()
    counts = np.zeros(20)
    for seed in range(400):
        counts[task.split(0.25, seed)[1]] += 1
    assert np.abs(counts / 400 - 0.25).max() < 0.1  # 4.6 standard deviations of 0.0217


@pytest.mark.parametrize("validation", [1.0, 20, 0.01, -1, "a", True, 0.99])
def test_impossible_splits_are_refused(validation):
    with pytest.raises(ParameterError, match=r"validation="):
        make().split(validation, seed=0)


@pytest.mark.parametrize("seed", [-1, 0.5, None, True])
def test_seeds_are_whole_numbers(seed):
    with pytest.raises(ParameterError, match=r"seed="):
        make().split(0.5, seed=seed)


def test_subsets_are_samples_with_their_labels():
    y = np.arange(20)  # every sample its own class, so that labels tell which ones were taken
    task = make(y_train=y, y_test=y[:5])
    small = task.subset(8, 3, seed=1)
    np.testing.assert_array_equal(small.x_train, task.x_train[small.y_train])
    np.testing.assert_array_equal(small.x_test, task.x_test[small.y_test])
    assert (len(set(small.y_train)), len(set(small.y_test))) == (8, 3)
    assert set(task.subset(4, seed=1).y_train) < set(small.y_train)
    assert set(task.subset(8, seed=2).y_train) != set(small.y_train)
    assert len(task.subset(8).x_test) == 5
    assert small.options["subset"] == {"n_train": 8, "n_test": 3, "seed": 1}
    assert small.hash != task.hash


def test_a_hash_that_was_asked_for_does_not_stay_with_a_subset():
    task = make()
    assert task.hash
    assert task.subset(8).hash == make(*(task.subset(8).x_train, task.subset(8).y_train), X[:5], Y[:5]).hash


@pytest.mark.parametrize(("n_train", "n_test"), [(21, None), (0, None), (None, 6), (2.5, None)])
def test_impossible_subsets_are_refused(n_train, n_test):
    with pytest.raises(ParameterError, match=r"n_train=|n_test="):
        make().subset(n_train, n_test)


# ---- batches


def test_a_batch_is_rows_of_ones_own():
    task = make()
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    x = task.batch([3, 3, 1], rng)
    np.testing.assert_array_equal(x, task.x_train[[3, 3, 1]])
    x[:] = 0
    assert task.x_train[3].any()
    assert rng.bit_generator.state == before


@pytest.mark.parametrize("indices", [[[1]], [0.5], [True, False]])
def test_batches_are_asked_for_by_integers(indices):
    with pytest.raises(ParameterError, match=r"expected \(B,\) integers"):
        make().batch(indices, np.random.default_rng(0))


def test_the_example_of_signed_input_works_once_encoded():
    signed = X - 0.5
    task = make(ds.tasks.on_off(signed), x_test=ds.tasks.on_off(signed[:5]))
    np.testing.assert_allclose(task.x_train[:, :6] - task.x_train[:, 6:], signed, atol=1e-7)
