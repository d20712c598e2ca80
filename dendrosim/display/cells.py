"""Cards of compartments and synapses."""

from __future__ import annotations

import numpy as np

from ..biophysics.synapses import Synapses
from ..morphology.compartments import Compartments
from ..plotting.markup import Markup
from ..plotting.palette import EXCITATORY, INHIBITORY, sort_regions
from .card import Card, Detail, clean, count, figure, size_of, span
from .sketch import compartments_sketch, shade
from .svg import histogram


def compartments(tree: Compartments) -> Card:
    """Sizes, conductances, and regions; the first cell drawn."""
    nanosiemens, picofarad, micrometre = ("nS", "pF", "µm") if tree.physical else ("", "", "")
    forest = tree.n_cells > 1
    names = sorted({clean(cell.name, 30) for cell in tree.morphologies if cell.name})
    facts = {
        "compartments": f"{tree.size:,}" + (f" in {count(tree.n_cells, 'cell')}" if forest else ""),
        "units": f"physical, leak to {figure(tree.leak_reversal)} mV" if tree.physical else "normalised",
        "stages": f"{int(tree.stage.max()):,} branchings deep",
        "path distance": f"up to {figure(float(tree.path_distance.max()))} {micrometre or 'edges'}",
        "leak": span(tree.leak[tree.leak > 0], nanosiemens),
        "coupling": span(tree.coupling[tree.coupling > 0], nanosiemens),
        "capacitance": f"{figure(float(tree.capacitance.sum()))} {picofarad} in all".replace("  ", " "),
    }
    if tree.morphologies:
        made = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        facts["made from"] = made or "a morphology"

    def picture() -> Markup:
        return compartments_sketch(tree)

    return Card("Compartments", ", ".join(names[:3]), facts, [_regions(tree)], [picture])


def _regions(tree: Compartments) -> Detail:
    names, which = np.unique(tree.region, return_inverse=True)
    n = np.bincount(which.reshape(-1), minlength=names.size)
    sums = {
        name: np.bincount(which.reshape(-1), weights=getattr(tree, name), minlength=names.size)
        for name in ("length", "area", "leak")
    }
    place = {str(name): i for i, name in enumerate(names)}
    order = [place[name] for name in sort_regions(place)]
    if tree.physical:
        head = ["region", "compartments", "length µm", "area µm²", "leak nS"]
        rows = [
            [str(names[i]) or "(none)", f"{n[i]:,}", *(f"{sums[k][i]:,.1f}" for k in ("length", "area", "leak"))]
            for i in order
        ]
    else:
        head = ["region", "compartments"]
        rows = [[str(names[i]) or "(none)", f"{n[i]:,}"] for i in order]
    return Detail("Regions", head, rows, colors=[shade(str(names[i])) for i in order], unfolded=True)


def synapses(given: Synapses) -> Card:
    """How many of which sign, where, and how strong."""
    on = np.bincount(given.compartment, minlength=given.n_compartments)
    facts = {
        "synapses": f"{given.size:,}",
        "inputs": f"{given.n_inputs:,}, of which {np.unique(given.source).size:,} drive a synapse",
        "on": f"{np.count_nonzero(on):,} of {count(given.n_compartments, 'compartment')}",
        "per compartment": span(on[on > 0]) if given.size else "none",
        "memory": size_of(
            given.compartment, given.source, given.sign, given.reversal, given.conductance, given.driving_force
        ),
    }
    rows, colors = [], []
    for name, side, color in (("excitatory", given.sign > 0, EXCITATORY), ("inhibitory", given.sign < 0, INHIBITORY)):
        if side.any():
            measures = (given.conductance[side], given.reversal[side], given.driving_force[side])
            rows.append([name, f"{np.count_nonzero(side):,}", *(span(values) for values in measures)])
            colors.append(color)
    head = ["sign", "synapses", "conductance", "reversal", "driving force"]
    units = "nS and mV; in normalised units plain numbers"
    details = [Detail(f"By sign ({units})", head, rows, colors=colors, unfolded=True)]

    def picture() -> Markup:
        says = "number of synapses on the compartments that have any"
        return histogram(on[on > 0], says=says, x_label="synapses per compartment", whole=True)

    return Card("Synapses", "", facts, details, [picture] if given.size else [])
