"""Neurons as rows of a table, and as aligned text."""

from __future__ import annotations

from collections.abc import Sequence

from ...shown import clean
from .entry import Neuron

HEAD = ("id", "name", "archive", "species", "brain region", "cell type")


def row_of(neuron: Neuron) -> tuple[str, ...]:
    """Cells of a row, cut to a length that fits."""
    regions, types = ", ".join(neuron.brain_region), ", ".join(neuron.cell_type)
    return (
        str(neuron.id),
        clean(neuron.name, 40),
        clean(neuron.archive, 24),
        clean(neuron.species, 24),
        clean(regions, 40),
        clean(types, 40),
    )


def _found(title: str, total: int, shown: int) -> str:
    number = "no neurons" if total == 0 else "1 neuron" if total == 1 else f"{total:,} neurons"
    first = f", the first {shown} of them" if shown < total else ""
    return f"{number} with {title}{first}"


def as_text(title: str, total: int, neurons: Sequence[Neuron]) -> str:
    """A line that says how many there are, and a row for each of `neurons`."""
    rows = [HEAD, *map(row_of, neurons)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([_found(title, total, len(neurons)), *(lines if neurons else [])])
