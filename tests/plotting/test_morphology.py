from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.text import Text
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar
from mpl_toolkits.mplot3d.proj3d import proj_transform

from dendrosim.biophysics.synapses import Synapses
from dendrosim.errors import ParameterError
from dendrosim.morphology.compartments import Compartments
from dendrosim.morphology.samples import Samples
from dendrosim.morphology.tree import Morphology
from dendrosim.plotting import plot_morphology, plot_morphology_3d, region_color
from dendrosim.plotting.lengths import length_label, round_length
from dendrosim.plotting.pieces import pieces_of


def collections(ax: Any) -> Any:
    """The frusta, the somas."""
    return ax.collections[:2]


def texts(artist: Any) -> list[str]:
    return [text.get_text() for text in artist.findobj(Text)]


def test_every_piece_has_the_value_of_its_compartment(compartments: Compartments) -> None:
    values = np.random.default_rng(0).random(compartments.size)
    neurites, somas = collections(plot_morphology(compartments, values))
    owner = pieces_of(compartments).owner
    assert sorted(neurites.get_array()) == sorted(values[owner])
    assert somas.get_array().tolist() == [values[0]]
    # the polygon around the tip of the basal dendrite has the value of the compartment that holds sample 8
    drawn = zip(neurites.get_paths(), neurites.get_array(), strict=True)
    around = [value for path, value in drawn if path.contains_point((29.9, -59.9))]
    assert around == [values[compartments.of_sample(8)]]


def test_without_values_it_is_coloured_by_region(forked: Morphology) -> None:
    ax = plot_morphology(forked)
    neurites, somas = collections(ax)
    seen = {tuple(color) for color in neurites.get_facecolors()}
    assert seen == {to_rgba(region_color("apical")), to_rgba(region_color("basal"))}
    assert tuple(somas.get_facecolors()[0]) == to_rgba(region_color("soma"))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["soma", "basal", "apical"]  # type: ignore[union-attr]


def test_one_colour(forked: Morphology) -> None:
    ax = plot_morphology(forked, color="red")
    assert {tuple(color) for part in collections(ax) for color in part.get_facecolors()} == {to_rgba("red")}
    assert ax.get_legend() is None


def test_a_morphology_takes_one_value_per_sample(forked: Morphology) -> None:
    neurites, _ = collections(plot_morphology(forked, np.arange(8.0)))
    assert sorted(neurites.get_array()) == [2, 3, 4, 6, 7]


def test_two_collections_however_many_pieces(compartments: Compartments) -> None:
    forest = Compartments.forest([compartments] * 20)
    assert len(plot_morphology(forest, np.zeros(forest.size), colorbar=False).collections) == 2


@pytest.mark.parametrize(("projection", "axes"), [("xy", (0, 1)), ("xz", (0, 2)), ("zy", (2, 1)), ("yx", (1, 0))])
def test_projections_fit_the_cell(forked: Morphology, projection: str, axes: tuple[int, int]) -> None:
    ax = plot_morphology(forked, projection=projection)
    low, high = pieces_of(forked).bounds()
    for (left, right), column in zip((ax.get_xlim(), ax.get_ylim()), axes, strict=True):
        assert left < low[column] < high[column] < right
        assert right - left < 1.5 * (high - low)[column] + 20
    assert ax.get_aspect() == 1.0
    assert not ax.axison


@pytest.mark.parametrize(
    ("projection", "on_top"), [("xy", 1.0), ("yx", 0.0), ("xz", 0.0), ("zx", 1.0), ("yz", 1.0), ("zy", 0.0)]
)
def test_the_nearer_piece_covers_the_farther_one(projection: str, on_top: float) -> None:
    # two neurites, one behind the other; the reader looks against the axis that is to the right times upwards
    depth = ({"x", "y", "z"} - set(projection)).pop()
    far = {"x": (-9, 0, 0), "y": (0, -9, 0), "z": (0, 0, -9)}[depth]
    near = {"x": (9, 0, 0), "y": (0, 9, 0), "z": (0, 0, 9)}[depth]
    lines = ["1 1 0 0 0 12 -1"]
    for first, at in ((2, far), (4, near)):
        along = {"x": (0, 5, 5), "y": (5, 0, 5), "z": (5, 5, 0)}[depth]
        for step, number in ((-1, first), (1, first + 1)):
            x, y, z = (a + step * b for a, b in zip(at, along, strict=True))
            lines.append(f"{number} 3 {x} {y} {z} 1 {1 if number == first else first}")
    cell = Morphology.from_swc("\n".join(lines))
    neurites, _ = collections(plot_morphology(cell, [9, 9, 0, 9, 1], projection=projection))
    assert neurites.get_array()[-1] == on_top


