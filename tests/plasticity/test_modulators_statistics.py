"""Rho and phi against numpy and against their recursions written out, one sample at a time."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.plasticity.modulators import Phi, Rho
from dendrosim.plasticity.modulators.moving import MovingMoments

from ..teaching.lessons import batch, lesson_of, network_of


def factors(modulator, lessons):
    """Factor (N,) after each lesson, from a fresh start."""
    modulator.prepare(lessons[0].network)
    made = []
    for lesson in lessons:
        modulator.modulate(lesson)
        made.append(lesson.factor.copy())
        lesson.factor[:] = 1.0
    return made


def voltages(lesson):
    return lesson.activity.batch_first(lesson.activity.voltage).astype(float)


def layer_means(lesson):
    layout = lesson.network.layout
    v = voltages(lesson)
    return np.stack([v[:, layout.layer == k].mean(1) for k in range(layout.n_layers)])


def readout_mean(lesson):
    layout = lesson.network.layout
    return voltages(lesson)[:, layout.roots[layout.readout]].mean(1)


FREE = {"clamp": None, "eps": 0.0}


@pytest.mark.parametrize("kind", ["one layer", "inhibitory cells", "no gates", "additive"])
@pytest.mark.parametrize(("dtype", "n_samples"), [("float64", 7), ("float32", 70)])
def test_rho_of_one_batch_is_the_correlation(kind, dtype, n_samples):
    lesson = lesson_of(network_of(kind, dtype), n_samples)
    (rho,) = factors(Rho(**FREE), [lesson])
    layout, out = lesson.network.layout, readout_mean(lesson)
    for k, means in enumerate(layer_means(lesson)):
        expected = np.corrcoef(means, out)[0, 1]
        np.testing.assert_allclose(rho[layout.layer == k], expected, rtol=1e-10 if dtype == "float64" else 1e-3)
    assert rho.min() < 0.95


def test_rho_averages_moments_over_batches():
    network = network_of("two layers")
    lessons = [lesson_of(network, 7, seed) for seed in range(4)]
    rho = factors(Rho(alpha=0.3, **FREE), lessons)
    average = None
    for lesson, got in zip(lessons, rho, strict=True):
        moments = np.array([np.cov(m, readout_mean(lesson), bias=True) for m in layer_means(lesson)])
        average = moments if average is None else 0.7 * average + 0.3 * moments
        expected = average[:, 0, 1] / np.sqrt(average[:, 0, 0] * average[:, 1, 1])
        np.testing.assert_allclose(got, expected[network.layout.layer], rtol=1e-10)


def equation_20(x, y, alpha):
    """Moments of y and x after every sample, as the paper's recursion has them, from the first sample on."""
    mx, my, vx, vy, c = x[0], y[0], 0.0, 0.0, 0.0
    yield vx, vy, c
    for a, b in zip(x[1:], y[1:], strict=True):
        dx, dy = a - mx, b - my
        mx, my = (1 - alpha) * mx + alpha * a, (1 - alpha) * my + alpha * b
        vx, vy = (1 - alpha) * vx + alpha * dx**2, (1 - alpha) * vy + alpha * dy**2
        c = (1 - alpha) * c + alpha * dx * dy
        yield vx, vy, c


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rho_online_is_equation_20(dtype):
    network = network_of("two layers", dtype)
    lessons = [lesson_of(network, 1, seed) for seed in range(9)]
    rho = factors(Rho(alpha=0.2, **FREE), lessons)
    out = [readout_mean(lesson)[0] for lesson in lessons]
    for k in range(network.layout.n_layers):
        means = [layer_means(lesson)[k, 0] for lesson in lessons]
        recursion = list(equation_20(means, out, 0.2))
        for t, (vx, vy, c) in enumerate(recursion):
            expected = c / np.sqrt(vx * vy) if t else 1.0  # nothing has varied yet at the first sample
            here = rho[t][network.layout.layer == k]
            np.testing.assert_allclose(here, expected, rtol=1e-9 if dtype == "float64" else 1e-2)


def test_rho_as_published():
    network = network_of("two layers")
    lessons = [lesson_of(network, 7, seed) for seed in range(3)]
    rho = factors(Rho("dot", output="activity", alpha=0.1, clamp=None), lessons)
    average = None
    for lesson, got in zip(lessons, rho, strict=True):
        h = lesson.activity.soma.mean(1)
        product = (layer_means(lesson) * h).mean(1)
        average = product if average is None else 0.9 * average + 0.1 * product
        np.testing.assert_allclose(got, average[network.layout.layer], rtol=1e-12)


def test_rho_is_clamped_as_published_by_default():
    lesson = lesson_of(network_of("inhibitory cells"), 7)
    (free,) = factors(Rho(**FREE), [lesson])
    (kept,) = factors(Rho(eps=0.0), [lesson])
    np.testing.assert_allclose(kept, np.clip(free, 0.1, 2.0), rtol=1e-12)
    (narrow,) = factors(Rho(clamp=(0.4, 0.5), eps=0.0), [lesson])
    assert set(narrow) <= {0.4, 0.5}


