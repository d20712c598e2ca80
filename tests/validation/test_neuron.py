"""The same cells in NEURON, with the same compartments: geometry, steady voltage, input and transfer resistance.

Measured with NEURON 9.0.2 in float64: areas and axial resistances 1.4e-14 relative, voltages 3.6e-14 mV, resistances
and attenuations 3e-11 relative (NEURON's `Impedance` subtracts as it eliminates, and differentiates the currents of
point processes numerically). The tolerances leave room for other machines.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dendrosim as ds
from dendrosim.errors import MorphologyWarning

Floats = NDArray[np.float64]
Build = Callable[..., Any]

MAX_LENGTH = 15.0  # um
GEOMETRY = 1e-12  # relative
VOLTAGE = 1e-11  # mV
RESISTANCE = 1e-9  # relative

REAL = {
    "C010398B-P2.CNG": "rat neocortical pyramidal cell, three-point soma",
    "c91662": "rat CA1 pyramidal cell, three-point soma",
    "ca1_n120": "CA1 pyramidal cell, soma of cylinders",
    "Pvalb_470522102_m": "mouse V1 basket cell, one-point soma",
    "Scnn1a_473845048_m": "mouse V1 pyramidal cell, one-point soma",
    "purkinje1": "Purkinje cell",
    "bc": "basket cell, soma of cylinders",
    "grc": "granule cell",
}

# one region follows another within an unbranched stretch, at a branch point and at the soma
REGIONS = """
1 1  0   0 0 8    -1
2 3  8   0 0 1     1
3 3  40  0 0 0.8   2
4 4  70  5 0 0.75  3   # basal turns apical, no branch
5 4  90  5 0 0.6   4
6 4 120 30 0 0.3   5
7 5 130 -9 0 0.4   5   # the tuft begins at a branch point
8 2  -8  0 0 0.6   1
9 2 -60  0 0 0.2   8
"""

# three neurites at a root without soma, the first of them one compartment long
NO_SOMA = """
1 3  0   0  0 1.2 -1
2 3  9   0  0 1.0  1
3 3  0  50  0 0.9  1
4 3  0  90  9 0.5  3
5 3 -40  0  0 0.7  1
6 3 -80 10  0 0.4  5
7 3 -80 -30 0 0.3  5
"""


def quietly(make: Callable[[], ds.Morphology]) -> ds.Morphology:
    """Load a cell; that something about it is odd does not matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MorphologyWarning)
        return make()


def on_single_precision_grid(morphology: ds.Morphology) -> ds.Morphology:
    """The cell with coordinates and diameters rounded so that single precision holds them, and their differences.

    `pt3dadd` stores floats, and distances between points are differences of floats: with numbers that are merely floats
    lengths would still differ by 1e-7. Multiples of a power of two with at most 22 bits have exact differences. The
    radius of the soma is added to its centre, and is a multiple of the same number.
    """

    def rounded(values: Floats, like: Floats) -> Floats:
        grid = 2.0 ** (math.ceil(math.log2(np.abs(like).max())) - 22)
        return grid * np.round(values / grid)

    samples = morphology.samples
    xyz, radius = rounded(samples.xyz, samples.xyz), rounded(2 * samples.radius, 2 * samples.radius) / 2
    if morphology.soma is not None:
        radius[morphology.soma.rows] = rounded(radius[morphology.soma.rows], samples.xyz)
    return ds.Morphology(dataclasses.replace(samples, xyz=xyz, radius=radius), name=morphology.name)


@pytest.fixture(params=[*REAL, "regions", "no_soma", "rall_tree", "ball_and_stick"])
def morphology(request: pytest.FixtureRequest) -> ds.Morphology:
    """Real reconstructions, cells made here, and one that ships with dendrosim."""
    name: str = request.param
    if name in REAL:
        folder: Path = request.getfixturevalue("morphology_data")
        cell = quietly(lambda: ds.Morphology.load(folder / "real" / f"{name}.swc"))
    elif name == "rall_tree":
        cell = ds.grow.rall_tree(5, soma_radius=12.0)
    elif name == "ball_and_stick":
        cell = ds.Morphology.load("ball_and_stick")
    else:
        cell = quietly(lambda: ds.Morphology.from_swc({"regions": REGIONS, "no_soma": NO_SOMA}[name], name))
    return on_single_precision_grid(cell)


def build(neuron_cell: Build, morphology: ds.Morphology, passive: ds.Passive) -> tuple[ds.Compartments, Any]:
    compartments = morphology.compartments(passive, max_length=MAX_LENGTH)
    other = neuron_cell(morphology, compartments, passive, MAX_LENGTH)
    assert sorted(other.place) == list(range(compartments.size))
    return compartments, other


def spread(compartments: ds.Compartments, count: int) -> list[int]:
    """Compartments all over the cell, root and last included."""
    return [int(n) for n in np.unique(np.linspace(0, compartments.size - 1, count).astype(int))]


def test_areas_and_axial_resistances(neuron_cell: Build, morphology: ds.Morphology) -> None:
    compartments, other = build(neuron_cell, morphology, ds.Passive())
    np.testing.assert_allclose(compartments.area, other.area(), rtol=GEOMETRY)
    attached = compartments.parent >= 0
    np.testing.assert_allclose(1e3 / compartments.coupling[attached], other.axial_resistance()[attached], rtol=GEOMETRY)


