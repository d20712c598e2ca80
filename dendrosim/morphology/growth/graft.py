"""Put separately grown neurites on one soma."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ParameterError
from .draft import distance, draft, has_point_soma, in_order, morphology, samples_of

if TYPE_CHECKING:
    from ..tree import Morphology


def graft(base: Morphology, *parts: Morphology) -> Morphology:
    """Join trees that were grown from the same soma into one.

    Parameters
    ----------
    base : Morphology
        Its soma, of one point, is the soma of the result.
    *parts : Morphology
        Trees with a soma of one point in the same place; all their samples but that one are taken over.

    Returns
    -------
    Morphology
        Rows in depth-first order, numbered from 1.

    Raises
    ------
    ParameterError
        If a tree has no soma of one point, or one in another place or of another radius.
    """
    trunk = samples_of("base", base)
    columns = [(trunk.xyz, trunk.radius, trunk.parent, trunk.type)]
    n = len(trunk)
    for k, part in enumerate((base, *parts)):
        which = "base" if k == 0 else f"part {k - 1}"
        samples = samples_of(which, part)
        if not has_point_soma(samples):
            raise ParameterError(
                f"{which} has no soma; every tree of a graft needs the same soma of one point at its root"
            )
        if k == 0:
            continue
        if float(distance(samples.xyz[0], trunk.xyz[0])) > 1e-6 or abs(samples.radius[0] - trunk.radius[0]) > 1e-6:
            raise ParameterError(
                f"{which} has its soma at {samples.xyz[0].tolist()} with radius {samples.radius[0]:g} um, the base at "
                f"{trunk.xyz[0].tolist()} with {trunk.radius[0]:g} um; they must be the same"
            )
        above = np.where(samples.parent[1:] == 0, 0, samples.parent[1:] + n - 1)
        columns.append((samples.xyz[1:], samples.radius[1:], above, samples.type[1:]))
        n += len(samples) - 1
    xyz, radius, parent, types = (np.concatenate(column) for column in zip(*columns, strict=True))
    return morphology(in_order(draft(xyz, radius, parent, types)), base.name)
