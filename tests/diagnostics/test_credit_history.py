"""What training recorded of its credits, read by layer and time."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.diagnostics import CreditHistory
from dendrosim.errors import ParameterError

COLUMNS = {
    "epoch": [0.0, 0.0, 1.0, 1.0],
    "layer": np.array(["soma", "all"] * 2),
    "passes": [0.0, 0.0, 10.0, 10.0],
    "cosine": [0.5, 0.25, 0.75, 0.5],
    "J": [1.0, 2.0, 3.0, 4.0],
    "n": [2, 5, 2, 5],
}


def test_series_of_layers_and_quantities():
    history = CreditHistory(COLUMNS)
    assert len(history) == 2
    assert history.layers == ("soma", "all")
    assert history.quantities == ("cosine", "J")
    np.testing.assert_array_equal(history.epochs, [0, 1])
    np.testing.assert_array_equal(history.passes, [0, 10])
    np.testing.assert_array_equal(history.series("soma"), [0.5, 0.75])
    np.testing.assert_array_equal(history.series(quantity="J"), [2, 4])


def test_names_that_come_from_a_file():
    stored = {**COLUMNS, "layer": np.array([b"soma", b"all"] * 2)}
    assert CreditHistory(stored).layers == ("soma", "all")


def test_it_says_what_it_holds():
    history = CreditHistory(COLUMNS)
    assert repr(history) == "<CreditHistory: 2 times, 1 layers>"
    assert str(history).splitlines()[-1].split() == ["1", "0.750", "0.500"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CreditHistory({"epoch": [0.0]}), "the column 'layer' is missing; there are epoch"),
        (lambda: CreditHistory({**COLUMNS, "cosine": [1.0]}), "differ in length"),
        (lambda: CreditHistory(COLUMNS).series("dendrite"), "'soma', 'all'"),
        (lambda: CreditHistory(COLUMNS).series(quantity="sine"), "'cosine', 'J'"),
    ],
)
def test_what_does_not_fit_is_said(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
