"""Lessons of single neurons: exact credits, broadcasts and perturbations against finite differences and whole runs."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.losses import loss
from dendrosim.teaching.neurons import NeuronLesson

from .neuron_cases import CASES, batch, neurons


def lesson_of(model: ds.Neurons, n_samples: int = 4) -> NeuronLesson:
    x, y = batch(n_samples)
    activity, one = model.run(x), loss("cross_entropy")
    error = one.score(activity.logits, y) / n_samples
    soma = model.decoder.backward(model.parameters, activity.soma, error)[1]
    credit = activity.empty(model.layout.size)
    return NeuronLesson(model, activity, y, error, soma, np.random.default_rng(0), 1, credit, one)


def run(model: ds.Neurons, x, current=None) -> ds.State:
    settings = {"integration": model.integration, "direction": model.direction, "gate": model.gate}
    return ds.steady_state(model.compartments, model.synapses, x, current=current, **settings)


def loss_under(lesson: NeuronLesson, current) -> float:
    model = lesson.network
    return float(loss("cross_entropy").value(model.run(lesson.x, 1, current).logits, lesson.targets).mean())


@pytest.mark.parametrize("name", CASES)
def test_exact_credit_is_the_effect_of_a_current_over_the_input_resistance(name):
    lesson = lesson_of(neurons(name))
    told = lesson.activity.batch_first(lesson.transport())
    np.testing.assert_allclose(told, lesson.soma_error, rtol=1e-13)
    credit = lesson.activity.batch_first(lesson.credit)
    n, b, h = lesson.network.layout.size, 1, 1e-3
    for k in np.unique(np.linspace(0, n - 1, 7).astype(int)):
        current = np.zeros((4, n))
        current[b, k] = h
        up, down = loss_under(lesson, current), loss_under(lesson, -current)
        moved = (run(lesson.network, lesson.x, current).voltage - run(lesson.network, lesson.x, -current).voltage)[b, k]
        assert credit[b, k] == pytest.approx((up - down) / moved, rel=1e-5, abs=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_a_broadcast_times_the_path_gain_is_exact(name):
    lesson = lesson_of(neurons(name))
    lesson.transport()
    exact = lesson.credit.copy()
    told = lesson.of_somas(lesson.soma_error)
    lesson.broadcast(told, told)
    layout = lesson.network.layout
    expected = lesson.soma_error[:, layout.cell] * lesson.activity.batch_first(lesson.activity.derivative)
    np.testing.assert_allclose(lesson.activity.batch_first(lesson.credit), expected, rtol=1e-13)
    gain = lesson.path_gain(np.empty_like(exact))
    np.testing.assert_allclose(gain[:, layout.roots], 1.0, rtol=1e-13)
    assert (gain > 0).all()
    np.testing.assert_allclose(lesson.credit * gain, exact, rtol=1e-11)


def test_somas_and_branches_may_be_told_different_things():
    lesson = lesson_of(neurons("two cells, couplings"))
    soma = lesson.of_somas(lesson.soma_error)
    lesson.broadcast(soma, 0.0 * soma)
    layout = lesson.network.layout
    np.testing.assert_allclose(lesson.credit[:, layout.roots], soma / 10.0, rtol=1e-13)
    assert not lesson.credit[:, layout.child].any()


@pytest.mark.parametrize("name", CASES)
def test_currents_make_the_logits_of_whole_runs(name):
    lesson = lesson_of(neurons(name))
    noise = 0.3 * np.random.default_rng(2).standard_normal((3, *lesson.credit.shape))
    logits = lesson.perturbed(noise, "current")
    assert logits.shape == (3, 4, 3)
    for k in range(3):
        whole = lesson.network.run(lesson.x, 1, lesson.activity.batch_first(noise[k])).logits
        np.testing.assert_allclose(logits[k], whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("inject", ["voltage", "output"])
@pytest.mark.parametrize("name", [name for name in CASES if neurons(name).direction == "directed"])
def test_what_is_moved_is_passed_on_to_the_soma(name, inject):
    lesson = lesson_of(neurons(name))
    model, layout = lesson.network, lesson.network.layout
    noise = 0.1 * np.random.default_rng(2).standard_normal((2, *lesson.credit.shape))
    logits = lesson.perturbed(noise, inject)
    rest, cells = run(model, lesson.x), model.compartments
    for k in range(2):
        moved, xi = rest.voltage.copy(), lesson.activity.batch_first(noise[k])
        a = rest.activity.copy()
        for n in range(layout.size - 1, -1, -1):  # children before parents; V_n follows them, then is moved
            for c in np.flatnonzero(layout.parent == n):
                moved[:, n] += rest.input_resistance[:, n] * cells.coupling[c] * (a[:, c] - rest.activity[:, c])
            if inject == "voltage":
                moved[:, n] += xi[:, n]
            a[:, n] = (moved if model.gate is None else model.gate.activity(moved))[:, n]
            if inject == "output":
                a[:, n] += model.scale * xi[:, n]
        soma = (a[:, layout.roots] - model.reference) / model.scale
        np.testing.assert_allclose(logits[k], model.decoder.forward(model.parameters, soma), rtol=1e-11)


def test_voltages_of_a_cable_cannot_all_be_moved():
    lesson = lesson_of(neurons("cell"))
    noise = np.zeros((1, *lesson.credit.shape))
    with pytest.raises(ParameterError, match="inject='current'"):
        lesson.perturbed(noise, "voltage")
    with pytest.raises(ParameterError, match="inject='light' is not known"):
        lesson.perturbed(noise, "light")
