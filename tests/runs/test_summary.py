"""Tables of arms: what is compared with what, how often, and what is said of it."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from scipy import stats

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.runs.summary import Summary
from dendrosim.runs.summary_text import COVERAGE, WIDTH


@pytest.fixture
def runs_of(a_run):
    """Runs of arms ``(own, factors, ways, values by seed)``."""

    def made(*arms):
        found = []
        for number, (own, factors, ways, values) in enumerate(arms):
            name = ", ".join([own, *map(str, factors.values())])
            for seed, value in values.items():
                run = a_run(seed, name, number, factors)
                run.config["experiment"] |= {"own": own, "ways": ways}
                run.test_accuracy = value
                found.append(run)
        return ds.runs.Runs(found)

    return made


def drawn(seed, n=5):
    return dict(enumerate(np.random.default_rng(seed).normal(0.9, 0.01, n).tolist()))


def test_p_values_are_adjusted_for_all_differences_of_the_table(runs_of):
    values = {name: drawn(i) for i, name in enumerate("abcd")}
    values["c"] = {seed: value - 0.03 for seed, value in values["c"].items()}
    summary = Summary(runs_of(*((name, {}, {}, own) for name, own in values.items())))
    assert [[one.other for one in row.differences] for row in summary.rows] == [[], ["a"], ["a"], ["a"]]
    assert summary.n_comparisons == 3
    p = [stats.ttest_rel(list(values[name].values()), list(values["a"].values())).pvalue for name in "bcd"]
    ours = [row.differences[0] for row in summary.rows[1:]]
    assert [one.comparison.p for one in ours] == pytest.approx(p)
    least, middle, most = np.argsort(p)
    assert ours[least].p_adjusted == pytest.approx(3 * p[least])
    assert ours[middle].p_adjusted == pytest.approx(min(max(2 * p[middle], 3 * p[least]), 1))
    assert ours[most].p_adjusted == pytest.approx(min(max(p[most], 2 * p[middle], 3 * p[least]), 1))
    assert "p (Holm, 3)" in str(summary)
    assert "adjusted by Holm for all 3 comparisons here" in " ".join(str(summary).split())


def test_a_grid_is_compared_along_its_sides(runs_of):
    ways = {"x": "cross", "y": "cross"}
    arms = [(own, {"x": x, "y": y}, ways, drawn(x + y)) for own in ("a", "b") for x in (1, 2) for y in (3, 4)]
    found = {row.name: [one.other for one in row.differences] for row in Summary(runs_of(*arms)).rows}
    assert found["a, 1, 3"] == []
    assert found["a, 2, 4"] == ["a, 1, 4", "a, 2, 3"]
    assert found["b, 2, 4"] == ["a, 2, 4", "b, 1, 4", "b, 2, 3"]


def test_points_of_lists_are_compared_with_the_first_and_draws_with_other_arms_alone(runs_of):
    listed = {"x": "list", "y": "list"}
    arms = [("a", {"x": x, "y": -x}, listed, drawn(x)) for x in (1, 2, 3)]
    found = {row.name: [one.other for one in row.differences] for row in Summary(runs_of(*arms)).rows}
    assert found == {"a, 1, -1": [], "a, 2, -2": ["a, 1, -1"], "a, 3, -3": ["a, 1, -1"]}
    arms = [(own, {"x": x}, {"x": "uniform"}, drawn(x)) for own in ("a", "b") for x in (1, 2)]
    found = {row.name: [one.other for one in row.differences] for row in Summary(runs_of(*arms)).rows}
    assert found == {"a, 1": [], "a, 2": [], "b, 1": ["a, 1"], "b, 2": ["a, 2"]}


def test_any_column_of_numbers_is_a_metric(runs_of, tmp_path):
    summary = Summary(runs_of(("a", {}, {}, drawn(0)), ("b", {}, {}, drawn(1))), metric="test_loss")
    assert [row.interval.mean for row in summary.rows] == [0.5, 0.5]
    assert np.isnan(summary.rows[1].differences[0].p_adjusted)
    table, runs = summary.write(tmp_path)
    assert (table.name, runs.name) == ("summary_test_loss.csv", "runs.csv")
    assert "test_loss" in str(summary).splitlines()[0]
    seconds = Summary(summary.runs, metric="seconds")
    assert seconds.rows[0].interval.mean == 0.75
    assert str(seconds).splitlines()[0].split()[-2:] == ["%", "(bootstrap)"]


def test_what_cannot_be_averaged_is_refused(runs_of, a_run):
    runs = runs_of(("a", {}, {}, drawn(0)))
    with pytest.raises(ParameterError, match="metric"):
        Summary(runs, metric="rule")
    unvalidated = a_run(3, "b")
    del unvalidated.history["validation_accuracy"]
    with pytest.raises(ParameterError, match=r"validation_accuracy of arm 'b', seed 3, is nan; choose another metric"):
        Summary(ds.runs.Runs([*runs, unvalidated]), metric="validation_accuracy")


def test_the_same_seed_twice_is_no_repetition(runs_of):
    runs = ds.runs.Runs([*runs_of(("a", {}, {}, {0: 0.5, 1: 0.7})), *runs_of(("a", {}, {}, {1: 0.8}))])
    summary = Summary(runs)
    (row,) = summary.rows
    assert row.interval.values.tolist() == [0.5, 0.75]
    assert (row.seeds, summary.n_repeated) == ((0, 1), 1)
    assert "1 run has arm and seed in common with another" in str(summary)


def test_the_notes_say_what_few_seeds_can_tell(runs_of):
    five = " ".join(str(Summary(runs_of(("a", {}, {}, drawn(0)), ("b", {}, {}, drawn(1))))).split())
    assert "of 5 normal values, a 95 % interval covers the mean in 84 % of the cases (measured), t in 95 %" in five
    assert "Of 5 pairs an exact permutation test (in the CSV) cannot give less than p = 0.0625" in five
    assert "adjusted by Holm for the one comparison here" in five
    assert "Seeds: 0, 1, 2, 3, 4." in five
    two = str(Summary(runs_of(("a", {}, {}, drawn(0, 2)))))
    assert "of fewer than 3 seeds there is no bootstrap interval" in two
    assert "permutation" not in two
    many = str(Summary(runs_of(("a", {}, {}, drawn(0, 10)), ("b", {}, {}, drawn(1, 9)))))
    assert "Seeds differ between arms (9 to 10 of them); summary.csv has those of each." in many
    assert "permutation" not in many
    assert "Seeds: 0 to 9." in str(Summary(runs_of(("a", {}, {}, drawn(0, 10)))))


def test_the_coverage_that_is_told_was_measured():
    # against an own simulation: limits by scipy.stats.bootstrap, in one array; three standard errors of 1000
    for n in (3, 10):
        values = np.random.default_rng(n).normal(size=(1000, n))
        rng = np.random.default_rng(0)
        found = stats.bootstrap((values,), np.mean, axis=-1, n_resamples=399, method="BCa", batch=100, random_state=rng)
        limits = found.confidence_interval
        covered = ((limits.low <= 0) & (limits.high >= 0)).mean()
        assert covered == pytest.approx(COVERAGE[n], abs=0.045)


def test_no_line_is_wider_than_a_terminal(runs_of):
    long = [
        ("per_soma, somatic scope, fair initialisation " * 2 + name, {}, {}, drawn(i)) for i, name in enumerate("ab")
    ]
    text = str(Summary(runs_of(*long)))
    differences = text.split("\n\n")[1].splitlines()
    assert differences[1].startswith(long[1][0])
    assert differences[2] == f"  - {long[0][0]}"
    wide = [line for line in text.split("\n\n")[2].splitlines() if len(line) > WIDTH]
    assert not wide
    short = str(Summary(runs_of(("per_soma, additive", {}, {}, drawn(0)), ("per_soma, shunting", {}, {}, drawn(1)))))
    assert max(map(len, short.splitlines())) <= WIDTH


def test_long_tables_are_cut_and_complete_in_the_file(runs_of, tmp_path):
    arms = [("a", {"x": x}, {"x": "cross"}, {0: 0.5 + x / 1000, 1: 0.6}) for x in range(60)]
    summary = Summary(runs_of(*arms))
    means, differences, _ = str(summary).split("\n\n")
    assert means.splitlines()[-1] == "... 20 more arms in summary.csv"
    assert differences.splitlines()[-1] == "... 19 more differences in summary.csv"
    with summary.write(tmp_path)[0].open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    assert [row["x"] for row in rows[:3]] == ["0", "1", "2"]
    assert rows[7]["comparisons"] == "59"
    assert (rows[7]["versus"], rows[7]["pairs"], rows[7]["seeds"]) == ("a, 0", "2", "0 1")
    assert float(rows[7]["difference"]) == pytest.approx(0.0035)
    assert float(rows[7]["p_permutation"]) == 1.0
    assert set(rows[0]) >= {"low", "bootstrap_low", "d_z_low", "d_bootstrap_high", "p_t", "p_holm"}


def test_one_seed_has_means_alone(runs_of):
    summary = Summary(runs_of(("a", {}, {}, {0: 0.5}), ("b", {}, {}, {0: 0.6})))
    assert summary.n_comparisons == 0
    assert np.isnan(summary.rows[1].differences[0].p_adjusted)
    assert str(summary).splitlines()[1].split() == ["a", "1", "0.5000", "-", "-", "-", "0.75"]


def test_arms_of_a_sweep_are_compared_over_everything_that_was_swept(runs_of, tmp_path):
    points = {own: {x: drawn(100 * i + x) for x in range(25)} for i, own in enumerate("ab")}
    del points["b"][24], points["b"][0][4]  # a point that one arm lacks, and a seed that lacks a point
    arms = [(own, {"x": x}, {"x": "uniform"}, values) for own, each in points.items() for x, values in each.items()]
    runs = runs_of(*arms)
    pooled = Summary(runs, pooled=True)
    assert [(row.name, row.seeds) for row in pooled.rows] == [("a", (0, 1, 2, 3, 4)), ("b", (0, 1, 2, 3))]
    means = {own: [np.mean([each[x][seed] for x in range(24)]) for seed in range(4)] for own, each in points.items()}
    (one,) = pooled.rows[1].differences
    assert one.comparison.p == pytest.approx(stats.ttest_rel(means["b"], means["a"]).pvalue)
    assert pooled.n_comparisons == 1
    paths = pooled.write(tmp_path)
    assert [path.name for path in paths] == ["summary_pooled.csv", "runs.csv"]
    # more arms than can be read are printed that way
    told = str(Summary(runs)).split("\n\n")
    assert " ".join(told[0].split()).startswith("49 arms: here are means over everything that was swept")
    assert "its own 24 comparisons" in " ".join(told[0].split())
    assert told[1:] == str(pooled).split("\n\n")
