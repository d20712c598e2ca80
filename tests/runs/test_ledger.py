"""Ledger files: those that are shipped are whole, and mistakes in others are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from dendrosim.errors import ParameterError
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.ledger import Entry, Ledger

GOOD = """
paper = "made-up"
[[items]]
name = "made-up-table1"
place = "Table 1"
title = "Nothing"
[[items.entries]]
name = "one"
what = "accuracy"
published = 0.50
source = "Table 1"
experiment = "digits"
arm = "x"
measure = "test_accuracy"
[presets.quick.digits]
seeds = [0]
"""

# Typed from the paper: every number of its Tables 1 to 5, and those of appendix A's text.
PAPER = {
    "table1": "0.965 0.914 -0.051 0.864 0.803 -0.061",
    "table2": "0.202 0.117 1.130 0.006 1.053 13.324 0.108 0.036 1.404 -0.007 2.154 145.965",
    "table3": "0.611 0.622 0.620 0.628 0.912 0.916 0.398 0.396 0.411 0.411 0.807 0.789",
    "table4": "0.3790 0.3788 0.1756 0.1669 0.1671 0.1000 0.210 0.044 -0.0030 0.0173",
    "table5": "0.0537 0.0536 1.6756 1.6765 0.1140 0.1138 0.8303 0.8314",
    "appendix-a": "0.918 0.889 0.200 0.827 0.699 0.114",
}


@pytest.fixture(scope="module")
def shipped() -> Ledger:
    return Ledger.load()


@pytest.mark.parametrize("item", PAPER)
def test_every_number_of_the_local_credit_papers_tables_is_there(shipped: Ledger, item: str) -> None:
    entries = shipped.chosen([item])[0].entries
    stated = [entry.published.text for entry in entries]
    for number in PAPER[item].split():
        assert stated.count(number) >= PAPER[item].split().count(number), f"{number} is missing in {item}"


def test_spreads_of_table_1_are_there(shipped: Ledger) -> None:
    spreads = {entry.name: entry.published.shown for entry in shipped.chosen(["table1"])[0].entries}
    assert spreads["mnist-local"] == "0.914 ± 0.003"
    assert spreads["context-local"] == "0.803 ± 0.006"


def test_experiments_and_arms_of_all_entries_exist(shipped: Ledger) -> None:
    names = {entry.experiment for item in shipped.items for entry in item.entries}
    arms = {name: {arm.name for arm in Experiment.load(name).arms} for name in names}
    for item in shipped.items:
        for entry in item.entries:
            missing = {*entry.arms, *entry.minus} - arms[entry.experiment]
            assert not missing, f"{item.name}/{entry.name}: {missing}"


def test_presets_name_seeds_arms_and_settings_that_exist(shipped: Ledger) -> None:
    for presets in shipped.presets.values():
        for name, preset in presets.items():
            experiment = Experiment.load(name, settings=preset.settings)
            listed = [arm for arms in preset.listed.values() for arm in arms]
            experiment.jobs(seeds=preset.seeds, arms=listed or None)


def test_fair_partners_have_fewer_confounds_and_entries_are_judged_somewhere(shipped: Ledger) -> None:
    for item in shipped.chosen(["local-learning"]):
        entries = {entry.name: entry for entry in item.entries}
        for entry in item.entries:
            if entry.fair:
                assert entry.confound
                partner = entries[entry.fair]
                assert partner.confound != entry.confound or "identity" in entry.confound, f"{item.name}/{entry.name}"
            if entry.measure.trained:
                full = shipped.preset("full", entry.experiment)
                assert full is not None, f"{item.name}/{entry.name}: full leaves out {entry.experiment}"


def test_items_are_chosen_by_name_and_by_paper(shipped: Ledger) -> None:
    assert [item.name for item in shipped.chosen(["table2", "table1"])] == ["table1", "table2"]
    whole = {item.name for item in shipped.chosen(["local-learning"])}
    assert {*PAPER, "later-ladder"} <= whole
    assert shipped.chosen() == shipped.items
    with pytest.raises(ParameterError, match="table1"):
        shipped.chosen(["tabel1"])
    with pytest.raises(ParameterError, match="valid: 'quick', 'full'"):
        shipped.preset("medium", "headline_mnist")


def test_a_file_is_read(tmp_path: Path) -> None:
    (entry,) = ledger(tmp_path, GOOD).items[0].entries
    assert (entry.arms, entry.minus, entry.published.text, entry.published.rounding) == (("x",), (), "0.50", 0.005)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("paper =", "papper =", "papper"),
        ('place = "Table 1"\n', "", "made-up-table1.* has no place"),
        ("published = 0.50", 'published = "high"', "one.*no comparison"),
        ('measure = "test_accuracy"', 'measure = "accuracy"', "one.*test_accuracy"),
        ('measure = "test_accuracy"', 'measure = { name = "history" }', "one.*metric"),
        ('measure = "test_accuracy"', 'measure = { quantity = "cosine" }', "one.*needs a name"),
        ('arm = "x"', "arm = 3", "one.*arm = 3 is a whole number"),
        ('arm = "x"', 'arm = "x"\nfair = "two"', "fair partner but names no confound"),
        ('arm = "x"', 'arm = "x"\nconfound = "c"\nfair = "two"', "fair.*two.* is not known"),
        ('arm = "x"', 'arm = "x"\nwithin = "a bit"', "within"),
        ("[presets.quick.digits]", "[presets.medium.digits]", "medium.*quick, full"),
        ("seeds = [0]", "seed = 0", "did you mean 'seeds'"),
        ("seeds = [0]", 'set = "training.epochs=2"', "set = 'training.epochs=2' must be a list of texts"),
        ("[[items]]", '[[items]]\nname = "made-up-table1"\nplace = "T"\ntitle = "t"\n[[items]]', "already"),
    ],
)
def test_mistakes_are_found_with_their_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ParameterError, match=message) as caught:
        ledger(tmp_path, GOOD.replace(old, new, 1))
    assert "one.toml" in str(caught.value)


def test_files_may_share_a_preset_but_not_contradict_each_other(tmp_path: Path) -> None:
    other = GOOD.replace("made-up-table1", "made-up-table2")
    both = ledger(tmp_path, GOOD, other.replace("seeds = [0]", 'arms = ["y"]'))
    preset = both.preset("quick", "digits")
    assert preset is not None
    assert (preset.seeds, list(preset.listed.values())) == ((0,), [(), ("y",)])
    with pytest.raises(ParameterError, match=r"two.toml.*seeds = \[1\], but .*one.toml has \[0\]"):
        ledger(tmp_path, GOOD, other.replace("seeds = [0]", "seeds = [1]"))


def test_shortened_presets_are_only_compared_where_that_makes_sense(tmp_path: Path) -> None:
    def comparable(published: str, measure: str, quick: str, settings: str) -> bool:
        text = (
            GOOD.replace("0.50", published)
            .replace('"test_accuracy"', measure)
            .replace('arm = "x"', f'arm = "x"{quick}')
        )
        made = ledger(tmp_path, text.replace("seeds = [0]", f"set = {settings}"))
        entry: Entry = made.items[0].entries[0]
        preset = made.preset("quick", "digits")
        assert preset is not None
        return entry.comparable(preset)

    short, initial = '["training.epochs=1"]', '{ name = "fidelity", quantity = "cosine", at = "initial" }'
    assert comparable("0.5", '"test_accuracy"', "", "[]")
    assert not comparable("0.5", '"test_accuracy"', "", short)
    assert comparable("0.5", '"test_accuracy"', "\nquick = true", short)
    assert comparable('"> 0.5"', '"test_accuracy"', "", short)
    assert not comparable('"> 0.5"', '"test_accuracy"', "\nquick = false", short)
    assert comparable("0.5", initial, "", short)


def ledger(folder: Path, *texts: str) -> Ledger:
    paths = [folder / f"{name}.toml" for name, _ in zip(("one", "two"), texts, strict=False)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return Ledger.load(paths)
