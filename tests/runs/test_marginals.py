"""What a metric depends on: means over everything else, of runs whose metric is a known sum."""

from __future__ import annotations

import csv
import itertools

import numpy as np
import pytest
from scipy import stats

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.plotting.runs import plot_runs
from dendrosim.runs.marginals import drawn, marginal, surface, swept_factors, write_marginals
from dendrosim.runs.summary import Summary

SEEDS = (0, 1, 2)
NOISE = np.random.default_rng(0).normal(0, 0.01, (2, 100)).tolist()


def accuracy(own, seed, x=0.0, y=0.0, *_):
    """What a run with these values comes to."""
    return 0.5 + 0.1 * (own == "b") + 0.01 * x + 0.02 * y + NOISE[0][seed] + NOISE[1][seed] * x


@pytest.fixture
def runs_of(a_run):
    def made(points, ways, seeds=SEEDS, owns=("a", "b")):
        found = []
        for number, (own, factors) in enumerate(itertools.product(owns, points)):
            for seed in seeds:
                run = a_run(seed, f"{own}, {number}", number, factors)
                run.config["experiment"] |= {"own": own, "ways": ways}
                run.test_accuracy = accuracy(own, seed, *[v for v in factors.values() if isinstance(v, int | float)])
                found.append(run)
        return ds.runs.Runs(found)

    return made


def grid(xs=(1, 5, 20), ys=(0, 2)):
    return [{"net.x": x, "y": y} for x in xs for y in ys]


CROSSED = {"net.x": "cross", "y": "cross"}


def test_factors_are_what_has_two_values(runs_of):
    points = [{"x": 5, "only": 1, "kind": "s"}, {"x": 1, "only": 1, "kind": {"name": "t"}}, {"x": 5, "kind": "s"}]
    found = swept_factors(runs_of(points, {"x": "log_uniform", "kind": "choice"}))
    assert list(found) == ["x", "kind"]
    assert found["x"].values == (1, 5)
    assert found["kind"].values == ("s", {"name": "t"})
    assert [factor.numeric for factor in found.values()] == [True, False]
    backwards = ds.runs.Runs(reversed(list(runs_of(points, {}))))
    assert swept_factors(backwards)["kind"].values == ("s", {"name": "t"})
    assert [factor.drawn for factor in found.values()] == [True, True]


@pytest.mark.parametrize(
    ("values", "way", "logarithmic"),
    [
        ((1, 2), "log_uniform", True),
        ((1, 2), "cross", False),
        ((1e-4, 1e-3, 1e-2), "cross", True),
        ((0, 100), "cross", False),
        ((1, 100), "uniform", False),
        (("s", "t"), "cross", False),
    ],
)
def test_axes_are_logarithmic_where_values_are(runs_of, values, way, logarithmic):
    assert swept_factors(runs_of([{"x": v} for v in values], {"x": way}))["x"].logarithmic is logarithmic


def test_a_marginal_is_the_mean_over_the_others_and_its_interval_is_over_seeds(runs_of):
    found = marginal(runs_of(grid(), CROSSED), "net.x")
    assert list(found.arms) == ["a", "b"]
    assert (found.factor.name, found.n_left_out, found.metric) == ("net.x", 0, "test_accuracy")
    for own, levels in found.arms.items():
        assert [one.value for one in levels] == [1, 5, 20]
        for one in levels:
            by_seed = [np.mean([accuracy(own, seed, one.value, y) for y in (0, 2)]) for seed in SEEDS]
            low, high = stats.t.interval(0.95, 2, np.mean(by_seed), stats.sem(by_seed))
            assert one.interval.mean == pytest.approx(np.mean(by_seed))
            assert (one.interval.low, one.interval.high) == pytest.approx((low, high))
            assert (one.interval.n, one.seeds, one.n_points) == (3, SEEDS, 2)


def test_an_unfinished_sweep_compares_like_with_like(runs_of):
    whole = runs_of(grid(), CROSSED, owns=("a",))
    # y = 2, the better one, is missing at x = 20, and one seed at x = 5
    rows = whole.rows
    kept = [
        run
        for run, row in zip(whole, rows, strict=True)
        if (row.factors["net.x"], row.factors["y"]) != (20, 2) and (row.factors["net.x"], row.seed) != (5, 1)
    ]
    found = marginal(ds.runs.Runs(kept), "net.x")
    (levels,) = found.arms.values()
    assert [one.n_points for one in levels] == [1, 1, 1]
    assert [one.interval.n for one in levels] == [3, 2, 3]
    assert levels[2].interval.mean - levels[0].interval.mean == pytest.approx(
        np.mean([accuracy("a", s, 20) - accuracy("a", s, 1) for s in SEEDS])
    )
    assert found.n_left_out == len(kept) - 8


