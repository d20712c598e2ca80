"""Synapses: placement against stated probabilities, defaults, algebra, one clear error for each impossible value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.biophysics.presets import AMPA, GABA_A, SynapseKind
from dendrosim.biophysics.synapses import Synapses
from dendrosim.errors import ParameterError


@pytest.fixture
def cell() -> Any:
    """Soma, a trunk of two pieces, a branch point (no membrane), two daughters of unequal length, and an axon.

    ::

        0 soma -- 1 basal [0, 10] -- 2 basal [10, 20] -- 3 (branch point, 20) -- 4 basal [20, 30], 5 apical [20, 50]
          `-- 6 axon [0, 40]
    """
    cell: Any = ds.Compartments(
        [-1, 0, 1, 2, 3, 3, 0],
        leak_reversal=-65.0,
        region=["soma", "basal", "basal", "basal", "basal", "apical", "axon"],
        length=[20.0, 10.0, 10.0, 0.0, 10.0, 30.0, 40.0],
        area=[900.0, 100.0, 50.0, 0.0, 20.0, 30.0, 40.0],
        path_distance=[0.0, 5.0, 15.0, 20.0, 25.0, 35.0, 20.0],
    )
    places = {11: 0, 12: 1, 13: 2, 14: 5}
    vars(cell).update(morphologies=("cell",), of_sample=lambda sample, cell: places[sample] + cell)
    return cell


@pytest.fixture
def tree() -> Any:
    """A regular tree in normalised units: a soma, two branches."""
    return ds.Compartments.branching([2])


def test_explicit_arrays_with_physical_defaults(cell: Any) -> None:
    synapses = Synapses(cell, [1, 2, 5], sign=[1, -1, 1])
    assert synapses.compartment.tolist() == [1, 2, 5]
    assert synapses.source.tolist() == [0, 1, 2]
    assert synapses.conductance.tolist() == [0.5, 0.5, 0.5]
    assert synapses.reversal.tolist() == [0.0, -70.0, 0.0]
    assert synapses.driving_force.tolist() == [65.0, -65.0, 65.0]
    assert (synapses.n_inputs, synapses.size, len(synapses)) == (3, 3, 3)
    types = [str(array.dtype) for array in (synapses.compartment, synapses.sign, synapses.conductance)]
    assert types == ["int64", "int64", "float64"]


def test_explicit_arrays_with_normalised_defaults(tree: Any) -> None:
    synapses = Synapses(tree, [1, 2], sign=[1, -1])
    assert synapses.reversal.tolist() == [1.0, 0.0]
    assert synapses.driving_force.tolist() == [1.0, -1.0]
    assert synapses.conductance.tolist() == [0.5, 0.5]


def test_driving_force_follows_the_excitatory_reversal(cell: Any) -> None:
    synapses = Synapses(cell, [1, 2, 5], sign=[1, -1, 1], reversal=[10.0, -80.0, 20.0])
    assert synapses.driving_force.tolist() == [75.0, -80.0, 85.0]  # inhibition: the mean of the excitatory ones
    alone = Synapses(cell, [1], sign=-1, reversal=-80.0)
    assert alone.driving_force.tolist() == [-65.0]  # no excitation given: its default, 0 mV
    assert Synapses(cell, [1], sign=-1, driving_force=-5.0).driving_force.tolist() == [-5.0]


def test_scalars_broadcast_and_sources_are_shared(cell: Any) -> None:
    synapses = Synapses(cell, 4, [0, 2, 0], sign=1, conductance=[0.1, 0.2, 0.3])
    assert synapses.compartment.tolist() == [4, 4, 4]
    assert synapses.n_inputs == 3
    assert Synapses(cell, 4, [0, 2, 0], sign=1, n_inputs=7).n_inputs == 7


def test_everything_is_read_only(cell: Any) -> None:
    conductance = np.array([0.1, 0.2])
    synapses = Synapses(cell, [1, 2], sign=1, conductance=conductance)
    conductance[0] = 9.0
    assert synapses.conductance[0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        synapses.conductance[0] = 1.0
    with pytest.raises(AttributeError):
        synapses.n_inputs = 3  # type: ignore[misc]


@pytest.mark.parametrize(("by", "weights"), [("length", [10, 10, 0, 10, 30]), ("area", [100, 50, 0, 20, 30])])
def test_scatter_draws_in_proportion_and_leaves_soma_axon_and_branch_points_alone(
    cell: Any, by: str, weights: list[int]
) -> None:
    count = 20_000
    synapses = Synapses.scatter(cell, count, 0, by=by)
    share = np.bincount(synapses.compartment, minlength=7) / count
    expected = np.array([0, *weights, 0]) / sum(weights)
    assert np.all(share[expected == 0] == 0)
    # five standard deviations of a binomial share
    np.testing.assert_array_less(np.abs(share - expected), 5 * np.sqrt(expected * (1 - expected) / count) + 1e-15)


def test_scatter_order_sources_and_seed(cell: Any) -> None:
    synapses = Synapses.scatter(cell, 30, 10, n_inputs=8, seed=3)
    assert synapses.sign.tolist() == [1] * 30 + [-1] * 10
    assert synapses.n_inputs == 8
    assert set(synapses.source.tolist()) <= set(range(8))
    again, other = (
        Synapses.scatter(cell, 30, 10, n_inputs=8, seed=3),
        Synapses.scatter(cell, 30, 10, n_inputs=8, seed=4),
    )
    assert np.array_equal(synapses.compartment, again.compartment)
    assert np.array_equal(synapses.source, again.source)
    assert not np.array_equal(synapses.compartment, other.compartment)
    rng = np.random.default_rng(3)
    assert np.array_equal(Synapses.scatter(cell, 30, 10, n_inputs=8, seed=rng).source, synapses.source)
    assert Synapses.scatter(cell).source.tolist() == list(range(250))


def test_scatter_in_regions(cell: Any, tree: Any) -> None:
    assert set(Synapses.scatter(cell, 50, 0, regions="axon").compartment.tolist()) == {6}
    assert set(Synapses.scatter(cell, 200, 0, regions=["soma", "apical"]).compartment.tolist()) == {0, 5}
    assert set(Synapses.scatter(tree, 50, 0).compartment.tolist()) == {1, 2}
    vars(tree).update(region=np.array(["soma"] * 3))
    assert set(Synapses.scatter(tree, 50, 0).compartment.tolist()) == {0, 1, 2}


def test_scatter_values_per_kind(cell: Any) -> None:
    synapses = Synapses.scatter(cell, 2, 1, conductance=(0.2, 0.7), reversal=(5.0, -75.0), driving_force=(60.0, -20.0))
    assert synapses.conductance.tolist() == [0.2, 0.2, 0.7]
    assert synapses.reversal.tolist() == [5.0, 5.0, -75.0]
    assert synapses.driving_force.tolist() == [60.0, 60.0, -20.0]
    named = Synapses.scatter(cell, 1, 1, kinds=("AMPA", "GABA_A"))
    assert named.reversal.tolist() == [AMPA.reversal, GABA_A.reversal]
    assert named.conductance.tolist() == [AMPA.conductance, GABA_A.conductance]
    assert named.driving_force.tolist() == [65.0, -65.0]
    only_inhibition = Synapses.scatter(cell, 0, 1, reversal=(5.0, -75.0))
    assert only_inhibition.driving_force.tolist() == [-70.0]  # -(E_exc - E_leak)
    assert Synapses.scatter(cell, 0, 0).n_inputs == 0


def test_at_samples(cell: Any) -> None:
    synapses = Synapses.at(cell, samples=[14, 11], sign=1, conductance=[0.1, 0.2])
    assert synapses.compartment.tolist() == [5, 0]
    assert synapses.conductance.tolist() == [0.1, 0.2]
    assert Synapses.at(cell, samples=[12, 13], cell=2, sign=1).compartment.tolist() == [3, 4]
    one = Synapses.at(cell, samples=13, kind="GABA_A")
    assert (one.compartment.tolist(), one.sign.tolist(), one.reversal.tolist()) == ([2], [-1], [-80.0])


@pytest.mark.parametrize(
    ("distance", "region", "expected"),
    [
        (12.0, None, [2, 6]),
        (12.0, "basal", [2]),
        (10.0, "basal", [2]),  # a border belongs to the compartment beyond it
        (20.0, ["basal", "apical"], [4, 5]),
        (30.0, None, [4, 5, 6]),  # 4 ends here: tips are closed
        (50.0, None, [5]),
        (0.0, "soma", [0]),
        (0.0, None, [0, 1, 6]),
        ([35.0, 5.0], ["basal", "apical"], [5, 1]),
    ],
)
def test_at_distances(cell: Any, distance: Any, region: Any, expected: list[int]) -> None:
    assert Synapses.at(cell, distance=distance, region=region, sign=1).compartment.tolist() == expected


def test_selection_keeps_inputs(cell: Any) -> None:
    synapses = Synapses.scatter(cell, 6, 4, n_inputs=5)
    for which in (synapses.sign < 0, slice(6, 10), [6, 7, 8, 9], [-4, -3, -2, -1]):
        inhibition = synapses[which]
        assert inhibition.n_inputs == 5
        assert np.array_equal(inhibition.source, synapses.source[6:])
        assert np.array_equal(inhibition.driving_force, synapses.driving_force[6:])
    assert synapses[[]].size == 0
    assert synapses[-1].size == 1


def test_joining(cell: Any) -> None:
    first, second = Synapses(cell, [1, 2], sign=1), Synapses(cell, [4, 5, 5], [0, 1, 0], sign=-1, reversal=-80.0)
    both = first + second
    assert both.source.tolist() == [0, 1, 2, 3, 2]
    assert both.n_inputs == 4
    assert both.reversal.tolist() == [0.0, 0.0, -80.0, -80.0, -80.0]
    shared = first.join(second, shared_inputs=True)
    assert (shared.source.tolist(), shared.n_inputs) == ([0, 1, 0, 1, 0], 2)


def test_replacing(cell: Any) -> None:
    synapses = Synapses(cell, [1, 2], sign=[1, -1])
    changed = synapses.with_(conductance=[0.1, 0.3], n_inputs=9)
    assert (changed.conductance.tolist(), changed.n_inputs) == ([0.1, 0.3], 9)
    assert synapses.conductance.tolist() == [0.5, 0.5]
    assert synapses.with_(conductance=2).conductance.tolist() == [2.0, 2.0]
    assert synapses.with_(reversal=-75).driving_force.tolist() == [65.0, -65.0]


def test_repr_counts(cell: Any) -> None:
    assert repr(Synapses(cell, [1, 1, 2], sign=[1, 1, -1])) == (
        "<Synapses: 2 excitatory, 1 inhibitory, n_inputs=3, on 2 of 7 compartments>"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"conductance": [0.1, np.nan, 0.1]}, r"conductance\[1\]=nan nS must be finite and >= 0"),
        ({"conductance": [0.1, 0.1, -2.0]}, r"conductance\[2\]=-2\.0 nS must be finite and >= 0"),
        ({"conductance": -1.0}, r"conductance\[0\]=-1\.0 nS must be finite and >= 0 \(and 2 more\)"),
        ({"compartment": [0, 7, 1]}, r"compartment\[1\]=7 must be in 0 \.\. 6, as there are 7 compartments"),
        ({"compartment": [-1, 2, 1]}, r"compartment\[0\]=-1 must be in 0 \.\. 6"),
        ({"compartment": [0.5, 2, 1]}, r"compartment\[0\]=0\.5 must be a whole number"),
        ({"compartment": ["a", "b", "c"]}, r"compartment=.* has dtype <U1; expected real numbers"),
        ({"source": [0, 1, -1]}, r"source\[2\]=-1 must be the index of an input, 0 or more"),
        ({"source": [0, 5, 1], "n_inputs": 4}, r"source\[1\]=5 must be in 0 \.\. 3, as n_inputs=4"),
        ({"n_inputs": 2}, r"source\[2\]=2 must be in 0 \.\. 1, as n_inputs=2"),
        ({"n_inputs": -2}, r"n_inputs=-2 must be a whole number of at least 0"),
        ({"sign": [1, 0, -1]}, r"sign\[1\]=0 must be \+1 \(excitatory\) or -1 \(inhibitory\)"),
        ({"reversal": [0, 0, np.nan]}, r"reversal\[2\]=nan mV must be finite"),
        ({"driving_force": np.inf}, r"driving_force\[0\]=inf mV must be finite"),
        (
            {"conductance": [0.1, 0.2]},
            r"shape mismatch: compartment \(3,\), conductance \(2,\); give arrays of one shape",
        ),
        (
            {"conductance": np.ones((3, 1))},
            r"conductance must be a number or an array of shape \(n,\), got shape \(3, 1\)",
        ),
    ],
)
def test_impossible_values_name_the_first_offender(cell: Any, arguments: dict[str, Any], message: str) -> None:
    valid: dict[str, Any] = {"compartment": [1, 2, 4], "sign": 1}
    with pytest.raises(ParameterError, match=message):
        Synapses(cell, **(valid | arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"regions": "tuft"}, r"region='tuft' is not known; valid: 'apical', 'axon', 'basal', 'soma'"),
        ({"regions": []}, r"name at least one region"),
        ({"by": "volume"}, r"by='volume' is not known; valid: 'length', 'area'"),
        ({"excitatory": -3}, r"excitatory=-3 must be a whole number of at least 0"),
        ({"inhibitory": 2.5}, r"inhibitory=2.5 must be a whole number of at least 0"),
        ({"n_inputs": 0}, r"n_inputs=0 must be a whole number of at least 1"),
        ({"seed": None}, r"seed=None is impossible; give an integer >= 0 or a numpy.random.Generator"),
        (
            {"conductance": (1, 2, 3)},
            r"conductance must be one number, or two \(excitation, inhibition\), got shape \(3,\)",
        ),
        ({"conductance": np.nan}, r"conductance\[0\]=nan nS"),
        ({"kinds": ("AMPA", "gap_junction")}, r"gap junctions are out of scope"),
        ({"kinds": ("GABA_A", "AMPA")}, r"must be an excitatory kind and then an inhibitory one"),
    ],
)
def test_impossible_scatters(cell: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Synapses.scatter(cell, **arguments)


def test_scatter_where_there_is_no_membrane(cell: Any) -> None:
    vars(cell).update(area=np.zeros(7))
    with pytest.raises(ParameterError, match="regions='axon' have no membrane to put 250 synapses on"):
        Synapses.scatter(cell, regions="axon")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sign": 1}, r"give samples= \(sample identifiers\) or distance= \(um from the soma\)"),
        ({"samples": 11}, r"give exactly one of sign= .* and kind="),
        ({"samples": 11, "sign": 1, "kind": "AMPA"}, r"give exactly one of sign= .* and kind="),
        ({"samples": 11, "sign": 1, "region": "soma"}, r"samples= already says where"),
        ({"samples": 11, "kind": "gap_junction"}, r"gap junctions are out of scope"),
        ({"distance": 51.0, "sign": 1}, r"no compartment lies at distance=51\.0 um; the farthest reaches 50 um"),
        ({"distance": 35.0, "sign": 1, "region": "basal"}, r"at distance=35\.0 um in region 'basal'; .* reaches 30 um"),
        ({"distance": -1.0, "sign": 1}, r"distance=-1\.0 um must be finite and >= 0"),
        ({"distance": np.nan, "sign": 1}, r"distance=nan um must be finite and >= 0"),
    ],
)
def test_impossible_places(cell: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Synapses.at(cell, **arguments)


def test_regular_trees_have_no_places_and_no_kinds(tree: Any) -> None:
    with pytest.raises(ParameterError, match="samples= needs compartments of a morphology"):
        Synapses.at(tree, samples=1, sign=1)
    with pytest.raises(ParameterError, match="distance= needs compartments with lengths"):
        Synapses.at(tree, distance=1.0, sign=1)
    with pytest.raises(ParameterError, match="kind 'AMPA' is in mV and nS, these compartments are in normalised units"):
        Synapses.scatter(tree, kinds=("AMPA", "GABA_A"))


def test_impossible_selections_and_joins(cell: Any, tree: Any) -> None:
    synapses = Synapses(cell, [1, 2], sign=1)
    with pytest.raises(
        ParameterError, match=r"bool mask of shape \(2,\) or indices of shape \(n,\); got bool of shape \(3,\)"
    ):
        synapses[[True, False, True]]
    with pytest.raises(ParameterError, match="got float64"):
        synapses[[0.5]]
    with pytest.raises(ParameterError, match="synapse indices up to 2 do not fit 2 synapses"):
        synapses[[0, 2]]
    with pytest.raises(ParameterError, match="cannot join synapses on 7 compartments with synapses on 3"):
        synapses + Synapses(tree, [1], sign=1)
    with pytest.raises(ParameterError, match="cannot share inputs: n_inputs is 2 here and 1 there"):
        synapses.join(Synapses(cell, [1], sign=1), shared_inputs=True)
    with pytest.raises(TypeError):
        synapses + 3  # type: ignore[operator]


def test_impossible_replacements(cell: Any) -> None:
    synapses = Synapses(cell, [1, 2], sign=1)
    with pytest.raises(
        ParameterError, match=r"with_\(weight=\.\.\.\) is not known; valid: 'compartment', .*'n_inputs'"
    ):
        synapses.with_(weight=1.0)
    with pytest.raises(ParameterError, match=r"conductance\[0\]=-1\.0 nS"):
        synapses.with_(conductance=-1.0)
    with pytest.raises(ParameterError, match="shape mismatch"):
        synapses.with_(conductance=[1.0, 2.0, 3.0])
    with pytest.raises(ParameterError, match=r"shape mismatch: new values of shape \(2,\) for 1 synapses"):
        synapses[:1].with_(conductance=[1.0, 2.0])


def test_own_kinds(cell: Any) -> None:
    glycine = SynapseKind("glycine", -1, -75.0, 1.2)
    synapses = Synapses.at(cell, samples=12, kind=glycine, conductance=0.3)
    assert (synapses.reversal.tolist(), synapses.conductance.tolist()) == ([-75.0], [0.3])


def test_on_a_real_morphology_and_a_forest() -> None:
    stick = ds.grow.ball_and_stick(length=100.0, spacing=25.0)
    one = stick.compartments(ds.Passive(), max_length=10.0)
    tip = int(stick.samples.id[-1])
    assert Synapses.at(one, samples=tip, sign=1).compartment.tolist() == [one.size - 1]
    assert Synapses.at(one, distance=[5.0, 99.0], sign=1).compartment.tolist() == [1, 10]
    forest = ds.Compartments.forest([one, one])
    assert Synapses.at(forest, samples=tip, cell=1, sign=1).compartment.tolist() == [forest.size - 1]
    assert Synapses.at(forest, distance=55.0, sign=1).compartment.tolist() == [6, 17]
    scattered = Synapses.scatter(forest, 400, 100)
    assert not np.isin(scattered.compartment, forest.roots).any()
    assert scattered.driving_force.tolist() == [70.0] * 400 + [-70.0] * 100


def test_on_regular_trees() -> None:
    tree = ds.Compartments.branching([3, 3], n_cells=4)
    synapses = Synapses.scatter(tree, 40, 20, n_inputs=784)
    assert not np.isin(synapses.compartment, tree.roots).any()
    assert synapses.reversal.tolist() == [1.0] * 40 + [0.0] * 20
    assert synapses.driving_force.tolist() == [1.0] * 40 + [-1.0] * 20
