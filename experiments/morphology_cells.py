"""Cells of the morphology study: grown by seed, shipped, and read from folders; and what describes them.

Grown cells are of three kinds: minimum spanning trees (Cuntz et al. 2010), random branching (van Pelt et al. 1997) and
regular binary trees, half of them by Rall's 3/2 law. Their parameters are drawn independently, membrane resistance
among them, so that branching, size, taper, tortuosity and electrotonic length do not go together more than geometry
demands.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dendrosim as ds
from dendrosim import grow
from dendrosim.errors import DendrosimError, MorphologyWarning

Floats = NDArray[np.float64]
SHIPPED = ("pyramidal_l5", "ca1_pyramidal", "purkinje", "granule", "basket", "stellate", "ball_and_stick")
KINDS = ("spanning", "random", "regular")
FINENESS = {"fine": 0.05, "": 0.1, "coarse": 0.3}
"""Compartments per length constant at 100 Hz, by what is added to the names of columns."""
LARGEST_SOMA = 50.0
"""um; a file with a larger one is not in micrometres."""
FEWEST, MOST = 2, 90
"""Tips of grown cells."""
DESCRIPTORS = (
    "tips", "stems", "max_order", "mean_order", "max_path", "length", "tortuosity", "taper", "asymmetry",
    "electrotonic", "electrotonic_tips", "electrotonic_max", "electrotonic_cv", "attenuation", "resistance", "R_m",
    "compartments",
)  # fmt: skip
PREDICTIONS = (
    "predicted_reciprocal", "predicted_transfer", "predicted_directed",
    *(f"predicted_{way}_{name}" for way in ("reciprocal", "directed") for name in ("fine", "coarse", "section")),
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One cell of the study.

    Attributes
    ----------
    name : str
        Unique: what its rows are found by.
    kind : str
        ``spanning``, ``random``, ``regular``, ``shipped`` or ``file``.
    group : str
        Folder of a file below the one that was given, "." for that itself; "" for others.
    source : str
        Path, name of a shipped cell, or ``seed:number``.
    """

    name: str
    kind: str
    group: str
    source: str

    def morphology(self) -> tuple[ds.Morphology, ds.Passive]:
        """Dendrites and soma, and the membrane.

        Raises
        ------
        DendrosimError
            If the file is damaged, or not in micrometres.
        """
        if self.kind in KINDS:
            seed, number = map(int, self.source.split(":"))
            return grown(self.kind, np.random.default_rng([seed, number]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MorphologyWarning)  # dendrosim morphology check FILE lists them
            cell = ds.Morphology.load(self.source)
        if cell.soma is not None and cell.soma.radius > LARGEST_SOMA:
            raise DendrosimError(
                f"a soma of radius {cell.soma.radius:.0f} um: this file is not in micrometres; convert it first"
            )
        if "axon" in cell.regions:
            cell = cell.prune(region="axon")
        if not cell.sections.length[cell.sections.region != "soma"].sum() > 0.0:
            raise DendrosimError("nothing but a soma and perhaps an axon: there is no dendrite to put synapses on")
        return cell, membrane()


def membrane(R_m: float = 20_000.0) -> ds.Passive:
    """The membrane of all cells; grown ones draw its resistivity, ohm cm2."""
    return ds.Passive(R_m=R_m, R_a=150.0, E_leak=-70.0)


def compartments(cell: ds.Morphology, passive: ds.Passive, d_lambda: float = 0.1) -> ds.Compartments:
    """Compartments by the d_lambda rule."""
    return cell.compartments(passive, d_lambda=d_lambda)


def all_cells(n: int, seed: int, folders: Sequence[Path], shipped: Sequence[str] = SHIPPED) -> Iterator[Cell]:
    """Shipped cells, then files, then n grown cells, the kinds in turn."""
    for name in shipped:
        yield Cell(name, "shipped", "", name)
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() == ".swc" and path.is_file():
                inside = path.relative_to(folder)
                yield Cell(f"{folder.name}/{inside.as_posix()}", "file", inside.parent.as_posix(), str(path))
    for i in range(n):
        kind = KINDS[(0, 1, 0, 1, 2)[i % 5]]
        yield Cell(f"grown-{seed}-{i:03d}", kind, "", f"{seed}:{i}")


def grown(kind: str, rng: np.random.Generator) -> tuple[ds.Morphology, ds.Passive]:
    """A cell of some kind; drawn again until it has from 2 to 90 tips."""
    make = {"spanning": _spanning, "random": _random, "regular": _regular}[kind]
    while True:
        cell = make(rng)
        if FEWEST <= cell.n_tips <= MOST:
            break
    bends = float(rng.uniform(0.0, 4.0))
    cell = grow.jitter(grow.resample(cell, 6.0), bends, rng, correlation=15.0)
    if kind != "regular" or rng.random() < 0.5:  # the others keep diameters that obey Rall's law
        tip = _log_uniform(rng, 0.4, 1.2)
        cell = grow.quadratic_taper(cell, tip * _log_uniform(rng, 1.0, 6.0), tip)
    return cell, membrane(_log_uniform(rng, 3_000.0, 60_000.0))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(low * (high / low) ** rng.random())


def _spanning(rng: np.random.Generator) -> ds.Morphology:
    reach = _log_uniform(rng, 70.0, 450.0)
    region = grow.Ellipsoid((0.0, 0.0, 0.0), (reach, reach * rng.uniform(0.3, 1.0), reach * rng.uniform(0.3, 1.0)))
    points = grow.scatter(region, round(_log_uniform(rng, 8, 150)), rng)
    points = points[np.sqrt((points**2).sum(axis=1)) > 12.0]
    if not len(points):
        return _spanning(rng)
    stems = int(rng.integers(1, 8))
    return grow.minimum_spanning_tree(points, balance=float(rng.random()), soma_radius=8.0, max_stems=stems)


def _random(rng: np.random.Generator) -> ds.Morphology:
    longest = _log_uniform(rng, 80.0, 600.0)
    return grow.random_branching(
        rng,
        stems=int(rng.integers(1, 8)),
        branching_rate=_log_uniform(rng, 0.7, 6.0) / longest,
        order_decay=float(rng.uniform(0.0, 0.6)),
        termination_rate=_log_uniform(rng, 0.1, 1.5) / longest,
        max_path=longest,
        persistence=_log_uniform(rng, 50.0, 500.0),
        spacing=3.0,
        max_samples=20_000,
    )


def _regular(rng: np.random.Generator) -> ds.Morphology:
    levels, stems = int(rng.integers(2, 7)), int(rng.integers(1, 5))
    radius = _log_uniform(rng, 0.6, 3.0)
    length = _log_uniform(rng, 30.0, 200.0)
    split = float(rng.uniform(0.5, 0.8))
    one = grow.rall_tree(levels, radius=radius, length=length, split=split, soma_radius=8.0, spacing=6.0)
    return grow.graft(one, *([one] * (stems - 1))) if stems > 1 else one


def describe(cell: ds.Morphology, passive: ds.Passive, tree: ds.Compartments) -> dict[str, float]:
    """Descriptors and predictions of a cell; lengths in um, resistance in MOhm, electrotonic lengths in lambda."""
    sections = cell.sections
    tips = sections.n_children == 0
    dendrite = (tree.region != "soma") * tree.length
    dendrite = dendrite / dendrite.sum()
    far = electrotonic_tips(tree)
    rest = ds.steady_state(tree)
    ends = sections.offset[1:] - 1
    first = sections.offset[:-1][sections.parent < 0]
    straight = sections.end_distance > 0
    found = {
        "tips": cell.n_tips,
        "stems": cell.n_neurites,
        "max_order": sections.branch_order.max(),
        "mean_order": sections.branch_order[tips].mean(),
        "max_path": sections.path_stop.max(),
        "length": sections.length.sum(),
        "tortuosity": sections.length[straight].sum() / sections.end_distance[straight].sum(),
        "taper": np.median(sections.radii[ends][tips]) / sections.radii[first].max(),
        "asymmetry": asymmetry(sections.parent),
        "electrotonic": dendrite @ tree.electrotonic_distance,
        "electrotonic_tips": far.mean(),
        "electrotonic_max": far.max(),
        "electrotonic_cv": far.std() / far.mean(),
        "attenuation": dendrite @ rest.attenuation_to_soma[0],
        "resistance": 1e3 * rest.input_resistance[0, 0],
        "R_m": passive.R_m,
        "compartments": tree.size,
    }
    return {name: float(value) for name, value in (found | predictions(cell, passive)).items()}


def predictions(cell: ds.Morphology, passive: ds.Passive) -> dict[str, Any]:
    """Cosines from the shape alone, in both directions, and how they depend on the size of compartments."""
    predict = ds.diagnostics.predicted_fidelity
    trees = {name: compartments(cell, passive, d_lambda) for name, d_lambda in FINENESS.items()}
    trees["section"] = cell.compartments(passive, max_length=1e9)  # one compartment per unbranched stretch
    found: dict[str, Any] = {"predicted_transfer": predict(trees[""], input_resistance=False).cosine}
    for way in ("reciprocal", "directed"):
        for name, tree in trees.items():
            found[f"predicted_{way}_{name}".rstrip("_")] = predict(tree, direction=way).cosine
    return found


def electrotonic_tips(tree: ds.Compartments) -> Floats:
    """Electrotonic distance of every tip from the soma: that of its compartment's middle and half the compartment."""
    tip = np.ones(tree.size, dtype=bool)
    tip[tree.parent[tree.parent >= 0]] = False
    tip &= tree.parent >= 0
    half = 0.5 * np.sqrt(tree.leak * tree.axial_resistance * 1e-3)
    ends: Floats = (tree.electrotonic_distance + half)[tip]
    return ends


def asymmetry(parent: NDArray[np.int64]) -> float:
    """Mean of |r - s| / (r + s - 2) over bifurcations with r and s tips, not both 1 (van Pelt et al. 1992).

    0 is a symmetric tree, 1 a comb; 0 too where no bifurcation counts.

    Parameters
    ----------
    parent : int array of shape (n_sections,)
        Section above, -1 at stems; parents come first.
    """
    tips = np.bincount(parent[parent >= 0], minlength=parent.size) == 0
    count = tips.astype(np.int64)
    for section in range(parent.size - 1, -1, -1):
        if parent[section] >= 0:
            count[parent[section]] += count[section]
    values = []
    for section in np.flatnonzero(np.bincount(parent[parent >= 0], minlength=parent.size) == 2):
        r, s = count[parent == section]
        if r + s > 2:
            values.append(abs(r - s) / (r + s - 2))
    return float(np.mean(values)) if values else 0.0
