"""Synapses, steady states and exact gradients."""
