"""PyTorch models through hooks: the twin of a residual network has the same report."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from dendrosim.diagnostics import ResidualSubject, TorchSubject, audit, fresh_null, nudging
from dendrosim.errors import MissingDependencyError, ParameterError
from dendrosim.networks import ResMLP, StudentNet

from ..networks.residual.cases import torch_twin

torch = pytest.importorskip("torch")

NETWORKS = {
    "2lin": lambda dtype: ResMLP(24, 4, 16, 3, dtype=dtype, seed=1, center=0.5, scale=0.3),
    "3lin": lambda dtype: ResMLP(24, 4, 16, 2, dtype=dtype, seed=1, block="3lin", terminal_norm=False),
    "student": lambda dtype: StudentNet(24, 4, 16, 3, dtype=dtype, seed=1),
}


def data(n=96):
    rng = np.random.default_rng(n)
    return rng.random((n, 24)).astype(np.float32), rng.integers(0, 4, n)


def direct(matrices):
    matrices = [torch.tensor(b) for b in matrices]
    return lambda lesson: [lesson.error @ b for b in matrices]


def sequential(matrices):
    matrices = [torch.tensor(b) for b in matrices]

    def credit(lesson):
        told = [lesson.top]
        for b in reversed(matrices):
            told.insert(0, told[0] @ b.T)
        return told

    return credit


RULES = {"bp": lambda matrices: None, "dfa": direct, "fa": sequential}


def both(case, rule, dtype="float32"):
    network = NETWORKS[case](dtype)
    ours = ResidualSubject(network, rule, seed=3)
    twin = torch_twin(network)
    credit = RULES[rule](list(ours.learner.teaching.state().values()))
    return ours, TorchSubject(twin, [*twin.blocks, twin.norm], credit)


@pytest.mark.parametrize("case", NETWORKS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-5), ("float64", 1e-10)])
def test_the_twin_has_the_same_report(case, rule, dtype, tolerance):
    x, y = data()
    reports = [audit(one, x.astype(dtype), y, frozen=0.3, samples=64) for one in both(case, rule, dtype)]
    for name in reports[0].table.dtype.names:
        a, b = (report.table[name] for report in reports)
        np.testing.assert_allclose(a.astype(float), b.astype(float), rtol=tolerance, atol=tolerance, err_msg=name)
    assert reports[0].accuracy == reports[1].accuracy
    assert reports[0].verdicts == reports[1].verdicts
    assert reports[0].first == pytest.approx(reports[1].first, abs=tolerance)
    assert reports[0].strategies == reports[1].strategies


def test_the_twin_is_nudged_the_same():
    x, y = data(32)
    found = [nudging(one, x, y) for one in both("2lin", "dfa")]
    for name in ("input", "output", "expected"):
        np.testing.assert_allclose(getattr(found[0], name), getattr(found[1], name), rtol=2e-4)


def test_read_only_samples_will_do():
    x, y = data(32)
    x.setflags(write=False)
    y.setflags(write=False)  # as those of tasks are; torch warns of them, and warnings are errors here
    subject = both("2lin", "dfa")[1]
    report = audit(subject, x, y, frozen=0.3)
    assert report.accuracy == audit(subject, x.copy(), y.copy(), frozen=0.3).accuracy
    assert np.isfinite(nudging(subject, x, y).output).all()


def test_fresh_feedback_of_a_torch_model():
    ours, theirs = both("2lin", "dfa")

    def redraw(rng):
        return direct([(rng.standard_normal((4, 16)) / 4).astype(np.float32) for _ in range(3)])

    subject = TorchSubject(theirs.model, theirs._entries, theirs.credit, redraw=redraw)
    x, y = data()
    assert fresh_null(subject, x, y, draws=3).trained_corrected == pytest.approx(
        fresh_null(ours, x, y, draws=3).trained_corrected, abs=1e-5
    )
    with pytest.raises(ParameterError, match="no random feedback"):
        fresh_null(theirs, x, y)


def test_the_model_is_left_as_it_was():
    _, subject = both("2lin", "bp")
    subject.model.train()
    x, y = data(8)
    subject.layers(x, y)
    subject.predict(x)
    assert subject.model.training
    assert all(p.grad is None for p in subject.model.parameters())
    assert not any(module._forward_pre_hooks for module in subject.model.modules())


def test_images_and_frozen_parameters():
    """A stream of any shape; no parameter needs a gradient."""
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3, padding=1), torch.nn.Conv2d(2, 2, 3, padding=1), torch.nn.Flatten(),
        torch.nn.Linear(32, 3),
    ).requires_grad_(False)  # fmt: skip
    subject = TorchSubject(model, ["1", "2"])
    x, y = np.random.default_rng(0).random((5, 1, 4, 4)), np.arange(5) % 3
    layers = subject.layers(x, y)
    assert [h.shape for h in layers.activity] == [(5, 32), (5, 32)]
    assert nudging(subject, x, y).output[0] < 0


def test_refusals(monkeypatch):
    _, subject = both("2lin", "bp")
    model, (x, y) = subject.model, data(8)
    for make, words in (
        (lambda: TorchSubject(3, []), "torch.nn.Module"),
        (lambda: TorchSubject(model, ["blocks.0", "nowhere"]), r"entries\[1\]='nowhere' is no module"),
        (lambda: TorchSubject(model, ["blocks.0"]), "fewer than two"),
        (lambda: TorchSubject(model, ["blocks.0", "norm"], lambda lesson: []).layers(x, y), "credit gave 0 layers"),
    ):
        with pytest.raises(ParameterError, match=words):
            make()

    class Odd(torch.nn.Module):
        def __init__(self, forward):
            super().__init__()
            self.a, self.b, self.c = (torch.nn.Linear(n, 4) for n in (24, 4, 4))
            self.way = forward

        def forward(self, x):
            return self.way(self, x)

    for way, words in (
        (lambda m, x: m.b(m.a(x).detach()), "no gradient at the input of a: the model detaches"),
        (lambda m, x: m.a(x), "b was not reached"),
        (lambda m, x: m.b(m.b(m.a(x))), "b runs twice"),
    ):
        with pytest.raises(ParameterError, match=words):
            TorchSubject(Odd(way), ["a", "b"]).layers(x, y)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"dendrosim\[torch\]"):
        TorchSubject(model, [])
