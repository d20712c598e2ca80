"""Sections: where they begin and end, on small trees with the numbers written down, and on random ones."""

from __future__ import annotations

import math
from contextlib import nullcontext

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dendrosim import Morphology
from dendrosim.morphology.samples import Samples

# a sphere of radius 5, a trunk along x that forks at x = 26 into an arm along y and an arm along -y of two pieces
FORK = """
1 1 0 0 0 5 -1
2 3 6 0 0 2 1
3 3 16 0 0 2 2
4 3 26 0 0 1 3
5 3 26 30 0 1 4
6 3 26 -10 0 1 4
7 3 26 -10 40 0.5 6
"""


def lengths(text: str) -> list[float]:
    values: list[float] = Morphology.from_swc(text).sections.length.tolist()
    return values


def test_fork() -> None:
    sections = Morphology.from_swc(FORK).sections
    assert len(sections) == 3
    assert sections.parent.tolist() == [-1, 0, 0]
    assert [section.rows.tolist() for section in sections] == [[1, 2, 3], [3, 4], [3, 5, 6]]
    assert [section.sample_ids.tolist() for section in sections] == [[2, 3, 4], [5], [6, 7]]
    np.testing.assert_allclose(sections.length, [20, 30, 50], rtol=1e-15)
    trunk = math.pi * (2 * 2 * 10 + 3 * math.hypot(10, 1))
    arm = math.pi * (2 * 10 + 1.5 * math.hypot(40, 0.5))
    np.testing.assert_allclose(sections.area, [trunk, math.pi * 60, arm], rtol=1e-14)
    cone = math.pi * 10 * (4 + 2 + 1) / 3
    tip = math.pi * 10 + math.pi * 40 * (1 + 0.5 + 0.25) / 3
    np.testing.assert_allclose(sections.volume, [math.pi * 40 + cone, math.pi * 30, tip], rtol=1e-14)
    assert sections.branch_order.tolist() == [0, 1, 1]
    assert sections.strahler_order.tolist() == [2, 1, 1]
    assert sections.n_children.tolist() == [2, 0, 0]
    np.testing.assert_allclose(sections.path_start, [0, 20, 20])
    np.testing.assert_allclose(sections.path_stop, [20, 50, 70])
    np.testing.assert_allclose(sections.tortuosity, [1, 1, 50 / math.hypot(10, 40)])
    assert sections.of_sample.tolist() == [-1, 0, 0, 0, 1, 2, 2]


def test_one_section() -> None:
    trunk, _, arm = Morphology.from_swc(FORK).sections
    assert (trunk.index, trunk.parent, trunk.children) == (0, -1, (1, 2))
    assert (trunk.region, trunk.is_tip, arm.is_tip) == ("basal", False, True)
    assert arm.path_distance == (20.0, 70.0)
    assert arm.points.tolist() == [[26, 0, 0], [26, -10, 0], [26, -10, 40]]
    assert arm.radii.tolist() == [1, 1, 0.5]
    assert (arm.branch_order, arm.strahler_order, arm.length) == (1, 1, 50.0)
    assert arm.tortuosity == pytest.approx(50 / math.hypot(10, 40))
    assert trunk.volume > 0
    assert trunk.area > 0
    assert repr(arm) == "Section(2, 'basal', 50 um, samples 6..7, parent 0, 0 children)"


def test_sections_are_a_sequence() -> None:
    sections = Morphology.from_swc(FORK).sections
    assert [section.index for section in sections] == [0, 1, 2]
    assert sections[-1].index == 2
    assert [section.index for section in sections[1:]] == [1, 2]
    assert repr(sections) == "Sections(3, 100 um)"
    with pytest.raises(IndexError, match="section 3 of 3: valid are 0 to 2"):
        sections[3]


def test_arrays_are_read_only() -> None:
    sections = Morphology.from_swc(FORK).sections
    with pytest.raises(ValueError, match="read-only"):
        sections.points[0] = 0


