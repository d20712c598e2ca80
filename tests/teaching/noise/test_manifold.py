"""Noise on the manifold of activity: subspaces, projections and errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.plasticity.learner import Learner
from dendrosim.teaching.noise import NMNC, VNC
from dendrosim.teaching.noise.draws import NOISES, Noise
from dendrosim.teaching.noise.subspace import RECENT, of_covariance, of_samples

from ..lessons import batch, lesson_of, taught
from .cases import affine, gated, jacobians, prepared


def planted(n, d, variances, seed=0):
    """Samples with these variances along random orthonormal directions, and the directions."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((d, len(variances))))[0]
    along = rng.standard_normal((n, len(variances)))
    along -= along.mean(axis=0)
    along = np.linalg.qr(along)[0] * np.sqrt(n * np.array(variances))
    return along @ basis.T + rng.standard_normal(d), basis


@pytest.mark.parametrize("shape", [(200, 30), (25, 60)])
@pytest.mark.parametrize(("rank", "kept"), [(2, 2), (0.9, 3), (1.0, 4), ("participation", 3), (50, 4)])
def test_planted_directions_are_found(shape, rank, kept):
    variances = [5.0, 3.0, 2.0, 0.5]  # participation ratio 10.5^2 / 38.25 = 2.88
    samples, basis = planted(*shape, variances)
    space = of_samples(samples, rank)
    np.testing.assert_allclose(np.abs(space.basis.T @ basis), np.eye(kept, 4), atol=1e-9)
    np.testing.assert_allclose(space.basis.T @ space.basis, np.eye(kept), atol=1e-12)
    np.testing.assert_allclose(space.variances, variances[:kept])
    assert space.captured == pytest.approx(sum(variances[:kept]) / sum(variances))
    rows = np.stack([3.0 * basis[:, 0], 4.0 * basis[:, 3]])
    assert space.holds(rows) == pytest.approx(1.0 if kept == 4 else 9 / 25)


def test_silent_units_span_nothing():
    space = of_samples(np.ones((20, 4)), 0.9)
    assert space.basis.shape == (4, 0)
    assert space.captured == 0.0
    assert of_covariance(np.zeros((3, 3)), 2).basis.shape == (3, 0)


@pytest.mark.parametrize("name", RECENT)
def test_recent_activity_is_what_counts(name):
    layer = np.array([0, 1, 1, 0, 1, 1, 0])
    recent = RECENT[name](layer, 100)
    old, new = (planted(400, 7, [2.0, 1.0], seed)[0] for seed in (1, 2))
    for values in (old, new):
        for part in np.split(values, 40):
            recent.take(part)
    for k, space in enumerate(recent.subspaces(1)):
        last = new[-100:, layer == k] if name == "buffer" else new[:, layer == k]
        expected = of_samples(last, 1)
        assert abs(float(space.basis[:, 0] @ expected.basis[:, 0])) > 0.99
        if name == "buffer":
            np.testing.assert_array_equal(space.basis, expected.basis)
    again = RECENT[name](layer, 100)
    again.restore(recent.state())
    for one, two in zip(again.subspaces(0.9), recent.subspaces(0.9), strict=True):
        np.testing.assert_array_equal(one.basis, two.basis)


def test_running_means_weigh_samples_exponentially():
    layer = np.zeros(3, int)
    recent = RECENT["running"](layer, 50)
    values = np.random.default_rng(0).standard_normal((6, 10, 3)) * [1.0, 2.0, 3.0]
    for part in values:
        recent.take(part)
    weight = np.repeat(0.8 ** np.arange(5, -1, -1), 10)
    expected = of_covariance(np.cov(values.reshape(-1, 3).T, aweights=weight, bias=True), 1.0)
    space = recent.subspaces(1.0)[0]
    np.testing.assert_allclose(space.variances, expected.variances)
    np.testing.assert_allclose(np.abs(space.basis), np.abs(expected.basis))


