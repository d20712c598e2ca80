"""From a morphology to the arrays of its compartments."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arguments import number
from ..errors import MorphologyError, ParameterError
from ..kernels import geometry, trees
from ..membrane import Passive
from .samples import region_name

if TYPE_CHECKING:
    from .sections import Sections
    from .tree import Morphology

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST = 20_000_000
"""Compartments of one cell; about six gigabytes while they are made."""
_NOT_UM = 20.0
"""Median radius of a neurite, um, above which the file is probably in nm."""


def pieces_per_run(
    length: Floats,
    stretch: Floats,
    passive: Passive,
    max_length: float | None,
    d_lambda: float | None,
    frequency: float,
) -> Ints:
    """Number of compartments of each run: the least that satisfies every policy asked for.

    Parameters
    ----------
    length : float array of shape (n_runs,)
        Length in um.
    stretch : float array of shape (n_runs,)
        Integral of dx / sqrt(diameter) along the run, um^0.5.
    passive : Passive
        Gives R_a and C_m for the d_lambda rule.
    max_length : float or None
        No compartment longer than this, um.
    d_lambda : float or None
        No compartment longer than this fraction of the AC length constant at `frequency` (Hines & Carnevale 2001,
        The Neuroscientist 7:123): lambda_f = 1e5 / 2 sqrt(d / (pi f R_a C_m)) um with d in um.
    frequency : float
        In Hz.

    Raises
    ------
    ParameterError
        If neither policy is given, or a value is not positive and finite.
    """
    if max_length is None and d_lambda is None:
        raise ParameterError("compartments() needs max_length (um, say 20.0) or d_lambda (say 0.1), or both")
    frequency = number("frequency", frequency, above=0, unit="Hz")
    count = np.zeros(length.size)
    tolerance = 1e-9  # a run of exactly k times the limit is k pieces, whatever its rounding
    if max_length is not None:
        max_length = number("max_length", max_length, above=0, unit="um")
        count = np.maximum(count, np.ceil(length / max_length - tolerance))
    if d_lambda is not None:
        d_lambda = number("d_lambda", d_lambda, above=0)
        unit = 0.5e5 / math.sqrt(math.pi * frequency * passive.R_a * passive.C_m)  # lambda_f = unit * sqrt(d)
        count = np.maximum(count, np.ceil(stretch / unit / d_lambda - tolerance))
    if count.sum() > _MOST:
        given = f"max_length={max_length} um" if d_lambda is None else f"d_lambda={d_lambda}, max_length={max_length}"
        raise ParameterError(
            f"{given} would make {count.sum():.3g} compartments of {length.sum():.6g} um of neurites; {_MOST:.0e} is "
            "the most (some 300 bytes each): take a greater max_length or d_lambda"
        )
    pieces: Ints = np.where(length > 0, np.maximum(count, 1), 0).astype(np.int64)
    return pieces


def discretise(
    morphology: Morphology,
    passive: Passive,
    *,
    max_length: float | None = None,
    d_lambda: float | None = None,
    frequency: float = 100.0,
    minimum_radius: float | None = None,
) -> dict[str, Any]:
    """Arrays of the compartments of one cell, keyed by the names of `Compartments`' parameters.

    Area and axial resistance are integrated along the frusta between samples, so that the totals do not depend on where
    compartments end. The soma is one isopotential compartment; neurites attach to it, and sections to the node
    without area at a branch point, through their own half compartment, as in NEURON.

    Raises
    ------
    MorphologyError
        If a sample has radius 0 (and no `minimum_radius` is given) or the cell has no extent; names the samples.
    """
    sections = morphology.sections
    soma_radius = _check_radii(morphology, minimum_radius)
    start, points, radius = sections.offset, sections.points, sections.radii
    if minimum_radius is not None:
        radius = np.maximum(radius, minimum_radius)
    length, stretch = geometry.measure_runs(start, points, radius)
    pieces = pieces_per_run(length, stretch, passive, max_length, d_lambda, frequency)
    return from_pieces(morphology, passive, pieces, radius, soma_radius)


def from_pieces(
    morphology: Morphology, passive: Passive, pieces: Ints, radius: Floats, soma_radius: float
) -> dict[str, Any]:
    """Arrays of the compartments of one cell whose sections are cut into given numbers of pieces; see `discretise`.

    Parameters
    ----------
    morphology : Morphology
    passive : Passive
    pieces : int array of shape (n_sections,)
        Compartments of each section, 0 where it has no length.
    radius : float array of shape (n_points,)
        Of the points of the sections, positive, um.
    soma_radius : float
        Positive where there is a soma, um.

    Raises
    ------
    MorphologyError
        If the cell has no extent.
    """
    sections, soma = morphology.sections, morphology.soma
    start, points = sections.offset, sections.points
    length = geometry.measure_runs(start, points, radius)[0]
    piece_start, area, before, after, middle, piece_of = geometry.cut_runs(start, points, radius, length, pieces)
    nodes = _breadth_first(geometry.join_runs(sections.parent, piece_start, before, after, soma is not None))
    if nodes.parent.size == 0:
        raise MorphologyError(f"{morphology.name or 'the morphology'} has no extent: nothing to turn into compartments")

    run_of_piece = np.repeat(np.arange(len(sections)), pieces)
    node_area = nodes.spread(area, 0.0)
    node_length = nodes.spread((length / np.maximum(pieces, 1))[run_of_piece], 0.0)
    if soma is not None:
        node_area[0] = 4.0 * math.pi * soma_radius**2
        node_length[0] = 2.0 * soma_radius
    region, xyz = _places(morphology, nodes, run_of_piece, middle)
    membrane = node_area * _spine_factors(passive, region)
    axial = nodes.resistance * passive.axial_factor
    half = 0.5 * np.where(nodes.real, node_length, 0.0)
    return {
        "parent": nodes.parent,
        "leak": membrane * passive.leak_density,
        "coupling": np.divide(1e3, axial, out=np.zeros(axial.size), where=nodes.parent >= 0),
        "capacitance": membrane * passive.capacitance_density,
        "region": region,
        "stage": nodes.stage,
        "path_distance": trees.accumulate(nodes.parent, half, half),
        "area": node_area,
        "length": node_length,
        "xyz": xyz,
        "axial_resistance": nodes.spread(before + after, 0.0) * passive.axial_factor,
        "leak_reversal": passive.E_leak,
        "physical": True,
        "morphologies": (morphology,),
        "sample_compartment": _compartment_of_samples(sections, nodes, piece_of),
        "outline": (start, points, radius, pieces, nodes.of_piece),
    }


class _Nodes(NamedTuple):
    """Nodes of the tree, parents before children: pieces of runs, branch points and the soma."""

    parent: Ints
    resistance: Floats
    """To the parent, per unit of `Passive.axial_factor`."""
    piece: Ints
    """Piece of a run that the node is, -1 for branch points and the soma."""
    stage: Ints
    of_piece: Ints
    """Node of each piece."""
    of_run: Ints
    """Node at the far end of each run, -1 where there is none."""

    @property
    def real(self) -> NDArray[np.bool_]:
        """Which nodes are pieces."""
        return self.piece >= 0

    def spread(self, values: NDArray[Any], fill: Any) -> NDArray[Any]:
        """Values of pieces as values of nodes."""
        out = np.full((self.parent.size, *values.shape[1:]), fill, dtype=values.dtype)
        out[self.real] = values[self.piece[self.real]]
        return out


def _breadth_first(joined: tuple[Ints, Floats, Ints, Ints, Ints]) -> _Nodes:
    """What `geometry.join_runs` gives, renumbered: neighbours in memory do not wait for one another."""
    parent, resistance, piece, stage, run_end = joined
    order = np.argsort(trees.depth(parent), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    parent, piece = parent[order], piece[order]
    of_piece = np.empty(np.count_nonzero(piece >= 0), np.int64)
    of_piece[piece[piece >= 0]] = np.flatnonzero(piece >= 0)
    return _Nodes(
        parent=np.where(parent >= 0, place[parent], -1),
        resistance=resistance[order],
        piece=piece,
        stage=stage[order],
        of_piece=of_piece,
        of_run=np.where(run_end >= 0, place[run_end], -1) if place.size else run_end,
    )


def _places(
    morphology: Morphology, nodes: _Nodes, run_of_piece: Ints, middle: Floats
) -> tuple[NDArray[np.str_], Floats]:
    """Region and position of every node; a branch point stands at the end of the run above it."""
    sections, soma = morphology.sections, morphology.soma
    samples = sections.samples
    region = nodes.spread(sections.region[run_of_piece], "")
    xyz = nodes.spread(middle, np.nan)
    ends = sections.rows[sections.offset[1:] - 1]
    runs = np.flatnonzero(nodes.of_run >= (0 if soma is None else 1))
    runs = runs[~nodes.real[nodes.of_run[runs]]]
    region[nodes.of_run[runs]] = sections.region[runs]
    xyz[nodes.of_run[runs]] = samples.xyz[ends[runs]]
    if soma is not None:
        region[0], xyz[0] = "soma", soma.center
    elif not nodes.real[0]:
        root = int(np.flatnonzero(samples.parent < 0)[0])
        region[0], xyz[0] = region_name(int(samples.type[root])), samples.xyz[root]
    return region, xyz


def _spine_factors(passive: Passive, region: NDArray[np.str_]) -> Floats:
    """Membrane with spines over membrane without, for every node."""
    factor = np.ones(region.size)
    known = set(np.unique(region).tolist())
    for name, value in passive.spine_factor.items():
        if name not in known:
            raise ParameterError(f"spine_factor names region {name!r}; this cell has: {', '.join(sorted(known))}")
        factor[region == name] = value
    return factor


def _compartment_of_samples(sections: Sections, nodes: _Nodes, piece_of: Ints) -> Ints:
    """Node that holds each sample; what belongs to no run belongs to the root."""
    out = np.zeros(len(sections.samples), np.int64)
    own = sections.rows >= 0
    piece, row = piece_of[own], sections.rows[own]
    run = np.repeat(np.arange(len(sections)), np.diff(sections.offset))[own]
    held = np.maximum(nodes.of_run[run], 0)
    held[piece >= 0] = nodes.of_piece[piece[piece >= 0]]
    last = sections.of_sample[row] == run  # the first point of a run belongs to the run above
    out[row[last]] = held[last]
    return out


def _check_radii(morphology: Morphology, minimum_radius: float | None) -> float:
    """Radius of the soma, not below `minimum_radius`; refuses radius 0 anywhere unless that is given."""
    samples, soma = morphology.samples, morphology.soma
    soma_radius = 0.0 if soma is None else float(soma.radius)
    if minimum_radius is not None:
        return max(soma_radius, number("minimum_radius", minimum_radius, above=0, unit="um"))
    needed = np.ones(len(samples), bool)
    if soma is not None and soma_radius > 0:
        needed[soma.rows] = False  # what counts is the area of the whole soma
    thin = samples.id[needed & ~(samples.radius > 0)]
    if thin.size:
        shown = ", ".join(map(str, thin[:20])) + (f" and {thin.size - 20} more" if thin.size > 20 else "")
        name, given = morphology.name or "morphology", samples.radius[samples.radius > 0]
        if given.size == 0:
            raise MorphologyError(
                f"{name}: every radius is 0, the file holds no diameters; pass minimum_radius=0.5 (um), or what you "
                "know of the cell, to compartments()"
            )
        where = f"{name}: radius 0 at sample{'s' if thin.size > 1 else ''} {shown}"
        if np.median(given) > _NOT_UM:
            raise MorphologyError(
                f"{where}, and the median of the others is {np.median(given):.4g} um: if the file is in nm, load with "
                "repair=['nm_to_um', 'zero_radius']; else pass minimum_radius= (um) to compartments()"
            )
        raise MorphologyError(
            f"{where}; pass minimum_radius=0.1 (um) to compartments(), or load with repair=['zero_radius']"
        )
    return soma_radius
