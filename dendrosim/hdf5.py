"""Results on disk: one HDF5 file, written whole or not at all, readable with plain h5py."""

from __future__ import annotations

import os
import platform
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .arguments import path as given_path
from .hdf5_reader import LARGEST, opened

_BLOCK = 2**20
"""Bytes by which a file that is made in memory grows."""
_HALF = re.compile(r"\..+\.(?P<host>[\w-]+)-(?P<process>\d+)\.[a-z0-9_]{8}")
_A_DAY, _A_MOMENT = 86400.0, 60.0
"""Seconds after which nobody writes a file any more; and nobody whose process is not seen, such as in a container."""


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


def write_hdf5(
    path: str | os.PathLike[str],
    content: Mapping[str, Any],
    attributes: Mapping[str, Any] | None = None,
    *,
    compress: bool = True,
) -> Path:
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
    compress : bool, default True
        Compress large arrays; what is written often and read rarely need not be.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    OSError
        If the file cannot be written.
    """

    def fill(file: Any) -> None:
        file.attrs.update(attributes or {})
        _fill(file, content, compress)

    return write_filled(path, fill)


def write_filled(path: str | os.PathLike[str], fill: Callable[[Any], None]) -> Path:
    """Write a file whose content a function puts into it, as `write_hdf5` does: whole or not at all.

    Parameters
    ----------
    path : str or Path
        File to write; its folder is made where it does not exist.
    fill : callable
        Takes an empty ``h5py.File``.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    where = Path(given_path("path", path))
    folder_for(where)
    with replacing(where) as part:
        part.write_bytes(_image(part.name, fill))
    return where


def _image(name: str, fill: Callable[[Any], None]) -> bytes:
    """The bytes of a file, made in memory: the HDF5 library can end the whole process when a disk is full.

    No two files may have the same name at a time, not even in memory.
    """
    import h5py

    with h5py.File(f"memory of {name}", "w", driver="core", backing_store=False, block_size=_BLOCK) as file:
        fill(file)
        file.flush()
        image: bytes = file.id.get_file_image()
    return image


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` to write into, which takes its place at the end and is gone if something fails.

    It is on the disk before it takes that place, so that a file with this name is whole even after the power failed.
    Its own name says who writes it, for `leftover`.

    Parameters
    ----------
    path : Path
        Its folder exists.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{_host()}-{os.getpid()}.")
    os.close(handle)
    try:
        yield Path(name)
        with open(name, "rb+") as written:
            os.fsync(written.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def leftover(path: Path) -> bool:
    """Whether a file is half of one that `replacing` was killed over.

    Of processes of this machine one can know whether they live; what others write is taken for left over a day after
    it was last touched.

    Parameters
    ----------
    path : Path
    """
    match = _HALF.fullmatch(path.name)
    if match is None:
        return False
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:  # it took its place
        return False
    ours = match["host"] == _host() and os.name == "posix"
    return age > _A_DAY or (ours and age > _A_MOMENT and not _alive(int(match["process"])))


def read_hdf5(
    path: str | os.PathLike[str], *, largest: int = LARGEST, leave: Collection[str] | None = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read what `write_hdf5` wrote, and nothing that could do harm.

    Only numbers, truth values and text are read, into new arrays. Links to elsewhere, references, opaque types and
    values kept in other files are refused, and so is a file that asks for more memory than `largest`.

    Parameters
    ----------
    path : str or Path
        A file.
    largest : int, default 8 GiB
        Most bytes that all arrays together may take in memory.
    leave : collection of str or None, default ()
        Names at the top that are not read; None for all of them, so that only attributes are.

    Returns
    -------
    content : dict
        Names to arrays, text, or further dicts, as in `write_hdf5`.
    attributes : dict
        Attributes of the file.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read.
    FileFormatError
        If it is no HDF5 file, is damaged, or holds what is refused.
    """
    with opened(Path(given_path("path", path)), largest) as (file, reader):
        attributes = reader.attributes(file)
        return {} if leave is None else reader.group(file, leave=leave), attributes


def folder_for(path: str | os.PathLike[str]) -> None:
    """Make the folder of a file that is to be written, and see that files can be written there.

    Raises
    ------
    OSError
        If not; says for which file.
    """
    where = Path(os.path.expanduser(path))
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=where.parent):
            pass
    except OSError as error:
        reason = "a file is in the way" if isinstance(error, FileExistsError) else error.strerror
        raise OSError(f"{where} cannot be written: {reason}; choose another folder") from error


def _fill(group: Any, content: Mapping[str, Any], compress: bool) -> None:
    for name, value in content.items():
        if isinstance(value, Mapping):
            _fill(group.create_group(name), value, compress)
        elif isinstance(value, Described):
            _fill(group, {name: value.values}, compress)
            group[name].attrs.update(units=value.units, description=value.description)
        elif isinstance(value, str):
            group[name] = value
        else:
            array = np.asarray(value)
            if array.dtype.kind == "U":
                array = np.char.encode(array, "utf-8")
            packed = compress and array.size >= 1000
            group.create_dataset(name, data=array, compression="gzip" if packed else None, shuffle=packed)


def _host() -> str:
    return re.sub(r"[^\w-]", "-", platform.node()) or "unknown"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
