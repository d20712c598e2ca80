"""The equations written out densely, one stimulus at a time, for real and complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np


def voltages(p: dict[str, Any], integration: str, direction: str) -> Any:
    """Steady voltages straight from the defining equations.

    `p` holds parent, leak, coupling, leak_reversal, compartment, source, conductance, reversal, driving_force, sign,
    x (P,), current (N,), and slope, midpoint (N,) or None.
    """
    n = len(p["parent"])
    kind = np.result_type(*(np.asarray(p[k]).dtype for k in ("leak", "coupling", "conductance", "x", "current")))
    into = np.array(p["current"], dtype=kind)
    own = np.zeros(n, dtype=kind)
    for j, c in enumerate(p["compartment"]):
        xg = p["x"][p["source"][j]] * p["conductance"][j]
        if integration == "shunting":
            own[c] += xg
            into[c] += xg * p["reversal"][j]
        else:
            into[c] += xg * (p["driving_force"][j] if direction == "reciprocal" else p["sign"][j])
    if direction == "reciprocal":
        matrix = np.diag(p["leak"] + own)
        for c, parent in enumerate(p["parent"]):
            if parent >= 0:
                g = p["coupling"][c]
                matrix[c, c] += g
                matrix[parent, parent] += g
                matrix[c, parent] -= g
                matrix[parent, c] -= g
        return np.linalg.solve(matrix, into + p["leak"] * p["leak_reversal"])
    out = np.zeros(n, dtype=kind)
    for c in range(n - 1, -1, -1):
        children = [k for k in range(n) if p["parent"][k] == c]
        top, bottom = into[c], 1.0
        if integration == "shunting":
            top = top + p["leak"][c] * p["leak_reversal"]
            bottom = p["leak"][c] + own[c] + sum(p["coupling"][k] for k in children)
        for k in children:
            v = out[k]
            if p["slope"] is not None:
                v = 0.5 * (np.tanh(p["slope"][k] * (v - p["midpoint"][k])) + 1.0)
            top = top + p["coupling"][k] * v
        out[c] = top / bottom
    return out


def derivative(p: dict[str, Any], name: str, weights: Any, integration: str, direction: str) -> Any:
    """d(weights @ V) / d(p[name]) by the complex step, which has no cancellation: exact to rounding."""
    step = 1e-30
    out = np.zeros(np.shape(p[name]))
    for i in range(out.size):
        moved = np.array(p[name], dtype=complex)
        moved[i] += 1j * step
        out[i] = (weights @ voltages({**p, name: moved}, integration, direction)).imag / step
    return out
