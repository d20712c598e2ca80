from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from dendrosim.biophysics.synapses import Synapses
from dendrosim.errors import ParameterError
from dendrosim.morphology.compartments import Compartments
from dendrosim.plotting import plot_gradient_map, plot_synapse_map, plot_synapse_maps
from dendrosim.plotting.pieces import pieces_of
from dendrosim.plotting.synapse_markers import synapse_positions


@pytest.fixture
def synapses(compartments: Compartments) -> Synapses:
    """Thirty excitatory and ten inhibitory synapses."""
    return Synapses.scatter(compartments, excitatory=30, inhibitory=10, seed=0)


def test_a_gradient_is_centred_on_zero(compartments: Compartments) -> None:
    gradient = np.linspace(-1, 3, compartments.size)
    ax: Any = plot_gradient_map(compartments, gradient, label="dL/dV", unit="1/mV")
    norm = ax.collections[0].norm
    assert (norm.vmin, norm.vmax) == (-3, 3)
    assert ax.figure.axes[1].get_ylabel() == "dL/dV (1/mV)"


def test_clipping_is_stated_on_the_colour_bar(compartments: Compartments) -> None:
    gradient = np.linspace(-1, 1, compartments.size)
    gradient[4] = 80.0
    ax: Any = plot_gradient_map(compartments, gradient, percentile=90)
    assert ax.figure.axes[1].get_ylabel() == "gradient\nclipped at percentile 90"
    assert ax.collections[0].norm.vmax == np.percentile(np.abs(gradient), 90)


def test_a_gradient_map_keeps_its_centre(compartments: Compartments) -> None:
    with pytest.raises(ParameterError, match="centred on zero; plot_morphology takes center and norm"):
        plot_gradient_map(compartments, np.zeros(compartments.size), center=1.0)


def test_synapses_lie_on_their_compartments_and_apart(compartments: Compartments) -> None:
    pieces = pieces_of(compartments)
    index = np.repeat([0, 3, 9, compartments.of_sample(7)], 6)
    position = synapse_positions(compartments, pieces, index)
    for place, n in zip(position, index, strict=True):
        if n == 0:
            assert np.linalg.norm(place - compartments.xyz[0]) < 8.0
            continue
        own = pieces.owner == n
        a, b = pieces.start[own], pieces.stop[own]
        share = np.clip(((place - a) * (b - a)).sum(1) / ((b - a) ** 2).sum(1), 0, 1)
        assert np.linalg.norm(place - (a + share[:, None] * (b - a)), axis=1).min() < 1e-9
    apart = np.linalg.norm(position[:, None] - position[None], axis=-1)[np.triu_indices(index.size, 1)]
    assert apart.min() > 0.3


def test_one_synapse_is_drawn_in_the_middle(compartments: Compartments) -> None:
    position = synapse_positions(compartments, pieces_of(compartments), np.array([0, 3]))
    np.testing.assert_allclose(position, compartments.xyz[[0, 3]], atol=1e-9)


def test_markers_have_the_values_with_the_largest_on_top(compartments: Compartments, synapses: Synapses) -> None:
    values = np.random.default_rng(1).normal(size=40)
    ax: Any = plot_synapse_map(compartments, synapses.compartment, values, label="dL/dg")
    markers = ax.collections[-1]
    drawn = np.asarray(markers.get_array())
    assert sorted(drawn) == sorted(values)
    assert np.all(np.diff(np.abs(drawn)) >= 0)
    position = synapse_positions(compartments, pieces_of(compartments), synapses.compartment)
    np.testing.assert_allclose(markers.get_offsets(), position[np.argsort(np.abs(values)), :2])


def test_side_by_side_shares_one_scale(compartments: Compartments, synapses: Synapses) -> None:
    values = np.where(synapses.sign > 0, 1.0, -4.0)
    figure = plot_synapse_maps(compartments, synapses, values, label="dL/dg", unit="1/nS")
    left, right, bar = figure.axes
    assert [left.get_title(), right.get_title()] == ["30 excitatory", "10 inhibitory"]
    assert [len(np.asarray(ax.collections[-1].get_offsets())) for ax in (left, right)] == [30, 10]
    assert {ax.collections[-1].norm.vmax for ax in (left, right)} == {4.0}
    assert bar.get_ylabel() == "dL/dg (1/nS)"
    assert left.get_xlim() == right.get_xlim()


def test_side_by_side_with_scales_of_their_own_in_a_given_figure(
    compartments: Compartments, synapses: Synapses
) -> None:
    values = np.where(synapses.sign > 0, 1.0, -4.0)
    mine = plt.figure()
    figure: Any = plot_synapse_maps(compartments, synapses, values, figure=mine, scale="own", projection="zy")
    assert figure is mine
    assert [ax.collections[-1].norm.vmax for ax in figure.axes[:2]] == [1.0, 4.0]
    assert len(figure.axes) == 4


def test_a_side_without_synapses_stays_empty(compartments: Compartments) -> None:
    figure = plot_synapse_maps(compartments, Synapses(compartments, [1, 2], sign=[1, 1]), [1.0, 2.0], scale="own")
    assert figure.axes[1].get_title() == "0 inhibitory"


def test_bad_input_is_refused_before_a_figure_is_made(compartments: Compartments, synapses: Synapses) -> None:
    n = compartments.size
    for values, message in (
        (np.zeros(39), r"values has shape \(39,\); expected shape \(40,\), one finite number per synapse"),
        (np.full(40, np.nan), r"values\[0\] is nan"),
    ):
        with pytest.raises(ParameterError, match=message):
            plot_synapse_map(compartments, synapses.compartment, values)
        with pytest.raises(ParameterError, match=message):
            plot_synapse_maps(compartments, synapses, values)
    with pytest.raises(ParameterError, match=rf"compartment\[1\] is {n}; expected an index of the {n} compartments"):
        plot_synapse_map(compartments, [0, n], [1.0, 2.0])
    with pytest.raises(ParameterError, match="expected one integer per synapse"):
        plot_synapse_map(compartments, [0.5], [1.0])
    with pytest.raises(ParameterError, match="scale='both' is not known; valid: 'shared', 'own'"):
        plot_synapse_maps(compartments, synapses, np.zeros(40), scale="both")
    with pytest.raises(ParameterError, match="projection='abc' is not known"):
        plot_synapse_maps(compartments, synapses, np.zeros(40), projection="abc")
    assert plt.get_fignums() == []
