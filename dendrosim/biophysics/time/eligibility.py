"""Eligibility traces of a running simulation: what a compartment's own synapses and couplings have done of late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...kernels import parallel
from ..direction import Direction
from ..gates import Gate
from ..integration import Integration
from ..steady import steady_state
from .kinetics import Kinetics
from .problem import WIDTH

if TYPE_CHECKING:
    from ...morphology.compartments import Compartments
    from ..synapses import Synapses

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MEMBRANE = "membrane"
_SYNAPSES, _UPPER, _LOWER, _ASKED, _ASKED_LINKS, _P, _Q, _BEFORE, _RESISTANCE, _SEEN, _SEEN_UPPER, _SEEN_LOWER = range(
    12
)


class Eligibility:
    """Traces ``tau_e de/dt = -e + x (E - V_n) R_n(t)`` of synapses, and the like of couplings (paper, appendix F).

    A synapse that only injects current has its driving force in place of ``E - V_n``. The coupling of c to p has two in
    the cable, of ``(V_c - V_p) R_p`` and ``(V_c - V_p) R_c``, and one of ``(a_c - V_p) R_p`` in directed trees
    (additive ones: ``a_c R_p``). x is the open fraction that a step was taken with, V the voltage at its end
    (Crank-Nicolson: in its middle), R_n the input resistance that the leak and the synapses of that step make, without
    capacitance. Behind a block by magnesium ``x (E - V)`` is the derivative of the synapse's current as the step had
    it, and its conductance that of the voltage before the step.

    Parameters
    ----------
    compartments : Compartments
    synapses : Synapses
    courses, course : list of Kinetics, int array of shape (S,)
    integration, direction, gate
    dt : float
        ms.
    middle : bool
        Crank-Nicolson.
    n_rows : int
        B.
    tau_e : float or "membrane"
        ms; 0: traces are what they follow.
    couplings : bool
        Whether couplings have traces.
    kernel : Kinetics or None
        Time course by which credits arrive, see `arrive`.
    tau_out : float or None
        Where spikes are read: time constant of what reads them, ms. Credits then meet ``f``, the trace times the
        surrogate derivative of the cell's spikes, low-passed (as e-prop does: Bellec et al., Nat Commun 11:3625, 2020).
    threads : int

    Attributes
    ----------
    compartment : int array of shape (n,)
        Compartments whose voltages it needs, and which credits belong to.
    synapse : int array of shape (F,)
        Synapses whose open fractions it needs.
    fraction : int array of shape (S,)
        Which of these is each synapse's.
    """

    def __init__(
        self,
        compartments: Compartments,
        synapses: Synapses,
        courses: list[Kinetics],
        course: Ints,
        integration: Integration,
        direction: Direction,
        gate: Gate | None,
        *,
        dt: float,
        middle: bool,
        n_rows: int,
        tau_e: float | str,
        couplings: bool,
        kernel: Kinetics | None,
        tau_out: float | None,
        threads: int,
    ) -> None:
        self.integration, self.direction, self.gate = integration, direction, gate
        self.dt, self.middle, self.n_rows, self.threads = dt, middle, n_rows, threads
        self.couplings, self.kernel = couplings, kernel
        self.membrane = tau_e == MEMBRANE
        self.decay = 0.0 if self.membrane or tau_e == 0 else float(np.exp(-dt / float(tau_e)))
        self.memoryless = not self.membrane and tau_e == 0 and tau_out is None
        self.tau_out, self._cell = tau_out, compartments.cell
        self.width = 1 if n_rows <= 2 else WIDTH[np.dtype(np.float64)]
        self.n_blocks = -(-n_rows // self.width)
        blocked = np.array([kind.blocked is not None for kind in courses], bool)[course]
        self.order = np.argsort(blocked, kind="stable")
        self._blocks = [courses[k].blocked or (0.0, 0.0) for k in course[self.order[synapses.size - blocked.sum() :]]]
        pairs = np.stack([course, synapses.source], 1)
        _, first, which = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        self.synapse, self.fraction = first.astype(np.int64), which.reshape(-1).astype(np.int64)
        self.child = np.flatnonzero(compartments.parent >= 0) if couplings else np.empty(0, np.int64)
        self._compartments: Compartments | None = None
        self._compartments_of = synapses.compartment
        self.change(compartments, synapses)
        s, k, n = synapses.size, self.child.size, self.compartment.size
        lower = 0 if direction.gated else k
        seen = (s, k, lower) if tau_out is not None else (0, 0, 0)
        rows = (s, k, lower, s, k, n, n, n, n, *seen)
        self._memory = [np.zeros(self.n_blocks * size * self.width) for size in rows]
        self._links = self._linked()
        self.steps = 0

    def change(self, compartments: Compartments, synapses: Synapses) -> None:
        """Take other conductances of the same synapses and couplings."""
        force = self.integration.force(synapses, compartments, directed=self.direction.gated)
        if compartments is self._compartments:
            self._traced.conductance[:], self._traced.force[:] = synapses.conductance[self.order], force[self.order]
        else:
            self._lay_out(compartments, synapses, force)

    def _lay_out(self, compartments: Compartments, synapses: Synapses, force: Floats) -> None:
        """The matrix of conductances, condensed as far as that goes, and synapses on it."""
        from ...kernels.eligibility import CABLE, DIRECTED, FIXED, Matrix, Traced

        self._compartments = compartments
        n, directed, additive = compartments.size, self.direction.gated, self.integration.shunt == 0.0
        base, self.offset = self.direction.base(compartments, self.integration)
        none = np.empty(0)
        used = np.zeros(n, bool)
        used[synapses.compartment] = True
        if self.tau_out is not None:
            used[compartments.roots] = True
        used[self.child] = used[compartments.parent[self.child]] = True
        if directed or additive:
            kind = FIXED if additive else DIRECTED
            self.compartment = np.flatnonzero(used)
            ground, coupling, parent = base[self.compartment], none, np.zeros(self.compartment.size, np.int64)
            fixed = none if not additive else 1.0 / ground if directed else _alone(compartments)[self.compartment]
        else:
            from ...kernels.condense import condense

            made = condense(compartments.parent, base, compartments.coupling, used)
            kind, fixed, ground, coupling, parent = CABLE, none, made.ground, made.coupling, made.parent
            self.compartment = np.argsort(made.slot, kind="stable")[: made.n_dense]
        self._place = np.full(n + 1, -1, np.int64)
        self._place[self.compartment] = np.arange(self.compartment.size)
        self._row = self._place[synapses.compartment[self.order]]
        if self.child.size:
            above = self._place[compartments.parent[self.compartment]]  # of roots whatever: they are no child
            parent = np.where(compartments.parent[self.compartment] < 0, self.compartment.size, above)
        inertia = compartments.capacitance[self.compartment] * ((2.0 if self.middle else 1.0) / self.dt)
        local = base[self.compartment]
        self._matrix = Matrix(kind, parent, ground, coupling, fixed, self.membrane, local, inertia, self.decay)
        scale = np.array([s * np.exp(-k * self.offset) for s, k in self._blocks])
        steepness = np.array([k for _, k in self._blocks])
        wiring = (self._row, self.fraction[self.order], synapses.conductance[self.order], force[self.order])
        self._traced = Traced(*wiring, self.integration.shunt, scale, steepness)

    def _linked(self) -> Any:
        from ...kernels.eligibility import Links

        pull = 0.0 if self.direction.gated and self.integration.shunt == 0.0 else 1.0
        return Links(self._place[self.child], pull)

    def begin(self, voltage: Floats) -> None:
        """Voltages (B, n) of `compartment` before the first step, mV."""
        self._memory[_BEFORE][:] = self._to_blocks((voltage - self.offset)[None]).reshape(-1)

    def advance(self, voltage: Floats, fraction: Floats, slope: Floats | None = None) -> None:
        """Follow T steps.

        Parameters
        ----------
        voltage : float array of shape (T, B, n)
            At `compartment` after every step, mV.
        fraction : float array of shape (T, B, F)
            Open fractions of `synapse` that steps were taken with.
        slope : float array of shape (T, B, n_cells), optional
            Surrogate derivatives of spikes, where they are read, 1/mV.
        """
        from ...kernels.eligibility import Filter, Records, Spread, Traces, trace

        steps = len(voltage)
        blocks = self._to_blocks(voltage - self.offset)
        before = self._memory[_BEFORE].reshape(self.n_blocks, 1, *blocks.shape[2:])
        v = np.concatenate([before, blocks], axis=1)
        self._memory[_BEFORE][:] = blocks[:, -1].reshape(-1)
        spreading = self.kernel is not None
        if self.memoryless and not spreading:  # only the last step counts
            v, fraction, self.steps, steps = v[:, -2:], fraction[-1:], self.steps + steps - 1, 1
        passed = np.empty(0)
        if self.gate is not None and self.child.size:
            steep, midpoint = (a[self.compartment] for a in self.gate.arrays(self._place.size - 1, v.dtype))
            moved = v + self.offset
            if self.middle:
                moved[:, 1:] = 0.5 * (moved[:, 1:] + moved[:, :-1])
            passed = 0.5 * (np.tanh(steep[:, None] * (moved - midpoint[:, None])) + 1.0) - self.offset
        records = Records(
            np.ascontiguousarray(v).reshape(-1),
            np.ascontiguousarray(passed).reshape(-1),
            self._to_blocks(fraction).reshape(-1),
            self.synapse.size,
        )
        memory = self._memory
        decays = (0.0, 0.0, 0.0) if self.kernel is None else self.kernel.decay(self.dt)
        spread = Spread(spreading, *decays, memory[_P], memory[_Q])
        traces = Traces(
            memory[_SYNAPSES], memory[_UPPER], memory[_LOWER], memory[_RESISTANCE], memory[_ASKED], memory[_ASKED_LINKS]
        )
        lanes = (0.0,) * self.width
        kept = (memory[_SEEN], memory[_SEEN_UPPER], memory[_SEEN_LOWER])
        if self.tau_out is None or slope is None:
            low_pass = Filter(False, 0.0, np.empty(0, np.int64), 0, np.empty(0), *kept)
        else:
            decay = float(np.exp(-self.dt / self.tau_out))
            cell = self._cell[self.compartment]
            low_pass = Filter(True, decay, cell, slope.shape[2], self._to_blocks(slope).reshape(-1), *kept)
        fixed = (
            self._matrix,
            self._traced,
            self._links,
            spread,
            low_pass,
            records,
            traces,
            self.middle,
            self.steps,
            steps,
        )
        jobs = [(*fixed, *part, lanes) for part in parallel.ranges(self.n_blocks, self.threads)]
        rows = 5 * (self.compartment.size + 1) + 2 * len(self._blocks)
        parallel.run(trace, jobs, self.threads, lambda: np.zeros(rows * self.width))
        self.steps += steps

    def _to_blocks(self, values: Floats) -> Floats:
        """(T, B, n) as (n_blocks, T, n, width), zero where there is no stimulus."""
        t, b, n = values.shape
        padded = values
        if b != self.n_blocks * self.width:
            padded = np.zeros((t, self.n_blocks * self.width, n))
            padded[:, :b] = values
        return np.ascontiguousarray(padded.reshape(t, self.n_blocks, self.width, n).transpose(1, 0, 3, 2))

    def _batch(self, which: int) -> Floats:
        """An array of the memory as (B, rows)."""
        rows = self._memory[which].reshape(self.n_blocks, -1, self.width).transpose(0, 2, 1)
        found: Floats = rows.reshape(self.n_blocks * self.width, -1)[: self.n_rows]
        return found

    @property
    def synapses(self) -> Floats:
        """What credits meet at synapses now, (B, S): traces, in mV GOhm; multiplied by dL/dV they are dL/dg."""
        found = np.empty((self.n_rows, self.order.size))
        found[:, self.order] = self._batch(_SYNAPSES if self.tau_out is None else _SEEN)
        return found

    @property
    def links(self) -> tuple[Floats, Floats]:
        """Traces of the couplings of all compartments that have a parent, by R of the parent and by R of the child."""
        which = (_UPPER, _LOWER) if self.tau_out is None else (_SEEN_UPPER, _SEEN_LOWER)
        upper, lower = (self._batch(i).copy() for i in which)
        return upper, lower if lower.shape[1] else np.zeros_like(upper)

    @property
    def resistance(self) -> Floats:
        """R_n of `compartment` in the last step, (B, n), GOhm."""
        return self._batch(_RESISTANCE).copy()

    def at(self, values: Floats) -> Floats:
        """Values (B, N) of all compartments at `compartment`."""
        found: Floats = values[:, self.compartment]
        return found

    def unblocked(self, fraction: Floats, voltage: Floats) -> Floats:
        """Open fractions (B, S) of all synapses, a block by magnesium at voltages (B, N) in mV included."""
        found: Floats = fraction[:, self.fraction]
        if self._blocks:
            late = self.order[self.order.size - len(self._blocks) :]
            at = self._compartments_of[late]
            scale, steepness = (np.array(column) for column in zip(*self._blocks, strict=True))
            found[:, late] /= 1.0 + scale * np.exp(-steepness * voltage[:, at])
        return found

    def contract(self, credit: Floats) -> tuple[Floats, Floats]:
        """What credits (B, n) that arrive now ask of synapses (S,) and couplings (K,): trace times credit, summed."""
        links = np.zeros(self.child.size)
        asked: Floats = np.einsum("bs,bs->s", self.synapses, credit[:, self._place[self._compartments_of]])
        if self.child.size:
            upper, lower = self.links
            places, above = self._links.child, self._matrix.parent[self._links.child]
            links = np.einsum("bk,bk->k", upper, credit[:, above]) - np.einsum("bk,bk->k", lower, credit[:, places])
        return asked, links

    def arrive(self, credit: Floats) -> None:
        """Let credits (B, n) come in by the time course `kernel` from now on, its area taken as 1.

        A step adds its trace times the integral of the time course over that step; `collect` returns the sum.
        """
        assert self.kernel is not None
        step = np.array(self.dt)
        blocks = self._to_blocks(credit[None]).reshape(-1) / self.kernel.area
        for which, integral in zip((_P, _Q), self.kernel.integrals(step), strict=True):
            self._memory[which] += blocks * float(integral)

    def collect(self) -> tuple[Floats, Floats]:
        """What spread credits have asked since the last time, (S,) and (K,)."""
        asked = np.empty(self.order.size)
        asked[self.order] = self._batch(_ASKED).sum(axis=0)
        links = self._batch(_ASKED_LINKS).sum(axis=0)
        self._memory[_ASKED][:] = 0.0
        self._memory[_ASKED_LINKS][:] = 0.0
        return asked, links

    def checkpoint(self) -> bytes:
        """All there is to know, for `restore`."""
        return np.int64(self.steps).tobytes() + b"".join(array.tobytes() for array in self._memory)

    def restore(self, data: bytes) -> None:
        """Go back to what `checkpoint` returned."""
        self.steps = int(np.frombuffer(data, np.int64, 1)[0])
        at = 8
        for array in self._memory:
            array[:] = np.frombuffer(data, np.float64, array.size, at)
            at += array.nbytes


def _alone(compartments: Compartments) -> Floats:
    """Input resistance of every compartment without synapses."""
    found: Floats = steady_state(compartments, threads=1).input_resistance[0]
    return found
