"""Compartments: geometry by hand and against other programs' conventions, structure, and the way back to samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import MorphologyError, ParameterError

BALL_AND_STICK = """\
1 1 0 0 0 10 -1
2 3 10 0 0 1 1
3 3 210 0 0 1 2
"""
FORK = """\
# soma, a trunk that thins, and a fork into basal and apical
1 1 0 0 0 8 -1
2 3 8 0 0 2 1
3 3 48 0 0 1 2
4 3 48 30 0 0.5 3
5 4 48 -20 0 1 3
6 4 48 -50 0 0.5 5
"""


def load(text: str) -> ds.Morphology:
    return ds.Morphology.from_swc(text)


# name, text, policy -> compartments, area of neurites (um2), axial resistance from the root to the farthest end (MOhm,
# R_a 100), longest path (um)
GOLDEN = [
    # cylinder: 2 pi r L; R_a L / (pi r^2)
    ("stick", BALL_AND_STICK, {"max_length": 50.0}, 5, 2 * math.pi * 200, 200 / math.pi, 200.0),
    ("stick in one", BALL_AND_STICK, {"max_length": 1e6}, 2, 2 * math.pi * 200, 200 / math.pi, 200.0),
    # frusta: pi (r1 + r2) sqrt(L^2 + (r1 - r2)^2); R_a L / (pi r1 r2). A section after the fork begins with its radius
    (
        "fork", FORK, {"max_length": 20.0}, 1 + 2 + 1 + 2 + 3,
        math.pi * (3 * math.hypot(40, 1) + 1.5 * math.hypot(30, 0.5) + 2 * 20 + 1.5 * math.hypot(30, 0.5)),
        (40 / 2 + 20 / 1 + 30 / 0.5) / math.pi, 90.0,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "policy", "size", "area", "resistance", "reach"), [g[1:] for g in GOLDEN], ids=[g[0] for g in GOLDEN]
)
def test_golden_geometry(text, policy, size, area, resistance, reach):
    """A table worked out by hand from the formulas of frusta."""
    passive = ds.Passive(R_m=10_000.0, R_a=100.0, C_m=2.0, E_leak=-65.0)
    c = load(text).compartments(passive, **policy)
    assert c.size == size
    assert c.area[1:].sum() == pytest.approx(area, rel=1e-14)
    soma = 4 * math.pi * {10.0: 10.0, 8.0: 8.0}[load(text).soma.radius] ** 2
    assert c.area[0] == pytest.approx(soma, rel=1e-14)
    # 1 / (10 kOhm cm2) = 1e-3 nS/um2; 2 uF/cm2 = 0.02 pF/um2
    np.testing.assert_allclose(c.leak, 1e-3 * c.area, rtol=1e-14)
    np.testing.assert_allclose(c.capacitance, 0.02 * c.area, rtol=1e-14)
    tip = int(np.argmax(c.path_distance))
    path, k = 0.0, tip
    while c.parent[k] >= 0:
        path += 1e3 / c.coupling[k]
        k = c.parent[k]
    half = c.length[tip] / 2
    # the middle of the last compartment to its end, by hand from the radii there
    start, stop, r0, r1, owner = c.segments()
    last = owner == tip
    ends = np.linalg.norm(stop[last] - start[last], axis=1)
    beyond = _half_resistance(ends, r0[last], r1[last])
    assert path + beyond == pytest.approx(resistance, rel=1e-12)
    assert c.path_distance[tip] + half == pytest.approx(reach, rel=1e-14)


def _half_resistance(length, r0, r1):
    """Axial resistance of the distal half of one frustum, MOhm at R_a 100."""
    assert length.size == 1
    middle = (r0[0] + r1[0]) / 2
    return length[0] / 2 / (math.pi * middle * r1[0])


@pytest.mark.parametrize("name", ["pyramidal_l5", "purkinje", "granule", "ball_and_stick"])
def test_totals_do_not_depend_on_the_grid(name):
    morphology = ds.Morphology.load(name)
    totals = []
    for policy in ({"max_length": 1e9}, {"max_length": 7.3}, {"d_lambda": 0.05}, {"max_length": 0.9}):
        c = morphology.compartments(ds.Passive(), **policy)
        totals.append((c.area.sum(), c.length[1:].sum(), c.axial_resistance.sum(), c.capacitance.sum()))
    np.testing.assert_allclose(totals, np.tile(totals[0], (4, 1)), rtol=1e-12)
    assert totals[0][1] == pytest.approx(morphology.total_length(), rel=1e-12)


def test_policies():
    morphology = load(FORK)
    for limit in (3.0, 10.0, 20.0):
        c = morphology.compartments(ds.Passive(), max_length=limit)
        assert c.length[1:].max() <= limit * (1 + 1e-9)
    # d_lambda by its definition (Hines & Carnevale 2001): lambda_f = 1e5 / 2 sqrt(d / (pi f R_a C_m)), d, lambda in um
    cylinder = load(BALL_AND_STICK)
    passive = ds.Passive(R_a=150.0, C_m=1.0)
    length_constant = 0.5e5 * math.sqrt(2.0 / (math.pi * 100.0 * 150.0 * 1.0))
    for fraction in (0.3, 0.1, 0.01):
        c = cylinder.compartments(passive, d_lambda=fraction)
        assert c.size - 1 == math.ceil(200 / (fraction * length_constant))
    both = cylinder.compartments(passive, d_lambda=0.1, max_length=7.0)
    assert both.size - 1 == math.ceil(200 / 7.0)
    faster = cylinder.compartments(passive, d_lambda=0.1, frequency=1000.0)
    assert faster.size > cylinder.compartments(passive, d_lambda=0.1).size


def test_order_stages_and_branch_points():
    c = load(FORK).compartments(ds.Passive(), max_length=20.0)
    assert c.parent[0] == -1
    assert (c.parent[1:] < np.arange(1, c.size)).all()
    (fork,) = np.flatnonzero(c.area == 0)
    assert c.leak[fork] == 0
    assert c.region[fork] == "basal"
    np.testing.assert_allclose(c.xyz[fork], [48, 0, 0])
    assert c.stage[0] == 0
    assert set(c.stage[c.parent == 0]) == {1}
    assert set(c.stage[c.parent == fork]) == {2}
    assert c.roots.tolist() == [0]
    assert sorted(set(c.region)) == ["apical", "basal", "soma"]


def test_arrays_are_read_only():
    c = load(FORK).compartments(ds.Passive(), max_length=20.0)
    names = "parent leak coupling capacitance region path_distance cell stage area xyz"
    for name in names.split():
        with pytest.raises(ValueError, match="read-only"):
            getattr(c, name)[0] = getattr(c, name)[0]


@pytest.mark.parametrize("policy", [{"max_length": 9.0}, {"max_length": 500.0}, {"d_lambda": 0.1}])
def test_every_sample_has_one_compartment_and_back(policy):
    for morphology in (load(FORK), ds.Morphology.load("pyramidal_l5"), ds.Morphology.load("granule")):
        c = morphology.compartments(ds.Passive(), **policy)
        held = np.concatenate([c.samples_in(n) for n in range(c.size)])
        assert sorted(held) == sorted(morphology.samples.id)
        for n in range(0, c.size, 7):
            for sample in c.samples_in(n):
                assert c.of_sample(int(sample)) == n


def test_samples_lie_where_their_compartment_is():
    morphology = ds.Morphology.load("pyramidal_l5")
    c = morphology.compartments(ds.Passive(), max_length=10.0)
    rows = np.flatnonzero(morphology.samples.type != 1)
    for row in rows[::11]:
        n = c.of_sample(int(morphology.samples.id[row]))
        assert np.linalg.norm(c.xyz[n] - morphology.samples.xyz[row]) <= c.length[n] / 2 + 1e-9


def test_segments_cover_each_compartment():
    c = ds.Morphology.load("purkinje").compartments(ds.Passive(), max_length=6.0)
    start, stop, r0, r1, owner = c.segments()
    length = np.linalg.norm(stop - start, axis=1)
    np.testing.assert_allclose(np.bincount(owner, length, c.size)[1:], c.length[1:], atol=1e-9)
    area = np.pi * (r0 + r1) * np.hypot(length, r1 - r0)
    np.testing.assert_allclose(np.bincount(owner, area, c.size)[1:], c.area[1:], atol=1e-8)


def test_region_changes_within_a_stretch_divide_it_without_a_branch_point():
    text = "1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 25 0 0 1 2\n4 4 45 0 0 1 3\n"
    c = load(text).compartments(ds.Passive(R_a=100.0), max_length=100.0)
    assert c.region.tolist() == ["soma", "basal", "apical"]
    assert c.coupling[2] == pytest.approx(1e3 / (20 / math.pi), rel=1e-14)  # middle to middle: 20 um


def test_a_child_that_repeats_its_branch_point_begins_with_its_own_radius():
    """Some files repeat the branch point as a branch's first sample, with its radius: no ring of membrane there."""
    trunk = "1 1 0 0 0 5 -1\n2 3 5 0 0 2 1\n3 3 25 0 0 2 2\n"
    text = trunk + "4 3 25 0 0 1 3\n5 3 25 40 0 1 4\n6 3 25 0 0 1 3\n7 3 25 -40 0 1 6\n"
    with pytest.warns(ds.errors.MorphologyWarning, match="zero-length-segment"):
        morphology = load(text)
    c = morphology.compartments(ds.Passive(), max_length=1e3)
    assert c.area[1:].sum() == pytest.approx(2 * math.pi * (2 * 20 + 40 + 40), rel=1e-14)


