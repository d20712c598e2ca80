"""Reading SWC: the same points, radii, types and links as MorphIO finds in files that are sound."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.morphology.samples import Samples
from dendrosim.morphology.swc import read_swc

morphio: Any = pytest.importorskip("morphio", reason="MorphIO comes with the extra 'formats'")

# MorphIO refuses a change of type without a branch point, and a soma below a neurite
REFUSED_BY_MORPHIO = {"flywire_t4_720575940626407426.swc", "hemibrain_1734350788.swc"}


def compare(samples: Samples, path: Path) -> None:
    """All soma points; all neurite points in the order of sections; the link from every section to its parent."""
    cell = morphio.Morphology(str(path), warning_handler=morphio.WarningHandlerCollector())
    soma = samples.type == 1
    np.testing.assert_array_equal(_sorted(samples.xyz[soma]), _sorted(cell.soma.points))
    ours = {_key(samples, row): row for row in np.flatnonzero(~soma).tolist()}
    n_seen = 0
    for section in cell.iter():
        points = np.column_stack([section.points, section.diameters / 2.0])
        own = points if section.is_root else points[1:]  # MorphIO repeats the last point of the parent
        n_seen += len(own)
        for i, point in enumerate(points):
            row = ours.get((*map(float, point[:3]), int(section.type)))
            if row is None:
                assert i == 0  # the repeated point, of another type
                assert not section.is_root
                continue
            if i or section.is_root:
                assert np.float32(samples.radius[row]) == np.float32(point[3])
            if i > 1 or (i == 1 and section.is_root):
                np.testing.assert_array_equal(samples.xyz[samples.parent[row]].astype(np.float32), points[i - 1, :3])
            elif section.is_root:
                assert samples.parent[row] < 0 or soma[samples.parent[row]]
    assert n_seen == np.count_nonzero(~soma)


def _sorted(points: Any) -> Any:
    points = np.asarray(points, np.float32).reshape(-1, 3)
    return points[np.lexsort(points.T)]


def _key(samples: Samples, row: int) -> tuple[float, float, float, int]:
    x, y, z = samples.xyz[row].astype(np.float32).tolist()
    return x, y, z, int(samples.type[row])


CELLS = {
    "point soma": "1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 20 0.1 -3e-1 .75 2\n4 3 40 10 0 1. 3\n5 3 40 -10 0 1 3\n",
    "three points": "1 1 0 0 0 2 -1\n2 1 0 -2 0 2 1\n3 1 0 2 0 2 1\n4 2 0 0 4 .5 1\n5 2 0 0 5 .5 4\n6 4 1 0 3 .5 1\n",
    "stack": "1 1 0 0 0 2 -1\n2 1 3 0 0 2 1\n3 1 6 0 0 2 2\n4 3 6 9 0 1 3\n5 3 6 19 0 1 4\n",
    "no soma": "1 3 0 0 0 2 -1\n2 3 3 0 0 2 1\n3 3 6 0 0 2 2\n4 3 6 9 0 1 3\n5 3 9 9 0 1 3\n",
    "CRLF and comments": "# cell\r\n1 1 0 0 0 5 -1 # soma\r\n\r\n2 3 5 0 0 1 1\r\n3 3 20 0 0 1 2 # tip\r\n",
    "children first": "4 3 40 10 0 1 3\n3 3 20 0 0 1 2\n2 3 5 0 0 1 1\n1 1 0 0 0 5 -1\n",
}


@pytest.mark.parametrize("name", CELLS)
def test_inline_cells(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cell.swc"
    path.write_bytes(CELLS[name].encode())
    samples = read_swc(path)[0]
    assert samples is not None
    compare(samples, path)


@pytest.mark.parametrize("folder", ["real", "fixtures"])
def test_sound_files(morphology_data: Path, folder: str) -> None:
    compared = 0
    for path in sorted((morphology_data / folder).glob("*.swc")):
        samples, report = read_swc(path)
        assert samples is not None
        if path.name in REFUSED_BY_MORPHIO or "zero-length-segment" in report.codes():
            continue  # points in one place cannot be told apart by their positions
        positions = {_key(samples, row) for row in range(len(samples))}
        if len(positions) < len(samples):
            continue
        compare(samples, path)
        compared += 1
    assert compared > 8


SHIPPED = ("ball_and_stick", "basket", "ca1_pyramidal", "granule", "purkinje", "pyramidal_l5", "stellate")


@pytest.mark.parametrize("name", SHIPPED)
def test_what_save_writes(name: str, tmp_path: Path) -> None:
    cell = ds.Morphology.load(name)
    cell.save(tmp_path / "copy.swc")
    compare(cell.samples, tmp_path / "copy.swc")
    moved = dataclasses.replace(cell.samples, xyz=cell.samples.xyz / 3.0 - 1e3, radius=cell.samples.radius / 7.0)
    ds.Morphology(moved).save(tmp_path / "moved.swc")  # numbers with all their digits
    compare(moved, tmp_path / "moved.swc")
