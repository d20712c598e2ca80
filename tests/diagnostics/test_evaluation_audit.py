"""Models that are broken on purpose, one way each: the check that should catch it does, and no other."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics import Accuracy, ResidualSubject, Thresholds, audit
from dendrosim.errors import ParameterError
from dendrosim.networks import ResMLP, StudentNet
from dendrosim.tasks import standardisation
from dendrosim.teaching.residual import Credits, LayerCredit

RECIPE = {
    "optimiser": "adamw", "schedule": {"name": "cosine", "per": "epoch"}, "batch_size": 64, "validation": 0,
    "restore_best": False, "clip_value": None, "epochs": 4, "threads": 1, "progress": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def task():
    return ds.tasks.load("student", n_inputs=16, n_classes=5, n_train=1500, n_test=600)


def fresh(task, **options):
    center, scale = standardisation(task)
    return ResMLP(16, 5, 32, 3, center=center, scale=scale, seed=1, **options)


def train(network, task, teaching, **options):
    return ds.train(network, task, teaching=teaching, rates=options.pop("rates", 3e-3), **RECIPE, **options).network


@pytest.fixture(scope="module")
def healthy(task):
    return train(fresh(task), task, "bp")


@pytest.fixture(scope="module")
def frozen(task):
    return train(fresh(task), task, "frozen")


def scaled(network, factor, groups):
    """The stream times a factor: what goes into it, of the embedding and of every block."""
    made = network.copy()
    for name, array in made.parameters.items():
        into = name.startswith("embedding") or name.endswith(("weight_1", "bias_1"))
        if into and name.startswith(groups):
            array *= factor
    return made


def examine(network, task, frozen, teaching="bp", **options):
    return audit(
        ResidualSubject(network, teaching), task.x_test, task.y_test, frozen=ResidualSubject(frozen, "frozen"),
        samples=256, **options,
    )  # fmt: skip


def test_a_healthy_model_passes(healthy, frozen, task):
    report = examine(healthy, task, frozen)
    assert report.verdict.flags == ()
    assert [verdict.failed for verdict in report.verdicts.values()] == [False, False]
    assert not any(report.lopsided.values())
    assert not any(report.strategies.values())
    assert report.gap > 0.02
    assert report.gamma == pytest.approx({"paper": 1.0, "corrected": 1.0})
    assert np.isnan(report.earned)
    assert str(report).startswith("ResMLP under BP(): pass")


def test_scale_alone(frozen, task):
    """Blocks dwarf a first layer that hardly speaks; the network is as good as before, and its reference too."""
    made = fresh(task)
    for name in ("embedding_weight", "embedding_bias"):
        made.parameters[name] *= 1e-3
    trained = train(made, task, "bp", rates={"embedding": 1e-6, "blocks": 3e-3, "head": 3e-3})
    report = examine(trained, task, frozen)
    assert report.verdict.flags == ("D1",)
    assert report.verdict.failed is False  # growth alone leaves the cosine measurable
    assert not any(report.lopsided.values())
    assert examine(trained, task, frozen, thresholds=Thresholds(growth=1e6)).verdict.flags == ()


def test_reference_alone(healthy, frozen, task):
    """The whole stream is large: no block grows, predictions are the same, and the terminal norm divides by it."""
    report = examine(scaled(healthy, 1e6, ("embedding", "block")), task, frozen)
    assert report.verdict.flags == ("D2",)
    assert report.rho["paper"] == pytest.approx(examine(healthy, task, frozen).rho["paper"], rel=1e-3)
    assert report.verdict.failed is False
    assert report.verdicts["corrected"].flags == ()  # gradients of samples are above the clamp, and valid
    np.testing.assert_allclose(report.table["cosine_output"][:-1], 1.0, rtol=1e-5)
    assert (report.table["cosine_paper"][:-1] < 0.99).any()


def test_without_a_terminal_norm_scale_does_not_touch_the_reference(task, frozen):
    made = fresh(task, terminal_norm=False)
    grown = scaled(made, 1e6, ("embedding", "block"))
    for one in (made, grown):  # outputs are no longer the same: the same errors are sent back instead
        one.parameters["head_weight"][...] = made.parameters["head_weight"]
    errors = np.random.default_rng(0).standard_normal((50, 5)).astype(np.float32)
    sizes = [np.linalg.norm(one.head_backward(one.run(task.x_test[:50]), errors)) for one in (made, grown)]
    assert sizes[0] == sizes[1]


def test_scale_and_reference_together_are_mode_1(healthy, task):
    """Growth block by block under a terminal norm, accuracy still above a poor baseline."""
    report = audit(
        ResidualSubject(scaled(healthy, 1e8, ("block",)), "bp"), task.x_test, task.y_test, frozen=0.0, samples=256
    )
    assert report.verdict.flags == ("D1", "D2")
    assert report.verdict.failed is True
    assert report.strategies == {"S0": False, "S1": False, "S2": True, "S3": True}


def test_depth_alone(frozen, task):
    """Blocks that never learned."""
    report = examine(frozen, task, frozen)
    assert report.verdict.flags == ("D3",)
    assert report.verdict.failed is True
    assert not any(report.lopsided.values())
    assert report.strategies == {"S0": False, "S1": False, "S2": False, "S3": True}


class OneEnd(LayerCredit):
    """The exact gradient for one block, noise for all others."""

    name = "one_end"

    def credits(self, lesson):
        rng = np.random.default_rng(0)
        g = [v.copy() for v in lesson.transport()]
        told = [g[1], *(rng.standard_normal(v.shape) for v in g[2:])]
        return Credits(told, g[0], told)


def test_an_aggregate_that_one_layer_carries(healthy, frozen, task):
    report = examine(healthy, task, frozen, teaching=OneEnd())
    assert report.lopsided == {"paper": True, "corrected": True}
    assert report.verdict.flags == ()  # told beside the verdict, by the layer
    assert report.gamma["paper"] > 0.2
    assert abs(report.deep["paper"]) < 0.1


def test_a_task_that_needs_no_depth_makes_the_third_check_uninformative(task):
    center, scale = standardisation(task)
    one = StudentNet(16, 5, 16, 2, center=center, scale=scale)
    told = audit(ResidualSubject(one), task.x_test, task.y_test, frozen=0.9, exact=0.8, samples=100)
    assert told.informative is False
    assert "not informative" in str(told)
    assert audit(ResidualSubject(one), task.x_test, task.y_test, frozen=0.5, exact=0.8).informative is True
    assert audit(ResidualSubject(one), task.x_test, task.y_test, frozen=0.5).informative is None


def test_without_a_baseline_the_verdict_is_incomplete(healthy, task):
    report = audit(ResidualSubject(healthy), task.x_test, task.y_test, samples=100)
    assert report.verdict.failed is None
    assert np.isnan(report.gap)
    assert "no frozen baseline" in str(report)


def test_feedback_alignment_is_not_credited_with_what_it_is_given(healthy, frozen, task):
    report = examine(healthy, task, frozen, teaching="fa")
    assert report.deep["corrected"] > 0.3
    assert abs(report.earned) < 0.2
    assert report.lopsided["corrected"]


def test_refusals(healthy, task):
    subject = ResidualSubject(healthy)
    with pytest.raises(ParameterError, match="subject must be Auditable"):
        audit(healthy, task.x_test, task.y_test)
    with pytest.raises(ParameterError, match="one class per sample"):
        audit(subject, task.x_test, task.y_test[:5])
    with pytest.raises(ParameterError, match="thresholds must be Thresholds"):
        audit(subject, task.x_test, task.y_test, thresholds=3)
    with pytest.raises(ParameterError, match="samples=0"):
        audit(subject, task.x_test, task.y_test, samples=0)
    with pytest.raises(ParameterError, match="accuracy=2"):
        audit(subject, task.x_test, task.y_test, frozen=2)
    assert Accuracy.of(0.5) == Accuracy(1, 2)
