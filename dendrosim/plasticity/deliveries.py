"""When a learner in time asks the loss, and when what it is told arrives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import number, numbers, short
from ..biophysics.time.kinetics import Instantaneous, Kinetics
from ..biophysics.time.kinetics import kinetics as kinetics_named
from ..biophysics.time.steps import off_grid
from ..errors import ParameterError

Floats = NDArray[Any]
Ints = NDArray[np.int64]

UPDATE = 1.0
"""ms between two updates by a kernel, where ticks are at times of their own."""


@dataclass(frozen=True, init=False, eq=False)
class Deliveries:
    """Ticks at which the loss is asked and credits are formed, and how they reach the synapses.

    Parameters
    ----------
    every : float, optional
        Ticks at every, 2 every, ... ms; 1 ms unless `times` are given. The loss of a tick has the weight `every`, so
        that the sum is the integral over time.
    times : array of shape (K,), optional
        Ticks at these times instead, ms, ascending and positive. Each has weight 1.
    delay : float, default 0.0
        From a tick to the arrival of what is told, ms. What would arrive after the end of a run is lost.
    kernel : time course or name, optional
        What is told does not arrive at once but by this time course of a synapse, its area taken as 1, beginning
        `delay` after the tick.
    update : float, optional
        With a kernel: how often parameters follow what has arrived, ms. By default `every`, or 1 ms with `times`.

    Raises
    ------
    ParameterError
        If a value is impossible.

    Examples
    --------
    >>> import dendrosim as ds
    >>> ds.Deliveries(times=[100.0], delay=50.0, kernel=ds.Exponential(20.0)).times
    array([100.])
    """

    every: float | None
    times: Floats | None
    delay: float
    kernel: Kinetics | None
    update: float

    def __init__(
        self,
        every: float | None = None,
        times: ArrayLike | None = None,
        delay: float = 0.0,
        kernel: Kinetics | str | None = None,
        update: float | None = None,
    ) -> None:
        if times is not None and every is not None:
            raise ParameterError("every= and times= are two ways to say when the loss is asked; give one of them")
        if times is None:
            every = number("every", 1.0 if every is None else every, above=0, unit="ms")
        else:
            table = np.atleast_1d(numbers("times", times)).astype(np.float64)
            good = table.ndim == 1 and table.size and np.isfinite(table).all() and table[0] > 0
            if not good or (np.diff(table) <= 0).any():
                raise ParameterError(f"times={short(times)} must be a list of times in ms, positive and ascending")
            table.flags.writeable = False
            times = table
        course = None if kernel is None else kinetics_named("kernel", kernel)
        if isinstance(course, Instantaneous):
            raise ParameterError(
                "kernel='instantaneous' has no duration; leave kernel out, or give ds.Exponential(tau)"
            )
        if update is not None and course is None:
            raise ParameterError("update= is about a kernel, and there is none; leave it out")
        usual = UPDATE if every is None else every
        given: dict[str, Any] = {"every": every, "times": times, "kernel": course}
        given["delay"] = number("delay", delay, least=0, unit="ms")
        given["update"] = usual if update is None else number("update", update, above=0, unit="ms")
        for name, value in given.items():
            object.__setattr__(self, name, value)

    def ticks(self, dt: float, n_steps: int) -> Ints:
        """Steps at whose end the loss is asked, (K,), among `n_steps` steps of `dt` ms.

        Raises
        ------
        ParameterError
            If one is no whole number of steps, or beyond the last.
        """
        if self.times is None:
            length = in_steps("every", self.every or 0.0, dt)
            return np.arange(length, n_steps + 1, length)
        found = np.array([in_steps("times", t, dt) for t in self.times])
        if found[-1] > n_steps:
            raise ParameterError(
                f"times has a tick at {self.times[-1]:g} ms, and the run ends at {n_steps * dt:g} ms; make it longer"
            )
        return found

    @property
    def weight(self) -> float:
        """Weight of the loss of a tick."""
        return 1.0 if self.every is None else self.every

    def __repr__(self) -> str:
        when = f"every={self.weight:g}" if self.times is None else f"times={short(self.times.tolist())}"
        more = "" if self.kernel is None else f", kernel={self.kernel!r}, update={self.update:g}"
        return f"Deliveries({when}, delay={self.delay:g}{more})"


def in_steps(name: str, value: float, dt: float) -> int:
    """A time in steps.

    Raises
    ------
    ParameterError
        If it is no whole number of them.
    """
    steps = value / dt
    if off_grid(steps) or (0.0 < steps < 0.5 and name != "delay"):
        raise ParameterError(
            f"{name}: {value:g} ms is no whole number of steps of dt={dt:g} ms; {max(1, round(steps)) * dt:g} ms is"
        )
    return round(steps)


@dataclass
class Told:
    """What a tick has formed and has not arrived yet.

    Attributes
    ----------
    due : int
        Step at whose end it arrives.
    tick : int
    credit : float array of shape (B, n)
        At the compartments of the traces.
    soma : float array of shape (B, C)
        What the decoder read.
    error : float array of shape (B, n_outputs)
        What the decoder learns from.
    reward : float array of shape (B,)
        Empty where there is none to multiply with.
    extra : dict of arrays
        Gradients by raw parameters besides; and, under names that begin with ``weight:``, by the weights of the
        teaching signal, for each sample.
    """

    due: int
    tick: int
    credit: Floats
    soma: Floats
    error: Floats
    reward: Floats = field(default_factory=lambda: np.empty(0))
    extra: dict[str, Floats] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """For a file."""
        plain = {name: getattr(self, name) for name in ("credit", "soma", "error", "reward")}
        return {"due": np.array(self.due), "tick": np.array(self.tick), **plain, "extra": dict(self.extra)}

    @classmethod
    def of_content(cls, content: dict[str, Any]) -> Told:
        """The reverse."""
        rest = {name: value for name, value in content.items() if name not in ("due", "tick")}
        return cls(int(content["due"]), int(content["tick"]), **rest)
