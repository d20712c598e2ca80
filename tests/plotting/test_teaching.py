"""Figures of credits and of what accuracy costs: what is drawn where."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from dendrosim.diagnostics import CreditHistory
from dendrosim.errors import ParameterError
from dendrosim.plotting import plot_accuracy_against_passes, plot_credit_layers_figure, plot_credit_over_training


def history(soma, every, layers=("layer1/stage 0", "all")):
    epochs = np.repeat(np.arange(float(len(soma))), 2)
    values = np.column_stack([soma, every]).ravel()
    return CreditHistory(
        {"epoch": epochs, "layer": np.tile(layers, len(soma)), "passes": 5 * epochs, "cosine": values, "J": 10 * values}
    )


def run(accuracy, passes):
    return SimpleNamespace(history={"validation_accuracy": np.array(accuracy), "passes": np.array(passes)})


def test_mean_over_seeds_of_one_layer():
    both = [history([0.0, 0.5, 1.0], [0.0, 0.1, 0.2]), history([0.0, 0.7, 0.8], [0.2, 0.1, 0.2])]
    ax = plot_credit_over_training({"dfa": both}, layer="layer1/stage 0")
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0, 0], [1, 0.6], [2, 0.9]])
    assert len(ax.collections) == 1  # the band
    assert ax.get_ylabel() == "cosine to the exact credit"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["dfa"]


def test_epochs_are_whole_numbers():
    ax = plot_credit_over_training(history(np.linspace(0.0, 1.0, 13), np.zeros(13)))
    ticks = [tick for tick in ax.get_xticks() if 0 <= tick <= 12]
    assert len(ticks) > 3
    assert ticks == [round(tick) for tick in ticks]


def test_what_teaching_said_is_drawn_under_its_own_name():
    ax = plot_credit_over_training(history([0.1, 0.2], [0.3, 0.4]), quantity="J")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [3, 4])
    assert ax.get_ylabel() == "J"
    assert ax.get_legend() is None


def test_more_labels_than_colours_differ_in_line_style():
    ax = plot_credit_over_training({str(i): history([0, 1], [0, 1]) for i in range(9)})
    drawn = [(line.get_color(), line.get_linestyle()) for line in ax.lines[:9]]
    assert len(set(drawn)) == 9
    assert drawn[7] == (drawn[0][0], "--")


def test_a_panel_per_layer_and_row_with_one_legend():
    rows = {
        "shunting": {"a": history([0, 1], [0, 1]), "b": history([1, 0], [1, 0])},
        "additive": {"b": history([0, 0], [0, 0])},
    }
    figure = plot_credit_layers_figure(rows)
    axes = np.array(figure.axes).reshape(2, 2)
    assert [ax.get_title() for ax in axes[0]] == ["layer1/stage 0", "all"]
    assert axes[1, 0].get_ylabel().startswith("additive")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]
    assert axes[0, 0].lines[1].get_color() == axes[1, 0].lines[0].get_color()  # b has one colour


def test_chosen_layers_in_a_figure_that_is_given():
    figure = plt.figure()
    assert plot_credit_layers_figure(history([0, 1], [0, 1]), layers="all", figure=figure) is figure
    (ax,) = figure.axes
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0, 1])
    assert not figure.legends


def test_accuracy_over_passes_as_they_were_counted():
    ax = plot_accuracy_against_passes({"exact": run([0.1, 0.9], [4, 8]), "vnc": [run([0.1, 0.8], [36, 72])] * 2})
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[4, 0.1], [8, 0.9]])
    np.testing.assert_allclose(ax.lines[1].get_xydata(), [[36, 0.1], [72, 0.8]])
    assert ax.get_xscale() == "log"
    assert ax.get_ylabel() == "validation accuracy"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_credit_over_training(3), "histories must be a CreditHistory"),
        (lambda: plot_credit_over_training(history([0], [0]), layer="soma"), "'layer1/stage 0', 'all'"),
        (lambda: plot_credit_layers_figure(history([0], [0]), layers=["soma"]), "'layer1/stage 0', 'all'"),
        (lambda: plot_credit_over_training(history([0], [0]), quantity="sine"), "'cosine', 'J'"),
        (lambda: plot_accuracy_against_passes(SimpleNamespace(history={"validation_accuracy": np.ones(1)})), "passes"),
        (
            lambda: plot_accuracy_against_passes(run([1.0], [1]), metric="test_accuracy"),
            "'validation_accuracy', 'passes'",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
