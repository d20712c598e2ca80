"""Where the files of a public data set are: in the user's own folder, in a cache, or on the way from its authors."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..arguments import short
from ..errors import DataError

SECONDS = 30  # without an answer from the server


@dataclass(frozen=True)
class Collection:
    """The official files of a data set.

    Parameters
    ----------
    title : str
        Its name, for messages.
    folder : str
        Where the files are, below ``DENDROSIM_DATA`` or the cache.
    files : tuple of str
        Their names.
    url : str
        Where what is downloaded lies.
    sums : dict of str to str
        What is downloaded: names below `url`, and SHA-256 sums. Either the files themselves, or one archive of them.
    """

    title: str
    folder: str
    files: tuple[str, ...]
    url: str
    sums: Mapping[str, str]


def obtain(collection: Collection, url: str | None = None) -> Path:
    """The folder that holds all files of a collection.

    It is looked for below ``DENDROSIM_DATA``, then in the cache (``DENDROSIM_CACHE``, or the folder that the system has
    for caches). What is in neither is downloaded into the cache, and kept only if its SHA-256 is right.

    Parameters
    ----------
    collection : Collection
        What is wanted.
    url : str, optional
        Where to download from, instead of the official place.

    Raises
    ------
    DataError
        If ``DENDROSIM_DATA`` is no folder, files are missing from the folder of the collection, or they cannot be
        downloaded.
    """
    root = os.environ.get("DENDROSIM_DATA")
    elsewhere = f"put {listed(collection.files)} into {collection.folder}/ below the folder that DENDROSIM_DATA names"
    if root:
        own = Path(root).expanduser()
        if not own.is_dir():
            raise DataError(f"DENDROSIM_DATA={root!r} is no folder; name one that exists, or unset it to download")
        if (own / collection.folder).is_dir():
            return _complete(own / collection.folder, collection)
        elsewhere += f", {own} (it has no {collection.folder}/ yet)"
    cache = _cache() / collection.folder
    if set(collection.sums) == set(collection.files):
        for name in collection.files:
            _download(name, cache, collection, url, elsewhere)
    elif not cache.is_dir():
        (archive,) = collection.sums
        path = _download(archive, cache.parent, collection, url, elsewhere)
        _unpack(path, cache, collection)
        path.unlink(missing_ok=True)
    return _complete(cache, collection)


def listed(names: tuple[str, ...]) -> str:
    """Names in one phrase."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _cache() -> Path:
    """The folder for downloads."""
    import pooch

    given = os.environ.get("DENDROSIM_CACHE")
    return Path(given).expanduser() if given else Path(pooch.os_cache("dendrosim"))


def _complete(folder: Path, collection: Collection) -> Path:
    """The folder, if it has all files.

    Raises
    ------
    DataError
        If it has not; the message lists them.
    """
    missing = tuple(name for name in collection.files if not (folder / name).is_file())
    if missing:
        raise DataError(
            f"{folder} lacks {listed(missing)} of {collection.title}; complete it with the official files, or take the "
            "folder away to download them all"
        )
    return folder


def _download(name: str, folder: Path, collection: Collection, url: str | None, elsewhere: str) -> Path:
    """One file in `folder`, fetched unless it is there with the right sum. A failure leaves nothing behind.

    Raises
    ------
    DataError
        If it cannot be fetched, or is not what it should be.
    """
    import pooch

    source = f"{(url or collection.url).rstrip('/')}/{name}"
    fetch = pooch.HTTPDownloader(timeout=SECONDS)
    try:
        path = pooch.retrieve(source, f"sha256:{collection.sums[name]}", fname=name, path=folder, downloader=fetch)
    except OSError as error:  # of the disk, or of the network: those of requests are OSErrors too
        raise DataError(
            f"{collection.title}: {source} cannot be downloaded to {folder} ({short(str(error), 160)}); nothing was "
            f"kept. Try again with a connection to the internet, or {elsewhere}"
        ) from error
    except ValueError as error:  # the sum
        raise DataError(
            f"{collection.title}: what {source} sends is not the official file ({short(str(error), 300)}); nothing was "
            f"kept. Try again, or {elsewhere}"
        ) from error
    return Path(path)


def _unpack(archive: Path, folder: Path, collection: Collection) -> None:
    """Take the files of a collection out of an archive, all of them or none.

    Raises
    ------
    DataError
        If a file is missing from the archive.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent.parent) as name, tarfile.open(archive) as tar:
        inside = Path(name) / "files"
        inside.mkdir()
        for file in collection.files:
            try:
                content = tar.extractfile(f"{folder.name}/{file}")
            except KeyError:
                content = None
            if content is None:
                raise DataError(f"{archive} has no file {folder.name}/{file}; it is no archive of {collection.title}")
            with content, open(inside / file, "wb") as copy:
                shutil.copyfileobj(content, copy)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            inside.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
