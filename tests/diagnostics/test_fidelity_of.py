"""`ds.fidelity` on networks: exact where theory says so, and against finite differences of the loss."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.plasticity.modulators import PathGain
from dendrosim.plasticity.rules import Rule
from dendrosim.teaching import PerSoma

KINDS = ["shunting", "additive", "normalised_additive"]


def make(integration="shunting", cells=(5,), branching=(2, 2), **options):
    return ds.Network.dendritic(
        12, 4, cells, branching, 4, 2, integration, **{"dtype": "float64", "seed": 3, **options}
    )


def batch(n=40, seed=1):
    rng = np.random.default_rng(seed)
    return rng.random((n, 12)), rng.integers(0, 4, n)


@pytest.mark.parametrize("integration", KINDS)
@pytest.mark.parametrize("gates", [True, False])
def test_broadcast_with_path_gain_is_exact(integration, gates):
    """Per-soma broadcast times the path gain of every compartment is backpropagation in one layer of neurons."""
    x, y = batch()
    rule = Rule("3F").with_(PathGain("compartment"))
    report = ds.fidelity(make(integration, gates=gates), x, y, teaching="per_soma", rule=rule)
    np.testing.assert_allclose(report.table["cosine"], 1.0, atol=1e-12)
    np.testing.assert_allclose(report.table["relative_l2"], 0.0, atol=1e-12)
    with_synapses = report.layout.last > report.layout.first
    np.testing.assert_allclose(report.compartment_cosine[with_synapses], 1.0, atol=1e-12)
    np.testing.assert_allclose(report.synapse_error, 0.0, atol=1e-11)
    assert report.rule == "3F+path"


@pytest.mark.parametrize("integration", KINDS)
def test_the_exact_side_is_the_gradient_of_the_loss(integration):
    network, (x, y) = make(integration, cells=(4, 3)), batch(12)
    report = ds.fidelity(network, x, y)

    def loss():
        network.refresh()
        logits = network.predict(x)
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(12), y])

    rng = np.random.default_rng(0)
    for name, values in network.parameters.items():
        for i in rng.choice(np.flatnonzero(report.exact[name].ravel()), 3):
            before = values.flat[i]
            sides = []
            for h in (1e-5, -1e-5):
                values.flat[i] = before + h
                sides.append(loss())
            values.flat[i] = before
            assert report.exact[name].flat[i] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=2e-5, abs=1e-10), name
    network.refresh()


def test_the_somas_of_one_layer_are_taught_exactly_and_branches_are_not():
    report = ds.fidelity(make(), *batch(), rule="3F")
    assert report["layer1/stage 0"]["cosine"] == pytest.approx(1.0, abs=1e-12)
    assert report["layer1/stage 0"]["scale_mismatch"] == pytest.approx(0.0, abs=1e-12)
    assert 0 < report["layer1/stage 2"]["cosine"] < 0.9999
    # what the path would take away is missing: the local gradient is too long
    assert (report.compartment_scale[report.layout.stage == 2] > 0).all()


def test_a_scalar_broadcast_is_further_from_the_exact_gradient_than_the_own_error_of_every_soma():
    network, data = make(cells=(20,)), batch(100)
    tree, soma, scalar = (
        ds.fidelity(network, *data, teaching=teaching, rule="3F")["all"]["cosine"]
        for teaching in ("per_soma", PerSoma(scope="soma"), "scalar")
    )
    assert tree > max(soma, scalar) + 0.2


def test_the_decoder_alone():
    report = ds.fidelity(make(), *batch(), teaching="decoder_only", rule="3F")
    assert report["decoder"]["cosine"] == pytest.approx(1.0)
    assert np.isnan(report["all"]["cosine"])
    assert report.notes[0].startswith("the local gradient is zero in excitatory, inhibitory, couplings, gates")
    assert np.isnan(report.compartment_cosine).all()


def test_hidden_decoders_can_be_compared():
    report = ds.fidelity(make(decoder="mlp"), *batch(), rule="3F")
    assert report["decoder"]["cosine"] == pytest.approx(1.0)


def test_the_network_stays_as_it_was_and_the_report_repeats():
    network, data = make(), batch()
    before = {name: value.copy() for name, value in network.parameters.items()}
    first, second = (ds.fidelity(network, *data, teaching="dfa", seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.table, second.table)
    for name, value in network.parameters.items():
        np.testing.assert_array_equal(value, before[name])
    assert first["all"]["cosine"] != ds.fidelity(network, *data, teaching="dfa", seed=5)["all"]["cosine"]
    assert (first.teaching, first.rule, first.n_samples) == ("dfa", "5F", 40)


def test_warmup_moves_the_running_averages():
    network, data = make(), batch()
    fresh = ds.fidelity(network, *data, rule="5F")
    warm = ds.fidelity(network, *data, rule="5F", warmup=[batch(seed=s) for s in range(5)])
    assert not np.array_equal(fresh.table["scale_mismatch"], warm.table["scale_mismatch"])
    learner = ds.Learner(network, "per_soma", "5F", seed=0)
    for s in range(5):
        learner.gradients(*batch(seed=s))
    state = learner.state()
    by_state = ds.fidelity(network, *data, rule="5F", state=state)
    np.testing.assert_array_equal(by_state.table, warm.table)


def test_the_state_of_a_learner_brings_its_feedback():
    network, data = make(), batch()
    learner = ds.Learner(network, "dfa", "3F", seed=11)
    report = ds.fidelity(network, *data, teaching="dfa", rule="3F", seed=99, state=learner.state())
    np.testing.assert_array_equal(report.local["synapses"], learner.gradients(*data).values["synapses"])


def test_gradients_from_elsewhere():
    network, data = make(), batch()
    both = [ds.Learner(network, t, "3F").gradients(*data).values for t in ("per_soma", "exact")]
    report = ds.diagnostics.compare_gradients(network, *both)
    np.testing.assert_allclose(report.table["cosine"], ds.fidelity(network, *data, rule="3F").table["cosine"])
    with pytest.raises(ParameterError, match=r"local\['couplings'\] is missing"):
        ds.diagnostics.compare_gradients(network, {"synapses": both[0]["synapses"]}, both[1])
    with pytest.raises(ParameterError, match=r"exact\['synapses'\] has shape \(3,\)"):
        ds.diagnostics.compare_gradients(network, both[0], {**both[1], "synapses": np.ones(3)})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"teaching": "per_neuron"}, "per_soma"),
        ({"rule": "6F"}, "'5F'"),
        ({"warmup": [1]}, "pairs"),
        ({"teaching": "dfa", "state": {}}, "keeps nothing of the teaching"),
    ],
)
def test_messages(options, says):
    with pytest.raises(ParameterError, match=says):
        ds.fidelity(make(), *batch(), **options)


def test_only_networks_have_fidelity():
    with pytest.raises(ParameterError, match="network must be Network"):
        ds.fidelity("digits", *batch())
