"""Cost against the number of compartments, and what a second thread gains."""

from __future__ import annotations

import time

import numpy as np
from cells import Ints
from timing import Job, Progress, Table, interleave, load, n_processors, processors

import dendrosim as ds

WORK = 1_000_000
"""Compartments times stimuli of one call."""

LEAST = 16
"""Stimuli of one call at least: whole blocks."""


def chain(n: int) -> Ints:
    """One unbranched cable."""
    return np.arange(-1, n - 1)


def binary(n: int) -> Ints:
    """A balanced binary tree: short paths."""
    return np.where(np.arange(n) == 0, -1, (np.arange(n) - 1) // 2)


def grown(n: int) -> Ints:
    """A random tree of twigs: each compartment continues the last one, or nine times in a hundred a random one."""
    random = np.random.default_rng(0)
    parent = np.arange(-1, n - 1)
    branch = np.flatnonzero(random.random(n) < 0.09)
    branch = branch[branch > 0]
    parent[branch] = (random.random(branch.size) * branch).astype(np.int64)
    return parent


SHAPES = {"chain": chain, "binary tree": binary, "random tree": grown}


def _jobs(parent: Ints, batch: int, threads: tuple[int, ...]) -> dict[str, Job]:
    n = parent.size
    compartments = ds.Compartments(parent, leak=0.05, coupling=20.0, leak_reversal=-70.0)
    k = max(5, n // 7)
    synapses = ds.Synapses.scatter(compartments, k - k // 5, k // 5, seed=0)
    x = np.random.default_rng(1).random((batch, synapses.n_inputs))
    v, q, loss = np.empty((batch, n)), np.empty((batch, n)), np.ones((batch, 1))

    def work(count: int) -> Job:
        def call() -> None:
            ds.exact_gradient(ds.steady_state(compartments, synapses, x, threads=count, out=v), loss, out=q)

        return Job(call, batch)

    return {str(count): work(count) for count in threads}


def run(quick: bool, progress: Progress) -> list[Table]:
    """Steady state and all gradients by the public API."""
    return [_linear(quick, progress), _threads(quick, progress)]


def _linear(quick: bool, progress: Progress) -> Table:
    table = Table(
        "scaling", "V + gradients per stimulus against the number of compartments, public API with out=, one thread"
    )
    sizes = [10**k for k in range(2, 6 if quick else 7)]
    for shape, parents in SHAPES.items():
        taken, row = [], {}
        for n in sizes:
            progress(f"scaling: {shape}, {n} compartments")
            with processors(1):
                one = interleave(
                    _jobs(parents(n), max(LEAST, WORK // n), (1,)), 3 if quick else 9, 0.05, 60, time.process_time
                )["1"]
            taken.append(one.median)
            row[f"{n:,}"] = f"{1e9 * one.median / n:.2f}"
        slope = float(np.polyfit(np.log10(sizes[1:]), np.log10(taken[1:]), 1)[0])
        table.add(shape=shape, **row, slope=f"{slope:.3f}")
    table.notes.append(
        f"ns of CPU time per compartment and stimulus; {WORK:,} compartments in all, at least {LEAST} stimuli"
    )
    table.notes.append(f"slope of log time against log compartments from {sizes[1]:,} on: 1 is linear; {load()}")
    return table


def _threads(quick: bool, progress: Progress) -> Table:
    table = Table("threads", "V + gradients of a batch, public API with out=, threads (wall-clock time)")
    most = n_processors()
    for n in (1_000, 3_000) if quick else (155, 1_000, 3_000, 100_000):
        for batch in (100, 1_000) if n < 100_000 else (16,):
            progress(f"threads: {n} compartments, batch {batch}")
            times = interleave(_jobs(grown(n), batch, (1, most)), 5 if quick else 15, 0.1)
            one, all_ = times["1"], times[str(most)]
            table.add(
                compartments=n,
                batch=batch,
                us_1_thread=1e6 * one.median,
                **{f"us_{most}_threads": 1e6 * all_.median},
                speed_up=f"{one.median / all_.median:.2f}",
                speed_up_of_minima=f"{one.minimum / all_.minimum:.2f}",
            )
    table.notes.append(f"random trees; {most} processors; {load()}")
    return table
