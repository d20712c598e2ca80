"""Global heaps of HDF5 files, where texts of any length lie: HDF5 (2.0 too) reads some damaged ones for ever."""

from __future__ import annotations

import mmap
import os
import struct
from functools import lru_cache
from pathlib import Path

_SIGNATURE = b"GCOL\x01"
_HEADER, _LEAST = 16, 4096
_BLOCK = 2**24
_MOST = 1_000_000
"""Objects that are looked at; no heap has more than 65,535, and files of dendrosim have a few hundred in all."""


def whole(path: Path) -> bool:
    """Whether every global heap of a file leads from its first object to its end.

    An object says how long it is, and the next one begins there: one of length 0, or one that is longer than the rest,
    leads HDF5 in a circle or out of the heap. Addresses and lengths are those of eight bytes.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    now = os.stat(path)
    return _whole(str(path), now.st_size, now.st_mtime_ns, now.st_ino)


@lru_cache(maxsize=256)
def _whole(path: str, size: int, changed: int, inode: int) -> bool:
    if not size:
        return True
    looked_at = 0
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for begin in _heaps(content):
            if begin + _HEADER > len(content):
                continue
            end = begin + int.from_bytes(content[begin + 8 : begin + _HEADER], "little")
            if end < begin + _LEAST or end > len(content):  # HDF5 refuses it, if it is one at all
                continue
            at = begin + _HEADER
            while at + _HEADER <= end:
                index, length = struct.unpack_from("<H6xQ", content, at)
                step = length if index == 0 else _HEADER + -(-length // 8) * 8
                looked_at += 1
                if step == 0 or step > end - at or looked_at > _MOST:
                    return False
                at += step
    return True


def _heaps(content: mmap.mmap) -> list[int]:
    """Where heaps begin; `mmap.find` would compare byte by byte."""
    found = []
    for first in range(0, len(content), _BLOCK):
        block = content[first : first + _BLOCK + len(_SIGNATURE) - 1]
        at = block.find(_SIGNATURE)
        while at >= 0:
            found.append(first + at)
            at = block.find(_SIGNATURE, at + 1)
    return found
