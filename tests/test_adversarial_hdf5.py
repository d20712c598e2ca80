"""HDF5 files of an adversary: one clear error, no other file, and no more memory than the file can hold."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib

import h5py
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import FileFormatError
from dendrosim.hdf5 import read_hdf5, write_hdf5
from dendrosim.hdf5_reader import table_of
from dendrosim.networks.mlp import PointMLP
from dendrosim.networks.residual import ResidualNetwork
from dendrosim.plasticity.session import OnlineRun
from dendrosim.training.run import Run

LOADERS = (Run, ds.Network, ds.Neurons, PointMLP, ResidualNetwork, ds.Trace, OnlineRun)


def deflated_bomb(file):
    """A chunk of 1 kB that unpacks to 1 MB, where eight bytes are promised."""
    made = file.create_dataset("a", (1,), "f8", chunks=(1,), compression="gzip")
    made.id.write_direct_chunk((0,), zlib.compress(bytes(10**6)))


def twice_deflated(file):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((1000,))
    for _ in range(2):
        properties.set_deflate(9)
    space = h5py.h5s.create_simple((1000,))
    h5py.h5d.create(file.id, b"a", h5py.h5t.NATIVE_DOUBLE, space, properties)


def many_names(file):
    made = file.create_dataset("a", data=np.zeros(10**6), compression="gzip")
    for i in range(9000):
        file[f"b{i}"] = made


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[...] = h5py.VirtualSource("secret.h5", "x", (4,))
    file.create_virtual_dataset("a", layout)


CASES = {
    "never written": (lambda file: file.create_dataset("a", (10**7,), "f8", chunks=(1000,)), "promises more"),
    "of petabytes": (lambda file: file.create_dataset("a", (2**47,), "f8", chunks=(1000,)), "asks for more"),
    "too large to count": (lambda file: file.create_dataset("a", (2**32, 2**32), "u1", chunks=(9, 9)), "asks for more"),
    "a bomb in a chunk": (deflated_bomb, "damaged"),
    "deflated twice": (twice_deflated, "packed in another way"),
    "one array under many names": (many_names, "promises more"),
    "another filter": (lambda file: file.create_dataset("a", data=np.ones(9), compression="lzf"), "packed in another"),
    "a checksum": (lambda file: file.create_dataset("a", data=np.ones(9), fletcher32=True), "packed in another"),
    "virtual": (virtual, "another file"),
    "a link to itself": (lambda file: file.__setitem__("a", h5py.SoftLink("/a")), "link"),
    "texts of any length": (lambda file: file.__setitem__("a", ["x", "y" * 10**5]), "texts of any length"),
    "complex": (lambda file: file.__setitem__("a", np.ones(3, complex)), "neither numbers"),
    "compound": (lambda file: file.__setitem__("a", np.zeros(3, [("a", "i4")])), "neither numbers"),
    "lists": (lambda file: file.create_dataset("a", (3,), h5py.vlen_dtype("i4")), "neither numbers"),
    "nothing": (lambda file: file.__setitem__("a", h5py.Empty("f8")), "neither numbers"),
    "deep": (lambda file: file.create_group("a/" * 40), "groups within groups"),
    "many attributes": (lambda file: file.attrs.update({f"a{i}": 1 for i in range(1100)}), "attributes"),
    "an array as attribute": (lambda file: file.attrs.update(kind=[1, 2]), "neither a number nor a text"),
    "a reference as attribute": (lambda file: file.attrs.update(kind=file.ref), "neither a number nor a text"),
}


@pytest.mark.parametrize("case", CASES)
def test_every_loader_refuses(case, tmp_path):
    make, message = CASES[case]
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        make(file)
    with pytest.raises(FileFormatError, match=message):
        read_hdf5(path)
    for loader in LOADERS:
        with pytest.raises(FileFormatError) as caught:
            loader.load(path)
        assert len(str(caught.value)) < 1000


def test_compressed_values_of_every_kind_are_read(tmp_path):
    rng = np.random.default_rng(0)
    content = {
        "bits": rng.random(5000) < 0.5,
        "one": rng.random((70, 90)),
        "big": rng.integers(0, 99, (30, 40, 5)).astype(">i4"),
        "text": np.array(["soma", "basal"] * 900),
    }
    found, _ = read_hdf5(write_hdf5(tmp_path / "a.h5", content))
    for name, values in content.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype.kind == values.dtype.kind


@pytest.mark.parametrize("deep", [31, 32, 900, 100_000])
def test_tables_within_tables(deep):
    text = '{"a": ' * deep + "{}" + "}" * deep
    if deep < 32:
        assert table_of(text, "settings")
    else:
        with pytest.raises(FileFormatError, match=r"settings (has tables more than 32 deep|is no JSON)"):
            table_of(text, "settings")


def network(tmp_path):
    path = tmp_path / "network.h5"
    ds.Network.dendritic(8, 3, [3], [2], 2, 1).save(path)
    return path


@pytest.mark.parametrize("share", np.linspace(0.0, 0.99, 12))
def test_a_network_cut_short_is_refused(share, tmp_path):
    path = network(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(FileFormatError):
        ds.Network.load(path)


DAMAGE = {
    "a source that is none": ("state/source", 10**6, "no candidates"),
    "a weight that is no number": ("state/synapses", np.nan, "not finite"),
    "a parent that comes later": ("trees/0/parent", 5, "does not precede"),
    "a negative leak": ("trees/0/leak", -1.0, "not negative"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_network_with_an_impossible_value_is_refused(case, tmp_path):
    name, value, message = DAMAGE[case]
    path = network(tmp_path)
    with h5py.File(path, "r+") as file:
        file[name][1] = value
    with pytest.raises(FileFormatError, match=message):
        ds.Network.load(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"n_inputs": 8', '"n_inputs": 10000000000', "come to"),
        ('"n_outputs": 3', '"n_outputs": 10000000000', "need 3"),
        ('"n_inputs": 8', '"n_inputs": true', "impossible"),
        ("[0, 0, 0]", "[0, 0, 7]", "without a tree"),
        ("{", "[" * 5000, "no JSON"),
    ],
)
def test_a_network_whose_settings_ask_for_more_than_there_is(old, new, message, tmp_path):
    path = network(tmp_path)
    with h5py.File(path, "r+") as file:
        text = file["settings"].asstr()[()]
        assert old in text
        del file["settings"]
        file["settings"] = text.replace(old, new)
    with pytest.raises(FileFormatError, match=message):
        ds.Network.load(path)


def test_a_stage_of_a_billion_is_no_loop_of_a_billion(tmp_path):
    path = network(tmp_path)
    with h5py.File(path, "r+") as file:
        file["trees/0/stage"][1] = 2**40
    assert ds.Network.load(path).predict(np.full((1, 8), 0.5)).shape == (1, 3)


def test_a_recording_that_says_that_more_was_written_than_there_is(tmp_path):
    path = tmp_path / "trace.h5"
    tree = ds.Compartments([-1, 0], leak=5.0, coupling=20.0, capacitance=60.0, leak_reversal=-70.0)
    ds.simulate(tree, ds.Synapses(tree, [1], [0], sign=1), np.ones((1, 1)), duration=1.0, dt=0.1, store=path)
    with h5py.File(path, "r+") as file:
        row = file["progress"][np.argmax(file["progress"][:, 0])]
        row[1] = 10**12
        which = int(row[0]) % 2
        head = row[:3].astype(np.int64).tobytes()
        row[3] = zlib.crc32(file["checkpoint"][which].tobytes(), zlib.crc32(head))
        file["progress"][which] = row
    with pytest.raises(FileFormatError, match="were written"):
        ds.Trace.load(path)


@pytest.mark.parametrize("name", ["compartment", "synapse", "voltage", "progress", "spikes"])
def test_a_recording_with_a_group_for_values(name, tmp_path):
    path = tmp_path / "trace.h5"
    tree = ds.Compartments([-1, 0], leak=5.0, coupling=20.0, capacitance=60.0, leak_reversal=-70.0)
    ds.simulate(tree, ds.Synapses(tree, [1], [0], sign=1), np.ones((1, 1)), duration=1.0, dt=0.1, store=path)
    with h5py.File(path, "r+") as file:
        del file[name]
        file.create_group(name)
    with pytest.raises(FileFormatError):
        ds.Trace.load(path)


BOMBS = """
import resource, sys
import h5py, numpy as np
import dendrosim as ds
from dendrosim.errors import FileFormatError
path = sys.argv[1]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with h5py.File(path, "w") as file:
    file.attrs["kind"], file.attrs["schema"] = "network", 1
    file["settings"] = "{}"
    made = file.create_dataset("trees/0/leak", (2**30,), "f8", chunks=(2**20,), compression="gzip")
    made.id.write_direct_chunk((0,), __import__("zlib").compress(bytes(2**23)))
