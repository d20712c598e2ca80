"""Shunting against additive inhibition in time: at the voltage and at the firing rate.

    python experiments/time_inhibition.py --out time_inhibition      # goes on where it stopped
    python experiments/time_inhibition_figure.py time_inhibition --out docs/figures

A point neuron and a shipped pyramidal cell (or a file: --cells) receive excitation of growing strength under several
levels of constant inhibition: a conductance that reverses at rest (shunting) or 10 mV below it (hyperpolarising), or a
current (additive), at the soma or on the dendrites.

- Voltage, passive: slow ramps and single events; least squares of V(e, g) = a V(e, 0) - c.
- Firing rate: somas that integrate and fire, without and with adaptation, or are those of Hodgkin and Huxley; driven by
  current, regular or Poisson trains, without and with noise; least squares of f(I, g) = a f(I - b, 0).

a is what inhibition divides by, b and c are what it subtracts. Levels of inhibition are in units of the cell's input
conductance at rest.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from time_fits import fit, linear, slope, through, write

import dendrosim as ds

Row = dict[str, Any]
Floats = NDArray[np.float64]

LEVELS = (0.0, 0.5, 1.0, 2.0)
"""Inhibitory conductances in units of the input conductance at rest, at the voltage."""
FIRING = (0.0, 0.25, 0.5, 1.0)
"""The same at the firing rate."""
LOW = (0.0, 0.1, 0.2, 0.4)
"""The same for somas of Hodgkin and Huxley: with more the squid's channels do not fire at all."""
KINDS = ("shunting", "hyperpolarising", "additive")
THRESHOLD = 16.0
"""Of integrate and fire, mV above rest: additive inhibition is the current that shunting draws there."""
SOMAS: dict[str, Any] = {
    "integrate and fire": ds.IntegrateAndFire(threshold=-54.0, reset=-60.0, refractory=2.0),
    "adaptive": ds.AdaptiveIntegrateAndFire(threshold=-54.0, reset=-60.0, refractory=2.0, jump=100.0, tau_w=100.0),
    "Hodgkin-Huxley": None,  # densities differ between cells, see `Cell.soma`
}
N_SYNAPSES = 100
TOGETHER = 4.0
"""Events of the background that come together, see `background`."""
SETTLE = 500.0
"""ms before spikes count."""


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell, where its synapses are, and its input conductance at rest.

    Attributes
    ----------
    name : str
    compartments : Compartments
    sites : int array of shape (N_SYNAPSES,)
        Compartments of excitatory synapses, and of dendritic inhibition.
    densities : float
        Of the channels of Hodgkin and Huxley, in units of the squid's: a soma with dendrites needs more.
    """

    name: str
    compartments: ds.Compartments
    sites: NDArray[np.int64]
    densities: float

    def soma(self, name: str) -> Any:
        """Mechanism of this name."""
        if name != "Hodgkin-Huxley":
            return SOMAS[name]
        k = self.densities
        return ds.HodgkinHuxley(sodium=0.12 * k, potassium=0.036 * k, leak=0.0003)

    def at(self, place: str) -> NDArray[np.int64]:
        """Compartments of inhibition: the soma, or where excitation is."""
        return np.array([0]) if place == "soma" else np.unique(self.sites)

    def inhibited(self, kind: str, place: str, level: float, rest: float, unit: float) -> tuple[list[Any], Floats]:
        """Mechanisms and constant currents (pA) of inhibition of a level; `unit` is the input conductance, nS."""
        at, current = self.at(place), np.zeros(self.compartments.size)
        if not level:
            return [], current
        each = level * unit / at.size
        if kind == "additive":  # what integration="additive" makes of a synapse that stays open
            current[at] -= each * THRESHOLD
            return [], current
        reversal = rest - (10.0 if kind == "hyperpolarising" else 0.0)
        return [ds.LeakConductance(each, reversal, at=at.tolist())], current


@cache
def cell(name: str, active: bool = False) -> Cell:
    """The point neuron, a shipped cell or a file; `active`: its leak reverses where the squid's axon rests."""
    passive = ds.Passive(E_leak=-65.0 if active else -70.0)
    if name == "point":
        radius = 20.0 if active else 50.0  # the squid's own leak is 6 times that of the membrane
        compartments = ds.Morphology.from_swc(f"1 1 0 0 0 {radius} -1\n").compartments(passive, max_length=10.0)
        return Cell(name, compartments, np.zeros(N_SYNAPSES, np.int64), 1.0)
    source = Path(name)
    morphology = ds.Morphology.load(source if source.suffix else name)
    compartments = morphology.compartments(passive, max_length=40.0)
    dendrites = np.isin(compartments.region, ("basal", "apical"))
    area = np.where(dendrites, compartments.area, 0.0)
    sites = np.random.default_rng(0).choice(compartments.size, N_SYNAPSES, p=area / area.sum())
    return Cell(source.stem, compartments, np.sort(sites), 10.0)


