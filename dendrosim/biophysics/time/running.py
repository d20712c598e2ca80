"""A simulation in the hands of one that learns: taken piece by piece, with conductances that change in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ..direction import direction
from ..integration import integration
from .eligibility import Eligibility
from .kinetics import Kinetics, per_synapse
from .problem import Problem
from .simulate import prepare
from .surrogates import Surrogate
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
    tau_out : float or None
        As in `Eligibility`; then every soma must have a mechanism that fires at a threshold.
    surrogate : Surrogate
        Derivative of spikes; at a spike that at the threshold.
    options : dict
        Other arguments of `prepare`.

    Attributes
    ----------
    eligibility : Eligibility
    fraction : float array of shape (B, F)
        Open fractions of ``eligibility.synapse`` that the last step was taken with.
    filtered : float array of shape (B, n_cells)
        Low-passed spikes: each adds 1, and decays with `tau_out`; zeros where voltages are read.
    step, n_steps : int
        Steps done, and steps in all.

    Raises
    ------
    ParameterError
        As `simulate`, or if a soma fires no spikes that are to be read.
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
        tau_out: float | None = None,
        surrogate: Surrogate | None = None,
        options: dict[str, Any],
    ) -> None:
        courses, course = per_synapse(options.get("kinetics"), synapses.sign)
        how, way = integration(options["integration"]), direction(options["direction"])

        def traces(n_rows: int, threads: int) -> Eligibility:
            return Eligibility(
                compartments, synapses, courses, course, how, way, gate, dt=float(options["dt"]),
                middle=options["method"] == "crank_nicolson", n_rows=n_rows, tau_e=tau_e, couplings=couplings,
                kernel=kernel, tau_out=tau_out, threads=threads,
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
        self.filtered: Floats = np.zeros((self.n_rows, compartments.n_cells))
        self.surrogate, self.tau_out = surrogate, tau_out
        if tau_out is not None:
            self._roots, self._cell = compartments.roots, compartments.cell
            self._root_columns = np.searchsorted(np.sort(needed.compartment), compartments.roots)
            self._root_columns = np.argsort(needed.compartment, kind="stable")[self._root_columns]
            self._threshold = _thresholds(self.engine.problem, compartments)
        rows = self.n_rows * (needed.compartment.size + needed.synapse.size)
        self.piece = max(1, min(self.engine.piece, MOST // max(1, rows)))

    def advance(self, until: int) -> Ints:
        """Go on to the end of step `until`; returns the spikes (k, 3) as step, compartment, stimulus."""
        spikes = [np.empty((0, 3), np.int64)]
        while self.step < until:
            count = min(self.piece, until - self.step)
            voltage, fraction, fired = self.engine.advance(self.step, count)
            slope = None if self.tau_out is None else self._spikes(voltage, fired)
            self.eligibility.advance(voltage, fraction, slope)
            self.fraction = fraction[-1]
            spikes.append(fired)
            self.step += count
        return np.concatenate(spikes)

    def _spikes(self, voltage: Floats, fired: Ints) -> Floats:
        """Take in spikes; surrogate derivatives of the steps, (T, B, n_cells)."""
        from ...kernels.eligibility import take_spikes

        assert self.surrogate is not None
        assert self.tau_out is not None
        distance = voltage[:, :, self._root_columns] - self._threshold
        spikes = np.zeros(distance.shape)
        somatic = fired[self._roots[self._cell[fired[:, 1]]] == fired[:, 1]]
        place = (somatic[:, 0] - self.step, somatic[:, 2], self._cell[somatic[:, 1]])
        np.add.at(spikes, place, 1.0)
        distance[place] = 0.0  # what is recorded is the voltage after the reset
        decay = float(np.exp(-self.engine.problem.dt / self.tau_out))
        take_spikes(spikes.reshape(len(spikes), -1), decay, self.filtered.reshape(-1))
        slope: Floats = self.surrogate.derivative(distance)
        return slope

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
        last = (self.fraction, self.filtered)
        return [self.engine.checkpoint(), self.eligibility.checkpoint(), *(array.tobytes() for array in last)]

    def restore(self, step: int, data: list[bytes]) -> None:
        """Go back to what `checkpoint` returned after `step` steps."""
        self.engine.restore(data[0])
        self.eligibility.restore(data[1])
        self.fraction = np.frombuffer(data[2], np.float64).reshape(self.fraction.shape).copy()
        self.filtered = np.frombuffer(data[3], np.float64).reshape(self.filtered.shape).copy()
        self.step = step


def _thresholds(problem: Problem, compartments: Compartments) -> Floats:
    """Threshold of every soma, mV."""
    found = np.full(compartments.size, np.nan)
    for arrays, (kind, _) in zip(problem.mechanisms, problem.active, strict=True):
        if kind.fires:
            sites = slice(arrays.site, arrays.site + arrays.row.size)
            found[problem.site_compartment[sites]] = arrays.threshold + problem.offset
    silent = np.flatnonzero(np.isnan(found[compartments.roots]))
    if silent.size:
        raise ParameterError(
            f"read='spikes' reads the spikes of every soma, and that of cell {silent[0]} has no mechanism that fires; "
            "give mechanisms=ds.IntegrateAndFire(), or read='voltage'"
        )
    somatic: Floats = found[compartments.roots]
    return somatic
