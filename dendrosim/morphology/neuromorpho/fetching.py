"""Fetching reconstructions: from the cache where they are, else from the server, verified in either case.

NeuroMorpho.Org publishes no sums. The first file that comes is therefore trusted, its SHA-256 recorded, and every later
use held to it; where a sum is known from elsewhere (an argument, a lock file), that one counts from the start.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ... import downloads
from ...arguments import flag, short
from ...downloads import check_sha256
from ...downloads.http import told
from ...errors import DataError, DownloadError, choose
from ...progress import followed
from .cache import VERSIONS, Record, file_of, find, folder_of, offline_error, server_name, write
from .content import check_content
from .entry import Neuron
from .names import check_name, file_name
from .searching import SearchResults, search, values
from .searching import neuron as ask_neuron
from .server import LARGEST_FILE, Server, server_of


def fetch(
    neuron: str | int | Neuron,
    *,
    version: str = "cng",
    sha256: str | None = None,
    lock: str | Path | None = None,
    refresh: bool = False,
    server: Server | None = None,
) -> Path:
    """The file of a reconstruction, fetched unless it is in the cache.

    Parameters
    ----------
    neuron : str, int or Neuron
        Its name or NeuroMorpho.Org ID, or what a search found.
    version : {"cng", "original"}, default "cng"
        The standardised SWC file that NeuroMorpho.Org makes, or the contributor's own file, in whatever format.
    sha256 : str, optional
        What the SHA-256 of the file must be.
    lock : path, optional
        A file that `lock` wrote: it holds the sum that the file must have, and must name the neuron.
    refresh : bool, default False
        Ask the server even if the file is in the cache, and raise if it has changed since.
    server : Server, optional
        How to ask.

    Returns
    -------
    Path
        In the cache; not to be changed.

    Raises
    ------
    ParameterError
        If an argument is impossible.
    DownloadError
        If there is no such neuron, no connection, or the file has another sum than it must.
    DataError
        If what comes is no reconstruction, or a lock does not name it.
    """
    return obtain(neuron, version=version, sha256=sha256, lock=lock, refresh=refresh, server=server).path


def obtain(
    neuron: str | int | Neuron,
    *,
    version: str = "cng",
    sha256: str | None = None,
    lock: str | Path | None = None,
    refresh: bool = False,
    server: Server | None = None,
) -> Record:
    """As `fetch`, with what is known about the file."""
    from .lockfile import locked

    used = server_of(server)
    choose("version", version, VERSIONS)
    flag("refresh", refresh)
    name = neuron.name if isinstance(neuron, Neuron) else neuron
    if not isinstance(name, int) or isinstance(name, bool):
        check_name("neuron", name)
    wanted = None if sha256 is None else check_sha256("sha256", sha256)
    if lock is not None:
        entry = locked(lock, name, version)
        if wanted not in (None, entry.sha256):
            raise DataError(f"{lock} has SHA-256 {entry.sha256} for {name!r}, and sha256={wanted}; give one of them")
        neuron, wanted = entry.neuron, entry.sha256
    known = find(name, version, neuron.archive if isinstance(neuron, Neuron) else None)
    if known is not None and not refresh:
        chosen = Record(known.neuron, version, wanted or known.sha256, known.url, known.fetched)
        if chosen.is_whole:
            return chosen
    if used.is_offline:
        why = " again (its file in the cache is missing, damaged, or not the one asked for)" if known else ""
        raise offline_error(f"fetching {name!r}{why}", str(name))
    about = neuron if isinstance(neuron, Neuron) else known.neuron if known else ask_neuron(name, server=used)
    expected = wanted or (known.sha256 if known else None)
    record = _download(about, version, expected, used)
    if known is None and wanted is None:
        faster = find(about.name, version, about.archive)  # another process, meanwhile
        if faster is not None and faster.sha256 != record.sha256:
            raise _changed(about, record.url, record.sha256, faster.sha256)
    if known is None or wanted is not None:
        write(record)
    return record


def _download(neuron: Neuron, version: str, expected: str | None, server: Server) -> Record:
    """Fetch a file into the place that its sum gives it."""
    url = server.file_url(neuron.archive, VERSIONS[version], server_name(neuron, version, neuron.name))
    with downloads.incoming(folder_of(neuron, version)) as folder:
        part = folder / "file"
        try:
            found = downloads.save(
                url,
                part,
                largest=LARGEST_FILE,
                sha256=expected,
                check=lambda path: check_content(path, url, swc=version == "cng"),
                manners=server.manners,
            )
        except DownloadError as error:
            raise _explained(error, neuron, version, url, expected) from error
        place = file_of(neuron, version, found)
        place.parent.mkdir(exist_ok=True)
        part.replace(place)
    return Record(neuron, version, found, url, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))


def _explained(error: DownloadError, neuron: Neuron, version: str, url: str, expected: str | None) -> DownloadError:
    """The error of a download, with what it means for reconstructions."""
    if error.sha256 is not None:
        return _changed(neuron, url, error.sha256, str(expected))
    if error.status == 404:
        other = "original" if version == "cng" else "cng"
        return DownloadError(
            f"NeuroMorpho.Org knows {short(neuron.name)} of {short(neuron.archive)}, and has no file for it at "
            f"{told(url)} (404); try "
            f"version={other!r}, or its page there",
            status=404,
        )
    return error


def _changed(neuron: Neuron, url: str, found: str, expected: str) -> DownloadError:
    return DownloadError(
        f"{short(neuron.name)} has changed at NeuroMorpho.Org: {told(url)} now has SHA-256 {found}, and {expected} is "
        f"what was recorded or asked for. Nothing was replaced. To use the new file, look at what changed and give "
        f"sha256='{found}', or make a new lock file; to keep to the old one, copy the cache of somebody who has it, or "
        "see whether the neuron's page there lists a previous version",
        sha256=found,
    )


def fetch_archive(
    archive: str, *, version: str = "cng", progress: bool = False, server: Server | None = None
) -> list[Path]:
    """The files of all neurons of an archive; what is in the cache is not asked for again.

    Interrupted, it goes on where it was: call it again.

    Parameters
    ----------
    archive : str
        As NeuroMorpho.Org spells it, such as ``"Wearne_Hof"``.
    version : {"cng", "original"}, default "cng"
        As for `fetch`.
    progress : bool, default False
        Show how far it is.
    server : Server, optional
        How to ask.

    Returns
    -------
    list of Path

    Raises
    ------
    DownloadError
        If there is no such archive (the message suggests close ones), no connection, or the server refuses.
    """
    used = server_of(server)
    flag("progress", progress)
    found = archive_neurons(archive, used)
    return [record.path for record in obtain_all(found, version=version, progress=progress, server=used)]


def archive_neurons(archive: str, server: Server) -> SearchResults:
    """All neurons of an archive, or an error that suggests archives that are close."""
    found = search(archive=check_name("archive", archive), page=500, server=server)
    if not len(found):
        raise DownloadError(f"NeuroMorpho.Org has no archive {archive!r}{_close_archives(archive, server)}", status=404)
    return found


def obtain_all(
    neurons: Iterable[str | int | Neuron], *, version: str, progress: bool | None, server: Server
) -> Iterator[Record]:
    """Records of several neurons, one after the other."""
    for neuron in followed(neurons, unit=" files", show=progress):
        yield obtain(neuron, version=version, server=server)


def _close_archives(archive: str, server: Server) -> str:
    import difflib

    try:
        known = {name.lower(): name for name in values("archive", server=server)}
    except DataError:
        return ""
    close = [known[name] for name in difflib.get_close_matches(archive.lower(), known, n=4)]
    return f"; close are {', '.join(map(short, close))}" if close else "; ds.neuromorpho.values('archive') lists them"


def safe_copy(record: Record, folder: Path) -> Path:
    """Copy a file out of the cache, under a name that every system takes."""
    import shutil

    from ...hdf5 import folder_for, replacing

    target = folder / server_name(record.neuron, record.version, file_name(record.neuron.name))
    folder_for(target)
    with replacing(target) as part:
        shutil.copyfile(record.path, part)
    return target
