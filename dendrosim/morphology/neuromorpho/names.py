"""Names from a server, made safe: for addresses, and for files on every system."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

from ...arguments import short
from ...errors import ParameterError
from ...shown import printable

LONGEST = 200
"""Characters that a name may have."""
_LONGEST_PART = 120
"""Of a part of a path: beside it, a half-written file bears the names of its host and its process, in 255 in all."""
_PLAIN = " _-.()+,=@~"
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # of Windows, with any ending
_ENDING = re.compile(r"[A-Za-z0-9]{1,8}")


def check_name(name: str, value: object) -> str:
    """A name of a neuron or an archive that can be part of an address and of a path.

    Parameters
    ----------
    name : str
        What it is, for the message.
    value : object
        What was given, by a caller or by a server.

    Raises
    ------
    ParameterError
        If it is no text, too long, or leads elsewhere: no separators, no control characters, no leading dot.
    """
    if not isinstance(value, str) or not value.strip():
        raise ParameterError(f"{name}={short(value)} is no name; such is 'cnic_001'")
    if len(value) > LONGEST:
        raise ParameterError(f"{name}={short(value)} has {len(value):,} characters; a name has {LONGEST} at most")
    if any(c in "/\\" or not printable(c) for c in value) or value[0] == ".":
        raise ParameterError(
            f"{name}={short(value)} is no name: separators of paths, control characters and a leading dot are refused"
        )
    return value


def file_name(name: str) -> str:
    """A name as part of a path, the same for no other name.

    Characters that a file system may refuse are percent-encoded, and so is the beginning of what Windows takes for a
    device. What becomes too long ends with a sum instead.
    """
    text = quote(name, safe=_PLAIN)
    if text[0] == " " or _DEVICES.match(text):
        text = f"%{ord(text[0]):02X}{text[1:]}"
    if text[-1] in ". ":
        text = f"{text[:-1]}%{ord(text[-1]):02X}"
    if len(text) > _LONGEST_PART:
        text = f"{text[: _LONGEST_PART - 34]}%~{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return text


def url_part(name: str) -> str:
    """A name as part of an address."""
    return quote(name, safe="")


def ending_of(original_format: object) -> str:
    """Ending of an original file, such as ``asc`` of ``Neurolucida.asc``; empty where there is none that could be."""
    ending = original_format.rpartition(".")[2] if isinstance(original_format, str) and "." in original_format else ""
    return ending if _ENDING.fullmatch(ending) else ""
