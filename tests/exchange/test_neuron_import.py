"""Cells read from NEURON: its own compartments, so that voltages agree to rounding; and back and forth without loss.

Measured with NEURON 9.0.2: steady voltages 9e-14 mV.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import MorphologyWarning, ParameterError
from dendrosim.morphology.shipped import find_source

from ..validation.test_neuron import on_single_precision_grid
from .conftest import in_time, steady
from .test_neuron_export import NO_SOMA, PASSIVE, SHIPPED, driven

ARRAYS = ("leak", "coupling", "capacitance", "area", "length", "axial_resistance", "path_distance", "stage")
REAL = (
    "C010398B-P2.CNG", "c91662", "ca1_n120", "Pvalb_470522102_m", "Scnn1a_473845048_m", "purkinje1", "bc", "grc",
)  # fmt: skip


def assert_same(ours: ds.Compartments, theirs: ds.Compartments) -> None:
    np.testing.assert_array_equal(theirs.parent, ours.parent)
    np.testing.assert_array_equal(theirs.region, ours.region)
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(theirs, name), getattr(ours, name), rtol=1e-12, atol=1e-12, err_msg=name)


def passive_section(h: Any, name: str, length: float, diam: float, nseg: int, e: float = -70.0) -> Any:
    section = h.Section(name=name)
    section.L, section.diam, section.nseg, section.Ra, section.cm = length, diam, nseg, 120.0, 0.9
    section.insert("pas")
    section.g_pas, section.e_pas = 7e-5, e
    return section


def stylised(h: Any) -> dict[str, Any]:
    """Every way to connect: both ends of a soma of three segments, the middle of a branch, an end turned round."""
    made = {
        "soma": passive_section(h, "soma", 30.0, 20.0, 3),
        "dend[0]": passive_section(h, "dend[0]", 100.0, 2.0, 5, e=-75.0),
        "dend[1]": passive_section(h, "dend[1]", 60.0, 1.0, 2),
        "apic": passive_section(h, "apic", 200.0, 3.0, 7, e=-65.0),
        "turned": passive_section(h, "turned", 80.0, 1.5, 4),
        "after": passive_section(h, "after", 20.0, 0.5, 1),
        "side": passive_section(h, "side", 40.0, 0.7, 3),
    }
    made["dend[0]"].connect(made["soma"](0))
    made["dend[1]"].connect(made["soma"](0))
    made["apic"].connect(made["soma"](1))
    made["turned"].connect(made["apic"](1), 1)
    made["after"].connect(made["turned"](0))
    made["side"].connect(made["apic"](0.3))
    for k, segment in enumerate(made["dend[1]"]):
        segment.diam, segment.pas.g, segment.cm = 1.0 - 0.4 * k, 1e-4 * (k + 1), 1.0 + k
    made["turned"].Ra = 300.0
    for k, segment in enumerate(made["turned"]):
        segment.diam = 2.0 - 0.3 * k
    return made


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_cells_there_and_back(h: Any, name: str) -> None:
    morphology = on_single_precision_grid(ds.Morphology.load(name))
    passive = ds.Passive(R_a=120.0, E_leak=-72.0, spine_factor={morphology.regions[-1]: 1.5})
    compartments = morphology.compartments(passive, max_length=40.0)
    with ds.exchange.to_neuron(compartments) as model:
        back = ds.exchange.from_neuron(model.sections)
        assert_same(compartments, back.compartments)
        assert [model.compartment(segment) for segment in back.segments] == list(range(compartments.size))
        np.testing.assert_array_equal(back.morphology.samples.xyz, morphology.samples.xyz)
        np.testing.assert_array_equal(back.morphology.samples.radius, morphology.samples.radius)
        np.testing.assert_array_equal(back.morphology.samples.parent, morphology.samples.parent)
        np.testing.assert_array_equal(back.morphology.samples.type, morphology.samples.type)
        assert back.passive.R_m == pytest.approx(passive.R_m, rel=1e-9)
        assert back.passive.R_a == pytest.approx(120.0, rel=1e-12)
        assert back.passive.E_leak == -72.0
        assert dict(back.passive.spine_factor) == pytest.approx(dict(passive.spine_factor))
        assert not back.current.any()
    synapses, x, current = driven(back.compartments)
    expected = ds.steady_state(compartments, synapses, x, current=current).voltage[0]
    with ds.exchange.to_neuron(back.compartments, synapses, x, current=current) as again:
        assert again.layout == "sections"
        np.testing.assert_allclose(again.steady_voltage(), expected, rtol=0, atol=1e-10)
    sample = int(morphology.samples.id[-1])
    assert back.compartments.of_sample(len(morphology)) == compartments.of_sample(sample)
    for ours, theirs in zip(compartments.segments(), back.compartments.segments(), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", REAL)
def test_reconstructions_there_and_back(h: Any, morphology_data: Path, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MorphologyWarning)
        path = morphology_data / "real" / f"{name}.swc"
        morphology = ds.Morphology.load(path)
        if morphology.soma.convention not in ("point", "three_point"):  # their radius is no number of the file
            morphology = ds.Morphology.load(path, repair="collapse_soma")
        morphology = on_single_precision_grid(morphology)
    compartments = morphology.compartments(PASSIVE, max_length=40.0)
    synapses, x, current = driven(compartments)
    with ds.exchange.to_neuron(compartments, current=current) as model:
        back = ds.exchange.from_neuron(model.sections, ignore="IClamp")
        assert_same(compartments, back.compartments)
        state = ds.steady_state(back.compartments, current=current)
        np.testing.assert_allclose(model.steady_voltage(), state.voltage[0], rtol=0, atol=1e-10)
    expected = ds.steady_state(compartments, synapses, x, current=current).voltage[0]
    with ds.exchange.to_neuron(back.compartments, synapses, x, current=current) as again:
        np.testing.assert_allclose(again.steady_voltage(), expected, rtol=0, atol=1e-10)
    assert back.morphology.total_length() == pytest.approx(morphology.total_length(), rel=1e-12)
    assert back.morphology.total_area() == pytest.approx(morphology.total_area(), rel=1e-12)


def test_a_section_for_every_compartment_there_and_back(h: Any) -> None:
    rng = np.random.default_rng(3)
    parent = np.array([-1, 0, 0, 1, 1, 2, 2, 3, 5, 6])
    bare = np.isin(np.arange(10), [2, 5])
    trees = ds.Compartments(
        parent, leak=np.where(bare, 0.0, rng.uniform(1, 5, 10)), coupling=rng.uniform(1, 90, 10),
        capacitance=np.where(bare, 0.0, rng.uniform(1, 50, 10)), area=np.where(bare, 0.0, rng.uniform(10, 900, 10)),
        length=np.where(bare, 0.0, 20.0), leak_reversal=-61.0,
    )  # fmt: skip
    with ds.exchange.to_neuron(trees) as model:
        back = ds.exchange.from_neuron(model.sections, regions={"dendrite": "basal"}).compartments
    for name in ("parent", "leak", "coupling", "capacitance", "area"):
        np.testing.assert_allclose(getattr(back, name), getattr(trees, name), rtol=1e-12, err_msg=name)
    assert back.leak_reversal == -61.0


@pytest.mark.parametrize("shape", [False, True])
def test_any_way_to_connect(h: Any, shape: bool) -> None:
    """NEURON's own voltages; with points in space, once NEURON has made some, too."""
    made = stylised(h)
    if shape:
        h.define_shape()
    back = ds.exchange.from_neuron(list(made.values()))
    cell = back.compartments
    assert cell.leak_reversal == -70.0  # of most of the conductance; others by currents
    assert back.passive is None
    assert back.regions == {
        "soma": "soma", "dend": "basal", "apic": "apical",
        "turned": "custom_5", "after": "custom_6", "side": "custom_7",
    }  # fmt: skip
    assert back.segments[0] == made["soma"](0.5)
    assert cell.area.sum() == pytest.approx(sum(seg.area() for sec in made.values() for seg in sec))
    clamps, current = [], back.current.copy()
    for k, segment in enumerate(seg for sec in made.values() for seg in sec):
        clamp = h.IClamp(segment)
        clamp.dur, clamp.amp = 1e30, 0.001 * (k % 7)
        clamps.append(clamp)
        current[next(n for n, own in enumerate(back.segments) if own == segment)] += k % 7
    expected = steady(h, back.segments)
    assert np.ptp(expected) > 1.0
    state = ds.steady_state(cell, current=current)
    np.testing.assert_allclose(state.voltage[0], expected, rtol=0, atol=1e-10)
    theirs = in_time(h, back.segments, 0.025, 400, -60.0)
    ours = ds.simulate(cell, duration=10.0, record="all", current=current, initial=np.full(cell.size, -60.0))
    inside = cell.area > 0  # what has no membrane follows the others at once, and NEURON begins with the same voltage
    np.testing.assert_allclose(ours.voltage[0][:, inside], theirs[:, inside], rtol=0, atol=1e-9)
    assert back.morphology.total_length() == pytest.approx(500.0, rel=1e-6)
    assert cell.segments()[0].shape[1] == 3  # it can be drawn


