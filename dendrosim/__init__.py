"""dendrosim: biophysical dendritic neurons that learn with local rules.

The public API, imported on first use so that ``import dendrosim`` stays fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "Morphology": "morphology.tree",
    "Compartments": "morphology.compartments",
    "Passive": "membrane",
    "Synapses": "biophysics.synapses",
    "steady_state": "biophysics.steady",
    "State": "biophysics.steady",
    "exact_gradient": "biophysics.gradient",
    "Gradient": "biophysics.gradient",
    "transfer_resistance": "biophysics.impedance",
    "fit_passive": "biophysics.fitting",
    "grow": "morphology.growth",
    "errors": "errors",
    "plotting": "plotting",
    "cite": "about",
    "show_versions": "about",
}

__all__ = [
    "Compartments",
    "Gradient",
    "Morphology",
    "Passive",
    "State",
    "Synapses",
    "__version__",
    "cite",
    "errors",
    "exact_gradient",
    "fit_passive",
    "grow",
    "plotting",
    "show_versions",
    "steady_state",
    "transfer_resistance",
]

if TYPE_CHECKING:
    from . import errors, plotting
    from .about import __version__, cite, show_versions
    from .biophysics.fitting import fit_passive
    from .biophysics.gradient import Gradient, exact_gradient
    from .biophysics.impedance import transfer_resistance
    from .biophysics.steady import State, steady_state
    from .biophysics.synapses import Synapses
    from .membrane import Passive
    from .morphology import growth as grow
    from .morphology.compartments import Compartments
    from .morphology.tree import Morphology


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "__version__":
        return import_module(".about", __name__).__version__
    if name not in _HOME:
        raise AttributeError(f"module 'dendrosim' has no attribute {name!r}; it has: {', '.join(__all__)}")
    module = import_module("." + _HOME[name], __name__)
    value = module if _HOME[name].rsplit(".", 1)[-1] in (name, "growth" if name == "grow" else name) else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
