"""Analytic cable theory: steady states of cylinders and of trees that reduce to one, with the order of convergence.

Symbols: X = x / lambda, L = l / lambda, lambda = sqrt(r R_m / (2 R_a)), G_inf = 1 / (r_i lambda) the input conductance
of a semi-infinite cylinder (Rall 1959, Exp. Neurol. 1:491; Koch 1999, Biophysics of Computation, ch. 2-3). Voltages
live in the middle of compartments, so exact solutions are taken there.

Discretisation errors must fall as the square of the compartment length: the fitted exponent must be 2 within 0.1, which
is what neglected higher powers leave at these lengths (0.25 to 0.01 lambda).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

import dendrosim as ds

Floats = NDArray[np.float64]
MEMBRANE = ds.Passive(R_m=20_000.0, R_a=150.0)
RADIUS = 1.0  # um


def space_constant(radius: float = RADIUS, passive: ds.Passive = MEMBRANE) -> float:
    """Lambda in um."""
    return 1e4 * float(np.sqrt(radius * 1e-4 * passive.R_m / (2 * passive.R_a)))


def semi_infinite(radius: float = RADIUS, passive: ds.Passive = MEMBRANE) -> float:
    """Input conductance of a semi-infinite cylinder, nS: pi r^2 / (R_a lambda)."""
    return 1e9 * np.pi * (radius * 1e-4) ** 2 / (passive.R_a * space_constant(radius, passive) * 1e-4)


def columns(compartments: ds.Compartments, places: Sequence[int]) -> Floats:
    """Voltage change everywhere per unit current (GOhm) at each place, shape (n_places, N)."""
    state = ds.steady_state(compartments)
    return np.asarray(ds.transfer_resistance(state, np.arange(compartments.size), places)[0].T)


def order(lengths: Sequence[float], errors: Sequence[float]) -> float:
    """Exponent p of errors ~ lengths^p."""
    assert min(errors) > 1e-11, "too close to rounding to fit an order"
    return float(np.polyfit(np.log(lengths), np.log(errors), 1)[0])


def cable(length: float, pieces: int) -> ds.Compartments:
    """A cylinder along x without soma, both ends sealed."""
    points = [[0.0, 0.0, 0.0], [length, 0.0, 0.0]]
    made: ds.Compartments = ds.grow.unbranched(points, RADIUS).compartments(MEMBRANE, max_length=length / pieces)
    assert made.size == pieces
    return made


def assert_second_order(error: Callable[[int], float], pieces: Sequence[int], coarsest: float) -> None:
    """`error(n)` falls as n^-2 and is below `coarsest` on the coarsest grid."""
    errors = [error(n) for n in pieces]
    assert errors[0] < coarsest
    assert order([1 / n for n in pieces], errors) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("length", [0.5, 1.0, 2.0], ids=lambda value: f"L={value}")
def test_sealed_cable_input_resistance(length: float) -> None:
    def error(n: int) -> float:
        cell = cable(length * space_constant(), n)
        at = 0.5 * length / n
        exact = np.cosh(at) * np.cosh(length - at) / np.sinh(length) / semi_infinite()
        return float(abs(columns(cell, [0])[0, 0] / exact - 1))

    assert_second_order(error, [8, 16, 32, 64], 0.02)


@pytest.mark.parametrize("length", [0.5, 1.0, 2.0], ids=lambda value: f"L={value}")
def test_sealed_cable_attenuation_end_to_end_is_a_ratio_of_cosh(length: float) -> None:
    def error(n: int) -> float:
        z = columns(cable(length * space_constant(), n), [0])[0]
        x = (np.arange(n) + 0.5) * length / n
        exact = np.cosh(length - x) / np.cosh(length - x[0])
        return float(np.abs(z / z[0] / exact - 1).max())

    assert_second_order(error, [8, 16, 32, 64], 0.02)


def test_semi_infinite_cable() -> None:
    """Forty space constants: what is reflected at the far end is e^-80 of the whole."""

    def error(n: int) -> float:
        z = columns(cable(40 * space_constant(), n), [0])[0]
        x = (np.arange(n) + 0.5) * 40 / n
        exact = np.cosh(x[0]) * np.exp(-x) / semi_infinite()
        near = x < 3
        return float(np.abs(z[near] / exact[near] - 1).max())

    assert_second_order(error, [200, 400, 800, 1600], 0.02)


def test_infinite_cable_has_half_the_input_resistance_and_decays_both_ways() -> None:
    def error(n: int) -> float:
        z = columns(cable(40 * space_constant(), n), [n // 2])[0]
        away = np.abs(np.arange(n) - n // 2) * 40 / n
        exact = np.exp(-away) / (2 * semi_infinite())
        near = away < 3
        return float(np.abs(z[near] / exact[near] - 1).max())

    assert_second_order(error, [201, 401, 801, 1601], 0.02)


def ball_and_stick(length: float, pieces: int, soma_radius: float) -> ds.Compartments:
    microns = length * space_constant()
    cell = ds.grow.ball_and_stick(soma_radius=soma_radius, radius=RADIUS, length=microns, spacing=microns)
    made: ds.Compartments = cell.compartments(MEMBRANE, max_length=microns / pieces * (1 + 1e-12))
    assert made.size == pieces + 1
    return made


@pytest.mark.parametrize("soma_radius", [3.0, 10.0, 30.0], ids=lambda value: f"r={value}")
def test_ball_and_stick(soma_radius: float) -> None:
    """Soma and stick in parallel: 1 / R = G_soma + G_inf tanh L; along the stick V / V_soma = cosh(L - X) / cosh L."""
    length = 1.5
    soma = 4 * np.pi * soma_radius**2 * MEMBRANE.leak_density
    resistance = 1 / (soma + semi_infinite() * np.tanh(length))

    def error(n: int) -> float:
        z = columns(ball_and_stick(length, n, soma_radius), [0])[0]
        x = np.concatenate([[0.0], (np.arange(n) + 0.5) * length / n])
        return float(np.abs(z / (resistance * np.cosh(length - x) / np.cosh(length)) - 1).max())

    assert_second_order(error, [8, 16, 32, 64], 0.02)


def test_ball_and_stick_from_the_tip() -> None:
    """Current at X1 in a stick with a soma at X = 0 that loads it by rho = G_soma / G_inf.

    With u(X) = cosh X + rho sinh X (meets the soma) and w(X) = cosh(L - X) (meets the sealed end), the voltage at X1 is
    u(X1) w(X1) / (G_inf W), where W = sinh L + rho cosh L is the constant Wronskian.
    """
    length, soma_radius = 1.5, 10.0
    rho = 4 * np.pi * soma_radius**2 * MEMBRANE.leak_density / semi_infinite()

    def error(n: int) -> float:
        z = columns(ball_and_stick(length, n, soma_radius), [n])[0]
        x = length * (1 - 0.5 / n)
        wronskian = np.sinh(length) + rho * np.cosh(length)
        own = (np.cosh(x) + rho * np.sinh(x)) * np.cosh(length - x) / wronskian / semi_infinite()
        soma = np.cosh(length - x) / wronskian / semi_infinite()
        return float(max(abs(z[n] / own - 1), abs(z[0] / soma - 1)))

    assert_second_order(error, [8, 16, 32, 64], 0.02)


@pytest.mark.parametrize("split", [0.5, 0.8], ids=lambda value: f"split={value}")
def test_rall_tree_is_its_equivalent_cylinder(split: float) -> None:
    """Rall 1959, 1962: 3/2 law at every branch point and tips at one electrotonic distance make one cylinder.

    All of it seen from the soma: input resistance, and the voltage at every compartment by its electrotonic distance.
    """
    levels, per_level = 3, 0.4
    length = levels * per_level
    unit = space_constant()
    soma_radius = 10.0
    tree = ds.grow.rall_tree(
        levels, radius=RADIUS, length=per_level * unit, split=split, spacing=unit, soma_radius=soma_radius
    )
    soma = 4 * np.pi * soma_radius**2 * MEMBRANE.leak_density
    conductance = soma + semi_infinite() * np.tanh(length)
    assert 0.1 < soma / conductance < 0.9  # both count

    def error(n: int) -> float:
        # as many pieces in every branch, whatever its length in um: the electrotonic lengths are equal
        cell = tree.compartments(MEMBRANE, d_lambda=per_level / n * 1.0000001, frequency=_frequency_of_space_constant())
        assert cell.size == 1 + n * (2**levels - 1) + 2 ** (levels - 1) - 1
        z = columns(cell, [0])[0]
        x = cell.electrotonic_distance
        exact = np.cosh(length - x) / np.cosh(length) / conductance
        return float(np.abs(z / exact - 1).max())

    assert_second_order(error, [2, 4, 8, 16], 0.02)


def _frequency_of_space_constant() -> float:
    """Frequency in Hz at which the AC length constant of the d_lambda rule is the steady one: 1 / (pi R_m C_m)."""
    return 1e6 / (np.pi * MEMBRANE.R_m * MEMBRANE.C_m)
