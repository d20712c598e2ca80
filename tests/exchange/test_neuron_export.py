"""Models built in NEURON: the same steady states and trajectories as here, and clear refusals.

Measured with NEURON 9.0.2: steady voltages 3e-14 mV, trajectories 2e-12 mV, Hodgkin-Huxley somas 1e-10 mV; 4e-6 mV
where coordinates are not rounded, because NEURON keeps them in single precision.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import MissingDependencyError, MorphologyWarning, ParameterError

from ..validation.test_neuron import on_single_precision_grid

SHIPPED = ("ball_and_stick", "basket", "ca1_pyramidal", "granule", "purkinje", "pyramidal_l5", "stellate")
PASSIVE = ds.Passive(R_m=15_000.0, R_a=180.0, E_leak=-68.0)
NO_SOMA = (
    "1 3 0 0 0 1.5 -1\n2 3 9 0 0 1 1\n3 3 0 50 0 0.875 1\n4 3 0 90 9 0.5 3\n5 3 -40 0 0 0.75 1\n6 4 -80 10 0 0.5 5"
)


def cell(name: str = "basket", **policy: Any) -> ds.Compartments:
    return on_single_precision_grid(ds.Morphology.load(name)).compartments(PASSIVE, **(policy or {"max_length": 40.0}))


def driven(compartments: ds.Compartments) -> tuple[ds.Synapses, np.ndarray, np.ndarray]:
    """Synapses that move the cell by tens of mV, their activity, and a current."""
    synapses = ds.Synapses.scatter(compartments, 40, 15, n_inputs=30, seed=5)
    current = np.zeros(compartments.size)
    current[[0, -1]] = 50.0, -10.0
    return synapses, np.random.default_rng(6).random((1, 30)), current


@pytest.mark.parametrize("layout", ["sections", "compartments"])
@pytest.mark.parametrize("name", SHIPPED)
def test_steady_states_of_shipped_cells(h: Any, name: str, layout: str) -> None:
    morphology = on_single_precision_grid(ds.Morphology.load(name))
    passive = ds.Passive(R_a=120.0, E_leak=-72.0, spine_factor={morphology.regions[-1]: 1.5})
    compartments = morphology.compartments(passive, max_length=40.0)
    synapses, x, current = driven(compartments)
    expected = ds.steady_state(compartments, synapses, x, current=current).voltage[0]
    assert np.ptp(expected) > 1.0
    with ds.exchange.to_neuron(compartments, synapses, x, current=current, layout=layout) as model:
        np.testing.assert_allclose(model.steady_voltage(), expected, rtol=0, atol=1e-11)
        h.dt, h.secondorder = 1e9, 0
        h.finitialize(-72.0)  # by hand: what the model sets, it sets whenever NEURON begins
        for _ in range(4):
            h.fadvance()
        np.testing.assert_allclose(model.voltage, expected, rtol=0, atol=1e-11)
    assert not list(h.allsec())


def test_coordinates_in_single_precision(h: Any) -> None:
    compartments = ds.Morphology.load("pyramidal_l5").compartments(PASSIVE, max_length=40.0)
    synapses, x, _ = driven(compartments)
    expected = ds.steady_state(compartments, synapses, x).voltage[0]
    for layout, tolerance in ((None, 1e-4), ("compartments", 1e-11)):
        with ds.exchange.to_neuron(compartments, synapses, x, layout=layout) as model:
            np.testing.assert_allclose(model.steady_voltage(), expected, rtol=0, atol=tolerance)


def test_names_regions_and_places(h: Any) -> None:
    compartments = cell("pyramidal_l5")
    with ds.exchange.to_neuron(compartments, name="l5") as model:
        assert model.layout == "sections"
        assert [section.name() for section in model.sections[:2]] == ["l5[0].soma", "l5[0].apical[0]"]
        assert set(model.regions) == {"soma", "axon", "basal", "apical"} & set(compartments.region.tolist())
        assert sum(len(list(group)) for group in model.regions.values()) == len(model.sections)
        assert [model.compartment(model.segment(n)) for n in range(compartments.size)] == list(range(compartments.size))
        for n in range(compartments.size):
            assert model.segment(n).sec.name().rpartition(".")[2].startswith(compartments.region[n])
        assert model.sections[0](0.5) == model.segment(0)
        assert sum(section.L for section in model.sections[1:]) == pytest.approx(compartments.morphology.total_length())
        with pytest.raises(ParameterError, match=r"duration=1.01 ms is no whole number of steps of dt=0.025 ms"):
            model.simulate(duration=1.01)
        other = h.Section(name="other")
        with pytest.raises(ParameterError, match=r"segment=other\(0\.5\) is none of the \d+ of this model"):
            model.compartment(other(0.5))


def test_several_cells_without_and_with_soma(h: Any) -> None:
    first = cell("granule")
    with pytest.warns(MorphologyWarning, match="no-soma"):
        second = ds.Morphology.from_swc(NO_SOMA).compartments(PASSIVE, max_length=15.0)
    forest = ds.Compartments.forest([first, second, first])
    synapses, x, current = driven(forest)
    expected = ds.steady_state(forest, synapses, x, current=current).voltage[0]
    for layout in (None, "compartments"):
        with ds.exchange.to_neuron(forest, synapses, x, current=current, layout=layout) as model:
            assert {section.name().partition(".")[0] for section in model.sections} == {"cell[0]", "cell[1]", "cell[2]"}
            np.testing.assert_allclose(model.steady_voltage(), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("seed", range(3))
def test_any_tree(h: Any, seed: int) -> None:
    """Trees of explicit arrays, in any order, with branch points that have no membrane."""
    rng = np.random.default_rng(seed)
    n = 40
    parent = np.array([-1, *(rng.integers(0, k) for k in range(1, n))])
    bare = np.isin(np.arange(n), parent) & (rng.random(n) < 0.4)
    compartments = ds.Compartments(
        parent, leak=np.where(bare, 0.0, rng.uniform(0.1, 5.0, n)), coupling=10.0 ** rng.uniform(-1, 3, n),
        capacitance=np.where(bare, 0.0, rng.uniform(1.0, 50.0, n)), leak_reversal=-65.0,
        area=np.where(bare, 0.0, rng.uniform(10.0, 900.0, n)), length=rng.uniform(0.0, 30.0, n),
    )  # fmt: skip
    synapses = ds.Synapses(compartments, rng.integers(0, n, 20), sign=1, conductance=rng.uniform(0.0, 2.0, 20))
    x = rng.random((1, 20))
    with ds.exchange.to_neuron(compartments, synapses, x) as model:
        assert model.layout == "compartments"
        expected = ds.steady_state(compartments, synapses, x).voltage[0]
        np.testing.assert_allclose(model.steady_voltage(), expected, rtol=0, atol=1e-10)
    with ds.exchange.to_neuron(compartments, clamps=ds.Clamp(n - 1, 200.0, start=1.0, stop=3.0)) as model:
        _, theirs = model.simulate(duration=5.0, record="all")
    ours = ds.simulate(compartments, duration=5.0, record="all", clamps=ds.Clamp(n - 1, 200.0, start=1.0, stop=3.0))
    assert np.ptp(theirs) > 1.0
    np.testing.assert_allclose(theirs, ours.voltage[0], rtol=0, atol=1e-9)


def test_learned_couplings_need_a_section_each(h: Any) -> None:
    compartments = cell("granule")
    learned = compartments.with_(coupling=compartments.coupling * np.linspace(1.0, 2.0, compartments.size))
    with pytest.raises(ParameterError, match=r"couplings are those of their morphology.*layout='compartments'"):
        ds.exchange.to_neuron(learned, layout="sections")
    with ds.exchange.to_neuron(learned, current=np.linspace(-5, 5, learned.size)) as model:
        assert model.layout == "compartments"
        expected = ds.steady_state(learned, current=np.linspace(-5, 5, learned.size)).voltage[0]
        np.testing.assert_allclose(model.steady_voltage(), expected, rtol=0, atol=1e-11)
    leaky = compartments.with_(leak=compartments.leak * np.linspace(1.0, 3.0, compartments.size))
    with ds.exchange.to_neuron(leaky, current=np.linspace(-5, 5, leaky.size)) as model:
        assert model.layout == "sections"  # leaks are given per segment
        expected = ds.steady_state(leaky, current=np.linspace(-5, 5, leaky.size)).voltage[0]
        np.testing.assert_allclose(model.steady_voltage(), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("method", ["backward_euler", "crank_nicolson"])
def test_spikes_clamps_and_a_second_leak(h: Any, method: str) -> None:
    compartments, dt = cell("stellate"), 0.025
    synapses = ds.Synapses.scatter(compartments, 20, 10, n_inputs=20, seed=1)
    kinds = [ds.Exponential(2.0), ds.DifferenceOfExponentials(0.5, 5.0)]
    courses = [kinds[j % 2] for j in range(30)]
    rng = np.random.default_rng(2)
    ticks = rng.integers(1, 700, 100) + rng.uniform(-0.4, 0.4, 100)  # never half way between two steps
    spikes = ds.Spikes(ticks * dt, rng.integers(0, 20, 100), weight=rng.integers(1, 3, 100), n_inputs=20)
    clamps = [ds.Clamp(0, [40.0, -20.0, 60.0], start=2.0, interval=3.0), ds.Clamp(5, 30.0, start=1.0, stop=9.0)]
    options: dict[str, Any] = {"kinetics": courses, "clamps": clamps, "mechanisms": ds.LeakConductance(2.0, -80.0)}
    ours = ds.simulate(compartments, synapses, spikes, duration=20.0, method=method, record="all", **options)
    with ds.exchange.to_neuron(compartments, synapses, spikes, **options) as model:
        time, theirs = model.simulate(duration=20.0, method=method, record="all")
        with pytest.raises(ParameterError, match="steady voltage needs constant"):
            model.steady_voltage()
    assert np.ptp(theirs) > 3.0
    np.testing.assert_allclose(time, ours.time)
    np.testing.assert_allclose(theirs, ours.voltage[0], rtol=0, atol=1e-10)


def test_alpha_synapses(h: Any) -> None:
    compartments = cell("granule")
    synapses = ds.Synapses.scatter(compartments, 6, 3, seed=1)
    spikes = ds.Spikes(np.linspace(0.3, 9.7, 9), np.arange(9))
    ours = ds.simulate(compartments, synapses, spikes, duration=20.0, kinetics=ds.Alpha(2.5), arrival="middle")
    with ds.exchange.to_neuron(compartments, synapses, spikes, kinetics=ds.Alpha(2.5)) as model:
        _, theirs = model.simulate(duration=20.0)
    assert np.ptp(theirs) > 1.0
    np.testing.assert_allclose(theirs, ours.voltage[0], rtol=0, atol=1e-9)


def test_spiking_cells_that_drive_each_other(h: Any) -> None:
    one = cell("ball_and_stick")
    forest = ds.Compartments.forest([one, one])
    synapses = ds.Synapses(forest, [one.size - 1, 2 * one.size - 1, 3], [0, 1, 2], sign=1, conductance=[3.0, 30.0, 5.0])
    options: dict[str, Any] = {
        "connections": ds.Connections(cell=[0, 0], input=[1, 2], delay=[1.0, 2.0]),
        "mechanisms": ds.HodgkinHuxley(sodium=0.13),
        "clamps": ds.Clamp(0, 500.0, start=1.0),
    }
    ours = ds.simulate(forest, synapses, duration=30.0, **options)
    with ds.exchange.to_neuron(forest, synapses, **options) as model:
        _, theirs = model.simulate(duration=30.0)
    assert set(forest.cell[ours.spike_compartment].tolist()) == {0, 1}
    np.testing.assert_allclose(theirs, ours.voltage[0], rtol=0, atol=1e-6)


def test_delays_that_are_no_multiples_of_one_another(h: Any) -> None:
    one = cell("ball_and_stick")
    forest = ds.Compartments.forest([one, one])
    synapses = ds.Synapses(forest, [2 * one.size - 1, one.size + 1], [0, 1], sign=1, conductance=[30.0, 20.0])
    options: dict[str, Any] = {
        "connections": ds.Connections(cell=[0, 0], input=[0, 1], delay=[1.5, 2.0]),
        "mechanisms": ds.HodgkinHuxley(sodium=0.13),
        "clamps": ds.Clamp(0, 500.0, start=1.0, stop=8.0),
    }
    ours = ds.simulate(forest, synapses, duration=15.0, **options)
    with ds.exchange.to_neuron(forest, synapses, **options) as model:
        _, theirs = model.simulate(duration=15.0)
    assert np.ptp(ours.voltage[0, :, 1]) > 5.0
    np.testing.assert_allclose(theirs, ours.voltage[0], rtol=0, atol=1e-6)


def test_each_model_at_its_own_temperature(h: Any) -> None:
    compartments = cell("ball_and_stick")
    channels = [ds.HodgkinHuxley(sodium=0.13, temperature=warm) for warm in (6.3, 20.0)]
    clamp = ds.Clamp(0, 500.0, start=1.0)
    models = [ds.exchange.to_neuron(compartments, mechanisms=one, clamps=clamp) for one in channels]
    for one, model in zip(channels, models, strict=True):
        ours = ds.simulate(compartments, duration=10.0, mechanisms=one, clamps=clamp)
        np.testing.assert_allclose(model.simulate(duration=10.0)[1], ours.voltage[0], rtol=0, atol=1e-6)
    for model in models:
        model.close()


def test_a_model_that_was_closed_and_no_recording(h: Any) -> None:
    model = ds.exchange.to_neuron(cell("granule"))
    assert model.simulate(duration=1.0, record=[])[1].shape == (41, 0)
    segment = model.segment(0)
    model.close()
    model.close()
    for use in (
        lambda: model.voltage,
        lambda: model.segment(0),
        lambda: model.compartment(segment),
        lambda: model.simulate(duration=1.0),
        model.steady_voltage,
    ):
        with pytest.raises(ParameterError, match="this model was closed"):
            use()


def test_events_of_neurons_own(h: Any) -> None:
    """Inputs are NetStims, silent until told otherwise."""
    compartments = cell("granule")
    synapses = ds.Synapses(compartments, [3, 9], [0, 0], sign=1)
    with ds.exchange.to_neuron(compartments, synapses, kinetics=ds.Exponential(3.0)) as model:
        assert np.ptp(model.simulate(duration=10.0)[1]) == 0
        (source,) = model.processes.inputs
        source.number, source.start, source.interval, source.noise = 2, 1.0, 4.0, 0
        _, theirs = model.simulate(duration=10.0)
    spikes = ds.Spikes([1.0, 5.0], [0, 0])
    ours = ds.simulate(compartments, synapses, spikes, duration=10.0, kinetics=ds.Exponential(3.0))
    assert np.ptp(theirs) > 0.1
    np.testing.assert_allclose(theirs, ours.voltage[0], rtol=0, atol=1e-10)


@dataclass(frozen=True)
class Slow(ds.Channel):
    conductance: float = 0.001
    reversal: float = -90.0
    name = "slow"

    @staticmethod
    def kinetics(v: float) -> tuple[tuple[float, float], ...]:
        return ((1.0 / (1.0 + math.exp((-35.0 - v) / 10.0)), 100.0),)

    @staticmethod
    def opening(gates: Any, v: float) -> float:
        return float(gates[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinetics": ds.NMDA()}, r"synapse 0 has the time course NMDA\(.*compiled mod file.*ExpSyn"),
        ({"mechanisms": ds.IntegrateAndFire()}, r"mechanisms\[0\]=IntegrateAndFire\(.*compiled mod file"),
        ({"mechanisms": [Slow()]}, r"mechanisms\[0\]=Slow\(.*compiled mod file"),
        ({"mechanisms": [ds.HodgkinHuxley(), ds.HodgkinHuxley()]}, r"mechanisms\[1\]: compartment 0 has hh already"),
        ({"mechanisms": [ds.HodgkinHuxley(), ds.HodgkinHuxley(temperature=20.0, at=[3])]}, "one temperature"),
        ({"clamps": ds.Clamp(0, [1.0, 2.0])}, r"clamps\[0\] has amplitudes for 2 stimuli"),
        ({"current": np.zeros((2, 26))}, r"current has shape \(2, 26\); expected \(26,\)"),
        ({"layout": "tree"}, "layout='tree' is not known; valid: 'sections', 'compartments'"),
        ({"inputs": np.ones((2, 5))}, r"inputs has shape \(2, 5\); expected \(5,\)"),
        ({"inputs": -np.ones(5)}, "inputs must be finite and not negative"),
        ({"inputs": np.ones(5), "kinetics": ds.Exponential(2.0)}, "constant activity opens synapses"),
        ({"inputs": ds.Spikes([1.0], [0], [1])}, "spikes are of 2 stimuli"),
        ({"inputs": ds.Spikes([1.0], [7])}, "spikes are of 8 inputs and the synapses have 5"),
        ({"connections": [0, 1]}, "connections must be Connections"),
        ({"name": 3}, "name must be str"),
    ],
)
def test_refusals(h: Any, options: dict[str, Any], message: str) -> None:
    compartments = cell("granule")
    synapses = ds.Synapses.scatter(compartments, 3, 2)
    with pytest.raises(ParameterError, match=message):
        ds.exchange.to_neuron(compartments, synapses, **options)
    assert not list(h.allsec())


def test_what_needs_no_neuron_is_refused_without_it() -> None:
    tree = ds.Compartments.branching([2])
    with pytest.raises(ParameterError, match="normalised units"):
        ds.exchange.to_neuron(tree)
    with pytest.raises(ParameterError, match="compartments must be Compartments"):
        ds.exchange.to_neuron(ds.Morphology.load("granule"))
    compartments = cell("granule")
    with pytest.raises(ParameterError, match="made for another tree"):
        ds.exchange.to_neuron(compartments, ds.Synapses.scatter(cell("basket"), 2, 2))
    with pytest.raises(ParameterError, match="there are none"):
        ds.exchange.to_neuron(compartments, inputs=np.ones(3))


def test_neuron_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "neuron", None)
    with pytest.raises(MissingDependencyError, match=r"NEURON is needed.*dendrosim\[neuron\]"):
        ds.exchange.to_neuron(cell("granule"))
    with pytest.raises(MissingDependencyError, match=r"NEURON is needed.*dendrosim\[neuron\]"):
        ds.exchange.from_neuron()