def test_exported_sections_are_the_same(neuron_cell: Build, morphology: ds.Morphology) -> None:
    """What `exchange.to_neuron` builds, compared in NEURON with what is built from the samples alone."""
    passive = ds.Passive(R_m=15_000.0, R_a=180.0, E_leak=-68.0)
    compartments, other = build(neuron_cell, morphology, passive)
    convention = "point" if morphology.soma is None else morphology.soma.convention
    # the soma of other conventions has a radius that is no number of the file, and NEURON keeps it in single precision
    allowed = GEOMETRY if convention in ("point", "three_point") else 1e-6
    with ds.exchange.to_neuron(compartments) as model:
        assert model.layout == "sections"
        assert len(model.sections) == len(other.sections)
        for n, segment in other.place.items():
            own = model.segment(n)
            assert (own.x, own.sec.nseg, own.sec.Ra) == (segment.x, segment.sec.nseg, pytest.approx(segment.sec.Ra))
            assert pytest.approx(segment.sec.L, rel=allowed) == own.sec.L
            if segment.x in (0.0, 1.0):
                continue
            assert own.area() == pytest.approx(segment.area(), rel=allowed if n == 0 else GEOMETRY)
            assert own.ri() == pytest.approx(segment.ri(), rel=GEOMETRY if n else allowed, abs=0.0)
            assert own.pas.g == pytest.approx(segment.pas.g, rel=GEOMETRY)
            assert (own.pas.e, own.cm) == (segment.pas.e, pytest.approx(segment.cm, rel=GEOMETRY))


def test_steady_voltage_with_synapses_and_current(neuron_cell: Build, morphology: ds.Morphology) -> None:
    """Shunting, reciprocal; excitation and inhibition strong enough to move the cell by tens of mV."""
    compartments, other = build(neuron_cell, morphology, ds.Passive(R_m=15_000.0, R_a=180.0, E_leak=-68.0))
    synapses = ds.Synapses.scatter(compartments, 40, 15, n_inputs=30, seed=5)
    x = np.random.default_rng(6).random((1, synapses.n_inputs))
    current = np.zeros(compartments.size)
    current[0] = 50.0
    state = ds.steady_state(compartments, synapses, x, current=current)
    other.add_synapses(synapses, x[0])
    other.add_current(0, 50.0)
    voltage = other.steady_voltage()
    assert np.ptp(voltage) > 1.0
    np.testing.assert_allclose(state.voltage[0], voltage, rtol=0, atol=VOLTAGE)


def test_steady_voltage_additive(neuron_cell: Build, morphology: ds.Morphology) -> None:
    """Additive synapses are constant currents x g d: NEURON's current clamps."""
    compartments, other = build(neuron_cell, morphology, ds.Passive())
    synapses = ds.Synapses.scatter(compartments, 10, 5, conductance=0.05, seed=7)
    x = np.random.default_rng(8).random((1, synapses.n_inputs))
    state = ds.steady_state(compartments, synapses, x, integration="additive")
    for n, source, force, conductance in zip(
        synapses.compartment, synapses.source, synapses.driving_force, synapses.conductance, strict=True
    ):
        other.add_current(int(n), float(x[0, source] * conductance * force))
    np.testing.assert_allclose(state.voltage[0], other.steady_voltage(), rtol=0, atol=VOLTAGE)


def test_input_and_transfer_resistance_at_rest(neuron_cell: Build, morphology: ds.Morphology) -> None:
    compartments, other = build(neuron_cell, morphology, ds.Passive())
    places = spread(compartments, 6)
    state = ds.steady_state(compartments)
    transfer = ds.transfer_resistance(state, np.arange(compartments.size), places)[0].T
    for row, n in enumerate(places):
        own, everywhere = other.impedance_from(n)
        np.testing.assert_allclose(1e3 * transfer[row, n], own, rtol=RESISTANCE)
        np.testing.assert_allclose(1e3 * transfer[row], everywhere, rtol=RESISTANCE)


def test_input_resistance_and_attenuation_with_synapses(neuron_cell: Build, morphology: ds.Morphology) -> None:
    compartments, other = build(neuron_cell, morphology, ds.Passive())
    synapses = ds.Synapses.scatter(compartments, 30, 30, seed=9)
    x = np.random.default_rng(10).random((1, synapses.n_inputs))
    state = ds.steady_state(compartments, synapses, x)
    other.add_synapses(synapses, x[0])
    for n in spread(compartments, 6):
        own, everywhere = other.impedance_from(n)
        np.testing.assert_allclose(1e3 * state.input_resistance[0, n], own, rtol=RESISTANCE)
        transfer = ds.transfer_resistance(state, np.arange(compartments.size), n)[0, :, 0]
        np.testing.assert_allclose(1e3 * transfer, everywhere, rtol=RESISTANCE)
        attenuation = everywhere[compartments.roots[0]] / own
        np.testing.assert_allclose(state.attenuation_to_soma[0, n], attenuation, rtol=RESISTANCE)


def test_spines_scale_the_leak_of_their_region_only(neuron_cell: Build) -> None:
    morphology = on_single_precision_grid(quietly(lambda: ds.Morphology.from_swc(REGIONS)))
    passive = ds.Passive(spine_factor={"basal": 1.9, "apical": 2.5})
    compartments, other = build(neuron_cell, morphology, passive)
    transfer = ds.transfer_resistance(ds.steady_state(compartments), [0], np.arange(compartments.size))[0, 0]
    np.testing.assert_allclose(1e3 * transfer, other.impedance_from(0)[1], rtol=RESISTANCE)
