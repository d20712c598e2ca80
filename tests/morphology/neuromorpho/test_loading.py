"""Loading with provenance, and lock files that others can verify."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
from pathlib import Path

import pytest

import dendrosim as ds
from dendrosim.errors import DataError, DownloadError, MorphologyError, ParameterError

nmo = ds.neuromorpho


def test_a_neuron_becomes_a_morphology(archive, site):
    cell = nmo.load("cnic_001")
    plain = ds.Morphology.from_swc(site.answers[archive.place("cnic_001")].decode())
    assert cell.name == "cnic_001"
    assert cell.total_length() == plain.total_length()
    assert cell.samples.comments[1:] == plain.samples.comments
    assert cell.report.n_samples == 5


def test_a_morphology_knows_where_it_is_from(archive, tmp_path):
    cell = nmo.load("cnic_001")
    cell.save(tmp_path / "copy.swc")
    for known in (
        cell,
        ds.Morphology.load(tmp_path / "copy.swc"),
        cell.prune(below=5),
        cell.select(region="basal"),
        pickle.loads(pickle.dumps(cell)),
    ):
        neuron = nmo.origin(known)
        assert (neuron.id, neuron.name, neuron.archive) == (1, "cnic_001", "Wearne_Hof")
        assert neuron.pmid == ("12204204", "12902394")
    assert nmo.origin(ds.Morphology.load("ball_and_stick")) is None


def test_the_archive_its_papers_and_neuromorpho_are_cited(archive):
    cell = nmo.load("cnic_001")
    for thing in (cell, cell.compartments(ds.Passive(), max_length=50.0), cell.prune(below=5)):
        text = ds.cite(thing)
        for words in (
            "Cannon RC",
            "RRID:SCR_002145",
            "https://doi.org/10.1096/fba.2024-00048",
            "NeuroMorpho.Org archive Wearne_Hof. Reconstruction cnic_001 (NMO_00001)",
            "PMID 12204204. https://doi.org/10.1016/S0306-4522(02)00305-6",
            "PMID 12902394. https://doi.org/10.1093/cercor/13.9.950",
        ):
            assert words in text
    assert "NeuroMorpho" not in ds.cite(ds.Morphology.load("ball_and_stick"))
    bibtex = ds.cite(cell, bibtex=True)
    assert "@misc{neuromorpho_Wearne_Hof_cnic_001," in bibtex
    assert bibtex.count("{") == bibtex.count("}")
    assert ds.cite("neuromorpho").count("\n") == 2


@pytest.mark.parametrize(
    ("doi", "pmid", "lines"),
    [
        (["10.1/a"], ["11"], ["PMID 11. https://doi.org/10.1/a"]),
        (["https://doi.org/10.1/a"], None, ["https://doi.org/10.1/a"]),
        (["10.1/a", "10.1/b"], ["11"], ["https://doi.org/10.1/a", "https://doi.org/10.1/b", "PMID 11"]),
        (None, ["11"], ["PMID 11"]),
        ("", [""], []),
        (None, None, []),
    ],
)
def test_papers_are_told_by_what_is_known_of_them(doi, pmid, lines):
    note = json.dumps({"neuron_name": "n", "archive": "A", "reference_doi": doi, "reference_pmid": pmid})
    cell = ds.Morphology.from_swc(f"# NeuroMorpho.Org {note}\n1 1 0 0 0 5 -1\n2 3 0 9 0 1 1\n3 3 0 19 0 1 2\n")
    papers = [line for line in ds.cite(cell).splitlines() if "Paper" in line]
    assert papers == [f"NeuroMorpho.Org archive A. Paper on its reconstructions. {line}" for line in lines]


def test_a_citation_survives_what_anybody_may_have_written(archive):
    notes = [
        "{",
        "[]",
        "[" * 20_000,
        '{"neuron_name": 3}',
        json.dumps({"neuron_name": "a}{b\\\n%", "archive": "x" * 1000, "neuron_id": "1", "reference_doi": {"a": 1}}),
        json.dumps({"neuron_name": "n", "archive": "a", "neuron_id": True, "reference_pmid": ["1"] * 100_000}),
    ]
    for note in notes:
        cell = ds.Morphology.from_swc(f"# NeuroMorpho.Org {note}\n1 1 0 0 0 5 -1\n2 3 0 9 0 1 1\n3 3 0 19 0 1 2\n")
        bibtex = ds.cite(cell, bibtex=True)
        assert bibtex.count("{") == bibtex.count("}")
        assert "\\" not in bibtex
        assert ds.cite(cell).count("\n") < 30


def test_two_archives_are_both_cited(archive):
    both = [nmo.load("cnic_001"), nmo.load("cnic_002"), nmo.load("TypeA-10")]
    text = ds.cite(*both)
    for name in ("cnic_001", "cnic_002", "TypeA-10"):
        assert f"Reconstruction {name}" in text
    assert text.count("RRID") == 1
    assert text.count("archive Wearne_Hof. Paper") == text.count("archive Scanziani. Paper") == 2  # each paper once


def test_the_first_identifier_of_all_is_one(archive):
    archive.add(archive.neurons[0] | {"neuron_id": 0, "neuron_name": "first"})
    assert nmo.origin(nmo.load("first")).id == 0


def test_repairs_are_made_when_asked_for(archive, site):
    site.answers[archive.place("cnic_001")] = b"1 1 0 0 0 5 -1\n2 3 0 10 0 0 1\n3 3 0 50 0 1 2\n"
    with pytest.warns(ds.errors.MorphologyWarning, match="zero-radius"):
        nmo.load("cnic_001")
    mended = nmo.load("cnic_001", repair="zero_radius", minimum_radius=0.2)
    assert mended.samples.radius[1] == 0.2
    assert len(mended.report.changes) == 1
    site.answers[archive.place("cnic_002")] = b"1 1 0 0 0 5 -1\n2 3 0 10 0 1 7\n"
    with pytest.raises(MorphologyError, match="missing-parent"):
        nmo.load("cnic_002")


# ---- locks


def test_a_lock_brings_the_same_bytes_to_another_machine(archive, site, tmp_path, monkeypatch):
    path = nmo.lock(tmp_path / "cells.lock.json", ["cnic_001", "TypeA-10"])
    content = json.loads(path.read_text())
    assert [entry["neuron"]["neuron_name"] for entry in content["files"]] == ["cnic_001", "TypeA-10"]
    expected = hashlib.sha256(site.answers[archive.place("cnic_001")]).hexdigest()
    assert content["files"][0]["sha256"] == expected
    before = [p.read_bytes() for p in nmo.restore(path)]

    monkeypatch.setenv("DENDROSIM_CACHE", str(tmp_path / "another machine"))
    site.asked.clear()
    assert [p.read_bytes() for p in nmo.restore(path)] == before
    assert all(asked.startswith("/dableFiles/") for asked in site.paths)  # the lock knows the rest
    assert nmo.load("cnic_001", lock=path).name == "cnic_001"
    assert "S0306" in ds.cite(nmo.load(1, lock=path))


def test_a_lock_does_not_accept_other_bytes(archive, site, tmp_path, monkeypatch):
    path = nmo.lock(tmp_path / "cells.lock.json", "cnic_001")
    monkeypatch.setenv("DENDROSIM_CACHE", str(tmp_path / "another machine"))
    site.answers[archive.place("cnic_001")] = b"1 1 0 0 0 5 -1\n2 3 0 9 0 1 1\n"
    for use in (
        lambda: nmo.restore(path),
        lambda: nmo.fetch("cnic_001", lock=path),
        lambda: nmo.load("cnic_001", lock=path),
    ):
        with pytest.raises(DownloadError, match=r"has changed at NeuroMorpho\.Org"):
            use()
    nmo.fetch("cnic_001")  # trusted here, and still not what the lock says
    with pytest.raises(DownloadError, match="has changed"):
        nmo.fetch("cnic_001", lock=path)


def test_a_lock_says_what_it_names(archive, tmp_path):
    path = nmo.lock(tmp_path / "cells.lock.json", nmo.search(neuron_name="cnic_00*"))
    with pytest.raises(DataError, match=r"does not name 'TypeA-10' in version 'cng'; it names 'cnic_001', 'cnic_002'"):
        nmo.fetch("TypeA-10", lock=path)
    with pytest.raises(DataError, match="in version 'original'"):
        nmo.fetch("cnic_001", lock=path, version="original")
    with pytest.raises(ParameterError, match="is there already"):
        nmo.lock(path, "TypeA-10")
    with pytest.raises(ParameterError, match="neurons is empty"):
        nmo.lock(tmp_path / "other.json", [])
    with pytest.raises(DataError, match="give one of them"):
        nmo.fetch("cnic_001", lock=path, sha256="0" * 64)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"format": "dendrosim.neuromorpho.lock/1"}',
        '{"format": "dendrosim.neuromorpho.lock/1", "files": [3]}',
        '{"format": "dendrosim.neuromorpho.lock/1", "files": [{"version": "../x"}]}',
        '{"format": "dendrosim.neuromorpho.lock/1", "files": [{"version": []}]}',
        '{"format": "dendrosim.neuromorpho.lock/1", "files": [{"version": {}}]}',
        '{"format": "dendrosim.neuromorpho.lock/1", "files": [{"version": "cng", "sha256": "../../x"}]}',
        '{"format": "dendrosim.neuromorpho.lock/1", "files": [{"version": "cng", "sha256": "%s", "neuron": {}}]}'
        % ("0" * 64),
    ],
)
def test_damaged_locks_are_refused(archive, site, tmp_path, content):
    path = tmp_path / "cells.lock.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"cells\.lock\.json"):
        nmo.restore(path)
    assert site.asked == []


def test_a_lock_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.json cannot be used"):
        nmo.restore(tmp_path / "nowhere.json")


def test_a_cache_can_be_carried_to_a_machine_without_a_connection(archive, site, tmp_path, monkeypatch):
    nmo.load("cnic_001")
    shutil.copytree(os.environ["DENDROSIM_CACHE"], tmp_path / "stick")
    monkeypatch.setenv("DENDROSIM_CACHE", str(tmp_path / "stick"))
    monkeypatch.setenv("DENDROSIM_OFFLINE", "1")
    site.asked.clear()
    assert nmo.load("cnic_001").name == "cnic_001"
    assert Path(nmo.fetch("cnic_001")).is_relative_to(tmp_path / "stick")
    assert site.asked == []
