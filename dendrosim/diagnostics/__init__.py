"""Why learning works or fails: fidelity of gradients, path gains, information, weights.

Functions take networks or plain arrays and return plain results with a ``table``, a ``__str__`` and, where there is
something to see, a ``plot``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "cosine": "measures",
    "log_scale": "measures",
    "relative_l2": "measures",
    "class_information": "information",
    "branch_information": "information",
    "LogNormalFit": "lognormal",
    "fit_lognormal": "lognormal",
    "Interval": "intervals",
    "mean_interval": "intervals",
    "paired_difference": "intervals",
    "PathGains": "gains",
    "path_gains": "gains",
    "PathGainProxies": "proxies",
    "path_gain_proxies": "proxies",
    "fidelity": "fidelity_of",
    "compare_gradients": "fidelity_of",
    "Fidelity": "fidelity_report",
    "credit_fidelity": "credit_of",
    "CreditFidelity": "credit_of",
    "CreditHistory": "credit_history",
    "manifold": "manifold_of",
    "Manifold": "manifold_of",
    "mean_jacobian": "manifold_of",
    "participation_ratio": "dimension",
    "principal_angles": "dimension",
    "subspace_alignment": "dimension",
    "two_nn": "dimension",
    "FidelityHistory": "history",
    "fidelity_history": "history",
    "RandomAlignment": "alignment",
    "random_alignment": "alignment",
    "BranchInformation": "of_networks",
    "network_information": "of_networks",
    "weight_distributions": "of_networks",
    "EventShape": "events",
    "event_shape": "events",
    "NoiseRobustness": "robustness",
    "noise_robustness": "robustness",
}

__all__ = [
    "BranchInformation",
    "CreditFidelity",
    "CreditHistory",
    "EventShape",
    "Fidelity",
    "FidelityHistory",
    "Interval",
    "LogNormalFit",
    "Manifold",
    "NoiseRobustness",
    "PathGainProxies",
    "PathGains",
    "RandomAlignment",
    "branch_information",
    "class_information",
    "compare_gradients",
    "cosine",
    "credit_fidelity",
    "event_shape",
    "fidelity",
    "fidelity_history",
    "fit_lognormal",
    "log_scale",
    "manifold",
    "mean_interval",
    "mean_jacobian",
    "network_information",
    "noise_robustness",
    "paired_difference",
    "participation_ratio",
    "path_gain_proxies",
    "path_gains",
    "principal_angles",
    "random_alignment",
    "relative_l2",
    "subspace_alignment",
    "two_nn",
    "weight_distributions",
]

if TYPE_CHECKING:
    from .alignment import RandomAlignment, random_alignment
    from .credit_history import CreditHistory
    from .credit_of import CreditFidelity, credit_fidelity
    from .dimension import participation_ratio, principal_angles, subspace_alignment, two_nn
    from .events import EventShape, event_shape
    from .fidelity_of import compare_gradients, fidelity
    from .fidelity_report import Fidelity
    from .gains import PathGains, path_gains
    from .history import FidelityHistory, fidelity_history
    from .information import branch_information, class_information
    from .intervals import Interval, mean_interval, paired_difference
    from .lognormal import LogNormalFit, fit_lognormal
    from .manifold_of import Manifold, manifold, mean_jacobian
    from .measures import cosine, log_scale, relative_l2
    from .of_networks import BranchInformation, network_information, weight_distributions
    from .proxies import PathGainProxies, path_gain_proxies
    from .robustness import NoiseRobustness, noise_robustness


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'dendrosim.diagnostics' has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(import_module("." + _HOME[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
