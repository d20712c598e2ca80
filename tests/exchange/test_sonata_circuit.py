"""Circuits as SONATA files: the layout of the guide with plain h5py, and back to the same model."""

from __future__ import annotations

import json
import re

import h5py
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import FileFormatError, ParameterError
from dendrosim.exchange import from_sonata, to_sonata
from dendrosim.exchange.sonata_edges import index_of
from dendrosim.networks import MLP


@pytest.fixture(scope="module")
def trained():
    network = ds.Network.dendritic(64, 10, [6, 5], [2, 2], 5, 3, inhibitory_cells=[0, 3], seed=2)
    ds.train(network, ds.tasks.load("digits"), epochs=1, seed=0)
    return network


@pytest.fixture(scope="module")
def written(trained, tmp_path_factory):
    return to_sonata(trained, tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def cells():
    granule = ds.Morphology.load("granule").compartments(ds.Passive(spine_factor={"basal": 1.5}), max_length=40.0)
    stellate = ds.Morphology.load("stellate").compartments(ds.Passive(), max_length=40.0)
    forest = ds.Compartments.forest([granule, stellate, granule])
    return forest, ds.Synapses.scatter(forest, 60, 20, n_inputs=30, seed=1)


def table(path):
    head, *rows = (line.split(" ") for line in path.read_text(encoding="ascii").splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def attributes(file):
    return int(file.attrs["magic"]), file.attrs["version"].tolist(), file.attrs["version"].dtype


def test_a_trained_network_has_its_weights_on_edges(trained, written):
    # walk the edges with h5py alone, and ask the network whose compartment and whose output it is
    folder = written.parent / "networks"
    populations = {p.name: cells for p, cells in zip(trained.layout.populations, trained.layout.cells_of, strict=True)}
    seen = np.zeros(trained.layout.n_synapses, int)
    for path in folder.glob("*_edges.h5"):
        with h5py.File(path) as file:
            ((name, group),) = file["edges"].items()
            source, target = (group[f"{end}_node_id"].attrs["node_population"] for end in ("source", "target"))
            if target == "output":
                continue
            assert name == f"{source}_to_{target}"
            own = group["0"]
            synapse = own["synapse_id"][:]
            seen[synapse] += 1
            np.testing.assert_array_equal(own["syn_weight"][:], trained.conductance[synapse].astype(float))
            np.testing.assert_array_equal(own["sign"][:], trained.sign[synapse])
            first = 0 if source == "input" else 64 + populations[source][0]
            np.testing.assert_array_equal(group["source_node_id"][:] + first, trained.source[synapse])
            cell = group["target_node_id"][:].astype(int) + populations[target][0]
            compartment = trained.layout.roots[cell] + own["afferent_section_id"][:]
            assert (trained.layout.first[compartment] <= synapse).all()
            assert (synapse < trained.layout.last[compartment]).all()
    assert (seen == 1).all()


def test_the_decoder_is_edges_to_the_output(trained, written):
    with h5py.File(written.parent / "networks" / "layer2_to_output_edges.h5") as file:
        group = file["edges/layer2_to_output"]
        weight = np.zeros((10, 5))
        weight[group["target_node_id"][:], group["source_node_id"][:]] = group["0/syn_weight"][:]
    np.testing.assert_array_equal(weight, trained.parameters["decoder_weight"].astype(float))
    with h5py.File(written.parent / "networks" / "output_nodes.h5") as file:
        bias = file["nodes/output/0/dynamics_params/bias"][:]
    np.testing.assert_array_equal(bias, trained.parameters["decoder_bias"].astype(float))


def test_a_network_read_back_computes_the_same(trained, written):
    circuit = from_sonata(written)
    x = ds.tasks.load("digits").x_test[:7]
    activity = trained.forward(x)
    state = ds.steady_state(
        circuit.compartments,
        circuit.synapses,
        activity.batch_first(activity.presynaptic).astype(float),
        integration=circuit.integration,
        direction=circuit.direction,
        gate=circuit.gate,
    )
    np.testing.assert_allclose(state.voltage, activity.batch_first(activity.voltage), atol=2e-6)
    ((weight, bias),) = circuit.decoder
    soma = state.activity[:, circuit.compartments.roots[circuit.readout]]
    np.testing.assert_allclose(soma @ weight.T + bias, trained.predict(x), atol=2e-5)
    assert list(circuit.populations) == ["layer1", "layer2_inhibitory", "layer2"]
    assert circuit.n_external == 64


@pytest.mark.parametrize("integration", ["additive", "normalised_additive"])
def test_additive_networks_read_back_compute_the_same(integration, tmp_path):
    network = ds.Network.dendritic(
        12, 3, [4], [2], 4, 2, integration=integration, decoder=MLP([6]), dtype="float64", seed=3
    )
    circuit = from_sonata(to_sonata(network, tmp_path))
    activity = network.forward(np.random.default_rng(0).random((5, 12)))
    rows = activity.batch_first(activity.presynaptic)
    options = {"integration": circuit.integration, "direction": circuit.direction, "gate": circuit.gate}
    state = ds.steady_state(circuit.compartments, circuit.synapses, rows, **options)
    np.testing.assert_allclose(state.voltage, activity.batch_first(activity.voltage), rtol=1e-12, atol=1e-14)
    (first, b1), (second, b2) = circuit.decoder
    hidden = np.maximum(state.activity[:, circuit.compartments.roots[circuit.readout]] @ first.T + b1, 0)
    np.testing.assert_allclose(hidden @ second.T + b2, activity.logits, rtol=1e-11, atol=1e-13)


def test_networks_of_reconstructions_keep_their_shapes(tmp_path):
    tree = ds.Morphology.load("granule").compartments(ds.Passive(), max_length=200.0)
    network = ds.Network.dendritic(10, 2, [3], excitatory=4, inhibitory=2, trees=tree, seed=0)
    config = to_sonata(network, tmp_path)
    circuit = from_sonata(config)
    network_tree = network.cell(0)[0] if not (tree.leak == 0).any() else network.layout.trees[0]
    np.testing.assert_array_equal(circuit.cells[0].xyz, network_tree.xyz)
    np.testing.assert_array_equal(circuit.compartments.coupling, network.coupling.astype(float))
    assert circuit.cells[1].morphology is not None
    (row,) = table(tmp_path / "networks" / "layer1_node_types.csv")
    assert (row["model_type"], row["morphology"], row["units"]) == ("point_neuron", "granule", "normalised")


def test_files_have_the_layout_of_the_guide(cells, tmp_path):
    forest, synapses = cells
    config = to_sonata(forest, tmp_path, synapses, connections=ds.Connections([0, 2], [3, 4], delay=2.0))
    with h5py.File(tmp_path / "networks" / "cells_nodes.h5") as file:
        assert attributes(file) == (0x0A7A, [0, 1], np.uint32)
        nodes = file["nodes/cells"]
        assert nodes["node_id"][:].tolist() == [0, 1, 2]
        assert nodes["node_type_id"][:].tolist() == [0, 1, 0]
        assert nodes["node_group_id"][:].tolist() == [0, 0, 0]
        assert nodes["node_group_index"][:].tolist() == [0, 1, 2]
        words = nodes["0/@library/morphology"].asstr()[:]
        assert words[nodes["0/morphology"][:]].tolist() == ["granule", "stellate", "granule"]
        somas = np.stack([nodes[f"0/{axis}"][:] for axis in "xyz"], axis=1)
        np.testing.assert_array_equal(somas, forest.xyz[forest.roots])
    with h5py.File(tmp_path / "networks" / "input_to_cells_edges.h5") as file:
        assert attributes(file) == (0x0A7A, [0, 1], np.uint32)
        edges = file["edges/input_to_cells"]
        n = synapses.size
        for name in ("edge_type_id", "source_node_id", "target_node_id", "edge_group_id", "edge_group_index"):
            assert edges[name].shape == (n,)
            assert edges[name].dtype.kind == "u"
        own = edges["0"]
        synapse = own["synapse_id"][:]
        np.testing.assert_allclose(own["syn_weight"][:], synapses.conductance[synapse] * 1e-3, rtol=1e-15)  # nS to uS
        np.testing.assert_array_equal(edges["source_node_id"][:], synapses.source[synapse])
        np.testing.assert_array_equal(edges["target_node_id"][:], forest.cell[synapses.compartment[synapse]])
        assert (own["delay"][:] == 0).all()
        for end, count in (("source", 30), ("target", 3)):
            other = "target" if end == "source" else "source"
            index = edges[f"indices/{end}_to_{other}"]
            assert index["node_id_to_ranges"].shape == (count, 2)
            for node in range(count):
                first, last = index["node_id_to_ranges"][node]
                found = [np.arange(a, b) for a, b in index["range_to_edge_id"][first:last]]
                found = np.sort(np.concatenate(found)) if found else np.array([])
                np.testing.assert_array_equal(found, np.flatnonzero(edges[f"{end}_node_id"][:] == node))
    with h5py.File(tmp_path / "networks" / "cells_to_cells_edges.h5") as file:
        own = file["edges/cells_to_cells/0"]
        assert (own["delay"][:] == 2.0).all()
        assert len(own["delay"]) == np.isin(synapses.source, [3]).sum() + np.isin(synapses.source, [4]).sum()
    for file in json.loads(config.read_text())["networks"]["nodes"]:
        assert (tmp_path / "networks" / file["nodes_file"].rpartition("/")[2]).is_file()


def test_passive_parameters_are_densities(cells, tmp_path):
    forest, synapses = cells
    to_sonata(forest, tmp_path, synapses)
    first, second = table(tmp_path / "networks" / "cells_node_types.csv")
    assert first["model_type"] == "biophysical"
    assert first["model_template"] == "ctdb:Biophys1.hoc"
    folder = tmp_path / "components" / "biophysical_neuron_dynamics"
    spiny, smooth = (json.loads((folder / row["dynamics_params"]).read_text()) for row in (first, second))
    assert spiny["passive"][0]["ra"] == pytest.approx(150.0, rel=1e-12)
    assert spiny["passive"][0]["e_pas"] == -70.0
    value = {row["section"]: row["value"] for row in spiny["genome"]}
    assert value == {"soma": pytest.approx(1 / 20000.0), "dend": pytest.approx(1.5 / 20000.0)}  # S/cm2
    specific = {row["section"]: row["cm"] for row in spiny["passive"][0]["cm"]}
    assert specific == {"soma": pytest.approx(1.0), "dend": pytest.approx(1.5)}  # uF/cm2
    assert all(row["value"] == pytest.approx(5e-5) for row in smooth["genome"])


def test_types_say_sign_reversal_and_time_course(cells, tmp_path):
    forest, synapses = cells
    to_sonata(forest, tmp_path, synapses, kinetics=(ds.DifferenceOfExponentials(0.4, 3.0), ds.Alpha(6.0)))
    excitatory, inhibitory = table(tmp_path / "networks" / "input_to_cells_edge_types.csv")
    read = [
        json.loads((tmp_path / "components" / "synapse_dynamics" / row["dynamics_params"]).read_text())
        for row in (excitatory, inhibitory)
    ]
    assert (excitatory["sign"], excitatory["model_template"]) == ("1", "Exp2Syn")
    assert (read[0]["tau1"], read[0]["tau2"], read[0]["erev"]) == (0.4, 3.0, 0.0)
    assert (inhibitory["sign"], inhibitory["model_template"]) == ("-1", "dendrosim:alpha")
    assert (read[1]["tau"], read[1]["erev"]) == (6.0, -70.0)


def test_cells_read_back_have_the_same_steady_state_and_dynamics(cells, tmp_path):
    forest, synapses = cells
    connections = ds.Connections([0, 1, 1], [3, 4, 29], delay=[1.0, 2.0, 1.5], weight=[1.0, 0.5, 2.0])
    circuit = from_sonata(to_sonata(forest, tmp_path, synapses, connections=connections, kinetics=ds.NMDA()))
    x = np.random.default_rng(0).random((3, 30))
    again = ds.steady_state(circuit.compartments, circuit.synapses, x)
    np.testing.assert_allclose(again.voltage, ds.steady_state(forest, synapses, x).voltage, rtol=1e-12)
    for name in ("cell", "input", "delay", "weight"):
        np.testing.assert_array_equal(getattr(circuit.connections, name), getattr(connections, name))
    assert set(circuit.kinetics) == {ds.NMDA()}
    assert circuit.cells[0].of_sample(1) == 0  # shapes are there


def test_neurons_keep_their_readout(cells, tmp_path):
    forest, synapses = cells
    neurons = ds.Neurons(forest, synapses, n_outputs=4, seed=3)
    circuit = from_sonata(to_sonata(neurons, tmp_path))
    x = np.random.default_rng(1).random((3, 30))
    soma = ds.steady_state(circuit.compartments, circuit.synapses, x).voltage_soma
    ((weight, bias),) = circuit.decoder
    found = (soma - circuit.reference) / circuit.scale @ weight.T + bias
    np.testing.assert_allclose(found, neurons.predict(x), rtol=1e-10)


def test_gated_and_explicit_trees_are_listed(tmp_path):
    rng = np.random.default_rng(0)
    tree = ds.Compartments.branching([3, 2], n_cells=2, coupling=rng.random(20) + 0.5)
    synapses = ds.Synapses.scatter(tree, 20, 10, n_inputs=8, seed=0)
    synapses = synapses.with_(reversal=rng.random(30))
    gate = ds.Gate(rng.random(20) + 1.0, rng.random(20))
    circuit = from_sonata(to_sonata(tree, tmp_path, synapses, direction="directed", gate=gate))
    x = rng.random((2, 8))
    expected = ds.steady_state(tree, synapses, x, direction="directed", gate=gate)
    found = ds.steady_state(circuit.compartments, circuit.synapses, x, direction="directed", gate=circuit.gate)
    np.testing.assert_array_equal(found.voltage, expected.voltage)
    (row,) = table(tmp_path / "networks" / "cells_node_types.csv")
    assert (row["model_type"], row["model_template"], row["morphology"]) == ("point_neuron", "dendrosim:tree", "NULL")
    with h5py.File(tmp_path / "networks" / "cells_nodes.h5") as file:
        own = file["nodes/cells/0/dynamics_params"]
        np.testing.assert_array_equal(own["coupling_4"][:], tree.coupling[[4, 14]])


def test_learned_couplings_are_no_longer_of_the_morphology(cells, tmp_path):
    forest, synapses = cells
    changed = forest.with_(coupling=forest.coupling * np.where(forest.parent == 0, 1.5, 1.0))
    circuit = from_sonata(to_sonata(changed, tmp_path, synapses))
    np.testing.assert_array_equal(circuit.compartments.coupling, changed.coupling)
    templates = {row["model_template"] for row in table(tmp_path / "networks" / "cells_node_types.csv")}
    assert "dendrosim:tree" in templates


def test_indices_of_a_hand_made_table():
    index = index_of(np.array([2, 2, 0, 2]), 4)
    assert index["node_id_to_ranges"].tolist() == [[0, 1], [1, 1], [1, 3], [3, 3]]
    assert index["range_to_edge_id"].tolist() == [[2, 3], [0, 2], [3, 4]]


def test_a_circuit_is_not_overwritten_unasked(cells, tmp_path):
    forest, synapses = cells
    to_sonata(forest, tmp_path, synapses)
    with pytest.raises(ParameterError, match="overwrite=True"):
        to_sonata(forest, tmp_path, synapses)
    to_sonata(forest, tmp_path, synapses[:10], overwrite=True)
    assert from_sonata(tmp_path / "circuit_config.json").synapses.size == 10
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": "a/b"}, "population='a/b' cannot name"),
        ({"population": "two words"}, "cannot name"),
        ({"external": ""}, "external='' cannot name"),
        ({"population": "input"}, "two populations would be called 'input'"),
        ({"connections": ds.Connections([5], [0])}, "connections.cell 5 does not exist"),
        ({"stimulus": 0}, "give trace="),
        ({"direction": "sideways"}, "direction='sideways'"),
    ],
)
def test_impossible_options(cells, tmp_path, options, message):
    with pytest.raises(ParameterError, match=message):
        to_sonata(*((cells[0], tmp_path / "new", cells[1])), **options)
    assert not (tmp_path / "new").exists()


