"""Rho, the fourth factor: how much a layer's mean voltage goes along with the network's output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import number
from ...errors import choose
from .base import Modulator, kept, limits
from .moving import MovingMoments

if TYPE_CHECKING:
    from ...networks.network import Network
    from ...teaching.lesson import TreeLesson

Array = NDArray[Any]

ROUNDING = 1e-28
"""Variance, relative to the squared mean, up to which a mean over a layer is taken to be constant."""


class Pearson:
    """Correlation of layer mean and output mean, from moving moments (eq. 17, 20); 1 where either never varied."""

    def __init__(self, n_layers: int, alpha: float, eps: float) -> None:
        self.moments = MovingMoments((n_layers,), alpha)
        self.eps = eps

    def update(self, layers: Array, output: Array) -> Array:
        if output.size == 1:
            self.moments.sample(layers[:, 0], np.broadcast_to(output, layers.shape[:1]))
        else:
            x, y = layers - layers.mean(1, keepdims=True), output - output.mean()
            variance = np.full(len(x), (y * y).mean())
            self.moments.batch(
                np.stack([layers.mean(1), (x * x).mean(1), np.full(len(x), output.mean()), variance, x @ y / y.size])
            )
        mx, vx, my, vy, covariance = self.moments.values
        varied = (vx > ROUNDING * mx * mx) & (vy > ROUNDING * my * my)
        spread = np.sqrt(vx * vy) + self.eps
        return np.where(varied, covariance / np.where(varied, spread, 1.0), 1.0)

    def state(self) -> dict[str, Array]:
        return self.moments.state()

    def restore(self, state: dict[str, Array]) -> None:
        self.moments.restore(state)


class Dot:
    """Moving average of the uncentred product of layer mean and output mean: what the published headline runs used."""

    def __init__(self, n_layers: int, alpha: float, eps: float) -> None:
        self.alpha = alpha
        self.product, self.count = np.zeros(n_layers), 0

    def update(self, layers: Array, output: Array) -> Array:
        rate = self.alpha if self.count else 1.0
        self.product += rate * (layers @ output / output.size - self.product)
        self.count += 1
        return self.product.copy()

    def state(self) -> dict[str, Array]:
        return {"product": self.product.copy(), "count": np.array(self.count)}

    def restore(self, state: dict[str, Array]) -> None:
        self.product[:] = state["product"]
        self.count = int(state["count"].item())


ESTIMATORS: dict[str, type[Pearson] | type[Dot]] = {"pearson": Pearson, "dot": Dot}


class Rho(Modulator):
    """Morphology correlation, one factor per layer (local-credit paper, Def. 3, eq. 17-20).

    rho = Cov(V_layer, V_out) / (sqrt(Var V_layer Var V_out) + eps), with the mean voltage of the layer's compartments
    and that of the somas that the decoder reads. Batches of two or more average batch moments; single samples follow
    eq. 20. A layer is the compartments of one population at one stage. Where nothing has varied yet, rho is 1.

    Parameters
    ----------
    estimator : {"pearson", "dot"}, default "pearson"
        "dot", the uncentred product, is what the published headline runs used in place of eq. 17.
    output : {"voltage", "activity"}, default "voltage"
        What stands for the output: V as in eq. 17, or f(V), what the decoder reads, as in the published runs.
    alpha : float, default 0.1
        Rate of the moving average.
    clamp : (float, float) or None, default (0.1, 2.0)
        As published, for either estimator. Without it a negative correlation turns descent into ascent.
    eps : float, default 1e-8
    """

    name: ClassVar[str] = "rho"
    shorthand: ClassVar[str] = "estimator"

    def __init__(
        self,
        estimator: str = "pearson",
        output: str = "voltage",
        alpha: float = 0.1,
        clamp: tuple[float, float] | None = (0.1, 2.0),
        eps: float = 1e-8,
    ) -> None:
        self.estimator = choose("rho estimator", estimator, ESTIMATORS)
        self.output = choose("rho output", output, ("voltage", "activity"))
        self.alpha = number("rho alpha", alpha, above=0.0, most=1.0)
        self.clamp = limits("rho clamp", clamp)
        self.eps = number("rho eps", eps, least=0.0)

    def prepare(self, network: Network) -> None:
        layout = network.layout
        self._layer, self._n_layers = layout.layer, layout.n_layers
        self._somas = layout.roots[layout.readout]
        self._estimate = ESTIMATORS[self.estimator](self._n_layers, self.alpha, self.eps)

    def modulate(self, lesson: TreeLesson) -> None:
        from ...kernels.moments import layer_means

        activity = lesson.activity
        n_samples, voltage = activity.n_samples, activity.voltage.reshape(-1)
        layers = np.empty((self._n_layers, n_samples))
        layer_means(voltage, self._layer, self._n_layers, n_samples, layers, activity.lanes)
        read = activity.voltage if self.output == "voltage" else activity.output
        output = read[:, self._somas].mean(1, dtype=np.float64).reshape(-1)[:n_samples]
        rho = kept(self._estimate.update(layers, output), self.clamp)
        lesson.factor *= rho[self._layer]

    def state(self) -> dict[str, Array]:
        return self._estimate.state()

    def restore(self, state: dict[str, Array]) -> None:
        super().restore(state)
        self._estimate.restore(state)
