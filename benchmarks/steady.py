"""Steady states and all gradients, per stimulus, on one thread: kernels, public API, and three other programs."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import peers
from cells import Problem, problem
from limits import Limits
from timing import Job, Progress, Table, Time, interleave, load, processors

import dendrosim as ds
from dendrosim.biophysics.direction import direction
from dendrosim.biophysics.integration import integration
from dendrosim.biophysics.system import System

BATCHES = (1, 10, 100, 1_000)
MOST = 20_000_000
"""Compartments times stimuli that are measured at most: 160 MB per array."""

V, ALL = "V", "V + gradients"
SUMMED_UP = (100, 1_000)
"""Batches of the summary."""

# what the project asks of itself (ratios at about 1,100 and 3,000 compartments)
ASKED: dict[tuple[str, str, int], dict[str, float]] = {
    ("kernels", ALL, 1_000): {"ns": 7.0, "scipy": 45, "Jaxley": 35, "NEURON Impedance": 150},
    ("kernels", ALL, 3_000): {"ns": 7.0, "scipy": 30, "NEURON Impedance": 110},
    ("API, out=", ALL, 1_000): {"scipy": 25, "Jaxley": 20, "NEURON Impedance": 80},
    ("API", ALL, 1_000): {"scipy": 25, "Jaxley": 20, "NEURON Impedance": 80},
    ("kernels", V, 1_000): {"ns": 4.2, "NEURON": 12, "NEURON bare": 3.5},
    ("kernels", V, 3_000): {"ns": 4.2, "NEURON": 12, "NEURON bare": 3.5},
}


def ours(cell: Problem, batch: int, dtype: str) -> dict[str, Job]:
    """Our jobs: kernels and API with arrays that are there already, and the API with fresh ones."""
    x, loss = cell.stimuli(batch, dtype), np.ones((batch, 1), dtype)
    v, q = np.empty((batch, cell.size), dtype), np.empty((batch, cell.size), dtype)
    c, s = cell.compartments, cell.synapses
    system = System(c, s, x, integration("shunting"), direction("reciprocal"), None, 1)

    def kernels() -> None:
        system.solve(None, v)
        system.adjoint(v, loss, q)

    def with_out() -> None:
        ds.exact_gradient(ds.steady_state(c, s, x, threads=1, out=v), loss, out=q)

    calls: dict[str, Any] = {
        f"kernels|{V}": lambda: system.solve(None, v),
        f"kernels|{ALL}": kernels,
        f"API, out=|{V}": lambda: ds.steady_state(c, s, x, threads=1, out=v),
        f"API, out=|{ALL}": with_out,
        f"API|{V}": lambda: ds.steady_state(c, s, x, threads=1),
        f"API|{ALL}": lambda: ds.exact_gradient(ds.steady_state(c, s, x, threads=1), loss),
    }
    return {f"{name}|{batch}|{dtype}": Job(call, batch) for name, call in calls.items()}


def theirs(cell: Problem, made: dict[str, Any]) -> dict[str, Job]:
    """Jobs of the competitors; all of them compute in float64."""
    jobs = {}
    x = cell.stimuli(16)
    row = x[0]
    if "scipy" in made:
        scipy = made["scipy"]
        default = type(scipy)(cell, default=True)
        jobs[f"scipy|{V}|1|float64"] = Job(lambda: scipy.voltage(row))
        jobs[f"scipy|{ALL}|1|float64"] = Job(lambda: scipy.gradient(row))
        jobs[f"scipy, default order|{ALL}|1|float64"] = Job(lambda: default.gradient(row))
    if "neuron" in made:
        neuron = made["neuron"]
        jobs[f"NEURON bare|{V}|1|float64"] = Job(neuron.solve)
        jobs[f"NEURON|{V}|1|float64"] = Job(lambda: neuron.voltage(row))
        jobs[f"NEURON Impedance|{ALL}|1|float64"] = Job(lambda: neuron.gradient(row))
    if "jaxley" in made:
        for how, (voltage, gradient) in made["jaxley"].calls(x).items():
            batch = "1" if how == "one by one" else str(len(x))
            jobs[f"Jaxley, {how}|{V}|{batch}|float64"] = Job(voltage, len(x))
            jobs[f"Jaxley, {how}|{ALL}|{batch}|float64"] = Job(gradient, len(x))
    return jobs


def floor(limits: Limits, cell: Problem, job: str, dtype: str) -> float:
    """Least seconds per stimulus: divisions and memory traffic overlap, so the longer of the two.

    One division per compartment and elimination; activities are read and voltages written once; for gradients q is
    written as well, and so are the gradients of activities.
    """
    eliminations = 1 if job == V else 2
    numbers = eliminations * (cell.size + cell.synapses.n_inputs)
    divide = eliminations * cell.size / limits.divides[dtype]
    return max(divide, numbers * np.dtype(dtype).itemsize / limits.bandwidth)


def run(quick: bool, progress: Progress, limits: Limits) -> list[Table]:
    """Everything at 155, about 1,100, 3,000 and 100,000 compartments."""
    agree = Table("agreement", "Largest deviation from dendrosim, three stimuli")
    full = Table("steady", "Per stimulus, one thread (medians; minima beside)")
    brief = Table("summary", "Ratios, float64, one thread, with what is asked in brackets")
    for target in (155, 1_000) if quick else (155, 1_000, 3_000, 100_000):
        cell = problem(target)
        with processors(1):
            made, seconds = peers.build(cell, progress)
            peers.agreement(cell, made, agree)
            jobs = theirs(cell, made)
            batches = [b for b in BATCHES if b * cell.size <= MOST and not (quick and b in (10, 1_000))]
            for batch in batches:
                for dtype in ("float64", "float32"):
                    jobs |= ours(cell, batch, dtype)
            progress(f"{cell.size} compartments: measuring {len(jobs)} jobs in turns")
            times = interleave(jobs, 5 if quick else 21, 0.02, 30 if quick else 240, time.process_time)
        if "neuron" in made:
            made["neuron"].close()
        _rows(full, cell, times, limits)
        _summary(brief, cell, target, times, limits)
        built = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items() if name != "scipy")
        full.notes.append(
            f"{cell.size} compartments: {cell.name}, {cell.synapses.size} synapses; {load()}; "
            f"building the cell took {built or '-'}"
        )
        del jobs, made
    full.notes += [
        "Jaxley computes two gradient fields, everyone else all of them; it is left out above "
        f"{peers.JAXLEY_MOST} compartments, which it would take very long to build",
        "limit: the longer of the least divisions and the least memory traffic at the measured rates",
        *peers.missing(),
    ]
    brief.notes += [f"the peers' time is their best, float64; {load()}", *peers.missing()]
    return [agree, full, brief]


def _rows(table: Table, cell: Problem, times: dict[str, Time], limits: Limits) -> None:
    for name, taken in times.items():
        program, job, batch, dtype = name.split("|")
        own = program.startswith(("kernels", "API"))
        table.add(
            compartments=cell.size,
            job=job,
            program=program,
            batch=int(batch),
            dtype=dtype,
            us=1e6 * taken.median,
            us_minimum=1e6 * taken.minimum,
            ns_per_compartment=1e9 * taken.median / cell.size,
            of_limit=f"{100 * floor(limits, cell, job, dtype) / taken.median:.0f} %" if own else "",
        )


def _summary(table: Table, cell: Problem, target: int, times: dict[str, Time], limits: Limits) -> None:
    batches = [b for b in SUMMED_UP if f"kernels|{V}|{b}|float64" in times]
    for job in (V, ALL):
        other: dict[str, float] = {}
        for name, taken in times.items():
            program, its_job, _, _ = name.split("|")
            if its_job == job and not program.startswith(("kernels", "API")):
                short = "Jaxley" if program.startswith("Jaxley") else program
                other[short] = min(other.get(short, np.inf), taken.median)
        for program, batch in ((p, b) for p in ("kernels", "API, out=", "API") for b in batches):
            taken = times[f"{program}|{job}|{batch}|float64"]
            asked = ASKED.get((program, job, target), {})
            table.add(
                compartments=cell.size,
                job=job,
                program=program,
                batch=batch,
                ns_per_compartment=_asked(1e9 * taken.median / cell.size, asked.get("ns"), ""),
                least=f"{1e9 * taken.minimum / cell.size:.2g}",
                of_limit=f"{100 * floor(limits, cell, job, 'float64') / taken.median:.0f} %",
                **{peer: _asked(seconds / taken.median, asked.get(peer), "x") for peer, seconds in other.items()},
            )


def _asked(value: float, asked: float | None, unit: str) -> str:
    text = f"{value:.1f}{unit}" if value < 10 else f"{value:.0f}{unit}"
    return text if asked is None else f"{text} ({asked:g})"