def test_type_change_ends_a_section() -> None:
    text = "1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n3 3 7 0 0 1 2\n4 4 8 0 0 .5 3\n5 4 9 0 0 .5 4\n"
    sections = Morphology.from_swc(text).sections
    assert sections.region.tolist() == ["basal", "apical"]
    assert sections.parent.tolist() == [-1, 0]
    assert sections.length.tolist() == [1, 2]
    assert sections[1].rows.tolist() == [2, 3, 4]
    assert sections.strahler_order.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("text", "length", "radius", "row"),
    [
        # the surface of the sphere lies at 5, the only sample at 20 and radius 1
        ("1 1 0 0 0 5 -1\n2 3 0 20 0 1 1\n", 15.0, 1.0, -1),
        # all samples in one place
        ("1 1 0 0 0 5 -1\n2 3 0 20 0 1 1\n3 3 0 20 0 1 2\n", 15.0, 1.0, -1),
        # a soma of cylinders: from the soma sample that is the parent, with the neurite's radius
        ("1 1 0 0 0 4 -1\n2 1 6 0 0 4 1\n3 3 6 9 0 1 2\n", 9.0, 1.0, -1),
    ],
)
def test_neurites_without_extent_begin_at_the_soma(text: str, length: float, radius: float, row: int) -> None:
    with pytest.warns() if text.count("20 0") > 1 else nullcontext():
        section = Morphology.from_swc(text).sections[0]
    assert section.length == pytest.approx(length, rel=1e-14)
    assert section.radii[0] == radius
    assert section.rows[0] == row


def test_trunk_of_one_sample_begins_at_the_soma() -> None:
    cell = Morphology.from_swc("1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n3 3 9 10 0 1 2\n4 3 9 0 20 1 2\n")
    assert cell.sections.length.tolist() == [4, 10, 20]
    assert cell.sections.parent.tolist() == [-1, 0, 0]
    assert cell.path_distance.tolist() == [0, 4, 14, 24]


def test_trunk_of_one_sample_within_the_soma_has_no_length() -> None:
    cell = Morphology.from_swc("1 1 0 0 0 5 -1\n2 3 3 0 0 1 1\n3 3 3 10 0 1 2\n4 3 3 0 20 1 2\n")
    assert cell.sections.length.tolist() == [0, 10, 20]
    assert cell.sections.tortuosity.tolist() == [1, 1, 1]
    assert cell.path_distance.tolist() == [0, 0, 10, 20]
    assert cell.sections[0].points.tolist() == [[3, 0, 0]]


def test_no_membrane_between_soma_and_first_sample() -> None:
    assert lengths("1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n3 3 19 0 0 1 2\n") == [10]


def test_without_soma_sections_begin_at_the_root() -> None:
    with pytest.warns(match="no-soma"):
        cell = Morphology.from_swc("1 3 0 0 0 1 -1\n2 3 6 0 0 1 1\n3 3 0 7 0 1 1\n")
    assert cell.sections.length.tolist() == [6, 7]
    assert cell.sections.parent.tolist() == [-1, -1]
    assert (cell.n_neurites, cell.n_branch_points, cell.n_tips) == (2, 1, 2)


def test_soma_alone_has_no_sections() -> None:
    cell = Morphology.from_swc("1 1 0 0 0 5 -1")
    assert len(cell.sections) == 0
    assert list(cell.sections) == []
    assert cell.total_length() == 0
    assert cell.path_distance.tolist() == [0]
    assert cell.branch_order.tolist() == [0]


def test_children_before_parents() -> None:
    forwards = Morphology.from_swc(FORK)
    samples = forwards.samples
    flip = np.arange(len(samples))[::-1]
    parent = np.where(samples.parent >= 0, len(samples) - 1 - samples.parent, -1)
    backwards = Morphology(
        Samples(samples.id[flip], samples.type[flip], samples.xyz[flip], samples.radius[flip], parent[flip])
    )
    assert sorted(backwards.sections.length.tolist()) == sorted(forwards.sections.length.tolist())
    np.testing.assert_array_equal(backwards.path_distance[flip], forwards.path_distance)


