"""Figures of sweeps: what is drawn is what was computed, on the axes that suit it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from dendrosim.diagnostics import compare_pairs, mean_interval, paired_difference
from dendrosim.errors import ParameterError
from dendrosim.plotting import (
    plot_drawn_figure,
    plot_marginal,
    plot_paired_difference,
    plot_surface,
    plot_surfaces,
)
from dendrosim.plotting.styling import BLUE, VERMILLION
from dendrosim.runs.marginals import Drawn, Factor, Level, Marginal, Surface

RATES = Factor("training.rates", "cross", (1e-3, 1e-2, 1e-1))
CELLS = Factor("network.cells", "cross", (5, 10))
KIND = Factor("teaching", "cross", ("scalar", {"name": "dfa", "seed": 3}))


def level(value: Any, *values: float, n_points: int = 1) -> Level:
    return Level(value, mean_interval(values), tuple(range(len(values))), n_points)


def legend(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def lines(ax: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def test_a_swept_number_has_a_line_per_arm_and_a_band_of_its_intervals() -> None:
    levels = {
        name: [level(x, 0.8 + i * 0.01, 0.9, 0.85 + shift, n_points=4) for i, x in enumerate(RATES.values)]
        for name, shift in (("3F", 0.0), ("5F", 0.02))
    }
    ax = plot_marginal(Marginal(RATES, "test_accuracy", levels, 0))
    assert legend(ax) == ["3F (n = 3)", "5F (n = 3)"]
    line = lines(ax)["5F (n = 3)"]
    np.testing.assert_array_equal(line.get_xdata(), RATES.values)
    np.testing.assert_allclose(line.get_ydata(), [one.interval.mean for one in levels["5F"]])
    band: Any = ax.collections[1]
    edges = band.get_paths()[0].vertices
    for one in levels["5F"]:
        at = edges[edges[:, 0] == one.value, 1]
        assert (at.min(), at.max()) == pytest.approx((one.interval.low, one.interval.high))
    assert ax.get_xscale() == "log"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.001", "0.01", "0.1"]
    assert ax.get_xlabel() == "training.rates\n(means over 4 combinations of the rest)"
    assert ax.get_ylabel() == "test accuracy"


def test_numbers_of_seeds_that_differ_are_told_and_single_seeds_have_no_band() -> None:
    levels = [level(5, 0.8), level(10, 0.8, 0.9)]
    ax = plot_marginal(Marginal(CELLS, "test_loss", {"a": levels}, 0))
    assert legend(ax) == ["a (n = 1 to 2)"]
    assert (ax.get_xscale(), ax.get_xlabel(), ax.get_ylabel()) == ("linear", "network.cells", "test loss (nat)")
    assert plot_marginal(Marginal(CELLS, "test_loss", {"a": levels}, 0), legend=False).get_legend() is None


def test_what_has_no_order_and_what_was_drawn_has_no_line() -> None:
    words = Marginal(KIND, "test_accuracy", {"a": [level(v, 0.8, 0.9) for v in KIND.values]}, 0)
    ax = plot_marginal(words)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["scalar", "dfa"]
    assert lines(ax)["a (n = 2)"].get_linestyle() == "None"
    rate = Factor("rate", "log_uniform", (0.01, 0.03, 0.04))
    ax = plot_marginal(Marginal(rate, "test_accuracy", {"a": [level(v, 0.8, 0.9) for v in rate.values]}, 0))
    assert lines(ax)["a (n = 2)"].get_linestyle() == "None"
    assert ax.get_xscale() == "log"
    # a decade has no power of ten inside: other numbers tell the scale
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.01", "0.02"]
    (bars,) = (c for c in ax.collections if hasattr(c, "get_segments"))
    one = mean_interval([0.8, 0.9])
    np.testing.assert_allclose(bars.get_segments()[1], [[0.03, one.low], [0.03, one.high]])


def cells(minus: bool) -> dict[tuple[int, int], Level]:
    found = {}
    for i, x in enumerate(RATES.values):
        for j, y in enumerate(CELLS.values):
            if (i, j) == (2, 1):
                continue
            values = np.array([0.0, 0.01, 0.02]) + (0.1 * i - 0.01 if minus else 0.5 + 0.1 * i + 0.05 * j)
            found[i, j] = level((x, y), *values)
    return found


def test_a_map_has_the_means_in_its_cells() -> None:
    ax = plot_surface(Surface(RATES, CELLS, "test_accuracy", "5F", "", cells(False)))
    (image,) = ax.images
    data: Any = image.get_array()
    assert data.shape == (2, 3)
    assert data[1, 0] == pytest.approx(0.56)
    assert np.isnan(np.ma.filled(data, np.nan)[1, 2])
    assert {text.get_position(): text.get_text() for text in ax.texts}[1, 0] == ".610"
    assert len(ax.texts) == 5
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("5F (n = 3)", "training.rates", "network.cells")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["5", "10"]
    figure: Any = ax.figure
    assert figure.axes[1].get_ylabel() == "test accuracy"


def test_differences_are_centred_on_zero_and_those_that_may_be_none_are_in_parentheses() -> None:
    ax = plot_surface(Surface(RATES, CELLS, "test_accuracy", "5F", "3F", cells(True)))
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written[0, 0] == "(+.000)"
    assert written[1, 0] == "+.100"
    norm: Any = ax.images[0].norm
    assert norm.vmin == -norm.vmax
    assert ax.get_title() == "5F - 3F (n = 3)"


def test_maps_side_by_side_share_their_scales() -> None:
    plain = Surface(RATES, CELLS, "test_accuracy", "3F", "", cells(False))
    more = {place: level(one.value, *(one.interval.values + 0.2)) for place, one in plain.cells.items()}
    other = Surface(RATES, CELLS, "test_accuracy", "5F", "", more)
    difference = Surface(RATES, CELLS, "test_accuracy", "5F", "3F", cells(True))
    figure = plot_surfaces([plain, other, difference])
    first, second, third = figure.axes[:3]
    limits = [(ax.images[0].norm.vmin, ax.images[0].norm.vmax) for ax in (first, second)]
    assert limits[0] == limits[1] == pytest.approx((0.51, 0.91))
    assert third.get_title() == "5F - 3F (n = 3)"
    assert [ax.get_ylabel() for ax in figure.axes[3:]] == ["test accuracy", "difference in test accuracy"]
    assert (first.get_ylabel(), second.get_ylabel()) == ("network.cells", "")


def test_cells_without_room_have_no_numbers() -> None:
    many = Factor("x", "cross", tuple(range(40)))
    found = {(i, 0): level((i, 5), 0.1 * i, 0.2) for i in range(40)}
    assert not plot_surface(Surface(many, CELLS, "test_accuracy", "a", "", found)).texts


def test_a_search_has_a_panel_per_factor_and_a_ring_around_the_best_draw() -> None:
    factors = (
        Factor("rate", "log_uniform", (1e-3, 1e-2, 1e-1)),
        Factor("decay", "uniform", (0.1, 0.2, 0.3)),
        Factor("schedule", "choice", ("constant", "cosine")),
    )
    draws = [
        {"rate": 1e-2, "decay": 0.3, "schedule": "cosine"},
        {"rate": 1e-3, "decay": 0.1, "schedule": "constant"},
        {"rate": 1e-1, "decay": 0.2, "schedule": "cosine"},
    ]
    arms = {
        name: [level(draw, 0.7 + shift * i, 0.8 + shift * i) for i, draw in enumerate(draws)]
        for name, shift in (("a", 0.01), ("b", -0.02))
    }
    figure = plot_drawn_figure(Drawn(factors, "test_accuracy", arms))
    first, second, third = figure.axes
    assert [ax.get_xscale() for ax in (first, second)] == ["log", "linear"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["rate", "decay", "schedule"]
    points = lines(first)["a (n = 2)"]
    np.testing.assert_allclose(points.get_xydata(), [[1e-2, 0.75], [1e-3, 0.76], [1e-1, 0.77]])
    rings = {
        line.get_markeredgecolor(): line.get_xydata().tolist() for line in second.lines if line.get_markersize() == 8
    }
    assert rings == {BLUE: [[0.2, pytest.approx(0.77)]], VERMILLION: [[0.3, pytest.approx(0.75)]]}
    assert [tick.get_text() for tick in third.get_xticklabels()] == ["constant", "cosine"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a (n = 2)", "b (n = 2)"]
    losses = plot_drawn_figure(Drawn(factors[:1], "test_loss", arms)).axes[0]
    ring = next(line for line in losses.lines if line.get_markersize() == 8)
    assert to_rgba(ring.get_markeredgecolor()) == to_rgba(BLUE)
    assert ring.get_xdata() == [1e-2]


def test_differences_tell_their_effects_and_pairs() -> None:
    compared = compare_pairs([0.9, 0.91, 0.93], [0.8, 0.82, 0.81])
    alike = compare_pairs([0.5, 0.6], [0.5, 0.6])
    ax = plot_paired_difference({"clear": compared, "alike": alike}, label="difference")
    assert [text.get_text() for text in ax.texts] == [f"d$_z$ = {compared.effect.value:+.1f}, n = 3", "n = 2"]
    drawn = next(line for line in ax.lines if line.get_linewidth() == 1.4)
    assert tuple(drawn.get_xdata()) == (compared.difference.low, compared.difference.high)
    assert not plot_paired_difference({"plain": paired_difference([1.0, 2.0], [0.5, 0.7])}).texts


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: plot_marginal([0.1]), r"ds\.runs\.marginal\(runs, factor\)"),
        (lambda: plot_surface([0.1]), r"ds\.runs\.surface"),
        (lambda: plot_surface(Surface(RATES, CELLS, "test_accuracy", "a", "", {})), "no cells"),
        (lambda: plot_surfaces([]), "holds nothing to draw"),
        (lambda: plot_drawn_figure([0.1]), r"ds\.runs\.drawn\(runs\)"),
        (lambda: plot_drawn_figure(Drawn((RATES,), "test_accuracy", {"a": []})), "nothing is to be drawn"),
    ],
)
def test_messages(call: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        call()
