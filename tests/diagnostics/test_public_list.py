"""What `dendrosim.diagnostics` offers."""

from __future__ import annotations

import pytest

import dendrosim as ds
from dendrosim import diagnostics


def test_every_name_exists_and_says_what_it_is():
    assert dir(diagnostics) == sorted(diagnostics.__all__)
    for name in diagnostics.__all__:
        assert getattr(diagnostics, name).__doc__
    assert ds.fidelity is diagnostics.fidelity
    assert ds.Fidelity is diagnostics.Fidelity


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match=r"path_gain'; it has: .*path_gains"):
        _ = diagnostics.path_gain
