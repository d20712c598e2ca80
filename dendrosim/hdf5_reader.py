"""Reading HDF5 files of whatever origin: nothing outside of them, nothing that runs, and no more than they can hold."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from .arguments import short
from .errors import FileFormatError
from .hdf5_texts import attributes, hazard, text_at, text_of

LARGEST = 8 * 2**30
"""Bytes that a file may ask to be read into memory, unless the caller says otherwise."""
_MOST_OBJECTS = 100_000
_DEEPEST = 32
_MOST_ATTRIBUTES, _LARGEST_ATTRIBUTE = 1000, 2**16
_DENSEST = 1032
"""Bytes that a byte of a deflated stream can stand for at most."""
_SLACK = 2**20
_TEXT = 4
"""Bytes per byte of text: numpy holds characters in four."""
_PLAIN = "biufSU"  # kinds of values that are read; text of variable length is read as well, and nothing else
_OF_HDF5 = (ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What h5py raises for damaged files."""


@contextmanager
def opened(path: Path, largest: int = LARGEST) -> Iterator[tuple[Any, Reader]]:
    """A file that is open for reading, and what reads from it with care.

    Parameters
    ----------
    path : Path
    largest : int, default 8 GiB
        Most bytes that all arrays together may take in memory.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read.
    FileFormatError
        If it is no HDF5 file; and for every error of HDF5 while it is open.
    """
    import h5py

    with path.open("rb") as stream:
        stream.read(1)  # h5py hides the reason why a file cannot be read
        if not h5py.is_hdf5(path):
            raise FileFormatError(
                f"{path} is no HDF5 file; it was not written by dendrosim, or its beginning is damaged"
            )
        try:
            with h5py.File(path, "r") as file:
                yield file, Reader(path, largest, file, stream)
        except FileFormatError:
            raise
        except _OF_HDF5 as error:
            reason = short(str(error), 300)
            raise FileFormatError(f"{path} is damaged or was cut short ({reason}); restore it from a copy") from error


