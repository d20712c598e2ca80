"""What an adversary does to an HDF5 file: each edit changes a file that is open, led by the bytes of an input."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import h5py
import numpy as np

from .hdf5_files import folder


class Choices:
    """Small numbers from the bytes of an input; zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def below(self, n: int) -> int:
        """A number from 0 to ``n - 1``."""
        used = 1 if n <= 256 else 2 if n <= 65536 else 4
        value = int.from_bytes(self._data[self._at : self._at + used], "little")
        self._at += used
        return value % n if n else 0

    def of(self, things: Any) -> Any:
        """One of several things."""
        return things[self.below(len(things))]


NUMBERS = (0, -1, 1, 2, 3, 7, 255, 10**6, 2**31, 2**63 - 1, -(2**63), 0.5, -1.0, 1e308, 1e-320)
NUMBERS = (*NUMBERS, float("nan"), float("inf"), -float("inf"))
VALUES: tuple[Any, ...] = (
    *NUMBERS,
    True,
    None,
    "",
    "x",
    "input",
    "\0",
    [],
    [0],
    [[0]],
    {},
    {"name": "linear"},
    "a" * 2000,
)
MOST = 10**6
"""Values that edits themselves read."""
_SECRET = b"a file beside the one that is edited, which nobody was asked to read\n"
SHAPES = ((), (0,), (1,), (3,), (3, 2), (2, 4), (2, 6), (1000,), (1, 1, 1, 1))
HUGE = ((2**40,), (2**20, 2**20), (2**32, 2**32), (2**61,), (10**7,))
TYPES = ("f8", "f4", "i8", "i1", "u8", "?", "S5", ">f8", "c16", "f2", [("a", "i4")], "V3", h5py.ref_dtype)
TYPES = (*TYPES, h5py.string_dtype(), h5py.vlen_dtype("i4"), h5py.enum_dtype({"A": 1}), ("f8", (2,)))


@cache
def decoy() -> str:
    """A file elsewhere, of our own: a later edit writes through a dataset that lies there."""
    path = folder() / "secret"
    path.write_bytes(_SECRET)
    return str(path)


def edit(file: h5py.File, choices: Choices) -> None:
    """Make one change; what HDF5 itself refuses is none."""
    names: list[str] = []
    file.visit(names.append)
    change: Callable[[h5py.File, str, Choices], None] = choices.of(_EDITS)
    with suppress(AttributeError, LookupError, OSError, OverflowError, RuntimeError, TypeError, ValueError):
        change(file, choices.of(names or ["/"]), choices)


def _value(file: h5py.File, name: str, choices: Choices) -> None:
    """Another number at one place of a dataset."""
    if file[name].dtype.kind == "O":  # h5py ends the process when numbers are written where lists should be
        return
    if file[name].size > MOST or max(file[name].shape, default=0) > MOST:  # an edit before this one declared it
        return
    values = file[name][()]
    flat = np.array(values).reshape(-1)
    with np.errstate(all="ignore"):
        flat[choices.below(flat.size)] = np.array(choices.of(NUMBERS)).astype(flat.dtype)
    file[name][...] = flat.reshape(np.shape(values))


def _text(file: h5py.File, name: str, choices: Choices) -> None:
    """Another value somewhere in a JSON text; of any dataset if this is none."""
    texts: list[str] = []
    file.visititems(lambda at, thing: texts.append(at) if _is_text(thing) else None)
    if _is_text(file.get(name)) or texts:
        name = name if _is_text(file.get(name)) else choices.of(texts)
        table = json.loads(file[name][()])
        _change(table, choices)
        del file[name]
        file[name] = json.dumps(table)


def _is_text(thing: Any) -> bool:
    return isinstance(thing, h5py.Dataset) and thing.shape == () and h5py.check_string_dtype(thing.dtype) is not None


def _change(table: Any, choices: Choices) -> None:
    """Replace, remove or add one entry, at any depth."""
    while True:
        keys = list(table) if isinstance(table, dict) else list(range(len(table)))
        if not keys:
            return
        key = choices.of(keys)
        if isinstance(table[key], dict | list) and choices.below(3):
            table = table[key]
            continue
        if choices.below(4):
            table[key] = choices.of(VALUES)
        else:
            del table[key]
        return


