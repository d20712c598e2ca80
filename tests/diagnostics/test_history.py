"""Fidelity over training: rows of reports one below the other, also from what a run recorded."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.diagnostics.fidelity_of import fidelity
from dendrosim.diagnostics.fidelity_report import Fidelity
from dendrosim.diagnostics.history import FidelityHistory, fidelity_history
from dendrosim.errors import ParameterError
from dendrosim.networks.network import Network

from .cases import gradient, plain_network


@pytest.fixture
def reports():
    network = plain_network()
    return [Fidelity(network, gradient(network, seed), gradient(network, 9)) for seed in (1, 2, 3)]


def test_series_are_the_rows_of_the_reports(reports):
    history = FidelityHistory([0, 5, 10], reports)
    assert history.epochs.tolist() == [0, 5, 10]
    assert len(history) == 3
    for group in ("all", "gates", "first/stage 1/inhibitory"):
        for measure in ("cosine", "scale_mismatch", "relative_l2"):
            assert history.series(group, measure).tolist() == [r[group][measure] for r in reports]
    assert len(str(history).splitlines()) == 6
    assert len(FidelityHistory()) == 0


@pytest.mark.parametrize("kind", ["U", "S"])
def test_columns_of_a_run_come_back(reports, kind):
    history = FidelityHistory([0, 1, 2], reports)
    columns = {name: history.table[name] for name in history.table.dtype.names}
    columns["group"] = columns["group"].astype(kind)
    again = FidelityHistory.from_columns(columns)
    for name in columns:
        np.testing.assert_array_equal(again.table[name], history.table[name])
    with pytest.raises(ParameterError, match="'cosine' is missing"):
        FidelityHistory.from_columns({k: v for k, v in columns.items() if k != "cosine"})
    with pytest.raises(ParameterError, match="differ in length"):
        FidelityHistory.from_columns({**columns, "n": columns["n"][1:]})


def test_a_sequence_of_networks():
    rng = np.random.default_rng(0)
    x, y = rng.random((30, 12)), rng.integers(0, 3, 30)
    networks = [Network.dendritic(12, 3, [4], [2], 4, 2, seed=seed) for seed in (0, 1)]
    history = fidelity_history(networks, x, y, epochs=[0, 7], rule="3F")
    alone = [fidelity(network, x, y, rule="3F")["all"]["cosine"] for network in networks]
    assert history.series().tolist() == alone
    assert history.epochs.tolist() == [0, 7]
    with pytest.raises(ParameterError, match="must increase"):
        fidelity_history(networks, x, y, epochs=[7, 7])
    with pytest.raises(ParameterError, match="3 epochs and 2 reports"):
        fidelity_history(networks, x, y, epochs=[1, 2, 3])
    with pytest.raises(ParameterError, match="group='everything'"):
        history.series("everything")
