r"""
Teaching signals
================

*What does a synapse have to be told, what does telling it cost, and what is it worth?*

A local rule says what a synapse does with a credit. Where the credit comes from is another question, and the literature
has a dozen answers. Here the same network learns the same task with the same rule under eleven teaching signals, and
a twelfth of our own.
"""

import matplotlib.pyplot as plt
import numpy as np

import dendrosim as ds

task = ds.tasks.load("digits")
shape = {"cells": [20], "branching": [3, 3], "excitatory": 10, "inhibitory": 5}

# %%
# What each needs
# ---------------
#
# ================== =============================================== ==========================================
# name               what a compartment is told                      what has to be known
# ================== =============================================== ==========================================
# decoder_only       nothing: dendrites stay as drawn                nothing
# scalar             one number for all cells                        the mean error of the somas
# per_soma           the error of its own soma                       the decoder's weights
# fa                 errors carried back through random weights      one fixed random weight per connection
# dfa                a random mixture of the output errors           one fixed random matrix
# ebd                the errors, as they correlate with the unit     own activity; squared loss
# kp                 the errors, through a matrix that learns        what the decoder's synapses see
# vnc                the errors, through what own noise did to them  own noise; a second pass
# mirror             the same for somas; gains learned down the tree own noise; the parent's voltage
# node_perturbation  own noise times the change of the loss          own noise, one number
# exact              the derivative, along every path                everything: weight transport
# ================== =============================================== ==========================================
#
# Signals differ in how much has to reach a cell. Each of them can say so, in bits per sample.

names = (
    "decoder_only",
    "scalar",
    "node_perturbation",
    "ebd",
    "kp",
    "dfa",
    "vnc",
    "per_soma",
    "fa",
    "mirror",
    "exact",
)
example = ds.Network.dendritic(task.n_inputs, task.n_classes, **shape)
bits = {name: ds.teaching.teaching(name).bits_per_sample(example) for name in names}
for name in names:
    print(f"{name:18s} {bits[name]:7.0f} bits per sample")

# %%
# Training
# --------
#
# Three seeds each. ``ebd`` is defined for the squared loss; all others use the cross-entropy.


def trained(name, seed):
    """The same network, order of samples and rates, another teaching signal."""
    network = ds.Network.dendritic(
        task.n_inputs, task.n_classes, **shape, seed=seed
    )
    loss = {"loss": "mse"} if name == "ebd" else {}
    return ds.train(
        network,
        task,
        teaching=name,
        rule="3F",
        epochs=6,
        batch_size=64,
        rates=1e-2,
        seed=seed,
        progress=False,
        **loss,
    )


runs = {name: [trained(name, seed) for seed in range(3)] for name in names}
accuracy = {
    name: np.array([run.test_accuracy for run in same])
    for name, same in runs.items()
}
passes = {name: int(same[0].history["passes"][-1]) for name, same in runs.items()}
for name in names:
    print(f"{name:18s} {accuracy[name].mean():.3f}   {passes[name]} forward passes")

# %%
with ds.plotting.style():
    figure, ax = plt.subplots(figsize=(5.0, 3.2), layout="constrained")
    intervals = {
        name: ds.diagnostics.mean_interval(values)
        for name, values in accuracy.items()
    }
    ds.plotting.plot_gap(intervals, chance=0.1, ax=ax)

# %%
# Bars are 95 % intervals, of three seeds and so wide. Two groups. Signals that send one number per sample do not beat a
# readout of random dendrites: ``scalar`` is far below it, ``node_perturbation`` about there. Those that tell different
# cells different things do, whether that is the soma's own error, a fixed random mixture, a matrix that learns, or what
# noise found out. Fixed random feedback (``dfa``) comes within a tenth of the accuracy of the exact error, with a
# twenty-sixth of its bits.
#
# ``ebd`` is the exception. It asks for less *correlation* between error and activity, which is not the same as less
# error, and lies below the readout here. :doc:`/guide/teaching_signals` says what its sign has to do with that.
#
# How close is the credit?
# ------------------------
#
# Signals that estimate the credit keep a record, against the exact one, while they train. It costs them nothing that
# they use.

with ds.plotting.style():
    figure, ax = plt.subplots(figsize=(5.0, 2.8), layout="constrained")
    for name, color in (
        ("mirror", "#0072B2"), ("vnc", "#D55E00"), ("per_soma", "#009E73"), ("kp", "#CC79A7"), ("dfa", "#E69F00"),
        ("scalar", "#000000"),
    ):  # fmt: skip
        history = ds.diagnostics.CreditHistory(runs[name][0].records["credit"])
        ax.plot(
            history.epochs,
            history.series("all", "cosine"),
            "o-",
            color=color,
            markersize=3,
            label=name,
        )
    ax.axhline(0.0, color="#B8B8B8", linewidth=0.6)
    ax.set(
        xlabel="epoch",
        ylabel="cosine of the credit\nto the exact one",
        ylim=(-0.2, 1.05),
    )
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))

# %%
# ``dfa`` and ``kp`` begin at chance, or below it, and rise: the network aligns itself with the feedback. ``mirror`` and
# ``vnc`` have no cosine at epoch 0: before the first noise they know nothing, and tell zeros. ``per_soma`` begins high,
# since every path has a positive gain, and falls as training makes paths differ. ``mirror`` finds out from noise what
# its path is, edge by edge, and stays close to 1: a local way to nearly the whole gradient, for the price of a second
# forward pass.
#
# Accuracy does not follow the cosine closely. A cosine of a third, kept up, is enough for this task.
#
# A signal of your own
# --------------------
#
# is a class with two methods. What if a cell could be told only whether to go up or down?


class SignOfSoma(ds.teaching.Teaching):
    """Every compartment is told the sign of its soma's error."""

    name = "sign_of_soma"

    def credit(self, lesson):
        """Broadcast the sign into the tree; a mean over samples needs 1 / n."""
        told = lesson.of_somas(
            np.sign(lesson.soma_error) / lesson.activity.n_samples
        )
        lesson.broadcast(told, told)

    def bits_per_sample(self, network):
        """One bit per cell."""
        return float(network.layout.n_cells)


signs = [trained(SignOfSoma(), seed) for seed in range(3)]
mean = np.mean([run.test_accuracy for run in signs])
print(
    f"sign_of_soma       {mean:.3f} with {SignOfSoma().bits_per_sample(example):.0f} bits per sample"
)

# %%
# Twenty bits are enough to get most of the way.
#
# Next
# ----
#
# - *Exercise.* Send ``per_soma`` through a poorer channel: ``ds.teaching.Degraded("per_soma", bits=2)``, ``keep=0.2``,
#   ``noise=1.0``. What hurts first?
# - *Exercise.* Give ``sbd`` the option ``sign=-1``, ``{"name": "sbd", "sign": -1}``, and compare with ``kp``.
# - All signals with their sources and costs: :doc:`/guide/learning` and :doc:`/guide/teaching_signals`; which to
#   choose for a question of your own: :doc:`/guide/choosing`. Experiments with more seeds:
#   :doc:`/experiments_teaching`.
