"""Choosing samples of a tree, cutting it and turning it round: `Samples` in, rows or `Samples` out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import arguments
from ..errors import ParameterError
from ..kernels import trees
from .samples import Samples

if TYPE_CHECKING:
    from .tree import Morphology

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Where = ArrayLike | Callable[[Samples], ArrayLike]


def row_of(samples: Samples, sample_id: int) -> int:
    """Row of the sample with this identifier.

    Raises
    ------
    ParameterError
        If there is none; the message names the range of identifiers.
    """
    known = isinstance(sample_id, int | np.integer) and not isinstance(sample_id, bool)
    found = np.flatnonzero(samples.id == sample_id) if known else np.zeros(0, np.int64)
    if found.size == 0:
        raise ParameterError(
            f"sample {arguments.short(sample_id)} does not exist: identifiers of the {len(samples)} samples run from "
            f"{samples.id.min()} to {samples.id.max()}"
        )
    return int(found[0])


def check_regions(morphology: Morphology, region: str | Sequence[str]) -> list[str]:
    """Names of regions as a list.

    Raises
    ------
    ParameterError
        If the cell lacks one; lists those that it has.
    """
    names = arguments.names("region", region)
    for name in names:
        if name not in morphology.regions:
            known = ", ".join(morphology.regions)
            raise ParameterError(f"region={name!r} does not occur in this cell; it has: {known}")
    return list(names)


def choose_samples(
    morphology: Morphology,
    region: str | Sequence[str] | None,
    below: int | Sequence[int] | None,
    path_distance: tuple[float, float] | None,
    where: Where | None,
) -> Mask:
    """Samples that meet all conditions given; see `Morphology.rows`.

    Returns
    -------
    bool array of shape (n,)
    """
    samples = morphology.samples
    if region is None and below is None and path_distance is None and where is None:
        raise ParameterError("say what to choose: region=, below= (sample ids), path_distance=(least, most) or where=")
    chosen = np.ones(len(samples), bool)
    if region is not None:
        chosen &= np.isin(morphology.region, check_regions(morphology, region))
    if below is not None:
        tops = np.zeros(len(samples), bool)
        for sample_id in np.atleast_1d(arguments.numbers("below", below)).ravel().tolist():
            tops[row_of(samples, sample_id)] = True
        chosen &= with_descendants(morphology.outward.parent, tops)
    if path_distance is not None:
        bounds = arguments.numbers("path_distance", path_distance)
        if bounds.shape != (2,):
            raise ParameterError(f"path_distance={arguments.short(path_distance)} must be (least, most) in um")
        least, most = map(float, bounds)
        if not least <= most:
            raise ParameterError(f"path_distance=({least}, {most}) um is empty; give (least, most) with least <= most")
        chosen &= (morphology.path_distance >= least) & (morphology.path_distance <= most)
    if where is not None:
        mask = arguments.numbers("where", where(samples) if callable(where) else where)
        if mask.dtype != np.bool_ or mask.shape != chosen.shape:
            raise ParameterError(
                f"where must be, or return, a bool array of shape ({len(samples)},), one per sample; got {mask.dtype} "
                f"of shape {mask.shape}. For example: where=lambda samples: samples.xyz[:, 1] > 0"
            )
        chosen &= mask
    return chosen


def rows_to_keep(morphology: Morphology, chosen: Mask) -> Mask:
    """What `Morphology.select` keeps: what is chosen, the soma, and what leads there.

    Raises
    ------
    ParameterError
        If nothing is chosen.
    """
    if not chosen.any():
        raise ParameterError("no sample meets these conditions; rows(...) with fewer of them shows which do")
    keep = chosen.copy()
    if morphology.soma is not None:
        keep[morphology.soma.rows] = True
    return with_ancestors(morphology.outward.parent, keep)


def rows_to_leave(morphology: Morphology, chosen: Mask) -> Mask:
    """What `Morphology.prune` leaves: all but what is chosen and what hangs on it; the soma stays.

    Raises
    ------
    ParameterError
        If nothing would be left.
    """
    gone = chosen.copy()
    if morphology.soma is not None:
        gone[morphology.soma.rows] = False
    keep = ~with_descendants(morphology.outward.parent, gone)
    if not keep.any():
        raise ParameterError("this would take away the root and with it the whole tree; narrow the conditions")
    return keep


def with_ancestors(parent: Ints, marked: Mask) -> Mask:
    """Mark also every sample on the way from a marked one to the root."""
    keep, up = marked.tolist(), parent.tolist()
    for row in trees.preorder(parent)[::-1].tolist():
        if keep[row] and up[row] >= 0:
            keep[up[row]] = True
    return np.array(keep, dtype=bool)


def with_descendants(parent: Ints, marked: Mask) -> Mask:
    """Mark also every sample below a marked one."""
    keep, up = marked.tolist(), parent.tolist()
    for row in trees.preorder(parent).tolist():
        if up[row] >= 0 and keep[up[row]]:
            keep[row] = True
    return np.array(keep, dtype=bool)


def keep_samples(samples: Samples, keep: Mask) -> Samples:
    """Samples of the rows marked, with their identifiers, comments and further columns.

    A sample whose parent is not kept becomes a root.
    """
    new_row = np.cumsum(keep) - 1
    parent = samples.parent[keep]
    kept_parent = (parent >= 0) & keep[parent]
    before = np.concatenate([[0], np.cumsum(keep)])
    return Samples(
        id=samples.id[keep],
        type=samples.type[keep],
        xyz=samples.xyz[keep],
        radius=samples.radius[keep],
        parent=np.where(kept_parent, new_row[parent], -1),
        comments=tuple((int(before[row]), text) for row, text in samples.comments),
        trailing=MappingProxyType({int(new_row[row]): text for row, text in samples.trailing.items() if keep[row]}),
    )


def cut_ids(samples: Samples, keep: Mask, earlier: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Identifiers of kept samples that have lost a child, now or `earlier`."""
    lost = ~keep & (samples.parent >= 0)
    stumps = np.unique(samples.parent[lost])
    before = np.array(earlier, np.int64)
    still = before[np.isin(before, samples.id[keep])]
    return tuple(np.union1d(samples.id[stumps[keep[stumps]]], still).tolist())


def reroot_samples(samples: Samples, row: int) -> Samples:
    """The same samples with another root: links on the way to the old one are reversed, rows and identifiers stay."""
    if samples.parent[row] < 0:
        return samples
    parent = samples.parent.copy()
    above, at = -1, row
    while at >= 0:
        following = int(samples.parent[at])
        parent[at] = above
        above, at = at, following
    return Samples(samples.id, samples.type, samples.xyz, samples.radius, parent, samples.comments, samples.trailing)


def check_soma(before: Morphology, after: Morphology, sample_id: int) -> None:
    """Check that another root has left the soma as it was.

    Raises
    ------
    ParameterError
        If the same samples are now read as a soma of another size.
    """
    if before.soma is None or after.soma is None or np.isclose(before.soma.area, after.soma.area, rtol=1e-6, atol=0):
        return
    was, now = (f"{soma.convention} of {soma.area:.5g} um2" for soma in (before.soma, after.soma))
    raise ParameterError(
        f"with sample {sample_id} as the root the soma would be read as {now} instead of {was}; its first sample, "
        f"{before.samples.id[before.soma.rows[0]]}, can be the root, or load with repair='collapse_soma'"
    )
