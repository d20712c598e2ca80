"""Cards of whatever is valid: trees of any shape, values of any size."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import dendrosim as ds
from dendrosim.display.card import Card, Detail
from dendrosim.display.lines import spark, text
from dendrosim.display.morphologies import LINES
from dendrosim.display.page import html
from dendrosim.display.svg import Line, chart, histogram
from dendrosim.morphology.samples import Samples
from dendrosim.networks import Population, Projection

from .parsed import checked

QUICK = settings(max_examples=15, deadline=None)
NUMBERS = st.floats(width=64)


@st.composite
def trees(draw, most=40):
    n = draw(st.integers(1, most))
    return np.array([-1, *(draw(st.integers(0, i - 1)) for i in range(1, n))])


@QUICK
@given(parent=trees(), seed=st.integers(0, 99), soma=st.booleans(), flat=st.booleans(), name=st.text(max_size=20))
def test_morphologies(parent, seed, soma, flat, name):
    rng = np.random.default_rng(seed)
    n = parent.size
    xyz = np.cumsum(rng.normal(size=(n, 3)), axis=0) * (0.0 if flat else 10.0 ** rng.integers(-3, 4))
    kind = rng.integers(0, 9, n)
    kind[kind == 1] = 2
    kind[0] = 1 if soma else 3
    cell = ds.Morphology(Samples(np.arange(1, n + 1), kind, xyz, rng.random(n) + 0.1, parent), name)
    checked(cell._repr_html_())
    assert len(str(cell).splitlines()) < LINES + 40
    checked(cell.summary()._repr_html_())


@QUICK
@given(parent=trees(), n_cells=st.integers(1, 3), physical=st.booleans(), placed=st.booleans(), seed=st.integers(0, 99))
def test_compartments_and_what_is_on_them(parent, n_cells, physical, placed, seed):
    rng = np.random.default_rng(seed)
    n = parent.size
    one = ds.Compartments(
        parent,
        coupling=10.0 ** rng.uniform(-3, 3, n),
        region=rng.choice(["soma", "a<b", "", "dendrite"], n),
        xyz=rng.normal(size=(n, 3)) if placed else np.nan,
        length=rng.integers(0, 2, n),
        physical=physical,
    )
    tree = ds.Compartments.forest([one] * n_cells)
    k = int(rng.integers(0, 8))
    synapses = ds.Synapses(tree, rng.integers(0, tree.size, k), sign=rng.choice([-1, 1], k), n_inputs=8,
                           source=rng.integers(0, 8, k))  # fmt: skip
    dtype = rng.choice(["float32", "float64"])
    state = ds.steady_state(tree, synapses, rng.random((int(rng.integers(0, 3)), 8)).astype(dtype))
    gradient = ds.exact_gradient(state, np.zeros((len(state.voltage), tree.n_cells), dtype))
    for thing in (one, tree, synapses, state, gradient):
        checked(thing._repr_html_())
        assert str(thing)


@QUICK
@given(y=arrays(np.float64, st.integers(0, 600), elements=NUMBERS), whole=st.booleans())
def test_pictures_of_any_numbers(y, whole):
    x = np.arange(y.size)
    picture = chart([Line("a", x, y), Line("b", x, -y)], says="two", x_label="x", y_label="y", band=(x, y, y), marks=y)
    assert len(picture) < 60_000
    assert "nan" not in picture
    assert "inf" not in picture.replace("no finite", "")
    bars = histogram(np.round(y) if whole else y, says="bars", x_label="x", whole=whole)
    assert "nan" not in bars
    assert len(bars) < 5_000
    assert len(spark(y)) <= 40


@QUICK
@given(st.text(), st.text(), st.lists(st.text(), min_size=1, max_size=60))
def test_any_text(kind, name, words):
    rows = [[word, word] for word in words]
    card = Card("Thing", name, {kind: name}, [Detail(kind, ["a", name], rows)])
    parsed = checked(html(card, kind))
    if len(words) > 24:
        assert f"{len(words) - 24} more" in parsed.text
    text(card).encode("utf-8")


@QUICK
@given(
    names=st.lists(
        st.text(min_size=1, max_size=12).filter(lambda name: name != "input"), min_size=1, max_size=4, unique=True
    ),
    seed=st.integers(0, 99),
    gates=st.booleans(),
)
def test_networks_of_any_wiring(names, seed, gates):
    rng = np.random.default_rng(seed)
    made = [
        Population(name, (ds.Compartments.branching([int(rng.integers(1, 3))]),) * int(rng.integers(1, 4)))
        for name in names
    ]
    wires = [Projection("input", name, 1, 1) for name in names]
    for i, name in enumerate(names):
        wires += [Projection(other, name, int(rng.choice([1, -1])), 1) for other in names[:i] if rng.random() < 0.5]
    read = [names[-1]] if rng.random() < 0.5 else names
    network = ds.Network(3, 2, made, wires, read, gates=gates, seed=seed)
    parsed = checked(network._repr_html_())
    assert "3, 2" in parsed.text
    assert str(network)


@QUICK
@given(
    seed=st.integers(0, 999),
    classes=st.integers(1, 30),
    shape=st.sampled_from([None, (1, 4), (2, 2), (3, 2, 2), (2, 1, 2)]),
)
def test_tasks_of_any_classes(seed, classes, shape):
    rng = np.random.default_rng(seed)
    width = 4 if shape is None else int(np.prod(shape))
    n = int(rng.integers(1, 9))
    x, y = rng.random((n, width)), rng.integers(0, classes, n)
    names = ["<i>", "b"] + [str(i) for i in range(max(classes, 2) - 2)] if rng.random() < 0.5 else ()
    task = ds.tasks.Task.from_arrays(
        "t", x, y, x, y, n_classes=max(classes, 2), image_shape=shape, class_names=names
    )  # fmt: skip
    checked(task._repr_html_())
    assert str(task)


def test_nothing_at_all():
    for thing in (ds.runs.Runs([]), ds.runs.Sweep("none", "", ())):
        checked(thing._repr_html_())
        assert str(thing)


def test_a_recording_in_its_file(tmp_path):
    tree = ds.Compartments([-1, 0], leak=5.0, coupling=20.0, capacitance=100.0, leak_reversal=-70.0)
    made = ds.simulate(tree, current=[0.0, 50.0], duration=20.0, record="all", store=tmp_path / "run.h5")
    for trace in (made, ds.Trace.load(tmp_path / "run.h5")):
        assert "in its file" in str(trace)
        checked(trace._repr_html_())
