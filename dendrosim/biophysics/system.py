"""One problem in the form that kernels take: arrays of one dtype, blocks of stimuli, threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..arguments import short
from ..errors import ParameterError
from ..kernels import parallel
from .direction import Direction
from .gates import Gate
from .integration import Integration
from .magnitude import within

if TYPE_CHECKING:
    from ..morphology.compartments import Compartments
    from .synapses import Synapses

Array = NDArray[Any]

WIDTH = {np.dtype(np.float64): 4, np.dtype(np.float32): 8}
"""Stimuli per block: one vector register of 256 bits, so that the scratch memory of large trees stays in the caches."""

PARTIAL_SUMS, LEAST_BLOCKS = 16, 8
"""A batch is summed in at most so many parts of at least so many blocks, whatever the number of threads: same bits."""


parallel.settle_allocator()


class System:
    """Compartments, synapses and stimuli, ready to be solved.

    Parameters
    ----------
    compartments : Compartments
    synapses : Synapses or None
    x : array of shape (B, P)
        C-ordered, of the dtype that everything is computed in.
    integration : Integration
    direction : Direction
    gate : Gate or None
    threads : int or None
        None: every processor, or one thread where the work is small.
    """

    def __init__(
        self,
        compartments: Compartments,
        synapses: Synapses | None,
        x: Array,
        integration: Integration,
        direction: Direction,
        gate: Gate | None,
        threads: int | None,
    ) -> None:
        n, dtype = compartments.size, x.dtype
        within("leak and coupling of the compartments", *compartments.conductance_range, dtype)
        within("leak_reversal", 1.0, abs(compartments.leak_reversal), dtype)
        if synapses is not None:
            within("conductance, reversal or driving_force of the synapses", 1.0, synapses.largest, dtype)
        self.size, self.n_rows, self.n_inputs, self.dtype = n, x.shape[0], x.shape[1], dtype
        self.roots = compartments.roots
        self.n_synapses = 0 if synapses is None else synapses.size
        self._kernels = direction.kernels()
        gates: tuple[Array, ...] = ()
        if direction.gated:
            gates = (np.empty(0, dtype),) * 2 if gate is None else gate.arrays(n, dtype)
        head = _wiring(compartments, synapses, integration, direction, dtype)
        self._head = (*head, *gates, x.reshape(-1), self.n_inputs)
        width = WIDTH[dtype]
        self._width = 1 if self.n_rows <= width // 4 else width  # a nearly empty block costs what a full one does
        self._lanes = (0.0,) * self._width
        self.n_blocks = -(-self.n_rows // self._width)
        self.threads = threads_for(threads, self.size * self.n_rows)

    def solve(self, current: Array | None, out: Array) -> None:
        """Steady voltages into `out`, shape (B, N)."""
        injected = np.empty(0, self.dtype) if current is None else current.reshape(-1)
        self._run(self._kernels.solve, (injected, self.n_rows, out.reshape(-1)))

    def resistances(self, voltage: Array) -> tuple[Array, Array]:
        """Input resistance and attenuation to the soma, shape (B, N) each."""
        resistance, attenuation = np.empty_like(voltage), np.empty_like(voltage)
        self._run(
            self._kernels.resistances,
            (voltage.reshape(-1), self.n_rows, resistance.reshape(-1), attenuation.reshape(-1)),
        )
        return resistance, attenuation

    def adjoint(self, voltage: Array, loss: Array, out: Array | None = None) -> dict[str, Array]:
        """Gradient of a loss with partial derivatives `loss`, shape (B, N) or (B, n_cells), by parameter."""
        current = np.empty_like(voltage) if out is None else out
        inputs = np.empty((self.n_rows, self.n_inputs), self.dtype)
        parts = parallel.ranges(self.n_blocks, min(PARTIAL_SUMS, max(1, self.n_blocks // LEAST_BLOCKS)))
        sums = [np.zeros((len(parts), k), self.dtype) for k in (self.n_synapses, self.size, self.size)]
        head = (*self._head, voltage.reshape(-1), self.n_rows, self.roots, loss.reshape(-1), current.reshape(-1))
        jobs = [
            (*head, *(s[i] for s in sums), inputs.reshape(-1), *blocks, self._lanes) for i, blocks in enumerate(parts)
        ]
        parallel.run(self._kernels.adjoint, jobs, self.threads, self._scratch)
        conductance, coupling, leak = (s[0] if len(parts) == 1 else s.sum(axis=0) for s in sums)
        return {"current": current, "conductance": conductance, "coupling": coupling, "leak": leak, "inputs": inputs}

    def _run(self, kernel: Any, tail: tuple[Any, ...]) -> None:
        jobs = [(*self._head, *tail, *blocks, self._lanes) for blocks in parallel.ranges(self.n_blocks, self.threads)]
        parallel.run(kernel, jobs, self.threads, self._scratch)

    def _scratch(self) -> Array:
        """Memory for one thread; from numpy, which asks for large pages where it is much."""
        blocks = self._kernels.ROWS * (self.size + 1) + 2 * self.n_inputs + self.roots.size
        return np.empty(self._width * blocks, self.dtype)


_KNOWN: WeakKeyDictionary[Compartments, dict[tuple[Any, ...], tuple[Any, ...]]] = WeakKeyDictionary()


def _wiring(
    compartments: Compartments,
    synapses: Synapses | None,
    integration: Integration,
    direction: Direction,
    dtype: np.dtype[Any],
) -> tuple[Any, ...]:
    """What kernels know of a tree and its synapses; remembered, since most calls differ only in their stimuli."""
    known = _KNOWN.setdefault(compartments, {})
    key = (integration.name, direction.name, dtype, synapses is None)
    found = known.get(key)
    if found is not None and (synapses is None or found[0]() is synapses):  # a dead reference is None, too
        return cast("tuple[Any, ...]", found[1])
    n = compartments.size
    base, offset = direction.base(compartments, integration)
    if synapses is None:
        none = np.empty(0, dtype)
        wiring: tuple[Array, ...] = (np.empty(0, np.int64), np.empty(0, np.int64), none, none)
    else:
        force = integration.force(synapses, compartments, directed=direction.gated)
        wiring = (synapses.compartment, synapses.source, synapses.conductance.astype(dtype), force.astype(dtype))
    head = (
        np.where(compartments.parent < 0, n, compartments.parent),  # roots hang on a padding row
        base.astype(dtype),
        compartments.coupling.astype(dtype),
        *wiring,
        integration.shunt,
        offset,
    )
    known[key] = (None if synapses is None else ref(synapses), head)
    return head


def float_type(dtype: DTypeLike | None, *arrays: Any) -> np.dtype[Any]:
    """The one floating-point type of a computation.

    Raises
    ------
    ParameterError
        If it is neither float32 nor float64, or arrays of both are given and `dtype` does not choose.
    """
    if dtype is not None:
        try:
            chosen = np.dtype(dtype)
        except (TypeError, ValueError):
            raise ParameterError(f"dtype={short(dtype)} is not known; valid: 'float64', 'float32'") from None
    else:
        found = {a.dtype.newbyteorder("=") for a in arrays if isinstance(a, np.ndarray) and a.dtype.kind == "f"}
        if len(found) > 1:
            raise ParameterError(
                f"the arrays mix {' and '.join(sorted(map(str, found)))}; convert one, or choose with dtype='float64' "
                "or dtype='float32'"
            )
        chosen = found.pop() if found else np.dtype(np.float64)
    if chosen not in WIDTH:
        what = "dtype" if dtype is not None else "the type of the arrays given, dtype"
        raise ParameterError(f"{what}={chosen} is not supported; valid: 'float64', 'float32', as x.astype('float64')")
    return chosen


def checked_out(out: Array | None, shape: tuple[int, int], dtype: np.dtype[Any], **inputs: Array | None) -> Array:
    """Memory for a result: `out` if it fits and overlaps with none of the inputs, or new.

    Raises
    ------
    ParameterError
        If it does not fit.
    """
    if out is None:
        return np.empty(shape, dtype)
    for name, array in inputs.items():
        if array is not None and isinstance(out, np.ndarray) and np.may_share_memory(out, array):
            raise ParameterError(f"out shares memory with {name}, which is still needed; give it memory of its own")
    fits = isinstance(out, np.ndarray) and out.shape == shape and out.dtype == dtype
    if not (fits and out.flags.c_contiguous and out.flags.writeable):
        got = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else short(out)
        raise ParameterError(f"out must be a writeable C-ordered array of {dtype} and shape {shape}; got {got}")
    return out


def threads_for(threads: int | None, work: int) -> int:
    if threads is None:
        return 1 if work < parallel.SMALL else parallel.available()
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise ParameterError(f"threads={threads!r} must be a positive integer, or None to choose by the amount of work")
    return int(threads)
