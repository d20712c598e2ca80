"""Cards of morphologies, their measures, and what was found in their files."""

from __future__ import annotations

import numpy as np

from ..morphology.draw import draw_tree
from ..morphology.report import SEVERITIES, Report
from ..morphology.summary import RegionSummary, Summary, summarise
from ..morphology.tree import Morphology
from .card import Card, Detail, count
from .sketch import morphology_sketch, shade

LINES = 20
"""Sections that a terminal shows."""
_EACH = 5
"""Faults of one kind that are shown."""


def morphology(cell: Morphology) -> Card:
    """Measures, the outline, and the tree of sections."""
    measured = summarise(cell)
    details = [_regions(measured)]
    if cell.report is not None and cell.report.faults:
        details.append(_faults(cell.report))
    return Card(
        "Morphology",
        cell.name,
        _facts(measured),
        details,
        [lambda: morphology_sketch(cell)],
        drawing=lambda: _drawn(cell),
    )


def summary(measured: Summary) -> Card:
    """The same measures without a picture."""
    return Card("Summary", measured.name, _facts(measured), [_regions(measured)])


def report(found: Report) -> Card:
    """How many faults of which severity, and the first of every kind."""
    facts = {
        "file": found.source,
        "lines": f"{found.n_lines:,}, {found.n_data_lines:,} with data",
        "samples": f"{found.n_samples:,}",
        "soma": found.soma_convention.replace("_", " "),
        "found": _counted(found) or "nothing to report",
        "usable": "yes" if found.ok else "no",
    }
    if found.fixes:
        facts["repairs offered"] = ", ".join(found.fixes)
    changes = Detail("Changed by repairs", ["what"], [[change] for change in found.changes])
    return Card("Report", "", facts, [_faults(found, unfolded=True), changes])


def _facts(measured: Summary) -> dict[str, str]:
    soma = measured.soma.replace("_", " ")
    if measured.soma != "none":
        soma += f", {measured.soma_area:,.0f} µm², radius {measured.soma_radius:.2f} µm"
    return {
        "samples": f"{measured.n_samples:,}",
        "sections": f"{measured.n_sections:,} in {count(measured.n_neurites, 'neurite')}",
        "branch points": f"{measured.n_branch_points:,}, {count(measured.n_tips, 'tip')}",
        "soma": soma,
        "length": f"{measured.total.length:,.0f} µm, up to {measured.total.max_path_distance:,.0f} µm from the soma",
        "extent": " × ".join(f"{width:,.0f}" for width in measured.extent) + " µm",
        "faults": measured.faults or "not read from a file",
    }


def _regions(measured: Summary) -> Detail:
    def row(part: RegionSummary) -> list[str]:
        sizes = (part.length, part.area, part.volume, part.max_path_distance)
        return [part.region, f"{part.sections:,}", f"{part.tips:,}", *(f"{value:,.1f}" for value in sizes)]

    parts = [*measured.regions, *([measured.total] if len(measured.regions) > 1 else [])]
    colors = [*(shade(part.region) for part in measured.regions), *([""] if len(measured.regions) > 1 else [])]
    head = ["region", "sections", "tips", "length µm", "area µm²", "volume µm³", "farthest µm"]
    return Detail("Regions", head, [row(part) for part in parts], colors=colors, unfolded=True)


def _faults(found: Report, unfolded: bool = False) -> Detail:
    rows = []
    for severity in SEVERITIES:
        for code in found.codes(severity):
            faults = [fault for fault in found.faults if (fault.severity, fault.code) == (severity, code)]
            rows += [
                [severity, code, str(fault.line or ""), fault.message, fault.fix or ""] for fault in faults[:_EACH]
            ]
            if len(faults) > _EACH:
                rows.append([severity, code, "", f"{len(faults) - _EACH:,} more of this kind", ""])
    head = ["severity", "kind", "line", "what", "repair"]
    return Detail(f"Faults: {_counted(found)}", head, rows, texts=5, unfolded=unfolded)


def _counted(found: Report) -> str:
    counts = [(sum(fault.severity == severity for fault in found.faults), severity) for severity in SEVERITIES]
    return ", ".join(count(n, severity) for n, severity in counts if n)


def _drawn(cell: Morphology) -> str:
    """The tree of sections, as deep as a few lines allow."""
    order = cell.sections.branch_order
    if order.size <= LINES:
        return draw_tree(cell)
    within = np.cumsum(np.bincount(order))
    depth = int(np.flatnonzero(within <= LINES)[-1]) + 1 if within[0] <= LINES else 1
    return draw_tree(cell, depth, LINES)
