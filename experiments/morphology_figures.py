"""Tables and figures of the morphology study.

    python experiments/morphology_figures.py morphology

Reads what `morphology_study.py` has written to a folder. Of files, those count whose folder below the one that was
given is among --groups; a cell that is there twice counts once.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from morphology_cells import DESCRIPTORS, membrane
from morphology_rules import CASES
from morphology_statistics import PREDICTORS, SETS, Row, Study, law, write

import dendrosim as ds
from dendrosim.diagnostics import bootstrap_interval
from dendrosim.plotting import style

HERE = Path(__file__).resolve().parent
COLOURS = {"grown": "#0072B2", "files": "#D55E00", "shipped": "#009E73"}
MARKERS = {"grown": "o", "files": "D", "shipped": "^"}
SET_NAMES = {"grown": "grown", "files": "reconstructed", "shipped": "shipped"}
RULE_NAMES = {
    "exact": "exact", "echo": "echo of a current at the soma", "path_mean": "3F x mean path gain",
    "path_rest": "3F x path gain at rest", "soma_resistance": "3F, the soma's R for all", "mirror": "3F x edge mirror",
    "vnc_own": "3F x own response to noise", "depth": "3F x depth", "slope": "3F x slope",
    "correlation": "3F x correlation", "4F": "4F", "5F": "5F", "3F": "3F (broadcast)", "ebd": "3F x EBD",
    "path_layer": "3F x path of stages", "path_local": "3F x path of local R",
}  # fmt: skip
NAMES = {
    "tips": "tips", "stems": "stems", "max_order": "branch order, largest", "mean_order": "branch order, mean of tips",
    "max_path": "path length, largest", "length": "total length", "tortuosity": "tortuosity", "taper": "taper",
    "asymmetry": "asymmetry", "electrotonic": "electrotonic distance, mean",
    "electrotonic_tips": "electrotonic length, tips", "electrotonic_max": "electrotonic length, largest",
    "electrotonic_cv": "electrotonic length, CV", "attenuation": "mean gain to the soma",
    "resistance": "input resistance", "R_m": "membrane resistivity", "compartments": "compartments",
}  # fmt: skip


def rules_figure(study: Study) -> Figure:
    """Cosine of every rule, four cases beside each other."""
    import matplotlib.pyplot as plt

    order = [rule for rule in RULE_NAMES if rule != "exact"]
    figure, axes = plt.subplots(1, 4, figsize=(7.2, 3.9), sharey=True, layout="constrained")
    for ax, case in zip(axes, CASES, strict=True):
        for k, rule in enumerate(order):
            for name, shift in zip(SETS, (0.2, -0.05, -0.25), strict=True):
                values = study.measure(name, case, rule)
                values = values[np.isfinite(values)]
                if values.size < 2:
                    continue
                spread = np.random.default_rng(k).uniform(-0.1, 0.1, values.size)
                colour = COLOURS[name]
                ax.scatter(values, -k + shift + spread, s=2, color=colour, alpha=0.25, linewidths=0, rasterized=True)
                found = bootstrap_interval(values)
                ax.plot([found.low, found.high], [-k + shift] * 2, color=colour, lw=1.4)
                ax.plot(found.mean, -k + shift, MARKERS[name], color=colour, ms=3.2, mec="white", mew=0.4)
        ax.axvline(0, color="0.8", lw=0.6, zorder=0)
        ax.set(xlim=(-0.35, 1.04), title=f"{case[0]},\n{case[1]}", xlabel="cosine to exact")
        ax.set_yticks([-k for k in range(len(order))], [RULE_NAMES[rule] for rule in order])
    _legend(figure, study)
    return figure


def _legend(figure: Figure, study: Study, sets: Sequence[str] = SETS) -> None:
    from matplotlib.lines import Line2D

    present = [name for name in sets if study.cells[name]]
    handles = [
        Line2D([], [], color=COLOURS[name], marker=MARKERS[name], ms=4, ls="none", mec="white", mew=0.4)
        for name in present
    ]
    labels = [f"{SET_NAMES[name]} ({len(study.cells[name])})" for name in present]
    figure.legend(handles, labels, loc="outside lower center", ncols=3)


def prediction_figure(study: Study) -> Figure:
    """Cosine of the broadcast against what shape, and electrotonic length alone, say."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.7), layout="constrained")
    for ax, way in zip(axes, ("reciprocal", "directed"), strict=False):
        for name in SETS:
            for how, face in (("additive", "none"), ("shunting", COLOURS[name])):
                predicted, found = study.column(name, f"predicted_{way}"), study.measure(name, (way, how))
                ax.scatter(
                    predicted, found, s=9, marker=MARKERS[name], facecolors=face, edgecolors=COLOURS[name],
                    linewidths=0.5, alpha=0.8,
                )  # fmt: skip
        ax.plot([0, 1], [0, 1], color="0.6", lw=0.7, zorder=0)
        ax.set(xlim=(0, 1.03), ylim=(0, 1.03), aspect="equal", title=f"{way}\n(filled shunting, open additive)")
        ax.set(xlabel="cosine predicted from shape", ylabel="cosine measured, 3F")
    last = axes[2]
    for name in SETS:
        x, y = study.column(name, "electrotonic_max"), study.measure(name, ("reciprocal", "shunting"))
        last.scatter(x, y, s=9, marker=MARKERS[name], color=COLOURS[name], alpha=0.8, linewidths=0)
        x, y = x, study.measure(name, ("reciprocal", "shunting"), "soma_resistance")
        last.scatter(x, y, s=9, marker=MARKERS[name], facecolors="none", edgecolors=COLOURS[name], linewidths=0.5)
    longest = max(float(study.column(name, "electrotonic_max").max(initial=1.0)) for name in SETS)
    length = np.linspace(1e-3, 1.05 * longest, 200)
    last.plot(length, law(length), color="black", lw=1.0, label=r"$\sqrt{\tanh(L/2)/(L/2)}$")
    last.set(xlabel=r"largest electrotonic length L ($\lambda$)", ylabel="cosine", ylim=(0, 1.03), xlim=(0, None))
    last.set_title("reciprocal, shunting\n(filled 3F, open with the soma's R)")
    last.legend(loc="lower left")
    _legend(figure, study)
    return figure


