"""Grow the cells that ship in morphologies/, or check that they can be grown again byte for byte.

python experiments/grow_cells.py              write morphologies/*.swc and morphologies/PROVENANCE.md
python experiments/grow_cells.py --check      change nothing; exit with 1 if anything would change
python experiments/grow_cells.py --out DIR    write to another folder
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dendrosim.morphology.growth import (
    Cone,
    Ellipsoid,
    ball_and_stick,
    graft,
    jitter,
    minimum_spanning_tree,
    power_taper,
    quadratic_taper,
    random_branching,
    resample,
    scatter,
    smooth,
    unbranched,
)
from dendrosim.morphology.samples import APICAL, AXON, BASAL, SOMA, Samples
from dendrosim.morphology.swc import write_swc
from dendrosim.morphology.tree import Morphology

Floats = NDArray[np.float64]
ORIGIN = (0.0, 0.0, 0.0)
OBLIQUE, TUFT = 10, 11  # while growing, so that each gets its own taper; both are apical (4) in the files
SHIPPED = Path(__file__).resolve().parent.parent / "morphologies"


@dataclass(frozen=True)
class Cell:
    """One shipped cell: how to grow it, what it stands for, and the published sizes it was fitted to by eye."""

    name: str
    grow: Callable[[], Morphology]
    what: str
    sizes: str


def heading(around: Sequence[float], above: Sequence[float]) -> Floats:
    """Unit vectors: degrees around the y axis, and degrees above the horizontal plane."""
    a, t = np.deg2rad(around), np.deg2rad(above)
    return np.stack([np.cos(t) * np.cos(a), np.sin(t), np.cos(t) * np.sin(a)], axis=1)


def stems(ways: Floats, soma_radius: float, length: float) -> Morphology:
    """A soma with short straight beginnings of basal dendrites."""
    first, *others = (
        unbranched(
            [soma_radius * way, (soma_radius + 0.5 * length) * way, (soma_radius + length) * way],
            1.0,
            structure=BASAL,
            soma=ORIGIN,
            soma_radius=soma_radius,
        )
        for way in ways
    )
    return graft(first, *others)


def trunk(top: float, soma_radius: float, seed: int) -> Morphology:
    """A soma with an apical trunk that wanders up to the height `top`."""
    y = np.linspace(soma_radius, top, round(top / 10))
    course = np.stack([0 * y, y, 0 * y], axis=1)
    straight = unbranched(course, 1.0, structure=APICAL, soma=ORIGIN, soma_radius=soma_radius)
    return jitter(straight, 9.0, seed, correlation=180.0)


def between(tree: Morphology, low: float, high: float) -> NDArray[np.bool_]:
    """Samples of the apical trunk with heights from `low` to `high`."""
    y = tree.samples.xyz[:, 1]
    return np.asarray((tree.samples.type == APICAL) & (y >= low) & (y <= high))


def off_soma(base: Morphology) -> NDArray[np.bool_]:
    """Samples of stems but for those on the soma's surface, where a neurite begins and must not branch."""
    samples = base.samples
    return np.asarray((samples.type != SOMA) & (samples.parent != 0))


def natural(tree: Morphology, seed: int, *, spacing: float) -> Morphology:
    """Round the corners of a spanning tree, let it wander, and space the samples evenly."""
    return resample(jitter(smooth(resample(tree, 3.0), 12), 2.5, seed, correlation=25.0), spacing)


def away_from_axis(least: float, fade: float) -> Callable[[Floats], Floats]:
    """Density for oblique dendrites: none next to the trunk, and fewer higher up (all gone at `fade` um)."""
    return lambda p: np.where(np.hypot(p[:, 0], p[:, 2]) > least, np.clip(1.1 - p[:, 1] / fade, 0.0, 1.0), 0.0)


def pyramidal_l5() -> Morphology:
    r = 9.0
    tree = trunk(720.0, r, 51)
    side = scatter(Cone((0, 70, 0), (0, 430, 0), 125, 150), 48, 52, apart=32, density=away_from_axis(30, 520))
    tree = minimum_spanning_tree(side, balance=0.55, start=tree, grow_from=between(tree, 45, 430), structure=OBLIQUE)
    crown = scatter(
        Cone((0, 740, 0), (0, 1130, 0), 40, 180), 72, 53, apart=28, density=lambda p: ((p[:, 1] - 640) / 490) ** 2
    )
    tree = minimum_spanning_tree(crown, balance=0.6, start=tree, grow_from=between(tree, 680, 760), structure=TUFT)
    base = stems(heading([0, 55, 115, 180, 235, 290, 330], [-15, -50, 5, -20, -45, -10, -60]), r, 14.0)
    below = scatter(Ellipsoid((0, -35, 0), (150, 135, 130), hollow=0.2), 82, 54, apart=26)
    base = minimum_spanning_tree(below, balance=0.7, start=base, grow_from=off_soma(base))
    course = [[0, -r, 0], [1, -r - 20, 2], [-2, -r - 40, 3], [1, -r - 70, 0]]
    axon = unbranched(course, 1.0, structure=AXON, soma=ORIGIN, soma_radius=r)
    cell = natural(graft(tree, base, axon), 55, spacing=7.0)
    for structure, thick, thin in ((APICAL, 5.0, 2.4), (OBLIQUE, 1.5, 0.6), (TUFT, 2.4, 0.6), (BASAL, 2.2, 0.6)):
        cell = quadratic_taper(cell, thick, thin, structure=structure)
    return quadratic_taper(cell, 2.0, 0.8, structure=AXON)


