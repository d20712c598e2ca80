"""Files as SONATA wants them, whole or not at all: HDF5 with magic and version, tables between spaces, JSON."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..arguments import flag, short
from ..errors import ParameterError
from ..hdf5 import folder_for, replacing, write_filled

MAGIC, VERSION = 0x0A7A, (0, 1)
SIMULATION = "simulation_config.json"
NULL = "NULL"
"""An empty field of a table."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Dataset(NamedTuple):
    """An array with attributes.

    Parameters
    ----------
    values : array
    attributes : mapping of str to text, numbers or arrays
    """

    values: NDArray[Any]
    attributes: Mapping[str, Any]


class Group(NamedTuple):
    """A group with attributes.

    Parameters
    ----------
    content : mapping
        Names to arrays, `Dataset`, lists of text, mappings or `Group`.
    attributes : mapping
    """

    content: Mapping[str, Any]
    attributes: Mapping[str, Any]


class Same(NamedTuple):
    """Another name of a dataset in the same group, of which there is one copy.

    Parameters
    ----------
    name : str
    """

    name: str


def write_sonata(path: Path, content: Mapping[str, Any]) -> None:
    """Write a SONATA HDF5 file.

    Parameters
    ----------
    path : Path
    content : mapping
        As for `Group`.

    Raises
    ------
    OSError
        If the file cannot be written.
    """

    def fill(file: Any) -> None:
        header(file)
        fill_group(file, content)

    write_filled(path, fill)


def header(file: Any) -> None:
    """The attributes that every SONATA file has."""
    file.attrs.create("magic", MAGIC, dtype=np.uint32)
    file.attrs.create("version", VERSION, dtype=np.uint32)


def fill_group(group: Any, content: Mapping[str, Any]) -> None:
    """Put nested mappings of arrays into an HDF5 group."""
    import h5py

    for name, value in content.items():
        if isinstance(value, Mapping | Group):
            made = group.create_group(name)
            inner, attributes = (value.content, value.attributes) if isinstance(value, Group) else (value, {})
            fill_group(made, inner)
            set_attributes(made, attributes)
        elif isinstance(value, Same):
            group[name] = group[value.name]
        elif isinstance(value, list):
            # of any length: libsonata keeps what pads texts of one length
            group.create_dataset(name, data=value, dtype=h5py.string_dtype("utf-8"))
        else:
            values, attributes = value if isinstance(value, Dataset) else (value, {})
            set_attributes(group.create_dataset(name, data=values), attributes)


def set_attributes(made: Any, attributes: Mapping[str, Any]) -> None:
    """Give attributes; what comes with a type, as (value, dtype), keeps it."""
    for key, given in attributes.items():
        value, kind = given if isinstance(given, tuple) else (given, None)
        made.attrs.create(key, value, dtype=kind)


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table: fields between single spaces, text with spaces in quotes, `NULL` where there is nothing.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [" ".join(columns), *(" ".join(_field(row.get(key)) for key in columns) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")


def read_table(text: str) -> list[dict[str, str]]:
    """Rows of a table that `write_table`, or another tool, wrote."""
    import csv

    lines = [" ".join(line.split()) if '"' not in line else line for line in text.splitlines() if line.strip()]
    return list(csv.DictReader(lines, delimiter=" ", doublequote=True))


def _field(value: Any) -> str:
    if value is None:
        return NULL
    text = repr(value) if isinstance(value, float) else str(value)
    return '"' + text.replace('"', '""') + '"' if re.search(r'[\s"]', text) or not text else text


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON; numbers read back to the same bits.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    folder_for(path)
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def write_frames(
    path: Path, content: Mapping[str, Any], where: str, shape: tuple[int, int], units: str, frames: Frames
) -> None:
    """Write a file with one large float32 dataset, a few rows at a time.

    Its space is claimed beforehand and its rows are written through a memory map: the HDF5 library can end the whole
    process when a disk is full.

    Parameters
    ----------
    path : Path
    content : mapping
        Everything else, as for `Group`.
    where : str
        Full name of the large dataset.
    shape : tuple of int
        Of the dataset: times, values.
    units : str
        Its attribute.
    frames : callable
        Gives rows ``first`` to ``last``.

    Raises
    ------
    OSError
        If there is no room for it, or the file cannot be written.
    """
    import h5py

    folder_for(path)
    with replacing(path) as part:
        with h5py.File(part, "w") as file:
            header(file)
            fill_group(file, content)
            properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_layout(h5py.h5d.CONTIGUOUS)
            properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            group, _, name = where.rpartition("/")
            space = h5py.h5s.create_simple(shape)
            h5py.h5d.create(file[group].id, name.encode(), h5py.h5t.IEEE_F32LE, space, properties)
            file[where].attrs["units"] = units
            offset = file[where].id.get_offset()
        if offset is not None:
            size = 4 * shape[0] * shape[1]
            if hasattr(os, "posix_fallocate"):
                with part.open("r+b") as raw:
                    _claim(raw.fileno(), path, offset, size)
            mapped = np.memmap(part, "<f4", "r+", offset, shape)
            rows = max(1, _BLOCK // max(1, shape[1]))
            for first in range(0, shape[0], rows):
                last = min(first + rows, shape[0])
                mapped[first:last] = frames(first, last)
            mapped.flush()
            del mapped


Frames = Callable[[int, int], NDArray[Any]]
_BLOCK = 2**22
"""Values written at a time."""


def _claim(file: int, path: Path, offset: int, size: int) -> None:
    try:
        os.posix_fallocate(file, offset, size)
    except OSError as error:
        raise OSError(
            f"{path} cannot be made, it needs {size / 1e6:.3g} MB: {error.strerror}; report less, or on another disk"
        ) from error


def name_given(argument: str, value: object) -> str:
    """A name of a population: it names groups in HDF5 files, words in tables, and files.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ParameterError(
            f"{argument}={short(value)} cannot name a SONATA population; use letters a-z, digits, '_', '-' and '.', "
            "such as 'cells'"
        )
    return value


def file_name(name: str, taken: set[str]) -> str:
    """A name for a file that is not taken yet."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name).strip("_") or "cell"
    made, k = plain, 2
    while made in taken:
        made, k = f"{plain}_{k}", k + 1
    taken.add(made)
    return made


def target(value: object, overwrite: bool) -> Path:
    """The file to write.

    Raises
    ------
    ParameterError
        If it is no path, or there is a file already and it may not be replaced.
    """
    path = Path(arguments.path("path", value))
    if path.is_dir():
        raise ParameterError(f"{path} is a folder; name a file in it, such as {path / 'report.h5'}")
    if not flag("overwrite", overwrite) and path.exists():
        raise ParameterError(f"{path} exists; give another path, or overwrite=True to replace it")
    return path