def descriptors_figure(tables: dict[str, list[Row]]) -> Figure:
    """Rank correlations of the broadcast's cosine with descriptors, and standardised coefficients."""
    import matplotlib.pyplot as plt

    rows = {
        (row["set"], row["direction"], row["integration"], row["descriptor"]): row
        for row in tables["correlations"]
        if row["rule"] == "3F"
    }
    columns = [(name, *case) for name in ("grown", "files") for case in CASES]
    columns = [column for column in columns if any(key[:3] == column for key in rows)]
    shown = [name for name in DESCRIPTORS if name != "compartments"]
    grid = np.array([[rows[*c, d]["spearman"] if (*c, d) in rows else np.nan for c in columns] for d in shown])
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 4.4), width_ratios=[1.25, 1.0], layout="constrained")
    image = left.imshow(grid, cmap="PuOr", vmin=-1, vmax=1, aspect="auto")
    for i, descriptor in enumerate(shown):
        for j, column in enumerate(columns):
            row = rows.get((*column, descriptor))
            if row is not None:
                dark = abs(row["spearman"]) > 0.65
                star = "*" if row["p_holm"] < 0.05 else ""
                text = f"{row['spearman']:.2f}".replace("0.", ".").replace("-", "\N{MINUS SIGN}") + star
                left.text(j, i, text, ha="center", va="center", fontsize=6, color="white" if dark else "black")
    left.set_yticks(range(len(shown)), [NAMES[name] for name in shown])
    short = {"reciprocal": "rec.", "directed": "dir.", "shunting": "shunt.", "additive": "add."}
    left.set_xticks(range(len(columns)), [f"{short[c[1]]}\n{short[c[2]]}" for c in columns], fontsize=6.5)
    breaks = [j for j in range(1, len(columns)) if columns[j][0] != columns[j - 1][0]]
    for j in breaks:
        left.axvline(j - 0.5, color="black", lw=1.0)
    left.set_title("   |   ".join(SET_NAMES[name] for name in dict.fromkeys(c[0] for c in columns)))
    left.spines[:].set_visible(False)
    left.tick_params(length=0)
    figure.colorbar(image, ax=left, location="bottom", shrink=0.8, aspect=30, label="Spearman correlation with cosine")
    colours = dict(zip(CASES, ("#0072B2", "#56B4E9", "#D55E00", "#E69F00"), strict=True))
    for k, case in enumerate(CASES):
        found = {
            row["predictor"]: row
            for row in tables["regressions"]
            if (row["direction"], row["integration"]) == case and row["rule"] == "3F"
        }
        place = [-i + 0.27 - 0.18 * k for i in range(len(PREDICTORS))]
        if not found:
            continue
        for y, name in zip(place, PREDICTORS, strict=True):
            right.plot([found[name]["low"], found[name]["high"]], [y, y], color=colours[case], lw=1.2)
        r2 = found[PREDICTORS[0]]["r2"]
        label = f"{case[0]}, {case[1]} (R² = {r2:.2f})"
        right.plot([found[name]["beta"] for name in PREDICTORS], place, "o", ms=3, color=colours[case], label=label)
    right.axvline(0, color="0.7", lw=0.7, zorder=0)
    right.set_yticks([-i for i in range(len(PREDICTORS))], [NAMES[name] for name in PREDICTORS])
    right.set(xlabel="standardised coefficient (95 %)", title="regression of the angle, grown")
    if right.get_legend_handles_labels()[0]:
        figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=2, fontsize=6.5)
    return figure


