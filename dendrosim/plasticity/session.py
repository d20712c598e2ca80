"""One run of a learner in time: steps, ticks, and what arrives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..biophysics.time.running import Running
from ..biophysics.time.trace import Snapshot
from ..teaching import Teaching
from ..teaching.noise.base import Perturbing
from .asking import Answer, Asking
from .deliveries import Deliveries, Told, in_steps
from .moment import Moments

if TYPE_CHECKING:
    from ..networks.neurons import Neurons
    from .online import OnlineLearner

Floats = NDArray[Any]
Ints = NDArray[np.int64]

WEIGHT = "weight:"


@dataclass(frozen=True, eq=False)
class OnlineRun:
    """What a run of an `OnlineLearner` leaves.

    Attributes
    ----------
    time : float array of shape (K,)
        Ticks, ms.
    output : float array of shape (K, B, n_outputs)
        Logits.
    loss : float array of shape (K, B)
        Of each tick, not weighted; nan where no loss was asked. With a reward -log of the probability of the action.
    reward, action : arrays of shape (K, B) or None
    gradient : dict of arrays
        By raw parameters: the sum of what all deliveries asked for. Without learning an estimate of the gradient of
        the sum over ticks of weight times mean loss. Empty where a run was loaded from a file.
    updates : int
        Steps of the parameters.
    conductance_time : float array of shape (n,)
        Beginning and end, or with a file also ends of blocks, ms.
    conductance : float array of shape (n, S)
        Of synapses then, nS.
    coupling : float array of shape (n, N)
        If couplings learn; else (n, 0).
    spike_time, spike_compartment, spike_stimulus : arrays of shape (n_spikes,)
    final : Snapshot or None
        State of the simulation at the end; None where a run was loaded from a file.
    network : Neurons or None
        The neurons that learned; None where a run was loaded from a file.
    """

    time: Floats
    output: Floats
    loss: Floats
    reward: Floats | None
    action: Ints | None
    conductance_time: Floats
    conductance: Floats
    coupling: Floats
    spike_time: Floats
    spike_compartment: Ints
    spike_stimulus: Ints
    gradient: dict[str, Floats] = field(default_factory=dict)
    updates: int = 0
    final: Snapshot | None = None
    network: Neurons | None = None

    @classmethod
    def load(cls, path: Any) -> OnlineRun:
        """Read what a run has written to the file `path`, finished or not.

        Raises
        ------
        OSError
            If there is no such file.
        FileFormatError
            If it is of another kind.
        """
        from .online_store import load

        return cls(**load(path))

    def __repr__(self) -> str:
        k, b, n = self.output.shape
        return f"<OnlineRun: {k} ticks x {b} stimuli x {n} outputs>"


class Session:
    """A run as it goes on.

    Parameters
    ----------
    learner : OnlineLearner
    running : Running
    asking : Asking
    deliveries : Deliveries
    learn : bool
        Whether parameters follow.
    """

    def __init__(
        self, learner: OnlineLearner, running: Running, asking: Asking, deliveries: Deliveries, learn: bool
    ) -> None:
        self.learner, self.running, self.asking, self.deliveries = learner, running, asking, deliveries
        self.network, self.learn = learner.network, learn
        dt = running.engine.problem.dt
        self.dt = dt
        self.ticks = deliveries.ticks(dt, running.n_steps)
        self.delay = in_steps("delay", deliveries.delay, dt)
        self.update = in_steps("update", deliveries.update, dt) if deliveries.kernel is not None else 0
        self.moments = Moments(self.network, running)
        self.queue: list[Told] = []
        self.gradient = {name: np.zeros_like(value) for name, value in self.network.parameters.items()}
        self.updates = self.tick = 0
        k, b, o = self.ticks.size, running.n_rows, self.network.n_outputs
        self.output, self.loss = np.zeros((k, b, o)), np.full((k, b), np.nan)
        self.reward, self.action = np.full((k, b), np.nan), np.full((k, b), -1, np.int64)

    def go(self, until: int) -> Ints:
        """Go on to the end of step `until`; returns spikes (k, 3) as step, compartment, stimulus."""
        running, spikes = self.running, [np.empty((0, 3), np.int64)]
        while running.step < until:
            spikes.append(running.advance(self._next(until)))
            now = running.step
            if self.tick < self.ticks.size and self.ticks[self.tick] == now:
                self._ask()
            while self.queue and self.queue[0].due == now:
                self._arrives(self.queue.pop(0))
            if self.update and (now % self.update == 0 or now == running.n_steps):
                self._collect()
        return np.concatenate(spikes)

    def _next(self, until: int) -> int:
        """The next step at whose end something is to do."""
        now = self.running.step
        stops = [until]
        if self.tick < self.ticks.size:
            stops.append(int(self.ticks[self.tick]))
        if self.queue:
            stops.append(self.queue[0].due)
        if self.update:
            stops.append((now // self.update + 1) * self.update)
        return min(stops)

    def _ask(self) -> None:
        """A tick."""
        k, learner, traces = self.tick, self.learner, self.running.eligibility
        self.tick += 1
        activity = learner.heard(self.moments.activity(), self.running)
        answer = self.asking.asked(activity.logits, k, learner.rng)
        self.output[k], self.loss[k] = activity.logits, answer.loss
        if answer.reward.size:
            self.reward[k], self.action[k] = answer.reward, answer.action
        if answer.targets is None and answer.modulator is None:
            return
        due = self.running.step + self.delay
        error = self.deliveries.weight * answer.error
        told = Told(due, k, np.zeros((self.running.n_rows, 0)), activity.soma, error, answer.reward)
        if answer.modulator is not None:
            all_ = np.broadcast_to(answer.modulator, (self.running.n_rows, self.network.layout.size))
            told.credit = traces.at(all_) * self.deliveries.weight
        elif not learner.teaching.frozen_core:
            self._teach(activity, answer, told)
        if due <= self.running.n_steps:
            self.queue.append(told)

    def _teach(self, activity: Any, answer: Answer, told: Told) -> None:
        """Form credits."""
        learner, weight = self.learner, self.deliveries.weight
        teaching = learner.teaching
        assert answer.targets is not None
        perturbing = isinstance(teaching, Perturbing)
        lesson = self.moments.lesson(activity, answer.targets, answer.error, learner.rng, self.asking.loss, perturbing)
        teaching.observe(lesson)
        teaching.credit(lesson)
        learner.rule.modulate(lesson)  # type: ignore[arg-type]
        told.credit = self.running.eligibility.at(activity.batch_first(lesson.credit)) * weight
        if type(teaching).amend is not Teaching.amend:
            extra = {name: np.zeros_like(value) for name, value in self.network.parameters.items()}
            teaching.amend(lesson, extra)
            told.extra = {name: weight * value for name, value in extra.items() if value.any()}
        if teaching.weights:
            self._feedback(lesson, told)

    def _feedback(self, lesson: Any, told: Told) -> None:
        """What the teaching signal's own weights are asked, sample by sample where a reward will tell them apart."""
        error, b = lesson.output_error, self.running.n_rows
        for i in range(b) if told.reward.size else (None,):
            if i is not None:
                lesson.output_error = np.where(np.arange(b)[:, None] == i, error, 0.0)
            for name, value in self.learner.teaching.weight_gradients(lesson).items():
                key, more = WEIGHT + name, self.deliveries.weight * value[None]
                told.extra[key] = np.concatenate([told.extra[key], more]) if key in told.extra else more
        lesson.output_error = error

    def _arrives(self, told: Told) -> None:
        """What was formed `delay` ago reaches the synapses."""
        learner, network, traces = self.learner, self.network, self.running.eligibility
        worth = np.ones(self.running.n_rows)
        if told.reward.size:
            worth = self.asking.advantage(told.reward)
        values = {name: np.zeros_like(value) for name, value in network.parameters.items()}
        if learner.decoder != "frozen":
            values |= network.decoder.backward(network.parameters, told.soma, told.error * worth[:, None])[0]
        asked: dict[str, Floats] = {}
        for name, value in told.extra.items():
            if not name.startswith(WEIGHT):
                values[name] += value
            elif len(value) == len(worth) and told.reward.size:
                asked[name[len(WEIGHT) :]] = np.tensordot(worth, value, 1)
            else:
                asked[name[len(WEIGHT) :]] = value[0]
        if told.credit.shape[1]:
            credit = told.credit * worth[:, None]
            if self.update:
                traces.arrive(credit)
            else:
                self._core(values, *traces.contract(credit))
        if not self.update or any(value.any() for value in values.values()):
            self._step(values, asked)

    def _core(self, values: dict[str, Floats], synapses: Floats, links: Floats) -> None:
        """Derivatives by conductances into those by raw parameters."""
        network = self.network
        values["synapses"] += synapses * network.conductance_factor
        if network.learn_couplings:
            child = network.layout.child
            values["couplings"][child] += links * network.coupling_factor[child]

    def _collect(self) -> None:
        """What spread credits have asked."""
        synapses, links = self.running.eligibility.collect()
        if synapses.any() or links.any():
            values = {name: np.zeros_like(value) for name, value in self.network.parameters.items()}
            self._core(values, synapses, links)
            self._step(values, {})

    def _step(self, values: dict[str, Floats], asked: dict[str, Floats]) -> None:
        for name, value in values.items():
            self.gradient[name] += value
        if self.learn:
            self.updates += 1
            self.learner.follow(values, asked, self.running.n_rows)
            self.running.change(self.network.compartments, self.network.synapses)

    def conductances(self) -> tuple[Floats, Floats, Floats]:
        """Time, conductances of synapses and, if they learn, of couplings, one row each."""
        network = self.network
        couplings = network.coupling if network.learn_couplings else np.empty(0)
        rows = (np.array(self.running.step * self.dt), network.synapses.conductance, couplings)
        time, synapses, links = (np.array(row)[None] for row in rows)
        return time, synapses, links

    def result(self, spikes: Ints, conductances: tuple[Floats, Floats, Floats]) -> OnlineRun:
        """What there is at the end."""
        reward, action = (self.reward, self.action) if self.asking.rewarded else (None, None)
        return OnlineRun(
            self.ticks * self.dt, self.output, self.loss, reward, action, *conductances, (spikes[:, 0] + 1) * self.dt,
            spikes[:, 1], spikes[:, 2], self.gradient, self.updates, self.running.final(), self.network,
        )  # fmt: skip

    def content(self) -> dict[str, Any]:
        """All there is to know for going on, but for what was recorded."""
        states = [np.frombuffer(data, np.uint8) for data in self.running.checkpoint()]
        counts = (self.running.step, self.tick, self.updates)
        return {
            "counts": np.array(counts),
            "network": self.network.state(),
            "learner": self.learner.state(),
            "running": {str(i): data for i, data in enumerate(states)},
            "queue": {str(i): told.content() for i, told in enumerate(self.queue)},
            "gradient": self.gradient,
            "baseline": self.asking.baseline.state(),
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Go back to what `content` returned."""
        step, self.tick, self.updates = (int(n) for n in content["counts"])
        self.network.restore(content["network"])
        self.learner.restore(content["learner"])
        states = content["running"]
        self.running.restore(step, [states[str(i)].tobytes() for i in range(len(states))])
        self.running.change(self.network.compartments, self.network.synapses)
        queue = content["queue"]
        self.queue = [Told.of_content(queue[str(i)]) for i in range(len(queue))]
        self.gradient = {name: np.array(value) for name, value in content["gradient"].items()}
        self.asking.baseline.restore(content["baseline"])
