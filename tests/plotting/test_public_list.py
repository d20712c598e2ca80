"""What `dendrosim.plotting` offers, and that asking for it is what loads matplotlib."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dendrosim as ds
from dendrosim import plotting

NAMES = [
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


def test_the_public_list_is_this() -> None:
    assert plotting.__all__ == NAMES
    assert dir(plotting) == NAMES
    assert all(callable(getattr(ds.plotting, name)) for name in NAMES)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"plot_morphologie.*plot_accuracy_against_passes, plot_attenuation"):
        plotting.plot_morphologie  # noqa: B018


def test_importing_it_does_not_import_matplotlib() -> None:
    code = "import sys, dendrosim; dendrosim.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
