"""How objects show themselves in notebooks and on terminals; one place for all of them.

A card says what an object is: a few facts, tables of details, a picture. `html_of` and `text_of` write the same card,
one for notebooks and one for terminals. Cards are made of what is there already: nothing is solved for them, no file is
read, and neither matplotlib nor anything else that the object did without is imported. Only a search that nobody has
looked at yet asks for its first page.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ParameterError

if TYPE_CHECKING:
    from .card import Card

_CARDS = {
    "Morphology": "morphologies.morphology",
    "Report": "morphologies.report",
    "Summary": "morphologies.summary",
    "Compartments": "cells.compartments",
    "Synapses": "cells.synapses",
    "State": "states.state",
    "Gradient": "states.gradient",
    "Trace": "traces.trace",
    "TrajectoryGradient": "traces.trajectory_gradient",
    "Neuron": "neuromorpho.neuron",
    "SearchResults": "neuromorpho.results",
    "Network": "networks.network",
    "Neurons": "networks.neurons",
    "PointMLP": "networks.point_mlp",
    "ResidualNetwork": "networks.residual",
    "Run": "trainings.run",
    "Runs": "trainings.runs",
    "Fidelity": "trainings.fidelity",
    "Sweep": "sweeps.sweep",
    "Store": "sweeps.store",
    "Task": "tasks.task",
    "TemporalTask": "tasks.temporal",
}
"""Function that makes the card, by the name of the class."""


def card_of(thing: Any) -> Card:
    """The card of an object.

    Parameters
    ----------
    thing : object
        Of one of the classes that have a card, or of a class derived from one.

    Raises
    ------
    ParameterError
        If there is no card for it; lists the classes that have one.
    """
    for kind in type(thing).__mro__:
        if kind.__name__ in _CARDS and kind.__module__.startswith("dendrosim."):  # others may have the same name
            module, _, function = _CARDS[kind.__name__].partition(".")
            card: Card = getattr(import_module(f".{module}", __name__), function)(thing)
            return card
    raise ParameterError(f"there is no card for a {type(thing).__name__}; there is one for: {', '.join(_CARDS)}")


def html_of(thing: Any) -> str:
    """The card as HTML: self-contained, every text escaped, no scripts, for light and dark pages."""
    from .page import html

    return html(card_of(thing), repr(thing))


def text_of(thing: Any) -> str:
    """The card as aligned lines, in ASCII where standard output cannot show more."""
    from .lines import text

    return text(card_of(thing))
