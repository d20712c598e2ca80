"""Time per training step by every teaching signal, and what perturbations cost in forward passes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from layers_problem import CLIP, RATES, Batches, Problem, random_samples
from timing import Job, Progress, Table, interleave, load

import dendrosim as ds
from dendrosim.diagnostics.credit_of import compare_credits

DIRECT = "dfa per unit"
SIGNALS: dict[str, str | Mapping[str, Any]] = {
    DIRECT: {"name": "dfa", "per": "compartment"},
    "dfa per cell": {"name": "dfa", "per": "cell"},
    "exact": "exact",
    "per_soma": "per_soma",
    "fa": "fa",
    "sbd": "sbd",
    "sbd, probabilities": {"name": "sbd", "expansion": "probabilities"},
    "sbd per cell": {"name": "sbd", "tie": "soma"},
    "ebd (squared error)": "ebd",
    "kp": "kp",
    "vnc, 1": {"name": "vnc", "perturbations": 1},
    "vnc, 2": {"name": "vnc", "perturbations": 2},
    "vnc, 4": {"name": "vnc", "perturbations": 4},
    "vnc, 8": {"name": "vnc", "perturbations": 8},
    "nmnc, 1": {"name": "nmnc", "perturbations": 1},
    "nmnc, 8": {"name": "nmnc", "perturbations": 8},
    "nmnc, 1, manifold found once": {"name": "nmnc", "perturbations": 1, "refresh": 1_000_000},
    "mirror, 1": {"name": "mirror", "perturbations": 1},
    "node_perturbation, 1": {"name": "node_perturbation", "perturbations": 1},
}
POINT = [name for name in SIGNALS if name not in ("dfa per cell", "mirror, 1", "sbd per cell")]
WARM = 40
STEPS = 20
"""Steps of a turn: a manifold is found again every twenty."""


def run(quick: bool, progress: Progress) -> list[Table]:
    """The headline network, and a point network at two batch sizes, all signals in turns on one thread."""
    samples = random_samples(2048, 784)
    problem = Problem(samples)
    title = "One step of the headline network (batch 256, float32, one thread, CPU time) by every teaching signal"
    tables = [_table("teaching", title, problem.network, list(SIGNALS), RATES, samples, 256, quick, progress)]
    mlp = ds.networks.PointMLP(784, 10, [1024, 512])
    for batch in (256, 20):
        title = f"One step of a point network 784-1024-512-10 (batch {batch}, float32, one thread, CPU time)"
        name = f"teaching_mlp_{batch}"
        tables.append(_table(name, title, mlp, POINT, 1e-3, samples, batch, quick, progress))
    return tables


def _table(
    name: str,
    title: str,
    network: Any,
    signals: list[str],
    rates: Any,
    samples: Any,
    batch: int,
    quick: bool,
    progress: Progress,
) -> Table:
    learners, jobs = {}, {}
    make = ds.Learner if isinstance(network, ds.Network) else ds.plasticity.PointLearner
    for label in signals:
        progress(f"{name}: first steps of {label}")
        loss = "mse" if "squared error" in label else "cross_entropy"
        options = {"rates": rates, "clip_value": CLIP, "threads": 1, "loss": loss}
        learner = learners[label] = make(network.copy(), SIGNALS[label], "3F", **options)
        jobs[label] = Job(_steps(learner, samples, batch), STEPS)
        for _ in range(max(1, (STEPS if quick else WARM) // STEPS)):
            jobs[label].call()
    x, compared = network.checked(samples.x[:batch]), network.checked(samples.x[:256])
    activity = network.run(x, 1)

    def forward() -> None:
        for _ in range(STEPS):
            network.run(x, 1, activity)

    def compare() -> None:
        compare_credits(learners[DIRECT], compared, samples.y[:256], np.random.default_rng(0))

    progress(f"{name}: all, in turns")
    extra = {"forward": Job(forward, STEPS), "record": Job(compare)}
    times = interleave({**jobs, **extra}, 3 if quick else 9, 0.01, budget=240.0, clock=time.process_time)
    base, one = times[DIRECT].median, times["forward"].median
    table = Table(name, title)
    for label in signals:
        taken, count = times[label].median, learners[label].teaching.passes / learners[label].steps
        more = {"more_forward": (taken - base) / one, "perturbed": round(count)} if count else {}
        table.add(teaching=label, step_ms=1e3 * taken, times_dfa=taken / base, forward=taken / one, **more)
    epoch = 48_000 / batch * base
    table.notes += [
        f"forward: the step in forward passes of {1e3 * one:.3g} ms; more_forward: what it takes beyond {DIRECT}, with "
        "as many perturbed passes, their noise and the correlation; medians, all in turns",
        f"comparing 256 credits with exact ones once per epoch: {1e3 * times['record'].median:.3g} ms, "
        f"{100 * times['record'].median / epoch:.2g} % of the steps of 48,000 samples",
        load(),
    ]
    return table


def _steps(learner: Any, samples: Any, size: int) -> Any:
    batches = Batches(len(samples.y), size)

    def steps() -> None:
        for _ in range(STEPS):
            rows = batches()
            learner.advance(samples.x.take(rows, axis=0), samples.y[rows])

    return steps
