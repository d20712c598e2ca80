"""Rest: voltages that stay where they are, with synapses that see the voltage and channels at their steady states.

Newton's method on the whole tree, along implicit steps in time that grow (pseudo-transient continuation; Kelley and
Keyes, SIAM J Numer Anal 35:508, 1998): of several equilibria, the one that a cell with fast channels would come to from
the reversal potential of the leak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from .mechanisms import Mechanism, Sites

if TYPE_CHECKING:
    from ...morphology.compartments import Compartments
    from ..synapses import Synapses
    from .problem import Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ITERATIONS = 400
DIFFERENCE = 1e-4
"""Of the voltages between which slopes of currents are taken, mV."""


def equilibrium(
    problem: Problem, compartments: Compartments, synapses: Synapses | None, q: Floats, current: Floats
) -> Floats:
    """Steady voltages of the reciprocal cable, shape (B, N), mV.

    Parameters
    ----------
    problem : Problem
    compartments, synapses
        Those of the problem.
    q : float array of shape (B, n_drives)
        Open fractions.
    current : float array of shape (B, N)
        pA.

    Raises
    ------
    ParameterError
        If none is found, or a site would fire there.
    """
    wiring = problem.wiring
    at = np.empty(0, np.int64) if synapses is None else synapses.compartment[problem.order]
    plain = at.size - wiring.reversal.size
    opened = q[:, wiring.drive]
    fixed, injected = np.zeros(current.shape), current.astype(np.float64)
    for k in range(plain):
        fixed[:, at[k]] += opened[:, k] * wiring.conductance[k] * wiring.shunt
        injected[:, at[k]] += opened[:, k] * wiring.current[k]
    blocked = opened[:, plain:] * wiring.conductance[plain:]
    v = np.zeros(current.shape)  # relative to the leak's reversal potential, as in kernels
    step = np.full((len(v), 1), 0.1)
    calm = 0
    for _ in range(ITERATIONS):
        inertia = compartments.capacitance / step
        G, b = fixed + inertia, injected + inertia * v
        flows = [(at[plain:], *_unblocked(wiring, blocked, v[:, at[plain:]]))]
        flows += [(rows, *_channel(problem, compartments, kind, rows, v[:, rows])) for kind, rows in problem.active]
        for rows, flow, slope in flows:
            for k, n in enumerate(rows):
                G[:, n] -= slope[:, k]
                b[:, n] += flow[:, k] - slope[:, k] * v[:, n]
        moved = _solve(compartments, G, b) - v
        v += moved
        most = np.abs(moved).max(axis=1, keepdims=True)
        step = np.where(most < 2.0, np.minimum(4 * step, 1e15), np.maximum(step / 4, 1e-3))
        calm = calm + 1 if (most < 1e-9).all() and (step > 1e9).all() else 0
        if calm == 3:
            break
    else:
        raise ParameterError(
            f"initial='steady': Newton's method found no steady state in {ITERATIONS} steps; begin at 'rest' or at "
            "voltages, and let the cell settle"
        )
    voltage = v + problem.offset
    for kind, rows in problem.active:
        loud = np.argwhere(~kind.silent(voltage[:, rows]))
        if loud.size:
            row, site = loud[0]
            raise ParameterError(
                f"initial='steady': compartment {rows[site]} would come to {voltage[row, rows[site]]:.4g} mV in "
                f"stimulus {row}, where {kind.name!r} fires; begin at 'rest' or at voltages"
            )
    return voltage


def _unblocked(wiring: Any, conductance: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Currents of synapses with a block at relative voltages, and their slopes."""
    block = wiring.scale * np.exp(np.clip(-wiring.steepness * v, -80.0, 80.0))
    part, force = 1.0 / (1.0 + block), wiring.reversal - v
    return conductance * part * force, conductance * (part * part * block * wiring.steepness * force - part)


def _channel(
    problem: Problem, compartments: Compartments, kind: Mechanism, rows: Ints, v: Floats
) -> tuple[Floats, Floats]:
    """Currents of a mechanism at relative voltages (B, n_sites), its states at rest there, and their slopes."""
    from ...kernels.mechanisms import currents_of

    places, dt = np.tile(rows, len(v)), 1e-6
    capacitance = compartments.capacitance[places]
    sites = Sites(
        places, np.arange(places.size), 0, compartments.area[places], capacitance, capacitance / dt, problem.offset, dt,
        np.dtype(np.float64),
    )  # fmt: skip
    arrays, function = kind.arrays(sites), currents_of(kind.arrays(sites))
    flows = []
    for shift in (-DIFFERENCE, 0.0, DIFFERENCE):
        now = v.reshape(-1) + shift
        G, b = np.zeros(now.size), np.zeros(now.size)
        state = np.ascontiguousarray(kind.steady(now + problem.offset, problem.offset), np.float64).reshape(-1)
        function(arrays, state, 0, G, b, now, float(problem.offset), (0.0,))
        flows.append((b - G * now).reshape(v.shape))
    return flows[1], (flows[2] - flows[0]) / (2 * DIFFERENCE)


def _solve(compartments: Compartments, G: Floats, b: Floats) -> Floats:
    """Voltages under conductances and currents (B, N) besides the tree's own."""
    from ...kernels.cable import ROWS, solve

    rows, n = G.shape
    every, one, none = np.arange(n), np.ones(n), np.zeros(n)
    parent = np.where(compartments.parent < 0, n, compartments.parent)
    head = (parent, compartments.leak, compartments.coupling, every, every, one, none, 1.0, 0.0)
    work, voltage = np.empty(ROWS * (n + 1) + 2 * n), np.empty(rows * n)
    solve(work, *head, G.reshape(-1), n, b.reshape(-1), rows, voltage, 0, rows, (0.0,))
    return voltage.reshape(rows, n)
