"""States at the beginning of a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import numbers, short
from ...errors import ParameterError
from ...morphology.compartments import Compartments
from ..gates import Gate
from ..steady import steady_state
from ..synapses import Synapses
from .arguments import snapshot_given
from .equilibrium import equilibrium
from .events import unit_of
from .inputs import Clamp, Spikes, Waveform
from .problem import Problem
from .trace import Snapshot

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STATES = ("voltage", "p", "q", "mechanism")
"""Of a snapshot, what is computed with."""


def first_snapshot(
    initial: Any,
    problem: Problem,
    compartments: Compartments,
    synapses: Synapses | None,
    given: Spikes | Waveform | None,
    constant: Floats,
    clamps: Sequence[Clamp],
    integration: str,
    direction: str,
    gate: Gate | None,
) -> Snapshot:
    """What a simulation begins with; see `simulate`.

    Raises
    ------
    ParameterError
        If `initial` is impossible.
    """
    b, n, d = problem.n_rows, compartments.size, problem.n_drives
    shapes: dict[str, tuple[int, ...]] = {
        "voltage": (b, n),
        "p": (b, d),
        "q": (b, d),
        "mechanism": (b, problem.n_states),
    }
    shapes["activity"] = (b, problem.n_inputs)
    if isinstance(initial, Snapshot):
        same = snapshot_given(initial, shapes)
        return replace(same, **{name: getattr(same, name).astype(problem.dtype) for name in STATES})
    p, q, activity = np.zeros((b, d)), np.zeros((b, d)), np.zeros((b, problem.n_inputs))
    if isinstance(initial, str) and initial == "rest":
        voltage = np.full((b, n), problem.offset)
    elif isinstance(initial, str) and initial == "steady":
        if isinstance(given, Waveform):
            activity = np.array(given.values[0])
            for k, (source, course) in enumerate(zip(problem.drive_source, problem.drive_course, strict=True)):
                time_course = problem.courses[course]
                now = activity[:, source] * unit_of(given, time_course)
                p[:, k], q[:, k] = now * time_course.equilibrium()[0], now
        voltage = _steady(problem, compartments, synapses, q, constant, clamps, integration, direction, gate)
    elif isinstance(initial, str):
        raise ParameterError(f"initial={initial!r} is not known; valid: 'rest', 'steady', voltages or a Snapshot")
    else:
        voltage = _consistent(compartments, np.array(voltages_given(initial, b, n)))
    kind = problem.dtype
    return Snapshot(
        (voltage - problem.offset).astype(kind),
        p.astype(kind),
        q.astype(kind),
        problem.mechanism_states(voltage, initial == "steady" if isinstance(initial, str) else False).astype(kind),
        activity,
    )


def voltages_given(initial: Any, n_rows: int, size: int) -> Floats:
    """Voltages to begin with, (B, N).

    Raises
    ------
    ParameterError
        If they have another shape or are not finite.
    """
    table = numbers("initial", initial).astype(np.float64)
    if table.shape not in ((size,), (n_rows, size)) or not np.isfinite(table).all():
        raise ParameterError(
            f"initial={short(initial)} of shape {table.shape} must be finite, ({size},) or ({n_rows}, {size}), mV"
        )
    return np.broadcast_to(table, (n_rows, size))


def _steady(
    problem: Problem,
    compartments: Compartments,
    synapses: Synapses | None,
    q: Floats,
    constant: Floats,
    clamps: Sequence[Clamp],
    integration: str,
    direction: str,
    gate: Gate | None,
) -> Floats:
    """Steady voltages, channels and clamps of the first step included."""
    current = np.array(constant)
    for clamp in clamps:
        current[:, clamp.compartment] += clamp.values(np.array([0.5 * problem.dt]), problem.n_rows)[0]
    if problem.wiring.reversal.size or problem.mechanisms:
        if direction == "directed":
            raise ParameterError(
                "initial='steady' is solved level by level in directed trees, without NMDA synapses; begin at 'rest' "
                "or from trace.final of a run that settles"
            )
        return equilibrium(problem, compartments, synapses, q, current)
    x = None
    if synapses is not None:
        drive = np.empty(synapses.size, np.int64)
        drive[problem.order] = problem.wiring.drive
        synapses, x = synapses.with_(source=drive, n_inputs=problem.n_drives), q
    state = steady_state(
        compartments, synapses, x, integration=integration, direction=direction, current=current, gate=gate, threads=1
    )
    return np.asarray(state.solved, np.float64)


def _consistent(compartments: Compartments, voltage: Floats) -> Floats:
    """Voltages whose branch points without capacitance are where their neighbours put them."""
    bare, others, own, between = _bare(compartments)
    if bare.size:
        from scipy.sparse.linalg import spsolve

        relative = voltage - compartments.leak_reversal
        solved = np.asarray(spsolve(own, -(between @ relative[:, others].T))).reshape(bare.size, -1)
        voltage[:, bare] = solved.T + compartments.leak_reversal
    return voltage


def consistent_back(compartments: Compartments, credit: Floats) -> tuple[Floats, Floats]:
    """Gradient (B, N) by voltages before they were made consistent, and by currents, from that by those after it."""
    bare, others, own, between = _bare(compartments)
    current = np.zeros_like(credit)
    if bare.size and credit[:, bare].any():
        from scipy.sparse.linalg import spsolve

        solved = np.asarray(spsolve(own, credit[:, bare].T)).reshape(bare.size, -1)  # `own` is symmetric
        credit[:, others] -= (between.T @ solved).T
        current[:, bare], credit[:, bare] = solved.T, 0.0
    return credit, current


def _bare(compartments: Compartments) -> tuple[Ints, Ints, Any, Any]:
    """Compartments without capacitance, the others, and conductances among the former and from the latter to them."""
    from scipy.sparse import coo_matrix

    bare = np.flatnonzero(compartments.capacitance == 0)
    child = np.flatnonzero(compartments.parent >= 0)
    parent, g, n = compartments.parent[child], compartments.coupling[child], compartments.size
    rows = np.concatenate([child, parent, child, parent, np.arange(n)])
    columns = np.concatenate([child, parent, parent, child, np.arange(n)])
    matrix = coo_matrix((np.concatenate([g, g, -g, -g, compartments.leak]), (rows, columns)), (n, n)).tocsr()
    others = np.setdiff1d(np.arange(n), bare)
    return bare, others, matrix[bare][:, bare].tocsc(), matrix[bare][:, others]
