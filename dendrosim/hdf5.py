"""Results on disk: one HDF5 file, written whole or not at all, readable with plain h5py."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Described(NamedTuple):
    """A dataset with what it means.

    Parameters
    ----------
    values : array or text
    units : str
        Such as ``"mV"``; ``"1"`` for plain numbers, ``""`` for text.
    description : str
        What it is, and what its axes are.
    """

    values: Any
    units: str
    description: str


def write_hdf5(path: str | Path, content: Mapping[str, Any], attributes: Mapping[str, Any] | None = None) -> Path:
    """Write nested mappings of arrays as groups and datasets.

    Parameters
    ----------
    path : str or Path
        File to write; its folder is made where it does not exist. A file that is there is replaced only once the new
        one is complete.
    content : mapping
        Names to arrays, text, or further mappings (groups). Arrays of a thousand values or more are compressed. What is
        `Described` gets the attributes ``units`` and ``description``.
    attributes : mapping, optional
        Attributes of the file: numbers and text.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    import h5py

    path = Path(os.path.expanduser(path))
    folder_for(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        with h5py.File(name, "w") as file:
            file.attrs.update(attributes or {})
            _fill(file, content)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def folder_for(path: str | Path) -> None:
    """Make the folder of a file that is to be written, and see that files can be written there.

    Raises
    ------
    OSError
        If not; says for which file.
    """
    path = Path(os.path.expanduser(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        reason = "a file is in the way" if isinstance(error, FileExistsError) else error.strerror
        raise OSError(f"{path} cannot be written: {reason}; choose another folder") from error


def _fill(group: Any, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        if isinstance(value, Mapping):
            _fill(group.create_group(name), value)
        elif isinstance(value, Described):
            _fill(group, {name: value.values})
            group[name].attrs.update(units=value.units, description=value.description)
        elif isinstance(value, str):
            group[name] = value
        else:
            array = np.asarray(value)
            if array.dtype.kind == "U":
                array = array.astype("S")
            group.create_dataset(
                name, data=array, compression="gzip" if array.size >= 1000 else None, shuffle=array.size >= 1000
            )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
