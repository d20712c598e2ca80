"""Information and weights of networks: the right numbers of the right branches are taken."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.diagnostics.information import class_information
from dendrosim.diagnostics.lognormal import fit_lognormal
from dendrosim.diagnostics.of_networks import network_information, weight_distributions
from dendrosim.errors import ParameterError
from dendrosim.networks.network import Network


@pytest.fixture
def network():
    return Network.dendritic(12, 3, [5, 3], [2], 4, 2, dtype="float64")


def test_information_of_every_branch(network):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    x = rng.random((200, 12)) * (1 + (np.arange(12) % 3 == y[:, None]))
    found = network_information(network, x, y)
    layout = network.layout
    presynaptic = network.forward(x)
    rows = presynaptic.batch_first(presynaptic.presynaptic)
    for n in (1, 2, 16):  # one of the second layer, which is driven by the first
        e, i = slice(layout.first[n], layout.middle[n]), slice(layout.middle[n], layout.last[n])
        drive = [rows[:, network.source[s]] @ network.conductance[s] for s in (e, i)]
        assert found.bits[n] == pytest.approx(class_information(np.stack(drive, 1), y), abs=1e-9)
    assert np.isnan(found.bits[layout.roots]).all()
    assert found.mean == pytest.approx(np.nanmean(found.bits))
    assert found.table["layer"].tolist() == ["layer1/stage 1", "layer2/stage 1", "all"]
    assert found.table["n"].tolist() == [10, 6, 16]
    assert "bits" in str(found)
    with pytest.raises(ParameterError, match="outputs for 0 to 2"):
        network_information(network, x, y + 1)


def test_weights_by_sign_and_layer(network):
    fits = weight_distributions(network)
    layout = network.layout
    second = np.arange(layout.n_synapses) >= layout.first[15]
    chosen = network.conductance[second & (network.sign < 0)]
    assert fits["layer2/stage 1/inhibitory"] == fit_lognormal(chosen)
    assert fits["inhibitory"].n == 2 * 16
    assert fits["excitatory"].n == sum(fit.n for name, fit in fits.items() if name.endswith("/excitatory"))
    with pytest.raises(ParameterError, match="must be Network"):
        weight_distributions("network")