def test_wrong_objects(cells, trained, tmp_path):
    with pytest.raises(ParameterError, match=r"ds\.Network, ds\.Neurons"):
        to_sonata("network", tmp_path)
    with pytest.raises(ParameterError, match="synapses must be Synapses"):
        to_sonata(cells[0], tmp_path)
    with pytest.raises(ParameterError, match="brings its own"):
        to_sonata(trained, tmp_path, cells[1])
    with pytest.raises(ParameterError, match="made for other compartments"):
        to_sonata(ds.Compartments.branching([2]), tmp_path, cells[1])
    odd = ds.Network(
        4,
        2,
        [ds.networks.Population("a/b", (ds.Compartments.branching([2]),) * 2)],
        [ds.networks.Projection("input", "a/b", 1, 2)],
        ["a/b"],
    )
    with pytest.raises(ParameterError, match="'a/b' cannot name"):
        to_sonata(odd, tmp_path)


def test_a_circuit_that_was_read_can_be_written(cells, tmp_path):
    connections = ds.Connections([0, 1], [3, 4], delay=2.0)
    first = from_sonata(to_sonata(cells[0], tmp_path / "a", cells[1], connections=connections))
    second = from_sonata(to_sonata(first, tmp_path / "b"))
    for name in ("compartment", "source", "conductance", "reversal"):
        np.testing.assert_array_equal(getattr(second.synapses, name), getattr(first.synapses, name))
    np.testing.assert_array_equal(second.compartments.coupling, first.compartments.coupling)
    assert second.kinetics == first.kinetics


