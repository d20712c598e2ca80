"""Runs from files, folders and stores."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .. import arguments
from ..errors import FileFormatError, ParameterError
from ..hdf5 import read_hdf5
from ..training.run import Run
from .collection import Filed, Held, Runs
from .store import Store


def load(folder: str | os.PathLike[str], *others: str | os.PathLike[str]) -> Runs:
    """All runs in a folder and the folders in it, or in a store of a sweep.

    Other files are passed over, and so are HDF5 files of another kind, such as checkpoints. Of a store, only what its
    index does not know is read; see `dendrosim.runs.Store`.

    Parameters
    ----------
    folder : str or Path
        A file that holds a run will do as well.
    *others : str or Path
        More of them; a file that is met twice is read once.

    Returns
    -------
    Runs
        In the order of the files; those of a store in the order of arms and seeds.

    Raises
    ------
    ParameterError
        If there is no such folder, or no run in it.
    FileFormatError
        If a file is damaged; names it.
    """
    found: dict[Path, Held | Filed | Path] = {}
    for given in (folder, *others):
        where = Path(arguments.path("folder", given))
        if Store.there(where):
            for member in _stored(where):
                found.setdefault(member.path.resolve(), member)
        else:
            for path in _files(where):
                found.setdefault(path.resolve(), path)
    return Runs(Run.load(one, network=False) if isinstance(one, Path) else one for one in found.values())


def _stored(where: Path) -> list[Filed]:
    members = Store(where).members()
    if not members:
        raise ParameterError(f"{where} is a store without runs; dendrosim sweep makes them")
    return members


def _files(where: Path) -> list[Path]:
    """The files that hold runs."""
    if where.is_file():
        return [where]
    if not where.is_dir():
        raise ParameterError(f"{where} does not exist; give a folder with runs that ds.train(...).save(path) wrote")
    files = sorted(path for path in where.rglob("*.h5") if path.is_file() and not path.name.startswith("."))
    found = [path for path in files if _kind(path) == "run"]
    if not found:
        raise ParameterError(f"{where} holds no runs among {len(files)} .h5 files; ds.train(...).save(path) writes one")
    return found


def _kind(path: Path) -> Any:
    try:
        return read_hdf5(path, leave=None)[1].get("kind")
    except FileFormatError as error:
        raise FileFormatError(f"{error}, or move it out of the folder") from error
