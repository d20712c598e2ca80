"""Measures of the evaluation protocol against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.diagnostics import Layers, ResidualSubject, measure
from dendrosim.diagnostics.evaluation import (
    aggregate,
    cosines,
    deep,
    dominance,
    growth,
    mean_cosine,
    mean_norm,
    row_norms,
)
from dendrosim.errors import ParameterError
from dendrosim.networks import ResMLP

rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("values", "mean", "later"),
    [((0.01, 0.0, 0.0, 0.95), 0.24, 0.3167), ((0.39, 0.0, 0.0, 0.0), 0.0975, 0.0), ((0.01, 0.95), 0.48, 0.95)],
)
def test_aggregate_and_deep_cosine_of_the_paper(values, mean, later):
    assert aggregate(values) == pytest.approx(mean, abs=1e-12)
    assert deep(values) == pytest.approx(later, abs=5e-5)


def test_one_layer_has_no_deep_cosine():
    assert np.isnan(deep([0.5]))
    assert aggregate([0.5]) == 0.5


def test_share_of_one_layer():
    assert dominance([0.5, 0.5]) == 0.5
    assert dominance([-0.3, 0.2, 0.0]) == 1.0
    assert np.isnan(dominance([-0.1, 0.0]))


def test_the_clamp_shrinks_what_is_printed_and_not_the_direction():
    a = rng.standard_normal((50, 16))
    g = a + 0.5 * rng.standard_normal((50, 16))
    true = np.einsum("nd,nd->n", a, g) / np.linalg.norm(a, axis=1) / np.linalg.norm(g, axis=1)
    short = 1e-9 * g / np.linalg.norm(g, axis=1, keepdims=True)
    np.testing.assert_allclose(cosines(a, short, 1e-8), 0.1 * true, rtol=1e-12)
    np.testing.assert_allclose(cosines(a, short), true, rtol=1e-12)
    np.testing.assert_allclose(cosines(a, g * 1e-200), true, rtol=1e-12)


def test_by_torch():
    torch = pytest.importorskip("torch")
    a, g = rng.standard_normal((20, 8)), 1e-9 * rng.standard_normal((20, 8))
    expected = torch.nn.functional.cosine_similarity(torch.tensor(a), torch.tensor(g))
    np.testing.assert_allclose(cosines(a, g, 1e-8), expected.numpy(), rtol=1e-12)


def test_samples_without_a_gradient_have_no_direction():
    a, g = np.ones((3, 2)), np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 2.0]])
    assert np.isnan(cosines(a, g)).tolist() == [False, True, False]
    assert mean_cosine(a, g) == pytest.approx((2**-0.5 + 1) / 2)
    assert cosines(a, g, 1e-8)[1] == 0.0
    assert np.isnan(mean_cosine(a, 0 * g))


def test_samples_whose_gradient_is_not_finite_are_left_out_and_their_length_is_not_hidden():
    a, g = np.ones((3, 2)), np.array([[np.inf, 1.0], [np.nan, 1.0], [2.0, 2.0]])
    assert row_norms(g).tolist()[0] == np.inf
    assert np.isnan(row_norms(g)).tolist() == [False, True, False]
    for epsilon in (0.0, 1e-8):
        assert np.isnan(cosines(a, g, epsilon)).tolist() == [True, True, False]
        assert mean_cosine(a, g, epsilon) == pytest.approx(1.0)
    table = measure(Layers([a, g], [g[2:].repeat(3, 0), g], [a], [a], None, np.ones(3)))
    assert (table["without_gradient"].tolist(), table["cosine_output"][0]) == ([0.0, 2 / 3], pytest.approx(1.0))
    assert np.isnan(table["growth"][0])
    assert not table["given"][0]


def test_lengths_neither_overflow_nor_vanish():
    rows = np.array([[3.0, 4.0], [0.0, 0.0]])
    for factor in (1.0, 1e300, 1e-300):
        np.testing.assert_allclose(row_norms(factor * rows), factor * np.array([5.0, 0.0]), rtol=1e-15)
    assert mean_norm(rows) == 2.5


def test_growth():
    assert growth([2.0, 4.0, 4.0]).tolist() == [2.0, 1.0]
    assert growth([0.0, 0.0, 1.0]).tolist() == [1.0, np.inf]


def subject(n_inputs=24, **options):
    return ResidualSubject(ResMLP(n_inputs, 4, 16, 3, **options), "dfa", seed=1)


def data(n, n_inputs=24):
    local = np.random.default_rng(n)
    return local.standard_normal((n, n_inputs)), local.integers(0, 4, n)


def test_the_gradient_of_the_mean_loss_depends_on_the_batch_and_that_of_a_sample_does_not():
    model, (x, y) = subject(dtype="float64"), data(512)
    tables = {n: measure(model.layers(np.tile(x[:64], (n // 64, 1)), np.tile(y[:64], n // 64))) for n in (64, 128, 512)}
    for n, table in tables.items():
        np.testing.assert_allclose(table["gradient_sample"], tables[64]["gradient_sample"], rtol=1e-12)
        np.testing.assert_allclose(table["gradient_mean"], tables[64]["gradient_mean"] * 64 / n, rtol=1e-12)
        np.testing.assert_allclose(table["cosine_output"], tables[64]["cosine_output"], rtol=1e-9)


def test_directions_below_the_clamp_are_valid_in_float32():
    """A stream of 1e7 under a terminal norm: |g_L| of the mean loss is near 1e-9."""
    made = ResMLP(24, 4, 16, 3, seed=2)
    for name, array in made.parameters.items():
        if name.startswith("embedding") or name in {f"block_{i}_{p}_1" for i in range(3) for p in ("weight", "bias")}:
            array *= 1e6
    x, y = data(256)
    low, high = (ResidualSubject(one, "dfa").layers(x, y) for one in (made, made.astype("float64")))
    table = measure(low)
    assert 1e-10 < table["gradient_mean"][-1] < 1e-8
    for a, b in zip(low.gradient, high.gradient, strict=True):
        assert cosines(a, b).min() > 0.999999
    assert abs(table["cosine_paper"][1]) < 0.5 * abs(table["cosine_input"][1])


def test_a_credit_that_is_the_gradient_itself_is_called_given():
    x, y = data(64)
    for name, given in (("bp", [True] * 3), ("fa", [False, False, True]), ("dfa", [False] * 3)):
        table = measure(ResidualSubject(ResMLP(24, 4, 16, 3), name).layers(x, y))
        assert table["given"].tolist() == [*given, False]
    assert np.isnan(table["cosine_output"][-1])


def test_the_cosine_of_the_deepest_block_is_near_one_before_any_learning_by_the_papers_index():
    table = measure(ResidualSubject(ResMLP(24, 4, 64, 3), "fa").layers(*data(256)))
    assert table["cosine_input"][2] > 0.85
    assert table["cosine_output"][2] == pytest.approx(1.0)


def arrays(depth=2, n=3, d=4):
    return {
        "activity": [np.ones((n, d))] * (depth + 1), "gradient": [np.ones((n, d))] * (depth + 1),
        "told": [np.ones((n, d))] * depth, "reported": [np.ones((n, d))] * depth, "first": None, "loss": np.ones(n),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gradient": [np.ones((3, 4))] * 2}, "gradient has 2 layers; with credits of 2 blocks it needs 3"),
        ({"told": []}, "with credits of 0 blocks"),
        ({"told": [np.ones((3, 4)), np.ones((3, 5))]}, r"told\[1\] has shape \(3, 5\); expected \(3, 4\)"),
        ({"first": np.ones((2, 4))}, "first has shape"),
        ({"loss": np.ones(4)}, r"loss has shape \(4,\)"),
    ],
)
def test_layers_that_do_not_fit(change, words):
    Layers(**arrays())
    with pytest.raises(ParameterError, match=words):
        Layers(**{**arrays(), **change})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: growth([1.0]), "at least two"),
        (lambda: cosines(np.ones((2, 3)), np.ones((2, 4))), r"gradient \(2, 4\)"),
        (lambda: cosines(np.ones((2, 3)), np.ones((2, 3)), -1.0), "epsilon=-1"),
        (lambda: aggregate([]), "one per layer"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(ParameterError, match=words):
        call()
