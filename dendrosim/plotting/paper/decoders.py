"""Figure 6: decoders that learn locally, exactly, or not at all."""

from __future__ import annotations

from matplotlib.figure import Figure

from ...diagnostics.intervals import Interval
from ..styling import BLUE, GREEN
from .pieces import chance, handle, legend, panels, point, published_handle, published_mark, ticks
from .results import PaperFigure, Results

DECODERS = {"local": "local", "exact": "backprop", "frozen": "frozen"}
DATA = {"sandbox_decoder": ("MNIST", "mnist"), "sandbox_decoder_cifar10": ("CIFAR-10", "cifar10")}
CONDITIONS = {"as_run": ("as run", BLUE, "o"), "fair": ("fair start, 3F, tree", GREEN, "^")}


def locality(results: Results) -> Figure:
    """Test accuracies by decoder update, as run and on fair terms."""
    figure, axes = panels(1, 2, height=0.36)
    for ax, (experiment, (data, short)) in zip(axes, DATA.items(), strict=True):
        shown: list[list[Interval | None]] = [[] for _ in DECODERS]
        for i, decoder in enumerate(DECODERS):
            for own, (_, color, marker) in CONDITIONS.items():
                found = results.interval(experiment, f"{own}, {decoder}")
                point(ax, i + (-0.15 if own == "as_run" else 0.15), found, color, marker)
                shown[i].append(found)
            published_mark(ax, i - 0.32, results.published(f"{short}-{decoder}"))
        ticks(ax, list(DECODERS.values()), shown)
        chance(ax, 0.1)
        ax.set_ylim(0.0, 1.0 if short == "mnist" else 0.5)
        ax.set_xlabel("update of the decoder")
        ax.set_ylabel("test accuracy")
        ax.set_title(data)
    marks = [handle(label, color, marker) for label, color, marker in CONDITIONS.values()]
    legend(figure, [*marks, published_handle()])
    return figure


LOCALITY = PaperFigure("figure6", {name: tuple(CONDITIONS) for name in DATA}, locality)
