"""What shunting and bounded voltages rule out of the evaluation paper's failure modes, and what they do not.

The claims are those of docs/experiments_evaluation_dendrites.md.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.diagnostics import DendriticSubject, audit
from dendrosim.diagnostics.evaluation import mean_cosine, row_norms
from dendrosim.networks.initial import raw_of
from dendrosim.tasks import Task

KINDS = ("shunting", "additive")
SMOOTH = {"gates": False}


def network(integration="shunting", branching=(3, 2), cells=(4,), **options):
    options = {"excitatory": 4, "inhibitory": 3, "positive": "exp", "dtype": "float64", "seed": 2, **options}
    return ds.Network.dendritic(12, 3, cells=cells, branching=branching, integration=integration, **options)


def stronger(made, synapses=1.0, couplings=1.0, inhibition=1.0, stage=None):
    """The network with conductances multiplied, of one stage or of all."""
    layout = made.layout
    at = np.repeat(np.arange(layout.size), layout.last - layout.first)
    chosen = np.full(layout.n_synapses, stage is None) | (layout.stage[at] == stage)
    factor = np.where(made.sign < 0, synapses * inhibition, synapses)
    made.parameters["synapses"][chosen] += np.log(factor)[chosen]
    made.parameters["couplings"] += np.log(couplings)
    made.refresh()
    return made


def data(n=60, most=1.0):
    rng = np.random.default_rng(n)
    return most * rng.random((n, 12)), rng.integers(0, 3, n)


def layers_of(made, teaching="exact", **options):
    return DendriticSubject(made, teaching).layers(*data(**options))


def rms(h):
    return np.sqrt(np.mean(np.asarray(h, np.float64) ** 2, axis=1))


def growth_of(layers):
    """Of the root mean square voltage, stage by stage, as `Audit` takes it."""
    sizes = np.array([row_norms(h).mean() / np.sqrt(h.shape[1]) for h in layers.activity])
    return sizes, sizes[1:] / sizes[:-1]


@pytest.mark.parametrize("gates", [True, False])
@pytest.mark.parametrize("cells", [(4,), (4, 3)])
@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_voltages_stay_between_the_reversal_potentials(gates, cells, factor, dtype):
    made = stronger(network(cells=cells, gates=gates, dtype=dtype), factor, factor)
    for most in (1.0, 1e4):
        a = made.forward(data(most=most)[0])
        voltage = a.batch_first(a.voltage)
        assert voltage.min() >= 0.0
        assert voltage.max() <= 1.0 + 4 * np.finfo(dtype).eps


@pytest.mark.parametrize("factor", [1e-2, 1.0, 1e2, 1e4])
@pytest.mark.parametrize("gates", [True, False])
def test_growth_is_bounded_by_the_quieter_stage_and_does_not_compound(factor, gates):
    layers = layers_of(stronger(network(branching=(2, 2, 2, 2), gates=gates), factor, factor))
    sizes, grown = growth_of(layers)
    assert (grown <= 1.0 / sizes[:-1]).all()
    assert np.prod(grown) == pytest.approx(sizes[-1] / sizes[0])
    assert np.prod(grown) <= 1.0 / sizes[0]


@pytest.mark.parametrize("factor", [1.0, 1e2, 1e4, 1e6])
def test_no_weights_make_a_shunting_tree_flag_growth_while_no_stage_is_silent(factor):
    made = stronger(network(), factor, factor)
    report = audit(DendriticSubject(made, "dfa"), *data(), frozen=0.0)
    quiet = min(report.table["activity"][:-1] / np.sqrt(report.table["width"][:-1]))
    assert quiet > 1 / report.thresholds.growth
    assert report.rho["corrected"] <= 1 / quiet < report.thresholds.growth
    assert not report.verdicts["corrected"].scale


def test_without_gates_a_stage_without_synapses_is_a_mean_of_its_children():
    """V_s^2 <= sum_c w_c V_c^2, and the weights sum to less than one: no growth beyond sqrt(children)."""
    made = stronger(network(branching=(3, 2), gates=False), couplings=1e3)
    layers = layers_of(made)
    assert (row_norms(layers.activity[2]) <= row_norms(layers.activity[1])).all()
    _, grown = growth_of(layers)
    assert grown[-1] <= np.sqrt(3)


def test_the_same_couplings_make_an_additive_tree_grow_stage_by_stage():
    found = {kind: growth_of(layers_of(stronger(network(kind, **SMOOTH), couplings=1e3)))[1] for kind in KINDS}
    assert (found["additive"] > 50).all()
    assert (found["shunting"] < 2).all()


def test_gates_cut_the_chain_of_an_additive_tree():
    """abs(V_n) <= max(E_n, I_n) + sum_c g_c: linear in the weights of one stage, however many there are below."""
    made = stronger(network("additive", branching=(2, 2, 2, 2)), 1e2, 1e3)
    x, _ = data()
    a, layout = made.forward(x), made.layout
    sums = [made.synaptic_conductance(x, sign) for sign in (1, -1)]
    child = layout.child
    below = np.bincount(layout.parent[child], weights=made.coupling[child], minlength=layout.size)
    assert (np.abs(a.batch_first(a.voltage)) <= np.maximum(*sums) * (1 + 1e-12) + below).all()


@pytest.mark.parametrize("factor", [1.0, 1e3])
def test_without_gates_gradients_of_a_shunting_tree_only_fade_towards_the_tips(factor):
    """sum_c g_c R_p < 1: abs(g_l) <= abs(g_{l+1}) for every sample. Additive couplings have no such bound."""
    for kind in KINDS:
        sizes = [row_norms(g) for g in layers_of(stronger(network(kind, **SMOOTH), factor, factor)).gradient]
        fades = all((below <= above).all() for below, above in pairwise(sizes))
        assert fades or kind == "additive"
        if kind == "additive" and factor > 1:
            assert not fades


def test_a_gate_of_a_shunting_cell_cannot_be_shut_further_than_its_slope_allows():
    """f'(V) >= m / 2 sech^2(m max(abs(b), abs(1 - b))), since V is between 0 and 1, whatever the weights."""
    for factor in (1e-3, 1.0, 1e3, 1e6):
        made = stronger(network(), factor, factor)
        a = made.forward(data()[0])
        m, b = made.slope.astype(float), made.parameters["midpoint"].astype(float)
        least = m / 2 / np.cosh(m * np.maximum(np.abs(b), np.abs(1 - b))) ** 2
        assert (a.batch_first(a.derivative) >= least * (1 - 1e-9)).all()