def ca1_pyramidal() -> Morphology:
    r = 9.5
    tree = trunk(310.0, r, 101)
    side = scatter(Cone((0, 60, 0), (0, 360, 0), 90, 130), 62, 102, apart=24, density=away_from_axis(25, 600))
    tree = minimum_spanning_tree(side, balance=0.55, start=tree, grow_from=between(tree, 40, 290), structure=OBLIQUE)
    crown = scatter(Cone((0, 390, 0), (0, 520, 0), 90, 150), 36, 103, apart=26)
    tree = minimum_spanning_tree(crown, balance=0.6, start=tree, grow_from=between(tree, 280, 350), structure=TUFT)
    base = stems(heading([0, 75, 140, 220, 290], [-40, -65, -45, -70, -50]), r, 12.0)
    below = scatter(Cone((0, -20, 0), (0, -200, 0), 60, 130), 105, 104, apart=21)
    base = minimum_spanning_tree(below, balance=0.7, start=base, grow_from=off_soma(base))
    course = [[0, -r, 0], [-1, -r - 20, -2], [2, -r - 60, 1]]
    axon = unbranched(course, 1.0, structure=AXON, soma=ORIGIN, soma_radius=r)
    cell = natural(graft(tree, base, axon), 105, spacing=6.0)
    for structure, thick, thin in ((APICAL, 3.4, 2.0), (OBLIQUE, 1.2, 0.5), (TUFT, 1.8, 0.5), (BASAL, 1.8, 0.5)):
        cell = quadratic_taper(cell, thick, thin, structure=structure)
    return quadratic_taper(cell, 1.4, 0.6, structure=AXON)


class Fan:
    """The flat field of a Purkinje cell: an uneven fan above the soma, 14 um thick."""

    def bounds(self) -> tuple[Floats, Floats]:
        return np.array([-135.0, 38.0, -7.0]), np.array([135.0, 250.0, 7.0])

    def contains(self, points: Floats) -> NDArray[np.bool_]:
        x, y = points[:, 0], points[:, 1] - 45.0
        angle = np.arctan2(x, y)  # 0 straight up
        reach = 188.0 - 55.0 * np.abs(angle) ** 1.3 + 9.0 * np.sin(7.0 * angle + 1.0) + 7.0 * np.sin(13.0 * angle)
        inside: NDArray[np.bool_] = (np.hypot(x, y) < reach) & (np.abs(angle) < 1.6)
        return inside


def squeezed(tree: Morphology, factor: float) -> Morphology:
    """The same tree with its heights multiplied by `factor`."""
    samples = tree.samples
    return Morphology(replace(samples, xyz=samples.xyz * np.array([1.0, factor, 1.0])), name=tree.name)


def purkinje() -> Morphology:
    r, squeeze = 12.5, 0.72
    stem = unbranched([[0, r, 0], [1, r + 11, 0], [0, r + 24, 0]], 1.0, structure=BASAL, soma=ORIGIN, soma_radius=r)
    points = scatter(Fan(), 1450, 61, apart=3.6)
    # grown where heights count less, so that branches turn towards the pia as they do in the molecular layer
    low = squeezed(stem, squeeze)
    low = minimum_spanning_tree(
        points * np.array([1.0, squeeze, 1.0]), balance=0.4, start=low, grow_from=stem.samples.xyz[:, 1] > r + 20
    )
    cell = smooth(resample(squeezed(low, 1.0 / squeeze), 1.5), 6)
    return power_taper(resample(jitter(cell, 0.5, 62, correlation=10.0), 4.0), 0.9, exponent=3.5)


