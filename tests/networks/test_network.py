"""Networks: structure, voltages against single neurons, connectivity, state."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.networks import MLP, Population, Projection


def small(**options):
    given = {"cells": [6], "branching": [3, 2], "excitatory": 4, "inhibitory": 2, "dtype": "float64", "seed": 1}
    return ds.Network.dendritic(12, 4, **{**given, **options})


@pytest.fixture
def x():
    return np.random.default_rng(3).random((37, 12))


def test_headline_counts():
    """The published numbers of active synapses, couplings, gates and decoder weights."""
    network = ds.Network.dendritic(784, 10, [128], [3, 3], 40, 20)
    layout = network.layout
    assert layout.size == 1152 + 384 + 128
    assert layout.n_synapses == 92_160
    assert (network.sign > 0).sum() == 46_080 + 15_360
    assert (layout.parent >= 0).sum() == 1_536
    assert network.n_parameters == 92_160 + 1_536 + 3_328 + 1_290
    assert (layout.last - layout.first)[layout.stage == 0].max() == 0, "no somatic synapses unless asked for"


@pytest.mark.parametrize("integration", ["shunting", "additive", "normalised_additive"])
@pytest.mark.parametrize("options", [{}, {"cells": [6, 5], "inhibitory_cells": [3, 2]}, {"gates": False}])
def test_voltages_are_those_of_single_neurons(integration, options, x):
    """Each cell taken out of the network and solved by ds.steady_state, which has tests of its own."""
    network = small(integration=integration, **options)
    activity = network.forward(x)
    rows = np.maximum(activity.batch_first(activity.presynaptic), 0)  # nobody hears ungated outputs below zero
    voltage = activity.batch_first(activity.voltage)
    for k, root in enumerate(network.layout.roots):
        compartments, synapses, gate = network.cell(k)
        state = ds.steady_state(
            compartments, synapses, rows, integration=integration.split("_")[-1], direction="directed", gate=gate
        )
        np.testing.assert_allclose(voltage[:, root : root + compartments.size], state.voltage, rtol=0, atol=1e-13)


def test_bounded_voltages_of_shunting_cells(x):
    """Lemma 1: a shunting compartment stays between the reversal potentials."""
    activity = small(gates=False).forward(100.0 * x)
    assert activity.voltage.min() >= 0
    assert activity.voltage.max() <= 1


@pytest.mark.parametrize("n", [1, 3, 8, 64, 65, 129])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sample_does_not_depend_on_its_batch(n, dtype):
    network = small(dtype=dtype)
    x = np.random.default_rng(0).random((n, 12)).astype(dtype)
    together = network.predict(x)
    alone = np.concatenate([network.predict(x[i : i + 1]) for i in range(n)])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("n_inputs", [2500, 4500, 9000])
def test_wide_inputs(n_inputs):
    """Narrower blocks where there are many inputs, the same voltages."""
    network = ds.Network.dendritic(n_inputs, 4, [2], [2], 20, 10, gates=False)
    x = np.random.default_rng(0).random((70, n_inputs)).astype(np.float32)
    activity = network.forward(x)
    assert activity.width < 64
    total = network.synaptic_conductance(x) + network.kind.base(network.layout, network.conductance, network.coupling)
    np.testing.assert_allclose(activity.batch_first(activity.resistance), 1 / total, rtol=1e-5)


def test_same_bits_for_any_number_of_threads(x):
    network = small(cells=[9])
    one, two = network.forward(x, threads=1), network.forward(x, threads=2)
    assert np.array_equal(one.voltage, two.voltage)
    assert np.array_equal(one.logits, two.logits)


def test_float32_follows_float64(x):
    single, double = small(dtype="float32"), small(dtype="float64")
    np.testing.assert_allclose(single.predict(x), double.predict(x), atol=2e-5)


def test_morphology_in_a_network(x):
    tree = ds.Morphology.load("pyramidal_l5").compartments(ds.Passive(), max_length=300.0)
    network = small(trees=tree, gates=False)
    compartments, synapses, gate = network.cell(2)
    assert gate is None
    assert compartments.morphology is not None, "it can be drawn"
    carries = np.unique(synapses.compartment)
    assert np.all(tree.area[carries] > 0), "branch points have no membrane to carry synapses"
    assert 0 not in carries
    rows = network.forward(x)
    state = ds.steady_state(compartments, synapses, rows.batch_first(rows.presynaptic), direction="directed")
    root = network.layout.roots[2]
    voltage = rows.batch_first(rows.voltage)[:, root : root + tree.size]
    np.testing.assert_allclose(voltage, state.voltage, atol=1e-12)


def test_physical_units_do_not_change_a_directed_tree():
    """Normalising divides each compartment's equation by its leak: voltages follow V = E + (E_exc - E) v."""
    tree = ds.Morphology.load("stellate").compartments(ds.Passive(E_leak=-70.0), max_length=200.0)
    from dendrosim.networks.trees import normalised

    unit = normalised(tree)
    rng = np.random.default_rng(0)
    at = np.flatnonzero(tree.leak > 0)
    g = rng.random(at.size)
    x = rng.random((5, at.size))
    sign = np.ones(at.size, int)
    physical = ds.Synapses(tree, at, sign=sign, conductance=g * tree.leak[at], reversal=0.0)
    plain = ds.Synapses(unit, at, sign=sign, conductance=g)
    v = ds.steady_state(tree, physical, x, direction="directed").voltage
    u = ds.steady_state(unit, plain, x, direction="directed").voltage
    np.testing.assert_allclose(v, -70.0 + 70.0 * u, atol=1e-10)


