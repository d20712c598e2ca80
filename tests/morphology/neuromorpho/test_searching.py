"""Searching, page by page, and answers that are not what they should be."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.downloads import pace
from dendrosim.errors import DataError, DownloadError, ParameterError

nmo = ds.neuromorpho


def selected(site):
    return [query for path, query, _ in site.asked if path == "/api/neuron/select"]


def test_conditions_are_asked_as_the_api_takes_them(archive, site):
    found = nmo.search(species=["monkey", "mouse"], brain_region="layer 3", neuron_name="cnic_*", page=10)
    assert site.asked == []  # nobody has looked
    assert found.names == ["cnic_001", "cnic_002", "cnic_003", "cnic_041"]
    assert selected(site) == [
        {
            "q": ["species:monkey,mouse"],
            "fq": ['brain_region:"layer 3"', "neuron_name:cnic_*"],
            "sort": ["neuron_id,asc"],
            "page": ["0"],
            "size": ["10"],
        }
    ]


def test_pages_are_fetched_as_far_as_somebody_looks(archive, site):
    found = nmo.search(archive="Wearne_Hof", page=2)
    assert len(found) == 4
    assert [query["page"] for query in selected(site)] == [["0"]]
    assert found[1].name == "cnic_002"
    assert len(selected(site)) == 1
    assert found[-1].name == "cnic_041"
    assert [neuron.name for neuron in found[1:3]] == ["cnic_002", "cnic_003"]
    assert [query["page"] for query in selected(site)] == [["0"], ["1"]]
    with pytest.raises(IndexError, match="neuron 4 of 4"):
        found[4]


def test_pages_of_one_and_none_left(archive):
    assert nmo.search(species="monkey", page=1).names == ["cnic_001", "cnic_002", "cnic_003", "cnic_041"]
    nothing = nmo.search(species="unicorn")
    assert (len(nothing), list(nothing)) == (0, [])
    assert str(nothing) == "no neurons with species:unicorn"
    assert "0 neurons" in nothing._repr_html_()


def test_what_is_known_about_a_neuron(archive):
    neuron = nmo.neuron("cnic_001")
    assert neuron == nmo.neuron(1) == nmo.search(neuron_name="cnic_001")[0]
    assert (neuron.id, neuron.name, neuron.archive, neuron.nmo_id) == (1, "cnic_001", "Wearne_Hof", "NMO_00001")
    assert (neuron.species, neuron.brain_region[2], neuron.cell_type[1]) == ("monkey", "layer 3", "pyramidal")
    assert neuron.doi == ("10.1016/S0306-4522(02)00305-6", "10.1093/cercor/13.9.950")
    assert neuron.pmid == ("12204204", "12902394")
    assert neuron.metadata["soma_surface"] == "834.0"
    assert neuron.metadata["note"] is None
    assert "_links" not in neuron.metadata
    with pytest.raises(TypeError):
        neuron.metadata["species"] = "mouse"
    assert pickle.loads(pickle.dumps(neuron)) == neuron
    assert "NMO_00001" in str(neuron)
    assert "neocortex, prefrontal, layer 3" in str(neuron)


def test_a_table(archive):
    found = nmo.search(species="monkey", page=10)
    assert repr(found) == "SearchResults(species:monkey; not asked yet)"
    lines = str(found).splitlines()
    assert lines[0] == "4 neurons with species:monkey"
    assert lines[1].split("  ")[0] == "id"
    assert lines[5].startswith("4   cnic_041  Wearne_Hof  monkey   neocortex, prefrontal, layer 3")
    html = found._repr_html_()
    assert html.count("cnic_0") == 4
    assert "4 neurons" in html
    assert repr(found) == "SearchResults(species:monkey; 4 neurons)"


def test_a_table_asks_for_one_page_and_no_more(archive, site):
    found = nmo.search(species="monkey", page=2)
    assert str(found).splitlines()[0] == "4 neurons with species:monkey, the first 2 of them"
    assert found._repr_html_().count("cnic_0") == 2
    assert site.paths == ["/api/neuron/select"]


def test_fields_values_and_health(archive):
    assert nmo.fields() == ["archive", "species"]
    assert nmo.values("species") == ["monkey", "mouse", "rat"]  # two pages, and a gap
    assert nmo.values("archive") == ["Allen Cell Types", "Scanziani", "Wearne_Hof"]
    assert nmo.status() == "UP"
    with pytest.raises(ParameterError, match=r"field='colour' is not known; valid: .*'brain_region'"):
        nmo.values("colour")


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({}, "give a condition"),
        ({"colour": "red"}, "field='colour' is not known"),
        ({"species": ""}, "cannot be asked for"),
        ({"species": None}, "must be text"),
        ({"species": True}, "must be text"),
        ({"species": []}, "must be text"),
        ({"species": ["mouse", 3.5]}, "cannot be asked for"),
        ({"species": 'mouse" OR "x'}, "without quotes"),
        ({"species": "mouse\\"}, "without quotes"),
        ({"species": "a\nb"}, "control characters"),
        ({"species": "x" * 201}, "cannot be asked for"),
        ({"species": "droso* melano*"}, "without spaces"),
        ({"species": "mouse", "page": 501}, "500 at most"),
        ({"species": "mouse", "page": 0}, "positive whole number"),
    ],
)
def test_questions_that_cannot_be_asked(archive, site, conditions, words):
    with pytest.raises(ParameterError, match=words):
        nmo.search(**conditions)
    assert site.asked == []


def test_requests_are_half_a_second_apart_and_more_is_not_to_be_had(archive, site, own_cache):
    clock = pace.PACE.clock
    pace.PACE.clock = lambda: 5.0
    list(nmo.search(species="monkey", page=1))
    pace.PACE.clock = clock
    assert own_cache == [0.5, 0.5, 0.5]
    with pytest.raises(ParameterError, match=r"pause=0\.1 s is impossible; it must be >= 0\.5"):
        nmo.Server(pause=0.1)


def test_a_slower_server_is_asked_slowly(archive, own_cache):
    pace.PACE.clock = lambda: 5.0
    nmo.status(server=nmo.Server(pause=4.0))
    nmo.status(server=nmo.Server(pause=4.0))
    assert own_cache == [4.0]


def test_numbers_of_other_kinds_are_numbers(archive):
    slow = nmo.Server(pause=Decimal("0.75"), silence=Fraction(5, 2), attempts=np.int64(2))
    assert nmo.neuron("cnic_001", server=slow).id == 1
    assert nmo.neuron("cnic_002", server=slow).id == 2


def test_close_names_are_suggested(archive):
    with pytest.raises(DownloadError, match=r"no neuron named 'cnic_01'; close are 'cnic_0\d1', 'cnic_0") as caught:
        nmo.neuron("cnic_01")
    assert caught.value.status == 404
    with pytest.raises(DownloadError, match=r"no neuron named 'zzz'; ds\.neuromorpho\.search"):
        nmo.neuron("zzz")
    with pytest.raises(DownloadError, match=r"no neuron with the ID 5; ds"):
        nmo.neuron(5)


def test_maintenance(archive, site):
    site.answers["/api/neuron/name/cnic_001"] = (503, {}, b"<html>Down for maintenance</html>")
    with pytest.raises(DownloadError, match=r"answers 503.*closed for maintenance.*ds\.neuromorpho\.cached"):
        nmo.neuron("cnic_001")
    assert site.paths.count("/api/neuron/name/cnic_001") == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"neuron_id": 1, "neuron_na',
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b"<!DOCTYPE html><html>Please sign in</html>",
        b"[]",
        b"null",
        b'"text"',
    ],
)
def test_answers_that_are_no_json(archive, site, body):
    site.answers["/api/neuron/name/cnic_001"] = (200, {"Content-Type": "application/json"}, body)
    with pytest.raises(DataError, match=r"(no JSON|a web page|where a JSON object) ?.*") as caught:
        nmo.neuron("cnic_001")
    assert len(str(caught.value)) < 1000


def broken(**changes):
    known = {"neuron_id": 1, "neuron_name": "cnic_001", "archive": "Wearne_Hof"}
    return json.dumps(known | changes)


@pytest.mark.parametrize(
    "answer",
    [
        broken(neuron_id=None),
        broken(neuron_id=True),
        broken(neuron_id="1"),
        broken(neuron_id=-1),
        broken(neuron_id=1e30),
        broken(neuron_name=None),
        broken(neuron_name=["cnic_001"]),
        broken(neuron_name="../../../etc/passwd"),
        broken(neuron_name="/etc/passwd"),
        broken(neuron_name="..\\..\\windows"),
        broken(neuron_name="cnic\0_001"),
        broken(neuron_name="cnic\x1b[2J"),
        broken(neuron_name="a\u202egnp"),
        broken(neuron_name="x" * 100_000),
        broken(neuron_name=".hidden"),
        broken(neuron_name=" "),
        broken(archive="../.."),
        broken(archive=""),
        broken(archive={"a": 1}),
    ],
)
def test_neurons_that_could_not_be(archive, site, answer):
    site.answers["/api/neuron/name/cnic_001"] = answer.encode()
    with pytest.raises(DataError, match=r"not used") as caught:
        nmo.neuron("cnic_001")
    assert len(str(caught.value)) < 1000
    assert "\x1b" not in str(caught.value)


def test_another_neuron_than_was_asked_for(archive, site):
    site.answers["/api/neuron/name/cnic_001"] = broken(neuron_name="cnic_002").encode()
    with pytest.raises(DataError, match=r"asked for the neuron named 'cnic_001', and answers with 'cnic_002'"):
        nmo.neuron("cnic_001")


ROW = json.loads(broken())


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"_embedded": [], "page": {"totalElements": 1}},
        {"_embedded": {"neuronResources": "x"}, "page": {"totalElements": 1}},
        {"_embedded": {"neuronResources": [ROW]}, "page": {"totalElements": "1"}},
        {"_embedded": {"neuronResources": [ROW]}, "page": {"totalElements": -1}},
        {"_embedded": {"neuronResources": [ROW]}, "page": {"totalElements": 10**18}},
        {"_embedded": {"neuronResources": [ROW]}, "page": {"totalElements": 10**4000}},
        {"_embedded": {"neuronResources": [ROW] * 11}, "page": {"totalElements": 11}},
        {"_embedded": {"neuronResources": ["cnic_001"]}, "page": {"totalElements": 1}},
        {"_embedded": {"neuronResources": []}, "page": {"totalElements": 5}},
    ],
)
def test_pages_that_are_not_as_the_api_describes_them(archive, site, answer):
    site.answers["/api/neuron/select"] = json.dumps(answer).encode()
    with pytest.raises(DataError, match=r"page 0 of the search for species:mouse") as caught:
        list(nmo.search(species="mouse", page=10))
    assert len(str(caught.value)) < 1000


def test_a_number_of_neurons_that_changes_meanwhile(archive, site):
    found = nmo.search(species="monkey", page=2)
    assert len(found) == 4
    archive.neurons.pop(0)
    with pytest.raises(DataError, match=r"3 neurons in all, and had 4 before; search again"):
        found.names  # noqa: B018


def test_what_the_server_says_cannot_steer_a_terminal_or_a_page(archive, site):
    evil = "<script>alert(1)</script>\x1b]0;owned\x07\u202e"
    archive.add({**archive.neurons[0], "neuron_id": 9, "neuron_name": "fine", "species": evil, "note": evil})
    found = nmo.search(neuron_name="fine")
    for text in (str(found), str(found[0]), repr(found[0]), found._repr_html_()):
        assert not set(text) & {"\x1b", "\x07", "\u202e"}
    assert "<script>" not in found._repr_html_()
    assert "&lt;script&gt;" in found._repr_html_()


@pytest.mark.parametrize("answer", [b"{}", b'{"status": 3}', b'{"status": null}'])
def test_health_without_a_status(archive, site, answer):
    site.answers["/api/health"] = answer
    with pytest.raises(DataError, match="no status"):
        nmo.status()


@pytest.mark.parametrize("answer", [b"{}", b'{"fields": "mouse"}', b'{"fields": [["mouse"]]}'])
def test_values_that_are_no_list_of_texts(archive, site, answer):
    site.answers["/api/neuron/fields/archive"] = answer
    with pytest.raises(DataError, match="list of texts is expected"):
        nmo.values("archive")


@pytest.mark.parametrize("page", [3, {}, {"totalPages": "2"}, {"totalPages": True}, {"totalPages": 10**9}])
def test_values_of_a_number_of_pages_that_cannot_be(archive, site, page):
    site.answers["/api/neuron/fields/archive"] = json.dumps({"fields": ["a"], "page": page}).encode()
    with pytest.raises(DataError, match="pages; this cannot be, it is not used"):
        nmo.values("archive")
    assert len(site.asked) == 1


def test_plain_http_is_refused_for_servers_elsewhere():
    with pytest.raises(DownloadError, match="https alone"):
        nmo.Server("http://neuromorpho.org")
    assert nmo.Server().url == "https://neuromorpho.org"


@pytest.mark.parametrize(
    "call",
    [
        lambda: nmo.Server(offline="yes"),
        lambda: nmo.Server(attempts=0),
        lambda: nmo.Server(silence=0),
        lambda: nmo.Server("https://neuromorpho.org/?mirror=1"),
        lambda: nmo.Neuron("x", "cnic_001", "Wearne_Hof"),
        lambda: nmo.Neuron(1, "cnic_001", "Wearne_Hof", 5),
        lambda: nmo.Neuron(1, "cnic_001", "Wearne_Hof", {"species": 5}),
        lambda: nmo.Neuron(1, "cnic_001", "Wearne_Hof", {"species": ("mouse", 5)}),
        lambda: nmo.status(server="neuromorpho.org"),
        lambda: nmo.search(species="mouse", server=3),
        lambda: nmo.fetch("cnic_001", refresh=2),
        lambda: nmo.fetch("cnic_001", version="swc"),
        lambda: nmo.fetch("cnic_001", version="swc" * 1000),
        lambda: nmo.fetch(nmo.Neuron(1, "x", "../..")),
        lambda: nmo.fetch_archive("Wearne_Hof", progress="bar"),
        lambda: nmo.fetch_archive(None),
        lambda: nmo.lock("cells.json", 3.5),
        lambda: nmo.lock(3, "cnic_001"),
        lambda: nmo.restore(3),
        lambda: nmo.origin("cnic_001"),
        lambda: nmo.cached("swc"),
        lambda: nmo.neuron(-1),
        lambda: nmo.neuron(None),
    ],
)
def test_arguments_that_cannot_be_are_one_error(archive, site, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParameterError) as caught:
        call()
    assert len(str(caught.value)) < 1000
    assert site.asked == []
