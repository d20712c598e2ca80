"""Trees of a network's cells in normalised units: unit leak, reversal potentials 1 and 0."""

from __future__ import annotations

import numpy as np

from ..morphology.compartments import Compartments


def normalised(cell: Compartments) -> Compartments:
    """One cell in normalised units, its shape kept for drawing.

    In a directed tree the equation of a compartment may be divided by any number: that of each compartment by its own
    leak, and that of a branch point, which has none, by the mean of its children's couplings.

    Parameters
    ----------
    cell : Compartments
        A single cell in physical or normalised units.

    Returns
    -------
    Compartments
    """
    if not cell.physical:
        return cell
    child = np.flatnonzero(cell.parent >= 0)
    parent = cell.parent[child]
    total = np.bincount(parent, weights=cell.coupling[child], minlength=cell.size)
    count = np.bincount(parent, minlength=cell.size)
    scale = np.where(cell.leak > 0, cell.leak, total / np.maximum(count, 1))
    coupling = np.zeros(cell.size)
    coupling[child] = cell.coupling[child] / scale[parent]
    return Compartments(
        cell.parent,
        leak=(cell.leak > 0).astype(np.float64),
        coupling=coupling,
        region=cell.region,
        physical=False,
        stage=cell.stage,
        path_distance=cell.path_distance,
        area=cell.area,
        length=cell.length,
        xyz=cell.xyz,
        morphologies=cell.morphologies,
        sample_compartment=cell._sample_compartment,
        outline=cell._outline,
    )
