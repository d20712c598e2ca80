"""Small cells to draw; figures are drawn without a screen and closed after each test."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import pytest

from dendrosim.membrane import Passive
from dendrosim.morphology.compartments import Compartments
from dendrosim.morphology.tree import Morphology

matplotlib.use("Agg")

# a soma of 8 um, an apical dendrite that branches at (0, 80, 0), and a bent basal one
FORKED = """
1 1   0   0   0 8.0 -1
2 4   0   8   0 2.0  1
3 4   0  80   0 2.0  2
4 4  40 120  10 1.0  3
5 4 -40 120 -10 1.0  3
6 3   0  -8   0 1.5  1
7 3   0 -40   0 1.5  6
8 3  30 -60   0 1.0  7
"""


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture
def forked() -> Morphology:
    """Soma, forked apical dendrite, bent basal dendrite."""
    return Morphology.from_swc(FORKED)


@pytest.fixture
def compartments(forked: Morphology) -> Compartments:
    """The same cell, compartments of at most 10 um."""
    return forked.compartments(Passive(), max_length=10.0)


@pytest.fixture
def lone_soma() -> Compartments:
    """A soma and nothing else."""
    return Morphology.from_swc("1 1 3 4 5 6 -1\n").compartments(Passive(), max_length=10.0)


@pytest.fixture
def normalised() -> Compartments:
    """Two regular trees without geometry."""
    return Compartments.branching([2, 2], n_cells=2)
