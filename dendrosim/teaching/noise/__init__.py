"""Teaching signals from noise: what perturbations of units do to the outputs, or to the loss."""

from __future__ import annotations

from .manifold import NMNC
from .mirror import Mirror
from .node import NodePerturbation
from .vanilla import VNC

__all__ = ["NMNC", "VNC", "Mirror", "NodePerturbation"]
