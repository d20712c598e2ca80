"""Fits of R_m and R_a: true values are found again, derivatives and uncertainties are right."""

from __future__ import annotations

import dataclasses
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.biophysics.fitting import Attenuation, InputResistance, PassiveModel, Target, fit_passive
from dendrosim.errors import FitWarning, MorphologyError, ParameterError

TRUE = ds.Passive(R_m=31_700.0, R_a=212.0, E_leak=-66.0)
GRID: dict[str, Any] = {"max_length": 25.0}


@pytest.fixture(scope="module")
def cell() -> ds.Morphology:
    """Three stems of branched dendrite on a soma of one point."""
    grown: ds.Morphology = ds.grow.random_branching(4, stems=3)
    return grown


@pytest.fixture(scope="module")
def tips(cell: ds.Morphology) -> list[int]:
    inner = set(cell.samples.parent.tolist())
    rows = [row for row in range(len(cell.samples)) if row not in inner]
    return [int(cell.samples.id[row]) for row in rows[:3]]


@pytest.fixture(scope="module")
def targets(cell: ds.Morphology, tips: list[int]) -> list[Target]:
    """What TRUE gives, noise-free."""
    asked = questions(tips)
    values, _ = PassiveModel(cell, asked, TRUE, **GRID).predict(TRUE.R_m, TRUE.R_a)
    return [dataclasses.replace(target, value=float(value)) for target, value in zip(asked, values, strict=True)]


def questions(tips: list[int]) -> list[Target]:
    return [
        InputResistance("soma", 1.0),
        InputResistance(tips[0], 1.0),
        Attenuation(tips[0], "soma", 0.5),
        Attenuation("soma", tips[1], 0.5),
        Attenuation(tips[1], tips[2], 0.5),
    ]


def test_predictions_agree_with_a_dense_solve(cell: ds.Morphology, tips: list[int]) -> None:
    compartments = cell.compartments(TRUE, **GRID)
    n, parent = np.arange(1, compartments.size), compartments.parent[1:]
    matrix = np.diag(compartments.leak)
    np.add.at(matrix, (n, n), compartments.coupling[1:])
    np.add.at(matrix, (parent, parent), compartments.coupling[1:])
    np.add.at(matrix, (n, parent), -compartments.coupling[1:])
    np.add.at(matrix, (parent, n), -compartments.coupling[1:])
    z = np.linalg.inv(matrix)
    a, b, c = (compartments.of_sample(tip) for tip in tips)
    expected = [1e3 * z[0, 0], 1e3 * z[a, a], z[0, a] / z[a, a], z[b, 0] / z[0, 0], z[c, b] / z[b, b]]
    values, _ = PassiveModel(cell, questions(tips), **GRID).predict(TRUE.R_m, TRUE.R_a)
    np.testing.assert_allclose(values, expected, rtol=1e-10)


def test_jacobian_against_finite_differences(cell: ds.Morphology, targets: list[Target]) -> None:
    model = PassiveModel(cell, targets, **GRID)
    _, jacobian = model.predict(9_000.0, 90.0)
    step = 1e-5
    up, down = np.exp(step), np.exp(-step)
    by_membrane = (model.predict(9_000.0 * up, 90.0)[0] - model.predict(9_000.0 * down, 90.0)[0]) / (2 * step)
    by_axial = (model.predict(9_000.0, 90.0 * up)[0] - model.predict(9_000.0, 90.0 * down)[0]) / (2 * step)
    np.testing.assert_allclose(jacobian, np.stack([by_membrane, by_axial], axis=1), rtol=1e-7, atol=1e-9)


def test_jacobian_scales_as_it_must(cell: ds.Morphology, targets: list[Target]) -> None:
    """Scaling both resistances scales every input resistance and leaves every attenuation alone."""
    values, jacobian = PassiveModel(cell, targets, **GRID).predict(9_000.0, 90.0)
    expected = [values[0], values[1], 0.0, 0.0, 0.0]
    np.testing.assert_allclose(jacobian.sum(axis=1), expected, rtol=1e-11, atol=1e-11)


def test_jacobian_is_what_the_exact_gradient_of_the_voltage_says(cell: ds.Morphology, targets: list[Target]) -> None:
    """The chain rule through `exact_gradient`: leak as 1 / R_m, coupling as 1 / R_a, for a current at the soma."""
    compartments = cell.compartments(TRUE, **GRID)
    no_synapses = ds.Synapses.scatter(compartments, 0, 0)
    current = np.zeros(compartments.size)
    current[0] = 1.0
    state = ds.steady_state(compartments, no_synapses, np.zeros((1, 0)), current=current)
    gradient = ds.exact_gradient(state, np.ones((1, 1)))
    by_membrane = -(gradient.leak * compartments.leak).sum()
    by_axial = -(gradient.coupling * compartments.coupling).sum()
    _, jacobian = PassiveModel(cell, targets, TRUE, **GRID).predict(TRUE.R_m, TRUE.R_a)
    np.testing.assert_allclose(jacobian[0], [1e3 * by_membrane, 1e3 * by_axial], rtol=1e-9)


