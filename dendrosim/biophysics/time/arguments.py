"""Checks of what a simulation is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import instance, numbers, short, whole
from ...errors import ParameterError
from ..synapses import Synapses
from .inputs import Clamp, Spikes, Waveform
from .trace import Snapshot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def activity_given(synapses: Synapses | None, inputs: Any, connected: bool) -> Spikes | Waveform | None:
    """Inputs as spikes or a waveform; none are needed where cells drive synapses.

    Raises
    ------
    ParameterError
        If they do not fit the synapses.
    """
    if synapses is None:
        if inputs is not None:
            raise ParameterError("inputs drive synapses, and there are none: pass synapses=, or leave inputs out")
        return None
    if inputs is None and connected:
        return None
    if inputs is None:
        raise ParameterError(
            f"inputs are missing: ds.Spikes, ds.Waveform, or activities of shape (B, {synapses.n_inputs})"
        )
    if isinstance(inputs, Spikes):
        if inputs.n_inputs > synapses.n_inputs:
            raise ParameterError(
                f"the spikes are of {inputs.n_inputs} inputs and the synapses have {synapses.n_inputs}"
            )
        return inputs
    if isinstance(inputs, Waveform):
        waveform = inputs
    else:
        table = numbers("inputs", inputs)
        if table.ndim != 2:
            raise ParameterError(
                f"inputs has shape {table.shape}; expected (B, {synapses.n_inputs}), constant activities; spike times "
                "go into ds.Spikes, activity that changes into ds.Waveform"
            )
        waveform = Waveform(table[None].astype(np.float64), 1.0)
        object.__setattr__(waveform, "interval", np.inf)
    if waveform.values.shape[2] != synapses.n_inputs:
        raise ParameterError(
            f"inputs has {waveform.values.shape[2]} columns; expected {synapses.n_inputs}, one per input"
        )
    return waveform


def rows_of(
    given: Spikes | Waveform | None,
    current: ArrayLike | None,
    clamps: Sequence[Clamp],
    initial: Any,
    n_stimuli: int | None,
    size: int,
) -> int:
    """Number of stimuli, B: all that have one must agree.

    Raises
    ------
    ParameterError
        If they do not.
    """
    found: dict[str, int] = {}
    if isinstance(given, Spikes):
        found["the spikes"] = given.n_stimuli
    elif given is not None:
        found["inputs"] = given.values.shape[1]
    table = None if current is None else numbers("current", current)
    if table is not None and table.ndim == 2:
        found["current"] = table.shape[0]
    for i, clamp in enumerate(clamps):
        own = clamp.amplitude.shape[1:] if clamp.interval is not None else clamp.amplitude.shape
        if own and own[0] != 1:
            found[f"clamps[{i}]"] = own[0]
    if isinstance(initial, Snapshot):
        found["initial"] = len(initial.voltage)
    elif not isinstance(initial, str):
        table = numbers("initial", initial)
        if table.ndim == 2:
            found["initial"] = len(table)
    if n_stimuli is not None:
        found["n_stimuli"] = whole("n_stimuli", n_stimuli, 1)
    if len(set(found.values())) > 1:
        said = ", ".join(f"{name} {value}" for name, value in found.items())
        raise ParameterError(f"different numbers of stimuli: {said}; give all the same")
    for name, value in found.items():
        if value < 1:
            raise ParameterError(f"there are no stimuli in {name}; give one or more")
    return next(iter(found.values()), 1)


def currents_given(current: ArrayLike | None, n_rows: int, size: int) -> Floats:
    """Constant currents, shape (B, N), pA.

    Raises
    ------
    ParameterError
        If shape or value is impossible.
    """
    if current is None:
        return np.zeros((n_rows, size))
    table = numbers("current", current).astype(np.float64)
    if table.shape not in ((size,), (n_rows, size)):
        raise ParameterError(f"current has shape {table.shape}; expected ({size},) or ({n_rows}, {size}), pA")
    if not np.isfinite(table).all():
        raise ParameterError("current must be finite, pA")
    return np.broadcast_to(table, (n_rows, size))


def recorded(name: str, value: Any, size: int, named: dict[str, Ints]) -> Ints:
    """Indices of what is recorded.

    Raises
    ------
    ParameterError
        If they do not exist.
    """
    known = {**named, "all": np.arange(size), "none": np.empty(0, np.int64)}
    if isinstance(value, str):
        if value not in known:
            raise ParameterError(
                f"{name}={value!r} is not known; valid: {', '.join(map(repr, known))}, or a list of indices"
            )
        return np.array(known[value])
    given = np.atleast_1d(numbers(name, value))
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise ParameterError(f"{name}={short(value)} must be a list of indices")
    outside = (given < 0) | (given >= size)
    if outside.any():
        first = int(np.argmax(outside))
        raise ParameterError(f"{name}[{first}] = {given[first]} does not exist; valid: 0 to {size - 1}")
    return given.astype(np.int64)


def snapshot_given(initial: Snapshot, shapes: dict[str, tuple[int, ...]]) -> Snapshot:
    """A snapshot that fits.

    Raises
    ------
    ParameterError
        If it is of another cell or other synapses or mechanisms.
    """
    instance("initial", initial, Snapshot, "trace.final")
    for name, shape in shapes.items():
        own = getattr(initial, name).shape
        if own != shape:
            raise ParameterError(
                f"initial.{name} has shape {own}, this simulation {shape}: go on with the cell, synapses and "
                "mechanisms that it was made with"
            )
    return initial


def under_way_given(initial: Snapshot, connected: bool, n_rows: int, n_cells: int) -> None:
    """Check the spikes of a snapshot that are still under way.

    Raises
    ------
    ParameterError
        If they are impossible, or there are no connections for them.
    """
    spikes = numbers("initial.spikes", initial.spikes)
    if spikes.ndim != 2 or spikes.shape[1] != 3:
        raise ParameterError(f"initial.spikes has shape {spikes.shape}; expected (n, 3): stimulus, cell, time in ms")
    if len(spikes) and not connected:
        raise ParameterError(
            f"initial holds {len(spikes)} spikes that are still under way, and connections= is missing; pass those of "
            "the run before, or drop the spikes by dataclasses.replace(initial, spikes=np.empty((0, 3)))"
        )
    low, high = np.array([0.0, 0.0, -np.inf]), np.array([n_rows - 1.0, n_cells - 1.0, 0.0])
    if not (np.isfinite(spikes).all() and (spikes >= low).all() and (spikes <= high).all()):
        raise ParameterError(
            "initial.spikes holds stimuli or cells that do not exist, or times after the beginning; take trace.final "
            "of a run with the same cells and stimuli"
        )
