"""The figure for browsers: its colours are the values, its tubes are the cell, its size is bounded."""

from __future__ import annotations

import base64
import builtins
import dataclasses
import json
import re

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import MissingDependencyError, MorphologyWarning, ParameterError
from dendrosim.plotting.pieces import pieces_of
from dendrosim.plotting.tubes import FINENESS, mesh

go = pytest.importorskip("plotly.graph_objects", reason="needs plotly, of the extra interactive")


def array(given) -> np.ndarray:
    """An array of the figure's JSON, which has numbers as base64 text."""
    if isinstance(given, dict):
        flat = np.frombuffer(base64.b64decode(given["bdata"]), np.dtype(given["dtype"]))
        return flat.reshape([int(n) for n in given["shape"].split(",")]) if "shape" in given else flat
    return np.asarray(given)


def content(figure) -> dict:
    return json.loads(figure.to_json())


@pytest.fixture(scope="module")
def cell():
    return ds.Morphology.load("stellate").compartments(ds.Passive(E_leak=-70.0), d_lambda=0.3)


@pytest.fixture(scope="module")
def values(cell):
    return np.random.default_rng(0).normal(size=(3, cell.size))


def tubes(made):
    return [trace for trace in made["data"] if trace["type"] == "mesh3d"]


def test_the_colours_of_every_row_are_its_values(cell, values):
    made = content(ds.plotting.interactive(cell, values, label="voltage", unit="mV"))
    owners = [array(trace["customdata"])[:, 0].astype(int) for trace in tubes(made)]
    drawn = np.flatnonzero(cell.area > 0)  # branch points have no membrane and no shape
    assert sorted(set(np.concatenate(owners).tolist())) == drawn.tolist()
    assert len(made["frames"]) == 3
    for row, frame in zip(values, made["frames"], strict=True):
        for owner, trace in zip(owners, frame["data"], strict=True):
            assert array(trace["intensity"]).tolist() == row[owner].tolist()  # exactly, nothing rounded
        # only colours: the geometry is in the figure once
        assert all(set(trace) == {"type", "intensity"} for trace in frame["data"])
    for owner, trace in zip(owners, tubes(made), strict=True):
        assert array(trace["intensity"]).tolist() == values[0][owner].tolist()
    axis = made["layout"]["coloraxis"]
    assert (axis["cmin"], axis["cmax"]) == (values.min(), values.max())
    assert axis["colorbar"]["title"]["text"] == "voltage (mV)"
    steps = made["layout"]["sliders"][0]["steps"]
    assert [step["args"][0][0] for step in steps] == [frame["name"] for frame in made["frames"]]


def test_the_colours_are_those_of_the_other_figures(cell, values):
    from matplotlib.colors import to_rgb

    from dendrosim.plotting.styling import DIVERGING, SEQUENTIAL

    for options, cmap in (({}, SEQUENTIAL), ({"center": 0.0}, DIVERGING)):
        stops = content(ds.plotting.interactive(cell, values[0], **options))["layout"]["coloraxis"]["colorscale"]
        for share, text in stops:
            seen = np.array([int(part) for part in text[4:-1].split(",")]) / 255
            np.testing.assert_allclose(seen, to_rgb(cmap(share)), atol=0.5 / 255 + 1e-9)


@pytest.mark.parametrize("name", ["turbo", "nipy_spectral", "tab10", "flag"])
def test_maps_with_steps_keep_them(cell, values, name):
    """A browser goes in straight lines from stop to stop; nowhere may that be another colour than the map has there."""
    from matplotlib import colormaps

    axis = content(ds.plotting.interactive(cell, values[0], cmap=name))["layout"]["coloraxis"]
    share, seen = zip(*axis["colorscale"], strict=True)
    seen = np.array([[int(part) for part in text[4:-1].split(",")] for text in seen])
    at = np.linspace(0, 1, 1001)
    got = np.stack([np.interp(at, share, channel) for channel in seen.T], axis=1)
    near = [colormaps[name](np.clip(at + shift, 0, 1))[:, :3] * 255 for shift in np.linspace(-1 / 255, 1 / 255, 9)]
    assert (got >= np.min(near, axis=0) - 1).all()
    assert (got <= np.max(near, axis=0) + 1).all()


