"""Numba functions on plain arrays; they know no classes."""
