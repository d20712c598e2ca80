"""Versions and citations."""

from __future__ import annotations

import io
import re
import tomllib
from pathlib import Path

import pytest

import dendrosim as ds
from dendrosim import about
from dendrosim.errors import ParameterError
from dendrosim.references import REFERENCES, TOPICS

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def test_the_version_is_that_of_the_project_file():
    assert ds.__version__ == tomllib.loads(PROJECT.read_text())["project"]["version"]


def test_the_version_stands_in_one_place():
    version = re.compile(rf"(?<![\d.]){re.escape(ds.__version__)}(?![\d.])")
    package = Path(about.__file__).parent
    assert [path for path in package.rglob("*.py") if version.search(path.read_text())] == []


def test_show_versions_names_itself_the_system_and_every_dependency():
    out = io.StringIO()
    ds.show_versions(file=out)
    rows = dict(line.split(maxsplit=1) for line in out.getvalue().splitlines() if "  " in line)
    assert rows["dendrosim"] == ds.__version__
    assert set(rows) >= {"python", "system", "processors", "numpy", "scipy", "numba", "networkx", "matplotlib", "h5py"}
    assert rows["numpy"] == __import__("numpy").__version__


def test_show_versions_marks_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(about, "_installed", lambda: ("1", ["numpy>=1", "no_such_package_at_all; extra == 'x'"]))
    ds.show_versions()
    assert re.search(r"^optional\nno_such_package_at_all +-$", capsys.readouterr().out, re.MULTILINE)


def test_show_versions_tells_the_threads_of_a_loaded_numba(monkeypatch):
    numba = pytest.importorskip("numba")
    out = io.StringIO()
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/somewhere")
    ds.show_versions(file=out)
    assert re.search(rf"numba threads +{numba.get_num_threads()} \(", out.getvalue())
    assert re.search(r"NUMBA_CACHE_DIR +/somewhere", out.getvalue())


def test_without_arguments_the_library_itself_is_cited():
    assert ds.cite() == REFERENCES["dendrosim"].text()
    assert repr(ds.cite()) == str(ds.cite())


def test_references_come_once_and_in_order_of_use():
    lines = ds.cite("growth", "cuntz2010", "cable", "swc").splitlines()
    expected = ["dendrosim", "cuntz2010", "rall1959", "rall1964", "cannon1998"]
    assert lines == [REFERENCES[key].text() for key in expected]


def test_bibtex_has_one_entry_per_reference_with_balanced_braces():
    text = ds.cite(*REFERENCES, bibtex=True)
    assert re.findall(r"^@\w+\{(\w+),$", text, re.MULTILINE) == list(REFERENCES)
    for entry in text.split("\n\n"):
        assert entry.count("{") == entry.count("}")
        assert "author = " in entry
        assert "title = " in entry


@pytest.mark.parametrize("key", REFERENCES)
def test_every_reference_reads_as_one_line(key):
    text = REFERENCES[key].text()
    assert "\n" not in text
    assert ".." not in text
    assert "{" not in text


def test_topics_name_existing_references_and_every_reference_is_used():
    named = {key for keys in TOPICS.values() for key in keys}
    assert named | {"dendrosim"} == set(REFERENCES)
    assert {topic for topics in about._OF_NAME.values() for topic in topics} <= set(TOPICS)


def test_public_classes_functions_and_modules_can_be_cited():
    assert "Cuntz" in ds.cite(ds.grow)
    assert "Hines M (1984)" in ds.cite(ds.steady_state)
    assert "Cannon" in ds.cite(ds.Morphology)
    assert ds.cite("Morphology") == ds.cite(ds.Morphology)
    for kind in (ds.NMDA, ds.HodgkinHuxley, ds.Triangle, ds.teaching.DFA, ds.teaching.KolenPollack, ds.plasticity.Adam):
        assert len(ds.cite(kind).splitlines()) > 1
        assert ds.cite(kind) == ds.cite(kind()) == ds.cite(kind.name)


def test_spines_are_cited_only_where_there_are_spines():
    assert "Stratford" not in ds.cite(ds.Passive())
    assert "Stratford" not in ds.cite(ds.Passive(spine_factor={"apical": 1.0}))
    assert "Stratford" in ds.cite(ds.Passive(spine_factor={"apical": 1.9}))


@pytest.mark.parametrize("thing", ["nothing", 3, dict, [], None])
def test_what_cannot_be_cited_is_refused_with_the_valid_names(thing):
    with pytest.raises(ParameterError, match=re.escape(repr(thing)) + r".* cable,.* growth,.* swc,"):
        ds.cite(thing)


def test_cells_cite_how_they_came_about():
    line = "1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n3 3 16 0 0 1 2"
    expected = {
        "Cuntz H, Forstner F": ds.Morphology.load("pyramidal_l5"),
        "van Pelt J": ds.Morphology.load("basket"),
        "Rall W (1962)": ds.grow.ball_and_stick(),
        "Cannon RC": ds.Morphology.from_swc(line),
    }
    for words, cell in expected.items():
        assert words in ds.cite(cell)
        assert sum(other in ds.cite(cell) for other in expected) == 1


