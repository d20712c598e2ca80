"""Residual networks: the reference architectures of the evaluation protocol."""

from __future__ import annotations

from .mlp import ResMLP, StudentNet
from .network import Passage, ResidualNetwork
from .vit import ViTMini

ARCHITECTURES: dict[str, type[ResidualNetwork]] = {kind.kind: kind for kind in (ResMLP, StudentNet, ViTMini)}
"""Registered architectures."""

__all__ = ["ARCHITECTURES", "Passage", "ResMLP", "ResidualNetwork", "StudentNet", "ViTMini"]
