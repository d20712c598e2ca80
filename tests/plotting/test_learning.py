"""Learning curves, gaps, pairs, weights and gains: what is drawn is what was given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy import stats

from dendrosim.diagnostics import fit_lognormal, mean_interval, paired_difference, path_gains
from dendrosim.errors import ParameterError
from dendrosim.networks.network import Network
from dendrosim.plotting import (
    plot_gap,
    plot_learning_curve,
    plot_paired_difference,
    plot_path_gain,
    plot_weight_distribution,
)
from dendrosim.plotting.styling import BLUE, VERMILLION


def run(*values: float) -> Any:
    return SimpleNamespace(history={"validation_accuracy": np.array(values), "train_loss": 1 - np.array(values)})


def test_one_run_is_one_line_from_epoch_one() -> None:
    ax = plot_learning_curve(run(0.2, 0.5, 0.6))
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[1, 0.2], [2, 0.5], [3, 0.6]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "validation accuracy")
    assert ax.get_legend() is None


def test_seeds_give_their_mean_a_band_and_the_ends_of_those_that_go_on() -> None:
    ax = plot_learning_curve({"exact": [run(0.2, 0.4, 0.9), run(0.4, 0.6)], "scalar": run(0.1, 0.2)})
    mean = next(line for line in ax.lines if line.get_label() == "exact")
    np.testing.assert_allclose(mean.get_ydata(), [0.3, 0.5])
    band: Any = ax.collections[0]
    assert band.get_paths()[0].get_extents().bounds == pytest.approx((1, 0.2, 1, 0.4))
    rest = next(line for line in ax.lines if line.get_linewidth() == 0.5)
    np.testing.assert_array_equal(rest.get_xydata(), [[2, 0.4], [3, 0.9]])
    assert ax.get_xlim()[1] == 3
    legend: Any = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["exact", "scalar"]


def test_another_metric_on_a_logarithmic_axis() -> None:
    ax = plot_learning_curve(run(0.2, 0.5), metric="train_loss", log=True, label="loss (nat)")
    assert (ax.get_yscale(), ax.get_ylabel()) == ("log", "loss (nat)")


RESULTS = {
    "shunting": {"scalar": mean_interval([0.86, 0.87, 0.88]), "exact": mean_interval([0.97, 0.972, 0.974])},
    "additive": {"scalar": mean_interval([0.89, 0.90, 0.91]), "exact": mean_interval([0.971, 0.973, 0.972])},
}


def test_the_gap_shows_means_intervals_and_published_values_where_they_belong() -> None:
    published = {"shunting": {"scalar": (0.86, 0.88), "exact": 0.965}}
    ax = plot_gap(RESULTS, published=published, chance=0.1)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["scalar", "exact"]
    low, high = ax.get_ylim()
    assert low > high  # the first condition is at the top
    means = {
        (to_hex(line.get_color()).upper(), round(float(line.get_ydata()[0]))): float(line.get_xdata()[0])
        for line in ax.lines
        if len(line.get_xdata()) == 1 and line.get_marker() in "os"
    }
    for color, name in ((BLUE, "shunting"), (VERMILLION, "additive")):
        for row, condition in enumerate(("scalar", "exact")):
            assert means[color, row] == pytest.approx(RESULTS[name][condition].mean)
    intervals = [tuple(line.get_xdata()) for line in ax.lines if line.get_linewidth() == 1.4]
    assert (RESULTS["shunting"]["exact"].low, RESULTS["shunting"]["exact"].high) in intervals
    ticks = sorted(float(path.vertices[0, 0]) for c in ax.collections[1::2] for path in c.get_paths())
    assert ticks == pytest.approx([0.86, 0.88, 0.965, 0.965])
    legend: Any = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["shunting", "additive", "published", "chance"]


def test_a_gap_without_labels() -> None:
    ax = plot_gap(RESULTS["shunting"], published={"exact": 0.965})
    legend: Any = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["published"]


def test_differences_that_include_zero_are_hollow() -> None:
    clear = paired_difference([0.9, 0.91, 0.92], [0.8, 0.82, 0.81])
    unclear = paired_difference([0.9, 0.91, 0.92], [0.91, 0.90, 0.92])
    ax = plot_paired_difference({"clear": clear, "unclear": unclear})
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert faces == [BLUE, "white"]
    assert ax.get_xlabel() == "difference in test accuracy"


def test_weights_and_their_fit_have_the_same_area() -> None:
    weights = np.random.default_rng(0).lognormal(-2, 0.6, 5000)
    ax = plot_weight_distribution(np.append(weights, 0.0), fit_lognormal(weights))
    bars: Any = ax.patches
    area = sum(b.get_height() * np.log10((b.get_x() + b.get_width()) / b.get_x()) for b in bars)
    assert area == pytest.approx(1.0)
    x, y = ax.lines[0].get_xydata().T
    fit = fit_lognormal(weights)
    np.testing.assert_allclose(y, stats.norm.pdf(np.log10(x), fit.mu / np.log(10), fit.sigma / np.log(10)), rtol=1e-9)
    assert (ax.get_xscale(), ax.get_ylabel()) == ("log", "density per decade")


def test_path_gains_by_stage() -> None:
    x = np.random.default_rng(0).random((20, 12))
    reports = {
        name: path_gains(Network.dendritic(12, 3, [4], [2, 2], 4, 2, name), x) for name in ("shunting", "additive")
    }
    ax = plot_path_gain(reports)
    table = reports["additive"].table
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), table["gain_q50"][:3])
    outer: Any = ax.collections[2]
    np.testing.assert_allclose(
        [segment[:, 1] for segment in outer.get_segments()][2], table[["gain_q05", "gain_q95"]][2].tolist()
    )
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2"]
    assert ax.get_xlabel() == "stage (branchings to the soma)"
    two = path_gains(Network.dendritic(12, 3, [5, 4], [2], 4, 2), x)
    assert plot_path_gain(two, what="resistance").get_xticklabels()[0].get_text() == "layer1\nstage 0"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: plot_learning_curve(run(0.1), metric="accuracy"), "metric='accuracy'.*'validation_accuracy'"),
        (lambda: plot_learning_curve([0.1, 0.2]), "runs must be a Run, a list of them"),
        (lambda: plot_learning_curve({}), "holds nothing"),
        (lambda: plot_gap({"exact": [0.97, 0.98]}), r"mean_interval\(values\)"),
        (lambda: plot_gap(RESULTS, published={"shunting": {"tree": 0.97}}), "'tree' is not known; valid: 'scalar'"),
        (lambda: plot_gap(RESULTS, published={"raw": {"tree": 0.97}}), "'raw' is not known; valid: 'shunting'"),
        (lambda: plot_weight_distribution([0.0, 0.0]), "no weight is positive"),
        (lambda: plot_path_gain({"a": []}), "holds nothing"),
    ],
)
def test_messages(call: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        call()
