"""Depth modulation: updates that grow smaller away from the soma."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ...arguments import flag, number
from .base import Modulator

if TYPE_CHECKING:
    from ...networks.network import Network
    from ...teaching.lesson import TreeLesson


class Depth(Modulator):
    """base / (d + alpha) with d the number of branchings above (local-credit paper, appendix D): distal is smaller.

    Parameters
    ----------
    base : float, default 1.0
    alpha : float, default 1.0
        Positive: keeps the factor finite at the soma, where d = 0.
    reverse : bool, default False
        For replication only: the published runs counted d from the most distal stage, as 1, towards the soma, so that
        distal updates were the *larger*, against the paper's text.
    """

    name: ClassVar[str] = "depth"
    shorthand: ClassVar[str] = "alpha"

    def __init__(self, base: float = 1.0, alpha: float = 1.0, reverse: bool = False) -> None:
        self.base = number("depth base", base, above=0.0)
        self.alpha = number("depth alpha", alpha, above=0.0)
        self.reverse = flag("reverse", reverse)

    def prepare(self, network: Network) -> None:
        stage = network.layout.stage
        depth = stage.max() - stage + 1 if self.reverse else stage
        self._factor = self.base / (depth + self.alpha)

    def modulate(self, lesson: TreeLesson) -> None:
        lesson.factor *= self._factor
