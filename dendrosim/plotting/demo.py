"""Figures of the demo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from .attenuation import plot_profile
from .morphology import plot_morphology
from .styling import DOUBLE_COLUMN, style
from .synapse_map import plot_synapse_maps

if TYPE_CHECKING:
    from ..runs.demo import Demo


def plot_demo(demo: Demo, out: str | Path) -> list[Path]:
    """Draw the figures of the demo as PNG files.

    Parameters
    ----------
    demo : Demo
        What `dendrosim.runs.demo.run_demo` returned.
    out : str or Path
        Folder to write to.

    Returns
    -------
    list of Path
        The run file and the figures.
    """
    figures: dict[str, Callable[[Demo], Figure]] = {
        "voltage": plot_voltages,
        "inhibition": plot_inhibition,
        "gradient": plot_contributions,
        "attenuation": plot_attenuations,
    }
    paths = [demo.path]
    for name, draw in figures.items():
        with style():
            figure = draw(demo)
            path = Path(out).expanduser() / f"{name}.png"
            figure.savefig(path, dpi=200, bbox_inches="tight", pad_inches=0.05)
            plt.close(figure)
        paths.append(path)
    return paths


def plot_voltages(demo: Demo) -> Figure:
    """Mean voltage of every compartment, shunting beside additive, on one scale."""
    names = list(demo.results)
    figure, panels = plt.subplots(1, len(names), figsize=(DOUBLE_COLUMN, 0.75 * DOUBLE_COLUMN), layout="compressed")
    low = min(demo.results[n].voltage.min() for n in names)
    high = max(demo.results[n].voltage.max() for n in names)
    for i, (ax, name) in enumerate(zip(panels, names, strict=True)):
        plot_morphology(
            demo.compartments, demo.results[name].voltage, ax=ax, vmin=low, vmax=high, label="mean voltage", unit="mV",
            colorbar=i == len(names) - 1,
        )  # fmt: skip
        ax.set_title(name)
    return figure


def plot_inhibition(demo: Demo) -> Figure:
    """Soma voltage against excitation, coloured by inhibition: shunting changes the slope, additive the level."""
    names = list(demo.results)
    figure, panels = plt.subplots(
        1, len(names), figsize=(DOUBLE_COLUMN, 0.42 * DOUBLE_COLUMN), sharex=True, sharey=True, layout="constrained"
    )
    points: PathCollection
    norm = Normalize(demo.inhibition.min(), demo.inhibition.max())  # one for both, also where a colour bar widens it
    for ax, name in zip(panels, names, strict=True):
        points = ax.scatter(
            demo.excitation, demo.results[name].soma, c=demo.inhibition, s=9, cmap="cividis", norm=norm, linewidths=0
        )
        for inhibited, line in ((False, "-"), (True, "--")):
            slope, level = demo.gain(name, inhibited=inhibited)
            if np.isnan(slope):
                continue
            ends = np.array([demo.excitation.min(), demo.excitation.max()])
            which = "most" if inhibited else "least"
            label = f"{which} inhibited third: {slope:.2f} mV/nS"
            ax.plot(
                ends, level + slope * (ends - demo.excitation.mean()), line, color="black", linewidth=1.2, label=label
            )
        ax.set_title(name)
        ax.set_xlabel("active excitatory conductance (nS)")
        if ax.lines:
            ax.legend(loc="upper left", frameon=False)
    panels[0].set_ylabel("soma voltage (mV)")
    figure.colorbar(points, ax=panels, label="active inhibitory conductance (nS)")
    return figure


def plot_contributions(demo: Demo) -> Figure:
    """Exact gradient of the soma voltage with respect to every synapse, excitatory and inhibitory, with shunting."""
    figure = plot_synapse_maps(
        demo.compartments, demo.synapses, demo.results["shunting"].per_conductance, scale="own",
        label="mean d$V_{soma}$/d$g$", unit="mV/nS",
    )  # fmt: skip
    assert isinstance(figure, Figure)
    return figure


def plot_attenuations(demo: Demo) -> Figure:
    """Attenuation to the soma against path distance, shunting beside additive."""
    names = list(demo.results)
    figure, panels = plt.subplots(
        1, len(names), figsize=(DOUBLE_COLUMN, 0.42 * DOUBLE_COLUMN), sharex=True, sharey=True, layout="constrained"
    )
    for ax, name in zip(panels, names, strict=True):
        plot_profile(
            demo.compartments,
            demo.results[name].attenuation,
            ax=ax,
            label="attenuation to the soma",
            legend=ax is panels[0],
        )
        ax.set_title(name)
    panels[1].set_ylabel("")
    return figure
