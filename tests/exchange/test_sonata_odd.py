"""SONATA circuits that are odd, damaged or written over others: nothing is lost on the way, errors are clear."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import FileFormatError, ParameterError
from dendrosim.exchange.sonata_circuit import circuit_of


def cell() -> ds.Compartments:
    return ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=200.0)


def pair() -> tuple[ds.Compartments, ds.Synapses]:
    cells = ds.Compartments.forest([cell(), cell()])
    return cells, ds.Synapses.scatter(cells, 4, 2, n_inputs=4, seed=0)


def test_cells_without_synapses(tmp_path: Path) -> None:
    one = cell()
    none = ds.Synapses(one, [], [], sign=[], conductance=[], n_inputs=3)
    circuit = ds.exchange.from_sonata(ds.exchange.to_sonata(one, tmp_path, none))
    assert (circuit.synapses.size, circuit.synapses.n_inputs, circuit.n_external) == (0, 3, 3)
    np.testing.assert_allclose(circuit.compartments.coupling, one.coupling, rtol=1e-12)


def test_a_circuit_over_another_leaves_no_simulation_of_the_other(tmp_path: Path) -> None:
    one = cell()
    synapses = ds.Synapses.scatter(one, 3, 2)
    trace = ds.simulate(one, duration=1.0)
    ds.exchange.to_sonata(one, tmp_path, synapses, trace=trace)
    assert (tmp_path / "simulation_config.json").exists()
    ds.exchange.to_sonata(one, tmp_path, synapses, overwrite=True)
    assert not (tmp_path / "simulation_config.json").exists()


def test_populations_whose_names_make_the_same_file_names(tmp_path: Path) -> None:
    """Reversal potentials are in the files of types; those of 'a.b' and of 'a_b' are not the same."""
    cells = ds.Compartments.forest([cell(), cell()])
    synapses = ds.Synapses(cells, [1, cell().size + 1], [0, 1], sign=1, conductance=1.0, reversal=[0.0, 15.0])
    options = dict.fromkeys(("connections", "kinetics", "integration", "direction", "gate"))
    circuit = circuit_of(cells, synapses, options, "cells")
    circuit = dataclasses.replace(circuit, populations={"a.b": range(1), "a_b": range(1, 2)})
    back = ds.exchange.from_sonata(ds.exchange.to_sonata(circuit, tmp_path))
    assert back.synapses.reversal.tolist() == [0.0, 15.0]


def test_populations_whose_edges_would_have_one_name(tmp_path: Path) -> None:
    """From 'p' to 'q_to_r', and from 'p_to_q' to 'r'."""
    cells = ds.Compartments.forest([cell()] * 3)
    synapses = ds.Synapses(cells, [1, 2 * cell().size + 1], [0, 1], sign=1, conductance=1.0)
    options: dict[str, Any] = dict.fromkeys(("kinetics", "integration", "direction", "gate"))
    circuit = circuit_of(cells, synapses, {**options, "connections": ds.Connections(cell=[1], input=[1])}, "cells")
    circuit = dataclasses.replace(circuit, populations={"q_to_r": range(1), "p_to_q": range(1, 2), "r": range(2, 3)})
    with pytest.raises(ParameterError, match="edges would be called 'p_to_q_to_r'"):
        ds.exchange.to_sonata(circuit, tmp_path, external="p")
    assert not list(tmp_path.iterdir())


class Own(ds.Exponential):
    """Exponential, and perhaps more."""


def test_a_time_course_of_ones_own_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    cells, synapses = pair()
    config = ds.exchange.to_sonata(cells, tmp_path, synapses)
    with pytest.raises(ParameterError, match=r"kinetics has Own\(tau=3.0\), a time course of your own"):
        ds.exchange.to_sonata(cells, tmp_path, synapses, kinetics=Own(3.0), overwrite=True)
    assert ds.exchange.from_sonata(config).synapses.size == synapses.size


def test_gates_of_some_cells_only(tmp_path: Path) -> None:
    cells = ds.Compartments.forest([cell(), ds.Morphology.load("granule").compartments(ds.Passive(), max_length=200.0)])
    gate = ds.Gate(np.full(cells.size, 0.5), np.full(cells.size, -50.0))
    config = ds.exchange.to_sonata(cells, tmp_path, ds.Synapses.scatter(cells, 3, 2), gate=gate)
    first = sorted((tmp_path / "components" / "point_neuron_dynamics").iterdir())[0]
    content = json.loads(first.read_text())
    del content["slope"]
    first.write_text(json.dumps(content))
    with pytest.raises(FileFormatError, match="some of its cells have gates"):
        ds.exchange.from_sonata(config)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("index_pointers", [0, 3, 5], "index_pointers do not rise from 0, one per node, to the 6 columns"),
        ("index_pointers", [0, 7, 6], "index_pointers do not rise"),
        ("time", [0.0, 1.0, 0.0], r"mapping/time is \[0.0, 1.0, 0.0\]; expected start, stop and a positive step"),
        ("time", [0.0, 1.0, np.nan], "expected start, stop and a positive step"),
    ],
)
def test_reports_that_contradict_themselves(tmp_path: Path, name: str, values: list[float], message: str) -> None:
    cells = ds.Compartments.forest([cell(), cell()])
    trace = ds.simulate(cells, duration=1.0, record=[0, 1, 2, *(cell().size + np.arange(3))])
    report = ds.exchange.to_sonata_report(trace, tmp_path / "voltage.h5", cells)
    assert ds.exchange.from_sonata_report(report).data.shape[1] == 6
    with h5py.File(report, "r+") as file:
        mapping = file["report/cells/mapping"]
        kind = mapping[name].dtype
        del mapping[name]
        mapping[name] = np.array(values, kind)
    with pytest.raises(FileFormatError, match=message):
        ds.exchange.from_sonata_report(report)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("node_ids", 2**63, r"/spikes/input/node_ids has 9223372036854775808; expected numbers from 0 to 9e\+15"),
        ("node_ids", 2**60 + 1, "node_ids has 1152921504606846977"),
        ("timestamps", -1.0, r"spikes.h5: /spikes/input/timestamps\[1\] is -1; expected times from 0, ms"),
        ("timestamps", np.inf, r"timestamps\[1\] is inf"),
    ],
)
def test_spikes_that_cannot_be(tmp_path: Path, name: str, value: float, message: str) -> None:
    """Numbers of nodes are uint64; beyond 2**53 they would come back as others."""
    path = ds.exchange.to_sonata_spikes(ds.Spikes([1.0, 2.0], [0, 1]), tmp_path / "spikes.h5")
    with h5py.File(path, "r+") as file:
        file[f"spikes/input/{name}"][1] = value
    with pytest.raises(FileFormatError, match=message):
        ds.exchange.from_sonata_spikes(path)


def test_spikes_of_no_inputs_and_compartments_that_nobody_needs(tmp_path: Path) -> None:
    path = ds.exchange.to_sonata_spikes(ds.Spikes([], [], n_inputs=0), tmp_path / "spikes.h5")
    assert ds.exchange.from_sonata_spikes(path, n_inputs=0).n_inputs == 0
    with pytest.raises(ParameterError, match="compartments= go with a trace"):
        ds.exchange.to_sonata_spikes(ds.Spikes([], []), path, cell(), overwrite=True)


def replaced(file: Path, name: str, other: Any) -> None:
    """Put something else in the place of a dataset or group: None is a group."""
    with h5py.File(file, "r+") as target:
        kept = dict(target[name].attrs)
        del target[name]
        if other is None:
            target.create_group(name)
        else:
            target[name] = other
        target[name].attrs.update(kept)


@pytest.mark.parametrize("name", ["cells_nodes", "input_to_cells_edges"])
def test_whatever_is_wrong_in_a_file_is_one_clear_error(tmp_path: Path, name: str) -> None:
    cells, synapses = pair()
    config = ds.exchange.to_sonata(cells, tmp_path, synapses)
    file = tmp_path / "networks" / f"{name}.h5"
    whole, places, clear = file.read_bytes(), [], 0
    with h5py.File(file) as source:
        source.visit(places.append)
    for place in places:
        for other in (None, "text", np.full(synapses.size, 2**63, np.uint64)):
            replaced(file, place, other)
            try:
                ds.exchange.from_sonata(config)  # what it does not need may be anything
            except FileFormatError:
                clear += 1
            file.write_bytes(whole)
    assert clear >= 10


def test_numbers_of_compartments_in_rows(tmp_path: Path) -> None:
    one = cell()
    config = ds.exchange.to_sonata(one, tmp_path, ds.Synapses.scatter(one, 2, 2))
    (file,) = (tmp_path / "components" / "biophysical_neuron_dynamics").iterdir()
    content = json.loads(file.read_text())
    content["dendrosim"]["compartments_per_section"] = [content["dendrosim"]["compartments_per_section"]]
    file.write_text(json.dumps(content))
    with pytest.raises(FileFormatError, match="does not describe a cell"):
        ds.exchange.from_sonata(config)


def in_hdf5(file: Path, name: str, value: float) -> None:
    with h5py.File(file, "r+") as target:
        target[name][0] = value


def in_json(file: Path, change: Any) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def in_table(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


CELLS, NET = "A/networks/", "B/networks/"
DAMAGE = {
    "a source that is no cell": lambda at: in_hdf5(
        at / f"{CELLS}cells_to_cells_edges.h5", "edges/cells_to_cells/source_node_id", 2
    ),
    "a source that is no input": lambda at: in_hdf5(
        at / f"{CELLS}input_to_cells_edges.h5", "edges/input_to_cells/source_node_id", 4
    ),
    "a position beyond the section": lambda at: in_hdf5(
        at / f"{CELLS}input_to_cells_edges.h5", "edges/input_to_cells/0/afferent_section_pos", np.nan
    ),
    "a synapse twice, another not": lambda at: in_hdf5(
        at / f"{CELLS}input_to_cells_edges.h5", "edges/input_to_cells/0/synapse_id", 5
    ),
    "a capacitance of one region": lambda at: in_json(
        next((at / "A/components/biophysical_neuron_dynamics").iterdir()),
        lambda content: content["passive"][0]["cm"][1].update(cm=3.0),
    ),
    "a region without densities": lambda at: in_json(
        next((at / "A/components/biophysical_neuron_dynamics").iterdir()),
        lambda content: (content["passive"][0]["cm"].pop(), content["genome"].pop()),
    ),
    "no edges": lambda at: in_json(at / "A/circuit_config.json", lambda content: content["networks"].update(edges=[])),
    "edges that are no list": lambda at: in_json(
        at / "A/circuit_config.json", lambda content: content["networks"].update(edges={})
    ),
    "an unknown integration": lambda at: in_table(at / f"{CELLS}cells_node_types.csv", "shunting", "other"),
    "a bias that is no number": lambda at: in_hdf5(
        at / f"{NET}output_nodes.h5", "nodes/output/0/dynamics_params/bias", np.nan
    ),
    "a weight without end": lambda at: in_hdf5(
        at / f"{NET}layer1_to_output_edges.h5", "edges/layer1_to_output/0/syn_weight", np.inf
    ),
    "a reader of a cell that is not there": lambda at: in_hdf5(
        at / f"{NET}layer1_to_output_edges.h5", "edges/layer1_to_output/source_node_id", 3
    ),
    "a scale of zero": lambda at: in_table(at / f"{NET}layer1_to_output_edge_types.csv", "1.0", "0.0"),
    "a slope that is no number": lambda at: in_hdf5(
        at / f"{NET}layer1_nodes.h5", "nodes/layer1/0/dynamics_params/slope_0", np.nan
    ),
    "units neither physical nor not": lambda at: in_json(
        next((at / "B/components/point_neuron_dynamics").iterdir()), lambda content: content.update(physical=None)
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_circuit_is_not_taken_for_another(tmp_path: Path, what: str) -> None:
    cells, synapses = pair()
    ds.exchange.to_sonata(
        cells, tmp_path / "A", synapses, connections=ds.Connections(cell=[0], input=[synapses.source[0]])
    )
    network = ds.Network.dendritic(5, 3, [3], [2], excitatory=2, inhibitory=1, seed=0)
    ds.exchange.to_sonata(network, tmp_path / "B")
    DAMAGE[what](tmp_path)
    with pytest.raises(FileFormatError):
        _ = [ds.exchange.from_sonata(tmp_path / name / "circuit_config.json") for name in "AB"]
