"""What arrives from outside: spikes, continuous activity, current clamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import generator, instance, number, numbers, short, whole
from ...errors import ParameterError, choose

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_MOST_SPIKES = 1e8


def _listed(value: Any) -> bool:
    """Whether it is a list or an array, not a number."""
    return np.ndim(value) > 0 if isinstance(value, np.ndarray) else isinstance(value, list | tuple)


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Spikes:
    """Spike times of inputs, in any order; immutable.

    Parameters
    ----------
    time : float array of shape (n,)
        ms, not negative.
    source : int array of shape (n,)
        Input that each spike belongs to.
    stimulus : int or int array of shape (n,), default 0
        Stimulus that it belongs to.
    weight : float or float array of shape (n,), default 1.0
        What it opens, in units of the synapse's conductance; not negative.
    n_inputs, n_stimuli : int, optional
        By default just enough.

    Raises
    ------
    ParameterError
        Names the first impossible value.

    Examples
    --------
    >>> import dendrosim as ds
    >>> ds.Spikes([1.0, 5.0, 5.5], [0, 0, 1])
    <Spikes: 3 spikes of 2 inputs, 1 stimuli>
    """

    time: Floats
    source: Ints
    stimulus: Ints
    weight: Floats
    n_inputs: int
    n_stimuli: int

    def __init__(
        self,
        time: ArrayLike,
        source: ArrayLike,
        stimulus: ArrayLike = 0,
        weight: ArrayLike = 1.0,
        *,
        n_inputs: int | None = None,
        n_stimuli: int | None = None,
    ) -> None:
        given = {"time": time, "source": source, "stimulus": stimulus, "weight": weight}
        arrays = {name: numbers(name, value) for name, value in given.items()}
        n = arrays["time"].size
        for name, array in arrays.items():
            if array.shape not in ((), (n,)) or (name == "time" and array.ndim != 1):
                raise ParameterError(f"{name} has shape {array.shape}; expected ({n},), one value per spike")
            integral = name in ("source", "stimulus")
            array = np.broadcast_to(array, (n,)).astype(np.float64)
            bad = ~(np.isfinite(array) & (array >= 0))
            if integral:  # beyond 2**53 it would have become another number
                bad |= (array != np.trunc(array)) | (array >= 2.0**53)
            if bad.any():
                first = int(np.argmax(bad))
                unit = {"time": " ms"}.get(name, "")
                need = "a whole number, 0 or more and below 2**53" if integral else "finite and not negative"
                raise ParameterError(f"{name}[{first}] = {array[first]:g}{unit} must be {need}")
            array = np.array(array, np.int64 if integral else np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        for name, most in (("n_inputs", self.source), ("n_stimuli", self.stimulus)):
            least = int(most.max(initial=-1)) + 1
            chosen = {"n_inputs": n_inputs, "n_stimuli": n_stimuli}[name]
            if chosen is None:
                chosen = max(least, 1)
            elif whole(name, chosen, 0) < least:
                raise ParameterError(f"{name}={chosen} is too small: there are spikes of number {least - 1}")
            object.__setattr__(self, name, int(chosen))

    @classmethod
    def from_trains(cls, trains: Sequence[Any]) -> Spikes:
        """From lists of times: ``trains[j]`` of input j, or ``trains[b][j]`` of input j under stimulus b.

        Raises
        ------
        ParameterError
            If stimuli have different numbers of inputs, or something is no list of times.
        """
        if isinstance(trains, str) or not isinstance(trains, Sequence | np.ndarray) or not len(trains):
            raise ParameterError(f"trains={short(trains)} must be a list with the spike times of every input")
        if not all(_listed(t) for t in trains):
            raise ParameterError(f"trains={short(trains)} must be a list with the spike times of every input")
        deep = any(len(t) and _listed(t[0]) for t in trains)
        stimuli = list(trains) if deep else [trains]
        widths = {len(s) for s in stimuli}
        if len(widths) != 1:
            raise ParameterError(
                f"trains of different numbers of inputs, {sorted(widths)}; give each stimulus the same"
            )
        rows = [(numbers(f"trains[{b}][{j}]", t), j, b) for b, s in enumerate(stimuli) for j, t in enumerate(s)]
        wrong = next((row for row in rows if row[0].ndim != 1), None)
        if wrong is not None:
            raise ParameterError(f"trains[{wrong[2]}][{wrong[1]}] has shape {wrong[0].shape}; expected a list of times")
        sizes = [times.size for times, _, _ in rows]
        return cls(
            np.concatenate([times.astype(np.float64) for times, _, _ in rows]),
            np.repeat([j for _, j, _ in rows], sizes),
            np.repeat([b for _, _, b in rows], sizes),
            n_inputs=widths.pop(),
            n_stimuli=len(stimuli),
        )

    @classmethod
    def poisson(cls, rates: ArrayLike, duration: float, seed: int | np.random.Generator = 0) -> Spikes:
        """Poisson trains of constant rates.

        Parameters
        ----------
        rates : array of shape (P,) or (B, P)
            Hz.
        duration : float
            ms.
        seed : int or numpy.random.Generator, default 0

        Raises
        ------
        ParameterError
            If a rate is negative or the shape is another.
        """
        table = np.atleast_2d(numbers("rates", rates).astype(np.float64))
        if table.ndim != 2 or not (np.isfinite(table) & (table >= 0)).all():
            raise ParameterError(f"rates={short(rates)} must be of shape (P,) or (B, P), finite and not negative, Hz")
        length = number("duration", duration, least=0, unit="ms")
        if not table.sum() * 1e-3 * length <= _MOST_SPIKES:
            raise ParameterError(
                f"duration={length:g} ms at these rates makes {table.sum() * 1e-3 * length:.3g} spikes; "
                f"{_MOST_SPIKES:.0e} are the most"
            )
        rng = generator("seed", seed)
        numbers_of = rng.poisson(table * (1e-3 * length)).ravel()
        b, p = table.shape
        which = np.repeat(np.arange(b * p), numbers_of)
        times = rng.random(which.size) * length
        order = np.lexsort((times, which))
        return cls(times[order], which[order] % p, which[order] // p, n_inputs=p, n_stimuli=b)

    def __len__(self) -> int:
        return int(self.time.size)

    def __repr__(self) -> str:
        return f"<Spikes: {len(self)} spikes of {self.n_inputs} inputs, {self.n_stimuli} stimuli>"


@dataclass(frozen=True, init=False, eq=False)
class Waveform:
    """Activity that is constant for intervals, or firing rates.

    Parameters
    ----------
    values : array of shape (K, B, P)
        Not negative; the last one holds on.
    interval : float
        How long each holds, ms: a whole number of steps.
    unit : {"activity", "Hz"}
        Activity as for steady states (1: open), or events per second, which open a synapse by rate times the area of
        its time course on average.

    Raises
    ------
    ParameterError
        If a shape or value is impossible.
    """

    values: Floats
    interval: float
    unit: str

    def __init__(self, values: ArrayLike, interval: float, unit: str = "activity") -> None:
        array = numbers("values", values).astype(np.float64)
        if array.ndim != 3 or not array.shape[0]:
            raise ParameterError(
                f"values has shape {array.shape}; expected (K, B, P): K intervals, B stimuli, P inputs"
            )
        if array.size and not (np.isfinite(array) & (array >= 0)).all():
            k, b, p = np.argwhere(~(np.isfinite(array) & (array >= 0)))[0]
            raise ParameterError(f"values[{k}, {b}, {p}] = {array[k, b, p]} must be finite and not negative")
        choose("unit", unit, ("activity", "Hz"))
        array.flags.writeable = False
        object.__setattr__(self, "values", array)
        object.__setattr__(self, "interval", number("interval", interval, above=0, unit="ms"))
        object.__setattr__(self, "unit", unit)


@dataclass(frozen=True, init=False, eq=False)
class Clamp:
    """A current injected at one compartment.

    Parameters
    ----------
    compartment : int
    amplitude : float or array of shape (B,), (K,) or (K, B)
        pA; with `interval`, one value after another.
    start, stop : float, default 0 and never
        ms. A step takes the current of its middle, ``start <= t < stop``, as NEURON does.
    interval : float, optional
        How long each of K values holds, ms; nothing flows after the last.

    Raises
    ------
    ParameterError
        If a value is impossible.
    """

    compartment: int
    amplitude: Floats
    start: float
    stop: float
    interval: float | None

    def __init__(
        self,
        compartment: int,
        amplitude: ArrayLike,
        start: float = 0.0,
        stop: float | None = None,
        interval: float | None = None,
    ) -> None:
        array = numbers("amplitude", amplitude).astype(np.float64)
        if array.ndim > 2 or (interval is None and array.ndim > 1) or (interval is not None and array.ndim == 0):
            need = "a number or (B,)" if interval is None else "(K,) or (K, B)"
            raise ParameterError(f"amplitude has shape {array.shape}; expected {need}, pA")
        if not array.size or not np.isfinite(array).all():
            raise ParameterError(f"amplitude={short(amplitude)} pA must be finite, one value or more")
        begin = number("start", start, unit="ms")
        if stop is not None and number("stop", stop, unit="ms") < begin:
            raise ParameterError(f"stop={stop:g} ms is before start={begin:g} ms")
        object.__setattr__(self, "compartment", whole("compartment", compartment, 0))
        object.__setattr__(self, "amplitude", array)
        object.__setattr__(self, "start", begin)
        object.__setattr__(self, "stop", np.inf if stop is None else float(stop))
        object.__setattr__(
            self, "interval", None if interval is None else number("interval", interval, above=0, unit="ms")
        )

    def values(self, middle: Floats, n_stimuli: int) -> Floats:
        """Current (pA) at times `middle` (ms), (n_steps, B), B = `n_stimuli`, or (1, B) where it never changes.

        Raises
        ------
        ParameterError
            If the amplitude is of another number of stimuli.
        """
        own = self.amplitude.shape[1:] if self.interval is not None else self.amplitude.shape
        if own not in ((), (n_stimuli,), (1,)):
            raise ParameterError(
                f"amplitude has shape {self.amplitude.shape}, for {own[0]} stimuli; there are {n_stimuli}"
            )
        on = (middle >= self.start) & (middle < self.stop)
        if self.interval is None:
            now = np.broadcast_to(self.amplitude, (n_stimuli,))
            return np.where((on[:1] if (on == on[0]).all() else on)[:, None], now, 0.0)
        table = self.amplitude if self.amplitude.ndim == 2 else self.amplitude[:, None]
        row = np.floor((middle - self.start) / self.interval + 1e-9)
        on &= row < len(table)
        chosen = table[np.clip(row, 0, len(table) - 1).astype(np.int64)]
        return np.broadcast_to(np.where(on[:, None], chosen, 0.0), (middle.size, n_stimuli))


def clamps_given(clamps: object, n_compartments: int) -> tuple[Clamp, ...]:
    """Clamps as a tuple.

    Raises
    ------
    ParameterError
        If one is no clamp, or at a compartment that does not exist.
    """
    given = (clamps,) if isinstance(clamps, Clamp) else clamps
    if not isinstance(given, Sequence):
        raise ParameterError(f"clamps={short(clamps)} must be a ds.Clamp or a list of them")
    for i, clamp in enumerate(given):
        instance(f"clamps[{i}]", clamp, Clamp, "such as ds.Clamp(0, 100.0, start=10.0)")
        if clamp.compartment >= n_compartments:
            raise ParameterError(
                f"clamps[{i}]: compartment {clamp.compartment} does not exist; valid: 0 to {n_compartments - 1}"
            )
    return tuple(given)
