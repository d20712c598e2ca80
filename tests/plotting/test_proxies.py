"""The figure of proxies of the path gain: what it draws, and what it refuses."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.plotting import plot_gain_proxies


@pytest.fixture(scope="module")
def reports():
    tree = ds.Compartments.branching([2, 2])
    synapses = ds.Synapses.scatter(tree, 20, 10, n_inputs=8)
    x = np.random.default_rng(0).random((30, 8))
    found = {}
    for way in ("directed", "reciprocal"):
        model = ds.Neurons(tree, synapses, readout="soma", direction=way)
        found[way] = ds.diagnostics.path_gain_proxies(model, x, samples=[10, 100], repetitions=4, rank=3)
    return found


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_column_per_report_and_angles_of_the_table(reports):
    figure = plot_gain_proxies(reports, proxies=["constant", "vnc", "nmnc"])
    axes = np.array(figure.axes).reshape(3, 2)
    assert [ax.get_title() for ax in axes[0]] == list(reports)
    for ax, report in zip(axes[0], reports.values(), strict=True):
        constant, vnc, theory, _ = ax.lines
        for line, name in ((constant, "constant"), (vnc, "vnc")):
            rows = report.table[report.table["proxy"] == name]
            np.testing.assert_allclose(np.sin(np.radians(line.get_ydata())), rows["error_scaled"], rtol=1e-9)
        predicted = report.table[report.table["proxy"] == "vnc"]["predicted"]
        np.testing.assert_allclose(np.tan(np.radians(theory.get_ydata())), predicted, rtol=1e-9)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["constant 1", "VNC, R known", "NMNC, R known", "true gain", "VNC, theory"]
    figure.canvas.draw()


def test_true_gains_are_the_thick_line(reports):
    figure = plot_gain_proxies(reports["directed"], profiles=["vnc"])
    report, ax = reports["directed"], figure.axes[2]
    thick = max(ax.lines, key=lambda line: line.get_linewidth())
    expected = [report.gain[report.distance == d].mean() for d in (1, 2)]
    np.testing.assert_allclose(thick.get_ydata(), expected)


def test_profiles_can_be_left_out(reports):
    assert len(reports["directed"].plot(profiles=[]).axes) == 2


def test_what_cannot_be_drawn_is_refused(reports):
    with pytest.raises(ParameterError, match="'ebd_score' is not known"):
        plot_gain_proxies(reports, proxies=["ebd_score"])
    with pytest.raises(ParameterError, match="no proxies to draw"):
        plot_gain_proxies(reports, proxies=[])
    with pytest.raises(ParameterError, match="PathGainProxies"):
        plot_gain_proxies(3)
