"""The table of fidelity against the formulas of the paper, written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.diagnostics.fidelity_report import Fidelity
from dendrosim.diagnostics.parts import parts_of
from dendrosim.errors import ParameterError

from .cases import gradient, plain_network

SIGN = np.tile([1, 1, -1], 6)
BRANCHES = [1, 2, 4, 5, 7, 8]


def cos(a, b):
    return a @ b / np.sqrt((a @ a) * (b @ b))


def row(a, b):
    return cos(a, b), abs(np.log10(np.linalg.norm(a) / np.linalg.norm(b))), np.linalg.norm(a - b) / np.linalg.norm(b)


@pytest.fixture
def pair(network):
    return gradient(network, 1), gradient(network, 2)


@pytest.fixture
def report(network, pair):
    return Fidelity(network, *pair, teaching="per_soma", rule="5F", n_samples=7)


def chosen(pair):
    """The vectors of every component group, from positions written out by hand."""
    gates = {"log_slope": range(7), "midpoint": range(7)}
    positions = {
        "excitatory": {"synapses": np.flatnonzero(SIGN > 0)},
        "inhibitory": {"synapses": np.flatnonzero(SIGN < 0)},
        "couplings": {"couplings": BRANCHES},
        "gates": gates,
        "decoder": {"decoder.weight": range(3), "decoder.bias": range(3)},
    }
    return {
        group: [np.concatenate([g[key][list(at)] for key, at in where.items()]) for g in pair]
        for group, where in positions.items()
    }


@pytest.fixture
def network():
    return plain_network()


def values(found):
    return [found["cosine"], found["scale_mismatch"], found["relative_l2"]]


def test_component_groups(report, pair):
    for group, (a, b) in chosen(pair).items():
        np.testing.assert_allclose(values(report[group]), row(a, b), rtol=1e-12)
        assert report[group]["n"] == a.size


def test_means_over_groups_leave_the_decoder_out(report, pair):
    groups = {name: both for name, both in chosen(pair).items() if name != "decoder"}
    rows, sizes = [row(a, b) for a, b in groups.values()], [a.size for a, _ in groups.values()]
    assert sizes == [12, 6, 6, 14]
    np.testing.assert_allclose(values(report["all"]), np.average(rows, axis=0, weights=sizes), rtol=1e-12)
    np.testing.assert_allclose(values(report["all (unweighted)"]), np.mean(rows, axis=0), rtol=1e-12)
    flat = [np.concatenate([both[side] for both in groups.values()]) for side in (0, 1)]
    np.testing.assert_allclose(values(report["core vector"]), row(*flat), rtol=1e-12)
    flat = [np.concatenate([both[side] for both in chosen(pair).values()]) for side in (0, 1)]
    np.testing.assert_allclose(values(report["overall vector"]), row(*flat), rtol=1e-12)
    assert (report["all"]["n"], report["overall vector"]["n"]) == (38, 44)


def test_dense_weights_are_the_published_ones(report, pair, network):
    """Banks of the first population: 4 branches x 5 inputs; of the second 2 x (5 inputs + 2 cells) if both are read."""
    excitatory = {("first", 1): (range(4), 20), ("second", 1): (range(4, 6), 14)}
    tensors = []
    for branches, dense in excitatory.values():
        at = [3 * b + j for b in branches for j in (0, 1)]
        tensors.append(([g["synapses"][at] for g in pair], dense))
    for branches, dense in ((range(4), 20), (range(4, 6), 10)):  # inhibition of the second: inputs alone
        at = [3 * b + 2 for b in branches]
        tensors.append(([g["synapses"][at] for g in pair], dense))
    for at in ([1, 2, 4, 5], [7, 8]):
        tensors.append(([g["couplings"][at] for g in pair], len(at)))
    for at in ([0, 3], [1, 2, 4, 5], [6]):
        for key in ("log_slope", "midpoint"):
            tensors.append(([g[key][at] for g in pair], len(at)))
    weights = [dense for _, dense in tensors]
    cosines = [cos(a, b) for (a, b), _ in tensors]
    ratios = [np.linalg.norm(a) / np.linalg.norm(b) for (a, b), _ in tensors]
    errors = [np.linalg.norm(a - b) / np.linalg.norm(b) for (a, b), _ in tensors]
    expected = [np.average(cosines, weights=weights), abs(np.log10(np.average(ratios, weights=weights)))]
    np.testing.assert_allclose(
        values(report["all (dense)"]), [*expected, np.average(errors, weights=weights)], rtol=1e-12
    )
    assert sorted(part.dense for part in parts_of(network) if part.group != "decoder") == sorted(weights)


def test_layers_and_their_couplings_belong_to_the_compartment_they_drive(report, pair):
    names = report.table["group"].tolist()
    assert "first/stage 0/couplings" in names
    assert "first/stage 1/couplings" not in names
    assert "first/stage 0/excitatory" not in names
    assert "second/stage 1/gates" not in names
    at = [1, 2, 4, 5]
    np.testing.assert_allclose(
        values(report["first/stage 0/couplings"]), row(*[g["couplings"][at] for g in pair]), rtol=1e-12
    )
    whole = [np.concatenate([g["synapses"][:12], g["log_slope"][at], g["midpoint"][at]]) for g in pair]
    np.testing.assert_allclose(report["first/stage 1"]["cosine"], cos(*whole), rtol=1e-12)
    assert report.layers("first")["group"].tolist() == ["first/stage 0", "first/stage 1"]
    assert report.layers(group="excitatory")["group"].tolist() == [
        "first/stage 1/excitatory",
        "second/stage 1/excitatory",
    ]


def test_every_compartment_and_synapse(report, pair):
    local, exact = (g["synapses"] for g in pair)
    assert np.flatnonzero(np.isfinite(report.compartment_cosine)).tolist() == BRANCHES
    for b, n in enumerate(BRANCHES):
        a, e = local[3 * b : 3 * b + 3], exact[3 * b : 3 * b + 3]
        assert report.compartment_cosine[n] == pytest.approx(cos(a, e), rel=1e-12)
        assert report.compartment_scale[n] == pytest.approx(np.log10(np.linalg.norm(a) / np.linalg.norm(e)), abs=1e-12)
        assert report.compartment_error[n] == pytest.approx(row(a, e)[2], rel=1e-12)
    typical = np.where(SIGN > 0, np.sqrt(np.mean(exact[SIGN > 0] ** 2)), np.sqrt(np.mean(exact[SIGN < 0] ** 2)))
    np.testing.assert_allclose(report.synapse_error, (local - exact) / typical, rtol=1e-12)


def test_the_same_gradient_twice(network, pair):
    table = Fidelity(network, pair[1], pair[1]).table
    np.testing.assert_allclose(table["cosine"], 1.0, rtol=1e-14)
    assert not table["scale_mismatch"].any()
    assert not table["relative_l2"].any()


def test_zero_gradients_are_said_and_do_not_stop_anything(network, pair):
    local, exact = ({**g, "couplings": 0 * g["couplings"]} for g in pair)
    only_local = Fidelity(network, local, pair[1])
    assert np.isnan(only_local["couplings"]["cosine"])
    assert only_local["couplings"]["relative_l2"] == 1.0
    assert only_local.notes[0] == (
        "the local gradient is zero in couplings: no direction to compare; left out of the means"
    )
    assert "first/stage 0/couplings" in only_local.notes[1]
    both = Fidelity(network, local, exact)
    assert np.isnan(both["couplings"]["relative_l2"])
    assert both.notes[0].startswith("the exact gradient is zero in couplings")
    rest = [both[g] for g in ("excitatory", "inhibitory", "gates")]
    assert both["all (unweighted)"]["cosine"] == pytest.approx(np.mean([r["cosine"] for r in rest]))
    nothing = {name: np.zeros_like(array) for name, array in exact.items()}
    assert np.isnan(Fidelity(network, nothing, nothing).table["cosine"]).all()
    assert "note: the exact gradient is zero in excitatory" in str(Fidelity(network, nothing, nothing))


def test_text(report):
    lines = str(report).splitlines()
    assert lines[0] == "Fidelity of per_soma, 5F to the exact gradient, 7 samples"
    assert lines[2].split() == ["group", "cosine", "scale", "rel.", "L2", "n"]
    assert len({len(line) for line in lines[2:]}) == 1
    assert repr(report).startswith("<Fidelity of per_soma 5F: cosine ")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda r: r["all weighted"], r"group='all weighted' is not known; valid: 'excitatory'"),
        (lambda r: r.layers("third"), r"population='third' is not known; valid: 'first', 'second'"),
        (lambda r: r.layers(group="decoder"), "group='decoder' is not known"),
    ],
)
def test_messages(report, call, says):
    with pytest.raises(ParameterError, match=says):
        call(report)
