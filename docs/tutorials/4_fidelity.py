r"""
Fidelity: how close a local rule comes to the gradient
======================================================

*Where, in a dendritic tree, does a local rule lose the gradient, and what would bring it back?*

Accuracy says whether a rule works. It does not say why, and it comes late. Fidelity asks sooner: take the update that a
rule proposes and the exact gradient, on the same weights and the same samples, and compare the two vectors.
"""

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

import dendrosim as ds

# %%
# Two numbers
# -----------
#
# A vector has a direction and a length. The *cosine* is that of the angle between local update and gradient: 1 is the
# same direction, 0 is none of it. The *scale mismatch* is the magnitude of the decimal logarithm of the ratio of their
# lengths: 0 is the same length, 1 a factor of ten. A learning rate can mend the scale of a whole vector, but not that
# of its parts.

task = ds.tasks.load("digits")
x, y = task.x_train[:256], task.y_train[:256]


def network(integration="shunting"):
    """Twenty cells, two levels of three branches, calibrated on samples as training does it."""
    made = ds.Network.dendritic(
        task.n_inputs,
        task.n_classes,
        [20],
        [3, 3],
        10,
        5,
        integration=integration,
        seed=0,
    )
    made.calibrate(task.x_train[:512])
    return made


fresh = network()
report = ds.fidelity(fresh, x, y, teaching="per_soma", rule="3F")
for group in ("excitatory", "inhibitory", "couplings", "gates", "decoder"):
    row = report[group]
    print(
        f"{group:11s} cosine {row['cosine']:.3f}   scale mismatch {row['scale_mismatch']:.3f}"
    )

# %%
# Every compartment is told its own soma's error and nothing else, and still its synapses move within about 30 degrees
# of the gradient. The decoder's local update *is* its gradient, as always with a linear decoder.
#
# By stage
# --------
#
# Stage 0 are the somas, stage 1 the branches on them, stage 2 the outer branches. Shunting and additive cells side by
# side:

reports = {
    name: ds.fidelity(network(name), x, y, teaching="per_soma", rule="3F")
    for name in ("shunting", "additive")
}
for name, each in reports.items():
    stages = [each[f"layer1/stage {stage}"]["cosine"] for stage in range(3)]
    print(f"{name:9s} cosine by stage, from the soma:", np.round(stages, 3))

# %%
with ds.plotting.style():
    figure, panels = plt.subplots(1, 2, figsize=(6.85, 2.4), layout="constrained")
    ds.plotting.plot_fidelity_by_stage(reports, ax=panels[0])
    ds.plotting.plot_fidelity_by_stage(
        reports, quantity="scale_mismatch", ax=panels[1], legend=False
    )

# %%
# At the soma nothing is lost: what is broadcast is the soma's own error. Each branching outwards costs direction and,
# above all, scale. Outer branches are told that they matter as much as the soma does. They do not.
#
# The same on the trees of two cells, one value per compartment:

figure = ds.plotting.plot_fidelity_trees(reports, cells=[0, 1], vmin=0.5, vmax=1.0)

# %%
# Somas are black: they have no synapses here. Most outer branches are told nearly the right direction. Single ones are
# not: a rule's cosine is a mean over branches that differ.
#
# The missing factor
# ------------------
#
# What the broadcast lacks is one number per compartment and sample, the gain of the path to the soma. How much
# direction that costs the credit follows from how much it *varies*, its coefficient of variation CV weighted by what
# is broadcast:
#
# .. math:: \cos = 1 / \sqrt{1 + \mathrm{CV}^2} .
#
# A gain that is small everywhere alike would cost nothing but scale.

gains = ds.diagnostics.path_gains(fresh, x, y)
for row in gains.table:
    print(
        f"{row['layer']:15s} CV {row['transport_cv']:.2f}, cosine of the credit {row['cosine']:.3f}"
    )

