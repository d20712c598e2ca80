"""The demo's second part: digits, learned."""

from __future__ import annotations

import pytest

import dendrosim as ds
from dendrosim.plotting.demo_learning import plot_demo_learning
from dendrosim.runs.demo_learning import run_demo_learning


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return run_demo_learning(tmp_path_factory.mktemp("demo"))


def test_local_rule_reaches_the_exact_one(demo):
    """More than nine in ten images of 360, far from the readout of a random core; ten in a hundred is chance."""
    reached = {name: run.test_accuracy for name, run in demo.runs.items()}
    assert reached["exact"] > 0.95
    assert reached["per soma, tree"] > 0.95
    assert reached["scalar"] < reached["decoder only"] < reached["per soma, tree"]


def test_it_has_reached_its_plateau(demo):
    accuracy = demo.runs["per soma, tree"].history["validation_accuracy"]
    assert accuracy[15:20].mean() == pytest.approx(accuracy[25:30].mean(), abs=0.01)


def test_what_is_shown(demo, tmp_path):
    text = str(demo)
    assert "per soma, tree" in text
    assert "cosine" in text
    paths = plot_demo_learning(demo, tmp_path)
    assert all(path.stat().st_size > 10_000 for path in paths)
    run = ds.Run.load(demo.path)
    assert run.test_accuracy == demo.runs["per soma, tree"].test_accuracy
