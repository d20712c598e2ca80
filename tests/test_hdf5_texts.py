"""Texts of any length in HDF5 files, and what the library would read a heap for: found without it."""

from __future__ import annotations

import struct
import subprocess
import sys

import h5py
import numpy as np
import pytest

from dendrosim.errors import FileFormatError
from dendrosim.hdf5_reader import opened
from dendrosim.hdf5_texts import text_of
from dendrosim.networks.mlp import PointMLP


def heap(*objects, size=4096):
    inside = b"".join(
        struct.pack("<HHIQ", index, 1, 0, length) + bytes([64 + index]) * (-(-held // 8) * 8)
        for index, length, held in objects
    )
    rest = size - 16 - len(inside)
    free = struct.pack("<HHIQ", 0, 0, 0, rest) if rest >= 16 else b""
    return b"GCOL\x01\0\0\0" + struct.pack("<Q", size) + (inside + free).ljust(size - 16, b"\0")


GOOD = heap((1, 5, 5), (2, 300, 300))


@pytest.mark.parametrize(
    ("content", "reference", "expected"),
    [
        (GOOD, (5, 0, 1), "A" * 5),
        (GOOD, (4, 0, 1), "A" * 4),
        (GOOD, (300, 0, 2), "B" * 300),
        (b"oddoddod" + GOOD, (300, 8, 2), "B" * 300),
        (GOOD, (0, 0, 7), ""),
        (GOOD, (6, 0, 1), None),
        (GOOD, (2**32 - 1, 0, 1), None),
        (GOOD, (5, 0, 3), None),
        (GOOD, (5, 8, 1), None),
        (GOOD, (5, 2**64 - 8, 1), None),
        (GOOD[:3000], (300, 0, 2), "B" * 300),
        (GOOD[:100], (300, 0, 2), None),
        (heap((1, 5, 5), (0, 0, 0)), (5, 0, 2), None),
        (heap((1, 0, 0), (1, 0, 0)), (5, 0, 1), None),
        (heap((1, 5000, 0)), (5000, 0, 1), None),
        (heap((1, 2**64 - 16, 0)), (5, 0, 2), None),
        (heap((1, 5, 5)).replace(struct.pack("<Q", 4096), struct.pack("<Q", 30), 1), (5, 0, 1), None),
        (heap((1, 5, 5)).replace(b"AAAAA", b"A\xffAAA"), (5, 0, 1), None),
        (b"", (5, 0, 1), None),
    ],
    ids=str,
)
def test_texts_of_heaps(content, reference, expected, tmp_path):
    path = tmp_path / "heap"
    path.write_bytes(content)
    with path.open("rb") as file:
        if expected is None:
            with pytest.raises(ValueError, match=r"heap|end of the file|utf-8"):
                text_of(file, struct.pack("<IQI", *reference))
        else:
            assert text_of(file, struct.pack("<IQI", *reference)) == expected


LENGTHS = """
import resource, struct, sys
import h5py
import dendrosim as ds
from dendrosim.errors import FileFormatError
path = sys.argv[1]
whole = open(path, "rb").read()
with h5py.File(path) as file:
    lengths = [len(value) for value in (file.attrs["program"], file["options/activation"].asstr()[()])]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for length in lengths:
    at = whole.index(struct.pack("<IQ", length, whole.index(b"GCOL")))
    with open(path, "wb") as file:
        file.write(whole[:at] + struct.pack("<I", 2**32 - 2**20) + whole[at + 4:])
    try:
        ds.networks.PointMLP.load(path)
    except FileFormatError:
        print("refused")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no count of memory")
def test_a_text_takes_no_more_room_than_there_is(tmp_path):
    """HDF5 makes the room for it before it looks: four gigabytes for the four bytes of a length."""
    path = tmp_path / "mlp.h5"
    PointMLP(8, 3, 4).save(path)
    done = subprocess.run([sys.executable, "-c", LENGTHS, path], capture_output=True, text=True, timeout=300)
    *words, grown = done.stdout.split()
    assert (done.returncode, words) == (0, ["refused"] * 2), done.stderr
    assert int(grown) < 200


VIRTUAL = """
import sys
import h5py
from dendrosim.errors import FileFormatError
from dendrosim.hdf5 import read_hdf5
path = sys.argv[1]
with h5py.File(path, "w") as file:
    layout = h5py.VirtualLayout((4, 8), "f4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "weights", (4, 8))
    file.create_virtual_dataset("weights", layout)
whole = open(path, "rb").read()
at = whole.index(b"GCOL") + 24  # the length of its first object
open(path, "wb").write(whole[:at] + bytes([255]) + whole[at + 1:])
try:
    read_hdf5(path)
except FileFormatError as error:
    print(error)
"""


def test_what_lies_in_other_files_is_not_opened(tmp_path):
    """HDF5 reads a heap as soon as a virtual dataset is opened, and goes in circles through this one."""
    done = subprocess.run(
        [sys.executable, "-c", VIRTUAL, tmp_path / "a.h5"], capture_output=True, text=True, timeout=120
    )
    assert "'weights' lies in another file" in done.stdout, done.stderr


FILLED = """
import resource, struct, sys
import h5py
from dendrosim.errors import FileFormatError
from dendrosim.hdf5 import read_hdf5
path = sys.argv[1]
with h5py.File(path, "w", libver=sys.argv[2]) as file:
    file.create_dataset("text", shape=(), dtype=h5py.string_dtype(), fillvalue="as long as this")
whole = open(path, "rb").read()
reference = struct.pack("<IQ", 15, whole.index(b"GCOL"))
assert reference in whole
open(path, "wb").write(whole.replace(reference, struct.pack("<I", 2**32 - 2**20) + reference[4:]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_hdf5(path)
except FileFormatError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no count of memory")
@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_fill_values_take_no_room(version, tmp_path):
    """HDF5 reads those that are texts as soon as their dataset is opened."""
    done = subprocess.run(
        [sys.executable, "-c", FILLED, tmp_path / "a.h5", version], capture_output=True, text=True, timeout=120
    )
    *words, grown = done.stdout.split()
    assert "'text' is filled with something else than numbers" in " ".join(words), done.stderr
    assert int(grown) < 200


@pytest.mark.parametrize("options", [{}, {"libver": "latest"}, {"track_order": True}], ids=str)
def test_texts_are_those_that_hdf5_reads(options, tmp_path):
    texts = ["mV", "", "µS/cm² – Ω", "x" * 60_000, "y" * 5000, "two\nlines"]
    with h5py.File(tmp_path / "a.h5", "w", **options) as file:
        for i, one in enumerate(texts):
            group = file.create_group(f"group{i}")
            group.attrs["number"] = i
            group.attrs["text"] = one
            group.attrs["ascii"] = np.array(b"cell", h5py.string_dtype("ascii"))
            group["data"] = one
            group["data"].attrs["of fixed length"] = np.bytes_(b"seven")
        file.attrs["text"] = "of the file"
    with opened(tmp_path / "a.h5") as (file, reader):
        assert reader.attributes(file)["text"] == "of the file"
        for i, one in enumerate(texts):
            group = reader.member(file, f"group{i}")
            assert reader.attributes(group) == {"number": i, "text": one, "ascii": "cell"}
            assert group.attrs["text"] == one
            data = reader.member(group, "data")
            assert reader.dataset(data) == one
            assert reader.attributes(data) == {"of fixed length": "seven"}


def test_texts_kept_elsewhere_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        for i in range(20):  # more than eight lie in a heap of their own
            file.attrs[f"name{i}"] = "text"
    told = "attribute 'name0' is a text that is not kept with what it belongs to"
    with pytest.raises(FileFormatError, match=told), opened(tmp_path / "a.h5") as (file, reader):
        reader.attributes(file)
    with h5py.File(tmp_path / "b.h5", "w", userblock_size=512) as file:
        file.attrs["text"] = "text"
    with pytest.raises(FileFormatError, match="begins with something else"), opened(tmp_path / "b.h5"):
        pass