# %%
# Modulators
# ----------
#
# Rules can carry more factors. ``rho`` (4F) and ``phi`` (5F) are correlations that a synapse might measure, ``depth``
# makes distal updates smaller by a fixed factor per stage, and ``path`` with ``"compartment"`` puts the true gain in.

rules = {
    "3F": "3F",
    "4F": "4F",
    "5F": "5F",
    "3F, depth": "3F+depth",
    "3F, true path gain": {"name": "3F", "path": "compartment"},
}
batches = [
    (task.x_train[k::10], task.y_train[k::10]) for k in range(10)
]  # running averages see some data first
modulated = {
    name: ds.fidelity(fresh, x, y, teaching="per_soma", rule=rule, warmup=batches)
    for name, rule in rules.items()
}
print(
    "rule                 cosine  scale mismatch     (all synapses, couplings and gates as one vector)"
)
for name, each in modulated.items():
    row = each["core vector"]
    print(f"{name:20s} {row['cosine']:6.3f} {row['scale_mismatch']:10.3f}")

# %%
# The fixed factor per stage does most for its price: it knows nothing of the input, only how far out a branch is. 4F
# and 5F change little here. With the true gain the local rule equals the gradient to rounding, which is the theory's
# central statement, and a test that you can run on any network of your own.
#
# Stage by stage the depth factor changes *no* direction. It makes the lengths of the stages right among each other, and
# so turns the whole vector:

print(
    "cosine by stage, 3F:       ",
    [
        round(float(modulated["3F"][f"layer1/stage {k}"]["cosine"]), 3)
        for k in range(3)
    ],
)
print("cosine by stage, 3F, depth:", [
    round(float(modulated["3F, depth"][f"layer1/stage {k}"]["cosine"]), 3) for k in range(3)
])  # fmt: skip

# %%
# Over training
# -------------
#
# All of this was one moment, before anything was learned. A callback measures the same samples every second epoch,
# under three teaching signals.

histories, runs = {}, {}
for teaching in ("per_soma", "dfa", "scalar"):
    record = ds.training.RecordFidelity(every=2)
    runs[teaching] = ds.train(
        network(), task, teaching=teaching, rule="3F", epochs=12, batch_size=64, rates=1e-2, callbacks=[record],
        progress=False,
    )  # fmt: skip
    histories[teaching] = ds.diagnostics.FidelityHistory.from_columns(
        runs[teaching].records["fidelity"]
    )

with ds.plotting.style():
    figure, panels = plt.subplots(1, 2, figsize=(6.85, 2.5), layout="constrained")
    ds.plotting.plot_fidelity_over_training(histories, groups=["all"], ax=panels[0])
    ds.plotting.plot_learning_curve(runs, ax=panels[1])

# %%
# Three stories. The scalar loses what direction it had and does not learn well. ``dfa`` sends the output error through
# a fixed random matrix: it begins at chance, then the weights *align* with that matrix, and it learns. A cosine of 0
# before training therefore says nothing against a method; look at it while it learns.
#
# ``per_soma`` begins near the gradient and moves away from it, and its accuracy rises all the same. A descent needs
# less than a right angle, not a cosine of 1. Why does the cosine fall? Couplings and gates learn too, so the gains of
# the paths do not stay as they were:

after = ds.diagnostics.path_gains(runs["per_soma"].network, x, y)
for name, each in (("before", gains), ("after", after)):
    row = each.table[-1]
    print(
        f"{name:7s} CV of the path gain {row['transport_cv']:.2f}, cosine of the credit {row['cosine']:.3f}"
    )

# %%
# They spread. Training makes branches of different weight out of branches that were alike, and a broadcast that ignores
# the difference loses more.
#
# Next
# ----
#
# - *Exercise.* Train with ``rule="3F+depth"``. Is the better direction at the beginning worth accuracy in the end?
# - *Exercise.* Repeat the first table with ``branching=[9]``. What is left to lose in a tree with one stage of
#   branches?
# - All rows of the table, credits layer by layer, random feedback: :doc:`/guide/fidelity`. What came out in larger
#   studies: :doc:`/experiments`.
