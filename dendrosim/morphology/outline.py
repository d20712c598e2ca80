"""The drawn shape of compartments: frusta between samples, cut at the borders of compartments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def pieces(
    start: Ints, points: Floats, radius: Floats, count: Ints, node: Ints
) -> tuple[Floats, Floats, Floats, Floats, Ints]:
    """Cut polylines where compartments end.

    Parameters
    ----------
    start : int array of shape (n_runs + 1,)
        Where the points of each run begin.
    points, radius : float arrays of shape (n_points, 3) and (n_points,)
        Polylines in um.
    count : int array of shape (n_runs,)
        Compartments per run, of equal length.
    node : int array of shape (sum of count,)
        Compartment of each piece of a run.

    Returns
    -------
    start, stop, radius_start, radius_stop, compartment : arrays of shape (k, 3), (k, 3), (k,), (k,), (k,)
    """
    if node.size == 0:  # a soma and nothing else
        none, nowhere = np.empty(0), np.empty((0, 3))
        return nowhere, nowhere, none, none, np.empty(0, np.int64)
    n_points = np.diff(start)
    run = np.repeat(np.arange(n_points.size), n_points)
    step = np.linalg.norm(np.diff(points, axis=0, prepend=points[:1]), axis=1)
    step[start[:-1][n_points > 0]] = 0.0
    along = np.cumsum(step)
    along -= along[start[:-1]].repeat(n_points)
    length = np.zeros(n_points.size)
    np.maximum.at(length, run, along)

    # every cut is a fraction of its run: points, then the inner borders of compartments
    fraction = along / np.where(length > 0, length, 1.0)[run]
    border_run = np.repeat(np.arange(count.size), np.maximum(count - 1, 0))
    first = np.cumsum(np.maximum(count - 1, 0)) - np.maximum(count - 1, 0)
    border = (np.arange(border_run.size) - first[border_run] + 1) / count[border_run]
    key = np.concatenate([run + 0.0, border_run + 0.0]), np.concatenate([fraction, border])
    rank = np.lexsort((np.arange(key[0].size), key[1], key[0]))
    cut_run, cut = key[0][rank].astype(np.int64), key[1][rank]
    where = np.clip(cut, 0.0, 1.0) + 2.0 * cut_run  # increasing over all runs, so that one interpolation serves all
    known = fraction + 2.0 * run
    position = np.column_stack([np.interp(where, known, points[:, axis]) for axis in range(3)])
    thickness = np.interp(where, known, radius)
    same = np.flatnonzero((cut_run[1:] == cut_run[:-1]) & (cut[1:] > cut[:-1]))
    middle = 0.5 * (cut[same] + cut[same + 1])
    of_run = cut_run[same]
    offset = np.cumsum(count) - count
    index = np.minimum((middle * count[of_run]).astype(np.int64), np.maximum(count[of_run] - 1, 0))
    return position[same], position[same + 1], thickness[same], thickness[same + 1], node[offset[of_run] + index]