def test_given_axes_are_used_and_pyplot_is_left_alone(forked: Morphology) -> None:
    _, ax = plt.subplots()
    _, other = plt.subplots()
    assert plot_morphology(forked, ax=ax) is ax
    assert plt.gca() is other
    assert not other.collections
    assert len(plt.get_fignums()) == 2


def test_new_axes_leave_the_current_ones_empty_and_the_style_as_it_was(forked: Morphology) -> None:
    before = dict(plt.rcParams)
    _, current = plt.subplots()
    ax = plot_morphology(forked)
    assert ax is not current
    assert not current.collections
    assert dict(plt.rcParams) == before


def test_a_second_cell_widens_the_limits(forked: Morphology) -> None:
    far = Morphology.from_swc("1 1 500 0 0 5 -1\n2 3 505 0 0 1 1\n3 3 550 0 0 1 2\n")
    ax = plot_morphology(forked)
    left = ax.get_xlim()[0]
    plot_morphology(far, ax=ax, scale_bar=False)
    assert ax.get_xlim()[0] == left
    assert ax.get_xlim()[1] > 550


def test_the_scale_bar_says_its_length_and_has_it(forked: Morphology) -> None:
    ax = plot_morphology(forked)
    (bar,) = (artist for artist in ax.artists if isinstance(artist, AnchoredSizeBar))
    assert bar.txt_label.get_text() == "20 µm"
    assert bar.size_bar.get_children()[0].get_width() == 20.0
    (bar,) = (artist for artist in plot_morphology(forked, scale_bar=30).artists if isinstance(artist, AnchoredSizeBar))
    assert bar.txt_label.get_text() == "30 µm"
    assert not plot_morphology(forked, scale_bar=False).artists


def test_round_lengths() -> None:
    for most in np.geomspace(1e-3, 1e5, 200):
        length = round_length(most)
        assert most / 2.5 < length <= most * (1 + 1e-9)
        assert f"{length:.0e}"[0] in "125"
    assert [length_label(x) for x in (0.5, 200.0, 2000.0)] == ["0.5 µm", "200 µm", "2 mm"]


def test_the_colour_bar_is_labelled_with_its_unit(compartments: Compartments) -> None:
    ax = plot_morphology(compartments, compartments.path_distance, label="distance", unit="µm")
    assert ax.figure.axes[1].get_ylabel() == "distance (µm)"
    assert len(plot_morphology(compartments, compartments.path_distance, colorbar=False).figure.axes) == 1


def test_options_reach_the_collections(forked: Morphology) -> None:
    for part in collections(plot_morphology(forked, alpha=0.5, rasterized=True, zorder=7, minimum_width=0.25)):
        assert (part.get_alpha(), part.get_rasterized(), part.get_zorder()) == (0.5, True, 7)
        assert part.get_linewidths() == [0.25]


def test_synapses_are_marked_by_sign_and_counted(compartments: Compartments) -> None:
    synapses = Synapses(compartments, [0, 1, 2, 2, 3], sign=[1, 1, 1, -1, -1])
    ax = plot_morphology(compartments, synapses=synapses)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["3 excitatory", "2 inhibitory"]  # type: ignore[union-attr]
    assert [len(np.asarray(part.get_offsets())) for part in ax.collections[2:]] == [3, 2]
    assert len(plot_morphology(compartments, compartments.path_distance, synapses=synapses).collections) == 4


@pytest.mark.parametrize("plot", [plot_morphology, plot_morphology_3d])
def test_a_lone_soma_and_nothing_at_all_can_be_drawn(plot: Any, lone_soma: Compartments) -> None:
    plot(lone_soma).figure.canvas.draw()
    plot(lone_soma, [-65.0]).figure.canvas.draw()

    none = np.zeros(0, dtype=np.int64)
    nothing = SimpleNamespace(samples=Samples(none, none, np.zeros((0, 3)), np.zeros(0), none), soma=None)
    plot(nothing).figure.canvas.draw()
    plot(nothing, []).figure.canvas.draw()