def granule() -> Morphology:
    r = 3.25
    rng = np.random.default_rng(71)
    points = []
    for way in heading([20, 110, 205, 290], [15, -30, 25, -10]):
        end = way * (r + 11.0 + 5.0 * rng.random())
        points += [way * (r + 6.0) + 0.6 * rng.standard_normal(3), end]
        points += list(end + 2.5 * way + scatter(Ellipsoid(ORIGIN, (3.2, 3.2, 3.2)), 3, rng, apart=3.0))
    tree = minimum_spanning_tree(np.array(points), balance=0.9, soma_radius=r, max_stems=4)
    tree = resample(jitter(smooth(resample(tree, 0.5), 8), 0.25, 72, correlation=6.0), 1.0)
    return quadratic_taper(tree, 1.0, 0.7)


def basket() -> Morphology:
    tree = random_branching(
        82,
        stems=6,
        branching_rate=0.015,
        order_decay=1.0,
        termination_rate=0.002,
        max_path=240.0,
        persistence=260.0,
        outward=0.006,
        spacing=4.0,
        soma_radius=7.0,
    )
    return quadratic_taper(tree, 1.4, 0.5)


def stellate() -> Morphology:
    r = 6.5
    base = stems(heading([10, 80, 150, 215, 290, 340], [20, -30, 40, -10, 35, -45]), r, 8.0)
    points = scatter(Ellipsoid(ORIGIN, (120, 130, 110), hollow=0.2), 48, 91, apart=28)
    tree = minimum_spanning_tree(points, balance=0.7, start=base, grow_from=off_soma(base))
    return quadratic_taper(natural(tree, 92, spacing=4.0), 1.5, 0.5)


FIALA = "Fiala and Harris 1999, https://synapseweb.clm.utexas.edu/dimensions-dendrites"
CELLS = (
    Cell(
        "pyramidal_l5",
        pyramidal_l5,
        "thick-tufted layer 5 pyramidal cell of rat neocortex: basal dendrites, apical trunk, obliques and tuft, and "
        "the first 70 um of an axon",
        "about 1.1 mm from soma to pia, 10-14 mm of dendrite, trunk of about 5 um at the soma (range of public "
        "reconstructions); balancing factor 0.4-0.7 (Cuntz et al. 2010, figure 7)",
    ),
    Cell(
        "ca1_pyramidal",
        ca1_pyramidal,
        "CA1 pyramidal cell of rat hippocampus: basal dendrites (stratum oriens), obliques (radiatum), tuft "
        "(lacunosum-moleculare), and the first 60 um of an axon",
        "soma 21 um, 5 basal stems, 11.9 mm of dendrite (oriens 5.5, radiatum 4.1, lacunosum-moleculare 2.3), reach "
        f"500 um ({FIALA})",
    ),
    Cell(
        "purkinje",
        purkinje,
        "cerebellar Purkinje cell, flat in z",
        f"soma 25 um, one stem, 440 branch points, distal diameters 0.8-2.2 um, reach 200 um, 9.1 mm ({FIALA})",
    ),
    Cell(
        "granule",
        granule,
        "cerebellar granule cell: four short dendrites that end in claws",
        f"soma 7 um, 4 dendrites of 1 um that reach 15 um, 60 um in all without the claws ({FIALA})",
    ),
    Cell(
        "basket",
        basket,
        "multipolar basket cell of neocortex (dendrites only), by random branching",
        "2-4 mm of smooth dendrites with 20-30 tips, 4-8 stems, reach 150-250 um (range of public reconstructions)",
    ),
    Cell(
        "stellate",
        stellate,
        "spiny stellate cell of layer 4 of neocortex (dendrites only)",
        "4-6 stems around a soma of 12-16 um, 2-3 mm of dendrites, reach 100-150 um (no single source)",
    ),
    Cell(
        "ball_and_stick",
        lambda: ball_and_stick(soma_radius=10.0, length=500.0, radius=1.0, spacing=10.0),
        "soma of 10 um radius and one cylinder of 500 um by 2 um",
        "none: exact by definition (Rall 1962)",
    ),
)
PREFACE = """\
# Shipped cells

Synthetic morphologies, grown by `dendrosim.grow`; none is a reconstruction of a real cell, and none contains data of
one. Licence: as the project (Apache-2.0).

Made with `python experiments/grow_cells.py`; the seeds and every parameter stand in the function of the cell's name in
that file. `python experiments/grow_cells.py --check` grows them again and compares byte for byte (coordinates are
rounded to 0.001 um, so that the last bits of a mathematics library do not matter).

Methods: minimum spanning trees with a balancing factor (Cuntz, Forstner, Borst and Häusser, PLoS Comput. Biol. 6, 2010,
e1000877), smoothing and correlated jitter, quadratic taper (Cuntz, Borst and Segev, Theor. Biol. Med. Model. 4, 2007,
21) or, for the Purkinje cell, a power law of branching; the basket cell by random branching (van Pelt, Dityatev and
Uylings, J. Comp. Neurol. 387, 1997, 325-340). Regions and numbers of carrier points were set by hand until the sizes
were near those given below and the picture looked right; branching statistics were not fitted.

Dendrites only (axon stubs not counted), lengths and diameters in um, area of dendrites in um2:
"""


