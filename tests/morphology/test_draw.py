"""The tree as text, and the summary."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim import Morphology
from dendrosim.errors import MorphologyWarning, ParameterError

TEXT = """1 1 0 0 0 5 -1
2 3 6 0 0 2 1
3 3 16 0 0 2 2
4 3 16 30 0 1 3
8 4 16 -10 0 1 3
9 4 16 -40 0 1 8
12 4 16 -50 0 1 9
10 4 0 -40 0 1 9
11 4 26 -40 0 1 9
6 2 0 -5 0 0.5 1
7 2 0 -25 0 0.5 6
"""


def test_draw() -> None:
    assert Morphology.from_swc(TEXT, name="cell").draw().splitlines() == [
        "cell: soma (point), radius 5.0 um [1]",
        "├ basal 10.0 um [2..3]",
        "│ ├ basal 30.0 um [4]",
        "│ └ apical 40.0 um [8..9]",
        "│   ├ apical 10.0 um [12]",
        "│   ├ apical 16.0 um [10]",
        "│   └ apical 10.0 um [11]",
        "└ axon 20.0 um [6..7]",
    ]


def test_draw_to_a_depth() -> None:
    cell = Morphology.from_swc(TEXT)
    assert cell.draw(depth=1).splitlines() == [
        "soma (point), radius 5.0 um [1]",
        "├ basal 10.0 um [2..3] + 5 sections, 106.0 um",
        "└ axon 20.0 um [6..7]",
    ]
    assert "│ └ apical 40.0 um [8..9] + 3 sections, 36.0 um" in cell.draw(depth=2)
    assert cell.draw(depth=3) == cell.draw()


def test_draw_so_many_lines() -> None:
    lines = Morphology.from_swc(TEXT).draw(lines=3).splitlines()
    assert len(lines) == 5
    assert lines[-1] == "... 4 more sections; lines=None draws all"


def test_samples_out_of_order_are_counted() -> None:
    cell = Morphology.from_swc("1 1 0 0 0 5 -1\n7 3 6 0 0 1 1\n3 3 9 0 0 1 7\n12 3 12 0 0 1 3\n")
    assert cell.draw().splitlines()[1] == "└ basal 6.0 um [7..12, 3 samples]"


def test_draw_without_soma_and_without_neurites() -> None:
    with pytest.warns(MorphologyWarning):
        cell = Morphology.from_swc("4 3 0 0 0 1 -1\n5 3 9 0 0 1 4\n")
    assert cell.draw().splitlines() == ["no soma, root [4]", "└ basal 9.0 um [5]"]
    assert Morphology.from_swc("1 1 0 0 0 5 -1").draw() == "soma (point), radius 5.0 um [1]"


@pytest.mark.parametrize(("name", "value"), [("depth", 0), ("lines", -1), ("depth", 1.5), ("lines", True)])
def test_impossible_limits(name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=f"{name}={value} must be a positive integer, or None for all"):
        Morphology.from_swc(TEXT).draw(**{name: value})  # type: ignore[arg-type]


def test_every_section_of_a_large_tree_has_a_line() -> None:
    cell = Morphology.load("pyramidal_l5")
    lines = cell.draw().splitlines()
    assert len(lines) == 1 + len(cell.sections)
    first = [int(line.rsplit("[", 1)[1].split("..")[0].split(",")[0].rstrip("]")) for line in lines[1:]]
    assert first == [int(section.sample_ids[0]) for section in cell.sections]


def test_summary() -> None:
    cell = Morphology.from_swc(TEXT, name="cell")
    summary = cell.summary()
    assert (summary.n_samples, summary.n_sections, summary.n_neurites) == (11, 7, 2)
    assert (summary.n_branch_points, summary.n_tips) == (2, 5)
    assert (summary.soma, summary.soma_radius, summary.extent) == ("point", 5.0, (26.0, 80.0, 0.0))
    assert summary.soma_area == pytest.approx(100 * np.pi)
    assert [part.region for part in summary.regions] == ["axon", "basal", "apical"]
    apical = summary.regions[2]
    assert (apical.sections, apical.tips, apical.length, apical.max_path_distance) == (4, 3, 76.0, 66.0)
    assert apical.area == pytest.approx(cell.total_area("apical"))
    assert summary.total.length == sum(part.length for part in summary.regions) == 136.0
    assert str(summary).splitlines() == [
        "name           cell",
        "samples        11",
        "sections       7 in 2 neurites",
        "branch points  2",
        "tips           5",
        "soma           point, area 314.2 um2, radius 5.00 um",
        "extent         26.0 x 80.0 x 0.0 um",
        f"faults         {summary.faults}",
        "",
        "region  sections  tips  length um  area um2  volume um3  farthest um",
        "axon           1     1       20.0      62.8        15.7         20.0",
        "basal          2     1       40.0     408.6       345.6         40.0",
        "apical         4     3       76.0     509.4       280.6         66.0",
        "all            7     5      136.0     980.8       641.9         66.0",
    ]


def test_summary_of_odd_cells() -> None:
    alone = Morphology.from_swc("1 1 0 0 0 5 -1").summary()
    assert (alone.n_sections, alone.regions, alone.total.length) == (0, (), 0.0)
    assert "all" in str(alone)
    part = Morphology.from_swc(TEXT).subtree(3).summary()
    assert part.soma == "none"
    assert "soma           none" in str(part)
    assert "faults         not checked: not read from a file" in str(part)
