"""Cards of what NeuroMorpho.Org has; of a search, the neurons of its first page."""

from __future__ import annotations

from ..morphology.neuromorpho.entry import Neuron
from ..morphology.neuromorpho.searching import SearchResults
from ..morphology.neuromorpho.table import HEAD, row_of
from .card import Card, Detail, count


def neuron(given: Neuron) -> Card:
    """What matters before one simulates it, and all other fields that are told."""
    told = {
        key: ", ".join(value) if isinstance(value, tuple) else value for key, value in given.metadata.items() if value
    }
    rows = [[key, text] for key, text in told.items() if text]
    details = [Detail("Fields", ["field", "value"], rows, texts=2, printed=False)]
    return Card("Neuron", given.name, given.facts, details)


def results(given: SearchResults) -> Card:
    """How many there are, and the first ones."""
    rows = [row_of(one) for one in given.first]
    title = "Neurons" if len(rows) == len(given) else f"The first {len(rows)} neurons"
    facts = {"found": count(len(given), "neuron"), "asked at": given.url}
    return Card("SearchResults", given.title, facts, [Detail(title, HEAD, rows, texts=len(HEAD), unfolded=True)])
