"""The study of morphology and fidelity: descriptors, gradients of its rules, statistics, and a tiny run of it."""

from __future__ import annotations

import csv
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import dendrosim as ds
from dendrosim import grow

MEMBRANE = ds.Passive(R_m=20_000.0, R_a=150.0, E_leak=-70.0)
SMALL = "1 1 0 0 0 6 -1\n2 3 6 0 0 1 1\n3 3 90 0 0 0.8 2\n4 3 150 40 0 0.5 3\n5 3 150 -40 0 0.5 3\n"


@pytest.fixture
def experiment(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "experiments"))
    return {name: import_module(f"morphology_{name}") for name in ("cells", "rules", "study", "statistics")}


def test_electrotonic_length_of_a_cylinder(experiment: dict[str, ModuleType]) -> None:
    stick = grow.ball_and_stick(soma_radius=8.0, length=400.0, radius=0.7)
    constant = 1e4 * np.sqrt(1.4e-4 * 20_000.0 / (4.0 * 150.0))  # um; diameter in cm
    found = experiment["cells"].describe(stick, MEMBRANE, stick.compartments(MEMBRANE, d_lambda=0.1))
    for name in ("electrotonic_tips", "electrotonic_max"):
        assert found[name] == pytest.approx(400.0 / constant, rel=1e-9)
    assert found["electrotonic"] == pytest.approx(200.0 / constant, rel=1e-9)
    assert (found["tips"], found["stems"], found["max_order"], found["taper"]) == (1, 1, 0, 1)
    assert found["tortuosity"] == pytest.approx(1.0)
    assert found["length"] == pytest.approx(400.0)


def test_asymmetry_of_combs_and_symmetric_trees(experiment: dict[str, ModuleType]) -> None:
    asymmetry = experiment["cells"].asymmetry
    assert asymmetry(np.array([-1, 0, 0, 1, 1, 2, 2])) == 0.0
    assert asymmetry(np.array([-1, 0, 0, 2, 2, 4, 4])) == 1.0  # every division leaves one tip behind
    assert asymmetry(np.array([-1, 0, 0, 2, 2, 4, 4, 3, 3])) == pytest.approx((3 / 3 + 0) / 2)
    assert asymmetry(np.array([-1])) == 0.0


def test_grown_cells_are_drawn_by_seed_and_number(experiment: dict[str, ModuleType]) -> None:
    cells = list(experiment["cells"].all_cells(4, 7, [], []))
    first, again, other = cells[1].morphology(), cells[1].morphology(), cells[3].morphology()
    np.testing.assert_array_equal(first[0].samples.xyz, again[0].samples.xyz)
    assert first[1] == again[1]
    assert first[0].samples.xyz.shape != other[0].samples.xyz.shape
    assert {cell.kind for cell in experiment["cells"].all_cells(5, 0, [], [])} == {"spanning", "random", "regular"}


def case_of(experiment: dict[str, ModuleType], direction: str, integration: str):
    cell = ds.Morphology.load("stellate").compartments(MEMBRANE, d_lambda=0.3)
    rules = experiment["rules"]
    return cell, rules.Case.of(cell, rules.synapses_on(cell, "uniform", 3), direction, integration, 5)


@pytest.mark.parametrize(
    ("direction", "integration"), [("reciprocal", "shunting"), ("reciprocal", "additive"), ("directed", "shunting")]
)
def test_exact_gradients_are_the_librarys(experiment: dict[str, ModuleType], direction: str, integration: str) -> None:
    _, case = case_of(experiment, direction, integration)
    rows = slice(0, 20)
    factor = case.state.input_resistance * case.state.attenuation_to_soma
    synapses, couplings = case.gradients(factor, rows)
    state = case.neurons.solve(case.pool[rows], 1)
    exact = ds.exact_gradient(state, case.error[rows, None])
    np.testing.assert_allclose(synapses, exact.conductance, rtol=1e-8, atol=1e-12 * np.abs(exact.conductance).max())
    np.testing.assert_allclose(couplings, exact.coupling, rtol=1e-6, atol=1e-9 * np.abs(exact.coupling).max())


def test_the_linearised_directed_tree_and_its_gradients(experiment: dict[str, ModuleType]) -> None:
    cell, case = case_of(experiment, "directed", "additive")
    given = experiment["rules"].synapses_on(cell, "uniform", 3)
    resistance = ds.steady_state(cell, direction="directed").input_resistance[0]

    def soma(conductance: np.ndarray) -> np.ndarray:
        """The recursion V_n = R_n (currents + sum of g_c V_c), by hand, for 20 stimuli."""
        current = np.zeros((20, cell.size))
        drive = case.pool[:20][:, given.source] * conductance * given.driving_force
        np.add.at(current.T, given.compartment, drive.T)
        v = np.zeros_like(current)
        for n in range(cell.size - 1, -1, -1):
            v[:, n] = resistance[n] * (current[:, n] + v[:, n])
            if n:
                v[:, cell.parent[n]] += cell.coupling[n] * v[:, n]
        return v[:, 0]

    np.testing.assert_allclose(case.state.solved[:20, 0], soma(given.conductance), rtol=1e-10)
    found = case.gradients(case.state.input_resistance * case.state.attenuation_to_soma, slice(0, 20))[0]
    for j in (0, 7, given.size - 1):
        step = 1e-6 * np.eye(given.size)[j]
        slope = (soma(given.conductance + step) - soma(given.conductance - step)) / 2e-6
        assert found[j] == pytest.approx(slope @ case.error[:20], rel=1e-6)


