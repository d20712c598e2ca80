"""Who trains a run: one process at a time, whatever machine it is on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Claim a run while it is trained; the system ends the claim when the process ends, in whatever way.

    Where the file system knows no locks, every claim is granted: two processes may then train the same run, which
    costs time and changes nothing, as both write the same.

    Parameters
    ----------
    path : Path
        File of the run; its folder exists. A hidden file beside it is locked meanwhile.

    Yields
    ------
    bool
        False if another process has it.
    """
    lock = path.with_name(f".{path.name}.lock")
    handle = _locked(lock)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            if os.name == "posix":  # elsewhere what is open cannot be removed
                lock.unlink(missing_ok=True)
            os.close(handle)


def _locked(lock: Path) -> int | None:
    """The locked file, or None if it is locked already."""
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(handle)
            # whoever had it before may have removed the file between opening and locking
            if os.name != "posix" or os.fstat(handle).st_nlink:
                return handle
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return handle
            os.close(handle)
            if error.errno in _TAKEN:
                return None
            raise
        os.close(handle)


def _lock(handle: int) -> None:
    """Lock a file or raise at once."""
    if os.name == "posix":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        locking, how = getattr(msvcrt, "locking"), getattr(msvcrt, "LK_NBLCK")  # noqa: B009 - not there for mypy here
        locking(handle, how, 1)