@pytest.mark.parametrize("plot", [plot_morphology, plot_morphology_3d])
def test_bad_values_are_refused_before_a_figure_is_made(
    plot: Any, compartments: Compartments, forked: Morphology
) -> None:
    n = compartments.size
    for cell, values, message in (
        (compartments, np.zeros(n + 1), rf"values has shape \({n + 1},\); expected shape \({n},\).*per compartment"),
        (compartments, np.full(n, np.nan), r"values\[0\] is nan"),
        (forked, np.zeros(n), r"expected shape \(8,\), one finite number per sample"),
        (3, None, "cannot draw a int"),
    ):
        with pytest.raises(ParameterError, match=message):
            plot(cell, values)
    with pytest.raises(ParameterError, match="color excludes values"):
        plot(compartments, np.zeros(n), color="red")
    assert plt.get_fignums() == []


def test_bad_options_are_refused_before_a_figure_is_made(compartments: Compartments, forked: Morphology) -> None:
    with pytest.raises(ParameterError, match="projection='xx' is not known; valid: 'xy', 'xz'"):
        plot_morphology(forked, projection="xx")
    synapses = Synapses(compartments, [1], sign=[1])
    with pytest.raises(ParameterError, match=r"draw morphology.compartments\(...\) instead"):
        plot_morphology(forked, synapses=synapses)
    assert plt.get_fignums() == []


def test_3d_lines_have_the_values_colours_and_the_scale_a_unit(compartments: Compartments) -> None:
    values = compartments.path_distance
    ax = plot_morphology_3d(compartments, values, label="distance", unit="µm", cmap="cividis")
    lines, soma = collections(ax)
    owner = pieces_of(compartments).owner
    np.testing.assert_allclose(lines.get_colors(), plt.get_cmap("cividis")(values[owner] / values.max()))
    assert len(soma.get_facecolors()) == 288
    assert "20 µm " in texts(ax)
    assert ax.figure.axes[1].get_ylabel() == "distance (µm)"


def test_3d_axes_are_equal_and_hold_the_whole_cell(forked: Morphology) -> None:
    ax: Any = plot_morphology_3d(forked)
    low, high = pieces_of(forked).bounds()
    limits = np.array([ax.get_xlim(), ax.get_ylim(), ax.get_zlim()])
    assert np.all(limits[:, 0] <= low + 1e-9)
    assert np.all(limits[:, 1] >= high - 1e-9)
    # seen from anywhere, equal axes are a rotation times one scale: P P^T is a multiple of the identity
    corner, *ends = np.transpose(proj_transform(*np.vstack([np.zeros(3), np.eye(3)]).T, ax.get_proj()))[:, :2]
    seen = np.array(ends) - corner
    gram = seen.T @ seen
    np.testing.assert_allclose(gram, gram[0, 0] * np.eye(2), atol=1e-9 * gram[0, 0])


def test_3d_widths_are_diameters_in_points(forked: Morphology) -> None:
    figure = plt.figure(figsize=(4, 4))
    ax: Any = figure.add_subplot(projection="3d")
    plot_morphology_3d(forked, ax=ax, view=(0.0, 40.0), minimum_width=0.0, legend=False, scale_bar=False)
    figure.canvas.draw()
    # 72 um of apical trunk, upright in this view, 4 um thick
    x, y, _ = proj_transform(np.zeros(2), np.array([8.0, 80.0]), np.zeros(2), ax.get_proj())
    length = np.linalg.norm(np.diff(ax.transData.transform(np.stack([x, y], 1)), axis=0)) * 72 / figure.dpi
    np.testing.assert_allclose(collections(ax)[0].get_linewidths()[0], length * 4 / 72, rtol=1e-6)


def test_3d_needs_3d_axes(forked: Morphology) -> None:
    _, ax = plt.subplots()
    with pytest.raises(ParameterError, match="add_subplot"):
        plot_morphology_3d(forked, ax=ax)