@pytest.mark.parametrize(("R_m", "R_a"), [(5_000.0, 60.0), (150_000.0, 900.0), (20_000.0, 150.0)])
def test_true_parameters_are_found_again(cell: ds.Morphology, targets: list[Target], R_m: float, R_a: float) -> None:
    fit = fit_passive(cell, targets, start=ds.Passive(R_m=R_m, R_a=R_a, E_leak=-66.0), **GRID)
    assert fit.passive.R_m == pytest.approx(TRUE.R_m, rel=1e-6)
    assert fit.passive.R_a == pytest.approx(TRUE.R_a, rel=1e-6)
    assert fit.passive.E_leak == -66.0
    assert np.abs(fit.residuals).max() < 1e-9
    assert fit.n_evaluations < 40


def test_the_grid_is_tenths_of_a_length_constant_unless_told_otherwise(cell: ds.Morphology) -> None:
    question = [InputResistance("soma", 1.0)]
    expected = cell.compartments(ds.Passive(), d_lambda=0.1).size
    assert PassiveModel(cell, question).compartments.size == expected
    assert PassiveModel(cell, question, minimum_radius=0.1).compartments.size == expected


def test_one_parameter_alone(cell: ds.Morphology, targets: list[Target]) -> None:
    start = ds.Passive(R_m=8_000.0, R_a=TRUE.R_a, spine_factor={})
    fit = fit_passive(cell, targets[:1], start=start, free=["R_m"], **GRID)
    assert fit.passive.R_m == pytest.approx(TRUE.R_m, rel=1e-6)
    assert fit.passive.R_a == TRUE.R_a
    assert np.isnan(fit.covariance).all()  # no target to spare, no deviations: nothing to estimate an error from


def test_spines_stay(cell: ds.Morphology, tips: list[int]) -> None:
    spiny = dataclasses.replace(TRUE, spine_factor={"basal": 1.8})
    values, _ = PassiveModel(cell, questions(tips), spiny, **GRID).predict(TRUE.R_m, TRUE.R_a)
    measured = [dataclasses.replace(q, value=float(v)) for q, v in zip(questions(tips), values, strict=True)]
    fit = fit_passive(cell, measured, start=dataclasses.replace(spiny, R_m=9_000.0, R_a=90.0), **GRID)
    assert fit.passive.R_m == pytest.approx(TRUE.R_m, rel=1e-6)
    assert dict(fit.passive.spine_factor) == {"basal": 1.8}


def test_standard_errors_are_the_scatter_of_repeated_fits(cell: ds.Morphology, targets: list[Target]) -> None:
    rng = np.random.default_rng(2)
    share = 0.02
    found = []
    for _ in range(60):
        noisy: list[Target] = [
            dataclasses.replace(
                target, value=target.value * (1 + share * rng.standard_normal()), deviation=share * target.value
            )
            for target in targets
        ]
        fit = fit_passive(cell, noisy, start=TRUE, **GRID)
        found.append([np.log(fit.passive.R_m), np.log(fit.passive.R_a)])
    scatter = np.std(found, axis=0, ddof=1)
    expected = np.sqrt(np.diag(fit.covariance))
    # the standard deviation of 60 draws is known to 9 %: three of those
    np.testing.assert_allclose(scatter, expected, rtol=0.28)


def test_standard_errors_and_text(cell: ds.Morphology, targets: list[Target]) -> None:
    fit = fit_passive(cell, targets, start=ds.Passive(), **GRID)
    assert set(fit.standard_error) == {"R_m", "R_a"}
    assert fit.standard_error["R_m"] == pytest.approx(fit.passive.R_m * np.sqrt(fit.covariance[0, 0]))
    assert str(fit).startswith("R_m = 31700 +- ")
    assert "over 5 targets" in str(fit)


def test_text_says_why_there_are_no_standard_errors(cell: ds.Morphology, targets: list[Target]) -> None:
    text = str(fit_passive(cell, targets[:2], start=ds.Passive(), **GRID))
    assert "as many targets as parameters" in text
    assert "give every target a deviation" in text
    assert "standard errors" not in str(fit_passive(cell, targets, start=ds.Passive(), **GRID))