def test_soma_away_from_the_root_becomes_the_root():
    text = "1 0 0 0 0 1 -1\n2 0 20 0 0 1 1\n3 1 40 0 0 6 2\n4 3 60 0 0 1 3\n5 3 80 0 0 1 4\n"
    with pytest.warns(ds.errors.MorphologyWarning):
        morphology = load(text)
    c = morphology.compartments(ds.Passive(), max_length=10.0)
    assert c.region[0] == "soma"
    assert c.area[0] == pytest.approx(4 * math.pi * 36)
    assert c.length[1:].sum() == pytest.approx(20 + 20)  # the gaps to the soma are no cable


def test_without_a_soma():
    text = "1 3 0 0 0 1 -1\n2 3 30 0 0 1 1\n3 3 0 30 0 1 1\n"
    with pytest.warns(ds.errors.MorphologyWarning):
        c = load(text).compartments(ds.Passive(), max_length=10.0)
    assert c.area[0] == 0  # a branch point is the root
    assert c.size == 7
    straight = "1 3 0 0 0 1 -1\n2 3 30 0 0 1 1\n"
    with pytest.warns(ds.errors.MorphologyWarning):
        c = load(straight).compartments(ds.Passive(), max_length=10.0)
    assert c.size == 3
    assert c.path_distance.tolist() == [5.0, 15.0, 25.0]


