"""One training step of the reference architectures, side by side with the same networks in PyTorch, in float32.

Run by `run.py` in processes of its own, on two threads and on one: threads are settled before libraries start.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from timing import Job, Progress, Table, interleave, load, n_processors, processors

BATCH, EPOCH = 128, 50_000
"""Of the evaluation paper: samples in a step, and in an epoch of CIFAR-10."""
RULES = ("bp", "dfa", "frozen")
SETTLE = 0.05
"""Seconds before a turn: threads of the libraries that had the one before go on spinning for a while."""


def run(quick: bool, out: Path | None) -> None:
    """Measure in new processes, which print their tables."""
    for threads in dict.fromkeys((min(2, n_processors()), 1)):
        arguments = [sys.executable, str(Path(__file__).resolve()), "--threads", str(threads), *["--quick"] * quick]
        arguments += ["--out", str(out)] if out is not None else []
        environment = dict(os.environ)
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
            environment[name] = str(threads)
        subprocess.run(arguments, check=True, env=environment)


def networks() -> dict[str, Any]:
    """The architectures by name."""
    from dendrosim.networks import ResMLP, ViTMini

    return {
        "ResMLP d=256 L=4 2lin": ResMLP(3072, 10),
        "ResMLP d=256 L=4 3lin": ResMLP(3072, 10, block="3lin"),
        "ResMLP d=512 L=2 2lin": ResMLP(3072, 10, 512, 2),
        "ViT-Mini patch 8": ViTMini(),
        "ViT-Mini patch 4": ViTMini(patch=4),
    }


class Ours:
    """Steps of one learner."""

    def __init__(self, network: Any, rule: str, x: Any, y: Any, threads: int) -> None:
        from layers_problem import Batches

        from dendrosim.plasticity.residual import ResidualLearner

        self.x, self.y, self.batches = x, y, Batches(len(y), BATCH)
        self.learner = ResidualLearner(network.copy(), rule, threads=threads)

    def first(self) -> tuple[float, Any]:
        """Loss of the next batch, and the gradient of the embedding."""
        rows = self.batches()
        found = self.learner.gradients(self.x[rows], self.y[rows])
        return found.loss, found.values["embedding_weight"]

    def step(self) -> float:
        """One training step on the next batch; the mean loss."""
        rows = self.batches()
        return self.learner.advance(self.x.take(rows, axis=0), self.y[rows])[0]


def measure(threads: int, quick: bool, progress: Progress, only: str) -> Table:
    """Steps of every architecture by every rule, those of one architecture and rule in turns."""
    import numpy as np

    peer: Any = None
    try:
        peer = importlib.import_module("peer_torch_residual")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
    else:
        peer.torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2048, 3072), np.float32), rng.integers(0, 10, 2048)
    clock = time.process_time if threads == 1 else time.perf_counter
    on = "one thread, CPU time" if threads == 1 else f"{threads} threads, wall-clock time"
    table = Table(f"residual_{threads}", f"One training step of residual networks, batch {BATCH}, float32, {on}")
    worst = 0.0
    for name, network in networks().items():
        if only not in name:
            continue
        for rule in RULES:
            progress(f"residual: {name}, {rule}")
            ours = Ours(network, rule, x, y, threads)
            jobs: dict[str, Any] = {"ours": ours}
            if peer is not None:
                told = list(ours.learner.teaching.state().values())
                loss, gradient = ours.first()
                for label, options in peer.OPTIMISERS.items():
                    jobs[label] = peer.Twin(network, rule, told, x, y, BATCH, **options)
                    found = float(jobs[label].gradients().detach())
                    apart = np.abs(jobs[label].gradient() - gradient).max() / np.abs(gradient).max()
                    worst = max(worst, abs(found - loss) / loss, float(apart))
            for job in jobs.values():
                for _ in range(2 if quick else 10):
                    job.step()
            order: dict[str, Job] = {}
            for label, job in jobs.items():
                order |= {f"pause before {label}": Job(_pause), label: Job(job.step)}
            times = interleave(order, 5 if quick else 11, 0.0 if quick else 0.1, clock=clock)
            mine = times["ours"]
            row: dict[str, Any] = {"network": name, "rule": rule, "ours_ms": 1e3 * mine.median}
            row |= {"ours_least_ms": 1e3 * mine.minimum, "ours_epoch_s": mine.median * EPOCH / BATCH}
            for label in [label for label in jobs if label != "ours"]:
                column, theirs = label.replace(" ", "_"), times[label]
                row |= {f"torch_{column}_ms": 1e3 * theirs.median, f"times_{column}": theirs.median / mine.median}
                row[f"times_least_{column}"] = theirs.minimum / mine.minimum
            table.add(**row)
    table.notes += [
        "medians (and least) of turns, ours and PyTorch's one after the other; a step is fetching a minibatch, forward "
        "pass, gradients, AdamW; times: how many times longer PyTorch's step is",
        f"ours_epoch_s: {EPOCH // BATCH} steps and a part of one, {EPOCH} samples",
        f"torch {peer.VERSION}, eager; first loss and gradient of the embedding agree to {worst:.0e}; {load()}"
        if peer is not None
        else f"torch is not installed; {load()}",
    ]
    return table


def _pause() -> None:
    time.sleep(SETTLE)


def main() -> int:
    """Measure on so many threads and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", help="architectures whose name has this in it")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    progress = Progress()
    with processors(options.threads):
        table = measure(options.threads, options.quick, progress, options.only)
    progress.clear()
    print(f"\n{table}", flush=True)
    if options.out is not None:
        table.write(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
