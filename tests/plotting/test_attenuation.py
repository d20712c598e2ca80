from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from dendrosim.biophysics.steady import steady_state
from dendrosim.biophysics.synapses import Synapses
from dendrosim.errors import ParameterError
from dendrosim.morphology.compartments import Compartments
from dendrosim.plotting import plot_attenuation, plot_profile, region_color


def state(compartments: Compartments) -> Any:
    """Attenuations of two stimuli."""
    one = np.exp(-compartments.electrotonic_distance)
    return SimpleNamespace(compartments=compartments, attenuation_to_soma=np.stack([one, one**2]))


def test_lines_join_each_compartment_to_its_parent_in_the_colour_of_its_region(compartments: Compartments) -> None:
    values = np.arange(compartments.size, dtype=float)
    lines: Any = plot_profile(compartments, values).collections[0]
    segments = np.array(lines.get_segments())
    assert segments.shape == (compartments.size - 1, 2, 2)
    np.testing.assert_array_equal(segments[:, 1, 1], values[1:])
    np.testing.assert_array_equal(segments[:, 0, 1], values[compartments.parent[1:]])
    np.testing.assert_array_equal(segments[:, 1, 0], compartments.path_distance[1:])
    np.testing.assert_array_equal(lines.get_colors()[5], to_rgba(region_color(compartments.region[6])))


def test_a_state_is_averaged_over_its_batch_and_says_so(compartments: Compartments) -> None:
    both = state(compartments)
    ax = plot_attenuation(both)
    assert ax.get_ylabel() == "attenuation to the soma,\nmean of 2 stimuli"
    lines: Any = ax.collections[0]
    np.testing.assert_allclose(np.array(lines.get_segments())[:, 1, 1], both.attenuation_to_soma.mean(axis=0)[1:])


def test_a_real_state(compartments: Compartments) -> None:
    synapses = Synapses.scatter(compartments, excitatory=5, inhibitory=2, seed=0)
    ax = plot_attenuation(steady_state(compartments, synapses, np.ones((3, 7))))
    lines: Any = ax.collections[0]
    drawn = np.array(lines.get_segments())[:, :, 1]
    # along a cable the attenuation only falls with the distance
    assert np.all(drawn[:, 1] <= drawn[:, 0] + 1e-12)
    assert ax.get_ylabel().endswith("mean of 3 stimuli")


def test_one_stimulus(compartments: Compartments) -> None:
    both = state(compartments)
    ax = plot_attenuation(both, stimulus=1, distance="electrotonic", log=True)
    assert ax.get_ylabel() == "attenuation to the soma"
    assert ax.get_yscale() == "log"
    lines: Any = ax.collections[0]
    np.testing.assert_allclose(np.array(lines.get_segments())[:, 1, 1], both.attenuation_to_soma[1, 1:])


def test_compartments_with_an_array(compartments: Compartments) -> None:
    ax = plot_attenuation(compartments, np.ones(compartments.size))
    assert ax.get_ylim()[0] == 0.0
    assert ax.get_xlim()[0] == 0.0


def test_a_lone_soma(lone_soma: Compartments) -> None:
    plot_attenuation(lone_soma, [1.0]).figure.canvas.draw()


def test_bad_input_is_refused_before_a_figure_is_made(compartments: Compartments) -> None:
    n, both = compartments.size, state(compartments)
    one = np.ones(n)
    with pytest.raises(ParameterError, match=rf"attenuation is missing: give a State, or .* shape \({n},\)"):
        plot_attenuation(compartments)
    with pytest.raises(ParameterError, match="given twice"):
        plot_attenuation(both, one)
    with pytest.raises(ParameterError, match=r"stimulus=2 is not in the batch of 2: 0 ... 1"):
        plot_attenuation(both, stimulus=2)
    with pytest.raises(ParameterError, match=r"with compartments give attenuation of shape \(N,\)"):
        plot_attenuation(compartments, one, stimulus=0)
    with pytest.raises(ParameterError, match=rf"expected shape \({n},\)"):
        plot_attenuation(compartments, one[1:])
    with pytest.raises(ParameterError, match=r"values\[0\] is 0; log=True needs positive values"):
        plot_profile(compartments, np.zeros(n), log=True)
    assert plt.get_fignums() == []