def phi_by_regression(v, p, ridge, eps):
    """Ridge regression by least squares with one more row for the penalty, as equations 21 to 23 ask."""
    vc, pc = v - v.mean(), p - p.mean()
    rows = np.append(pc, np.sqrt(ridge * v.size))[:, None]
    beta = np.linalg.lstsq(rows, np.append(vc, 0.0), rcond=None)[0][0]
    return vc.var() / (vc.var() - beta * np.mean(vc * pc) + eps)


@pytest.mark.parametrize("kind", ["one layer", "inhibitory cells", "no gates", "additive"])
@pytest.mark.parametrize("ridge", [0.0, 1e-3])
def test_phi_regresses_on_the_voltage_of_the_parent(kind, ridge):
    lesson = lesson_of(network_of(kind), 40)
    (phi,) = factors(Phi("compartment", ridge=ridge, clamp=None), [lesson])
    v = voltages(lesson)
    for n, p in enumerate(lesson.network.layout.parent):
        expected = 1.0 if p < 0 else phi_by_regression(v[:, n], v[:, p], ridge, 1e-12)
        assert phi[n] == pytest.approx(expected, rel=1e-9)
    assert (phi >= 1.0 - 1e-6).all()
    assert phi.max() > 1.02


def test_phi_without_ridge_is_one_over_one_minus_r_squared():
    lesson = lesson_of(network_of(), 40)
    (phi,) = factors(Phi("compartment", ridge=0.0, eps=0.0, clamp=None), [lesson])
    (novelty,) = factors(Phi("compartment", ridge=0.0, clamp=None, alternative="1-R2"), [lesson])
    v = voltages(lesson)
    for n, p in enumerate(lesson.network.layout.parent):
        r = 0.0 if p < 0 else np.corrcoef(v[:, n], v[:, p])[0, 1]
        assert phi[n] == pytest.approx(1 / (1 - r**2), rel=1e-9)
        assert novelty[n] == pytest.approx(1 - r**2, rel=1e-9)


def test_phi_grows_with_predictability():
    rng = np.random.default_rng(0)
    lesson = lesson_of(network_of(), 64)
    parent = lesson.network.layout.parent
    v = rng.normal(size=(64, parent.size))
    child = np.flatnonzero(parent >= 0)
    made = []
    for mix in (0.0, 0.5, 0.9, 0.99):
        mixed = v.copy()
        for n in child:  # parents first
            mixed[:, n] = mix * mixed[:, parent[n]] + np.sqrt(1 - mix**2) * v[:, n]
        lesson.activity.blocks(mixed, lesson.activity.voltage)
        made.append(factors(Phi("compartment", clamp=None), [lesson])[0][child].mean())
    assert made == sorted(made)
    assert made[0] < 1.1
    assert made[-1] > 20


@pytest.mark.parametrize("kind", ["one layer", "inhibitory cells"])
def test_phi_of_layers(kind):
    lesson = lesson_of(network_of(kind), 40)
    layout, v = lesson.network.layout, voltages(lesson)
    (averaged,) = factors(Phi("layer", ridge=0.01, clamp=None), [lesson])
    (pooled,) = factors(Phi("pooled", ridge=0.01, clamp=None), [lesson])
    for k in range(layout.n_layers):
        rows = np.flatnonzero((layout.layer == k) & (layout.parent >= 0))
        if not rows.size:
            assert (averaged[layout.layer == k] == 1.0).all()
            assert (pooled[layout.layer == k] == 1.0).all()
            continue
        own, above = v[:, rows], v[:, layout.parent[rows]]
        covariance = np.mean((own - own.mean(0)) * (above - above.mean(0)))
        explained = covariance**2 / (np.mean(above.var(0)) + 0.01)
        variance = np.mean(own.var(0))
        np.testing.assert_allclose(averaged[rows], variance / (variance - explained + 1e-12), rtol=1e-10)
        np.testing.assert_allclose(pooled[rows], phi_by_regression(own.ravel(), above.ravel(), 0.01, 1e-12), rtol=1e-9)


