"""Cells in SONATA's terms: an SWC file by its rules, numbers of sections, and where in them compartments lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..morphology.samples import APICAL, AXON, BASAL, SOMA, Samples

if TYPE_CHECKING:
    from ..morphology.compartments import Compartments
    from ..morphology.tree import Morphology

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Places:
    """Where the compartments of one cell lie.

    Attributes
    ----------
    section : int array of shape (N,)
        Number of the section; 0 is the soma. Without a morphology every compartment is a section of its own.
    position : float array of shape (N,)
        Of the middle along the section, 0 to 1; a branch point is the end of a section.
    swc : int array of shape (N,) or None
        Sample of the SWC file at the far end of the segment that the middle lies in.
    swc_position : float array of shape (N,) or None
        0 at that sample, towards 1 at its parent, as the tools of the Allen Institute have it.
    """

    section: Ints
    position: Floats
    swc: Ints | None
    swc_position: Floats | None


def written_morphology(cell: Compartments) -> tuple[Samples, list[Ints]] | None:
    """A cell's samples by SONATA's rules for SWC files, and those of each of its sections' points.

    Identifiers run from 1 without gaps, parents come first, sections are contiguous, and the soma is one sample, the
    sphere of the same area. Radii are those that the compartments were made with.

    Parameters
    ----------
    cell : Compartments
        A single cell.

    Returns
    -------
    samples : Samples
    points : list of int arrays
        Sample of every point of every section; a point that has none, on the soma, is that of the soma.
        None instead of both where the compartments come from no morphology, or from one without a soma.
    """
    shape = outlined(cell)
    if shape is None or shape[0].soma is None:
        return None
    morphology, (start, points, radius, _, _) = shape
    sections, soma = morphology.sections, morphology.soma
    assert soma is not None
    xyz, radii, types, parents = [soma.center[None]], [np.array([soma_radius(cell)])], [SOMA], [-1]
    of_points: list[Ints] = []
    n = 1
    for s in range(len(sections)):
        rows = sections.rows[start[s] : start[s + 1]]
        above = int(sections.parent[s])
        shared = above >= 0 and sections.of_sample[rows[0]] != s
        own = slice(int(start[s]) + int(shared), int(start[s + 1]))
        count = own.stop - own.start
        first = 0 if above < 0 else int(of_points[above][-1])
        mine = np.arange(n, n + count)
        of_points.append(np.concatenate([[first], mine]) if shared else mine)
        xyz.append(points[own])
        radii.append(radius[own])
        types += [int(sections.type[s])] * count
        parents += [first, *mine[:-1].tolist()] if count else []
        n += count
    samples = Samples(
        np.arange(1, n + 1), np.array(types), np.concatenate(xyz), np.concatenate(radii), np.array(parents)
    )
    return samples, of_points


def outlined(cell: Compartments) -> tuple[Morphology, tuple[Ints, Floats, Floats, Ints, Ints]] | None:
    """The morphology of a single cell, and its cut: starts, points, radii and pieces of sections, compartments."""
    if cell.morphology is None or cell._outline is None:
        return None
    start, points, radius, pieces, of_piece = cell._outline
    return cell.morphology, (start, points, radius, pieces, of_piece)


def soma_radius(cell: Compartments) -> float:
    """Radius of the soma of a cell as its compartments have it, um."""
    assert cell.morphology is not None
    soma = cell.morphology.soma
    assert soma is not None
    same = np.isclose(cell.area[0], 4.0 * np.pi * soma.radius**2, rtol=1e-12)
    return float(soma.radius) if same else float(np.sqrt(cell.area[0] / (4.0 * np.pi)))


def section_numbers(types: Ints) -> Ints:
    """Numbers that SONATA gives sections: from 1, axons first, then basal, apical, and other dendrites, by place."""
    order = {AXON: 0, BASAL: 1, APICAL: 2}
    key = np.array([order.get(int(t), 3 + int(t)) for t in types.tolist()], np.int64)
    number = np.empty(types.size, np.int64)
    number[np.argsort(key, kind="stable")] = np.arange(1, types.size + 1)
    return number


def places(cell: Compartments) -> Places:
    """Where the compartments of a single cell lie."""
    written = written_morphology(cell)
    shape = outlined(cell)
    n = cell.size
    if written is None or shape is None:
        return Places(np.arange(n), np.full(n, 0.5), None, None)
    morphology, (start, points, _, pieces, of_piece) = shape
    _, of_points = written
    section, position = np.full(n, -1), np.full(n, np.nan)
    swc, swc_position = np.zeros(n, np.int64), np.zeros(n)
    section[0], position[0], swc[0] = 0, 0.5, 1
    number = section_numbers(morphology.sections.type)
    first = 0
    for s in range(len(morphology.sections)):
        k = int(pieces[s])
        here = of_piece[first : first + k]
        middle = (np.arange(k) + 0.5) / max(k, 1)
        section[here], position[here] = number[s], middle
        mine = points[start[s] : start[s + 1]]
        arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(mine, axis=0), axis=1))])
        at = middle * arc[-1]
        end = np.clip(np.searchsorted(arc, at, side="left"), 1, arc.size - 1)
        swc[here] = of_points[s][end] + 1
        swc_position[here] = (arc[end] - at) / np.maximum(arc[end] - arc[end - 1], np.finfo(float).tiny)
        first += k
    _branch_points(cell, of_points, morphology, number, section, position, swc)
    return Places(section, position, swc, swc_position)


def _branch_points(
    cell: Compartments,
    of_points: list[Ints],
    morphology: Morphology,
    number: Ints,
    section: Ints,
    position: Floats,
    swc: Ints,
) -> None:
    """Put compartments without area at the ends of the sections above them."""
    last = {int(number[s]): int(of_points[s][-1]) + 1 for s in range(len(morphology.sections))}
    for c in np.flatnonzero(section < 0):  # parents first
        above = section[cell.parent[c]]
        section[c], position[c] = above, 1.0
        swc[c] = last.get(int(above), 1)
