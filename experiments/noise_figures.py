"""Figures and numbers of noise correlation, from the tables of `noise_correlation.py`.

python experiments/noise_figures.py --tables experiments/results --out docs/figures
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dendrosim.diagnostics import mean_interval
from dendrosim.plotting.styling import BLACK, BLUE, DOUBLE_COLUMN, GREEN, NEUTRAL, ORANGE, PURPLE

Row = dict[str, Any]

ARMS = {"VNC": (BLUE, "o"), "NMNC, r = 4": (ORANGE, "s"), "NMNC, r = 16": (GREEN, "^"), "NMNC, 90 %": (PURPLE, "D")}
SHOWN = {"tree": (20, 2, "tree, 20 cells"), "point": (64, 0, "point network, 64-64")}
"""Width, layer and title of what the first figure shows."""
TRAINED = {"before": (NEUTRAL, "before"), "exact": (BLACK, "exact"), "vnc": (BLUE, "VNC"), "nmnc": (ORANGE, "NMNC")}
LAYERS = {"tree": ("somas", "proximal", "distal"), "point": ("hidden 1", "hidden 2")}
MARKS = "o^s"


def read(path: Path) -> list[Row]:
    """Rows of a table, numbers as numbers."""
    with path.open(newline="", encoding="utf-8") as file:
        return [{k: _value(v) for k, v in row.items()} for row in csv.DictReader(file)]


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def where(rows: Iterable[Row], **wanted: object) -> list[Row]:
    return [row for row in rows if all(row[k] == v for k, v in wanted.items())]


def means(rows: list[Row], by: str, what: str) -> tuple[list[float], list[Any]]:
    """Values of a column in rising order, and the interval over seeds at each."""
    at = sorted({row[by] for row in rows})
    return at, [mean_interval([row[what] for row in rows if row[by] == v]) for v in at]


def bars(ax: Axes, at: list[float], found: list[Any], **style: Any) -> None:
    middle = [t.mean for t in found]
    ax.errorbar(at, middle, [[t.mean - t.low for t in found], [t.high - t.mean for t in found]], **style)


def correlation_figure(estimates: list[Row], training: list[Row]) -> Figure:
    """Above, cosine to the mean Jacobian against perturbations, measured and predicted; below, accuracy."""
    drawing = Figure(figsize=(DOUBLE_COLUMN, 4.6), layout="constrained")
    axes = drawing.subplots(2, 2, sharey="row")
    style: dict[str, Any] = {"ms": 3.5, "lw": 0.8, "capsize": 0}
    for column, (kind, (width, layer, title)) in enumerate(SHOWN.items()):
        top, low = axes[0, column], axes[1, column]
        for name, (colour, mark) in ARMS.items():
            rows = where(estimates, kind=kind, width=width, layer=layer, arm=name)
            at, found = means(rows, "K", "cosine")
            bars(top, at, found, fmt=mark, color=colour, label=name, **style)
            top.plot(at, [t.mean for t in means(rows, "K", "predicted")[1]], color=colour, lw=1.0)
            rows = where(training, kind=kind, width=width, arm=name)
            bars(low, *means(rows, "K", "accuracy"), fmt=f"-{mark}", color=colour, label=name, **style)
        for name, line, label in (
            ("exact", "-", "exact credit"), ("dfa", "--", "direct feedback"), ("decoder_only", ":", "decoder only"),
        ):  # fmt: skip
            level = mean_interval([row["accuracy"] for row in where(training, kind=kind, width=width, arm=name)]).mean
            low.axhline(level, color=BLACK, lw=0.9, ls=line, label=label)
        where_layer = LAYERS[kind][layer]
        top.set_title(f"{title}: {where_layer}", fontsize=8)
        low.set_title(title, fontsize=8)
        top.set_xlabel("perturbations K of the estimate", fontsize=8)
        low.set_xlabel("perturbations K in the feedback matrix", fontsize=8)
        for ax in (top, low):
            ax.set_xscale("log")
            ax.tick_params(labelsize=7)
    axes[0, 0].set_ylabel("cosine to the mean Jacobian", fontsize=8)
    axes[1, 0].set_ylabel("test accuracy", fontsize=8)
    axes[0, 0].legend(frameon=False, fontsize=7, loc="upper left", title="lines: predicted", title_fontsize=7)
    handles, labels = axes[1, 1].get_legend_handles_labels()
    kept = [i for i, label in enumerate(labels) if label not in ARMS]
    axes[1, 1].legend(
        [handles[i] for i in kept], [labels[i] for i in kept], frameon=False, fontsize=7, loc="lower right"
    )
    return drawing


def manifold_figure(rows: list[Row]) -> Figure:
    """Above, alignment of the Jacobian's rows with eight principal components; below, dimension against width."""
    drawing = Figure(figsize=(DOUBLE_COLUMN, 4.6), layout="constrained")
    axes = drawing.subplots(2, 2, sharey="row")
    for column, (kind, (width, _, title)) in enumerate(SHOWN.items()):
        top, low = axes[0, column], axes[1, column]
        for k, (name, (colour, label)) in enumerate(TRAINED.items()):
            for layer in range(len(LAYERS[kind])):
                here = where(rows, kind=kind, width=width, trained=name, layer=layer)
                found = mean_interval([row["alignment"] for row in here])
                x = layer + 0.2 * (k - 1.5)
                top.bar(x, found.mean, 0.18, color=colour, label=label if layer == 0 else None)
                top.errorbar(x, found.mean, [[found.mean - found.low], [found.high - found.mean]], color="0.35", lw=0.8)
                top.hlines(here[0]["chance"], layer - 0.42, layer + 0.42, color="0.2", lw=1.0, ls="--")
        top.set_xticks(range(len(LAYERS[kind])), LAYERS[kind])
        top.set_title(title, fontsize=8)
        for layer, mark in zip(range(len(LAYERS[kind])), MARKS, strict=False):
            for name, line in (("before", ":"), ("exact", "-")):
                here = where(rows, kind=kind, trained=name, layer=layer)
                at, found = means(here, "n", "participation_ratio")
                colour = (BLUE, ORANGE, GREEN)[layer]
                label = f"{LAYERS[kind][layer]}, {'trained' if name == 'exact' else name}"
                bars(low, at, found, fmt=f"{line}{mark}", color=colour, ms=3.5, lw=0.9, label=label)
        low.set_xscale("log")
        low.set_yscale("log")
        units = [10, 30, 100, 300, 700] if kind == "tree" else [16, 32, 64, 128]
        low.set_xticks(units, [str(n) for n in units])
        low.set_yticks([3, 4, 6, 8, 10, 15], ["3", "4", "6", "8", "10", "15"])
        low.minorticks_off()
        low.set_ylim(1.8, 17)
        low.set_xlabel("units of the layer", fontsize=8)
        low.legend(frameon=False, fontsize=6.5, ncols=2, loc="lower right")
        for ax in (top, low):
            ax.tick_params(labelsize=7)
    axes[0, 0].set_ylabel(r"$|J U|^2 / |J|^2$, r = 8", fontsize=8)
    axes[1, 0].set_ylabel("participation ratio", fontsize=8)
    axes[0, 0].legend(
        frameon=False, fontsize=7, loc="upper right", title="trained by (dashes: chance)", title_fontsize=7
    )
    return drawing


