"""What a user waits for before the first result: imports, first calls with a cold and a warm cache of compiled code."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from statistics import median

from timing import Progress, Table, load

_FIRST = """
import time
begin = time.perf_counter()
import numpy as np, dendrosim as ds
morphology = ds.Morphology.load("pyramidal_l5")
compartments = morphology.compartments(ds.Passive(), max_length=20.0)
synapses = ds.Synapses.scatter(compartments, 200, 50, seed=0)
x = np.ones((64, synapses.n_inputs))
ready = time.perf_counter()
def work():
    return ds.exact_gradient(ds.steady_state(compartments, synapses, x), np.ones((64, 1)))
work()
first = time.perf_counter()
work()
print(ready - begin, first - ready, time.perf_counter() - first)
"""


def _seconds(*arguments: str, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
    return median(times)


def run(quick: bool, progress: Progress) -> Table:
    """Wall-clock seconds of fresh processes."""
    repeats = 3 if quick else 9
    table = Table("startup", "Start-up, wall-clock time of fresh processes")
    progress("startup: imports")
    bare = _seconds("-c", "pass", repeats=repeats)
    table.add(what="python -c pass", s=bare)
    for label, arguments in (
        ("import dendrosim", ("-c", "import dendrosim")),
        ("dendrosim --version", ("-m", "dendrosim", "--version")),
        ("import numpy", ("-c", "import numpy")),
        ("import numba", ("-c", "import numba")),
    ):
        table.add(what=f"{label}, beyond that", s=_seconds(*arguments, repeats=repeats) - bare)
    with tempfile.TemporaryDirectory() as cache:
        for state in ("cold", "warm"):
            progress(f"startup: first call, {state} cache")
            output = subprocess.run(
                [sys.executable, "-c", _FIRST],
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, "NUMBA_CACHE_DIR": cache},
            ).stdout
            load_cell, first, second = map(float, output.split())
            table.add(what=f"load, cut and wire a shipped cell, {state} cache of compiled code", s=load_cell)
            table.add(what=f"first V + gradients of 64 stimuli, {state} cache", s=first)
    table.add(what="every later call", s=second)
    table.notes.append(f"medians of {repeats} processes; first calls once each; {load()}")
    return table
