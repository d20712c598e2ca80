"""What a compartment can find out about its path gain: every local proxy against the exact gain.

    python experiments/path_gain_proxies.py
    python experiments/path_gain_proxies.py --cells one.swc another.swc

Regular trees and shipped cells, and whatever SWC files are given (the recorded results have reconstructions of the
public archives, which are not shipped). Every cell is a directed tree and a reciprocal cable, with shunting and
additive synapses (directed additive trees in normalised units only). The figure has the regular tree and the first
file given, or the layer 5 pyramidal cell that is shipped.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import dendrosim as ds
from dendrosim.diagnostics import PathGainProxies, path_gain_proxies
from dendrosim.diagnostics.proxies import MEASURES

HERE = Path(__file__).resolve().parent
REGULAR = {"[3, 3]": [3, 3], "[2, 2, 2, 2]": [2, 2, 2, 2]}
SHIPPED = ("pyramidal_l5", "basket")
CASES = (("directed", "shunting"), ("directed", "additive"), ("reciprocal", "shunting"), ("reciprocal", "additive"))
NOISE = ["vnc", "vnc_own", "nmnc", "mirror"]
RANKS = (2, 32)
POOL = 1000
Row = dict[str, Any]
COLUMNS = (
    "cell", "kind", "compartments", "direction", "integration", "baseline", "rank", "captured", "gain_spread", "proxy",
    "samples", "passes", *MEASURES,
)  # fmt: skip


def regular(branching: list[int]) -> ds.Compartments:
    """A tree in normalised units, whose children together weigh about as much as a compartment's own conductances."""
    return ds.Compartments.branching(branching, coupling=2.0 / branching[0])


def reconstructed(source: str) -> ds.Compartments:
    """Dendrites of a cell, by a tenth of a length constant at 100 Hz."""
    morphology = ds.Morphology.load(source)
    if "axon" in morphology.regions:
        morphology = morphology.prune(region="axon")
    return morphology.compartments(ds.Passive(R_m=20_000.0, R_a=150.0, E_leak=-70.0), d_lambda=0.1)


def synapses_on(cell: ds.Compartments) -> ds.Synapses:
    """Six excitatory and three inhibitory synapses per compartment, or one per 20 and per 80 um of dendrite."""
    if not cell.physical:
        return ds.Synapses.scatter(cell, 6 * cell.size, 3 * cell.size, n_inputs=40, seed=1, conductance=0.5)
    length = cell.length[cell.region != "soma"].sum()
    counts = max(20, round(length / 20)), max(5, round(length / 80))
    return ds.Synapses.scatter(cell, *counts, n_inputs=100, seed=1, conductance=(0.1, 0.2))


def stimuli(n_inputs: int) -> np.ndarray:
    """A pool of sparse activities: three tenths of the inputs at a time."""
    rng = np.random.default_rng(2)
    return (rng.random((POOL, n_inputs)) < 0.3) * rng.random((POOL, n_inputs))


def report(
    cell: ds.Compartments, direction: str, integration: str, most: int, repetitions: int, **options: Any
) -> PathGainProxies:
    """All proxies on one cell; targets are the soma voltages of a cell with other conductances."""
    synapses = synapses_on(cell)
    x = stimuli(synapses.n_inputs)
    model = ds.Neurons(cell, synapses, readout="soma", direction=direction, integration=integration)
    drawn = np.random.default_rng(3).permutation(synapses.size)
    other = synapses.with_(conductance=synapses.conductance * np.linspace(0.1, 1.9, synapses.size)[drawn])
    goal = ds.Neurons(cell, other, readout="soma", direction=direction, integration=integration).solve(x, 1)
    samples = [n for n in (10, 30, 100, 300, 1000, 3000) if n <= most]
    settings = {"samples": samples, "repetitions": repetitions, "targets": goal.voltage_soma[:, 0], "threads": 1}
    return path_gain_proxies(model, x, **{**settings, **options})


def rows(name: str, kind: str, cell: ds.Compartments, quick: bool, kept: dict[tuple[str, str], Any]) -> Iterator[Row]:
    """Rows of all cases of a cell; the reports of shunting cells stay in `kept`, for the figure."""
    most, repetitions = (300, 5) if quick else (3000, 20) if kind == "regular" else (1000, 16)
    for direction, integration in CASES:
        if cell.physical and (direction, integration) == ("directed", "additive"):
            continue
        own: Row = {"cell": name, "kind": kind, "compartments": cell.size, "direction": direction}
        own["integration"] = integration
        began = time.perf_counter()
        found = report(cell, direction, integration, most, repetitions)
        if integration == "shunting":
            kept[name, direction] = found
        yield from _rows({**own, "baseline": "clean", "rank": found.rank}, found)
        if integration == "shunting":
            for rank in RANKS:
                if rank <= cell.size:
                    found = report(cell, direction, integration, most, repetitions, proxies=["nmnc"], rank=rank)
                    yield from _rows({**own, "baseline": "clean", "rank": rank}, found)
            found = report(cell, direction, integration, most, repetitions, proxies=NOISE, baseline="mean")
            yield from _rows({**own, "baseline": "mean", "rank": found.rank}, found)
        print(f"{name:>28} {direction:<10} {integration:<9} {time.perf_counter() - began:6.1f} s", flush=True)


def _rows(own: Row, found: PathGainProxies) -> Iterator[Row]:
    own = {**own, "captured": f"{found.captured:.4g}", "gain_spread": f"{found.gain_spread:.4g}"}
    for row in found.table:
        values = {name: f"{row[name]:.4g}" for name in MEASURES}
        yield {**own, "proxy": row["proxy"], "samples": row["samples"], "passes": row["passes"], **values}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="*", default=[], metavar="FILE", help="SWC files of reconstructed cells")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "path_gain_proxies.csv")
    parser.add_argument("--figure", type=Path, default=HERE.parent / "docs" / "figures" / "path_gain_proxies.png")
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples, regular trees and one cell")
    options = parser.parse_args()
    cells = [(name, "regular", regular(branching)) for name, branching in REGULAR.items()]
    cells += [(name, "shipped", reconstructed(name)) for name in (SHIPPED[1:2] if options.quick else SHIPPED)]
    cells += [(Path(file).stem, "reconstructed", reconstructed(file)) for file in options.cells]
    kept: dict[tuple[str, str], Any] = {}
    found = [row for name, kind, cell in cells for row in rows(name, kind, cell, options.quick, kept)]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(found)
    real = next((name for name, kind, _ in cells if kind == "reconstructed"), cells[2][0])
    label = "reconstructed cell" if options.cells else "pyramidal cell"
    shown = {("[2, 2, 2, 2]", way): f"regular tree,\n{way}" for way in ("directed", "reciprocal")}
    shown |= {(real, way): f"{label},\n{way}" for way in ("directed", "reciprocal")}
    figure = ds.plotting.plot_gain_proxies({title: kept[key] for key, title in shown.items()})
    options.figure.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.figure, dpi=220)


if __name__ == "__main__":
    main()
