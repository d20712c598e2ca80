"""Forests in groups of cells: the same as the whole, whatever the number of threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.biophysics.time import partition, population
from dendrosim.biophysics.time.simulate import checked, prepare
from dendrosim.errors import ParameterError

SMALL = ds.Compartments([-1, 0, 1], leak=4.0, coupling=20.0, capacitance=[100.0, 50.0, 50.0], leak_reversal=-70.0)
LARGE = ds.Compartments(
    [-1, 0, 1, 1, 0, 4], leak=5.0, coupling=20.0, capacitance=[100.0, 50.0, 50.0, 40.0, 0.0, 30.0], leak_reversal=-70.0
)
FOREST = ds.Compartments.forest([LARGE, SMALL, LARGE, SMALL, SMALL])
RNG = np.random.default_rng(0)
SYNAPSES = ds.Synapses(
    FOREST, RNG.integers(0, 18, 20), sign=RNG.choice([1, 1, -1], 20), conductance=6.0, source=RNG.integers(0, 9, 20),
    n_inputs=10,
)  # fmt: skip
"""None on the last cell."""
WIRED = ds.Connections(
    RNG.integers(0, 5, 12), RNG.integers(0, 10, 12), RNG.integers(1, 30, 12) * 0.1, RNG.random(12) * 3
)
FIRE = ds.IntegrateAndFire(threshold=-62.0, reset=-70.0)
NAMES = ("voltage", "conductance", "spike_time", "spike_compartment", "spike_stimulus")
STATES = ("voltage", "p", "q", "mechanism", "activity", "spikes")


@pytest.fixture
def divided(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Groups of a cell or two, however small they are."""
    monkeypatch.setattr(partition, "LEAST", 4)
    monkeypatch.setattr(partition, "BETWEEN", 1)
    return monkeypatch


def options(**more: Any) -> dict[str, Any]:
    return {
        "dt": 0.1, "duration": 40.0, "kinetics": ("alpha", "exponential"), "record": [20, 0, 7, 3], "every": 3,
        "record_synapses": [5, 3, 19, 0, 0], **more,
    }  # fmt: skip


def spikes(n_stimuli: int) -> ds.Spikes:
    return ds.Spikes.poisson(np.full((n_stimuli, 10), 60.0), 40.0, seed=1)


def as_one(*given: Any, **more: Any) -> ds.Trace:
    """The whole forest in one engine."""
    return prepare(*given, **more)[0].to_memory()


def same(a: ds.Trace, b: ds.Trace, tolerance: float = 0.0) -> None:
    for name in NAMES:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=tolerance, atol=tolerance)
    assert a.final is not None
    assert b.final is not None
    for name in STATES:
        np.testing.assert_allclose(getattr(a.final, name), getattr(b.final, name), rtol=tolerance, atol=tolerance)


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "connected": (spikes(3), {"mechanisms": FIRE, "connections": WIRED}),
    "one stimulus": (
        spikes(1),
        {"mechanisms": [ds.LeakConductance(1.0, -60.0, at=[8, 1, 3]), FIRE], "connections": WIRED},
    ),
    "float32": (spikes(1), {"mechanisms": FIRE, "dtype": "float32", "current": np.linspace(0, 9, FOREST.size)}),
    "rates": (
        ds.Waveform(20.0 * RNG.random((5, 2, 10)), 8.0, unit="Hz"),
        {"clamps": [ds.Clamp(1, 10.0), ds.Clamp(17, [5.0, 3.0], start=3.0)], "initial": "steady"},
    ),
    "voltages": (
        0.1 * RNG.random((2, 10)),
        {"initial": RNG.random(FOREST.size) - 70.0, "mechanisms": "hodgkin_huxley"},
    ),
    "directed": (
        spikes(2),
        {
            "direction": "directed",
            "gate": ds.Gate(np.linspace(0.05, 0.2, FOREST.size), -60.0),
            "method": "crank_nicolson",
        },
    ),
    "nothing": (None, {"clamps": ds.Clamp(9, 50.0), "connections": WIRED, "mechanisms": FIRE}),
}


