"""Models and results in the formats and objects of other tools, and back.

Every function says what it cannot express; nothing is dropped unless its caller says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "SonataCircuit": "sonata_circuit",
    "SonataReport": "sonata_reports",
    "from_sonata": "sonata_read",
    "from_sonata_report": "sonata_reports",
    "from_sonata_spikes": "sonata_spikes",
    "to_sonata": "sonata",
    "to_sonata_report": "sonata_reports",
    "to_sonata_spikes": "sonata_spikes",
    "to_xarray": "xarray",
    "to_neuroml": "neuroml_export",
    "from_neuroml": "neuroml_import",
    "to_neuron": "neuron_export",
    "NeuronModel": "neuron_model",
    "from_neuron": "neuron_import",
    "NeuronImport": "neuron_import",
}

__all__ = [
    "NeuronImport",
    "NeuronModel",
    "SonataCircuit",
    "SonataReport",
    "from_neuroml",
    "from_neuron",
    "from_sonata",
    "from_sonata_report",
    "from_sonata_spikes",
    "to_neuroml",
    "to_neuron",
    "to_sonata",
    "to_sonata_report",
    "to_sonata_spikes",
    "to_xarray",
]

if TYPE_CHECKING:
    from .neuroml_export import to_neuroml
    from .neuroml_import import from_neuroml
    from .neuron_export import to_neuron
    from .neuron_import import NeuronImport, from_neuron
    from .neuron_model import NeuronModel
    from .sonata import to_sonata
    from .sonata_circuit import SonataCircuit
    from .sonata_read import from_sonata
    from .sonata_reports import SonataReport, from_sonata_report, to_sonata_report
    from .sonata_spikes import from_sonata_spikes, to_sonata_spikes
    from .xarray import to_xarray


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"dendrosim.exchange has no {name!r}; it has: {', '.join(__all__)}")
    value = getattr(import_module("." + _HOME[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
