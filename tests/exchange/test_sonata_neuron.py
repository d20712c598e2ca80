"""A circuit's files alone are enough for NEURON: morphology, densities, places and weights of synapses, spikes."""

from __future__ import annotations

import csv
import json
import os

import h5py
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.exchange import from_sonata_report, to_sonata

os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
neuron = pytest.importorskip("neuron", reason="NEURON is not installed: the extra validation brings it")

GROUPS = ("soma", "axon", "dend", "apic")
"""In the order in which SONATA numbers their sections."""


@pytest.fixture
def h():
    from neuron import h

    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    yield h
    for section in list(h.allsec()):
        h.delete_section(sec=section)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter=" "))


def cell_of(h, folder):
    """The only cell of a circuit: sections by SONATA's numbers."""
    (node,) = rows(folder / "networks" / "cells_node_types.csv")
    components = folder / "components"
    parameters = json.loads((components / "biophysical_neuron_dynamics" / node["dynamics_params"]).read_text())
    reader = h.Import3d_SWC_read()
    reader.quiet = 1
    reader.input(str(components / "morphologies" / f"{node['morphology']}.swc"))
    h.Import3d_GUI(reader, 0).instantiate(None)
    sections = [s for group in GROUPS for s in h.allsec() if s.name().startswith(group)]
    (passive,) = parameters["passive"]
    conductance = {row["section"]: row["value"] for row in parameters["genome"] if row["name"] == "g_pas"}
    specific = {row["section"]: row["cm"] for row in passive["cm"]}
    pieces = [1, *parameters["dendrosim"]["compartments_per_section"]]
    assert len(sections) == len(pieces)
    for section, nseg in zip(sections, pieces, strict=True):
        group = section.name().partition("[")[0]
        section.nseg = nseg
        section.Ra, section.cm = passive["ra"], specific[group]
        section.insert("pas")
        section.g_pas, section.e_pas = conductance[group], passive["e_pas"]
    return sections


def synapses_of(h, folder, sections):
    """Point processes on the edges of external inputs, and what drives them."""
    types = {int(row["edge_type_id"]): row for row in rows(folder / "networks" / "input_to_cells_edge_types.csv")}
    with h5py.File(folder / "inputs" / "spikes.h5") as file:
        times, nodes = (file[f"spikes/input/{name}"][:] for name in ("timestamps", "node_ids"))
    made = []
    with h5py.File(folder / "networks" / "input_to_cells_edges.h5") as file:
        edges = file["edges/input_to_cells"]
        columns = [edges[name][:] for name in ("edge_type_id", "source_node_id")]
        columns += [edges[f"0/{name}"][:] for name in ("afferent_section_id", "afferent_section_pos", "syn_weight")]
    for kind, source, section, position, weight in zip(*columns, strict=True):
        row = types[int(kind)]
        parameters = json.loads((folder / "components" / "synapse_dynamics" / row["dynamics_params"]).read_text())
        synapse = getattr(h, row["model_template"])(sections[section](position))
        synapse.e = parameters["erev"]
        for name in ("tau", "tau1", "tau2"):
            if name in parameters:
                setattr(synapse, name, parameters[name])
        connection = h.NetCon(None, synapse)
        connection.weight[0] = weight
        made.append((synapse, connection, times[nodes == source]))
    return made


@pytest.mark.parametrize("name", ["granule", "stellate", "pyramidal_l5"])
def test_neuron_gets_the_same_voltages_from_the_files(h, name, tmp_path):
    cell = ds.Morphology.load(name).compartments(ds.Passive(E_leak=-65.0), max_length=60.0)
    synapses = ds.Synapses.scatter(cell, 30, 10, n_inputs=15, seed=1, conductance=0.8)
    kinetics = (ds.DifferenceOfExponentials(0.5, 3.0), ds.Exponential(6.0))
    times = np.round(np.random.default_rng(0).random(60) * 30.0 / 0.025) * 0.025  # on steps, where both have them
    spikes = ds.Spikes(times, np.arange(60) % 15)
    trace = ds.simulate(cell, synapses, spikes, duration=40.0, record="all", kinetics=kinetics)
    to_sonata(cell, tmp_path, synapses, kinetics=kinetics, trace=trace, spikes=spikes)

    sections = cell_of(h, tmp_path)
    assert sum(segment.area() for s in sections for segment in s) == pytest.approx(cell.area.sum(), rel=1e-6)
    kept = synapses_of(h, tmp_path, sections)
    report = from_sonata_report(tmp_path / "output" / "voltage.h5")
    columns = [0, *range(3, report.data.shape[1], 7)]
    vectors = [
        h.Vector().record(sections[report.element_id[c]](float(report.element_position[c]))._ref_v) for c in columns
    ]
    settings = json.loads((tmp_path / "simulation_config.json").read_text())
    h.dt = settings["run"]["dt"]
    h.finitialize(settings["conditions"]["v_init"])
    for _, connection, arrive in kept:
        for time in arrive:
            connection.event(time)
    h.continuerun(settings["run"]["tstop"])
    assert len(kept) == 40
    assert np.ptp(report.data[:, 0]) > 0.5
    for column, vector in zip(columns, vectors, strict=True):
        found = np.array(vector)[: len(report.data)]
        np.testing.assert_allclose(found, report.data[:, column], atol=5e-5)
