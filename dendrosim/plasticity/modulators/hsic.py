"""HSIC auxiliary objectives as extra credit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import number, short
from ...errors import ParameterError, choose
from ..hsic import KERNELS, kernel, one_hot
from .base import Modulator

if TYPE_CHECKING:
    from ...networks.network import Network
    from ...teaching.lesson import TreeLesson

Array = NDArray[Any]


class HSIC(Modulator):
    """Self-decorrelation and target correlation of every layer's outputs (local-credit paper, appendix E, eq. 29-30).

    Each compartment's credit gains weight * (self_weight dself/da + target_weight dtarget/da) * f'(V): its own, direct
    part of the gradient, which then meets the same eligibility (presynaptic activity, driving force, R) and factors as
    any credit. A layer is the compartments of one population at one stage; kernels are computed once per layer. A
    single sample (B = 1) has nothing to be compared with and adds nothing.

    Parameters
    ----------
    weight : float, default 0.01
        Of both losses together; the headline on figure-ground MNIST needed 0.01.
    self_weight, target_weight : float, default 0.3
        Of each (eq. 29, eq. 30), as published.
    kernel : {"rbf", "linear"}, default "rbf"
        As in the published headline; of activities and of one-hot targets alike.
    sigma : float, default 1.0
        Width of the RBF kernel.
    clip : float or None, default 0.1
        Largest magnitude of an entry of the gradient by a, before `weight`.
    warmup : int, default 940
        Minibatches over which `weight` rises linearly from 0: five epochs of the published 188.
    on : {"all", "excitatory"}, default "all"
        What learns from it. "excitatory", excitatory synapses only, is what the published runs did; they also left out
        R, the driving force and f' there, and took 2 Z_centred / B for the linear self-gradient.
    """

    name: ClassVar[str] = "hsic"
    shorthand: ClassVar[str] = "weight"
    turn: ClassVar[int] = 2

    def __init__(
        self,
        weight: float = 0.01,
        self_weight: float = 0.3,
        target_weight: float = 0.3,
        kernel: str = "rbf",
        sigma: float = 1.0,
        clip: float | None = 0.1,
        warmup: int = 940,
        on: str = "all",
    ) -> None:
        self.weight = number("hsic weight", weight, least=0.0)
        self.self_weight = number("hsic self_weight", self_weight, least=0.0)
        self.target_weight = number("hsic target_weight", target_weight, least=0.0)
        self.kernel = choose("hsic kernel", kernel, KERNELS)
        self.sigma = number("hsic sigma", sigma, above=0.0)
        self.clip = None if clip is None else number("hsic clip", clip, above=0.0)
        if isinstance(warmup, bool) or not isinstance(warmup, int) or warmup < 0:
            raise ParameterError(f"hsic warmup={short(warmup)} must be a number of minibatches, 0 or more")
        self.warmup = warmup
        self.on = choose("hsic on", on, ("all", "excitatory"))

    def prepare(self, network: Network) -> None:
        layout = network.layout
        self._rows = [np.flatnonzero(layout.layer == k) for k in range(layout.n_layers)]
        self._kernel = kernel(self.kernel, self.sigma)
        self._steps = 0
        self._apart: Array | None = None

    def modulate(self, lesson: TreeLesson) -> None:
        self._steps += 1
        weight = self.weight * min(1.0, self._steps / self.warmup) if self.warmup else self.weight
        if lesson.activity.n_samples < 2 or weight == 0.0:
            return
        if self.on == "all":
            self._add(lesson, lesson.credit, weight)
        else:
            self._apart = np.zeros_like(lesson.credit)
            self._add(lesson, self._apart, weight)

    def amend(self, lesson: TreeLesson, gradients: dict[str, Array]) -> None:
        if self._apart is None:
            return
        from ...kernels import layers

        network, a, layout = lesson.network, lesson.activity, lesson.network.layout
        constants = (network.force, network.dtype.type(network.kind.pull), network.dtype.type(network.kind.normal))
        arrays = [v.reshape(-1) for v in (a.presynaptic, a.voltage, a.resistance, a.output, self._apart)]
        extra = np.zeros_like(network.conductance)
        unused = [np.zeros(layout.size, network.dtype) for _ in range(3)]
        contract: Any = layers.contract
        contract(  # middle in place of last: no inhibitory synapses
            layout.parent, layout.roots, layout.first, layout.middle, layout.middle, network.source, *constants,
            network.parameters["midpoint"], layout.n_inputs, *arrays, extra, *unused, a.n_blocks, 0, layout.n_cells,
            a.lanes,
        )  # fmt: skip
        extra *= network.conductance_factor
        gradients["synapses"] += extra * np.repeat(lesson.factor, layout.last - layout.first)
        self._apart = None

    def _add(self, lesson: TreeLesson, credit: Array, weight: float) -> None:
        from ...kernels.moments import add_rows, centred_rows

        a = lesson.activity
        limit = np.inf if self.clip is None else self.clip
        y = one_hot(lesson.targets, lesson.output_error.shape[1], a.dtype).T
        flat = [v.reshape(-1) for v in (a.output, credit, a.derivative)]
        for rows in self._rows:
            z = np.empty((rows.size, a.n_samples), a.dtype)
            centred_rows(flat[0], rows, credit.shape[1], a.width, a.n_samples, z)
            gradient = z @ self._kernel.mixing(z, y, self.self_weight, self.target_weight)
            add_rows(flat[1], rows, credit.shape[1], a.width, gradient, weight, limit, flat[2])

    def state(self) -> dict[str, Array]:
        return {"steps": np.array(self._steps)}

    def restore(self, state: dict[str, Array]) -> None:
        super().restore(state)
        self._steps = int(state["steps"].item())
