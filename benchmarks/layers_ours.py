"""The layer in dendrosim, by its public `Learner`."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from layers_problem import CLIP, RATES, Batches, Problem

import dendrosim as ds


class Ours:
    """Steps of one learner.

    Parameters
    ----------
    problem : Problem
    teaching, rule : str
    threads : int
    """

    def __init__(self, problem: Problem, teaching: str, rule: str, threads: int) -> None:
        self.x, self.y = problem.samples.x, problem.samples.y
        self.network, self.threads, self.steps = problem.network.copy(), threads, 0
        self.batches = Batches(len(self.y), problem.batch)
        self._activity: Any = None
        self.learner = ds.Learner(self.network, teaching, rule, rates=RATES, clip_value=CLIP, threads=threads)

    def batch(self) -> tuple[Any, Any]:
        """The next minibatch."""
        rows = self.batches()
        return self.x.take(rows, axis=0), self.y[rows]

    def forward(self) -> Any:
        """Logits of the next batch."""
        self._activity = self.network.forward(self.batch()[0], threads=self.threads, out=self._activity)
        return self._activity.logits

    def gradients(self) -> float:
        """Loss of the next batch; gradients with it."""
        return self.learner.gradients(*self.batch()).loss

    def first_gradients(self) -> tuple[float, Any]:
        """Loss and gradients of the next batch."""
        found = self.learner.gradients(*self.batch())
        return found.loss, found.values

    def step(self) -> float:
        """One training step on the next batch; the mean loss."""
        self.steps += 1
        return self.learner.advance(*self.batch())[0]

    def parts(self, count: int, clock: Callable[[], float]) -> dict[str, float]:
        """Median seconds of each part of so many steps, and of all.

        "synapses" is Adam, TopK and new conductances of all synapses, bank by bank; what TopK has of it is told for one
        thread only, since on several it is not on the clock of this one.
        """
        watch = Stopwatch(clock)
        learner, network = self.learner, self.network
        parts = {
            "minibatch": (self, "batch"),
            "forward": (network, "run"),
            "decoder": (network.decoder, "backward"),
            "credit": (learner.teaching, "credit"),
            "rule": (learner.rule, "modulate"),
            "contraction": (learner, "_contract"),
            "synapses": (learner, "_update_synapses"),
        }
        within = {"of which TopK": (network.connectivity, "reselect")} if self.threads == 1 else {}
        for name, (owner, method) in {**parts, **within, "step": (self, "step")}.items():
            watch.watch(name, owner, method)
        for _ in range(count):
            watch.turn()
            self.step()
        watch.release()
        found = {name: median(turn.get(name, 0.0) for turn in watch.turns) for name in [*parts, *within, "step"]}
        found["rest"] = found["step"] - sum(found[name] for name in parts)
        return found


class Stopwatch:
    """Time that methods of objects take, summed within each turn."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.turns: list[dict[str, float]] = []
        self._watched: list[tuple[Any, str]] = []

    def turn(self) -> None:
        """Begin anew."""
        self.turns.append({})

    def watch(self, name: str, owner: Any, method: str) -> None:
        """Put a timed method in front of the owner's own."""
        original: Callable[..., Any] = getattr(owner, method)

        def timed(*arguments: Any, **options: Any) -> Any:
            begin = self.clock()
            result = original(*arguments, **options)
            here = self.turns[-1]
            here[name] = here.get(name, 0.0) + self.clock() - begin
            return result

        object.__setattr__(owner, method, timed)
        self._watched.append((owner, method))

    def release(self) -> None:
        """Leave the owners as they were."""
        for owner, method in self._watched:
            object.__delattr__(owner, method)