class Reader:
    """Reads groups, datasets and attributes, counting objects and bytes.

    Parameters
    ----------
    path : Path
        For messages, and for its size: arrays may promise no more than so many bytes can hold.
    largest : int
        Most bytes that all arrays together may take in memory.
    file : h5py.File
    stream : binary file
        The same, as bytes.

    Raises
    ------
    FileFormatError
        If addresses are counted in another way than from the beginning of the file in eight bytes.
    """

    def __init__(self, path: Path, largest: int, file: Any, stream: BinaryIO) -> None:
        self.path, self.largest, self._stream = path, largest, stream
        self.most = _SLACK + _DENSEST * path.stat().st_size
        self.objects = self.bytes = self.promised = 0
        if file.userblock_size or file.id.get_create_plist().get_sizes() != (8, 8):
            self._refuse("it begins with something else, or its addresses are not of eight bytes")

    def group(self, group: Any, depth: int = 0, leave: Collection[str] = ()) -> dict[str, Any]:
        """Everything in a group but what is named in `leave`: names to arrays, text, or further dicts."""
        import h5py

        if not isinstance(group, h5py.Group):
            self._refuse(f"{short(str(getattr(group, 'name', None)), 200)} is no group")
        content: dict[str, Any] = {}
        for name in group:
            if name in leave:
                continue
            if depth > _DEEPEST:
                self._too_many()
            value = self.member(group, name)
            content[name] = self.group(value, depth + 1) if isinstance(value, h5py.Group) else self.dataset(value)
        return content

    def member(self, group: Any, name: str) -> Any:
        """A group or dataset that is in this file."""
        import h5py

        self._count(1)
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            self._refuse(f"{short(group.name.rstrip('/') + '/' + name, 200)} is a link to elsewhere")
        found = hazard(self._stream, group.id.links.get_info(name.encode("utf-8", "surrogateescape")).u)
        if found:
            self._refuse(f"{short(name, 200)} {found}")
        return group[name]

    def plain(self, dataset: Any) -> None:
        """See that a dataset holds numbers or text, here, and that the file is large enough for what it promises."""
        import h5py

        name = short(str(getattr(dataset, "name", None)), 200)
        if not isinstance(dataset, h5py.Dataset) or dataset.shape is None or not _readable(dataset.dtype):
            self._refuse(f"{name} holds neither numbers nor text")
        text = h5py.check_string_dtype(dataset.dtype)
        if dataset.is_virtual or dataset.external:
            self._refuse(f"{name} lies in another file")
        if text is not None and text.length is None and dataset.shape != ():
            self._refuse(f"{name} holds an array of texts of any length")
        packed = _filters(dataset)
        if packed is None:
            self._refuse(f"{name} is packed in another way than by gzip")
        size = math.prod(dataset.shape) * dataset.dtype.itemsize
        self.bytes += size * (1 if text is None else _TEXT)
        if self.bytes > self.largest:
            raise FileFormatError(
                f"{self.path} asks for more than {self.largest / 2**30:.3g} GiB of memory; it is damaged, or give a "
                "larger limit"
            )
        self.promised += size
        if self.promised > self.most or size > dataset.id.get_storage_size() * (_DENSEST if packed else 1):
            raise FileFormatError(f"{self.path}: {name} promises more values than the file holds; it is damaged")

    def place(self, group: Any, name: str) -> tuple[np.dtype[Any], int | None, tuple[int, ...]]:
        """Type, offset in the file (None if empty) and shape of a dataset of numbers that lies there in one piece."""
        import h5py

        if name not in group:
            raise FileFormatError(f"{self.path} has no {name}; it is damaged, restore it from a copy")
        dataset = self.member(group, name)
        if not isinstance(dataset, h5py.Dataset) or dataset.shape is None or dataset.dtype.kind not in "biuf":
            self._refuse(f"{name} holds no numbers")
        offset = None if dataset.is_virtual or dataset.external or dataset.chunks else dataset.id.get_offset()
        if offset is None and math.prod(dataset.shape):
            self._refuse(f"{name} does not lie in one piece")
        return dataset.dtype, offset, dataset.shape

    def dataset(self, dataset: Any) -> Any:
        """Values of a dataset as an array, or as text."""
        import h5py

        self.plain(dataset)
        text = h5py.check_string_dtype(dataset.dtype)
        if text is not None and text.length is None:
            offset = None if dataset.chunks else dataset.id.get_offset()
            if offset is None:
                self._refuse(f"{short(dataset.name, 200)} is a text that does not lie in one piece")
            return text_at(self._stream, offset)
        values = self._unpacked(dataset) if _filters(dataset) else dataset[()]
        if text is None:
            return np.asarray(values)
        if dataset.shape == ():
            return values.decode("utf-8")
        return np.array([one.decode("utf-8") for one in values.ravel().tolist()], str).reshape(values.shape)

    def attributes(self, thing: Any) -> dict[str, Any]:
        """Attributes of the file, a group or a dataset: numbers and text."""
        import h5py

        if len(thing.attrs) > _MOST_ATTRIBUTES:
            raise FileFormatError(f"{self.path} has {len(thing.attrs)} attributes; no file of dendrosim has so many")
        found: dict[str, Any] = {}
        references = attributes(self._stream, h5py.h5o.get_info(thing.id).addr)
        for name in thing.attrs:
            kept = thing.attrs.get_id(name)
            if kept.shape != () or kept.dtype.itemsize > _LARGEST_ATTRIBUTE or not _readable(kept.dtype):
                self._refuse(f"attribute {short(name)} is neither a number nor a text")
            text = h5py.check_string_dtype(kept.dtype)
            if text is None or text.length is not None:
                value = thing.attrs[name]
            elif name in references:
                value = text_of(self._stream, references[name])
            else:
                self._refuse(f"attribute {short(name)} is a text that is not kept with what it belongs to")
            if isinstance(value, str) and len(value) > _LARGEST_ATTRIBUTE:
                self._refuse(f"attribute {short(name)} is a text of {len(value)} characters")
            value = value.item() if isinstance(value, np.generic) else value
            found[name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        return found

    def _unpacked(self, dataset: Any) -> Any:
        """Values of a compressed dataset.

        Chunks are unpacked here: HDF5 would give a chunk all the memory that it asks for before it sees that this is
        not the size of a chunk.
        """
        import h5py

        kind, chunks, filters = dataset.dtype, dataset.chunks, _filters(dataset) or ()
        if not dataset.id.get_type().equal(h5py.h5t.py_create(kind, logical=True)):
            self._refuse(f"{short(dataset.name, 200)} has values of an unusual kind")
        self._count(math.prod(-(-n // c) for n, c in zip(dataset.shape, chunks, strict=True)))
        size = math.prod(chunks) * kind.itemsize
        if size > self.most:
            raise FileFormatError(f"{self.path}: {short(dataset.name, 200)} has chunks of {size:.3g} bytes")
        values = np.empty(dataset.shape, kind)
        for place in dataset.iter_chunks():
            skipped, content = dataset.id.read_direct_chunk(tuple(part.start for part in place))
            for i in reversed(range(len(filters))):
                if skipped >> i & 1:
                    continue
                if filters[i] == h5py.h5z.FILTER_DEFLATE:
                    content = zlib.decompressobj().decompress(content, size + 1)
                else:
                    content = np.frombuffer(content, np.uint8).reshape(kind.itemsize, -1).T.tobytes()
            block = np.frombuffer(content, np.uint8 if kind.kind == "b" else kind).reshape(chunks)
            values[place] = block[tuple(slice(part.stop - part.start) for part in place)]
        return values

    def _count(self, objects: int) -> None:
        self.objects += objects
        if self.objects > _MOST_OBJECTS:
            self._too_many()

    def _too_many(self) -> NoReturn:
        raise FileFormatError(f"{self.path} has too many objects, or groups within groups, to be a run")

    def _refuse(self, what: str) -> NoReturn:
        raise FileFormatError(f"{self.path}: {what}; such files are not read")


def _readable(kind: np.dtype[Any]) -> bool:
    """Whether values of a type are numbers, truth values or text."""
    import h5py

    return kind.kind in _PLAIN or h5py.check_string_dtype(kind) is not None


def _filters(dataset: Any) -> tuple[int, ...] | None:
    """What the chunks of a dataset went through, in this order; None if `hdf5.write_hdf5` never does that."""
    import h5py

    properties = dataset.id.get_create_plist()
    used = tuple(properties.get_filter(i)[0] for i in range(properties.get_nfilters()))
    known = ((), (h5py.h5z.FILTER_DEFLATE,), (h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE))
    return used if used in known else None


def table_of(text: object, where: str) -> dict[str, Any]:
    """The JSON object that a text in a file stands for.

    Parameters
    ----------
    text : str
    where : str
        The file and what the text is, for the message.

    Raises
    ------
    FileFormatError
        If it is none.
    """
    try:
        found = json.loads(text)  # type: ignore[arg-type]
    except (TypeError, ValueError, RecursionError) as error:
        reason = short(str(error), 100)
        raise FileFormatError(f"{where} is no JSON ({reason}); it is damaged, restore it from a copy") from error
    if not isinstance(found, dict):
        raise FileFormatError(f"{where} is {short(found)}, not a table; it is damaged, restore it from a copy")
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
        level = [one for one in level if isinstance(one, dict | list)]
    if level:
        raise FileFormatError(f"{where} has tables more than {_DEEPEST} deep; it is damaged, restore it from a copy")
    return found
