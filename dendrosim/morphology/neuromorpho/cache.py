"""What was fetched before: files by their sums, and a record of which sum is trusted for which neuron.

Below ``neuromorpho/`` of the cache lies ``ARCHIVE/VERSION/NEURON.json``, the record, and ``ARCHIVE/VERSION/SUM/FILE``,
the file, where SUM is the beginning of its SHA-256. So a file is never replaced by another one, and two papers that
rely on different states of a reconstruction can both be served.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...arguments import short
from ...downloads import cache_folder, check_sha256, sha256_of
from ...errors import DataError, DownloadError, ParameterError, choose
from ...shown import clean
from .entry import NAMED, Neuron, neuron_from
from .names import ending_of, file_name

FORMAT = "dendrosim.neuromorpho.record/1"
VERSIONS = {"cng": "CNG version", "original": "Source-Version"}
"""Versions of a reconstruction, and the folders that NeuroMorpho.Org has them in."""
_LARGEST_RECORD = 2**20


@dataclass(frozen=True)
class Record:
    """A file that was fetched, and is trusted since.

    Attributes
    ----------
    neuron : Neuron
        What the server said about it at that time.
    version : {"cng", "original"}
    sha256 : str
        Of the file.
    url : str
        Where it came from.
    fetched : str
        When, in UTC.
    """

    neuron: Neuron
    version: str
    sha256: str
    url: str
    fetched: str

    @property
    def path(self) -> Path:
        """Where the file is, or should be."""
        return file_of(self.neuron, self.version, self.sha256)

    @property
    def is_whole(self) -> bool:
        """Whether the file is there, with the right sum."""
        return self.path.is_file() and sha256_of(self.path) == self.sha256


def root() -> Path:
    """The part of the cache that holds reconstructions."""
    return cache_folder() / "neuromorpho"


def folder_of(neuron: Neuron, version: str) -> Path:
    """Where records of an archive lie."""
    return root() / file_name(neuron.archive) / version


def file_of(neuron: Neuron, version: str, sha256: str) -> Path:
    """Where a file with this sum is kept."""
    return folder_of(neuron, version) / sha256[:16] / server_name(neuron, version, file_name(neuron.name))


def server_name(neuron: Neuron, version: str, name: str) -> str:
    """Name of a file at the server, with the neuron's name as it is to be written.

    Raises
    ------
    DataError
        If the format of the original file is not known.
    """
    if version == "cng":
        return f"{name}.CNG.swc"
    ending = ending_of(neuron.metadata.get("original_format"))
    if not ending:
        raise DataError(
            f"NeuroMorpho.Org does not say what kind of file the original of {neuron.name!r} is (original_format="
            f"{neuron.metadata.get('original_format')!r}); version='cng' is the standardised one"
        )
    return f"{name}.{ending}"


def find(name: str | int, version: str, archive: str | None = None) -> Record | None:
    """The record of a neuron, by name or identifier, and of this archive only; None if it was not fetched.

    Raises
    ------
    DataError
        If a record is damaged.
    """
    if isinstance(name, str):
        places = sorted(root().glob(f"*/{version}/{glob.escape(file_name(name))}.json"))
        found = [record for place in places if (record := _read(place)).neuron.name == name]
    else:
        found = [record for record in cached(version) if record.neuron.id == name]
    return next((record for record in found if archive in (None, record.neuron.archive)), None)


def cached(version: str | None = None) -> list[Record]:
    """All that was fetched, in order of archives and names.

    Parameters
    ----------
    version : {"cng", "original"}, optional
        Of this kind only.

    Returns
    -------
    list of Record

    Raises
    ------
    DataError
        If a record is damaged; the message names it.
    """
    kinds = tuple(VERSIONS) if version is None else (choose("version", version, VERSIONS),)
    return [_read(place) for place in sorted(root().glob("*/*/*.json")) if place.parent.name in kinds]


def write(record: Record) -> None:
    """Keep a record, in place of one that is there."""
    from ...hdf5 import replacing

    told = {key: getattr(record, key) for key in ("version", "sha256", "url", "fetched")}
    content = {"format": FORMAT, **told, "neuron": as_entry(record.neuron)}
    place = folder_of(record.neuron, record.version) / f"{file_name(record.neuron.name)}.json"
    with replacing(place) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


def as_entry(neuron: Neuron) -> dict[str, Any]:
    """A neuron as JSON has it, by the names of the API."""
    named = dict(zip(NAMED, (neuron.id, neuron.name, neuron.archive), strict=True))
    rest = {key: list(value) if isinstance(value, tuple) else value for key, value in neuron.metadata.items()}
    return named | rest | named  # no other field stands in place of these


def read_json(path: Path, largest: int) -> Mapping[str, Any]:
    """The JSON object in a file that somebody else may have written.

    Raises
    ------
    DataError
        If there is none.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(largest + 1)
        if len(content) > largest:
            raise ValueError(f"it has more than {largest:,} bytes")
        found = json.loads(content.decode("utf-8"))
        if not isinstance(found, Mapping):
            raise ValueError("it is no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be used: {clean(error, 200)}") from error
    return found


def offline_error(doing: str, name: str | None = None) -> DownloadError:
    """An error that says what is in the cache, and how to get what is not."""
    import difflib

    names = [record.neuron.name for record in cached()]
    near = difflib.get_close_matches(name or "", names, n=3)
    listed = ", ".join(map(short, near or names[:5])) + (", ..." if not near and len(names) > 5 else "")
    have = f"{len(names):,} files, {'close are' if near else 'such as'} {listed}" if names else "nothing yet"
    wanted = f"dendrosim morphology fetch {name!r}" if name else "dendrosim morphology fetch NAME"
    return DownloadError(
        f"{doing} needs a connection, and DENDROSIM_OFFLINE or Server(offline=True) forbids one. In the cache {root()} "
        f"there is {have}. With a connection, {wanted} adds to it; the folder can be copied from machine to machine"
    )


def _read(place: Path) -> Record:
    found = read_json(place, _LARGEST_RECORD)
    try:
        if found.get("format") != FORMAT or found.get("version") not in tuple(VERSIONS):
            raise DataError(f"it is no record of {FORMAT}")
        neuron = neuron_from(found.get("neuron"), "it")
        sha256 = check_sha256("sha256", found.get("sha256"))
    except (DataError, ParameterError) as error:
        raise DataError(f"{place} is damaged: {error}. Remove it, to fetch the neuron again") from error
    url, fetched = clean(found.get("url", "")), clean(found.get("fetched", ""))
    return Record(neuron, str(found["version"]), sha256, url, fetched)