def test_deep_chain_needs_no_recursion() -> None:
    n = 20_000
    xyz = np.zeros((n, 3))
    xyz[:, 0] = np.arange(n)
    chain = Morphology(Samples(np.arange(1, n + 1), np.full(n, 3), xyz, np.ones(n), np.arange(n) - 1))
    assert len(chain.sections) == 1
    assert chain.total_length() == n - 1
    # a comb: every second sample is a side twig, so that sections are nested 10,000 deep
    parent = np.where(np.arange(n) % 2 == 1, np.arange(n) - 1, np.arange(n) - 2)
    parent[0] = -1
    comb = Morphology(Samples(np.arange(1, n + 1), np.full(n, 3), xyz, np.ones(n), parent))
    assert comb.sections.branch_order.max() == n // 2 - 2
    assert comb.sections.strahler_order.max() == 2
    assert comb.draw(lines=5).endswith("more sections; lines=None draws all")
    assert comb.subtree(n // 2 + 1).n_tips > 0


@st.composite
def trees(draw: st.DrawFn) -> Morphology:
    """Random trees of up to 40 samples, half of them with a soma, in random order."""
    n = draw(st.integers(2, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parent = np.array([-1, *(int(rng.integers(max(0, i - 4), i)) for i in range(1, n))])
    types = rng.choice([2, 3, 4], n)
    types[0] = draw(st.sampled_from([1, 3]))
    order = rng.permutation(n)
    place = np.argsort(order)
    return Morphology(
        Samples(
            np.arange(10, n + 10),
            types[order],
            rng.normal(0, 30, (n, 3)),
            rng.uniform(0.1, 2, n),
            np.where(parent[order] >= 0, place[parent[order]], -1),
        )
    )


@settings(max_examples=60, deadline=None)
@given(trees())
def test_random_trees_against_plain_graph_walks(cell: Morphology) -> None:
    """The same numbers from walks over the networkx graph that know nothing of sections."""
    graph, samples = cell.graph, cell.samples
    row = {node: index for index, node in enumerate(graph)}
    root = next(node for node in graph if graph.in_degree(node) == 0)
    soma = set() if cell.soma is None else {root}

    def ends(node: int) -> bool:
        children = list(graph.successors(node))
        return len(children) != 1 or graph.nodes[children[0]]["type"] != graph.nodes[node]["type"]

    inner = [node for node in graph if node not in soma and node != root]
    assert len(cell.sections) == sum(ends(node) for node in inner)
    assert cell.n_tips == sum(graph.out_degree(node) == 0 for node in inner)
    strahler: dict[int, int] = {}
    for node in networkx.dfs_postorder_nodes(graph, root):
        orders = sorted((strahler[child] for child in graph.successors(node)), reverse=True) or [1]
        strahler[node] = orders[0] + (len(orders) > 1 and orders[0] == orders[1])
    paths = networkx.single_source_shortest_path(graph, root)
    own = cell.sections.of_sample
    for node in inner:
        above = paths[node][:-1]
        assert cell.branch_order[row[node]] == sum(ends(other) for other in above if other != root)
        assert cell.sections.strahler_order[own[row[node]]] == strahler[node]
        points = samples.xyz[[row[other] for other in paths[node]]]
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        if soma:  # the gap counts only where the first section is a single sample: then from the surface on
            first = paths[node][1]
            outside = max(steps[0] - cell.soma.radius, 0.0) if cell.soma is not None else 0.0
            steps[0] = outside if ends(first) else 0.0
        assert cell.path_distance[row[node]] == pytest.approx(steps.sum(), abs=1e-9)
    assert cell.sections.length.sum() == pytest.approx(cell.total_length())
