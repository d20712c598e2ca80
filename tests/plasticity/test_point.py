"""Learning of point networks: finite differences, PyTorch, every teaching signal, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.losses import loss as loss_named
from dendrosim.networks.mlp import PointMLP
from dendrosim.plasticity.learner import Learner
from dendrosim.plasticity.point import DENDRITIC, PointLearner
from dendrosim.tasks import load
from dendrosim.teaching import TEACHING, teaching

DEPTHS = ([5], [5, 4], [6, 5, 3])
OPTIONS = {"low_rank": {"rank": 2}, "degraded": {"teaching": "dfa", "bits": 4}}
LOSSES = {"ebd": "mse"}
FIT = sorted(set(TEACHING) - set(DENDRITIC))


def problem(hidden=5, batch: int = 7, **options):
    rng = np.random.default_rng(5)
    network = PointMLP(6, 4, hidden, seed=2, dtype="float64", **options)
    for name, array in network.parameters.items():
        if "bias" in name:
            array[...] = rng.normal(0.0, 0.3, array.shape)
    return network, rng.normal(size=(batch, 6)), rng.integers(0, 4, batch)


def loss_of(network: PointMLP, x, y, loss: str = "cross_entropy") -> float:
    logits = network.predict(x)
    if loss == "mse":
        return float(0.5 * ((logits - np.eye(4)[y]) ** 2).sum(1).mean())
    return float(np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(len(y)), y]))


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", DEPTHS, ids=len)
def test_exact_gradients_are_the_derivatives_of_the_mean_loss(hidden, activation, loss):
    network, x, y = problem(hidden, activation=activation)
    found = PointLearner(network, "exact", loss=loss).gradients(x, y)
    assert found.loss == pytest.approx(loss_of(network, x, y, loss), rel=1e-12)
    assert found.correct == int((network.predict(x).argmax(1) == y).sum())
    assert found.values.keys() == network.parameters.keys()
    h = 1e-6
    for name, array in network.parameters.items():
        for i in np.ndindex(array.shape):
            kept = array[i]
            array[i] = kept + h
            up = loss_of(network, x, y, loss)
            array[i] = kept - h
            down = loss_of(network, x, y, loss)
            array[i] = kept
            assert found.values[name][i] == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("hidden", DEPTHS, ids=len)
def test_exact_gradients_are_those_of_torch(hidden):
    torch = pytest.importorskip("torch")
    network, x, y = problem(hidden)
    p = {name: torch.tensor(array, requires_grad=True) for name, array in network.parameters.items()}
    h = torch.tensor(x)
    for i in range(len(hidden)):
        h = torch.relu(h @ p[f"hidden_weight_{i}"].T + p[f"hidden_bias_{i}"])
    logits = h @ p["decoder_weight"].T + p["decoder_bias"]
    torch.nn.functional.cross_entropy(logits, torch.tensor(y)).backward()
    values = PointLearner(network, "per_soma").gradients(x, y).values  # every hidden unit is a soma
    for name, value in values.items():
        np.testing.assert_allclose(value, p[name].grad.numpy(), rtol=1e-12, atol=1e-15)


def test_a_plain_step_descends_by_rate_times_gradient():
    network, x, y = problem([5, 3])
    learner = PointLearner(network, "exact", optimiser="sgd", rates={"hidden": 0.1, "decoder": 0.2}, clip_value=None)
    learner.rate_factor = 0.5
    found = learner.gradients(x, y)
    before = network.state()
    assert learner.step(x, y) == (found.loss, found.correct)
    for name in before:
        rate = 0.05 if name.startswith("hidden") else 0.1
        np.testing.assert_allclose(network.parameters[name], before[name] - rate * found.values[name], rtol=1e-12)


def test_weights_decay_by_group():
    network, x, y = problem([5, 3])
    options = {"optimiser": "sgd", "clip_value": None, "rates": 0.1}
    learner = PointLearner(network, "exact", decay={"hidden": 0.5}, **options)
    values, before = learner.gradients(x, y).values, network.state()
    learner.step(x, y)
    for name in before:
        kept = 0.95 if name.startswith("hidden") else 1.0
        np.testing.assert_allclose(network.parameters[name], kept * before[name] - 0.1 * values[name], rtol=1e-12)


def test_the_norm_of_all_gradients_together_is_bounded():
    network, x, y = problem()
    learner = PointLearner(network, optimiser="sgd", rates=1.0, clip_value=None, clip_norm=1e-3)
    before = network.state()
    learner.step(x, y)
    moved = sum(((network.parameters[name] - before[name]) ** 2).sum() for name in before)
    assert np.sqrt(moved) == pytest.approx(1e-3, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "still"),
    [({"teaching": "decoder_only"}, "hidden"), ({"decoder": "frozen"}, "decoder")],
)
def test_what_is_frozen_does_not_move(options, still):
    network, x, y = problem([5, 3])
    before = network.state()
    PointLearner(network, **options).step(x, y)
    moved = {name for name in before if (network.parameters[name] != before[name]).any()}
    assert moved
    assert not any(name.startswith(still) for name in moved)


@pytest.mark.parametrize("name", FIT)
def test_every_signal_that_needs_no_dendrites_teaches(name):
    network, x, y = problem([5, 4], batch=20)
    learner = PointLearner(network, teaching(name, **OPTIONS.get(name, {})), loss=LOSSES.get(name, "cross_entropy"))
    before = network.state()
    for _ in range(3):
        loss, _ = learner.step(x, y)
    assert np.isfinite(loss)
    moved = {name for name in before if (network.parameters[name] != before[name]).any()}
    assert moved >= {"decoder_weight", "decoder_bias"}
    if name != "decoder_only":
        assert moved == set(before)


@pytest.mark.parametrize("name", FIT)
def test_a_restored_learner_goes_on_with_the_same_bits(name):
    signal, loss = teaching(name, **OPTIONS.get(name, {})), LOSSES.get(name, "cross_entropy")
    network, x, y = problem([5, 3])
    learner = PointLearner(network, signal, loss=loss)
    learner.step(x, y)
    state, weights = learner.state(), network.state()
    learner.step(x, y)
    after = network.state()
    other, _, _ = problem([5, 3])
    other.restore(weights)
    second = PointLearner(other, signal, loss=loss, seed=1)
    second.restore(state)
    second.step(x, y)
    for parameter in after:
        np.testing.assert_array_equal(after[parameter], other.parameters[parameter])


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "momentum"])
def test_weights_that_are_masked_stay_zero(optimiser):
    network, x, y = problem([8, 6], density=0.4)
    masks = {name: mask.copy() for name, mask in network.masks.items()}
    learner = PointLearner(network, "dfa", optimiser=optimiser, decay=0.1, rates=0.05)
    for _ in range(5):
        learner.step(x, y)
    assert set(masks) == {"hidden_weight_0", "hidden_weight_1"}
    for name, mask in masks.items():
        assert mask.mean() == pytest.approx(0.4, abs=0.02)
        assert ((network.parameters[name] != 0) == (mask == 1)).all()


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def trained(task, signal, hidden=(60, 40), epochs=12):
    network = PointMLP(task.n_inputs, task.n_classes, hidden, seed=1)
    learner = PointLearner(network, signal, rates=3e-3, seed=4)
    rng = np.random.default_rng(0)
    x, y = network.checked(task.x_train), task.y_train
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), len(x) // 50):
            learner.step(np.ascontiguousarray(x[rows]), y[rows])
    accuracy = float((network.predict(task.x_test).argmax(1) == task.y_test).mean())
    return network, learner, accuracy


def cosines(learner, task):
    """Of the hidden layers' gradients with the exact ones."""
    x, y = task.x_train[:300], task.y_train[:300]
    mine = learner.gradients(x, y).values
    exact = PointLearner(learner.network, "exact").gradients(x, y).values
    names = [name for name in mine if name.startswith("hidden_weight")]
    return [float(np.sum(mine[n] * exact[n]) / np.linalg.norm(mine[n]) / np.linalg.norm(exact[n])) for n in names]


