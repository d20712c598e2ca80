r"""
Auditing your own PyTorch model
===============================

*Your network learns without backpropagation, at 49 % where chance is 10 %. Do its hidden layers do anything?*

The evaluation protocol of dendrosim is not about dendrites. It takes any residual model in PyTorch, unchanged, through
hooks, and asks what accuracy cannot tell: whether activity grows out of bounds, whether there is still a gradient to
compare with, and whether trained depth beats depth that was never trained.

.. only:: not torch

   .. note::

      PyTorch was not installed where this page was built, and the code below was not executed here. The output and the
      figure that are shown were made by the same script. It needs ``pip install "dendrosim[torch]"``.
"""

# sphinx_gallery_thumbnail_path = 'figures/tutorial_audit.png'
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional

import dendrosim as ds
from dendrosim.diagnostics import TorchSubject, audit

torch.set_num_threads(1)

# %%
# A model
# -------
#
# Nothing here knows of dendrosim: a residual network of three blocks, as you would write it. Each block adds to the
# stream :math:`h`, and a normalisation and a linear head read it.


class Block(nn.Module):
    """Layer normalisation, two linear layers, and the sum with what came in."""

    def __init__(self, width):
        super().__init__()
        self.norm, self.up, self.down = (
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.Linear(2 * width, width),
        )

    def forward(self, h):
        return h + self.down(functional.gelu(self.up(self.norm(h))))


class Model(nn.Module):
    """Three blocks between an embedding and a head."""

    def __init__(self, n_inputs, n_classes, width=64, depth=3):
        super().__init__()
        self.embed = nn.Linear(n_inputs, width)
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, n_classes)

    def forward(self, x):
        h = self.embed(x)
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


# %%
# The task shows two digits at once, and a cue which of the two to name. Without hidden layers about one half is
# possible.

task = ds.tasks.load("context_gating", n_train=2000, n_validation=0, n_test=1000)
center, scale = ds.tasks.standardisation(task)
x_train, x_test = (
    ((x - center) / scale).astype(np.float32) for x in (task.x_train, task.x_test)
)
x, y = torch.tensor(x_train), torch.tensor(task.y_train.copy())
print(task)

# %%
# Three ways to train it
# ----------------------
#
# Backpropagation; *frozen* blocks, in which the embedding and the head learn by true gradients around blocks that stay
# as drawn; and direct feedback alignment, in which block :math:`l` learns from the output error through a fixed random
# matrix :math:`B_l`, and no gradient passes between blocks.

generator = torch.Generator().manual_seed(1)
feedback = [
    torch.randn(task.n_classes, 64, generator=generator) / 8 for _ in range(3)
]


def losses(model, how, x, y):
    """What is differentiated in one step."""
    if how != "dfa":
        return functional.cross_entropy(model(x), y)
    stream = [model.embed(x)]
    for block in model.blocks:
        stream.append(block(stream[-1].detach()))
    logits = model.head(model.norm(stream[-1].detach()))
    error = (logits.softmax(dim=1) - functional.one_hot(y, task.n_classes)).detach()
    told = [
        feedback[0],
        *feedback,
    ]  # the embedding is told what the first block is told
    local = sum(
        ((error @ B) * h).sum(dim=1).mean()
        for B, h in zip(told, stream, strict=True)
    )
    return functional.cross_entropy(logits, y) + local


def trained(how, epochs=8):
    """A model after some epochs of Adam, from the same initial weights."""
    torch.manual_seed(0)
    model = Model(task.n_inputs, task.n_classes)
    model.blocks.requires_grad_(how != "frozen")
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    order = torch.Generator().manual_seed(2)
    for _ in range(epochs):
        for batch in torch.randperm(len(x), generator=order).split(128):
            optimiser.zero_grad()
            losses(model, how, x[batch], y[batch]).backward()
            optimiser.step()
    return model


models = {how: trained(how) for how in ("frozen", "backpropagation", "dfa")}
with torch.no_grad():
    right = {
        how: models[how](torch.tensor(x_test)).argmax(dim=1).numpy() == task.y_test
        for how in models
    }
accuracy = {how: float(found.mean()) for how, found in right.items()}
for how, value in accuracy.items():
    print(f"{how:16s} {value:.3f}")

# %%
# .. only:: not torch
#
#    .. code-block:: text
#
#       frozen           0.798
#       backpropagation  0.910
#       dfa              0.493
#
# Direct feedback alignment is well above chance. Seen alone, that would be reported as learning. But the same network
# with blocks that *never learned* does better.
#
# The audit
# ---------
#
# Tell the auditor where the stream enters the blocks and what follows them, and what each block was told in training. A
# credit rule is a function of a lesson (activity, output error, gradient at the last layer) that returns one tensor per
# block. Without one, the credit is backpropagation's.

entries = {how: [*model.blocks, model.norm] for how, model in models.items()}
subjects = {
    "backpropagation": TorchSubject(
        models["backpropagation"],
        entries["backpropagation"],
        name="backpropagation",
    ),
    "dfa": TorchSubject(
        models["dfa"],
        entries["dfa"],
        credit=lambda lesson: [lesson.error @ B for B in feedback],
        name="dfa",
    ),
}
baseline = {"frozen": accuracy["frozen"], "exact": accuracy["backpropagation"]}
reports = {
    how: audit(subject, x_test, task.y_test, **baseline)
    for how, subject in subjects.items()
}
print(reports["dfa"])

