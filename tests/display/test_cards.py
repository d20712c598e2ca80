"""Every class with a card: HTML and text of it, which never raise, solve, read or import anything."""

from __future__ import annotations

import copy
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.display import _CARDS, card_of
from dendrosim.errors import ParameterError
from dendrosim.networks import Population, Projection
from dendrosim.shown import Shown

from .parsed import checked

EVIL = "<script>alert('x')</script>\x1b[31m\n\"&"


def archived():
    """What a search at NeuroMorpho.Org would have found."""
    neuron = ds.neuromorpho.Neuron(
        1, "cnic_001", "Wearne_Hof", {"species": "monkey", "brain_region": ("neocortex", EVIL)}
    )
    found = ds.neuromorpho.SearchResults(ds.neuromorpho.Server(), {}, "species:monkey", 100)
    found._pages, found._total = {0: (neuron,) * 3}, 3
    return neuron, found


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """One object of every class that has a card."""
    cell = ds.Morphology.load("ball_and_stick")
    physical = cell.compartments(ds.Passive(), max_length=50.0)
    tree = ds.Compartments.branching([3, 2], n_cells=4)
    synapses = ds.Synapses.scatter(physical, 10, 5, seed=0)
    state = ds.steady_state(physical, synapses, np.random.default_rng(0).random((3, synapses.n_inputs)))
    spikes = ds.Spikes([1.0, 2.0], [0, 1], n_inputs=synapses.n_inputs)
    trace = ds.simulate(physical, synapses, spikes, duration=5.0, record="all", checkpoints=True)
    network = ds.Network.dendritic(8, 2, cells=[4, 3], branching=[2], excitatory=4, inhibitory=2)
    rng = np.random.default_rng(1)
    x = rng.random((30, 8))
    y = (x[:, 0] > 0.5).astype(int)
    task = ds.tasks.Task.from_arrays("mine", x, y, x, y, image_shape=(2, 4), description=EVIL)
    run = ds.train(network, task, epochs=2, batch_size=10)
    made = [
        cell, cell.summary(), cell.report, physical, tree, synapses, state, ds.exact_gradient(state, np.ones((3, 1))),
        trace, ds.exact_gradient(trace, np.zeros_like(trace.voltage)), network, task, run, ds.runs.Runs([run]),
        ds.fidelity(network, x.astype(np.float32), y), ds.Neurons(physical, synapses, n_outputs=2),
        ds.networks.PointMLP(8, 2, [4]), ds.networks.ResMLP(8, 2, width=4, depth=2),
        ds.runs.Sweep.load("sweep_digits", arms=["3F"], seeds=[0]), ds.runs.Store(tmp_path_factory.mktemp("store")),
        ds.tasks.spike_patterns(n_train=4, n_test=2), *archived(),
    ]  # fmt: skip
    return {name: one for one in made for name in (kind.__name__ for kind in type(one).__mro__) if name in _CARDS}


def test_every_class_with_a_card_is_here_and_shows_itself(things):
    assert set(things) == set(_CARDS)
    assert all(isinstance(thing, Shown) for thing in things.values())


@pytest.mark.parametrize("name", _CARDS)
def test_a_card_in_a_notebook(things, name):
    html = things[name]._repr_html_()
    parsed = checked(html)
    assert len(html) < 200_000
    card = card_of(things[name])
    for key, value in card.facts.items():
        assert key in parsed.text
        assert " ".join(str(value).split())[:20] in parsed.text or name == "Task"
    # those who do not see pictures are told what they show
    labels = [value for key, value in parsed.attributes if key == "aria-label"]
    assert len(labels) == 1 + parsed.tags.count("svg")
    assert all(labels)
    # where styles are dropped, the line is seen and the card is not
    assert ("style", "display:none") in parsed.attributes
    assert repr(things[name]).split()[0] in parsed.text


@pytest.mark.parametrize("name", _CARDS)
def test_a_card_on_a_terminal(things, name):
    text = str(things[name])
    assert 1 < len(text.splitlines()) < 80
    assert max(map(len, text.splitlines())) < 260
    assert text == text.rstrip()
    assert "\n" not in repr(things[name])


def test_nothing_is_solved_for_a_card(things):
    state, gradient = copy.copy(things["State"]), things["Gradient"]
    assert "not computed yet" in str(state)
    state._repr_html_()
    str(gradient)
    gradient._repr_html_()
    assert state._resistances is None
    assert gradient._credit is None
    _ = state.input_resistance
    assert "not computed yet" not in str(state)


