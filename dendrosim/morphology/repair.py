"""Repairs of morphologies: made only when asked for by name, each listing every change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..arguments import number
from ..errors import MorphologyError, choose
from .checks import Checker, zero_radius_rows
from .links import depths
from .samples import SOMA, Samples, region_name
from .soma import find_soma

Rows = NDArray[np.int64]
UNDEFINED = 0  # type of a sample whose kind is not known
Outcome = tuple[Samples, list[str]]


def apply_repairs(samples: Samples, names: str | Iterable[str], *, minimum_radius: float | None = None) -> Outcome:
    """Make repairs, one after the other.

    Parameters
    ----------
    samples : Samples
        One cell; stays as it is.
    names : str or iterable of str
        Names from `REPAIRS`, in the order in which to make them.
    minimum_radius : float, optional
        In um: what ``zero_radius`` sets; without it the radius is interpolated from the samples around.

    Returns
    -------
    samples : Samples
        The repaired cell.
    changes : list of str
        Every change, with the identifiers of the samples; empty if there was nothing to repair.

    Raises
    ------
    ParameterError
        If a name is not known, or `minimum_radius` is not a positive number.
    MorphologyError
        If a repair is impossible.
    """
    if minimum_radius is not None:
        minimum_radius = number("minimum_radius", minimum_radius, above=0, unit="um")
    changes: list[str] = []
    for name in check_names(names):
        if name == "zero_radius":
            samples, made = zero_radius(samples, minimum_radius)
        else:
            samples, made = REPAIRS[name](samples)
        changes += [f"{name}: {change}" for change in made]
    return samples, changes


def check_names(names: str | Iterable[str]) -> tuple[str, ...]:
    """Names of repairs as a tuple; an unknown one is a ParameterError that lists the valid ones."""
    given = (names,) if isinstance(names, str) else tuple(names)
    return tuple(choose("repair", name, REPAIRS) for name in given)


def zero_radius(samples: Samples, minimum_radius: float | None = None) -> Outcome:
    """Give samples of radius 0 a radius: `minimum_radius`, or interpolated between the nearest samples that have one.

    Interpolation is linear in the path length between the nearest sample towards the root and the nearest one towards a
    tip (the soma counts for the soma only, unless there is nothing else); with one of them only, its radius is taken.
    """
    zero = zero_radius_rows(samples, find_soma(samples))
    if zero.size == 0:
        return samples, []
    radius = samples.radius.copy()
    if minimum_radius is not None:
        radius[zero] = minimum_radius
    else:
        _interpolate(samples, radius)
    changes = [f"sample {samples.id[r]}: radius 0 -> {radius[r]:.6g} um" for r in zero.tolist()]
    return replace(samples, radius=radius), changes


def _interpolate(samples: Samples, radius: NDArray[np.float64]) -> None:
    """Fill the zeros of `radius` from above and below along the tree."""
    if not np.any(radius > 0.0):
        raise MorphologyError("zero_radius: no sample has a radius to interpolate from; give minimum_radius (um)")
    parent, somatic = samples.parent, samples.type == SOMA
    step = np.where(parent >= 0, np.linalg.norm(samples.xyz - samples.xyz[parent], axis=1), 0.0)
    order = np.argsort(depths(parent), kind="stable")
    # a dendrite takes its radius from the soma only if nothing else has one; twice, as that way leads up and down again
    for same_kind in (True, False, False):
        open_ = radius == 0.0
        if not open_.any():
            return
        above: dict[int, tuple[float, float]] = {}  # row -> (distance, radius) of the nearest sample that has one
        below: dict[int, tuple[float, float]] = {}
        touched = order[open_[order]].tolist()
        for row in touched:
            up = int(parent[row])
            if up < 0 or (same_kind and somatic[up] != somatic[row]):
                continue
            if not open_[up]:
                above[row] = float(step[row]), float(radius[up])
            elif up in above:
                above[row] = above[up][0] + float(step[row]), above[up][1]
        givers = order[(parent[order] >= 0) & open_[parent[order]]][::-1].tolist()
        for row in givers:
            up = int(parent[row])
            if same_kind and somatic[up] != somatic[row]:
                continue
            source = below.get(row) if open_[row] else (0.0, float(radius[row]))
            if source is not None:
                reach = source[0] + float(step[row]), source[1]
                below[up] = min(below[up], reach) if up in below else reach
        for row in touched:
            known = [side[row] for side in (above, below) if row in side]
            if len(known) == 2:
                (d0, r0), (d1, r1) = known
                radius[row] = r0 + (r1 - r0) * d0 / (d0 + d1) if d0 + d1 > 0.0 else (r0 + r1) / 2.0
            elif known:
                radius[row] = known[0][1]


def collapse_soma(samples: Samples) -> Outcome:
    """Replace the samples of the soma by one of the same area, at the soma's centre; neurites attach to it."""
    soma = find_soma(samples)
    if soma is None or soma.rows.size == 1:
        return samples, []
    root = int(soma.rows[0])
    xyz, radius = samples.xyz.copy(), samples.radius.copy()
    xyz[root], radius[root] = soma.center, soma.radius
    gone = soma.rows[1:]
    parent = samples.parent.copy()
    moved = np.flatnonzero(np.isin(parent, gone))
    moved = moved[~np.isin(moved, gone)]
    parent[moved] = root
    center = ", ".join(f"{value:.6g}" for value in soma.center)
    changes = [
        f"sample {samples.id[root]}: now the whole soma, a sphere of radius {soma.radius:.6g} um at ({center}) with the"
        f" {soma.area:.6g} um2 of the {soma.rows.size} samples ({soma.convention})"
    ]
    changes += [f"sample {samples.id[row]}: soma sample removed" for row in gone.tolist()]
    changes += [f"sample {samples.id[row]}: parent is now {samples.id[root]}" for row in moved.tolist()]
    return _without(replace(samples, xyz=xyz, radius=radius, parent=parent), gone), changes


