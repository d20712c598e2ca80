"""Fidelity of local gradients as the local-credit paper's Tables 2 and 5 report it, as run and on equal terms.

    for name in fidelity_as_run rules_figure_ground rules_mnist
    do dendrosim run $name --out runs/$name --workers 2 --resume; done
    python experiments/fidelity_tables.py --runs runs/fidelity_as_run runs/rules_figure_ground runs/rules_mnist

One batch of 256 training images; fresh running averages; the decoder left out. "dense" is the published mean over
tensors, weighted by the size of the dense tensors, most of whose entries are no synapses; "active" weights component
groups by the parameters in use. Intervals are Student's t over seeds of network and batch.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import dendrosim as ds
from dendrosim.diagnostics import mean_interval
from dendrosim.runs.ledger_networks import WithoutDerivative, drawn_batch
from dendrosim.teaching import teaching

TASKS = {"mnist": "mnist", "figure_ground": "figure_ground_mnist"}
CORES = ("shunting", "additive")
GROUPS = {
    "dense": "all (dense)",
    "active": "all",
    "excitatory": "excitatory",
    "inhibitory": "inhibitory",
    "couplings": "couplings",
    "gates": "gates",
}
MEASURES = ("cosine", "scale_mismatch", "relative_l2")
PUBLISHED = {  # Table 2, at initialisation; Table 5, best trained networks (no relative L2 is given)
    ("initial", "mnist", "shunting"): (0.202, 0.117, 1.130),
    ("initial", "mnist", "additive"): (0.006, 1.053, 13.324),
    ("initial", "figure_ground", "shunting"): (0.108, 0.036, 1.404),
    ("initial", "figure_ground", "additive"): (-0.007, 2.154, 145.965),
    ("trained", "mnist", "shunting"): (0.0537, 1.6756, None),
    ("trained", "figure_ground", "shunting"): (0.1140, 0.8303, None),
}


SOMA = {"name": "per_soma", "scope": "soma", "replication": True}
TREE = {"name": "per_soma", "scope": "tree"}
SCALAR = {"name": "scalar", "replication": True}
AS_RUN = {"name": "5F", "rho": "dot", "phi": {"per": "pooled", "parent": "children"}}
CONDUCTANCE = {**AS_RUN, "eligibility": "conductance"}
# name: initialisation, teaching, rule, derivative of the gate left out
SETUPS: dict[str, tuple[str, dict[str, Any], dict[str, Any], bool]] = {
    "as run, soma": ("published", SOMA, CONDUCTANCE, False),
    "as run, soma, no f'": ("published", SOMA, CONDUCTANCE, True),
    "as run, scalar": ("published", SCALAR, CONDUCTANCE, False),
    "as run, soma, matched": ("published", SOMA, AS_RUN, False),
    "as run, soma, matched, no f'": ("published", SOMA, AS_RUN, True),
    "as written, tree": ("published", TREE, {"name": "5F"}, False),
    "fair, soma": ("fair", SOMA, {"name": "5F"}, False),
    "fair, scalar": ("fair", SCALAR, {"name": "5F"}, False),
    "fair, tree": ("fair", TREE, {"name": "5F"}, False),
    "fair, tree, 3F": ("fair", TREE, {"name": "3F"}, False),
}
Row = dict[str, Any]


def networks(task: ds.tasks.Task, seeds: Sequence[int]) -> Iterator[tuple[str, str, int, ds.Network]]:
    """Fresh networks: initialisation, core, seed."""
    for seed in seeds:
        for core in CORES:
            for start in ("published", "fair"):
                network = ds.Network.dendritic(
                    task.n_inputs, 10, [128], [3, 3], 40, 20, integration=core, initialisation=start, seed=seed
                )
                if start == "fair":
                    network.calibrate(drawn_batch(task, seed + 1000, 1024)[0])
                yield start, core, seed, network


def trained(folder: Path) -> Iterator[tuple[str, str, int, ds.Network]]:
    """Networks trained by a per-soma broadcast, with 5F or in headline_mnist: state, task, seed."""
    for path in sorted(folder.glob("*/seed-*.h5")):
        if path.name.endswith(".checkpoint.h5"):
            continue
        run = ds.Run.load(path, network=False)
        experiment = run.config["experiment"]
        settings = experiment["settings"]
        meant = settings["rule"]["name"] == "5F" or experiment["name"] == "headline_mnist"
        if meant and settings["teaching"]["name"] == "per_soma":
            name = next(short for short, known in TASKS.items() if known == run.config["task"]["name"])
            state = "trained" if settings["teaching"]["scope"] == "soma" else "trained by tree"
            yield state, name, run.seed, ds.Run.load(path).network


def measured(network: ds.Network, task: ds.tasks.Task, start: str, seed: int) -> Iterator[Row]:
    """Every setup with this initialisation, on one network."""
    x, y = drawn_batch(task, seed)
    for setup, (wanted, told, rule, bare) in SETUPS.items():
        if wanted == start:
            signal = WithoutDerivative(teaching(told)) if bare else teaching(told)
            table = ds.fidelity(network, x, y, teaching=signal, rule=rule, threads=1)
            for group, name in GROUPS.items():
                yield {"setup": setup, "group": group, **{key: float(table[name][key]) for key in MEASURES}}


def gather(seeds: Sequence[int], runs: Sequence[Path]) -> list[Row]:
    rows: list[Row] = []
    tasks = {name: ds.tasks.load(known) for name, known in TASKS.items()}

    def add(state: str, name: str, start: str, core: str, seed: int, network: ds.Network) -> None:
        own = {"state": state, "task": name, "core": core, "seed": seed}
        rows.extend({**own, **row} for row in measured(network, tasks[name], start, seed))

    for name, task in tasks.items():
        for start, core, seed, network in networks(task, seeds):
            add("initial", name, start, core, seed, network)
    for folder in runs:
        for state, name, seed, network in trained(folder):
            add(state, name, network.initialisation, network.integration, seed, network)
    return rows


def summary(rows: list[Row]) -> list[Row]:
    """Mean and interval over seeds of every measure."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in ("state", "task", "core", "setup", "group")), []).append(row)
    out = []
    for (state, task, core, setup, group), members in found.items():
        line: Row = {"state": state, "task": task, "core": core, "setup": setup, "group": group, "n": len(members)}
        for key in MEASURES:
            values = mean_interval([m[key] for m in members])
            line |= {key: values.mean, f"{key}_low": values.low, f"{key}_high": values.high}
        known = PUBLISHED.get((state, task, core)) if group == "dense" and setup.startswith("as run") else None
        line |= dict(zip([f"published_{key}" for key in MEASURES], known or (None, None, None), strict=True))
        out.append(line)
    return out


