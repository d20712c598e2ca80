"""Vanilla noise correlation: the same noise in every direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...arguments import whole
from .correlation import Correlation

if TYPE_CHECKING:
    from ...networks.network import Network


class VNC(Correlation):
    """Feedback learned by correlating independent noise of all units with output changes.

    What the noise-correlation paper (arXiv 2601.02636) compares its method with; estimators and their error derived
    here. K perturbations of a layer of d units estimate a constant derivative with relative squared error (d - 1) / K
    (d + 1 for normal noise), when other layers are still; K_eff = B K (2 - eta) / eta of them are in the matrix.

    Parameters
    ----------
    perturbations : int, default 1
        Perturbed forward passes per update.
    sigma : float, default 0.05
        Standard deviation of the noise.
    noise : {"rademacher", "gauss", "orthogonal"}, default "rademacher"
        Signs have a little less variance than normal numbers and cost far less time; "orthogonal" directions are exact
        after as many as the next power of two from N.
    eta : float, default 0.05
        Rate of the feedback matrix.
    interval : int, default 1
        Steps from one update of it to the next.
    inject : {"output", "voltage", "current"}, default "output"
        See `Perturbing`; "output" is the default, for credits then have each sample's own f'(V_n).
    antithetic : bool, default False
        Pairs of opposite sign. Noise is symmetric, so that even powers add no bias but only variance without them, and
        two passes of different noise tell more than a pair wherever the way to the outputs is nearly affine.
    baseline : {"clean", "running", "none"}, default "clean"
    layers : {"together", "in_turn"}, default "together"
    init : {"zero", "random"}, default "zero"
        What the matrix starts from; "random" is that of direct feedback alignment.
    match_rank : int, optional
        Give every layer of d units the energy of noise of size sigma in so many dimensions: sigma sqrt(rank / d).
    """

    name: ClassVar[str] = "vnc"

    def __init__(
        self,
        perturbations: int = 1,
        sigma: float = 0.05,
        noise: str = "rademacher",
        eta: float = 0.05,
        interval: int = 1,
        inject: str = "output",
        antithetic: bool = False,
        baseline: str = "clean",
        layers: str = "together",
        init: str = "zero",
        match_rank: int | None = None,
    ) -> None:
        super().__init__(perturbations, sigma, noise, eta, interval, inject, antithetic, baseline, layers, init)
        self.match_rank = None if match_rank is None else whole("match_rank", match_rank)

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        super().prepare(network, rng)
        if self.match_rank is not None:
            units = np.bincount(self._layer)[self._layer]
            self.scale *= np.sqrt(np.minimum(self.match_rank, units) / units)
