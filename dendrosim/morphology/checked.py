"""From columns of numbers to checked samples: links, repairs and checks, the same for every format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from .checks import check
from .links import link
from .repair import apply_repairs
from .report import Fault, Report
from .samples import Samples

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Columns = tuple[Ints, Ints, Floats, Floats, Ints]

# what can still be said of samples that are not one tree
_LOCAL = frozenset({"zero-radius", "zero-length-segment", "jump", "soma-branches", "unknown-type", "custom-type"})
_NO_TEXT: Mapping[int, str] = MappingProxyType({})


def checked(
    columns: Columns,
    lines: Ints,
    report: Report,
    repairs: Sequence[str] = (),
    minimum_radius: float | None = None,
    *,
    unreadable: frozenset[int] | set[int] = frozenset(),
    comments: Sequence[tuple[int, str]] = (),
    trailing: Mapping[int, str] = _NO_TEXT,
) -> tuple[Samples | None, Report]:
    """Link, repair and check what a file holds.

    Parameters
    ----------
    columns : tuple of arrays
        Identifiers (n,), types (n,), positions (n, 3), radii (n,) and identifiers of the parents (n,).
    lines : int array of shape (n,)
        Line of each sample, 0 where the format has none.
    report : Report
        What reading found.
    repairs, minimum_radius
        As for `dendrosim.morphology.swc.read_swc`.
    unreadable : set of int
        Identifiers of lines that hold no sample.
    comments, trailing
        As in `Samples`.

    Returns
    -------
    samples : Samples or None
        None if the samples do not make one tree.
    report : Report
        With all that was found.
    """
    ids, types, xyz, radii, parent_ids = columns
    parent, broken = link(ids, parent_ids, lines, unreadable)
    faults = [*report.faults, *broken]
    if any(fault.severity == "error" for fault in faults):
        pieces = Samples(ids, types, xyz, radii, np.maximum(parent, -1))
        found = (
            [fault._replace(fix="") for fault in check(pieces, lines)[0] if fault.code in _LOCAL] if ids.size else []
        )
        return None, replace(report, faults=_sorted(faults + found))
    faults += _order(ids, parent, lines)
    samples = Samples(ids, types, xyz, radii, parent, tuple(comments), MappingProxyType(dict(trailing)))
    changes: list[str] = []
    if repairs:
        repaired, changes = apply_repairs(samples, repairs, minimum_radius=minimum_radius)
        line_of = dict(zip(ids.tolist(), lines.tolist(), strict=True))
        lines = np.array([line_of[name] for name in repaired.id.tolist()], dtype=np.int64)
        samples = repaired
    found, soma = check(samples, lines)
    convention = "none" if soma is None else soma.convention
    done = replace(report, faults=_sorted(faults + found), soma_convention=convention, changes=tuple(changes))
    return samples, done


def _order(ids: Ints, parent: Ints, lines: Ints) -> list[Fault]:
    """Notes on the order of samples and of their identifiers."""
    faults = []
    rows = np.arange(ids.size)
    early = np.flatnonzero(parent > rows)
    if early.size:
        row = int(early[0])
        message = f"samples that stand before their parents: {early.size}"
        faults.append(Fault("child-before-parent", "note", int(lines[row]), int(ids[row]), message))
    odd = np.flatnonzero(ids != rows + 1)
    if odd.size:
        row = int(odd[0])
        message = f"ids are not 1, 2, 3, ... ({ids.min()} to {ids.max()}): kept as they are"
        faults.append(Fault("id-order", "note", int(lines[row]), int(ids[row]), message))
    return faults


def _sorted(faults: list[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: fault.line))
