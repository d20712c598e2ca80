"""Cells in time: inputs, synaptic kinetics, channels, the steps, and what is recorded."""
