"""Figures of fidelity: bars, stages, time and trees show the numbers of the tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from dendrosim.diagnostics import Fidelity, FidelityHistory, fidelity
from dendrosim.errors import ParameterError
from dendrosim.morphology.compartments import Compartments
from dendrosim.networks.network import Network
from dendrosim.plotting import (
    plot_fidelity,
    plot_fidelity_by_stage,
    plot_fidelity_synapses,
    plot_fidelity_training_figure,
    plot_fidelity_trees,
)
from dendrosim.plotting.styling import BLACK, BLUE, DIVERGING, SEQUENTIAL


def report(seed: int = 0, integration: str = "shunting", **options: Any) -> Fidelity:
    rng = np.random.default_rng(seed)
    network = Network.dendritic(12, 3, [4], [2, 2], 4, 2, integration, seed, **options)
    return fidelity(network, rng.random((30, 12)), rng.integers(0, 3, 30), rule="3F")


@pytest.fixture(scope="module")
def reports() -> dict[str, list[Fidelity]]:
    return {name: [report(seed, name) for seed in (0, 1)] for name in ("shunting", "additive")}


def test_bars_are_means_over_seeds(reports: dict[str, list[Fidelity]]) -> None:
    ax = plot_fidelity(reports, quantity="scale_mismatch")
    rows = ["excitatory", "inhibitory", "couplings", "gates", "all"]
    assert [label.get_text() for label in ax.get_xticklabels()] == rows
    heights = [bar.get_height() for bar in ax.patches]  # type: ignore[attr-defined]
    expected = [
        np.mean([one[row]["scale_mismatch"] for one in several]) for several in reports.values() for row in rows
    ]
    np.testing.assert_allclose(heights, expected)
    legend: Any = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["shunting", "additive"]
    # every seed is a dot
    assert sum(line.get_marker() == "." for line in ax.lines) == 4


def test_a_single_report_and_chosen_rows(reports: dict[str, list[Fidelity]]) -> None:
    one = reports["shunting"][0]
    ax = one.plot(groups=["layer1/stage 2", "overall vector"])
    heights = [bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(heights, [one["layer1/stage 2"]["cosine"], one["overall vector"]["cosine"]])
    assert ax.get_legend() is None


def test_what_cannot_be_compared_has_a_dash_and_no_bar() -> None:
    rng = np.random.default_rng(0)
    network = Network.dendritic(12, 3, [4], [2, 2], 4, 2)
    nothing = fidelity(network, rng.random((30, 12)), rng.integers(0, 3, 30), teaching="decoder_only", rule="3F")
    ax = plot_fidelity(nothing)
    assert len(ax.patches) == 0
    (dashes,) = [line for line in ax.lines if line.get_marker() == "_"]
    assert len(dashes.get_xdata()) == 5


def test_stages(reports: dict[str, list[Fidelity]]) -> None:
    ax = plot_fidelity_by_stage(reports)
    line = next(line for line in ax.lines if line.get_label() == "additive")
    expected = [np.mean([one[f"layer1/stage {k}"]["cosine"] for one in reports["additive"]]) for k in range(3)]
    np.testing.assert_allclose(line.get_xydata(), np.stack([range(3), expected], axis=1))
    ax = plot_fidelity_by_stage(reports["shunting"][0], group="inhibitory", quantity="relative_l2")
    assert ax.lines[0].get_xdata().tolist() == [1, 2]  # somas have no synapses


def test_over_training(reports: dict[str, list[Fidelity]]) -> None:
    history = FidelityHistory([0, 10], reports["shunting"])
    ax = history.plot(groups=["all", "gates"])
    drawn = {line.get_label(): line.get_xydata() for line in ax.lines}
    np.testing.assert_allclose(drawn["gates"], np.stack([[0, 10], history.series("gates")], axis=1))
    longer = FidelityHistory([0, 12], reports["shunting"]).plot(groups=["all"])  # in steps of 2.5, if matplotlib chose
    assert all(tick == round(tick) for tick in longer.get_xticks())
    figure = plot_fidelity_training_figure({"a": history, "b": history})
    assert [ax.get_ylabel().split()[0] for ax in figure.axes] == ["cosine", "scale"]


@pytest.mark.parametrize(("quantity", "attribute"), [("cosine", "compartment_cosine"), ("error", "compartment_error")])
def test_trees_have_the_colour_of_every_compartment(
    reports: dict[str, list[Fidelity]], quantity: str, attribute: str
) -> None:
    one = {name: several[0] for name, several in reports.items()}
    figure = plot_fidelity_trees(one, quantity=quantity, cells=[1, 3])
    panels = figure.axes[:2]
    assert [ax.get_title() for ax in panels] == ["shunting", "additive"]
    scales = set()
    for ax, report_ in zip(panels, one.values(), strict=True):
        lines: Any = next(c for c in ax.collections if isinstance(c, LineCollection))
        values = getattr(report_, attribute)[[*range(7, 14), *range(21, 28)]]
        drawn = np.unique(lines.get_array()[lines.get_array() >= lines.norm.vmin].round(9))
        np.testing.assert_allclose(drawn, np.unique(values[np.isfinite(values)].round(9)))
        scales.add((lines.norm.vmin, lines.norm.vmax))
        assert to_hex(lines.to_rgba(lines.norm.vmin - 1.0)) == BLACK
    assert len(scales) == 1
    assert figure.axes[2].get_ylabel().endswith("black: nothing to compare")


@pytest.mark.parametrize(
    ("limits", "name"), [({}, DIVERGING.name), ({"vmin": 0.5}, SEQUENTIAL.name), ({"vmin": -0.5}, SEQUENTIAL.name)]
)
def test_the_neutral_colour_of_cosines_is_that_of_zero(
    reports: dict[str, list[Fidelity]], limits: dict[str, float], name: str
) -> None:
    ax = plot_fidelity_trees(reports["shunting"][0], **limits).axes[0]
    lines: Any = next(c for c in ax.collections if isinstance(c, LineCollection))
    assert lines.cmap.name == name


def test_cells_in_space(compartments: Compartments) -> None:
    rng = np.random.default_rng(0)
    network = Network.dendritic(12, 3, [2], excitatory=4, inhibitory=2, trees=compartments)
    one = fidelity(network, rng.random((30, 12)), rng.integers(0, 3, 30), rule="3F")
    figure = plot_fidelity_trees(one, kind="morphology", quantity="scale", cells=1)
    assert len(figure.axes) == 2
    plot_fidelity_trees(one)  # unfolded, by path distance
    figure = plot_fidelity_synapses(one, cell=1)
    marks: Any = figure.axes[0].collections[-1]
    own = one.synapse_error[one.synapse_error.size // 2 :]
    np.testing.assert_allclose(np.sort(marks.get_array()), np.sort(own))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda r: plot_fidelity(r, quantity="angle"), "quantity='angle'.*'cosine'"),
        (lambda r: plot_fidelity(r, groups=["soma"]), "'soma' is not known; valid: 'excitatory'"),
        (lambda r: plot_fidelity("table"), "reports must be a Fidelity"),
        (lambda r: plot_fidelity_by_stage(r, population="layer2"), "valid: 'layer1'"),
        (lambda r: plot_fidelity_trees(r, cells=4), "cells 4 does not exist; valid: 0 to 3"),
        (lambda r: plot_fidelity_trees(r, cells=[]), "at least one cell"),
        (lambda r: plot_fidelity_trees(r, kind="morphology"), "no positions in space"),
        (lambda r: plot_fidelity_trees([r, r]), "one Fidelity at a time"),
        (lambda r: plot_fidelity_synapses(r), "no positions in space"),
    ],
)
def test_messages(reports: dict[str, list[Fidelity]], call: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        call(reports["shunting"][0])


def test_colours_are_the_same_in_all_figures(reports: dict[str, list[Fidelity]]) -> None:
    bars: Any = plot_fidelity(reports).patches
    stages = plot_fidelity_by_stage(reports).lines
    assert to_hex(bars[0].get_facecolor()).upper() == to_hex(stages[0].get_color()).upper() == BLUE
