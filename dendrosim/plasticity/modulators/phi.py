"""Phi, the fifth factor: how well a compartment's voltage is predicted from its parent's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import number
from ...errors import choose
from ...teaching.drives import children_drive
from .base import Modulator, kept, limits
from .moving import MovingMoments

if TYPE_CHECKING:
    from ...networks.network import Network
    from ...teaching.lesson import TreeLesson

Array = NDArray[Any]


class Phi(Modulator):
    """Conditional predictability (local-credit paper, Def. 4, eq. 21-23).

    Ridge regression of V_n on the voltage P_n of the parent: beta = Cov / (Var P + ridge), residual = Var V - beta Cov,
    phi = Var V / (residual + eps), which is 1 / (1 - R^2): at least 1, up to eps, and larger the better the parent
    predicts. Roots, which have no parent, and compartments that have not varied get 1. Moments are moving averages,
    phi's own; batches of two or more average batch moments, single samples follow eq. 20.

    Parameters
    ----------
    per : {"layer", "compartment", "pooled"}, default "layer"
        One factor per layer, from moments averaged over its compartments; one per compartment; or one per layer from
        all its voltages thrown together, so that differences between compartments count as variance, as published.
    parent : {"voltage", "children"}, default "voltage"
        "children" regresses on the current from a compartment's own children (at leaves, on its excitatory drive):
        the proxy that the published runs used in place of the parent, roots included.
    alternative : {"1/(1-R2)", "1-R2"}, default "1/(1-R2)"
        "1-R2" is large where a compartment tells something of its own (Remark 3).
    alpha : float, default 0.1
        Rate of the moving average.
    ridge : float, default 1e-3
        The lambda of eq. 21.
    eps : float, default 1e-12
    clamp : (float, float) or None, default (0.25, 4.0)
        As published.
    """

    name: ClassVar[str] = "phi"
    shorthand: ClassVar[str] = "per"

    def __init__(
        self,
        per: str = "layer",
        parent: str = "voltage",
        alternative: str = "1/(1-R2)",
        alpha: float = 0.1,
        ridge: float = 1e-3,
        eps: float = 1e-12,
        clamp: tuple[float, float] | None = (0.25, 4.0),
    ) -> None:
        self.per = choose("phi per", per, ("layer", "compartment", "pooled"))
        self.parent = choose("phi parent", parent, ("voltage", "children"))
        self.alternative = choose("phi alternative", alternative, ("1/(1-R2)", "1-R2"))
        self.alpha = number("phi alpha", alpha, above=0.0, most=1.0)
        self.ridge = number("phi ridge", ridge, least=0.0)
        self.eps = number("phi eps", eps, least=0.0)
        self.clamp = limits("phi clamp", clamp)

    def prepare(self, network: Network) -> None:
        parent = network.layout.parent
        self._partner = parent if self.parent == "voltage" else np.arange(parent.size)
        self._paired = self._partner >= 0
        self._layer = network.layout.layer
        n_layers = network.layout.n_layers
        self._sizes = np.maximum(np.bincount(self._layer[self._paired], minlength=n_layers), 1)
        self._moments = MovingMoments((n_layers if self.per == "pooled" else parent.size,), self.alpha)

    def modulate(self, lesson: TreeLesson) -> None:
        from ...kernels.moments import pair_moments

        activity = lesson.activity
        voltage = others = activity.voltage.reshape(-1)
        if self.parent == "children":
            drive = np.empty_like(activity.voltage)
            children_drive(lesson.network, activity, drive)
            others = drive.reshape(-1)
        if activity.n_samples == 1 and self.per != "pooled":
            v, p = (a[:: activity.width].astype(np.float64) for a in (voltage, others))
            self._moments.sample(v, p[self._partner])
        else:
            moments = np.empty((5, self._partner.size))
            pair_moments(voltage, others, self._partner, activity.n_samples, moments, np.empty(5), activity.lanes)
            self._moments.batch(self._pool(moments) if self.per == "pooled" else moments)
        lesson.factor *= np.where(self._paired, self._factors(), 1.0)

    def _factors(self) -> Array:
        """Phi of every compartment, (N,), as if all were paired."""
        _, variance, _, other, covariance = self._moments.values
        if self.per == "layer":
            variance, other, covariance = (self._average(m) for m in (variance, other, covariance))
        explained = covariance * covariance / np.maximum(other + self.ridge, np.finfo(np.float64).tiny)
        varied = variance > 0.0
        divisor = np.where(varied, variance, 1.0)
        if self.alternative == "1-R2":
            phi = 1.0 - explained / divisor
        else:
            residual = np.maximum(variance - explained, 0.0)
            phi = variance / np.where(varied, np.maximum(residual + self.eps, np.finfo(np.float64).tiny), 1.0)
        phi = np.where(varied, kept(phi, self.clamp), 1.0)
        return phi if self.per == "compartment" else phi[self._layer]

    def _average(self, values: Array) -> Array:
        """Mean over the paired compartments of each layer, (n_layers,)."""
        sums = np.bincount(self._layer, np.where(self._paired, values, 0.0), self._sizes.size)
        return sums / self._sizes

    def _pool(self, moments: Array) -> Array:
        """Moments of all voltages of each layer about one common mean, (5, n_layers)."""
        v, vv, p, pp, vp = (self._average(m) for m in moments)
        across = self._average(moments[0] ** 2), self._average(moments[2] ** 2), self._average(moments[0] * moments[2])
        return np.stack([v, vv + across[0] - v * v, p, pp + across[1] - p * p, vp + across[2] - v * p])

    def state(self) -> dict[str, Array]:
        return self._moments.state()

    def restore(self, state: dict[str, Array]) -> None:
        super().restore(state)
        self._moments.restore(state)
