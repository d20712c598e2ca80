"""From a NeuroML2 file to a morphology."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance, path
from ..errors import FileFormatError, ParameterError
from ..morphology.samples import SOMA
from ..morphology.tree import Morphology
from .neuroml_library import neuroml_library
from .neuroml_segments import structure_of
from .polylines import Shape

Floats = NDArray[np.float64]

LARGEST = 500_000_000
"""Bytes of a file; parsed XML takes some ten times as much memory."""
_BEGINS = re.compile(rb"""(?:\xef\xbb\xbf)?\s*<(?:\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']*))?""")
_ENCODINGS = (None, b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"latin-1", b"latin1", b"windows-1252")
"""In which a document type cannot be declared but in these very bytes, as it can in UTF-16 and UTF-7."""


def from_neuroml(file: str | Path, cell: str | None = None) -> Morphology:
    """Read the morphology of a cell from a NeuroML2 file.

    Parameters
    ----------
    file : str or Path
        XML, not HDF5; files that it includes are not followed.
    cell : str, optional
        Identifier of the cell; needed where the file holds several.

    Returns
    -------
    Morphology
        Samples are numbered from 1. Types are those of the groups that a segment is in: ``soma_group``,
        ``axon_group``, ``basal_group``, ``apical_group`` and the like, or their NeuroLex identifiers; dendrites without
        more are basal, and what is in none is undefined.

    Raises
    ------
    MissingDependencyError
        If libNeuroML is not installed.
    FileFormatError
        If the file is no NeuroML2, holds no cell, or its segments are not one tree; names the segment.
    ParameterError
        If it holds several cells, or none of that name.

    Notes
    -----
    A segment of the soma without length is a sphere. A segment that does not begin where its parent's is moved there,
    with all below it; what leaves the soma stays where it is. A branch in the middle of a segment puts a sample there.
    """
    source = path("file", file)
    neuroml = neuroml_library()
    if cell is not None:
        instance("cell", cell, str, "the identifier of a cell")
    document = _read(neuroml, source)
    cells = _by_id(source, [*document.cells, *document.cell2_ca_poolses])
    shapes = _by_id(source, document.morphology)
    if not cells and not shapes:
        raise FileFormatError(f"{source}: it holds no cell and no morphology")
    known = cells or shapes
    if cell is None and len(known) > 1:
        raise ParameterError(f"{source} holds {len(known)} cells: give cell=, one of {_listed(known)}")
    chosen = next(iter(known)) if cell is None else cell
    if chosen not in known:
        raise ParameterError(f"cell={chosen!r} is not in {source}; it holds {_listed(known)}")
    morphology = known[chosen] if not cells else cells[chosen].morphology or shapes.get(cells[chosen].morphology_attr)
    if morphology is None or not morphology.segments:
        raise FileFormatError(f"{source}: cell {chosen!r} has no segments")
    return Morphology(_shape(source, morphology).samples(), name=str(chosen))


def _by_id(source: str, every: list[Any]) -> dict[str, Any]:
    found = {one.id: one for one in every}
    if len(found) < len(every):
        raise FileFormatError(f"{source}: several cells or morphologies have one id; it holds {_listed(found)}")
    return found


def _listed(names: Any) -> str:
    shown = list(map(repr, names))
    return ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")


def _read(neuroml: Any, source: str) -> Any:
    """The document in a file."""
    if not os.path.isfile(source):
        raise FileFormatError(f"{source}: it is {'a folder' if os.path.isdir(source) else 'not there'}")
    if os.path.getsize(source) > LARGEST:
        raise FileFormatError(f"{source}: it has more than {LARGEST // 10**6} MB, too large to be parsed as a whole")
    content = Path(source).read_bytes()
    begins = _BEGINS.match(content)
    if begins is None or (begins[1] and begins[1].lower()) not in _ENCODINGS or b"\0" in content:
        raise FileFormatError(f"{source}: it is no XML in UTF-8; convert it to that")
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise FileFormatError(f"{source}: it declares a document type, which could read other files; remove that")
    if b"neuroml" not in content[:10_000].lower():
        raise FileFormatError(f"{source}: it is no NeuroML2 file, whose first element is <neuroml>")
    try:
        with warnings.catch_warnings():  # which the loader sets as it likes, for everybody
            return neuroml.loaders.NeuroMLLoader.load(source)
    except Exception as error:  # of lxml, and of what libNeuroML makes of it
        said = error.args[0] if error.args else error
        raise FileFormatError(f"{source}: libNeuroML cannot read it: {' '.join(str(said).split())[:300]}") from error


def _shape(source: str, morphology: Any) -> Shape:
    """Sample points of all segments."""
    segments = {_id(source, "a segment has no id", one.id): one for one in morphology.segments}
    if len(segments) < len(morphology.segments):
        raise FileFormatError(f"{source}: several segments have one id")
    parents: dict[int, int] = {}
    below: dict[int, list[int]] = {}
    roots = []
    for key, segment in segments.items():
        missing = f"the parent of segment {key} names no segment"
        above = None if segment.parent is None else _id(source, missing, segment.parent.segments)
        if above is None:
            roots.append(key)
        elif above not in segments:
            raise FileFormatError(f"{source}: segment {key} has the parent {above}, which does not exist")
        else:
            below.setdefault(above, []).append(key)
            parents[key] = above
    if len(roots) != 1:
        raise FileFormatError(f"{source}: {len(roots)} segments have no parent; a cell has one root")
    order = _with_all_below(roots[0], below)
    if len(order) < len(segments):
        lost = min(set(segments) - set(order))
        raise FileFormatError(f"{source}: segment {lost} does not lead to the root: parents run in a circle")
    structure = _structures(source, morphology, segments, parents, below)
    shape, ends = Shape(), dict[int, tuple[Floats, Floats]]()
    for key in order:
        _add(source, shape, ends, segments[key], structure)
    return shape


def _with_all_below(key: int, below: dict[int, list[int]]) -> list[int]:
    """A segment and those that it leads to, parents first."""
    found, stack = [], [key]
    while stack:
        one = stack.pop()
        found.append(one)
        stack += reversed(below.get(one, []))
    return found


def _add(
    source: str, shape: Shape, ends: dict[int, tuple[Floats, Floats]], segment: Any, structure: dict[int, int]
) -> None:
    """One segment: points with their radius are rows (x, y, z, r)."""
    key, parent = int(segment.id), segment.parent
    distal, row = _point(source, key, segment.distal), -1
    if parent is None:
        if segment.proximal is None:
            raise FileFormatError(f"{source}: segment {key} has no parent and no proximal point")
        proximal = _point(source, key, segment.proximal)
    else:
        above, fraction = int(parent.segments), float(parent.fraction_along)
        if not 0.0 <= fraction <= 1.0:
            raise FileFormatError(f"{source}: segment {key} connects at {fraction:g} of its parent; expected 0 to 1")
        first, last = ends[above]
        at = last if fraction == 1.0 else first if fraction == 0.0 else first + fraction * (last - first)
        proximal = at if segment.proximal is None else _point(source, key, segment.proximal)
        row = shape.row_at(str(above), fraction)
        if structure[above] != SOMA:
            shift = at[:3] - proximal[:3]
            if shift.any():  # and all below, where it does not begin itself
                proximal, distal = proximal.copy(), distal.copy()
                proximal[:3] += shift
                distal[:3] += shift
    ends[key] = proximal, distal
    points = np.array([proximal, distal])
    if np.array_equal(proximal, distal):  # a sphere
        name = str(key)
        shape.points[name], shape.radii[name] = points[:, :3], points[:, 3]
        shape.add(name, 0.0, distal[:3], float(distal[3]), structure[key], row)
        return
    shape.add_line(str(key), points[:, :3], points[:, 3], structure[key], row)


def _id(source: str, missing: str, value: Any) -> int:
    if value is None:
        raise FileFormatError(f"{source}: {missing}")
    return int(value)


def _point(source: str, key: int, point: Any) -> Floats:
    if point is None:
        raise FileFormatError(f"{source}: segment {key} has no distal point")
    values = np.array([point.x, point.y, point.z, point.diameter], np.float64)
    values[3] /= 2.0
    if not (np.isfinite(values).all() and values[3] >= 0):
        raise FileFormatError(f"{source}: segment {key} has a point that is not finite, or a negative diameter")
    return values


def _structures(
    source: str, morphology: Any, segments: dict[int, Any], parents: dict[int, int], below: dict[int, list[int]]
) -> dict[int, int]:
    """SWC type of each segment, by the groups that it is in."""
    groups = {group.id: group for group in morphology.segment_groups if group.id is not None}
    own = {name: _members(source, group, segments, parents, below) for name, group in groups.items()}
    names: dict[int, set[str]] = {key: set() for key in segments}
    lex: dict[int, set[str]] = {key: set() for key in segments}
    for name, group in groups.items():
        inside, stack, seen = set(), [name], set()
        while stack:
            one = stack.pop()
            if one in seen:
                continue
            seen.add(one)
            if one == "all" and one not in groups:  # which need not be written
                inside |= set(segments)
                continue
            if one not in groups:
                raise FileFormatError(f"{source}: the segment group {name!r} includes {one!r}, which does not exist")
            inside |= own[one]
            stack += [include.segment_groups for include in groups[one].includes]
        for key in inside:
            names[key].add(name)
            if group.neuro_lex_id:
                lex[key].add(group.neuro_lex_id)
    found = {key: structure_of(names[key], lex[key]) for key in segments}
    return {key: 0 if value is None else value for key, value in found.items()}


def _members(
    source: str, group: Any, segments: dict[int, Any], parents: dict[int, int], below: dict[int, list[int]]
) -> set[int]:
    """Segments that a group has of its own: members, paths from one segment to another, and subtrees."""
    where, found = f"the segment group {group.id!r}", set()

    def end(point: Any, what: str) -> int:
        key = _id(source, f"{what} of {where} names no segment", None if point is None else point.segments)
        if key not in segments:
            raise FileFormatError(f"{source}: {what} of {where} names segment {key}, which does not exist")
        return key

    for one in group.members:
        found.add(end(one, "a member"))
    for one in group.paths:
        first, key = end(one.from_, "the beginning of a path"), end(one.to, "the end of a path")
        found.add(key)
        while key != first:
            if key not in parents:
                raise FileFormatError(f"{source}: {where} has a path from segment {first} that does not lead outwards")
            key = parents[key]
            found.add(key)
    for one in group.sub_trees:
        found |= set(_with_all_below(end(one.from_, "the beginning of a subtree"), below))
    return found
