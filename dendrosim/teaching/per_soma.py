"""Every cell learns from its own soma's error, or from another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..arguments import flag, number
from ..errors import ParameterError, choose
from .broadcast import Broadcast, Floats, Signal, mean_error, tell
from .scalar import with_fallback

if TYPE_CHECKING:
    from ..networks.network import Network
    from .lesson import Lesson


class PerSoma(Broadcast):
    """Compartments receive dL/da of their own soma.

    Parameters
    ----------
    scope : {"tree", "soma"}, default "tree"
        "tree": every compartment of a cell receives its soma's error, as the local-credit paper's text says. "soma":
        only the soma does, and all other compartments the scalar (the mean over somas): what the paper's runs did,
        because their fallback for layers of another width applied to every stage of branches.
    hidden : {"exact", "dfa"}, default "exact"
        How cells that the decoder does not read (earlier layers, inhibitory cells) come by the error at their soma:
        the true dL/da, carried back through the synapses of later cells; or a fixed random combination of the output
        errors.
    scale : float, default 1.0
        Of the random combinations: entries are normal with standard deviation scale / sqrt(n_outputs).
    replication : bool, default False
        With scope "soma": the scalar has the published fallback (see `Scalar`).
    """

    name: ClassVar[str] = "per_soma"

    def __init__(
        self, scope: str = "tree", hidden: str = "exact", scale: float = 1.0, replication: bool = False
    ) -> None:
        self.scope = choose("scope", scope, ("tree", "soma"))
        self.hidden = choose("hidden", hidden, ("exact", "dfa"))
        self.scale = number("scale", scale, above=0.0)
        self.replication = flag("replication", replication)
        if replication and scope != "soma":
            raise ParameterError("replication=True is about the scalar that branches receive; it needs scope='soma'")

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        self._hidden, self._readout = network.layout.hidden, network.layout.readout
        self._feedback = np.empty((0, network.n_outputs), network.dtype)
        if self.hidden == "dfa":
            self._feedback = random_feedback(self._hidden.size, network, self.scale, rng)

    def signal(self, lesson: Lesson) -> Signal:
        errors: Signal = (lesson.soma_error,)
        if self._hidden.size and self.hidden == "dfa":
            errors += (lesson.output_error,)
        elif self._hidden.size:
            errors += (lesson.activity.batch_first(lesson.transport()[:, self._hidden]),)
        if self.scope == "soma":
            errors += (with_fallback(lesson) if self.replication else mean_error(lesson),)
        return errors

    def deliver(self, lesson: Lesson, signal: Signal) -> None:
        errors = self.of_cells(lesson, signal)
        tell(lesson, errors, errors if self.scope == "tree" else signal[-1])

    def of_cells(self, lesson: Lesson, signal: Signal) -> Floats:
        """The error that each cell of `lesson` is told of a `signal`, (B, C)."""
        if not self._hidden.size:
            return signal[0]
        errors: Floats = np.empty((len(signal[0]), lesson.network.layout.n_cells), lesson.network.dtype)
        errors[:, self._readout] = signal[0]
        errors[:, self._hidden] = signal[1] @ self._feedback.T if self.hidden == "dfa" else signal[1]
        return errors

    def sizes(self, network: Network) -> tuple[int, ...]:
        layout = network.layout
        sizes = [layout.readout.size]
        if layout.hidden.size:
            sizes.append(network.n_outputs if self.hidden == "dfa" else layout.hidden.size)
        return (*sizes, 1) if self.scope == "soma" else tuple(sizes)

    def state(self) -> dict[str, Floats]:
        return {"feedback": self._feedback.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        self._feedback[...] = state["feedback"]


class Shuffled(PerSoma):
    """A control: every compartment receives the error of *another* soma, always the same one.

    The routing is a fixed derangement, drawn within each population: no cell keeps its own error.

    Parameters
    ----------
    hidden, scale
        As for `PerSoma`.
    """

    name: ClassVar[str] = "shuffled"

    def __init__(self, hidden: str = "exact", scale: float = 1.0) -> None:
        super().__init__("tree", hidden, scale)

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        super().prepare(network, rng)
        layout = network.layout
        single = [p.name for p in layout.populations if len(p.cells) < 2]
        if single:
            raise ParameterError(
                f"population {single[0]!r} has one cell, whose error cannot be another's; shuffled needs two or more "
                "cells per population. Controls that work here: teaching='scalar', 'dfa' or 'decoder_only'"
            )
        self._told = np.concatenate([first + derangement(last - first, rng) for first, last in layout.cells_of])

    def of_cells(self, lesson: Lesson, signal: Signal) -> Floats:
        errors: Floats = super().of_cells(lesson, signal)[:, self._told]
        return errors

    def state(self) -> dict[str, Floats]:
        return {**super().state(), "told": self._told.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        super().restore(state)
        self._told[...] = state["told"]


def derangement(n: int, rng: np.random.Generator) -> Floats:
    """A permutation of ``range(n)``, n >= 2, without fixed points, all of them equally likely."""
    while True:  # one in e = 2.718 permutations has none
        order = rng.permutation(n)
        if not (order == np.arange(n)).any():
            return order


def random_feedback(rows: int, network: Network, scale: float, rng: np.random.Generator) -> Floats:
    """Fixed random matrix (rows, n_outputs) of normal entries with standard deviation scale / sqrt(n_outputs)."""
    drawn = rng.standard_normal((rows, network.n_outputs)) * (scale / np.sqrt(network.n_outputs))
    matrix: Floats = drawn.astype(network.dtype)
    return matrix
