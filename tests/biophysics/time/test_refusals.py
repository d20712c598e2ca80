"""Impossible input in time: one clear error each."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError

CELL = ds.Compartments([-1, 0, 1, 2, 2], leak_reversal=-70.0, capacitance=[1, 1, 1, 0, 1])
SYNAPSES = ds.Synapses(CELL, [1, 2, 3], sign=[1, 1, -1])
SPIKES = ds.Spikes([1.0, 2.0], [0, 1], n_inputs=3)
NAMES = {
    "ds": ds, "np": np, "nan": float("nan"), "cell": CELL, "synapses": SYNAPSES, "spikes": SPIKES, "x": np.ones((2, 3)),
    "tree": ds.Compartments.branching([2]), "run": lambda *a, **k: ds.simulate(CELL, SYNAPSES, *(a or (SPIKES,)), **k),
}  # fmt: skip


@pytest.mark.parametrize(("call", "words"), [
    ("ds.simulate(3)", ("compartments", "3")),
    ("ds.simulate(cell, synapses)", ("inputs are missing", "ds.Spikes", "(B, 3)")),
    ("ds.simulate(cell, None, spikes)", ("there are none",)),
    ("ds.simulate(tree, synapses, spikes)", ("another tree",)),
    ("run(np.ones(3))", ("(3,)", "(B, 3)", "ds.Waveform")),
    ("run(np.ones((2, 4)))", ("4 columns", "3")),
    ("run(-np.ones((2, 3)))", ("values[0, 0, 0] = -1", "not negative")),
    ("run(ds.Spikes([1.0], [3]))", ("4 inputs", "3")),
    ("run(dt=0)", ("dt=0 ms", "> 0")),
    ("run(dt='a')", ("dt='a'", "not a number")),
    ("run(duration=1.01)", ("duration=1.01", "dt=0.025", "1 ms would be")),
    ("run(duration=-1)", ("duration=-1", ">= 0")),
    ("run(every=0)", ("every=0", "at least 1")),
    ("run(record='axon')", ("record='axon'", "'soma', 'all', 'none'")),
    ("run(record=[9])", ("record[0] = 9", "0 to 4")),
    ("run(record=np.zeros((0, 3)))", ("record=", "indices")),
    ("run(record=[0.5])", ("record=[0.5]", "indices")),
    ("run(record_synapses=[3])", ("record_synapses[0] = 3", "0 to 2")),
    ("run(method='rk4')", ("method='rk4'", "'backward_euler', 'crank_nicolson'")),
    ("run(arrival='soon')", ("arrival='soon'", "'nearest', 'middle', 'exact'")),
    ("run(kinetics='beta')", ("kinetics='beta'", "'exponential'")),
    ("run(kinetics=3)", ("kinetics=3", "ds.Exponential(2.0)")),
    ("run(kinetics=['alpha'])", ("list of 1", "3 synapses", "tuple")),
    ("run(kinetics=('alpha',))", ("pair",)),
    ("run(kinetics='instantaneous')", ("no time course", "kinetics=")),
    ("run(kinetics='nmda', integration='additive')", ("NMDA", "integration='shunting'")),
    ("run(mechanisms='hh')", ("mechanisms[0]='hh'", "'hodgkin_huxley'")),
    ("run(mechanisms=[3])", ("mechanisms[0]=3", "ds.HodgkinHuxley()")),
    ("run(mechanisms=3)", ("mechanisms=3",)),
    ("run(mechanisms='hodgkin_huxley', direction='directed')", ("mechanisms=", "reciprocal")),
    ("run(mechanisms=ds.IntegrateAndFire(at=[7]))", ("at=[7]", "0 to 4")),
    ("run(mechanisms=ds.IntegrateAndFire(at=[3]))", ("needs capacitance",)),
    ("run(mechanisms=ds.IntegrateAndFire(at='tip'))", ("at='tip'", "'soma', 'all'")),
    ("run(gate=ds.Gate(1, 1))", ("gate=", "directed")),
    ("run(direction='directed', integration='additive')", ("physical",)),
    ("run(current=[1])", ("(1,)", "(5,)")),
    ("run(current=[0, nan, 0, 0, 0])", ("current", "finite")),
    ("run(clamps=3)", ("clamps=3", "ds.Clamp")),
    ("run(clamps=[3])", ("clamps[0]", "ds.Clamp")),
    ("run(clamps=ds.Clamp(7, 1.0))", ("clamps[0]", "compartment 7", "0 to 4")),
    ("run(clamps=ds.Clamp(0, [1.0, 2.0]), n_stimuli=3)", ("clamps[0] 2", "n_stimuli 3")),
    ("run(x, n_stimuli=3)", ("inputs 2", "n_stimuli 3")),
    ("run(initial='now')", ("initial='now'", "'rest', 'steady'")),
    ("run(initial=[1.0])", ("(1,)", "(5,)")),
    ("run(initial=ds.simulate(tree, duration=0).final)", ("initial.voltage", "(1, 3)", "(1, 5)")),
    ("run(initial=[[1.0], [1.0, 2.0]])", ("initial=", "lengths")),
    ("run(np.ones((0, 3)))", ("no stimuli in inputs",)),
    ("run(ds.Spikes([], [], n_inputs=3, n_stimuli=0))", ("no stimuli in the spikes",)),
    ("run(dt=1e-320)", ("duration=200", "too many steps")),
    ("run(dtype='int32')", ("int32", "'float64', 'float32'")),
    ("run(threads=0)", ("threads=0",)),
    ("run(resume=True)", ("store=", "trace.final")),
    ("run(store=3)", ("store=3", "path")),
    ("run(ds.Waveform(np.ones((2, 1, 3)), 0.03))", ("interval=0.03", "dt=0.025")),
    ("ds.Spikes([1.0, -2.0], [0, 0])", ("time[1] = -2 ms", "not negative")),
    ("ds.Spikes([1.0], [0.5])", ("source[0] = 0.5", "whole")),
    ("ds.Spikes([1.0], [2**60 + 1])", ("source[0] = 1.15", "below 2**53")),
    ("ds.Spikes([1.0], np.array([2**63], np.uint64))", ("source[0] = 9.22", "below 2**53")),
    ("ds.Spikes([1.0], [[0]])", ("source", "(1, 1)")),
    ("ds.Spikes([1.0], [4], n_inputs=3)", ("n_inputs=3", "4")),
    ("ds.Spikes.from_trains(3)", ("trains=3",)),
    ("ds.Spikes.from_trains([[[1.0]], [[1.0], [2.0]]])", ("[1, 2]",)),
    ("ds.Spikes.poisson([-1.0], 10.0)", ("rates", "not negative")),
    ("ds.Waveform(np.ones((2, 3)), 1.0)", ("(2, 3)", "(K, B, P)")),
    ("ds.Waveform(np.ones((1, 2, 3)), 1.0, unit='kHz')", ("unit='kHz'", "'Hz'")),
    ("ds.Clamp(0, [[1.0]])", ("(1, 1)", "pA")),
    ("ds.Clamp(0, [], interval=1.0)", ("amplitude=[]", "one value or more")),
    ("ds.Clamp(0, nan)", ("amplitude=nan", "finite")),
    ("ds.Clamp(0, 1.0, start=5, stop=2)", ("stop=2", "start=5")),
    ("ds.Clamp(-1, 1.0)", ("compartment=-1",)),
    ("ds.Exponential(0)", ("tau=0 ms", "> 0")),
    ("ds.DifferenceOfExponentials(5, 5)", ("rise=5", "ds.Alpha")),
    ("ds.NMDA(magnesium=-1)", ("magnesium=-1 mM", ">= 0")),
    ("ds.HodgkinHuxley(sodium=-1)", ("sodium=-1 S/cm2", ">= 0")),
    ("ds.IntegrateAndFire(-60, -50)", ("reset=-50", "threshold=-60")),
    ("ds.AdaptiveIntegrateAndFire(tau_w=0)", ("tau_w=0 ms", "> 0")),
    ("ds.LeakConductance(-1, 0)", ("conductance=-1 nS",)),
])  # fmt: skip
def test_one_clear_error(call: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ParameterError) as caught:
        eval(call, dict(NAMES))
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, f"{call}: {missing} not in {str(caught.value)!r}"


def test_numbers_that_blow_up_are_told() -> None:
    gated = ds.Compartments([-1, 0], coupling=1e5, physical=False, capacitance=1e-3)
    with pytest.raises(ParameterError, match="ceased to be numbers"):
        ds.simulate(
            gated, ds.Synapses(gated, [1], sign=1, conductance=1e60), np.full((1, 1), 1e60), dtype="float64",
            integration="additive", current=[1.7e308, 1.7e308], duration=1.0, dt=0.1, kinetics="instantaneous",
        )  # fmt: skip


def test_spikes_may_be_of_the_first_inputs_only() -> None:
    few, all_inputs = (ds.Spikes([1.0], [0], n_inputs=n) for n in (1, 3))
    one, other = (ds.simulate(CELL, SYNAPSES, spikes, duration=5.0) for spikes in (few, all_inputs))
    np.testing.assert_array_equal(one.voltage, other.voltage)
    assert np.ptp(one.voltage) > 0


def test_a_snapshot_is_taken_in_the_type_that_is_asked_for() -> None:
    first = ds.simulate(CELL, SYNAPSES, SPIKES, duration=5.0)
    later = ds.simulate(CELL, SYNAPSES, SPIKES, duration=5.0, initial=first.final, dtype="float32", record_synapses=[0])
    assert later.voltage.dtype == later.conductance.dtype == np.float32


def test_voltages_of_branch_points_follow_their_neighbours() -> None:
    """Without capacitance they have no state: given voltages are made consistent, whatever is given."""
    given = np.array([-70.0, -60.0, -65.0, 12.0, -50.0])
    trace = ds.simulate(CELL, initial=given, duration=1.0, record="all", method="crank_nicolson")
    start = trace.voltage[0, 0]
    np.testing.assert_allclose(start[[0, 1, 2, 4]], given[[0, 1, 2, 4]])
    np.testing.assert_allclose(
        CELL.coupling[3] * (start[2] - start[3]) + CELL.leak[3] * (-70.0 - start[3]), 0, atol=1e-12
    )
