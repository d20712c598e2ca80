"""Reports of voltages and spike files, with plain h5py and back."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import FileFormatError, ParameterError
from dendrosim.exchange import (
    from_sonata_report,
    from_sonata_spikes,
    to_sonata,
    to_sonata_report,
    to_sonata_spikes,
)
from dendrosim.exchange.sonata_sections import places


@pytest.fixture(scope="module")
def forest():
    cell = ds.Morphology.load("granule").compartments(ds.Passive(), max_length=60.0)
    return ds.Compartments.forest(
        [cell, ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=60.0)]
    )


@pytest.fixture(scope="module")
def synapses(forest):
    return ds.Synapses.scatter(forest, 40, 5, n_inputs=10, seed=0, conductance=2.0)


@pytest.fixture(scope="module")
def spikes():
    return ds.Spikes.poisson(np.full((2, 10), 100.0), 20.0, seed=0)


@pytest.fixture(scope="module")
def trace(forest, synapses, spikes):
    return ds.simulate(forest, synapses, spikes, duration=20.0, record="all", every=4, mechanisms=ds.IntegrateAndFire())


def test_a_report_has_the_layout_of_the_guide(forest, trace, tmp_path):
    path = to_sonata_report(trace, tmp_path / "voltage.h5", forest, stimulus=1)
    with h5py.File(path) as file:
        assert (int(file.attrs["magic"]), file.attrs["version"].tolist()) == (0x0A7A, [0, 1])
        group = file["report/cells"]
        data, mapping = group["data"], group["mapping"]
        assert data.dtype == np.float32
        assert data.shape == (201, forest.size)
        assert data.attrs["units"] == "mV"
        kinds = {"node_ids": "u8", "index_pointers": "u8", "element_ids": "u4", "element_pos": "f4", "time": "f8"}
        assert {name: mapping[name].dtype.str[1:] for name in kinds} == kinds
        assert mapping["node_ids"][:].tolist() == [0, 1]
        assert mapping["node_ids"].attrs["sorted"] == 1
        first = int((forest.cell == 0).sum())
        assert mapping["index_pointers"][:].tolist() == [0, first, forest.size]
        np.testing.assert_allclose(mapping["time"][:], [0.0, 20.1, 0.1])
        assert mapping["time"].attrs["units"] == "ms"
        # by hand: the compartment of every column from its section and position
        for node in (0, 1):
            place = places(forest._cells[node])
            here = slice(*mapping["index_pointers"][node : node + 2].astype(int))
            element, position = mapping["element_ids"][here], mapping["element_pos"][here]
            assert (np.diff(element) >= 0).all()
            for column, s, p in zip(range(here.start, here.stop), element, position, strict=True):
                (c,) = np.flatnonzero((place.section == s) & (np.abs(place.position - p) < 1e-6))
                values = trace.voltage[1, :, forest.roots[node] + c]
                np.testing.assert_array_equal(data[:, column], values.astype(np.float32))


def test_a_report_reads_back(forest, trace, tmp_path):
    report = from_sonata_report(to_sonata_report(trace, tmp_path / "voltage.h5", forest, stimulus=0))
    np.testing.assert_allclose(report.time, trace.time, rtol=1e-12)
    np.testing.assert_array_equal(report.node_id, np.sort(forest.cell))
    soma = report.data[:, (report.element_id == 0)]
    np.testing.assert_array_equal(soma, trace.voltage[0][:, forest.roots].astype(np.float32))
    assert (report.units, report.population) == ("mV", "cells")


def test_a_recording_on_disk_is_copied_in_blocks(forest, synapses, spikes, tmp_path, monkeypatch):
    monkeypatch.setattr("dendrosim.exchange.sonata_write._BLOCK", 100)
    on_disk = ds.simulate(
        forest,
        synapses,
        spikes,
        duration=5.0,
        record="all",
        store=tmp_path / "trace.h5",
        mechanisms="integrate_and_fire",
    )
    path = to_sonata_report(ds.Trace.load(tmp_path / "trace.h5"), tmp_path / "report.h5", forest, stimulus=1)
    report = from_sonata_report(path)
    total = on_disk.voltage[1].astype(np.float32).sum(axis=1, dtype=np.float64)
    np.testing.assert_allclose(report.data.sum(axis=1, dtype=np.float64), total, rtol=1e-12)
    assert report.data.shape == (201, forest.size)


def test_recorded_compartments_in_any_order(forest, synapses, spikes, tmp_path):
    trace = ds.simulate(forest, synapses, spikes, duration=2.0, record=[forest.roots[1], 3, 0])
    report = from_sonata_report(to_sonata_report(trace, tmp_path / "some.h5", forest, stimulus=0))
    assert report.node_id.tolist() == [0, 0, 1]
    assert report.element_id[[0, 2]].tolist() == [0, 0]
    np.testing.assert_array_equal(report.data, trace.voltage[0][:, [2, 1, 0]].astype(np.float32))


def test_trees_without_a_shape_have_compartments_for_sections(tmp_path):
    tree = ds.Compartments.branching([2], n_cells=2)
    trace = ds.simulate(tree, duration=1.0, record="all", current=np.ones(6))
    report = from_sonata_report(to_sonata_report(trace, tmp_path / "tree.h5", tree, population="layer1"))
    assert report.element_id.tolist() == [0, 1, 2, 0, 1, 2]
    assert (report.units, report.population) == ("1", "layer1")


@pytest.mark.parametrize("sorting", ["by_time", "by_id", "none"])
def test_spikes_of_cells(forest, trace, tmp_path, sorting):
    path = to_sonata_spikes(trace, tmp_path / "out.h5", forest, stimulus=1, sorting=sorting)
    here = trace.spike_stimulus == 1
    assert here.any()
    with h5py.File(path) as file:
        group = file["spikes/cells"]
        kind = h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)
        assert kind == {"none": 0, "by_id": 1, "by_time": 2}
        assert group.attrs["sorting"] == kind[sorting]
        assert group["timestamps"].attrs["units"] == "ms"
        assert (group["timestamps"].dtype, group["node_ids"].dtype) == (np.float64, np.uint64)
        found = list(zip(group["timestamps"][:].tolist(), group["node_ids"][:].tolist(), strict=True))
    cells = forest.cell[trace.spike_compartment[here]].tolist()
    expected = list(zip(trace.spike_time[here].tolist(), cells, strict=True))
    if sorting == "none":
        assert found == expected
    else:
        assert found == sorted(expected, key=None if sorting == "by_time" else lambda pair: (pair[1], pair[0]))


def test_spikes_read_back_drive_the_same_simulation(forest, synapses, spikes, trace, tmp_path):
    paths = [to_sonata_spikes(spikes, tmp_path / f"{b}.h5", stimulus=b) for b in range(2)]
    read = from_sonata_spikes(paths, n_inputs=10)
    again = ds.simulate(forest, synapses, read, duration=20.0, record="all", every=4, mechanisms=ds.IntegrateAndFire())
    np.testing.assert_array_equal(again.voltage, trace.voltage)
    assert read.n_stimuli == 2


def test_files_of_other_tools_are_read(tmp_path):
    # as the guide has it: no units, no sorting, one index pointer per node, no positions
    with h5py.File(tmp_path / "spikes.h5", "w") as file:
        file["spikes/V1/timestamps"], file["spikes/V1/node_ids"] = [3.0, 1.0], np.array([7, 2], np.uint64)
        file["spikes/LGN/timestamps"], file["spikes/LGN/node_ids"] = [0.5], np.array([0], np.uint64)
    assert from_sonata_spikes(tmp_path / "spikes.h5", "V1").source.tolist() == [7, 2]
    with pytest.raises(ParameterError, match="several populations, LGN, V1"):
        from_sonata_spikes(tmp_path / "spikes.h5")
    with h5py.File(tmp_path / "report.h5", "w") as file:
        group = file.create_group("report/V1")
        group["data"] = np.arange(10.0, dtype=np.float32).reshape(2, 5)
        mapping = {"node_ids": [3, 8], "index_pointers": [0, 2], "element_ids": [0, 1, 0, 0, 1]}
        for name, values in mapping.items():
            group[f"mapping/{name}"] = np.array(values, np.uint64)
        group["mapping/time"] = [5.0, 6.0, 0.5]
    report = from_sonata_report(tmp_path / "report.h5")
    assert report.node_id.tolist() == [3, 3, 8, 8, 8]
    assert report.time.tolist() == [5.0, 5.5]
    assert report.element_position is None


def test_a_simulation_stands_beside_its_circuit(forest, synapses, spikes, trace, tmp_path):
    to_sonata(forest, tmp_path, synapses, trace=trace, spikes=spikes, stimulus=1)
    read = from_sonata_spikes(tmp_path / "inputs" / "spikes.h5", n_inputs=10)
    assert sorted(read.time.tolist()) == sorted(spikes.time[spikes.stimulus == 1].tolist())
    report = from_sonata_report(tmp_path / "output" / "voltage.h5")
    assert report.data.shape == (201, forest.size)
    assert from_sonata_spikes(tmp_path / "output" / "spikes.h5").time.size == (trace.spike_stimulus == 1).sum()


def test_what_cannot_be_written(forest, trace, spikes, tmp_path):
    path = tmp_path / "file.h5"
    with pytest.raises(ParameterError, match="2 stimuli"):
        to_sonata_report(trace, path, forest)
    with pytest.raises(ParameterError, match="stimulus 2 does not exist"):
        to_sonata_report(trace, path, forest, stimulus=2)
    with pytest.raises(ParameterError, match="trace must be Trace"):
        to_sonata_report(spikes, path, forest)
    with pytest.raises(ParameterError, match="was recorded at compartment"):
        to_sonata_report(trace, path, ds.Compartments.branching([2]), stimulus=0)
    with pytest.raises(ParameterError, match="cannot name"):
        to_sonata_report(trace, path, forest, stimulus=0, population="a/b")
    silent = ds.simulate(forest, duration=1.0, record="none")
    with pytest.raises(ParameterError, match="no voltages"):
        to_sonata_report(silent, path, forest)
    with pytest.raises(ParameterError, match="compartments= is missing"):
        to_sonata_spikes(trace, path)
    with pytest.raises(ParameterError, match="weights other than 1"):
        to_sonata_spikes(ds.Spikes([1.0], [0], weight=2.0), path)
    with pytest.raises(ParameterError, match="sorting='up'"):
        to_sonata_spikes(spikes, path, sorting="up")
    assert not path.exists()
    to_sonata_spikes(spikes, path, stimulus=0)
    with pytest.raises(ParameterError, match="overwrite=True"):
        to_sonata_spikes(spikes, path, stimulus=0)
    to_sonata_spikes(spikes, path, stimulus=1, overwrite=True)


def test_what_cannot_be_read(tmp_path):
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file["spikes/a/timestamps"], file["spikes/a/node_ids"] = [1.0, 2.0], [0]
        file["report/a/mapping/time"] = [0.0, 1.0, 0.1]
    with pytest.raises(FileFormatError, match="a number and a whole number per spike"):
        from_sonata_spikes(path)
    with pytest.raises(FileFormatError, match="no dataset data"):
        from_sonata_report(path)
    with h5py.File(path, "w") as file:
        file["spikes/a/timestamps"], file["spikes/a/node_ids"] = [1.0], [0]
        file["spikes/a/timestamps"].attrs["units"] = "s"
    with pytest.raises(FileFormatError, match="in 's'"):
        from_sonata_spikes(path)
    with pytest.raises(FileFormatError, match="no SONATA file of this kind"):
        from_sonata_report(path)
    with pytest.raises(ParameterError, match="no population 'b'"):
        from_sonata_spikes(path, "b")
    path.write_text("no HDF5")
    with pytest.raises(FileFormatError, match="no HDF5 file"):
        from_sonata_report(path)
