"""The two ends of the scale: exact credits, and none."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..construct import call_of
from .base import Teaching
from .broadcast import REAL

if TYPE_CHECKING:
    from ..networks.network import Network
    from .lesson import Lesson


class Exact(Teaching):
    """Exact transport: e_n = dL/dV_n along every path (local-credit paper, eq. 9-10); updates are the gradient.

    Its bandwidth counts one number per compartment, for no two compartments receive the same.
    """

    name: ClassVar[str] = "exact"
    estimates: ClassVar[bool] = False

    def credit(self, lesson: Lesson) -> None:
        lesson.transport()

    def bits_per_sample(self, network: Network) -> float:
        return REAL * network.layout.size

    def __repr__(self) -> str:
        return call_of(self)


class DecoderOnly(Teaching):
    """A control: nothing is told, the core stays as it was drawn, and only the decoder learns."""

    name: ClassVar[str] = "decoder_only"
    frozen_core: ClassVar[bool] = True
    estimates: ClassVar[bool] = False

    def credit(self, lesson: Lesson) -> None:
        lesson.credit[...] = 0.0

    def bits_per_sample(self, network: Network) -> float:
        return 0.0

    def __repr__(self) -> str:
        return call_of(self)