class TestConnectivity:
    def test_each_bank_has_the_largest_weights_of_distinct_sources(self):
        network = small(seed=5)
        c = network.connectivity
        for bank, (a, b) in enumerate(zip(c.banks.first, c.banks.last, strict=True)):
            assert np.unique(c.source[a:b]).size == b - a
            held = c.heap[c._first[bank] : c._last[bank]]
            assert c.raw[a:b].min() >= held.max()

    @pytest.mark.parametrize("seed", range(3))
    def test_reselection_is_topk_by_value(self, seed):
        """Against a dense table of raw weights, sorted afresh after every change."""
        rng = np.random.default_rng(seed)
        network = small(seed=seed)
        c = network.connectivity
        none = np.zeros(0)
        for _ in range(25):
            dense = [dict(zip(c.source[a:b], [None] * (b - a), strict=True)) for a, b in _banks(c)]
            c.raw += 0.2 * rng.standard_normal(c.raw.size)
            for bank, (a, b) in enumerate(_banks(c)):
                dense[bank] = dict(zip(c.source[a:b], c.raw[a:b], strict=True))
                low, high = c._first[bank], c._last[bank]
                dense[bank].update(zip(c.heap_source[low:high], c.heap[low:high], strict=True))
            c.reselect(none, none)
            for bank, (a, b) in enumerate(_banks(c)):
                best = sorted(dense[bank], key=dense[bank].__getitem__, reverse=True)[: b - a]
                assert set(c.source[a:b]) == set(best)
                assert all(dense[bank][s] == w for s, w in zip(c.source[a:b], c.raw[a:b], strict=True))

    def test_newcomers_have_no_momentum(self):
        network = small()
        c = network.connectivity
        mean, square = np.ones(c.raw.size), np.ones(c.raw.size)
        before = c.source.copy()
        c.raw[3] = -10.0
        assert c.reselect(mean, square) == 1
        changed = np.flatnonzero(c.source != before)
        assert list(np.flatnonzero(mean == 0)) == list(changed) == list(np.flatnonzero(square == 0))

    def test_fixed_connectivity_stays(self):
        network = small(connectivity="fixed")
        before = network.source.copy()
        network.parameters["synapses"][:] = -3.0
        network.connectivity.reselect(np.zeros(0), np.zeros(0))
        assert np.array_equal(before, network.source)


def _banks(c):
    return list(zip(c.banks.first, c.banks.last, strict=True))


def test_fair_initialisation(x):
    """Every gate at outputs 0.1 and 0.9 at the quantiles of its own voltage; children weigh as much as synapses."""
    many = np.random.default_rng(0).random((400, 12))
    for integration in ("shunting", "additive", "normalised_additive"):
        network = small(integration=integration)
        network.calibrate(many)
        activity = network.forward(many)
        low, high = np.quantile(activity.batch_first(activity.output), [0.1, 0.9], axis=0)
        free = network.slope < 49.0
        assert free.mean() > 0.9
        np.testing.assert_allclose(low[free], 0.1, atol=2e-3)
        np.testing.assert_allclose(high[free], 0.9, atol=2e-3)
        parent = network.layout.parent
        child = parent >= 0
        total = np.bincount(parent[child], weights=network.coupling[child], minlength=parent.size)
        rest = network.layout.leak + network.synaptic_conductance(many).mean(axis=0)
        inner = total > 0
        np.testing.assert_allclose(total[inner], rest[inner], rtol=1e-9)


def test_published_initialisation():
    """Midpoint and slope of the gates, and the strong couplings of somas: Sum g = 0.49 / 0.01."""
    network = small(initialisation="published")
    soma = network.layout.stage == 0
    child = np.isin(network.layout.parent, np.flatnonzero(soma))
    np.testing.assert_allclose(network.coupling[child], 49.0 / 3, rtol=1e-9)
    np.testing.assert_allclose(network.slope, 1.5)
    np.testing.assert_allclose(small(initialisation="published", integration="additive").slope, 0.1)


