"""Learning while a simulation runs: eligibility traces and what is told, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, number
from ..biophysics.time.eligibility import MEMBRANE
from ..biophysics.time.inputs import Clamp, Spikes, Waveform
from ..biophysics.time.kinetics import Kinetics
from ..biophysics.time.mechanisms import Mechanism
from ..biophysics.time.running import Running
from ..biophysics.time.trace import Snapshot
from ..errors import ParameterError
from ..networks.neuron_activity import NeuronActivity
from ..networks.neurons import Neurons
from .asking import Asking, Modulated, Reward, Rewarded, Silent, Targets
from .deliveries import Deliveries
from .neuron import NeuronLearner
from .session import OnlineRun, Session

Floats = NDArray[Any]


class OnlineLearner(NeuronLearner):
    """Local learning of `Neurons` in time; changes them in place while they are simulated.

    Every synapse j on compartment n keeps an eligibility trace, ``tau_e de/dt = -e + x (E - V_n) R_n(t)`` (local-credit
    paper, appendix F), and every coupling that learns likewise. At ticks the loss is asked; a teaching signal forms
    credits m_n, estimates of dL/dV_n, from the moment: voltages, open fractions and input resistances without
    capacitance. They arrive after a delay, at once or spread, and ``e_j m_n`` is what the optimiser takes for dL/dg_j.
    The loss is ``L = sum_k w_k mean_b l(output(t_k), y_k)``.

    Parameters
    ----------
    network : Neurons
    teaching, rule
        As for `NeuronLearner`.
    tau_e : float or "membrane", default 20.0
        Time constant of traces, ms. 0: no memory. "membrane": that of each compartment, ``C_n / (leak_n + s_n(t))``
        with its synaptic conductance s_n. The trace of an isolated compartment is then the exact derivative of its
        voltage by g, and learning real-time recurrent learning; this is derived here.
    deliveries : Deliveries, optional
        By default ticks of every ms, told at once.
    dt, method, arrival, kinetics, mechanisms, current, clamps
        As for `ds.simulate`; dt is 0.1 ms by default.
    loss : default "mse"
    optimiser : default "sgd"
    **options
        Others of `NeuronLearner`: rates, decay, decoder, clip_value, clip_norm, seed, threads.

    Raises
    ------
    ParameterError
        If parts do not go together.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> cell = ds.Compartments([-1, 0], leak=5.0, coupling=20.0, capacitance=100.0, leak_reversal=-70.0)
    >>> neuron = ds.Neurons(cell, ds.Synapses(cell, [1, 1], sign=1, conductance=1.0), readout="soma")
    >>> learner = ds.OnlineLearner(neuron, "exact", rates=1.0)
    >>> result = learner.run(np.array([[0.5, 0.0]]), np.array([[1.5]]), duration=500.0)
    >>> bool(result.loss[-1, 0] < 0.1 * result.loss[100, 0])
    True
    """

    def __init__(
        self,
        network: Neurons,
        teaching: Any = "per_soma",
        rule: Any = "3F",
        *,
        tau_e: float | str = 20.0,
        deliveries: Deliveries | None = None,
        dt: float = 0.1,
        method: str = "backward_euler",
        arrival: str = "nearest",
        kinetics: str | Kinetics | Sequence[str | Kinetics] | None = None,
        mechanisms: str | Mechanism | Sequence[str | Mechanism] = (),
        current: ArrayLike | None = None,
        clamps: Clamp | Sequence[Clamp] = (),
        loss: Any = "mse",
        optimiser: Any = "sgd",
        **options: Any,
    ) -> None:
        super().__init__(network, teaching, rule, loss=loss, optimiser=optimiser, **options)
        if isinstance(tau_e, str):
            if tau_e != MEMBRANE:
                raise ParameterError(f"tau_e={tau_e!r} is not known; valid: a time in ms, 0 or more, or 'membrane'")
            self.tau_e: float | str = tau_e
        else:
            self.tau_e = number("tau_e", tau_e, least=0, unit="ms")
        self.deliveries = (
            Deliveries()
            if deliveries is None
            else instance("deliveries", deliveries, Deliveries, "such as ds.Deliveries(every=1.0, delay=10.0)")
        )
        self.time_options: dict[str, Any] = {
            "dt": number("dt", dt, above=0, unit="ms"), "method": method, "arrival": arrival, "kinetics": kinetics,
            "mechanisms": mechanisms, "current": current, "clamps": clamps,
        }  # fmt: skip

    def run(
        self,
        inputs: Spikes | Waveform | ArrayLike,
        targets: ArrayLike | None = None,
        *,
        duration: float,
        modulator: ArrayLike | None = None,
        reward: Reward | None = None,
        initial: str | ArrayLike | Snapshot | None = None,
        learn: bool = True,
        n_stimuli: int | None = None,
    ) -> OnlineRun:
        """Simulate, and learn meanwhile.

        Parameters
        ----------
        inputs : Spikes, Waveform or array of shape (B, P)
            As for `ds.simulate`.
        targets : array of shape (K, B, ...) or (B, ...), optional
            What the loss takes: one for each tick, or the same at all.
        duration : float
            ms.
        modulator : array of shape (K, B) or (K, B, N), optional
            In place of targets: the third factor itself, taken for dL/dV_n. Parameters go against it: a signal that is
            to strengthen what was active is negative.
        reward : callable, optional
            In place of targets: ``reward(actions, k)`` returns rewards (B,) for actions (B,) at tick k, which are drawn
            from the softmax of the outputs, or with one output are 1 with the probability of its sigmoid. Credits come
            from the policy's score and wait; the reward arrives with them after `delay` and multiplies them as reward
            minus running mean of rewards (three-factor REINFORCE: Williams, Mach Learn 8:229, 1992; Fremaux & Gerstner,
            Front Neural Circuits 9:85, 2016).
        initial : {"rest", "steady"}, voltages or Snapshot, optional
            As for `ds.simulate`; traces begin at 0.
        learn : bool, default True
            False: parameters stay; `OnlineRun.gradient` still tells what was asked for.
        n_stimuli : int, optional
            B, where nothing else says it.

        Returns
        -------
        OnlineRun

        Raises
        ------
        ParameterError
            If a shape, value or combination is impossible; the message says what would work.
        """
        session = self._session(
            inputs, targets, duration=duration, modulator=modulator, reward=reward, initial=initial, learn=learn,
            n_stimuli=n_stimuli,
        )  # fmt: skip
        spikes = session.go(session.running.n_steps)
        return session.result(spikes)

    def _session(
        self,
        inputs: Any,
        targets: Any,
        *,
        duration: float,
        modulator: Any,
        reward: Any,
        initial: Any,
        learn: bool,
        n_stimuli: int | None,
    ) -> Session:
        network = self.network
        ways = {"targets": targets, "modulator": modulator, "reward": reward}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1:
            raise ParameterError(f"{' and '.join(given)} are different ways to say what is learned; give one of them")
        if learn and not given:
            raise ParameterError("nothing to learn from: give targets=, modulator= or reward=, or learn=False")
        options = {
            **self.time_options, "duration": duration, "integration": network.integration,
            "direction": network.direction, "initial": "rest" if initial is None else initial, "n_stimuli": n_stimuli,
            "threads": self.threads,
        }  # fmt: skip
        running = Running(
            network.compartments, network.synapses, inputs, network.gate, tau_e=self.tau_e,
            couplings=network.learn_couplings, kernel=self.deliveries.kernel, options=options,
        )  # fmt: skip
        k, b = self.deliveries.ticks(running.engine.problem.dt, running.n_steps).size, running.n_rows
        asking: Asking = Silent(self.loss)
        if targets is not None:
            asking = Targets(self.loss, targets, network, k, b)
        elif modulator is not None:
            asking = Modulated(self.loss, modulator, (k, b, network.layout.size))
        elif reward is not None:
            asking = Rewarded(reward, self.teaching, network.n_outputs)
        return Session(self, running, asking, self.deliveries, bool(learn))

    def heard(self, activity: NeuronActivity, running: Running) -> NeuronActivity:
        """The activity that is read at a tick."""
        return activity

    def follow(self, values: dict[str, Floats], asked: dict[str, Floats], n_samples: int) -> None:
        """One step of the parameters; `asked` is of the teaching signal's weights."""
        weights = self.teaching.weights
        self._asked = {name: asked.get(name, np.zeros_like(value)) for name, value in weights.items()}
        self._take(values, n_samples)
