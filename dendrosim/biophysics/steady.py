"""Steady states of trees with synapses."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..arguments import index, instance, numbers
from ..errors import ParameterError
from ..morphology.compartments import Compartments, compartments_given
from ..shown import Shown
from .direction import direction as direction_named
from .gates import Gate
from .integration import integration as integration_named
from .magnitude import limits
from .synapses import Synapses
from .system import System, checked_out, float_type

Array = NDArray[Any]


class State(Shown):
    """Steady state of a forest for a batch of stimuli; made by `steady_state`.

    It keeps a copy of the stimuli. Voltages are read-only, unless they went to an array of the caller's (``out=``):
    then a later call into the same array ends the use of this state, with an error that says so.

    Attributes
    ----------
    voltage : float array of shape (B, N)
        mV.
    compartments : Compartments
    synapses : Synapses or None
    x : float array of shape (B, P)
        Presynaptic activities.
    integration, direction : str
    gate : Gate or None
    """

    def __init__(
        self,
        compartments: Compartments,
        synapses: Synapses | None,
        x: Array,
        voltage: Array,
        integration: str,
        direction: str,
        gate: Gate | None,
        system: System,
    ) -> None:
        self.compartments, self.synapses, self.voltage = compartments, synapses, voltage
        self.integration, self.direction, self.gate = integration, direction, gate
        self.x = x.view()
        self.x.flags.writeable = False
        self._system = system
        self._solved: Array | None = voltage  # what kernels take; None once overwritten
        self._resistances: tuple[Array, Array] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self.compartments, self.synapses, np.array(self.x), self.solved, self.integration, self.direction)
        return _restore, (*parts, self.gate, self._system.threads)

    @property
    def solved(self) -> Array:
        """The voltages, unless a later call has overwritten them.

        Raises
        ------
        ParameterError
            If they were overwritten by a later ``steady_state(..., out=)`` into the same array.
        """
        if self._solved is None:
            raise ParameterError(
                "the voltages of this state were overwritten by a later steady_state(..., out=) into the same array; "
                "use the state before that, or give each state an array of its own"
            )
        return self._solved

    @property
    def voltage_soma(self) -> Array:
        """Voltage at the root of every cell, shape (B, n_cells), mV."""
        soma: Array = self.solved[:, self.compartments.roots]
        return soma

    @property
    def activity(self) -> Array:
        """What parents and the decoder receive, shape (B, N): f(V) behind a gate, V without one."""
        return self.solved if self.gate is None else self.gate.activity(self.solved)

    @property
    def input_resistance(self) -> Array:
        """Voltage change at n per current injected at n, shape (B, N), GOhm (= mV / pA).

        In the reciprocal cable this is the true input resistance Z_nn, the diagonal of the inverse of the conductance
        matrix; in directed trees it is R_n = 1 / G_n.
        """
        return self._both()[0]

    @property
    def attenuation_to_soma(self) -> Array:
        """Voltage change at the soma per voltage change at n, current being injected at n, shape (B, N).

        So that for a loss at the soma
        ``exact_gradient(state, loss).current == input_resistance * attenuation_to_soma * loss``.
        """
        return self._both()[1]

    def _both(self) -> tuple[Array, Array]:
        if self._resistances is None:
            self._resistances = self._system.resistances(self.solved)
        return self._resistances

    def plot(self, stimulus: int = 0, **options: Any) -> Any:
        """Draw the cell coloured by the voltage under one stimulus; see `dendrosim.plotting.plot_morphology`."""
        from ..plotting import plot_morphology

        options = {"label": "voltage", "unit": "mV"} | options
        row = index("stimulus", stimulus, len(self.voltage))
        return plot_morphology(self.compartments, self.voltage[row], **options)

    def __repr__(self) -> str:
        b, n = self.voltage.shape
        return f"<State: {b} stimuli x {n} compartments, {self.integration}, {self.direction}, {self.voltage.dtype}>"


def steady_state(
    compartments: Compartments,
    synapses: Synapses | None = None,
    x: ArrayLike | None = None,
    *,
    integration: str = "shunting",
    direction: str = "reciprocal",
    current: ArrayLike | None = None,
    gate: Gate | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
    out: Array | None = None,
) -> State:
    """Steady voltages of every compartment for a batch of stimuli.

    Parameters
    ----------
    compartments : Compartments
        One cell or a forest, N compartments.
    synapses : Synapses, optional
        None: no synapses.
    x : array of shape (B, P), optional
        Presynaptic activities, finite and not negative; P is ``synapses.n_inputs``. May be left out without synapses.
    integration : {"shunting", "additive"}
        Whether synapses are conductances or current sources.
    direction : {"reciprocal", "directed"}
        The real cable, or children that drive their parents (paper eq. 3).
    current : array of shape (N,) or (B, N), optional
        Injected currents, pA.
    gate : Gate, optional
        Nonlinearity between compartments; directed trees only.
    dtype : {"float64", "float32"}, optional
        What to compute in; by default that of `x` and `current`, which must agree.
    threads : int, optional
        By default every processor, or one thread where the work is small. Results do not depend on it.
    out : float array of shape (B, N), optional
        Where to put the voltages: saves the time that the system needs for fresh memory. `State.voltage` is this array;
        a later call with the same array ends the use of the earlier state.

    Returns
    -------
    State

    Raises
    ------
    ParameterError
        If a shape, value, option or combination is impossible; the message says what would work.

    Notes
    -----
    Reciprocal: the symmetric tree system G V = b, solved exactly in O(N) per stimulus by elimination from the tips to
    the soma and back (Hines, Int J Bio-Med Comput 15:69, 1984), arranged so that nothing is subtracted. Directed: one
    pass from the tips to the soma. Additive integration has a fixed driving force per synapse and adds no conductance.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> tree = ds.Compartments.branching([2])
    >>> synapses = ds.Synapses(tree, [1, 2], sign=[1, -1], conductance=1.0)
    >>> state = ds.steady_state(tree, synapses, np.array([[1.0, 0.0], [1.0, 1.0]]), direction="directed")
    >>> state.voltage.round(3)
    array([[0.167, 0.5  , 0.   ],
           [0.167, 0.5  , 0.   ]])
    """
    compartments_given("compartments", compartments)
    if synapses is not None:
        instance("synapses", synapses, Synapses, "such as ds.Synapses.scatter(compartments)")
    how, way = integration_named(integration), direction_named(direction)
    if gate is not None:
        instance("gate", gate, Gate, "ds.Gate(slope, midpoint)")
        if not way.gated:
            raise ParameterError(
                f"gate= works in directed trees only; got direction={direction!r}: drop the gate or use "
                "direction='directed'"
            )
    kind = float_type(dtype, x, current, out)
    if current is not None:
        current = numbers("current", current)
    activity = _activity(synapses, x, current, compartments, kind)
    n_rows, n = activity.shape[0], compartments.size
    injected = None if current is None else _current(current, n_rows, n, kind)
    given = out
    out = checked_out(out, (n_rows, n), kind, x=activity, current=injected)
    system = System(compartments, synapses, activity, how, way, gate, threads)
    system.solve(injected, out)
    if way.gated and how.shunt == 0.0 and gate is None and not np.isfinite(out).all():
        row, column = np.argwhere(~np.isfinite(out))[0]
        raise ParameterError(
            f"voltage[{row}, {column}] is {out[row, column]}: couplings above 1 let additive signals grow along the "
            "tree beyond all numbers; use smaller couplings, a gate or integration='shunting'"
        )
    state = State(compartments, synapses, activity, out, integration, direction, gate, system)
    if given is None:
        state.voltage = out.view()
        state.voltage.flags.writeable = False
    else:
        place = out.__array_interface__["data"][0]
        before = _WRITTEN.get(place)
        if before is not None:
            before._solved = None
        _WRITTEN[place] = state
    return state


_WRITTEN: WeakValueDictionary[int, State] = WeakValueDictionary()
"""The last state whose voltages went to a user's array, by the address of the array."""


