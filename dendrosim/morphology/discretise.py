"""From a morphology to the arrays of its compartments."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MorphologyError, ParameterError
from ..kernels import geometry, trees
from ..membrane import Passive
from .samples import region_name

if TYPE_CHECKING:
    from .tree import Morphology


def pieces_per_run(
    length: NDArray[np.float64],
    stretch: NDArray[np.float64],
    passive: Passive,
    max_length: float | None,
    d_lambda: float | None,
    frequency: float,
) -> NDArray[np.int64]:
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
    for name, value in (("max_length", max_length), ("d_lambda", d_lambda), ("frequency", frequency)):
        if value is not None and not (
            isinstance(value, (int, float, np.number)) and math.isfinite(value) and value > 0
        ):
            raise ParameterError(f"{name}={value!r} must be a positive finite number")
    count = np.zeros(length.size)
    tolerance = 1e-9  # a run of exactly k times the limit is k pieces, whatever its rounding
    if max_length is not None:
        count = np.maximum(count, np.ceil(length / max_length - tolerance))
    if d_lambda is not None:
        unit = 0.5e5 / math.sqrt(math.pi * frequency * passive.R_a * passive.C_m)  # lambda_f = unit * sqrt(d)
        count = np.maximum(count, np.ceil(stretch / unit / d_lambda - tolerance))
    pieces: NDArray[np.int64] = np.where(length > 0, np.maximum(count, 1), 0).astype(np.int64)
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
    sections, soma = morphology.sections, morphology.soma
    samples, has_soma = sections.samples, soma is not None
    soma_radius = _check_radii(morphology, minimum_radius)
    start, rows, points, radius = sections.offset, sections.rows, sections.points, sections.radii
    if minimum_radius is not None:
        radius = np.maximum(radius, minimum_radius)
    length, stretch = geometry.measure_runs(start, points, radius)
    pieces = pieces_per_run(length, stretch, passive, max_length, d_lambda, frequency)
    piece_start, area, before, after, middle, piece_of = geometry.cut_runs(start, points, radius, length, pieces)
    parent, resistance, piece, stage, run_end = geometry.join_runs(
        sections.parent, piece_start, before, after, has_soma
    )
    if parent.size == 0:
        raise MorphologyError(f"{morphology.name or 'the morphology'} has no extent: nothing to turn into compartments")

    # breadth first: neighbours in memory do not wait for one another
    by_depth = np.argsort(trees.depth(parent), kind="stable")
    place = np.empty_like(by_depth)
    place[by_depth] = np.arange(by_depth.size)
    parent, resistance, piece, stage = parent[by_depth], resistance[by_depth], piece[by_depth], stage[by_depth]
    parent = np.where(parent >= 0, place[parent], -1)

    run_of_piece = np.repeat(np.arange(len(sections)), pieces)
    node_of_piece = np.empty(piece_start[-1], np.int64)
    real = piece >= 0
    node_of_piece[piece[real]] = np.flatnonzero(real)
    run_node = np.where(run_end >= 0, place[run_end], 0)
    run_region = sections.region

    def spread(values: NDArray[Any], fill: Any) -> NDArray[Any]:
        out = np.full((parent.size, *values.shape[1:]), fill, dtype=values.dtype)
        out[real] = values[piece[real]]
        return out

    node_region = spread(run_region[run_of_piece], "")
    node_xyz = spread(middle, np.nan)
    # a branch point stands at the end of the run above it
    ends = rows[start[1:] - 1]
    for_run = np.flatnonzero(~real[run_node] & (run_end >= (1 if has_soma else 0)))
    node_region[run_node[for_run]] = run_region[for_run]
    node_xyz[run_node[for_run]] = samples.xyz[ends[for_run]]
    node_area = spread(area, 0.0)
    node_length = spread((length / np.maximum(pieces, 1))[run_of_piece], 0.0)
    if soma is not None:
        node_region[0], node_xyz[0] = "soma", soma.center
        node_area[0] = 4.0 * math.pi * soma_radius**2
        node_length[0] = 2.0 * soma_radius
    elif not real[0]:
        root = int(np.flatnonzero(samples.parent < 0)[0])
        node_region[0], node_xyz[0] = region_name(int(samples.type[root])), samples.xyz[root]

    factor = np.ones(parent.size)
    known = set(np.unique(node_region).tolist())
    for region, value in passive.spine_factor.items():
        if region not in known:
            raise ParameterError(f"spine_factor names region {region!r}; this cell has: {', '.join(sorted(known))}")
        factor[node_region == region] = value

    sample_compartment = np.zeros(len(samples), np.int64)
    own = rows >= 0
    own_piece, own_row, point_run = piece_of[own], rows[own], np.repeat(np.arange(len(sections)), np.diff(start))[own]
    last_write = sections.of_sample[own_row] == point_run  # the first point of a run belongs to the run above
    held = np.where(own_piece >= 0, node_of_piece[own_piece] if node_of_piece.size else 0, run_node[point_run])
    sample_compartment[own_row[last_write]] = held[last_write]

    axial = spread(before + after, 0.0) * passive.axial_factor
    return {
        "parent": parent,
        "leak": node_area * factor * passive.leak_density,
        "coupling": np.divide(1e3, resistance * passive.axial_factor, out=np.zeros(parent.size), where=parent >= 0),
        "capacitance": node_area * factor * passive.capacitance_density,
        "region": node_region,
        "stage": stage,
        "path_distance": _path_distance(parent, node_length, real),
        "area": node_area,
        "length": node_length,
        "xyz": node_xyz,
        "axial_resistance": axial,
        "leak_reversal": passive.E_leak,
        "physical": True,
        "morphologies": (morphology,),
        "sample_compartment": sample_compartment,
        "outline": (start, points, radius, pieces, node_of_piece),
    }


def _check_radii(morphology: Morphology, minimum_radius: float | None) -> float:
    """Radius of the soma, not below `minimum_radius`; refuses radius 0 anywhere unless that is given."""
    samples, soma = morphology.samples, morphology.soma
    soma_radius = 0.0 if soma is None else float(soma.radius)
    if minimum_radius is not None:
        if not (math.isfinite(minimum_radius) and minimum_radius > 0):
            raise ParameterError(f"minimum_radius={minimum_radius!r} um must be finite and positive")
        return max(soma_radius, minimum_radius)
    needed = np.ones(len(samples), bool)
    if soma is not None and soma_radius > 0:
        needed[soma.rows] = False  # what counts is the area of the whole soma
    thin = samples.id[needed & ~(samples.radius > 0)]
    if thin.size:
        shown = ", ".join(map(str, thin[:20])) + (f" and {thin.size - 20} more" if thin.size > 20 else "")
        raise MorphologyError(
            f"{morphology.name or 'morphology'}: radius 0 at sample{'s' if thin.size > 1 else ''} {shown}; pass minimum_radius=0.1 (um) "
            "to compartments(), or load with repair=['zero_radius']"
        )
    return soma_radius


def _path_distance(
    parent: NDArray[np.int64], length: NDArray[np.float64], piece: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Distance from the start of the neurite at the soma (or from the root) to the middle of each compartment, um."""
    half = np.where(piece, 0.5 * length, 0.0)
    return trees.accumulate(parent, half, half)
