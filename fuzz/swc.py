"""Target ``swc``: the text of a morphology. The first byte says which repairs to make, the rest is the file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

import dendrosim as ds
from dendrosim.morphology.repair import REPAIRS
from dendrosim.morphology.swc import read_swc

from .oracle import hold, refusing, short, workplace

LONGEST = 4096
_MOST_SAMPLES, _PIECES = 300, 200
_FIELDS = ("id", "type", "xyz", "radius", "parent")


@cache
def _folder() -> Path:
    return workplace()


def run(data: bytes) -> None:
    """Read it, look at it in every way, write it, and read it again."""
    names = [name for i, name in enumerate(REPAIRS) if data[:1] and data[0] >> i & 1]
    content = data[1:]
    usable = False
    with refusing():
        samples, report = read_swc(content, repair=names)
        for fault in report.faults:
            short(str(fault))
        hold(report.n_samples <= report.n_data_lines <= report.n_lines, f"{report} counts lines wrongly")
        short(str(report))
        usable = samples is not None and report.ok
    if usable:
        _look_at(ds.Morphology(samples, report=report))
    with refusing() as refused:
        ds.Morphology.from_swc(content.decode("utf-8", "surrogateescape"), repair=names)
    if not refused:
        hold(usable, "text is read, and the same bytes are not")


def _look_at(cell: ds.Morphology) -> None:
    sections = cell.sections
    for section in sections[:20]:
        repr(section)
    str(cell.summary())
    short(repr(cell))
    cell.draw(lines=50)
    for values in (cell.path_distance, cell.euclidean_distance, sections.length, sections.area, sections.volume):
        hold(np.isfinite(values).all() and (values >= 0).all(), "a measure is negative or no number")
    hold(len(cell.branch_order) == len(cell) == cell.graph.number_of_nodes(), "samples were lost on the way")
    path = _folder() / "copy.swc"
    cell.save(path)
    again, report = read_swc(path)
    hold(again is not None and report.ok, f"what was saved cannot be read: {report}")
    for name in _FIELDS:
        hold(np.array_equal(getattr(again, name), getattr(cell.samples, name)), f"{name} changed when it was saved")
    if len(cell) <= _MOST_SAMPLES:
        longest = max(float(sections.length.sum()) / _PIECES, 1e-3)
        with refusing():
            compartments = cell.compartments(ds.Passive(), max_length=longest, minimum_radius=0.05)
            hold(np.isfinite(compartments.coupling).all(), "a coupling is no number")


def seeds() -> Iterator[bytes]:
    """Small files of every kind."""
    for text in _TEXTS:
        yield b"\0" + text
    yield from (b"\xff" + text for text in _TEXTS[:6])


def forget() -> None:
    """Remove what was written."""
    shutil.rmtree(_folder(), ignore_errors=True)


_STICK = b"1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n3 3 16 0 0 1 2\n"
_TEXTS = (
    _STICK,
    _STICK + b"4 3 26 5 0 .5 3\n5 3 26 -5 0 .5 3\n6 2 -6 0 0 .3 1\n7 2 -30 0 0 .3 6\n8 4 0 9 0 0 1\n9 4 0 19 0 0 8\n",
    b"# three points\n1 1 0 0 0 5 -1\n2 1 0 5 0 5 1\n3 1 0 -5 0 5 1\n4 3 6 0 0 1 2\n5 3 20 0 0 1 4\n",
    b"1 1 -4 0 0 3 -1\n2 1 0 0 0 5 1\n3 1 4 0 0 3 2\n4 1 0 4 0 1 2\n5 3 9 0 0 1 3\n6 3 9 0 0 1 5\n7 3 30 0 0 0 6\n",
    b"1 3 0 0 0 1 2\n2 3 5 0 0 1 3\n3 1 10 0 0 4 -1\n4 4 20 0 0 2 3\n",
    b"1 1 0 0 0 9000 -1\n2 3 9000 0 0 900 1\n3 3 90000 0 0 900 2\n",
    b"1 1 0 0 0 1 -1\n2 1 5 5 0 1 1\n3 1 5 9 0 1 2\n4 1 0 9 0 1 3\n5 1 0 0 0 1 4\n6 3 20 0 0 1 1\n7 3 40 0 0 1 6\n",
    b"\xef\xbb\xbf# \xc3\xa4\r\n1 1 0 0 0 5 -1 # soma\r\n2 3.0 6 0 0 1e0 1 more columns\r\n\r\n3 3 1e1 +2 -.5 1. 2\r\n",
    b"10 1 0 0 0 5 -1\r7 3 6 0 0 1 10\r3 3 16 0 0 1 7\r",
    b"1,1,0,0,0,5,-1\n2;3;6;0;0;1;1\n3 3 1,6 0 0 1 2\n",
    b"1 1 nan 0 0 5 -1\n2 3 6 inf 0 1 1\n3 3 16 0 0 -1 2\n3 3 16 0 0 1 9\n1 -2 x 0 0 1 3\n5 3 1 2 3\n6 3.5 1 2 3 1 1\n",
    b"1 1 0 0 0 5 2\n2 3 6 0 0 1 1\n3 3 0 0 0 1 -1\n4 3 0 0 0 1 -1\n5 3 0 0 0 1 5\n",
    b"\xff\xfe" + "1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n".encode("utf-16-le"),
    b"1 1 0 0 0 5 -1\n2 3 1e12 0 0 1 1\n3 3 -1e12 1e12 0 1e12 2\n4 3 1e-300 0 0 5e-324 3\n",
    b"9007199254740993 1 0 0 0 5 -1\n4611686018427387904 3 6 0 0 1 9007199254740993\n",
    b"# only\n\n",
    b"",
)