def test_compartments_cite_their_cells_and_their_kind():
    cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    assert ds.cite(cell).splitlines()[1:] == ds.cite("rall1962", "rall1959", "rall1964").splitlines()[1:]
    assert ds.cite(ds.Compartments.branching([2])) == ds.cite("directed")


def test_tasks_cite_where_their_samples_come_from():
    assert ds.cite(ds.tasks.load("digits")) == ds.cite("alpaydin1998")
    assert ds.cite(ds.tasks.load("hierarchical", source="digits")) == ds.cite("alpaydin1998", "local_credit")
    assert ds.cite(ds.tasks.load("cue_integration")) == ds.cite()
    assert "document recognition" in ds.cite("mnist")


def test_a_state_and_its_gradient_cite_what_they_were_solved_with():
    import numpy as np

    cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    synapses = ds.Synapses.scatter(cell, 4, 2, seed=0)
    x = np.ones((1, synapses.n_inputs))
    shunting = ds.steady_state(cell, synapses, x)
    additive = ds.steady_state(cell, synapses, x, integration="additive")
    assert "Hines M (1984)" in ds.cite(shunting)
    assert "Nonlinear interactions in a dendritic tree" in ds.cite(shunting)
    assert "Nonlinear interactions in a dendritic tree" not in ds.cite(additive)
    assert "Local Credit Assignment" not in ds.cite(shunting)
    assert "Local Credit Assignment" in ds.cite(ds.exact_gradient(shunting, np.ones((1, 1))))


def test_a_run_cites_its_data_network_teaching_and_optimiser():
    task = ds.tasks.load("digits").subset(n_train=60, n_test=20)
    network = ds.Network.dendritic(64, 10, [4], [2], 8, 4)
    run = ds.train(network, task, teaching="kp", epochs=1, decay={"decoder": 0.1})
    cited = ds.cite(run)
    for words in ("Kolen JF", "Alpaydin", "Kingma DP", "Local Credit Assignment", "Decoupled weight decay"):
        assert words in cited
    assert "Decoupled" not in ds.cite(ds.train(network, task, teaching="exact", epochs=1))


def test_teaching_signals_losses_and_optimisers_are_cited_by_name_or_object():
    assert ds.cite(ds.teaching.DFA()) == ds.cite("dfa") == ds.cite("nokland2016")
    assert "Score broadcast" in ds.cite("sbd")
    assert ds.cite(ds.Network.dendritic(3, 2, [2], [2], 2, 1)).splitlines()[1:] != []


def test_a_trace_cites_its_channels_time_courses_and_steps(tmp_path):
    cell = ds.Compartments([-1], leak=10.0, capacitance=200.0, leak_reversal=-70.0)
    synapses = ds.Synapses(cell, [0, 0], sign=1, conductance=[1.0, 1.0])
    spikes = ds.Spikes([1.0], [0], n_inputs=2)
    plain = ds.cite(ds.simulate(cell, synapses, spikes, duration=0.0, kinetics=ds.Alpha(1.0)))
    assert "Rall W (1967)" in plain
    assert "Hines M (1984)" in plain
    for words in ("Jahr", "Hodgkin", "Carnevale", "Brette"):
        assert words not in plain
    rich = ds.simulate(
        cell, synapses, spikes, duration=0.0, kinetics=[ds.Exponential(2.0), ds.NMDA()], method="crank_nicolson",
        mechanisms=[ds.HodgkinHuxley(), ds.ExponentialIntegrateAndFire()], store=tmp_path / "run.h5",
    )  # fmt: skip
    for words in ("Jahr CE, Stevens CF (1990)", "Hodgkin AL", "The NEURON simulation environment", "Brette R"):
        assert words in ds.cite(rich)
        assert words in ds.cite(ds.Trace.load(tmp_path / "run.h5"))
    assert "Rall W (1967)" not in ds.cite(rich)


def test_parts_of_simulations_can_be_cited():
    assert "SuperSpike" in ds.cite(ds.FastSigmoid())
    assert "Jahr" in ds.cite(ds.NMDA())
    assert "Hodgkin" in ds.cite(ds.HodgkinHuxley())
    assert "Eligibility traces" in ds.cite("eligibility")
    assert "Williams" in ds.cite("reward")


def test_an_online_learner_cites_its_traces():
    cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=100.0)
    neurons = ds.Neurons(cell, ds.Synapses.scatter(cell, 4, 2, seed=0), n_outputs=1, seed=0)
    learner = ds.OnlineLearner(neurons, "per_soma", "3F", kinetics=ds.NMDA(), tau_e="membrane")
    for words in ("Gerstner W, Lehmann M", "Bellec G", "Jahr", "Local Credit Assignment"):
        assert words in ds.cite(learner)
    assert "Bellec" not in ds.cite(ds.OnlineLearner(neurons, "per_soma", "3F"))
