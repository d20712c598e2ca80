"""Decorrelation: correlations, credits and what they are the gradient of, against definitions written out here."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.networks.mlp import PointMLP
from dendrosim.plasticity.learner import Learner
from dendrosim.plasticity.point import PointLearner
from dendrosim.teaching import DFA, EBD, SBD, Teaching

from .lessons import batch, lesson_of, network_of, taught
from .neuron_cases import CASES, neurons
from .neuron_cases import batch as neuron_batch


def prepared(signal, network, seed=0):
    signal.prepare(network, np.random.default_rng(seed))
    return signal


def lesson_with(network, loss="cross_entropy", n_samples=7, seed=0):
    x, y = batch(n_samples, seed)
    return Learner(network, "exact", loss=loss, threads=1).taught(network.checked(x), y)[0]


def values_of(lesson, name="output"):
    """(B, N)."""
    return lesson.activity.batch_first(getattr(lesson.activity, name))


class Given(Teaching):
    """Tells credits that were computed elsewhere."""

    name = "given"

    def __init__(self, credit):
        self.given = credit

    def credit(self, lesson):
        lesson.credit[...] = self.given

    def bits_per_sample(self, network):
        return 0.0


def cosine(a, b):
    return float(np.vdot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)))


# ---- the estimator


@pytest.mark.parametrize("tie", ["compartment", "soma"])
@pytest.mark.parametrize(("kind", "n"), [("one layer", 7), ("inhibitory cells", 33)])
def test_correlations_follow_their_recursion(kind, n, tie):
    network = network_of(kind)
    signal = prepared(SBD(decay=0.7, initial=0.3, tie=tie), network)
    expected = signal.state()["matrix"][0]
    for seed in range(4):
        lesson = lesson_of(network, n, seed)
        h = values_of(lesson)
        h = h[:, network.layout.roots] if tie == "soma" else h
        score = n * lesson.output_error
        expected = 0.7 * expected + 0.3 * np.mean(h[:, :, None] * score[:, None], axis=0)
        signal.observe(lesson)
        np.testing.assert_allclose(signal.state()["matrix"][0], expected, atol=1e-14)
        told = n * lesson.output_error @ expected.T / n
        told = told[:, network.layout.cell] if tie == "soma" else told
        np.testing.assert_allclose(taught(lesson, signal), told * values_of(lesson, "derivative"), atol=1e-15)


def test_closed_form_under_constant_input():
    network = network_of("two layers")
    lesson = lesson_of(network, 9)
    signal = prepared(SBD(decay=0.9, initial=1.0), network)
    first = signal.state()["matrix"][0]
    here = values_of(lesson).T @ lesson.output_error
    for t in range(1, 31):
        signal.observe(lesson)
        expected = 0.9**t * first + (1 - 0.9**t) * here
        np.testing.assert_allclose(signal.state()["matrix"][0], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_forgetting_it_is_direct_feedback_bit_for_bit(dtype):
    network = network_of("two layers", dtype=dtype)
    for signal, per in ((SBD(decay=1.0), "compartment"), (SBD(decay=1.0, tie="soma"), "cell")):
        prepared(signal, network)
        direct = prepared(DFA(per=per), network, seed=1)
        direct.restore({"matrix": signal.state()["matrix"][0]})
        lesson = lesson_with(network, n_samples=33)
        for _ in range(2):
            signal.observe(lesson)
            found, expected = taught(lesson, signal), taught(lesson, direct)
            if per == "compartment":
                np.testing.assert_array_equal(found, expected)
            else:  # the product of other shapes may be summed in another order
                np.testing.assert_allclose(found, expected, rtol=3e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("kind", ["one layer", "two layers"])
def test_at_the_somas_it_is_the_gradient_of_the_decoder(kind, loss):
    network = network_of(kind)
    lesson = lesson_with(network, loss, 12)
    signal = prepared(SBD(decay=0.0), network)
    signal.observe(lesson)
    somas = signal.state()["matrix"][0][network.layout.roots[network.layout.readout]]
    gradient, _ = network.decoder.backward(network.parameters, lesson.activity.soma, lesson.output_error)
    np.testing.assert_allclose(somas.T, gradient["decoder_weight"], atol=1e-15)
    inner = np.sum(somas.T * network.parameters["decoder_weight"])
    score = 12 * lesson.output_error
    identity = np.mean(((lesson.activity.logits - network.parameters["decoder_bias"]) * score).sum(axis=1))
    assert inner == pytest.approx(identity, abs=1e-12)
    assert signal.metrics(lesson)["identity"] == pytest.approx(identity, abs=1e-14)


def test_closed_form_in_a_linear_network():
    """Without gates, additive: logits = W A x + b. E[V s^T] and the credit follow from moments of x alone."""
    network = network_of("additive", gates=False)
    x = np.random.default_rng(4).random((500, 9))
    y = np.random.default_rng(5).random((500, 4))
    lesson = Learner(network, "exact", loss="mse").taught(x, y)[0]
    transfer = np.linalg.lstsq(x, values_of(lesson, "voltage"), rcond=None)[0].T  # (N, P), V = transfer x
    np.testing.assert_allclose(x @ transfer.T, values_of(lesson, "voltage"), atol=1e-12)
    w, b = network.parameters["decoder_weight"], network.parameters["decoder_bias"]
    roots = network.layout.roots
    moment, cross, mean = x.T @ x / 500, x.T @ y / 500, x.mean(axis=0)
    expected = transfer @ (moment @ transfer[roots].T @ w.T + np.outer(mean, b) - cross)
    signal = prepared(EBD(decay=0.0, of="voltage"), network)
    signal.observe(lesson)
    np.testing.assert_allclose(signal.state()["matrix"][0], expected, atol=1e-12)
    # at the least squares decoder the errors are uncorrelated with every voltage: nothing is told any more
    design = np.column_stack([values_of(lesson, "voltage")[:, roots], np.ones(500)])
    best = np.linalg.lstsq(design, y, rcond=None)[0]
    network.parameters["decoder_weight"][...], network.parameters["decoder_bias"][...] = best[:-1].T, best[-1]
    lesson = Learner(network, "exact", loss="mse").taught(x, y)[0]
    signal.observe(lesson)
    np.testing.assert_allclose(signal.state()["matrix"][0][roots], 0.0, atol=1e-13)
    np.testing.assert_allclose(taught(lesson, signal)[:, roots], 0.0, atol=1e-13)


# ---- relations between signals


def test_for_the_squared_loss_sbd_is_ebd_bit_for_bit():
    network = network_of("two layers")
    credits = []
    for kind in (SBD, EBD):
        learner = Learner(network, kind(decay=0.9), loss="mse", seed=3)
        lesson = learner.taught(*batch(9))[0]
        learner.teaching.observe(lesson)
        credits.append(taught(lesson, learner.teaching))
    np.testing.assert_array_equal(*credits)
    assert np.abs(credits[0]).min() > 0


def test_orthonormal_maps_of_the_score_change_nothing():
    """Broadcasting D s, D with orthonormal columns, gives the credits of s (from M(0) = 0)."""
    network = network_of()
    lesson = lesson_of(network, 9)
    signal = prepared(SBD(decay=0.5, initial=0.0), network)
    signal.observe(lesson)
    d = np.linalg.qr(np.random.default_rng(2).standard_normal((6, 4)))[0]
    h, error = values_of(lesson), lesson.output_error
    expected = (error @ d.T) @ (0.5 * h.T @ error @ d.T).T * values_of(lesson, "derivative")
    np.testing.assert_allclose(taught(lesson, signal), expected, atol=1e-12)


def test_whitening_is_the_inverse_root_of_the_score_s_second_moment():
    network = network_of()
    signal = prepared(SBD(decay=0.0, whiten=0.2), network)
    lesson = lesson_with(network, "mse", 30)
    signal.observe(lesson)
    error = lesson.output_error
    moment = error.T @ error
    size, axes = np.linalg.eigh(moment * 4 / np.trace(moment))
    whitener = axes @ np.diag((size + 0.2) ** -0.5) @ axes.T
    expected = error @ whitener @ whitener @ error.T @ values_of(lesson) * values_of(lesson, "derivative")
    np.testing.assert_allclose(taught(lesson, signal), expected, rtol=1e-10, atol=1e-16)


def test_permuting_the_classes_permutes_the_columns():
    network = network_of()
    x, y = batch(20)
    order = np.array([2, 0, 3, 1])
    other = network.copy()
    for name in ("decoder_weight", "decoder_bias"):
        other.parameters[name][...] = network.parameters[name][order]
    found = []
    for model, labels in ((network, y), (other, np.argsort(order)[y])):
        signal = prepared(SBD(decay=0.3, initial=0.0), model)
        signal.observe(lesson_of(model, x=x, y=labels))
        found.append(signal.state()["matrix"][0])
    np.testing.assert_allclose(found[0][:, order], found[1], atol=1e-15)


def test_rows_of_correlations_with_softmax_scores_sum_to_zero():
    network = network_of("two layers")
    signal = prepared(SBD(decay=0.9, initial=0.0), network)
    for seed in range(3):
        signal.observe(lesson_of(network, 9, seed))
    matrix = signal.state()["matrix"][0]
    assert np.abs(matrix).max() > 1e-4
    np.testing.assert_allclose(matrix.sum(axis=1), 0.0, atol=1e-15)


def test_centred_activity_forgets_a_constant():
    network = network_of()
    found = []
    for shift in (0.0, 10.0):
        signal = prepared(SBD(decay=0.0, g="centred", initial=0.0), network)
        lesson = lesson_with(network, "mse", 11)
        lesson.activity.output[...] += shift
        signal.observe(lesson)
        found.append(signal.state()["matrix"][0])
    np.testing.assert_allclose(*found, atol=1e-14)
    h, error = values_of(lesson), lesson.output_error
    np.testing.assert_allclose(found[1], (h - h.mean(0)).T @ error, atol=1e-13)


def test_without_the_present_minibatch():
    network = network_of()
    signal = prepared(SBD(decay=0.5, initial=0.1, include_current=False), network)
    usual = prepared(SBD(decay=0.5, initial=0.1), network)
    for seed in range(3):
        before = usual.state()["matrix"]
        lesson = lesson_of(network, 9, seed)
        signal.observe(lesson)
        usual.observe(lesson)
        np.testing.assert_array_equal(signal.state()["matrix"], before)


def test_several_functions_add_up():
    network = network_of()
    lesson = lesson_of(network, 9)
    parts = []
    for g in (["identity", "square"], "identity", "square"):
        signal = prepared(SBD(decay=0.0, g=g), network)
        signal.observe(lesson)
        parts.append(taught(lesson, signal))
    np.testing.assert_allclose(parts[0], parts[1] + parts[2], rtol=1e-13)


# ---- what the credits are the gradient of

PAIR = (lambda v: np.tanh(3.0 * v), lambda v: 3.0 * (1.0 - np.tanh(3.0 * v) ** 2))
SHAPES = [("one layer", "shunting"), ("two layers", "shunting"), ("one layer", "additive"), ("no gates", "shunting")]


def objective(network, x, matrix, score, layer, g, of, decay, loss=None, y=None):
    """J of a layer after a minibatch, with the score held fixed, or not (loss and y given)."""
    network.refresh()
    activity = network.forward(x, threads=1)
    if loss is not None:
        score = loss.score(activity.logits, y)
    h = g(activity.batch_first(getattr(activity, of)))
    new = decay * matrix + (1 - decay) * h.T @ score / len(x)
    return 0.5 * np.sum(new[network.layout.layer == layer] ** 2)


def parameters_on(network, layer):
    """Positions of raw parameters of a layer: synapses on it, couplings into it, its gates."""
    layout = network.layout
    units = np.flatnonzero(layout.layer == layer)
    synapses = np.concatenate([np.arange(layout.first[n], layout.last[n]) for n in units] or [[]]).astype(int)
    gates = units[network.gated[units]]
    couplings = np.flatnonzero(np.isin(layout.parent, units))
    return {"synapses": synapses, "couplings": couplings, "log_slope": gates, "midpoint": gates}


def derivatives(network, positions, function, step=1e-4):
    """Central differences of fourth order, some parameters of each kind."""
    rng = np.random.default_rng(0)
    for name, where in positions.items():
        for i in rng.choice(where, min(3, where.size), replace=False):
            flat = network.parameters[name].reshape(-1)
            before, found = flat[i], 0.0
            for weight, k in ((8, 1), (-8, -1), (-1, 2), (1, -2)):
                flat[i] = before + k * step
                found += weight * function() / (12 * step)
            flat[i] = before
            network.refresh()
            yield name, i, found


@pytest.mark.parametrize("g", ["identity", "centred", "square", "tanh", pytest.param(PAIR, id="own")])
@pytest.mark.parametrize(("kind", "integration"), SHAPES)
def test_credit_is_the_gradient_of_the_objective_with_the_score_held_fixed(kind, integration, g):
    network = network_of(kind, integration=integration)
    of = "voltage" if kind == "no gates" else "output"
    x, y = batch(11)
    signal = SBD(decay=0.8, initial=0.5, g=g, of=of, gain="1-lambda")
    learner = Learner(network, signal, seed=1)
    matrix = learner.teaching.state()["matrix"][0]
    values = learner.gradients(x, y).values
    lesson = lesson_of(network, x=x, y=y)
    score = 11 * lesson.output_error
    mean = values_of(lesson, of).mean(axis=0) if g == "centred" else 0.0
    function = {"identity": lambda v: v, "centred": lambda v: v - mean, "square": lambda v: v**2, "tanh": np.tanh}
    function = g[0] if isinstance(g, tuple) else function[g]
    for layer in range(network.layout.n_layers):

        def j(layer=layer):
            return objective(network, x, matrix, score, layer, function, of, 0.8)

        for name, i, expected in derivatives(network, parameters_on(network, layer), j):
            if of == "voltage" and name in ("log_slope", "midpoint"):
                continue
            scale = np.abs(values[name]).max()
            assert values[name][i] == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale), (layer, name)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("g", ["identity", "square"])
@pytest.mark.parametrize("kind", ["one layer", "two layers"])
def test_full_gradient_of_the_objective(kind, g, loss):
    """With error shaping it is the derivative of J when the score changes too."""
    network = network_of(kind)
    x, y = batch(11)
    learner = Learner(network, SBD(decay=0.8, initial=0.5, g=g), loss=loss, seed=1)
    matrix = learner.teaching.state()["matrix"][0]
    lesson = learner.taught(x, y)[0]
    learner.teaching.observe(lesson)
    function = {"identity": lambda v: v, "square": lambda v: v**2}[g]
    for layer in range(network.layout.n_layers):
        credit = learner.teaching.full_credit(lesson, layer)
        values = Learner(network, Given(credit), decoder="frozen").gradients(x, y).values

        def j(layer=layer):
            return objective(network, x, matrix, None, layer, function, "output", 0.8, learner.loss, y)

        for name, i, expected in derivatives(network, parameters_on(network, layer), j):
            scale = np.abs(values[name]).max()
            assert values[name][i] == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale), (layer, name)


@pytest.mark.parametrize(("loss", "whiten"), [("cross_entropy", None), ("cross_entropy", 0.3), ("mse", None)])
def test_forward_projection_is_the_gradient_by_the_decoder(loss, whiten):
    network = network_of("two layers")
    x, y = batch(9)
    options = {"decay": 0.8, "initial": 0.5, "whiten": whiten}
    values = []
    for forward in (0.0, 2.0):
        learner = Learner(network, SBD(**options, forward=forward), loss=loss, seed=1)
        matrix = learner.teaching.state()["matrix"][0]
        values.append(learner.gradients(x, y).values)
    lesson = lesson_with(network, loss, 9)
    metric = np.eye(4)
    if whiten:
        moment = lesson.output_error.T @ lesson.output_error
        size, axes = np.linalg.eigh(moment * 4 / np.trace(moment))
        metric = axes @ np.diag((size + whiten) ** -0.5) @ axes.T
    h = values_of(lesson)

    def j():
        activity = network.forward(x, threads=1)
        new = 0.8 * matrix + 0.2 * h.T @ learner.loss.score(activity.logits, y) @ metric / 9
        return 0.5 * np.sum(new**2)

    positions = {"decoder_weight": np.arange(12), "decoder_bias": np.arange(4)}
    for name, i, expected in derivatives(network, positions, j):
        added = (values[1][name] - values[0][name]).reshape(-1)[i]
        assert added == pytest.approx(2.0 * expected / 0.2, rel=1e-6, abs=1e-10), name
    np.testing.assert_array_equal(values[0]["synapses"], values[1]["synapses"])


# ---- options


def test_sign_and_gains():
    network = network_of("two layers")
    lesson = lesson_of(network, 9)
    found = {}
    for key, options in {
        "plain": {},
        "flipped": {"sign": -1},
        "literal": {"gain": "1-lambda"},
        "number": {"gain": 3.0},
        "layers": {"gain": [float(i) for i in range(network.layout.n_layers)]},
        "rms": {"gain": "rms"},
    }.items():
        signal = prepared(SBD(decay=0.9, **options), network)
        if key != "rms":
            signal.observe(lesson)
        found[key] = taught(lesson, signal)
        if key == "rms":  # the same before and after the first observation but for M
            signal.observe(lesson)
            found[key] = taught(lesson, signal)
    plain = found["plain"]
    np.testing.assert_array_equal(found["flipped"], -plain)
    np.testing.assert_allclose(found["literal"], 0.1 * plain, rtol=1e-11)
    np.testing.assert_allclose(found["number"], 3.0 * plain, rtol=1e-13)
    np.testing.assert_allclose(found["layers"], plain * network.layout.layer, rtol=1e-13)
    layout = network.layout
    exact = lesson.soma_error * values_of(lesson, "derivative")[:, layout.roots[layout.readout]]
    for layer in range(layout.n_layers):
        here = layout.layer == layer
        assert np.sqrt(np.mean(found["rms"][:, here] ** 2)) == pytest.approx(np.sqrt(np.mean(exact**2)), rel=1e-10)
        assert cosine(found["rms"][:, here], plain[:, here]) == pytest.approx(1.0)


def test_a_soma_s_voltage_tells_its_cell():
    network = network_of("two layers")
    lesson = lesson_of(network, 9)
    signal = prepared(SBD(decay=0.0, tie="soma", of="voltage"), network)
    signal.observe(lesson)
    voltage = values_of(lesson, "voltage")[:, network.layout.roots]
    told = lesson.output_error @ (voltage.T @ lesson.output_error).T
    np.testing.assert_allclose(taught(lesson, signal), told[:, network.layout.cell], atol=1e-15)


@pytest.mark.parametrize("options", [
    {},
    {"include_current": False, "whiten": 0.1, "gain": "rms", "g": "centred"},
    {"tie": "soma", "entropy": (0.1, 0.1, 0.9), "expansion": {"name": "inputs", "components": 2, "samples": 10}},
    {"expansion": "random_features", "initial": "xavier"},
])  # fmt: skip
def test_state_makes_an_exact_resume(options):
    network = network_of("two layers")
    learners = [Learner(network.copy(), SBD(decay=0.9, **options), seed=seed) for seed in (1, 1, 2)]
    for seed in range(2):
        for learner in learners[:2]:
            learner.step(*batch(9, seed))
    state = learners[0].state()
    learners[2].network.restore(learners[0].network.state())
    learners[2].restore(state)
    for learner in learners:
        learner.step(*batch(9, 5))
    for name, value in learners[0].network.parameters.items():
        np.testing.assert_array_equal(value, learners[1].network.parameters[name])
        np.testing.assert_array_equal(value, learners[2].network.parameters[name])
    assert not np.array_equal(learners[0].network.parameters["synapses"], network.parameters["synapses"])


def test_lanes_without_samples_change_nothing():
    """A minibatch alone, and beside samples of another that leave other lanes empty, with every regulariser."""
    network = network_of("two layers")
    options = {"power": (0.3, 0.1), "entropy": (0.2, 0.1, 0.9), "sparsity": 0.1, "gain": "rms", "g": "centred"}
    for n in (5, 8, 33):
        x, y = batch(n)
        credits = []
        for noise in (0.0, 7.0):
            signal = prepared(SBD(decay=0.5, **options), network)
            lesson = lesson_of(network, x=x, y=y)
            a = lesson.activity
            if n % a.width:
                a.output[-1, :, n % a.width :] += noise
            signal.observe(lesson)
            signal.credit(lesson)
            credits.append(lesson.credit.copy())
            if n % a.width:
                np.testing.assert_array_equal(credits[-1][-1, :, n % a.width :], 0.0)
        np.testing.assert_array_equal(*credits)


def test_metrics_against_numpy():
    network = network_of("two layers")
    lesson = lesson_of(network, 50)
    signal = prepared(SBD(decay=0.5), network)
    signal.observe(lesson)
    found = signal.metrics(lesson)
    matrix, score = signal.state()["matrix"][0], 50 * lesson.output_error
    for i, (population, stage) in enumerate(network.layout.layers):
        here, name = network.layout.layer == i, f"{population}/stage {stage}"
        assert found[f"J/{name}"] == pytest.approx(0.5 * np.sum(matrix[here] ** 2))
        assert found[f"M/{name}"] == pytest.approx(np.linalg.norm(matrix[here]))
        assert found[f"V2/{name}"] == pytest.approx(np.mean(values_of(lesson, "voltage")[:, here] ** 2))
        both = np.corrcoef(values_of(lesson)[:, here].T, score.T)[: here.sum(), here.sum() :]
        assert found[f"corr/{name}"] == pytest.approx(np.abs(both).mean())


def test_matrices_start_as_asked():
    network = network_of(cells=[200])
    normal = prepared(SBD(initial=0.3), network).state()["matrix"]
    assert normal.shape == (1, network.layout.size, 4)
    assert normal.std() == pytest.approx(0.3, rel=0.05)
    uniform = prepared(SBD(initial="xavier"), network).state()["matrix"][0]
    for layer, count in enumerate(np.bincount(network.layout.layer)):
        here = np.abs(uniform[network.layout.layer == layer]).max()
        assert here == pytest.approx(1e-2 * np.sqrt(6 / (count + 4)), rel=0.02)
    again = prepared(SBD(initial=0.3), network).state()["matrix"]
    np.testing.assert_array_equal(normal, again)
    assert prepared(SBD(), network).bits_per_sample(network) == 4 * 32


def test_refusals():
    with pytest.raises(ParameterError, match=r"sign=0 must be 1.*-1"):
        SBD(sign=0)
    with pytest.raises(ParameterError, match=r"decay=1 and initial=0 tell nothing"):
        SBD(decay=1.0, initial=0.0)
    with pytest.raises(ParameterError, match=r"decay=1 and gain='1-lambda' tell nothing"):
        SBD(decay=1.0, gain="1-lambda")
    with pytest.raises(ParameterError, match=r"g='cube' is not known; valid: 'identity'"):
        SBD(g="cube")
    with pytest.raises(ParameterError, match=r"g=3 must be one of"):
        SBD(g=3)
    with pytest.raises(ParameterError, match=r"forward projection.*expansion=None"):
        SBD(forward=1.0, expansion="outputs")
    with pytest.raises(ParameterError, match=r"power=3 must be \(strength, target\)"):
        SBD(power=3)
    with pytest.raises(ParameterError, match=r"'ebd' broadcasts the errors of the squared loss.*teaching='sbd'"):
        Learner(network_of(), "ebd")
    with pytest.raises(ParameterError, match=r"gain=\[1.0, 2.0\] has 2 values; the model has 3 layers: layer1/stage 0"):
        prepared(SBD(gain=[1.0, 2.0]), network_of())
    network = network_of()
    with pytest.raises(ParameterError, match=r"full_credit needs"):
        prepared(SBD(tie="soma"), network).full_credit(lesson_of(network), 0)


def test_forward_projection_needs_a_decoder_that_learns():
    with pytest.raises(ParameterError, match="decoder='frozen' does not; use"):
        Learner(network_of(), SBD(forward=0.1), decoder="frozen")
    with pytest.raises(ParameterError, match="readout='soma' has none"):
        ds.NeuronLearner(neurons("cell", readout="soma"), SBD(forward=0.1), loss="mse")
    assert Learner(network_of(), SBD(), decoder="frozen").decoder == "frozen"


def test_losses_whose_optimal_score_is_not_zero_are_refused():
    class Kink:
        name, admissible, why = "kink", False, "It stops at a kink."

    with pytest.raises(ParameterError, match=r"It stops at a kink\. Use another loss, or teaching='dfa'"):
        SBD().suits(Kink())


# ---- behaviour


def trained(epochs=10, **options):
    task = ds.tasks.load("digits")
    network = ds.Network.dendritic(64, 10, [12], [3], 12, 6, gates=False, dtype="float64", seed=0)
    run = ds.train(
        network, task, epochs=epochs, batch_size=32, rates=5e-3, threads=1, progress=False, restore_best=False,
        **options,
    )  # fmt: skip
    return task, run.network


def test_the_literal_sign_opposes_the_gradient_at_the_somas_of_a_trained_tree():
    task, network = trained(teaching="exact", decay={"decoder": 0.02})
    x, y = network.checked(task.x_train[:512]), task.y_train[:512]
    lesson = Learner(network, "exact", threads=1).taught(x, y)[0]
    exact = lesson.twin()
    exact.transport()
    signal = prepared(SBD(decay=0.0, of="voltage"), network)
    signal.observe(lesson)
    roots = network.layout.roots
    assert signal.metrics(lesson)["identity"] < 0
    correct = lesson.activity.batch_first(exact.credit)
    assert cosine(taught(lesson, signal)[:, roots], correct[:, roots]) < -0.2


def test_the_literal_rule_from_nothing_silences_the_tree():
    voltage = []
    for teaching in ("decoder_only", {"name": "sbd", "decay": 0.9, "initial": 0.0, "of": "voltage"}):
        task, after = trained(4, teaching=teaching)
        voltage.append(float(np.mean(after.forward(task.x_test).soma ** 2)))
    assert voltage[1] < 0.5 * voltage[0]


# ---- other models


@pytest.mark.parametrize("g", ["identity", "square"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_in_point_networks_credit_is_the_gradient_of_the_objective(activation, g):
    """The published setting: weights and biases of hidden layers, with the error held fixed."""
    network = PointMLP(9, 4, [6, 5], seed=1, dtype="float64", activation=activation)
    x = batch(11)[0]
    y = np.random.default_rng(2).random((11, 4))
    learner = PointLearner(network, EBD(decay=0.8, initial=0.5, g=g, gain="1-lambda"), loss="mse", seed=1)
    matrix = learner.teaching.state()["matrix"][0]
    values = learner.gradients(x, y).values
    error = network.forward(x).logits - y
    function = {"identity": lambda v: v, "square": lambda v: v**2}[g]
    for layer in range(2):

        def j(layer=layer):
            activity = network.forward(x)
            new = 0.8 * matrix + 0.2 * function(activity.batch_first(activity.output)).T @ error / 11
            return 0.5 * np.sum(new[network.layout.layer == layer] ** 2)

        for kind in ("weight", "bias"):
            name = f"hidden_{kind}_{layer}"
            flat, found = network.parameters[name].reshape(-1), values[name].reshape(-1)
            for i in np.random.default_rng(0).choice(flat.size, 4, replace=False):
                before, expected = flat[i], 0.0
                for weight, k in ((8, 1), (-8, -1), (-1, 2), (1, -2)):
                    flat[i] = before + k * 1e-4
                    expected += weight * j() / (12 * 1e-4)
                flat[i] = before
                assert found[i] == pytest.approx(expected, rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize("tie", ["compartment", "soma"])
@pytest.mark.parametrize("name", CASES)
def test_in_single_neurons(name, tie):
    model = neurons(name)
    learner = ds.NeuronLearner(model, SBD(decay=0.0, tie=tie, of="voltage"), loss="mse")
    x = neuron_batch()[0]
    lesson = learner.taught(model.checked(x), np.random.default_rng(1).random((len(x), model.n_outputs)))[0]
    learner.teaching.observe(lesson)
    layout, voltage = model.layout, values_of(lesson, "voltage")
    rows = layout.roots[layout.cell] if tie == "soma" else np.arange(layout.size)
    expected = lesson.output_error @ lesson.output_error.T @ voltage[:, rows]
    np.testing.assert_allclose(taught(lesson, learner.teaching), expected, rtol=1e-9, atol=1e-12)
