"""Path gain, depth, dendritic normalisation, branch types and HSIC: where they act, and how strongly."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.plasticity.hsic import kernel, one_hot
from dendrosim.plasticity.learner import Learner
from dendrosim.plasticity.modulators import HSIC, ApicalBasal, DendriticNormalisation, Depth, PathGain
from dendrosim.plasticity.rules import Rule

from ..teaching.lessons import KINDS, batch, lesson_of, network_of


def gradients(network, teaching, rule, x, y):
    return Learner(network, teaching, rule, threads=1).gradients(x, y).values


def acted(modulator, lesson):
    modulator.prepare(lesson.network)
    modulator.modulate(lesson)
    return lesson


@pytest.mark.parametrize("kind", KINDS)
def test_per_soma_with_the_path_gain_of_every_compartment_is_the_exact_gradient(kind):
    network = network_of(kind)
    x, y = batch(9)
    exact = gradients(network, "exact", "3F", x, y)
    local = gradients(network, "per_soma", {"name": "3F", "path": "compartment"}, x, y)
    without = gradients(network, "per_soma", "3F", x, y)
    for name, expected in exact.items():
        scale = np.abs(expected).max()
        np.testing.assert_allclose(local[name], expected, atol=1e-14 * scale, rtol=1e-12)
    assert np.abs(without["synapses"] - exact["synapses"]).max() > 0.1 * np.abs(exact["synapses"]).max()


@pytest.mark.parametrize("kind", ["one layer", "inhibitory cells", "no gates", "additive"])
@pytest.mark.parametrize("n_samples", [1, 9])
def test_path_gain_per_layer_is_equation_26(kind, n_samples):
    lesson = lesson_of(network_of(kind), n_samples)
    network, layout = lesson.network, lesson.network.layout
    lesson.credit[...] = 1.0
    acted(PathGain(), lesson)
    credit = lesson.activity.batch_first(lesson.credit)
    resistance = lesson.activity.batch_first(lesson.activity.resistance)
    pi = {}
    for k, (name, stage) in enumerate(layout.layers):
        if stage == 0:
            pi[name, stage] = np.ones(n_samples)
        else:
            above = layout.layers.index((name, stage - 1))
            mean = resistance[:, layout.layer == above].mean(1)
            pi[name, stage] = pi[name, stage - 1] * mean * network.coupling[layout.layer == k].mean()
        for n in np.flatnonzero(layout.layer == k):
            np.testing.assert_allclose(credit[:, n], pi[name, stage], rtol=1e-12)


def test_path_gain_per_layer_of_an_irregular_tree():
    """Unbranched stretches share a layer: only the step from layer to layer counts."""
    tree = ds.Compartments([-1, 0, 1, 1, 2, 3], leak=1.0, coupling=2.0, physical=False, stage=[0, 0, 1, 1, 1, 1])
    network = network_of(cells=[3], trees=tree, branching=None)
    lesson = lesson_of(network)
    lesson.credit[...] = 1.0
    acted(PathGain(), lesson)
    layout = network.layout
    resistance = lesson.activity.batch_first(lesson.activity.resistance)
    steps = np.flatnonzero((layout.parent >= 0) & (layout.layer != layout.layer[layout.parent]))
    assert layout.n_layers == 2
    expected = resistance[:, layout.layer == 0].mean(1) * network.coupling[steps].mean()
    credit = lesson.activity.batch_first(lesson.credit)
    np.testing.assert_allclose(credit[:, layout.layer == 1], expected[:, None].repeat((layout.layer == 1).sum(), 1))
    np.testing.assert_array_equal(credit[:, layout.layer == 0], 1.0)
    odd = ds.Compartments([-1, 0, 1, 0], leak=1.0, coupling=2.0, physical=False, stage=[0, 1, 2, 2])
    network = network_of(cells=[3], trees=odd, branching=None)
    with pytest.raises(ParameterError, match=r"stage 2 of population 'layer1' is not reached from one.*'compartment'"):
        PathGain().prepare(network)
    PathGain("compartment").prepare(network)


def test_depth_makes_distal_updates_smaller():
    network = network_of("two layers")
    x, y = batch(9)
    plain = gradients(network, "per_soma", "3F", x, y)
    deep = gradients(network, "per_soma", {"name": "3F", "depth": {"base": 2.0, "alpha": 0.5}}, x, y)
    layout = network.layout
    of_synapse = np.repeat(layout.stage, layout.last - layout.first)
    np.testing.assert_allclose(deep["synapses"], plain["synapses"] * 2.0 / (of_synapse + 0.5), rtol=1e-12)
    np.testing.assert_allclose(deep["midpoint"], plain["midpoint"] * 2.0 / (layout.stage + 0.5), rtol=1e-12)
    child = layout.parent >= 0  # the coupling is learned where its parent is
    above = layout.stage[layout.parent[child]]
    np.testing.assert_allclose(deep["couplings"][child], plain["couplings"][child] * 2.0 / (above + 0.5), rtol=1e-12)
    lesson = acted(Depth(), lesson_of(network))
    means = [lesson.factor[layout.stage == d].mean() for d in range(3)]
    assert means == sorted(means, reverse=True)
    np.testing.assert_allclose(means, [1.0, 1 / 2, 1 / 3])


def test_depth_as_published_is_the_wrong_way_round():
    lesson = acted(Depth(reverse=True), lesson_of(network_of()))
    stage = lesson.network.layout.stage
    np.testing.assert_allclose([lesson.factor[stage == d][0] for d in range(3)], [1 / 4, 1 / 3, 1 / 2])


def test_normalisation_touches_couplings_only():
    network = network_of("two layers")
    x, y = batch(9)
    plain = gradients(network, "per_soma", "3F", x, y)
    normal = gradients(network, "per_soma", Rule("3F").with_(DendriticNormalisation(eps=0.25)), x, y)
    for name in ("synapses", "log_slope", "midpoint"):
        np.testing.assert_array_equal(normal[name], plain[name])
    parent = network.layout.parent
    for n in np.flatnonzero(parent >= 0):
        total = network.coupling[parent == parent[n]].sum()
        assert normal["couplings"][n] == pytest.approx(plain["couplings"][n] / (total + 0.25), rel=1e-12)


def test_branch_types_by_region():
    tree = ds.Compartments(
        [-1, 0, 1, 0, 3, 0], leak=1.0, coupling=1.0, physical=False,
        region=["soma", "apical", "apical", "basal", "basal", "axon"],
    )  # fmt: skip
    lesson = acted(ApicalBasal(2.0, 0.5), lesson_of(network_of(cells=[2], trees=tree, branching=None)))
    np.testing.assert_array_equal(lesson.factor, [1, 2, 2, 0.5, 0.5, 1] * 2)
    lesson = acted(ApicalBasal(2.0, regions=["basal"]), lesson_of(lesson.network))
    np.testing.assert_array_equal(lesson.factor, [1, 1, 1, 2, 2, 1] * 2)


def test_branch_types_by_branch_from_the_root():
    network = network_of(branching=[2, 2])
    lesson = acted(ApicalBasal(3.0, branches=[1]), lesson_of(network))
    parent = network.layout.parent
    for root in network.layout.roots:
        children = np.flatnonzero(parent == root)
        tree = [n for n in np.flatnonzero(network.layout.cell == network.layout.cell[root]) if n != root]
        second = [n for n in tree if n == children[1] or parent[n] == children[1]]
        assert lesson.factor[root] == 1.0
        np.testing.assert_array_equal(lesson.factor[second], 3.0)
        np.testing.assert_array_equal(lesson.factor[sorted(set(tree) - set(second))], 1.0)


def hsic_credit(lesson, options):
    """The extra credit, layer by layer, from the gradients that are tested against the definition."""
    a, layout = lesson.activity, lesson.network.layout
    out, slant = a.batch_first(a.output), a.batch_first(a.derivative)
    y = one_hot(lesson.targets, 4, out.dtype)
    extra = np.empty_like(out)
    k = kernel(options["kernel"], options.get("sigma", 1.0))
    for layer in range(layout.n_layers):
        rows = layout.layer == layer
        extra[:, rows] = k.gradient(out[:, rows], y, options.get("self_weight", 0.3), options.get("target_weight", 0.3))
    return options["weight"] * extra * slant


@pytest.mark.parametrize("options", [{"kernel": "linear"}, {"kernel": "rbf", "sigma": 0.5, "self_weight": 0.7}])
@pytest.mark.parametrize(("kind", "n_samples"), [("one layer", 9), ("inhibitory cells", 8), ("no gates", 1)])
def test_hsic_adds_its_gradient_times_the_gate_once(options, kind, n_samples):
    lesson = lesson_of(network_of(kind), n_samples)
    lesson.credit[...] = 0.0
    options = {"weight": 0.5, **options}
    acted(HSIC(warmup=0, clip=None, **options), lesson)
    np.testing.assert_allclose(lesson.activity.batch_first(lesson.credit), hsic_credit(lesson, options), atol=1e-15)
    flat = lesson.credit.transpose(0, 2, 1).reshape(-1, lesson.network.layout.size)
    assert not flat[n_samples:].any()
    assert np.abs(lesson.credit).max() > 1e-5 or n_samples == 1


def test_hsic_gradients_of_parameters_by_finite_differences():
    """Its credit meets R, driving force and presynaptic activity.

    In cells of one compartment every parameter acts on its own layer's outputs only, so that this is the gradient.
    """
    network = network_of(cells=[5], branching=[], somatic_synapses=True, decoder="linear")
    x, y = batch(8)
    rule = {"name": "3F", "hsic": {"kernel": "rbf", "sigma": 0.3, "weight": 2.0, "clip": None, "warmup": 0}}
    extra = {
        on: gradients(network, "per_soma", {**rule, "hsic": {**rule["hsic"], "on": on}}, x, y)
        for on in ("all", "excitatory")
    }
    plain = gradients(network, "per_soma", "3F", x, y)

    def loss():
        network.refresh()
        lesson = lesson_of(network, x=x, y=y)
        z = lesson.activity.batch_first(lesson.activity.output)
        return 2.0 * 0.3 * sum(kernel("rbf", 0.3).losses(z, one_hot(y, 4, z.dtype)))

    for name in ("synapses", "midpoint"):
        raw = network.parameters[name]
        for i in range(raw.size):
            raw[i] += 1e-6
            up = loss()
            raw[i] -= 2e-6
            down = loss()
            raw[i] += 1e-6
            expected = (up - down) / 2e-6
            assert extra["all"][name][i] - plain[name][i] == pytest.approx(expected, rel=1e-5, abs=1e-9)
            only = expected if name == "synapses" and network.sign[i] > 0 else 0.0
            assert extra["excitatory"][name][i] - plain[name][i] == pytest.approx(only, rel=1e-5, abs=1e-9)
    loss()


def test_hsic_on_excitatory_synapses_only():
    network = network_of("inhibitory cells")
    x, y = batch(9)
    options = {"weight": 0.3, "warmup": 0}
    plain = gradients(network, "per_soma", "3F", x, y)
    every = gradients(network, "per_soma", {"name": "3F", "hsic": {**options, "on": "all"}}, x, y)
    some = gradients(network, "per_soma", {"name": "3F", "hsic": {**options, "on": "excitatory"}}, x, y)
    excitatory = network.sign > 0
    np.testing.assert_allclose(some["synapses"][excitatory], every["synapses"][excitatory], rtol=1e-12)
    np.testing.assert_array_equal(some["synapses"][~excitatory], plain["synapses"][~excitatory])
    assert np.abs(every["synapses"] - plain["synapses"])[~excitatory].max() > 1e-7
    for name in ("couplings", "log_slope", "midpoint"):
        np.testing.assert_array_equal(some[name], plain[name])
        assert np.abs(every[name] - plain[name]).max() > 1e-8


def test_hsic_warms_up_and_clips():
    network = network_of()
    hsic = HSIC(0.4, kernel="linear", clip=None, warmup=4)
    hsic.prepare(network)
    sizes = []
    for _ in range(6):
        lesson = lesson_of(network, 9)
        lesson.credit[...] = 0.0
        hsic.modulate(lesson)
        sizes.append(np.abs(lesson.credit).max())
        if len(sizes) == 2:
            state = hsic.state()
    np.testing.assert_allclose(np.array(sizes) / sizes[-1], [0.25, 0.5, 0.75, 1, 1, 1], rtol=1e-12)
    again = HSIC(0.4, kernel="linear", clip=None, warmup=4)
    again.prepare(network)
    again.restore(state)
    lesson = lesson_of(network, 9)
    lesson.credit[...] = 0.0
    again.modulate(lesson)
    assert np.abs(lesson.credit).max() == sizes[2]
    lesson.credit[...] = 0.0
    acted(HSIC(0.4, kernel="linear", clip=1e-5, warmup=0), lesson)
    told = lesson.credit / np.where(lesson.activity.derivative > 0, lesson.activity.derivative, 1)
    assert np.abs(told).max() == pytest.approx(0.4 * 1e-5)


def test_single_precision():
    network = network_of("inhibitory cells", "float32")
    x, y = batch(70)
    table = {"name": "5F+depth+normalisation", "path": True, "hsic": {"warmup": 0, "kernel": "linear"}}
    single = gradients(network, "per_soma", table, x, y)
    double = gradients(network_of("inhibitory cells"), "per_soma", table, x, y)
    for name, expected in double.items():
        assert single[name].dtype == np.float32
        np.testing.assert_allclose(single[name], expected, atol=3e-4 * np.abs(expected).max())


def test_refusals():
    with pytest.raises(ParameterError, match=r"path per='stage' is not known; valid: 'layer', 'compartment'"):
        PathGain("stage")
    for options in ({"alpha": 0}, {"base": -1}):
        with pytest.raises(ParameterError, match="is impossible; it must be > 0"):
            Depth(**options)
    with pytest.raises(ParameterError, match=r"hsic kernel='gauss' is not known; valid: 'linear', 'rbf'"):
        HSIC(kernel="gauss")
    with pytest.raises(ParameterError, match=r"hsic warmup=-1 must be a number of minibatches"):
        HSIC(warmup=-1)
    with pytest.raises(ParameterError, match=r"hsic on='inhibitory' is not known"):
        HSIC(on="inhibitory")
    network = network_of()
    with pytest.raises(
        ParameterError, match=r"no compartment lies in a region called 'apical'; there are: dendrite, soma.*"
    ):
        ApicalBasal(2.0).prepare(network)
    with pytest.raises(ParameterError, match=r"branch from the root 2 does not exist; valid: 0 to 1"):
        ApicalBasal(2.0, branches=[2]).prepare(network)
    with pytest.raises(ParameterError, match="must name at least one branch"):
        ApicalBasal(2.0, branches=[]).prepare(network)
