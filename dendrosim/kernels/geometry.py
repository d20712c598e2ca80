"""From sample points to compartments: lengths, areas and axial resistances along frusta.

A *run* is an unbranched stretch of one region: a polyline of sample points with radii that vary linearly between them.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(cache=True)
def _distance(a: Floats, i: int, b: Floats, j: int) -> float:
    """Distance of two points; written out, since numba takes seconds to compile expressions of small arrays."""
    x, y, z = a[i, 0] - b[j, 0], a[i, 1] - b[j, 1], a[i, 2] - b[j, 2]
    return float(np.sqrt(x * x + y * y + z * z))


@njit(cache=True)
def find_runs(parent: Ints, order: Ints, soma: NDArray[np.bool_], structure: Ints) -> tuple[Ints, Ints, Ints]:
    """Cut a tree of samples into runs.

    Parameters
    ----------
    parent, structure : int arrays of shape (n,)
        Row of the parent (-1 at the root) and SWC structure identifier.
    order : int array of shape (n,)
        Rows, parents first.
    soma : bool array of shape (n,)
        Samples that make the soma.

    Returns
    -------
    run_of : int array of shape (n,)
        Run that a sample ends an edge of; -1 for the soma and the root.
    first : int array of shape (n_runs,)
        First own sample of each run; parents of runs precede them.
    parent_run : int array of shape (n_runs,)
        Run at whose end a run begins; -1 at the soma or the root.
    """
    n = parent.size
    children = np.zeros(n, np.int64)
    for row in range(n):
        if parent[row] >= 0 and not soma[row]:
            children[parent[row]] += 1
    run_of = np.full(n, -1, np.int64)
    first = np.empty(n, np.int64)
    parent_run = np.empty(n, np.int64)
    n_runs = 0
    for row in order:
        p = parent[row]
        if soma[row] or p < 0:
            continue
        if soma[p] or parent[p] < 0 or children[p] > 1 or structure[row] != structure[p]:
            first[n_runs] = row
            parent_run[n_runs] = run_of[p]
            run_of[row] = n_runs
            n_runs += 1
        else:
            run_of[row] = run_of[p]
    return run_of, first[:n_runs].copy(), parent_run[:n_runs].copy()


@njit(cache=True)
def run_points(
    parent: Ints,
    order: Ints,
    soma: NDArray[np.bool_],
    run_of: Ints,
    first: Ints,
    xyz: Floats,
    sphere: bool,
    center: Floats,
    radius: float,
) -> tuple[Ints, Ints]:
    """Rows of the points of each run, in order along it.

    A run that begins at a sample of a neurite has that sample as its first point, unless its own first sample stands at
    the same place: then it begins there, with its own radius and without the ring that a step in radius would add. A
    run that leaves the soma has only its own samples, unless they have no extent: then it begins where it is attached
    to the soma, which is marked by row -1.

    Parameters
    ----------
    sphere : bool
        The soma is a sphere of `radius` um around `center`, shape (1, 3); then a run that begins at the soma begins on
        its surface.

    Returns
    -------
    start : int array of shape (n_runs + 1,)
        Where the points of each run begin in `rows`.
    rows : int array of shape (n_points,)
        Rows of the samples, -1 for a point of attachment to the soma.
    """
    n_runs = first.size
    own = np.zeros(n_runs, np.int64)
    extent = np.zeros(n_runs)
    for row in order:
        r = run_of[row]
        if r < 0:
            continue
        own[r] += 1
        extent[r] = max(extent[r], _distance(xyz, row, xyz, first[r]))
    start = np.zeros(n_runs + 1, np.int64)
    lead = np.empty(n_runs, np.int64)  # row of the point before the own samples, -1: on the soma's surface, -2: none
    for r in range(n_runs):
        p = parent[first[r]]
        if not soma[p]:
            lead[r] = -2 if extent[r] > 0.0 and _distance(xyz, p, xyz, first[r]) == 0.0 else p
        elif extent[r] > 0.0:
            lead[r] = -2
        elif not sphere:
            lead[r] = -1
        else:
            distance = _distance(xyz, first[r], center, 0)
            largest = max(abs(xyz[first[r], 0]), abs(xyz[first[r], 1]), abs(xyz[first[r], 2]))
            rounding = 1e-9 * (distance + largest)
            lead[r] = -1 if distance - radius > rounding else -2
        start[r + 1] = start[r] + own[r] + (lead[r] > -2)
    rows = np.empty(start[n_runs], np.int64)
    fill = start[:-1].copy()
    for r in range(n_runs):
        if lead[r] > -2:
            rows[fill[r]] = lead[r]
            fill[r] += 1
    for row in order:
        r = run_of[row]
        if r >= 0:
            rows[fill[r]] = row
            fill[r] += 1
    return start, rows


@njit(cache=True)
def measure_runs(start: Ints, xyz: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """Length (um) of each run and the integral of dx / sqrt(diameter) along it (um^0.5), for the d_lambda rule.

    Parameters
    ----------
    start : int array of shape (n_runs + 1,)
    xyz, radius : float arrays of shape (n_points, 3) and (n_points,)
    """
    n_runs = start.size - 1
    length = np.zeros(n_runs)
    stretch = np.zeros(n_runs)
    for r in range(n_runs):
        for i in range(start[r] + 1, start[r + 1]):
            step = _distance(xyz, i, xyz, i - 1)
            length[r] += step
            # exact for a diameter that varies linearly: 2 / (sqrt(d0) + sqrt(d1)) is the mean of 1 / sqrt(d)
            stretch[r] += step * 2.0 / (np.sqrt(2.0 * radius[i - 1]) + np.sqrt(2.0 * radius[i]))
    return length, stretch


@njit(cache=True)
def cut_runs(
    start: Ints, xyz: Floats, radius: Floats, length: Floats, pieces: Ints
) -> tuple[Ints, Floats, Floats, Floats, Floats, Ints]:
    """Cut each run into pieces of equal length; integrate area and axial resistance along its frusta.

    Parameters
    ----------
    start, xyz, radius
        As in `measure_runs`.
    length : float array of shape (n_runs,)
        Length of each run in um.
    pieces : int array of shape (n_runs,)
        Number of pieces of each run.

    Returns
    -------
    piece_start : int array of shape (n_runs + 1,)
        Where the pieces of each run begin.
    area : float array of shape (n_pieces,)
        Lateral area in um2.
    before, after : float arrays of shape (n_pieces,)
        Integral of dx / (pi r^2), 1/um, from the proximal end to the middle and from the middle to the distal end.
    middle : float array of shape (n_pieces, 3)
        Position of the middle, um.
    piece_of : int array of shape (n_points,)
        Piece that holds each point; a point on a border belongs to the proximal piece.
    """
    n_runs = start.size - 1
    piece_start = np.zeros(n_runs + 1, np.int64)
    for r in range(n_runs):
        piece_start[r + 1] = piece_start[r] + pieces[r]
    n = piece_start[n_runs]
    area, before, after, middle = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((n, 3))
    piece_of = np.full(start[n_runs], -1, np.int64)
    for r in range(n_runs):
        if pieces[r] == 0:
            continue
        half = length[r] / (2 * pieces[r])  # borders and middles both: cuts at multiples of half a piece
        last = 2 * pieces[r] - 1
        cut = 0  # half-piece that is being filled
        travelled = 0.0
        piece_of[start[r]] = piece_start[r]
        for i in range(start[r] + 1, start[r + 1]):
            step = _distance(xyz, i, xyz, i - 1)
            done, r0 = 0.0, radius[i - 1]
            while True:
                room = half * (cut + 1) - travelled
                final = cut == last or room >= step - done
                part = step - done if final else room
                r1 = radius[i] if final else radius[i - 1] + (radius[i] - radius[i - 1]) * ((done + part) / step)
                k = piece_start[r] + cut // 2
                area[k] += np.pi * (r0 + r1) * np.sqrt(part * part + (r1 - r0) * (r1 - r0))
                resistance = part / (np.pi * r0 * r1)
                if cut % 2 == 0:
                    before[k] += resistance
                else:
                    after[k] += resistance
                done += part
                travelled += part
                r0 = r1
                if final:
                    break
                if cut % 2 == 0:
                    for axis in range(3):
                        middle[k, axis] = xyz[i - 1, axis] + (xyz[i, axis] - xyz[i - 1, axis]) * (done / step)
                cut += 1
                travelled = half * cut  # no drift
            piece_of[i] = piece_start[r] + cut // 2
    return piece_start, area, before, after, middle, piece_of


@njit(cache=True)
def join_runs(
    parent_run: Ints, piece_start: Ints, before: Floats, after: Floats, has_soma: bool
) -> tuple[Ints, Floats, Ints, Ints, Ints]:
    """Join pieces into one tree of nodes: soma, pieces, and a node without area at each branch point.

    Parameters
    ----------
    parent_run : int array of shape (n_runs,)
        Run at whose end a run begins, -1 at the soma or the root; parents precede.
    piece_start, before, after
        As `cut_runs` returns them.
    has_soma : bool
        Whether the root is a soma. Without one the root is the first piece, or a branch point where several runs begin.

    Returns
    -------
    parent : int array of shape (n_nodes,)
    resistance : float array of shape (n_nodes,)
        Integral of dx / (pi r^2) between a node and its parent, 1/um; 0 at the root.
    piece : int array of shape (n_nodes,)
        Piece of each node; -1 for the soma and for branch points.
    stage : int array of shape (n_nodes,)
        Number of branchings above.
    run_end : int array of shape (n_runs,)
        Node at the distal end of each run.
    """
    n_runs = parent_run.size
    children = np.zeros(n_runs, np.int64)
    at_root = 0
    for r in range(n_runs):
        if parent_run[r] < 0:
            at_root += 1
        else:
            children[parent_run[r]] += 1
    most = piece_start[n_runs] + n_runs + 1
    parent, piece, stage = np.full(most, -1, np.int64), np.full(most, -1, np.int64), np.zeros(most, np.int64)
    resistance = np.zeros(most)
    run_end, rest = np.full(n_runs, -1, np.int64), np.zeros(n_runs)
    rooted = has_soma or at_root > 1
    n = 1 if rooted else 0
    for r in range(n_runs):
        above = parent_run[r]
        if above < 0:
            node, so_far, level = (0, 0.0, 1) if rooted else (-1, 0.0, 0)
        else:
            node, so_far = run_end[above], rest[above]
            level = stage[node] if node >= 0 else 0
            if children[above] > 1 or (rooted and node == 0):
                level += 1
        for k in range(piece_start[r], piece_start[r + 1]):
            parent[n], piece[n], stage[n] = node, k, level
            resistance[n] = so_far + before[k] if node >= 0 else 0.0
            so_far = after[k]
            node = n
            n += 1
        if children[r] > 1 and (so_far > 0.0 or node < 0):
            parent[n], resistance[n], stage[n] = node, so_far, level
            so_far = 0.0
            node = n
            n += 1
        run_end[r], rest[r] = node, so_far
    return parent[:n], resistance[:n], piece[:n], stage[:n], run_end