@pytest.mark.parametrize(
    ("value", "end"),
    [
        (0.15, r"R_m = .* ended at its least value, 100 ohm cm2: .*0\.15 MOhm.* in GOhm\?"),
        (2e5, r"R_m = .* greatest value, 1e\+06 ohm cm2: .*200000 MOhm, which is much"),
    ],
)
def test_a_fit_that_ends_at_a_bound_warns(cell: ds.Morphology, value: float, end: str) -> None:
    with pytest.warns(FitWarning, match=end):
        fit_passive(cell, [InputResistance("soma", value)], free=["R_m"], **GRID)


def test_a_fit_that_ends_at_a_narrow_bound_warns(cell: ds.Morphology, targets: list[Target]) -> None:
    with pytest.warns(FitWarning, match=r"R_m = 25000 ended at its greatest value, 25000 ohm cm2: check the targets"):
        fit_passive(cell, targets, free=["R_m"], bounds={"R_m": (1e4, 2.5e4)}, **GRID)


def test_targets_that_cannot_tell_give_infinite_covariance() -> None:
    """The soma alone: its input resistance says nothing about R_a."""
    ball = ds.grow.ball_and_stick(soma_radius=20.0, length=1e-3, radius=0.01)
    fit = fit_passive(ball, [InputResistance("soma", 100.0), InputResistance("soma", 101.0)], max_length=10.0)
    assert np.isinf(fit.covariance).all() or fit.standard_error["R_a"] > 1e3 * fit.passive.R_a


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"free": ["C_m"]}, r"steady states do not depend on the capacitance"),
        ({"free": ["E_leak"]}, r"free='E_leak' is not known; valid: 'R_m', 'R_a'"),
        ({"free": []}, r"free=\(\) must name each parameter to fit once"),
        ({"free": ["R_m", "R_m"]}, r"must name each parameter to fit once"),
        ({"targets": [InputResistance("soma", 100.0)]}, r"1 targets cannot determine 2 parameters \(R_m, R_a\)"),
        ({"bounds": {"C_m": (1, 2)}}, r"bounds='C_m' is not known; valid: 'R_m', 'R_a'"),
        ({"bounds": {"R_m": (0.0, 10.0)}}, r"bounds\['R_m'\]=\(0\.0, 10\.0\) must be 0 < least < greatest"),
        ({"bounds": {"R_m": (1.0, 10.0)}}, r"start has .*'R_m': 20000\.0.* outside bounds"),
        (
            {"targets": [InputResistance("soma", -5.0)] * 2},
            r"targets\[0\]: value=-5\.0 MOhm is impossible; it must be > 0",
        ),
        (
            {"targets": [Attenuation("soma", 2, 1.5)] * 2},
            r"targets\[0\]: value=1\.5 is impossible; it must be > 0 and <= 1",
        ),
        ({"targets": [InputResistance("tuft", 5.0)] * 2}, r"targets\[0\]: place='tuft' is not known; valid: 'soma'"),
        (
            {"targets": [InputResistance("soma", 5.0, deviation=0.0)] * 2},
            r"targets\[0\]: deviation=0\.0 MOhm is impossible; it must be > 0",
        ),
        ({"targets": [100.0, 200.0]}, r"targets\[0\]=100\.0 must be an InputResistance or an Attenuation"),
        (
            {"targets": [InputResistance("soma", 5.0, deviation=1.0), InputResistance("soma", 5.0)]},
            r"targets\[1\] has no deviation, others have: give it for all or for none",
        ),
    ],
)
def test_impossible_fits(cell: ds.Morphology, arguments: dict[str, Any], message: str) -> None:
    valid: dict[str, Any] = {"targets": [InputResistance("soma", 100.0)] * 2}
    with pytest.raises(ParameterError, match=message):
        fit_passive(cell, **(valid | arguments), **GRID)


def test_a_sample_that_does_not_exist_is_named(cell: ds.Morphology) -> None:
    with pytest.raises(MorphologyError, match="no sample 999999"):
        fit_passive(cell, [InputResistance("soma", 100.0), InputResistance(999999, 100.0)], **GRID)


def test_the_worked_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Path(__file__).parents[2] / "experiments" / "fit_passive.py"
    monkeypatch.setattr(sys, "argv", [str(script), "--cell", "ball_and_stick", "--out", str(tmp_path)])
    runpy.run_path(str(script), run_name="__main__")
    printed = capsys.readouterr().out
    assert "input resistance at soma" in printed
    assert "R_a" in printed
    assert (tmp_path / "fit_passive.png").stat().st_size > 10_000