def shown(lines: list[Row]) -> str:
    text = [f"{'':76s}{'cosine':>22s}{'scale':>8s}{'rel. L2':>10s}   published"]
    for line in lines:
        if line["group"] in ("dense", "active"):
            name = ", ".join(str(line[key]) for key in ("state", "task", "core", "setup", "group"))
            known = [line[f"published_{key}"] for key in MEASURES]
            text.append(
                f"{name:76s}{line['cosine']:7.3f} [{line['cosine_low']:5.3f}, {line['cosine_high']:5.3f}]"
                f"{line['scale_mismatch']:8.3f}{line['relative_l2']:10.3g}   "
                + " ".join(f"{value:g}" for value in known if value is not None)
            )
    return "\n".join(text)


def figure(lines: list[Row]) -> Figure:
    """Cosine per component group, shunting beside additive: as run and on equal terms, before and after training."""
    from dendrosim.plotting.styling import BLUE, VERMILLION

    wanted = [(state, setup) for state in ("initial", "trained") for setup in ("as run, soma", "fair, soma")]
    wanted[2:2] = [("initial", "fair, tree")]
    wanted.append(("trained by tree", "fair, tree"))
    panels = [one for one in wanted if any((line["state"], line["setup"]) == one for line in lines)]
    drawing = Figure(figsize=(1.55 * len(panels) + 0.6, 3.6), layout="constrained")
    axes = drawing.subplots(2, len(panels), sharey=True, sharex=True, squeeze=False)
    names = ["excitatory", "inhibitory", "couplings", "gates", "dense"]
    for i, task in enumerate(TASKS):
        for j, (state, setup) in enumerate(panels):
            ax = axes[i, j]
            for core, colour, shift in zip(CORES, (BLUE, VERMILLION), (-0.2, 0.2), strict=True):
                key = {"state": state, "task": task, "core": core, "setup": setup}
                here = {line["group"]: line for line in lines if all(line[k] == v for k, v in key.items())}
                if here:
                    mean, low, high = (
                        np.array([here[name][f"cosine{end}"] for name in names]) for end in ("", "_low", "_high")
                    )
                    ax.bar(np.arange(5) + shift, mean, 0.4, color=colour, label=core)
                    ax.errorbar(np.arange(5) + shift, mean, [mean - low, high - mean], fmt="none", ecolor="k", lw=0.8)
                known = PUBLISHED.get((state, task, core))
                if known and setup.startswith("as run"):
                    ax.plot(
                        4 + shift, known[0], "D", color="k", mfc="w", ms=4, label="published" if shift < 0 else None
                    )
            ax.axhline(0.0, color="0.4", lw=0.6)
            ax.set_xticks(np.arange(5), [*names[:4], "dense mean"], rotation=60, ha="right", fontsize=7)
            ax.tick_params(axis="y", labelsize=7)
            if not i:
                ax.set_title(f"{'at initialisation' if state == 'initial' else state}\n{setup}", fontsize=8)
            if not j:
                ax.set_ylabel(f"{'MNIST' if task == 'mnist' else 'figure-ground'}\ncosine", fontsize=8)
    axes[0, 1].legend(*axes[0, 0].get_legend_handles_labels(), frameon=False, fontsize=7, loc="lower center")
    return drawing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="folders of trained runs (default: none)")
    parser.add_argument("--seeds", type=int, default=6, help="fresh networks (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for table and figure (default: here)")
    options = parser.parse_args()
    lines = summary(gather(range(options.seeds), options.runs))
    print(shown(lines))
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "fidelity_tables.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(
            {key: f"{value:.5g}" if isinstance(value, float) else value for key, value in line.items()}
            for line in lines
        )
    figure(lines).savefig(options.out / "fidelity_tables.png", dpi=150)
    print(f"table and figure in {options.out}")


if __name__ == "__main__":
    main()
