"""A minibatch of a point network: what is carried back through its layers, and what comes of perturbing its units."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.losses import loss
from dendrosim.networks.mlp import PointMLP
from dendrosim.teaching.point import PointLesson

DEPTHS = ([5], [5, 4], [6, 5, 3])


def lesson_of(hidden=(6, 5, 3), n_samples=7, dtype="float64", seed=0, **options) -> PointLesson:
    """A lesson whose credit holds nonsense."""
    rng = np.random.default_rng(seed)
    network = PointMLP(9, 4, list(hidden), seed=3, dtype=dtype, **options)
    for name, array in network.parameters.items():
        if "bias" in name:
            array[...] = rng.normal(0.0, 0.3, array.shape)
    x, y = network.checked(rng.normal(size=(n_samples, 9))), rng.integers(0, 4, n_samples)
    activity = network.run(x)
    ce = loss("cross_entropy")
    error = ce.score(activity.logits, y) / n_samples
    _, soma = network.decoder.backward(network.parameters, activity.soma, error)
    credit = activity.empty(network.layout.size)
    credit[...] = np.nan
    return PointLesson(network, activity, y, error, soma, np.random.default_rng(5), 1, credit, ce)


def moved(lesson: PointLesson, noise, place: str):
    """Logits by an explicit loop over layers."""
    p, f = lesson.network.parameters, {"relu": lambda v: np.maximum(v, 0), "tanh": np.tanh}[lesson.network.activation]
    h = lesson.x
    for i, (first, last) in enumerate(lesson.network.layout.cells_of):
        xi = noise[0, first:last].T
        v = h @ p[f"hidden_weight_{i}"].T + p[f"hidden_bias_{i}"]
        h = f(v) + xi if place == "output" else f(v + xi)
    return h @ p["decoder_weight"].T + p["decoder_bias"]


@pytest.mark.parametrize("place", ["voltage", "current", "output"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", DEPTHS, ids=len)
def test_perturbed_is_a_forward_pass_with_noise_in_every_layer(hidden, activation, place):
    lesson = lesson_of(hidden, activation=activation)
    noise = np.random.default_rng(1).normal(0.0, 0.5, (3, *lesson.credit.shape))
    noise[1, :, : hidden[0]] = 0.0
    noise[2] = 0.0
    before = {name: getattr(lesson.activity, name).copy() for name in ("voltage", "output", "derivative", "logits")}
    found = lesson.perturbed(noise, place)
    assert found.shape == (3, 7, 4)
    for k in range(3):
        np.testing.assert_allclose(found[k], moved(lesson, noise[k], place), rtol=1e-12, atol=1e-14)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(lesson.activity, name), value)
    np.testing.assert_array_equal(lesson.perturbed(noise[2:], place)[0], lesson.activity.logits)
    upper = noise.copy()
    upper[:, :, : sum(hidden[:-1])] = 0.0  # layers below the noise are not computed again
    np.testing.assert_allclose(lesson.perturbed(upper, place)[0], moved(lesson, upper[0], place), rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", DEPTHS, ids=len)
def test_exact_credits_are_the_derivatives_by_every_voltage(hidden, activation):
    lesson = lesson_of(hidden, activation=activation)
    lesson.transport()
    h = 1e-6
    each = np.eye(lesson.network.layout.size)[:, None, :, None] * np.ones((1, 1, 1, 7)) * h
    up, down = lesson.perturbed(each), lesson.perturbed(-each)
    value = lesson.loss.value
    for n in range(lesson.network.layout.size):
        expected = (value(up[n], lesson.targets) - value(down[n], lesson.targets)) / (2 * h) / 7
        np.testing.assert_allclose(lesson.credit[0, n], expected, rtol=1e-5, atol=1e-9)


def test_exact_errors_are_the_derivatives_by_every_output():
    lesson = lesson_of()
    found = lesson.transport()
    h = 1e-6
    each = np.eye(14)[:, None, :, None] * np.ones((1, 1, 1, 7)) * h
    up, down = lesson.perturbed(each, "output"), lesson.perturbed(-each, "output")
    value = lesson.loss.value
    expected = [
        (value(u, lesson.targets) - value(d, lesson.targets)) / (2 * h) / 7 for u, d in zip(up, down, strict=True)
    ]
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-9)


def test_what_is_broadcast_is_multiplied_by_the_derivative():
    lesson = lesson_of(activation="tanh")
    told = np.random.default_rng(0).normal(size=lesson.credit.shape)
    lesson.broadcast(told, told)
    np.testing.assert_allclose(lesson.credit, told * (1.0 - np.tanh(lesson.activity.voltage) ** 2), rtol=1e-12)


def test_a_twin_leaves_the_lesson_alone():
    lesson = lesson_of()
    twin = lesson.twin()
    twin.transport()
    twin.rng.random()
    assert np.isnan(lesson.credit).all()
    assert lesson.rng.random() == np.random.default_rng(5).random()


def test_places_that_are_not_known_are_refused():
    lesson = lesson_of()
    with pytest.raises(ParameterError, match="inject='soma' is not known"):
        lesson.perturbed(np.zeros((1, *lesson.credit.shape)), "soma")


def test_noise_of_another_shape_or_type_is_refused():
    lesson = lesson_of()
    with pytest.raises(ParameterError, match=r"noise has shape \(1, 14, 7\).*; expected \(K, 1, 14, 7\) and float64"):
        lesson.perturbed(np.zeros(lesson.credit.shape))
    with pytest.raises(ParameterError, match="dtype float32; expected"):
        lesson.perturbed(np.zeros((1, *lesson.credit.shape), np.float32))
