"""The strongest test: a local rule with path gain and f' is the exact gradient, and that is the derivative."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.networks import MLP
from dendrosim.plasticity.modulators import PathGain
from dendrosim.plasticity.rules import Rule
from dendrosim.teaching import PerSoma

INTEGRATIONS = ["shunting", "additive", "normalised_additive"]
SHAPES = {
    "one layer": {"cells": [6], "branching": [3, 2]},
    "deep trees": {"cells": [3], "branching": [2, 2, 2, 2]},
    "two layers": {"cells": [6, 5], "branching": [2, 2]},
    "inhibitory cells": {"cells": [6, 5], "branching": [3], "inhibitory_cells": [3, 2]},
    "points": {"cells": [7], "branching": [], "somatic_synapses": True},
    "exp": {"cells": [5], "branching": [2, 2], "positive": "exp", "somatic_synapses": True},
    "mlp decoder": {"cells": [5], "branching": [2], "decoder": MLP([6, 5])},
}


def network(shape, integration, **options):
    given = {"excitatory": 4, "inhibitory": 2, "dtype": "float64", "seed": 2, "integration": integration}
    made = ds.Network.dendritic(12, 4, **{**given, **SHAPES[shape], **options})
    rng = np.random.default_rng(0)
    for name in ("couplings", "log_slope", "midpoint"):  # nothing equal, nothing zero
        made.parameters[name] += 0.2 * rng.standard_normal(made.layout.size)
    made.refresh()
    return made


def batch(n=21):
    rng = np.random.default_rng(1)
    return rng.random((n, 12)), rng.integers(0, 4, n)


def decoder_of(made):
    return "local" if made.decoder.local else "exact"


@pytest.mark.parametrize("gates", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("integration", INTEGRATIONS)
def test_local_rule_with_path_gain_is_exact(integration, shape, gates):
    if not gates and integration != "shunting" and len(SHAPES[shape]["cells"]) > 1:
        pytest.skip("refused: negative presynaptic activity")
    made = network(shape, integration, gates=gates)
    x, y = batch()
    how = decoder_of(made)
    exact = ds.Learner(made, "exact", "3F", decoder=how).gradients(x, y)
    rule = Rule("3F").with_(PathGain("compartment"))
    local = ds.Learner(made, PerSoma(scope="tree", hidden="exact"), rule, decoder=how).gradients(x, y)
    for name, value in exact.values.items():
        scale = np.abs(value).max()
        np.testing.assert_allclose(local.values[name], value, rtol=1e-12, atol=1e-13 * scale, err_msg=name)
    assert np.abs(exact.values["synapses"]).min() > 0


def test_local_rule_on_a_reconstruction_is_exact():
    tree = ds.Morphology.load("ca1_pyramidal").compartments(ds.Passive(), max_length=400.0)
    made = ds.Network.dendritic(12, 4, [2], excitatory=3, inhibitory=2, trees=tree, dtype="float64")
    x, y = batch()
    exact = ds.Learner(made, "exact").gradients(x, y).values
    local = ds.Learner(made, "per_soma", Rule("3F").with_(PathGain("compartment"))).gradients(x, y).values
    for name, value in exact.items():
        np.testing.assert_allclose(local[name], value, rtol=1e-12, atol=1e-13 * np.abs(value).max(), err_msg=name)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("integration", INTEGRATIONS)
def test_exact_is_the_derivative(integration, shape):
    """Central differences of the mean cross-entropy by scipy's log-softmax, some parameters of each kind."""
    from scipy.special import log_softmax

    made = network(shape, integration)
    x, y = batch()
    values = ds.Learner(made, "exact", decoder=decoder_of(made)).gradients(x, y).values

    def loss():
        made.refresh()
        return -log_softmax(made.predict(x), axis=1)[np.arange(len(y)), y].mean()

    rng = np.random.default_rng(0)
    for name, parameter in made.parameters.items():
        flat, gradient = parameter.reshape(-1), values[name].reshape(-1)
        scale = np.abs(gradient).max()
        for i in rng.choice(flat.size, min(6, flat.size), replace=False):
            before, h = flat[i], 1e-4
            difference = 0.0
            for weight, step in ((8, 1), (-8, -1), (-1, 2), (1, -2)):  # fourth order
                flat[i] = before + step * h
                difference += weight * loss() / (12 * h)
            flat[i] = before
            assert difference == pytest.approx(gradient[i], rel=1e-7, abs=1e-7 * scale), (name, i)
    made.refresh()


def test_loss_and_correct_against_scipy():
    from scipy.special import log_softmax

    made = network("one layer", "shunting")
    x, y = batch(50)
    gradients = ds.Learner(made).gradients(x, y)
    logits = made.predict(x)
    assert gradients.loss == pytest.approx(-log_softmax(logits, axis=1)[np.arange(50), y].mean(), rel=1e-12)
    assert gradients.correct == (logits.argmax(axis=1) == y).sum()


@pytest.mark.parametrize("n", [1, 5, 33])
def test_gradient_of_a_batch_is_the_mean_over_its_samples(n):
    """Empty lanes of the last block add nothing."""
    made = network("two layers", "shunting")
    x, y = batch(n)
    learner = ds.Learner(made, "exact")
    together = learner.gradients(x, y).values
    alone = [learner.gradients(x[i : i + 1], y[i : i + 1]).values for i in range(n)]
    for name, value in together.items():
        np.testing.assert_allclose(value, np.mean([a[name] for a in alone], axis=0), atol=1e-15)


