"""Backpropagation through residual blocks, and the baseline whose blocks never learn."""

from __future__ import annotations

from .base import Credits, LayerCredit, LayerLesson


class BP(LayerCredit):
    """Backpropagation: block l is told dL/dh_{l+1}, exactly; a penalty is part of the loss (the BP control)."""

    name = "bp"
    exact = True

    def credits(self, lesson: LayerLesson) -> Credits:
        g = lesson.transport()
        return Credits(g[1:], g[0], g[:-1])


class Frozen(BP):
    """The baseline of depth utility: blocks stay as they were drawn, the rest learns by backpropagation."""

    name = "frozen"
    frozen = True
