"""Worked example: the passive membrane of a cell from five recordings.

Pipettes at the soma and on a dendrite measure input resistances, and how voltage attenuates between them. Which R_m and
R_a does the cell have, and how well do these recordings determine them? The recordings here are made up from a known
membrane plus 3 % noise, so that the answer can be checked.

    python experiments/fit_passive.py [--cell NAME_OR_FILE] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import dendrosim as ds
from dendrosim.biophysics.fitting import Attenuation, InputResistance, PassiveFit, PassiveModel, Target

TRUE = ds.Passive(R_m=28_000.0, R_a=120.0)
NOISE = 0.03
GRID: dict[str, Any] = {"max_length": 20.0}


def places(morphology: ds.Morphology) -> tuple[int, int]:
    """Samples in the middle of the longest path to a tip, and at its end."""
    distance = morphology.path_distance
    tip = int(np.argmax(distance))
    middle = tip
    while distance[middle] > 0.5 * distance[tip]:
        middle = int(morphology.samples.parent[middle])
    return int(morphology.samples.id[middle]), int(morphology.samples.id[tip])


def record(morphology: ds.Morphology, seed: int) -> list[Target]:
    """What the electrodes would read: the cell with the true membrane, and noise."""
    trunk, tip = places(morphology)
    asked: list[Target] = [
        InputResistance("soma", 1.0),
        InputResistance(trunk, 1.0),
        Attenuation("soma", trunk, 0.5),
        Attenuation(trunk, "soma", 0.5),
        Attenuation("soma", tip, 0.5),
    ]
    values, _ = PassiveModel(morphology, asked, TRUE, **GRID).predict(TRUE.R_m, TRUE.R_a)
    noisy = values * (1 + NOISE * np.random.default_rng(seed).standard_normal(values.size))
    return [
        dataclasses.replace(target, value=float(value), deviation=NOISE * float(value))
        for target, value in zip(asked, noisy, strict=True)
    ]


def describe(target: Target) -> tuple[str, str]:
    if isinstance(target, InputResistance):
        return f"input resistance at {target.at}", "MOhm"
    return f"attenuation {target.start} -> {target.stop}", ""


def table(targets: list[Target], fit: PassiveFit) -> str:
    lines = [f"{'':32s}{'measured':>12s}{'fitted':>12s}{'residual':>10s}"]
    for target, predicted, residual in zip(targets, fit.predicted, fit.residuals, strict=True):
        name, unit = describe(target)
        lines.append(f"{name:32s}{target.value:12.4g}{predicted:12.4g}{residual:9.2f}s {unit}")
    lines.append(f"\n{'':32s}{'true':>12s}{'fitted':>12s}{'error':>10s}")
    for name, error in fit.standard_error.items():
        unit = "ohm cm2" if name == "R_m" else "ohm cm"
        lines.append(f"{name:32s}{getattr(TRUE, name):12.6g}{getattr(fit.passive, name):12.6g}{error:10.3g} {unit}")
    lines.append(f"\n{fit.n_evaluations} evaluations. {fit.message}")
    return "\n".join(lines)


def figure(morphology: ds.Morphology, targets: list[Target], fit: PassiveFit) -> Figure:
    """Misfit over the plane of the two parameters, with the true values and the fit."""
    model = PassiveModel(morphology, targets, **GRID)
    reach = np.exp(4.5 * np.sqrt(np.diag(fit.covariance)))  # standard errors either way
    R_m = fit.passive.R_m * np.geomspace(1 / reach[0], reach[0], 31)
    R_a = fit.passive.R_a * np.geomspace(1 / reach[1], reach[1], 31)
    misfit = np.array(
        [[(((model.predict(m, a)[0] - model.measured) / model.deviation) ** 2).sum() for m in R_m] for a in R_a]
    )
    drawing = Figure(figsize=(5.2, 4.2), layout="constrained")
    axes = drawing.subplots()
    # 68 %, 95 % and 99.7 % for two parameters
    lines = axes.contour(R_m, R_a, misfit - (fit.residuals**2).sum(), levels=[2.30, 6.18, 11.83], colors="0.35")
    axes.clabel(lines, fmt={2.30: "68 %", 6.18: "95 %", 11.83: "99.7 %"}, fontsize=8)
    axes.plot(TRUE.R_m, TRUE.R_a, "k+", markersize=12, label="true")
    axes.plot(fit.passive.R_m, fit.passive.R_a, "o", color="tab:red", label="fitted")
    axes.set(xlabel="$R_m$ (ohm cm$^2$)", ylabel="$R_a$ (ohm cm)", title=morphology.name)
    axes.legend(frameon=False)
    return drawing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cell", default="pyramidal_l5", help="name of a shipped cell, or a file (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the figure (default: here)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the noise (default: %(default)s)")
    options = parser.parse_args()
    morphology = ds.Morphology.load(options.cell)
    targets = record(morphology, options.seed)
    fit = ds.fit_passive(morphology, targets, start=ds.Passive(R_m=15_000.0, R_a=200.0), **GRID)
    print(table(targets, fit))
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "fit_passive.png"
    figure(morphology, targets, fit).savefig(path, dpi=150)
    print(f"figure: {path}")


if __name__ == "__main__":
    main()
