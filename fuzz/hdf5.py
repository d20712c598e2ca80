"""Target ``hdf5``: files of results that were changed, by one who knows the format or by chance.

The first byte says which kind of file, the second how it is changed: an even one by edits of what it holds, an odd one
in its bytes (a place and a value, or where it ends).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import h5py
import numpy as np

from .hdf5_edits import Choices, edit
from .hdf5_files import KINDS, folder, image, read
from .oracle import hold, refusing

LONGEST = 64
_MOST_EDITS = 6


def run(data: bytes) -> None:
    """Change a file, and read it."""
    choices = Choices(data)
    kind = KINDS[choices.below(len(KINDS))]
    path = folder() / f"{kind}.h5"
    if choices.below(2) == 0:
        path.write_bytes(image(kind))
        with h5py.File(path, "r+") as file:
            for _ in range(_MOST_EDITS):
                if choices:
                    edit(file, choices)
    else:
        content = bytearray(image(kind))
        for _ in range(_MOST_EDITS):
            if not choices:
                break
            at = choices.below(len(content))
            if choices.below(8):
                content[at] = choices.below(256)
            else:
                del content[at:]
                break
            hold(content, "a file of nothing")
        path.write_bytes(bytes(content))
    np.seterr(all="ignore")  # whatever numbers a file holds; those that are none are refused
    with refusing(OSError):
        read(kind, path)
    path.unlink()


def seeds() -> Iterator[bytes]:
    """Every kind of file as it is, with every kind of edit, and cut short."""
    for kind in range(len(KINDS)):
        yield bytes([kind])
        yield from (bytes([kind, 0, change, 3, 5, 1]) for change in range(13))
        yield bytes([kind, 1, 200, 1, 1, 7, 90, 8, 1, 255])
        yield bytes([kind, 1, 200, 10, 0])


def forget() -> None:
    """Remove what was written."""
    shutil.rmtree(folder(), ignore_errors=True)
