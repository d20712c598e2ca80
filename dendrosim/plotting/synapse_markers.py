"""Where synapses are drawn, and their markers."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers, short
from ..errors import ParameterError
from .pieces import Floats, Ints, Pieces
from .protocols import CompartmentsLike, SynapsesLike
from .styling import EXCITATORY, INHIBITORY

MARKERS = {"excitatory": "o", "inhibitory": "D"}
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


def checked_compartments(compartment: ArrayLike, size: int) -> Ints:
    """Return `compartment` as an index array of shape (n_synapses,).

    Raises
    ------
    ParameterError
        If it is not one-dimensional, not integer, or an index lies outside 0 ... size - 1.
    """
    index = numbers("compartment", compartment)
    if index.size == 0:
        return np.zeros(0, dtype=np.int64)
    if index.ndim != 1 or index.dtype.kind not in "iu":
        raise ParameterError(
            f"compartment has shape {index.shape} and dtype {index.dtype}; expected "
            "one integer per synapse, shape (n_synapses,)"
        )
    outside = np.flatnonzero((index < 0) | (index >= size))
    if outside.size:
        raise ParameterError(
            f"compartment[{outside[0]}] is {index[outside[0]]}; "
            f"expected an index of the {size} compartments, 0 ... {size - 1}"
        )
    return index.astype(np.int64)


def check_synapses(synapses: object) -> None:
    """Check that `synapses` is something with compartments and signs.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if not (hasattr(synapses, "compartment") and hasattr(synapses, "sign")):
        raise ParameterError(f"synapses must be Synapses, such as Synapses.scatter(...); got {short(synapses)}")


def synapse_positions(compartments: CompartmentsLike, pieces: Pieces, index: Ints) -> Floats:
    """Return where to draw the synapses, shape (n_synapses, 3), um.

    Those of one compartment are spread evenly along it (on the soma: over its disc in the plane x, y), so that none
    hides another; their true place within it is not known to the model.

    Parameters
    ----------
    compartments : Compartments
        Where the synapses sit.
    pieces : Pieces
        Pieces of the same compartments.
    index : int array of shape (n_synapses,)
        Compartment of each synapse.
    """
    position = np.asarray(compartments.xyz, dtype=np.float64)[index]
    if not index.size:
        return position.reshape(0, 3)
    order = np.argsort(index, kind="stable")
    count = np.bincount(index, minlength=pieces.size)
    first = np.cumsum(count) - count
    rank = np.empty(index.size, dtype=np.int64)
    rank[order] = np.arange(index.size) - first[index[order]]
    fraction = (rank + 0.5) / count[index]
    along = np.argsort(pieces.owner, kind="stable")
    owner = pieces.owner[along]
    length = np.linalg.norm(pieces.stop - pieces.start, axis=1)[along]
    passed = np.concatenate([[0.0], np.cumsum(length)])
    begin, end = np.searchsorted(owner, index, "left"), np.searchsorted(owner, index, "right")
    inside = end > begin
    goal = passed[begin[inside]] + fraction[inside] * (passed[end[inside]] - passed[begin[inside]])
    piece = np.clip(np.searchsorted(passed, goal, "right") - 1, begin[inside], end[inside] - 1)
    share = (goal - passed[piece]) / length[piece]
    piece = along[piece]
    position[inside] = pieces.start[piece] + share[:, None] * (pieces.stop[piece] - pieces.start[piece])
    radius = np.zeros(pieces.size)
    radius[pieces.sphere_owner] = pieces.radius
    reach = 0.85 * radius[index] * np.sqrt(fraction) * (count[index] > 1)
    position[:, 0] += reach * np.cos(_GOLDEN_ANGLE * rank)
    position[:, 1] += reach * np.sin(_GOLDEN_ANGLE * rank)
    return position


def add_synapses(
    ax: Axes,
    compartments: CompartmentsLike,
    pieces: Pieces,
    axes: tuple[int, int],
    synapses: SynapsesLike,
    *,
    below: bool = False,
    size: float = 4.0,
) -> None:
    """Mark excitatory synapses with dots and inhibitory ones with diamonds.

    The legend, which counts them, stands at the right, or `below` the cell if a colour bar is at the right.
    """
    index = checked_compartments(synapses.compartment, pieces.size)
    sign: NDArray[np.int64] = np.asarray(synapses.sign)
    position = synapse_positions(compartments, pieces, index)[:, axes]
    for name, side, color in (("excitatory", sign > 0, EXCITATORY), ("inhibitory", sign < 0, INHIBITORY)):
        if side.any():
            ax.scatter(
                position[side, 0],
                position[side, 1],
                s=size,
                marker=MARKERS[name],
                color=color,
                linewidths=0,
                zorder=3,
                label=f"{np.count_nonzero(side)} {name}",
            )
    if index.size:
        ax.legend(
            loc="upper left",
            bbox_to_anchor=(0.0, 0.0) if below else (1.0, 1.0),
            borderaxespad=2.0 if below else 0.0,  # below the scale bar
            frameon=False,
            markerscale=1.8,
            handletextpad=0.2,
        )