# %%
# .. only:: not torch
#
#    .. code-block:: text
#
#       dfa: fail (D3)
#       accuracy 0.4930 (frozen 0.7980, -0.3050), loss 1.3180; layers on N = 1000
#
#                                      paper   corrected
#       D1 growth rho                  4.976       4.976
#       D2 |g_L|                   3.646e-05     0.03646
#       aggregate cosine              0.2718      0.2652
#       deep cosine                  0.08794      0.1069
#       share of one layer            0.7843      0.7312
#       verdict                    fail (D3)   fail (D3)
#
#       layer         |h|    |g| mean  |g| sample         |a|   cos paper   cos input  cos output
#           0       20.08   0.0002771      0.2771      0.7424      0.6394      0.6394      0.5817
#           1       99.89   4.721e-05     0.04721      0.7785     0.08513     0.08513      0.1154
#           2       134.6   4.105e-05     0.04105      0.7231     0.09075     0.09075     0.09841
#           3       153.2   3.646e-05     0.03646         nan         nan         nan         nan
#
# Read it from the top. *D3*, depth utility: the accuracy lies below the frozen baseline, so that trained blocks do
# harm. *D1*, growth: the first block makes the stream five times longer, far from the threshold of 50. *D2*: the
# gradient at the last layer still has a length that can be compared with. So this is no collapse, which leaves no
# honest cosine to report, but the plainer failure: depth of no use.
#
# Look at the aggregate cosine too. It is positive, which is often called alignment. Layer by layer it comes from the
# first block; what the deeper blocks are told has little to do with their gradient.

with ds.plotting.style():
    figure, panels = plt.subplots(1, 2, figsize=(6.85, 2.4), layout="constrained")
    for (how, report), color in zip(
        reports.items(), ("#0072B2", "#D55E00"), strict=True
    ):
        table = report.table
        panels[0].plot(
            table["activity"], "o-", markersize=3, color=color, label=how
        )
        panels[1].plot(
            table["cosine_output"][:-1], "o-", markersize=3, color=color, label=how
        )
    panels[0].set(
        xlabel="layer",
        ylabel="length of the stream |h|",
        yscale="log",
        xticks=range(4),
    )
    panels[1].set(
        xlabel="block",
        ylabel="cosine of the credit",
        xticks=range(3),
        ylim=(-0.05, 1.05),
    )
    panels[0].legend()

# %%
# .. only:: not torch
#
#    .. image:: /figures/tutorial_audit.png
#       :alt: Length of the stream by layer, and cosine of the credit by block, for backpropagation and for dfa
#
# Does it *work* as a direction?
# ------------------------------
#
# A cosine is a means. The end is that a small step against the credit lowers the loss. ``nudging`` takes steps of one
# length, block by block. Beside it stands what the same steps along the exact gradient buy in the same model.

nudges = ds.diagnostics.nudging(subjects["dfa"], x_test[:200], task.y_test[:200])
best = ds.diagnostics.nudging(
    TorchSubject(models["dfa"], entries["dfa"]), x_test[:200], task.y_test[:200]
)
for block in range(3):
    told, exact = nudges.output[block], best.output[block]
    print(
        f"block {block}: loss {told:+.6f} by the credit, {exact:+.6f} by the gradient: {told / exact:.0%} of it"
    )

# %%
# .. only:: not torch
#
#    .. code-block:: text
#
#       block 0: loss -0.000287 by the credit, -0.000465 by the gradient: 62% of it
#       block 1: loss -0.000052 by the credit, -0.000404 by the gradient: 13% of it
#       block 2: loss -0.000040 by the credit, -0.000358 by the gradient: 11% of it
#
# The credits are no nonsense: each lowers the loss. But they find a small part of what there is to find, less with
# every block.
#
# The verdict in one line, for a script that trains many models:

for how, report in reports.items():
    print(
        f"{how:16s} {report.verdict}, gap to frozen {report.gap:+.3f}, informative: {report.informative}"
    )

# %%
# .. only:: not torch
#
#    .. code-block:: text
#
#       backpropagation  pass, gap to frozen +0.112, informative: True
#       dfa              fail (D3), gap to frozen -0.305, informative: True
#
# ``informative`` says that backpropagation passes D3 on this task: depth *can* be used here, so that failing to is a
# fact about the method.
#
# Next
# ----
#
# - *Exercise.* Add :math:`10^{-2} \lVert f_l \rVert^2`, the squared length of what each block adds, to the local
#   losses. What happens to growth, and what to accuracy?
# - *Exercise.* Give ``audit`` no ``frozen``. Which of the strategies S0 to S3 in ``report.strategies`` would still
#   notice?
# - The protocol, both columns, thresholds, and what the command line makes of stored runs: :doc:`/guide/evaluation`.
#   What came out for the networks of the paper: :doc:`/experiments_evaluation`.