def drop_zero_length_sections(samples: Samples) -> Outcome:
    """Remove the last sections of neurites where they have no length."""
    changes: list[str] = []
    while True:  # what then becomes a last section may have no length either
        checker = Checker(samples)
        flat = checker.flat_tips()
        if flat.size == 0:
            return samples, changes
        samples, removed = _bypass(samples, checker.child[np.isin(checker.section[checker.child], flat)])
        changes += removed


def merge_duplicate_points(samples: Samples) -> Outcome:
    """Remove neurite samples that lie exactly where their parents lie; their children attach to the parents."""
    checker = Checker(samples)
    return _bypass(samples, checker.child[~checker.leaves_soma & (checker.length == 0.0)])


def attach_to_soma_root(samples: Samples) -> Outcome:
    """Attach the neurites that hang on the side points of a three-point soma to its first point."""
    soma = find_soma(samples)
    if soma is None or soma.convention != "three_point":
        return samples, []
    root = int(soma.rows[0])
    moved = np.setdiff1d(np.flatnonzero(np.isin(samples.parent, soma.rows[1:])), soma.rows)
    parent = samples.parent.copy()
    parent[moved] = root
    old = samples.id[samples.parent]
    changes = [f"sample {samples.id[row]}: parent {old[row]} -> {samples.id[root]}" for row in moved.tolist()]
    return replace(samples, parent=parent), changes


def soma_at_root_only(samples: Samples) -> Outcome:
    """Keep type 1 for the first sample of the soma and make the others undefined (0): for files that give no types."""
    soma = find_soma(samples)
    if soma is None or soma.rows.size == 1:
        return samples, []
    types = samples.type.copy()
    types[soma.rows[1:]] = UNDEFINED
    changes = [f"sample {name}: type {SOMA} -> {UNDEFINED}" for name in samples.id[soma.rows[1:]].tolist()]
    return replace(samples, type=types), changes


def reroot_at_soma(samples: Samples) -> Outcome:
    """Make the first sample of the soma the root, turning the links between it and the old root."""
    soma = find_soma(samples)
    if soma is None or samples.parent[soma.rows[0]] < 0:
        return samples, []
    row = int(soma.rows[0])
    parent = samples.parent.copy()
    changes = [f"sample {samples.id[row]}: now the root"]
    above = -1
    while row >= 0:
        before = int(samples.parent[row])
        parent[row] = above
        if above >= 0:
            changes.append(f"sample {samples.id[row]}: parent is now {samples.id[above]}")
        row, above = before, row
    return replace(samples, parent=parent), changes


def nm_to_um(samples: Samples) -> Outcome:
    """Divide positions and radii by 1000."""
    change = f"all {len(samples)} samples: positions and radii divided by 1000 (nm to um)"
    return replace(samples, xyz=samples.xyz / 1000.0, radius=samples.radius / 1000.0), [change]


REPAIRS: MappingProxyType[str, Callable[[Samples], Outcome]] = MappingProxyType(
    {
        "zero_radius": zero_radius,
        "collapse_soma": collapse_soma,
        "soma_at_root_only": soma_at_root_only,
        "drop_zero_length_sections": drop_zero_length_sections,
        "merge_duplicate_points": merge_duplicate_points,
        "attach_to_soma_root": attach_to_soma_root,
        "reroot_at_soma": reroot_at_soma,
        "nm_to_um": nm_to_um,
    }
)


def _bypass(samples: Samples, gone: Rows) -> Outcome:
    """Remove rows; their children attach to the nearest ancestor that stays."""
    removed = np.zeros(len(samples), dtype=np.bool_)
    removed[gone] = True
    parent = samples.parent.copy()
    moving = np.flatnonzero((parent >= 0) & removed[parent])
    while moving.size:
        parent[moving] = parent[parent[moving]]
        moving = moving[removed[parent[moving]]]
    moved = np.flatnonzero(~removed & (parent != samples.parent))
    changes = [
        f"sample {samples.id[row]}: removed ({region_name(samples.type[row])}, radius {samples.radius[row]:.6g} um)"
        for row in gone.tolist()
    ]
    changes += [f"sample {samples.id[row]}: parent is now {samples.id[parent[row]]}" for row in moved.tolist()]
    return _without(replace(samples, parent=parent), gone), changes


def _without(samples: Samples, gone: Rows) -> Samples:
    """A copy without some rows, to which no other row may point."""
    stays = np.ones(len(samples), dtype=np.bool_)
    stays[gone] = False
    new_row = np.cumsum(stays) - 1  # also right for a comment before a removed row: it moves to the next one
    parent = samples.parent[stays]
    n_before = np.concatenate([[0], np.cumsum(stays)])
    return Samples(
        samples.id[stays],
        samples.type[stays],
        samples.xyz[stays],
        samples.radius[stays],
        np.where(parent >= 0, new_row[parent], -1),
        tuple((int(n_before[row]), text) for row, text in samples.comments),
        MappingProxyType({int(new_row[row]): text for row, text in samples.trailing.items() if stays[row]}),
    )
