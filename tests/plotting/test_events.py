from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.biophysics.time.trace import Trace
from dendrosim.diagnostics import event_shape
from dendrosim.errors import ParameterError
from dendrosim.morphology.compartments import Compartments
from dendrosim.plotting import plot_attenuation_panels


def event(compartments: Compartments, site: int, **options: Any) -> Trace:
    synapse = ds.Synapses(compartments, [site], sign=1, conductance=0.5)
    return ds.simulate(
        compartments, synapse, ds.Spikes([2.0], [0]), dt=0.1, duration=60.0, **{"record": "all", **options}
    )


def test_peaks_and_widths_lie_on_the_path(compartments: Compartments) -> None:
    site = int(compartments.path_distance.argmax())
    trace = event(compartments, site)
    figure: Any = plot_attenuation_panels(compartments, trace, site, start=2.0)
    maps, times, peaks, widths = figure.axes[:4]
    shape = event_shape(trace, start=2.0)
    path = [site]
    while compartments.parent[path[-1]] >= 0:
        path.append(int(compartments.parent[path[-1]]))
    np.testing.assert_array_equal(peaks.lines[1].get_ydata(), shape.peak[0, path])
    np.testing.assert_array_equal(widths.lines[1].get_ydata(), shape.half_width[0, path])
    np.testing.assert_array_equal(peaks.lines[1].get_xdata(), compartments.path_distance[path])
    assert len(times.lines) == 5
    np.testing.assert_allclose(times.lines[-1].get_ydata()[20:], (trace.voltage[0, :, 0] + 70)[20:], atol=1e-11)
    drawn = maps.collections[1].get_array()  # the soma's sphere
    np.testing.assert_allclose(drawn, shape.peak[0, 0])
    figure.canvas.draw()


def test_a_film_has_a_map_for_every_moment(compartments: Compartments) -> None:
    trace = event(compartments, 3)
    figure: Any = plot_attenuation_panels(compartments, trace, 3, start=2.0, moments=[1.0, 5.02, 20.0], until=30.0)
    assert [ax.get_title() for ax in figure.axes[:3]] == ["1 ms", "5 ms", "20 ms"]
    for ax, step in zip(figure.axes[:3], (30, 70, 220), strict=True):
        np.testing.assert_allclose(ax.collections[1].get_array(), trace.voltage[0, step, 0] + 70.0)


def test_a_held_current_is_scaled_to_the_peak_at_the_site(compartments: Compartments) -> None:
    trace = event(compartments, 3)
    current = np.zeros(compartments.size)
    current[3] = 7.0
    held = ds.steady_state(compartments, current=current).voltage[0] + 70.0
    figure: Any = plot_attenuation_panels(compartments, trace, 3, start=2.0, steady=held)
    line = figure.axes[2].lines[-1].get_ydata()
    peak = event_shape(trace, start=2.0).peak[0, 3]
    np.testing.assert_allclose(line[[0, -1]], [peak, peak * held[0] / held[3]])


def test_impossible_panels_are_refused(compartments: Compartments) -> None:
    n, trace = compartments.size, event(compartments, 3)
    with pytest.raises(ParameterError, match=rf"the trace must be of all {n} compartments: simulate"):
        plot_attenuation_panels(compartments, event(compartments, 3, record="soma"), 3)
    with pytest.raises(ParameterError, match="site"):
        plot_attenuation_panels(compartments, trace, n)
    with pytest.raises(ParameterError, match=r"moments must be a list of times between -2 and 58 ms"):
        plot_attenuation_panels(compartments, trace, 3, start=2.0, moments=[70.0])
    with pytest.raises(ParameterError, match=rf"steady has shape \(2,\); expected \({n},\)"):
        plot_attenuation_panels(compartments, trace, 3, start=2.0, steady=[1.0, 2.0])
    with pytest.raises(ParameterError, match="no excitatory event after start"):
        plot_attenuation_panels(compartments, ds.simulate(compartments, duration=5.0, record="all"), 3)
    plt.close("all")