def test_zero_radius_is_refused_by_sample_and_accepted_with_a_least_radius():
    text = "1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 20 0 0 0 2\n4 3 40 0 0 0 3\n"
    with pytest.warns(ds.errors.MorphologyWarning):
        morphology = load(text)
    with pytest.raises(MorphologyError, match=r"radius 0 at samples 3, 4; pass minimum_radius"):
        morphology.compartments(ds.Passive(), max_length=10.0)
    c = morphology.compartments(ds.Passive(), max_length=10.0, minimum_radius=0.5)
    assert np.isfinite(c.coupling).all()
    with pytest.raises(ParameterError, match=r"minimum_radius=-1"):
        morphology.compartments(ds.Passive(), max_length=10.0, minimum_radius=-1)


def test_spines_multiply_leak_and_capacitance_of_their_region_only():
    passive = {"R_m": 20_000.0, "R_a": 120.0}
    bare = load(FORK).compartments(ds.Passive(**passive), max_length=20.0)
    spiny = load(FORK).compartments(ds.Passive(**passive, spine_factor={"apical": 1.9}), max_length=20.0)
    factor = np.where(bare.region == "apical", 1.9, 1.0)
    np.testing.assert_allclose(spiny.leak, bare.leak * factor)
    np.testing.assert_allclose(spiny.capacitance, bare.capacitance * factor)
    np.testing.assert_array_equal(spiny.coupling, bare.coupling)
    with pytest.raises(ParameterError, match=r"spine_factor names region 'tuft'; this cell has: apical, basal, soma"):
        load(FORK).compartments(ds.Passive(spine_factor={"tuft": 2.0}), max_length=20.0)


def test_electrotonic_distance_of_a_cylinder():
    c = load(BALL_AND_STICK).compartments(ds.Passive(R_m=20_000.0, R_a=100.0), max_length=1.0)
    # lambda = sqrt(r R_m / (2 R_a)) = sqrt(1e-4 * 2e4 / 200) cm = 0.1 cm
    np.testing.assert_allclose(c.electrotonic_distance[1:], c.path_distance[1:] / 1000.0, rtol=1e-12)


def test_regular_trees():
    tree = ds.Compartments.branching([3, 2], n_cells=2)
    assert tree.size == 2 * (1 + 3 + 6)
    assert tree.n_cells == 2
    assert tree.roots.tolist() == [0, 10]
    assert tree.stage.tolist() == ([0] + [1] * 3 + [2] * 6) * 2
    assert tree.cell.tolist() == [0] * 10 + [1] * 10
    children = np.bincount(tree.parent[tree.parent >= 0], minlength=tree.size)
    assert children[tree.stage == 0].tolist() == [3, 3]
    assert (children[tree.stage == 1] == 2).all()
    assert not tree.physical
    assert (tree.leak == 1).all()
    assert ds.Compartments.branching([]).size == 1


def test_forest():
    a = load(FORK).compartments(ds.Passive(), max_length=20.0)
    b = load(BALL_AND_STICK).compartments(ds.Passive(), max_length=20.0)
    forest = ds.Compartments.forest([a, b, a])
    assert forest.size == 2 * a.size + b.size
    assert forest.roots.tolist() == [0, a.size, a.size + b.size]
    np.testing.assert_array_equal(forest.leak[a.size : a.size + b.size], b.leak)
    assert forest.of_sample(3, cell=1) == a.size + b.of_sample(3)
    assert forest.samples_in(a.size).tolist() == [1]
    # cells do not see each other
    together = ds.steady_state(forest, current=np.eye(forest.size)[3] * 10).voltage
    alone = ds.steady_state(a, current=np.eye(a.size)[3] * 10).voltage
    np.testing.assert_array_equal(together[0, : a.size], alone[0])
    assert (together[0, a.size :] == -70).all()


def test_soma_alone():
    c = load("1 1 0 0 0 5 -1\n").compartments(ds.Passive(), max_length=10.0)
    assert c.size == 1
    assert c.segments()[4].size == 0
    assert ds.steady_state(c, current=[30.0]).voltage[0, 0] == pytest.approx(-70 + 30.0 / c.leak[0])
