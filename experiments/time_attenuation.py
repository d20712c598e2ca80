"""Synaptic potentials from every dendritic compartment of a pyramidal cell to its soma, in time.

    python experiments/time_attenuation.py --out time_attenuation --figures docs/figures    # goes on where it stopped

One excitatory synapse (0.5 nS, rise 0.2 ms, decay 2 ms) at a time, on the passive cell as it is and with background
conductance: a leak that is twice or three times as large everywhere, as in cells that receive ongoing input. Per
synapse: local and somatic peak, how much later the somatic one is, half-widths, and areas; beside them
`attenuation_to_soma`, what the steady state would leave of a voltage.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np

import dendrosim as ds
from dendrosim.diagnostics import event_shape

Row = dict[str, Any]
BACKGROUNDS = (0.0, 1.0, 2.0)
"""Background conductance, in units of the leak."""
COURSE = ds.DifferenceOfExponentials(0.2, 2.0)
KEYS = ("cell", "background", "site")
MEASURES = (
    "region", "distance", "local_peak", "soma_peak", "delay", "local_width", "soma_width", "area_ratio", "steady",
)  # fmt: skip
TOGETHER = 24
"""Sites simulated as one batch."""


def loaded(name: str, background: float) -> ds.Compartments:
    """Compartments of a shipped cell or a file, with background conductance."""
    morphology = ds.Morphology.load(Path(name) if Path(name).suffix else name)
    compartments = morphology.compartments(ds.Passive(), max_length=40.0)
    return compartments.with_(leak=(1.0 + background) * compartments.leak)


def measured(compartments: ds.Compartments, sites: Any) -> list[Row]:
    """What reaches the soma from each of these compartments."""
    synapses = ds.Synapses(compartments, sites, sign=1, conductance=0.5)
    spikes = ds.Spikes(np.ones(sites.size), np.arange(sites.size), np.arange(sites.size))
    trace = ds.simulate(
        compartments, synapses, spikes, record=[0, *sites], kinetics=COURSE, dt=0.05, duration=251.0,
        method="crank_nicolson", arrival="exact", threads=1,
    )  # fmt: skip
    shape = event_shape(trace, start=1.0)
    steady = ds.steady_state(compartments).attenuation_to_soma[0]
    column = {int(n): i for i, n in enumerate(trace.compartment)}
    rows = []
    for b, n in enumerate(sites):
        i = column[int(n)]
        rows.append(
            {
                "region": str(compartments.region[n]), "distance": compartments.path_distance[n],
                "local_peak": shape.peak[b, i], "soma_peak": shape.peak[b, 0],
                "delay": shape.time[b, 0] - shape.time[b, i], "local_width": shape.half_width[b, i],
                "soma_width": shape.half_width[b, 0], "area_ratio": shape.area[b, 0] / shape.area[b, i],
                "steady": steady[n],
            }
        )  # fmt: skip
    return rows


def figures(rows: list[Row], name: str, folder: Path) -> None:
    """One synaptic potential on its way, and all of them against distance."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    from dendrosim.plotting import plot_attenuation_panels, style
    from dendrosim.plotting.styling import BLACK, BLUE, DOUBLE_COLUMN, NEUTRAL, ORANGE

    compartments = loaded(name, 0.0)
    apical = np.flatnonzero(compartments.region == "apical")
    apical = apical if apical.size else np.flatnonzero(compartments.region == "basal")
    far = 0.75 * compartments.path_distance[apical].max()
    site = int(apical[np.abs(compartments.path_distance[apical] - far).argmin()])
    synapse = ds.Synapses(compartments, [site], sign=1, conductance=0.5)
    trace = ds.simulate(
        compartments, synapse, ds.Spikes([1.0], [0]), record="all", kinetics=COURSE, duration=101.0,
        method="crank_nicolson", arrival="exact", threads=1,
    )  # fmt: skip
    current = np.zeros(compartments.size)
    current[site] = 1.0
    held = ds.steady_state(compartments, current=current).voltage[0] - compartments.leak_reversal
    figure = plot_attenuation_panels(
        compartments, trace, site, start=1.0, moments=[1, 2, 5, 10, 20, 40], steady=held, until=60.0
    )
    figure.savefig(folder / "time_attenuation.png", dpi=125)
    with style():
        figure, panels = plt.subplots(2, 2, figsize=(DOUBLE_COLUMN, 0.62 * DOUBLE_COLUMN), layout="constrained")
        looks = dict(zip(BACKGROUNDS, ((BLACK, "o"), (BLUE, "s"), (ORANGE, "^")), strict=True))
        for background, (color, marker) in looks.items():
            here = [r for r in rows if float(r["background"]) == background and r["region"] in ("apical", "basal")]
            x = np.array([float(r["distance"]) for r in here])
            get = {k: np.array([float(r[k]) for r in here]) for k in MEASURES[1:]}
            dots: Any = {"marker": marker, "color": color, "linestyle": "none", "markersize": 2, "markeredgewidth": 0}
            label = f"leak × {1 + background:g}"
            panels[0, 0].plot(x, get["soma_peak"], **dots, label=label)
            panels[0, 1].plot(get["steady"], get["soma_peak"] / get["local_peak"], **dots, label=label)
            panels[1, 0].plot(x, get["delay"], **dots, label=label)
            panels[1, 1].plot(x, get["soma_width"], **dots, label=label)
        panels[0, 0].set(yscale="log", ylabel="peak at the soma (mV)")
        panels[0, 1].plot([0, 1], [0, 1], color=NEUTRAL, linewidth=0.8, zorder=0)
        panels[0, 1].set(xlabel="attenuation, steady", ylabel="attenuation of peaks", xlim=(0, 1), ylim=(0, 1))
        panels[1, 0].set(ylabel="delay of the peak (ms)")
        panels[1, 1].set(ylabel="half-width at the soma (ms)", ylim=(0, None))
        for ax in (panels[0, 0], panels[1, 0], panels[1, 1]):
            ax.set_xlabel("path distance of the synapse (µm)")
        panels[0, 0].legend(markerscale=2.0)
        for ax, letter in zip(panels.flat, "abcd", strict=True):
            ax.set_title(letter, loc="left", fontweight="bold")
        figure.savefig(folder / "time_attenuation_sites.png", dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", default="pyramidal_l5", help="shipped cell or file; default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("time_attenuation"), help="folder of the table")
    parser.add_argument("--figures", type=Path, help="folder of the figures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = options.out / "time_attenuation.csv"
    rows: list[Row] = list(csv.DictReader(table.open(encoding="utf-8"))) if table.exists() else []
    name = Path(options.cell).stem
    done = {(r["cell"], float(r["background"]), int(r["site"])) for r in rows}
    with table.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*KEYS, *MEASURES])
        if not rows:
            writer.writeheader()
        for background in BACKGROUNDS:
            compartments = loaded(options.cell, background)
            dendritic = np.isin(compartments.region, ("basal", "apical")) & (compartments.area > 0)
            left = [int(n) for n in np.flatnonzero(dendritic) if (name, background, int(n)) not in done]
            for first in range(0, len(left), TOGETHER):
                sites = np.array(left[first : first + TOGETHER])
                for site, row in zip(sites, measured(compartments, sites), strict=True):
                    line = {"cell": name, "background": background, "site": int(site)}
                    line |= {k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()}
                    writer.writerow(line)
                    rows.append(line)
                file.flush()
            print(f"background {background:g}: {dendritic.sum()} sites", flush=True)
    here = [r for r in rows if r["cell"] == name]
    for background in BACKGROUNDS:
        for region in ("basal", "apical"):
            found = [r for r in here if float(r["background"]) == background and r["region"] == region]
            for low, high in ((0, 100), (100, 300), (300, 700), (700, 1100), (1100, 2000)):
                band = [r for r in found if low <= float(r["distance"]) < high]
                if band:
                    means = {k: np.mean([float(r[k]) for r in band]) for k in MEASURES[2:]}
                    print(
                        background, region, f"{low}-{high} um", len(band), *(f"{k} {v:.3g}" for k, v in means.items())
                    )
        error = [
            abs(float(r["area_ratio"]) / float(r["steady"]) - 1) for r in here if float(r["background"]) == background
        ]
        print(f"background {background:g}: areas attenuate as steady voltages, within {max(error):.1e}")
    if options.figures:
        figures(here, options.cell, options.figures)


if __name__ == "__main__":
    main()
