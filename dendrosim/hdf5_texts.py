"""Texts of any length in HDF5 files, and the headers of objects, read without the HDF5 library.

The library (2.0 too) makes all the room that a file says a text needs before it looks for the text, and goes in circles
through some damaged heaps, where such texts lie. Formats: HDF5 File Format Specification 3.0, III.E (global heap), IV.A
(object headers and their messages). Addresses and lengths are those of eight bytes.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

REFERENCE = 16
"""Bytes that stand for a text: its length, the address of its heap, and its number there."""
_TYPE, _LAYOUT, _ATTRIBUTE, _CONTINUATION = 0x03, 0x08, 0x0C, 0x10
_FILLS = (0x04, 0x05)  # the old message, and that of today
_VIRTUAL = 3
_WITHOUT_HEAP = (0, 1, 3, 8)
"""Classes of types: whole numbers, floats, texts of one length, enumerations."""
_MOST_BLOCKS, _MOST_BYTES = 1000, 2**26
"""Of an object's header: no attribute is above 64 KiB there, and no object of dendrosim has a thousand."""
_MOST_TEXTS = 2**16
"""Of a heap: its numbers have two bytes."""


class Damaged(ValueError):
    """What a file says of its texts or headers cannot be."""


def text_of(file: BinaryIO, reference: bytes) -> str:
    """The text that a reference stands for, up to its first zero.

    Raises
    ------
    Damaged
        If there is none.
    """
    if len(reference) != REFERENCE:
        raise Damaged("a text has no place")
    length, address, index = struct.unpack("<IQI", reference)
    if not length:
        return ""
    header = _at(file, address, 16)
    if header[:5] != b"GCOL\x01":
        raise Damaged("a text is in no heap")
    at, end = address + 16, address + int.from_bytes(header[8:], "little")
    for _ in range(_MOST_TEXTS):
        if at + 16 > end:
            break
        number, size = struct.unpack("<H6xQ", _at(file, at, 16))
        if number == 0:  # the rest is free
            break
        if number == index:
            if length > size or size > end - at - 16:
                break
            return _at(file, at + 16, length).partition(b"\0")[0].decode("utf-8")
        at += 16 + -(-size // 8) * 8
    raise Damaged("a text is not in its heap")


def text_at(file: BinaryIO, offset: int) -> str:
    """The text whose reference lies at an offset.

    Raises
    ------
    Damaged
        If there is none.
    """
    return text_of(file, _at(file, offset, REFERENCE))


def attributes(file: BinaryIO, address: int) -> dict[str, bytes]:
    """First bytes of the attributes of an object: references, if they are texts; those kept in other ways are missing.

    Parameters
    ----------
    file : binary file
    address : int
        Of the header of the object.

    Raises
    ------
    Damaged
        If there is no such header, or two attributes have one name.
    """
    found: dict[str, bytes] = {}
    for kind, body, _ in _messages(file, address):
        if kind != _ATTRIBUTE or len(body) < 8 or body[0] not in (1, 2, 3):
            continue
        sizes = struct.unpack_from("<3H", body, 2)
        starts = [9 if body[0] == 3 else 8]
        for size in sizes:
            starts.append(starts[-1] + (-(-size // 8) * 8 if body[0] == 1 else size))
        name = body[starts[0] : starts[0] + sizes[0]].partition(b"\0")[0].decode("utf-8", "replace")
        if name in found:
            raise Damaged("two attributes have one name")
        found[name] = body[starts[3] : starts[3] + REFERENCE]
    return found


def hazard(file: BinaryIO, address: int) -> str:
    """Why the library would read a heap as soon as it opens an object: what that object does. Empty if it does not.

    Raises
    ------
    Damaged
        If there is no such header.
    """
    plain, filled = True, False
    for kind, body, shared in _messages(file, address):
        if kind == _LAYOUT and len(body) > 1 and body[0] > 3 and body[1] == _VIRTUAL:
            return "lies in another file"
        if kind == _TYPE:
            plain = plain and not shared and len(body) > 0 and body[0] & 15 in _WITHOUT_HEAP
        filled = filled or (kind in _FILLS and _fill(kind, body) > 0)
    return "" if plain or not filled else "is filled with something else than numbers"


def _fill(kind: int, body: bytes) -> int:
    """Bytes of a fill value."""
    if kind == _FILLS[0]:
        return int.from_bytes(body[:4], "little")
    if body[:1] == b"\x03":
        return int.from_bytes(body[2:6], "little") if body[1:2] and body[1] & 32 else 0
    return int.from_bytes(body[4:8], "little")


def _messages(file: BinaryIO, address: int) -> Iterator[tuple[int, bytes, bool]]:
    """Kinds and bodies of the messages of an object's header, and whether the body is kept elsewhere."""
    start = _at(file, address, 16)
    second = start[:4] == b"OHDR"
    if second:
        has = start[5]
        width = 1 << (has & 3)
        begin = address + 6 + (16 if has & 32 else 0) + (4 if has & 16 else 0)
        blocks = [(begin + width, int.from_bytes(_at(file, begin, width), "little"))]
        head = 6 if has & 4 else 4
    elif start[0] == 1:
        blocks, head = [(address + 16, int.from_bytes(start[8:12], "little"))], 8
    else:
        raise Damaged("an object has no header")
    room = _MOST_BYTES
    for place, size in blocks:  # grows on the way
        room -= size
        if room < 0 or len(blocks) > _MOST_BLOCKS:
            raise Damaged("an object has too long a header")
        block = _at(file, place, size)
        at = 0
        while at + head <= size:
            kind, length, flags = struct.unpack_from("<BHB" if second else "<HHB", block, at)
            body = block[at + head : at + head + length]
            if kind == _CONTINUATION and len(body) >= 16:
                further, much = struct.unpack_from("<QQ", body)
                blocks.append((further + 4, max(0, much - 8)) if second else (further, much))  # signature, checksum
            yield kind, body, bool(flags & 2)
            at += head + length


def _at(file: BinaryIO, address: int, size: int) -> bytes:
    """So many bytes from an address on."""
    if address + size > os.fstat(file.fileno()).st_size:
        raise Damaged("an address is beyond the end of the file")
    file.seek(address)
    return file.read(size)
