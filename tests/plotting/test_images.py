"""Whole pictures against the ones in ``baseline/`` (pytest-mpl).

Text and legends are made invisible and axes are placed by hand, so that neither fonts nor the layout engine matter.
What is left are polygons and lines: the tolerance, an RMS of 4 grey levels, lets the antialiasing of another version
pass; a branch of the cell in another place or colour does not. To renew: ``pytest tests/plotting/test_images.py
--mpl-generate-path=tests/plotting/baseline``, then look at every one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

from dendrosim.biophysics.synapses import Synapses
from dendrosim.membrane import Passive
from dendrosim.morphology.compartments import Compartments
from dendrosim.morphology.tree import Morphology
from dendrosim.plotting import (
    plot_attenuation,
    plot_dendrogram,
    plot_gradient_map,
    plot_morphology,
    plot_morphology_3d,
    plot_synapse_maps,
)

compare: Callable[[Callable[..., Figure]], Callable[..., Figure]] = pytest.mark.mpl_image_compare(
    tolerance=4, savefig_kwargs={"dpi": 80}
)


@pytest.fixture
def cell() -> Morphology:
    """A tree of some 60 samples: an apical trunk that forks three times, four basal dendrites, a thin axon."""
    lines = ["1 1 0 0 0 9 -1"]

    def grow(parent: int, kind: int, at: tuple[float, float, float], angle: float, length: float, radius: float) -> int:
        """Add four samples along a gentle bend; return the number of the last."""
        x, y, z = at
        for step in range(4):
            if parent > 1:  # the first sample of a neurite lies on the soma
                x, y, z = x + length * np.cos(angle), y + length * np.sin(angle), z + 4 * np.sin(3 * angle)
            angle += 0.06
            lines.append(f"{len(lines) + 1} {kind} {x:.3f} {y:.3f} {z:.3f} {radius * (1 - 0.1 * step):.3f} {parent}")
            parent = len(lines)
            ends[parent] = (x, y, z)
        return parent

    ends: dict[int, tuple[float, float, float]] = {}
    tips = [(grow(1, 4, (0, 9, 0), 1.45, 30.0, 3.5), 1.5)]
    for radius, length in ((2.0, 18.0), (1.2, 14.0)):
        tips = [
            (grow(tip, 4, ends[tip], angle + turn, length, radius), angle + turn)
            for tip, angle in tips
            for turn in (-0.45, 0.35)
        ]
    for angle in (-2.6, -2.0, -1.1, -0.4):
        grow(1, 3, (9 * np.cos(angle), 9 * np.sin(angle), 0), angle, 16.0, 1.6)
    grow(1, 2, (0, -9, 0), -1.6, 28.0, 0.5)
    return Morphology.from_swc("\n".join(lines))


@pytest.fixture
def pieces(cell: Morphology) -> Compartments:
    """Its compartments, at most 12 um long."""
    return cell.compartments(Passive(), max_length=12.0)


def blank(figure: Any) -> Figure:
    """Return the figure without text and legends, whose places depend on the font."""
    for artist in (*figure.findobj(Text), *figure.findobj(Legend)):
        artist.set_visible(False)
    assert isinstance(figure, Figure)
    return figure


def axes(**options: Any) -> Any:
    figure = plt.figure(figsize=(4, 4))
    return figure.add_axes((0.05, 0.1, 0.7, 0.85), **options)


@compare
def test_morphology_by_region(cell: Morphology) -> Figure:
    return blank(plot_morphology(cell, ax=axes()).figure)


@compare
def test_morphology_by_value(pieces: Compartments) -> Figure:
    voltage = -70 + 15 * np.exp(-pieces.path_distance / 80)
    return blank(plot_morphology(pieces, voltage, ax=axes(), projection="zy", label="V", unit="mV").figure)


@compare
def test_morphology_close_up(pieces: Compartments) -> Figure:
    """Mitres, branch points and borders between compartments, at a scale where they show."""
    ax = plot_morphology(
        pieces, np.arange(pieces.size) % 2, ax=axes(), colorbar=False, scale_bar=False, cmap="coolwarm"
    )
    ax.set_xlim(-30, 60)
    ax.set_ylim(90, 180)
    return blank(ax.figure)


@compare
def test_morphology_with_synapses(pieces: Compartments) -> Figure:
    index = np.arange(0, pieces.size, 2)
    synapses = Synapses(pieces, index, sign=np.where(index % 3, 1, -1))
    return blank(plot_morphology(pieces, ax=axes(), synapses=synapses).figure)


@compare
def test_morphology_in_3d(pieces: Compartments) -> Figure:
    return blank(plot_morphology_3d(pieces, pieces.path_distance, ax=axes(projection="3d"), view=(12.0, 25.0)).figure)


@compare
def test_dendrogram_by_value(pieces: Compartments) -> Figure:
    return blank(plot_dendrogram(pieces, pieces.path_distance, ax=axes()).figure)


@compare
def test_dendrogram_by_region_and_electrotonic_distance(pieces: Compartments) -> Figure:
    return blank(plot_dendrogram(pieces, distance="electrotonic", ax=axes()).figure)


@compare
def test_attenuation(pieces: Compartments) -> Figure:
    return blank(plot_attenuation(pieces, np.exp(-2 * pieces.electrotonic_distance), ax=axes(), log=True).figure)


@compare
def test_gradient_map_clipped(pieces: Compartments) -> Figure:
    gradient = np.exp(-pieces.path_distance / 60) * np.where(pieces.region == "apical", 1, -1)
    return blank(plot_gradient_map(pieces, gradient, ax=axes(), percentile=90).figure)


@compare
def test_synapse_maps(pieces: Compartments) -> Figure:
    index = np.arange(0, pieces.size, 2)
    synapses = Synapses(pieces, index, sign=np.where(index % 3, 1, -1))
    values = synapses.sign * np.exp(-pieces.path_distance[index] / 60)
    return blank(plot_synapse_maps(pieces, synapses, values, figure=plt.figure(figsize=(6, 3.5)), percentile=90))
