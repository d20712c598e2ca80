"""Formats other than SWC: ASC and HDF5, read through MorphIO (the extra ``formats``), and those that are refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import MissingDependencyError, MorphologyError, ParameterError, how_to_get
from .checked import checked
from .repair import check_names
from .report import Fault, Report
from .samples import SOMA, Samples

SUFFIXES = (".asc", ".h5")
READABLE = ".swc (or any text in SWC columns), .asc and .h5 (Neurolucida, HDF5; through MorphIO)"
OTHERS = {
    ".nml": "NeuroML; ds.exchange.from_neuroml reads them", ".hoc": "NEURON code", ".ses": "a NEURON session",
    ".xml": "XML", ".json": "JSON",
    ".acc": "an Arbor component", ".am": "Amira", ".obj": "a mesh", ".ply": "a mesh", ".stl": "a mesh",
}  # fmt: skip
"""Endings of files that hold cells in ways that are not read."""
_MAGIC = {
    b"\x89HDF": "it is HDF5 (give it the ending .h5)", b"\x1f\x8b": "it is compressed by gzip (unpack it first)",
    b"PK\x03\x04": "it is a ZIP archive (unpack it first)", b"\x89PNG": "it is a PNG image", b"%PDF": "it is a PDF",
    b"II*\0": "it is a TIFF image", b"MM\0*": "it is a TIFF image",
}  # fmt: skip
HEAD = 4096
"""Bytes at the beginning of a file that are looked at to tell whether it is text."""
_CONTROL = bytes(c for c in range(32) if c not in b"\t\n\v\f\r\x1a\x1b")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = re.compile(r":(\d+):(?:error|warning)")


def refusal(name: str, code: str, message: str) -> MorphologyError:
    """An error for a file of which nothing can be read, with its report."""
    return MorphologyError(f"{name}: {message}", Report(name, (Fault(code, "error", 0, None, message),)))


def refuse_others(path: str | os.PathLike[str]) -> None:
    """Raise for files whose ending says that they hold something that is not read.

    Raises
    ------
    MorphologyError
        Names the formats that are.
    """
    name = os.fspath(path)
    suffix = os.path.splitext(name)[1].lower()
    if suffix in OTHERS:
        raise refusal(name, "format", f"{suffix} files ({OTHERS[suffix]}) are not supported; readable are {READABLE}")


def binary(data: bytes) -> str:
    """Why the content of a file is no text, or nothing."""
    for magic, reason in _MAGIC.items():
        if data.startswith(magic):
            return reason
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16
        return ""
    head = data[:HEAD]
    control = len(head) - len(head.translate(None, _CONTROL))
    few = control <= max(4, 0.05 * len(head))  # bytes without any order hold twice as many
    return "" if few else f"{control} of its first {len(head)} bytes are control characters"


def read_morphio(
    path: str | os.PathLike[str], *, repair: str | Iterable[str] = (), minimum_radius: float | None = None
) -> tuple[Samples | None, Report]:
    """Read and check an ASC or HDF5 file.

    These formats hold no sample identifiers: samples are numbered from 1, soma first, then depth first.

    Parameters
    ----------
    path : path
        A file that ends in ``.asc`` or ``.h5``.
    repair, minimum_radius
        As for `dendrosim.morphology.swc.read_swc`.

    Returns
    -------
    samples : Samples or None
        None if there is not one tree.
    report : Report
        Every fault, MorphIO's own warnings, and what MorphIO changes on the way.

    Raises
    ------
    MissingDependencyError
        If MorphIO is not installed.
    MorphologyError
        If MorphIO cannot read the file; its ``report`` holds MorphIO's reason.
    ParameterError
        If the file has another ending, or a repair is not known.
    """
    name = os.fspath(path)
    names = check_names(repair)
    if os.path.splitext(name)[1].lower() not in SUFFIXES:
        raise ParameterError(f"{name}: read_morphio reads {' and '.join(SUFFIXES)} files; read_swc reads SWC")
    morphio = _import_morphio()
    if not os.path.isfile(name):
        raise MorphologyError(f"{name}: cannot be opened: it is {'a folder' if os.path.isdir(name) else 'not there'}")
    collector = morphio.WarningHandlerCollector()
    try:
        cell = morphio.Morphology(name, options=morphio.Option.no_modifier, warning_handler=collector)
        columns, repeated = _columns(cell)
    except Exception as error:  # MorphIO raises errors of its own, of HDF5 and of pybind11
        reason = _plain(str(error)) or type(error).__name__
        place = _PLACE.search(reason)
        reason = reason.removeprefix(f"{name}{place[0]}").strip() if place else reason
        fault = Fault(
            "morphio-error", "error", int(place[1]) if place else 0, None, f"MorphIO cannot read it: {reason}"
        )
        report = Report(name, (fault,))
        raise MorphologyError(f"{name}: {fault.message}", report) from error
    faults = [_warning(emission.warning) for emission in collector.get_all()]
    note = "read through MorphIO: single precision, comments and markers left out, ids numbered here"
    faults.append(Fault("through-morphio", "note", 0, None, note))
    if repeated:
        message = f"first points of sections that repeat their parent's last point, left out: {repeated}"
        faults.append(Fault("repeated-points", "note", 0, None, message))
    ids = np.arange(1, len(columns[0]) + 1)
    types, points, radii, parents = columns
    lines = np.zeros(ids.size, dtype=np.int64)
    report = Report(name, tuple(faults), 0, ids.size, ids.size)
    if ids.size == 0:
        return None, _with_error(report, "no-samples", "the file holds no points: nothing to load")
    arrays = (ids, types, points, radii, parents)
    return checked(arrays, lines, report, names, minimum_radius)


def _with_error(report: Report, code: str, message: str) -> Report:
    fault = Fault(code, "error", 0, None, message)
    return Report(report.source, (*report.faults, fault))


def _import_morphio() -> Any:
    """The module morphio, or an error that says how to get it."""
    try:
        import morphio
    except ImportError as error:
        raise MissingDependencyError(
            f"ASC and H5 files are read through MorphIO, which is not installed: {how_to_get('formats')}"
        ) from error
    return morphio


def _columns(cell: Any) -> tuple[tuple[Any, Any, Any, Any], int]:
    """Types, positions, radii and parent identifiers of all points, and how many repeated ones were left out.

    The soma's points are a chain from its first one, to which all neurites attach. The first point of a section that is
    its parent's last one again, in place and in radius, is the same sample.
    """
    n_soma = len(cell.soma.points)
    types = [np.full(n_soma, SOMA)]
    points, radii = [np.asarray(cell.soma.points, float).reshape(-1, 3)], [np.asarray(cell.soma.diameters, float) / 2.0]
    parents = [np.arange(n_soma) if n_soma else np.empty(0, np.int64)]
    if n_soma:
        parents[0][0] = -1
    last: dict[int, int] = {}  # identifier of the last sample of each section
    count, repeated = n_soma, 0
    for section in cell.iter():  # depth first, parents before children
        xyz, radius = np.asarray(section.points, float), np.asarray(section.diameters, float) / 2.0
        above = (1 if n_soma else -1) if section.is_root else last[section.parent.id]
        if not section.is_root:
            up = section.parent
            if np.array_equal(section.points[0], up.points[-1]) and section.diameters[0] == up.diameters[-1]:
                xyz, radius, repeated = xyz[1:], radius[1:], repeated + 1
        own = np.arange(count + 1, count + 1 + len(xyz))
        types.append(np.full(own.size, int(section.type)))
        points.append(xyz)
        radii.append(radius)
        parents.append(np.concatenate([[above], own[:-1]])[: own.size])
        last[section.id] = int(own[-1]) if own.size else above
        count += own.size
    joined = np.concatenate(types), np.concatenate(points), np.concatenate(radii), np.concatenate(parents)
    return joined, repeated


def _warning(warning: Any) -> Fault:
    line = max(int(getattr(warning, "line_number", 0) or 0), 0)
    return Fault("morphio-warning", "warning", line, None, _plain(warning.msg()))


def _plain(text: str) -> str:
    """A message of MorphIO on one line, without colours."""
    return " ".join(_COLOUR.sub("", text).split())
