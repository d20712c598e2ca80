"""Cells that drive cells: against open loops, times computed by hand, and NEURON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError

CELL = ds.Compartments([-1, 0, 1], leak=5.0, coupling=20.0, capacitance=[100.0, 50.0, 50.0], leak_reversal=-70.0)
FOREST = ds.Compartments.forest([CELL] * 3)
SYNAPSES = ds.Synapses(
    FOREST, [1, 2, 4, 5, 7, 8, 8], sign=[1, -1, 1, 1, -1, 1, -1], conductance=6.0, source=[0, 1, 2, 2, 3, 4, 4]
)
WIRED = ds.Connections(
    [0, 0, 0, 1, 2, 2, 1],
    [2, 3, 2, 1, 0, 2, 4],
    delay=[0.1, 1.5, 7.3, 0.7, 3.0, 0.1, 2.0],
    weight=[1, 0.5, 2, 1, 3, 1, 2],
)
FIRE = ds.IntegrateAndFire(threshold=-60.0, reset=-70.0, refractory=1.0)


def options(**more: Any) -> dict[str, Any]:
    return {
        "dt": 0.1, "duration": 80.0, "kinetics": ("alpha", "exponential"), "mechanisms": FIRE, "record": "all",
        "record_synapses": "all", **more,
    }  # fmt: skip


def external(n_stimuli: int = 1, duration: float = 80.0) -> ds.Spikes:
    return ds.Spikes.poisson(np.full((n_stimuli, SYNAPSES.n_inputs), 150.0), duration, seed=3)


def opened(trace: ds.Trace, connections: ds.Connections, given: ds.Spikes) -> ds.Spikes:
    """What the recorded spikes bring about, from outside."""
    columns: list[list[float]] = [list(getattr(given, name)) for name in ("time", "source", "stimulus", "weight")]
    for cell, source, delay, weight in zip(
        connections.cell, connections.input, connections.delay, connections.weight, strict=True
    ):
        ours = FOREST.cell[trace.spike_compartment] == cell
        for time, stimulus in zip(trace.spike_time[ours], trace.spike_stimulus[ours], strict=True):
            for column, value in zip(columns, (time + delay, source, stimulus, weight), strict=True):
                column.append(value)
    time, source, stimulus, weight = columns
    return ds.Spikes(time, source, stimulus, weight, n_inputs=given.n_inputs, n_stimuli=given.n_stimuli)


@pytest.mark.parametrize(
    ("dtype", "n_stimuli", "tolerance"), [("float64", 1, 1e-12), ("float64", 11, 1e-12), ("float32", 3, 1e-4)]
)
@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
def test_a_network_is_its_open_loop(method: str, dtype: str, n_stimuli: int, tolerance: float) -> None:
    given = external(n_stimuli)
    closed = ds.simulate(
        FOREST, SYNAPSES, given, connections=WIRED, method=method, dtype=dtype, **options(duration=60.0)
    )
    again = ds.simulate(
        FOREST, SYNAPSES, opened(closed, WIRED, given), method=method, dtype=dtype, **options(duration=60.0)
    )
    apart = ds.simulate(FOREST, SYNAPSES, given, method=method, dtype=dtype, **options(duration=60.0))
    assert np.bincount(FOREST.cell[closed.spike_compartment]).min() > 2
    np.testing.assert_allclose(closed.voltage, again.voltage, rtol=tolerance)
    np.testing.assert_allclose(closed.conductance, again.conductance, rtol=tolerance, atol=tolerance)
    for name in ("spike_time", "spike_compartment", "spike_stimulus"):
        np.testing.assert_array_equal(getattr(closed, name), getattr(again, name))
    assert np.abs(closed.voltage - apart.voltage).max() > 1.0


def test_spikes_arrive_when_they_must() -> None:
    """The conductance that follows a spike at t, of two connections of one cell, by hand."""
    trace = ds.simulate(
        FOREST, SYNAPSES, connections=ds.Connections(0, [3, 4], [1.0, 2.5], [1.0, 0.25]),
        clamps=ds.Clamp(0, 400.0, stop=4.0), **options(duration=20.0, kinetics=(ds.Exponential(2.0), ds.Alpha(3.0))),
    )  # fmt: skip
    assert set(trace.spike_compartment) == {0}
    first = trace.spike_time[0]
    assert trace.spike_time.size == 1
    since = trace.time[:, None] - first - 0.1 * (1.0 - 1e-9)  # a step is taken with the state of its beginning
    inhibition = np.where(since >= 0.95, 6.0 * (since - 0.9 - 0.1) / 3.0 * np.exp(1.0 - (since - 0.9 - 0.1) / 3.0), 0.0)
    excitation = np.where(since >= 2.45, 6.0 * 0.25 * np.exp(-(since - 2.5) / 2.0), 0.0)
    np.testing.assert_allclose(trace.conductance[0][:, [4]], inhibition, atol=1e-8)
    np.testing.assert_allclose(trace.conductance[0][:, [5]], excitation, atol=1e-8)


def test_two_cells_that_inhibit_each_other_take_turns() -> None:
    """Driven alike but for a head start, the first silences the second; without connections both fire."""
    forest = ds.Compartments.forest([CELL] * 2)
    synapses = ds.Synapses(forest, [0, 3], sign=-1, conductance=40.0, source=[0, 1], reversal=-75.0)
    drive = [ds.Clamp(0, 300.0), ds.Clamp(3, 300.0, start=1.0)]
    wired = ds.Connections([0, 1], [1, 0], delay=0.5)
    kept = options(duration=100.0, kinetics=ds.Exponential(10.0), clamps=drive)
    both = ds.simulate(forest, synapses, ds.Spikes([], [], n_inputs=2), **kept)
    one = ds.simulate(forest, synapses, connections=wired, **kept)
    counts = np.bincount(forest.cell[both.spike_compartment], minlength=2)
    assert counts[0] >= counts[1] > 5
    assert np.bincount(forest.cell[one.spike_compartment], minlength=2)[1] == 0
    assert (one.spike_compartment == 0).sum() == counts[0]


@pytest.mark.parametrize(("n_stimuli", "dtype"), [(1, "float64"), (5, "float64"), (18, "float32")])
def test_a_run_in_two_parts_is_one_run(n_stimuli: int, dtype: str) -> None:
    given = external(n_stimuli)
    kept = options(connections=WIRED, dtype=dtype)
    whole = ds.simulate(FOREST, SYNAPSES, given, **kept)
    for cut in (41.3, 60.0):
        early, late = given.time < cut - 0.05, given.time >= cut - 0.05

        def part(which: Any, shift: float) -> ds.Spikes:
            return ds.Spikes(
                given.time[which] - shift, given.source[which], given.stimulus[which], n_inputs=given.n_inputs,
                n_stimuli=n_stimuli,
            )  # fmt: skip

        first = ds.simulate(FOREST, SYNAPSES, part(early, 0.0), **{**kept, "duration": cut})
        assert first.final is not None
        assert len(first.final.spikes) > 0, "choose another cut: nothing is under way there"
        times = np.maximum(given.time - cut, 0.0)
        later = ds.Spikes(
            times[late], given.source[late], given.stimulus[late], n_inputs=given.n_inputs, n_stimuli=n_stimuli
        )
        second = ds.simulate(FOREST, SYNAPSES, later, initial=first.final, **{**kept, "duration": 80.0 - cut})
        n = round(cut / 0.1)
        np.testing.assert_array_equal(whole.voltage[:, n + 1 :], second.voltage[:, 1:])
        after = whole.spike_time > cut + 0.05
        np.testing.assert_allclose(whole.spike_time[after], second.spike_time + cut, rtol=1e-12)
        assert whole.final is not None
        assert second.final is not None
        for name in ("voltage", "p", "q", "mechanism", "spikes"):
            np.testing.assert_array_equal(getattr(whole.final, name), getattr(second.final, name))


def test_spikes_under_way_survive_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dendrosim.biophysics.time import engine

    given = external(2)
    kept = options(connections=WIRED, block=5.0)
    plain = ds.simulate(FOREST, SYNAPSES, given, **kept)
    calls = []
    original = engine.Engine.advance

    def interrupted(self: Any, start: int, count: int) -> Any:
        calls.append(start)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return original(self, start, count)

    monkeypatch.setattr(engine.Engine, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ds.simulate(FOREST, SYNAPSES, given, **kept, store=tmp_path / "run.h5")
    resumed = ds.simulate(FOREST, SYNAPSES, given, **kept, store=tmp_path / "run.h5", resume=True)
    np.testing.assert_array_equal(plain.voltage, resumed.voltage)
    np.testing.assert_array_equal(plain.spike_time, resumed.spike_time)
    others = ds.Connections(WIRED.cell, WIRED.input, WIRED.delay + 0.1, WIRED.weight)
    with pytest.raises(ParameterError, match="another simulation"):
        ds.simulate(FOREST, SYNAPSES, given, **{**kept, "connections": others}, store=tmp_path / "run.h5", resume=True)
    with pytest.raises(ParameterError, match="another simulation"):
        ds.simulate(FOREST, SYNAPSES, given, **{**kept, "connections": None}, store=tmp_path / "run.h5", resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"connections": (0, 1)}, "such as ds.Connections"),
        ({"connections": ds.Connections(3, 0)}, r"connections.cell\[0\] = 3 does not exist; valid: 0 to 2"),
        ({"connections": ds.Connections([0, 1], [0, 5])}, r"connections.input\[1\] = 5 does not exist; valid: 0 to 4"),
        ({"mechanisms": ()}, "no mechanism that fires"),
        ({"mechanisms": ds.IntegrateAndFire(at=[0])}, r"connections.cell\[3\] = 1: .* no mechanism that fires"),
        ({"mechanisms": [FIRE, ds.HodgkinHuxley()]}, "several mechanisms that fire"),
        ({"connections": ds.Connections(0, 0, delay=1.04)}, "whole number of steps of dt=0.1 ms.*nearest is 1 ms"),
        ({"connections": ds.Connections(0, 0, delay=0.01)}, "one or more; the nearest is 0.1 ms"),
        ({"kinetics": "instantaneous"}, "instantaneous"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        ds.simulate(FOREST, SYNAPSES, **{**options(connections=WIRED), **change})


def test_connections_need_synapses_and_inputs_need_connections() -> None:
    with pytest.raises(ParameterError, match="there are none: pass synapses="):
        ds.simulate(FOREST, connections=WIRED, mechanisms=FIRE)
    with pytest.raises(ParameterError, match="inputs are missing"):
        ds.simulate(FOREST, SYNAPSES, mechanisms=FIRE)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([0, 1], [0]), r"input has shape \(1,\); expected \(2,\)"),
        ((0.5, 0), r"cell\[0\] = 0.5 must be a whole number"),
        ((0, -1), r"input\[0\] = -1 must be a whole number"),
        ((0, 0, 0.0), r"delay\[0\] = 0 ms must be finite and positive"),
        ((0, 0, 1.0, -1.0), r"weight\[0\] = -1 must be finite and not negative"),
        ((0, 0, 1.0, np.nan), "weight"),
    ],
)
def test_impossible_connections_are_refused(given: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        ds.Connections(*given)


def test_spikes_under_way_are_not_lost_silently() -> None:
    kept = options(duration=20.0)
    first = ds.simulate(FOREST, SYNAPSES, external(), connections=WIRED, **kept)
    assert first.final is not None
    with pytest.raises(ParameterError, match="spikes that are still under way"):
        ds.simulate(FOREST, SYNAPSES, external(), initial=first.final, **kept)


def test_a_recurrent_network_fires_as_in_neuron() -> None:
    """Three Hodgkin-Huxley somas with dendrites in a ring, inhibition of one; delays by NetCon: 1e-6 ms and mV."""
    neuron = pytest.importorskip("neuron")
    h = neuron.h
    h.load_file("stdrun.hoc")
    dt, duration, area = 0.025, 80.0, np.pi * 20.0 * 20.0
    wires = [(0, 1, 2.0, 1.0), (1, 2, 3.3, 1.2), (2, 0, 5.1, 1.0), (0, 3, 2.6, 1.0), (2, 3, 1.0, 0.5)]
    peaks, taus, reversals = [20.0, 20.0, 20.0, 8.0], [1.5, 1.5, 1.5, 6.0], [0.0, 0.0, 0.0, -80.0]
    somas, dendrites, synapses, kept = [], [], [], []
    for i in range(3):
        soma, dendrite = h.Section(name=f"soma{i}"), h.Section(name=f"dendrite{i}")
        soma.L = soma.diam = 20.0
        dendrite.L, dendrite.diam, dendrite.nseg = 100.0, 2.0, 1
        dendrite.connect(soma(0.5))
        for section in (soma, dendrite):
            section.insert("pas")
            section.g_pas, section.e_pas, section.cm, section.Ra = 1e-4, -65.0, 1.0, 100.0
        soma.insert("hh")
        somas.append(soma)
        dendrites.append(dendrite)
    for place, tau, e in zip((somas[0], dendrites[1], dendrites[2], somas[1]), taus, reversals, strict=True):
        synapse = h.ExpSyn(place(0.5))
        synapse.tau, synapse.e = tau, e
        synapses.append(synapse)
    for source, target, delay, weight in wires:
        connection = h.NetCon(somas[source](0.5)._ref_v, synapses[target], sec=somas[source])
        connection.threshold, connection.delay, connection.weight[0] = 0.0, delay, 1e-3 * weight * peaks[target]
        kept.append(connection)
    clamp = h.IClamp(somas[0](0.5))
    clamp.delay, clamp.dur, clamp.amp = 1.0, 1.0, 2.0
    times = []
    for soma in somas:
        found, recorder = h.Vector(), h.NetCon(soma(0.5)._ref_v, None, sec=soma)
        recorder.threshold = 0.0
        recorder.record(found)
        times.append(found)
        kept.append(recorder)
    voltages = [h.Vector().record(soma(0.5)._ref_v) for soma in somas]
    usetable = h.usetable_hh
    h.usetable_hh, h.secondorder, h.celsius, h.steps_per_ms, h.dt = 0, 0, 6.3, 1.0 / dt, dt
    h.finitialize(-65.0)
    h.continuerun(duration)
    h.usetable_hh = usetable

    cell = ds.Compartments(
        [-1, 0], leak=[1e-3 * area, 1e-3 * np.pi * 2.0 * 100.0], coupling=1e3 / dendrites[0](0.5).ri(),
        capacitance=[0.01 * area, 0.01 * np.pi * 2.0 * 100.0], leak_reversal=-65.0, area=[area, np.pi * 2.0 * 100.0],
    )  # fmt: skip
    forest = ds.Compartments.forest([cell] * 3)
    ours = ds.simulate(
        forest, ds.Synapses(forest, [0, 3, 5, 2], sign=[1, 1, 1, -1], conductance=peaks, reversal=reversals),
        connections=ds.Connections(*(list(column) for column in zip(*wires, strict=True))), dt=dt, duration=duration,
        clamps=ds.Clamp(0, 2000.0, 1.0, 2.0), mechanisms="hodgkin_huxley",
        kinetics=[ds.Exponential(tau) for tau in taus],
    )  # fmt: skip
    for i in range(3):
        mine, theirs = ours.spike_time[ours.spike_compartment == 2 * i], np.array(times[i])
        assert mine.size > 4
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)
        np.testing.assert_allclose(ours.voltage[0, :, i], np.array(voltages[i])[: ours.time.size], rtol=0, atol=1e-6)
