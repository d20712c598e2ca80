"""
Learning, told more or less
===========================

The same network of dendritic neurons learns handwritten digits under four teaching signals, three seeds each: means,
and bands from the lowest seed to the highest. One error per soma is nearly as good as the exact gradient here. One
number for all somas is worse than leaving the dendrites as they are: the frozen core shows what the readout does alone.
"""

import matplotlib.pyplot as plt

import dendrosim as ds

task = ds.tasks.load("digits")
network = {"cells": [16], "branching": [3], "excitatory": 16, "inhibitory": 8}

runs = {
    name: [
        ds.train(
            ds.Network.dendritic(task.n_inputs, task.n_classes, **network, seed=seed), task, teaching=teaching,
            rule="3F", epochs=8, batch_size=32, rates=1e-2, seed=seed, progress=False,
        )
        for seed in range(3)
    ]
    for name, teaching in {
        "exact": "exact", "per soma": "per_soma", "scalar": "scalar", "frozen core": "decoder_only",
    }.items()
}  # fmt: skip

with ds.plotting.style():
    figure, axes = plt.subplots(figsize=(5.4, 2.9), layout="constrained")
    ds.plotting.plot_learning_curve(runs, ax=axes, legend=False)
    figure.legend(loc="outside right upper")
