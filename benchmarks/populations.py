"""Steps in time of populations: many cells under one stimulus, on one and on several threads, apart and connected."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from cells import problem
from timing import Job, Progress, Table, interleave, load, n_processors, processors

import dendrosim as ds
from dendrosim.biophysics.time.simulate import prepare

DT = 0.025
CELLS, COMPARTMENTS = 64, 200
SYNAPSES = (20, 5)
RATE = 20.0
"""Hz per synapse, from outside."""
TARGETS = 20
"""Synapses that a cell drives."""


def run(quick: bool, progress: Progress) -> Table:
    """Wall-clock time of whole calls, and how many times faster more threads are."""
    table = Table("populations", f"Populations in time: {CELLS} cells, one stimulus (wall clock, medians)")
    cell = problem(COMPARTMENTS).compartments
    forest = ds.Compartments.forest([cell] * CELLS)
    synapses = ds.Synapses.scatter(forest, *(CELLS * n for n in SYNAPSES), seed=0).with_(conductance=8.0)
    rng = np.random.default_rng(0)
    driven = rng.permutation(synapses.n_inputs)[: CELLS * TARGETS]
    delays = DT * np.round(rng.uniform(1.0, 5.0, driven.size) / DT)
    wired = ds.Connections(np.repeat(np.arange(CELLS), TARGETS), driven, delays, 0.2)
    duration = 100.0 if quick else 300.0
    steps = round(duration / DT)
    outside = ds.Spikes.poisson(np.full(synapses.n_inputs, RATE), duration, seed=1)
    soma = ds.IntegrateAndFire(threshold=cell.leak_reversal + 8.0, reset=cell.leak_reversal)
    fired: dict[str, int] = {}

    def ours(threads: int, **more: Any) -> ds.Trace:
        options = {"dt": DT, "duration": duration, "every": 40, "mechanisms": soma, "threads": threads, **more}
        return ds.simulate(forest, synapses, outside, **options)

    def whole(**more: Any) -> ds.Trace:
        options = {"dt": DT, "duration": duration, "every": 40, "mechanisms": soma, "threads": 1, **more}
        return prepare(forest, synapses, outside, **options)[0].to_memory()

    jobs: dict[str, Job] = {}
    for name, more in (("apart", {}), ("connected", {"connections": wired})):
        fired[name] = ours(1, **more).spike_time.size
        jobs[f"{name}, as one|1"] = Job(lambda more=more: whole(**more))
        for threads in sorted({1, n_processors()}):
            jobs[f"{name}, in groups|{threads}"] = Job(lambda n=threads, more=more: ours(n, **more))
    progress(f"{forest.size} compartments: measuring {len(jobs)} jobs in turns")
    with processors(n_processors()):
        times = interleave(jobs, 3 if quick else 9, 0.02, 60 if quick else 240, time.perf_counter)
    for name, taken in times.items():
        population, threads = name.split("|")
        base = times[f"{population}|1"]
        table.add(
            population=population,
            threads=int(threads),
            ms=1e3 * taken.median,
            ms_minimum=1e3 * taken.minimum,
            ns=1e9 * taken.median / (forest.size * steps),
            faster=f"{base.minimum / taken.minimum:.2f}x",
        )
    table.notes += [
        f"{CELLS} cells of {cell.size} compartments, {synapses.size} synapses with {RATE:g} spikes per second from "
        f"outside, {duration:g} ms in steps of {DT} ms; connected: {wired.size} connections, delays of 1 to 5 ms",
        load(),
        "ns: per compartment-step; faster: than the same on one thread, minima; all of a call is counted",
        *(f"{name}: {1e3 * n / (CELLS * duration):.1f} spikes per second and cell" for name, n in fired.items()),
    ]
    return table