def test_what_is_listed_together_varies_together(runs_of):
    listed = runs_of([{"x": 1, "y": 5}, {"x": 2, "y": 3}], {"x": "list", "y": "list"})
    found = marginal(listed, "x").arms["a"]
    assert [one.value for one in found] == [1, 2]
    assert found[1].interval.mean == pytest.approx(np.mean([accuracy("a", s, 2, 3) for s in SEEDS]))


def test_draws_are_points_and_what_is_crossed_is_averaged(runs_of):
    values = [0.3, 0.01, 0.1]
    points = [{"y": y, "rate": rate, "n": n} for y in (0, 2) for rate, n in zip(values, (1, 2, 1), strict=True)]
    ways = {"y": "cross", "rate": "log_uniform", "n": "integers"}
    runs = runs_of(points, ways)
    found = drawn(runs)
    assert [factor.name for factor in found.factors] == ["rate", "n"]
    assert [one.value for one in found.arms["b"]] == [
        {"rate": r, "n": n} for r, n in zip(values, (1, 2, 1), strict=True)
    ]
    by_seed = [np.mean([accuracy("b", s, y, 0.3) for y in (0, 2)]) for s in SEEDS]
    assert found.arms["b"][0].interval.values == pytest.approx(by_seed)
    assert found.arms["b"][0].n_points == 2
    # the marginal of a drawn number has a value per draw, in order; of a drawn integer, all draws that have it
    assert [one.value for one in marginal(runs, "rate").arms["a"]] == [0.01, 0.1, 0.3]
    assert [one.n_points for one in marginal(runs, "n").arms["a"]] == [4, 2]
    # and what is crossed is averaged over draws
    assert [one.n_points for one in marginal(runs, "y").arms["a"]] == [3, 3]


def test_surfaces_and_their_differences(runs_of):
    runs = runs_of(grid(), CROSSED)
    one = surface(runs, "net.x", "y", arm="b")
    assert set(one.cells) == set(itertools.product(range(3), range(2)))
    cell = one.cells[2, 1]
    assert (cell.value, cell.interval.n) == ((20, 2), 3)
    assert cell.interval.mean == pytest.approx(np.mean([accuracy("b", s, 20, 2) for s in SEEDS]))
    difference = surface(runs, "net.x", "y", arm="b", minus="a")
    assert difference.cells[0, 0].interval.values == pytest.approx([0.1] * 3)
    lacking = ds.runs.Runs(
        run for run, row in zip(runs, runs.rows, strict=True) if row.own == "b" or row.factors != {"net.x": 1, "y": 0}
    )
    assert (0, 0) not in surface(lacking, "net.x", "y", arm="b", minus="a").cells


def test_the_table_of_marginals_comes_with_a_summary(runs_of, tmp_path):
    runs = runs_of(grid(), CROSSED)
    paths = Summary(runs).write(tmp_path)
    assert [path.name for path in paths] == ["summary.csv", "runs.csv", "marginals.csv"]
    with paths[2].open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 + 2 * 2
    assert [rows[0][key] for key in ("factor", "way", "value", "arm", "n", "points")] == [
        *("net.x", "cross", "1", "a", "3", "2")
    ]
    assert float(rows[-1]["mean"]) == pytest.approx(marginal(runs, "y").arms["b"][1].interval.mean)
    assert write_marginals(runs, tmp_path / "other.csv").read_text() == paths[2].read_text()


def test_messages(runs_of):
    runs, plain = runs_of(grid(), CROSSED), runs_of([{}], {})
    for call, says in (
        (lambda: marginal(runs, "x"), r"factor='x'.*net\.x"),
        (lambda: marginal(plain, "x"), "nothing was swept"),
        (lambda: marginal(runs, "y", metric="rule"), "metric='rule'"),
        (lambda: drawn(runs), "nothing was drawn"),
        (lambda: surface(runs, "y", "y", arm="a"), "give two factors"),
        (lambda: surface(runs, "net.x", "y", arm="c"), "arm='c'"),
        (lambda: surface(runs, "net.x", "y", arm="a", minus="c"), "minus='c'"),
    ):
        with pytest.raises(ParameterError, match=says):
            call()


def test_figures_of_a_sweep_take_the_place_of_panels(runs_of, tmp_path):
    many = plot_runs(Summary(runs_of(grid((1, 5, 20, 50)), CROSSED)), tmp_path)
    assert [path.name for path in many] == [
        "differences.png",
        "against_net_x.png",
        "against_y.png",
        "over_net_x_and_y.png",
    ]
    points = [{"rate": rate} for rate in (0.1, 0.2)]
    few = plot_runs(Summary(runs_of(points, {"rate": "uniform"})), tmp_path, ending="svg")
    assert {path.name for path in few} == {"learning_curves.svg", "accuracy.svg", "differences.svg", "draws.svg"}
