"""The shipped cells: grown again byte for byte, and of the sizes that they claim."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.morphology.samples import region_name

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "experiments" / "grow_cells.py"
# name: (tips, length of dendrites in um, height in um, regions): what PROVENANCE.md aims at, as bounds
EXPECTED = {
    "pyramidal_l5": ((60, 110), (10_000, 14_000), (1100, 1350), {"soma", "axon", "basal", "apical"}),
    "ca1_pyramidal": ((70, 110), (9_500, 12_500), (650, 800), {"soma", "axon", "basal", "apical"}),
    "purkinje": ((400, 500), (8_000, 10_000), (220, 280), {"soma", "basal"}),
    "granule": ((8, 16), (60, 130), (10, 50), {"soma", "basal"}),
    "basket": ((18, 32), (2_000, 4_000), (200, 500), {"soma", "basal"}),
    "stellate": ((20, 36), (2_000, 3_000), (150, 300), {"soma", "basal"}),
    "ball_and_stick": ((1, 1), (500, 500), (510, 510), {"soma", "basal"}),
}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("grow_cells", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["grow_cells"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["grow_cells"]


def test_growing_again_gives_the_same_bytes(script):
    assert script.differences(script.SHIPPED) == []


def test_check_tells_what_differs(script, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(script, "CELLS", [cell for cell in script.CELLS if cell.name in ("granule", "ball_and_stick")])
    assert script.main(["--out", str(tmp_path)]) == 0
    stick = tmp_path / "ball_and_stick.swc"
    stick.write_text(stick.read_text().replace("20.0", "20.5"))
    assert script.main(["--check", "--out", str(tmp_path)]) == 1
    assert "would change: ball_and_stick.swc" in capsys.readouterr().out
    (tmp_path / "granule.swc").unlink()
    assert script.differences(tmp_path) == ["ball_and_stick.swc", "granule.swc"]


@pytest.mark.parametrize("name", EXPECTED)
def test_shipped_cells_load_by_name_without_faults_and_have_their_sizes(name):
    cell = ds.Morphology.load(name)
    assert cell.report.errors == cell.report.warnings == ()
    samples = cell.samples
    children = np.bincount(samples.parent[1:], minlength=len(samples))
    dendrite = (samples.type == 3) | (samples.type == 4)
    edge = dendrite & (samples.parent > 0)
    length = np.linalg.norm(samples.xyz[edge] - samples.xyz[samples.parent[edge]], axis=1).sum()
    (fewest, most), (shortest, longest), (low, high), regions = EXPECTED[name]
    assert fewest <= (dendrite & (children == 0)).sum() <= most
    assert shortest - 1e-6 <= length <= longest + 1e-6
    assert low <= np.ptp(samples.xyz[:, 1]) <= high
    assert {region_name(kind) for kind in samples.type} == regions
    assert len(samples) < 4000
    assert (children[1:] <= 2).all()
    assert (samples.radius > 0).all()
    comments = " ".join(text for _, text in samples.comments)
    assert "Synthetic" in comments
    assert "experiments/grow_cells.py" in comments


@pytest.mark.parametrize("name", EXPECTED)
def test_neurites_begin_on_the_surface_of_a_soma_of_one_point(name):
    samples = ds.Morphology.load(name).samples
    assert (samples.type == 1).sum() == 1
    stems = np.flatnonzero(samples.parent == 0)
    np.testing.assert_allclose(np.linalg.norm(samples.xyz[stems], axis=1), samples.radius[0], atol=0.002)


def test_the_purkinje_cell_is_flat_and_the_trunk_of_the_layer_5_cell_thick():
    flat = np.ptp(ds.Morphology.load("purkinje").samples.xyz, axis=0)
    assert flat[2] < 0.1 * flat[:2].min()
    samples = ds.Morphology.load("pyramidal_l5").samples
    stems = np.flatnonzero((samples.parent == 0) & (samples.type == 4))
    assert 2 * samples.radius[stems].max() == pytest.approx(5.0)
