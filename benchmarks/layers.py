"""One training step of a layer of dendritic neurons, side by side with PyTorch and JAX, in float32.

Run by `run.py` in processes of its own, on two threads and in brief on one: threads are settled before libraries
start.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from timing import Job, Progress, Table, Time, interleave, load, n_processors, processors

if TYPE_CHECKING:
    from layers_ours import Ours
    from layers_problem import Problem, Samples

WARM = 50
"""Steps of every formulation before its time is taken: connections change most often in the first ones."""
DENSE = "dense masks, backprop"
MISSING = 'not installed (pip install "dendrosim[bench]", or in a clone pip install ".[bench]")'


def run(quick: bool, out: Path | None) -> None:
    """Measure in new processes, which print their tables."""
    most = min(2, n_processors())
    for threads in dict.fromkeys((most, 1)):
        arguments = [sys.executable, str(Path(__file__).resolve()), "--threads", str(threads)]
        arguments += ["--brief"] * (threads != most) + ["--quick"] * quick
        arguments += ["--out", str(out)] if out is not None else []
        environment = dict(os.environ)
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
            environment[name] = str(threads)
        if threads > 1:
            flags = environment.get("XLA_FLAGS", "").replace("--xla_cpu_multi_thread_eigen=false", "")
            environment["XLA_FLAGS"] = flags.strip()
        subprocess.run(arguments, check=True, env=environment)


def peers(problem: Problem, chosen: Callable[[str], bool], progress: Progress) -> tuple[dict[str, Any], list[str]]:
    """Formulations whose library is installed, by name, and remarks on versions and on those that are not."""
    made: dict[str, Any] = {}
    remarks = []
    for library, module in (("torch", "peer_torch"), ("jax", "peer_jax")):
        try:
            peer = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != library:
                raise
            remarks.append(f"{library}: {MISSING}")
            continue
        remarks.append(f"{library} {peer.VERSION}")
        for name, maker in peer.PEERS.items():
            if chosen(name):
                progress(f"layers: building {name}")
                made[name] = maker(problem)
    return made, remarks


def agreement(problem: Problem, table: Table, threads: int, progress: Progress) -> None:
    """Add loss and gradients of the first minibatch in every formulation against ours."""
    import numpy as np
    from layers_ours import Ours

    ours = {"exact": Ours(problem, "exact", "3F", threads), "3F": Ours(problem, "per_soma", "3F", threads)}
    reference = {name: one.first_gradients() for name, one in ours.items()}
    for name, peer in peers(problem, lambda name: "5F" not in name, progress)[0].items():
        loss, theirs = reference["3F" if "3F" in name else "exact"]
        found = float(peer.gradients())
        row: dict[str, Any] = {"input": problem.samples.name, "formulation": name, "loss": abs(found - loss) / loss}
        for sign in ("excitatory", "inhibitory"):
            stages = zip(peer.dense_gradient(sign), problem.dense(theirs["synapses"], sign), strict=True)
            row[sign] = max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in stages)
        table.add(**row)


def steps(problem: Problem, threads: int, quick: bool, progress: Progress) -> Table:
    """Full steps, gradients and forward passes of every formulation."""
    from layers_ours import Ours

    name = problem.samples.name
    made, remarks = peers(problem, lambda _: True, progress)
    ours: dict[str, Ours] = {
        "dendrosim, exact": Ours(problem, "exact", "3F", threads),
        "dendrosim, 3F": Ours(problem, "per_soma", "3F", threads),
        "dendrosim, 5F": Ours(problem, "per_soma", "5F", threads),
    }
    made = {**ours, **made}
    warm = 10 if quick else WARM
    for label, one in made.items():
        progress(f"layers: {name}: first steps of {label}")
        for _ in range(warm):
            one.step()
    times: dict[str, dict[str, Time]] = {}
    for job in ("forward", "gradients", "step"):
        progress(f"layers: {name}: {job} of all, in turns")
        jobs = {label: Job(getattr(one, job)) for label, one in made.items()}
        times[job] = interleave(jobs, 3 if quick else 11, 0.03, clock=_clock(threads))
    table = Table(f"layers_{name.lower()}_{threads}", f"{_title(problem)}, {_threads(threads)}")
    mine, best = ours["dendrosim, 3F"], times["step"]["dendrosim, 3F"].median
    for label in made:
        row = {f"{job}_ms": 1e3 * taken[label].median for job, taken in times.items()}
        table.add(formulation=label, **row, least_step_ms=1e3 * times["step"][label].minimum)
        table.rows[-1]["times_3F"] = times["step"][label].median / best
    table.notes += [
        "medians, all formulations in turns; a step is drawing the minibatch, forward pass, gradients, clipping, Adam, "
        "TopK; times_3F: how many times longer a step is than ours by 3F",
        f"after {warm} steps of each; {mine.learner.swaps / mine.steps:.0f} synapses changed their source per step on "
        "average",
        f"{'; '.join(remarks)}; {load()}",
    ]
    return table


def _clock(threads: int) -> Callable[[], float]:
    return time.process_time if threads == 1 else time.perf_counter


def _threads(threads: int) -> str:
    return "one thread, CPU time" if threads == 1 else f"{threads} threads, wall-clock time"


def _title(problem: Problem) -> str:
    shape = "x".join(str(n) for n in (problem.neurons, *problem.branching))
    synapses = f"{problem.excitatory} + {problem.inhibitory} of {problem.n_inputs} inputs per branch"
    return f"One step of {shape} with {synapses}, batch {problem.batch}, {problem.samples.name} input, float32"


def parts(problem: Problem, threads: int, quick: bool, progress: Progress) -> Table:
    """Where the time of our step goes: early in training, when many synapses change their source, and later."""
    from layers_ours import Ours

    name = problem.samples.name
    table = Table(
        f"layers_parts_{name.lower()}_{threads}", f"Parts of our step by 3F, {name} input, ms, {_threads(threads)}"
    )
    spans = {"steps 1-20": (0, 20)} if quick else {"steps 1-100": (0, 100), "steps 1000-1100": (900, 100)}
    one = Ours(problem, "per_soma", "3F", threads)
    one.step()  # compiles
    one = Ours(problem, "per_soma", "3F", threads)
    for label, (skip, count) in spans.items():
        progress(f"layers: {name}: parts, {label}")
        for _ in range(skip):
            one.step()
        before = one.learner.swaps
        times = {part: 1e3 * seconds for part, seconds in one.parts(count, _clock(threads)).items()}
        table.add(when=label, **times, changed_synapses=round((one.learner.swaps - before) / count))
    return table


def scaling(samples: Samples, threads: int, quick: bool, progress: Progress) -> Table:
    """Time per step against neurons, branches, synapses and batch, one changed at a time."""
    from layers_ours import Ours
    from layers_problem import Problem

    table = Table("layers_scaling", f"Time per step of larger and smaller layers, {_threads(threads)}")
    varied: dict[str, list[tuple[float, dict[str, Any]]]] = {
        "neurons": [(n, {"neurons": n}) for n in ((32, 128, 512) if quick else (32, 64, 128, 256, 512, 1024))],
        "branches per neuron": [
            (sum(b[0] ** k for k in range(1, len(b) + 1)), {"branching": b})
            for b in (((3,), (3, 3)) if quick else ((1,), (3,), (3, 3), (5, 5), (3, 3, 3)))
        ],
        "synapses per branch": [
            (3 * k, {"excitatory": 2 * k, "inhibitory": k}) for k in ((5, 20, 80) if quick else (5, 10, 20, 40, 80))
        ],
        "batch": [(b, {"batch": b}) for b in ((16, 256, 1024) if quick else (16, 32, 64, 128, 256, 512, 1024))],
    }
    for quantity, points in varied.items():
        for value, sizes in points:
            progress(f"layers: scaling, {quantity} {value}")
            problem = Problem(samples, **sizes)
            made: dict[str, Any] = {"dendrosim, 3F": Ours(problem, "per_soma", "3F", threads)}
            made |= peers(problem, lambda name: name in (DENSE, "embedding_bag"), progress)[0]
            for one in made.values():
                for _ in range(3):
                    one.step()
            jobs = {k: Job(v.step) for k, v in made.items()}
            times = interleave(jobs, 3 if quick else 5, 0.02, clock=_clock(threads))
            table.add(quantity=quantity, value=value, **{f"{k}, ms": 1e3 * t.median for k, t in times.items()})
    table.notes.append(
        f"otherwise {_title(Problem(samples)).removeprefix('One step of ')}; {threads} threads; {load()}"
    )
    return table


def main() -> int:
    """Run everything and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    from layers_problem import Problem, mnist_samples, random_samples

    progress, quick, threads, out = Progress(), options.quick, options.threads, options.out

    def show(*tables: Table) -> None:
        progress.clear()
        for table in tables:
            print(f"\n{table}", flush=True)
            if out is not None:
                table.write(out)

    with processors(threads):
        given: list[Any] = [random_samples(8192, 784), mnist_samples()]
        problems = [Problem(samples) for samples in given if not isinstance(samples, str)]
        if options.brief:
            for problem in problems:
                show(steps(problem, threads, quick, progress), parts(problem, threads, quick, progress))
            return 0
        title = "Loss and gradients: largest deviation from ours, relative to the largest"
        checked = Table("layers_agreement", title, notes=[why for why in given if isinstance(why, str)])
        for problem in problems:
            agreement(problem, checked, threads, progress)
        show(checked)
        for problem in problems:
            show(steps(problem, threads, quick, progress), parts(problem, threads, quick, progress))
        curves = scaling(problems[0].samples, threads, quick, progress)
        show(curves)
    if out is not None:
        import layers_figure

        layers_figure.draw(curves, out / "layers_scaling.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