@pytest.mark.parametrize("kind", ["float16", "longdouble", ">f4", "int8", "uint64", "bool"])
def test_values_of_every_kind_are_the_same_in_the_page(cell, kind):
    given = np.random.default_rng(1).integers(0, 2, (2, cell.size)).astype(kind)
    for values in (given, given[0]):
        made = content(ds.plotting.interactive(cell, values))
        drawn = [(0, tubes(made))] + [(i, frame["data"]) for i, frame in enumerate(made.get("frames", []))]
        assert len(drawn) == (3 if values is given else 1)
        for row, traces in drawn:
            for trace, tube in zip(traces, tubes(made), strict=True):
                owner = array(tube["customdata"])[:, 0].astype(int)
                assert array(trace["intensity"]).tolist() == given[row, owner].astype(float).tolist()


def test_path_distances_are_told(cell, values):
    for trace in tubes(content(ds.plotting.interactive(cell, values[0], label="V", unit="mV"))):
        owner, distance = array(trace["customdata"]).T
        np.testing.assert_allclose(distance, cell.path_distance[owner.astype(int)], atol=1e-3)
        assert set(cell.region[owner.astype(int)]) == {trace["name"]}
        assert "%{intensity:.4g} mV" in trace["hovertemplate"]


def test_time_is_a_slider(cell):
    trace = ds.simulate(cell, current=np.eye(cell.size)[5] * 50, duration=5.0, record="all", every=4)
    made = content(ds.plotting.interactive(cell, trace, frames=5))
    steps = made["layout"]["sliders"][0]["steps"]
    assert len(made["frames"]) == len(steps) == 5
    moments = [float(step["label"].removesuffix(" ms")) for step in steps]
    owner = array(tubes(made)[0]["customdata"])[:, 0].astype(int)
    for moment, frame in zip(moments, made["frames"], strict=True):
        at = int(np.argmin(abs(trace.time - moment)))
        assert trace.time[at] == pytest.approx(moment)
        np.testing.assert_array_equal(array(frame["data"][0]["intensity"]), trace.voltage[0, at, owner])
    with pytest.raises(ParameterError, match=r"of all \d+ compartments .*record='all'"):
        ds.plotting.interactive(cell, ds.simulate(cell, duration=1.0))


def test_a_tube_is_as_thick_and_long_as_its_neurite():
    # a straight cylinder of radius 2 from x = 5 to x = 105
    cell = ds.Morphology.from_swc("1 1 0 0 0 5 -1\n2 3 5 0 0 2 1\n3 3 55 0 0 2 2\n4 3 105 0 0 2 3\n")
    pieces = pieces_of(cell)
    key = np.zeros(len(pieces.start), int)
    for fineness in FINENESS:
        made = mesh(pieces, key, fineness)
        tube = made.vertex[made.owner != pieces.sphere_owner[0]].astype(float)
        across = np.hypot(tube[:, 1], tube[:, 2])
        rim = across > 1e-6  # without the middles of caps
        np.testing.assert_allclose(across[rim], 2.0, rtol=1e-5)
        assert tube[:, 0].min() == 5.0
        assert tube[:, 0].max() == 105.0
        ball = made.vertex[made.owner == pieces.sphere_owner[0]]
        np.testing.assert_allclose(np.linalg.norm(ball, axis=1), 5.0, rtol=1e-5)
        assert made.face.min() >= 0
        assert made.face.max() < len(made.vertex)
        assert set(made.face.ravel()) == set(range(len(made.vertex)))