@pytest.mark.parametrize("signal", ["fa", "dfa", {"name": "fa", "sign": "concordant"}])
def test_hidden_layers_learn_by_fixed_feedback(signal, digits):
    """Better than a readout of random units, with feedback that the weights have come to agree with."""
    _, learner, accuracy = trained(digits, signal)
    _, _, frozen = trained(digits, "decoder_only")
    assert accuracy > frozen + 0.03
    assert min(cosines(learner, digits)) > 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"teaching": "local_mismatch"}, "teaching='local_mismatch' needs dendrites; a point MLP learns with one of"),
        ({"teaching": {"name": "degraded", "teaching": "local_mismatch", "bits": 2}}, "'local_mismatch' needs dendrit"),
        ({"teaching": "odd"}, "teaching='odd' is not known"),
        ({"rule": "5F"}, "rule='5F' needs dendrites; a point MLP learns with rule='3F'"),
        ({"rates": {"synapses": 1.0}}, "'synapses' is not known; valid: 'hidden', 'decoder'"),
        ({"decay": {"synapses": 1.0}}, "'synapses' is not known; valid: 'hidden', 'decoder'"),
        ({"decoder": "odd"}, "decoder='odd'"),
        ({"clip_norm": 0}, "clip_norm=0"),
        ({"threads": 0}, "threads=0"),
    ],
)
def test_impossible_arguments(options, message):
    with pytest.raises(ParameterError, match=message):
        PointLearner(problem()[0], **options)


def test_learners_name_the_network_that_they_are_for():
    with pytest.raises(ParameterError, match=r"such as ds.networks.PointMLP\(784"):
        PointLearner(loss_named("mse"))
    with pytest.raises(ParameterError, match=r"such as ds.Network.dendritic"):
        Learner(problem()[0])