def test_a_cell_that_neuron_itself_imported(h: Any) -> None:
    """NEURON's Import3d reads the same file: its compartments and voltages, and our morphology to 7 digits."""
    h.load_file("stdlib.hoc")
    h.load_file("import3d.hoc")
    reader = h.Import3d_SWC_read()
    reader.quiet = 1
    reader.input(str(find_source("basket")))
    h.Import3d_GUI(reader, False).instantiate(None)
    sections = list(h.allsec())
    for section in sections:
        section.nseg, section.Ra = 1 + int(section.L / 40.0), 150.0
        section.insert("pas")
    back = ds.exchange.from_neuron(sections)
    own = ds.Morphology.load("basket")
    assert len(back.morphology.sections) == len(own.sections)
    assert back.morphology.total_length() == pytest.approx(own.total_length(), rel=1e-6)
    assert back.morphology.total_area() == pytest.approx(own.total_area(), rel=1e-6)
    assert back.morphology.soma.area == pytest.approx(own.soma.area, rel=1e-6)
    clamp = h.IClamp(back.segments[-1])
    clamp.dur, clamp.amp = 1e30, 0.05
    current = np.zeros(back.compartments.size)
    current[-1] = 50.0
    state = ds.steady_state(back.compartments, current=current)
    np.testing.assert_allclose(state.voltage[0], steady(h, back.segments), rtol=0, atol=1e-10)
    with ds.exchange.to_neuron(back.compartments) as model:
        assert model.layout == "sections"
        assert len(model.sections) == len(sections)


