"""Single neurons as a model: what they answer, what they keep, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import FileFormatError, ParameterError

from ..teaching.neuron_cases import CASES, batch, neurons, trees


@pytest.mark.parametrize("name", CASES)
def test_answers_are_those_of_the_steady_state(name):
    model, (x, _) = neurons(name), batch()
    settings = {"integration": model.integration, "direction": model.direction, "gate": model.gate}
    state = ds.steady_state(model.compartments, model.synapses, x, **settings)
    roots = model.compartments.roots
    unit = 10.0 if model.compartments.physical else 1.0
    zero = model.compartments.leak_reversal if model.gate is None else 0.0
    soma = (state.activity[:, roots] - zero) / unit
    weight, bias = model.parameters["decoder_weight"], model.parameters["decoder_bias"]
    np.testing.assert_allclose(model.predict(x), soma @ weight.T + bias, rtol=1e-13)
    np.testing.assert_allclose(neurons(name, "soma").predict(x), soma, rtol=1e-13)
    activity = model.forward(x)
    np.testing.assert_array_equal(activity.logits, model.predict(x))
    leak = model.compartments.leak_reversal
    np.testing.assert_allclose(activity.batch_first(activity.voltage), state.voltage - leak, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(activity.batch_first(activity.resistance), state.input_resistance)
    np.testing.assert_array_equal(activity.batch_first(activity.inputs), x)


def test_slope_of_the_output_is_its_derivative():
    model, (x, _) = neurons("tree gated"), batch()
    model.scale = 0.5
    a, h = model.forward(x), 1e-6
    v = a.batch_first(a.voltage)
    difference = (model.gate.activity(v + h) - model.gate.activity(v - h)) / (2 * h * 0.5)
    np.testing.assert_allclose(a.batch_first(a.derivative), difference, rtol=1e-7)


def test_reference_and_scale_move_and_stretch_what_is_read():
    cell = trees(True, 1)
    synapses = ds.Synapses(cell, [1, 2], sign=[1, -1])
    model = ds.Neurons(cell, synapses, readout="soma", reference=-50.0, scale=2.0)
    soma = ds.steady_state(cell, synapses, np.ones((1, 2))).voltage_soma
    np.testing.assert_allclose(model.predict(np.ones((1, 2))), (soma + 50.0) / 2.0, rtol=1e-12)


def test_many_samples_at_once_or_few_make_no_difference(monkeypatch):
    model, (x, _) = neurons("two cells, couplings"), batch(9)
    whole = model.predict(x)
    monkeypatch.setattr("dendrosim.networks.neurons._AT_ONCE", 4 * model.layout.size)
    np.testing.assert_allclose(model.predict(x), whole, rtol=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_a_file_holds_everything(name, tmp_path):
    model, (x, _) = neurons(name), batch()
    for value in model.parameters.values():
        value += 0.1
    model.refresh()
    model.save(tmp_path / "neurons.h5")
    again = ds.Neurons.load(tmp_path / "neurons.h5")
    np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-13)
    assert repr(again) == repr(model)
    for key, value in model.state().items():
        np.testing.assert_array_equal(again.state()[key], value)
    if model.compartments.physical:
        assert len(again.compartments.morphologies) == model.layout.n_cells


def test_copies_and_states_are_independent():
    model, (x, _) = neurons("tree reciprocal"), batch()
    before, kept, other = model.predict(x), model.state(), model.copy()
    model.parameters["synapses"] += 1.0
    model.refresh()
    assert np.abs(model.predict(x) - before).max() > 1e-3
    np.testing.assert_array_equal(other.predict(x), before)
    model.restore(kept)
    np.testing.assert_array_equal(model.predict(x), before)


def test_parameters_are_counted():
    assert neurons("cell").n_parameters == 24 + 3 + 3
    assert neurons("tree reciprocal").n_parameters == 24 + 12 + 6 + 3
    assert neurons("tree reciprocal", "soma").n_parameters == 24 + 12


def test_what_cannot_be_is_refused(tmp_path):
    cell = trees(True, 1)
    synapses = ds.Synapses(cell, [1, 2], sign=[1, -1], conductance=[0.5, 0.0])
    with pytest.raises(ParameterError, match="synapse 1 has conductance 0"):
        ds.Neurons(cell, synapses, 2)
    synapses = synapses.with_(conductance=0.5)
    with pytest.raises(ParameterError, match="needs a positive whole number of outputs"):
        ds.Neurons(cell, synapses)
    with pytest.raises(ParameterError, match="one output per cell, 1 here"):
        ds.Neurons(cell, synapses, 3, readout="soma")
    with pytest.raises(ParameterError, match="works in directed trees only"):
        ds.Neurons(cell, synapses, 2, gate=ds.Gate(1.0, 0.0))
    with pytest.raises(ParameterError, match="no meaning in physical units"):
        ds.Neurons(cell, synapses, 2, direction="directed", integration="additive")
    with pytest.raises(ParameterError, match="readout='mean' is not known"):
        ds.Neurons(cell, synapses, 2, readout="mean")
    model = ds.Neurons(cell, synapses, 2)
    with pytest.raises(ParameterError, match="ON and OFF"):
        model.predict([[1.0, -1.0]])
    with pytest.raises(ParameterError, match=r"x\[None\]"):
        model.predict([1.0, 1.0])
    with pytest.raises(ParameterError, match="does not fit these neurons"):
        model.restore({})
    ds.Network.dendritic(4, 2, [3], [2], 2, 2).save(tmp_path / "network.h5")
    with pytest.raises(FileFormatError, match="'network', not neurons"):
        ds.Neurons.load(tmp_path / "network.h5")