def effects_figure(study: Study, tables: dict[str, list[Row]]) -> Figure:
    """Paired effects on the broadcast's cosine, and what the broadcast does to couplings."""
    import matplotlib.pyplot as plt

    shown: list[tuple[str, dict[str, str]]] = [
        (f"directed, not reciprocal ({how})", {"effect": "direction", "integration": how})
        for how in ("shunting", "additive")
    ]
    shown += [
        (f"additive, not shunting ({way})", {"effect": "integration", "direction": way})
        for way in ("reciprocal", "directed")
    ]
    places = {
        "none": "no inhibition", "proximal": "inhibition proximal", "distal": "inhibition distal",
        "path": "inhibition on the path", "branch": "inhibition on one branch",
    }  # fmt: skip
    for case in (CASES[0], CASES[2]):
        key = {"effect": "placement", "direction": case[0], "integration": case[1]}
        shown += [(f"{text} ({case[0]})", {**key, "contrast": f"{name} - uniform"}) for name, text in places.items()]
    shown += [(f"trained, not fresh ({case[0]}, {case[1]})",
               {"effect": "training", "direction": case[0], "integration": case[1]}) for case in CASES[:3]]  # fmt: skip
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 4.2), width_ratios=[1.0, 0.8], layout="constrained")
    for i, (_, key) in enumerate(shown):
        for name, shift in zip(("grown", "files"), (0.14, -0.14), strict=True):
            rows = [r for r in tables["effects"] if r["set"] == name and all(r[k] == v for k, v in key.items())]
            for row in rows:
                left.plot([row["low"], row["high"]], [-i + shift] * 2, color=COLOURS[name], lw=1.2)
                filled = row["p_holm"] < 0.05
                left.plot(
                    row["difference"], -i + shift, MARKERS[name], ms=3.5, color=COLOURS[name],
                    mfc=COLOURS[name] if filled else "white",
                )  # fmt: skip
    left.axvline(0, color="0.7", lw=0.7, zorder=0)
    left.set_yticks([-i for i in range(len(shown))], [text for text, _ in shown])
    left.set(xlabel="difference of cosine (3F), 95 % interval", title="filled: p < 0.05 after Holm")
    kinds = ("3F", "depth", "path_mean", "path_rest")
    for k, case in enumerate(CASES):
        for j, rule in enumerate(kinds):
            for name, shift in zip(("grown", "files"), (-0.1, 0.1), strict=True):
                values = study.measure(name, case, rule, measure="couplings_cosine")
                values = values[np.isfinite(values)]
                if values.size < 2:
                    continue
                x = k * (len(kinds) + 1) + j + shift
                found = bootstrap_interval(values)
                right.scatter(
                    x + np.random.default_rng(j).uniform(-0.15, 0.15, values.size), values, s=2,
                    color=COLOURS[name], alpha=0.25, linewidths=0,
                )  # fmt: skip
                right.plot([x, x], [found.low, found.high], color=COLOURS[name], lw=1.2)
                right.plot(x, found.mean, MARKERS[name], ms=3.5, color=COLOURS[name], mec="white", mew=0.4)
    right.axhline(0, color="0.7", lw=0.7, zorder=0)
    ticks = [k * (len(kinds) + 1) + j for k in range(4) for j in range(len(kinds))]
    names = ["3F", "3F x depth", "x mean gain", "x gain at rest"]
    right.set_xticks(ticks, names * 4, rotation=90, fontsize=6.5)
    for k, case in enumerate(CASES):
        right.text(k * 5 + 1.5, 1.06, f"{case[0]},\n{case[1]}", ha="center", fontsize=6.5)
    right.set(ylim=(-1.05, 1.03), ylabel="cosine to exact, couplings")
    _legend(figure, study, ("grown", "files"))
    return figure


