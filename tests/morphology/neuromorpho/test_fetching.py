"""Fetching: verified at every use, whole or not at all, and nowhere but in the cache."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dendrosim as ds
from dendrosim.cli import main
from dendrosim.errors import DataError, DownloadError, ParameterError
from dendrosim.morphology.neuromorpho.names import check_name, ending_of, file_name
from dendrosim.shown import clean

nmo = ds.neuromorpho
CHANGED = b"1 1 0 0 0 5 -1\n2 3 0 9 0 1 1\n"


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def files() -> list[Path]:
    root = Path(os.environ["DENDROSIM_CACHE"])
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_a_file_is_fetched_once_and_verified_at_each_use(archive, site):
    content = site.answers[archive.place("cnic_001")]
    path = nmo.fetch("cnic_001")
    assert path.read_bytes() == content
    assert path.name == "cnic_001.CNG.swc"
    assert site.paths == ["/api/neuron/name/cnic_001", archive.place("cnic_001")]
    site.asked.clear()
    assert nmo.fetch("cnic_001") == nmo.fetch(1) == path
    assert site.asked == []
    (record,) = nmo.cached()
    assert (record.neuron.name, record.version, record.sha256, record.path) == ("cnic_001", "cng", sha(content), path)
    assert record.url == site.url + "/dableFiles/wearne_hof/CNG%20version/cnic_001.CNG.swc"


def test_what_a_search_found_is_fetched_without_another_question(archive, site):
    neuron = nmo.search(neuron_name="cnic_002")[0]
    nmo.fetch(neuron)
    assert site.paths == ["/api/neuron/select", archive.place("cnic_002")]


def test_names_with_signs_make_addresses_and_files(archive, site):
    path = nmo.fetch("cell 1 (left) #2+")
    assert site.paths[1] == "/dableFiles/allen cell types/CNG version/cell 1 (left) #2+.CNG.swc"
    assert path.name == "cell 1 (left) %232+.CNG.swc"


def test_the_original_has_the_ending_that_its_format_tells(archive, site):
    path = nmo.fetch("TypeA-10", version="original")
    assert path.name == "TypeA-10.asc"
    assert site.paths[-1] == "/dableFiles/scanziani/Source-Version/TypeA-10.asc"
    assert nmo.fetch("TypeA-10") != path
    assert [record.version for record in nmo.cached()] == ["cng", "original"]


@pytest.mark.parametrize("told", ["Neurolucida", None, "x./../../y", "a.b/c", "a.toolongending"])
def test_an_original_of_unknown_format(archive, site, told):
    known = {**archive.neurons[0], "original_format": told}
    site.answers["/api/neuron/name/cnic_001"] = json.dumps(known).encode()
    with pytest.raises(DataError, match=r"does not say what kind of file.*version='cng'"):
        nmo.fetch("cnic_001", version="original")


def test_damage_in_the_cache_is_noticed_and_mended(archive, site):
    path = nmo.fetch("cnic_001")
    path.write_bytes(b"bit rot")
    assert nmo.fetch("cnic_001") == path
    assert path.read_bytes() == site.answers[archive.place("cnic_001")]
    path.unlink()
    assert nmo.fetch("cnic_001").is_file()


def test_a_change_at_the_server_is_told_with_both_sums(archive, site):
    first = nmo.fetch("cnic_001")
    old = sha(first.read_bytes())
    site.answers[archive.place("cnic_001")] = CHANGED
    assert nmo.fetch("cnic_001") == first  # the cache is trusted
    with pytest.raises(DownloadError) as caught:
        nmo.fetch("cnic_001", refresh=True)
    for words in ("has changed", sha(CHANGED), old, f"sha256='{sha(CHANGED)}'", "Nothing was replaced"):
        assert words in str(caught.value)
    assert nmo.fetch("cnic_001").read_bytes() == first.read_bytes()
    new = nmo.fetch("cnic_001", sha256=sha(CHANGED))
    assert new.read_bytes() == CHANGED
    assert nmo.fetch("cnic_001") == new  # that one is trusted now
    site.asked.clear()
    assert nmo.fetch("cnic_001", sha256=old) == first  # and the old one is still there
    assert site.asked == []


def test_a_damaged_file_is_not_replaced_by_a_changed_one(archive, site):
    path = nmo.fetch("cnic_001")
    path.write_bytes(b"bit rot")
    site.answers[archive.place("cnic_001")] = CHANGED
    with pytest.raises(DownloadError, match="has changed"):
        nmo.fetch("cnic_001")


def test_refreshing_what_has_not_changed(archive):
    path = nmo.fetch("cnic_001")
    assert nmo.fetch("cnic_001", refresh=True) == path


def test_a_sum_counts_from_the_start(archive):
    with pytest.raises(DownloadError, match=rf"{'0' * 64} is what was recorded or asked for"):
        nmo.fetch("cnic_001", sha256="0" * 64)
    assert files() == []
    with pytest.raises(ParameterError, match="is no SHA-256"):
        nmo.fetch("cnic_001", sha256="abc")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty file"),
        (b" \r\n\n", "an empty file"),
        (b"\n <!DOCTYPE html><html>404</html>", "a web page"),
        (b"<HTML><body>sign in</body></html>", "a web page"),
        (b"\xef\xbb\xbf<html>", "a web page"),
        (b"\x1f\x8b\x08\0\0\0", "no text"),
        (b"# only\n# comments\n", "without a single sample"),
        (b"not found", "without a single sample"),
        (b"nan nan nan nan nan nan nan\n", "without a single sample"),
        (b"1 1 0 0 0 5 -1\n2 3 0 9 0", "ends in the middle of a line"),
        (b"1 1 0 0 0 5 -1\r2 3 0 9 0", "ends in the middle of a line"),
    ],
)
def test_what_is_no_reconstruction_is_not_kept(archive, site, body, words):
    site.answers[archive.place("cnic_001")] = body
    with pytest.raises(DataError, match=words):
        nmo.fetch("cnic_001")
    assert files() == []


@pytest.mark.parametrize(
    "body", [CHANGED.replace(b"\n", b"\r"), CHANGED + b"# the end", CHANGED.decode().encode("utf-16")]
)
def test_odd_files_are_for_the_reader_to_judge(archive, site, body):
    site.answers[archive.place("cnic_001")] = body
    assert nmo.load("cnic_001").n_tips == 1


def test_a_file_that_breaks_off_is_not_kept(archive, site):
    site.answers[archive.place("cnic_001")] = (200, {"Content-Length": "100000"}, CHANGED)
    with pytest.raises(DownloadError, match="nothing was kept"):
        nmo.fetch("cnic_001")
    assert files() == []


def test_a_neuron_without_a_file(archive, site):
    del site.answers[archive.place("cnic_001")]
    with pytest.raises(DownloadError, match=r"knows 'cnic_001' of 'Wearne_Hof'.*\(404\); try version='original'"):
        nmo.fetch("cnic_001")


# ---- archives


def test_an_archive(archive, site):
    paths = nmo.fetch_archive("Wearne_Hof")
    assert [path.name for path in paths] == [f"cnic_{n}.CNG.swc" for n in ("001", "002", "003", "041")]
    site.asked.clear()
    assert nmo.fetch_archive("Wearne_Hof") == paths
    assert site.paths == ["/api/neuron/select"]


def test_an_archive_that_fails_half_way_goes_on(archive, site):
    place = archive.place("cnic_003")
    content = site.answers.pop(place)
    with pytest.raises(DownloadError, match="cnic_003"):
        nmo.fetch_archive("Wearne_Hof")
    assert [record.neuron.name for record in nmo.cached()] == ["cnic_001", "cnic_002"]
    site.answers[place] = content
    site.asked.clear()
    assert len(nmo.fetch_archive("Wearne_Hof")) == 4
    assert site.paths == ["/api/neuron/select", place, archive.place("cnic_041")]


def test_close_archives_are_suggested(archive):
    with pytest.raises(DownloadError, match=r"no archive 'Wearne'; close are 'Wearne_Hof'"):
        nmo.fetch_archive("Wearne")


# ---- offline


def test_offline_the_cache_is_enough(archive, site, monkeypatch):
    path = nmo.fetch("cnic_001")
    site.asked.clear()
    monkeypatch.setenv("DENDROSIM_OFFLINE", "1")
    assert nmo.fetch("cnic_001") == path
    with pytest.raises(DownloadError) as caught:
        nmo.fetch("cnic_002")
    for words in ("fetching 'cnic_002' needs a connection", "DENDROSIM_OFFLINE", "1 files", "close are 'cnic_001'"):
        assert words in str(caught.value)
    assert "dendrosim morphology fetch 'cnic_002'" in str(caught.value)
    path.write_bytes(b"bit rot")
    with pytest.raises(DownloadError, match="missing, damaged, or not the one asked for"):
        nmo.fetch("cnic_001")
    for ask in (lambda: nmo.search(species="mouse"), lambda: nmo.neuron("x"), nmo.fields, nmo.status):
        with pytest.raises(DownloadError, match="needs a connection"):
            ask()
    assert site.asked == []


def test_offline_by_argument(archive, site):
    server = nmo.Server(offline=True)
    with pytest.raises(DownloadError, match=r"Server\(offline=True\) forbids one.*there is nothing yet\."):
        nmo.load("cnic_001", server=server)
    with pytest.raises(DownloadError, match="needs a connection"):
        nmo.values("species", server=server)
    assert site.asked == []


# ---- names


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "..",
        ".",
        ".x",
        "a\0b",
        "a\nb",
        "",
        " ",
        "x" * 201,
        None,
        1.5,
        True,
    ],
)
def test_names_that_lead_elsewhere_are_refused(archive, site, name):
    with pytest.raises(ParameterError, match=r"neuron=.*(no name|characters)"):
        nmo.fetch(name)
    assert site.asked == []


@pytest.mark.parametrize(
    "name",
    [
        "CON",
        "aux",
        "com1.x",
        "nul.CNG",
        "LPT9",
        "a:b",
        'a"b',
        "a?b*",
        "a|b",
        "a<b>",
        "end.",
        "end ",
        " begin",
        "é" * 200,
    ],
)
def test_names_that_windows_could_not_have_are_written_otherwise(name):
    found = file_name(name)
    assert not set(found) & set('<>:"|?*/\\')
    assert found == found.strip(" .")
    assert len(found) <= 200
    assert found.partition(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


@given(st.text(max_size=210))
@settings(max_examples=100, deadline=None)
def test_no_name_leaves_its_folder(name):
    try:
        check_name("name", name)
    except ParameterError:
        return
    root = Path("/root/of/all")
    path = root / file_name(name)
    assert path.parent == root
    assert Path(os.path.normpath(path)) == path
    assert path.name.isascii()
    assert len(path.name) <= 200
    if "%~" not in path.name:
        assert unquote(path.name) == name  # so that no two names meet
    assert clean(name) == " ".join(name.split())


@pytest.mark.parametrize(
    ("told", "ending"),
    [("Neurolucida.asc", "asc"), ("a.b.swc", "swc"), ("swc", ""), ("a.", ""), ("a.../x", ""), (None, "")],
)
def test_endings(told, ending):
    assert ending_of(told) == ending


# ---- records that somebody changed


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"[" * 50_000, b"\xff", b"x" * (2**20 + 1), b'{"format": "other"}']
)
def test_damaged_records_are_named(archive, content):
    nmo.fetch("cnic_001")
    (record,) = (path for path in files() if path.suffix == ".json")
    record.write_bytes(content)
    with pytest.raises(DataError, match=r"cnic_001\.json (is damaged|cannot be used)"):
        nmo.fetch("cnic_001")


def test_a_record_cannot_lead_elsewhere(archive):
    nmo.fetch("cnic_001")
    (record,) = (path for path in files() if path.suffix == ".json")
    known = json.loads(record.read_text())
    for change in (
        {"sha256": "../../../etc/passwd"},
        {"neuron": {**known["neuron"], "archive": "../.."}},
        {"version": ".."},
    ):
        record.write_text(json.dumps(known | change))
        with pytest.raises(DataError, match="is damaged"):
            nmo.fetch("cnic_001")


@pytest.mark.parametrize("version", [[], {}, None, 3, "swc"])
def test_a_version_that_could_not_be(archive, version):
    nmo.fetch("cnic_001")
    (record,) = (path for path in files() if path.suffix == ".json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"version": version}))
    with pytest.raises(DataError, match=r"cnic_001\.json is damaged.*Remove it"):
        nmo.fetch("cnic_001")


def test_no_other_field_takes_the_place_of_a_name(archive, site):
    """A key that is a name once its control characters are gone would lead to a record that cannot be read."""
    told = archive.neurons[0] | {"neuron_name\u200b": "other", "neuron_id ": "x", "archive\n": "../.."}
    site.answers["/api/neuron/name/cnic_001"] = json.dumps(told).encode()
    path = nmo.fetch("cnic_001")
    (record,) = nmo.cached()
    assert (record.neuron.id, record.neuron.name, record.neuron.archive) == (1, "cnic_001", "Wearne_Hof")
    assert record.path == path


def test_two_archives_with_a_neuron_of_one_name_are_kept_apart(archive, site):
    ours, theirs = (nmo.Neuron(i, "same", name) for i, name in enumerate(["Ours", "Theirs"]))
    site.answers[archive.place("same", "ours")] = b"1 1 0 0 0 5 -1\n"
    site.answers[archive.place("same", "theirs")] = b"1 1 0 0 0 7 -1\n"
    first = [nmo.fetch(one) for one in (ours, theirs)]
    site.asked.clear()
    offline = nmo.Server(offline=True)
    assert [nmo.fetch(one, server=offline) for one in (ours, theirs)] == first
    assert [path.read_bytes()[-5:] for path in first] == [b"5 -1\n", b"7 -1\n"]
    site.answers[archive.place("same", "theirs")] = CHANGED  # and each is held to its own sum
    with pytest.raises(DownloadError, match="has changed"):
        nmo.fetch(theirs, refresh=True)


def test_the_longest_name_on_a_host_with_the_longest_name(archive, tmp_path, monkeypatch):
    import platform

    monkeypatch.setattr(platform, "node", lambda: "h" * 64)
    archive.add(archive.neurons[0] | {"neuron_id": 9, "neuron_name": "n" * 200})
    assert nmo.load("n" * 200).name == "n" * 200
    assert main(["morphology", "fetch", "n" * 200, "--out", str(tmp_path / "out")]) == 0
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_messages_about_long_names_are_short(archive, site):
    known = archive.neurons[0] | {"neuron_id": 9, "neuron_name": "é" * 200, "archive": "ü" * 200}
    site.answers["/api/neuron/id/9"] = json.dumps(known).encode()
    with pytest.raises(DownloadError, match="has no file for it") as caught:
        nmo.fetch(9)
    assert len(str(caught.value)) < 1000


# ---- several processes

CODE = """
import sys
from dendrosim.morphology import neuromorpho
path = neuromorpho.fetch("cnic_001", server=neuromorpho.Server(sys.argv[1]))
print(path, neuromorpho.cached()[0].sha256)
"""


def test_two_processes_fetch_the_same_neuron(archive, site):
    command = [sys.executable, "-c", CODE, site.url]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0]
    assert [path.suffix for path in files()] == [".swc", ".json"]


def test_a_process_that_was_killed_leaves_nothing_that_counts(archive, site, tmp_path):
    begun = threading.Event()

    def slow(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        handler.wfile.write(b"1 1 0 0 0 5 -1\n")
        begun.set()
        killed.wait(30)

    whole, killed = site.answers[archive.place("cnic_001")], threading.Event()
    site.answers[archive.place("cnic_001")] = slow
    with subprocess.Popen([sys.executable, "-c", CODE, site.url]) as process:
        assert begun.wait(60)
        process.kill()
    killed.set()
    assert nmo.cached() == []
    site.answers[archive.place("cnic_001")] = whole
    assert nmo.fetch("cnic_001").read_bytes() == whole
    assert len(nmo.cached()) == 1
