"""Gaussian against uniform, and the likelihood ratio in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import dendrosim as ds


def signed(x: np.ndarray) -> np.ndarray:
    n = x.shape[1] // 2
    return x[:, :n] - x[:, n:]


def test_distributions():
    task = ds.tasks.load("info_shunting", n_train=20_000, n_validation=0)
    x = signed(task.x_train)
    assert x.shape == (20_000, 10)
    assert np.bincount(task.y_train).tolist() == [10_000, 10_000]
    assert stats.kstest(x[task.y_train == 0].ravel(), "norm").pvalue > 1e-3
    assert stats.kstest(x[task.y_train == 1].ravel(), stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert task.class_names == ("gaussian", "uniform")


@pytest.mark.parametrize(("dimensions", "best"), [(1, 0.658655), (10, 0.989005)])
def test_the_likelihood_ratio_is_right_as_often_as_documented(dimensions, best):
    task = ds.tasks.load("info_shunting", dimensions=dimensions, n_train=40_000, n_validation=0)
    x = signed(task.x_train).astype(float)
    gaussian = stats.norm.logpdf(x).sum(axis=1)
    uniform = np.where((np.abs(x) <= 1).all(axis=1), -dimensions * np.log(2), -np.inf)
    accuracy = ((uniform > gaussian) == task.y_train).mean()
    assert 1 - 0.5 * (2 * stats.norm.cdf(1) - 1) ** dimensions == pytest.approx(best, abs=1e-6)
    assert abs(accuracy - best) < 5 * np.sqrt(best * (1 - best) / 40_000)


def test_classes_come_in_random_order():
    y = ds.tasks.load("info_shunting", n_train=2000, n_validation=1).y_train
    assert np.bincount(y).tolist() == [1000, 1001]
    assert abs((y[1:] == y[:-1]).mean() - 0.5) < 0.06
