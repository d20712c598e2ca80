"""What every target may do with its input: succeed, or refuse in a documented way and in few words."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dendrosim.errors import DendrosimError, MorphologyWarning, StoreWarning

LONGEST = 1000
"""Characters of a message; of one line, where the message is a list of faults."""


class Violation(Exception):
    """Something that should not have been possible."""


@contextmanager
def refusing(*also: type[Exception]) -> Iterator[list[Exception]]:
    """Let documented errors pass, and nothing else; what was refused is appended to the list.

    Warnings are errors, but for those that say something about the file.
    """
    refused: list[Exception] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in (MorphologyWarning, StoreWarning):
            warnings.simplefilter("ignore", kind)
        warnings.filterwarnings("ignore", "this point MLP was stored by an earlier version", UserWarning)
        try:
            yield refused
        except (DendrosimError, *also) as error:
            short(str(error))
            refused.append(error)


def short(message: str) -> None:
    """See that a message is one that somebody would read."""
    longest = max(map(len, message.split("\n")))
    if longest > LONGEST:
        raise Violation(f"a message of {longest} characters: {message[:200]} ... {message[-100:]}")


def hold(condition: object, what: str) -> None:
    """Something that must be so."""
    if not condition:
        raise Violation(what)


def workplace() -> Path:
    """A folder of this process for files, in memory where the system has such a place."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix=f"fuzz-{os.getpid()}-", dir=memory if memory.is_dir() else None))
