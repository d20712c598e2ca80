"""
Teaching signals and the gradient, over training
================================================

The cosine of what compartments are told to what they ought to be told. The soma's own error begins close
and stays ahead. Random feedback begins at nothing, and the network learns to suit it; so it does, less well, when
somas are told the errors of others.
"""

import matplotlib.pyplot as plt

import dendrosim as ds
from dendrosim.training import RecordCredit

task = ds.tasks.load("digits")

histories = {}
for name, teaching in {"per soma": "per_soma", "random feedback": "dfa", "shuffled somas": "shuffled"}.items():
    network = ds.Network.dendritic(task.n_inputs, task.n_classes, [20], [3], 16, 8, seed=0)
    run = ds.train(
        network, task, teaching=teaching, rule="3F", epochs=12, batch_size=32, rates=1e-2, seed=0, progress=False,
        callbacks=[RecordCredit()],
    )  # fmt: skip
    histories[name] = ds.diagnostics.CreditHistory(run.records["credit"])

with ds.plotting.style():
    figure, axes = plt.subplots(figsize=(5.0, 2.6), layout="constrained")
    ds.plotting.plot_credit_over_training(histories, ax=axes, legend=False)
    figure.legend(loc="outside right upper")
