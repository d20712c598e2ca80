"""Exact gradients against finite differences, the complex step, and the factorisations that the library rests on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

import dendrosim as ds

from .cases import MODES, make, shapes
from .reference import derivative, voltages

mode = pytest.mark.parametrize(("integration", "direction", "physical", "gated"), MODES)


def close(actual, expected, tolerance, floor=0.0):
    """Relative to the largest component: entries that vanish are compared with those that do not."""
    scale = np.abs(expected).max() if np.size(expected) else 0.0
    # the complex step of 1e-30 loses what is below 5e-324 / 1e-30
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale + floor + 1e-290)


@mode
@pytest.mark.parametrize("at_soma", [True, False])
@settings(max_examples=25, deadline=None)
@given(shape=shapes)
def test_complex_step(shape, at_soma, integration, direction, physical, gated):
    """Every gradient to rounding, loss at the somas or everywhere.

    The reference solves a dense system that may be stiff (couplings of 1e4 with leaks of 0.1 nS) and loses up to seven
    digits in it; in normalised units it is exact to rounding. Driving forces are differences of potentials near 70 mV:
    where all of them are small, what potentials round to (1e-14 mV, a few times over) is all that can be asked for.
    """
    digits = 1e-8 if physical and direction == "reciprocal" else 1e-11
    case = make(*shape, physical=physical, gated=gated)
    c = case.compartments
    state = ds.steady_state(
        c, case.synapses, case.x, integration=integration, direction=direction, current=case.current, gate=case.gate
    )
    loss = case.rng.normal(size=(len(case.x), c.n_cells if at_soma else c.size))
    gradient = ds.exact_gradient(state, loss)
    weights = loss
    if at_soma:
        weights = np.zeros_like(state.voltage)
        weights[:, c.roots] = loss
    rounding = 1e-13 * np.abs(gradient.current).max() if physical else 0.0
    summed = dict.fromkeys(("conductance", "coupling", "leak"), 0.0)
    for row in range(len(case.x)):
        p = case.stimulus(row)
        for name in summed:
            summed[name] = summed[name] + derivative(p, name, weights[row], integration, direction)
        floor = rounding * case.synapses.conductance.sum()
        close(gradient.inputs[row], derivative(p, "x", weights[row], integration, direction), digits, floor)
        close(gradient.current[row], derivative(p, "current", weights[row], integration, direction), digits)
    for name, expected in summed.items():
        close(getattr(gradient, name), expected, 10 * digits, rounding * len(case.x) * max(1.0, case.x.max()))


@mode
def test_finite_differences_of_the_library_itself(integration, direction, physical, gated):
    """Central differences of `steady_state`, a loss that is not linear: 1e-7 relative."""
    case = make(11, 15, 2, 4, physical=physical, gated=gated)
    target = case.rng.normal(size=(4, 2)) - (60 if physical else 0)

    def value(compartments=case.compartments, synapses=case.synapses, x=case.x):
        state = ds.steady_state(
            compartments,
            synapses,
            x,
            integration=integration,
            direction=direction,
            current=case.current,
            gate=case.gate,
        )
        return state, 0.5 * ((state.voltage_soma - target) ** 2).sum()

    state, _ = value()
    gradient = ds.exact_gradient(state, state.voltage_soma - target)

    def differences(array, build):
        out = np.zeros(array.shape)
        for i in np.ndindex(array.shape):
            step = 1e-5 * max(abs(array[i]), 0.1)
            up, down = array.copy(), array.copy()
            up[i] += step
            down[i] -= step
            out[i] = (value(**build(up))[1] - value(**build(down))[1]) / (2 * step)
        return out

    c, s = case.compartments, case.synapses
    close(gradient.conductance, differences(s.conductance, lambda a: {"synapses": s.with_(conductance=a)}), 1e-7)
    close(gradient.leak, differences(c.leak, lambda a: {"compartments": c.with_(leak=a)}), 1e-7)
    coupling = differences(np.where(c.parent < 0, 1.0, c.coupling), lambda a: {"compartments": c.with_(coupling=a)})
    close(gradient.coupling, coupling, 1e-7)
    x = np.maximum(case.x, 0.1)
    state, _ = value(x=x)
    gradient = ds.exact_gradient(state, state.voltage_soma - target)
    close(gradient.inputs, differences(x, lambda a: {"x": a}), 1e-7)


@mode
@settings(max_examples=40, deadline=None)
@given(shape=shapes)
def test_current_is_input_resistance_times_attenuation(shape, integration, direction, physical, gated):
    """q_n = R_n A_(n->0) dL/dV_0, and credit is q_n / R_n: the three-factor form, exact in both directions."""
    case = make(*shape, physical=physical, gated=gated)
    c = case.compartments
    state = ds.steady_state(
        c, case.synapses, case.x, integration=integration, direction=direction, current=case.current, gate=case.gate
    )
    loss = case.rng.normal(size=(len(case.x), c.n_cells))
    gradient = ds.exact_gradient(state, loss)
    q = state.input_resistance * state.attenuation_to_soma * loss[:, c.cell]
    np.testing.assert_allclose(gradient.current, q, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(gradient.credit, state.attenuation_to_soma * loss[:, c.cell], rtol=1e-12, atol=1e-300)


@settings(max_examples=30, deadline=None)
@given(shape=shapes)
def test_input_resistance_and_attenuation_are_those_of_the_inverse(shape):
    case = make(*shape, physical=True)
    c, s = case.compartments, case.synapses
    state = ds.steady_state(c, s, case.x)
    p = case.stimulus(0)
    resting = voltages({**p, "current": np.zeros(c.size)}, "shunting", "reciprocal")
    inverse = np.column_stack(
        [voltages({**p, "current": np.eye(c.size)[n]}, "shunting", "reciprocal") - resting for n in range(c.size)]
    )
    soma = c.roots[c.cell]
    # differences of voltages near 70 mV carry about 1e-14 mV
    slack = 1e-12 * np.abs(inverse).max() + 1e-11
    np.testing.assert_allclose(state.input_resistance[0], np.diag(inverse), rtol=0, atol=slack)
    to_soma = inverse[soma, np.arange(c.size)]
    np.testing.assert_allclose(state.attenuation_to_soma[0] * np.diag(inverse), to_soma, rtol=0, atol=slack)
    z = ds.transfer_resistance(state, np.arange(c.size), np.arange(c.size))
    np.testing.assert_allclose(z[0], inverse, rtol=0, atol=slack)
    np.testing.assert_allclose(z, z.transpose(0, 2, 1), rtol=1e-10, atol=1e-300)


@settings(max_examples=30, deadline=None)
@given(shape=shapes)
def test_paper_equation_10_in_the_directed_tree(shape):
    """The credit unrolls to the product of R g along the path to the soma."""
    case = make(*shape, physical=False)
    c = case.compartments
    state = ds.steady_state(c, case.synapses, case.x, direction="directed")
    gradient = ds.exact_gradient(state, np.ones((len(case.x), c.n_cells)))
    for n in range(c.size):
        product, k = np.ones(len(case.x)), n
        while c.parent[k] >= 0:
            product *= state.input_resistance[:, c.parent[k]] * c.coupling[k]
            k = c.parent[k]
        np.testing.assert_allclose(gradient.credit[:, n], product, rtol=1e-12)


def test_imposing_a_voltage_moves_the_loss_by_the_credit():
    """Credit is what it says: clamp V_n by a huge conductance to a moved potential and look at the loss."""
    case = make(5, 12, 1, 1, physical=True)
    c, s = case.compartments, case.synapses
    state = ds.steady_state(c, s, case.x)
    weights = case.rng.normal(size=(1, c.size))
    gradient = ds.exact_gradient(state, weights)
    p = case.stimulus(0) | {"current": np.zeros(c.size)}
    for n in range(c.size):
        clamp = 1e9  # nS, against couplings of at most 1e4: the clamp holds to 1e-5
        moved = []
        for shift in (-1.0, 1.0):
            current = np.zeros(c.size)
            current[n] = clamp * (state.voltage[0, n] + 70.0 + shift)
            leak = c.leak.copy()
            leak[n] += clamp
            v = voltages({**p, "leak": leak, "current": current}, "shunting", "reciprocal")
            moved.append(weights[0] @ v)
        assert gradient.credit[0, n] == pytest.approx((moved[1] - moved[0]) / 2, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("cell", "policy"), [("pyramidal_l5", {"max_length": 20.0}), ("purkinje", {"d_lambda": 0.1})])
def test_factorisation_on_shipped_cells(cell, policy):
    compartments = ds.Morphology.load(cell).compartments(ds.Passive(), **policy)
    synapses = ds.Synapses.scatter(compartments, seed=1)
    x = np.random.default_rng(0).random((10, synapses.n_inputs))
    for integration in ("shunting", "additive"):
        state = ds.steady_state(compartments, synapses, x, integration=integration)
        gradient = ds.exact_gradient(state, np.ones((10, 1)))
        q = state.input_resistance * state.attenuation_to_soma
        np.testing.assert_allclose(gradient.current, q, rtol=1e-12)


REAL = ("Scnn1a_473845048_m", "l5pc_with_axon", "c91662", "purkinje1", "Pvalb_470522102_m", "pyramidal_nmo_49821")


@pytest.mark.parametrize("name", REAL)
@pytest.mark.filterwarnings("ignore::dendrosim.errors.MorphologyWarning")
def test_factorisation_on_real_morphologies(name, morphology_data):
    """q_n = Z_nn A_(n->0) dL/dV_0 on reconstructions, Z and A measured by injecting current, not by the recursions."""
    morphology = ds.Morphology.load(morphology_data / "real" / f"{name}.swc")
    compartments = morphology.compartments(ds.Passive(), d_lambda=0.2)
    synapses = ds.Synapses.scatter(compartments, 200, 50, seed=2)
    x = np.random.default_rng(1).random((1, synapses.n_inputs))
    state = ds.steady_state(compartments, synapses, x)
    gradient = ds.exact_gradient(state, np.ones((1, 1)))
    places = np.random.default_rng(3).choice(compartments.size, 60)
    pulses = np.zeros((60, compartments.size))
    pulses[np.arange(60), places] = 100.0  # pA
    moved = ds.steady_state(compartments, synapses, np.repeat(x, 60, axis=0), current=pulses).voltage - state.voltage
    z = moved[np.arange(60), places] / 100.0
    attenuation = moved[:, 0] / moved[np.arange(60), places]
    # voltages near 70 mV, differences of some mV: eleven digits are left
    np.testing.assert_allclose(gradient.current[0, places], z * attenuation, rtol=1e-8)
    np.testing.assert_allclose(state.input_resistance[0, places], z, rtol=1e-9)