@cache
def at_rest(name: str, soma: str) -> tuple[float, float]:
    """Resting potential (mV) and input conductance (nS) of the soma, by a current of 10 pA."""
    here = cell(name, soma == "Hodgkin-Huxley")
    if soma != "Hodgkin-Huxley":
        resistance = ds.steady_state(here.compartments).input_resistance[0, 0]
        return here.compartments.leak_reversal, 1.0 / float(resistance)
    clamp = ds.Clamp(0, [0.0, 10.0])
    trace = ds.simulate(here.compartments, mechanisms=here.soma(soma), clamps=clamp, duration=400.0, threads=1)
    low, high = trace.voltage[:, -1, 0]
    return float(low), 10.0 / float(high - low)


# ---- voltage -------------------------------------------------------------------------------------------------------


def ramps(name: str, excitation: str, kind: str, place: str) -> tuple[Floats, Floats]:
    """Excitation (n,) in pA or nS, and depolarisation at the soma (n_levels, n), of ramps of half a second.

    Excitation that would take the soma to threshold without inhibition is where a ramp ends.
    """
    here = cell(name)
    rest, unit = at_rest(name, "integrate and fire")
    n, steps = here.compartments.size, 500
    along = np.arange(steps) / (steps - 1)
    at = here.at("soma" if excitation == "current" else "dendrites")
    integration = "additive" if kind == "additive" else "shunting"
    inhibitory = here.at(place)
    driving = -THRESHOLD if kind == "additive" else None
    reversal = rest - (10.0 if kind == "hyperpolarising" else 0.0)
    most = THRESHOLD * unit if excitation == "current" else strongest(name, integration)
    activity = np.zeros((steps, len(LEVELS), 2))
    activity[..., 1] = np.array(LEVELS) * unit / inhibitory.size
    clamps: Any = ()
    if excitation == "current":
        clamps = ds.Clamp(0, most * along, interval=1.0)
    else:
        activity[..., 0] = (most / at.size * along)[:, None]
    both = ds.Synapses(here.compartments, at, 0, sign=1, conductance=1.0, n_inputs=2).join(
        ds.Synapses(here.compartments, inhibitory, 1, sign=-1, conductance=1.0, reversal=reversal,
                    driving_force=driving, n_inputs=2), shared_inputs=True,
    )  # fmt: skip
    assert both.n_inputs == 2
    assert both.n_compartments == n
    trace = ds.simulate(
        here.compartments, both, ds.Waveform(activity, 1.0), kinetics="instantaneous", clamps=clamps, dt=0.1,
        duration=500.0, every=10, integration=integration, initial="steady", threads=1,
    )  # fmt: skip
    return most * along, trace.voltage[:, 1:, 0] - rest


@cache
def strongest(name: str, integration: str) -> float:
    """Excitatory conductance on the dendrites that takes the soma just to threshold, nS, by bisection."""
    here = cell(name)
    at = here.at("dendrites")
    synapses = ds.Synapses(here.compartments, at, 0, sign=1, conductance=1.0 / at.size)
    low, high = 0.0, 1e4
    for _ in range(60):
        middle = 0.5 * (low + high)
        state = ds.steady_state(here.compartments, synapses, [[middle]], integration=integration)
        low, high = (
            (middle, high) if state.voltage[0, 0] < here.compartments.leak_reversal + THRESHOLD else (low, middle)
        )
    return low