def slopes(rows: list[Row]) -> str:
    """Log-log slope of dimension over units, per layer, fitted to each seed."""
    lines = []
    for kind, layers in LAYERS.items():
        for layer, label in enumerate(layers):
            for name in ("before", "exact"):
                for what in ("participation_ratio", "two_nn", "n90"):
                    fits = []
                    for seed in sorted({row["seed"] for row in rows}):
                        here = where(rows, kind=kind, trained=name, layer=layer, seed=seed)
                        if len(here) > 3:
                            x, y = (np.log([row[k] for row in here]) for k in ("n", what))
                            fits.append(float(np.polyfit(x, y, 1)[0]))
                    t = mean_interval(fits)
                    here = where(rows, kind=kind, trained=name, layer=layer)
                    ends = [t.mean for t in means(here, "n", what)[1]]
                    lines.append(
                        f"{kind:6s}{label:10s}{name:8s}{what:20s} slope {t.mean:6.2f} [{t.low:5.2f}, {t.high:5.2f}]"
                        f"   {ends[0]:.1f} to {ends[-1]:.1f}"
                    )
    return "\n".join(lines)


def numbers(rows: list[Row], group: tuple[str, ...], what: tuple[str, ...]) -> str:
    """Mean over seeds and interval of some columns."""
    lines = []
    for key in dict.fromkeys(tuple(row[k] for k in group) for row in rows):
        here = where(rows, **dict(zip(group, key, strict=True)))
        known = {w: [r[w] for r in here] for w in what if not np.isnan(here[0][w])}
        found = {w: mean_interval(values) for w, values in known.items()}
        told = [f"{w} {t.mean:.3f} [{t.low:.3f}, {t.high:.3f}]" for w, t in found.items()]
        lines.append("  ".join([" ".join(map(str, key)), *told, f"n = {len(here)}"]))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, default=Path("."), help="folder of the tables (default: here)")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder of the figures (default: here)")
    options = parser.parse_args()
    estimates, training, found = (
        read(options.tables / f"noise_{what}.csv") for what in ("estimates", "training", "manifold")
    )
    print(numbers(training, ("kind", "width", "arm", "K"), ("accuracy", "cosine", "passes")))
    print(numbers(estimates, ("kind", "width", "arm", "layer", "K"), ("cosine", "predicted", "alpha")))
    print(
        numbers(found, ("kind", "width", "trained", "layer"), ("alignment", "chance", "participation_ratio", "two_nn"))
    )
    print(slopes(found))
    options.out.mkdir(parents=True, exist_ok=True)
    correlation_figure(estimates, training).savefig(options.out / "noise_correlation.png", dpi=150)
    manifold_figure(found).savefig(options.out / "noise_manifold.png", dpi=150)


if __name__ == "__main__":
    main()
