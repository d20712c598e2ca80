from __future__ import annotations

import dataclasses
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

import dendrosim as ds
from dendrosim.biophysics.time.trace import Trace
from dendrosim.errors import ParameterError
from dendrosim.plotting import plot_raster, plot_trace
from dendrosim.plotting.styling import BLUE, VERMILLION


def made(n_stimuli: int = 2, compartments: tuple[int, ...] = (0, 3), spikes: tuple[Any, ...] = ()) -> Trace:
    """A recording of 11 times; `spikes` are (time, compartment, stimulus)."""
    time = np.arange(11) * 0.5
    voltage = -70.0 + np.arange(n_stimuli * time.size * len(compartments), dtype=float).reshape(
        n_stimuli, time.size, len(compartments)
    )
    table = np.array(spikes, float).reshape(-1, 3)
    cell = ds.Compartments([-1], leak=1.0, capacitance=10.0)
    return dataclasses.replace(
        ds.simulate(cell, dt=0.5, duration=5.0), time=time, voltage=voltage, compartment=np.array(compartments),
        spike_time=table[:, 0], spike_compartment=table[:, 1].astype(int), spike_stimulus=table[:, 2].astype(int),
    )  # fmt: skip


def voltages(ax: Any) -> list[Any]:
    return [line for line in ax.lines if line.get_marker() == "None"]


def test_every_compartment_has_a_colour_and_every_stimulus_a_style() -> None:
    trace = made()
    lines = voltages(plot_trace(trace, labels=["soma", "tip"]))
    assert [line.get_label() for line in lines] == [f"{n}, stimulus {b}" for n in ("soma", "tip") for b in (0, 1)]
    assert [line.get_color() for line in lines] == [BLUE, BLUE, VERMILLION, VERMILLION]
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-", "--"]
    np.testing.assert_array_equal(lines[3].get_ydata(), trace.voltage[1, :, 1])
    np.testing.assert_array_equal(lines[3].get_xdata(), trace.time)


def test_of_one_compartment_stimuli_have_colours() -> None:
    ax = plot_trace(made(), compartments=3, stimuli=[1, 0], unit="")
    assert [line.get_label() for line in voltages(ax)] == ["stimulus 1", "stimulus 0"]
    assert [line.get_color() for line in voltages(ax)] == [BLUE, VERMILLION]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "voltage")


def test_spikes_are_ticks_above_in_the_colour_of_their_line() -> None:
    spikes = ((1.0, 0, 0), (2.5, 0, 1), (3.0, 3, 1), (4.0, 7, 0))
    ax = plot_trace(made(spikes=spikes), stimuli=1)
    ticks = [line for line in ax.lines if line.get_marker() == "|"]
    assert [(list(t.get_xdata()), to_rgba(t.get_color())) for t in ticks] == [
        ([2.5], to_rgba(BLUE)),
        ([3.0], to_rgba(VERMILLION)),
    ]
    assert all(min(t.get_ydata()) > 1.0 for t in ticks)
    assert len(plot_trace(made(spikes=spikes), spikes=False).lines) == 4


def test_a_trace_plots_itself() -> None:
    cell = ds.Compartments([-1], leak=10.0, capacitance=200.0, leak_reversal=-70.0)
    trace = ds.simulate(cell, mechanisms=ds.IntegrateAndFire(), clamps=ds.Clamp(0, 400.0), duration=60.0, dt=0.1)
    ticks = trace.plot().lines[1]
    np.testing.assert_array_equal(ticks.get_xdata(), trace.spike_time)
    assert trace.spike_time.size > 2


def test_rows_of_a_raster() -> None:
    spikes = ((1.0, 0, 0), (1.5, 3, 0), (2.5, 0, 1), (3.0, 3, 1))
    ticks: Any = plot_raster(made(spikes=spikes)).lines[0]
    points = sorted(zip(ticks.get_xdata(), ticks.get_ydata(), strict=True))
    assert points == [(1.0, 0), (1.5, 1), (2.5, 2), (3.0, 3)]
    ax = plot_raster(made(spikes=spikes), compartments=[3, 5], stimuli=1)
    one: Any = ax.lines[0]
    assert list(zip(one.get_xdata(), one.get_ydata(), strict=True)) == [(3.0, 0)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["3", "5"]
    assert ax.get_ylabel() == "firing compartment"


def test_a_silent_raster_and_many_rows_can_be_drawn() -> None:
    plot_raster(made()).figure.canvas.draw()
    many = tuple((1.0 + 0.01 * i, 0, i) for i in range(30))
    plot_raster(made(30, spikes=many)).figure.canvas.draw()


def test_impossible_choices_are_refused_before_a_figure_is_made() -> None:
    trace = made()
    with pytest.raises(ParameterError, match=r"compartment 5 was not recorded; recorded are \[0, 3\]: give record="):
        plot_trace(trace, compartments=5)
    with pytest.raises(ParameterError, match=r"stimulus 2 is not in the batch of 2: 0 ... 1"):
        plot_trace(trace, stimuli=[2])
    with pytest.raises(ParameterError, match="must be a whole number"):
        plot_raster(trace, stimuli=[0.5])
    with pytest.raises(ParameterError, match="labels='soma' must be a list of 2, one for each compartment"):
        plot_trace(trace, labels="soma")
    with pytest.raises(ParameterError, match="too many lines to tell apart"):
        plot_trace(made(40))
    with pytest.raises(ParameterError, match=r"as ds.simulate returns it"):
        plot_trace(3)  # type: ignore[arg-type]
    assert plt.get_fignums() == []
