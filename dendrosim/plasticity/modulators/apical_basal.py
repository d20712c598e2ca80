"""Branch types: apical and basal dendrites that learn at different rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import index, names, number, several, short, whole
from ...errors import ParameterError
from .base import Modulator

if TYPE_CHECKING:
    from ...networks.layout import Layout
    from ...networks.network import Network
    from ...teaching.lesson import TreeLesson

Array = NDArray[Any]

NO_BRANCH = ("soma", "axon")
"""Regions that are neither apical nor basal: their factor is 1."""


class ApicalBasal(Modulator):
    """s = basal + t (apical - basal) with t = 1 on apical branches, 0 on others (local-credit paper, appendix D).

    (In the published runs "apical" was the second half of the list of stages, whatever the anatomy.)

    Parameters
    ----------
    apical : float
        Factor on apical branches.
    basal : float, default 1.0
        Factor on all others; somas and axons keep 1.
    branches : sequence of int, optional
        Which branches are apical in trees without anatomy: numbers of the branches that leave the root of each cell,
        counted from 0. Default: by the name of their region.
    regions : str or sequence of str, default "apical"
        Names of the regions that count as apical, unless `branches` says which do.
    """

    name: ClassVar[str] = "apical_basal"
    shorthand: ClassVar[str] = "apical"

    def __init__(
        self,
        apical: float,
        basal: float = 1.0,
        branches: Sequence[int] | None = None,
        regions: str | Sequence[str] = "apical",
    ) -> None:
        self.apical = number("apical", apical, least=0.0)
        self.basal = number("basal", basal, least=0.0)
        self.branches: tuple[int, ...] | None = None
        if branches is not None:
            listed = several("branches", branches, "numbers of branches, such as [0]")
            self.branches = tuple(whole("a number in branches", branch, 0) for branch in listed)
        self.regions = names("regions", regions)

    def prepare(self, network: Network) -> None:
        layout = network.layout
        region = np.concatenate([tree.region for tree in layout.trees])
        apical = self._by_region(region) if self.branches is None else self._by_branch(layout)
        self._factor = np.where(apical, self.apical, self.basal)
        self._factor[np.isin(region, NO_BRANCH) | (layout.parent < 0)] = 1.0

    def _by_region(self, region: Array) -> Array:
        apical = np.isin(region, self.regions)
        if not apical.any():
            found = ", ".join(sorted({str(name) for name in region}))
            raise ParameterError(
                f"no compartment lies in a region called {' or '.join(map(repr, self.regions))}; there are: {found}. "
                "Name them in regions=, or count branches from the root: branches=[0]"
            )
        return apical

    def _by_branch(self, layout: Layout) -> Array:
        order = np.full(layout.size, -1)  # of the branch from the root on which a compartment lies
        seen = np.zeros(layout.n_cells, np.int64)
        for n in np.flatnonzero(layout.parent >= 0):
            parent, cell = layout.parent[n], layout.cell[n]
            if layout.parent[parent] < 0:
                order[n] = seen[cell]
                seen[cell] += 1
            else:
                order[n] = order[parent]
        most = int(seen.max())
        if not self.branches:
            raise ParameterError(f"branches={short(self.branches)} must name at least one branch, such as [0]")
        return np.isin(order, [index("branch from the root", branch, most) for branch in self.branches])

    def modulate(self, lesson: TreeLesson) -> None:
        lesson.factor *= self._factor
