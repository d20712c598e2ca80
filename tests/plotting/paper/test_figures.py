"""Figures of the local-credit paper: everything that was given is in them, and what is missing is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.plotting.paper import FIGURES, NEEDS, draw
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.ledger import Item, Ledger
from dendrosim.runs.ledger_evidence import Evidence
from dendrosim.training.run import Run

matplotlib.use("Agg")

CORES = ("shunting", "additive")
AXES = {
    "figure2": 6,
    "figure3": 4,
    "figure4": 2,
    "figure5": 2,
    "figure6": 2,
    "figure7": 8,
    "figure8": 2,
    "figure9": 2,
    "figure10": 4,
    "figure11": 4,
    "figure12": 6,
    "figure13": 4,
}
SETTINGS: dict[str, Any] = {
    "task": {"name": "digits"},
    "network": {"cells": [3], "branching": [2], "excitatory": 4, "inhibitory": 2},
    "teaching": {"name": "per_soma"},
    "rule": {"name": "3F"},
}


@pytest.fixture(autouse=True)
def _close_figures() -> Any:
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture(scope="module")
def trained() -> dict[str, Run]:
    """A tiny network of either core, trained on digits for an epoch."""
    task = ds.tasks.load("digits").subset(n_train=200, n_test=60)
    runs = {}
    for core in CORES:
        network = ds.Network.dendritic(task.n_inputs, 10, [3], [2], 4, 2, integration=core, seed=0)
        follow = ds.training.RecordFidelity(every=1, samples=16)
        runs[core] = ds.train(
            network, task, epochs=2, batch_size=32, seed=0, callbacks=[follow], test_each_epoch=True, progress=False
        )
    return runs


def core_of(arm: str) -> str:
    return "additive" if "additive" in arm else "shunting"


def accuracies(arm: str, n: int = 3) -> list[float]:
    """Made-up test accuracies, different for every arm."""
    return list(np.random.default_rng(list(arm.encode())).uniform(0.2, 0.9, n))


def evidence(name: str, trained: Mapping[str, Run], seeds: int = 3, leave: tuple[str, ...] = ()) -> dict[str, Evidence]:
    """All arms that a figure needs, of tiny networks, with made-up accuracies."""
    found = {}
    for experiment, arms in NEEDS[name].items():
        full = [job.arm.name for job in Experiment.load(experiment).jobs(seeds=[0], arms=arms or None)]
        settings = {arm: {**SETTINGS, "network": {**SETTINGS["network"], "integration": core_of(arm)}} for arm in full}
        runs = {
            arm: {
                seed: replace(trained[core_of(arm)], test_accuracy=value)
                for seed, value in enumerate(accuracies(f"{experiment}, {arm}", seeds))
            }
            for arm in full
            if arm not in leave
        }
        found[experiment] = Evidence(experiment, settings, tuple(range(seeds)), runs)
    return found


@pytest.fixture(scope="module")
def items() -> dict[str, Item]:
    return {item.name: item for item in Ledger.load().items if item.name in FIGURES}


def published(figure: Figure) -> list[float]:
    """Values of all marks of published values."""
    return [float(line.get_ydata()[0]) for ax in figure.axes for line in ax.lines if line.get_gid() == "published"]


def texts(figure: Figure) -> str:
    inside = [text.get_text() for ax in figure.axes for text in ax.texts]
    return "\n".join([*inside, *(text.get_text() for text in figure.texts)])


@pytest.mark.parametrize("name", AXES)
def test_every_figure_has_its_panels_labels_and_published_values(
    name: str, items: dict[str, Item], trained: dict[str, Run]
) -> None:
    figure = draw(items[name], evidence(name, trained), note="quick: 2 epochs")
    figure.canvas.draw()  # layout and text, warnings are errors
    assert len(figure.axes) == AXES[name]
    for ax in figure.axes:
        assert ax.get_ylabel() or name in ("figure2", "figure7", "figure9", "figure10")
        assert ax.get_xlabel() or len(ax.get_xticks())
    shown = published(figure)
    numbers = [0.5 * (e.published.low + e.published.high) for e in items[name].entries if not e.published.sign]
    assert all(any(value == pytest.approx(number) for number in numbers) for value in shown)
    assert len(shown) == MARKS[name]
    assert "quick: 2 epochs" in texts(figure)
    assert "95 % intervals" in texts(figure)
    assert "No runs yet" not in texts(figure)


MARKS = {
    "figure2": 2,
    "figure3": 8,
    "figure4": 4,
    "figure5": 11,
    "figure6": 6,
    "figure7": 0,
    "figure8": 4,
    "figure9": 0,
    "figure10": 0,
    "figure11": 8,
    "figure12": 0,
    "figure13": 4,
}
"""Published numbers that the public files and the paper's text give for each."""