def test_growth_collapses_the_reference_of_a_gated_additive_tree_and_not_of_a_shunting_one():
    """Mode 1 has the soma's gate in the place of the terminal layer normalisation: it fades exponentially with V."""
    found = {}
    for kind in KINDS:
        made = network(kind)
        made.calibrate(data()[0])
        made.set_gates(np.arange(made.layout.size), np.full(made.layout.size, 2.0), made.parameters["midpoint"].copy())
        found[kind] = audit(DendriticSubject(stronger(made, couplings=1e4), "dfa"), *data(), frozen=0.0)
    assert {kind: one.verdicts["corrected"].flags for kind, one in found.items()} == {
        "shunting": (),
        "additive": ("D1", "D2"),
    }
    assert found["additive"].verdict.degenerate
    assert not found["shunting"].verdict.failed


def test_silent_tips_flag_growth_in_a_shunting_tree():
    """A ratio cannot tell an explosion above from silence below; voltages can."""
    made = stronger(network(branching=(3, 2), **SMOOTH), synapses=1e-2, inhibition=1e7, stage=2)
    report = audit(DendriticSubject(made, "dfa"), *data(), frozen=0.0)
    assert report.verdicts["corrected"].flags == ("D1",)
    assert not report.verdicts["corrected"].degenerate
    sizes = report.table["activity"] / np.sqrt(report.table["width"])
    assert sizes[0] < 1 / 50
    assert sizes.max() <= 1.0


def test_the_reference_at_the_tips_is_sound_in_float32_where_the_papers_cosine_is_clamped():
    """Shunting load makes the gradient at the tips short; its direction stays, and the second check looks elsewhere."""
    made = stronger(network(branching=(2, 2, 2), dtype="float32"), synapses=1e4)
    subject, (x, y) = DendriticSubject(made, "exact"), data()
    single, double = subject.layers(x, y), subject.in_double().layers(x, y)
    report = audit(subject, x, y, frozen=0.0)
    assert report.table["gradient_mean"][0] < 1e-8 < report.table["gradient_mean"][-1]
    assert not report.verdict.reference
    assert mean_cosine(single.gradient[0], double.gradient[0]) > 1 - 1e-6
    assert report.table["cosine_paper"][0] < 0.5
    assert report.table["cosine_input"][0] == pytest.approx(1.0)


def test_frozen_dendrites_stay_as_they_were_calibrated():
    x, y = data(200)
    task = Task.from_arrays("small", x, y, x[:50], y[:50])
    before = network(dtype="float32")
    run = ds.train(before.copy(), task, teaching="decoder_only", epochs=2, validation=0, progress=False)
    other = ds.train(before.copy(), task, teaching="decoder_only", epochs=1, validation=0, progress=False)
    core = [name for name in run.network.parameters if not name.startswith("decoder")]
    assert len(core) == 4
    for name in core:
        np.testing.assert_array_equal(run.network.parameters[name], other.network.parameters[name])
    assert (run.network.parameters["decoder_weight"] != other.network.parameters["decoder_weight"]).any()
    np.testing.assert_array_equal(run.network.parameters["synapses"], before.parameters["synapses"])


def test_couplings_that_are_set_are_those_that_are_used():
    """The factors above act on conductances: an exponential of raw values."""
    made = network()
    before, g = made.coupling.copy(), made.conductance.copy()
    stronger(made, 10.0, 100.0)
    child = made.layout.child
    np.testing.assert_allclose(made.coupling[child], 100 * before[child])
    np.testing.assert_allclose(made.conductance, 10 * g)
    np.testing.assert_allclose(raw_of(g, "exp") + np.log(10), made.parameters["synapses"])
