"""A local server that speaks the API of NeuroMorpho.Org, as far as its documentation and its clients tell."""

from __future__ import annotations

import fnmatch
import json
from typing import Any

import pytest

import dendrosim as ds
from dendrosim.morphology.neuromorpho import server as server_module

SWC = """\
# Original file cnic_001.swc edited by StdSwc version 1.21 on 8/1/06.
# SDSWC header
1 1 0.0 0.0 0.0 6.0 -1
2 3 0.0 8.0 0.0 1.2 1
3 3 0.0 60.0 0.0 0.8 2
4 3 30.0 110.0 0.0 0.5 3
5 3 -30.0 90.0 0.0 0.5 3
"""
ASC = b'("CellBody" (CellBody)\n (1 1 0 0)\n)\n'


def entry(number: int, name: str, archive: str = "Wearne_Hof", **others: Any) -> dict[str, Any]:
    """A neuron as the API describes one."""
    known = {
        "neuron_id": number,
        "neuron_name": name,
        "archive": archive,
        "note": None,
        "age_scale": "Year",
        "gender": "Male/Female",
        "brain_region": ["neocortex", "prefrontal", "layer 3"],
        "cell_type": ["Local projecting", "pyramidal", "principal cell"],
        "species": "monkey",
        "experiment_condition": ["Control"],
        "original_format": "Neurozoom.swc",
        "domain": "Dendrites, Soma, No Axon",
        "physical_Integrity": "Dendrites Moderate",
        "soma_surface": "834.0",
        "reported_value": None,
        "png_url": f"http://neuromorpho.org/images/imageFiles/{archive}/{name}.png",
        "reference_pmid": ["12204204", "12902394"],
        "reference_doi": ["10.1016/S0306-4522(02)00305-6", "10.1093/cercor/13.9.950"],
        "_links": {"self": {"href": f"http://neuromorpho.org/api/neuron/id/{number}"}},
    }
    return known | others


class Archive:
    """The neurons of the server, and its answers."""

    def __init__(self, site: Any) -> None:
        self.site, self.neurons = site, []
        for number, name in enumerate(["cnic_001", "cnic_002", "cnic_003", "cnic_041"], start=1):
            self.add(entry(number, name))
        self.add(entry(10047, "TypeA-10", "Scanziani", species="mouse", original_format="Neurolucida.asc"), ASC)
        self.add(entry(77, "cell 1 (left) #2+", "Allen Cell Types", species="drosophila melanogaster"))
        site.answers["/api/neuron/select"] = self.select
        site.answers["/api/health"] = b'{"status":"UP"}'
        site.answers["/api/neuron/fields"] = json.dumps({"Neuron Fields": ["species", "archive"]}).encode()
        site.answers["/api/neuron/fields/archive"] = b'{"fields":["Wearne_Hof","Scanziani","Allen Cell Types"]}'
        site.answers["/api/neuron/fields/species"] = self.species

    def add(self, known: dict[str, Any], original: bytes = SWC.encode(), cng: bytes = SWC.encode()) -> None:
        self.neurons.append(known)
        name, archive = known["neuron_name"], known["archive"].lower()
        ending = known["original_format"].rpartition(".")[2]
        content = json.dumps(known).encode()
        self.site.answers[f"/api/neuron/name/{name}"] = content
        self.site.answers[f"/api/neuron/id/{known['neuron_id']}"] = content
        self.site.answers[f"/dableFiles/{archive}/CNG version/{name}.CNG.swc"] = cng
        self.site.answers[f"/dableFiles/{archive}/Source-Version/{name}.{ending}"] = original

    def place(self, name: str, archive: str = "wearne_hof") -> str:
        return f"/dableFiles/{archive}/CNG version/{name}.CNG.swc"

    def select(self, handler: Any) -> None:
        query = self.site.asked[-1][1]
        found = [
            known for known in self.neurons if all(_meets(known, term) for term in query["q"] + query.get("fq", []))
        ]
        found.sort(key=lambda known: known["neuron_id"])
        number, size = int(query["page"][0]), int(query["size"][0])
        rows, pages = found[number * size : (number + 1) * size], -(-len(found) // size)
        page = {"size": size, "totalElements": len(found), "totalPages": pages, "number": number}
        body = {"_embedded": {"neuronResources": rows}, "_links": {}, "page": page}
        self.send(handler, body if found else {"error": "Not Found"}, 200 if found else 404)  # none is 404 there

    def species(self, handler: Any) -> None:
        number = int(self.site.asked[-1][1]["page"][0])
        parts = [["mouse", None, "rat"], ["monkey"]]
        self.send(handler, {"fields": parts[number], "page": {"number": number, "totalPages": 2}})

    @staticmethod
    def send(handler: Any, body: Any, status: int = 200) -> None:
        content = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


def _meets(known: dict[str, Any], term: str) -> bool:
    field, _, values = term.partition(":")
    value = known.get(field)
    several = value if isinstance(value, list) else [str(value)]
    wanted = [text.strip('"') for text in values.split(",")]
    return any(fnmatch.fnmatchcase(text, pattern) for text in several for pattern in wanted)


@pytest.fixture
def archive(site: Any, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """The local server in place of NeuroMorpho.Org."""
    monkeypatch.setattr(server_module, "URL", site.url)
    assert ds.neuromorpho.Server().url == site.url
    return Archive(site)