@pytest.mark.parametrize(
    ("file", "pattern", "new"),
    [
        ("circuit_config.json", r'"\$BASE_DIR": "\."', '"$BASE_DIR": "$NETWORK_DIR$NETWORK_DIR$COMPONENT_DIR"'),
        ("circuit_config.json", r'"manifest": \{', '"manifest": 3, "other": {'),
        ("circuit_config.json", '"n_inputs": 30', '"n_inputs": "many"'),
        ("components/biophysical_neuron_dynamics/granule.json", '"ra": ', '"ra": -'),
        ("networks/cells_node_types.csv", "granule.json", "nothing.json"),
        ("networks/cells_node_types.csv", r"\n0 ", "\n7 "),
        ("networks/input_to_cells_edge_types.csv", "ExpSyn", "OtherSyn"),
    ],
)
def test_damaged_circuits_are_refused(cells, tmp_path, file, pattern, new):
    config = to_sonata(cells[0], tmp_path, cells[1])
    text = (tmp_path / file).read_text()
    changed = re.sub(pattern, lambda _: new, text)
    assert changed != text
    (tmp_path / file).write_text(changed)
    with pytest.raises((FileFormatError, FileNotFoundError)):
        from_sonata(config)


def test_numbers_of_compartments_that_no_memory_holds_are_refused(cells, tmp_path):
    config = to_sonata(cells[0], tmp_path, cells[1])
    path = tmp_path / "components" / "biophysical_neuron_dynamics" / "granule.json"
    content = json.loads(path.read_text())
    content["dendrosim"]["compartments_per_section"][0] = 10**12
    path.write_text(json.dumps(content))
    with pytest.raises(FileFormatError, match="impossible values"):
        from_sonata(config)


