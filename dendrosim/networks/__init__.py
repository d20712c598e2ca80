"""Populations of dendritic neurons wired into networks, decoders and reference architectures."""

from __future__ import annotations

from .decoders import MLP, Linear
from .layout import Population, Projection
from .mlp import PointMLP
from .network import Network
from .residual import ResMLP, StudentNet, ViTMini

__all__ = ["MLP", "Linear", "Network", "PointMLP", "Population", "Projection", "ResMLP", "StudentNet", "ViTMini"]
