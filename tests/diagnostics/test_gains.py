"""Path gains against finite differences, and the identity between their spread and the cosine."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.diagnostics.credit import exact_credit
from dendrosim.diagnostics.gains import gains, path_gains
from dendrosim.errors import ParameterError
from dendrosim.networks.network import Network


def make(integration="shunting", *, cells=(3,), gates=True, seed=0):
    return Network.dendritic(12, 4, cells, [2, 2], 4, 2, integration, seed, gates=gates, dtype="float64")


def batch(seed=1, n=40):
    rng = np.random.default_rng(seed)
    return rng.random((n, 12)), rng.integers(0, 4, n)


def voltages(network, x, imposed, change):
    """Voltages of a directed tree, written out; `change` is added to the voltage of the compartment `imposed`."""
    layout = network.layout
    v, a = np.zeros(layout.size), np.zeros(layout.size)
    for n in range(layout.size - 1, -1, -1):
        s = slice(layout.first[n], layout.last[n])
        drive, sign = network.conductance[s] * x[network.source[s]], network.sign[s]
        children = np.flatnonzero(layout.parent == n)
        inward = (network.coupling[children] * a[children]).sum()
        if network.integration == "shunting":
            v[n] = (drive[sign > 0].sum() + inward) / (1.0 + drive.sum() + network.coupling[children].sum())
        else:
            v[n] = (drive * sign).sum() + inward
            if network.integration == "normalised_additive":
                v[n] /= 1.0 + network.conductance[s].sum() + network.coupling[children].sum()
        v[n] += change * (n == imposed)
        slope = network.slope[n]
        a[n] = 0.5 * (np.tanh(slope * (v[n] - network.parameters["midpoint"][n])) + 1.0) if slope > 0 else v[n]
    return v, a


@pytest.mark.parametrize("integration", ["shunting", "additive", "normalised_additive"])
@pytest.mark.parametrize("gates", [True, False])
def test_gains_against_finite_differences(integration, gates):
    network = make(integration, gates=gates)
    x, _ = batch(n=5)
    layout = network.layout
    activity = network.forward(x)
    r, d = activity.batch_first(activity.resistance), activity.batch_first(activity.derivative)
    gain, transport = gains(layout.parent, network.coupling, r, d)
    h = 1e-5
    for n in (0, 1, 3, 8):
        root = layout.roots[layout.cell[n]]
        for b in range(5):
            (v1, a1), (v0, a0) = (voltages(network, x[b], n, step) for step in (h, -h))
            assert gain[b, n] == pytest.approx((v1[root] - v0[root]) / (2 * h), rel=1e-6)
            assert transport[b, n] * d[b, n] == pytest.approx((a1[root] - a0[root]) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("integration", ["shunting", "additive", "normalised_additive"])
@pytest.mark.parametrize("cells", [(3,), (5, 4)])
def test_the_spread_of_gains_is_the_cosine_of_the_broadcast(integration, cells):
    """cos = 1 / sqrt(1 + CV^2), layer by layer and over all, against the two credits themselves."""
    network = make(integration, cells=cells)
    x, y = batch()
    activity = network.forward(x)
    exact, somas = exact_credit(network, activity, y)
    layout = network.layout
    broadcast = somas[:, layout.cell] * activity.batch_first(activity.derivative)
    table = path_gains(network, x, y).table
    assert len(table) == len(layout.layers) + 1
    for i, row in enumerate(table):
        here = layout.layer == i if i < len(layout.layers) else np.ones(layout.size, bool)
        a, b = broadcast[:, here].ravel(), exact[:, here].ravel()
        assert row["cosine"] == pytest.approx(a @ b / np.sqrt((a @ a) * (b @ b)), rel=1e-10)
        assert row["cosine"] == pytest.approx(1 / np.sqrt(1 + row["transport_cv"] ** 2), rel=1e-12)
    assert table["cosine"][0] == 1.0  # at the soma there is no path
    assert table["cosine"][2] < 0.999


def test_statistics_are_those_of_numpy():
    network = make()
    x, _ = batch()
    found = path_gains(network, x)
    activity = network.forward(x)
    r = activity.batch_first(activity.resistance)
    here = network.layout.layer == 2
    row = found.table[2]
    assert (row["layer"], row["n"]) == ("layer1/stage 2", 12)
    assert row["resistance_mean"] == pytest.approx(r[:, here].mean())
    assert row["resistance_cv"] == pytest.approx(r[:, here].std() / r[:, here].mean())
    assert row["resistance_q95"] == pytest.approx(np.quantile(r[:, here], 0.95))
    np.testing.assert_allclose(found.resistance, r.mean(axis=0))
    assert (found.gain[network.layout.roots] == 1).all()
    lines = str(found).splitlines()
    assert lines[0] == "Path gains, 40 samples"
    assert len(lines) == 3 + 4


def test_credit_against_finite_differences_of_the_loss():
    network = make(cells=(3,))
    x, y = batch(n=6)
    exact, somas = exact_credit(network, network.forward(x), y)
    weight, bias = network.parameters["decoder_weight"], network.parameters["decoder_bias"]

    def loss(b, n, change):
        a = voltages(network, x[b], n, change)[1][network.layout.roots]
        logits = weight @ a + bias
        return (np.log(np.exp(logits).sum()) - logits[y[b]]) / 6

    for n in (0, 2, 9):
        for b in range(6):
            assert exact[b, n] == pytest.approx((loss(b, n, 1e-5) - loss(b, n, -1e-5)) / 2e-5, rel=1e-5, abs=1e-10)
    d = network.forward(x)
    roots = network.layout.roots
    np.testing.assert_allclose(somas * d.batch_first(d.derivative)[:, roots], exact[:, roots], rtol=1e-12)


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (np.zeros(3, int), r"shape \(3,\).*\(40,\)"),
        (np.full(40, 0.5), "dtype float64"),
        (np.full(40, 4), "from 4 to 4; the network has outputs for 0 to 3"),
    ],
)
def test_messages(y, says):
    with pytest.raises(ParameterError, match=says):
        path_gains(make(), batch()[0], y)
