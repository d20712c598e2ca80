"""The main job on what ships with the package: one neuron, many stimuli, two ways to integrate, exact gradients."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..about import __version__
from ..biophysics.gradient import exact_gradient
from ..biophysics.integration import INTEGRATIONS
from ..biophysics.placement import NOT_DENDRITE
from ..biophysics.steady import steady_state
from ..biophysics.synapses import Synapses
from ..hdf5 import Described, folder_for, write_hdf5
from ..membrane import Passive
from ..morphology.compartments import Compartments
from ..morphology.tree import Morphology

Floats = NDArray[np.float64]

EXCITATORY, INHIBITORY = 200, 50
ACTIVE = 0.3
"""Chance that an excitatory synapse is active in a stimulus."""
SPINES = {"basal": 1.5, "apical": 1.5}
"""Spine factor of the membrane, where the cell has such regions."""


@dataclass(frozen=True)
class Integrated:
    """What the demo keeps of one kind of integration.

    Attributes
    ----------
    soma : float array of shape (B,)
        Soma voltage under each stimulus, mV.
    voltage : float array of shape (N,)
        Mean voltage, mV.
    input_resistance, attenuation : float arrays of shape (N,)
        Means, GOhm and no unit.
    per_current : float array of shape (N,)
        Mean of dV_soma / dI_n, mV/pA.
    per_conductance : float array of shape (n_synapses,)
        Mean of dV_soma / dg_j, mV/nS.
    seconds : float
        Time for all steady states and gradients, kernels compiled, the best of three.
    """

    soma: Floats
    voltage: Floats
    input_resistance: Floats
    attenuation: Floats
    per_current: Floats
    per_conductance: Floats
    seconds: float


@dataclass(frozen=True)
class Demo:
    """Result of `run_demo`; its text is the table that ``dendrosim demo`` prints."""

    morphology: Morphology
    compartments: Compartments
    synapses: Synapses
    excitation: Floats
    """Active excitatory conductance of each stimulus, nS, shape (B,)."""
    inhibition: Floats
    """Active inhibitory conductance of each stimulus, nS, shape (B,)."""
    results: dict[str, Integrated]
    path: Path

    def gain(self, name: str, *, inhibited: bool) -> tuple[float, float]:
        """Slope (mV/nS) and value at mean excitation (mV) of the soma voltage over excitation.

        Over the third of the stimuli with most inhibition, or with least; NaN where that third has fewer than three
        stimuli, or no two of different excitation.
        """
        low, high = np.quantile(self.inhibition, [1 / 3, 2 / 3])
        chosen = self.inhibition >= high if inhibited else self.inhibition <= low
        excitation = self.excitation[chosen] - self.excitation.mean()
        if excitation.size < 3 or np.ptp(excitation) == 0.0:
            return math.nan, math.nan
        slope, level = np.polyfit(excitation, self.results[name].soma[chosen], 1)
        return float(slope), float(level)

    def __str__(self) -> str:
        c, s, names = self.compartments, self.synapses, list(self.results)
        dendrite = ~np.isin(c.region, ("soma", "axon")) & (c.area > 0)
        rows: list[tuple[str, Callable[[Integrated], str]]] = [
            ("soma voltage, mean (mV)", lambda r: f"{r.soma.mean():.2f}"),
            ("input resistance at the soma (MOhm)", lambda r: f"{1e3 * r.input_resistance[0]:.1f}"),
            ("attenuation to the soma, dendrite, median", lambda r: _mean(np.median, r.attenuation[dendrite], ".3f")),
            ("dV_soma/dg, excitatory, mean (mV/nS)", lambda r: _mean(np.mean, r.per_conductance[s.sign > 0], "+.4f")),
            ("dV_soma/dg, inhibitory, mean (mV/nS)", lambda r: _mean(np.mean, r.per_conductance[s.sign < 0], "+.4f")),
            ("steady state + all gradients (us per stimulus)", lambda r: f"{1e6 * r.seconds / r.soma.size:.1f}"),
        ]
        table = [[label, *(cell(self.results[name]) for name in names)] for label, cell in rows]
        for text, inhibited in (("least", False), ("most", True)):
            slopes = [self.gain(name, inhibited=inhibited) for name in names]
            table.insert(
                3,
                [
                    f"gain, {text} inhibited third (mV/nS)",
                    *("-" if math.isnan(slope) else f"{slope:.3f}" for slope, _ in slopes),
                ],
            )
        table[3], table[4] = table[4], table[3]
        width = max(len(row[0]) for row in table)
        lines = [
            f"{self.morphology.name}: {_counted(c.size, 'compartment', 's')}, {(s.sign > 0).sum()} excitatory and "
            f"{(s.sign < 0).sum()} inhibitory synapses, {_counted(self.excitation.size, 'stimul', 'i', 'us')}",
            "",
            " " * width + "".join(f"{name:>12}" for name in names),
            *(f"{row[0]:<{width}}" + "".join(f"{value:>12}" for value in row[1:]) for row in table),
        ]
        return "\n".join(lines)


def _counted(n: int, stem: str, plural: str, singular: str = "") -> str:
    return f"{n} {stem}{singular if n == 1 else plural}"


def _mean(how: Callable[[Floats], Any], values: Floats, form: str) -> str:
    """A mean or median for the table, or a dash where there is nothing to take it of."""
    return format(float(how(values)), form) if values.size else "-"


def run_demo(
    out: str | Path,
    *,
    morphology: str = "pyramidal_l5",
    stimuli: int = 300,
    seed: int = 0,
    threads: int | None = None,
    progress: bool = False,
) -> Demo:
    """Put synapses on a cell, drive them, and store steady states and exact gradients in ``out/run.h5``.

    Parameters
    ----------
    out : str or Path
        Folder for the results.
    morphology : str
        Name of a shipped cell, or a file.
    stimuli : int, default 300
        Number of stimuli. Each has an excitatory and an inhibitory level of its own.
    seed : int, default 0
    threads : int, optional
    progress : bool, default False
        Show a progress bar on the terminal.

    Returns
    -------
    Demo

    Raises
    ------
    OSError
        If nothing can be written to the folder; found before anything is computed.
    """
    from tqdm import tqdm

    target = Path(out) / "run.h5"
    folder_for(target)

    with tqdm(
        total=3 + 2 * len(INTEGRATIONS), disable=not progress, bar_format="{desc:<44} {bar} {elapsed}", leave=False
    ) as bar:

        def step(text: str) -> None:
            bar.set_description_str(text)

        step("loading the cell")
        cell = Morphology.load(morphology)
        spines = {region: factor for region, factor in SPINES.items() if region in cell.regions}
        passive = Passive(spine_factor=spines)
        bar.update()
        step("cutting it into compartments")
        compartments = cell.compartments(passive, d_lambda=0.1)
        bar.update()
        rng = np.random.default_rng(seed)
        regions = None if set(cell.regions) - set(NOT_DENDRITE) else cell.regions
        synapses = Synapses.scatter(compartments, EXCITATORY, INHIBITORY, seed=rng, regions=regions)
        x = stimulate(synapses, stimuli, rng)
        active = x * synapses.conductance
        bar.update()
        results = {}
        for name in INTEGRATIONS:
            step(f"{name}: compiling kernels (first run only)")
            _solve(compartments, synapses, x[: min(16, stimuli)], name, threads)
            bar.update()
            step(f"{name}: {stimuli} steady states and gradients")
            results[name] = _solve(compartments, synapses, x, name, threads)
            bar.update()
    path = write_hdf5(
        target,
        _content(compartments, synapses, x, results),
        {
            "program": f"dendrosim {__version__}",
            "kind": "demo",
            "schema": 1,
            "morphology": cell.name or morphology,
            "stimuli": stimuli,
            "seed": seed,
            "R_m": passive.R_m,
            "R_a": passive.R_a,
            "E_leak": passive.E_leak,
            "units": "R_m ohm cm2, R_a ohm cm, E_leak mV",
        },
    )
    return Demo(
        cell,
        compartments,
        synapses,
        active[:, synapses.sign > 0].sum(axis=1),
        active[:, synapses.sign < 0].sum(axis=1),
        results,
        path,
    )


def stimulate(synapses: Synapses, stimuli: int, rng: np.random.Generator) -> Floats:
    """Presynaptic activities of shape (B, P): random excitatory patterns and uniform inhibition, at random levels.

    Excitatory inputs are active with probability `ACTIVE`, all at one level per stimulus; inhibitory inputs are all
    active, at another. Levels are uniform between 0 and 1.
    """
    level = rng.random((stimuli, 2))
    x = np.empty((stimuli, synapses.n_inputs))
    excitatory = np.zeros(synapses.n_inputs, bool)
    excitatory[synapses.source[synapses.sign > 0]] = True
    x[:, excitatory] = level[:, :1] * (rng.random((stimuli, int(excitatory.sum()))) < ACTIVE)
    x[:, ~excitatory] = level[:, 1:]
    return x


def _solve(compartments: Compartments, synapses: Synapses, x: Floats, name: str, threads: int | None) -> Integrated:
    seconds = np.inf
    for _ in range(3):
        started = time.perf_counter()
        state = steady_state(compartments, synapses, x, integration=name, threads=threads)
        gradient = exact_gradient(state, np.ones((len(x), 1)))
        seconds = min(seconds, time.perf_counter() - started)
    return Integrated(
        soma=state.voltage_soma[:, 0],
        voltage=state.voltage.mean(axis=0),
        input_resistance=state.input_resistance.mean(axis=0),
        attenuation=state.attenuation_to_soma.mean(axis=0),
        per_current=gradient.current.mean(axis=0),
        per_conductance=gradient.conductance / len(x),
        seconds=seconds,
    )


_COMPARTMENTS = {
    "parent": ("1", "parent compartment of each compartment, -1 at the root"),
    "leak": ("nS", "leak conductance, spines included"),
    "coupling": ("nS", "axial conductance to the parent, 0 at the root"),
    "capacitance": ("pF", "membrane capacitance, spines included"),
    "region": ("", "name of the region"),
    "path_distance": ("um", "along the tree from the soma to the middle of the compartment"),
    "area": ("um2", "membrane area without spines, 0 at branch points"),
    "xyz": ("um", "middle of the compartment"),
}
_SYNAPSES = {
    "compartment": ("1", "compartment of each synapse"),
    "source": ("1", "input that drives each synapse, a column of stimuli/x"),
    "sign": ("1", "+1 excitatory, -1 inhibitory"),
    "reversal": ("mV", "reversal potential"),
    "conductance": ("nS", "conductance at presynaptic activity 1"),
    "driving_force": ("mV", "fixed driving force of additive integration"),
}
_RESULTS = {
    "soma": ("mV", "soma voltage under each stimulus"),
    "voltage": ("mV", "voltage of each compartment, mean over stimuli"),
    "input_resistance": ("GOhm", "input resistance of each compartment, mean over stimuli"),
    "attenuation": ("1", "attenuation from each compartment to the soma, mean over stimuli"),
    "per_current": ("mV/pA", "derivative of the soma voltage by a current into each compartment, mean over stimuli"),
    "per_conductance": ("mV/nS", "derivative of the soma voltage by each synapse's conductance, mean over stimuli"),
}
"""Units and description of everything stored."""


def _content(
    compartments: Compartments, synapses: Synapses, x: Floats, results: dict[str, Integrated]
) -> dict[str, dict[str, Described]]:
    return {
        "compartments": _described(compartments, _COMPARTMENTS),
        "synapses": _described(synapses, _SYNAPSES),
        "stimuli": {"x": Described(x, "1", "presynaptic activity, one row per stimulus, one column per input")},
        **{name: _described(result, _RESULTS) for name, result in results.items()},
    }


def _described(source: object, table: dict[str, tuple[str, str]]) -> dict[str, Described]:
    return {name: Described(getattr(source, name), *text) for name, text in table.items()}
