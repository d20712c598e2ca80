"""The lines of an SWC file as arrays: clean lines in bulk, all others one by one."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .fields import LARGEST, Row, read_fields
from .report import Fault

_BLOCK = 1 << 22  # bytes: large enough for numpy, small enough that the work arrays of a block do not matter
_NUMERIC, _BLANK, _NEWLINE, _OTHER = 0, 1, 2, 3
_KIND = bytes(
    _NUMERIC if c in b"0123456789+-.eE" else _BLANK if c in b" \t\x0b\x0c" else _NEWLINE if c == 10 else _OTHER
    for c in range(256)
)
_EXACT = 2.0**53  # whole numbers beyond this cannot be told apart as floats


@dataclass
class Rows:
    """Everything that the lines of a file hold, parents still as identifiers.

    `id`, `type`, `parent_id`, `line` have shape (n,), `xyz` (n, 3), `radius` (n,); `unreadable` are the identifiers of
    lines that hold no sample, as far as known; `floating`, `inline`, `wide` count samples with float-looking integers,
    with a comment after the columns, with more than seven columns (the first line of each in `first`).
    """

    id: NDArray[np.int64]
    type: NDArray[np.int64]
    xyz: NDArray[np.float64]
    radius: NDArray[np.float64]
    parent_id: NDArray[np.int64]
    line: NDArray[np.int64]
    n_lines: int = 0
    n_data_lines: int = 0
    n_unreadable: int = 0
    comments: list[tuple[int, str]] = field(default_factory=list)
    trailing: dict[int, str] = field(default_factory=dict)
    unreadable: set[int] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    floating: int = 0
    inline: int = 0
    wide: int = 0
    first: dict[str, int] = field(default_factory=dict)


def read_rows(data: bytes, encoding: str) -> Rows:
    """Read every line of an SWC file.

    Parameters
    ----------
    data : bytes
        The file; lines end with ``\\n``.
    encoding : str
        Of the text in comments and of lines that are not plain numbers; a superset of ASCII.

    Raises
    ------
    RuntimeError
        If a data line is neither among the samples nor reported: a fault of this program, not of the file.
    """
    nothing = np.empty(0, dtype=np.int64)
    rows = Rows(nothing, nothing, np.empty((0, 3)), np.empty(0), nothing, nothing)
    parts: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    start, n_samples = 0, 0
    while start < len(data):
        stop = data.rfind(b"\n", start, start + _BLOCK) + 1
        if stop == 0:
            stop = data.find(b"\n", start) + 1 or len(data)
        if len(data) - start <= _BLOCK:
            stop = len(data)
        integers, floats = _read_block(data[start:stop], encoding, rows, n_samples)
        n_samples += len(integers)
        parts.append((integers, floats))
        start = stop
    if parts:
        integers = np.concatenate([part[0] for part in parts])
        floats = np.concatenate([part[1] for part in parts])
        rows.id, rows.type, rows.parent_id, rows.line = (np.ascontiguousarray(column) for column in integers.T)
        rows.xyz, rows.radius = np.ascontiguousarray(floats[:, :3]), floats[:, 3].copy()
    if n_samples + rows.n_unreadable != rows.n_data_lines:
        raise RuntimeError(
            f"internal error in the SWC reader: {rows.n_data_lines} data lines, but {n_samples} samples and"
            f" {rows.n_unreadable} lines reported as unreadable; please report it with the file"
        )
    return rows


def _read_block(
    chunk: bytes, encoding: str, rows: Rows, n_before: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Read some whole lines: (id, type, parent id, line) of shape (k, 4) and (x, y, z, radius) of shape (k, 4)."""
    text = np.frombuffer(chunk, dtype=np.uint8)
    kind = np.frombuffer(chunk.translate(_KIND), dtype=np.uint8)
    ends = np.flatnonzero(kind == _NEWLINE)
    starts = np.concatenate([[0], ends + 1])
    if starts[-1] == text.size:  # the last line has its end
        starts = starts[:-1]
    else:
        ends = np.append(ends, text.size)
    word = (kind == _NUMERIC) | (kind == _OTHER)
    word_starts = np.flatnonzero(word & ~np.concatenate([[False], word[:-1]]))
    first_word = np.searchsorted(word_starts, starts)
    n_words = np.diff(np.append(first_word, word_starts.size))
    # the head of a line: all of it, or, where an eighth word follows, what stands before that
    heads = ends.copy()
    longer = np.flatnonzero(n_words > 7)
    heads[longer] = word_starts[first_word[longer] + 7]
    others = np.flatnonzero(kind == _OTHER)
    clean = (n_words >= 7) & (np.searchsorted(others, starts) == np.searchsorted(others, heads))
    values = _bulk(text, starts, heads, ends, clean)

    integers = np.zeros((starts.size, 4), dtype=np.int64)
    integers[:, 3] = rows.n_lines + 1 + np.arange(starts.size)
    floats = np.zeros((starts.size, 4))
    integers[clean, :3] = values[:, [0, 1, 6]]
    floats[clean] = values[:, 2:6]
    _count_floating(text, word_starts, first_word[clean], integers[clean, 3], rows)

    used = clean.copy()
    n_clean = np.cumsum(clean) - clean  # clean lines before each line
    n_careful = n_before  # samples before this block, and those of this block that were read with care
    one_by_one = np.flatnonzero((~clean & (n_words > 0)) | (clean & (n_words > 7)))
    places = zip(
        one_by_one.tolist(),
        clean[one_by_one].tolist(),
        n_clean[one_by_one].tolist(),
        starts[one_by_one].tolist(),
        heads[one_by_one].tolist(),
        ends[one_by_one].tolist(),
        strict=True,
    )
    for at, is_clean, earlier, first, head, last in places:
        line = rows.n_lines + 1 + at
        if is_clean:
            _note_trailing(chunk[head:last].strip().decode(encoding), n_careful + earlier, line, rows)
            continue
        raw = chunk[first:last].strip()
        if raw.startswith(b"#"):
            rows.comments.append((n_careful + earlier, raw.decode(encoding)))
            continue
        row = read_fields(raw.decode(encoding))
        if isinstance(row, Row):
            integers[at, :3] = row.id, row.type, row.parent
            floats[at] = row.x, row.y, row.z, row.radius
            used[at] = True
            if row.trailing:
                _note_trailing(row.trailing, n_careful + earlier, line, rows)
            if row.floating:
                rows.floating += 1
                rows.first["floating"] = min(line, rows.first.get("floating", line))
            n_careful += 1
        else:
            rows.n_unreadable += 1
            rows.faults += [Fault(code, "error", line, row.id, message) for code, message in row.faults]
            if row.id is not None:
                rows.unreadable.add(row.id)
    # counted from the bytes alone, so that it tests what was done above
    rows.n_data_lines += int(np.count_nonzero(text[word_starts[first_word[n_words > 0]]] != ord("#")))
    rows.n_lines += starts.size
    return integers[used], floats[used]