def events(name: str, place: str, tau: float) -> Floats:
    """Peak at the soma (n_levels,), mV, of one event of 1 nS that decays with `tau`, under shunting inhibition."""
    here = cell(name)
    rest, unit = at_rest(name, "integrate and fire")
    at = here.at("dendrites")
    synapse = ds.Synapses(here.compartments, at, 0, sign=1, conductance=1.0 / at.size)
    peaks = []
    for level in LEVELS:
        mechanisms, _ = here.inhibited("shunting", place, level, rest, unit)
        trace = ds.simulate(
            here.compartments, synapse, ds.Spikes([0.0], [0]), kinetics=ds.Exponential(tau), mechanisms=mechanisms,
            dt=0.025, duration=200.0, method="crank_nicolson", arrival="exact", threads=1,
        )  # fmt: skip
        peaks.append(float(trace.voltage[0, :, 0].max()) - rest)
    return np.array(peaks)


def voltage_rows(name: str) -> Iterator[Row]:
    """Fits of all conditions at the voltage."""
    places = ("soma",) if name == "point" else ("soma", "dendrites")
    base = {"part": "voltage", "cell": cell(name).name, "soma": "passive", "seed": 0}
    for excitation in ("current", "conductance"):
        for place in places:
            for kind in KINDS:
                _, curves = ramps(name, excitation, kind, place)
                for level, curve in zip(LEVELS[1:], curves[1:], strict=True):
                    a, c, r2 = linear(curves[0], curve)
                    fit = {"a": a, "b": c, "unit": "mV", "r2": r2, "r2_divisive": through(curves[0], curve)}
                    fit["r2_subtractive"] = 1.0 - (curve - curves[0]).var() / curve.var()
                    names = {"excitation": f"ramp of {excitation}", "inhibition": kind, "place": place}
                    yield {**base, **names, "level": level, **fit}
    for place in places:
        for tau in (0.2, 1.0, 5.0, 20.0, 100.0):
            peaks = events(name, place, tau)
            for level, peak in zip(LEVELS[1:], peaks[1:], strict=True):
                names = {"excitation": f"event of {tau:g} ms", "inhibition": "shunting", "place": place}
                yield {**base, **names, "level": level, "a": float(peak / peaks[0]), "b": 0.0, "unit": "mV"}


# ---- firing rate ---------------------------------------------------------------------------------------------------


def rates(trace: ds.Trace, n_stimuli: int, duration: float, regular: bool) -> Floats:
    """Firing rates (n_stimuli,), Hz, after `SETTLE`; of regular firing from intervals, not rounded by counts."""
    out = np.zeros(n_stimuli)
    for stimulus in range(n_stimuli):
        times = trace.spike_time[(trace.spike_stimulus == stimulus) & (trace.spike_time > SETTLE)]
        if regular and times.size > 1:
            late = times[-1] > duration - 2.0 * (times[-1] - times[-2]) - 100.0  # one that fell silent does not count
            out[stimulus] = late * 1e3 * (times.size - 1) / (times[-1] - times[0])
        elif not regular:
            out[stimulus] = 1e3 * times.size / (duration - SETTLE)
    return out


@dataclass(frozen=True)
class Drive:
    """What excites: its strengths and its spikes."""

    name: str
    strength: Floats
    duration: float
    noise: float = 0.0

    @property
    def current(self) -> bool:
        return self.name.startswith("current")


