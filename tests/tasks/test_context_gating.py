"""Two streams and a context: labels follow the context, and nothing else gives it away."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds

LAYOUTS = ("side_by_side", "summed")


def parts(task: ds.tasks.Task):
    return ((task.x_train, task.y_train, task.factors_train), (task.x_test, task.y_test, task.factors_test))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_label_is_that_of_the_stream_that_the_context_names(layout):
    task = ds.tasks.load("context_gating", layout=layout, cue_lines=3, cue_strength=0.5)
    for x, y, factors in parts(task):
        cues = x[:, -6:]
        told_b = cues[:, 3] > 0
        for told, lines in ((told_b, [0, 0, 0, 0.5, 0.5, 0.5]), (~told_b, [0.5, 0.5, 0.5, 0, 0, 0])):
            assert (cues[told] == lines).all()
        np.testing.assert_array_equal(factors["context"], told_b)
        np.testing.assert_array_equal(y, np.where(told_b, factors["label_b"], factors["label_a"]))


@pytest.mark.parametrize("source", ["digits", "mnist"])
def test_pixels_are_images_with_those_labels(source, small_mnist):
    origin = ds.tasks.load(source)
    side = origin.image_shape[0]
    task = ds.tasks.load("context_gating", source=source, n_train=300, n_validation=0, n_test=200)
    summed = ds.tasks.load("context_gating", source=source, layout="summed", n_train=300, n_validation=0, n_test=200)
    for (x, _, factors), (x_summed, y_summed, _), images, labels in zip(
        parts(task), parts(summed), (origin.x_train, origin.x_test), (origin.y_train, origin.y_test), strict=True
    ):
        known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
        a, b = x[:, : side**2], x[:, side**2 : 2 * side**2]
        assert [known[row.tobytes()] for row in a] == factors["label_a"].tolist()  # KeyError: from the other part
        assert [known[row.tobytes()] for row in b] == factors["label_b"].tolist()
        turned = b.reshape(-1, side, side).swapaxes(1, 2).reshape(len(b), -1)
        np.testing.assert_array_equal(x_summed[:, :-32], np.minimum(a + turned, 1))
        np.testing.assert_array_equal(x_summed[:, -32:], x[:, -32:])
        assert len(y_summed) == len(x)


def test_streams_and_context_are_independent_and_balanced():
    task = ds.tasks.load("context_gating", n_train=40_000, n_validation=0)
    factors = task.factors_train
    a, b, context = factors["label_a"], factors["label_b"], factors["context"]
    assert abs(context.mean() - 0.5) < 0.0125  # 5 standard deviations
    assert abs((a == b).mean() - 0.1) < 0.0075
    for label in range(10):
        assert abs(context[a == label].mean() - 0.5) < 0.04
    # whoever knows both digits, and not the context
    guess = np.where(np.random.default_rng(0).random(len(a)) < 0.5, a, b)
    assert abs((guess == task.y_train).mean() - 0.55) < 0.0125


def test_inputs_and_sizes():
    assert ds.tasks.load("context_gating").n_inputs == 160
    assert ds.tasks.load("context_gating", layout="summed", cue_lines=1).n_inputs == 66
    silent = ds.tasks.load("context_gating", cue_strength=0)
    assert not silent.x_train[:, -32:].any()


def test_subsets_keep_what_is_known_of_their_samples():
    task = ds.tasks.load("context_gating").subset(100, 50)
    factors = task.factors_test
    np.testing.assert_array_equal(
        task.y_test, np.where(factors["context"] == 1, factors["label_b"], factors["label_a"])
    )
    assert len(task.factors_train["context"]) == 100
    assert not factors["context"].flags.writeable
