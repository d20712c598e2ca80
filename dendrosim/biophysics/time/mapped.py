"""HDF5 files that are made whole at the beginning and filled through memory maps.

All datasets have their final size and place from the start. Nothing that describes the file ever changes again, so that
a process may be killed at any moment and leaves a file that every reader opens. What is in it is said by a dataset
``progress``: two rows that are written in turn, each after its data, with a checksum; the better one counts.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FileFormatError
from ...hdf5 import folder_for
from ...hdf5_reader import opened

Array = NDArray[Any]
Shapes = dict[str, tuple[tuple[int, ...], Any, str]]
"""Shape, type and description of every dataset."""


def create(
    path: Path,
    attributes: dict[str, Any],
    plain: dict[str, Array],
    shapes: Shapes,
    zero: str,
    sparse: Iterable[str] = (),
) -> None:
    """Make a file, and claim the space that it needs: on a full disk, memory maps would end the process without a word.

    Parameters
    ----------
    path : Path
    attributes : dict
        Of the file.
    plain : dict of arrays
        Datasets that are written now.
    shapes : dict
        Those that will be filled; `zero` names the one that begins as zeros, `sparse` those that are much larger than
        what will be in them, for which no space is claimed.

    Raises
    ------
    OSError
        If there is no room for it; says for which file, and how much it needs.
    """
    folder_for(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    claimed = [name for name in shapes if name not in sparse]
    needed = sum(int(np.prod(shapes[name][0])) * np.dtype(shapes[name][1]).itemsize for name in claimed)
    try:
        with partial.open("wb") as file:  # HDF5 would not say why it fails
            _claim(file, 0, needed)
        _write(partial, attributes, plain, shapes, zero)
        with partial.open("r+b") as file:
            for kind, offset, shape in _places(partial, claimed).values():
                _claim(file, offset or 0, int(np.prod(shape)) * kind.itemsize)
        os.replace(partial, path)
    except OSError as error:
        raise OSError(
            f"{path} cannot be made, it needs {needed / 1e6:.3g} MB: {error.strerror or error}; record less, or on "
            "another disk"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _write(path: Path, attributes: dict[str, Any], plain: dict[str, Array], shapes: Shapes, zero: str) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        for name, values in plain.items():
            file[name] = values
        for name, (shape, kind, description) in shapes.items():
            if 0 in shape:
                file.create_dataset(name, shape, kind)
                continue
            properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_layout(h5py.h5d.CONTIGUOUS)
            properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            properties.set_fill_time(h5py.h5d.FILL_TIME_ALLOC if name == zero else h5py.h5d.FILL_TIME_NEVER)
            space = h5py.h5s.create_simple(shape)
            h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(np.dtype(kind)), space, properties)
            file[name].attrs["description"] = description


def _claim(file: Any, offset: int, size: int) -> None:
    """Have the system set space aside in a file, where it can."""
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), offset, size)


def _places(path: Path, names: Iterable[str]) -> dict[str, tuple[Any, int | None, tuple[int, ...]]]:
    """Type, offset in the file and shape of datasets."""
    with opened(path) as (file, reader):
        return {name: reader.place(file, name) for name in names}


def attributes_of(path: Path, form: str, made_by: str) -> dict[str, Any]:
    """Attributes of a file.

    Raises
    ------
    FileFormatError
        If it is not of the format `form`.
    """
    with opened(path) as (file, reader):
        attributes = reader.attributes(file)
    if attributes.get("format") != form:
        raise FileFormatError(f"{path} is no recording of {made_by}")
    return attributes


def small(path: Path, name: str) -> Array:
    """A dataset that is read as a whole, one axis of numbers.

    Raises
    ------
    FileFormatError
        If it is something else.
    """
    with opened(path) as (file, reader):
        values = reader.dataset(reader.member(file, name))
    if not isinstance(values, np.ndarray) or values.ndim != 1 or values.dtype.kind not in "iuf":
        raise FileFormatError(f"{path}: {name} is no list of numbers; it is damaged, restore it from a copy")
    return values


def fits(path: Path, mapped: dict[str, Any], axes: dict[str, int], held: dict[str, int]) -> None:
    """See that datasets have so many axes, and that as many values are there as the file says.

    Parameters
    ----------
    path : Path
        For the message.
    mapped : dict of arrays
    axes : dict of int
        Number of axes of each.
    held : dict of int
        How many entries along the first axis have been written.

    Raises
    ------
    FileFormatError
        If not.
    """
    for name, n in axes.items():
        if mapped[name].ndim != n:
            raise FileFormatError(f"{path}: {name} has {mapped[name].ndim} axes and not {n}; restore it from a copy")
    for name, n in held.items():
        if not 0 <= n <= len(mapped[name]):
            raise FileFormatError(
                f"{path}: of {len(mapped[name])} entries of {name} {n} were written, it says; restore it from a copy"
            )


def maps(path: Path, names: Iterable[str], mode: Any = "r+") -> dict[str, Any]:
    """Datasets as memory maps; those without values as empty arrays.

    Raises
    ------
    FileFormatError
        If the file was cut short.
    """
    places = _places(path, names)
    size = path.stat().st_size
    needed = max((o + math.prod(s) * d.itemsize for d, o, s in places.values() if o is not None), default=0)
    if size < needed:
        raise FileFormatError(f"{path} was cut short: {size} of {needed} bytes; restore it from a copy")
    return {
        name: np.empty(shape, kind) if offset is None else np.memmap(path, kind, mode, offset, shape)
        for name, (kind, offset, shape) in places.items()
    }
