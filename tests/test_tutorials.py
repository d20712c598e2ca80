"""The tutorials: what their text says is true of the numbers that they print.

The build of the documentation executes all of them, with warnings as errors. Here the quick ones run, and with
``pytest -m slow`` on this file the others too.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dendrosim.diagnostics import CreditHistory

TUTORIALS = Path(__file__).resolve().parent.parent / "docs" / "tutorials"


@pytest.fixture
def tutorial(monkeypatch, tmp_path):
    """Run a tutorial, by the beginning of its name, and return its names; figures are closed in the end."""
    import matplotlib as mpl

    backend = mpl.get_backend()
    mpl.use("agg")
    monkeypatch.chdir(tmp_path)

    def run(beginning: str) -> dict[str, Any]:
        (path,) = TUTORIALS.glob(f"{beginning}_*.py")
        return runpy.run_path(str(path), run_name="__main__")  # numba asks where functions are from

    yield run
    import matplotlib.pyplot as plt

    plt.close("all")
    mpl.use(backend)


def test_every_tutorial_has_a_test_here():
    numbers = {path.name.partition("_")[0] for path in TUTORIALS.glob("*.py")}
    assert numbers == set(re.findall(r'tutorial\("(\d+)"\)', Path(__file__).read_text(encoding="utf-8")))


def test_from_a_file_to_a_gradient_map(tutorial):
    t = tutorial("1")
    codes = [fault.code for fault in t["first_report"].faults]
    assert "missing-parent" in codes
    assert len(codes) == 3
    assert t["second_report"].fixes == ("zero_radius", "drop_zero_length_sections")
    assert len(t["small"].report.changes) == 2
    assert t["compartments"].leak.sum() == pytest.approx(t["coarse"].leak.sum(), rel=1e-12)
    assert t["there"] == t["compartments"].of_sample(t["tip"])
    assert t["times_active"].min() > 0
    np.testing.assert_allclose(t["by_hand"], t["per_synapse"][t["strongest"]], rtol=1e-3)
    effect, synapses = t["per_synapse"], t["synapses"]
    excitatory, distance = synapses.sign > 0, t["compartments"].path_distance[synapses.compartment]
    assert (effect[excitatory] > 0).all()
    assert (effect[~excitatory] < 0).all()
    assert abs(effect[~excitatory]).mean() < abs(effect[excitatory]).mean() / 2
    assert np.corrcoef(distance[excitatory], np.log(effect[excitatory]))[0, 1] < -0.5
    np.testing.assert_allclose(t["product"], t["gradient"].current.mean(axis=0), rtol=1e-9)
    assert t["product"].argmax() == 0
    assert t["resistance"][t["there"]] > 5 * t["resistance"][0]
    assert t["attenuation"][t["there"]] < 0.1


def test_shunting_divides_and_additive_inhibition_subtracts(tutorial):
    t = tutorial("2")
    shunting, additive = t["slope"]["shunting"], t["slope"]["additive"]
    assert (np.diff(shunting) < -1.0).all()
    np.testing.assert_allclose(additive, additive[0], rtol=1e-9)
    np.testing.assert_allclose(t["soma"]["shunting"][:, 0], -70.0, atol=1e-9)
    assert (np.diff(t["soma"]["additive"][:, 0]) < -10.0).all()
    assert t["soma"]["additive"][0, -1] > 0.0
    gained = np.diff(t["measured"])
    assert (gained < 1.0).all()
    assert (gained > 0.95).all()
    total = t["total"]
    factor = t["normalised"]["shunting", 4.0][1:] / t["normalised"]["shunting", 0.0][1:]
    np.testing.assert_allclose(factor, (1 + total) / (5 + total), rtol=1e-9)
    shunted, beyond, basal = t["ratio"]["shunting"], t["beyond"], t["pyramidal"].region == "basal"
    assert shunted[beyond].max() < 0.5
    assert shunted[basal].min() > 0.85
    assert shunted[basal].max() < 0.95
    np.testing.assert_allclose(t["ratio"]["additive"], 1.0, rtol=1e-9)


@pytest.mark.slow
def test_training_locally(tutorial):
    t = tutorial("3")
    accuracy, differences = t["accuracy"], t["differences"]
    assert accuracy["per_soma"].mean() > 0.9
    assert accuracy["scalar"].mean() < accuracy["decoder_only"].mean() < accuracy["per_soma"].mean()
    gained, left = (differences[k].difference.mean for k in ("per soma - decoder only", "exact - per soma"))
    assert 0 < left < gained / 4
    assert t["again"]
    assert t["same"]


@pytest.mark.slow
def test_fidelity(tutorial):
    t = tutorial("4")
    for group in ("excitatory", "inhibitory"):
        assert np.degrees(np.arccos(t["report"][group]["cosine"])) < 35
    assert t["report"]["decoder"]["cosine"] == pytest.approx(1.0)
    for each in t["reports"].values():
        cosines, scales = (
            [each[f"layer1/stage {stage}"][what] for stage in range(3)] for what in ("cosine", "scale_mismatch")
        )
        assert cosines[0] == pytest.approx(1.0, abs=1e-5)
        assert (np.diff(cosines) < 0).all()
        assert (np.diff(scales) > 0.1).all()
    for row in t["gains"].table:
        assert row["cosine"] == pytest.approx(1 / np.sqrt(1 + row["transport_cv"] ** 2), rel=1e-6)
    core = {name: each["core vector"]["cosine"] for name, each in t["modulated"].items()}
    assert core["3F, depth"] > core["3F"] + 0.05
    assert abs(core["4F"] - core["3F"]) < 0.03
    assert abs(core["5F"] - core["3F"]) < 0.03
    assert core["3F, true path gain"] > 1 - 1e-5
    for stage in range(3):
        depth, plain = (t["modulated"][name][f"layer1/stage {stage}"]["cosine"] for name in ("3F, depth", "3F"))
        assert depth == pytest.approx(plain, abs=1e-4)
    over = {name: history.series("all", "cosine") for name, history in t["histories"].items()}
    assert abs(over["dfa"][0]) < 0.1
    assert over["dfa"][-1] > 0.3
    assert over["per_soma"][0] > 0.8 > 0.7 > over["per_soma"][-1]
    assert over["scalar"][-1] < over["scalar"][0]
    best = {name: run.history["validation_accuracy"].max() for name, run in t["runs"].items()}
    assert min(best["per_soma"], best["dfa"]) > 0.9 > 0.7 > best["scalar"]
    assert t["after"].table[-1]["transport_cv"] > 1.5 * t["gains"].table[-1]["transport_cv"]


@pytest.mark.slow
def test_teaching_signals(tutorial):
    t = tutorial("5")
    mean = {name: values.mean() for name, values in t["accuracy"].items()}
    assert mean["scalar"] < mean["decoder_only"] - 0.1
    assert abs(mean["node_perturbation"] - mean["decoder_only"]) < 0.08
    assert mean["ebd"] < mean["decoder_only"]
    vectors = ("kp", "dfa", "vnc", "per_soma", "fa", "mirror", "exact")
    assert min(mean[name] for name in vectors) > mean["decoder_only"] + 0.05
    assert mean["dfa"] > 0.9 * mean["exact"]
    assert t["bits"]["exact"] == 26 * t["bits"]["dfa"]
    assert t["passes"]["vnc"] == t["passes"]["mirror"] == 2 * t["passes"]["exact"]
    cosine = {
        name: CreditHistory(t["runs"][name][0].records["credit"]).series("all", "cosine")
        for name in ("mirror", "per_soma", "kp", "dfa")
    }
    assert cosine["mirror"][-1] > 0.95
    assert max(cosine["kp"][0], cosine["dfa"][0]) < 0.1
    assert min(cosine["kp"][-1], cosine["dfa"][-1]) > 0.3
    assert cosine["per_soma"][-1] < cosine["per_soma"][0] - 0.2
    assert 0.8 < t["mean"] < mean["exact"]


@pytest.mark.slow
def test_traces_in_time(tutorial):
    t = tutorial("6")
    peak, width = t["shape"].peak[0], t["shape"].half_width[0]
    assert peak[0] > 10 * peak[1]
    assert width[0] < 4
    assert width[1] == pytest.approx(20, abs=2)
    n = t["count"]
    assert (t["peak"]["AMPA"][1:] < n[1:] * t["peak"]["AMPA"][0]).all()
    assert (t["peak"]["AMPA + NMDA"][1:] > n[1:] * t["peak"]["AMPA + NMDA"][0]).all()
    assert t["fired"].spike_time.size > 5
    assert (np.diff(t["size"]) < 0).all()
    assert t["size"][2] < 0.05 * t["size"][0]
    cosine = t["cosine"]
    assert max(t["taus"], key=lambda tau: cosine[0.0, tau]) == 20.0
    assert max(t["taus"], key=lambda tau: cosine[50.0, tau]) > 20.0
    final = {arm: curve[-1] for arm, curve in t["accuracy"].items()}
    assert final[0.0, 20.0] > 0.95
    assert final[100.0, 20.0] < 0.55
    assert final[100.0, 100.0] > 0.8


def test_auditing_a_torch_model(tutorial):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: extra torch")
    threads = torch.get_num_threads()
    try:
        t = tutorial("7")
    finally:
        torch.set_num_threads(threads)
    accuracy, reports = t["accuracy"], t["reports"]
    assert 0.3 < accuracy["dfa"] < accuracy["frozen"] < accuracy["backpropagation"] - 0.02
    assert str(reports["backpropagation"].verdict) == "pass"
    assert str(reports["dfa"].verdict) == "fail (D3)"
    assert reports["dfa"].informative
    assert reports["dfa"].gamma["paper"] > 0.15
    cosines = reports["dfa"].table["cosine_output"]
    assert cosines[0] > 3 * max(cosines[1], cosines[2])
    bought = t["nudges"].output / t["best"].output
    assert (bought > 0).all()
    assert (np.diff(bought) < 0.05).all()
    shown = (TUTORIALS / "7_auditing_a_torch_model.py").read_text(encoding="utf-8")
    for how, value in accuracy.items():  # the output that is shown where PyTorch is missing
        (written,) = re.findall(rf"#       {how} +(0\.\d+)\n", shown)
        assert float(written) == pytest.approx(value, abs=0.05)


@pytest.mark.slow
def test_a_sweep_on_a_cluster(tutorial):
    pytest.importorskip("distributed", reason="Dask is not installed: extra cluster")
    t = tutorial("8")
    assert len(t["sweep"]) == len(t["runs"]) == 18
    soma, exact, between = (t["differences"][name].difference for name in t["differences"])
    assert soma.mean == pytest.approx(0.05, abs=0.02)
    assert exact.mean == pytest.approx(0.05, abs=0.02)
    assert between.low < 0 < between.high
    assert between.high - between.low > 2 * max(soma.mean, exact.mean)
