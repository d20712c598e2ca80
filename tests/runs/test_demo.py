"""The demo: it stores what the library computes, and what it claims of inhibition holds in its own numbers."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.plotting.demo import plot_demo
from dendrosim.runs.demo import run_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return run_demo(tmp_path_factory.mktemp("demo"), stimuli=60, seed=3)


def test_file_is_complete_and_readable_with_plain_h5py(demo):
    with h5py.File(demo.path) as file:
        assert file.attrs["morphology"] == "pyramidal_l5"
        assert file.attrs["seed"] == 3
        x = file["stimuli/x"][...]
        soma = file["shunting/soma"][...]
        region = file["compartments/region"].asstr()[...]
        per_conductance = {name: file[f"{name}/per_conductance"][...] for name in ("shunting", "additive")}
    assert set(region) == {"soma", "axon", "basal", "apical"}
    # the file says enough to compute everything again
    state = ds.steady_state(demo.compartments, demo.synapses, x)
    np.testing.assert_allclose(soma, state.voltage[:, 0], rtol=1e-12)
    for name, stored in per_conductance.items():
        state = ds.steady_state(demo.compartments, demo.synapses, x, integration=name)
        gradient = ds.exact_gradient(state, np.full((60, 1), 1 / 60))
        np.testing.assert_allclose(stored, gradient.conductance, rtol=1e-9, atol=1e-15)


def test_every_dataset_says_what_it_is(demo):
    units = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            units[name] = item.attrs["units"]
            assert len(item.attrs["description"]) > 5

    with h5py.File(demo.path) as file:
        file.visititems(visit)
    assert len(units) == 8 + 6 + 1 + 2 * 6
    assert units["synapses/conductance"] == "nS"
    assert units["shunting/input_resistance"] == "GOhm"
    assert units["additive/per_conductance"] == "mV/nS"
    assert units["compartments/region"] == ""


def test_shunting_changes_the_gain_and_additive_the_level(demo):
    """Paper, section 2.3: a shunt divides; a current source subtracts."""
    change = {}
    for name in ("shunting", "additive"):
        (least, high), (most, low) = demo.gain(name, inhibited=False), demo.gain(name, inhibited=True)
        change[name] = most / least
        assert low < high
    assert change["shunting"] < 0.9
    assert change["additive"] == pytest.approx(1.0, abs=0.15)  # slopes of scattered points


def test_same_seed_same_numbers(demo, tmp_path):
    again = run_demo(tmp_path, stimuli=60, seed=3, threads=1)
    for name, result in demo.results.items():
        assert np.array_equal(result.per_conductance, again.results[name].per_conductance)
    other = run_demo(tmp_path, stimuli=60, seed=4)
    assert not np.array_equal(other.results["shunting"].soma, demo.results["shunting"].soma)


def test_table_names_everything(demo):
    text = str(demo)
    assert "60 stimuli" in text
    for words in ("shunting", "additive", "mV/nS", "MOhm", "us per stimulus", "most inhibited third"):
        assert words in text


def test_figures(demo, tmp_path):
    paths = plot_demo(demo, tmp_path)
    assert [p.name for p in paths] == ["run.h5", "voltage.png", "inhibition.png", "gradient.png", "attenuation.png"]
    for path in paths:
        assert path.stat().st_size > 10_000


@pytest.mark.parametrize("stimuli", [1, 2])
def test_few_stimuli_have_no_gain_and_still_figures(stimuli, tmp_path):
    demo = run_demo(tmp_path, morphology="ball_and_stick", stimuli=stimuli)
    assert np.isnan(demo.gain("shunting", inhibited=True)).all()
    line = next(line for line in str(demo).splitlines() if "most inhibited third" in line)
    assert line.split()[-2:] == ["-", "-"]
    assert ("1 stimulus" if stimuli == 1 else "2 stimuli") in str(demo)
    assert len(plot_demo(demo, tmp_path)) == 5


def test_a_cell_that_is_only_a_soma(tmp_path):
    path = tmp_path / "soma.swc"
    path.write_text("1 1 0 0 0 5 -1\n")
    demo = run_demo(tmp_path, morphology=str(path), stimuli=12)
    assert demo.compartments.size == 1
    assert next(line for line in str(demo).splitlines() if "attenuation" in line).split()[-2:] == ["-", "-"]
    assert len(plot_demo(demo, tmp_path)) == 5


@pytest.mark.parametrize("cell", ["granule", "ball_and_stick"])
def test_other_cells(cell, tmp_path):
    """Cells without spiny regions or with few compartments work as well."""
    demo = run_demo(tmp_path, morphology=cell, stimuli=5)
    assert np.isfinite(demo.results["additive"].per_conductance).all()
    plot_demo(demo, tmp_path)