def _restore(
    compartments: Compartments,
    synapses: Synapses | None,
    x: Array,
    voltage: Array,
    integration: str,
    direction: str,
    gate: Gate | None,
    threads: int,
) -> State:
    """A state from its parts; for pickle and copy."""
    how, way = integration_named(integration), direction_named(direction)
    system = System(compartments, synapses, x, how, way, gate, threads)
    return State(compartments, synapses, x, voltage, integration, direction, gate, system)


def _activity(
    synapses: Synapses | None,
    x: ArrayLike | None,
    current: Array | None,
    compartments: Compartments,
    kind: np.dtype[Any],
) -> Array:
    """Presynaptic activities as a checked C-ordered array of shape (B, P)."""
    if synapses is None:
        if x is not None:
            raise ParameterError("x= drives synapses, and there are none: pass synapses=, or leave x out")
        return np.empty((1 if current is None or current.ndim != 2 else len(current), 0), kind)
    if synapses.n_compartments != compartments.size:
        raise ParameterError(
            f"the synapses were made for {synapses.n_compartments} compartments and the tree has {compartments.size}: "
            "make them for these compartments"
        )
    if not synapses.made_for(compartments):
        raise ParameterError(
            "the synapses were made for another tree of as many compartments: make them for these compartments"
        )
    if x is None:
        raise ParameterError(f"x= is missing: presynaptic activities of shape (B, {synapses.n_inputs}), not negative")
    given = numbers("x", x)
    if given.ndim != 2 or given.shape[1] != synapses.n_inputs:
        hint = "; one stimulus is x[None, :]" if given.shape == (synapses.n_inputs,) else ""
        raise ParameterError(
            f"x has shape {given.shape}; expected (B, {synapses.n_inputs}), one column per input{hint}"
        )
    most = limits(kind)[1]
    if given.size and not (given.min() >= 0 and given.max() <= most):
        row, column = np.argwhere(~((given >= 0) & (given <= most)))[0]
        raise ParameterError(
            f"x[{row}, {column}] = {given[row, column]}: presynaptic activity must be finite and not negative (in "
            f"{kind} at most {most:.2g}); encode signed inputs as two, ON and OFF"
        )
    return np.array(given, dtype=kind, order="C")  # a copy: the state must not change with the caller's buffer


def _current(current: Array, n_rows: int, n: int, kind: np.dtype[Any]) -> Array:
    """Injected currents as a checked C-ordered array of shape (N,) or (B, N)."""
    if current.shape not in ((n,), (n_rows, n)):
        raise ParameterError(f"current has shape {current.shape}; expected ({n},) or ({n_rows}, {n}), pA")
    most = limits(kind)[1]
    if current.size and not (current.min() >= -most and current.max() <= most):
        where = tuple(np.argwhere(~((current >= -most) & (current <= most)))[0].tolist())
        raise ParameterError(
            f"current{list(where)} = {current[where]} pA must be finite (in {kind} at most {most:.2g})"
        )
    return np.ascontiguousarray(current, dtype=kind)