def test_thin_neurites_are_seen_unless_true_diameters_are_asked_for():
    with pytest.warns(MorphologyWarning, match="no sample is of type 1"):
        thin = ds.Morphology.from_swc("1 3 0 0 0 0.01 -1\n2 3 700 0 0 0.01 1\n")
    for wanted, radius in ((None, 0.5), (0.0, 0.01), (4.0, 2.0)):
        made = content(ds.plotting.interactive(thin, minimum_diameter=wanted))
        assert np.abs(array(tubes(made)[0]["y"])).max() == pytest.approx(radius, rel=0.3)


def test_a_large_figure_gets_fewer_sides_and_at_last_an_error(cell, values):
    sizes = {}
    for most in (10.0, 0.5):
        figure = ds.plotting.interactive(cell, values, megabytes=most)
        sizes[most] = len(figure.to_json()) / 1e6
        assert sizes[most] < most + 0.1
    assert sizes[0.5] < sizes[10.0]
    with pytest.raises(ParameterError, match=r"comes to .* MB, and megabytes=0.01; take fewer rows"):
        ds.plotting.interactive(cell, values, megabytes=0.01)


def test_regions_and_synapses_have_the_colours_of_the_other_figures(cell):
    synapses = ds.Synapses.scatter(cell, 8, 4, seed=0)
    made = content(ds.plotting.interactive(cell, synapses=synapses))
    for trace in tubes(made):
        assert trace["color"] == ds.plotting.region_color(trace["name"])
        assert "intensity" not in trace
    marked = {trace["name"]: trace for trace in made["data"] if trace.get("mode") == "markers"}
    assert set(marked) == {"8 excitatory", "4 inhibitory"}
    told = array(marked["8 excitatory"]["customdata"])
    assert sorted(told.tolist()) == sorted(synapses.compartment[synapses.sign > 0].tolist())
    assert "sliders" not in made["layout"]


def test_names_are_text(cell):
    evil = ds.Compartments.forest([cell]).with_()
    vars(evil)["region"] = np.full(cell.size, "<a href='x'>%{x}")
    made = content(ds.plotting.interactive(cell, np.zeros((2, cell.size)), names=["<b>a", "b"], label="<i>V"))
    assert made["layout"]["sliders"][0]["steps"][0]["label"] == "&lt;b&gt;a"
    assert "&lt;i&gt;V" in tubes(made)[0]["hovertemplate"]
    region = tubes(content(ds.plotting.interactive(evil)))[0]
    assert region["name"].startswith("&lt;a")
    assert "%{x}" not in region["hovertemplate"]


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (np.zeros(3), {}, r"values has shape \(3,\); expected shape \(\d+,\), one"),
        (np.zeros((2, 3)), {}, r"values has shape \(2, 3\); expected .* or \(B, \d+\)"),
        (np.zeros((2, 2, 3)), {}, r"values has shape"),
        (None, {"names": ["a"]}, "names= are those of rows"),
        (None, {"cmap": "viridis"}, "cmap belong to values="),
        (None, {"percentile": 98, "label": "V", "unit": "mV"}, "percentile, label, unit belong to values="),
        (None, {"stimulus": 1}, "stimulus=1 is a row of a trace"),
    ],
)
def test_what_does_not_fit(cell, given, options, message):
    with pytest.raises(ParameterError, match=message):
        ds.plotting.interactive(cell, given, **options)


def test_more_that_does_not_fit(cell, values):
    bad = values.copy()
    bad[1, 2] = np.nan
    with pytest.raises(ParameterError, match=r"values\[1, 2\] is nan"):
        ds.plotting.interactive(cell, bad)
    for names in (["a"], "abc", 3):
        with pytest.raises(ParameterError, match="must be 3 names"):
            ds.plotting.interactive(cell, values, names=names)
    with pytest.raises(ParameterError, match="those of several rows"):
        ds.plotting.interactive(cell, values[0], names=["a"])
    with pytest.raises(ParameterError, match="stimulus=2 is a row of a trace"):
        ds.plotting.interactive(cell, values, stimulus=2)
    for option, value in (("label", 3), ("unit", b"mV"), ("cmap", 3)):
        with pytest.raises(ParameterError, match=option):
            ds.plotting.interactive(cell, values, **{option: value})
    with pytest.raises(ParameterError, match="synapses sit on compartments"):
        ds.plotting.interactive(ds.Morphology.load("stellate"), synapses=ds.Synapses.scatter(cell, 1, 1))
    with pytest.raises(ParameterError, match="no positions in space"):
        ds.plotting.interactive(ds.Compartments.branching([2]))