def test_rules_that_must_be_exact_are(experiment: dict[str, ModuleType]) -> None:
    for direction, integration in experiment["rules"].CASES:
        rows = {row["rule"]: row for row in case_of(experiment, direction, integration)[1].rows()}
        assert set(rows) <= set(experiment["rules"].RULES)
        right = ["exact"] + ["echo"] * (direction == "reciprocal")
        right += ["path_mean", "path_rest"] if integration == "additive" else []
        for name in right:
            assert rows[name]["synapses_cosine"] == pytest.approx(1.0, abs=1e-10)
            assert rows[name]["synapses_l2"] == pytest.approx(0.0, abs=1e-7)
        assert rows["3F"]["synapses_cosine"] < 1.0
        if integration == "additive":  # gains do not depend on the stimulus
            assert rows["3F"]["identity"] == pytest.approx(rows["3F"]["synapses_cosine"], rel=1e-10)


def test_inhibition_goes_where_it_should(experiment: dict[str, ModuleType]) -> None:
    rules = experiment["rules"]
    cell = ds.Morphology.load("stellate").compartments(MEMBRANE, d_lambda=0.2)
    placed = {name: rules.synapses_on(cell, name, 3) for name in rules.PLACEMENTS}
    inhibited = {name: synapses.compartment[synapses.sign < 0] for name, synapses in placed.items()}
    assert inhibited["none"].size == 0
    excited = {tuple(synapses.compartment[synapses.sign > 0]) for synapses in placed.values()}
    assert len(excited) == 1  # the same, wherever inhibition is
    distance = cell.path_distance
    assert distance[inhibited["proximal"]].max() < distance[inhibited["distal"]].min()
    assert distance[inhibited["path"]].mean() < distance[inhibited["uniform"]].mean()
    subtree = np.zeros(cell.size)
    for n in np.unique(inhibited["branch"]):
        while n > 0:
            subtree[n] += 1
            n = cell.parent[n]
    assert subtree.max() == np.unique(inhibited["branch"]).size  # one compartment beyond the soma carries them all
    assert all((cell.region[where] != "soma").all() for where in inhibited.values())


def test_statistics(experiment: dict[str, ModuleType]) -> None:
    statistics = experiment["statistics"]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    beta, r2 = statistics.standardised(x, x @ [2.0, -1.0, 0.0])
    assert r2 == pytest.approx(1.0)
    expected = np.array([2.0, -1.0, 0.0]) * x.std(axis=0) / (x @ [2.0, -1.0, 0.0]).std()
    np.testing.assert_allclose(beta, expected, atol=1e-12)
    low, high = statistics.resampled_ranks(x[:, 0], x[:, 0] + x[:, 1], 0)
    assert low < 6 / np.pi * np.arcsin(np.sqrt(0.5) / 2) < high  # Spearman of a normal pair
    assert statistics.law(np.array([1e-4]))[0] == pytest.approx(1.0)
    depth = np.linspace(0, 2.0, 100_001)
    profile = np.exp(-depth)
    assert statistics.law(np.array([2.0]))[0] == pytest.approx(profile.mean() / np.sqrt((profile**2).mean()), rel=1e-4)


def test_a_run_a_broken_file_and_going_on(
    experiment: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    study, statistics = experiment["study"], experiment["statistics"]
    monkeypatch.setattr(study, "PLACEMENTS", ("uniform", "branch"))
    monkeypatch.setattr(experiment["rules"], "STEPS", 3)
    folder, out = tmp_path / "mine", tmp_path / "out"
    folder.mkdir()
    (folder / "good.swc").write_text(SMALL)
    (folder / "bad.swc").write_text("1 1 0 0 0 6 -1\n2 3 6 0 0 nonsense 1\n")
    command = ["--folder", str(folder), "--shipped", "--out", str(out), "--cells"]
    assert study.main([*command, "1"]) == 0
    told = capsys.readouterr()
    assert "passed over: mine/bad.swc: MorphologyError" in told.err
    assert "2 cells in" in told.out
    whole = (out / "fidelity.csv").read_text()
    with (out / "fidelity.csv").open("a") as file:
        file.write("grown-0-001,directed,shunt")  # as a killed run leaves it
    (out / "cells.csv").write_text((out / "cells.csv").read_text() + "grown-0-001,ran")
    assert study.main([*command, "2"]) == 0
    after = (out / "fidelity.csv").read_text()
    assert after.startswith(whole)
    with (out / "cells.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["cell"] for row in rows] == ["mine/good.swc", "grown-0-000", "grown-0-001"]
    assert sum(int(row["rows"]) for row in rows) == after.count("\n") - 1
    again = tmp_path / "again"
    assert study.main(["--folder", "--shipped", "--cells", "2", "--out", str(again)]) == 0
    other = (again / "fidelity.csv").read_text().splitlines()
    assert other == [line for line in after.splitlines() if not line.startswith("mine")]
    with pytest.raises(SystemExit, match="results of seed 0; use --seed 0"):
        study.main([*command, "2", "--seed", "1"])
    capsys.readouterr()
    loaded = statistics.Study.load(out, ["."])
    assert [len(loaded.cells[name]) for name in ("grown", "files", "shipped")] == [2, 1, 0]
    found = [row for row in statistics.means(loaded) if row["rule"] == "exact"]
    assert {round(row["cosine"], 9) for row in found} == {1.0}
    compared = [row for row in statistics.effects(loaded) if row["contrast"] == "directed - reciprocal"]
    assert [row["n"] for row in compared] == [2, 2]


def test_wrong_arguments(experiment: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for arguments in (["--folder", str(tmp_path / "none")], ["--workers", "0"], ["--shipped", "motor"]):
        with pytest.raises(SystemExit) as stopped:
            experiment["study"].main([*arguments, "--out", str(tmp_path / "out")])
        assert stopped.value.code == 2
    assert "no such folder" in capsys.readouterr().err
