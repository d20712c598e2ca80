"""Where the files of a public data set are: in the user's own folder, in a cache, or on the way from its authors."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..downloads import cache_folder, save, sha256_of
from ..errors import DataError, DownloadError

LARGEST = 512 * 2**20
"""Bytes that a file may have that is downloaded."""
MOST_UNPACKED = 2 * 2**30
"""Bytes that an archive may unpack to."""


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
    cache = cache_folder() / collection.folder
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
    source, path = f"{(url or collection.url).rstrip('/')}/{name}", folder / name
    try:
        if not path.is_file() or sha256_of(path) != collection.sums[name]:
            save(source, path, largest=LARGEST, sha256=collection.sums[name])
    except DownloadError as error:
        if error.sha256 is None:
            raise DataError(
                f"{collection.title}: {source} cannot be downloaded to {folder} ({_cut(error)}); nothing was kept. Try "
                f"again with a connection to the internet, or {elsewhere}"
            ) from error
        raise DataError(
            f"{collection.title}: what {source} sends is not the official file (SHA-256 {error.sha256}, expected "
            f"{collection.sums[name]}); nothing was kept. Try again, or {elsewhere}"
        ) from error
    except OSError as error:  # of the disk
        raise DataError(
            f"{collection.title}: {source} cannot be downloaded to {folder} ({_cut(error)}); nothing was kept. Choose "
            f"another folder with DENDROSIM_CACHE, or {elsewhere}"
        ) from error
    return path


def _cut(error: OSError) -> str:
    text = str(error)
    return text if len(text) <= 260 else f"{text[:256]} ..."


def _unpack(archive: Path, folder: Path, collection: Collection) -> None:
    """Take the files of a collection out of an archive, all of them or none.

    Members are read in passing, and nothing else is written: neither links nor folders, nor what has another name.

    Raises
    ------
    DataError
        If a file is missing from the archive, is none, or the archive unpacks to more than a data set has.
    """
    wanted = {f"{folder.name}/{file}": file for file in collection.files}
    with tempfile.TemporaryDirectory(dir=folder.parent.parent) as name:
        inside = Path(name) / "files"
        inside.mkdir()
        try:
            with gzip.open(archive) as stream, _open_tar(_Bounded(stream, archive)) as tar:
                for member in tar:
                    file = wanted.pop(member.name, None)
                    content = None if file is None or not member.isreg() else tar.extractfile(member)
                    if file is not None and content is None:
                        raise DataError(f"{archive}: {member.name} is no plain file; the archive is not used")
                    if file is not None and content is not None:
                        with content, open(inside / file, "wb") as copy:
                            shutil.copyfileobj(content, copy)
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{archive} is damaged ({error}); remove it, to download it again") from error
        if wanted:
            raise DataError(f"{archive} has no file {min(wanted)}; it is no archive of {collection.title}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            inside.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise


def _open_tar(stream: Any) -> tarfile.TarFile:
    """A tar file that is read once, from its beginning to its end."""
    return tarfile.open(fileobj=stream, mode="r|")


class _Bounded:
    """What a stream unpacks to, up to as much as a data set may have."""

    def __init__(self, stream: gzip.GzipFile, archive: Path) -> None:
        self.stream, self.archive, self.left = stream, archive, MOST_UNPACKED

    def read(self, size: int) -> bytes:
        content = self.stream.read(min(size, self.left + 1))
        self.left -= len(content)
        if self.left < 0:
            raise DataError(
                f"{self.archive} unpacks to more than {MOST_UNPACKED:,} bytes, more than a data set has; it is not used"
            )
        return content