def with_manifold(network, n_samples=64, **options):
    """A signal that has seen a minibatch, and its lesson."""
    lesson = lesson_of(network, n_samples)
    signal = prepared(NMNC(**options), network)
    signal.observe(lesson)
    return signal, lesson


class Given(Noise):
    """What is drawn is worked out from noise that is given."""

    def __init__(self, spread, noise):
        self.given = spread.T @ noise

    def draw(self, shape, n_samples, dtype, rng):
        assert shape == self.given.shape
        return self.given


def test_in_all_directions_it_is_vanilla_noise_correlation(monkeypatch):
    network = gated(cells=[3])
    signal, lesson = with_manifold(network, rank=100, eta=0.3)
    vanilla = prepared(VNC(eta=0.3), network)
    assert signal.spread(lesson).shape == (network.layout.size,) * 2
    noise = vanilla.directions(lesson, 1)
    monkeypatch.setitem(NOISES, "rademacher", Given(signal.spread(lesson), noise))
    start = signal.feedback
    signal.observe(lesson)
    monkeypatch.setattr(vanilla, "directions", lambda lesson, draws: noise)
    vanilla.observe(lesson)
    np.testing.assert_allclose(signal.feedback - 0.7 * start, vanilla.feedback, atol=1e-10)


def test_estimates_lie_on_the_manifold_and_their_mean_is_the_projection():
    network = affine(cells=[6])
    signal, lesson = with_manifold(network, rank=2, noise="gauss", layers="in_turn")
    exact, layer = jacobians(lesson).mean(axis=0), network.layout.layer
    for k, space in enumerate(signal.subspaces(lesson)):
        signal.steps = k
        here, d, basis = layer == k, int((layer == k).sum()), space.basis
        found = np.array([signal.estimate(lesson, next(signal.noises(lesson))).T for _ in range(500)])
        assert not found[:, :, ~here].any()
        found, true = found[:, :, here], exact[:, here]
        np.testing.assert_allclose(found @ (np.eye(d) - basis @ basis.T), 0.0, atol=1e-12)
        projected = true @ basis @ basis.T
        error = found.std(axis=0) / np.sqrt(len(found))
        assert (np.abs(found.mean(axis=0) - projected) < 4 * error + 1e-12).all()
        alpha = space.holds(true)
        squared = ((found - true) ** 2).sum(axis=(1, 2)).mean() / (true**2).sum()
        assert squared == pytest.approx(alpha * 3 / 64 + 1 - alpha, rel=0.1)


def test_neither_signs_nor_rotations_of_the_basis_matter_to_the_mean():
    network = affine(cells=[3])
    signal, lesson = with_manifold(network, rank=2)
    spread, n = signal.spread(lesson), network.layout.size
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((2, 2)))[0]
    turned = spread @ np.kron(np.eye(3), rotation)
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=6)))
    means = []
    for basis in (spread, -spread, turned):
        noise = np.empty((len(signs), *lesson.credit.shape))
        noise[...] = 0.05 * (signs @ basis.T)[:, None, :, None]
        means.append(signal.estimate(lesson, noise).T)
    projected = jacobians(lesson).mean(axis=0) @ spread @ spread.T
    for mean in means:
        np.testing.assert_allclose(mean, projected, atol=1e-11)
    assert n == 21


def test_noise_with_the_spectrum_of_activity_gives_the_natural_credit():
    network = affine(cells=[3])
    signal, lesson = with_manifold(network, rank=2, spectrum="activity")
    n = network.layout.size
    covariance = np.zeros((n, n))
    outputs = lesson.activity.batch_first(lesson.activity.output)
    for k, space in enumerate(signal.subspaces(lesson)):
        here = np.flatnonzero(network.layout.layer == k)
        part = space.basis @ space.basis.T @ np.cov(outputs[:, here].T, bias=True) @ space.basis @ space.basis.T
        covariance[np.ix_(here, here)] = part / space.variances.mean()
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=6)))
    noise = np.empty((len(signs), *lesson.credit.shape))
    noise[...] = 0.05 * (signs @ signal.spread(lesson).T)[:, None, :, None]
    found = signal.estimate(lesson, noise).T
    np.testing.assert_allclose(found, jacobians(lesson).mean(axis=0) @ covariance, atol=1e-11)