def test_no_file_is_read_for_a_card(things, tmp_path):
    path = things["Run"].save(tmp_path / "run.h5")
    run = ds.Run.load(path, network=False)
    path.unlink()
    assert "in its file" in str(run)
    checked(run._repr_html_())
    assert run.trained is None


def test_names_are_text_wherever_they_stand(things):
    cell = ds.Morphology(things["Morphology"].samples, name=EVIL)
    for thing in (cell, cell.summary(), cell.compartments(ds.Passive(), max_length=50.0), things["Task"]):
        parsed = checked(thing._repr_html_())
        assert "<script>alert('x')</script>" in parsed.text
        assert "\x1b" not in thing._repr_html_()
    assert "\x1b" not in "\n".join(str(cell).splitlines()[:1])
    assert "\n" not in str(cell).splitlines()[0]


def test_an_array_that_was_overwritten_is_said_to_be():
    tree = ds.Compartments.branching([2])
    out = np.empty((1, 3))
    before = ds.steady_state(tree, out=out)
    after = ds.steady_state(tree, out=out)
    assert "overwritten" in str(before)
    assert "overwritten" in checked(before._repr_html_()).text
    assert "overwritten" not in str(after)


def test_a_recording_without_a_single_time(things):
    import dataclasses

    trace = things["Trace"]
    empty = dataclasses.replace(trace, time=trace.time[:0], voltage=trace.voltage[:, :0])
    assert "0 times" in repr(empty)
    assert "nothing recorded yet" in str(empty)
    checked(empty._repr_html_())


def test_a_state_without_stimuli(things):
    tree, synapses = things["State"].compartments, things["State"].synapses
    state = ds.steady_state(tree, synapses, np.zeros((0, synapses.n_inputs)))
    assert "no stimuli" in str(state)
    checked(state._repr_html_())


def test_a_folder_that_went_away(tmp_path):
    store = ds.runs.Store(tmp_path / "store")
    (tmp_path / "store" / "store.json").unlink()
    (tmp_path / "store").rmdir()
    assert "runs      0" in str(store)
    checked(store._repr_html_())


def test_there_is_no_card_for_anything_else():
    with pytest.raises(ParameterError, match=r"no card for a int; there is one for: Morphology, .*Task"):
        card_of(3)


def test_a_class_of_somebody_else_with_the_name_of_one_of_ours(things):
    class Task(ds.Morphology):
        pass

    mine = Task(things["Morphology"].samples, name="mine")
    assert str(mine).startswith("Morphology mine\n")
    assert "mine" in checked(mine._repr_html_()).text


@pytest.mark.parametrize("odd", [None, 3, "x", [], {}])
def test_a_run_whose_file_has_something_else_for_a_setting(things, odd):
    """Run.load looks for what others rely on; a card shows what there is of the rest."""
    run = copy.copy(things["Run"])
    for part in ("network", "loss"):
        run.config = {**things["Run"].config, part: odd}
        assert "?" in str(run)
        checked(run._repr_html_())


def test_a_population_called_decoder_is_not_the_decoder():
    layers = [Population(name, (ds.Compartments.branching([2]),)) for name in ("decoder", "out")]
    wires = [Projection("input", "decoder", 1, 1), Projection("decoder", "out", 1, 1)]
    picture = checked(ds.Network(3, 2, layers, wires, ["out"])._repr_html_())
    said = next(value for key, value in picture.attributes if key == "aria-label" and str(value).startswith("wiring"))
    assert said == "wiring: input to decoder; decoder to out; out to the decoder"


def test_what_a_card_imports_is_only_what_the_object_needed():
    program = inspect.cleandoc("""
        import sys
        import dendrosim as ds
        cell = ds.Morphology.load("ball_and_stick")
        tree = cell.compartments(ds.Passive(), max_length=50.0)
        state = ds.steady_state(tree)
        heavy = {"matplotlib", "networkx", "h5py", "sklearn", "scipy", "plotly", "tqdm", "IPython", "pooch"}
        before = heavy & set(sys.modules)
        for one in (cell, cell.summary(), cell.report, tree, state):
            one._repr_html_()
            str(one)
        print(*sorted((heavy & set(sys.modules)) - before))
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_style_is_part_of_the_package():
    folder = Path(inspect.getfile(card_of)).parent
    assert (folder / "card.css").read_text(encoding="utf-8").startswith(".dendrosim-card")
