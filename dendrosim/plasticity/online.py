"""Learning while a simulation runs: eligibility traces and what is told, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import flag, instance, number, path
from ..biophysics.time.connections import Connections
from ..biophysics.time.eligibility import MEMBRANE
from ..biophysics.time.inputs import Clamp, Spikes, Waveform
from ..biophysics.time.kinetics import Kinetics
from ..biophysics.time.mechanisms import Mechanism
from ..biophysics.time.running import Running
from ..biophysics.time.store import fingerprint
from ..biophysics.time.surrogates import Surrogate, surrogate_given
from ..biophysics.time.trace import Snapshot
from ..errors import ParameterError, choose
from ..networks.neuron_activity import NeuronActivity
from ..networks.neurons import Neurons
from ..teaching.noise.base import Perturbing
from .asking import Asking, Modulated, Reward, Rewarded, Silent, Targets
from .deliveries import Deliveries, in_steps
from .neuron import NeuronLearner
from .online_store import OnlineStore
from .session import OnlineRun, Session

Floats = NDArray[Any]

READS = ("voltage", "spikes")


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
        with its synaptic conductance s_n. The trace of an isolated compartment without channels, `LeakConductance` and
        NMDA is then the exact derivative of its voltage by g, and learning real-time recurrent learning; this is
        derived here.
    deliveries : Deliveries, optional
        By default ticks of every ms, told at once.
    dt, method, arrival, kinetics, mechanisms, current, clamps, connections
        As for `ds.simulate`; dt is 0.1 ms by default.
    read : {"voltage", "spikes"}, default "voltage"
        What the decoder reads: outputs of somatic voltages, or low-passed spikes of the somas, which need a mechanism
        that fires. Each spike adds 1 to what is read. The output's derivative by the voltage is then the surrogate
        derivative at the soma, for all compartments of its cell; traces are multiplied by it and low-passed as the
        spikes are (e-prop: Bellec et al., Nat Commun 11:3625, 2020).
    tau_out : float, default 20.0
        Time constant of the low-pass, ms.
    surrogate : Surrogate or name, default "fast_sigmoid"
        `ds.FastSigmoid`, `ds.Triangle` or `ds.ArcTangent`.
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
        connections: Connections | None = None,
        read: str = "voltage",
        tau_out: float = 20.0,
        surrogate: str | Surrogate = "fast_sigmoid",
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
        self.read = choose("read", read, READS)
        self.tau_out = number("tau_out", tau_out, above=0, unit="ms")
        found = surrogate_given(surrogate)
        if found is None:
            raise ParameterError("surrogate=None is not known; give a name such as 'fast_sigmoid' or ds.Triangle()")
        self.surrogate = found
        if read == "spikes" and isinstance(self.teaching, Perturbing):
            raise ParameterError(
                f"teaching={self.teaching.name!r} perturbs voltages and watches the outputs, which with read='spikes' "
                "are past spikes; use 'exact', 'per_soma', 'dfa' or another, or read='voltage'"
            )
        self.time_options: dict[str, Any] = {
            "dt": number("dt", dt, above=0, unit="ms"), "method": method, "arrival": arrival, "kinetics": kinetics,
            "mechanisms": mechanisms, "current": current, "clamps": clamps, "connections": connections,
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
        store: str | Path | None = None,
        block: float = 1000.0,
        resume: bool = False,
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
        store : str or Path, optional
            Write outputs, losses and conductances to this HDF5 file, block by block; `OnlineRun.load` reads it at any
            time. A second file, ``.state`` added to its name, holds what is needed to go on.
        block : float, default 1000.0
            With `store`: how much is written at a time, ms. A process that is killed loses no more.
        resume : bool, default False
            Go on with the file of `store` where it ends, bit for bit, or begin one. Parameters and random numbers of
            the learner become those of that moment; `block` and all else must be as they were.

        Returns
        -------
        OnlineRun

        Raises
        ------
        ParameterError
            If a shape, value or combination is impossible; the message says what would work.
        """
        session = self.begin(
            inputs, targets, duration=duration, modulator=modulator, reward=reward, initial=initial, learn=learn,
            n_stimuli=n_stimuli,
        )  # fmt: skip
        if store is None:
            if resume:
                raise ParameterError("resume=True goes on with a file: give store=")
            before = session.conductances()
            spikes = session.go(session.running.n_steps)
            pairs = zip(before, session.conductances(), strict=True)
            first, middle, last = (np.concatenate(pair) for pair in pairs)
            return session.result(spikes, (first, middle, last))
        steps = max(1, in_steps("block", number("block", block, above=0, unit="ms"), session.dt))
        digest = self._fingerprint(session, inputs, steps)
        file = OnlineStore(Path(path("store", store)), session, steps, digest, flag("resume", resume))
        file.go()
        return session.result(file.spikes(), file.conductances())

    def _fingerprint(self, session: Session, inputs: Any, block: int) -> str:
        """Digest of what a run depends on, learned parameters aside."""
        network, gate = self.network, self.network.gate
        cells, synapses = self.network.compartments, self.network.synapses
        engine = session.running.engine
        wired = ("compartment", "source", "sign", "reversal", "driving_force")
        links = self.time_options["connections"]
        told = ("dt", "method", "arrival", "kinetics", "mechanisms")
        options = {name: self.time_options[name] for name in told}
        return fingerprint(
            cells.parent, cells.leak, cells.capacitance, *(getattr(synapses, name) for name in wired),
            *(engine.events.step, engine.events.slot, engine.events.p, engine.events.q, engine.constant),
            *([inputs.values, inputs.interval, inputs.unit] if isinstance(inputs, Waveform) else []),
            *(v for c in engine.clamps for v in (c.amplitude, c.compartment, c.start, c.stop, c.interval)),
            *([] if links is None else [links.cell, links.input, links.delay, links.weight]),
            engine.start.voltage, engine.start.q, repr(options), repr(self.deliveries), self.tau_e,
            repr(self.teaching), repr(self.rule), repr(session.asking.loss), self.optimiser.name, self.rates,
            self.decay, self.decoder, self.clip_norm, session.learn, session.running.n_steps,
            repr(network), self.read, self.tau_out, repr(self.surrogate), *session.asking.identity(), block,
            network.reference, network.scale, [] if network.learn_couplings else cells.coupling,
            *([] if gate is None else [gate.slope, gate.midpoint]),
            sorted((name, value) for name, value in vars(self.optimiser).items() if isinstance(value, float)),
        )  # fmt: skip

    def begin(
        self,
        inputs: Any,
        targets: Any = None,
        *,
        duration: float,
        modulator: Any = None,
        reward: Any = None,
        initial: Any = None,
        learn: bool = True,
        n_stimuli: int | None = None,
    ) -> Session:
        """A run that is to be taken piece by piece: ``session.go(step)``; arguments as for `run`.

        Parameters
        ----------
        inputs, targets, duration, modulator, reward, initial, learn, n_stimuli
            As for `run`.

        Returns
        -------
        Session

        Raises
        ------
        ParameterError
            If arguments do not go together.
        """
        network = self.network
        ways = {"targets": targets, "modulator": modulator, "reward": reward}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1:
            raise ParameterError(f"{' and '.join(given)} are different ways to say what is learned; give one of them")
        learn = flag("learn", learn)
        if learn and not given:
            raise ParameterError("nothing to learn from: give targets=, modulator= or reward=, or learn=False")
        options = {
            **self.time_options, "duration": duration, "integration": network.integration,
            "direction": network.direction, "initial": "rest" if initial is None else initial, "n_stimuli": n_stimuli,
            "threads": self.threads,
        }  # fmt: skip
        running = Running(
            network.compartments, network.synapses, inputs, network.gate, tau_e=self.tau_e,
            couplings=network.learn_couplings, kernel=self.deliveries.kernel,
            tau_out=self.tau_out if self.read == "spikes" else None, surrogate=self.surrogate, options=options,
        )  # fmt: skip
        k, b = self.deliveries.ticks(running.engine.problem.dt, running.n_steps).size, running.n_rows
        asking: Asking = Silent(self.loss)
        if targets is not None:
            asking = Targets(self.loss, targets, network, k, b)
        elif modulator is not None:
            asking = Modulated(self.loss, modulator, (k, b, network.layout.size))
        elif reward is not None:
            asking = Rewarded(reward, self.teaching, network.n_outputs)
        session = Session(self, running, asking, self.deliveries, learn)
        if learn and not (k and session.ticks[0] + session.delay <= running.n_steps):
            raise ParameterError(
                f"nothing that is told arrives before the run ends at {running.n_steps * session.dt:g} ms, with "
                f"{self.deliveries!r}; make the run longer, or give learn=False"
            )
        return session

    def heard(self, activity: NeuronActivity, running: Running) -> NeuronActivity:
        """The activity that is read at a tick, of what is `running`: `activity` itself, or what spikes leave."""
        if self.read == "spikes":
            activity.soma = running.filtered.copy()
            activity.output[0, self.network.layout.roots] = activity.soma.T
            activity.derivative[...] = 1.0  # the surrogate's is in the traces
            activity.logits = self.network.decoder.forward(self.network.parameters, activity.soma)
        return activity

    def follow(self, values: dict[str, Floats], asked: dict[str, Floats], n_samples: int) -> None:
        """One step of the parameters by gradients `values` of `n_samples`; `asked` is of the signal's weights."""
        weights = self.teaching.weights
        self._asked = {name: asked.get(name, np.zeros_like(value)) for name, value in weights.items()}
        self._take(values, n_samples)
