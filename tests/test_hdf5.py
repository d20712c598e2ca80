"""Results on disk: whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from dendrosim.errors import FileFormatError
from dendrosim.hdf5 import Described, read_hdf5, write_hdf5


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


CONTENT = {
    "a": np.arange(5000.0, dtype=np.float32).reshape(50, 100),
    "none": np.zeros((0, 3)),
    "flags": np.array([True, False]),
    "group": {"names": np.array(["soma", "Purkinje-Zelle ä"]), "text": "größe", "one": np.array(3), "deeper": {}},
}


@pytest.mark.parametrize("compress", [True, False])
def test_what_was_written_is_read(tmp_path, compress):
    path = write_hdf5(tmp_path / "run.h5", CONTENT, {"seed": 7, "program": "x"}, compress=compress)
    content, attributes = read_hdf5(path)
    assert attributes == {"seed": 7, "program": "x"}
    assert content.keys() == CONTENT.keys()
    for name in ("a", "none", "flags"):
        np.testing.assert_array_equal(content[name], CONTENT[name])
        assert content[name].dtype == CONTENT[name].dtype
    assert content["group"]["text"] == "größe"
    assert content["group"]["names"].tolist() == ["soma", "Purkinje-Zelle ä"]
    assert content["group"]["names"].dtype.kind == "U"
    assert (content["group"]["one"].shape, int(content["group"]["one"])) == ((), 3)
    assert content["group"]["deeper"] == {}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_hdf5(tmp_path / "nowhere.h5")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04pickle"])
def test_a_foreign_file_is_refused(tmp_path, content):
    path = tmp_path / "run.h5"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"run\.h5 is no HDF5 file"):
        read_hdf5(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = write_hdf5(tmp_path / "run.h5", CONTENT)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(FileFormatError, match="damaged or was cut short"):
        read_hdf5(path)


def test_damaged_values_are_refused(tmp_path):
    path = write_hdf5(tmp_path / "run.h5", {"a": np.random.default_rng(0).random(100_000)})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(bytes(data))
    with pytest.raises(FileFormatError, match="damaged"):
        read_hdf5(path)


def test_a_file_that_asks_for_too_much_memory_is_refused(tmp_path):
    path = tmp_path / "run.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("bomb", shape=(2**40,), dtype="f8", chunks=(1000,), fillvalue=0.0)
    with pytest.raises(FileFormatError, match="more than 8 GiB"):
        read_hdf5(path)
    path = write_hdf5(path, {"a": np.zeros(1000)})
    with pytest.raises(FileFormatError, match="memory"):
        read_hdf5(path, largest=7999)


def test_nothing_but_numbers_and_text_in_this_file_is_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(80))
    cases = {
        "external": (lambda file: file.__setitem__("a", h5py.ExternalLink("other.h5", "/x")), "link"),
        "soft": (lambda file: file.__setitem__("a", h5py.SoftLink("/x")), "link"),
        "raw": (
            lambda file: file.create_dataset("a", (10,), "f8", external=[(str(secret), 0, 80)]),
            "another file",
        ),
        "reference": (lambda file: file.create_dataset("a", data=file.ref, dtype=h5py.ref_dtype), "neither numbers"),
        "opaque": (lambda file: file.create_dataset("a", data=np.void(b"pickle")), "neither numbers"),
        "type": (lambda file: file.__setitem__("a", np.dtype("f8")), "neither numbers"),
        "loop": (lambda file: file.__setitem__("a", file["/"]), "too many"),
    }
    for name, (make, message) in cases.items():
        path = tmp_path / f"{name}.h5"
        with h5py.File(path, "w") as file:
            make(file)
        with pytest.raises(FileFormatError, match=message):
            read_hdf5(path)


def test_threads_write_at_the_same_time(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(write_hdf5, tmp_path / f"{i}.h5", {"a": np.full(9000, i)}) for i in range(40)]
        found = [read_hdf5(one.result(timeout=60))[0]["a"][-1] for one in written]
    assert found == list(range(40))


FULL = """
import errno, resource, sys
import numpy as np
from dendrosim.hdf5 import read_hdf5, write_hdf5
path = sys.argv[1]
write_hdf5(path, {"a": np.ones(10)})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for _ in range(3):
    try:
        write_hdf5(path, {"a": np.random.default_rng(0).random(300_000)})
    except OSError as error:
        print(errno.errorcode[error.errno])
print(read_hdf5(path)[0]["a"].size)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits on the size of files")
def test_a_disk_without_room_is_an_error_and_not_the_end_of_the_process(tmp_path):
    # HDF5 itself, writing to such a file, ends the process (segmentation fault)
    command = [sys.executable, "-c", FULL, str(tmp_path / "run.h5")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["EFBIG"] * 3 + ["10"]
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]