def test_a_mean_has_its_interval_its_seeds_and_their_number(items: dict[str, Item], trained: dict[str, Run]) -> None:
    given = evidence("figure6", trained, seeds=4)
    ax = draw(items["figure6"], given).axes[0]
    values = accuracies("sandbox_decoder, fair, frozen", 4)
    half = stats.t.ppf(0.975, 3) * np.std(values, ddof=1) / 2.0
    lines = [np.asarray(line.get_ydata(), dtype=float) for line in ax.lines]
    assert any(y.size == 4 and np.allclose(y, values) for y in lines)
    expected = [np.mean(values) - half, np.mean(values) + half]
    assert any(y.size == 2 and np.allclose(y, expected) for y in lines)
    assert any(y.size == 1 and np.allclose(y, np.mean(values)) for y in lines)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["local\nn = 4", "backprop\nn = 4", "frozen\nn = 4"]


def test_the_heat_map_shows_paired_differences_and_their_mean(items: dict[str, Item], trained: dict[str, Run]) -> None:
    figure = draw(items["figure2"], evidence("figure2", trained))
    image = figure.axes[0].images[0].get_array()

    def pair(own: str, level: int) -> np.ndarray[Any, Any]:
        first, second = (accuracies(f"sandbox_inhibition, {own}, {level}, {core}") for core in CORES)
        return np.subtract(first, second)

    expected = [[pair(own, level).mean() for level in (2, 5, 10, 20)] for own in ("as_run", "as_run-scalar")]
    np.testing.assert_allclose(np.asarray(image), expected)
    mean = next(line for line in figure.axes[2].lines if line.get_marker() == "o")
    assert float(mean.get_ydata()[0]) == pytest.approx(np.mean(expected))


def test_arms_without_runs_are_marked_and_named(items: dict[str, Item], trained: dict[str, Run]) -> None:
    figure = draw(items["figure6"], evidence("figure6", trained, leave=("fair, frozen",)))
    assert [text.get_text() for text in figure.axes[0].texts] == ["no runs"]
    told = "No runs yet: sandbox_decoder (1 of 6 arms), sandbox_decoder_cifar10 (1 of 6 arms)."
    assert told in texts(figure)


def test_one_seed_has_no_interval(items: dict[str, Item], trained: dict[str, Run]) -> None:
    ax = draw(items["figure6"], evidence("figure6", trained, seeds=1)).axes[0]
    sizes = {np.size(line.get_ydata()) for line in ax.lines if line.get_gid() is None}
    assert "local\nn = 1" in [label.get_text() for label in ax.get_xticklabels()]
    vertical = [line for line in ax.lines if np.size(line.get_xdata()) == 2 and np.ptp(line.get_xdata()) == 0]
    assert sizes <= {1, 2}
    assert len(vertical) == 3  # the published standard deviations alone


def test_panels_that_share_an_axis_show_all_of_it(items: dict[str, Item], trained: dict[str, Run]) -> None:
    given = evidence("figure7", trained)
    for arm, runs in given["sandbox_inhibition"].runs.items():
        if arm.startswith("fair-tree"):
            for seed in runs:
                runs[seed] = replace(runs[seed], test_accuracy=0.95)  # type: ignore[index]
    ax = draw(items["figure7"], given).axes[3]
    low, high = ax.get_ylim()
    assert low <= 0.1
    assert high >= 0.95


def test_the_ceiling_is_the_best_by_validation(items: dict[str, Item], trained: dict[str, Run]) -> None:
    given = evidence("figure4", trained, seeds=2)
    best = "mnist, [256, 256], [2, 2], 10, shunting"
    runs = given["published_ceilings"].runs
    for seed in (0, 1):
        history = {**runs[best][seed].history, "validation_accuracy": np.array([0.99, 0.99])}
        runs[best][seed] = replace(runs[best][seed], history=history)  # type: ignore[index]
    ax = draw(items["figure4"], given).axes[0]
    means = [line.get_ydata() for line in ax.lines if line.get_marker() == "o" and np.size(line.get_xdata()) == 1]
    assert float(means[0][0]) == pytest.approx(np.mean(accuracies(f"published_ceilings, {best}", 2)))


def test_an_experiment_without_runs_is_named_and_the_others_are_drawn(
    items: dict[str, Item], trained: dict[str, Run]
) -> None:
    given = evidence("figure6", trained)
    cifar = given["sandbox_decoder_cifar10"]
    given["sandbox_decoder_cifar10"] = replace(cifar, runs={})
    figure = draw(items["figure6"], given)
    assert "No runs yet: sandbox_decoder_cifar10 (6 of 6 arms)." in texts(figure)
    assert len(figure.axes[1].texts) == 6
    assert not figure.axes[0].texts


def test_without_runs_the_error_says_which_are_needed_and_how_to_make_them(items: dict[str, Item]) -> None:
    with pytest.raises(ParameterError, match=r"figure6 needs runs of sandbox_decoder and .* --preset quick makes them"):
        draw(items["figure6"], {})
    none = {name: Evidence(name, {"as_run, local": SETTINGS}, (0,)) for name in NEEDS["figure6"]}
    with pytest.raises(ParameterError, match=r"sandbox_decoder \(arms 'as_run', 'fair'\); .*none is finished"):
        draw(items["figure6"], none)


def test_a_figure_that_is_not_drawn_here_is_an_error(items: dict[str, Item]) -> None:
    other = Item("figure1", "local-learning", "Fig. 1", "Model overview", "", ())
    with pytest.raises(ParameterError, match="figure2"):
        draw(other, {})
