r"""
Training a network with local rules
===================================

*Can dendritic neurons learn handwritten digits when every dendrite is told no more than its own soma's error?*

We build a network of twenty branched neurons, train it with a local rule, keep the run in a file, and then do what one
run cannot: compare ways of teaching over seeds, in pairs, with intervals.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import dendrosim as ds

# %%
# Task and network
# ----------------
#
# The digits of scikit-learn: 8 x 8 pixels between 0 and 1, which serve as presynaptic activity as they are.

task = ds.tasks.load("digits")
print(task)

# %%
# Every neuron is a tree: a soma, three branches on it, three on each of those. Each compartment that receives input has
# 10 excitatory and 5 inhibitory synapses, chosen among the 64 pixels. Voltages pass a learned gate on their way to the
# soma, and a linear decoder reads the somas.

network = ds.Network.dendritic(
    n_inputs=task.n_inputs,
    n_outputs=task.n_classes,
    cells=[20],
    branching=[3, 3],
    excitatory=10,
    inhibitory=5,
    seed=0,
)
print(network)

# %%
# Rule and teaching signal
# ------------------------
#
# An update is a product of what the synapse sees and what its compartment is told. The *rule* ``"3F"`` has three
# factors: presynaptic activity, driving force times input resistance, and the credit. The *teaching signal* says what
# the credit is. With ``"per_soma"`` every compartment of a cell receives the error of its own soma: one number per
# cell and sample, broadcast into the whole tree. Nothing is carried back along the branches.
#
# ``rates=1e-2`` sets all learning rates; the defaults are those of published runs, and slow.

options = {
    "rule": "3F",
    "epochs": 12,
    "batch_size": 64,
    "rates": 1e-2,
    "progress": False,
}
run = ds.train(network, task, teaching="per_soma", seed=0, **options)
print(run)
print(f"test accuracy {run.test_accuracy:.3f}, after epoch {run.best_epoch}")

# %%
# The network that you handed in is as it was. The trained one is ``run.network``. The test set was used once, at the
# end, with the weights of the best epoch on the validation samples.
#
# Controls
# --------
#
# A number like this says little alone. What would a readout of *random* dendrites reach, and what if every branch knew
# its exact error? ``"decoder_only"`` freezes the dendrites, ``"exact"`` carries the error along every path, which is
# backpropagation. ``"scalar"`` tells all cells the same number, the mean of their errors.

teachings = ("decoder_only", "scalar", "per_soma", "exact")
seeds = range(5)


def trained(teaching, seed):
    """One run; the seed is that of the initial weights and of the training alike."""
    fresh = ds.Network.dendritic(
        task.n_inputs, task.n_classes, [20], [3, 3], 10, 5, seed=seed
    )
    return ds.train(fresh, task, teaching=teaching, seed=seed, **options)


runs = {
    teaching: [trained(teaching, seed) for seed in seeds] for teaching in teachings
}
again = runs["per_soma"][0].test_accuracy == run.test_accuracy
print("the same seed a second time has the same accuracy:", again)

# %%
with ds.plotting.style():
    figure, ax = plt.subplots(figsize=(3.35, 2.6), layout="constrained")
    ds.plotting.plot_learning_curve(runs, ax=ax)

# %%
# Lines are means over seeds, bands reach from the lowest seed to the highest. The local rule learns nearly as fast as
# backpropagation. The scalar is *worse than nothing* at these rates: frozen dendrites do better. It moves the synapses
# of all cells on a number that may be right for none of them, while the decoder tries to follow.
#
# Intervals and pairs
# -------------------
#
# Means with 95 % t intervals over the five seeds:

accuracy = {
    name: np.array([r.test_accuracy for r in same]) for name, same in runs.items()
}
for name, values in accuracy.items():
    print(f"{name:13s}", ds.diagnostics.mean_interval(values))

# %%
# Runs with the same seed share initial weights, split and order of samples. What they share drops out if we subtract
# seed by seed. So ask for paired differences, not for whether two intervals overlap. Beside each stands ``d_z``, the
# mean of the differences over their standard deviation, and the p values of two tests of no difference.

differences = {
    "per soma - decoder only": ds.diagnostics.compare_pairs(
        accuracy["per_soma"], accuracy["decoder_only"]
    ),
    "exact - per soma": ds.diagnostics.compare_pairs(
        accuracy["exact"], accuracy["per_soma"]
    ),
    "scalar - decoder only": ds.diagnostics.compare_pairs(
        accuracy["scalar"], accuracy["decoder_only"]
    ),
}
for name, difference in differences.items():
    print(name)
    print(difference)

# %%
with ds.plotting.style():
    figure, ax = plt.subplots(figsize=(5.0, 1.9), layout="constrained")
    ds.plotting.plot_paired_difference(differences, ax=ax)

# %%
# Telling each tree its soma's error is worth far more than the readout alone. What is left to backpropagation is small
# beside that. Five seeds are few: permutation tests of five pairs cannot give less than 1/16, whatever is compared.
# :doc:`/guide/statistics` says how many seeds what takes.
#
# Keeping a run
# -------------
#
# A run is one HDF5 file: history, configuration, and the trained network. It loads as it was.

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "run.h5"
    run.save(path)
    loaded = ds.Run.load(path)
    size = path.stat().st_size

same = np.array_equal(
    loaded.network.predict(task.x_test), run.network.predict(task.x_test)
)
print(f"{size / 1024:.0f} KiB, the same predictions: {same}")
print("trained with:", loaded.config["teaching"], loaded.config["rule"])

# %%
# Next
# ----
#
# - *Exercise.* Slow the dendrites down and leave the decoder fast, ``rates={"synapses": 1e-4, "couplings": 1e-4,
#   "gates": 1e-4, "decoder": 1e-2}``. Does the scalar stop doing harm? Does it begin to help?
# - *Exercise.* How much of the gap to ``"exact"`` do deeper trees open? Try ``branching=[2, 2, 2, 2]``.
# - *Exercise.* Add inhibition: ``inhibitory=20``. Does the local rule gain more from it than backpropagation?
# - *Why* a broadcast of the soma's error is nearly enough can be measured before any accuracy: the next tutorial.
# - The same from a file, with many arms: :doc:`/guide/experiments`. Everything about ``ds.train``:
#   :doc:`/guide/training`.
