"""Where synapses go: compartments drawn at random, or found at given samples or path distances."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import arguments
from ..errors import ParameterError, choose

if TYPE_CHECKING:
    from ..morphology.compartments import Compartments

NOT_DENDRITE = ("soma", "axon")
WEIGHTS = ("length", "area")


def in_regions(compartments: Compartments, regions: str | Iterable[str] | None) -> NDArray[np.bool_]:
    """Mask of the compartments in the named regions; None means the dendrite.

    The dendrite is every region but ``soma`` and ``axon``. Where there is no other, it is everything in regular and
    explicit trees, and an error in cells that were made from morphologies.

    Parameters
    ----------
    compartments : Compartments
        The compartments.
    regions : str, iterable of str, or None
        Names of regions.

    Returns
    -------
    bool array of shape (N,)

    Raises
    ------
    ParameterError
        If a region does not occur, or there is no dendrite; the message lists those that do.
    """
    present = np.asarray(compartments.region)
    if regions is None:
        dendrite: NDArray[np.bool_] = ~np.isin(present, NOT_DENDRITE)
        if compartments.morphologies and not dendrite.any():
            there = sorted(set(present.tolist()))
            raise ParameterError(
                f"this cell has no dendrite, only {' and '.join(there)}, and by default synapses go there; name where "
                f"to put them: {' or '.join(f'regions={name!r}' for name in there)}"
            )
        return dendrite if dendrite.any() else np.ones(present.shape, dtype=np.bool_)
    names = arguments.names("regions", regions)
    if not names:
        raise ParameterError("regions=() leaves no compartment to choose from; name at least one region, or give None")
    valid = sorted(set(present.tolist()))
    mask: NDArray[np.bool_] = np.isin(present, [choose("region", name, valid) for name in names])
    return mask


def drawn(
    compartments: Compartments, count: int, by: str, regions: str | Iterable[str] | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw compartments with probability proportional to their length or membrane area.

    Compartments without membrane (branch points) are never drawn. In normalised units there are no lengths and no
    areas, and every compartment is as likely as any other.

    Parameters
    ----------
    compartments : Compartments
        The compartments.
    count : int
        How many to draw, with replacement.
    by : {"length", "area"}
        What the probability is proportional to.
    regions : str, iterable of str, or None
        As for `in_regions`.
    rng : numpy.random.Generator
        The source of randomness.

    Returns
    -------
    int array of shape (count,)

    Raises
    ------
    ParameterError
        If `by` or a region is unknown, or the regions have no membrane.
    """
    choose("by", by, WEIGHTS)
    weight = in_regions(compartments, regions).astype(np.float64)
    if compartments.physical:
        area = np.asarray(compartments.area, dtype=np.float64)
        weight *= (area > 0) * (area if by == "area" else np.asarray(compartments.length, dtype=np.float64))
    total = weight.sum()
    if count == 0:
        return np.empty(0, dtype=np.int64)
    if not total > 0:
        raise ParameterError(f"regions={regions!r} have no membrane to put {count} synapses on")
    return rng.choice(weight.size, size=count, p=weight / total).astype(np.int64)


def at_samples(compartments: Compartments, samples: ArrayLike, cell: int) -> NDArray[np.int64]:
    """Compartments of the given sample identifiers of one cell, one for each, in their order; shape (n,).

    Raises
    ------
    ParameterError
        If the compartments were not made from a morphology.
    MorphologyError
        If there is no such sample.
    """
    if not compartments.morphologies:
        raise ParameterError("samples= needs compartments of a morphology; for regular trees give compartment indices")
    ids = np.atleast_1d(arguments.numbers("samples", samples))
    if ids.ndim != 1:
        raise ParameterError(f"samples has shape {ids.shape}; expected identifiers of shape (n,)")
    return np.array([compartments.of_sample(i, cell) for i in ids.tolist()], dtype=np.int64)


def at_distances(
    compartments: Compartments, distance: ArrayLike, region: str | Iterable[str] | None
) -> NDArray[np.int64]:
    """Every compartment that holds a point at one of the given path distances from the soma.

    A tree has as many points at one path distance as it has branches there: each gives one compartment. They come in
    the order of `distance`, and within one distance in the order of the compartments.

    Parameters
    ----------
    compartments : Compartments
        The compartments.
    distance : float or array of shape (n,)
        Path distances in um.
    region : str, iterable of str, or None
        Only there; None means everywhere.

    Returns
    -------
    int array of shape (n_found,)

    Raises
    ------
    ParameterError
        If a distance is negative or not finite, or no compartment lies at it.
    """
    if not compartments.physical:
        raise ParameterError("distance= needs compartments with lengths; for regular trees give compartment indices")
    inside = np.ones(compartments.size, dtype=np.bool_) if region is None else in_regions(compartments, region)
    middle, length = np.asarray(compartments.path_distance), np.asarray(compartments.length)
    extended = inside & (np.asarray(compartments.area) > 0)
    # a root that is a soma is a single point of the tree, at distance 0
    soma = (np.asarray(compartments.parent) < 0) & (np.asarray(compartments.region) == "soma")
    near, far = np.where(soma, 0.0, middle - length / 2), np.where(soma, 0.0, middle + length / 2)
    tip = ~soma
    tip[np.asarray(compartments.parent)[np.asarray(compartments.parent) >= 0]] = False
    slack = 1e-9 * (1.0 + far.max(initial=0.0))
    found = []
    for value in arguments.numbers("distance", distance).astype(np.float64).ravel().tolist():
        if not (np.isfinite(value) and value >= 0):
            raise ParameterError(f"distance={value!r} um must be finite and >= 0")
        # intervals are open at their far end, so that a border belongs to one compartment; tips and the soma are closed
        below = (value < far - slack) | (tip & (value <= far + slack)) | (soma & (value <= slack))
        here = extended & (near - slack <= value) & below
        if not here.any():
            reach = float(far[extended].max(initial=0.0))
            where = "" if region is None else f" in region {region!r}"
            raise ParameterError(
                f"no compartment lies at distance={value!r} um{where}; the farthest reaches {reach:.6g} um"
            )
        found.append(np.flatnonzero(here))
    return np.concatenate(found).astype(np.int64) if found else np.empty(0, dtype=np.int64)
