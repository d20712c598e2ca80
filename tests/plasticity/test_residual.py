"""Local losses of residual blocks: what they share with backpropagation, and what each rule may not know."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info as info

from dendrosim.errors import ParameterError
from dendrosim.losses import loss
from dendrosim.networks.residual import ResMLP, ViTMini
from dendrosim.plasticity import residual
from dendrosim.plasticity.optimisers import SGD, AdamW
from dendrosim.plasticity.residual import BlockRule, ResidualLearner
from dendrosim.teaching.residual import LAYER_CREDITS, Credits, LayerCredit

LOCAL = ("fa", "dfa", "state_bridge", "credit_bridge")


def samples(n=12, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, 6)).astype(dtype), rng.integers(0, 3, n)


def network(depth=2, dtype="float64", **options):
    return ResMLP(6, 3, 8, depth, hidden=16, dtype=dtype, seed=3, **options)


class Told(LayerCredit):
    """Whatever a function says."""

    name = "told"

    def __init__(self, says):
        self.says = says

    def credits(self, lesson):
        told, first = self.says(lesson)
        return Credits(told, first, told)


def gradients(made, teaching, x, y, penalty=0.0, **options):
    return ResidualLearner(made, teaching, BlockRule(penalty), **options).gradients(x, y).values


def relative(found, expected):
    return max(float(np.abs(found[k] - expected[k]).max() / np.abs(expected[k]).max()) for k in expected)


def test_backpropagation_in_local_form():
    made, (x, y) = network(depth=3), samples()
    exact = gradients(made, "bp", x, y)

    def above(lesson):
        g = [v.copy() for v in lesson.transport()]
        return g[1:], g[0]

    assert relative(gradients(made, Told(above), x, y), exact) < 1e-12

    def below(lesson):  # the paper's index: the gradient at the input of the block
        g = [v.copy() for v in lesson.transport()]
        return g[:-1], g[0]

    assert relative(gradients(made, Told(below), x, y), exact) > 1e-2


def test_the_gradient_at_the_input_of_the_last_block_is_near_that_at_its_output_before_any_learning():
    made = ResMLP(48, 10, 64, 4, seed=0, dtype="float64")
    rng = np.random.default_rng(0)
    learner = ResidualLearner(made, "fa")
    lesson, _ = learner.lesson(rng.standard_normal((200, 48)), rng.integers(0, 10, 200))
    g = lesson.transport()
    top, input_ = g[4], g[3]
    cosine = (top * input_).sum(1) / np.linalg.norm(top, axis=1) / np.linalg.norm(input_, axis=1)
    assert 0.85 < cosine.mean() < 0.999  # the cosine that feedback alignment is credited with there


def test_feedback_alignment_with_exact_jacobians_is_backpropagation():
    made, (x, y) = network(depth=3), samples()

    def steps(lesson):
        """One step of B per block, I + J^T of the block above; one more for the embedding."""
        told, a = [lesson.exact_top.copy()], lesson.passage
        for i in range(made.depth - 1, -1, -1):
            step = np.empty_like(told[0])
            made.block_backward(i, a, told[0], 0.0, step)
            told.insert(0, told[0] + step)
        return told[1:], told[0]

    assert relative(gradients(made, Told(steps), x, y), gradients(made, "bp", x, y)) < 1e-12


def test_with_one_block_feedback_alignment_differs_in_the_embedding_alone():
    made, (x, y) = network(depth=1), samples()
    exact, fa = gradients(made, "bp", x, y), gradients(made, "fa", x, y)
    for name in exact:
        same = np.allclose(fa[name], exact[name], rtol=1e-12, atol=1e-15)
        assert same != name.startswith("embedding"), name


def test_direct_feedback_through_the_transposed_head_is_exact_without_a_norm():
    made, (x, y) = network(depth=1, terminal_norm=False), samples()
    learner = ResidualLearner(made, "dfa")
    learner.teaching.restore({"block_0": made.parameters["head_weight"].T})
    lesson, _ = learner.lesson(x, y)
    np.testing.assert_array_equal(learner.credits(lesson).told[0], lesson.exact_top)


class TestPenalty:
    def test_its_gradient_by_central_differences(self):
        made, (x, y) = network(), samples()
        lam, learner = 0.3, ResidualLearner(made, "dfa", BlockRule(0.3))
        lesson, _ = learner.lesson(x, y)
        told = [a.copy() for a in learner.credits(lesson).told]
        found, h0 = learner.gradients(x, y).values, lesson.passage.h[0].copy()

        def local(i):
            """Of block i, with its own input and credit held fixed."""
            a = made.run(x)
            return (a.f[i] * told[i]).sum() + lam * (a.f[i] ** 2).sum() / len(x)

        array = made.parameters["block_0_weight_0"]
        for index in ((0, 0), (3, 5), (7, 15)):
            kept = array[index]
            array[index] = kept + 1e-6
            above = local(0)
            array[index] = kept - 1e-6
            below = local(0)
            array[index] = kept
            assert found["block_0_weight_0"][index] == pytest.approx((above - below) / 2e-6, rel=1e-6)
        np.testing.assert_array_equal(made.run(x).h[0], h0)

    def test_of_backpropagation_is_part_of_the_loss(self):
        made, (x, y) = network(depth=3), samples()
        found = gradients(made, "bp", x, y, penalty=0.05)

        def total():
            a = made.run(x)
            squares = sum((f**2).sum() for f in a.f)
            return loss("cross_entropy").evaluate(a.logits, y)[0].mean() + 0.05 * squares / len(x)

        for name in ("embedding_weight", "block_0_weight_1", "block_1_norm_gain", "block_2_weight_0"):
            array, index = made.parameters[name], (2,) * made.parameters[name].ndim
            kept = array[index]
            array[index] = kept + 1e-6
            above = total()
            array[index] = kept - 1e-6
            below = total()
            array[index] = kept
            assert found[name][index] == pytest.approx((above - below) / 2e-6, rel=2e-6), name

    def test_a_block_settles_at_minus_the_credit_over_twice_lambda(self):
        made, (x, y) = network(depth=1), samples(n=1)
        credit, lam = np.random.default_rng(1).standard_normal((1, 8)), 0.5
        rule = Told(lambda lesson: ([credit * lesson.share], np.zeros((1, 8))))
        learner = ResidualLearner(made, rule, BlockRule(lam), optimiser=SGD(), rates=0.05)
        for _ in range(800):
            learner.step(x, y)
        np.testing.assert_allclose(made.run(x).f[0], -credit / (2 * lam), rtol=1e-4)

    @pytest.mark.parametrize("teaching", ["bp", "dfa"])
    def test_zero_is_no_penalty_to_the_bit(self, teaching):
        made, (x, y) = network(), samples()
        plain, zero = (
            ResidualLearner(made, teaching, rule).gradients(x, y).values
            for rule in ("3F", {"name": "3F", "penalty": 0.0})
        )
        assert all((plain[name] == zero[name]).all() for name in plain)


class TestLocality:
    def test_feedback_of_a_block_concerns_no_other(self):
        made, (x, y) = network(depth=3), samples()
        learner = ResidualLearner(made, "dfa")
        before = learner.gradients(x, y).values
        state = learner.teaching.state()
        learner.teaching.restore({**state, "block_0": state["block_0"] + 1.0})
        after = learner.gradients(x, y).values
        for name in before:
            concerned = name.startswith(("block_0", "embedding"))
            assert (before[name] == after[name]).all() != concerned, name

    @pytest.mark.parametrize("teaching", ["bp", "fa", "dfa", "state_bridge"])
    def test_without_error_there_is_no_credit(self, teaching):
        made, (x, y) = network(), samples()
        learner = ResidualLearner(made, teaching)
        lesson, _ = learner.lesson(x, y)
        lesson.error[...] = 0.0
        lesson.share = 0.0  # the state bridge has an error of its own
        made.head_backward(lesson.passage, lesson.error)
        credits = learner.credits(lesson)
        assert all((a == 0).all() for a in [*credits.told, credits.embedding])

    @pytest.mark.parametrize("teaching", ["frozen", {"name": "dfa", "blocks": "frozen"}])
    def test_frozen_blocks_keep_every_bit(self, teaching):
        made, (x, y) = network(dtype="float32"), samples(dtype="float32")
        before = made.state()
        learner = ResidualLearner(made, teaching)
        for _ in range(3):
            learner.step(x, y)
        for name, array in made.parameters.items():
            assert (array == before[name]).all() == name.startswith("block"), name

    def test_the_frozen_baseline_trains_the_rest_by_true_gradients(self):
        made, (x, y) = network(), samples()
        exact, frozen = gradients(made, "bp", x, y), gradients(made, "frozen", x, y)
        for name, value in frozen.items():
            assert (value == (0 if name.startswith("block") else exact[name])).all(), name


def test_the_scale_of_direct_feedback_is_lost_on_adam():
    x, y = samples(n=40)
    paths = []
    for scale in (1.0, 8.0):
        made = network()
        learner = ResidualLearner(made, "dfa", optimiser=AdamW(epsilon=1e-30))
        learner.teaching.restore({k: v * scale for k, v in learner.teaching.state().items()})
        for _ in range(5):
            learner.step(x, y)
        paths.append(made.state())
    assert relative(paths[1], paths[0]) < 1e-9


def test_an_embedding_with_feedback_of_its_own():
    made, (x, y) = network(), samples()
    for name in ("fa", "dfa"):
        learner = ResidualLearner(made, {"name": name, "embedding": "own"})
        lesson, _ = learner.lesson(x, y)
        credits, feedback = learner.credits(lesson), learner.teaching.state()
        own = feedback["embedding"]
        expected = lesson.error @ own if name == "dfa" else credits.told[0] @ own.T
        np.testing.assert_allclose(credits.embedding, expected, rtol=1e-12)
        plain = ResidualLearner(made, name)
        lesson, _ = plain.lesson(x, y)
        credits = plain.credits(lesson)
        assert credits.embedding is credits.told[0]


@pytest.mark.parametrize("teaching", LAYER_CREDITS)
@pytest.mark.parametrize("terminal_norm", [True, False])
def test_every_rule_learns_something(teaching, terminal_norm):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 120)
    x = (rng.random((120, 6)) + np.eye(3).repeat(2, axis=1)[y]).astype(np.float32)
    made = ResMLP(6, 3, 16, 2, seed=1, terminal_norm=terminal_norm)
    learner = ResidualLearner(made, teaching, BlockRule(1e-2), rates=5e-3)
    losses = [learner.step(x, y)[0] for _ in range(40)]
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("teaching", LAYER_CREDITS)
def test_a_restored_learner_goes_on_with_the_same_bits(teaching):
    x, y = samples(n=20, dtype="float32")
    made = network(dtype="float32")
    learner = ResidualLearner(made, teaching, seed=1)
    for _ in range(3):
        learner.step(x, y)
    other = ResidualLearner(made.copy(), teaching, seed=2)
    other.restore(learner.state())
    for _ in range(2):
        assert learner.step(x, y) == other.step(x, y)
    assert all((made.parameters[name] == other.network.parameters[name]).all() for name in made.parameters)


def test_feedback_of_a_transformer():
    """One matrix for all tokens: the exact gradient reaches the class token alone, and stays there step by step."""
    rng = np.random.default_rng(0)
    x, y = rng.random((6, 32)), rng.integers(0, 3, 6)
    made = ViTMini(32, 3, 8, 3, patch=2, heads=2, channels=2, dtype="float64")
    learner = ResidualLearner(made, "fa")
    lesson, _ = learner.lesson(x, y)
    told = learner.credits(lesson).told[0].reshape(6, 5, 8)
    assert (told[:, 0] != 0).all()
    assert (told[:, 1:] == 0).all()
    learner = ResidualLearner(made, "dfa", BlockRule(1e-2), rates=1e-3)
    lesson, _ = learner.lesson(x, y)
    told = learner.credits(lesson).told[1].reshape(6, 5, 8)
    np.testing.assert_array_equal(told[:, 0], told[:, 4])
    losses = [learner.step(x, y)[0] for _ in range(30)]
    assert losses[-1] < losses[0]
    with pytest.raises(ParameterError, match="has 5 tokens"):
        ResidualLearner(made, "state_bridge")


THREADED = {
    "ResMLP": lambda: ResMLP(400, 3, 128, 2, center=0.4, scale=0.3, dtype="float64"),
    "ViTMini": lambda: ViTMini(192, 3, 32, 2, patch=2, dtype="float64"),
}


@pytest.mark.parametrize("make", THREADED.values(), ids=THREADED)
@pytest.mark.parametrize("teaching", ["bp", "frozen", "fa", "dfa"])
@pytest.mark.parametrize("penalty", [0.0, 1e-2])
def test_two_threads_do_what_one_does(make, teaching, penalty, monkeypatch):
    """Samples in ranges, parameters in pieces: the same steps but for rounding, and on each number of threads again."""
    monkeypatch.setattr(residual, "_WORTH_A_THREAD", 1)
    monkeypatch.setattr(residual, "_PIECE", 5000)
    states = []
    for threads in (1, 2, 3, 2):
        made = make()
        x, y = np.random.default_rng(1).random((50, made.n_inputs)), np.arange(50) % 3
        options = {"optimiser": SGD(), "rates": 0.1, "decay": 1e-3, "threads": threads}
        learner = ResidualLearner(made, teaching, BlockRule(penalty), **options)
        losses = [learner.step(x[:n], y[:n]) for n in (50, 50, 33)]
        states.append({**made.state(), "losses": np.array(losses)})
    one, two, three, again = states
    assert all((two[name] == again[name]).all() for name in one)
    for other in (two, three):
        for name, value in one.items():
            np.testing.assert_allclose(other[name], value, rtol=1e-9, atol=1e-12)


def test_products_have_their_threads_back_after_a_step(monkeypatch):
    monkeypatch.setattr(residual, "_WORTH_A_THREAD", 1)
    x, y = samples(40)
    learner = ResidualLearner(network(), "dfa", threads=2)
    before = [one["num_threads"] for one in info()]
    learner.step(x, y)
    assert [one["num_threads"] for one in info()] == before
    learner.teaching = Told(lambda lesson: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        learner.step(x, y)
    assert [one["num_threads"] for one in info()] == before


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ResidualLearner(network(), "per_soma"), "teaching='per_soma' is not known; valid: 'bp', 'fa', 'dfa'"),
        (lambda: ResidualLearner(network(), rule="5F"), "its blocks learn with '3F'"),
        (lambda: ResidualLearner(network(), {"name": "dfa", "blocks": "some"}), "'trained', 'frozen'"),
        (lambda: ResidualLearner(network(), rule={"name": "3F", "penalty": -1}), "penalty=-1"),
        (lambda: ResidualLearner(3), "network must be ResidualNetwork"),
        (lambda: ResidualLearner(network(), "bp").teaching.redraw(network(), None), "no random feedback"),
        (lambda: ResidualLearner(network(), {"name": "credit_bridge", "label": 1}), "label=1 must be True or False"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ParameterError, match=words):
        make()
