"""Local mismatch: the scalar, modulated by how far a compartment is from what drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..arguments import flag
from .broadcast import Broadcast, Floats, Signal, mean_error
from .drives import children_drive, parents_drive
from .scalar import with_fallback

if TYPE_CHECKING:
    from ..networks.network import Network
    from .lesson import Lesson

CLIP = 3.0
BLEND = 0.8


class LocalMismatch(Broadcast):
    """The scalar times the centred mismatch of parent and compartment (local-credit paper, eq. 13-14).

    eps_n = (P_n - V_n) less its mean over the batch, e_n = delta_mean eps_n f'(V_n). P_n is the voltage of the parent.
    A soma has no parent: its P_n is the current that its children drive it with, sum_c g_c a_c. (In an additive network
    without somatic synapses that current *is* the soma's voltage: the mismatch vanishes, and somas learn nothing.)

    Parameters
    ----------
    replication : bool, default False
        As in the published runs: P_n is everywhere the current from a compartment's own children (at leaves the
        excitatory drive), the centred mismatch is divided by its root mean square over the layer, sample by sample,
        and clipped to +-3; 0.8 of it times the scalar plus 0.2 of the bare scalar, with the published fallback.
    """

    name: ClassVar[str] = "local_mismatch"

    def __init__(self, replication: bool = False) -> None:
        self.replication = flag("replication", replication)

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        self._drive: Floats = np.empty((0, 0, 0), network.dtype)

    def signal(self, lesson: Lesson) -> Signal:
        return (with_fallback(lesson) if self.replication else mean_error(lesson),)

    def sizes(self, network: Network) -> tuple[int, ...]:
        return (1,)

    def deliver(self, lesson: Lesson, signal: Signal) -> None:
        from ..kernels.drives import centred_mismatch

        a, layout = lesson.activity, lesson.network.layout
        if self._drive.shape != lesson.credit.shape:
            self._drive = np.empty_like(lesson.credit)
        (children_drive if self.replication else parents_drive)(lesson.network, a, self._drive)
        flat = [v.reshape(-1) for v in (self._drive, a.voltage, lesson.credit)]
        centred_mismatch(flat[0], flat[1], layout.size, a.n_samples, flat[2], a.lanes)
        if self.replication:
            self._as_published(lesson)
        lesson.credit *= a.blocks(signal[0])
        lesson.credit *= a.derivative

    def _as_published(self, lesson: Lesson) -> None:
        """Divide the mismatch by its root mean square over each layer, clip, and blend with 1."""
        from ..kernels.moments import layer_means, scale_layers

        a, layout = lesson.activity, lesson.network.layout
        mean = np.empty((layout.n_layers, a.n_samples))
        layer_means((lesson.credit**2).reshape(-1), layout.layer, layout.n_layers, a.n_samples, mean, a.lanes)
        inverse = np.zeros((layout.n_layers, a.n_blocks * a.width), a.dtype)
        inverse[:, : a.n_samples] = 1.0 / np.sqrt(np.where(mean > 0.0, mean, 1.0))
        scale_layers(lesson.credit.reshape(-1), layout.layer, inverse.reshape(-1), a.n_blocks, a.lanes)
        np.clip(lesson.credit, -CLIP, CLIP, out=lesson.credit)
        lesson.credit *= a.dtype.type(BLEND)
        lesson.credit += a.dtype.type(1.0 - BLEND)