def background(here: Cell, unit: float, multiple: float, spread: float, n: int, drive: Drive, seed: int) -> Any:
    """Synapses and spikes of a balanced background in the manner of Chance, Abbott & Reyes 2002, for n stimuli.

    Once: 7,000 excitatory events a second of 2 % of the input conductance that decay with 5 ms, 3,000 inhibitory
    ones of 6 % with 10 ms, reversal -80 mV: 2.5 input conductances on average, that reverse at -58 mV. `spread`
    enlarges events and makes them rarer, as if so many came together.
    """
    at = here.sites
    synapses = ds.Synapses(
        here.compartments, np.concatenate([at, at]), np.arange(2 * at.size), sign=np.repeat([1, -1], at.size),
        reversal=np.repeat([0.0, -80.0], at.size),
        conductance=np.repeat([0.02 * unit, 0.06 * unit], at.size),
    )  # fmt: skip
    rate = np.repeat([7e3, 3e3], at.size) / at.size * multiple / spread
    found = ds.Spikes.poisson(np.broadcast_to(rate, (n, rate.size)), drive.duration, np.random.default_rng([seed, 1]))
    spikes = ds.Spikes(
        found.time, found.source, found.stimulus, spread, n_inputs=found.n_inputs, n_stimuli=found.n_stimuli
    )
    return synapses, spikes


