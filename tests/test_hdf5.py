"""Results on disk: whole or not at all."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from dendrosim.hdf5 import Described, write_hdf5


def test_nested_content_round_trips(tmp_path):
    path = write_hdf5(
        tmp_path / "new" / "run.h5",
        {
            "a": np.arange(5000.0).reshape(50, 100),
            "group": {"names": np.array(["soma", "axon"]), "text": "hello", "one": 3},
        },
        {"seed": 7, "program": "x"},
    )
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["a"][...], np.arange(5000.0).reshape(50, 100))
        assert file["group/names"].asstr()[...].tolist() == ["soma", "axon"]
        assert file["group/text"].asstr()[()] == "hello"
        assert file["group/one"][()] == 3
        assert dict(file.attrs) == {"seed": 7, "program": "x"}


def test_units_and_descriptions_are_attributes(tmp_path):
    path = write_hdf5(tmp_path / "run.h5", {"v": Described(np.full(2000, -70.0), "mV", "voltages"), "plain": 1.0})
    with h5py.File(path) as file:
        assert dict(file["v"].attrs) == {"units": "mV", "description": "voltages"}
        assert (file["v"][...] == -70.0).all()
        assert dict(file["plain"].attrs) == {}


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = write_hdf5(tmp_path / "run.h5", {"a": np.ones(3)})
    with pytest.raises(TypeError):
        write_hdf5(path, {"a": np.zeros(3), "b": np.array([object()])})
    with h5py.File(path) as file:
        assert file["a"][...].tolist() == [1, 1, 1]
    assert [p.name for p in tmp_path.iterdir()] == ["run.h5"]
