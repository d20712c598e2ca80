"""A simulation in the hands of one that learns: taken piece by piece, with conductances that change in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..direction import direction
from ..integration import integration
from .eligibility import Eligibility
from .kinetics import Kinetics, per_synapse
from .simulate import prepare
from .trace import Snapshot

if TYPE_CHECKING:
    from ...morphology.compartments import Compartments
    from ..gates import Gate
    from ..synapses import Synapses

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 4_000_000
"""Recorded numbers of one piece."""


class Running:
    """An engine together with eligibility traces.

    Parameters
    ----------
    compartments, synapses, inputs, gate
        As in `simulate`.
    tau_e, couplings, kernel
        As in `Eligibility`.
    options : dict
        Other arguments of `prepare`.

    Attributes
    ----------
    eligibility : Eligibility
    fraction : float array of shape (B, F)
        Open fractions of ``eligibility.synapse`` that the last step was taken with.
    step, n_steps : int
        Steps done, and steps in all.
    """

    def __init__(
        self,
        compartments: Compartments,
        synapses: Synapses,
        inputs: Any,
        gate: Gate | None,
        *,
        tau_e: float | str,
        couplings: bool,
        kernel: Kinetics | None,
        options: dict[str, Any],
    ) -> None:
        courses, course = per_synapse(options.get("kinetics"), synapses.sign)
        how, way = integration(options["integration"]), direction(options["direction"])

        def traces(n_rows: int, threads: int) -> Eligibility:
            return Eligibility(
                compartments, synapses, courses, course, how, way, gate, dt=float(options["dt"]),
                middle=options["method"] == "crank_nicolson", n_rows=n_rows, tau_e=tau_e, couplings=couplings,
                kernel=kernel, threads=threads,
            )  # fmt: skip

        needed = traces(1, 1)
        self.engine, self.signature = prepare(
            compartments, synapses, inputs, gate=gate, record=needed.compartment, record_synapses=needed.synapse,
            every=1, dtype=np.float64, **options,
        )  # fmt: skip
        self.engine.fractions = True
        self.n_rows, self.n_steps = self.engine.problem.n_rows, self.engine.n_steps
        self.eligibility = traces(self.n_rows, self.engine.threads)
        self.eligibility.begin(self.eligibility.at(self.engine.voltage()))
        self.fraction: Floats = np.zeros((self.n_rows, needed.synapse.size))
        self.step = 0
        rows = self.n_rows * (needed.compartment.size + needed.synapse.size)
        self.piece = max(1, min(self.engine.piece, MOST // max(1, rows)))

    def advance(self, until: int) -> Ints:
        """Go on to the end of step `until`; returns the spikes (k, 3) as step, compartment, stimulus."""
        spikes = [np.empty((0, 3), np.int64)]
        while self.step < until:
            count = min(self.piece, until - self.step)
            voltage, fraction, fired = self.engine.advance(self.step, count)
            self.eligibility.advance(voltage, fraction)
            self.fraction = fraction[-1]
            spikes.append(fired)
            self.step += count
        return np.concatenate(spikes)

    def voltage(self) -> Floats:
        """Of every compartment now, (B, N), mV."""
        return self.engine.voltage()

    def change(self, compartments: Compartments, synapses: Synapses) -> None:
        """Go on with other conductances."""
        self.engine.problem.change(compartments, synapses)
        self.eligibility.change(compartments, synapses)

    def final(self) -> Snapshot:
        """The state at the end."""
        return self.engine.final()

    def checkpoint(self) -> list[bytes]:
        """All there is to know, for `restore`; conductances, which are the model's, aside."""
        return [self.engine.checkpoint(), self.eligibility.checkpoint(), self.fraction.tobytes()]

    def restore(self, step: int, data: list[bytes]) -> None:
        """Go back to what `checkpoint` returned after `step` steps."""
        self.engine.restore(data[0])
        self.eligibility.restore(data[1])
        self.fraction = np.frombuffer(data[2], np.float64).reshape(self.fraction.shape).copy()
        self.step = step
