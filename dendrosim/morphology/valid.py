"""What arrays of samples must fulfil to be a tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import MorphologyError
from ..kernels import trees
from .samples import Samples
from .soma import soma_branch_rows, soma_rows

_LISTED = 10


def check_tree(samples: Samples, name: str = "") -> None:
    """Check that samples form one tree of finite points.

    Raises
    ------
    MorphologyError
        Lists everything that is wrong, with the samples concerned and what would work.
    """
    n = len(samples)
    if n == 0:
        raise MorphologyError(_message(name, ["there are no samples; a morphology needs at least one"]))
    shapes = {
        "type": samples.type.shape == (n,),
        "xyz": samples.xyz.shape == (n, 3),
        "radius": samples.radius.shape == (n,),
        "parent": samples.parent.shape == (n,),
    }
    wrong = [
        f"{field} has shape {getattr(samples, field).shape}; for {n} identifiers it must be "
        f"{(n, 3) if field == 'xyz' else (n,)}"
        for field, right in shapes.items()
        if not right
    ]
    if wrong:
        raise MorphologyError(_message(name, wrong))
    faults = _values(samples) + _links(samples)
    if faults:
        raise MorphologyError(_message(name, faults))


def _values(samples: Samples) -> list[str]:
    faults = []
    ordered = np.sort(samples.id)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if twice.size:
        faults.append(f"identifiers given more than once: {_list(twice)}; every sample needs its own")
    lost = ~np.isfinite(samples.xyz).all(axis=1)
    if lost.any():
        faults.append(f"positions are not finite at samples {_list(samples.id[lost])}")
    thin = ~(np.isfinite(samples.radius) & (samples.radius >= 0))
    if thin.any():
        faults.append(f"radii are negative or not finite at samples {_list(samples.id[thin])}")
    return faults


def _links(samples: Samples) -> list[str]:
    n, parent = len(samples), samples.parent
    outside = (parent < -1) | (parent >= n)
    if outside.any():
        ids = _list(samples.id[outside])
        return [f"parents of samples {ids} are no rows; valid are 0 to {n - 1}, and -1 at the root"]
    roots = np.flatnonzero(parent < 0)
    if roots.size == 0:
        return ["no sample is a root; one must have parent -1"]
    if roots.size > 1:
        return [f"there are {roots.size} roots: samples {_list(samples.id[roots])}; a cell has one, with parent -1"]
    reached = trees.preorder(parent)
    if reached.size < n:
        astray = np.ones(n, bool)
        astray[reached] = False
        return [f"samples {_list(samples.id[astray])} do not lead to the root: their parents run in a circle"]
    rows = soma_rows(samples)
    forks = soma_branch_rows(samples, rows) if rows.size else rows
    if forks.size:
        return [f"the soma branches at samples {_list(samples.id[forks])}; it may do so at its root only"]
    return []


def _list(ids: NDArray[np.int64]) -> str:
    more = f" and {ids.size - _LISTED} more" if ids.size > _LISTED else ""
    return ", ".join(map(str, ids[:_LISTED].tolist())) + more


def _message(name: str, faults: list[str]) -> str:
    return f"{name or 'these samples'}: not a morphology: " + "; ".join(faults)
