"""Reading SWC: the public reconstructions, sound and malformed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from dendrosim.morphology.checkfile import check_file
from dendrosim.morphology.repair import apply_repairs
from dendrosim.morphology.swc import read_swc

# what these files have that is odd is legal and changes nothing: no note is due
UNREMARKABLE = {"00_good.swc", "skip_comments.swc"}


def verdict(path: Path) -> str:
    samples, report = read_swc(path)
    if not report.ok:
        return "refuse"
    assert samples is not None
    assert len(samples) == report.n_samples == report.n_data_lines
    return "warn" if report.warnings else "load"


def test_expected_verdicts(morphology_data: Path) -> None:
    folder = morphology_data / "malformed"
    with (folder / "expected.csv").open() as file:
        expected = {row["file"]: (row["verdict"], row["repair_offered"]) for row in csv.DictReader(file)}
    found = {name: (verdict(folder / name), "yes" if check_file(folder / name).fixes else "no") for name in expected}
    assert found == expected


def test_offered_repairs_help(morphology_data: Path) -> None:
    helped = 0
    for path in sorted((morphology_data / "malformed").glob("*.swc")):
        samples, report = read_swc(path)
        asked: tuple[str, ...] = ()
        # one repair may uncover what another mends, but the work comes to an end
        while samples is not None and np.any(samples.radius > 0.0) and set(report.fixes) - set(asked):
            asked += report.fixes
            samples, report = read_swc(path, repair=asked)
            assert report.changes
        if asked:
            assert samples is not None
            assert report.ok, f"{path.name}\n{report}"
            assert not report.fixes
            assert apply_repairs(samples, asked)[1] == []
            helped += 1
    assert helped >= 15


@pytest.mark.parametrize("folder", ["real", "fixtures"])
def test_sound_files_load(morphology_data: Path, folder: str) -> None:
    files = sorted((morphology_data / folder).glob("*.swc"))
    assert files
    assert {path.name: verdict(path) for path in files if verdict(path) == "refuse"} == {}


def test_malformed_files_never_pass_in_silence(morphology_data: Path) -> None:
    for path in sorted((morphology_data / "malformed").glob("*.swc")):
        report = check_file(path)
        odd = [fault for fault in report.faults if fault.code != "soma-convention"]
        assert odd or path.name in UNREMARKABLE, path.name
        for fault in report.faults:
            assert 1 <= fault.line <= max(report.n_lines, 1)
            assert fault.message
        assert str(report)


def test_every_sample_is_that_of_its_line(morphology_data: Path) -> None:
    """Against the plainest reading there is: split the lines, take the first seven words as floats."""
    for path in sorted((morphology_data / "real").glob("*.swc")):
        lines = path.read_bytes().decode("latin-1").splitlines()
        words = [line.split("#")[0].split()[:7] for line in lines]
        table = np.array([[float(word) for word in row] for row in words if row])
        samples = read_swc(path)[0]
        assert samples is not None
        np.testing.assert_array_equal(samples.id, table[:, 0])
        np.testing.assert_array_equal(samples.type, table[:, 1])
        np.testing.assert_array_equal(samples.xyz, table[:, 2:5])
        np.testing.assert_array_equal(samples.radius, table[:, 5])
        parents = np.where(samples.parent >= 0, samples.id[samples.parent], -1)
        np.testing.assert_array_equal(parents, table[:, 6])


def test_check_file_of_what_cannot_be_opened(tmp_path: Path) -> None:
    report = check_file(tmp_path / "none.swc")
    assert not report.ok
    assert list(report.lines()) == [
        f"{tmp_path}/none.swc: error cannot-open cannot be opened: No such file or directory"
    ]
