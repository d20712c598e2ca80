"""The same linear system by scipy's sparse LU factorisation."""

from __future__ import annotations

import numpy as np
import scipy
from cells import Floats, Problem, contract
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu


class ScipyPeer:
    """One factorisation and two solves per stimulus.

    Compartments are numbered from tips to soma, so that the natural order has no fill-in; scipy's default order
    (COLAMD) and pivoting are slower, and are what `default` asks for.
    """

    name = "scipy splu"

    def __init__(self, problem: Problem, *, default: bool = False) -> None:
        self.problem, self.version = problem, scipy.__version__
        compartments, n = problem.compartments, problem.size
        child = np.flatnonzero(compartments.parent >= 0)
        above, g = compartments.parent[child], compartments.coupling[child]
        self._diagonal = compartments.leak + np.bincount(child, g, n) + np.bincount(above, g, n)
        rows = n - 1 - np.concatenate([np.arange(n), child, above])
        columns = n - 1 - np.concatenate([np.arange(n), above, child])
        marks = np.concatenate([np.arange(n), np.full(2 * child.size, -1)])
        order = np.lexsort((rows, columns))
        values = np.concatenate([self._diagonal, -g, -g])[order]
        starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=n))])
        self._matrix = csc_array((values, rows[order].astype(np.int32), starts.astype(np.int32)), shape=(n, n))
        self._at = np.empty(n, np.int64)
        place = np.flatnonzero(marks[order] >= 0)
        self._at[marks[order][place]] = place
        self._loss = np.zeros(n)
        self._loss[n - 1] = 1.0
        self._options = (
            {}
            if default
            else {
                "permc_spec": "NATURAL",
                "diag_pivot_thresh": 0.0,
                "relax": 1,
                "panel_size": 1,
                "options": {"SymmetricMode": True},
            }
        )

    def _factor(self, x: Floats) -> tuple[object, Floats]:
        problem, synapses = self.problem, self.problem.synapses
        g = synapses.conductance * x[synapses.source]
        b = problem.compartments.leak * problem.compartments.leak_reversal
        b = b + np.bincount(synapses.compartment, g * synapses.reversal, problem.size)
        self._matrix.data[self._at] = self._diagonal + np.bincount(synapses.compartment, g, problem.size)
        return splu(self._matrix, **self._options), b

    def voltage(self, x: Floats) -> Floats:
        """Steady voltages, shape (N,)."""
        lu, b = self._factor(x)
        solution: Floats = lu.solve(b[::-1])[::-1]  # type: ignore[attr-defined]
        return solution

    def gradient(self, x: Floats) -> dict[str, Floats]:
        """Voltages, q and the gradient of every parameter."""
        lu, b = self._factor(x)
        voltage = lu.solve(b[::-1])[::-1]  # type: ignore[attr-defined]
        q = lu.solve(self._loss)[::-1]  # type: ignore[attr-defined]
        return {"voltage": voltage, "current": q, **contract(self.problem, x, voltage, q)}