@pytest.mark.parametrize("case", CASES)
def test_groups_are_the_whole(divided: pytest.MonkeyPatch, case: str) -> None:
    inputs, more = CASES[case]
    kept = options(**more)
    assert isinstance(population.recorder_for(checked(FOREST, SYNAPSES, inputs, **kept)), population.Population)
    whole = as_one(FOREST, SYNAPSES, inputs, **kept)
    one, two = (ds.simulate(FOREST, SYNAPSES, inputs, threads=n, **kept) for n in (1, 2))
    same(one, two)
    same(whole, one, 1e-5 if more.get("dtype") == "float32" else 1e-12)
    np.testing.assert_array_equal(whole.compartment, one.compartment)


def test_groups_are_their_cells(divided: pytest.MonkeyPatch) -> None:
    """Every cell on its own, its synapses driven by the inputs that it shares with others."""
    given = spikes(2)
    kept = {"dt": 0.1, "duration": 40.0, "record": "all", "mechanisms": FIRE}
    forest = ds.simulate(FOREST, SYNAPSES, given, **kept)
    assert np.unique(SYNAPSES.source).size < SYNAPSES.size
    assert forest.spike_time.size > 10
    for cell, root in enumerate(FOREST.roots):
        one = (LARGE, SMALL, LARGE, SMALL, SMALL)[cell]
        own = SYNAPSES[FOREST.cell[SYNAPSES.compartment] == cell]
        synapses = ds.Synapses(
            one, own.compartment - root, sign=own.sign, conductance=6.0, source=own.source, n_inputs=10
        ) if own.size else None  # fmt: skip
        alone = ds.simulate(one, synapses, given if own.size else None, **kept, n_stimuli=2)
        np.testing.assert_allclose(forest.voltage[:, :, root : root + one.size], alone.voltage, rtol=1e-12)
        ours = forest.spike_compartment == root
        np.testing.assert_array_equal(forest.spike_time[ours], alone.spike_time)


def test_a_whole_goes_on_in_groups(divided: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Snapshots and files: states do not know how the cells were divided."""
    inputs, more = CASES["connected"]
    kept = options(**more)
    late = ds.Spikes([], [], n_inputs=10, n_stimuli=3)
    first = ds.simulate(FOREST, SYNAPSES, inputs, **kept)
    assert first.final is not None
    assert len(first.final.spikes) > 0
    whole = as_one(FOREST, SYNAPSES, late, initial=first.final, **kept)
    groups = ds.simulate(FOREST, SYNAPSES, late, initial=first.final, **kept)
    assert groups.spike_time.size > 0
    same(whole, groups, 1e-12)
    stored = ds.simulate(FOREST, SYNAPSES, inputs, store=tmp_path / "run.h5", block=7.0, **kept)
    same(first, stored)


def test_groups_resume(divided: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inputs, more = CASES["connected"]
    kept = options(**more, block=5.0)
    plain = ds.simulate(FOREST, SYNAPSES, inputs, **kept)
    calls = []
    original = population.Population.advance

    def interrupted(self: Any, start: int, count: int) -> Any:
        calls.append(start)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return original(self, start, count)

    divided.setattr(population.Population, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ds.simulate(FOREST, SYNAPSES, inputs, **kept, store=tmp_path / "run.h5")
    same(plain, ds.simulate(FOREST, SYNAPSES, inputs, **kept, store=tmp_path / "run.h5", resume=True))


def test_the_partition_knows_sizes_only() -> None:
    sizes = np.full(64, 200)
    free = partition.groups(sizes, 1, None)
    assert [pair[0] for pair in free[1:]] == [pair[1] for pair in free[:-1]]
    assert (free[0][0], free[-1][1]) == (0, 64)
    assert len(free) == 4
    assert len(partition.groups(sizes, 1, 41)) == 4
    assert len(partition.groups(sizes, 1, 2)) == 1
    assert len(partition.groups(np.full(1000, 200), 1, None)) == partition.MOST
    assert partition.groups(np.array([1100]), 64, None) == [(0, 1)]
    assert partition.groups(np.array([100, 9000, 300]), 1, None) == [(0, 2), (2, 3)]


def test_what_does_not_fit_the_whole_is_refused(divided: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParameterError, match=r"must be finite, \(21,\) or \(1, 21\), mV"):
        ds.simulate(FOREST, initial=np.zeros(20))
    other = ds.simulate(LARGE, duration=1.0).final
    with pytest.raises(ParameterError, match=r"initial\.voltage has shape"):
        ds.simulate(FOREST, initial=other)
    with pytest.raises(ParameterError, match="gate slope has shape"):
        ds.simulate(FOREST, direction="directed", gate=ds.Gate(np.ones(20), 0.0))