def trains(here: Cell, unit: float, drive: Drive, seed: int) -> Any:
    """Synapses and spikes of excitation whose strength is the mean conductance, in units of the cell's own."""
    tau = 2.0
    synapses = ds.Synapses(
        here.compartments, here.sites, np.arange(N_SYNAPSES), sign=1, conductance=unit / N_SYNAPSES / (0.02 * tau)
    )  # a mean conductance of `unit` at 20 Hz
    hz = 20.0 * drive.strength
    if drive.name == "Poisson trains":
        table = np.broadcast_to(hz[:, None], (hz.size, N_SYNAPSES))
        return synapses, ds.Spikes.poisson(table, drive.duration, np.random.default_rng([seed, 2]))
    phase = np.random.default_rng([seed, 3]).random(N_SYNAPSES)
    parts = []
    for stimulus, rate in enumerate(hz):
        if rate > 0.0:
            period = 1e3 / rate
            times = (np.arange(drive.duration // period)[:, None] + phase) * period
            parts.append((times.ravel(), np.tile(np.arange(N_SYNAPSES), len(times)), np.full(times.size, stimulus)))
    time, source, stimuli = (np.concatenate(column) for column in zip(*parts, strict=True))
    kept = time < drive.duration
    return synapses, ds.Spikes(time[kept], source[kept], stimuli[kept], n_inputs=N_SYNAPSES, n_stimuli=hz.size)


def curve(name: str, soma: str, drive: Drive, kind: str, place: str, level: float, seed: int) -> Floats:
    """Firing rate at every strength of the drive (n,), Hz."""
    here = cell(name, soma == "Hodgkin-Huxley")
    rest, unit = at_rest(name, soma)
    n, duration = drive.strength.size, drive.duration
    multiple, spread = drive.noise, 1.0 if kind == "background of single events" else TOGETHER
    if kind.startswith("background"):
        multiple, level = multiple + 2.0 * level, 0.0
    if kind == "variance":  # the conductances of one background, 1 + level times their standard deviation
        spread, level = spread * (1.0 + level) ** 2, 0.0
    mechanisms, current = here.inhibited(kind, place, level, rest, unit)
    integration = "additive" if kind == "additive" and not drive.current else "shunting"
    synapses = spikes = None
    clamps: Any = ()
    if not drive.current:
        synapses, spikes = trains(here, unit, drive, seed)
    else:
        clamps = ds.Clamp(0, drive.strength * unit * THRESHOLD)
        if multiple:
            synapses, spikes = background(here, unit, multiple, spread, n, drive, seed)
    trace = ds.simulate(
        here.compartments, synapses, spikes, mechanisms=[here.soma(soma), *mechanisms], clamps=clamps,
        current=current, n_stimuli=n, dt=0.05 if soma == "Hodgkin-Huxley" or name == "point" else 0.1,
        duration=duration, record="none", arrival="exact", integration=integration, threads=1,
        kinetics=(ds.Exponential(5.0), ds.Exponential(10.0)) if multiple else ds.Exponential(2.0),
    )  # fmt: skip
    return rates(trace, n, duration, drive.name in ("current", "regular trains"))


def plan(names: list[str], seeds: int) -> Iterator[tuple[str, str, Drive, str, str, int]]:
    """Cell, soma, drive, kind and place of inhibition, and seed, of every set of curves."""
    for name in names:
        places = ("soma",) if name == "point" else ("soma", "dendrites")
        for soma in SOMAS:
            squid = soma == "Hodgkin-Huxley"  # depolarisation blocks it soon
            point = name == "point"
            top = {"integrate and fire": 4.0, "adaptive": 6.0, "Hodgkin-Huxley": 2.4 if point else 4.0}[soma]
            steady = Drive("current", np.linspace(0.0, top, 65), 1500.0)
            for place in places:
                for kind in KINDS:
                    yield name, soma, steady, kind, place, 0
            top = {"integrate and fire": 1.6, "adaptive": 2.4, "Hodgkin-Huxley": 0.5 if point else 1.2}[soma]
            length = 3000.0 if point else 2000.0
            regular = Drive("regular trains", np.linspace(0.0, top, 33), length)
            poisson = Drive("Poisson trains", np.linspace(0.0, top, 33), length)
            noisy = Drive("current and noise", np.linspace(0.0, 4.5, 37), length, 1.0)
            for seed in range(seeds):
                for drive in (poisson,) if squid or seed else (regular, poisson):
                    for place in places:
                        for kind in KINDS:
                            yield name, soma, drive, kind, place, seed
                if not squid:
                    for kind in ("shunting", "background", "background of single events", "variance"):
                        yield name, soma, noisy, kind, "soma", seed


def levels(soma: str) -> tuple[float, ...]:
    """Levels of inhibition, no inhibition first."""
    return LOW if soma == "Hodgkin-Huxley" else FIRING


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", default=["point", "pyramidal_l5"], help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=3, help="of random trains; default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("time_inhibition"), help="folder of the tables")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    raw = options.out / "curves.csv"
    rows: list[Row] = list(csv.DictReader(raw.open(encoding="utf-8"))) if raw.exists() else []
    keys = ("cell", "soma", "excitation", "inhibition", "place", "seed")
    done = {tuple(r[k] for k in keys) for r in rows}
    with raw.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*keys, "level", "strength", "rate"])
        if not rows:
            writer.writeheader()
        for name, soma, drive, kind, place, seed in plan(options.cells, options.seeds):
            key = (cell(name).name, soma, drive.name, kind, place, str(seed))
            if key in done:
                continue
            new = []
            for level in levels(soma):
                found = curve(name, soma, drive, kind, place, level, seed)
                same = {**dict(zip(keys, key, strict=True)), "level": str(level)}
                pairs = zip(drive.strength, found, strict=True)
                new += [{**same, "strength": f"{x:.6g}", "rate": f"{y:.5g}"} for x, y in pairs]
            writer.writerows(new)
            file.flush()
            rows += new
            print(*key, *(max(float(r["rate"]) for r in new if r["level"] == str(v)) for v in levels(soma)), flush=True)
    table = [row for name in options.cells for row in voltage_rows(name)]
    for key in dict.fromkeys(tuple(r[k] for k in keys) for r in rows):
        here = [r for r in rows if tuple(r[k] for k in keys) == key]
        curves = {v: np.array([float(r["rate"]) for r in here if float(r["level"]) == v]) for v in levels(key[1])}
        strength = np.array([float(r["strength"]) for r in here if float(r["level"]) == 0.0])
        for level in levels(key[1])[1:]:
            unit = "thresholds" if key[2].startswith("current") else "input conductances"
            found = fit(strength, curves[0.0], curves[level])
            found["gain"] = slope(strength, curves[level]) / slope(strength, curves[0.0])
            table.append({"part": "rate", **dict(zip(keys, key, strict=True)), "level": level, **found, "unit": unit})
    write(options.out / "time_inhibition.csv", table)


if __name__ == "__main__":
    main()
