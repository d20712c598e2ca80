"""The equations written out densely, one stimulus at a time, for real and complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np


def voltages(p: dict[str, Any], integration: str, direction: str) -> Any:
    """Steady voltages straight from the defining equations, shape (..., N); arrays may have leading axes.

    `p` holds parent, leak, coupling, leak_reversal, compartment, source, conductance, reversal, driving_force, sign,
    x (P,), current (N,), and slope, midpoint (N,) or None.
    """
    n = len(p["parent"])
    varied = [np.asarray(p[k]) for k in ("leak", "coupling", "conductance", "x", "current")]
    kind = np.result_type(*(array.dtype for array in varied))
    leading = np.broadcast_shapes(*(array.shape[:-1] for array in varied))
    leak, coupling, conductance, x, current = (np.moveaxis(array, -1, 0) for array in varied)
    into = np.zeros((n, *leading), dtype=kind)
    into += current.reshape(n, *(1,) * (into.ndim - current.ndim), *current.shape[1:])
    own = np.zeros((n, *leading), dtype=kind)
    for j, c in enumerate(p["compartment"]):
        xg = x[p["source"][j]] * conductance[j]
        if integration == "shunting":
            own[c] += xg
            into[c] += xg * p["reversal"][j]
        else:
            into[c] += xg * (p["driving_force"][j] if direction == "reciprocal" else p["sign"][j])
    if direction == "reciprocal":
        matrix = np.zeros((n, n, *leading), dtype=kind)
        for c, parent in enumerate(p["parent"]):
            matrix[c, c] += leak[c] + own[c]
            into[c] += leak[c] * p["leak_reversal"]
            if parent >= 0:
                g = coupling[c]
                matrix[c, c] += g
                matrix[parent, parent] += g
                matrix[c, parent] -= g
                matrix[parent, c] -= g
        right = np.moveaxis(into, 0, -1)[..., None]
        return np.linalg.solve(np.moveaxis(matrix, (0, 1), (-2, -1)), right)[..., 0]
    children: list[list[int]] = [[] for _ in range(n)]
    for c, parent in enumerate(p["parent"]):
        if parent >= 0:
            children[parent].append(c)
    out = np.zeros((n, *leading), dtype=kind)
    for c in range(n - 1, -1, -1):
        top, bottom = into[c], 1.0
        if integration == "shunting":
            top = top + leak[c] * p["leak_reversal"]
            bottom = leak[c] + own[c] + sum(coupling[k] for k in children[c])
        for k in children[c]:
            v = out[k]
            if p["slope"] is not None:
                v = 0.5 * (np.tanh(p["slope"][k] * (v - p["midpoint"][k])) + 1.0)
            top = top + coupling[k] * v
        out[c] = top / bottom
    return np.moveaxis(out, 0, -1)


def derivative(p: dict[str, Any], name: str, weights: Any, integration: str, direction: str) -> Any:
    """d(weights @ V) / d(p[name]) by the complex step, which has no cancellation: exact to rounding."""
    step = 1e-30
    moved = p[name] + 1j * step * np.eye(np.size(p[name]))
    return (voltages({**p, name: moved}, integration, direction) @ weights).imag / step
