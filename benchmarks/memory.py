"""Memory per stimulus, measured as the growth of the largest resident size of fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from timing import Progress, Table

_CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
import resource, numpy as np, dendrosim as ds
from cells import problem
cell = problem(1_000)
def run(batch):
    x = cell.stimuli(batch)
    state = ds.steady_state(cell.compartments, cell.synapses, x)
    return ds.exact_gradient(state, np.ones((batch, 1)))
unit = 1 if sys.platform == "darwin" else 1024
run(8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
run(int(sys.argv[2]))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(before, after, cell.size, cell.synapses.n_inputs)
"""


def run(quick: bool, progress: Progress) -> Table:
    """Largest resident size after batches of two sizes; their difference is what stimuli cost."""
    table = Table("memory", "Memory of V + all gradients, public API, float64")
    if sys.platform == "win32":
        table.notes.append("not measured: this system does not tell the largest resident size of a process")
        return table
    small, large = (500, 2_000) if quick else (1_000, 8_000)
    results = []
    for batch in (small, large):
        progress(f"memory: batch {batch}")
        arguments = [sys.executable, "-c", _CHILD, str(Path(__file__).resolve().parent), str(batch)]
        output = subprocess.run(arguments, check=True, capture_output=True, text=True, env=os.environ).stdout
        results.append([int(word) for word in output.split()])
    (start, low, n, inputs), (_, high, _, _) = results
    per_stimulus = (high - low) / (large - small)
    least = 8 * (2 * n + 2 * inputs)
    table.add(what="process before the batch, kernels loaded", MB=start / 1e6)
    table.add(what=f"process at {large} stimuli", MB=high / 1e6)
    table.add(what=f"per stimulus, {n} compartments, kB", kB=per_stimulus / 1e3)
    table.add(what="results alone (V, q, x, dL/dx), kB", kB=least / 1e3)
    return table
