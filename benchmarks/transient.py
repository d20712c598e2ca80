"""Steps in time: one passive cell of about 1,100 compartments, 100 conductance synapses, dt 0.025 ms, one thread."""

from __future__ import annotations

import dataclasses
import importlib.util
import time
from typing import Any

import numpy as np
import peers
from cells import Problem, problem
from timing import Job, Progress, Table, Time, interleave, load, n_processors, processors

import dendrosim as ds

DT = 0.025
TAU = 2.0
"""Of every synapse, ms."""
SYNAPSES = (80, 20)
RATE = 10.0
"""Hz per synapse."""

ASKED = {"one cell": 4.0, "float64": 7.0, "float32": 10.0}
"""Times NEURON, per stimulus."""


class NeuronTransient:
    """NEURON's own loop (`psolve`) over the cell of `peer_neuron`."""

    def __init__(self, cell: Problem, spikes: ds.Spikes) -> None:
        from peer_neuron import NeuronPeer, neuron

        self._peer = NeuronPeer(cell)
        self.version = self._peer.version
        self._h, self._parallel = neuron.h, neuron.h.ParallelContext()
        self._parallel.set_maxstep(10)
        self._kept: list[Any] = []
        for j, synapse in enumerate(self._peer._synapses):
            synapse.tau = TAU
            connection = neuron.h.NetCon(None, synapse)
            connection.weight[0] = 1e-3 * float(cell.synapses.conductance[j])
            self._kept.append((connection, spikes.time[spikes.source == cell.synapses.source[j]].tolist()))
        self._soma = self._peer._soma(0.5)
        self._core: Any = None
        if neuron.config.arguments.get("NRN_ENABLE_CORENEURON"):
            from neuron import coreneuron

            coreneuron.verbose = 0
            self._core = coreneuron
        self._rest = cell.passive.E_leak

    def run(self, duration: float, core: bool = False) -> float:
        """From the beginning, with CoreNEURON if `core`; the soma's voltage at the end."""
        if self._core is not None:
            self._core.enable = core
        self._h.secondorder, self._h.dt = 0, DT
        self._h.finitialize(self._rest)
        for connection, times in self._kept:
            for t in times:
                connection.event(t)
        self._parallel.psolve(duration)
        return float(self._soma.v)

    @property
    def has_core(self) -> bool:
        """Whether this NEURON was built with CoreNEURON."""
        return self._core is not None

    def close(self) -> None:
        """Remove the cell."""
        self._kept.clear()
        self._peer.close()


def run(quick: bool, progress: Progress) -> list[Table]:
    """Nanoseconds per compartment and step, and how many times NEURON's speed that is."""
    table = Table("transient", "Steps in time, ns per compartment-step and stimulus (medians; minima beside)")
    cell = problem(1_000)
    cell = dataclasses.replace(cell, synapses=ds.Synapses.scatter(cell.compartments, *SYNAPSES, seed=0))
    duration = 50.0 if quick else 200.0
    steps = round(duration / DT)
    one = ds.Spikes.poisson(np.full(sum(SYNAPSES), RATE), duration, seed=0)
    jobs: dict[str, Job] = {}
    sizes: dict[str, int] = {}
    deviation: dict[str, float] = {}

    def ours(spikes: ds.Spikes, dtype: str, threads: int = 1, method: str = "backward_euler") -> Any:
        return ds.simulate(
            cell.compartments, cell.synapses, spikes, dt=DT, duration=duration, kinetics=ds.Exponential(TAU),
            method=method, dtype=dtype, threads=threads, every=40,
        )  # fmt: skip

    with processors(1):
        for dtype in ("float64", "float32"):
            jobs[f"dendrosim|1|{dtype}"] = Job(lambda dtype=dtype: ours(one, dtype))
        jobs["dendrosim, Crank-Nicolson|1|float64"] = Job(lambda: ours(one, "float64", method="crank_nicolson"))
        for batch in (32,) if quick else (32, 64, 256):
            many = ds.Spikes.poisson(np.full((batch, sum(SYNAPSES)), RATE), duration, seed=1)
            for dtype in ("float64", "float32"):
                jobs[f"dendrosim|{batch}|{dtype}"] = Job(lambda m=many, dtype=dtype: ours(m, dtype), batch)
        neuron = None
        if importlib.util.find_spec("neuron") is not None:
            progress("building the cell in NEURON")
            neuron = NeuronTransient(cell, one)
            deviation["NEURON"] = abs(neuron.run(duration) - float(ours(one, "float64").voltage[0, -1, 0]))
            jobs["NEURON|1|float64"] = Job(lambda: neuron.run(duration))
            if neuron.has_core:
                deviation["CoreNEURON"] = abs(
                    neuron.run(duration, True) - float(ours(one, "float64").voltage[0, -1, 0])
                )
                jobs["CoreNEURON|1|float64"] = Job(lambda: neuron.run(duration, True))
        if importlib.util.find_spec("arbor") is not None:
            from peer_arbor import ArborPeer

            progress("building the cell in Arbor")
            arbor = ArborPeer(cell, cell.synapses, one)
            sizes["Arbor"] = arbor.size
            jobs["Arbor|1|float64"] = Job(lambda: arbor.run(duration, DT))
        progress(f"{cell.size} compartments: measuring {len(jobs)} jobs in turns")
        times = interleave(jobs, 3 if quick else 11, 0.02, 60 if quick else 300, time.process_time)
    shared: dict[str, Time] = {}
    if n_processors() > 1:
        many = ds.Spikes.poisson(np.full((64, sum(SYNAPSES)), RATE), duration, seed=1)
        with processors(n_processors()):
            pair = {
                f"dendrosim, wall-clock, {count} thread{'s' * (count > 1)}|64|{dtype}": Job(
                    lambda count=count, dtype=dtype: ours(many, dtype, count), 64
                )
                for dtype in ("float64", "float32")
                for count in (1, n_processors())
            }
            shared = interleave(pair, 5)
    if neuron is not None:
        neuron.close()
    _rows(table, cell.size, steps, times | shared, sizes)
    table.notes += [
        f"{cell.name}, {cell.size} compartments, {sum(SYNAPSES)} synapses with {RATE:g} spikes per second each, "
        f"{duration:g} ms in steps of {DT} ms, backward Euler; {load()}",
        "all of a call is counted: checks, condensing the tree, laying out spikes, recording the soma every 40 steps",
        *(f"soma at the end, deviation from {name}: {value:.1e} mV" for name, value in deviation.items()),
        *(f"{name}: {size} compartments of its own" for name, size in sizes.items()),
        "the last column: how many times as fast as the faster of NEURON and CoreNEURON, by medians",
        f"asked: {ASKED['one cell']:g} times NEURON for one cell, {ASKED['float64']:g} (float64) and "
        f"{ASKED['float32']:g} (float32) per stimulus in batches",
        *(note for note in peers.missing() if note.startswith("neuron")),
    ]
    return [table]


def _rows(table: Table, size: int, steps: int, times: dict[str, Time], sizes: dict[str, int]) -> None:
    found = [times[key].median for key in ("NEURON|1|float64", "CoreNEURON|1|float64") if key in times]
    reference = min(found) / (size * steps) if found else None  # the faster one
    for name, taken in times.items():
        program, batch, dtype = name.split("|")
        each = sizes.get(program, size)
        ns = 1e9 * taken.median / (each * steps)
        table.add(
            program=program,
            batch=int(batch),
            dtype=dtype,
            ns=ns,
            ns_minimum=1e9 * taken.minimum / (each * steps),
            times_faster_NEURON="" if reference is None else f"{1e9 * reference / ns:.1f}x",
        )
