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
    "bootstrap_interval": "intervals",
    "Comparison": "comparisons",
    "Effect": "comparisons",
    "compare_pairs": "comparisons",
    "effect_of_groups": "comparisons",
    "effect_of_pairs": "comparisons",
    "holm": "comparisons",
    "mean_interval": "intervals",
    "paired_difference": "intervals",
    "PathGains": "gains",
    "path_gains": "gains",
    "PathGainProxies": "proxies",
    "path_gain_proxies": "proxies",
    "PredictedFidelity": "prediction",
    "predicted_fidelity": "prediction",
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
    "Accuracy": "evaluation_verdict",
    "Audit": "evaluation_audit",
    "Auditable": "evaluation_subjects",
    "DendriticSubject": "evaluation_dendrites",
    "EvaluationHistory": "evaluation_history",
    "FreshNull": "evaluation_probes",
    "Layers": "evaluation",
    "Nudges": "evaluation_probes",
    "ResidualSubject": "evaluation_subjects",
    "Thresholds": "evaluation_verdict",
    "TorchLesson": "evaluation_torch",
    "TorchSubject": "evaluation_torch",
    "Verdict": "evaluation_verdict",
    "audit": "evaluation_audit",
    "fresh_null": "evaluation_probes",
    "loss_change": "evaluation_probes",
    "measure": "evaluation",
    "nudging": "evaluation_probes",
}

__all__ = [
    "Accuracy",
    "Audit",
    "Auditable",
    "BranchInformation",
    "Comparison",
    "CreditFidelity",
    "CreditHistory",
    "DendriticSubject",
    "Effect",
    "EvaluationHistory",
    "EventShape",
    "Fidelity",
    "FidelityHistory",
    "FreshNull",
    "Interval",
    "Layers",
    "LogNormalFit",
    "Manifold",
    "NoiseRobustness",
    "Nudges",
    "PathGainProxies",
    "PathGains",
    "PredictedFidelity",
    "RandomAlignment",
    "ResidualSubject",
    "Thresholds",
    "TorchLesson",
    "TorchSubject",
    "Verdict",
    "audit",
    "bootstrap_interval",
    "branch_information",
    "class_information",
    "compare_gradients",
    "compare_pairs",
    "cosine",
    "credit_fidelity",
    "effect_of_groups",
    "effect_of_pairs",
    "event_shape",
    "fidelity",
    "fidelity_history",
    "fit_lognormal",
    "fresh_null",
    "holm",
    "log_scale",
    "loss_change",
    "manifold",
    "mean_interval",
    "mean_jacobian",
    "measure",
    "network_information",
    "noise_robustness",
    "nudging",
    "paired_difference",
    "participation_ratio",
    "path_gain_proxies",
    "path_gains",
    "predicted_fidelity",
    "principal_angles",
    "random_alignment",
    "relative_l2",
    "subspace_alignment",
    "two_nn",
    "weight_distributions",
]

if TYPE_CHECKING:
    from .alignment import RandomAlignment, random_alignment
    from .comparisons import Comparison, Effect, compare_pairs, effect_of_groups, effect_of_pairs, holm
    from .credit_history import CreditHistory
    from .credit_of import CreditFidelity, credit_fidelity
    from .dimension import participation_ratio, principal_angles, subspace_alignment, two_nn
    from .evaluation import Layers, measure
    from .evaluation_audit import Audit, audit
    from .evaluation_dendrites import DendriticSubject
    from .evaluation_history import EvaluationHistory
    from .evaluation_probes import FreshNull, Nudges, fresh_null, loss_change, nudging
    from .evaluation_subjects import Auditable, ResidualSubject
    from .evaluation_torch import TorchLesson, TorchSubject
    from .evaluation_verdict import Accuracy, Thresholds, Verdict
    from .events import EventShape, event_shape
    from .fidelity_of import compare_gradients, fidelity
    from .fidelity_report import Fidelity
    from .gains import PathGains, path_gains
    from .history import FidelityHistory, fidelity_history
    from .information import branch_information, class_information
    from .intervals import Interval, bootstrap_interval, mean_interval, paired_difference
    from .lognormal import LogNormalFit, fit_lognormal
    from .manifold_of import Manifold, manifold, mean_jacobian
    from .measures import cosine, log_scale, relative_l2
    from .of_networks import BranchInformation, network_information, weight_distributions
    from .prediction import PredictedFidelity, predicted_fidelity
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