def cell_figure() -> Figure:
    """Where the broadcast goes wrong on one cell: path gain, input resistance, and the product of the two."""
    import matplotlib.pyplot as plt

    cell = ds.Morphology.load("pyramidal_l5").prune(region="axon")
    tree = cell.compartments(membrane(), d_lambda=0.1)
    rest = ds.steady_state(tree)
    gain, resistance = rest.attenuation_to_soma[0], rest.input_resistance[0]
    maps = (
        ("lacking: path gain $A_n$", gain, (0.0, 1.0)),
        ("in 3F: $R_n / R_{soma}$ ($\\log_{10}$)", np.log10(resistance / resistance[0]), (0.0, None)),
        ("exact: $A_n R_n / R_{soma}$", gain * resistance / resistance[0], (0.0, 1.0)),
    )
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 4.2), layout="constrained")
    for ax, (title, values, (low, high)) in zip(axes, maps, strict=True):
        top = float(values.max()) if high is None else high
        ds.plotting.plot_morphology(
            tree, values, ax=ax, vmin=low, vmax=top, minimum_width=1.0, legend=False, label=title,
            scale_bar=ax is axes[0],
        )  # fmt: skip
    return figure


def save(figures: dict[str, Figure], folder: Path) -> None:
    """Write every figure as ``morphology_NAME.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / f"morphology_{name}.png", dpi=220)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="results of morphology_study.py")
    parser.add_argument("--groups", nargs="*", default=[".", "real"], metavar="NAME", help='default: "." and "real"')
    parser.add_argument("--tables", type=Path, default=HERE / "results", metavar="DIR")
    parser.add_argument("--figures", type=Path, default=HERE.parent / "docs" / "figures", metavar="DIR")
    options = parser.parse_args(arguments)
    study = Study.load(options.folder, options.groups)
    tables: dict[str, Any] = write(study, options.tables)
    with style():
        figures = {
            "rules": rules_figure(study),
            "prediction": prediction_figure(study),
            "effects": effects_figure(study, tables),
            "cell": cell_figure(),
        }
        if tables["correlations"]:  # needs five cells or more
            figures["descriptors"] = descriptors_figure(tables)
        save(figures, options.figures)
    print({name: len(cells) for name, cells in study.cells.items()})


if __name__ == "__main__":
    main()
