r"""
A sweep, from this machine to a cluster
=======================================

*Does inhibition help a local rule as much as it helps backpropagation? Eighteen runs would tell; how does one run
eighteen, or eighteen thousand, without losing or repeating any?*

A sweep file says what to run. Where it runs is another matter: in this process, in all processors of this machine, or
on the nodes of a cluster. Results are kept in one folder, under names that say exactly what was computed. The part on
clusters needs ``pip install "dendrosim[cluster]"``.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from distributed import LocalCluster

import dendrosim as ds

# %%
# The file
# --------
#
# Two arms, the ways of teaching, times three amounts of inhibition, times three seeds. Under ``[cross]`` stands what is
# varied, by the dotted key of any setting. Such a file is all that has to be kept with a paper.

folder = Path(tempfile.mkdtemp())
(folder / "inhibition.toml").write_text("""\
description = "Inhibition by teaching signal, on the digits."
seeds = [0, 1, 2]

[task]
name = "digits"

[network]
cells = [20]
branching = [3]
excitatory = 10

[training]
epochs = 5
batch_size = 64
rates = 1e-2

[[arms]]
name = "per soma"
teaching = { name = "per_soma" }

[[arms]]
name = "exact"
teaching = { name = "exact" }

[cross]
network.inhibitory = [0, 5, 15]
""")

sweep = ds.runs.Sweep.load(folder / "inhibition.toml")
print(len(sweep), "runs; the first three:")
for point in sweep.points[:3]:
    print(point.arm.name, "| seed", point.seed, "| identity", point.identity[:8])

# %%
# The *identity* is a digest of the settings with nothing left to a default, the seed, the data, and the code that
# computes. Two settings that mean the same have the same identity; another version of the code has another. A run whose
# identity is in the store is never done again.
#
# On this machine
# ---------------
#
# Sweeps run from the command line. We begin with one seed and one process; ``--workers 8`` takes eight.


def dendrosim(*words):
    """Run the command in the folder of the sweep, and return the last line that it prints."""
    command = [sys.executable, "-m", "dendrosim", *words]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip().splitlines()[-1]


print(
    dendrosim(
        "sweep",
        "inhibition.toml",
        "--seeds",
        "0",
        "--workers",
        "1",
        "--out",
        "store",
    )
)

# %%
# On a Dask cluster
# -----------------
#
# ``--scheduler`` gives the runs to the workers of a Dask cluster instead. Here is the smallest there is, a scheduler
# and a worker in this process. To the command it is an address like any other. ``--resume`` says that the store may
# have runs already.

options = {
    "processes": False,
    "protocol": "tcp",
    "host": "127.0.0.1",
    "dashboard_address": None,
}
with LocalCluster(n_workers=1, threads_per_worker=1, **options) as cluster:
    address = cluster.scheduler_address
    print(
        dendrosim(
            "sweep",
            "inhibition.toml",
            "--scheduler",
            address,
            "--out",
            "store",
            "--resume",
        )
    )

# %%
# Six runs were there and were kept. The others were trained by the worker. Had the machine gone down half-way, the same
# command would have gone on: files appear under their names only when they are whole, and a run that was under way goes
# on from its last checkpoint.
#
# On a SLURM cluster
# ------------------
#
# Only the cluster is another. ``dask-jobqueue`` submits jobs whose processes become workers:
#
# .. code-block:: python
#
#    from dask_jobqueue import SLURMCluster
#
#    with SLURMCluster(
#        cores=16, processes=16, memory="64GB", walltime="04:00:00", queue="compute",
#        job_script_prologue=[
#            "source $HOME/venv/bin/activate",
#            "export NUMBA_CACHE_DIR=$HOME/.cache/dendrosim",
#        ],
#        worker_extra_args=["--lifetime", "230m", "--lifetime-stagger", "5m"],
#    ) as cluster:
#        cluster.scale(jobs=10)
#        dendrosim("sweep", "inhibition.toml", "--scheduler", cluster.scheduler_address, "--out", "store", "--resume")
#
# A hundred and sixty workers, each with one thread. Jobs may end and others begin while the sweep runs. The folder of
# the store has to be one that all nodes see. ``cluster.job_script()`` shows what would be submitted; PBS, SGE and the
# like have classes of their own (:doc:`/guide/clusters`).
#
# Is all of it there, and whole? ``--check`` reads every run of the store:

print(dendrosim("sweep", "inhibition.toml", "--out", "store", "--check"))

# %%
# What came out
# -------------
#
# The store is a table with a column for each key that was swept.

runs = ds.runs.load(folder / "store")
for row in runs.table[["arm", "seed", "network.inhibitory", "test_accuracy"]][:4]:
    print(*row)

# %%
# Runs with the same seed are pairs. What do 15 inhibitory synapses per branch add to none, under each way of teaching?
# And, what was asked, is one gain larger than the other?

accuracy = {
    (teaching, dose): np.array(
        [run.test_accuracy for run in runs.where(arm=f"{teaching}, {dose}")]
    )
    for teaching in ("per soma", "exact")
    for dose in (0, 15)
}
gain = {
    teaching: accuracy[teaching, 15] - accuracy[teaching, 0]
    for teaching in ("per soma", "exact")
}
differences = {
    "gain, per soma": ds.diagnostics.compare_pairs(
        accuracy["per soma", 15], accuracy["per soma", 0]
    ),
    "gain, exact": ds.diagnostics.compare_pairs(
        accuracy["exact", 15], accuracy["exact", 0]
    ),
    "exact - per soma": ds.diagnostics.compare_pairs(
        gain["exact"], gain["per soma"]
    ),
}
for name, difference in differences.items():
    print(f"{name:17s}", difference.difference)

# %%
with ds.plotting.style():
    figure, panels = plt.subplots(1, 2, figsize=(6.85, 2.4), layout="constrained")
    ds.plotting.plot_marginal(
        ds.runs.marginal(runs, "network.inhibitory"), ax=panels[0]
    )
    ds.plotting.plot_paired_difference(differences, ax=panels[1])

shutil.rmtree(folder)  # yours you would keep

# %%
# Inhibition helps both, by about five points of accuracy. Whether it helps one of them more cannot be said: the
# interval of the difference of the gains lies around zero, and is more than twice as wide as a gain is large. That is
# what three seeds are good for, and why the sweep file says ``seeds`` in one line: with twenty of them, the same
# command would train what is missing.
#
# Next
# ----
#
# - *Exercise.* Add ``[draw]`` with ``n = 8`` and ``training.rates.synapses = { log_uniform = [2e-3, 5e-2] }``. The
#   store keeps what it has. How many new runs are there, and does the answer depend on the rate?
# - *Exercise.* ``dendrosim figures store`` draws everything at once. Which of its figures would you show?
# - Sweep files: :doc:`/guide/sweeps`. Stores: :doc:`/guide/store`. How many seeds it takes: :doc:`/guide/statistics`.
