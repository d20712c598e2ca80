"""Files from servers: verified, bounded, whole or not at all, in a folder of their own.

The address must begin with https (`http.check_url`), the certificate must be right, and what is kept has the sum that
is expected where one is known.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..arguments import path as given_path
from ..arguments import short
from ..errors import DownloadError, ParameterError
from .http import chunks, exchange, told
from .pace import Manners

if TYPE_CHECKING:
    from requests import Response

_SWITCH = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}
_A_DAY = 86400.0


class Answer(NamedTuple):
    """What a server sent: the bytes, and what it says that they are."""

    content: bytes
    kind: str


def cache_folder() -> Path:
    """The folder for downloads: the one that ``DENDROSIM_CACHE`` names, or the system's for caches."""
    import pooch

    given = os.environ.get("DENDROSIM_CACHE")
    return Path(given_path("DENDROSIM_CACHE", given) if given else pooch.os_cache("dendrosim"))


def offline() -> bool:
    """Whether ``DENDROSIM_OFFLINE`` forbids downloads.

    Raises
    ------
    ParameterError
        If its value is neither yes nor no.
    """
    given = os.environ.get("DENDROSIM_OFFLINE", "")
    if given.strip().lower() not in _SWITCH:
        raise ParameterError(f"DENDROSIM_OFFLINE={short(given)} is neither 1 (nothing is downloaded) nor 0")
    return _SWITCH[given.strip().lower()]


def _refuse_offline(url: str) -> None:
    if offline():
        raise DownloadError(
            f"{told(url)} is not asked for: DENDROSIM_OFFLINE forbids downloads; unset it to allow them"
        )


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal digits.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    import pooch

    return str(pooch.file_hash(str(path), alg="sha256"))


def check_sha256(name: str, value: object) -> str:
    """A SHA-256 in lower-case hexadecimal digits.

    Raises
    ------
    ParameterError
        If it is none.
    """
    text = value.strip().lower().removeprefix("sha256:") if isinstance(value, str) else ""
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise ParameterError(f"{name}={short(value)} is no SHA-256: it has 64 hexadecimal digits")
    return text


def read(url: str, *, largest: int, params: Mapping[str, Any] | None = None, manners: Manners | None = None) -> Answer:
    """What a server sends, in memory.

    Parameters
    ----------
    url : str
        Over https.
    largest : int
        Most bytes that are taken.
    params : mapping, optional
        Of the query; a list gives a parameter several times.
    manners : Manners, optional
        How to ask.

    Raises
    ------
    DownloadError
        If there is no answer, it is an error, or larger.
    """

    def consume(response: Response) -> Answer:
        content = b"".join(chunks(response, url, largest))
        return Answer(content, str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower())

    _refuse_offline(url)
    return exchange(url, params, manners or Manners(), consume)


def save(
    url: str,
    path: Path,
    *,
    largest: int,
    sha256: str | None = None,
    check: Callable[[Path], None] | None = None,
    manners: Manners | None = None,
) -> str:
    """Write what a server sends into a file: all of it, verified, or nothing.

    Several processes may write the same file at a time; each one replaces it as a whole.

    Parameters
    ----------
    url : str
        Over https.
    path : Path
        File to write; its folder is made where it does not exist.
    largest : int
        Most bytes that are taken.
    sha256 : str, optional
        What the sum must be.
    check : callable, optional
        Looks at the complete file before it takes its place, and raises what is to be raised.
    manners : Manners, optional
        How to ask.

    Returns
    -------
    str
        SHA-256 of the file.

    Raises
    ------
    DownloadError
        If there is no answer, it is an error, larger, cut short, or has another sum.
    OSError
        If the file cannot be written.
    """
    from ..hdf5 import leftover, replacing

    def consume(response: Response) -> str:
        with replacing(path) as part:
            found = hashlib.sha256()
            with part.open("wb") as stream:
                for chunk in chunks(response, url, largest):
                    found.update(chunk)
                    stream.write(chunk)
            if sha256 is not None and found.hexdigest() != sha256:
                raise DownloadError(
                    f"{told(url)} sends a file with SHA-256 {found.hexdigest()}, where {sha256} is expected",
                    sha256=found.hexdigest(),
                )
            if check is not None:
                check(part)
        return found.hexdigest()

    path.parent.mkdir(parents=True, exist_ok=True)
    for half in path.parent.glob(".*"):
        with suppress(OSError):  # of somebody else, in a folder that is shared
            if leftover(half):
                half.unlink()
    _refuse_offline(url)
    return exchange(url, None, manners or Manners(), consume)


@contextmanager
def incoming(folder: Path) -> Iterator[Path]:
    """A folder of one's own below `folder`, for files whose place is known once they are there; gone at the end.

    What processes that were killed have left is swept after a day.
    """
    import tempfile

    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(".incoming-*"):
        try:
            stale = time.time() - old.stat().st_mtime > _A_DAY
        except OSError:
            continue
        if stale:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-", ignore_cleanup_errors=True) as name:
        yield Path(name)
