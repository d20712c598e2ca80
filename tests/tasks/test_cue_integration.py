"""Cues and contexts, and what an ideal observer makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import dendrosim as ds

N = 30_000


def read(task: ds.tasks.Task, lines: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the signed values of both cues, of shape (n, 2), and the lines of the contexts."""
    x = task.x_train.astype(float)
    signed = x[:, : 2 * lines] - x[:, 2 * lines : 4 * lines]
    return signed.reshape(len(x), 2, lines).sum(axis=2), x[:, 4 * lines :]


@pytest.mark.parametrize("contexts", [2, 3])
def test_an_ideal_observer_is_right_as_often_as_documented(contexts):
    lines, evidence, noise = 6, 0.1, 0.3
    task = ds.tasks.load(
        "cue_integration", lines=lines, evidence=evidence, noise=noise, contexts=contexts, context_lines=2, n_train=N
    )
    sums, told = read(task, lines)
    assert (told.reshape(len(told), contexts, 2).sum(axis=(1, 2)) == 2).all()
    context = told[:, ::2].argmax(axis=1)
    np.testing.assert_array_equal(context, task.factors_train["context"])
    believed = np.where(context == 0, sums[:, 0], np.where(context == 1, sums[:, 1], sums.sum(axis=1)))
    right = (believed > 0) == task.y_train
    for c in range(contexts):
        expected = norm.cdf(np.sqrt(lines * (1 + (c == 2))) * evidence / noise)
        among = right[context == c]
        assert abs(len(among) / len(right) - 1 / contexts) < 0.015
        assert abs(among.mean() - expected) < 5 * np.sqrt(expected * (1 - expected) / len(among))


def test_the_default_and_its_documented_accuracy():
    task = ds.tasks.load("cue_integration")
    assert task.n_inputs == 48
    assert norm.cdf(np.sqrt(10) * 0.2 / 0.3) == pytest.approx(0.982, abs=5e-4)


def test_without_noise_cues_show_their_classes_and_contexts_matter():
    task = ds.tasks.load("cue_integration", noise=0, evidence=0.5, n_train=N)
    sums, _ = read(task, 10)
    factors = task.factors_train
    np.testing.assert_array_equal(sums, np.c_[10 * factors["first"] - 5, 10 * factors["second"] - 5])
    # whoever does not know the context: right where the cues agree, at chance where they do not
    guess = np.where(np.random.default_rng(0).random(len(sums)) < 0.5, factors["first"], factors["second"])
    assert abs((guess == task.y_train).mean() - 0.75) < 0.0125


def test_cues_agree_in_the_third_context_only():
    factors = ds.tasks.load("cue_integration", contexts=3, n_train=N).factors_train
    agree = factors["first"] == factors["second"]
    assert agree[factors["context"] == 2].all()
    for context in (0, 1):
        assert abs(agree[factors["context"] == context].mean() - 0.5) < 0.025
