"""Accuracy under input noise of something whose accuracy is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from dendrosim.diagnostics.robustness import noise_robustness
from dendrosim.errors import ParameterError


class Larger:
    """Says which of two inputs is larger."""

    def predict(self, x):
        assert (x >= 0).all()
        return x


def test_against_the_normal_distribution():
    y = np.arange(20_000) % 2
    x = np.where(np.arange(2) == y[:, None], 5.2, 5.0)
    found = noise_robustness(Larger(), x, y, levels=[0.0, 0.1, 0.5], draws=2)
    expected = [1.0, *norm.cdf(0.2 / (np.sqrt(2) * np.array([0.1, 0.5])))]
    np.testing.assert_allclose(found.mean, expected, atol=0.01)
    assert found.accuracy.shape == (3, 2)
    again = noise_robustness(Larger(), x, y, levels=[0.5], draws=2)
    np.testing.assert_array_equal(again.accuracy[0], found.accuracy[2])
    assert len(str(found).splitlines()) == 6


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"levels": [-0.1]}, "at least 0"),
        ({"levels": []}, "at least 0"),
        ({"draws": 0}, "positive whole number"),
        ({"y": np.zeros(3, int)}, r"y \(3,\)"),
    ],
)
def test_messages(options, says):
    with pytest.raises(ParameterError, match=says):
        noise_robustness(Larger(), np.ones((4, 2)), **{"y": np.zeros(4, int), **options})
