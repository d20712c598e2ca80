"""What libsonata, the reader of the Blue Brain Project, finds in our files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.exchange import to_sonata, to_sonata_report, to_sonata_spikes

libsonata = pytest.importorskip("libsonata", reason="libsonata is not installed: the extra validation brings it")


@pytest.fixture(scope="module")
def network():
    made = ds.Network.dendritic(64, 10, [8], [2, 2], 6, 3, seed=2)
    ds.train(made, ds.tasks.load("digits"), epochs=1, seed=0)
    return made


@pytest.fixture(scope="module")
def forest():
    granule = ds.Morphology.load("granule").compartments(ds.Passive(), max_length=60.0)
    stellate = ds.Morphology.load("stellate").compartments(ds.Passive(), max_length=60.0)
    return ds.Compartments.forest([granule, stellate, granule])


@pytest.fixture(scope="module")
def synapses(forest):
    return ds.Synapses.scatter(forest, 60, 10, n_inputs=12, seed=0, conductance=2.0)


@pytest.fixture(scope="module")
def simulated(forest, synapses, tmp_path_factory):
    spikes = ds.Spikes.poisson(np.full(12, 100.0), 20.0, seed=0)
    links = ds.Connections([0, 1], [3, 4], delay=[1.0, 2.5])
    trace = ds.simulate(
        forest,
        synapses,
        spikes,
        duration=20.0,
        record="all",
        every=4,
        mechanisms=ds.IntegrateAndFire(),
        connections=links,
    )
    folder = tmp_path_factory.mktemp("circuit")
    to_sonata(forest, folder, synapses, connections=links, trace=trace, spikes=spikes)
    return folder, trace, spikes, links


def test_a_network(network, tmp_path):
    config = libsonata.CircuitConfig.from_file(str(to_sonata(network, tmp_path)))
    assert config.config_status == libsonata.CircuitConfigStatus.complete
    assert config.node_populations == {"input", "layer1", "output"}
    assert config.edge_populations == {"input_to_layer1", "layer1_to_output"}
    assert config.node_population_properties("input").type == "virtual"
    edges = config.edge_population("input_to_layer1")
    assert (edges.source, edges.target, edges.size) == ("input", "layer1", network.layout.n_synapses)
    every = libsonata.Selection([(0, edges.size)])
    synapse = edges.get_attribute("synapse_id", every)
    assert sorted(synapse) == list(range(edges.size))
    np.testing.assert_array_equal(edges.get_attribute("syn_weight", every), network.conductance[synapse])
    np.testing.assert_array_equal(edges.source_nodes(every), network.source[synapse])
    for cell in range(8):
        mine = edges.get_attribute("synapse_id", edges.afferent_edges([cell]))
        first = network.layout.roots[cell]
        assert sorted(mine) == list(range(network.layout.first[first], network.layout.last[first + 6]))
    for pixel in (0, 20, 43):
        mine = edges.get_attribute("synapse_id", edges.efferent_edges([pixel]))
        assert sorted(mine) == np.flatnonzero(network.source == pixel).tolist()
    nodes = config.node_population("layer1")
    found = nodes.get_dynamics_attribute("coupling_4", libsonata.Selection([(0, 8)]))
    np.testing.assert_array_equal(found, network.coupling[network.layout.roots + 4])
    decoder = config.edge_population("layer1_to_output")
    weight = decoder.get_attribute("syn_weight", decoder.connecting_edges([3], [7]))
    assert weight.tolist() == [network.parameters["decoder_weight"][7, 3]]


def test_reconstructed_cells(simulated, forest, synapses):
    folder, _, _, links = simulated
    config = libsonata.CircuitConfig.from_file(str(folder / "circuit_config.json"))
    properties = config.node_population_properties("cells")
    assert properties.type == "biophysical"
    assert properties.morphologies_dir == str(folder / "components" / "morphologies")
    nodes, every = config.node_population("cells"), libsonata.Selection([(0, 3)])
    assert nodes.get_attribute("morphology", every).tolist() == ["granule", "stellate", "granule"]
    assert nodes.get_attribute("model_type", every).tolist() == ["biophysical"] * 3
    np.testing.assert_array_equal(nodes.get_attribute("x", every), forest.xyz[forest.roots, 0])
    edges = config.edge_population("input_to_cells")
    every = libsonata.Selection([(0, edges.size)])
    synapse = edges.get_attribute("synapse_id", every)
    np.testing.assert_allclose(edges.get_attribute("syn_weight", every), 1e-3 * synapses.conductance[synapse])
    own = config.edge_population("cells_to_cells")
    delay = own.get_attribute("delay", own.efferent_edges([1]))
    assert delay.tolist() == [2.5] * int((synapses.source == 4).sum())
    sets = libsonata.NodeSets.from_file(config.node_sets_path)
    assert sets.materialize("cells", nodes).flat_size == 3
    assert links.size == 2


def test_a_simulation(simulated):
    folder, trace, spikes, _ = simulated
    config = libsonata.SimulationConfig.from_file(str(folder / "simulation_config.json"))
    assert (config.run.tstop, config.run.dt, config.conditions.v_init) == (20.0, 0.025, -70.0)
    assert config.network == str(folder / "circuit_config.json")
    report = libsonata.ElementReportReader(config.report("voltage").file_name)["cells"]
    assert (report.data_units, report.time_units, report.sorted) == ("mV", "ms", True)
    assert report.get_node_ids() == [0, 1, 2]
    frame = report.get()
    np.testing.assert_allclose(frame.times, trace.time, atol=1e-9)
    total = trace.voltage[0].astype(np.float32).sum(axis=1, dtype=np.float64)
    np.testing.assert_allclose(frame.data.sum(axis=1, dtype=np.float64), total, rtol=1e-7)
    out = libsonata.SpikeReader(config.output.spikes_file)["cells"]
    assert out.sorting == "by_time"
    assert sorted(time for _, time in out.get()) == np.sort(trace.spike_time).tolist()
    inputs = libsonata.SpikeReader(config.input("spikes").spike_file)["input"].get()
    assert sorted(inputs) == sorted(zip(spikes.source.tolist(), spikes.time.tolist(), strict=True))


def test_values_of_one_node(simulated, forest):
    folder, trace, _, _ = simulated
    report = libsonata.ElementReportReader(str(folder / "output" / "voltage.h5"))["cells"]
    frame = report.get(node_ids=[1], tstart=5.0, tstop=10.0)
    soma = frame.data[:, [i for i, (_, element) in enumerate(frame.ids) if element == 0]]
    root = forest.roots[1]
    here = (trace.time >= 5.0 - 1e-9) & (trace.time <= 10.0 + 1e-9)
    np.testing.assert_array_equal(soma[:, 0], trace.voltage[0, here, root].astype(np.float32))


def test_somas_alone(forest, tmp_path):
    trace = ds.simulate(forest, duration=3.0, current=np.full((2, forest.size), 1.0))
    path = to_sonata_report(trace, tmp_path / "soma.h5", forest, stimulus=1)
    report = libsonata.SomaReportReader(str(path))["cells"]
    frame = report.get()
    assert list(frame.ids) == [0, 1, 2]
    np.testing.assert_array_equal(frame.data, trace.voltage[1].astype(np.float32))
    assert report.times == pytest.approx((0.0, 3.025, 0.025))


def test_spikes_of_one_node(tmp_path):
    spikes = ds.Spikes([3.0, 1.0, 2.0, 2.0], [0, 5, 0, 2])
    path = to_sonata_spikes(spikes, tmp_path / "spikes.h5", sorting="by_id", population="thalamus")
    reader = libsonata.SpikeReader(str(path))
    assert reader.get_population_names() == ["thalamus"]
    assert reader["thalamus"].get(node_ids=[0, 2]) == [(0, 2.0), (0, 3.0), (2, 2.0)]
    assert reader["thalamus"].sorting == "by_id"


def test_the_examples_of_the_guide(tmp_path, monkeypatch, capsys):
    # blocks of "py" need libsonata; tests/test_docs.py runs those of "python" where it is missing too
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "guide" / "sonata.md").read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": "__main__"}
    for block in re.findall(r"^```(?:py|python)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if "bionet" in block:  # a script of its own: test_sonata_bmtk.py
            continue
        exec(compile(block, "sonata.md", "exec"), names)
    assert "input cells 80" in capsys.readouterr().out