def _bulk(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    heads: NDArray[np.int64],
    ends: NDArray[np.int64],
    clean: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Numbers at the heads of the lines marked in `clean`, (k, 7); unmarks those that need a closer look."""
    if clean.all() and np.array_equal(heads, ends):
        plain_text = text.tobytes()
    else:
        inside = np.zeros(text.size + 1, dtype=np.int8)
        inside[starts[clean]] = 1
        inside[heads[clean]] = -1  # at the line's end or before, never the start of another line
        mask = np.cumsum(inside[:-1], dtype=np.int8).view(np.bool_)
        mask[ends[clean][ends[clean] < text.size]] = True
        plain_text = text[mask].tobytes()
    if not clean.any():
        return np.empty((0, 7))
    try:
        values = np.loadtxt(io.BytesIO(plain_text), dtype=np.float64, comments=None, ndmin=2)
    except ValueError:  # something like 1e or 1-2: let the careful reader find it
        clean[:] = False
        return np.empty((0, 7))
    whole = values[:, [0, 1, 6]]
    plain = (
        np.all((whole == np.trunc(whole)) & (np.abs(whole) < _EXACT), axis=1)
        & (values[:, 0] >= 0.0)
        & (values[:, 1] >= 0.0)
        & (values[:, 5] >= 0.0)
        & np.all(np.abs(values[:, 2:6]) <= LARGEST, axis=1)
    )
    clean[np.flatnonzero(clean)[~plain]] = False
    kept: NDArray[np.float64] = values if plain.all() else values[plain]
    return kept


def _count_floating(
    text: NDArray[np.uint8],
    word_starts: NDArray[np.int64],
    first_word: NDArray[np.int64],
    lines: NDArray[np.int64],
    rows: Rows,
) -> None:
    """Count clean lines whose id, type or parent is written as a float."""
    dots = np.flatnonzero((text == ord(".")) | (text == ord("e")) | (text == ord("E")))
    if dots.size == 0 or first_word.size == 0:
        return
    before = np.searchsorted(dots, np.append(word_starts, text.size))
    in_word = np.diff(before) > 0
    floating = in_word[first_word] | in_word[first_word + 1] | in_word[first_word + 6]
    if floating.any():
        rows.floating += int(np.count_nonzero(floating))
        line = int(lines[np.argmax(floating)])
        rows.first["floating"] = min(line, rows.first.get("floating", line))


def _note_trailing(trailing: str, at: int, line: int, rows: Rows) -> None:
    """Keep what stands after the seventh column of sample `at`."""
    rows.trailing[at] = trailing
    if "#" in trailing:
        rows.inline += 1
        rows.first.setdefault("inline", line)
    if not trailing.startswith("#"):
        rows.wide += 1
        rows.first.setdefault("wide", line)