def _attribute(file: h5py.File, name: str, choices: Choices) -> None:
    kept = list(file.attrs)
    which = choices.of([*kept, "other"])
    if choices.below(4) == 0:
        del file.attrs[which]
        return
    thing = choices.of(
        (*NUMBERS, "", "run", "x" * 3000, [1, 2], ["a", "b"], np.zeros((2, 2)), h5py.Empty("f8"), file.ref)
    )
    file.attrs[which] = thing


def _remove(file: h5py.File, name: str, choices: Choices) -> None:
    del file[name]


def _type(file: h5py.File, name: str, choices: Choices) -> None:
    """Another type, of the same shape or another one."""
    old = file[name]
    shape = old.shape if isinstance(old, h5py.Dataset) and choices.below(2) else choices.of(SHAPES)
    kind = choices.of(TYPES)
    small = math.prod(shape or ()) < 1_000_000  # an earlier edit may have declared terabytes
    values = np.zeros(shape, kind) if small and not isinstance(kind, np.dtype) else None
    del file[name]
    file.create_dataset(name, shape, kind, data=values)


def _shape(file: h5py.File, name: str, choices: Choices) -> None:
    """Another shape of the same values, repeated or cut."""
    if file[name].size > MOST or max(file[name].shape, default=0) > MOST:
        return
    values, shape = file[name][()], choices.of(SHAPES)
    del file[name]
    file[name] = np.resize(values, shape)


def _huge(file: h5py.File, name: str, choices: Choices) -> None:
    """Values that are declared and were never written, or compress to next to nothing."""
    kind, shape = choices.of(("f8", "i8", "S8", "u1")), choices.of(HUGE)
    del file[name]
    if choices.below(2):
        file.create_dataset(name, shape, kind, chunks=tuple(min(n, 1024) for n in shape))
    else:
        file.create_dataset(name, data=np.zeros(choices.of((10**5, 10**6)), kind), compression="gzip", shuffle=True)


def _link(file: h5py.File, name: str, choices: Choices) -> None:
    """A name for something else: elsewhere, nowhere, above."""
    others: list[str] = []
    file.visit(others.append)
    links = (
        h5py.SoftLink(f"/{choices.of(others)}"),
        h5py.SoftLink(f"/{name}"),
        h5py.ExternalLink(decoy(), "/"),
        file["/"],
        file[choices.of(others)],
    )
    link = choices.of(links)
    del file[name]
    file[name] = link


def _elsewhere(file: h5py.File, name: str, choices: Choices) -> None:
    """Values that lie in other files."""
    shape = getattr(file[name], "shape", (4,)) or (4,)
    del file[name]
    if choices.below(2):
        file.create_dataset(name, shape, "u1", external=[(decoy(), 0, int(np.prod(shape)))])
    else:
        layout = h5py.VirtualLayout(shape, "f8")
        layout[...] = h5py.VirtualSource(decoy(), "x", shape)
        file.create_virtual_dataset(name, layout)


def _filter(file: h5py.File, name: str, choices: Choices) -> None:
    """Packed in other ways."""
    if file[name].size > MOST or max(file[name].shape, default=0) > MOST:
        return
    values = np.atleast_1d(file[name][()])
    options: dict[str, Any] = choices.of(
        ({"compression": "lzf"}, {"fletcher32": True}, {"scaleoffset": 2}, {"compression": "gzip"}, {"chunks": True})
    )
    del file[name]
    file.create_dataset(name, data=values, **options)


def _group(file: h5py.File, name: str, choices: Choices) -> None:
    """A group, a named type, or many things where something else was."""
    del file[name]
    kind = choices.below(4)
    if kind == 0:
        file.create_group(name)
    elif kind == 1:
        file[name] = np.dtype("f8")
    elif kind == 2:
        file.create_group("/".join([name, *"a" * 40]))
    else:
        file[name] = h5py.Empty("f8")


_EDITS = (
    _value, _text, _value, _text, _attribute, _remove, _type, _shape, _huge, _link, _elsewhere, _filter, _group,
)  # fmt: skip
