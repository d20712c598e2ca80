"""Populations of dendritic neurons wired into networks, decoders and reference architectures."""
