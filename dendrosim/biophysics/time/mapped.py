"""HDF5 files that are made whole at the beginning and filled through memory maps.

All datasets have their final size and place from the start. Nothing that describes the file ever changes again, so that
a process may be killed at any moment and leaves a file that every reader opens. What is in it is said by a dataset
``progress``: two rows that are written in turn, each after its data, with a checksum; the better one counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FileFormatError
from ...hdf5 import folder_for

Array = NDArray[Any]
Shapes = dict[str, tuple[tuple[int, ...], Any, str]]
"""Shape, type and description of every dataset."""


def create(path: Path, attributes: dict[str, Any], plain: dict[str, Array], shapes: Shapes, zero: str) -> None:
    """Make a file.

    Parameters
    ----------
    path : Path
    attributes : dict
        Of the file.
    plain : dict of arrays
        Datasets that are written now.
    shapes : dict
        Those that will be filled; `zero` names the one that begins as zeros.
    """
    folder_for(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write(partial, attributes, plain, shapes, zero)
        os.replace(partial, path)
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


def attributes_of(path: Path, form: str, made_by: str) -> dict[str, Any]:
    """Attributes of a file.

    Raises
    ------
    FileFormatError
        If it is not of the format `form`.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            attributes = dict(file.attrs)
    except OSError as error:
        raise FileFormatError(f"{path} is no HDF5 file, or is damaged ({error})") from error
    if attributes.get("format") != form:
        raise FileFormatError(f"{path} is no recording of {made_by}")
    return attributes


def maps(path: Path, names: Iterable[str], mode: Any = "r+") -> dict[str, Any]:
    """Datasets as memory maps; those without values as empty arrays.

    Raises
    ------
    FileFormatError
        If the file was cut short.
    """
    import h5py

    places = {}
    with h5py.File(path, "r") as file:
        for name in names:
            dataset = file[name]
            places[name] = (dataset.dtype, dataset.id.get_offset(), dataset.shape)
    size = path.stat().st_size
    needed = max((o + int(np.prod(s)) * d.itemsize for d, o, s in places.values() if o is not None), default=0)
    if size < needed:
        raise FileFormatError(f"{path} was cut short: {size} of {needed} bytes; restore it from a copy")
    return {
        name: np.empty(shape, kind) if offset is None else np.memmap(path, kind, mode, offset, shape)
        for name, (kind, offset, shape) in places.items()
    }