def test_float32_gradient_is_that_of_float64():
    x, y = batch(256)
    double = ds.Learner(network("one layer", "shunting"), "exact").gradients(x, y).values
    single = ds.Learner(network("one layer", "shunting", dtype="float32"), "exact").gradients(x, y).values
    for name, value in double.items():
        np.testing.assert_allclose(single[name], value, atol=1e-4 * np.abs(value).max(), err_msg=name)


class TestSteps:
    @pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
    def test_against_torch(self, name):
        torch = pytest.importorskip("torch")
        made = network("one layer", "shunting", connectivity="fixed")
        x, y = batch()
        learner = ds.Learner(made, "exact", optimiser=name, rates=0.05, clip_value=None)
        theirs = {k: torch.tensor(v.copy(), requires_grad=True) for k, v in made.parameters.items()}
        kinds = {
            "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
            "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
            "adam": lambda p: torch.optim.Adam(p, lr=0.05),
        }
        optimiser = kinds[name](list(theirs.values()))
        for _ in range(5):
            gradients = learner.gradients(x, y).values
            for key, parameter in theirs.items():
                parameter.grad = torch.tensor(gradients[key])
            optimiser.step()
            learner.step(x, y)
            for key, parameter in theirs.items():
                np.testing.assert_allclose(made.parameters[key], parameter.detach().numpy(), atol=1e-13, err_msg=key)

    def test_clipping(self):
        made = network("one layer", "shunting", connectivity="fixed")
        x, y = batch()
        before = {k: v.copy() for k, v in made.parameters.items()}
        gradients = ds.Learner(made, "exact").gradients(x, y).values
        norm = np.sqrt(sum((v**2).sum() for v in gradients.values()))
        ds.Learner(made, "exact", optimiser="sgd", rates=1.0, clip_value=None, clip_norm=norm / 10).step(x, y)
        for key, value in gradients.items():
            np.testing.assert_allclose(before[key] - made.parameters[key], value / 10, atol=1e-15)
        made.restore({**made.state(), **before})
        ds.Learner(made, "exact", optimiser="sgd", rates=1.0, clip_value=1e-3).step(x, y)
        for key, value in gradients.items():
            np.testing.assert_allclose(before[key] - made.parameters[key], np.clip(value, -1e-3, 1e-3), atol=1e-15)

    @pytest.mark.parametrize("teaching", ["exact", "per_soma"])
    def test_loss_falls(self, teaching):
        made = network("two layers", "shunting", dtype="float32")
        x, _ = batch(64)
        learner = ds.Learner(made, teaching, rates=0.02)
        x32 = made.checked(x)
        losses = [learner.step(x32, x[:, :4].argmax(axis=1))[0] for _ in range(200)]
        assert np.median(losses[-50:]) < 0.5 * losses[0]  # the last one alone is at the mercy of rounding

    def test_rates_of_groups(self):
        made = network("one layer", "shunting")
        before = {k: v.copy() for k, v in made.parameters.items()}
        x, y = batch()
        rates = {"synapses": 0.0, "couplings": 0.0, "gates": 0.1, "decoder": 0.0}
        ds.Learner(made, "exact", rates=rates).step(x, y)
        moved = {k for k, v in made.parameters.items() if not np.array_equal(v, before[k])}
        assert moved == {"log_slope", "midpoint"}

    def test_resume_has_the_same_bits(self):
        x, y = batch(64)
        one = network("one layer", "shunting", dtype="float32")
        two = one.copy()
        x = one.checked(x)
        learner = ds.Learner(one, "per_soma", "5F", rates=0.05)
        for _ in range(3):
            learner.step(x, y)
        kept, learned = learner.state(), one.state()
        for _ in range(3):
            learner.step(x, y)
        other = ds.Learner(two, "per_soma", "5F", rates=0.05)
        two.restore(learned)
        other.restore(kept)
        for _ in range(3):
            other.step(x, y)
        for name, value in one.state().items():
            assert np.array_equal(value, two.state()[name]), name
        assert learner.swaps == other.swaps


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"teaching": "telepathy"}, "'per_soma'"),
            ({"rule": "6F"}, "'3F'"),
            ({"optimiser": "lbfgs"}, "'adam'"),
            ({"rates": {"synapse": 0.1}}, "'synapses'"),
            ({"rates": {"synapses": -0.1}}, "rate of synapses"),
            ({"decoder": "hebbian"}, "'frozen'"),
            ({"clip_value": 0.0}, "clip_value"),
            ({"clip_norm": -1.0}, "clip_norm"),
            ({"threads": 0}, "threads"),
        ],
    )
    def test_impossible_learners(self, options, says):
        with pytest.raises(ds.errors.ParameterError, match=says):
            ds.Learner(network("one layer", "shunting"), **options)

    def test_no_local_update_of_hidden_layers(self):
        with pytest.raises(ds.errors.ParameterError, match="decoder='exact'"):
            ds.Learner(network("mlp decoder", "shunting"))

    @pytest.mark.parametrize(
        ("y", "says"), [(np.zeros(20, int), "21 whole"), (np.zeros(21), "21 whole"), (np.full(21, 4), "outputs 0 to 3")]
    )
    def test_impossible_labels(self, y, says):
        with pytest.raises(ds.errors.ParameterError, match=says):
            ds.Learner(network("one layer", "shunting")).gradients(batch()[0], y)
