"""Path gain: what a broadcast loses on its way from the soma to a compartment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError, choose
from .base import Modulator

if TYPE_CHECKING:
    from ...networks.activity import Activity
    from ...networks.network import Network
    from ...teaching.lesson import TreeLesson

Array = NDArray[Any]


class PathGain(Modulator):
    """Path-integrated propagation: credits times the gain of the path to the soma, per sample.

    Parameters
    ----------
    per : {"layer", "compartment"}, default "layer"
        "layer" is eq. 26 of the local-credit paper: pi = 1 at the soma, and pi_parent R_parent g from stage to stage,
        with R and g averaged over the layer. "compartment" is the exact path product of eq. 10, with the derivatives of
        the gates in between: a per-soma broadcast of the true soma errors then becomes the exact credit. (The published
        runs had the first early on, and one like the second later; the headline runs had none.)

    Notes
    -----
    It belongs to broadcasts: what is carried along the path or estimated per compartment has its gain already, and a
    rule with both is refused ("exact", "fa", and all signals that perturb).
    """

    name: ClassVar[str] = "path"
    shorthand: ClassVar[str] = "per"
    turn: ClassVar[int] = 0

    def __init__(self, per: str = "layer") -> None:
        self.per = choose("path per", per, ("layer", "compartment"))

    def prepare(self, network: Network) -> None:
        layout = network.layout
        self._gain: Array = np.empty((0, 0, 0), network.dtype)
        child = np.flatnonzero(layout.parent >= 0)
        inner, outer = layout.layer[layout.parent[child]], layout.layer[child]
        self._steps = child[inner != outer]  # compartments through whose coupling a layer is reached
        self._above = np.full(layout.n_layers, -1)
        for a, b in sorted({(int(a), int(b)) for a, b in zip(inner, outer, strict=True) if a != b}):
            if self.per == "layer" and (self._above[b] >= 0 or a > b):
                name, stage = layout.layers[b]
                raise ParameterError(
                    f"stage {stage} of population {name!r} is not reached from one earlier stage alone, as the path "
                    "gain of layers needs it; use path per='compartment', which works for any tree"
                )
            self._above[b] = a

    def modulate(self, lesson: TreeLesson) -> None:
        from ...kernels.moments import scale_layers

        activity = lesson.activity
        if self.per == "compartment":
            if self._gain.shape != lesson.credit.shape:
                self._gain = np.empty_like(lesson.credit)
            lesson.credit *= lesson.path_gain(self._gain)
        else:
            pi = self.layers(lesson.network, activity).reshape(-1)
            layer = lesson.network.layout.layer
            scale_layers(lesson.credit.reshape(-1), layer, pi, activity.n_blocks, activity.lanes)

    def layers(self, network: Network, activity: Activity) -> Array:
        """Eq. 26: pi of each layer of `network` and sample of `activity`, (n_layers, n_blocks * width)."""
        from ...kernels.moments import layer_means

        layout = network.layout
        n_samples = activity.n_samples
        resistance = np.empty((layout.n_layers, n_samples))
        layer_means(
            activity.resistance.reshape(-1), layout.layer, layout.n_layers, n_samples, resistance, activity.lanes
        )
        layer = layout.layer[self._steps]
        count = np.maximum(np.bincount(layer, minlength=layout.n_layers), 1)
        coupling = np.bincount(layer, network.coupling[self._steps], layout.n_layers) / count
        pi = np.zeros((layout.n_layers, activity.n_blocks * activity.width), activity.dtype)
        for k, above in enumerate(self._above):  # layers are in the order of populations, then stages
            if above < 0:
                pi[k, :n_samples] = 1.0
            else:
                pi[k, :n_samples] = pi[above, :n_samples] * resistance[above] * coupling[k]
        return pi
