"""
Weights before and after learning
=================================

Conductances of excitatory synapses, with a log-normal fit. Learning widens the
distribution and gives it a tail of few strong synapses, heavier than that of the fit.
"""

import matplotlib.pyplot as plt

import dendrosim as ds

task = ds.tasks.load("digits")
network = ds.Network.dendritic(task.n_inputs, task.n_classes, [24], [3, 3], 16, 8, seed=0)
run = ds.train(
    network, task, teaching="per_soma", rule="3F", epochs=10, batch_size=64, rates=2e-2, seed=0, progress=False
)

with ds.plotting.style():
    figure, panels = plt.subplots(1, 2, figsize=(6.6, 2.5), sharex=True, layout="constrained")
    for panel, name, one in zip(panels, ("before", "after"), (network, run.network), strict=True):
        fit = ds.diagnostics.weight_distributions(one)["excitatory"]
        ds.plotting.plot_weight_distribution(one.conductance[one.sign > 0], fit, ax=panel)
        panel.set_title(name)
    panels[0].set_xlim(0.6, 2.5)
