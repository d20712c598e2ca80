"""What is said of impossible input: the class of the error, the value, the place, and what would work.

Each row is a call, as a user would type it, and words that the message must have. Kernels check no bounds: whatever
gets past these errors must be right, so the last tests are of odd input that is accepted.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.biophysics.fitting import PassiveModel
from dendrosim.errors import MorphologyError, ParameterError

SWC = "1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 105 0 0 1 2\n"


@pytest.fixture(scope="module")
def names() -> dict[str, object]:
    """What the calls may use."""
    cell = ds.Morphology.from_swc(SWC, "stick")
    compartments = cell.compartments(ds.Passive(), max_length=25.0)
    synapses = ds.Synapses(compartments, [1, 2, 3], sign=[1, 1, -1])
    x = np.ones((2, 3))
    return {
        "ds": ds, "np": np, "nan": float("nan"), "inf": float("inf"), "none": np.array([1.0, None]),
        "cell": cell, "passive": ds.Passive(), "compartments": compartments, "tree": ds.Compartments.branching([2]),
        "synapses": synapses, "x": x, "state": ds.steady_state(compartments, synapses, x), "values": np.arange(5.0),
        "masked": np.ma.array(x, mask=np.eye(2, 3)), "ragged": [[1.0], [1.0, 2.0]], "PassiveModel": PassiveModel,
        "at_soma": ds.InputResistance("soma", 100.0),
    }  # fmt: skip


def refused(call: str, error: type[Exception], words: tuple[str, ...], names: dict[str, object]) -> None:
    with pytest.raises(error) as caught:
        eval(call, dict(names))
    plt.close("all")
    message = str(caught.value)
    missing = [word for word in words if word not in message]
    assert not missing, f"{call}: {missing} not in {message!r}"
    assert len(message) < 1000


def table(rows: list[tuple[str, ...]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("call", "words"), [(r[0], r[1:]) for r in rows], ids=[r[0] for r in rows])


# ---- files and morphologies


@table([
    ("ds.Morphology.load('pyramidal_l9')", "'pyramidal_l9' does not exist", ".swc, .asc or .h5", "pyramidal_l5"),
    ("ds.Morphology.load('/tmp')", "'/tmp' is a folder"),
    ("ds.Morphology.load('')", "'' is empty", "pyramidal_l5"),
    ("ds.Morphology.from_swc('')", "empty-file"),
    ("ds.Morphology.from_swc('# nothing')", "no-samples"),
    ("ds.Morphology.from_swc('1 1 0 0 0 5 -1\\n2 3 5 0 0 1 7')", ":2: error", "7"),
    ("ds.Morphology.from_swc('1 1 0 0 0 5 -1\\n2 3 5 0 nan 1 1')", ":2: error", "nan"),
    ("ds.Morphology.from_graph(3)", "graph=3", "networkx.DiGraph"),
    ("cell.save('/nowhere/a.swc')", "/nowhere/a.swc", "cannot be written"),
    ("compartments.of_sample(999)", "no sample 999 in stick", "1 to 3"),
    ("tree.of_sample(1)", "do not come from a morphology", "plot_dendrogram"),
    ("ds.Synapses.at(compartments, sign=1, samples=999)", "no sample 999", "1 to 3"),
    ("ds.fit_passive(cell, [ds.InputResistance(999, 100.0)], free=['R_m'])", "no sample 999"),
])  # fmt: skip
def test_morphologies_that_cannot_be_had(call, words, names):
    refused(call, MorphologyError, words, names)


@table([
    ("ds.Morphology.load(3)", "source=3", "path"),
    ("ds.Morphology.load('ball_and_stick', repair='tidy')", "repair='tidy'", "'zero_radius'"),
    ("ds.Morphology.load('ball_and_stick', repair=3)", "repair=3", "name"),
    ("ds.Morphology.load('ball_and_stick', minimum_radius=0.1)", "minimum_radius=0.1", "repair='zero_radius'"),
    ("ds.Morphology.load('basket', repair='zero_radius', minimum_radius=-1)", "minimum_radius=-1 um", "> 0"),
    ("ds.Morphology.from_swc(b'1 1 0 0 0 5 -1')", "text=b'1 1 0", "SWC"),
    ("ds.Morphology([1, 2])", "samples must be Samples", "Morphology.load", "[1, 2]"),
    ("cell.save(None)", "path=None"),
    ("cell.total_length('tuft')", "region='tuft'", "soma, basal"),
    ("cell.select(region=3)", "region=3"),
    ("cell.select()", "region=", "where="),
    ("cell.select(path_distance=3)", "path_distance=3", "(least, most)"),
    ("cell.select(where=[True])", "(3,)", "(1,)"),
    ("cell.subtree(999)", "sample 999", "1 to 3"),
    ("cell.reroot('a')", "sample 'a'", "1 to 3"),
    ("ds.Passive(R_m=0)", "R_m=0 ohm cm2", "> 0"),
    ("ds.Passive(R_a='150')", "R_a='150' ohm cm", "not a number"),
    ("ds.Passive(C_m=np.ones(2))", "C_m=array([1., 1.]) uF/cm2"),
    ("ds.Passive(E_leak=inf)", "E_leak=inf mV", "finite"),
    ("ds.Passive(spine_factor=2.0)", "spine_factor=2.0", "{'apical': 1.9}"),
    ("ds.Passive(spine_factor={'basal': 0.5})", "spine_factor['basal']=0.5", ">= 1"),
    ("cell.compartments(ds.Passive(spine_factor={'tuft': 2}), max_length=9)", "'tuft'", "basal, soma"),
    ("cell.compartments(passive)", "max_length", "d_lambda"),
    ("cell.compartments(None, max_length=9)", "ds.Passive(R_m=20000.0)", "None"),
    ("cell.compartments(passive, max_length=0)", "max_length=0 um", "> 0"),
    ("cell.compartments(passive, max_length='20')", "max_length='20' um", "not a number"),
    ("cell.compartments(passive, max_length=1e-12)", "max_length=1e-12", "1e+14 compartments", "greater max_length"),
    ("cell.compartments(passive, d_lambda=nan)", "d_lambda=nan", "> 0"),
    ("cell.compartments(passive, d_lambda=0.1, frequency=0)", "frequency=0 Hz", "> 0"),
    ("cell.compartments(passive, max_length=9, minimum_radius=-1)", "minimum_radius=-1 um", "> 0"),
])  # fmt: skip
def test_morphologies(call, words, names):
    refused(call, ParameterError, words, names)


# ---- compartments


@table([
    ("ds.Compartments([])", "shape (0,)", "at least one compartment"),
    ("ds.Compartments(-1)", "shape ()", "(N,)"),
    ("ds.Compartments(None)", "parent=None"),
    ("ds.Compartments([-1.0, 0.0])", "float64", "integers"),
    ("ds.Compartments(ragged)", "parent=[[1.0], [1.0, 2.0]]", "different lengths"),
    ("ds.Compartments([0, 0])", "parent[0] = 0", "root (-1)"),
    ("ds.Compartments([-1, 2, 0])", "parent[1]", "parents come first"),
    ("ds.Compartments([-1, 2**62])", "parent[1]", "parents come first"),
    ("ds.Compartments(np.array([255, 0], np.uint8))", "parent[0] = 255", "root (-1)"),
    ("ds.Compartments([-1, -2])", "parent[1]", "-1"),
    ("ds.Compartments([-1, -1, 0])", "parent[2]", "another cell"),
    ("ds.Compartments([-1, 0], coupling=0)", "coupling is 0 at compartment 1", "disconnected", "parent -1"),
    ("ds.Compartments([-1, 0], coupling=[1, nan])", "coupling[1] = nan nS", "finite"),
    ("ds.Compartments([-1, 0], leak=[1, 0])", "leak is 0 at compartment 1", "positive leak"),
    ("ds.Compartments([-1, 0], leak=[1, nan])", "leak[1] = nan nS", "finite"),
    ("ds.Compartments([-1, 0], leak=[1, -1])", "leak[1] = -1.0 nS", "not negative"),
    ("ds.Compartments([-1, 0], leak=[1, 1, 1])", "leak has shape (3,)", "(2,)"),
    ("ds.Compartments([-1, 0], leak='a')", "leak='a'", "real numbers"),
    ("ds.Compartments([-1, 0], leak=1j)", "leak=1j", "real numbers"),
    ("ds.Compartments([-1, 0], leak=none)", "leak=", "object"),
    ("ds.Compartments([-1, 0], leak=np.ma.array([1.0, 2.0], mask=[0, 1]))", "leak has 1 masked", "filled"),
    ("ds.Compartments([-1, 0], capacitance=-1)", "capacitance[0] = -1.0 pF"),
    ("ds.Compartments([-1, 0], leak_reversal='a')", "leak_reversal='a' mV"),
    ("ds.Compartments([-1, 0], region=['a'])", "region has shape (1,)", "(2,)"),
    ("ds.Compartments([-1, 0], stage=[0, 0.5])", "stage[1] = 0.5", "whole number"),
    ("ds.Compartments([-1, 0], area=np.ones((2, 2)))", "area has shape (2, 2)", "(2,)"),
    ("ds.Compartments([-1, 0], length=[1, nan])", "length[1] = nan um"),
    ("ds.Compartments([-1, 0], xyz=np.ones((3, 3)))", "xyz has shape (3, 3)", "(2, 3)"),
    ("compartments.with_(leak=np.full(5, nan))", "leak[0] = nan nS"),
    ("compartments.with_(coupling=[1, 2])", "coupling has shape (2,)", "(5,)"),
    ("compartments.with_(R_m=1)", "'R_m'", "leak, coupling, capacitance"),
    ("ds.Compartments.branching(3)", "branching=3", "list"),
    ("ds.Compartments.branching([3, 0])", "branching[1]=0", "positive integer"),
    ("ds.Compartments.branching([2.5])", "branching[0]=2.5", "positive integer"),
    ("ds.Compartments.branching([2], n_cells=0)", "n_cells=0", "positive integer"),
    ("ds.Compartments.branching([1000] * 4)", "1e+12 compartments", "most"),
    ("ds.Compartments.branching([2], coupling=[1, 2])", "coupling has shape (2,)", "(3,)"),
    ("ds.Compartments.forest([])", "at least one cell"),
    ("ds.Compartments.forest(tree)", "list of cells"),
    ("ds.Compartments.forest([tree, 3])", "cells[1]", "Compartments", "3"),
    ("ds.Compartments.forest([tree, compartments])", "physical", "False, True"),
    ("compartments.of_sample(1, cell=3)", "cell 3", "0 to 0"),
    ("compartments.samples_in(5)", "compartment 5", "0 to 4"),
    ("compartments.samples_in(1.5)", "compartment=1.5", "integer from 0 to 4"),
])  # fmt: skip
def test_compartments(call, words, names):
    refused(call, ParameterError, words, names)


# ---- synapses


@table([
    ("ds.Synapses(None, [1], sign=1)", "compartments must be Compartments", "max_length=20.0", "None"),
    ("ds.Synapses(cell, [1], sign=1)", "compartments must be Compartments", "Morphology"),
    ("ds.Synapses(compartments, [1, 5], sign=1)", "compartment[1]=5", "0 .. 4"),
    ("ds.Synapses(compartments, [-1], sign=1)", "compartment[0]=-1", "0 .. 4"),
    ("ds.Synapses(compartments, [1.5], sign=1)", "compartment[0]=1.5", "whole number"),
    ("ds.Synapses(compartments, [2**70], sign=1)", "compartment=[1180591620717411303424]"),
    ("ds.Synapses(compartments, ragged, sign=1)", "compartment=", "different lengths"),
    ("ds.Synapses(compartments, masked[0], sign=1)", "compartment has 1 masked"),
    ("ds.Synapses(compartments, [1, 2], sign=[1, 1, 1])", "shape mismatch", "(2,)", "(3,)"),
    ("ds.Synapses(compartments, [1], sign=0)", "sign[0]=0", "+1", "-1"),
    ("ds.Synapses(compartments, [1], sign=1, conductance=nan)", "conductance[0]=nan nS", "finite"),
    ("ds.Synapses(compartments, [1, 2], sign=1, conductance=[1, -2])", "conductance[1]=-2 nS", ">= 0"),
    ("ds.Synapses(compartments, [1], sign=1, reversal=inf)", "reversal[0]=inf mV", "finite"),
    ("ds.Synapses(compartments, [1], sign=1, driving_force=nan)", "driving_force[0]=nan mV", "finite"),
    ("ds.Synapses(compartments, [1], [nan], sign=1)", "source[0]=nan", "whole number"),
    ("ds.Synapses(compartments, [1], [-5], sign=1)", "source[0]=-5", "0 or more"),
    ("ds.Synapses(compartments, [1], [5], sign=1, n_inputs=2)", "source[0]=5", "n_inputs=2"),
    ("ds.Synapses(compartments, [1], sign=1, n_inputs=2.5)", "n_inputs=2.5", "whole number"),
    ("ds.Synapses.scatter(cell)", "compartments must be Compartments"),
    ("ds.Synapses.scatter(compartments, -1)", "excitatory=-1", "at least 0"),
    ("ds.Synapses.scatter(compartments, by='volume')", "by='volume'", "'length', 'area'"),
    ("ds.Synapses.scatter(compartments, regions='apical')", "'apical'", "'basal', 'soma'"),
    ("ds.Synapses.scatter(compartments, regions=3)", "regions=3"),
    ("ds.Synapses.scatter(compartments, n_inputs=0)", "n_inputs=0", "at least 1"),
    ("ds.Synapses.scatter(compartments, seed=None)", "seed=None"),
    ("ds.Synapses.scatter(compartments, conductance=(1, 2, 3))", "conductance", "(3,)", "(excitation, inhibition)"),
    ("ds.Synapses.scatter(compartments, reversal='a')", "reversal='a'"),
    ("ds.Synapses.scatter(compartments, kinds=('AMPA', 'GABA'))", "kind='GABA'", "'AMPA', 'GABA_A'"),
    ("ds.Synapses.scatter(compartments, kinds=('AMPA',))", "kinds=('AMPA',)", "two kinds"),
    ("ds.Synapses.scatter(compartments, kinds='AMPA')", "kinds='AMPA'", "('AMPA', 'GABA_A')"),
    ("ds.Synapses.scatter(compartments, kinds=('AMPA', 'gap_junction'))", "gap junctions are out of scope", "tree"),
    ("ds.Synapses.scatter(tree, kinds=('AMPA', 'GABA_A'))", "normalised units", "numbers"),
    ("ds.Synapses.at(compartments, sign=1)", "samples=", "distance="),
    ("ds.Synapses.at(compartments, samples=1)", "sign=", "kind="),
    ("ds.Synapses.at(compartments, sign=2, samples=1)", "sign[0]=2"),
    ("ds.Synapses.at(compartments, sign=1, samples=[[1]])", "samples has shape (1, 1)", "(n,)"),
    ("ds.Synapses.at(compartments, sign=1, distance=1e6)", "distance=1000000.0 um", "reaches 100 um"),
    ("ds.Synapses.at(compartments, sign=1, distance='a')", "distance='a'"),
    ("ds.Synapses.at(tree, sign=1, samples=1)", "morphology", "compartment indices"),
    ("synapses.join(3)", "other must be Synapses", "3"),
    ("synapses.join(ds.Synapses(tree, [1], sign=1))", "5 compartments", "on 3"),
    ("synapses.with_(weight=1)", "weight", "'conductance'"),
    ("synapses.with_(conductance=[1, nan, 1])", "conductance[1]=nan nS"),
    ("synapses[7]", "up to 7", "3 synapses"),
    ("ds.SynapseKind('k', 0, 0.0, 1.0)", "sign=0", "'k'"),
    ("ds.SynapseKind('k', 1, 'zero', 1.0)", "'k': reversal='zero' mV"),
    ("ds.SynapseKind('k', 1, 0.0, nan)", "'k': conductance=nan nS"),
])  # fmt: skip
def test_synapses(call, words, names):
    refused(call, ParameterError, words, names)


# ---- steady states, gradients, resistances


@table([
    ("ds.steady_state(cell)", "compartments must be Compartments", "max_length=20.0"),
    ("ds.steady_state(compartments, x)", "synapses must be Synapses", "scatter"),
    ("ds.steady_state(tree, synapses, x)", "made for 5 compartments", "tree has 3"),
    ("ds.steady_state(compartments, synapses)", "x= is missing", "(B, 3)"),
    ("ds.steady_state(compartments, None, x)", "x= drives synapses", "synapses="),
    ("ds.steady_state(compartments, synapses, x[0])", "x has shape (3,)", "(B, 3)", "x[None, :]"),
    ("ds.steady_state(compartments, synapses, 1.0)", "x has shape ()", "(B, 3)"),
    ("ds.steady_state(compartments, synapses, np.ones((2, 4)))", "x has shape (2, 4)", "(B, 3)"),
    ("ds.steady_state(compartments, synapses, x - 2.0)", "x[0, 0] = -1.0", "not negative", "ON and OFF"),
    ("ds.steady_state(compartments, synapses, x * nan)", "x[0, 0] = nan", "finite"),
    ("ds.steady_state(compartments, synapses, x * inf)", "x[0, 0] = inf", "finite"),
    ("ds.steady_state(compartments, synapses, x * 1e300)", "x[0, 0] = 1e+300", "at most 1.2e+77"),
    ("ds.steady_state(compartments, synapses, x * 1e30, dtype='float32')", "x[0, 0] = 1e+30", "float32", "4.3e+09"),
    ("ds.steady_state(compartments, synapses, x.astype('f2'))", "float16", "'float64', 'float32'"),
    ("ds.steady_state(compartments, synapses, x.astype('g'))", "dtype=", "'float64', 'float32'"),
    ("ds.steady_state(compartments, synapses, x + 0j)", "x=array", "complex128", "real numbers"),
    ("ds.steady_state(compartments, synapses, x.astype(object))", "object", "real numbers"),
    ("ds.steady_state(compartments, synapses, [['1', '2', '3']])", "x=[['1', '2', '3']]", "real numbers"),
    ("ds.steady_state(compartments, synapses, ragged)", "x=[[1.0], [1.0, 2.0]]", "different lengths"),
    ("ds.steady_state(compartments, synapses, masked)", "x has 2 masked", "x.filled(0.0)"),
    ("ds.steady_state(compartments, integration='shunt')", "integration='shunt'", "'shunting', 'additive'"),
    ("ds.steady_state(compartments, direction=None)", "direction=None", "'reciprocal', 'directed'"),
    ("ds.steady_state(compartments, integration='additive', direction='directed')", "physical", "'shunting'"),
    ("ds.steady_state(tree, gate=ds.Gate(1, 1))", "gate=", "direction='directed'"),
    ("ds.steady_state(tree, gate=np.tanh, direction='directed')", "gate must be Gate", "ds.Gate(slope, midpoint)"),
    ("ds.steady_state(tree, gate=ds.Gate([1, 2], 1), direction='directed')", "slope has shape (2,)", "(3,)"),
    ("ds.steady_state(tree, gate=ds.Gate([1, -1, 1], 1), direction='directed')", "slope at compartment 1 is -1.0"),
    ("ds.steady_state(tree, gate=ds.Gate(1, nan), direction='directed')", "midpoint", "nan", "finite"),
    ("ds.steady_state(tree, gate=ds.Gate('a', 1), direction='directed')", "gate slope='a'"),
    ("ds.steady_state(compartments, current=1.0)", "current has shape ()", "(5,)"),
    ("ds.steady_state(compartments, synapses, x, current=np.ones((3, 5)))", "(3, 5)", "(2, 5)", "pA"),
    ("ds.steady_state(compartments, current=np.ones((2, 6)))", "(2, 6)", "(2, 5)"),
    ("ds.steady_state(compartments, current=[0, nan, 0, 0, 0])", "current[1] = nan pA", "finite"),
    ("ds.steady_state(compartments, current='a')", "current='a'"),
    ("ds.steady_state(compartments, current=ragged)", "current=", "different lengths"),
    ("ds.steady_state(compartments, current=np.full(5, 1e300))", "current[0] = 1e+300 pA", "1.2e+77"),
    ("ds.steady_state(compartments, synapses, x.astype('f4'), current=np.ones(5))", "float32 and float64", "dtype="),
    ("ds.steady_state(compartments, dtype='int32')", "int32", "'float64', 'float32'"),
    ("ds.steady_state(compartments, dtype='double32')", "dtype='double32'", "'float64', 'float32'"),
    ("ds.steady_state(compartments, threads=0)", "threads=0", "positive integer"),
    ("ds.steady_state(compartments, threads='2')", "threads='2'", "positive integer"),
    ("ds.steady_state(compartments, out=np.empty((2, 5)))", "(1, 5)", "float64 (2, 5)"),
    ("ds.steady_state(compartments, out=np.empty((1, 5), 'f4'), dtype='f8')", "float64", "float32 (1, 5)"),
    ("ds.steady_state(compartments, synapses, x, out=np.empty((2, 5), order='F'))", "C-ordered"),
    ("ds.steady_state(compartments, out=[1])", "out", "[1]"),
    ("ds.steady_state(compartments, current=(c := np.ones((1, 5))), out=c)", "out shares memory with current"),
    ("ds.steady_state(ds.Compartments([-1], leak=1e-300))", "leak", "1e-300", "units"),
    ("ds.steady_state(ds.Compartments([-1], leak=1e-30), dtype='float32')", "1e-30", "float32", "float64 holds more"),
    ("ds.steady_state(compartments, synapses.with_(conductance=1e300), x)", "synapses", "units"),
    ("ds.steady_state((t := ds.Compartments(np.arange(-1, 900), coupling=10, physical=False)), "
     "ds.Synapses(t, 900, sign=1), [[1]], integration='additive', direction='directed')", "voltage[0, 0]", "couplings"),
    ("state.plot(2)", "stimulus 2", "0 to 1"),
    ("ds.exact_gradient(compartments, x)", "state must be State", "steady_state"),
    ("ds.exact_gradient(state, np.ones(2))", "(2,)", "(2, 5)", "(2, 1)", "somas"),
    ("ds.exact_gradient(state, [[0], [nan]])", "loss_gradient[1, 0] = nan", "finite"),
    ("ds.exact_gradient(state, np.ones((2, 1), 'f4'))", "float32", "float64", ".astype('float64')"),
    ("ds.exact_gradient(state, 'a')", "loss_gradient='a'"),
    ("ds.exact_gradient(state, ragged)", "loss_gradient=", "different lengths"),
    ("ds.exact_gradient(state, masked[:, :1])", "loss_gradient has 1 masked"),
    ("ds.exact_gradient(state, np.ones((2, 1)), out=np.ones(2))", "out", "(2, 5)", "(2,)"),
    ("ds.exact_gradient(state, np.ones((2, 1)), out=state.voltage)", "out shares memory with voltage"),
    ("ds.exact_gradient(state, np.ones((2, 1))).plot([1])", "(1,)", "(5,)"),
    ("ds.transfer_resistance(compartments, 0, 1)", "state must be State"),
    ("ds.transfer_resistance(state, [0, 5], 0)", "sources[1] = 5", "0 to 4"),
    ("ds.transfer_resistance(state, 0, -1)", "targets[0] = -1", "0 to 4"),
    ("ds.transfer_resistance(state, 0.5, 0)", "sources=0.5", "integers"),
    ("ds.transfer_resistance(state, [[0]], 0)", "sources=[[0]]", "list"),
])  # fmt: skip
def test_steady_states_and_gradients(call, words, names):
    refused(call, ParameterError, words, names)


# ---- fits, growth, citations


@table([
    ("ds.fit_passive(compartments, [at_soma], free=['R_m'])", "morphology must be Morphology", "Compartments"),
    ("ds.fit_passive(cell, [at_soma])", "1 targets", "2 parameters (R_m, R_a)"),
    ("ds.fit_passive(cell, at_soma)", "targets=InputResistance", "list"),
    ("ds.fit_passive(cell, [100.0], free=['R_m'])", "targets[0]=100.0", "InputResistance or an Attenuation"),
    ("ds.fit_passive(cell, [ds.InputResistance('tip', 1.0)], free=['R_m'])", "'tip'", "'soma'"),
    ("ds.fit_passive(cell, [ds.InputResistance('soma', -1)], free=['R_m'])", "value=-1 MOhm", "> 0"),
    ("ds.fit_passive(cell, [ds.Attenuation('soma', 3, 1.5)], free=['R_m'])", "value=1.5", "<= 1"),
    ("ds.fit_passive(cell, [ds.InputResistance('soma', 1, 0)], free=['R_m'])", "deviation=0 MOhm", "> 0"),
    ("ds.fit_passive(cell, [at_soma], free=['C_m'])", "C_m", "steady states do not depend"),
    ("ds.fit_passive(cell, [at_soma], free=['R'])", "free='R'", "'R_m', 'R_a'"),
    ("ds.fit_passive(cell, [at_soma], free=['R_m'], bounds={'R_m': 3})", "bounds['R_m']=3", "(least, greatest)"),
    ("ds.fit_passive(cell, [at_soma], free=['R_m'], start=3)", "start must be Passive", "3"),
    ("ds.fit_passive(cell, [at_soma], free=['R_m'], max_len=3)", "'max_len'", "'max_length'"),
    ("PassiveModel(cell, [at_soma, 3])", "targets[1]=3"),
    ("ds.cite('folklore')", "'folklore'", " growth,"),
    ("ds.cite(3)", "for 3", " growth,"),
    ("ds.grow.ball_and_stick(length=-1)", "length=-1", "> 0"),
    ("ds.grow.ball_and_stick(spacing=1e-12)", "spacing=1e-12 um", "5e+14 samples", "most"),
    ("ds.grow.unbranched([[0, 0, 0]], 1)", "points", "at least 2"),
    ("ds.grow.unbranched([[0, 0, 0], [1]], 1)", "points=[[0, 0, 0], [1]]", "different lengths"),
    ("ds.grow.unbranched([[0, 0, 0], [1, 0, 0]], 'a')", "radius='a'"),
    ("ds.grow.rall_tree(99)", "levels=99", "16"),
    ("ds.grow.rall_tree(2, length=[1.0])", "length has 1 entries", "2"),
    ("ds.grow.random_branching(None)", "seed=None", "integer >= 0"),
    ("ds.grow.minimum_spanning_tree([[nan, 0, 0]])", "points[0] = [nan, 0.0, 0.0]", "finite"),
    ("ds.grow.minimum_spanning_tree([[9, 0, 0]], start=3)", "start must be Morphology", "3"),
    ("ds.grow.graft(cell, 3)", "part 0 must be Morphology", "3"),
    ("ds.grow.resample(compartments, 1)", "tree must be Morphology", "Compartments"),
    ("ds.grow.jitter(cell, nan, 0)", "amplitude=nan", "finite"),
    ("ds.grow.quadratic_taper(cell, 1, 2)", "tip=2", "<= 1"),
    ("ds.grow.power_taper(cell, 1, structure=7)", "structure=7", "[3]"),
    ("ds.grow.scatter(3, 10, 0)", "region=3", "Box"),
    ("ds.grow.Box((0, 0, 0), (0, 1, 1))", "high=(0, 1, 1)", "low=(0, 0, 0)"),
    ("ds.grow.Ellipsoid((0, 0, 0), (1, 0, 1))", "semi_axes[1]=0", "> 0"),
    ("ds.grow.Cone((0, 0, 0), (0, 0, 0), 1, 1)", "start and stop", "length"),
])  # fmt: skip
def test_fits_growth_and_citations(call, words, names):
    refused(call, ParameterError, words, names)


# ---- pictures


@table([
    ("ds.plotting.plot_morphology(3)", "cannot draw a int", "Morphology or Compartments"),
    ("ds.plotting.plot_morphology(tree)", "no positions", "plot_dendrogram(..., distance='stage')"),
    ("ds.plotting.plot_morphology(compartments, values[:2])", "values has shape (2,)", "(5,)", "per compartment"),
    ("ds.plotting.plot_morphology(compartments, state.voltage)", "(2, 5)", "values[0]", "mean"),
    ("ds.plotting.plot_morphology(compartments, values * nan)", "values[0] is nan", "finite"),
    ("ds.plotting.plot_morphology(compartments, ragged)", "values=", "different lengths"),
    ("ds.plotting.plot_morphology(compartments, projection='ab')", "projection='ab'", "'xy'"),
    ("ds.plotting.plot_morphology(compartments, values, cmap='virid')", "cmap='virid'", "'viridis'"),
    ("ds.plotting.plot_morphology(compartments, color='redd')", "color='redd'", "'black'"),
    ("ds.plotting.plot_morphology(compartments, values, center=nan)", "center=nan", "finite"),
    ("ds.plotting.plot_morphology(compartments, values, percentile=3)", "percentile=3", "above 50"),
    ("ds.plotting.plot_morphology(compartments, ax=3)", "ax must be Axes", "3"),
    ("ds.plotting.plot_morphology(compartments, glow=3)", "'glow'", "PolyCollection"),
    ("ds.plotting.plot_morphology(compartments, synapses=3)", "synapses must be Synapses", "3"),
    ("ds.plotting.plot_morphology(compartments, scale_bar=-3)", "scale_bar=-3 um", "> 0"),
    ("ds.plotting.plot_morphology_3d(compartments, ax=ds.plotting.plot_profile(compartments, values))", "ax is flat"),
    ("ds.plotting.plot_dendrogram(cell)", "Morphology", "Compartments are needed"),
    ("ds.plotting.plot_dendrogram(tree)", "distance='path'", "distance='stage'"),
    ("ds.plotting.plot_profile(compartments, values, distance='far')", "distance='far'", "'electrotonic'"),
    ("ds.plotting.plot_profile(compartments, values, log=True)", "values[0] is 0", "positive"),
    ("ds.plotting.plot_attenuation(compartments)", "attenuation is missing", "(5,)"),
    ("ds.plotting.plot_attenuation(state, stimulus=9)", "stimulus=9", "0 ... 1"),
    ("ds.plotting.plot_gradient_map(compartments, values, center=1)", "centred on zero"),
    ("ds.plotting.plot_synapse_map(compartments, [1, 5], [1, 2])", "compartment[1] is 5", "0 ... 4"),
    ("ds.plotting.plot_synapse_maps(compartments, None, values)", "synapses must be Synapses", "None"),
    ("ds.plotting.plot_synapse_maps(compartments, synapses, [1, 2, 3], scale='log')", "scale='log'", "'shared', 'own'"),
    ("ds.plotting.region_color(3)", "region=3"),
])  # fmt: skip
def test_pictures(call, words, names):
    refused(call, ParameterError, words, names)


# ---- odd, and right


@pytest.mark.parametrize("direction", ["reciprocal", "directed"])
@pytest.mark.parametrize(
    "form",
    [
        np.asfortranarray,
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x[::-1].copy()[::-1],
        lambda x: x.astype(np.int8),
        lambda x: x.astype(np.uint64),
        lambda x: x.astype(bool),
        lambda x: x.astype(">f8"),
        lambda x: x.tolist(),
        np.ma.array,
    ],
    ids=["Fortran", "strided", "reversed", "int8", "uint64", "bool", "big-endian", "list", "unmasked"],
)
def test_arrays_of_any_layout_are_taken(names, form, direction):
    compartments, synapses = names["compartments"], names["synapses"]
    x = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    plain = ds.steady_state(compartments, synapses, x, direction=direction)
    state = ds.steady_state(compartments, synapses, form(x), direction=direction)
    np.testing.assert_array_equal(state.voltage, plain.voltage)
    loss = np.array([[1.0, 0.0, 0.0, 1.0, 0.0]] * 3)
    expected = ds.exact_gradient(plain, loss)
    gradient = ds.exact_gradient(state, np.asfortranarray(loss))
    np.testing.assert_array_equal(gradient.conductance, expected.conductance)


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64, list])
def test_parents_of_any_integer_type_are_taken(kind):
    parent = [-1, 0, 0, 1] if kind is list else np.array([-1, 0, 0, 1], kind)
    assert ds.Compartments(parent).parent.tolist() == [-1, 0, 0, 1]


def test_coupling_of_roots_is_ignored():
    assert ds.Compartments([-1, 0], coupling=[float("nan"), 2.0]).coupling.tolist() == [0.0, 2.0]


@pytest.mark.parametrize("direction", ["reciprocal", "directed"])
def test_nothing_is_a_batch_too(names, direction):
    compartments, synapses = names["compartments"], names["synapses"]
    state = ds.steady_state(compartments, synapses, np.zeros((0, 3)), direction=direction)
    gradient = ds.exact_gradient(state, np.zeros((0, 1)))
    assert state.voltage.shape == state.input_resistance.shape == gradient.credit.shape == (0, 5)
    assert gradient.conductance.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("direction", ["reciprocal", "directed"])
def test_no_synapses_and_one_compartment(direction):
    soma = ds.Compartments([-1], leak=2.0, leak_reversal=-70.0)
    nowhere = ds.Synapses(soma, np.zeros(0, int), sign=1)
    state = ds.steady_state(soma, nowhere, np.zeros((2, 0)), direction=direction, current=[4.0])
    np.testing.assert_allclose(state.voltage, -68.0, rtol=1e-15)
    gradient = ds.exact_gradient(state, np.ones((2, 1)))
    np.testing.assert_allclose(gradient.current, 0.5, rtol=1e-15)
    assert (gradient.conductance.shape, gradient.inputs.shape) == ((0,), (2, 0))
    np.testing.assert_allclose(ds.transfer_resistance(state, 0, 0), 0.5, rtol=1e-15)


def test_synapses_of_other_compartments_of_the_same_size(names):
    other = names["compartments"].with_(leak=names["compartments"].leak * 2)
    state = ds.steady_state(other, names["synapses"], names["x"])
    again = ds.Synapses(other, [1, 2, 3], sign=[1, 1, -1])
    np.testing.assert_array_equal(state.voltage, ds.steady_state(other, again, names["x"]).voltage)


def test_a_forest_of_forests_keeps_its_samples(names):
    cell = names["compartments"]
    forest = ds.Compartments.forest([ds.Compartments.forest([cell, cell]), cell])
    assert forest.n_cells == len(forest.morphologies) == 3
    assert forest.of_sample(3, cell=2) == 2 * cell.size + cell.of_sample(3)
