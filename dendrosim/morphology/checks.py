"""What a linked tree of samples means: soma, sections, radii, distances; every oddity reported."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .links import climb
from .report import Fault
from .samples import SOMA, Samples, region_name
from .soma import Soma, attachment_points, find_soma, soma_branch_rows

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

JUMP = 100.0  # um: a longer edge is suspicious, if it is also
JUMP_RATIO = 10.0  # times longer than the median edge
WIDE_NEURITE = 20.0  # um: a median radius above this suggests another unit
WIDE_SOMA = 200.0  # um
FAT_END = 2.0  # times the mean radius of the last samples (the criterion of NeuroM's has_no_fat_ends)
FAT_END_SAMPLES = 5
WHOLE_CELL = 50  # samples, all of type 1 and branching: a cell whose types are not given
UNIFORM = 100  # neurite samples of one and the same radius that are worth a note


class Checker:
    """All checks of one cell, sharing what several of them need.

    Parameters
    ----------
    samples : Samples
        One root, no cycles.
    lines : int array of shape (n,), optional
        Line of the file for each sample; 0 where unknown.
    """

    def __init__(self, samples: Samples, lines: Rows | None = None) -> None:
        self.samples = samples
        self.lines = np.zeros(len(samples), dtype=np.int64) if lines is None else lines
        self.soma: Soma | None = find_soma(samples)
        n = len(samples)
        self.in_soma = np.zeros(n, dtype=np.bool_)
        if self.soma is not None:
            self.in_soma[self.soma.rows] = True
        parent = samples.parent
        self.child = np.flatnonzero((parent >= 0) & ~self.in_soma)  # lower end of every edge outside the soma
        self.upper = parent[self.child]
        self.leaves_soma = self.in_soma[self.upper]
        self.length = np.linalg.norm(samples.xyz[self.child] - samples.xyz[self.upper], axis=1)
        self.n_children = np.bincount(parent[parent >= 0], minlength=n)
        self.section = self._sections()
        self.faults: list[Fault] = []

    def run(self) -> list[Fault]:
        """Every fault, in the order of the checks."""
        self._check_soma()
        self._check_attachments()
        self._check_radii()
        self._check_lengths()
        self._check_sections()
        self._check_units()
        self._check_types()
        return self.faults

    def section_lengths(self) -> Floats:
        """Length in um of the section of each sample, (n,), where `section` is its own row; 0 elsewhere.

        A section that leaves the soma begins at its own first sample, or, if it has no extent, at its attachment point.
        """
        total = self.own_lengths()
        first = self.child[self.leaves_soma]
        bare = first[total[first] == 0.0]
        if self.soma is not None and bare.size:
            start = attachment_points(self.samples, self.soma, bare)
            total[bare] = np.linalg.norm(self.samples.xyz[bare] - start, axis=1)
        return total

    def own_lengths(self) -> Floats:
        """The same without what lies between a section and the soma, (n,)."""
        counted = np.where(self.leaves_soma, 0.0, self.length)
        total: Floats = np.bincount(self.section[self.child], counted, len(self.samples)).astype(np.float64)
        return total

    def flat_tips(self) -> Rows:
        """First samples of the sections that end in a tip and have no length."""
        ends = self.section[self.child[self.n_children[self.child] == 0]]
        return np.unique(ends[self.section_lengths()[ends] == 0.0])

    def _sections(self) -> Rows:
        """First sample of the section of each sample, (n,); soma samples and the root stand for themselves."""
        up = np.arange(len(self.samples))
        unbranched = ~self.leaves_soma & (self.n_children[self.upper] == 1) & (self.samples.parent[self.upper] >= 0)
        self.type_changes = self.child[unbranched & (self.samples.type[self.child] != self.samples.type[self.upper])]
        inner = unbranched & (self.samples.type[self.child] == self.samples.type[self.upper])
        up[self.child[inner]] = self.upper[inner]
        return climb(up)

    def _add(self, code: str, severity: str, rows: Rows, message: Callable[[int], str], fix: str = "") -> None:
        ids, lines = self.samples.id, self.lines
        for row in rows.tolist():
            self.faults.append(Fault(code, severity, int(lines[row]), int(ids[row]), message(row), fix))

    def _once(self, code: str, severity: str, rows: Rows, message: str, fix: str = "") -> None:
        """One fault for all of `rows`, at the first of them."""
        if rows.size:
            self._add(code, severity, rows[:1], lambda row: message, fix)

    def _check_soma(self) -> None:
        samples, soma, ids = self.samples, self.soma, self.samples.id
        root = np.flatnonzero(samples.parent < 0)
        if soma is None:
            self._once("no-soma", "warning", root, f"no sample is of type 1 (soma): sample {ids[root[0]]} is the root")
            return
        if samples.parent[soma.rows[0]] >= 0:
            message = f"the soma, at sample {ids[soma.rows[0]]}, is not the root, which is sample {ids[root[0]]}"
            self._once("soma-not-at-root", "warning", soma.rows, message, "reroot_at_soma")
        root, somatic = soma.rows[:1], np.flatnonzero(samples.type == SOMA)
        k = soma.rows.size
        text = f"soma of {k} sample{'s' * (k > 1)}, read as {soma.convention}: {soma.area:.6g} um2"
        self._once("soma-convention", "note", root, f"{text}, radius {soma.radius:.6g} um")
        if k == len(samples):
            self._once("soma-only", "note", root, "there are no neurites")
        branching = soma_branch_rows(samples, soma.rows)
        all_soma = k == len(samples) and k > WHOLE_CELL
        hint = "; every sample is of type 1: does the file give types at all?" if all_soma else ""
        self._add(
            "soma-branches",
            "error",
            branching,
            lambda row: f"the soma branches at sample {ids[row]}; it may branch at its first sample only{hint}",
            "soma_at_root_only" if all_soma else "collapse_soma",
        )
        apart = somatic[~self.in_soma[somatic]]
        above = samples.parent[apart]
        self._add(
            "soma-in-pieces",
            "warning",
            apart[(above < 0) | (samples.type[above] != SOMA)],
            lambda row: f"sample {ids[row]} of type 1 is not connected to the soma: read as part of a neurite",
        )
        if k > 1 and np.all(samples.xyz[soma.rows] == samples.xyz[root[0]]):
            message = f"the {k} soma samples lie in one place: read as a sphere"
            self._once("soma-without-extent", "warning", root, message)
        elif k == 3:
            self._check_three_points(soma)

    def _check_three_points(self, soma: Soma) -> None:
        """Warn about three soma samples that are not quite those of NeuroMorpho.Org's convention."""
        samples = self.samples
        first, *others = soma.rows.tolist()
        if soma.convention != "three_point":
            chain = "in a chain" if samples.parent[others[1]] != first else "of unequal radii"
            message = (
                f"three soma samples {chain}, not the three-point soma of NeuroMorpho.Org: read as {soma.convention}"
            )
            self._once("three-point-soma", "warning", soma.rows, message)
            return
        offset = samples.xyz[others] - samples.xyz[first]
        distance = np.linalg.norm(offset, axis=1)
        slack = 0.02 * soma.radius + 0.02  # files give two decimals
        if np.any(np.abs(distance - soma.radius) > slack) or np.linalg.norm(offset.sum(axis=0)) > 2.0 * slack:
            one, two = samples.id[others]
            message = (
                f"three-point soma off the convention: samples {one} and {two} should lie {soma.radius:.6g} um from"
                f" sample {samples.id[first]} on opposite sides, but lie {distance[0]:.6g} and {distance[1]:.6g} um"
                f" away; read as the sphere of sample {samples.id[first]}"
            )
            self._once("three-point-soma", "warning", soma.rows, message)

    def _check_attachments(self) -> None:
        """Neurites at the side points of a three-point soma, and neurites far from the soma."""
        soma, samples = self.soma, self.samples
        if soma is None:
            return
        first, upper = self.child[self.leaves_soma], self.upper[self.leaves_soma]
        if soma.convention == "three_point":
            self._add(
                "soma-side-point",
                "warning",
                first[upper != soma.rows[0]],
                lambda row: (
                    f"the neurite of sample {samples.id[row]} hangs on side point {samples.id[samples.parent[row]]} of"
                    f" a three-point soma: its parent should be {samples.id[soma.rows[0]]}"
                ),
                "attach_to_soma_root",
            )
        if soma.convention == "cylinders":
            base, radius = samples.xyz[upper], np.maximum(samples.radius[upper], soma.radius)
        else:
            base, radius = soma.center[None, :], np.full(first.size, soma.radius)
        distance = np.linalg.norm(samples.xyz[first] - base, axis=1)
        # a section without extent of its own begins at the soma, so that there is no gap
        far = (distance > 2.0 * radius) & (radius > 0.0) & (self.own_lengths()[first] > 0.0)
        away = dict(zip(first[far].tolist(), (distance[far] - radius[far]).tolist(), strict=True))
        self._add(
            "far-from-soma",
            "warning",
            first[far],
            lambda row: (
                f"the neurite of sample {samples.id[row]} begins {away[row]:.4g} um beyond the soma's surface; the gap"
                " has no membrane"
            ),
        )

    def _check_radii(self) -> None:
        samples, ids = self.samples, self.samples.id
        zero = zero_radius_rows(samples, self.soma)
        if zero.size:
            some = bool(np.any(samples.radius > 0.0))
            way = "" if some else " (as no sample has a radius, the repair needs one too)"
            self._add(
                "zero-radius",
                "warning",
                zero,
                lambda row: (
                    f"sample {ids[row]} ({region_name(samples.type[row])}) has radius 0: gives no compartments unless"
                    f" repaired or with minimum_radius{way}"
                ),
                "zero_radius",
            )
        neurite = np.flatnonzero(~self.in_soma)
        radii = samples.radius[neurite]
        if neurite.size >= UNIFORM and np.all(radii == radii[0]):
            message = f"all {neurite.size} neurite samples have radius {radii[0]:.6g} um: probably not measured"
            self._once("uniform-radius", "note", neurite, message)
        tips = neurite[self.n_children[neurite] == 0]
        total, count, at = np.zeros(tips.size), np.zeros(tips.size), tips.copy()
        alive = np.ones(tips.size, dtype=np.bool_)
        for _ in range(FAT_END_SAMPLES):
            total[alive] += samples.radius[at[alive]]
            count[alive] += 1.0
            above = samples.parent[at]
            alive &= (self.section[at] != at) & (above >= 0)
            at = np.where(alive, above, at)
        fat = tips[samples.radius[tips] > FAT_END * total / np.maximum(count, 1.0)]
        self._add(
            "fat-end",
            "warning",
            fat,
            lambda row: (
                f"the neurite ends at sample {ids[row]} with radius {samples.radius[row]:.4g} um, more than {FAT_END:g}"
                f" times the mean of its last {FAT_END_SAMPLES} samples"
            ),
        )

    def _check_lengths(self) -> None:
        samples, ids = self.samples, self.samples.id
        inner = ~self.leaves_soma
        zero = self.child[inner & (self.length == 0.0)]
        self._add(
            "zero-length-segment",
            "warning",
            zero,
            lambda row: (
                f"sample {ids[row]} lies where its parent {ids[samples.parent[row]]} lies: a segment of length 0 (the"
                " repair merge_duplicate_points removes it)"
            ),
        )
        lengths = self.length[inner]
        positive = lengths[lengths > 0.0]
        if positive.size == 0:
            return
        median = float(np.median(positive))
        limit = max(JUMP, JUMP_RATIO * median)
        long = inner & (self.length > limit)
        how = dict(zip(self.child[long].tolist(), self.length[long].tolist(), strict=True))
        self._add(
            "jump",
            "warning",
            self.child[long],
            lambda row: (
                f"sample {ids[row]} lies {how[row]:.4g} um from its parent {ids[samples.parent[row]]}, where the median"
                f" segment has {median:.3g} um"
            ),
        )

    def _check_sections(self) -> None:
        samples, ids, n = self.samples, self.samples.id, len(self.samples)
        if self.soma is None and n == 1:
            message = "a single sample that is no soma has no length: add samples, or type 1"
            self._once("zero-length-section", "error", np.array([0]), message)
            return
        size = np.bincount(self.section, minlength=n)
        self._add(
            "zero-length-section",
            "error",
            self.flat_tips(),
            lambda row: (
                f"the neurite that begins at sample {ids[row]} (parent {ids[samples.parent[row]]}, samples:"
                f" {size[row]}) has no length"
            ),
            "drop_zero_length_sections",
        )
        first = self.child[self.leaves_soma]
        bare = first[(self.own_lengths()[first] == 0.0) & (self.section_lengths()[first] > 0.0)]
        message = f"neurites whose first section has no extent and so begins at the soma: {bare.size}"
        self._once("single-sample-neurite", "note", bare, message)

    def _check_units(self) -> None:
        samples, soma = self.samples, self.soma
        neurite = np.flatnonzero(~self.in_soma)
        median = float(np.median(samples.radius[neurite])) if neurite.size else 0.0
        found = []
        if median > WIDE_NEURITE:
            found.append(f"the median neurite radius is {median:.4g}")
        if soma is not None and soma.radius > WIDE_SOMA:
            found.append(f"the soma's radius is {soma.radius:.4g}")
        if found:
            message = f"{' and '.join(found)}: not in um? If the file is in nm, the repair nm_to_um divides by 1000"
            self._once("suspicious-units", "warning", np.arange(len(samples)), message)

    def _check_types(self) -> None:
        samples = self.samples
        types, first, counts = np.unique(samples.type, return_index=True, return_counts=True)
        for structure, row, count in zip(types.tolist(), first, counts.tolist(), strict=True):
            name = region_name(structure)
            rows = np.array([row])
            if structure > 7:
                message = f"samples of type {structure}, beyond the format's 0 to 7, kept as {name}: {count}"
                self._once("unknown-type", "warning", rows, message)
            elif structure == 0 or structure > 4:
                self._once("custom-type", "note", rows, f"samples of type {structure} ({name}): {count}")
        self._add(
            "type-change",
            "note",
            self.type_changes,
            lambda row: (
                f"{region_name(samples.type[samples.parent[row]])} becomes {region_name(samples.type[row])} at sample"
                f" {samples.id[row]}, not at a branch point"
            ),
        )


def zero_radius_rows(samples: Samples, soma: Soma | None) -> Rows:
    """Rows of the samples whose radius matters and is 0; the samples of an outline of the soma have none."""
    zero = samples.radius == 0.0
    if soma is not None and soma.convention == "contour":
        zero[soma.rows] = False
    return np.flatnonzero(zero)


def check(samples: Samples, lines: Rows | None = None) -> tuple[list[Fault], Soma | None]:
    """Check what the samples of one cell mean.

    Parameters
    ----------
    samples : Samples
        One root, no cycles.
    lines : int array of shape (n,), optional
        Line of the file for each sample.

    Returns
    -------
    faults : list of Fault
    soma : Soma or None
    """
    checker = Checker(samples, lines)
    return checker.run(), checker.soma
