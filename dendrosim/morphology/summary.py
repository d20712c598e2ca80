"""A table of what a morphology consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..shown import Shown

if TYPE_CHECKING:
    from .tree import Morphology


@dataclass(frozen=True)
class RegionSummary:
    """Measures of the neurites of one region: um, um2 and um3."""

    region: str
    sections: int
    tips: int
    length: float
    area: float
    volume: float
    max_path_distance: float


@dataclass(frozen=True)
class Summary(Shown):
    """Measures of one morphology; ``str()`` gives an aligned table.

    Attributes
    ----------
    name : str
    n_samples, n_sections, n_neurites, n_branch_points, n_tips : int
    soma : str
        Convention by which the file gives the soma, ``none`` if there is none.
    soma_area, soma_radius : float
        In um2 and um; the radius is that of the sphere of the same area. 0 without soma.
    regions : tuple of RegionSummary
        One per region of the neurites.
    total : RegionSummary
        The neurites together.
    extent : tuple of float
        Width in x, y and z, um.
    faults : str
        How many errors, warnings and notes were found in the file; empty if it was not read from one.
    """

    name: str
    n_samples: int
    n_sections: int
    n_neurites: int
    n_branch_points: int
    n_tips: int
    soma: str
    soma_area: float
    soma_radius: float
    regions: tuple[RegionSummary, ...]
    total: RegionSummary
    extent: tuple[float, float, float]
    faults: str

    def __str__(self) -> str:
        soma = self.soma.replace("_", " ")
        if self.soma != "none":
            soma += f", area {self.soma_area:,.1f} um2, radius {self.soma_radius:.2f} um"
        facts = {
            "name": self.name or "(none)",
            "samples": f"{self.n_samples:,}",
            "sections": f"{self.n_sections:,} in {self.n_neurites:,} neurites",
            "branch points": f"{self.n_branch_points:,}",
            "tips": f"{self.n_tips:,}",
            "soma": soma,
            "extent": " x ".join(f"{width:,.1f}" for width in self.extent) + " um",
            "faults": self.faults or "not checked: not read from a file",
        }
        wide = max(map(len, facts))
        head = ("region", "sections", "tips", "length um", "area um2", "volume um3", "farthest um")
        rows: list[tuple[str, ...]] = [head]
        for part in (*self.regions, *([self.total] if len(self.regions) != 1 else [])):
            measured = (part.length, part.area, part.volume, part.max_path_distance)
            rows.append((part.region, f"{part.sections:,}", f"{part.tips:,}", *(f"{value:,.1f}" for value in measured)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
            for row in rows
        ]
        return "\n".join([*(f"{key.ljust(wide)}  {value}" for key, value in facts.items()), "", *table])


def summarise(morphology: Morphology) -> Summary:
    """See `Morphology.summary`."""
    sections, soma, report = morphology.sections, morphology.soma, morphology.report

    def measure(name: str, chosen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> RegionSummary:
        return RegionSummary(
            region=name,
            sections=int(chosen.sum()),
            tips=int((sections.n_children[chosen] == 0).sum()),
            length=float(sections.length[chosen].sum()),
            area=float(sections.area[chosen].sum()),
            volume=float(sections.volume[chosen].sum()),
            max_path_distance=float(sections.path_stop[chosen].max(initial=0.0)),
        )

    names = [name for name in morphology.regions if bool((sections.region == name).any())]
    width = np.ptp(morphology.samples.xyz, axis=0).tolist()
    counts = [] if report is None else [("error", report.errors), ("warning", report.warnings), ("note", report.notes)]
    return Summary(
        name=morphology.name,
        n_samples=len(morphology.samples),
        n_sections=len(sections),
        n_neurites=morphology.n_neurites,
        n_branch_points=morphology.n_branch_points,
        n_tips=morphology.n_tips,
        soma="none" if soma is None else soma.convention,
        soma_area=0.0 if soma is None else soma.area,
        soma_radius=0.0 if soma is None else soma.radius,
        regions=tuple(measure(name, sections.region == name) for name in names),
        total=measure("all", np.ones(len(sections), bool)),
        extent=(width[0], width[1], width[2]),
        faults=", ".join(f"{len(found)} {kind}{'' if len(found) == 1 else 's'}" for kind, found in counts),
    )