def finished(cell: Cell) -> Samples:
    """The cell as it goes to its file: rounded to 1 nm, with a header."""
    samples = cell.grow().samples
    header = (
        f"# {cell.name}: {cell.what}",
        "# Synthetic: grown by dendrosim, not reconstructed from a real cell.",
        f"# Sizes aimed at: {cell.sizes}",
        "# Made with: python experiments/grow_cells.py (function " + f"{cell.name}, which holds the seeds)",
        "# Units um; types 1 soma, 2 axon, 3 basal or only dendrite, 4 apical; soma is one point, a sphere",
        "# id type x y z radius parent",
    )
    return replace(
        samples,
        type=np.where(np.isin(samples.type, (OBLIQUE, TUFT)), APICAL, samples.type),
        xyz=np.round(samples.xyz, 3) + 0.0,  # + 0.0 turns -0.0 into 0.0
        radius=np.round(samples.radius, 3),
        comments=tuple((0, line) for text in header for line in textwrap.wrap(text, 110, subsequent_indent="#   ")),
    )


def statistics(samples: Samples) -> str:
    """A row of the table in PROVENANCE.md."""
    parent, kind = samples.parent, samples.type
    dendrite = (kind != SOMA) & (kind != AXON)
    edges = np.flatnonzero(dendrite & (parent >= 0) & (kind[parent] != SOMA))
    step = samples.xyz[edges] - samples.xyz[parent[edges]]
    length = np.sqrt((step * step).sum(axis=1))
    slant = np.hypot(length, samples.radius[edges] - samples.radius[parent[edges]])
    area = np.pi * (samples.radius[edges] + samples.radius[parent[edges]]) * slant
    children = np.bincount(parent[parent >= 0], minlength=len(samples))
    begins = np.flatnonzero(dendrite & (kind[parent] == SOMA))
    tips = dendrite & (children == 0)
    size = " x ".join(f"{extent:.0f}" for extent in np.ptp(samples.xyz, axis=0))
    values = (
        f"{len(samples)}",
        f"{2 * samples.radius[0]:g}",
        f"{begins.size}",
        f"{tips.sum()}",
        f"{length.sum():.0f}",
        f"{area.sum():.0f}",
        f"{2 * samples.radius[begins].max():.1f}",
        f"{2 * np.median(samples.radius[tips]):.1f}",
        size,
    )
    return " | ".join(values)


def provenance(folder: Path, grown: dict[str, Samples]) -> str:
    """Text of PROVENANCE.md for the files in `folder`."""
    lines = [
        PREFACE,
        "| cell | samples | soma | stems | tips | length | area | thickest stem | median tip | extent x, y, z |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(f"| {cell.name} | {statistics(grown[cell.name])} |" for cell in CELLS),
        "",
        "| cell | stands for | sizes aimed at |",
        "|---|---|---|",
        *(f"| {cell.name} | {cell.what} | {cell.sizes} |" for cell in CELLS),
        "",
        "SHA-256:",
        "",
        "```",
        *(f"{hashlib.sha256((folder / f'{c.name}.swc').read_bytes()).hexdigest()}  {c.name}.swc" for c in CELLS),
        "```",
        "",
    ]
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Grow all cells into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    grown = {cell.name: finished(cell) for cell in CELLS}
    for name, samples in grown.items():
        write_swc(samples, folder / f"{name}.swc")
    (folder / "PROVENANCE.md").write_text(provenance(folder, grown), encoding="utf-8", newline="\n")


def differences(folder: Path) -> list[str]:
    """Names of the files in `folder` that would change, or are missing, if the cells were grown again."""
    with tempfile.TemporaryDirectory() as temporary:
        write(Path(temporary))
        return [
            path.name
            for path in sorted(Path(temporary).iterdir())
            if not (folder / path.name).is_file() or (folder / path.name).read_bytes() != path.read_bytes()
        ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Grow the cells that ship with dendrosim.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if anything would change")
    parser.add_argument("--out", type=Path, default=SHIPPED, metavar="DIR", help="folder to write to (or to check)")
    options = parser.parse_args(arguments)
    if options.check:
        changed = differences(options.out)
        print(f"{options.out}: would change: {', '.join(changed)}" if changed else f"{options.out}: all as grown")
        return 1 if changed else 0
    write(options.out)
    print(f"{len(CELLS)} cells and PROVENANCE.md written to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