def test_phi_with_the_published_proxy():
    """Currents from a compartment's own children, excitatory drive at leaves; roots have a factor too."""
    lesson = lesson_of(network_of(), 40)
    network, a = lesson.network, lesson.activity
    layout, v, out = network.layout, voltages(lesson), a.batch_first(a.output)
    drive = np.zeros_like(v)
    for n, p in enumerate(layout.parent):
        if p >= 0:
            drive[:, p] += network.coupling[n] * out[:, n]
        if n not in layout.parent:
            e = slice(layout.first[n], layout.middle[n])
            drive[:, n] = a.batch_first(a.presynaptic)[:, network.source[e]] @ network.conductance[e]
    (phi,) = factors(Phi("compartment", parent="children", clamp=None), [lesson])
    for n in range(layout.size):
        assert phi[n] == pytest.approx(phi_by_regression(v[:, n], drive[:, n], 1e-3, 1e-12), rel=1e-8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_phi_online_is_the_recursion_of_equation_20(dtype):
    network = network_of(dtype=dtype)
    lessons = [lesson_of(network, 1, seed) for seed in range(8)]
    phi = factors(Phi("compartment", alpha=0.2, clamp=None), lessons)
    v = np.array([voltages(lesson)[0] for lesson in lessons])
    for n, p in enumerate(network.layout.parent):
        if p < 0:
            assert all(f[n] == 1.0 for f in phi)
            continue
        for t, (vp, vn, c) in enumerate(equation_20(v[:, p], v[:, n], 0.2)):
            expected = vn / (vn - c**2 / (vp + 1e-3) + 1e-12) if t else 1.0
            assert phi[t][n] == pytest.approx(expected, rel=1e-9 if dtype == "float64" else 1e-4)


def test_rho_and_phi_keep_states_apart_online():
    """At B = 1 the published runs let them share one; here each gives what it gives alone."""
    network = network_of("two layers")
    lessons = [lesson_of(network, 1, seed) for seed in range(6)]
    alone = [factors(Rho(alpha=0.3), lessons), factors(Phi(alpha=0.1), lessons)]
    rho, phi = Rho(alpha=0.3), Phi(alpha=0.1)
    rho.prepare(network)
    phi.prepare(network)
    for t, lesson in enumerate(lessons):
        rho.modulate(lesson)
        phi.modulate(lesson)
        np.testing.assert_allclose(lesson.factor, alone[0][t] * alone[1][t], rtol=1e-12)


@pytest.mark.parametrize("modulator", [Rho(), Rho("dot"), Phi(), Phi("compartment"), Phi("pooled", parent="children")])
@pytest.mark.parametrize("n_samples", [1, 9])
def test_state_goes_on_with_the_same_bits(modulator, n_samples):
    network = network_of("two layers", "float32")
    lessons = [lesson_of(network, n_samples, seed) for seed in range(6)]
    whole = factors(modulator, lessons)
    first = type(modulator)(**{k: v for k, v in vars(modulator).items() if not k.startswith("_")})
    factors(first, lessons[:3])
    state = first.state()
    second = type(modulator)(**{k: v for k, v in vars(modulator).items() if not k.startswith("_")})
    second.prepare(network)
    second.restore(state)
    for lesson, expected in zip(lessons[3:], whole[3:], strict=True):
        second.modulate(lesson)
        np.testing.assert_array_equal(lesson.factor, expected)
        lesson.factor[:] = 1.0
    first.modulate(lessons[3])
    np.testing.assert_array_equal(second.state().keys(), state.keys())
    assert any(not np.array_equal(state[key], first.state()[key]) for key in state)  # copies


def test_what_never_varies_is_neutral():
    network = network_of()
    x, y = batch(1)
    lesson = lesson_of(network, x=np.repeat(x, 6, 0), y=np.repeat(y, 6))
    for modulator in (Rho(), Phi(), Phi("compartment")):
        (factor,) = factors(modulator, [lesson])
        np.testing.assert_array_equal(factor, 1.0)


def test_moving_moments_mix_batches_and_samples():
    moments = MovingMoments((2,), 0.5)
    moments.batch(np.array([[1.0, 2.0], [0.1, 0.2], [3.0, 4.0], [0.3, 0.4], [0.05, 0.06]]))
    moments.sample(np.array([2.0, 2.0]), np.array([3.0, 5.0]))
    expected = [[1.5, 2.0], [0.05 + 0.5, 0.1], [3.0, 4.5], [0.15, 0.2 + 0.5], [0.025, 0.03]]
    np.testing.assert_allclose(moments.values, expected)


def test_refusals():
    with pytest.raises(ParameterError, match=r"rho estimator='correlation' is not known; valid: 'pearson', 'dot'"):
        Rho("correlation")  # a name of the published configurations that silently fell to another estimator
    with pytest.raises(ParameterError, match=r"phi per='conditional_variance' is not known"):
        Phi("conditional_variance")
    with pytest.raises(ParameterError, match=r"rho alpha=0 is impossible"):
        Rho(alpha=0)
    with pytest.raises(ParameterError, match=r"phi clamp=\(4, 0.25\) must be ascending"):
        Phi(clamp=(4, 0.25))
    with pytest.raises(ParameterError, match="must be None or two numbers"):
        Rho(clamp=0.1)
    network, other = network_of(), network_of("two layers")
    rho = Rho()
    rho.prepare(network)
    state = rho.state()
    rho.prepare(other)
    with pytest.raises(ParameterError, match="belongs to another network"):
        rho.restore(state)
    with pytest.raises(ParameterError, match=r"state of rho has \['count'\]; expected \['count', 'moments'\]"):
        rho.restore({"count": np.array(1)})
