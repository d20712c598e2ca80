"""Time per training step of every rule, modulator and teaching signal: the paper's Table 7, measured."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from layers_problem import CLIP, RATES, Batches, Problem, random_samples
from timing import Job, Progress, Table, interleave, load

import dendrosim as ds

COMPLEXITY = {
    "3F": "O(1)",
    "4F": "O(1)",
    "5F": "O(d_n)",
    "5F+path": "O(L)",
    "5F+depth": "O(d_n)",
    "5F+normalisation": "O(d_n)",
}
"""What the paper's Table 7 says; L depth, d_n compartments."""
RULES: dict[str, str | Mapping[str, Any]] = {
    **{name: name for name in COMPLEXITY},
    "5F+types": {"name": "5F", "apical_basal": {"apical": 2.0, "branches": [0]}},
    "3F+path per compartment": {"name": "3F", "path": "compartment"},
    "3F+HSIC, linear": {"name": "3F", "hsic": {"kernel": "linear", "warmup": 0}},
    "3F+HSIC, RBF": {"name": "3F", "hsic": {"kernel": "rbf", "warmup": 0}},
}
TEACHING: dict[str, str | Mapping[str, Any]] = {
    "exact": "exact",
    "scalar": "scalar",
    "dfa": "dfa",
    "dfa per compartment": {"name": "dfa", "per": "compartment"},
    "local_mismatch": "local_mismatch",
    "shuffled": "shuffled",
    "per_soma, 4 bits": {"name": "degraded", "teaching": "per_soma", "bits": 4},
    "decoder_only": "decoder_only",
}
WARM = 100


def run(quick: bool, progress: Progress) -> Table:
    """Steps of the headline network, all in turns on one thread."""
    problem = Problem(random_samples(2048, 784))
    network = problem.network
    samples = problem.samples
    calls: dict[str, Job] = {}

    def add(label: str, teaching: Any, rule: Any) -> None:
        learner = ds.Learner(network.copy(), teaching, rule, rates=RATES, clip_value=CLIP, threads=1)
        batches = Batches(len(samples.y), problem.batch)

        def step() -> None:
            rows = batches()
            learner.advance(samples.x.take(rows, axis=0), samples.y[rows])

        progress(f"rules: first steps of {label}")
        for _ in range(5 if quick else WARM):
            step()
        calls[label] = Job(step)

    for label, rule in RULES.items():
        add(label, "per_soma", rule)
    for label, teaching in TEACHING.items():
        add(f"3F, {label}", teaching, "3F")
    progress("rules: all, in turns")
    times = interleave(calls, 3 if quick else 11, 0.03, clock=time.process_time)
    table = Table("rules", "One step of the headline network (batch 256, float32, one thread, CPU time) by every rule")
    base = times["3F"].median
    for label, taken in times.items():
        table.add(
            rule=label,
            step_ms=1e3 * taken.median,
            times_3F=taken.median / base,
            more_ms=1e3 * (taken.median - base),
            paper=COMPLEXITY.get(label, ""),
        )
    table.notes += ["teaching per soma (tree) unless another is named; medians, all in turns", load()]
    return table
