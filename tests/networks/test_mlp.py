"""Point neurons: sizes, what they compute, initial weights, storage."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import FileFormatError, ParameterError
from dendrosim.hdf5 import write_hdf5
from dendrosim.networks.mlp import PointMLP


@pytest.mark.parametrize(("n_inputs", "n_outputs"), [(784, 10), (3, 2), (3072, 10)])
@pytest.mark.parametrize("wanted", [50, 98_314, 1_000_003])
def test_it_is_the_narrowest_with_enough_parameters(n_inputs, n_outputs, wanted):
    network = PointMLP.matching(wanted, n_inputs, n_outputs)
    assert network.n_parameters >= wanted
    per_unit = n_inputs + 1 + n_outputs
    assert network.hidden == 1 or network.n_parameters - per_unit < wanted
    assert network.n_parameters == network.hidden * per_unit + n_outputs


def test_it_computes_a_rectified_layer_and_a_linear_one():
    network = PointMLP(5, 3, 4, seed=1, dtype="float64")
    x = np.random.default_rng(0).random((6, 5))
    p = network.parameters
    expected = np.empty((6, 3))
    for i in range(6):
        hidden = [max(float(p["hidden_weight_0"][j] @ x[i] + p["hidden_bias_0"][j]), 0.0) for j in range(4)]
        for k in range(3):
            expected[i, k] = (
                sum(h * w for h, w in zip(hidden, p["decoder_weight"][k], strict=True)) + p["decoder_bias"][k]
            )
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_forward_pass_leaves_all_that_teaching_needs(activation):
    network = PointMLP(5, 3, [4, 6, 2], seed=1, dtype="float64", activation=activation)
    x = np.random.default_rng(0).normal(size=(7, 5))
    a, layout = network.forward(x), network.layout
    f, slope = {
        "relu": (lambda v: np.maximum(v, 0.0), lambda v: (v > 0).astype(float)),
        "tanh": (np.tanh, lambda v: 1.0 / np.cosh(v) ** 2),
    }[activation]
    h = x
    for i, (first, last) in enumerate(layout.cells_of):
        v = h @ network.parameters[f"hidden_weight_{i}"].T + network.parameters[f"hidden_bias_{i}"]
        h = f(v)
        np.testing.assert_allclose(a.batch_first(a.voltage)[:, first:last], v, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(a.batch_first(a.output)[:, first:last], h, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(a.batch_first(a.derivative)[:, first:last], slope(v), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(a.soma, h, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(a.logits, network.predict(x), rtol=1e-12)
    np.testing.assert_array_equal(a.batch_first(a.inputs), x)
    assert (a.resistance == 1.0).all()
    assert a.voltage.shape == a.empty(layout.size).shape == (1, 12, 7)
    np.testing.assert_array_equal(a.batch_first(a.blocks(x)), x)
    every = a.of_cells(np.ones((7, 2)))
    assert (every[0, 10:] == 1.0).all()
    assert (every[0, :10] == 0.0).all()
    np.testing.assert_array_equal(a.voltages(np.array([11, 0])), a.voltage[0, [11, 0]].T)
    again = network.forward(2.0 * x, out=a)
    assert again is a
    np.testing.assert_allclose(a.logits, network.predict(2.0 * x), rtol=1e-12)
    assert network.forward(x[:3], out=a) is not a


def test_every_hidden_unit_is_a_cell():
    layout = PointMLP(5, 3, [4, 6, 2]).layout
    assert (layout.size, layout.n_cells, layout.n_layers, layout.n_inputs) == (12, 12, 3, 5)
    assert layout.layers == (("hidden1", 0), ("hidden2", 0), ("hidden3", 0))
    assert layout.cells_of == ((0, 4), (4, 10), (10, 12))
    assert (layout.parent == -1).all()
    np.testing.assert_array_equal(layout.roots, np.arange(12))
    np.testing.assert_array_equal(np.bincount(layout.layer), [4, 6, 2])
    np.testing.assert_array_equal(layout.readout, [10, 11])
    np.testing.assert_array_equal(layout.hidden, np.arange(10))
    assert [(p.name, len(p.cells)) for p in layout.populations] == [("hidden1", 4), ("hidden2", 6), ("hidden3", 2)]


def test_initial_weights():
    wide = [400, 300]
    uniform = PointMLP(500, 10, wide, seed=2).parameters
    for i, fan_in in enumerate([500, 400]):
        for part in ("weight", "bias"):
            largest = np.abs(uniform[f"hidden_{part}_{i}"]).max() * np.sqrt(fan_in)
            assert 0.9 < largest <= 1.0 + 1e-6
    for options, gain in (({}, np.sqrt(2)), ({"activation": "tanh"}, 5 / 3), ({"gain": 0.75}, 0.75)):
        p = PointMLP(500, 10, wide, seed=2, init="kaiming", **options).parameters
        for name, fan_in in (("hidden_weight_0", 500), ("hidden_weight_1", 400), ("decoder_weight", 300)):
            assert p[name].std() * np.sqrt(fan_in) == pytest.approx(gain, rel=0.03)
            assert np.abs(p[name]).max() <= gain * np.sqrt(3.0 / fan_in) * (1 + 1e-6)
            assert (p[name.replace("weight", "bias")] == 0.0).all()


def test_a_fraction_of_the_weights_is_kept():
    dense, thin = (PointMLP(50, 4, [40, 30], seed=1, density=d) for d in (1.0, 0.25))
    assert not dense.masks
    for name, mask in thin.masks.items():
        assert mask.mean() == pytest.approx(0.25, abs=1e-3)
        np.testing.assert_array_equal(thin.parameters[name], dense.parameters[name] * mask)
    np.testing.assert_array_equal(thin.parameters["decoder_weight"], dense.parameters["decoder_weight"])
    assert thin.n_parameters == 500 + 300 + 40 + 30 + 30 * 4 + 4
    assert dense.n_parameters == 2000 + 1200 + 40 + 30 + 30 * 4 + 4


def test_seeds_and_copies():
    assert (PointMLP(5, 3, 4, 1).state()["hidden_weight_0"] == PointMLP(5, 3, 4, 1).state()["hidden_weight_0"]).all()
    assert (PointMLP(5, 3, 4, 1).state()["hidden_weight_0"] != PointMLP(5, 3, 4, 2).state()["hidden_weight_0"]).any()
    network = PointMLP(5, 3, 4)
    other = network.copy()
    other.parameters["hidden_bias_0"][:] = 7
    assert (network.parameters["hidden_bias_0"] != 7).all()
    network.restore(other.state())
    assert (network.parameters["hidden_bias_0"] == 7).all()


KEPT = {
    "baseline": {"hidden": 4},
    "deep": {"hidden": [4, 6, 2], "activation": "tanh", "init": "kaiming", "gain": 0.5, "density": 0.5},
}


@pytest.mark.parametrize("options", KEPT.values(), ids=KEPT)
def test_it_is_stored_and_read(options, tmp_path):
    network = PointMLP(5, 3, seed=3, dtype="float64", **options)
    network.parameters["hidden_bias_0"][:] = 7
    network.save(tmp_path / "n.h5")
    read = PointMLP.load(tmp_path / "n.h5")
    assert read.options() == network.options()
    assert read.hidden == (4 if options["hidden"] == 4 else (4, 6, 2))
    for name, array in network.state().items():
        np.testing.assert_array_equal(read.parameters[name], array)
        assert read.parameters[name].dtype == array.dtype
    for name, mask in network.masks.items():
        np.testing.assert_array_equal(read.masks[name], mask)


def test_files_of_earlier_versions_are_read_and_say_so(tmp_path):
    network = PointMLP(5, 3, 4, seed=3)
    state = {name.removesuffix("_0"): 2.0 * array for name, array in network.state().items()}
    options = {"n_inputs": 5, "n_outputs": 3, "hidden": 4, "seed": 3, "dtype": "float32"}
    content = {"kind": "point_mlp", "options": options, "state": state}
    write_hdf5(tmp_path / "old.h5", content, {"kind": "point_mlp", "schema": 1})
    with pytest.warns(UserWarning, match=r"earlier version \(schema 1\)"):
        read = PointMLP.load(tmp_path / "old.h5")
    assert read.options() == network.options()
    for name, array in network.state().items():
        np.testing.assert_array_equal(read.parameters[name], 2.0 * array)
    write_hdf5(tmp_path / "new.h5", {**network.content(), "schema": 3}, {"kind": "point_mlp", "schema": 3})
    with pytest.raises(FileFormatError, match="schema 3; this version reads 1 to 2"):
        PointMLP.load(tmp_path / "new.h5")


def test_weights_that_should_be_zero_and_are_not_are_a_damaged_file(tmp_path):
    network = PointMLP(5, 3, 4, density=0.5)
    content = network.content()
    content["state"]["hidden_weight_0"][...] = 1.0
    write_hdf5(tmp_path / "odd.h5", content, {"kind": "point_mlp"})
    with pytest.raises(FileFormatError, match="the file is damaged"):
        PointMLP.load(tmp_path / "odd.h5")


def test_other_files_are_refused(tmp_path):
    write_hdf5(tmp_path / "other.h5", {"a": np.ones(3)}, {"kind": "demo"})
    with pytest.raises(FileFormatError, match="holds 'demo', not a point MLP"):
        PointMLP.load(tmp_path / "other.h5")
    write_hdf5(tmp_path / "odd.h5", {"options": {"n_inputs": 3}}, {"kind": "point_mlp"})
    with pytest.raises(FileFormatError, match="no stored point MLP"):
        PointMLP.load(tmp_path / "odd.h5")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PointMLP(0, 3, 4), "n_inputs=0 must be a whole number of at least 1"),
        (lambda: PointMLP(5, 3, 4.0), "hidden=4.0"),
        (lambda: PointMLP(5, 3, [4, 0]), r"hidden\[1\]=0 must be a whole number of at least 1"),
        (lambda: PointMLP(5, 3, []), r"hidden=\[\] has no layer"),
        (lambda: PointMLP(5, 3, 4, activation="gelu"), "activation='gelu' is not known; valid: 'relu', 'tanh'"),
        (lambda: PointMLP(5, 3, 4, init="normal"), "init='normal' is not known; valid: 'uniform', 'kaiming'"),
        (lambda: PointMLP(5, 3, 4, gain=2.0), "gain=2.0 has no effect with init='uniform'; use init='kaiming'"),
        (lambda: PointMLP(5, 3, 4, density=0.0), "density=0"),
        (lambda: PointMLP(5, 3, 4, density=1.5), "density=1.5"),
        (lambda: PointMLP(5, 3, 4, seed=-1), "seed=-1 must be a whole number of at least 0"),
        (lambda: PointMLP(5, 3, 4, dtype="int32"), "dtype='int32' is not known; valid: 'float32', 'float64'"),
        (lambda: PointMLP.matching(0, 3, 4), "n_parameters=0"),
        (lambda: PointMLP(5, 3, 4).predict(np.ones((2, 6))), r"x has shape \(2, 6\); expected \(B, 5\)"),
        (lambda: PointMLP(5, 3, 4).predict(np.full((2, 5), np.nan)), "NaN"),
        (lambda: PointMLP(5, 3, 4).restore({}), "hidden_weight_0 is missing"),
    ],
)
def test_impossible_arguments(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
