"""What is said of files that are no morphologies, of names with a slip in them, and of radii that are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

import dendrosim as ds
from dendrosim import cli
from dendrosim.errors import MorphologyError, ParameterError
from dendrosim.morphology.checkfile import check_file
from dendrosim.morphology.report import Fault

GOOD = "1 1 0 0 0 5 -1\n2 3 0 10 0 1 1\n3 3 0 50 0 1 2\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "a PNG image"),
        (b"\x89HDF\r\n\x1a\n" + bytes(1000), "give it the ending .h5"),
        (b"\x1f\x8b\x08" + bytes(range(256)), "unpack it first"),
        (bytes(range(256)) * 40, r"\d+ of its first 4096 bytes are control characters"),
    ],
)
def test_a_binary_file_is_one_line(tmp_path: Path, content: bytes, reason: str, capsys) -> None:
    path = tmp_path / "cell.swc"
    path.write_bytes(content)
    with pytest.raises(MorphologyError, match=rf"cell.swc: not a text file: .*{reason}") as caught:
        ds.Morphology.load(path)
    assert "\n" not in str(caught.value)
    assert check_file(path).codes() == ("not-text",)
    assert cli.main(["morphology", "check", str(path)]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2  # the fault and the count


@pytest.mark.parametrize("suffix", [".hoc", ".nml", ".NML", ".json"])
def test_formats_that_are_not_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cell{suffix}"
    path.write_text("create soma\n")
    with pytest.raises(MorphologyError, match=rf"{suffix.lower()} files \(.*\) are not supported; readable are \.swc"):
        ds.Morphology.load(path)
    assert check_file(path).codes("error") == ("format",)


def test_other_endings_hold_swc(tmp_path: Path) -> None:
    path = tmp_path / "cell.txt"
    path.write_text(GOOD)
    assert len(ds.Morphology.load(path).samples) == 3


@pytest.mark.parametrize("name", ["pyramidal_L5", "pyramidal_l_5", "Granule"])
def test_a_slip_in_a_name(name: str) -> None:
    meant = "granule" if name == "Granule" else "pyramidal_l5"
    with pytest.raises(MorphologyError, match=f"'{name}' does not exist; did you mean '{meant}'"):
        ds.Morphology.load(name)
    with pytest.raises(MorphologyError, match=r"does not exist; give the path"):
        ds.Morphology.load("nothing/of/the/kind.swc")


def test_home_is_expanded(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    cell = ds.Morphology.from_swc(GOOD)
    cell.save("~/saved.swc")
    assert (tmp_path / "saved.swc").is_file()
    assert len(ds.Morphology.load("~/saved.swc").samples) == 3
    assert cli.main(["morphology", "plot", "~/saved.swc", "--out", "~"]) == 0
    assert (tmp_path / "saved.png").is_file()


def compartments(text: str) -> None:
    with pytest.warns(ds.errors.MorphologyWarning):
        cell = ds.Morphology.from_swc(text, "cell")
    cell.compartments(ds.Passive(), max_length=20.0)


def test_some_radii_missing() -> None:
    text = "1 1 0 0 0 5 -1\n2 3 0 10 0 0 1\n3 3 0 50 0 1 2\n"
    with pytest.raises(MorphologyError, match=r"radius 0 at sample 2; pass minimum_radius=0\.1 .*\['zero_radius'\]"):
        compartments(text)


def test_all_radii_missing() -> None:
    """The repair interpolates between radii, and there are none."""
    text = "1 3 0 0 0 0 -1\n2 3 0 10 0 0 1\n3 3 0 50 0 0 2\n"
    with pytest.raises(MorphologyError, match=r"every radius is 0.*minimum_radius=0\.5") as caught:
        compartments(text)
    assert "repair" not in str(caught.value)


def test_radii_missing_in_a_file_in_nm() -> None:
    text = "1 1 0 0 0 5000 -1\n2 3 0 9000 0 0 1\n3 3 0 50000 0 400 2\n4 3 0 90000 0 300 3\n"
    with pytest.raises(MorphologyError, match=r"in nm, load with repair=\['nm_to_um', 'zero_radius'\]"):
        compartments(text)
    with pytest.warns(ds.errors.MorphologyWarning):
        cell = ds.Morphology.from_swc(text)
    assert cell.samples.radius[1] == 0
    mended = ds.Morphology.from_swc(text, repair=["nm_to_um", "zero_radius"])
    assert 0.2 < mended.samples.radius[1] < 6.0
    assert mended.compartments(ds.Passive(), max_length=20.0).size > 2


def test_growth_on_a_soma_of_many_samples_names_the_repair() -> None:
    soma = "1 1 0 0 0 5 -1\n2 1 0 5 0 5 1\n3 1 0 9 0 5 2\n4 1 0 12 0 5 3\n"
    cell = ds.Morphology.from_swc(soma + "5 3 0 13 0 1 4\n6 3 0 90 0 1 5\n")
    with pytest.raises(ParameterError, match=r"4 soma samples .*repair='collapse_soma'"):
        ds.grow.resample(cell, 5.0)


def test_a_fault_prints_as_a_line() -> None:
    fault = Fault("zero-radius", "warning", 7, 3, "sample 3 has radius 0", "zero_radius")
    assert str(fault) == "line 7: warning zero-radius sample 3 has radius 0 [repair: zero_radius]"
    assert str(Fault("odd", "note", 0, None, "it is odd")) == "note odd it is odd"


def test_more_compartments_than_memory_holds() -> None:
    cell = ds.Morphology.load("ball_and_stick")
    with pytest.raises(
        ParameterError, match=r"would make .* compartments of .*; 2e\+07 is the most .*greater max_length"
    ):
        cell.compartments(ds.Passive(), max_length=1e-6)
