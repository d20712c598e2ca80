"""Tasks by name: what there is, that seeds mean what they say, and what is said of unknown names and options."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.tasks.registry import REFUSED, TASKS

SYNTHETIC = ("context_gating", "cue_integration", "digits", "info_shunting", "noise_lines", "student")
FROM_IMAGES = ("fashion_mnist", "figure_ground_mnist", "hierarchical", "mnist", "noise_subspace_mnist")
DRAWN = (*SYNTHETIC, "figure_ground_mnist", "hierarchical", "noise_subspace_mnist")
SMALL = {"n_train": 60, "n_validation": 10, "n_test": 30}


def load(name: str, seed: int = 0) -> ds.tasks.Task:
    sized = "n_validation" in inspect.signature(TASKS[name]).parameters
    return ds.tasks.load(name, seed, **(SMALL if sized else {}))


def test_the_names():
    assert ds.tasks.names() == sorted([*SYNTHETIC, *FROM_IMAGES, "cifar10", "cifar100"])


@pytest.mark.parametrize("name", [*SYNTHETIC, *FROM_IMAGES])
def test_every_task_is_what_it_promises(name, small_mnist):
    task = load(name)
    sized = "n_validation" in task.options
    assert task.name == name
    assert not sized or (len(task.x_train), len(task.x_test), task.n_validation) == (70, 30, 10)
    assert task.x_train.shape == (len(task.y_train), task.n_inputs)
    assert task.x_test.shape == (len(task.y_test), task.n_inputs)
    for x in (task.x_train, task.x_test):
        assert x.dtype == np.float32
        assert x.flags.c_contiguous
        assert not x.flags.writeable
        assert np.isfinite(x).all()
        assert x.min() >= 0
        assert 0.5 < x.max() < 6
    for y in (task.y_train, task.y_test):
        assert y.dtype == np.int64
        assert 0 <= y.min() <= y.max() < task.n_classes
    assert task.image_shape is None or np.prod(task.image_shape) == task.n_inputs
    assert str(len(task.x_train)) in task.description
    assert str(len(task.x_test)) in task.description
    assert task.description.endswith(".")
    for factors, y in ((task.factors_train, task.y_train), (task.factors_test, task.y_test)):
        assert all(len(values) == len(y) for values in factors.values())
    keywords = {p.name: p.default for p in inspect.signature(TASKS[name]).parameters.values() if p.name != "seed"}
    assert dict(task.options) == keywords | (SMALL if sized else {})


@pytest.mark.parametrize("name", [*SYNTHETIC, *FROM_IMAGES])
def test_same_seed_same_bits(name, small_mnist):
    first, second, other = (load(name, seed) for seed in (3, 3, 4))
    assert first.hash == second.hash
    assert (first.seed, other.seed) == (3, 4)
    assert (first.hash != other.hash) == (name in DRAWN)


@pytest.mark.parametrize("name", [name for name in DRAWN if name != "digits"])
def test_training_and_test_noise_differ(name, small_mnist):
    task = load(name)
    assert not {row.tobytes() for row in task.x_train} & {row.tobytes() for row in task.x_test}


def test_options_of_a_task_are_kept_beside_the_defaults():
    task = ds.tasks.load("cue_integration", lines=3, n_train=20)
    assert task.options["lines"] == 3
    assert task.options["noise"] == 0.3
    assert task.n_inputs == 2 * 2 * 3 + 2 * 4


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("minst", ["task='minst' is not known", "'cifar10', 'cifar100', 'context_gating'", "'mnist'"]),
        (3, ["task=3 is not known"]),
        ("noise_resilience", ["'noise_lines'", "'noise_subspace_mnist'", "say which"]),
        ("hierarchical_processing", ["'hierarchical'"]),
    ],
)
def test_unknown_names(name, words):
    with pytest.raises(ParameterError) as caught:
        ds.tasks.load(name)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_names_that_are_refused_lead_to_tasks_that_exist():
    for name, text in REFUSED.items():
        assert name not in TASKS
        assert any(f"'{known}'" in text for known in TASKS)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("digits", {"tset": 3}, "task 'digits' has no option 'tset'; its options, with defaults: n_test=360"),
        ("mnist", {"side": 3}, "task 'mnist' has no option 'side'; its options, with defaults: encoding='intensity'"),
        ("digits", {"n_test": 5}, "n_test=5 is impossible with 1797 samples of 10 classes; valid: 10 to 1787"),
        ("digits", {"n_test": 1797}, "valid: 10 to 1787"),
        ("digits", {"seed": -1}, "seed=-1"),
        ("context_gating", {"source": "cifar10"}, "source='cifar10' is not known; valid: 'digits', 'mnist'"),
        ("context_gating", {"layout": "stacked"}, "layout='stacked' is not known; valid: 'side_by_side', 'summed'"),
        ("context_gating", {"cue_lines": 0}, "cue_lines=0"),
        ("context_gating", {"cue_strength": -1}, "cue_strength=-1"),
        ("context_gating", {"n_train": 0}, "n_train=0"),
        ("context_gating", {"n_validation": -1}, "n_validation=-1"),
        ("noise_lines", {"encoding": "signed"}, "encoding='signed' is not known; valid: 'on_off', 'offset'"),
        ("noise_lines", {"side": 1}, "side=1"),
        ("noise_lines", {"side": 784}, "1229312 inputs, and 10000 samples of them take 49.2 GB"),
        ("noise_lines", {"noise": -0.1}, "noise=-0.1"),
        ("info_shunting", {"dimensions": 0}, "dimensions=0"),
        ("cue_integration", {"contexts": 4}, "contexts=4 is impossible; valid: 2"),
        ("cue_integration", {"contexts": 1}, "contexts=1"),
        ("cue_integration", {"evidence": 0}, "evidence=0"),
        ("figure_ground_mnist", {"noise": "none"}, "noise='none' is not known; valid: 'redrawn', 'fixed'"),
        ("figure_ground_mnist", {"noise_level": 2}, "noise_level=2"),
        ("figure_ground_mnist", {}, "are 10000 samples, and the training set of MNIST has 400"),
        ("noise_subspace_mnist", {"dimensions": 0.5}, "dimensions=0.5"),
        ("hierarchical", {"source": "letters"}, "source='letters'"),
        ("mnist", {"encoding": "signed"}, "encoding='signed' is not known; valid: 'intensity', 'on_off'"),
    ],
)
def test_impossible_options(name, options, words, small_mnist):
    with pytest.raises(ParameterError) as caught:
        ds.tasks.load(name, **options)
    assert words in str(caught.value), str(caught.value)
