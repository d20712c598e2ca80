"""What drives each compartment of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..networks.activity import Activity
    from ..networks.network import Network

Floats = NDArray[Any]


def children_drive(network: Network, activity: Activity, out: Floats) -> None:
    """Current from a compartment's own children, sum_c g_c a_c, at leaves the excitatory drive, into `out`.

    What the published runs took for the drive of the *parent*.

    Parameters
    ----------
    out : array of shape (n_blocks, N, width)
    """
    from ..kernels.drives import child_drive

    layout = network.layout
    child_drive(
        layout.parent, layout.first, layout.middle, network.source, network.conductance, network.coupling,
        activity.presynaptic.reshape(-1), layout.n_rows, activity.output.reshape(-1), out.reshape(-1),
        np.empty(layout.size, np.bool_), activity.n_blocks, activity.lanes,
    )  # fmt: skip


def parents_drive(network: Network, activity: Activity, out: Floats) -> None:
    """Voltage of the parent, at roots the current from the children, into `out`, shaped as in `children_drive`."""
    from ..kernels.drives import parent_drive

    parent_drive(
        network.layout.parent, network.coupling, activity.voltage.reshape(-1), activity.output.reshape(-1),
        out.reshape(-1), activity.n_blocks, activity.lanes,
    )  # fmt: skip
