"""Text for terminals: aligned, bounded, and in ASCII where there is nothing else."""

from __future__ import annotations

import io
import re
import sys

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.display.lines import spark
from dendrosim.errors import MorphologyWarning
from dendrosim.morphology.samples import Samples


def comb(teeth: int) -> ds.Morphology:
    """A shaft with a tooth at each of its points: two sections per tooth, each a little farther out."""
    shaft = np.arange(1, teeth + 1)
    parent = np.concatenate([[-1], shaft - 1, shaft])
    xyz = np.zeros((2 * teeth + 1, 3))
    xyz[1 : teeth + 1, 0] = 10.0 * shaft
    xyz[teeth + 1 :, 0], xyz[teeth + 1 :, 1] = 10.0 * shaft, 5.0
    kind = np.full(2 * teeth + 1, 3)
    kind[0] = 1
    return ds.Morphology(Samples(np.arange(1, kind.size + 1), kind, xyz, np.ones(kind.size), parent), "comb")


def test_a_cell_of_five_thousand_sections_stays_readable():
    cell = comb(2500)
    sections = len(cell.sections)
    assert sections == 4999  # the last point of the shaft and its tooth are one section
    text = str(cell).splitlines()
    assert len(text) < 40
    assert "sections       4,999 in 1 neurite" in text
    at_each_end = [line for line in text if "basal" in line and "um [" in line]
    hidden = sum(int(line.partition("+ ")[2].split()[0]) for line in at_each_end if "+ " in line)
    assert hidden + len(at_each_end) == sections


def test_a_root_of_many_neurites_counts_those_that_are_not_drawn():
    n = 60
    parent = np.concatenate([[-1], np.zeros(n, int), np.arange(1, n + 1)])
    angle = np.linspace(0, 6, n)
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    xyz = np.concatenate([np.zeros((1, 3)), 10 * ring, 20 * ring])
    kind = np.array([1] + [3] * (2 * n))
    cell = ds.Morphology(Samples(np.arange(1, 2 * n + 2), kind, xyz, np.ones(2 * n + 1), parent))
    assert str(cell).splitlines()[-1].startswith("... 40 more sections")


def test_measures_stand_in_columns():
    text = str(ds.Morphology.load("pyramidal_l5")).splitlines()
    head = next(i for i, line in enumerate(text) if line.startswith("region"))
    table = text[head : head + 5]
    ends = {tuple(match.end() for match in re.finditer(r"[\d,.]+", line[8:])) for line in table[1:]}
    assert len(ends) == 1  # numbers are set to the right
    assert table[-1].startswith("all")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_signs_that_standard_output_has(monkeypatch, encoding):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    tree = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    for thing in (ds.Morphology.load("ball_and_stick"), tree, ds.steady_state(tree)):
        print(thing)  # would raise
    sys.stdout.flush()
    shown = sys.stdout.buffer.getvalue().decode(encoding)
    assert ("µm" in shown) == (encoding != "ascii")
    assert ("└" in shown) == (encoding == "utf-8")
    assert "?" not in shown


def test_bars_follow_the_numbers():
    assert spark([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert spark([3, 3]) in ("▄▄", "▅▅")
    assert spark([]) == ""
    assert spark([float("nan"), 1.0]) in ("▄", "▅")
    assert len(spark(np.arange(1000))) == 40


def test_faults_of_a_file_are_in_the_card_of_its_report():
    with pytest.warns(MorphologyWarning):
        cell = ds.Morphology.from_swc("1 1 0 0 0 5 -1\n2 3 6 0 0 0 1\n3 3 16 0 0 1 2\n", name="odd")
    assert cell.report is not None
    html = cell.report._repr_html_()
    for fault in cell.report.faults:
        assert fault.code in html
    assert "zero_radius" in html