def test_a_soma_of_several_sections(h: Any) -> None:
    """From both ends of the first; a fourth that branches off cannot be part of a soma of samples."""
    made = [passive_section(h, f"soma[{k}]", 10.0, 12.0, 1) for k in range(4)]
    made[1].connect(made[0](1))
    made[2].connect(made[0](0))
    made[3].connect(made[1](0.5))
    dendrite = passive_section(h, "dend", 50.0, 1.0, 2)
    dendrite.connect(made[2](1))
    back = ds.exchange.from_neuron([*made, dendrite])
    assert back.morphology.soma.rows.size == 4
    assert back.morphology.soma.area == pytest.approx(3 * np.pi * 10.0 * 12.0)
    assert back.morphology.total_length("undefined") == pytest.approx(10.0)
    assert back.compartments.area.sum() == pytest.approx(4 * np.pi * 120.0 + np.pi * 50.0)
    np.testing.assert_allclose(ds.steady_state(back.compartments).voltage[0], steady(h, back.segments), atol=1e-10)


def test_sections_that_do_not_begin_where_they_are_connected(h: Any) -> None:
    """As NEURON draws them: moved, with all below them."""
    soma, first, second = (h.Section(name=name) for name in ("soma", "dend[0]", "dend[1]"))
    for section, points in (
        (soma, [(0, -5, 0, 10), (0, 5, 0, 10)]),
        (first, [(0, 5, 0, 2), (0, 45, 0, 1)]),
        (second, [(100, 0, 0, 1), (100, 30, 0, 0.5)]),
    ):
        for point in points:
            section.pt3dadd(*point)
        section.insert("pas")
    first.connect(soma(1))
    second.connect(first(1))
    back = ds.exchange.from_neuron([soma, first, second])
    assert back.morphology.soma.convention == "point"
    assert back.morphology.soma.radius == 5.0
    assert back.morphology.total_length() == pytest.approx(70.0)
    np.testing.assert_allclose(back.morphology.samples.xyz[-1], [0, 75, 0])
    np.testing.assert_allclose(ds.steady_state(back.compartments).voltage[0], steady(h, back.segments), atol=1e-10)


