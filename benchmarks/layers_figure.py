"""Curves of the time per training step."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from timing import Table

STYLES = {  # Okabe and Ito's colours, and markers of their own
    "dendrosim, 3F": ("#0072B2", "o"),
    "embedding_bag": ("#E69F00", "s"),
    "dense masks, backprop": ("#D55E00", "^"),
}
LABELS = {"embedding_bag": "PyTorch, embedding_bag", "dense masks, backprop": "PyTorch, dense masks"}
AXES = {
    "neurons": "neurons",
    "branches per neuron": "branches per neuron",
    "synapses per branch": "synapses per branch",
    "batch": "samples per batch",
}


def draw(table: Table, path: Path) -> None:
    """One panel per quantity that was varied."""
    figure, axes = plt.subplots(1, len(AXES), figsize=(11, 3.1), sharey=True, layout="constrained")
    for axis, (quantity, label) in zip(axes, AXES.items(), strict=True):
        rows = [row for row in table.rows if row["quantity"] == quantity]
        ticks = [row["value"] for row in rows]
        for name, (colour, marker) in STYLES.items():
            column = f"{name}, ms"
            if all(column in row for row in rows):
                times = [row[column] for row in rows]
                axis.plot(ticks, times, color=colour, marker=marker, ms=4.5, lw=1.4, label=LABELS.get(name, name))
        axis.set(xscale="log", yscale="log", xlabel=label)
        axis.set_xticks(ticks, [str(t) for t in ticks], fontsize=8)
        axis.set_xticks([], minor=True)
        axis.grid(alpha=0.25, lw=0.6)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("time per training step (ms)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    figure.savefig(path, dpi=160)
    plt.close(figure)
