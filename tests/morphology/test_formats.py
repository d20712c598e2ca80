"""ASC and HDF5 through MorphIO."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dendrosim.errors import MissingDependencyError, MorphologyError, ParameterError
from dendrosim.morphology.checkfile import check_file
from dendrosim.morphology.formats import read_morphio
from dendrosim.morphology.samples import Samples
from dendrosim.morphology.soma import find_soma
from dendrosim.morphology.swc import read_swc

ASC = """\
("CellBody" (Color Red) (CellBody)
  (5 0 0 0.1) (0 5 0 0.1) (-5 0 0 0.1) (0 -5 0 0.1)
)
( (Color Cyan) (Dendrite)
  (6 0 0 2)
  (20 0 0 2)
  ( (20 0 0 2) (30 5 0 1)
  | (30 -5 0 1)
  )
)
"""


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    pytest.importorskip("morphio", reason="MorphIO comes with the extra 'formats'")
    path = tmp_path / "cell.asc"
    path.write_text(ASC)
    return path


def test_asc(cell: Path) -> None:
    samples, report = read_morphio(cell)
    assert samples is not None
    assert report.ok
    np.testing.assert_array_equal(samples.id, np.arange(1, len(samples) + 1))
    np.testing.assert_array_equal(samples.type, [1, 1, 1, 1, 3, 3, 3, 3, 3])
    np.testing.assert_array_equal(samples.parent, [-1, 0, 1, 2, 0, 4, 5, 5, 7])
    np.testing.assert_array_equal(samples.xyz[4:, 0], [6, 20, 30, 20, 30])
    np.testing.assert_array_equal(samples.radius[4:], [1, 1, 0.5, 0.5, 0.5])  # widths in the file are diameters
    soma = find_soma(samples)
    assert soma is not None
    assert (soma.convention, report.soma_convention) == ("contour", "contour")
    assert soma.radius == pytest.approx(5.0)


def test_what_morphio_changes_is_said(cell: Path) -> None:
    report = read_morphio(cell)[1]
    notes = {fault.code: fault.message for fault in report.notes}
    assert "single precision" in notes["through-morphio"]
    assert notes["repeated-points"].endswith("left out: 1")
    # the second branch begins with a point that MorphIO adds, of another radius: kept, and seen
    assert report.codes("warning") == ("zero-length-segment",)
    assert next(report.lines(notes=False)).startswith(f"{cell}: warning zero-length-segment sample 8")


def test_repairs(cell: Path) -> None:
    samples, report = read_morphio(cell, repair=["merge_duplicate_points", "collapse_soma"])
    assert samples is not None
    assert report.changes[0].startswith("merge_duplicate_points: sample 8: removed")
    assert samples.id.tolist() == [1, 5, 6, 7, 9]


def test_missing_morphio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "morphio", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "dendrosim\[formats\]", .* "\.\[formats\]"'):
        read_morphio(tmp_path / "cell.asc")


def test_other_endings_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"read_morphio reads \.asc and \.h5 files; read_swc reads SWC"):
        read_morphio(tmp_path / "cell.swc")
    with pytest.raises(ParameterError, match="repair='x' is not known"):
        read_morphio(tmp_path / "cell.asc", repair="x")
    pytest.importorskip("morphio", reason="MorphIO comes with the extra 'formats'")
    with pytest.raises(MorphologyError, match="cannot be opened: it is not there"):
        read_morphio(tmp_path / "cell.asc")
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(MorphologyError, match="cannot be opened: it is a folder"):
        read_morphio(tmp_path / "folder.h5")


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"( ( (", b"(Dendrite)\n"])
@pytest.mark.parametrize("ending", [".asc", ".h5", ".H5"])
def test_rubbish(tmp_path: Path, content: bytes, ending: str) -> None:
    pytest.importorskip("morphio", reason="MorphIO comes with the extra 'formats'")
    path = tmp_path / f"cell{ending}"
    path.write_bytes(content)
    report = check_file(path)
    assert not report.ok
    assert "\x1b" not in str(report)
    assert not any("\n" in fault.message for fault in report.faults)


def test_a_place_in_the_file_is_passed_on(tmp_path: Path) -> None:
    pytest.importorskip("morphio", reason="MorphIO comes with the extra 'formats'")
    path = tmp_path / "cell.asc"
    path.write_text(ASC.replace("(30 5 0 1)", "(30 5 zero 1)"))
    with pytest.raises(MorphologyError, match="MorphIO cannot read it") as caught:
        read_morphio(path)
    report: Any = caught.value.report
    assert report.errors[0].code == "morphio-error"
    assert report.errors[0].line == 7


def test_several_trees_without_a_soma(tmp_path: Path) -> None:
    pytest.importorskip("morphio", reason="MorphIO comes with the extra 'formats'")
    path = tmp_path / "cell.asc"
    path.write_text("((Dendrite) (6 0 0 2) (20 0 0 2))\n((Axon) (-6 0 0 2) (-20 0 0 2))\n")
    samples, report = read_morphio(path)
    assert samples is None
    assert report.codes("error") == ("several-roots",)


def neurites(samples: Samples) -> Any:
    """Positions, radii and types of all but the soma, sorted."""
    rows = samples.type != 1
    table = np.column_stack([samples.xyz[rows], samples.radius[rows], samples.type[rows]]).astype(np.float32)
    return table[np.lexsort(table.T)]


def test_public_files(morphology_data: Path) -> None:
    pytest.importorskip("morphio", reason="MorphIO comes with the extra 'formats'")
    for name in (
        "real/PC.asc",
        "real/bio_neuron-000.asc",
        "real/bio_neuron-000.h5",
        "fixtures/simple.asc",
        "fixtures/simple.h5",
    ):
        report = read_morphio(morphology_data / name)[1]
        assert report.ok, str(report)
        assert report.soma_convention == "contour"
    asc, h5 = (read_morphio(morphology_data / "real" / f"bio_neuron-000.{ending}")[0] for ending in ("asc", "h5"))
    assert asc is not None
    assert h5 is not None
    for column in ("id", "type", "parent"):
        np.testing.assert_array_equal(getattr(asc, column), getattr(h5, column))
    for column in ("xyz", "radius"):  # rounded to six digits on the way from one file to the other
        np.testing.assert_allclose(getattr(asc, column), getattr(h5, column), rtol=0.0, atol=1e-5)


def test_asc_and_swc_of_one_cell(morphology_data: Path) -> None:
    pytest.importorskip("morphio", reason="MorphIO comes with the extra 'formats'")
    asc = read_morphio(morphology_data / "real" / "tkb061126a4.asc")[0]
    swc = read_swc(morphology_data / "real" / "tkb061126a4.swc")[0]
    assert asc is not None
    assert swc is not None
    ours, theirs = neurites(asc), neurites(swc)
    assert ours.shape == theirs.shape == (12543, 5)
    np.testing.assert_allclose(
        np.sort(ours, axis=0), np.sort(theirs, axis=0), atol=2e-6
    )  # six decimals in the SWC file


@pytest.mark.parametrize("name", ["invalid-incomplete.asc", "incorrect_point_columns.h5"])
def test_malformed_files_are_refused(morphology_data: Path, name: str) -> None:
    pytest.importorskip("morphio", reason="MorphIO comes with the extra 'formats'")
    with pytest.raises(MorphologyError, match="MorphIO cannot read it"):
        read_morphio(morphology_data / "malformed" / name)
    report = check_file(morphology_data / "malformed" / name)
    assert report.codes() == ("morphio-error",)
