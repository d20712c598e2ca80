"""Figures from results; nothing computes here.

Every ``plot_x(obj, ..., ax=None)`` draws into the axes it is given, or into new ones in the style of :func:`style`, and
returns the axes; functions whose name ends in ``s`` or ``_figure`` make a figure of several panels and return the
figure. Nothing is ever shown or saved: that is the caller's, but for :func:`animate_voltage`, which writes a film.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "plot_morphology": "morphology",
    "plot_morphology_3d": "morphology_3d",
    "plot_dendrogram": "dendrogram",
    "plot_profile": "attenuation",
    "plot_attenuation": "attenuation",
    "plot_gradient_map": "gradient_map",
    "plot_synapse_map": "synapse_map",
    "plot_synapse_maps": "synapse_map",
    "plot_learning_curve": "learning",
    "plot_gap": "learning",
    "plot_paired_difference": "learning",
    "plot_weight_distribution": "learning_statistics",
    "plot_path_gain": "learning_statistics",
    "plot_gain_proxies": "proxies",
    "plot_fidelity": "fidelity",
    "plot_fidelity_by_stage": "fidelity",
    "plot_fidelity_over_training": "fidelity_training",
    "plot_fidelity_training_figure": "fidelity_training",
    "plot_credit_over_training": "teaching",
    "plot_credit_layers_figure": "teaching",
    "plot_accuracy_against_passes": "teaching",
    "plot_fidelity_trees": "fidelity_trees",
    "plot_fidelity_synapses": "fidelity_trees",
    "plot_layer_state": "evaluation",
    "plot_evaluation_history": "evaluation",
    "plot_dose_response": "evaluation",
    "plot_function": "evaluation",
    "plot_marginal": "sweeps",
    "plot_surface": "sweeps",
    "plot_surfaces": "sweeps",
    "plot_drawn_figure": "sweeps",
    "plot_trace": "time",
    "plot_raster": "time",
    "plot_attenuation_panels": "events",
    "animate_voltage": "animation",
    "interactive": "interactive_3d",
    "write_interactive": "interactive_page",
    "style": "styling",
    "region_color": "palette",
}

__all__ = [
    "animate_voltage",
    "interactive",
    "plot_accuracy_against_passes",
    "plot_attenuation",
    "plot_attenuation_panels",
    "plot_credit_layers_figure",
    "plot_credit_over_training",
    "plot_dendrogram",
    "plot_dose_response",
    "plot_drawn_figure",
    "plot_evaluation_history",
    "plot_fidelity",
    "plot_fidelity_by_stage",
    "plot_fidelity_over_training",
    "plot_fidelity_synapses",
    "plot_fidelity_training_figure",
    "plot_fidelity_trees",
    "plot_function",
    "plot_gain_proxies",
    "plot_gap",
    "plot_gradient_map",
    "plot_layer_state",
    "plot_learning_curve",
    "plot_marginal",
    "plot_morphology",
    "plot_morphology_3d",
    "plot_paired_difference",
    "plot_path_gain",
    "plot_profile",
    "plot_raster",
    "plot_surface",
    "plot_surfaces",
    "plot_synapse_map",
    "plot_synapse_maps",
    "plot_trace",
    "plot_weight_distribution",
    "region_color",
    "style",
    "write_interactive",
]

if TYPE_CHECKING:
    from .animation import animate_voltage
    from .attenuation import plot_attenuation, plot_profile
    from .dendrogram import plot_dendrogram
    from .evaluation import plot_dose_response, plot_evaluation_history, plot_function, plot_layer_state
    from .events import plot_attenuation_panels
    from .fidelity import plot_fidelity, plot_fidelity_by_stage
    from .fidelity_training import plot_fidelity_over_training, plot_fidelity_training_figure
    from .fidelity_trees import plot_fidelity_synapses, plot_fidelity_trees
    from .gradient_map import plot_gradient_map
    from .interactive_3d import interactive
    from .interactive_page import write_interactive
    from .learning import plot_gap, plot_learning_curve, plot_paired_difference
    from .learning_statistics import plot_path_gain, plot_weight_distribution
    from .morphology import plot_morphology
    from .morphology_3d import plot_morphology_3d
    from .palette import region_color
    from .proxies import plot_gain_proxies
    from .styling import style
    from .sweeps import plot_drawn_figure, plot_marginal, plot_surface, plot_surfaces
    from .synapse_map import plot_synapse_map, plot_synapse_maps
    from .teaching import plot_accuracy_against_passes, plot_credit_layers_figure, plot_credit_over_training
    from .time import plot_raster, plot_trace


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'dendrosim.plotting' has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(import_module("." + _HOME[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