def test_synapses_clamps_and_channels(h: Any) -> None:
    made = stylised(h)
    soma = made["soma"]
    for section in made.values():
        section.e_pas = -70.0
    soma.insert("hh")
    h.usetable_hh, h.celsius = 0, 6.3
    soma(0.5).hh.gnabar = 0.1
    kept: list[Any] = []
    times = [2.0, 5.0, 6.5, 11.0]
    inputs = [h.NetStim() for _ in range(2)]
    for source in inputs:
        source.number = 0
    for where, kind in ((made["apic"](0.5), "ExpSyn"), (made["turned"](0.9), "Exp2Syn"), (made["side"](1), "ExpSyn")):
        process = getattr(h, kind)(where)
        if kind == "ExpSyn":
            process.tau = 3.0
        else:
            process.tau1, process.tau2 = 0.5, 4.0
        process.e = -10.0 if kind == "ExpSyn" else -75.0
        for k, source in enumerate(inputs):
            kept.append((process, h.NetCon(source, process, 0, 0, 0.004 * (k + 1)), k))
    alpha = h.AlphaSynapse(made["dend[0]"](0.7))
    alpha.onset, alpha.tau, alpha.gmax, alpha.e = 3.3, 2.0, 0.003, 0.0
    clamp = h.IClamp(soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 1.0, 15.0, 0.8
    with pytest.raises(ParameterError, match=r"side\(1\) is a tip without leak"):
        ds.exchange.from_neuron(list(made.values()))
    kept[4][0].loc(made["side"](0.9))
    back = ds.exchange.from_neuron(list(made.values()), ignore="AlphaSynapse")
    assert back.synapses.size == 6
    assert back.synapses.n_inputs == 2
    assert back.synapses.sign.tolist() == [1, 1, -1, -1, 1, 1]
    assert [channel.sodium for channel in back.mechanisms] == [0.1, 0.12]
    alpha.gmax = 0.0
    queue = h.FInitializeHandler(1, lambda: [nc.event(t) for _, nc, k in kept for t in times[k::2]])
    theirs = in_time(h, back.segments, 0.025, 800, -70.0)
    del queue
    ours = ds.simulate(
        back.compartments, back.synapses, ds.Spikes(times, [0, 1, 0, 1]), duration=20.0, record="all",
        kinetics=back.kinetics, mechanisms=back.mechanisms, clamps=back.clamps,
        initial=np.full(len(back.segments), -70.0),
    )  # fmt: skip
    assert theirs.max() > 0.0
    np.testing.assert_allclose(ours.voltage[0], theirs, rtol=0, atol=1e-6)
    both = ds.exchange.from_neuron(list(made.values()))
    assert both.synapses.size == 7
    assert both.kinetics.count(ds.Alpha(2.0)) == 1
    assert both.spikes.time.tolist() == [3.3]


def test_models_of_ours_there_and_back(h: Any) -> None:
    """Synapses, channels, clamps and connections; the same trajectory."""
    one = on_single_precision_grid(ds.Morphology.load("ball_and_stick")).compartments(PASSIVE, max_length=60.0)
    forest = ds.Compartments.forest([one, one])
    synapses = ds.Synapses(forest, [one.size - 1, 2 * one.size - 1, 3], [0, 1, 2], sign=1, conductance=[3.0, 30.0, 5.0])
    options: dict[str, Any] = {
        "connections": ds.Connections(cell=[0, 0], input=[1, 2], delay=[1.0, 2.0]),
        "mechanisms": ds.HodgkinHuxley(sodium=0.13, threshold=-5.0),
        "clamps": ds.Clamp(0, 500.0, start=1.0, stop=20.0),
        "kinetics": ds.DifferenceOfExponentials(0.5, 4.0),
    }
    expected = ds.simulate(forest, synapses, duration=20.0, **options)
    with ds.exchange.to_neuron(forest, synapses, **options) as model:
        back = ds.exchange.from_neuron(model.sections)
    assert back.mechanisms[0].threshold == -5.0
    driven_twice = back.synapses.size - synapses.size  # a synapse for every NetCon: inputs from outside, and from somas
    assert driven_twice == 2
    found = ds.simulate(
        back.compartments, back.synapses, duration=20.0, connections=back.connections, mechanisms=back.mechanisms,
        clamps=back.clamps, kinetics=back.kinetics,
    )  # fmt: skip
    assert expected.spike_time.size > 2
    np.testing.assert_allclose(found.spike_time, expected.spike_time, rtol=0, atol=0.05)  # nobody watches the second
    np.testing.assert_allclose(found.voltage, expected.voltage, rtol=0, atol=1e-6)


def test_constant_conductances_there_and_back(h: Any) -> None:
    compartments = on_single_precision_grid(ds.Morphology.load("granule")).compartments(PASSIVE, max_length=40.0)
    synapses, x, _ = driven(compartments)
    with ds.exchange.to_neuron(compartments, synapses, x) as model:
        expected = model.steady_voltage()
        back = ds.exchange.from_neuron(model.sections)
    found = ds.steady_state(back.compartments, back.synapses, np.ones((1, back.synapses.n_inputs)))
    np.testing.assert_allclose(found.voltage[0], expected, rtol=0, atol=1e-10)


def test_one_input_for_every_delay_of_a_source(h: Any) -> None:
    """Spikes from outside, late by the delays that are found, are what NEURON's NetStim does."""
    soma = passive_section(h, "soma", 20.0, 20.0, 1)
    process, source = h.ExpSyn(soma(0.5)), h.NetStim()
    process.tau = 3.0
    source.number, source.start, source.interval, source.noise = 2, 1.0, 6.0, 0
    kept = [h.NetCon(source, process, 0, delay, weight) for delay, weight in ((3.0, 0.001), (5.0, 0.004), (3.0, 0.002))]
    back = ds.exchange.from_neuron(soma)
    assert back.synapses.source.tolist() == [0, 1, 0]
    assert [delay for _, delay in back.sources] == [3.0, 5.0]
    assert {found.hname() for found, _ in back.sources} == {source.hname()}
    theirs = in_time(h, back.segments, 0.025, 800, -70.0)
    trains = [[time + delay for time in (1.0, 7.0)] for _, delay in back.sources]
    ours = ds.simulate(
        back.compartments, back.synapses, ds.Spikes.from_trains(trains), duration=20.0, kinetics=back.kinetics,
        initial=np.full(1, -70.0),
    )  # fmt: skip
    assert np.ptp(theirs) > 1.0
    np.testing.assert_allclose(ours.voltage[0], theirs, rtol=0, atol=1e-9)
    del kept


def test_a_branch_in_the_middle_of_a_neurite_that_begins_exactly_on_the_soma(h: Any) -> None:
    """The morphology has as much neurite as NEURON: a cone of 100 um and, from its 30th, another 50."""
    lines = {
        "soma": [(0, 0, 0, 10), (0, 20, 0, 10)],
        "dend": [(0, 20, 0, 10), (0, 120, 0, 2)],
        "basal": [(0, 50, 0, 1), (50, 50, 0, 1)],
    }
    made = {name: h.Section(name=name) for name in lines}
    for name, section in made.items():
        for point in lines[name]:
            section.pt3dadd(*point)
        section.nseg = 5
        section.insert("pas")
    made["dend"].connect(made["soma"](1))
    made["basal"].connect(made["dend"](0.3))
    cell = ds.exchange.from_neuron(list(made.values())).morphology
    assert cell.total_length("basal") == pytest.approx(150.0)
    assert [0.0, 50.0, 0.0] in cell.samples.xyz[cell.samples.parent].tolist()


def test_without_soma(h: Any) -> None:
    with pytest.warns(MorphologyWarning, match="no-soma"):
        morphology = ds.Morphology.from_swc(NO_SOMA)
    compartments = morphology.compartments(PASSIVE, max_length=15.0)
    with ds.exchange.to_neuron(compartments) as model:
        back = ds.exchange.from_neuron(model.sections)
    assert_same(compartments, back.compartments)
    assert back.morphology.soma is None


def test_a_leak_of_hh_alone_and_names_of_regions(h: Any) -> None:
    axon = h.Section(name="trunk")
    axon.L, axon.diam, axon.nseg = 100.0, 2.0, 3
    axon.insert("hh")
    back = ds.exchange.from_neuron(axon, regions={"trunk": "axon"})
    assert set(back.compartments.region) == {"axon"}
    assert back.compartments.leak_reversal == pytest.approx(-54.3)
    assert back.mechanisms[0].leak == 0.0
    h.usetable_hh, h.celsius = 0, 6.3
    theirs = in_time(h, back.segments, 0.025, 200, -65.0)
    ours = ds.simulate(
        back.compartments, duration=5.0, record="all", mechanisms=back.mechanisms, initial=np.full(3, -65.0)
    )
    np.testing.assert_allclose(ours.voltage[0], theirs, rtol=0, atol=1e-8)


def test_refusals(h: Any) -> None:
    with pytest.raises(ParameterError, match="NEURON has no sections"):
        ds.exchange.from_neuron()
    made = stylised(h)
    sections = list(made.values())
    with pytest.raises(ParameterError, match=r"section soma is connected to dend\[1\], which is not given"):
        ds.exchange.from_neuron(made["soma"])
    with pytest.raises(ParameterError, match="sections has 'soma'"):
        ds.exchange.from_neuron(["soma"])
    with pytest.raises(ParameterError, match="ignore names 'Ihh', and NEURON has no mechanism"):
        ds.exchange.from_neuron(ignore="Ihh")
    with pytest.raises(ParameterError, match=r"regions=.* must be a mapping, such as"):
        ds.exchange.from_neuron(sections, regions=["apical"])
    with pytest.raises(ParameterError, match=r"regions\['apic'\]='tuft' is no region"):
        ds.exchange.from_neuron(sections, regions={"apic": "tuft"})
    with pytest.raises(ParameterError, match="regions names 'oblique'; these sections are called soma, dend"):
        ds.exchange.from_neuron(sections, regions={"oblique": "apical"})
    made["side"].insert("extracellular")
    clamp = h.SEClamp(made["soma"](0.5))
    with pytest.raises(ParameterError, match=r"extracellular in 1 section .first side.*ignore=\('SEClamp', 'extrace"):
        ds.exchange.from_neuron()
    assert ds.exchange.from_neuron(ignore=("SEClamp", "extracellular")).compartments.n_cells == 1
    del clamp
    rest = {"ignore": "extracellular"}
    synapse = h.ExpSyn(made["apic"](0.5))
    with pytest.raises(ParameterError, match=r"ExpSyn\[\d+\] at apic\(0.5\): it has no NetCon"):
        ds.exchange.from_neuron(**rest)
    watched = h.NetCon(made["apic"](0.1)._ref_v, synapse, sec=made["apic"])
    with pytest.raises(ParameterError, match=r"watches apic\(0.07.*no soma with hh"):
        ds.exchange.from_neuron(**rest)
    del watched, synapse
    for section in sections:
        section.uninsert("pas")
    with pytest.raises(ParameterError, match="no segment has a leak"):
        ds.exchange.from_neuron(**rest)
    made["soma"].insert("pas")
    with pytest.raises(ParameterError, match="is a tip without leak"):
        ds.exchange.from_neuron(**rest)
