"""SWC files: read without losing or inventing a point, and written so that nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .. import arguments
from ..errors import MorphologyError
from ..hdf5 import replacing
from .checked import checked
from .formats import HEAD, binary, refusal
from .repair import check_names
from .report import Fault, Report
from .rows import Rows, read_rows
from .samples import Samples

_BOM = b"\xef\xbb\xbf"


def read_swc(
    source: str | os.PathLike[str] | bytes, *, repair: str | Iterable[str] = (), minimum_radius: float | None = None
) -> tuple[Samples | None, Report]:
    """Read and check an SWC file; every line becomes a sample, a comment, or a fault of the report.

    Parameters
    ----------
    source : str, path or bytes
        The file; a string with a line break in it, or bytes, are taken as the text itself.
    repair : str or iterable of str
        Names of repairs to make, in this order (see `dendrosim.morphology.repair.REPAIRS`); none is made unasked.
    minimum_radius : float, optional
        In um, for the repair ``zero_radius``.

    Returns
    -------
    samples : Samples or None
        None if the lines do not make one tree. Whether they can be used is for ``report.ok`` to say.
    report : Report
        Every fault of the file; after repairs, those that remain, and every change.

    Raises
    ------
    MorphologyError
        If the file cannot be opened, or is not text.
    ParameterError
        If a repair is not known.
    """
    names = check_names(repair)
    name, data = _open(source)
    text, encoding, faults = _plain(data)
    rows = read_rows(text, encoding)
    faults += rows.faults + _oddities(rows)
    if rows.n_data_lines == 0:
        message = "the file is empty" if rows.n_lines == 0 else "no samples, only comments or blank lines"
        code = "empty-file" if rows.n_lines == 0 else "no-samples"
        faults.append(Fault(code, "error", max(rows.n_lines, 1), None, f"{message}: nothing to load"))
    return checked(
        (rows.id, rows.type, rows.xyz, rows.radius, rows.parent_id),
        rows.line,
        Report(name, tuple(faults), rows.n_lines, rows.n_data_lines, rows.id.size),
        names,
        minimum_radius,
        unreadable=rows.unreadable,
        comments=rows.comments,
        trailing=rows.trailing,
    )


def write_swc(samples: Samples, path: str | os.PathLike[str]) -> None:
    """Write samples as an SWC file that reads back to the same numbers, bit by bit.

    Comments, the order of the samples, their identifiers and what stood after the seventh column are kept. The file is
    complete or not there: it is written beside its place and moved.

    Parameters
    ----------
    samples : Samples
    path : path

    Raises
    ------
    MorphologyError
        If the file cannot be written.
    """
    target = Path(arguments.path("path", path))
    try:
        with replacing(target) as part, part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_written(samples))
    except OSError as error:
        raise MorphologyError(f"{target}: cannot be written: {error.strerror}") from error


def _written(samples: Samples) -> Iterable[str]:
    """Lines of the file, each with its end."""
    comments = iter(samples.comments)
    row_of, comment = next(comments, (None, ""))
    parent_ids = np.where(samples.parent >= 0, samples.id[samples.parent], -1)
    columns = zip(
        samples.id.tolist(),
        samples.type.tolist(),
        samples.xyz.tolist(),
        samples.radius.tolist(),
        parent_ids.tolist(),
        strict=True,
    )
    for row, (name, structure, (x, y, z), radius, parent) in enumerate(columns):
        while row_of is not None and row_of <= row:
            yield comment + "\n"
            row_of, comment = next(comments, (None, ""))
        trailing = samples.trailing.get(row)
        end = f" {trailing}\n" if trailing else "\n"
        yield f"{name} {structure} {x!r} {y!r} {z!r} {radius!r} {parent}{end}"
    while row_of is not None:
        yield comment + "\n"
        row_of, comment = next(comments, (None, ""))


def encoded(text: str) -> bytes:
    """Text as the bytes of a file.

    Raises
    ------
    MorphologyError
        If it holds half characters, which no file holds: bytes that were read as text of another encoding.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise refusal(
            "<text>",
            "encoding",
            f"line {line} holds {text[error.start]!r}, half a character; give the bytes as they are",
        ) from None


def _open(source: str | os.PathLike[str] | bytes) -> tuple[str, bytes]:
    """Name and content of a source."""
    if isinstance(source, bytes):
        return "<text>", source
    if isinstance(source, str) and ("\n" in source or "\r" in source):
        return "<text>", encoded(source)
    name = os.fspath(source)
    try:
        data = Path(os.path.expanduser(name)).read_bytes()
    except OSError as error:
        raise MorphologyError(f"{name}: cannot be opened: {error.strerror}") from error
    reason = binary(data)
    if reason and not _readable(data):
        raise refusal(name, "not-text", f"not a text file: {reason}; an SWC file has seven columns of numbers")
    return name, data


def _readable(data: bytes) -> bool:
    """Whether the beginning of a file is all samples and comments, whatever characters stand in these."""
    head = data if len(data) <= HEAD else data[: data.rfind(b"\n", 0, HEAD) + 1]
    text, encoding, _ = _plain(head)
    rows = read_rows(text, encoding)
    return rows.n_unreadable == 0 and bool(rows.id.size or rows.comments)


def _plain(data: bytes) -> tuple[bytes, str, list[Fault]]:
    """Text with ``\\n`` line ends and no byte order mark, its encoding, and notes of what was otherwise."""
    faults = []
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            data = data.decode("utf-16").encode()
            faults.append(Fault("encoding", "note", 1, None, "the file is in UTF-16"))
        except UnicodeDecodeError as error:
            faults.append(Fault("encoding", "error", 1, None, f"begins as UTF-16 text but is not: {error.reason}"))
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
        faults.append(Fault("byte-order-mark", "note", 1, None, "the file begins with a byte order mark"))
    encoding = "utf-8"
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            encoding = "latin-1"
            line = len(data[: error.start].splitlines()) or 1
            faults.append(Fault("encoding", "note", line, None, "text that is not UTF-8: read as Latin-1"))
    if b"\r" in data:
        first = data.index(b"\r")
        line = data.count(b"\n", 0, first) + 1
        kind = "CRLF (Windows)" if data[first : first + 2] == b"\r\n" else "CR alone (old Mac)"
        faults.append(Fault("line-ends", "note", line, None, f"lines end with {kind}"))
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data, encoding, faults


def _oddities(rows: Rows) -> list[Fault]:
    """Notes on how the lines were written."""
    faults = []
    for name, count, code, text in (
        ("floating", rows.floating, "float-integer", "samples with an id, type or parent written as a float"),
        ("inline", rows.inline, "inline-comment", "samples with a comment in their line, which is kept"),
        ("wide", rows.wide, "extra-columns", "samples with more than seven columns, kept as text"),
    ):
        if count:
            faults.append(Fault(code, "note", rows.first[name], None, f"{text}: {count}"))
    return faults