for loader in (ds.Network, ds.Neurons, ds.Trace):
    try:
        loader.load(path)
    except FileFormatError as error:
        print("refused")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no count of memory")
def test_memory_stays_bounded(tmp_path):
    command = [sys.executable, "-c", BOMBS, str(tmp_path / "bomb.h5")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    *words, grown = done.stdout.split()
    assert (done.returncode, words) == (0, ["refused"] * 3), done.stderr
    assert int(grown) < 200  # MB, where 8 GB were promised


FLIPS = """
import random, sys
import dendrosim as ds
from dendrosim.errors import DendrosimError
path = sys.argv[1]
whole = open(path, "rb").read()
refused = 0
for seed in range(150):
    dice, data = random.Random(seed), bytearray(whole)
    for _ in range(dice.choice([1, 2, 8])):
        data[dice.randrange(len(data))] = dice.choice([0, 255, dice.randrange(256)])
    open(path, "wb").write(data)
    try:
        ds.Network.load(path)
    except DendrosimError:
        refused += 1
print(refused)
"""


def test_flipped_bytes_end_no_process(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FLIPS, str(network(tmp_path))],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert 20 < int(done.stdout) < 150


def test_the_magic_number_alone_is_no_file(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + struct.pack("<8Q", *range(8)))
    for loader in LOADERS:
        with pytest.raises(FileFormatError):
            loader.load(path)


HEAPS = """
import sys
import dendrosim as ds
from dendrosim.errors import FileFormatError
whole = open(sys.argv[1], "rb").read()
begin, refused = whole.index(b"GCOL"), 0
for at in range(begin, begin + 400):
    for value in {0, 1, 9, 255, whole[at] ^ 128} - {whole[at]}:
        with open(sys.argv[1], "wb") as file:
            file.write(whole[:at] + bytes([value]) + whole[at + 1:])
        try:
            ds.networks.PointMLP.load(sys.argv[1])
        except FileFormatError:
            refused += 1
print(refused)
"""


def test_hdf5_does_not_go_in_circles_through_damaged_texts(tmp_path):
    """It holds the lock of the interpreter meanwhile, so that only another process can see that it does not end."""
    path = tmp_path / "mlp.h5"
    PointMLP(8, 3, 4).save(path)
    done = subprocess.run([sys.executable, "-c", HEAPS, path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
