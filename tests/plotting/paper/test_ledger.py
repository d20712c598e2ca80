"""The ledger of the figures and what they draw fit together."""

from __future__ import annotations

import pytest

from dendrosim.plotting.paper import FIGURES, NEEDS
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.ledger import PRESETS, Ledger


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return Ledger.load()


def test_every_figure_is_an_item(ledger: Ledger) -> None:
    named = [item.name for item in ledger.items if item.paper == "local-learning" and item.name.startswith("figure")]
    assert sorted(named) == sorted(FIGURES)
    assert sorted(FIGURES) == sorted(f"figure{i}" for i in range(2, 14))


@pytest.mark.parametrize("name", FIGURES)
def test_arms_that_entries_and_figures_need_exist_and_are_run_by_both_presets(name: str, ledger: Ledger) -> None:
    (item,) = ledger.chosen([name])
    trained = {experiment: set(arms) for experiment, arms in NEEDS[name].items() if arms}
    for entry in item.entries:
        if entry.measure.trained:
            trained.setdefault(entry.experiment, set()).update([*entry.arms, *entry.minus])
        else:
            Experiment.load(entry.experiment).jobs(arms=[*entry.arms, *entry.minus])
    for experiment, arms in trained.items():
        for preset in PRESETS:
            wanted = ledger.preset(preset, experiment)
            assert wanted is not None
            laid = Experiment.load(experiment, settings=wanted.settings)
            assert laid.jobs(seeds=wanted.seeds, arms=sorted(arms))


def test_entries_of_a_figure_are_about_experiments_that_it_draws(ledger: Ledger) -> None:
    for item in ledger.items:
        if item.name in FIGURES:
            assert {entry.experiment for entry in item.entries} <= NEEDS[item.name].keys()
