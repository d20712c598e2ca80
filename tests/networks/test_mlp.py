"""The point-neuron baseline: size, gradient against finite differences, storage."""

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
        hidden = [max(float(p["hidden_weight"][j] @ x[i] + p["hidden_bias"][j]), 0.0) for j in range(4)]
        for k in range(3):
            expected[i, k] = (
                sum(h * w for h, w in zip(hidden, p["decoder_weight"][k], strict=True)) + p["decoder_bias"][k]
            )
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-12)


def test_seeds_and_copies():
    assert (PointMLP(5, 3, 4, 1).state()["hidden_weight"] == PointMLP(5, 3, 4, 1).state()["hidden_weight"]).all()
    assert (PointMLP(5, 3, 4, 1).state()["hidden_weight"] != PointMLP(5, 3, 4, 2).state()["hidden_weight"]).any()
    network = PointMLP(5, 3, 4)
    other = network.copy()
    other.parameters["hidden_bias"][:] = 7
    assert (network.parameters["hidden_bias"] != 7).all()
    network.restore(other.state())
    assert (network.parameters["hidden_bias"] == 7).all()


def test_it_is_stored_and_read(tmp_path):
    network = PointMLP(5, 3, 4, seed=3, dtype="float64")
    network.parameters["hidden_bias"][:] = 7
    network.save(tmp_path / "n.h5")
    read = PointMLP.load(tmp_path / "n.h5")
    assert read.options() == network.options()
    for name, array in network.state().items():
        np.testing.assert_array_equal(read.parameters[name], array)
        assert read.parameters[name].dtype == array.dtype


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
        (lambda: PointMLP(5, 3, 4, seed=-1), "seed=-1 must be a whole number of at least 0"),
        (lambda: PointMLP(5, 3, 4, dtype="int32"), "dtype='int32' is not known; valid: 'float32', 'float64'"),
        (lambda: PointMLP.matching(0, 3, 4), "n_parameters=0"),
        (lambda: PointMLP(5, 3, 4).predict(np.ones((2, 6))), r"x has shape \(2, 6\); expected \(B, 5\)"),
        (lambda: PointMLP(5, 3, 4).predict(np.full((2, 5), np.nan)), "NaN"),
        (lambda: PointMLP(5, 3, 4).restore({}), "hidden_weight is missing"),
    ],
)
def test_impossible_arguments(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
