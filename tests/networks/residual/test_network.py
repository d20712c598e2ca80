"""Reference architectures as objects: sizes, draws, dtypes, files, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import FileFormatError, ParameterError
from dendrosim.hdf5 import write_hdf5
from dendrosim.networks import PointMLP
from dendrosim.networks.residual import ResidualNetwork, ResMLP, StudentNet, ViTMini

from .cases import CASES, samples


def test_sizes_of_the_paper():
    millions = [
        ResMLP(3072, 10, d, depth, block=block).n_parameters / 1e6
        for d, depth in ((256, 4), (512, 2))
        for block in ("2lin", "3lin")
    ]
    assert np.round(millions, 2).tolist() == [1.84, 2.89, 3.68, 5.78]


def test_draws_are_those_of_torch_and_come_from_the_seed():
    network = ResMLP(600, 10, 64, 2, seed=5)
    p = network.parameters
    for name, fan_in in (
        ("embedding_weight", 600),
        ("block_1_weight_0", 64),
        ("block_0_weight_1", 128),
        ("head_weight", 64),
    ):
        bound = fan_in**-0.5
        assert 0.9 * bound < np.abs(p[name]).max() <= bound
    assert (p["head_norm_gain"] == 1).all()
    assert (p["block_0_norm_bias"] == 0).all()
    again, other = ResMLP(600, 10, 64, 2, seed=5), ResMLP(600, 10, 64, 2, seed=6)
    assert all((p[name] == again.parameters[name]).all() for name in p)
    assert (p["head_weight"] != other.parameters["head_weight"]).any()


@pytest.mark.parametrize("case", CASES)
def test_files_and_copies_hold_it_all(case, tmp_path):
    network = CASES[case](seed=2)
    x, _ = samples(dtype="float32", case=case)
    network.save(tmp_path / "n.h5")
    read = ResidualNetwork.load(tmp_path / "n.h5")
    assert type(read) is type(network)
    np.testing.assert_array_equal(read.predict(x), network.predict(x))
    copy = network.copy()
    copy.parameters["head_bias"] += 1
    name = next(name for name in copy.groups["block_0"] if name.endswith("weight_0"))
    copy.groups["block_0"][name][...] = 0  # of the copy, not of the original
    assert (network.parameters[f"block_0_{name}"] != 0).any()
    np.testing.assert_array_equal(read.predict(x), network.predict(x))
    double = network.astype("float64")
    assert double.run(x.astype("float64")).logits.dtype == np.float64
    np.testing.assert_allclose(double.predict(x), network.predict(x), atol=1e-5)


def test_prediction_does_not_depend_on_the_chunk():
    network = ResMLP(6, 3, 8, 2, dtype="float64")
    x, _ = samples(n=1500)
    np.testing.assert_allclose(network.predict(x)[1400:], network.forward(x[1400:]).logits, rtol=1e-12)


def test_standardised_inputs_are_the_same_as_standardising_before():
    x, _ = samples()
    raw = ResMLP(6, 3, 8, 2, dtype="float64", center=0.5, scale=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    plain = ResMLP(6, 3, 8, 2, dtype="float64")
    standard = (x - 0.5) / np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    np.testing.assert_allclose(raw.predict(x), plain.predict(standard), rtol=1e-10)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ResMLP(0, 10), "n_inputs=0"),
        (lambda: ResMLP(4, 10, depth=0), "depth=0"),
        (lambda: ResMLP(4, 10, block="4lin"), "'2lin', '3lin'"),
        (lambda: ResMLP(4, 10, terminal_norm=1), "terminal_norm=1 must be True or False"),
        (lambda: ResMLP(4, 10, scale=0.0), "scale has 0"),
        (lambda: ViTMini(3072, patch=7), "patches of 7 x 7 fill"),
        (lambda: ViTMini(3000), "n_inputs=3000 must be 3 channels"),
        (lambda: ViTMini(width=30), "width=30 is not a multiple of heads=4"),
        (lambda: ResMLP(4, 10, center=[1.0, 2.0]), r"center has shape \(2,\)"),
        (lambda: StudentNet(dtype="float16"), "'float32', 'float64'"),
        (lambda: ResMLP(4, 10).forward(np.zeros((2, 5))), r"x has shape \(2, 5\); expected \(B, 4\)"),
        (lambda: ResMLP(4, 10).forward(np.full((2, 4), np.nan)), "NaN or infinite"),
        (lambda: ResMLP(4, 10).restore({}), "does not fit this network"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ParameterError, match=words):
        make()


def test_other_files_are_refused(tmp_path):
    PointMLP(4, 2, 3).save(tmp_path / "mlp.h5")
    with pytest.raises(FileFormatError, match="holds 'point_mlp'"):
        ResidualNetwork.load(tmp_path / "mlp.h5")
    write_hdf5(tmp_path / "odd.h5", {"kind": "resmlp"}, {"kind": "residual", "schema": 1})
    with pytest.raises(FileFormatError, match="no stored residual network"):
        ResidualNetwork.load(tmp_path / "odd.h5")