def test_a_page_needs_no_network(cell, values, tmp_path):
    figure = ds.plotting.interactive(cell, values)
    page = ds.plotting.write_interactive(figure, tmp_path / "cell.html", title="<one>").read_text(encoding="utf-8")
    assert "width=device-width" in page
    assert "<title>&lt;one&gt;</title>" in page
    loads = re.compile(r"<(script|link|img)\b[^>]*\b(src|href)=.?https?:")  # plotly's own code names addresses of maps
    assert not loads.search(page)
    cdn = ds.plotting.write_interactive(figure, tmp_path / "cdn.html", plotlyjs="cdn")
    assert loads.search(cdn.read_text(encoding="utf-8"))
    small = ds.plotting.write_interactive(figure, tmp_path / "small.html", plotlyjs="directory")
    assert small.stat().st_size < 3e6
    assert (tmp_path / "plotly.min.js").stat().st_size > 1e6
    with pytest.raises(ParameterError, match="valid: 'inline', 'directory', 'cdn'"):
        ds.plotting.write_interactive(figure, tmp_path / "cell.html", plotlyjs="somewhere")
    with pytest.raises(ParameterError, match="title must be str"):
        ds.plotting.write_interactive(figure, tmp_path / "cell.html", title=3)
    with pytest.raises(ParameterError, match="returns it"):
        ds.plotting.write_interactive(3, tmp_path / "cell.html")


def test_pages_are_whole_and_in_a_folder_that_is_made(cell, tmp_path):
    figure = ds.plotting.interactive(cell)
    page = ds.plotting.write_interactive(figure, tmp_path / "new" / "cell.html", plotlyjs="directory")
    program = page.with_name("plotly.min.js")
    whole = program.read_bytes()
    program.write_bytes(whole[:1000])  # of a process that was killed
    ds.plotting.write_interactive(figure, page, plotlyjs="directory")
    assert program.read_bytes() == whole
    assert sorted(path.name for path in page.parent.iterdir()) == ["cell.html", "plotly.min.js"]


def test_synapses_count_for_the_size(cell):
    n = 60_000
    synapses = ds.Synapses(cell, np.arange(n) % cell.size, sign=np.ones(n), n_inputs=n, source=np.arange(n))
    bare = len(ds.plotting.interactive(cell, megabytes=2.0).to_json()) / 1e6
    assert len(ds.plotting.interactive(cell, synapses=synapses, megabytes=2.0).to_json()) / 1e6 < min(2.1, bare + 1.3)
    with pytest.raises(ParameterError, match="fewer synapses"):
        ds.plotting.interactive(cell, synapses=synapses, megabytes=1.0)


def test_late_moments_are_told_apart(cell):
    trace = ds.simulate(cell, duration=0.5, record="all")
    late = dataclasses.replace(trace, time=trace.time + 123456.0)
    steps = content(ds.plotting.interactive(cell, late, frames=5))["layout"]["sliders"][0]["steps"]
    told = [float(step["label"].removesuffix(" ms")) for step in steps]
    np.testing.assert_allclose(told, [123456.0, 123456.125, 123456.25, 123456.375, 123456.5], atol=0.0126)
    assert len(set(told)) == 5


def test_without_plotly_the_extra_is_named(cell, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **options):
        if name.startswith("plotly"):
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"dendrosim\[interactive\]"):
        ds.plotting.interactive(cell)
