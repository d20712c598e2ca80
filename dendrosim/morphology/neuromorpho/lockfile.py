"""Lock files: which reconstructions a piece of work rests on, by their sums, so that others have the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ... import arguments
from ...arguments import flag, short
from ...downloads import check_sha256
from ...errors import DataError, ParameterError
from ...progress import followed
from ...shown import clean
from .cache import VERSIONS, Record, as_entry, read_json
from .entry import NAMED, Neuron, neuron_from
from .fetching import obtain, obtain_all
from .server import Server, server_of

FORMAT = "dendrosim.neuromorpho.lock/1"
_LARGEST = 64 * 2**20
_KEPT = ("species", "brain_region", "cell_type", "original_format", "reference_doi", "reference_pmid")


def lock(
    path: str | Path,
    neurons: Iterable[str | int | Neuron] | str | int | Neuron,
    *,
    version: str = "cng",
    progress: bool = False,
    server: Server | None = None,
) -> Path:
    """Fetch reconstructions, and write down which bytes they are: a file to commit with the work that uses them.

    Parameters
    ----------
    path : path
        File to write, such as ``cells.lock.json``; it must not be there yet, since a lock that changes is none.
    neurons : one or several of str, int, Neuron
        As for `fetch`.
    version : {"cng", "original"}, default "cng"
        As for `fetch`.
    progress : bool, default False
        Show how far it is.
    server : Server, optional
        How to ask.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ParameterError
        If the file is there, or no neuron is given.
    DownloadError
        As `fetch`.
    """
    place = new_lock(path)
    flag("progress", progress)
    hint = "names, or what a search found"
    several = [neurons] if isinstance(neurons, str | int | Neuron) else arguments.several("neurons", neurons, hint)
    if not several:
        raise ParameterError("neurons is empty; give names, or what a search found")
    records = obtain_all(several, version=version, progress=progress, server=server_of(server))
    return write_lock(place, list(records))


def write_lock(path: Path, records: Sequence[Record]) -> Path:
    """Write down what was fetched.

    Raises
    ------
    ParameterError
        If the file is there.
    """
    from ...hdf5 import folder_for, replacing

    folder_for(new_lock(path))
    content = {"format": FORMAT, "files": [_entry(record) for record in records]}
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    return path


def new_lock(path: str | Path) -> Path:
    """Where a lock is to be written.

    Raises
    ------
    ParameterError
        If a file is there.
    """
    place = Path(arguments.path("path", path))
    if place.exists():
        raise ParameterError(f"{place} is there already; choose another name, or remove it to make a new lock")
    return place


def restore(lock: str | Path, *, progress: bool = False, server: Server | None = None) -> list[Path]:
    """Fetch all files of a lock, each with exactly the sum that it names.

    Parameters
    ----------
    lock : path
        A file that `lock` wrote.
    progress : bool, default False
        Show how far it is.
    server : Server, optional
        How to ask.

    Returns
    -------
    list of Path
        In the order of the lock.

    Raises
    ------
    DataError
        If it is no lock file.
    DownloadError
        As `fetch`; names the file that has changed.
    """
    flag("progress", progress)
    return [record.path for record in restore_records(lock, progress=progress, server=server)]


def restore_records(lock: str | Path, *, progress: bool | None = False, server: Server | None = None) -> list[Record]:
    """As `restore`, with what is known about the files."""
    return [
        obtain(entry.neuron, version=entry.version, sha256=entry.sha256, server=server)
        for entry in followed(read_lock(lock), unit=" files", show=progress)
    ]


def read_lock(path: str | Path) -> list[Record]:
    """What a lock names.

    Raises
    ------
    DataError
        If it is no lock file, or is damaged.
    """
    place = Path(arguments.path("lock", path))
    found = read_json(place, _LARGEST)
    files = found.get("files")
    if found.get("format") != FORMAT or not isinstance(files, list):
        raise DataError(f"{place} is no lock file of {FORMAT}; ds.neuromorpho.lock writes one")
    return [_record(entry, f"{place}, entry {i}") for i, entry in enumerate(files)]


def locked(path: str | Path, name: str | int, version: str) -> Record:
    """What a lock says about one neuron.

    Raises
    ------
    DataError
        If it does not name it.
    """
    entries = read_lock(path)
    for entry in entries:
        if name in (entry.neuron.name, entry.neuron.id) and entry.version == version:
            return entry
    listed = ", ".join(short(entry.neuron.name) for entry in entries[:6]) + (", ..." if len(entries) > 6 else "")
    raise DataError(f"{path} does not name {name!r} in version {version!r}; it names {listed or 'nothing'}")


def _entry(record: Record) -> dict[str, Any]:
    known = as_entry(record.neuron)
    neuron = {key: known[key] for key in (*NAMED, *_KEPT) if known.get(key) is not None}
    return {"version": record.version, "sha256": record.sha256, "fetched": record.fetched, "neuron": neuron}


def _record(entry: Any, where: str) -> Record:
    if not isinstance(entry, dict) or entry.get("version") not in tuple(VERSIONS):
        raise DataError(f"{where} is damaged: version must be one of {', '.join(VERSIONS)}")
    try:
        sha256 = check_sha256("sha256", entry.get("sha256"))
    except ParameterError as error:
        raise DataError(f"{where} is damaged: {error}") from error
    return Record(
        neuron_from(entry.get("neuron"), where), entry["version"], sha256, "", clean(entry.get("fetched", ""))
    )