def test_the_basis_follows_activity_with_its_period():
    network = affine(cells=[4])
    rng = np.random.default_rng(0)
    signal = prepared(NMNC(rank=1.0, refresh=3, memory=40, inject="voltage"), network)
    bases = []
    for _step in range(7):
        patterns = rng.random((3, 9))
        x = rng.dirichlet(np.ones(3), 20) @ patterns
        lesson = lesson_of(network, x=x, y=batch(20)[1])
        signal.observe(lesson)
        bases.append(signal.spread(lesson))
        if _step == 0:  # a plane of inputs makes a plane of voltages, in cells that are affine
            assert [s.basis.shape[1] for s in signal.subspaces(lesson)] == [2, 2, 2]
            voltage = lesson.activity.batch_first(lesson.activity.voltage)
            centred = voltage - voltage.mean(axis=0)
            np.testing.assert_allclose(centred @ bases[0] @ bases[0].T, centred, atol=1e-12)
    same = [a.shape == b.shape and np.array_equal(a, b) for a, b in itertools.pairwise(bases)]
    assert same == [True, True, False, True, True, False]


@pytest.mark.parametrize("manifold", ["buffer", "running"])
def test_state_goes_on_as_it_would_have(manifold):
    network = gated(cells=[4])
    one = prepared(NMNC(refresh=4, manifold=manifold, memory=30), network)
    for seed in range(6):
        one.observe(lesson_of(network, 16, seed))
    two = prepared(NMNC(refresh=4, manifold=manifold, memory=30), network, seed=9)
    two.restore(one.state())
    for seed in range(6, 12):
        for signal in (one, two):
            signal.observe(lesson_of(network, 16, seed))
        np.testing.assert_array_equal(one.feedback, two.feedback)
    fresh = prepared(NMNC(), network)
    fresh.restore(prepared(NMNC(), network).state())
    assert not taught(lesson_of(network, 16), fresh).any()


def test_metrics():
    network = gated(cells=[8])
    signal, lesson = with_manifold(network, rank=3, perturbations=4)
    metrics = signal.metrics(lesson)
    for name, stage in network.layout.layers:
        assert metrics[f"rank/{name}/stage {stage}"] == 3
        assert metrics[f"alpha/{name}/stage {stage}"] == pytest.approx(1.0)
        assert 0.2 < metrics[f"captured/{name}/stage {stage}"] < 1.0
    assert metrics["passes"] == 4
    assert prepared(NMNC(rank=2), network).metrics(lesson)["rank/layer1/stage 0"] == 2  # before anything was observed


def test_refusals():
    with pytest.raises(ParameterError, match=r"rank='full' must be a whole number, a share of the variance"):
        NMNC(rank="full")
    with pytest.raises(ParameterError, match=r"rank \(a share of the variance\)=1.5"):
        NMNC(rank=1.5)
    with pytest.raises(ParameterError, match=r"rank=0 must be a positive whole number"):
        NMNC(rank=0)
    with pytest.raises(ParameterError, match=r"manifold='sphere' is not known; valid: 'buffer', 'running'"):
        NMNC(manifold="sphere")
    with pytest.raises(ParameterError, match=r"spectrum='white' is not known; valid: 'flat', 'activity'"):
        NMNC(spectrum="white")


def test_a_layer_that_never_varies_has_no_noise_of_its_own_spectrum():
    network = gated(cells=[3])
    learner = Learner(network, NMNC(spectrum="activity"), rates=1e-2)
    learner.gradients(np.full((1, 9), 0.5), np.zeros(1, np.int64))  # one sample: no variance anywhere
    assert not learner.teaching.feedback.any()
