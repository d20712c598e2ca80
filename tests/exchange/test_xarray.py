"""Results as xarray datasets: values by plain indexing, dimensions, units, and a way through netCDF."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import MissingDependencyError, ParameterError
from dendrosim.exchange import from_sonata_report, to_sonata_report, to_xarray

xr = pytest.importorskip("xarray", reason="xarray is not installed: the extra xarray brings it")


@pytest.fixture(scope="module")
def cells():
    cell = ds.Morphology.load("granule").compartments(ds.Passive(), max_length=80.0)
    return ds.Compartments.forest([cell, cell])


@pytest.fixture(scope="module")
def synapses(cells):
    return ds.Synapses.scatter(cells, 20, 8, n_inputs=12, seed=0)


@pytest.fixture(scope="module")
def state(cells, synapses):
    return ds.steady_state(cells, synapses, np.random.default_rng(0).random((4, 12)))


@pytest.fixture(scope="module")
def trace(cells, synapses):
    spikes = ds.Spikes.poisson(np.full((2, 12), 150.0), 10.0, seed=0)
    return ds.simulate(
        cells, synapses, spikes, duration=10.0, every=4, record=[5, 0, 30], record_synapses=[3, 1],
        mechanisms=ds.IntegrateAndFire(), checkpoints=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def runs():
    task = ds.tasks.load("digits").subset(300, 50)
    made = []
    for arm, rule, seed, epochs in (("a", "3F", 0, 2), ("a", "3F", 3, 1), ("b", "4F", 3, 2)):
        network = ds.Network.dendritic(64, 10, [4], [2], 4, 2, seed=seed)
        run = ds.train(network, task, rule=rule, epochs=epochs, seed=seed)
        run.config["experiment"] = {"arm": arm, "factors": {"rule.name": rule}}
        made.append(run)
    return ds.runs.Runs(made)


def through_netcdf(dataset, tmp_path):
    """Write and read again, compare everything."""
    path = tmp_path / "file.nc"
    dataset.to_netcdf(path, engine="scipy")
    with xr.open_dataset(path, engine="scipy") as read:
        xr.testing.assert_equal(read.load(), dataset)
        assert {name: read[name].attrs.get("units") for name in dataset} == {
            name: dataset[name].attrs.get("units") for name in dataset
        }
        assert read.attrs == dataset.attrs


def test_a_state(state, cells, tmp_path):
    found = to_xarray(state)
    assert found.voltage.dims == ("stimulus", "compartment")
    assert found.voltage.sel(stimulus=2, compartment=17).item() == state.voltage[2, 17]
    assert found.input_resistance.isel(stimulus=1, compartment=3).item() == state.input_resistance[1, 3]
    far = found.attenuation_to_soma.where((found.cell == 1) & (found.path_distance > 100.0), drop=True)
    chosen = (cells.cell == 1) & (cells.path_distance > 100.0)
    np.testing.assert_array_equal(far, state.attenuation_to_soma[:, chosen])
    assert found.region.values.tolist() == cells.region.tolist()
    assert (found.voltage.units, found.input_resistance.units, found.path_distance.units) == ("mV", "GOhm", "um")
    np.testing.assert_array_equal(found.x, state.x)  # activities, (stimulus, input)
    assert found.attrs["program"] == f"dendrosim {ds.__version__}"
    assert (found.attrs["source"], found.attrs["direction"], found.attrs["gated"]) == ("State", "reciprocal", 0)
    through_netcdf(found, tmp_path)


def test_positions_do_not_hide_activities(state, cells):
    found = to_xarray(state)
    np.testing.assert_array_equal(found.position_x, cells.xyz[:, 0])


def test_normalised_trees_have_plain_numbers(tmp_path):
    tree = ds.Compartments.branching([2, 2])
    synapses = ds.Synapses.scatter(tree, 5, 2, seed=0)
    state = ds.steady_state(tree, synapses, np.ones((1, 7)), direction="directed", gate=ds.Gate(2.0, 0.3))
    found = to_xarray(state)
    assert {found[name].units for name in ("voltage", "activity", "input_resistance")} == {"1"}
    np.testing.assert_array_equal(found.activity, state.activity)
    assert found.stage.values.tolist() == [0, 1, 1, 2, 2, 2, 2]
    through_netcdf(found, tmp_path)


def test_a_gradient(state, synapses, tmp_path):
    gradient = ds.exact_gradient(state, np.ones((4, 2)))
    found = to_xarray(gradient)
    for name in ("credit", "current", "inputs"):
        np.testing.assert_array_equal(found[name], getattr(gradient, name))
    assert found.conductance.sel(synapse=9).item() == gradient.conductance[9]
    assert found.synapse_compartment.sel(synapse=9).item() == synapses.compartment[9]
    assert (found.current.units, found.credit.units, found.conductance.units) == ("1/pA", "1/mV", "1/nS")
    through_netcdf(found, tmp_path)


def test_a_trace(trace, cells, tmp_path):
    found = to_xarray(trace, compartments=cells)
    assert found.voltage.dims == ("stimulus", "time", "compartment")
    assert found.compartment.values.tolist() == [5, 0, 30]
    i = int(np.argmin(abs(trace.time - 5.0)))
    assert (
        found.voltage.sel(stimulus=1, compartment=30).sel(time=5.0, method="nearest").item() == trace.voltage[1, i, 2]
    )
    assert found.region.sel(compartment=0).item() == "soma"
    assert found.conductance.sel(synapse=1).values.tolist() == trace.conductance[:, :, 1].tolist()
    assert trace.spike_time.size
    np.testing.assert_array_equal(found.spike_time, trace.spike_time)
    assert (found.time.units, found.conductance.units) == ("ms", "nS")
    assert "region" not in to_xarray(trace).coords
    through_netcdf(found, tmp_path)


def test_a_recording_on_disk_stays_there(cells, tmp_path):
    trace = ds.simulate(cells, duration=2.0, record="all", store=tmp_path / "trace.h5")
    found = to_xarray(trace)
    assert np.shares_memory(found.voltage.values, trace.voltage)
    assert isinstance(trace.voltage, np.memmap)


def test_a_gradient_of_a_trajectory(trace, cells, tmp_path):
    loss = np.random.default_rng(0).random(trace.voltage.shape)
    gradient = ds.exact_gradient(trace, loss, record=[4, 2])
    found = to_xarray(gradient, compartments=cells)
    assert found.current.dims == ("stimulus", "time", "recorded")
    np.testing.assert_array_equal(found.current.sel(recorded=2), gradient.current[:, :, 1])
    assert found.recorded_path_distance.sel(recorded=4).item() == cells.path_distance[4]
    assert found.initial.sel(compartment=7, stimulus=1).item() == gradient.initial[1, 7]
    np.testing.assert_array_equal(found.spikes, gradient.spikes)
    through_netcdf(found, tmp_path)


def test_cells_synapses_and_spikes(cells, synapses, tmp_path):
    found = to_xarray(cells)
    assert found.coupling.sel(compartment=3).item() == cells.coupling[3]
    assert (found.leak.units, found.capacitance.units, found.attrs["leak_reversal"]) == ("nS", "pF", -70.0)
    through_netcdf(found, tmp_path)
    placed = to_xarray(synapses)
    assert placed.reversal.where(placed.synapse_sign < 0, drop=True).values.tolist() == [-70.0] * 8
    through_netcdf(placed, tmp_path)
    arrived = to_xarray(ds.Spikes([3.0, 1.0], [0, 2]))
    assert arrived.time.values.tolist() == [3.0, 1.0]
    through_netcdf(arrived, tmp_path)


def test_activity_of_a_network(runs):
    network = runs[0].network
    activity = network.forward(np.random.default_rng(0).random((5, 64)))
    found = to_xarray(activity)
    np.testing.assert_array_equal(found.logits, activity.logits)
    somas = found.voltage.where(found.stage == 0, drop=True)
    np.testing.assert_array_equal(somas, activity.batch_first(activity.voltage)[:, network.layout.roots])
    assert set(found.population.values.tolist()) == {"layer1"}


def test_a_run(runs, tmp_path):
    run = runs[0]
    found = to_xarray(run)
    assert found.epoch.values.tolist() == [1, 2]
    for name, values in run.history.items():
        np.testing.assert_array_equal(found[name], values)
    assert (found.train_loss.units, found.seconds.units) == ("nat", "s")
    assert found.attrs["test_accuracy"] == run.test_accuracy
    assert (found.attrs["seed"], found.attrs["rule"]) == (0, "3F")
    assert '"batch_size"' in found.attrs["config"]
    records = [name for name in found if "." in name]
    expected = [f"{record}.{column}" for record, columns in run.records.items() for column in columns]
    assert records == expected
    through_netcdf(found, tmp_path)


def test_runs_are_arms_by_seeds_by_epochs(runs, tmp_path):
    found = to_xarray(runs)
    assert dict(found.sizes) == {"arm": 2, "seed": 2, "epoch": 2}
    assert found.test_accuracy.sel(arm="b", seed=3).item() == runs[2].test_accuracy
    assert np.isnan(found.test_accuracy.sel(arm="b", seed=0).item())
    np.testing.assert_array_equal(found.history_train_loss.sel(arm="a", seed=0), runs[0].history["train_loss"])
    second = found.history_train_loss.sel(arm="a", seed=3)
    assert second[0].item() == runs[1].history["train_loss"][0]
    assert np.isnan(second[1].item())
    assert found["rule.name"].dims == ("arm",)
    assert found["rule.name"].values.tolist() == ["3F", "4F"]
    assert found.epochs.sel(arm="a").values.tolist() == [2.0, 1.0]
    assert found.test_accuracy.mean("seed").sel(arm="a").item() == pytest.approx(
        np.mean([runs[0].test_accuracy, runs[1].test_accuracy])
    )
    through_netcdf(found, tmp_path)


def test_two_runs_have_no_one_place(runs):
    with pytest.raises(ParameterError, match="2 runs of arm 'a' with seed 0"):
        to_xarray(ds.runs.Runs([runs[0], runs[0]]))
    with pytest.raises(ParameterError, match="no runs"):
        to_xarray(ds.runs.Runs([]))


def test_a_fidelity_and_other_tables(runs, tmp_path):
    network, x = runs[0].network, np.random.default_rng(0).random((20, 64))
    y = np.arange(20) % 10
    report = ds.fidelity(network, x, y, rule="3F")
    found = to_xarray(report)
    assert found.cosine.sel(group="excitatory").item() == report["excitatory"]["cosine"]
    assert found.n.sel(group="all").item() == report["all"]["n"]
    np.testing.assert_array_equal(found.compartment_cosine, report.compartment_cosine)
    np.testing.assert_array_equal(found.synapse_error, report.synapse_error)
    assert found.stage.values.tolist() == network.layout.stage.tolist()
    assert found.attrs["rule"] == report.rule
    through_netcdf(found, tmp_path)
    credits = ds.credit_fidelity(network, x, y)
    told = to_xarray(credits)
    assert told.cosine.sel(layer="all").item() == credits.table["cosine"][-1]
    np.testing.assert_array_equal(told.unit_cosine, credits.unit_cosine)
    through_netcdf(told, tmp_path)
    table = to_xarray(runs.table)
    assert table.sizes == {"row": 3}
    np.testing.assert_array_equal(table.test_accuracy, runs.table["test_accuracy"])
    through_netcdf(table, tmp_path)


def test_tables_of_two_keys_are_grids(runs, tmp_path):
    network, x = runs[0].network, np.random.default_rng(0).random((20, 64))
    reports = [ds.fidelity(network, x, np.arange(20) % 10, rule=rule) for rule in ("3F", "4F", "5F")]
    found = to_xarray(ds.diagnostics.FidelityHistory([0.0, 1.0, 4.0], reports))
    assert found.cosine.dims == ("epoch", "group")
    assert found.cosine.sel(epoch=4.0, group="couplings").item() == reports[2]["couplings"]["cosine"]
    through_netcdf(found, tmp_path)
    assert to_xarray(np.array([(1, 2, 0.5), (2, 2, 0.6), (1, 3, 0.7)], "i8,i8,f8")).sizes == {"row": 3}
    noise = ds.diagnostics.noise_robustness(network, x, np.arange(20) % 10, levels=[0.0, 0.5], draws=2)
    assert to_xarray(noise).accuracy.sel(noise=0.5, draw=1).item() == noise.accuracy[1, 1]


def test_an_audit(tmp_path):
    model = ds.networks.ResMLP(12, 3, width=8, depth=3, seed=0)
    x, y = np.random.default_rng(0).random((16, 12)), np.arange(16) % 3
    audit = ds.diagnostics.audit(ds.diagnostics.ResidualSubject(model, "dfa"), x, y)
    found = to_xarray(audit)
    assert found.layer.values.tolist() == audit.table["layer"].tolist()
    for name in audit.table.dtype.names[1:]:
        np.testing.assert_array_equal(found[name], audit.table[name])
    through_netcdf(found, tmp_path)


def test_a_report_of_another_simulator(trace, cells, tmp_path):
    report = from_sonata_report(to_sonata_report(trace, tmp_path / "report.h5", cells, stimulus=1))
    found = to_xarray(report)
    soma = found.data.where((found.node == 0) & (found.section == 0), drop=True)
    np.testing.assert_array_equal(soma[:, 0], trace.voltage[1, :, 1].astype(np.float32))
    assert found.data.units == "mV"
    through_netcdf(found, tmp_path)


def test_what_is_not_known(state, trace, cells):
    with pytest.raises(ParameterError, match=r"takes Activity, Compartments, .*State.*every result .* with a table"):
        to_xarray(np.ones(3))
    with pytest.raises(ParameterError, match="nothing that to_xarray knows"):
        to_xarray("state")
    with pytest.raises(ParameterError, match="compartments= goes with a Trace"):
        to_xarray(state, compartments=cells)
    with pytest.raises(ParameterError, match="recorded at compartment 30"):
        to_xarray(trace, compartments=ds.Compartments.branching([2]))


def test_without_xarray_the_extra_is_named(state, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(MissingDependencyError, match=r"dendrosim\[xarray\]"):
        to_xarray(state)


def test_a_table_whose_first_column_has_rows_of_its_own():
    table = np.array([([0.0, 1.0], 3), ([0.0, 1.0], 4)], dtype=[("place", float, (2,)), ("n", int)])
    found = to_xarray(table)
    assert found.place.dims == ("row", "place_0")
    assert found.n.values.tolist() == [3, 4]


def test_a_kind_of_trace(trace, cells):
    class Kind(ds.Trace):
        """A trace, and more."""

    kind = Kind(**{field.name: getattr(trace, field.name) for field in dataclasses.fields(trace)})
    for options in ({}, {"compartments": cells}):
        ours, usual = to_xarray(kind, **options), to_xarray(trace, **options)
        xr.testing.assert_equal(ours, usual)
        assert (ours.attrs["source"], usual.attrs["source"]) == ("Kind", "Trace")