@pytest.mark.parametrize("name", ["nodes", "nodes/cells", "nodes/cells/0", "edges", "edges/input_to_cells"])
def test_values_where_a_group_should_be_are_refused(cells, tmp_path, name):
    config = to_sonata(cells[0], tmp_path, cells[1])
    parts = [path for path in (tmp_path / "networks").glob("*.h5") if holds(path, name)]
    assert parts
    for path in parts:
        with h5py.File(path, "r+") as file:
            del file[name]
            file[name] = np.ones(3)
    with pytest.raises(FileFormatError):
        from_sonata(config)


def holds(path, name) -> bool:
    with h5py.File(path) as file:
        return name in file


def test_circuits_that_cannot_be_read(cells, tmp_path):
    config = to_sonata(cells[0], tmp_path, cells[1])
    text = config.read_text()
    with pytest.raises(FileNotFoundError):
        from_sonata(tmp_path / "nothing.json")
    config.write_text(text.replace('"program": "dendrosim', '"program": "bmtk'))
    with pytest.raises(FileFormatError, match="not written by"):
        from_sonata(config)
    config.write_text(text[:-20])
    with pytest.raises(FileFormatError, match="no JSON"):
        from_sonata(config)
    config.write_text(text)
    swc = tmp_path / "components" / "morphologies" / "granule.swc"
    swc.write_text("1 1 0 0 0 5 -1\n2 3 0 10 0 1 1\n3 3 0 20 0 1 2\n")
    with pytest.raises(FileFormatError, match=r"granule\.json does not describe a cell"):
        from_sonata(config)
