"""Dendritic normalisation: coupling updates over the total coupling of the branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...arguments import number
from .base import Modulator

if TYPE_CHECKING:
    from ...networks.network import Network
    from ...teaching.lesson import TreeLesson


class DendriticNormalisation(Modulator):
    """Updates of the couplings into a compartment over their sum (local-credit paper, section 4.2 and appendix D).

    delta g_c <- delta g_c / (sum_k g_k + eps), over the children k of the parent of c. Synapses and gates are not
    touched.

    Parameters
    ----------
    eps : float, default 1e-8
    """

    name: ClassVar[str] = "normalisation"
    shorthand: ClassVar[str] = "eps"

    def __init__(self, eps: float = 1e-8) -> None:
        self.eps = number("normalisation eps", eps, above=0.0)

    def prepare(self, network: Network) -> None:
        self._child = np.flatnonzero(network.layout.parent >= 0)
        self._parent = network.layout.parent[self._child]

    def modulate(self, lesson: TreeLesson) -> None:
        network = lesson.network
        total = np.bincount(self._parent, network.coupling[self._child], network.layout.size)
        lesson.coupling_factor[self._child] /= total[self._parent] + self.eps