def test_balanced_at_the_start():
    network = ds.Network.dendritic(200, 10, [20], [3, 3], 40, 20, dtype="float64")
    at = np.repeat(network.layout.stage, network.layout.last - network.layout.first)
    for stage in (1, 2):
        here = at == stage
        g_e = network.conductance[here & (network.sign > 0)].sum()
        g_i = network.conductance[here & (network.sign < 0)].sum()
        assert g_i == pytest.approx(g_e, rel=0.02)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"integration": "additive", "decoder": MLP([5]), "positive": "exp"},
        {"cells": [5, 4], "inhibitory_cells": [2, 0]},
    ],
)
def test_save_and_load(options, x, tmp_path):
    network = small(**options)
    network.calibrate(x)
    network.save(tmp_path / "network.h5")
    again = ds.Network.load(tmp_path / "network.h5")
    assert np.array_equal(network.predict(x), again.predict(x))
    assert again.calibrated
    assert repr(again) == repr(network)
    for name, value in network.state().items():
        assert np.array_equal(again.state()[name], value), name


def test_a_saved_reconstruction_can_be_drawn(tmp_path):
    tree = ds.Morphology.load("purkinje").compartments(ds.Passive(), max_length=500.0)
    network = small(trees=tree, cells=[2])
    network.save(tmp_path / "network.h5")
    again = ds.Network.load(tmp_path / "network.h5")
    mine, theirs = network.layout.trees[0], again.layout.trees[0]
    assert again.layout.trees[1] is not None
    for a, b in zip(mine.segments(), theirs.segments(), strict=True):
        assert np.array_equal(a, b)


def test_state_goes_back(x):
    network = small()
    state, before = network.state(), network.predict(x)
    network.parameters["synapses"] += 0.1
    network.refresh()
    assert not np.array_equal(network.predict(x), before)
    network.restore(state)
    assert np.array_equal(network.predict(x), before)


def test_any_acyclic_network(x):
    """Two populations that share the input, one inhibiting the other, both read."""
    tree = ds.Compartments.branching([2])
    network = ds.Network(
        12,
        3,
        [Population("b", (tree,) * 4), Population("a", (tree,) * 3)],
        [Projection("input", "a", 1, 5), Projection("input", "b", 1, 5, onto="all"), Projection("a", "b", -1, 2)],
        ["a", "b"],
        dtype="float64",
    )
    assert [p.name for p in network.layout.populations] == ["a", "b"]
    assert network.layout.readout.size == 7
    assert network.forward(x).logits.shape == (37, 3)


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"cells": []}, "one per layer"),
            ({"cells": [0]}, "positive"),
            ({"excitatory": 13}, "at most 12"),
            ({"inhibitory": -1}, "at least 0"),
            ({"excitatory": [4, 4]}, "each of 1 layers"),
            ({"branching": []}, "somatic_synapses=True"),
            ({"integration": "subtractive"}, "'shunting'"),
            ({"positive": "relu"}, "'softplus'"),
            ({"connectivity": "dense"}, "'topk'"),
            ({"decoder": "quadratic"}, "'linear'"),
            ({"initialisation": "zeros"}, "'fair'"),
            ({"dtype": "float16"}, "'float64'"),
            ({"cells": [4, 4], "integration": "additive", "gates": False}, "gates=True"),
            ({"inhibitory_cells": [1, 2]}, "1 layers"),
            ({"inhibitory_cells": [1]}, "at most 1"),
            ({"trees": [ds.Compartments.branching([2])] * 2}, "each of 6 cells"),
        ],
    )
    def test_impossible_networks(self, options, says):
        with pytest.raises(ds.errors.ParameterError, match=says):
            small(**options)

    @pytest.mark.parametrize(
        ("x", "says"),
        [
            (np.zeros(12), r"x\[None\]"),
            (np.zeros((3, 11)), r"\(B, 12\)"),
            (-np.ones((3, 12)), "on_off"),
            (np.full((3, 12), np.nan), "NaN"),
            (np.full((3, 12), "a"), "real numbers"),
            (np.zeros((0, 12)), "one row per sample"),
        ],
    )
    def test_impossible_inputs(self, x, says):
        with pytest.raises(ds.errors.ParameterError, match=says):
            small().forward(x)

    def test_cycles(self):
        tree = ds.Compartments.branching([2])
        with pytest.raises(ds.errors.ParameterError, match="cycle"):
            ds.Network(
                4, 2, [Population("a", (tree,)), Population("b", (tree,))],
                [Projection("a", "b", 1, 1), Projection("b", "a", 1, 1)], ["b"],
            )  # fmt: skip

    def test_silent_cells(self):
        tree = ds.Compartments.branching([2])
        with pytest.raises(ds.errors.ParameterError, match="no synapses"):
            ds.Network(4, 2, [Population("a", (tree,))], [], ["a"])

    def test_foreign_files(self, tmp_path, x):
        from dendrosim.hdf5 import write_hdf5

        write_hdf5(tmp_path / "other.h5", {"a": np.zeros(3)}, {"kind": "demo"})
        with pytest.raises(ds.errors.FileFormatError, match="no network"):
            ds.Network.load(tmp_path / "other.h5")
        write_hdf5(tmp_path / "half.h5", {"settings": "{}"}, {"kind": "network", "schema": 1})
        with pytest.raises(ds.errors.FileFormatError, match="no whole network"):
            ds.Network.load(tmp_path / "half.h5")
