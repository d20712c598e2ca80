from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from dendrosim.errors import ParameterError
from dendrosim.morphology.compartments import Compartments
from dendrosim.morphology.tree import Morphology
from dendrosim.plotting import plot_dendrogram, region_color
from dendrosim.plotting.tree_layout import layout_tree


def test_horizontal_extents_are_the_compartments(compartments: Compartments) -> None:
    tree = layout_tree(compartments, "path")
    np.testing.assert_allclose((tree.end - tree.begin)[1:], compartments.length[1:], atol=1e-9)
    np.testing.assert_allclose((tree.end + tree.begin)[1:] / 2, compartments.path_distance[1:], atol=1e-9)
    assert tree.begin[0] == 0


def test_compartments_follow_on_their_parents(compartments: Compartments) -> None:
    for distance in ("path", "electrotonic"):
        tree = layout_tree(compartments, distance)
        behind = np.flatnonzero(compartments.parent > 0)
        np.testing.assert_allclose(tree.begin[behind], tree.end[compartments.parent[behind]], atol=1e-12)


def test_tips_have_rows_of_their_own_and_branchings_lie_between(compartments: Compartments) -> None:
    tree = layout_tree(compartments, "path")
    tips = np.setdiff1d(np.arange(compartments.size), compartments.parent)
    assert sorted(tree.row[tips]) == [0, 1, 2]
    assert tree.n_tips == 3
    # basal before apical at the soma: rows 0 | 1, 2, whose branching is at 1.5; the soma between 0 and 1.5
    fork = int(np.flatnonzero(np.bincount(compartments.parent[1:]) == 2)[-1])
    assert (tree.row[fork], tree.row[0]) == (1.5, 0.75)
    assert tree.row[compartments.of_sample(8)] == 0
    assert {int(n) for n in tree.branching} == {0, fork}


def test_smaller_subtrees_come_first() -> None:
    tree = Compartments([-1, 0, 1, 1, 2, 2, 2])  # 2 carries three tips, 3 is one
    layout = layout_tree(tree, "path")
    assert layout.row.tolist() == [1.0, 1.0, 2.0, 0.0, 1.0, 2.0, 3.0]


def test_stages_of_trees_without_lengths(normalised: Compartments) -> None:
    tree = layout_tree(normalised, "stage")
    np.testing.assert_array_equal(tree.end, normalised.stage)
    assert tree.row[normalised.roots].tolist() == [1.5, 5.5]


def test_a_chain_of_twenty_thousand_compartments() -> None:
    n = 20_000
    tree = layout_tree(Compartments(np.arange(n) - 1), "path")
    assert not tree.row.any()
    assert tree.n_tips == 1


def test_each_compartment_has_its_colour_and_branch_points_the_vertical_line(compartments: Compartments) -> None:
    values = np.arange(compartments.size, dtype=float)
    lines: Any = plot_dendrogram(compartments, values).collections[1]
    tree = layout_tree(compartments, "path")
    segments = np.array(lines.get_segments())
    vertical = segments[:, 0, 0] == segments[:, 1, 0]
    vertical &= segments[:, 0, 1] != segments[:, 1, 1]
    assert sorted(lines.get_array()[vertical]) == sorted(values[tree.branching])
    assert sorted(lines.get_array()[~vertical]) == values.tolist()


def test_without_values_it_is_coloured_by_region(compartments: Compartments) -> None:
    ax = plot_dendrogram(compartments)
    lines: Any = ax.collections[1]
    assert {tuple(c) for c in lines.get_colors()} == {to_rgba(region_color(r)) for r in ("soma", "basal", "apical")}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["soma", "basal", "apical"]  # type: ignore[union-attr]


def test_axes(compartments: Compartments, normalised: Compartments) -> None:
    assert plot_dendrogram(compartments).get_xlabel() == "path distance (µm)"
    assert plot_dendrogram(compartments, distance="electrotonic").get_xlabel() == "electrotonic distance (λ)"
    ax = plot_dendrogram(normalised, np.zeros(14), distance="stage", label="V")
    assert ax.get_xlabel() == "stage (branchings to the soma)"
    assert ax.figure.axes[1].get_ylabel() == "V"
    _, mine = plt.subplots()
    assert plot_dendrogram(compartments, ax=mine, linewidth=3.0) is mine
    lines: Any = mine.collections[1]
    assert lines.get_linewidths() == [3.0]


def test_a_lone_soma(lone_soma: Compartments) -> None:
    plot_dendrogram(lone_soma, [1.0]).figure.canvas.draw()


def test_bad_input_is_refused_before_a_figure_is_made(
    compartments: Compartments, normalised: Compartments, forked: Morphology
) -> None:
    with pytest.raises(
        ParameterError, match=rf"expected shape \({compartments.size},\), one finite number per compartment"
    ):
        plot_dendrogram(compartments, [1.0, 2.0])
    with pytest.raises(ParameterError, match="distance='length' is not known; valid: 'path', 'electrotonic', 'stage'"):
        plot_dendrogram(compartments, distance="length")
    with pytest.raises(ParameterError, match=r"distance='path' needs compartments with lengths.*distance='stage'"):
        plot_dendrogram(normalised)
    with pytest.raises(ParameterError, match="tree of a Morphology: Compartments are needed"):
        plot_dendrogram(forked)  # type: ignore[arg-type]
    assert plt.get_fignums() == []
