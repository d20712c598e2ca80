"""BMTK builds the circuits that are written for it, and comes to the same voltages."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.exchange import from_sonata, from_sonata_report, to_sonata

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "sonata.md"


@pytest.fixture(scope="module")
def model():
    shapes = [ds.Morphology.load(name) for name in ("granule", "pyramidal_l5")]
    cells = ds.Compartments.forest([shape.compartments(ds.Passive(E_leak=-65.0), max_length=60.0) for shape in shapes])
    synapses = ds.Synapses.scatter(cells, 400, 150, n_inputs=12, seed=1, conductance=0.8)
    kinetics = (ds.DifferenceOfExponentials(0.5, 3.0), ds.Exponential(6.0))
    times = np.round(np.random.default_rng(0).random(60) * 30.0 / 0.025) * 0.025  # on steps, where both have them
    spikes = ds.Spikes(times, np.arange(60) % 12)
    trace = ds.simulate(cells, synapses, spikes, duration=40.0, record="all", kinetics=kinetics)
    return cells, synapses, kinetics, spikes, trace


@pytest.fixture(scope="module")
def circuit(model, tmp_path_factory):
    cells, synapses, kinetics, spikes, trace = model
    folder = tmp_path_factory.mktemp("bmtk") / "for_bmtk"
    to_sonata(cells, folder, synapses, kinetics=kinetics, trace=trace, spikes=spikes, reader="bmtk")
    return folder


def with_vecstim(folder, bmtk):
    """Compile what BMTK needs for spikes from outside."""
    missing = [tool for tool in ("nrnivmodl", "make", "g++") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed, and BMTK's VecStim has to be compiled")
    source = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles/vecevent.mod"
    shutil.copy(source, folder)
    made = subprocess.run(["nrnivmodl"], cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"nrnivmodl failed here: {made.stderr.strip().splitlines()[-1:]}")


def by_place(report, pointers):
    """Voltages of a report, and the column of every (node, section, position)."""
    mapping = report["mapping"]
    node = np.repeat(np.arange(len(mapping["node_ids"])), np.diff(mapping[pointers][:].astype(int)))
    places = zip(
        node.tolist(),
        mapping["element_ids"][:].tolist(),
        mapping["element_pos"][:].astype(float).round(4).tolist(),
        strict=True,
    )
    return report["data"][:], {place: column for column, place in enumerate(places)}


@pytest.fixture(scope="module")
def ran(circuit, tmp_path_factory):
    """The circuit, and in `output_bmtk` what BioNet makes of it."""
    pytest.importorskip("neuron", reason="NEURON is not installed: the extra validation brings it")
    bmtk = pytest.importorskip("bmtk", reason="BMTK is not installed: the extra validation brings it")
    place = tmp_path_factory.mktemp("run")
    shutil.copytree(circuit, place / "for_bmtk")
    with_vecstim(place, bmtk)
    (script,) = (block for block in re.findall(r"```py\n(.*?)```", GUIDE.read_text(), re.S) if "bionet" in block)
    (place / "run_bmtk.py").write_text(script)
    made = subprocess.run([sys.executable, "run_bmtk.py"], cwd=place, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return place / "for_bmtk"


def test_bionet_gets_the_same_voltages(ran):
    with (
        h5py.File(ran / "output" / "voltage.h5") as ours,
        h5py.File(ran / "output_bmtk" / "voltage.h5") as theirs,
    ):
        voltage, column = by_place(ours["report/cells"], "index_pointers")
        found, place = by_place(theirs["report/cells"], "index_pointer")
    # ours has the ends of sections as well; BMTK leaves out the first time
    assert set(place) < set(column)
    assert len(place) > 100
    order = [column[one] for one in place]
    somas = [column[node, 0, 0.5] for node in (0, 1)]
    assert (np.ptp(voltage[:, somas], axis=0) > 0.5).all()
    np.testing.assert_allclose(found[: len(voltage) - 1], voltage[1:][:, order], atol=5e-5)


def test_its_report_is_read(ran):
    report = from_sonata_report(ran / "output_bmtk" / "voltage.h5")
    with h5py.File(ran / "output_bmtk" / "voltage.h5") as file:
        mapping = file["report/cells/mapping"]
        np.testing.assert_array_equal(report.data, file["report/cells/data"])
        np.testing.assert_array_equal(report.element_id, mapping["element_ids"])
        second = int(mapping["index_pointer"][1])
    assert report.node_id.tolist() == [0] * second + [1] * (report.node_id.size - second)
    assert (report.time[1], report.time[-1]) == pytest.approx((0.025, 39.975))


def test_bmtk_reads_our_report(circuit):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reports = pytest.importorskip(
            "bmtk.utils.reports", reason="BMTK is not installed: the extra validation brings it"
        )
        found = reports.CompartmentReport.load(str(circuit / "output" / "voltage.h5"))
        ours = from_sonata_report(circuit / "output" / "voltage.h5")
        for node in (0, 1):
            here = ours.node_id == node
            np.testing.assert_array_equal(found.data(node, population="cells"), ours.data[:, here])
            np.testing.assert_array_equal(found.element_ids(node, population="cells"), ours.element_id[here])
            np.testing.assert_array_equal(found.element_pos(node, population="cells"), ours.element_position[here])
        assert (found.tstart("cells"), found.dt("cells"), found.units("cells")) == (0.0, pytest.approx(0.025), "mV")


def test_words_of_nodes_stand_in_the_tables_alone(circuit):
    with h5py.File(circuit / "networks" / "cells_nodes.h5") as file:
        assert set(file["nodes/cells/0"]) == {"x", "y", "z"}
    with h5py.File(circuit / "networks" / "input_nodes.h5") as file:
        assert not len(file["nodes/input/0"])
    with (circuit / "networks" / "cells_node_types.csv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=" "))
    assert [(row["model_type"], row["morphology"]) for row in rows] == [
        ("biophysical", "granule"),
        ("biophysical", "pyramidal_l5"),
    ]


def test_both_spellings_of_an_index_are_one_dataset(circuit):
    with h5py.File(circuit / "networks" / "input_to_cells_edges.h5") as file:
        for index in file["edges/input_to_cells/indices"].values():
            assert index["node_id_to_range"] == index["node_id_to_ranges"]


def test_it_is_read_back(circuit, model):
    _, _, kinetics, spikes, trace = model
    made = from_sonata(circuit / "circuit_config.json")
    again = ds.simulate(
        made.compartments, made.synapses, spikes, duration=40.0, record="all", kinetics=kinetics
    ).voltage
    assert np.abs(again[0].max(axis=0) - trace.voltage[0].max(axis=0)).max() < 1e-9


def test_what_bmtk_cannot_build_is_refused(model, tmp_path):
    cells, synapses, kinetics, _, _ = model
    network = ds.Network.dendritic(4, 2, [3], [2], 2, 1)
    with pytest.raises(ds.errors.ParameterError, match=r"reader='bmtk'.*reconstructions alone.*libsonata"):
        to_sonata(network, tmp_path / "network", reader="bmtk")
    begun = ds.simulate(
        cells, synapses, ds.Spikes([1.0], [0], n_inputs=12), duration=1.0, record="all", kinetics=kinetics,
        initial=-65.0 + np.arange(cells.size) * 1e-3,
    )  # fmt: skip
    with pytest.raises(ds.errors.ParameterError, match=r"begins at one voltage.*initial="):
        to_sonata(cells, tmp_path / "begun", synapses, kinetics=kinetics, trace=begun, reader="bmtk")
    with pytest.raises(ds.errors.ParameterError, match=r"reader.*'brian'.*libsonata.*bmtk"):
        to_sonata(cells, tmp_path / "other", synapses, kinetics=kinetics, reader="brian")
    assert not list(tmp_path.iterdir())
