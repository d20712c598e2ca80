"""The index of a store: the rows of its table, kept so that not every file has to be opened. A cache, nothing more."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import short
from ..errors import FileFormatError, StoreWarning
from ..hdf5 import Described, read_hdf5, write_hdf5
from ..training.run import Run
from .rows import COLUMNS, Row, row_of

SCHEMA = 2
_EVERY = 10_000
"""Runs that are read before the index is written, or a quarter of it if that is more: an interruption loses no more."""
_OWN = {
    "identity": ("", "of the run, which is the name of its file"),
    "size": ("byte", "of the file"),
    "mtime": ("ns", "when the file was last changed, since 1970"),
    "number": ("1", "place of the arm in its experiment"),
    "own": ("", "name of the arm without what was swept"),
    "factors": ("", "values of what was swept, by dotted key, as JSON"),
    "ways": ("", "where each comes from: cross, list, or the distribution that it was drawn from, as JSON"),
}
_UNITS = {"test_loss": "nat", "seconds": "s"}
_TEXT = ("arm", "task", "network", "teaching", "rule", "own")
_TABLES = ("factors", "ways")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row, and the file that it was read from: valid for a file of this size and time."""

    size: int
    mtime: int
    row: Row

    def of(self, file: os.stat_result) -> bool:
        """Whether the file is still the one."""
        return (self.size, self.mtime) == (file.st_size, file.st_mtime_ns)


def indexed(path: Path, files: Mapping[str, os.stat_result], file_of: Callable[[str], Path]) -> dict[str, Row]:
    """Rows of runs by identity: from the index where it is right, from the files where it is not.

    What was read is added to the index, which is replaced as a whole. Any number of processes may do this at once, and
    beside others that write runs: the last one's index stays, and what it lacks is read by the next.

    Parameters
    ----------
    path : Path
        Of the index, whether it exists or not.
    files : mapping of str to os.stat_result
        Every run that is there, by identity, as it was before this is called.
    file_of : callable
        Path of a run by identity.

    Raises
    ------
    FileFormatError
        If the file of a run is damaged; names it.

    Warns
    -----
    StoreWarning
        If the index is damaged, and made again; or if it cannot be written.
    """
    known = _read(path)
    entries = {identity: known[identity] for identity, file in files.items() if _valid(known.get(identity), file)}
    missing = [identity for identity in files if identity not in entries]
    changed = bool(missing) or len(entries) < len(known)
    unwritten = 0
    for identity in missing:
        entry = _entry(file_of(identity), files[identity])
        if entry is not None:
            entries[identity] = entry
        unwritten += 1
        if unwritten >= max(_EVERY, len(entries) // 4):
            _write(path, entries)
            unwritten = 0
    if changed:
        _write(path, entries)
    return {identity: entry.row for identity, entry in entries.items()}


def _valid(entry: Entry | None, file: os.stat_result) -> bool:
    return entry is not None and entry.of(file)


def _entry(path: Path, file: os.stat_result) -> Entry | None:
    """The row of a run; None if its file is gone by now."""
    try:
        run = Run.load(path, network=False, records=False)
    except FileNotFoundError:
        return None
    except FileFormatError as error:
        raise FileFormatError(f"{error}; or delete it, and resume the sweep, which runs it again") from error
    return Entry(file.st_size, file.st_mtime_ns, row_of(run))


def _write(path: Path, entries: Mapping[str, Entry]) -> None:
    if not entries:
        path.unlink(missing_ok=True)
        return
    rows = [entry.row for entry in entries.values()]
    columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
    columns |= {
        "identity": list(entries),
        "size": [entry.size for entry in entries.values()],
        "mtime": [entry.mtime for entry in entries.values()],
        "number": [row.number for row in rows],
        "own": [row.own for row in rows],
        "factors": [json.dumps(row.factors) for row in rows],
        "ways": [json.dumps(row.ways) for row in rows],
    }
    content = {name: Described(np.array(values), *_described(name)) for name, values in columns.items()}
    try:
        write_hdf5(path, {"runs": content}, {"kind": "index", "schema": SCHEMA})
    except OSError as error:
        warnings.warn(
            f"the index {path} cannot be written ({error}); every call reads {len(entries)} files again until it can",
            StoreWarning,
            stacklevel=2,
        )


def _described(name: str) -> tuple[str, str]:
    if name in _OWN:
        return _OWN[name]
    return "" if name in _TEXT else _UNITS.get(name, "1"), COLUMNS[name]


def _read(path: Path) -> dict[str, Entry]:
    """What the index holds; nothing if there is none, or one that another version of dendrosim made."""
    try:
        content, attributes = read_hdf5(path)
        if attributes.get("schema") != SCHEMA:
            return {}
        return dict(_entries(content["runs"]))
    except FileNotFoundError:
        return {}
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        reason = short(str(error), 300)
        warnings.warn(f"the index {path} was damaged ({reason}); it is made again", StoreWarning, stacklevel=2)
        return {}


def _entries(content: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    shared: dict[str, Mapping[str, Any]] = {}
    for name in (*COLUMNS, *_OWN):
        column, kinds = content[name], "U" if name in (*_TEXT, *_TABLES, "identity") else "iuf"
        if column.ndim != 1 or (column.size and column.dtype.kind not in kinds):
            raise ValueError(f"its column {name} is none of {'texts' if kinds == 'U' else 'numbers'}")
    columns = {name: content[name].tolist() for name in (*COLUMNS, *_OWN)}
    for name in _TEXT:
        columns[name] = [sys.intern(text) for text in columns[name]]
    for name in _TABLES:
        for text in set(columns[name]):
            shared[text] = json.loads(text)
        columns[name] = [shared[text] for text in columns[name]]
    rows = zip(*(columns[name] for name in Row._fields), strict=True)
    for identity, size, mtime, values in zip(columns["identity"], columns["size"], columns["mtime"], rows, strict=True):
        row = Row._make(values)
        if {type(row.factors), type(row.ways)} != {dict} or any(not isinstance(row[i], str) for i in range(5)):
            raise ValueError(f"the row of {short(identity)} is none")
        yield identity, Entry(size, mtime, row)
