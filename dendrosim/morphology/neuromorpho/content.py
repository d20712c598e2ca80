"""Whether a file that came is a reconstruction: no web page, no archive, and not cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...arguments import short
from ...errors import DataError
from ...shown import clean

_LINE = 2**16


def check_content(path: Path, url: str, swc: bool) -> None:
    """Raise if a file is not what it should be.

    Whether the cell in it makes sense is for the reader to say; this keeps what is no reconstruction at all out of the
    cache.

    Parameters
    ----------
    path : Path
        The complete file.
    url : str
        Where it is from, for messages.
    swc : bool
        Whether it must be SWC; of other formats only empty files and web pages are refused.

    Raises
    ------
    DataError
        Says what it is instead.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
        stream.seek(0, 2)
        size = stream.tell()
        stream.seek(max(0, size - _LINE))
        tail = stream.read(_LINE)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    begins = short(clean(head[:60].decode("latin-1"), 60), 70)
    if not text:
        raise DataError(f"{url} sends an empty file; nothing was kept. NeuroMorpho.Org may be at work on it, try later")
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<body")) or (swc and text.startswith(b"<")):
        raise DataError(
            f"{url} sends a web page in place of a reconstruction (it begins {begins}); nothing was kept. "
            "NeuroMorpho.Org may be closed for maintenance, or something in between asks you to sign in"
        )
    if not swc:
        return
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{url} sends something that is no text (it begins {begins}); nothing was kept")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    if not any(_is_sample(line) for line in _lines(path)):
        raise DataError(f"{url} sends text without a single sample (it begins {begins}); nothing was kept")
    last = tail.replace(b"\r", b"\n").rstrip().rpartition(b"\n")[2]
    if not last.startswith(b"#") and len(last.split()) < 7:
        ends = short(clean(last.decode("latin-1"), 60), 70)
        raise DataError(f"{url} ends in the middle of a line ({ends}): it was cut short; nothing was kept, try again")


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while line := stream.readline(_LINE):
            yield from line.replace(b"\r", b"\n").split(b"\n")


def _is_sample(line: bytes) -> bool:
    parts = line.split(None, 7)[:7]
    try:
        return len(parts) == 7 and all(float(part) == float(part) for part in parts)
    except ValueError:
        return False
