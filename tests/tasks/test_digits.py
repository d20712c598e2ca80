"""The digits of scikit-learn, and how they are divided."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import MissingDependencyError
from dendrosim.tasks.digits import read_digits, stratified


def test_they_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    x, y = read_digits()
    pixels, labels = load_digits(return_X_y=True)
    np.testing.assert_array_equal(x, pixels / 16)
    np.testing.assert_array_equal(y, labels)


@pytest.mark.parametrize("n_test", [360, 10, 1000])
def test_every_sample_is_on_one_side_and_classes_keep_their_shares(n_test):
    task = ds.tasks.load("digits", n_test=n_test)
    x, y = read_digits()
    assert (task.x_train.shape, task.x_test.shape) == ((1797 - n_test, 64), (n_test, 64))
    together = np.concatenate([np.c_[task.x_train, task.y_train], np.c_[task.x_test, task.y_test]])
    assert sorted(map(bytes, together)) == sorted(map(bytes, np.c_[x, y]))
    shares = np.bincount(y) * n_test / 1797
    assert np.abs(np.bincount(task.y_test) - shares).max() < 1


def test_the_largest_remainders_come_first():
    y = np.repeat([0, 1, 2], [10, 6, 5])  # of 10: shares 4.76, 2.86, 2.38
    drawn = stratified(y, 10, np.random.default_rng(0))
    assert np.bincount(y[drawn]).tolist() == [5, 3, 2]
    assert len(set(drawn)) == 10


def test_without_scikit_learn_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install scikit-learn"):
        ds.tasks.load("digits")


def test_a_scikit_learn_without_the_file_is_named(monkeypatch, tmp_path):
    class Spec:
        origin = str(tmp_path / "sklearn" / "__init__.py")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: Spec)
    with pytest.raises(MissingDependencyError, match=r"digits\.csv\.gz does not exist"):
        ds.tasks.load("digits")
