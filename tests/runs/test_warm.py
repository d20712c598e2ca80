"""Kernels are compiled once: after the warm-up no worker compiles anything."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os, sys, tempfile
from pathlib import Path
from dendrosim.runs.conduct import conduct
from dendrosim.runs.executors import processes
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.perform import Order, perform
from dendrosim.runs.store import Store
from dendrosim.runs.sweep import Sweep
from dendrosim.runs.warm import kinds, warm

SMALL = {
    "seeds": [0, 1],
    "task": {"name": "digits", "subset": {"n_train": 60, "n_test": 30}},
    "network": {"cells": [3], "branching": [2], "excitatory": 4, "inhibitory": 2},
    "teaching": {"name": "per_soma"},
    "fidelity": {"samples": 500},
    "training": {"epochs": 2, "batch_size": 16},
    "cross": {"training": {"rates": [1e-3, 1e-2]}},
}

def compiled(function, *given):
    from numba.core import event

    class Listener(event.Listener):
        names = []
        def on_start(self, started):
            self.names.append(str(started.data["dispatcher"]))
        def on_end(self, ended):
            pass

    listener = Listener()
    event.register("numba:compile", listener)
    result = function(*given)
    event.unregister("numba:compile", listener)
    return getattr(result, "status", ""), listener.names

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sweep = Sweep.of(Experiment.from_table("small", SMALL))
    orders = [Order("small", point.job, folder / f"{point.identity}.h5", point.identity, 1) for point in sweep]
    with processes(1) as pool:
        (first,) = pool.once_per_machine(compiled, warm, kinds(orders))
    with processes(2) as pool:
        others = [pool.submit(compiled, perform, order) for order in orders]
        found = [other.result() for other in others]
    print(len(kinds(orders)), len(first[1]) > 0, {status for status, _ in found}, sum(len(n) for _, n in found))
"""


def test_after_the_warm_up_workers_compile_nothing(tmp_path, monkeypatch):
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path)], capture_output=True, text=True, timeout=900
    )
    assert (done.stdout, done.returncode) == ("1 True {'finished'} 0\n", 0), done.stderr
