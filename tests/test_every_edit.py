"""Every part of every kind of HDF5 file, one at a time, removed or given another value; ``pytest -m slow``.

What guided fuzzing finds by chance, this finds in order: the file is read and shown, or refused with one clear error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import h5py
import numpy as np
import pytest

from .test_fuzz_corpus import module

pytestmark = pytest.mark.slow

REMOVED = object()
KINDS = (
    "network", "reconstructed", "neurons", "point_mlp", "residual", "transformer", "run", "checkpoint", "trace",
    "online", "index",
)  # fmt: skip
WHOLE: dict[str, Any] = {
    "a group": None,
    "a number": 0.5,
    "three numbers": np.ones(3),
    "a matrix": np.ones((3, 2)),
    "no numbers": np.zeros(0),
    "a text": "x",
    "texts": np.array([b"a", b"b"]),
    "truth values": np.ones(2, bool),
}
OF_ITS_SHAPE: dict[str, Callable[[Any], Any]] = {
    "texts": lambda values: np.full(values.shape, b"1"),
    "numbers": lambda values: np.ones(values.shape),
    "truth values": lambda values: np.ones(values.shape, bool),
    "one axis more": lambda values: values[..., None],
    "all in one row": lambda values: values.ravel(),
}
FIRST = (-1, 0, 2**31, 2**62, 0.5, 1e308, float("nan"), float("inf"))
JSON: tuple[Any, ...] = (
    REMOVED, None, True, -1, 0, 1.5, 10**9, 2**70, 1e308, float("nan"), "", "x", "\0", "a" * 2000, [], [0], [[0]], {},
    {"name": "x"},
)  # fmt: skip
Edit = tuple[str, Callable[[h5py.File], None]]


def edits(file: h5py.File) -> Iterator[Edit]:
    names: list[str] = []
    file.visit(names.append)
    for name in names:
        yield f"{name} removed", lambda file, name=name: file.__delitem__(name)
        for label, value in WHOLE.items():
            yield f"{name} is {label}", lambda file, name=name, value=value: replace(file, name, value)
        if isinstance(file[name], h5py.Dataset) and file[name].shape:
            for label, change_of in OF_ITS_SHAPE.items():
                yield f"{name}: {label}", lambda f, n=name, c=change_of: replace(f, n, c(f[n][()]))
        if isinstance(file[name], h5py.Dataset) and file[name].dtype.kind in "biuf" and file[name].size:
            for value in FIRST:
                yield f"{name} begins with {value}", lambda file, name=name, value=value: begin(file, name, value)
            yield f"{name} twice", lambda file, name=name: replace(file, name, np.repeat(file[name][()], 2))
        with suppress(AttributeError, TypeError, ValueError):
            table = json.loads(file[name][()])
            for place in places(table):
                for value in JSON:
                    yield f"{name} {place} is {value!r:.30}", lambda f, n=name, p=place, v=value: change(f, n, p, v)
    for name in file.attrs:
        yield f"attribute {name} removed", lambda file, name=name: file.attrs.__delitem__(name)
        for value in (*FIRST, "", "x"):
            yield f"attribute {name} is {value}", lambda f, name=name, value=value: f.attrs.__setitem__(name, value)


def places(table: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where entries of a JSON table are."""
    for key, value in table.items() if isinstance(table, dict) else enumerate(table) if isinstance(table, list) else ():
        yield (*above, key)
        yield from places(value, (*above, key))


def replace(file: h5py.File, name: str, value: Any) -> None:
    del file[name]
    if value is None:
        file.create_group(name)
    else:
        file[name] = value


def begin(file: h5py.File, name: str, value: float) -> None:
    values = np.array(file[name][()])
    with np.errstate(all="ignore"):
        values.reshape(-1)[0] = np.array(value).astype(values.dtype)
    file[name][...] = values


def change(file: h5py.File, name: str, place: tuple[Any, ...], value: Any) -> None:
    table = json.loads(file[name][()])
    inner = table
    for key in place[:-1]:
        inner = inner[key]
    if value is REMOVED:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    replace(file, name, json.dumps(table))


@pytest.mark.parametrize("kind", KINDS)
def test_every_edit_is_read_or_refused(kind: str) -> None:
    files, oracle = module("hdf5_files"), module("oracle")
    assert kind in files.KINDS
    path = files.folder() / f"{kind}.h5"
    path.write_bytes(files.image(kind))
    with h5py.File(path) as file:
        made = list(edits(file))
    assert len(made) > 60
    faults, n_refused = [], 0
    for label, edit in made:
        path.write_bytes(files.image(kind))
        with h5py.File(path, "r+") as file:
            edit(file)
        try:
            with np.errstate(all="ignore"), oracle.refusing(OSError) as refused:
                files.read(kind, path)
            n_refused += len(refused)
        except Exception as error:
            faults.append(f"{label}: {error!r:.200}")
    assert not faults, "\n".join(faults)
    assert n_refused > len(made) / 10
